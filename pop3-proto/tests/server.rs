//! The numbered rules of the server, one behaviour each.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Layer, LayerError, Session as _, Upgraded, Wants};
use mailwright_core::value::{Instant, Misuse};
use mailwright_pop3::TlsMode;
use mailwright_pop3::sasl::{Answer, MechanismName, Offers};
use mailwright_pop3::server::{
    Commit, Config, EarlyOctets, Event, Intake, Opening, Server, Severity, Timeouts, Unavailable,
};
use support::{Answers, Host, TEMPORARY, clear_text, maildrop};

// ---- Framing and numbers

#[test]
fn the_session_of_rfc_1939_section_10_goes_as_written() {
    let mut host = Host::new(clear_text());
    assert_eq!(host.take_output(), "+OK POP3 server ready\r\n");
    assert_eq!(host.send(b"USER mrose\r\n"), "+OK send PASS\r\n");
    assert_eq!(host.send(b"PASS tanstaaf\r\n"), "+OK 2 messages (50 octets)\r\n");
    assert_eq!(host.send(b"STAT\r\n"), "+OK 2 50\r\n");
    assert_eq!(host.send(b"LIST\r\n"), "+OK 2 messages (50 octets)\r\n1 28\r\n2 22\r\n.\r\n");
    assert_eq!(host.send(b"RETR 1\r\n"), "+OK 28 octets\r\nSubject: one\r\n\r\nline\r\n..dot\r\n.\r\n");
    assert_eq!(host.send(b"DELE 1\r\n"), "+OK message 1 deleted\r\n");
    assert_eq!(host.send(b"QUIT\r\n"), "+OK goodbye, marked messages removed\r\n");
    assert_eq!(host.removed.as_deref(), Some(&[1][..]));
    assert!(host.closed());
    assert_eq!(&host.events[host.events.len() - 3..], ["commit {1}", "release", "closed Quit"]);
}

#[test]
fn a_bare_lf_ends_a_command_and_is_reported_unless_strict() {
    let mut host = Host::logged_in(clear_text());
    assert_eq!(host.send(b"NOOP\nSTAT\r\n"), "+OK\r\n+OK 2 50\r\n");
    assert_eq!(host.events, ["deviation bare LF"]);
    let mut config = clear_text();
    config.strict_crlf = true;
    let mut host = Host::logged_in(config);
    assert_eq!(host.send(b"NOOP\nSTAT\r\n"), "-ERR control character in the line\r\n");
}

#[test]
fn a_bare_cr_a_nul_and_a_tab_are_refused_and_nothing_is_executed() {
    for line in
        [&b"DELE 1\rDELE 2\r\n"[..], b"DELE\t1\r\n", b"DE\0LE 1\r\n", b"DELE 1\r\r\n", b"DELE 1\x7f\r\n"]
    {
        let mut host = Host::logged_in(clear_text());
        assert_eq!(host.send(line), "-ERR control character in the line\r\n", "{}", line.escape_ascii());
        assert_eq!(host.send(b"STAT\r\n"), "+OK 2 50\r\n");
    }
}

#[test]
fn an_overlong_line_is_answered_once_and_closes_by_default() {
    let mut host = Host::logged_in(clear_text());
    let line = [vec![b'x'; 5000], b"\r\nDELE 1\r\n".to_vec()].concat();
    assert_eq!(host.send(&line), "-ERR line too long\r\n");
    assert!(host.closed());
    let mut config = clear_text();
    config.overlong_close = false;
    let mut host = Host::logged_in(config);
    assert_eq!(host.send(&line), "-ERR line too long\r\n+OK message 1 deleted\r\n");
}

#[test]
fn a_line_at_the_limit_is_read_and_one_octet_more_is_not() {
    let mut config = clear_text();
    config.overlong_close = false;
    let line = |length: usize| [b"NOOP".to_vec(), vec![b' '; length - 6], b"\r\n".to_vec()].concat();
    for piece in [1, 7, 2000] {
        let mut host = Host::logged_in(config.clone());
        let mut said = String::new();
        for length in [1024, 1025] {
            for piece in line(length).chunks(piece) {
                said.push_str(&host.send(piece));
            }
        }
        assert_eq!(said, "+OK\r\n-ERR line too long\r\n", "{piece}");
    }
}

#[test]
fn numbers_that_no_message_has_never_address_another_one() {
    let mut host = Host::logged_in(clear_text());
    for number in ["0", "3", "4294967297", "18446744073709551617", "99999999999999999999"] {
        for keyword in ["RETR", "DELE", "LIST", "UIDL"] {
            assert_eq!(host.send(format!("{keyword} {number}\r\n").as_bytes()), "-ERR no such message\r\n");
        }
        assert_eq!(host.send(format!("TOP {number} 1\r\n").as_bytes()), "-ERR no such message\r\n");
    }
    assert_eq!(host.send(b"STAT\r\n"), "+OK 2 50\r\n");
}

// ---- State × command

