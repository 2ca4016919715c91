//! The numbered rules of the client, one behaviour each.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::time::Duration;

use mailwright_core::session::{Layer, LayerError, Session as _, TlsInfo, Upgraded, Wants};
use mailwright_core::value::Misuse;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::{Config, Event, InitialResponse};
use mailwright_pop3::sasl::{Credentials, MechanismName};
use mailwright_pop3::types::{Capabilities, Capability, Password, UserName};
use support::peer::{Peer, clear_text, number};

// ---- C-1

fn starttls() -> Peer {
    let mut config = Config::default();
    config.tls = TlsMode::StartTls;
    Peer::greeted(config)
}

#[test]
fn octets_behind_the_reply_to_stls_end_the_session() {
    let mut peer = starttls();
    peer.client.stls().unwrap();
    assert_eq!(peer.reply(b"+OK go\r\n+OK forged\r\n"), ["Ok go", "closed EarlyOctets"]);
    assert_eq!(peer.client.wants(), Wants::CLOSE);
}

#[test]
fn capabilities_from_before_tls_are_forgotten() {
    let mut peer = starttls();
    peer.client.capa().unwrap();
    peer.reply(b"+OK\r\nSTLS\r\nPIPELINING\r\n.\r\n");
    assert!(peer.client.capabilities().is_some());
    peer.client.stls().unwrap();
    assert_eq!(peer.reply(b"+OK\r\n"), ["Ok "]);
    assert_eq!(peer.client.wants(), Wants::upgrade(Layer::Tls));
    assert_eq!(peer.client.noop(), Err(Misuse::WrongState));
    peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), peer.now);
    assert_eq!(peer.events(), ["secured"]);
    assert!(peer.client.capabilities().is_none());
    assert_eq!(peer.client.stls(), Err(Misuse::WrongState));
    assert!(peer.client.capa().is_ok());
}

#[test]
fn who_asked_for_tls_sends_no_credentials_without() {
    let mut config = clear_text();
    config.tls = TlsMode::StartTls;
    let mut peer = Peer::greeted(config);
    assert_eq!(peer.client.user(&UserName::new("tim").unwrap()), Err(Misuse::Plaintext));
    assert_eq!(peer.client.pass(&Password::new("x").unwrap()), Err(Misuse::Plaintext));
    peer.client.stls().unwrap();
    assert_eq!(peer.reply(b"-ERR no TLS\r\n"), ["Err no TLS"]);
    assert_eq!(peer.client.user(&UserName::new("tim").unwrap()), Err(Misuse::Plaintext));
    let mut peer = Peer::greeted(Config::default());
    assert_eq!(peer.client.user(&UserName::new("tim").unwrap()), Err(Misuse::Plaintext));
    assert_eq!(peer.sent(), "");
}

#[test]
fn a_failed_handshake_ends_the_session() {
    let mut peer = starttls();
    peer.client.stls().unwrap();
    peer.reply(b"+OK\r\n");
    peer.client.handle_upgrade(Upgraded::Failed(LayerError::NotConfigured), peer.now);
    assert_eq!(peer.events(), ["closed Layer(NotConfigured)"]);
}

#[test]
fn tls_from_the_start_comes_before_the_greeting() {
    let mut config = Config::default();
    config.tls = TlsMode::Implicit;
    let mut peer = Peer::new(config);
    assert_eq!(peer.client.wants(), Wants::upgrade(Layer::Tls));
    peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), peer.now);
    assert_eq!(peer.reply(b"+OK ready\r\n"), ["secured", "greeting ready"]);
    assert!(peer.client.user(&UserName::new("tim").unwrap()).is_ok());
}

// ---- C-2

