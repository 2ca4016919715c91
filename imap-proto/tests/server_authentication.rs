//! LOGIN and AUTHENTICATE: what is offered when, the exchange, failures. RFC 9051 §6.2, RFC 4959, RFC 5530.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use host::{Host, clear_text};
use mailwright_imap::sasl::{Answer, MechanismName, Offers, base64};
use mailwright_imap::server::{Config, Event};

fn encode(text: &[u8]) -> String {
    let mut octets = bytes::BytesMut::new();
    base64::encode(text, &mut octets);
    String::from_utf8(octets.to_vec()).unwrap()
}

#[test]
fn what_is_offered_depends_on_tls_and_configuration() {
    let said = Host::with(Config::default()).say("a CAPABILITY\r\n");
    assert!(said.contains(" LOGINDISABLED\r\n") && !said.contains("AUTH="), "{said}");
    let said = Host::plain().say("a CAPABILITY\r\n");
    assert!(said.contains(" AUTH=PLAIN AUTH=LOGIN\r\n") && !said.contains("LOGINDISABLED"), "{said}");
    let mut config = clear_text();
    config.login = false;
    config.offers = Offers::new([MechanismName::PLAIN]);
    let mut host = Host::with(config);
    let said = host.say("a CAPABILITY\r\n");
    assert!(said.contains(" LOGINDISABLED AUTH=PLAIN\r\n"), "{said}");
    assert_eq!(host.say("b LOGIN fred secret\r\n"), "b NO [PRIVACYREQUIRED] not without TLS\r\n");
    assert_eq!(host.say("c AUTHENTICATE LOGIN\r\n"), "c NO no such mechanism\r\n");
}

#[test]
fn greeting_and_completion_name_the_capabilities() {
    let mut host = Host::new(clear_text(), host::Answers::default());
    let said = host.say("");
    assert!(
        said.starts_with("* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID AUTH=PLAIN AUTH=LOGIN] "),
        "{said}"
    );
    let said = host.say("a LOGIN fred secret\r\n");
    assert!(
        said.starts_with("a OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID CHILDREN IDLE MOVE NAMESPACE "),
        "{said}"
    );
    assert!(!said.contains("AUTH=") && !said.contains("LOGINDISABLED"), "{said}");
}

#[test]
fn an_initial_response_may_come_with_the_command() {
    let response = encode(b"\0fred\0secret");
    assert!(Host::plain().say(format!("a AUTHENTICATE PLAIN {response}\r\n")).starts_with("a OK "));
    assert!(Host::plain().say(format!("a authenticate plain {response}\r\n")).starts_with("a OK "));
    // RFC 4959 §3: `=` is there, and empty.
    assert!(Host::plain().say("a AUTHENTICATE PLAIN =\r\n").starts_with("a BAD "));
}

#[test]
fn an_exchange_goes_on_line_by_line() {
    let mut host = Host::plain();
    assert_eq!(host.say("a AUTHENTICATE LOGIN\r\n"), format!("+ {}\r\n", encode(b"Username:")));
    assert_eq!(host.say(format!("{}\r\n", encode(b"fred"))), format!("+ {}\r\n", encode(b"Password:")));
    assert!(host.say(format!("{}\n", encode(b"secret"))).starts_with("a OK "));
    assert_eq!(host.server.identity().unwrap().authorization, "fred");
}

#[test]
fn what_is_no_response_is_bad_and_leaves_the_session_in_step() {
    let limit = clear_text().limits.authenticate_line;
    for line in ["*", "not base64!", "AGZyZWQ", "", "b NOOP", "=", &"A".repeat(limit + 10)] {
        let mut host = Host::plain();
        host.say("a AUTHENTICATE PLAIN\r\n");
        let said = host.say(format!("{line}\r\nb NOOP\r\n"));
        assert!(said.starts_with("a BAD ") && said.ends_with("\r\nb OK done\r\n"), "{line} {said}");
        assert!(host.events.contains(&"LoginFailed".to_owned()));
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_told_apart_by_nobody() {
    let mut host = Host::plain();
    let wrong = host.say("a LOGIN fred wrong\r\n");
    assert_eq!(wrong, host.say("a LOGIN nobody secret\r\n"));
    assert_eq!(wrong, host.say(format!("a AUTHENTICATE PLAIN {}\r\n", encode(b"\0fred\0wrong"))));
    assert_eq!(wrong, "a NO [AUTHENTICATIONFAILED] authentication failed\r\n");
}

#[test]
fn too_many_failures_end_the_session() {
    let mut host = Host::plain();
    for _ in 0..4 {
        assert_eq!(host.say("a LOGIN fred wrong\r\n").lines().count(), 1);
    }
    let said = host.say("a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n");
    assert!(said.ends_with("* BYE too many failed logins\r\n"), "{said}");
    assert_eq!(host.closed.as_deref(), Some("Closed(TooManyFailures)"));
}

#[test]
fn an_outage_is_no_failure_of_the_client() {
    let mut host = Host::plain();
    host.slow = true;
    for _ in 0..10 {
        host.say("a LOGIN fred secret\r\n");
        let Some(Event::Authenticate { token, .. }) = host.waiting.pop() else { panic!() };
        host.server.answer(token, Answer::TempFail).unwrap();
        assert_eq!(host.say(""), "a NO [UNAVAILABLE] cannot check the credentials now\r\n");
    }
    assert!(host.closed.is_none());
}

#[test]
fn names_are_prepared_and_passwords_are_taken_as_they_are() {
    let mut host = Host::plain();
    // U+00AD disappears: RFC 4013 §2.1.
    assert!(host.say("a LOGIN {6+}\r\nfr\u{ad}ed secret\r\n").starts_with("a OK "));
    let mut host = Host::plain();
    assert_eq!(
        host.say(b"a LOGIN {4+}\r\nfr\xffd secret\r\n"),
        "a NO [AUTHENTICATIONFAILED] authentication failed\r\n"
    );
    assert_eq!(host.say("b LOGIN \"\" \"\"\r\n"), "b NO [AUTHENTICATIONFAILED] authentication failed\r\n");
}

#[test]
fn commands_behind_a_login_wait_for_its_outcome() {
    let mut host = Host::plain();
    let said = host.say("a LOGIN fred secret\r\nb SELECT INBOX\r\nc CLOSE\r\n");
    assert!(said.contains("\r\nb OK [READ-WRITE] selected\r\n") && said.ends_with("c OK done\r\n"), "{said}");
    let said = Host::plain().say("a LOGIN fred wrong\r\nb SELECT INBOX\r\n");
    assert!(said.ends_with("b BAD log in first\r\n"), "{said}");
}

#[test]
fn a_token_of_another_session_is_refused() {
    let (mut one, mut other) = (Host::plain(), Host::plain());
    one.server = mailwright_imap::server::Server::new(clear_text(), [6; 32]);
    one.run();
    for host in [&mut one, &mut other] {
        host.slow = true;
        host.say("a LOGIN fred secret\r\n");
    }
    let Some(Event::Authenticate { token, ask }) = one.waiting.pop() else { panic!() };
    let refused = other.server.answer(token, ask.accept()).unwrap_err();
    assert!(other.server.identity().is_none());
    one.server.answer(refused.token, ask.accept()).unwrap();
    assert!(one.server.identity().is_some());
}

#[test]
fn secrets_are_not_shown() {
    let mut host = Host::plain();
    host.slow = true;
    host.say("a LOGIN fred secret\r\n");
    let shown = format!("{:?} {:?}", host.waiting, host.server);
    assert!(!shown.contains("secret"), "{shown}");
}