#[test]
fn commands_belong_to_their_state() {
    for line in ["STAT", "LIST", "UIDL", "RETR 1", "TOP 1 1", "DELE 1", "RSET", "NOOP", "RETR 0"] {
        let mut host = Host::new(clear_text());
        host.take_output();
        assert_eq!(host.send(format!("{line}\r\n").as_bytes()), "-ERR log in first\r\n", "{line}");
    }
    for line in ["USER mrose", "PASS x", "AUTH PLAIN", "STLS"] {
        let mut host = Host::logged_in(clear_text());
        let refused = "-ERR not possible in the TRANSACTION state\r\n";
        assert_eq!(host.send(format!("{line}\r\n").as_bytes()), refused, "{line}");
    }
}

#[test]
fn any_command_but_pass_forgets_the_name() {
    for line in ["CAPA", "XYZZY", "AUTH NONE", "USER \u{e9}", "", "STLS"] {
        let mut host = Host::new(clear_text());
        host.send(format!("USER mrose\r\n{line}\r\n").as_bytes());
        assert_eq!(host.send(b"PASS tanstaaf\r\n"), "-ERR log in first\r\n", "{line:?}");
    }
    let mut host = Host::new(clear_text());
    host.take_output();
    assert_eq!(
        host.send(b"USER other\r\nUSER mrose\r\nPASS tanstaaf\r\n").lines().last(),
        Some("+OK 2 messages (50 octets)")
    );
}

#[test]
fn quit_before_login_touches_nothing() {
    let mut host = Host::new(clear_text());
    host.take_output();
    assert_eq!(host.send(b"QUIT\r\nUSER mrose\r\n"), "+OK goodbye\r\n");
    assert_eq!(host.events, ["closed Quit"]);
    assert!(host.end.input.is_empty());
}

fn capabilities(host: &mut Host) -> Vec<String> {
    host.take_output();
    let said = host.send(b"CAPA\r\n");
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("+OK capability list follows"));
    let mut lines: Vec<_> = lines.map(str::to_string).collect();
    assert_eq!(lines.pop().as_deref(), Some("."));
    lines
        .drain(..)
        .filter(|line| {
            !["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"].contains(&line.as_str())
        })
        .collect()
}

#[test]
fn capabilities_follow_configuration_state_and_tls() {
    let mut config = Config::default();
    config.tls = TlsMode::StartTls;
    let mut host = Host::new(config);
    assert_eq!(capabilities(&mut host), ["STLS"]);
    host.send(b"STLS\r\n");
    host.secure();
    assert_eq!(capabilities(&mut host), ["USER", "SASL PLAIN LOGIN"]);
    host.send(b"USER mrose\r\nPASS tanstaaf\r\n");
    assert_eq!(capabilities(&mut host), ["USER", "SASL PLAIN LOGIN"]);

    let mut config = clear_text();
    config.offers = Offers::new([]);
    config.user_pass = false;
    config.implementation = Some(mailwright_pop3::types::ReplyText::new("Mailwright").unwrap());
    assert_eq!(capabilities(&mut Host::new(config)), ["IMPLEMENTATION Mailwright"]);
    assert!(capabilities(&mut Host::new(Config::default())).is_empty());
}

#[test]
fn every_reply_of_one_line_has_512_octets_at_most() {
    let mut config = clear_text();
    config.greeting = mailwright_pop3::types::ReplyText::new("x".repeat(400)).unwrap();
    config.implementation = Some(mailwright_pop3::types::ReplyText::new("y".repeat(400)).unwrap());
    for number in 0..60 {
        let name = MechanismName::parse(format!("X-{number:018}").as_bytes()).unwrap();
        let offer = mailwright_pop3::sasl::Offer::custom(name, false, |_, _| Box::new(LastWord));
        config.offers = core::mem::take(&mut config.offers).with(offer);
    }
    let mut host = Host::new(config);
    let said = host.take_output() + &host.send(b"CAPA\r\n");
    assert!(said.split_inclusive("\r\n").all(|line| line.len() <= 512));
    assert!(said.contains("SASL PLAIN LOGIN X-000") && said.matches("X-").count() < 60);
}

// ---- S-1

fn starttls(early: EarlyOctets) -> Host {
    let mut config = Config::default();
    config.tls = TlsMode::StartTls;
    config.early_octets = early;
    let mut host = Host::new(config);
    host.take_output();
    host
}

#[test]
fn octets_behind_stls_are_the_handshakes_however_they_are_cut() {
    let sent = b"STLS\r\nUSER mrose\r\nPASS tans";
    for cut in 6..sent.len() {
        let mut host = starttls(EarlyOctets::GiveToTls);
        let said = host.send(&sent[..cut]) + &host.send(&sent[cut..]);
        assert_eq!(said, "+OK begin TLS\r\n");
        assert_eq!(host.end.session.wants(), Wants::upgrade(Layer::Tls));
        assert_eq!(&host.end.input[..], &sent[6..]);
        assert!(host.events.is_empty());
    }
}