#[test]
fn what_is_no_status_line_ends_the_session_with_the_line() {
    for line in [&b"+OKAY\r\n"[..], b"+ok\r\n", b"\r\n", b"OK\r\n", b"* OK\r\n", b"+ \r\n", b"+OK a\0\r\n"] {
        let mut peer = Peer::greeted(clear_text());
        peer.client.noop().unwrap();
        let events = peer.reply(line);
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].starts_with("closed BadReply"), "{events:?}");
    }
    let mut peer = Peer::greeted(clear_text());
    peer.client.noop().unwrap();
    let events = peer.reply(&[b"+OK ".to_vec(), vec![b'x'; 10_000], b"\r\n".to_vec()].concat());
    assert_eq!(events, ["closed BadReply(Overlong { octets: 10006 })"]);
}

#[test]
fn a_bare_lf_ends_no_reply() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"+OK a\n+OK b"), [""; 0]);
    assert_eq!(peer.reply(b"\r\n"), [r"Ok a\n+OK b"]);
}

#[test]
fn status_in_any_case_is_a_tolerance() {
    let mut config = clear_text();
    config.tolerance.any_case_status = true;
    let mut peer = Peer::new(config);
    assert_eq!(peer.reply(b"+Ok hi\r\n"), ["deviation keyword in the wrong case@0", "greeting hi"]);
}

#[test]
fn a_refusing_greeting_ends_the_session() {
    let mut peer = Peer::new(clear_text());
    let events = peer.reply(b"-ERR go away\r\n");
    assert_eq!(events[0], "greeting go away");
    assert!(events[1].starts_with("closed Refused"));
}

// ---- C-3, C-4

#[test]
fn the_command_decides_what_a_reply_is() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.list(None).unwrap();
    assert_eq!(
        peer.reply(b"+OK 2 320\r\n1 120\r\n2 200\r\n.\r\n"),
        ["Ok 2 320 = Multiline", "1 120", "2 200", "end Listing { lines: 2 }"]
    );
    peer.client.list(Some(number(2))).unwrap();
    assert_eq!(peer.reply(b"+OK 2 200\r\n"), ["Ok 2 200 = 2 200"]);
    peer.client.uidl(Some(number(2))).unwrap();
    assert_eq!(
        peer.reply(b"+OK 2 QhdPYR:00WBw1Ph7x7\r\n"),
        ["Ok 2 QhdPYR:00WBw1Ph7x7 = 2 QhdPYR:00WBw1Ph7x7"]
    );
    peer.client.stat().unwrap();
    assert_eq!(peer.reply(b"+OK 2 320 more\r\n"), ["Ok 2 320 more = Stat { messages: 2, octets: 320 }"]);
    peer.client.dele(number(1)).unwrap();
    assert_eq!(peer.reply(b"+OK 1 120\r\n"), ["Ok 1 120"]);
}

#[test]
fn codes_are_read_where_they_were_announced() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"-ERR [IN-USE] busy\r\n"), ["Err [IN-USE] busy"]);
    peer.client.set_capabilities(Capabilities::from_iter([Capability::RespCodes]));
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"-ERR [in-use/x] busy\x1b[1m\r\n"), [r"Err <IN-USE> busy\u{1b}[1m"]);
    let mut config = clear_text();
    config.tolerance.lenient_codes = true;
    let mut peer = Peer::greeted(config);
    peer.client.noop().unwrap();
    assert_eq!(
        peer.reply(b"-ERR [AUTH] no\r\n"),
        ["deviation response code that was not announced@5", "Err <AUTH> no"]
    );
}

// ---- C-5

#[test]
fn a_bad_line_of_a_listing_costs_that_line_only() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.uidl(None).unwrap();
    let long =
        [b"5 ".to_vec(), vec![b'x'; 71], b"\r\n6 ".to_vec(), vec![b'y'; 9000], b"\r\n".to_vec()].concat();
    let listing =
        [&b"+OK\r\n0 a\r\nx\r\n3 \xff\r\n9 same\r\n4 same\r\n"[..], &long, b"4294967296 z\r\n.\r\n"].concat();
    assert_eq!(
        peer.reply(&listing),
        [
            "Ok  = Multiline",
            "bad message number",
            "bad message number",
            "bad unique id",
            "9 same",
            "4 same",
            "bad unique id",
            "too many octets",
            "bad message number",
            "end Listing { lines: 8 }"
        ]
    );
    assert!(peer.client.noop().is_ok());
}

