//! AUTH: the frame of the exchange, what may go wrong in it, its limits, and that no secret shows anywhere.
//! Row T11, rule S-3, the gate of authentication.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_sasl::{Answer, Identity, Offer, Offers, Reason, ServerMechanism, ServerStep, base64};
use mailwright_smtp::server::{Config, Event, TlsMode};
use support::{Host, codes, smtp, with_auth};

fn b64(octets: impl AsRef<[u8]>) -> String {
    let mut text = BytesMut::new();
    base64::encode(octets.as_ref(), &mut text);
    String::from_utf8(text.to_vec()).unwrap()
}

fn plain(message: &str) -> String {
    format!("AUTH PLAIN {}", b64(message))
}

const GOOD: &str = "AUTH PLAIN AGFsaWNlAHRhbnN0YWFm";

#[test]
fn plain_with_an_initial_response_and_without() {
    let mut host = Host::ready(with_auth());
    assert_eq!(host.send(format!("{GOOD}\r\n")), "235 2.7.0 Authentication successful\r\n");
    assert_eq!(host.server.identity().unwrap().authorization, "alice");
    assert!(host.saw("authenticated alice"));
    let mut host = Host::ready(with_auth());
    assert_eq!(host.send("auth plain\r\n"), "334 \r\n");
    assert_eq!(host.codes("AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
    assert_eq!(host.codes("NOOP"), "250 2.0.0");
}

#[test]
fn login_asks_twice() {
    let mut host = Host::ready(with_auth());
    assert_eq!(host.send("AUTH LOGIN\r\n"), "334 VXNlcm5hbWU6\r\n");
    assert_eq!(host.send(format!("{}\r\n", b64("alice"))), "334 UGFzc3dvcmQ6\r\n");
    assert_eq!(host.codes(b64("tanstaaf")), "235 2.7.0");
}

#[test]
fn wrong_credentials_and_failures_of_the_host() {
    let mut host = Host::ready(with_auth());
    assert_eq!(host.codes(plain("\0alice\0wrong")), "535 5.7.8");
    assert_eq!(host.codes(plain("\0later\0wrong")), "454 4.7.0");
    assert!(host.server.identity().is_none());
    assert_eq!(host.codes(GOOD), "235 2.7.0", "the session is usable");
}

#[test]
fn s3_the_authorization_identity_reaches_the_host() {
    let mut host = Host::ready(with_auth());
    assert_eq!(host.codes(plain("other\0alice\0tanstaaf")), "535 5.7.8");
    assert_eq!(host.codes(plain("shared\0alice\0tanstaaf")), "235 2.7.0");
    let identity = host.server.identity().unwrap();
    assert_eq!((identity.authentication.as_str(), identity.authorization.as_str()), ("alice", "shared"));
}

#[test]
fn s3_an_asterisk_cancels_at_every_step() {
    for steps in [&["AUTH PLAIN"][..], &["AUTH LOGIN"], &["AUTH LOGIN", "YWxpY2U="]] {
        let mut host = Host::ready(with_auth());
        for step in steps {
            assert_eq!(host.codes(step), "334");
        }
        assert_eq!(host.send("*\r\n"), "501 5.7.0 Authentication cancelled\r\n", "{steps:?}");
        assert_eq!(host.codes("*"), "500 5.5.2", "the exchange is over");
        assert_eq!(host.codes(GOOD), "235 2.7.0");
    }
}

/// Keeps what it is started with, and accepts.
struct Recorder(Arc<Mutex<Vec<Option<Vec<u8>>>>>);

impl ServerMechanism for Recorder {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        self.0.lock().unwrap().push(initial.map(<[u8]>::to_vec));
        match initial {
            Some(_) => ServerStep::Accept(Identity::new("anybody")),
            None => ServerStep::Challenge(Bytes::from_static(b"?")),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        self.start(Some(response))
    }

    fn answer(&mut self, _: Answer) -> ServerStep {
        ServerStep::Reject(Reason::Malformed)
    }
}

#[test]
fn s3_an_equals_sign_is_an_empty_initial_response_and_none_is_none() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut config = smtp();
    let record = Arc::clone(&seen);
    let make = move |_: &_, _| Box::new(Recorder(Arc::clone(&record))) as Box<dyn ServerMechanism>;
    config.offers = Offers::default().with(Offer::custom("EXTERNAL".parse().unwrap(), false, make));
    let take = || core::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(Host::ready(config.clone()).codes("AUTH EXTERNAL ="), "235 2.7.0");
    assert_eq!(take(), [Some(Vec::new())]);
    let mut host = Host::ready(config.clone());
    assert_eq!(host.send("AUTH EXTERNAL\r\n"), "334 Pw==\r\n");
    assert_eq!(host.codes(""), "235 2.7.0", "an empty line is an empty response");
    assert_eq!(take(), [None, Some(Vec::new())]);
    assert_eq!(Host::ready(config.clone()).codes("AUTH EXTERNAL eA=="), "235 2.7.0");
    assert_eq!(take(), [Some(b"x".to_vec())]);
    let mut host = Host::ready(config);
    host.codes("AUTH EXTERNAL");
    assert_eq!(host.codes("="), "501 5.5.2", "only as initial response");
    assert_eq!(Host::ready(with_auth()).codes("AUTH PLAIN ="), "501 5.5.2");
}

#[test]
fn s3_an_initial_response_where_the_server_speaks_first() {
    assert_eq!(Host::ready(with_auth()).codes("AUTH LOGIN YWxpY2U="), "501 5.7.0");
    let mut config = with_auth();
    config.sasl.login_initial_response = true;
    let mut host = Host::ready(config);
    assert_eq!(host.send("AUTH LOGIN YWxpY2U=\r\n"), "334 UGFzc3dvcmQ6\r\n");
    assert_eq!(host.codes(b64("tanstaaf")), "235 2.7.0");
}

#[test]
fn s3_base64_is_strict() {
    for bad in [
        "AGFsaWNlAHRhbnN0YWFm=",
        "AGFsaWNlAHRhbnN0YWF",
        "AGFs-WNl",
        "A===",
        "=A==",
        "AGFsaWNlAHRhbnN0YW==",
        "a",
        "é",
    ] {
        let mut host = Host::ready(with_auth());
        host.codes("AUTH PLAIN");
        assert_eq!(host.codes(bad), "501 5.5.2", "{bad}");
        assert_eq!(host.codes("NOOP"), "250 2.0.0");
    }
    let mut host = Host::ready(with_auth());
    for bad in [
        "AGFs aWNlAHRhbnN0YWFm",
        " AGFsaWNlAHRhbnN0YWFm",
        "AGFsaWNlAHRhbnN0YWFm ",
        "AGFs\raWNl",
        "AGFs\0aWNl",
    ] {
        host.codes("AUTH PLAIN");
        assert_eq!(host.codes(bad), "501 5.5.2", "{bad}");
    }
}

#[test]
fn s3_malformed_messages_of_plain() {
    let host = || Host::ready(with_auth());
    for bad in [
        "alice",
        "alice\0tanstaaf",
        "\0\0tanstaaf",
        "\0alice\0",
        "\0alice\0tanstaaf\0",
        "\0al\tice\0x",
        "\0a\0\x7f",
    ] {
        assert_eq!(host().codes(plain(bad)), "501 5.5.2", "{bad:?}");
    }
    let mut host = host();
    assert_eq!(host.codes(format!("AUTH PLAIN {}", b64(b"\0al\xffice\0x"))), "501 5.5.2");
    assert!(!host.saw("authenticate"));
}

#[test]
fn s3_mechanisms_that_are_unknown_or_need_tls_are_504() {
    let mut host = Host::ready(with_auth());
    for bad in ["AUTH CRAM-MD5", "AUTH PLAINX", "AUTH SCRAM-SHA-256 eA==", "AUTH -", "AUTH pläin"] {
        let expected = if bad.is_ascii() { "504 5.5.4" } else { "501 5.5.4" };
        assert_eq!(host.codes(bad), expected, "{bad}");
    }
    assert_eq!(host.codes("AUTH"), "501 5.5.4");
    let mut config = with_auth();
    config.allow_plaintext_authentication = false;
    config.tls = TlsMode::StartTls;
    let mut host = Host::new(config);
    assert!(!host.send("EHLO a\r\n").contains("AUTH"));
    assert_eq!(host.codes(GOOD), "504 5.5.4");
    assert_eq!(host.codes("MAIL FROM:<a@b> AUTH=<>"), "555 5.5.4", "the parameter was not announced");
    host.send("STARTTLS\r\n");
    host.secure();
    assert!(host.send("EHLO a\r\n").contains("AUTH PLAIN LOGIN\r\n"));
    assert_eq!(host.codes(GOOD), "235 2.7.0");
    assert!(!host.send("EHLO a\r\n").contains("AUTH"), "not announced after success");
    assert_eq!(host.codes("MAIL FROM:<a@b> AUTH=<>"), "250 2.1.0", "still in force");
}

#[test]
fn t11_not_twice_not_in_a_transaction_not_before_ehlo() {
    assert_eq!(Host::new(with_auth()).codes(GOOD), "503 5.5.1");
    assert_eq!(Host::open(with_auth(), &[]).codes(GOOD), "503 5.5.1");
    let mut host = Host::ready(with_auth());
    assert_eq!(host.codes(GOOD), "235 2.7.0");
    assert_eq!(host.codes(GOOD), "503 5.5.1");
    assert_eq!(host.server.identity().unwrap().authorization, "alice");
    host.send("EHLO again\r\n");
    assert_eq!(host.codes(GOOD), "503 5.5.1", "EHLO forgets no identity");
    assert_eq!(host.codes("RSET"), "250 2.0.0");
    assert!(host.server.identity().is_some());
}

#[test]
fn s3_a_line_at_the_limit_is_read_and_one_octet_more_is_500_wherever_it_is_cut() {
    let limit = with_auth().limits.authentication_line;
    let octets = |front: &str, length: usize| {
        let fill = length - front.len() - 2;
        format!("{front}{}\r\n", "A".repeat(fill)).into_bytes()
    };
    for cut in [1, 5, 11, 2046, 2047, 2048, limit - 2, limit - 1] {
        for (front, before) in [("AUTH PLAIN ", ""), ("", "334")] {
            let start = || {
                let mut host = Host::ready(with_auth());
                if !before.is_empty() {
                    assert_eq!(host.codes("AUTH PLAIN"), before);
                }
                host
            };
            let at = octets(front, limit);
            assert_eq!(codes(&start().send_cut(&at, &[cut])), "501 5.5.2", "{front} {cut}");
            let mut host = start();
            let above = octets(front, limit + 1);
            assert_eq!(codes(&host.send_cut(&above, &[cut])), "500 5.5.6", "{front} {cut}");
            assert_eq!(host.codes(GOOD), "235 2.7.0", "in sync, and no exchange is open");
        }
    }
    // Other commands keep their own limit.
    let mut host = Host::ready(with_auth());
    assert_eq!(codes(&host.send(octets("NOOP ", 2048))), "250 2.0.0");
    assert_eq!(codes(&host.send(octets("NOOP ", 2049))), "500 5.5.2");
}

#[test]
fn commands_behind_auth_wait_for_the_decision() {
    let mut host = Host::ready(with_auth());
    host.undecided = true;
    assert_eq!(host.send(format!("{GOOD}\r\nMAIL FROM:<a@b>\r\n")), "");
    assert_eq!(host.server.wants().answers, 1);
    assert!(!host.server.wants().input, "nothing is read while the host decides");
    let Some(Event::Authenticate(it)) = host.open.pop() else { panic!() };
    let yes = it.ask.accept();
    host.server.answer(it.token, yes).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "235 2.7.0, 250 2.1.0");
    assert!(!host.saw("deviation"), "the initial response completes it");
}