#[test]
fn octets_behind_stls_are_refused_where_the_policy_says_so() {
    let mut host = starttls(EarlyOctets::Refuse);
    assert_eq!(host.send(b"STLS\r\nN"), "-ERR octets behind STLS\r\n");
    assert_eq!(host.events, ["closed EarlyOctets"]);
    let mut host = starttls(EarlyOctets::Refuse);
    assert_eq!(host.send(b"STLS\r\n"), "+OK begin TLS\r\n");
}

#[test]
fn nothing_of_the_plain_phase_is_left_behind_tls() {
    let mut config = clear_text();
    config.tls = TlsMode::StartTls;
    let mut host = Host::new(config);
    host.take_output();
    host.send(b"XYZZY\r\nXYZZY\r\nUSER mrose\r\nSTLS\r\n");
    assert_eq!(host.secure(), "");
    assert_eq!(host.send(b"PASS tanstaaf\r\n"), "-ERR log in first\r\n");
    assert!(host.send(b"XYZZY\r\n").starts_with("-ERR"));
    assert!(!host.closed());
    assert_eq!(host.send(b"STLS\r\n"), "-ERR TLS is active already\r\n");
}

#[test]
fn stls_is_refused_with_an_argument_without_configuration_and_after_login() {
    assert_eq!(starttls(EarlyOctets::GiveToTls).send(b"STLS now\r\n"), "-ERR unexpected argument\r\n");
    let mut host = Host::new(clear_text());
    host.take_output();
    assert_eq!(host.send(b"STLS\r\n"), "-ERR no TLS here\r\n");
}

#[test]
fn tls_from_the_start_comes_before_the_greeting() {
    let mut config = Config::default();
    config.tls = TlsMode::Implicit;
    let mut host = Host::new(config);
    assert_eq!(host.take_output(), "");
    assert_eq!(host.end.session.wants(), Wants::upgrade(Layer::Tls));
    assert_eq!(host.secure(), "+OK POP3 server ready\r\n");
    assert_eq!(host.events, ["secured"]);
}

#[test]
fn a_layer_that_fails_ends_the_session_and_releases_the_maildrop() {
    let mut host = Host::logged_in(clear_text());
    host.send(b"DELE 1\r\n");
    host.end.session.handle_upgrade(Upgraded::Failed(LayerError::NotConfigured), host.end.now);
    host.run();
    assert_eq!(host.events, ["release", "closed Layer(NotConfigured)"]);
    assert_eq!(host.removed, None);
}

// ---- S-2, S-3

#[test]
fn a_password_in_clear_text_is_refused_already_at_the_name() {
    let mut host = Host::new(Config::default());
    host.take_output();
    let refused = "-ERR not without TLS: use STLS or a TLS port\r\n";
    for line in [
        &b"USER mrose\r\n"[..],
        b"PASS tanstaaf\r\n",
        b"AUTH PLAIN\r\n",
        b"AUTH LOGIN\r\n",
        b"AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n",
    ] {
        assert_eq!(host.send(line), refused, "{}", line.escape_ascii());
    }
    assert!(host.events.is_empty());
}

#[test]
fn a_password_is_every_octet_behind_the_first_space() {
    let mut host = Host::new(clear_text());
    host.undecided = true;
    host.send(b"USER mrose\r\nPASS correct horse \r\n");
    let Some(Event::Authenticate { ask, .. }) = host.open_questions.pop() else { panic!() };
    let mailwright_pop3::sasl::Ask::Password { password, authzid: None, .. } = ask else { panic!() };
    assert_eq!(password.expose(), b"correct horse ");
}

#[test]
fn an_empty_password_is_refused_without_a_question() {
    for line in [&b"PASS\r\n"[..], b"PASS \r\n"] {
        let mut host = Host::new(clear_text());
        host.send(b"USER mrose\r\n");
        assert_eq!(host.send(line), "-ERR missing argument\r\n");
        assert_eq!(host.events, ["rejected missing argument"]);
    }
}

#[test]
fn names_and_passwords_beyond_ascii_are_refused_without_a_question() {
    let mut host = Host::new(clear_text());
    host.take_output();
    assert_eq!(host.send("USER ros\u{e9}\r\n".as_bytes()), "-ERR a character that names cannot have\r\n");
    assert_eq!(
        host.send("USER mrose\r\nPASS \u{e9}\r\n".as_bytes()),
        "+OK send PASS\r\n-ERR a character that passwords cannot have\r\n"
    );
    assert_eq!(host.send(b"USER \xff\r\n"), "-ERR a character that names cannot have\r\n");
    assert!(host.events.is_empty());
}

#[test]
fn an_unknown_user_and_a_bad_password_give_the_same_octets() {
    let said = |lines: &[u8]| {
        let mut host = Host::new(clear_text());
        host.send(lines)
    };
    let bad = said(b"USER mrose\r\nPASS wrong\r\n");
    assert_eq!(bad, said(b"USER nobody\r\nPASS wrong\r\n"));
    assert!(bad.ends_with("-ERR [AUTH] authentication failed\r\n"));
}

// ---- S-4, S-5