#[test]
fn odd_listing_lines_are_tolerated_and_reported() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.list(None).unwrap();
    assert_eq!(
        peer.reply(b"+OK\r\n01\t0120 x\r\n.\r\n"),
        [
            "Ok  = Multiline",
            "deviation leading zero@0",
            "deviation extra white space@2",
            "deviation leading zero@3",
            "deviation trailing fields@7",
            "1 120",
            "end Listing { lines: 1 }"
        ]
    );
}

#[test]
fn an_id_that_is_none_is_handed_out_only_by_tolerance() {
    let mut config = clear_text();
    config.tolerance.lenient_ids = true;
    let mut peer = Peer::greeted(config);
    peer.client.uidl(None).unwrap();
    assert_eq!(
        peer.reply(b"+OK\r\n01 ../\xff\r\n.\r\n")[1..4],
        ["deviation leading zero@0", "deviation not a valid unique id@3", r"1 raw ../\xff"]
    );
}

#[test]
fn dots_of_listing_lines_are_undone() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.uidl(None).unwrap();
    assert_eq!(peer.reply(b"+OK\r\n1 .a\r\n..\r\n.\r\n")[1..3], ["1 .a", "bad message number"]);
}

#[test]
fn a_listing_above_the_limit_ends_the_session() {
    let mut config = clear_text();
    config.limits.listing_lines = 3;
    config.limits.capability_lines = 3;
    let mut peer = Peer::greeted(config.clone());
    peer.client.list(None).unwrap();
    assert_eq!(
        peer.reply(&[&b"+OK\r\n"[..], &b"1 1\r\n".repeat(4)].concat()).last().unwrap(),
        "closed TooManyLines"
    );
    let mut peer = Peer::greeted(config);
    peer.client.capa().unwrap();
    assert_eq!(
        peer.reply(&[&b"+OK\r\n"[..], &b"X\r\n".repeat(4)].concat()).last().unwrap(),
        "closed TooManyLines"
    );
}

#[test]
fn an_unreadable_number_is_no_number() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.stat().unwrap();
    assert!(peer.reply(b"+OK lots\r\n")[0].starts_with("Ok lots = Unreadable"));
    peer.client.list(Some(number(1))).unwrap();
    assert!(peer.reply(b"+OK 1 18446744073709551616\r\n")[0].contains("Unreadable"));
}

// ---- C-6

fn retrieve(wire: &[u8], config: Config) -> Vec<String> {
    let mut peer = Peer::greeted(config);
    peer.client.retr(number(1)).unwrap();
    let mut events = peer.reply(&[b"+OK 120 octets\r\n", wire].concat());
    events.remove(0);
    events
}

#[test]
fn content_ends_at_cr_lf_dot_cr_lf_and_at_nothing_else() {
    assert_eq!(retrieve(b".\r\n", clear_text()), ["end 0"]);
    assert_eq!(retrieve(b"a\r\n.\r\n", clear_text()), [r"content a\r\n", "end 3"]);
    assert_eq!(retrieve(b"..\r\n...x\r\n.\r\n", clear_text()), [r"content .\r\n..x\r\n", "end 8"]);
    let tricky = b"a\n.\n.\r\r\n\r.\r\n\n.\r\n.x\n.\r\nb\r\n.\r\n";
    assert_eq!(retrieve(tricky, clear_text())[0], r"content a\n.\n.\r\r\n\r.\r\n\n.\r\nx\n.\r\nb\r\n");
}

#[test]
fn a_lone_dot_is_removed_unless_kept_by_tolerance_and_reported() {
    assert_eq!(
        retrieve(b"y\r\n.x\r\n.\r\n", clear_text()),
        [r"content y\r\nx\r\n", "deviation dot that was not doubled@3", "end 6"]
    );
    let mut config = clear_text();
    config.tolerance.keep_lone_dots = true;
    assert_eq!(retrieve(b".x\r\n.\r\n", config)[0], r"content .x\r\n");
}

