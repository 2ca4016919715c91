//! `mail send` against servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_sasl::{MechanismName, Offers};
use mailwright_smtp::server::{Config, Protocol, TlsMode};

use self::support::{directory, file, mail, mail_with, raw, smtp, tls};

const MESSAGE: &[u8] = b"Subject: hi\r\n\r\n.a dot\r\n..two\r\n.\r\nend\r\n";

/// Sends `MESSAGE` from standard input to one recipient.
fn send(url: &str, more: &[&str]) -> support::Run {
    let mut arguments = vec!["send", "--server", url, "--from", "a@example.org", "--to", "b@example.org"];
    arguments.extend_from_slice(more);
    arguments.push("-");
    mail_with(&arguments, MESSAGE)
}

fn with_authentication() -> Config {
    let mut config = smtp::config();
    config.offers = Offers::new([MechanismName::LOGIN, MechanismName::PLAIN]);
    config
}

#[test]
fn a_message_arrives_byte_for_byte_and_each_recipient_has_a_row() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let path = file(&directory("rows"), "message", MESSAGE);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let run = mail(&[
        "send",
        "--server",
        &url,
        "--from",
        "<>",
        "--to",
        "b@example.org",
        "--to",
        "nobody@example.org",
        "--to",
        "later@example.org",
        "--to",
        "Postmaster",
        &path,
    ]);
    assert_eq!(
        run.stdout,
        "b@example.org 250 2.0.0 queued as 4Qx7\n\
         nobody@example.org 550 5.1.1 No such user here\n\
         later@example.org 450 4.2.1 Mailbox temporarily unavailable\n\
         Postmaster 250 2.0.0 queued as 4Qx7\n"
    );
    assert_eq!(run.code, Some(1), "{run:?}");
    let seen = server.join().unwrap();
    assert_eq!(seen.messages, [MESSAGE]);
    assert_eq!(seen.senders, ["<>"]);
}

#[test]
fn if_all_recipients_are_accepted_the_exit_code_is_zero() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let run = send(&format!("smtp+plain://127.0.0.1:{port}"), &["--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let row: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = serde_json::json!({
        "address": "b@example.org", "result": "accepted", "code": 250, "enhanced": "2.0.0", "text": ["queued as 4Qx7"],
    });
    assert_eq!(row, expected);
    assert_eq!(server.join().unwrap().messages, [MESSAGE]);
}

#[test]
fn a_long_message_is_streamed() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let mut message = MESSAGE.to_vec();
    for line in 0..60_000 {
        message
            .extend_from_slice(format!(".{line} of a message that is longer than any buffer\r\n").as_bytes());
    }
    let path = file(&directory("long"), "message", &message);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let run = mail(&["send", "--server", &url, "--from", "a@example.org", "--to", "b@example.org", &path]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(server.join().unwrap().messages == [message]);
}

#[test]
fn line_ends_of_lf_are_sent_as_cr_lf() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let path = file(&directory("lf"), "message", b"Subject: hi\n\n.body\n");
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let run = mail(&["send", "--server", &url, "--from", "a@example.org", "--to", "b@example.org", &path]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(server.join().unwrap().messages, [b"Subject: hi\r\n\r\n.body\r\n"]);
}

#[test]
fn a_lone_lf_among_cr_lf_is_refused_and_nothing_is_delivered() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let path = file(&directory("mixed"), "message", b"Subject: hi\r\n\r\nbody\n.\r\n");
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let run = mail(&["send", "--server", &url, "--from", "a@example.org", "--to", "b@example.org", &path]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.starts_with("b@example.org - - bare LF"), "{run:?}");
    assert!(server.join().unwrap().messages.is_empty());
}