fn auth(lines: &[u8]) -> (String, Vec<String>) {
    let mut host = Host::new(clear_text());
    host.take_output();
    (host.send(lines), host.events.clone())
}

#[test]
fn plain_goes_with_and_without_initial_response() {
    let opened = "+OK 2 messages (50 octets)\r\n";
    assert_eq!(auth(b"AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n").0, opened);
    assert_eq!(auth(b"auth plain\r\nAG1yb3NlAHRhbnN0YWFm\r\n").0, format!("+ \r\n{opened}"));
}

#[test]
fn login_asks_for_name_and_password() {
    let (said, events) = auth(b"AUTH LOGIN\r\nbXJvc2U=\r\ndGFuc3RhYWY=\r\n");
    assert_eq!(said, "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK 2 messages (50 octets)\r\n");
    assert_eq!(events, ["authenticate mrose", "open mrose"]);
}

#[test]
fn an_authorization_identity_is_always_asked_about() {
    // public NUL mrose NUL tanstaaf, then other NUL mrose NUL tanstaaf
    let (said, events) = auth(b"AUTH PLAIN cHVibGljAG1yb3NlAHRhbnN0YWFm\r\n");
    assert_eq!(said, "+OK 2 messages (50 octets)\r\n");
    assert_eq!(events, ["authenticate mrose", "authenticate mrose", "open public"]);
    let (said, _) = auth(b"AUTH PLAIN b3RoZXIAbXJvc2UAdGFuc3RhYWY=\r\n");
    assert_eq!(said, "-ERR [AUTH] authentication failed\r\n");
}

#[test]
fn an_exchange_that_goes_wrong_leaves_the_session_usable() {
    for (lines, said) in [
        (&b"AUTH NONE\r\n"[..], "-ERR no such mechanism\r\n"),
        (b"AUTH\r\n", "-ERR missing argument\r\n"),
        (b"AUTH PLAIN\r\n*\r\n", "+ \r\n-ERR authentication cancelled\r\n"),
        (b"AUTH PLAIN *\r\n", "-ERR not base64\r\n"),
        (b"AUTH PLAIN =\r\n", "-ERR malformed authentication message\r\n"),
        (b"AUTH LOGIN =\r\n", "-ERR this mechanism has no initial response\r\n"),
        (b"AUTH LOGIN bXJvc2U=\r\n", "-ERR this mechanism has no initial response\r\n"),
        (b"AUTH PLAIN\r\n=\r\n", "+ \r\n-ERR not base64\r\n"),
        (b"AUTH PLAIN\r\nAG1yb3NlAHRhbnN0YWF\r\n", "+ \r\n-ERR not base64\r\n"),
        (b"AUTH PLAIN\r\nAG1yb3NlAHRhbnN0YW Fm\r\n", "+ \r\n-ERR not base64\r\n"),
        (b"AUTH PLAIN\r\n\r\n", "+ \r\n-ERR malformed authentication message\r\n"),
        (b"AUTH PLAIN AAA=\r\n", "-ERR malformed authentication message\r\n"),
        (b"AUTH PLAIN AG1yb3NlAHdyb25n\r\n", "-ERR [AUTH] authentication failed\r\n"),
        (b"AUTH PLAIN AG1yb3NlAHRhbnN0YWFm x\r\n", "-ERR unexpected argument\r\n"),
    ] {
        let mut host = Host::new(clear_text());
        host.take_output();
        assert_eq!(host.send(lines), said, "{}", lines.escape_ascii());
        assert_eq!(host.send(b"AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n"), "+OK 2 messages (50 octets)\r\n");
    }
}

#[test]
fn responses_may_be_longer_than_commands() {
    let name = "m".repeat(3000);
    let mut message = BytesMut::new();
    mailwright_pop3::sasl::base64::encode(format!("\0{name}\0x").as_bytes(), &mut message);
    for lines in [
        [&b"AUTH PLAIN "[..], &message, b"\r\n"].concat(),
        [&b"AUTH PLAIN\r\n"[..], &message, b"\r\n"].concat(),
    ] {
        let (said, events) = auth(&lines);
        assert!(said.ends_with("-ERR [AUTH] authentication failed\r\n"), "{said}");
        assert_eq!(events[0], format!("authenticate {name}"));
    }
}

#[test]
fn the_third_failed_login_closes() {
    let mut host = Host::new(clear_text());
    host.take_output();
    let said = host
        .send(b"USER mrose\r\nPASS a\r\nUSER mrose\r\nPASS b\r\nAUTH PLAIN AG1yb3NlAGM=\r\nUSER mrose\r\n");
    assert_eq!(said.matches("-ERR [AUTH]").count(), 3);
    assert_eq!(said.lines().count(), 5);
    assert_eq!(&host.events[4..], ["authenticate mrose", "login failed 3", "closed TooManyFailures"]);
}