#[test]
fn content_that_does_not_end_is_truncated_never_a_success() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.retr(number(1)).unwrap();
    peer.reply(b"+OK\r\na\r\n.\r");
    assert_eq!(peer.eof(), ["closed Truncated"]);
    let mut peer = Peer::greeted(clear_text());
    peer.client.list(None).unwrap();
    peer.reply(b"+OK\r\n1 1\r\n");
    assert_eq!(peer.eof(), ["closed Truncated"]);
}

#[test]
fn content_above_the_hosts_limit_ends_the_session() {
    let mut config = clear_text();
    config.content_limit = Some(3);
    assert_eq!(retrieve(b"a\r\n.\r\n", config.clone()), [r"content a\r\n", "end 3"]);
    assert_eq!(retrieve(b"ab\r\n.\r\n", config), ["closed TooMuchContent"]);
}

#[test]
fn a_refused_message_is_one_line() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.retr(number(1)).unwrap();
    assert_eq!(peer.reply(b"-ERR no such message\r\n"), ["Err no such message"]);
    peer.client.top(number(1), 0).unwrap();
    assert_eq!(peer.reply(b"+OK\r\nA: b\r\n\r\n.\r\n").last().unwrap(), "end 8");
}

// ---- C-7

#[test]
fn each_command_is_one_line_with_its_end() {
    let mut peer = Peer::pipelining();
    peer.client.stat().unwrap();
    peer.client.list(None).unwrap();
    peer.client.list(Some(number(7))).unwrap();
    peer.client.uidl(None).unwrap();
    peer.client.uidl(Some(number(u32::MAX))).unwrap();
    peer.client.retr(number(1)).unwrap();
    peer.client.top(number(1), 20).unwrap();
    peer.client.dele(number(1)).unwrap();
    peer.client.rset().unwrap();
    peer.client.noop().unwrap();
    peer.client.capa().unwrap();
    peer.client.quit().unwrap();
    let expected = "STAT\r\nLIST\r\nLIST 7\r\nUIDL\r\nUIDL 4294967295\r\nRETR 1\r\nTOP 1 20\r\nDELE 1\r\nRSET\r\nNOOP\r\nCAPA\r\nQUIT\r\n";
    assert_eq!(peer.sent(), expected);
}

#[test]
fn a_password_keeps_its_spaces() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.user(&UserName::new("tim").unwrap()).unwrap();
    peer.reply(b"+OK\r\n");
    peer.client.pass(&Password::new(" a b ").unwrap()).unwrap();
    assert_eq!(peer.sent(), "USER tim\r\nPASS  a b \r\n");
}

// ---- C-9

fn auth(peer: &mut Peer, mechanism: MechanismName, password: &str) -> Result<(), Misuse> {
    let credentials = Credentials::password("tim", password).unwrap();
    let exchange = peer.client.exchange(mechanism, &credentials).unwrap();
    peer.client.auth(exchange).map(|_| ())
}

fn with_sasl() -> Peer {
    let mut peer = Peer::greeted(clear_text());
    peer.client.set_capabilities(Capabilities::from_iter([Capability::Sasl(vec![MechanismName::PLAIN])]));
    peer
}

