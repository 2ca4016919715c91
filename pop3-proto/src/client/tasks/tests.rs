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
fn run<T: Task<Client>>(config: Config, task: T, script: Script) -> Ran<T> {
    run_with(config, task, script, |_| {})
}

/// The same, with its items.
fn run_with<T: Task<Client>>(
    config: Config,
    mut task: T,
    script: Script,
    mut item: impl FnMut(T::Item),
) -> Ran<T> {
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
            let mut progress = task.handle(&mut client, event);
            if let Progress::Item(yielded) = progress {
                item(yielded);
                progress = task.ready(&mut client);
            }
            match progress {
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

#[test]
fn utf8_is_asked_for_where_it_is_wanted_and_announced() {
    let mut config = clear_text();
    config.utf8 = true;
    let script =
        Script(vec!["+OK\r\nUTF8\r\nUSER\r\n.\r\n", "+OK\r\n", "+OK\r\n", "+OK in\r\n", "+OK\r\n.\r\n"]);
    let (result, sent, _) = run(config.clone(), login(), script);
    assert!(result.is_ok());
    assert_eq!(sent, b"CAPA\r\nUTF8\r\nUSER tim\r\nPASS tanstaaf\r\nCAPA\r\n");
    // A server that takes it back is logged in to all the same, and one without it is not bothered.
    let script =
        Script(vec!["+OK\r\nUTF8\r\nUSER\r\n.\r\n", "-ERR\r\n", "+OK\r\n", "+OK in\r\n", "-ERR\r\n"]);
    assert!(run(config.clone(), login(), script).0.is_ok());
    let script = Script(vec!["+OK\r\nUSER\r\n.\r\n", "+OK\r\n", "-ERR no\r\n"]);
    let (_, sent, _) = run(config, login(), script);
    assert_eq!(sent, b"CAPA\r\nUSER tim\r\nPASS tanstaaf\r\n");
}

#[test]
fn a_name_beyond_ascii_is_not_sent_to_who_does_not_take_it() {
    let login = || Login::new(Credentials::password("tim\u{e9}", "tanstaaf").unwrap());
    let script = Script(vec!["+OK\r\nUSER\r\nUTF8\r\n.\r\n"]);
    let (result, sent, _) = run(clear_text(), login(), script);
    assert_eq!(result.unwrap_err(), LoginError::Misuse(Misuse::NotAnnounced));
    assert_eq!(sent, b"CAPA\r\n");
    let script = Script(vec!["+OK\r\nUSER\r\nUTF8 USER\r\n.\r\n", "-ERR nobody\r\n"]);
    assert_eq!(run(clear_text(), login(), script).1, "CAPA\r\nUSER tim\u{e9}\r\n".as_bytes());
}

#[test]
fn a_refused_token_says_why() {
    let login = Login::new(Credentials::token("tim", "t").unwrap());
    let script = Script(vec![
        "+OK\r\nSASL XOAUTH2\r\n.\r\n",
        "+ \r\n",
        "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n",
        "-ERR [AUTH] no\r\n",
    ]);
    let (result, sent, _) = run(clear_text(), login, script);
    let Err(LoginError::Explained { explanation, .. }) = result else { panic!("{result:?}") };
    assert_eq!(explanation.to_string(), r#"{"status":"400"}"#);
    assert!(sent.starts_with(b"CAPA\r\nAUTH XOAUTH2\r\n"));
}

/// Fetches what is new; its end, what was sent, and its items in words.
fn fetch_new(known: &[&str], script: Vec<&'static str>) -> (Ran<FetchNew>, Vec<alloc::string::String>) {
    let known = known.iter().map(|id| id.parse().unwrap());
    let mut items = Vec::new();
    let ran = run_with(clear_text(), FetchNew::new(known), Script(script), |item| {
        items.push(match item {
            NewMessage::Begin(message) => alloc::format!("begin {}", message.number),
            NewMessage::Content(chunk) => alloc::format!("content {}", chunk.escape_ascii()),
            NewMessage::Complete(message, report) => {
                alloc::format!("complete {} {}", message.number, report.octets)
            }
            NewMessage::Refused(message, reply) => {
                alloc::format!("refused {} {}", message.number, reply.text)
            }
        });
    });
    (ran, items)
}

#[test]
fn only_what_is_not_known_is_fetched_and_a_refusal_costs_that_message_only() {
    let ((result, sent, _), items) = fetch_new(
        &["b", "z"],
        vec![
            "+OK\r\n1 3\r\n2 3\r\n3 3\r\n4 3\r\n.\r\n",
            "+OK\r\n1 a\r\n2 b\r\n3 c\r\n4 d\r\n.\r\n",
            "+OK\r\nx\r\n.\r\n",
            "-ERR gone\r\n",
            "+OK\r\n.\r\n",
        ],
    );
    let listed: Vec<_> = result.unwrap().messages.iter().map(|message| message.number.get()).collect();
    assert_eq!(listed, [1, 2, 3, 4]);
    assert_eq!(sent, b"LIST\r\nUIDL\r\nRETR 1\r\nRETR 3\r\nRETR 4\r\n");
    let expected = ["begin 1", r"content x\r\n", "complete 1 3", "refused 3 gone", "begin 4", "complete 4 0"];
    assert_eq!(items, expected);
}

#[test]
fn an_id_that_two_messages_share_is_none() {
    let ((result, sent, _), _) = fetch_new(
        &["same"],
        vec![
            "+OK\r\n1 1\r\n2 1\r\n3 1\r\n.\r\n",
            "+OK\r\n1 same\r\n2 same\r\n.\r\n",
            "-ERR\r\n",
            "-ERR\r\n",
            "-ERR\r\n",
        ],
    );
    assert!(result.unwrap().messages.iter().all(|message| message.id.is_none()));
    assert_eq!(sent, b"LIST\r\nUIDL\r\nRETR 1\r\nRETR 2\r\nRETR 3\r\n");
}

#[test]
fn without_ids_nothing_is_known_and_nothing_fetched() {
    let ((result, sent, _), items) = fetch_new(&["a"], vec!["+OK\r\n1 1\r\n.\r\n", "-ERR what\r\n"]);
    assert!(matches!(result, Err(TaskError::Refused(_))));
    assert_eq!(sent, b"LIST\r\nUIDL\r\n");
    assert!(items.is_empty());
    let ((result, sent, _), _) = fetch_new(&["a"], vec!["+OK\r\n1 1\r\n.\r\n", "+OK\r\n1 a\r\n.\r\n"]);
    assert!(result.is_ok());
    assert_eq!(sent, b"LIST\r\nUIDL\r\n");
}

#[test]
fn a_new_message_that_is_cut_off_is_never_complete() {
    let ((result, ..), items) =
        fetch_new(&[], vec!["+OK\r\n1 9\r\n.\r\n", "+OK\r\n1 a\r\n.\r\n", "+OK\r\nhalf a mess", ".\r\n"]);
    assert_eq!(result.unwrap_err(), TaskError::Closed(Closed::Truncated));
    assert_eq!(items, ["begin 1", "content half a mess", r"content .\r\n"]);
}