#[test]
fn a_temporary_failure_is_no_failed_login() {
    let mut host = Host::new(clear_text());
    host.undecided = true;
    host.send(b"USER mrose\r\nPASS tanstaaf\r\n");
    let Some(Event::Authenticate { token, .. }) = host.open_questions.pop() else { panic!() };
    host.end.session.answer(token, Answer::TempFail).unwrap();
    host.run();
    assert!(
        host.take_output().ends_with("-ERR [SYS/TEMP] cannot check the credentials now, try again later\r\n")
    );
    assert_eq!(host.events, ["authenticate mrose"]);
}

/// A mechanism whose last message comes from the server.
struct LastWord;

impl mailwright_pop3::sasl::ServerMechanism for LastWord {
    fn start(&mut self, _: Option<&[u8]>) -> mailwright_pop3::sasl::ServerStep {
        mailwright_pop3::sasl::ServerStep::Challenge(bytes::Bytes::from_static(b"v=proof"))
    }

    fn respond(&mut self, response: &[u8]) -> mailwright_pop3::sasl::ServerStep {
        use mailwright_pop3::sasl::{Identity, Reason, ServerStep};
        if response.is_empty() {
            ServerStep::Accept(Identity::new("mrose"))
        } else {
            ServerStep::Reject(Reason::Malformed)
        }
    }

    fn answer(&mut self, _: Answer) -> mailwright_pop3::sasl::ServerStep {
        mailwright_pop3::sasl::ServerStep::Reject(mailwright_pop3::sasl::Reason::TempFail)
    }
}

#[test]
fn the_last_message_of_a_server_is_a_challenge_that_an_empty_line_answers() {
    let name = MechanismName::parse(b"X-LAST").unwrap();
    let mut config = clear_text();
    config.offers =
        Offers::default().with(mailwright_pop3::sasl::Offer::custom(name, false, |_, _| Box::new(LastWord)));
    let mut host = Host::new(config.clone());
    host.take_output();
    assert_eq!(host.send(b"AUTH X-LAST\r\n\r\n"), "+ dj1wcm9vZg==\r\n+OK 2 messages (50 octets)\r\n");
    let mut host = Host::new(config);
    host.take_output();
    assert_eq!(
        host.send(b"AUTH X-LAST\r\neA==\r\n"),
        "+ dj1wcm9vZg==\r\n-ERR malformed authentication message\r\n"
    );
}

// ---- S-6

#[test]
fn each_way_of_not_opening_has_its_code_and_leaves_authorization() {
    for (opening, said) in [
        (Opening::InUse, "-ERR [IN-USE] the maildrop is open in another session\r\n"),
        (Opening::LoginDelay, "-ERR [LOGIN-DELAY] too soon after the last login\r\n"),
        (Opening::Unavailable(Severity::Temporary), "-ERR [SYS/TEMP] cannot open the maildrop now\r\n"),
        (Opening::Unavailable(Severity::Permanent), "-ERR [SYS/PERM] cannot open the maildrop\r\n"),
        (Opening::Denied, "-ERR [AUTH] no access by POP3\r\n"),
    ] {
        let mut host = Host::new(clear_text());
        host.opening = Some(opening);
        assert!(host.send(b"USER mrose\r\nPASS tanstaaf\r\n").ends_with(said));
        assert_eq!(host.send(b"STAT\r\n"), "-ERR log in first\r\n");
        assert_eq!(host.send(b"QUIT\r\n"), "+OK goodbye\r\n");
        assert!(!host.events.contains(&"release".to_string()));
    }
}

// ---- S-7, S-8

#[test]
fn a_vanished_message_is_an_error_and_the_third_closes() {
    let mut host = Host::logged_in(clear_text());
    host.unavailable = Some(Unavailable::Vanished);
    assert_eq!(host.send(b"RETR 1\r\nTOP 1 0\r\n"), "-ERR [SYS/PERM] the message is gone\r\n".repeat(2));
    assert!(!host.closed());
    host.unavailable = Some(Unavailable::Temporary);
    assert_eq!(host.send(b"RETR 1\r\n"), "-ERR [SYS/TEMP] cannot read the message now\r\n");
    host.unavailable = Some(Unavailable::Vanished);
    assert_eq!(host.send(b"RETR 2\r\nNOOP\r\n"), "-ERR [SYS/PERM] the message is gone\r\n");
    assert_eq!(&host.events[host.events.len() - 2..], ["release", "closed TooManyMissing"]);
}

#[test]
fn content_that_fails_half_way_closes_without_terminator() {
    let mut host = Host::logged_in(clear_text());
    let mut input = BytesMut::from("DELE 2\r\nRETR 1\r\n");
    host.end.session.handle_input(&mut input, host.end.now);
    let Some(Event::Retrieve { token, .. }) = host.end.session.poll_event() else { panic!() };
    assert_eq!(host.end.session.content(&token, b"Subject: x\r\n"), Ok(Intake::Taken(12)));
    host.end.session.unavailable(token, Unavailable::Temporary).unwrap();
    host.run();
    assert_eq!(host.take_output(), "+OK message 2 deleted\r\n+OK 28 octets\r\nSubject: x\r\n");
    assert_eq!(host.events, ["release", "closed ContentFailed"]);
    assert_eq!(host.removed, None);
}