#[test]
fn the_first_message_goes_into_the_command_if_sasl_was_announced_and_it_fits() {
    let mut peer = with_sasl();
    auth(&mut peer, MechanismName::PLAIN, "x").unwrap();
    assert_eq!(peer.sent(), "AUTH PLAIN AHRpbQB4\r\n");
    assert_eq!(peer.reply(b"+OK in\r\n"), ["Ok in"]);

    let mut peer = Peer::greeted(clear_text());
    auth(&mut peer, MechanismName::PLAIN, "x").unwrap();
    assert_eq!(peer.sent(), "AUTH PLAIN\r\n");
    assert_eq!(peer.reply(b"+ \r\n"), [""; 0]);
    assert_eq!(peer.sent(), "AHRpbQB4\r\n");
    assert_eq!(peer.reply(b"-ERR [AUTH] no\r\n"), ["Err [AUTH] no"]);

    // 11 octets of command, 2 of line end, and base64 of 5 octets and the password.
    for (length, sent) in [(175, 255), (178, 12), (176, 12)] {
        let mut peer = with_sasl();
        auth(&mut peer, MechanismName::PLAIN, &"x".repeat(length)).unwrap();
        let line = peer.sent();
        assert!(line.len() <= 255, "{length}");
        assert_eq!(
            line.len(),
            if sent == 255 { 5 + 5 + 1 + (5 + length).div_ceil(3) * 4 + 2 } else { 12 },
            "{length}"
        );
    }
    let mut config = clear_text();
    config.initial_response = InitialResponse::Never;
    let mut peer = Peer::greeted(config);
    peer.client.set_capabilities(Capabilities::from_iter([Capability::Sasl(vec![])]));
    auth(&mut peer, MechanismName::PLAIN, "x").unwrap();
    assert_eq!(peer.sent(), "AUTH PLAIN\r\n");
}

#[test]
fn a_challenge_that_makes_no_sense_is_cancelled() {
    for challenge in [&b"+ !\r\n"[..], b"+ eA==\r\n", b"+ x\r\n"] {
        let mut peer = Peer::greeted(clear_text());
        auth(&mut peer, MechanismName::PLAIN, "x").unwrap();
        peer.sent();
        peer.reply(challenge);
        assert_eq!(peer.sent(), "*\r\n");
        assert_eq!(peer.reply(b"-ERR cancelled\r\n"), ["Err cancelled = Cancelled(UnexpectedChallenge)"]);
        assert!(peer.client.noop().is_ok());
    }
}

#[test]
fn challenges_without_end_are_cancelled() {
    let mut peer = Peer::greeted(clear_text());
    auth(&mut peer, MechanismName::LOGIN, "x").unwrap();
    peer.reply(b"+ \r\n+ \r\n");
    assert_eq!(peer.sent(), "AUTH LOGIN\r\ndGlt\r\neA==\r\n");
    peer.reply(b"+ \r\n");
    assert_eq!(peer.sent(), "*\r\n");
    // A server that goes on all the same is told again.
    peer.reply(b"+ \r\n");
    assert_eq!(peer.sent(), "*\r\n");
}

#[test]
fn success_of_a_cancelled_or_unfinished_exchange_ends_the_session() {
    let mut peer = Peer::greeted(clear_text());
    auth(&mut peer, MechanismName::PLAIN, "x").unwrap();
    peer.reply(b"+ !\r\n");
    assert_eq!(peer.reply(b"+OK welcome\r\n"), ["closed NotProven(UnexpectedChallenge)"]);
    let mut peer = Peer::greeted(clear_text());
    auth(&mut peer, MechanismName::LOGIN, "x").unwrap();
    assert_eq!(peer.reply(b"+OK welcome\r\n"), ["closed NotProven(UnexpectedChallenge)"]);
}

#[test]
fn ok_where_a_challenge_is_due_is_a_tolerance() {
    let mut config = clear_text();
    config.tolerance.ok_as_challenge = true;
    let mut peer = Peer::greeted(config);
    auth(&mut peer, MechanismName::PLAIN, "x").unwrap();
    peer.sent();
    assert_eq!(peer.reply(b"+OK\r\n"), ["deviation status where a challenge was due@0"]);
    assert_eq!(peer.sent(), "AHRpbQB4\r\n");
    assert_eq!(peer.reply(b"+OK in\r\n"), ["Ok in"]);
}

#[test]
fn a_challenge_outside_an_exchange_is_no_status_line() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.noop().unwrap();
    assert!(peer.reply(b"+ eA==\r\n")[0].starts_with("closed BadReply"));
}

// ---- C-10