#[test]
fn responses_before_their_challenge_are_reported() {
    let mut host = Host::ready(with_auth());
    assert_eq!(codes(&host.send("AUTH LOGIN\r\nYWxpY2U=\r\ndGFuc3RhYWY=\r\n")), "334, 334, 235 2.7.0");
    assert!(host.saw("deviation command behind"));
    let mut host = Host::ready(with_auth());
    for line in ["AUTH LOGIN", "YWxpY2U=", "dGFuc3RhYWY="] {
        host.codes(line);
    }
    assert!(!host.saw("deviation"));
    // A command behind the last response has not waited either.
    let mut host = Host::ready(with_auth());
    host.codes("AUTH PLAIN");
    assert_eq!(codes(&host.send("AGFsaWNlAHRhbnN0YWFm\r\nNOOP\r\n")), "235 2.7.0, 250 2.0.0");
    assert!(host.saw("deviation command behind"));
}

#[test]
fn an_end_of_the_connection_inside_an_exchange() {
    let mut host = Host::ready(with_auth());
    host.codes("AUTH PLAIN");
    assert_eq!(host.eof(), "");
    assert_eq!(host.events.last().unwrap(), "closed Disconnected");
}

#[test]
fn guessing_is_bounded() {
    let mut host = Host::ready(with_auth());
    let mut said = String::new();
    for _ in 0..30 {
        said = host.send(format!("{}\r\n", plain("\0alice\0wrong"))) + &host.wait(1);
        if host.closed() {
            break;
        }
    }
    assert_eq!(codes(&said), "421 4.7.0");
    assert_eq!(host.events.iter().filter(|event| event.starts_with("authenticate ")).count(), 20);
    // Nor can a host that fails for the moment be asked without end.
    let mut host = Host::ready(with_auth());
    for _ in 0..200 {
        said = host.send(format!("{}\r\n", plain("\0later\0wrong")));
        if host.closed() {
            break;
        }
    }
    assert_eq!(codes(&said), "421 4.7.0");
}