#[test]
fn a_deleted_message_is_gone_for_every_command_until_rset() {
    let mut host = Host::logged_in(clear_text());
    host.send(b"DELE 1\r\n");
    for line in ["RETR 1", "TOP 1 0", "DELE 1", "LIST 1", "UIDL 1"] {
        assert_eq!(host.send(format!("{line}\r\n").as_bytes()), "-ERR no such message\r\n", "{line}");
    }
    assert_eq!(host.send(b"LIST\r\n"), "+OK 1 message (22 octets)\r\n2 22\r\n.\r\n");
    assert_eq!(host.send(b"UIDL\r\n"), "+OK 1 message (22 octets)\r\n2 uid-2\r\n.\r\n");
    assert_eq!(host.send(b"STAT\r\n"), "+OK 1 22\r\n");
    assert_eq!(host.send(b"LIST 2\r\nUIDL 2\r\n"), "+OK 2 22\r\n+OK 2 uid-2\r\n");
    assert_eq!(host.send(b"RSET\r\n"), "+OK 2 messages (50 octets)\r\n");
    assert_eq!(host.send(b"STAT\r\nLIST 1\r\n"), "+OK 2 50\r\n+OK 1 28\r\n");
    assert_eq!(host.send(b"QUIT\r\n"), "+OK goodbye\r\n");
    assert_eq!(host.removed, None);
}

// ---- S-9

#[test]
fn nothing_but_quit_removes_anything() {
    type End = fn(&mut Host);
    let ends: [(&str, End); 6] = [
        ("end of input", |host| drop(host.eof())),
        ("quit without line end", |host| {
            host.send(b"QUIT");
            host.eof();
        }),
        ("autologout", |host| drop(host.wait(600))),
        ("errors", |host| drop(host.send(&b"XYZZY\r\n".repeat(20)))),
        ("overlong", |host| drop(host.send(&[vec![b'x'; 2000], b"\r\n".to_vec()].concat()))),
        ("abort", |host| {
            host.end.session.abort();
            host.run();
        }),
    ];
    for (name, end) in ends {
        let mut host = Host::logged_in(clear_text());
        host.send(b"DELE 1\r\n");
        end(&mut host);
        assert!(host.closed(), "{name}");
        assert_eq!(host.removed, None, "{name}");
        assert_eq!(host.events.iter().filter(|event| *event == "release").count(), 1, "{name}");
        assert!(host.events.last().unwrap().starts_with("closed"), "{name}");
    }
}

#[test]
fn quit_says_what_the_store_has_confirmed() {
    for (commit, said) in [
        (Commit::All, "+OK goodbye, marked messages removed\r\n"),
        (Commit::Some(TEMPORARY), "-ERR [SYS/TEMP] some deleted messages not removed\r\n"),
        (Commit::None(Severity::Permanent), "-ERR [SYS/PERM] some deleted messages not removed\r\n"),
    ] {
        let mut host = Host::logged_in(clear_text());
        host.commit = commit;
        assert_eq!(host.send(b"DELE 2\r\nQUIT\r\n"), format!("+OK message 2 deleted\r\n{said}"));
        assert_eq!(host.events, ["commit {2}", "release", "closed Quit"]);
    }
}

#[test]
fn no_reply_and_no_release_before_the_store_has_confirmed() {
    let mut host = Host::logged_in(clear_text());
    host.send(b"DELE 1\r\n");
    let mut input = BytesMut::from("QUIT\r\nNOOP\r\n");
    host.end.session.handle_input(&mut input, host.end.now);
    let Some(Event::Commit { token, .. }) = host.end.session.poll_event() else { panic!() };
    // The connection breaks while the store is at work: the maildrop stays locked.
    host.end.session.handle_upgrade(Upgraded::Failed(LayerError::NotConfigured), host.end.now);
    assert!(host.end.session.poll_event().is_none());
    assert!(!host.end.session.transmit().has_remaining());
    host.end.session.answer(token, Commit::All).unwrap();
    host.run();
    assert_eq!(host.events, ["release", "closed Layer(NotConfigured)"]);
}

// ---- S-10, S-11

#[test]
fn content_is_normalised_stuffed_and_ended_once_for_every_chunking() {
    let cases: [(&[u8], &str); 9] = [
        (b"", ".\r\n"),
        (b".", "..\r\n.\r\n"),
        (b".\r\n", "..\r\n.\r\n"),
        (b"a\nb\n", "a\r\nb\r\n.\r\n"),
        (b"a\r\nb", "a\r\nb\r\n.\r\n"),
        (b"a\rb\r\r\n", "a\rb\r\r\n.\r\n"),
        (b"\n.\n..\n", "\r\n..\r\n...\r\n.\r\n"),
        (b"a\r", "a\r\r\n.\r\n"),
        (b"\0x\n", "\0x\r\n.\r\n"),
    ];
    for (stored, sent) in cases {
        for chunk in [1, 2, 3, 100] {
            let mut host = Host::with(clear_text(), Answers::with(vec![stored.to_vec()]));
            host.chunk = chunk;
            host.send(b"USER mrose\r\nPASS tanstaaf\r\n");
            let said = host.send(b"RETR 1\r\n");
            let (first, content) = said.split_once("\r\n").unwrap();
            assert_eq!(content, sent, "{} in {chunk}", stored.escape_ascii());
            // What is announced is what is sent, before the dots are doubled.
            let octets: usize = first.split(' ').nth(1).unwrap().parse().unwrap();
            let dots = sent.replace("\r\n", "\n").split('\n').filter(|line| line.starts_with("..")).count();
            assert_eq!(octets, sent.len() - 3 - dots, "{first}");
        }
    }
}