#[test]
fn quit_tells_committed_from_failed_from_unknown() {
    let quit = || {
        let mut peer = Peer::greeted(clear_text());
        peer.client.quit().unwrap();
        peer
    };
    assert_eq!(quit().reply(b"+OK bye\r\n"), ["Ok bye = Quit(Committed)", "closed Quit(Committed)"]);
    let failed = "Err some deleted messages not removed = Quit(Failed)";
    assert_eq!(quit().reply(b"-ERR some deleted messages not removed\r\n"), [failed, "closed Quit(Failed)"]);
    assert_eq!(quit().eof(), ["closed Quit(Unknown)"]);
    let mut peer = quit();
    // The command carries no time: its deadline runs from the next moment that reaches the session.
    assert_eq!(peer.wait(0), [""; 0]);
    assert_eq!(peer.wait(300), ["closed Quit(Unknown)"]);
    let mut peer = quit();
    peer.reply(b"+O");
    assert_eq!(peer.eof(), ["closed Quit(Unknown)"]);
    assert_eq!(quit().client.noop(), Err(Misuse::Busy));
}

#[test]
fn aborting_is_no_quit() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.abort();
    assert_eq!(peer.events(), ["closed Aborted"]);
    assert_eq!(peer.sent(), "");
    assert_eq!(peer.client.quit(), Err(Misuse::Closed));
}

#[test]
fn octets_that_answer_nothing_end_the_session() {
    let mut peer = Peer::greeted(clear_text());
    assert_eq!(peer.reply(b"+OK again\r\n"), [r#"closed Unexpected("+OK again\r\n")"#]);
    let mut peer = Peer::greeted(clear_text());
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"+OK\r\n1 2\r\n"), ["Ok ", r#"closed Unexpected("1 2\r\n")"#]);
}

// ---- C-11

#[test]
fn one_command_is_in_flight_until_pipelining_was_announced() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.noop().unwrap();
    assert_eq!(peer.client.stat(), Err(Misuse::Busy));
    peer.reply(b"+OK\r\n");
    assert!(peer.client.stat().is_ok());
    let mut peer = Peer::pipelining();
    for _ in 0..100 {
        peer.client.noop().unwrap();
    }
    assert_eq!(peer.client.noop(), Err(Misuse::Busy));
    assert_eq!(peer.reply(&b"+OK\r\n".repeat(100)).len(), 100);
    assert!(peer.client.noop().is_ok());
}

#[test]
fn replies_carry_the_ids_of_their_commands_in_order() {
    let mut peer = Peer::pipelining();
    let ids =
        [peer.client.dele(number(1)).unwrap(), peer.client.list(None).unwrap(), peer.client.noop().unwrap()];
    peer.input.extend_from_slice(b"+OK\r\n+OK\r\n2 5\r\n.\r\n-ERR\r\n");
    peer.client.handle_input(&mut peer.input, peer.now);
    let found: Vec<_> = core::iter::from_fn(|| peer.client.poll_event())
        .map(|event| match event {
            Event::Reply { id, .. } | Event::Listed { id, .. } | Event::End { id, .. } => id,
            event => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(found, [ids[0], ids[1], ids[1], ids[1], ids[2]]);
}

#[test]
fn a_password_waits_for_the_reply_to_the_name_unless_the_host_wants_it_otherwise() {
    let name = UserName::new("tim").unwrap();
    let password = Password::new("x").unwrap();
    let mut peer = Peer::pipelining();
    peer.client.user(&name).unwrap();
    assert_eq!(peer.client.pass(&password), Err(Misuse::Busy));
    peer.reply(b"+OK\r\n");
    peer.client.pass(&password).unwrap();
    assert_eq!(peer.client.stat(), Err(Misuse::Busy));

    let mut config = clear_text();
    config.pipeline_user_pass = true;
    let mut peer = Peer::greeted(config);
    peer.client.set_capabilities(Capabilities::from_iter([Capability::Pipelining]));
    peer.client.user(&name).unwrap();
    peer.client.pass(&password).unwrap();
    peer.client.stat().unwrap();
    assert_eq!(peer.sent(), "USER tim\r\nPASS x\r\nSTAT\r\n");
}

#[test]
fn nothing_shares_the_wire_with_stls_or_auth() {
    let mut peer = Peer::pipelining();
    peer.client.noop().unwrap();
    assert_eq!(peer.client.stls(), Err(Misuse::Busy));
    assert_eq!(auth(&mut peer, MechanismName::PLAIN, "x"), Err(Misuse::Busy));
    peer.reply(b"+OK\r\n");
    auth(&mut peer, MechanismName::PLAIN, "x").unwrap();
    assert_eq!(peer.client.noop(), Err(Misuse::Busy));
    let mut peer = Peer::pipelining();
    peer.client.stls().unwrap();
    assert_eq!(peer.client.noop(), Err(Misuse::Busy));
}

#[test]
fn no_command_before_the_greeting() {
    let mut peer = Peer::new(clear_text());
    assert_eq!(peer.client.capa(), Err(Misuse::WrongState));
    assert_eq!(peer.reply(b"+OK ready\r\n"), ["greeting ready"]);
    assert!(peer.client.capa().is_ok());
}

// ---- C-12, C-13

#[test]
fn capabilities_are_read_in_any_case_and_replaced_each_time() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.capa().unwrap();
    peer.reply(b"+OK\r\ntop\r\nsasl plain\r\nXTRA a b\r\n.\r\n");
    let known = peer.client.capabilities().unwrap();
    assert!(known.has(&Capability::Top));
    assert_eq!(known.mechanisms(), Some(&[MechanismName::PLAIN][..]));
    peer.client.capa().unwrap();
    peer.reply(b"+OK\r\n.\r\n");
    assert_eq!(peer.client.capabilities(), Some(&Capabilities::new()));
    peer.client.capa().unwrap();
    assert_eq!(peer.reply(b"-ERR what\r\n"), ["Err what"]);
}

#[test]
fn a_refusal_costs_that_command_only() {
    let mut peer = Peer::pipelining();
    peer.client.dele(number(1)).unwrap();
    peer.client.list(None).unwrap();
    peer.client.retr(number(1)).unwrap();
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"-ERR\r\n-ERR no\r\n-ERR gone\r\n+OK\r\n"), ["Err ", "Err no", "Err gone", "Ok "]);
}