#[test]
fn starttls_protects_a_login_and_the_password_shows_nowhere() {
    let (authority, server_tls) = tls();
    let mut config = with_authentication();
    config.tls = TlsMode::StartTls;
    config.protocol = Protocol::Submission;
    let (port, server) = smtp::serve(config, Some(server_tls));
    let directory = directory("starttls");
    let authority = file(&directory, "ca.pem", authority.as_bytes());
    let password = file(&directory, "password", b"tanstaaf\r\n");
    let url = format!("smtp://alice%40example.org@127.0.0.1:{port}");
    let run = send(&url, &["--ca", &authority, "--password-file", &password]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let seen = server.join().unwrap();
    assert!(seen.secure);
    assert_eq!(seen.mechanism.as_deref(), Some("PLAIN"));
    assert_eq!(seen.messages, [MESSAGE]);
}

#[test]
fn tls_from_the_start_works_with_the_mechanism_that_is_asked_for() {
    let (authority, server_tls) = tls();
    let mut config = with_authentication();
    config.tls = TlsMode::Implicit;
    let (port, server) = smtp::serve(config, Some(server_tls));
    let authority = file(&directory("smtps"), "ca.pem", authority.as_bytes());
    let url = format!("smtps://alice%40example.org@127.0.0.1:{port}");
    let run = send(&url, &["--ca", &authority, "--password-env", "MAIL_TEST_PASSWORD", "--auth", "LOGIN"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(server.join().unwrap().mechanism.as_deref(), Some("LOGIN"));
}

#[test]
fn each_mechanism_is_the_one_that_is_named_and_the_strongest_without() {
    let password = ["--password-env", "MAIL_TEST_PASSWORD"];
    let token = ["--token-env", "MAIL_TEST_PASSWORD"];
    for (secret, auth, mechanism) in [
        (password, &[][..], "SCRAM-SHA-256-PLUS"),
        (password, &["--auth", "scram-sha-256-plus"], "SCRAM-SHA-256-PLUS"),
        (password, &["--auth", "SCRAM-SHA-256"], "SCRAM-SHA-256"),
        (password, &["--auth", "scram-sha-1"], "SCRAM-SHA-1"),
        (password, &["--auth", "plain"], "PLAIN"),
        (token, &[], "OAUTHBEARER"),
        (token, &["--auth", "xoauth2"], "XOAUTH2"),
    ] {
        let (authority, server_tls) = tls();
        let mut config = smtp::config();
        config.offers = Offers::new([
            MechanismName::SCRAM_SHA_256_PLUS,
            MechanismName::SCRAM_SHA_256,
            MechanismName::SCRAM_SHA_1,
            MechanismName::PLAIN,
            MechanismName::OAUTHBEARER,
            MechanismName::XOAUTH2,
        ]);
        config.tls = TlsMode::Implicit;
        let (port, server) = smtp::serve(config, Some(server_tls));
        let authority =
            file(&directory(&format!("auth-{mechanism}{}", auth.len())), "ca.pem", authority.as_bytes());
        let url = format!("smtps://alice%40example.org@127.0.0.1:{port}");
        let run = send(&url, &[&["--ca", &authority], &secret[..], auth].concat());
        assert_eq!(run.code, Some(0), "{mechanism} {run:?}");
        assert_eq!(server.join().unwrap().mechanism.as_deref(), Some(mechanism));
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_ends_it() {
    let (_, server_tls) = tls();
    let mut config = smtp::config();
    config.tls = TlsMode::Implicit;
    let (port, server) = smtp::serve(config, Some(server_tls));
    let run = send(&format!("smtps://127.0.0.1:{port}"), &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("certificate"), "{run:?}");
    assert!(server.join().unwrap().senders.is_empty());
}

#[test]
fn a_message_that_requires_tls_goes_only_where_that_is_promised() {
    // In plain text, and where the server does not promise it.
    let (port, server) = smtp::serve(smtp::config(), None);
    let run = send(&format!("smtp+plain://127.0.0.1:{port}"), &["--require-tls"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("requires TLS"), "{run:?}");
    assert!(server.join().unwrap().senders.is_empty());
    for promised in [false, true] {
        let (authority, server_tls) = tls();
        let mut config = smtp::config();
        config.tls = TlsMode::StartTls;
        config.requiretls = promised;
        let (port, server) = smtp::serve(config, Some(server_tls));
        let authority = file(&directory("requiretls"), "ca.pem", authority.as_bytes());
        let url = format!("smtp://127.0.0.1:{port}");
        let run = send(&url, &["--require-tls", "--ca", &authority]);
        let seen = server.join().unwrap();
        assert_eq!(
            (run.code, seen.messages.len()),
            (Some(i32::from(!promised)), usize::from(promised)),
            "{run:?}"
        );
        assert!(!promised || seen.parameters[0].contains("REQUIRETLS"), "{seen:?}");
    }
}

#[test]
fn without_starttls_at_the_server_nothing_is_sent() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let run = send(&format!("smtp://127.0.0.1:{port}"), &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(server.join().unwrap().senders.is_empty());
}

#[test]
fn a_user_without_auth_at_the_server_sends_nothing() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let url = format!("smtp+plain://alice%40example.org@127.0.0.1:{port}");
    let run = send(&url, &["--password-env", "MAIL_TEST_PASSWORD"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(server.join().unwrap().senders.is_empty());
}

#[test]
fn a_mechanism_that_the_server_lacks_sends_nothing() {
    let mut config = smtp::config();
    config.offers = Offers::new([MechanismName::LOGIN]);
    config.allow_plaintext_authentication = true;
    let (port, server) = smtp::serve(config, None);
    let url = format!("smtp+plain://alice%40example.org@127.0.0.1:{port}");
    let run = send(&url, &["--password-env", "MAIL_TEST_PASSWORD", "--auth", "plain"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    let seen = server.join().unwrap();
    assert!(seen.senders.is_empty() && seen.mechanism.is_none());
}

#[test]
fn a_wrong_password_sends_nothing() {
    let mut config = with_authentication();
    config.allow_plaintext_authentication = true;
    let (port, server) = smtp::serve(config, None);
    let password = file(&directory("wrong"), "password", b"wrong");
    let url = format!("smtp+plain://alice%40example.org@127.0.0.1:{port}");
    let run = send(&url, &["--password-file", &password]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("535"), "{run:?}");
    assert!(server.join().unwrap().senders.is_empty());
}

#[test]
fn lmtp_has_a_verdict_for_each_recipient() {
    let mut config = smtp::config();
    config.protocol = Protocol::Lmtp;
    let (port, server) = smtp::serve(config, None);
    let run = send(&format!("lmtp+plain://127.0.0.1:{port}"), &["--to", "full@example.org"]);
    assert_eq!(run.stdout, "b@example.org 250 2.0.0 OK\nfull@example.org 552 5.2.2 Mailbox full\n");
    assert_eq!(run.code, Some(1));
    assert_eq!(server.join().unwrap().messages, [MESSAGE]);
}

#[test]
fn more_recipients_than_one_transaction_takes_need_a_file() {
    let recipients: Vec<_> = (0..150).map(|number| format!("r{number}@example.org")).collect();
    // A server that names its limit would take all at once.
    let mut config = smtp::config();
    config.announce_limits = false;
    let (port, server) = smtp::serve(config.clone(), None);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let mut arguments = vec!["send", "--server", &url, "--from", "a@example.org"];
    arguments.extend(recipients.iter().flat_map(|recipient| ["--to", recipient]));
    let path = file(&directory("many"), "message", MESSAGE);
    let run = mail(&[&arguments[..], &[&path]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let seen = server.join().unwrap();
    assert_eq!(seen.messages, [MESSAGE, MESSAGE]);
    assert_eq!(seen.recipients, 150);

    let (port, server) = smtp::serve(config, None);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    arguments[2] = &url;
    let run = mail_with(&[&arguments[..], &["-"]].concat(), MESSAGE);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(server.join().unwrap().senders.is_empty());
}

#[test]
fn controls_of_the_server_are_escaped() {
    let (port, server) = raw::serve(&[
        "220 mx\r\n",
        "250 mx\r\n",
        "250 ok\r\n",
        "550-5.1.1 \x1b[2Jno\r\n550 5.1.1 \u{9b}more\r\n",
        "221 bye\r\n",
    ]);
    let run = send(&format!("smtp+plain://127.0.0.1:{port}"), &["--timeout", "5"]);
    assert_eq!(run.stdout, "b@example.org 550 5.1.1 \\u{1b}[2Jno / \\u{9b}more\n", "{run:?}");
    assert_eq!(run.code, Some(1));
    let lines = server.join().unwrap();
    assert_eq!(lines, ["EHLO [127.0.0.1]", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>", "QUIT"]);
}

#[test]
fn a_silent_server_ends_the_command() {
    let (port, server) = raw::serve(&[""]);
    let run = send(&format!("smtp+plain://127.0.0.1:{port}"), &["--timeout", "1"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("no progress on the connection for 1 s"), "{run:?}");
    assert!(server.join().unwrap().is_empty());
}

#[test]
fn a_connection_that_breaks_leaves_the_recipient_unanswered() {
    let (port, server) =
        raw::serve(&["220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "421 later\r\n"]);
    let run = send(&format!("smtp+plain://127.0.0.1:{port}"), &["--timeout", "5"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("421 later"), "{run:?}");
    assert!(run.stdout.starts_with("b@example.org "), "{run:?}");
    server.join().unwrap();
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let good = ["send", "--server", "smtp://h", "--from", "a@b.example", "--to", "c@d.example", "-"];
    let wrong: [&[&str]; 9] = [
        &[],
        &["send"],
        &["send", "--server", "imaps://h", "--from", "a@b.example", "--to", "c@d.example", "-"],
        &["send", "--server", "pop3://h", "--from", "a@b.example", "--to", "c@d.example", "-"],
        &["send", "--server", "smtp://u:p@h", "--from", "a@b.example", "--to", "c@d.example", "-"],
        &["send", "--server", "smtp://h", "--from", "a@b.example\r\nDATA", "--to", "c@d.example", "-"],
        &["send", "--server", "smtp://h", "--from", "a@b.example", "-"],
        &[&good[..], &["--dsn"]].concat(),
        &[&good[..], &["--password-env", "MAIL_TEST_PASSWORD"]].concat(),
    ];
    for arguments in wrong {
        let run = mail(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}: {run:?}");
    }
    for option in ["--help", "--version"] {
        assert_eq!(mail(&[option]).code, Some(0));
    }
}