#[test]
fn top_sends_the_header_and_as_many_lines_and_tells_the_host_to_stop() {
    let mut host = Host::logged_in(clear_text());
    assert_eq!(host.send(b"TOP 1 0\r\n"), "+OK top of message follows\r\nSubject: one\r\n\r\n.\r\n");
    assert_eq!(host.send(b"TOP 1 1\r\n"), "+OK top of message follows\r\nSubject: one\r\n\r\nline\r\n.\r\n");
    let whole = "+OK top of message follows\r\nSubject: one\r\n\r\nline\r\n..dot\r\n.\r\n";
    assert_eq!(host.send(b"TOP 1 2\r\n"), whole);
    assert_eq!(host.send(b"TOP 1 99999999999999999999\r\n"), whole);
    assert_eq!(host.send(b"TOP 2 1\r\n"), "+OK top of message follows\r\nSubject: two\r\n\r\nbare\r\n.\r\n");

    let mut input = BytesMut::from("TOP 1 0\r\n");
    host.end.session.handle_input(&mut input, host.end.now);
    let Some(Event::Retrieve { token, .. }) = host.end.session.poll_event() else { panic!() };
    assert_eq!(host.end.session.content(&token, b"A: b\r\n\r\nnever sent"), Ok(Intake::Enough));
    assert_eq!(host.end.session.content(&token, b"x"), Err(Misuse::NotOpen));
    assert_eq!(host.end.session.finish(token).unwrap_err().misuse, Misuse::NotOpen);
}

// ---- S-15, S-16, S-18

#[test]
fn pipelined_commands_are_answered_in_order_whenever_the_host_decides() {
    let mut host = Host::new(clear_text());
    host.take_output();
    host.undecided = true;
    assert_eq!(host.send(b"USER mrose\r\nPASS tanstaaf\r\nSTAT\r\nNOOP\r\n"), "+OK send PASS\r\n");
    assert_eq!(host.end.session.wants(), Wants::answers(1, false));
    assert_eq!(&host.end.input[..], b"STAT\r\nNOOP\r\n");
    let Some(Event::Authenticate { token, ask }) = host.open_questions.pop() else { panic!() };
    host.end.session.answer(token, ask.accept()).unwrap();
    host.run();
    assert_eq!(host.take_output(), "+OK 2 messages (50 octets)\r\n+OK 2 50\r\n+OK\r\n");
}

#[test]
fn a_client_that_ends_its_half_still_gets_its_replies() {
    let mut host = Host::new(clear_text());
    host.take_output();
    host.undecided = true;
    host.send(b"USER mrose\r\nPASS tanstaaf\r\nSTAT\r\nDELE 1\r\nQUIT\r\n");
    assert_eq!(host.eof(), "");
    let Some(Event::Authenticate { token, ask }) = host.open_questions.pop() else { panic!() };
    host.end.session.answer(token, ask.accept()).unwrap();
    host.run();
    assert_eq!(host.take_output().lines().count(), 4);
    assert_eq!(host.removed.as_deref(), Some(&[1][..]));
}

#[test]
fn errors_close_at_their_limit_before_and_after_login() {
    let mut host = Host::new(clear_text());
    host.take_output();
    assert_eq!(host.send(&b"XYZZY\r\n".repeat(5)), "-ERR unknown command\r\n".repeat(3));
    assert_eq!(host.events.last().unwrap(), "closed TooManyErrors");
    let mut host = Host::logged_in(clear_text());
    assert_eq!(host.send(&b"RETR x\r\n".repeat(30)), "-ERR not a number\r\n".repeat(20));
    assert_eq!(host.events.last().unwrap(), "closed TooManyErrors");
}

#[test]
fn an_http_request_closes_at_its_first_line_only() {
    for line in
        ["GET / HTTP/1.1", "POST /x HTTP/1.1", "CONNECT a:1 HTTP/1.1", "get /", "GET\t/", "PUT/x", "HEAD"]
    {
        let mut host = Host::new(clear_text());
        host.take_output();
        assert_eq!(host.send(format!("{line}\r\nUSER mrose\r\nPASS tanstaaf\r\n").as_bytes()), "");
        assert_eq!(host.events, ["closed Http"]);
    }
    let mut host = Host::logged_in(clear_text());
    assert_eq!(host.send(b"GET / HTTP/1.1\r\n"), "-ERR unknown command\r\n");
}