/// What must never show: the password `tanstaaf` alone and inside a message of PLAIN.
const SECRETS: [&str; 4] = ["tanstaaf", "dGFuc3RhYWY", "RhbnN0YWFm", "AGFsaWN"];

fn check_secrets(config: Config, wire: &str) {
    let cuts: Vec<usize> = (1..wire.len()).collect();
    for cuts in [&[][..], &cuts[..]] {
        for greeted in [false, true] {
            let mut host = if greeted { Host::ready(config.clone()) } else { Host::new(config.clone()) };
            let said = host.send_cut(wire.as_bytes(), cuts);
            host.eof();
            for secret in SECRETS {
                let context = format!("{wire:?}: {said} {}", host.shown);
                assert!(!host.shown.contains(secret) && !said.contains(secret), "{context}");
                assert!(!host.events.iter().any(|event| event.contains(secret)), "{context}");
            }
        }
    }
}

#[test]
fn s3_no_secret_shows_in_events_errors_replies_or_debug() {
    let secret = "AGFsaWNlAHRhbnN0YWFm";
    for wire in [
        format!("{GOOD}\r\n"),
        format!("{GOOD}\r\n{GOOD}\r\n"),
        format!("AUTH PLAIN\r\n{secret}\r\n"),
        format!("AUTH PLAIN\r\n{secret}=\r\n"),
        format!("AUTH PLAIN {secret} {secret}\r\n"),
        format!("AUTH  PLAIN {secret}\r\n"),
        format!("AUTH PLAIN  {secret}\r\n"),
        format!("AUTH PLAIN {secret}\x01\r\n"),
        format!("AUTH\tPLAIN {secret}\r\n"),
        format!(" AUTH PLAIN {secret}\r\n"),
        format!("AUTHPLAIN {secret}\r\n"),
        format!("NOOP\nAUTH PLAIN {secret}\r\n"),
        format!("RSET x\rAUTH PLAIN {secret}\r\n"),
        format!("AUTH CRAM-MD5\r\n{secret}\r\n"),
        "AUTH XOAUTH2\r\nYWxpY2U=\r\ndGFuc3RhYWY=\r\n".to_string(),
        "AUTH LOGIN\r\nYWxpY2U=\r\ndGFuc3RhYWY=\r\n".to_string(),
        "AUTH LOGIN\r\nYWxpY2U=\r\n*\r\ndGFuc3RhYWY=\r\n".to_string(),
        "AUTH LOGIN YWxpY2U=\r\ndGFuc3RhYWY=\r\n".to_string(),
        format!("EHLO a\r\nAUTH PLAIN {secret}\r\n"),
        format!("NOOP\r\n{secret}\r\n"),
        format!("STARTTLS\r\nAUTH PLAIN {secret}\r\n"),
        format!("DATA\r\nAUTH PLAIN {secret}\r\n"),
    ] {
        check_secrets(with_auth(), &wire);
        let mut config = with_auth();
        config.require_tls = true;
        config.tls = TlsMode::StartTls;
        check_secrets(config, &wire);
        let mut config = smtp();
        config.timeouts.greeting_delay = core::time::Duration::from_secs(1);
        let mut host = Host::new(config);
        host.send(&wire);
        host.wait(1);
        assert!(!SECRETS.iter().any(|secret| host.shown.contains(secret)), "{}", host.shown);
    }
}

#[test]
fn a_password_in_debug_would_be_found() {
    let mut host = Host::ready(with_auth());
    host.send("VRFY tanstaaf\r\n");
    assert!(host.shown.contains("tanstaaf"));
}