// ---- Time

#[test]
fn each_wait_has_its_deadline() {
    assert_eq!(Peer::new(clear_text()).wait(59), [""; 0]);
    assert_eq!(Peer::new(clear_text()).wait(60), ["closed Timeout"]);
    let mut idle = Peer::greeted(clear_text());
    assert_eq!(idle.wait(1_000_000), [""; 0]);
    idle.client.noop().unwrap();
    assert_eq!(idle.wait(0), [""; 0]);
    assert_eq!(idle.wait(299), [""; 0]);
    assert_eq!(idle.wait(1), ["closed Timeout"]);
    let mut slow = Peer::greeted(clear_text());
    slow.client.retr(number(1)).unwrap();
    for _ in 0..5 {
        slow.reply(b"+OK\r\n");
        assert_eq!(slow.wait(179), [""; 0]);
    }
    assert_eq!(slow.wait(1), ["closed Timeout"]);
}

#[test]
fn no_deadline_runs_while_the_host_leaves_events_lying() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.list(None).unwrap();
    peer.input.extend_from_slice(&[&b"+OK\r\n"[..], &b"1 1\r\n".repeat(1000)].concat());
    peer.client.handle_input(&mut peer.input, peer.now);
    assert!(!peer.client.wants().input);
    peer.now = peer.now + Duration::from_secs(10_000);
    peer.client.handle_timeout(peer.now);
    let events = peer.events();
    assert!(events.len() < 100 && !events.iter().any(|event| event.starts_with("closed")));
    assert_eq!(peer.reply(b".\r\n").last().unwrap(), "end Listing { lines: 1000 }");
}

#[test]
fn after_closed_there_is_silence() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.abort();
    peer.events();
    assert_eq!(peer.reply(b"+OK\r\n"), [""; 0]);
    assert_eq!(peer.eof(), [""; 0]);
    assert_eq!(peer.wait(10_000), [""; 0]);
    assert_eq!(peer.client.poll_timeout(), None);
}