#[test]
fn autologout_counts_from_the_last_complete_command_and_is_silent() {
    let mut config = clear_text();
    config.timeouts.autologout = core::time::Duration::from_secs(1); // never lower than the RFC's minimum
    let mut host = Host::logged_in(config);
    host.send(b"DELE 1\r\n");
    host.wait(599);
    assert!(!host.closed());
    host.send(b"NOOP\r\n");
    host.wait(500);
    // Half a command is none.
    host.send(b"NOO");
    host.wait(99);
    assert!(!host.closed());
    assert_eq!(host.wait(1), "");
    assert_eq!(host.events, ["release", "closed Autologout"]);
    assert_eq!(host.removed, None);
    assert_eq!(Timeouts::LEAST_AUTOLOGOUT.as_secs(), 600);
}

#[test]
fn the_login_deadline_is_extended_by_complete_commands_only() {
    let mut host = Host::new(clear_text());
    host.take_output();
    host.wait(179);
    host.send(b"CAPA\r\n");
    host.wait(179);
    host.send(b"CAP");
    assert!(!host.closed());
    assert_eq!(host.wait(1), "");
    assert_eq!(host.events, ["closed LoginDeadline"]);
}

#[test]
fn responses_of_an_exchange_do_not_extend_the_login_deadline() {
    let mut host = Host::new(clear_text());
    host.send(b"AUTH LOGIN\r\n");
    host.wait(100);
    host.send(b"bXJvc2U=\r\n");
    host.wait(80);
    assert_eq!(host.events, ["closed LoginDeadline"]);
}

#[test]
fn no_deadline_runs_while_the_host_decides() {
    let mut host = Host::new(clear_text());
    host.undecided = true;
    host.send(b"USER mrose\r\nPASS tanstaaf\r\n");
    host.wait(100_000);
    assert!(!host.closed());
    let Some(Event::Authenticate { token, ask }) = host.open_questions.pop() else { panic!() };
    host.end.session.answer(token, ask.accept()).unwrap();
    host.run();
    host.wait(599);
    assert!(!host.closed());
}

#[test]
fn output_that_nobody_reads_closes_and_is_dropped() {
    let mut host = Host::logged_in(clear_text());
    let mut input = BytesMut::from("LIST\r\n");
    host.end.session.handle_input(&mut input, host.end.now);
    host.end.now = host.end.now + core::time::Duration::from_secs(599);
    host.end.session.handle_timeout(host.end.now);
    assert!(!host.closed());
    // An octet is progress.
    host.end.session.transmit().advance(1);
    host.end.now = host.end.now + core::time::Duration::from_secs(1);
    host.end.session.handle_timeout(host.end.now);
    assert!(!host.closed());
    host.end.now = host.end.now + core::time::Duration::from_secs(600);
    host.end.session.handle_timeout(host.end.now);
    assert!(host.closed());
    assert!(!host.end.session.transmit().has_remaining());
    host.run();
    assert_eq!(host.events, ["release", "closed StalledOutput"]);
}

#[test]
fn after_closed_there_is_silence() {
    let mut host = Host::logged_in(clear_text());
    host.send(b"QUIT\r\n");
    host.events.clear();
    assert_eq!(host.send(b"STAT\r\nQUIT\r\n") + &host.eof() + &host.wait(10_000) + &host.secure(), "");
    host.end.session.abort();
    host.run();
    assert!(host.events.is_empty());
    assert_eq!(host.end.session.poll_timeout(), None);
}

// ---- Tokens

#[test]
fn a_token_of_another_session_or_of_a_closed_one_comes_back() {
    let ask = |seed: u8| {
        let mut server = Server::new(clear_text(), [seed; 32]);
        server.handle_input(&mut BytesMut::from("USER mrose\r\nPASS tanstaaf\r\n"), Instant::ORIGIN);
        let Some(Event::Authenticate { token, .. }) = server.poll_event() else { panic!() };
        (server, token)
    };
    let ((mut one, own), (_, other)) = (ask(1), ask(2));
    let refused = one.answer(other, Answer::No).unwrap_err();
    assert_eq!(refused.misuse, Misuse::NotOpen);
    one.abort();
    assert_eq!(one.answer(own, Answer::No).unwrap_err().misuse, Misuse::NotOpen);
    assert!(matches!(one.poll_event(), Some(Event::Closed(_))));
}

#[test]
fn an_opening_that_comes_too_late_is_followed_by_no_release() {
    let mut host = Host::new(clear_text());
    let mut input = BytesMut::from("USER mrose\r\nPASS tanstaaf\r\n");
    host.end.session.handle_input(&mut input, host.end.now);
    let Some(Event::Authenticate { token, ask }) = host.end.session.poll_event() else { panic!() };
    host.end.session.answer(token, ask.accept()).unwrap();
    let Some(Event::Open { token, .. }) = host.end.session.poll_event() else { panic!() };
    host.end.session.abort();
    assert!(host.end.session.answer(token, Opening::Opened(maildrop(&[]))).is_err());
    host.run();
    assert_eq!(host.events, ["closed Aborted"]);
}
