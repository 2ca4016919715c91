//! Tasks against servers that are not this crate's: old, odd, or gone.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_sasl::Credentials;

use super::super::{Config, QuitOutcome};
use super::*;
use crate::client::Event;
use crate::config::TlsMode;
use crate::types::MessageNumber;

/// What a scripted server says each time the client has written something.
struct Script(Vec<&'static str>);

type Ran<T> = (Result<<T as Task<Client>>::Output, <T as Task<Client>>::Error>, Vec<u8>, usize);

/// Runs `task` on a session that is greeted; returns its end, what was sent, and the events it left.
fn run<T: Task<Client>>(config: Config, mut task: T, script: Script) -> Ran<T> {
    let mut client = Client::new(config, [1; 32]);
    let mut input = BytesMut::from("+OK ready\r\n");
    client.handle_input(&mut input, Instant::ORIGIN);
    assert!(matches!(client.poll_event(), Some(Event::Greeting(_))));
    let (mut sent, mut left) = (Vec::new(), 0);
    if let Err(error) = task.start(&mut client) {
        return (Err(error), sent, left);
    }
    let mut script = script.0.into_iter();
    loop {
        while let Some(event) = client.poll_event() {
            match task.handle(&mut client, event) {
                Progress::Done(result) => {
                    sent.extend_from_slice(client.transmit().chunk());
                    return (result, sent, left);
                }
                Progress::NotMine(_) => left += 1,
                Progress::Continue | Progress::Item(_) => {}
            }
        }
        sent.extend_from_slice(client.transmit().chunk());
        let written = client.transmit().len();
        client.transmit().advance(written);
        if !input.is_empty() {
            // Events were in the way of the rest.
            client.handle_input(&mut input, Instant::ORIGIN);
            continue;
        }
        match script.next() {
            Some(reply) => input.extend_from_slice(reply.as_bytes()),
            None => client.handle_eof(Instant::ORIGIN),
        }
        client.handle_input(&mut input, Instant::ORIGIN);
    }
}

fn clear_text() -> Config {
    let mut config = Config::default();
    config.sasl.clear_text_without_tls = true;
    config
}

fn login() -> Login {
    Login::new(Credentials::password("tim", "tanstaaf").unwrap())
}

#[test]
fn a_server_without_capa_gets_user_and_pass() {
    let script = Script(vec!["-ERR what\r\n", "+OK\r\n", "+OK in\r\n"]);
    let (result, sent, _) = run(clear_text(), login(), script);
    assert_eq!(result.unwrap().mechanism, None);
    assert_eq!(sent, b"CAPA\r\nUSER tim\r\nPASS tanstaaf\r\n");
}

#[test]
fn a_refused_name_is_followed_by_no_password() {
    let script = Script(vec!["-ERR what\r\n", "-ERR nobody\r\n"]);
    let (result, sent, _) = run(clear_text(), login(), script);
    assert!(matches!(result, Err(LoginError::Refused(_))));
    assert_eq!(sent, b"CAPA\r\nUSER tim\r\n");
}

#[test]
fn tls_that_is_wanted_and_unknown_or_refused_ends_the_login() {
    let mut config = clear_text();
    config.tls = TlsMode::StartTls;
    let (result, sent, _) = run(config.clone(), login(), Script(vec!["-ERR what\r\n"]));
    assert_eq!(result.unwrap_err(), LoginError::NoTls);
    assert_eq!(sent, b"CAPA\r\n");
    let script = Script(vec!["+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN\r\n.\r\n", "-ERR no\r\n"]);
    let (result, sent, _) = run(config, login(), script);
    assert!(matches!(result, Err(LoginError::TlsRefused(_))));
    assert_eq!(sent, b"CAPA\r\nSTLS\r\n");
}

#[test]
fn clear_text_without_permission_ends_the_login() {
    let script = Script(vec!["+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"]);
    let (result, sent, _) = run(Config::default(), login(), script);
    assert!(matches!(result, Err(LoginError::NoMechanism(mailwright_sasl::ChooseError::ClearText))));
    assert_eq!(sent, b"CAPA\r\n");
    let (result, sent, _) = run(Config::default(), login(), Script(vec!["-ERR what\r\n"]));
    assert_eq!(result.unwrap_err(), LoginError::Misuse(Misuse::Plaintext));
    assert_eq!(sent, b"CAPA\r\n");
}

#[test]
fn a_server_that_refuses_capa_after_the_login_is_logged_in_to() {
    let script = Script(vec!["+OK\r\nSASL PLAIN\r\n.\r\n", "+OK in\r\n", "-ERR not now\r\n"]);
    let (result, sent, _) = run(clear_text(), login(), script);
    assert_eq!(result.unwrap().reply.text.to_string(), "in");
    assert_eq!(sent, b"CAPA\r\nAUTH PLAIN AHRpbQB0YW5zdGFhZg==\r\nCAPA\r\n");
}

#[test]
fn a_connection_that_ends_ends_the_login() {
    let (result, ..) = run(clear_text(), login(), Script(vec![]));
    assert_eq!(result.unwrap_err(), LoginError::Closed(Closed::EndOfInput));
}

#[test]
fn a_listing_is_put_together_from_any_order_with_gaps_and_without_ids() {
    let script = Script(vec!["+OK\r\n9 5\r\n2 7\r\n2 8\r\n.\r\n", "+OK\r\n2 b\r\n7 c\r\n9 a\r\n.\r\n"]);
    let (result, sent, _) = run(clear_text(), List::new(), script);
    let found = result.unwrap();
    let listed: Vec<_> = found
        .messages
        .iter()
        .map(|message| (message.number.get(), message.octets, message.id.unwrap().to_string()))
        .collect();
    assert_eq!(listed, [(2, 7, "b".to_string()), (9, 5, "a".to_string())]);
    assert_eq!(sent, b"LIST\r\nUIDL\r\n");

    let script = Script(vec!["+OK\r\n1 5\r\n.\r\n", "-ERR what\r\n"]);
    let found = run(clear_text(), List::new(), script).0.unwrap();
    assert_eq!(found.messages.first().map(|message| message.id), Some(None));
    assert!(found.no_ids.is_some());
}

#[test]
fn a_server_that_departs_in_every_line_fills_no_queue() {
    let mut listing = "+OK\r\n".to_string();
    for number in 1..=500 {
        listing.push_str(&alloc::format!("{number}  {number} more\r\nbad\r\n"));
    }
    listing.push_str(".\r\n");
    let script = Script(vec![listing.leak(), "-ERR\r\n"]);
    let (result, _, left) = run(clear_text(), List::new(), script);
    let found = result.unwrap();
    assert_eq!((found.messages.len(), found.errors.len(), found.deviations.len(), left), (500, 100, 100, 0));
}

#[test]
fn a_message_that_is_cut_off_is_no_success() {
    let script = Script(vec!["+OK\r\nhalf a message\r\n"]);
    let (result, ..) = run(clear_text(), Fetch::new(MessageNumber::FIRST), script);
    assert_eq!(result.unwrap_err(), TaskError::Closed(Closed::Truncated));
    let (result, ..) = run(clear_text(), Fetch::new(MessageNumber::FIRST), Script(vec!["-ERR gone\r\n"]));
    assert!(matches!(result, Err(TaskError::Refused(_))));
}

#[test]
fn quitting_without_a_reply_is_unknown_and_never_committed() {
    let quit = || Quit::deleting([MessageNumber::FIRST]);
    let outcome = |script| run(clear_text(), quit(), Script(script)).0.map(|report| report.outcome);
    assert_eq!(outcome(vec!["+OK\r\n", "+OK\r\n"]), Ok(QuitOutcome::Committed));
    assert_eq!(outcome(vec!["+OK\r\n", "-ERR\r\n"]), Ok(QuitOutcome::Failed));
    assert_eq!(outcome(vec!["+OK\r\n"]), Ok(QuitOutcome::Unknown));
    assert_eq!(outcome(vec!["+OK\r\n", "garbage\r\n"]), Ok(QuitOutcome::Unknown));
    // Before QUIT was sent nothing is deleted, and that is no outcome of it.
    assert_eq!(outcome(vec![]), Err(TaskError::Closed(Closed::EndOfInput)));
}
