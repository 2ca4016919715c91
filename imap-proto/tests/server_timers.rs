//! Deadlines, in virtual time. Rules of section 3; RFC 3501 §5.4, RFC 9051 §5.4.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use core::time::Duration;

use host::{Host, clear_text};
use mailwright_core::session::Session as _;
use mailwright_imap::server::{Event, TlsMode};

const TOO_SLOW: &str = "* BYE too slow\r\n";

#[test]
fn a_client_has_three_minutes_to_log_in_whatever_it_says() {
    let mut host = Host::plain();
    for _ in 0..17 {
        assert_eq!(host.wait(10), "");
        assert_eq!(host.say("a NOOP\r\n"), "a OK done\r\n");
    }
    assert_eq!(host.wait(9), "");
    assert_eq!(host.wait(1), "* BYE no login in time\r\n");
    assert_eq!(host.closed.as_deref(), Some("Closed(LoginDeadline)"));
}

#[test]
fn the_deadline_of_login_runs_in_the_handshake_an_exchange_and_a_literal() {
    let mut config = clear_text();
    config.tls = TlsMode::Implicit;
    let mut host = Host::with(config);
    assert_eq!(host.wait(180), "", "nothing can be said");
    assert_eq!(host.closed.as_deref(), Some("Closed(LoginDeadline)"));
    for text in ["a AUTHENTICATE PLAIN\r\n", "a LOGIN {4}\r\n", "a LOG", "a XFOO {5+}\r\n"] {
        let mut host = Host::plain();
        host.say(text);
        assert_eq!(host.wait(180), "* BYE no login in time\r\n", "{text}");
    }
}

#[test]
fn a_client_that_is_logged_in_is_left_alone_for_half_an_hour() {
    let mut config = clear_text();
    config.timeouts.idle = Duration::from_secs(60);
    let mut host = Host::with(config);
    host.say("a LOGIN fred secret\r\n");
    assert_eq!(host.wait(30 * 60 - 1), "", "RFC 3501 §5.4: not less");
    assert_eq!(host.wait(1), "* BYE no command for too long\r\n");
    assert_eq!(host.closed.as_deref(), Some("Closed(Autologout)"));
}

#[test]
fn each_command_restarts_the_autologout() {
    let mut host = Host::logged_in();
    for command in ["NOOP", "XFOO", "SELECT nowhere", "SELECT INBOX", "FETCH 9 UID"] {
        assert_eq!(host.wait(35 * 60 - 1), "");
        assert!(host.say(format!("a {command}\r\n")).contains("a "), "{command}");
    }
    assert_eq!(host.wait(35 * 60), "* BYE no command for too long\r\n");
}

#[test]
fn idle_ends_at_the_autologout() {
    let mut host = Host::selected(1);
    host.wait(20 * 60);
    host.say("a IDLE\r\n");
    assert_eq!(host.wait(35 * 60 - 1), "");
    host.inbox().add(b"x", &[]);
    host.update();
    assert!(!host.say("").is_empty());
    assert_eq!(host.wait(1), "* BYE no command for too long\r\n", "what is told to it restarts nothing");
}

#[test]
fn a_command_is_to_come_at_a_rate() {
    for begin in ["a SEARCH TEXT {90000+}\r\n", "a SELECT (", "a XFOO {900000+}\r\n"] {
        let mut host = Host::selected(1);
        host.say(begin);
        assert_eq!(host.wait(299), "", "{begin}");
        assert_eq!(host.wait(1), TOO_SLOW, "{begin}");
        assert_eq!(host.closed.as_deref(), Some("Closed(TooSlow)"));
    }
}

#[test]
fn a_message_is_to_come_at_a_rate_however_it_trickles() {
    let mut host = Host::selected(0);
    host.say("a APPEND INBOX {10000000}\r\n");
    for _ in 0..29 {
        host.say("x".repeat(4000));
        assert_eq!(host.wait(10), "");
    }
    assert_eq!(host.wait(10), TOO_SLOW, "116 000 octets in five minutes are less than 500 a second");
    assert_eq!(host.events.last().unwrap(), "Closed");
    assert!(host.events.contains(&"Aborted".to_owned()), "the host drops what it has");
    assert!(host.inbox().messages.is_empty());
}

#[test]
fn a_message_that_keeps_the_rate_may_take_hours() {
    let mut host = Host::selected(0);
    let octets = 30_000_000;
    host.say(format!("a APPEND INBOX {{{octets}}}\r\n"));
    for _ in 0..octets / 6000 {
        host.say("x".repeat(6000));
        assert_eq!(host.wait(10), "");
    }
    assert_eq!(host.say("\r\n"), "* 1 EXISTS\r\n* 0 RECENT\r\na OK [APPENDUID 7 1] done\r\n");
}

#[test]
fn a_literal_that_is_thrown_away_at_the_rate_may_take_longer_than_the_autologout() {
    let mut host = Host::logged_in();
    host.say("a XFOO {4000000+}\r\n");
    for _ in 0..400 {
        host.say("x".repeat(10_000));
        assert_eq!(host.wait(10), "");
    }
    assert_eq!(host.say("\r\n"), "a BAD unknown command\r\n");
}

#[test]
fn the_rate_can_be_switched_off() {
    let mut config = clear_text();
    config.timeouts.minimum_rate = 0;
    let mut host = Host::with(config);
    host.say("a LOGIN fred secret\r\nb APPEND INBOX {5}\r\n");
    assert_eq!(host.wait(3600), "");
}

#[test]
fn a_host_that_is_slow_costs_the_client_nothing() {
    let mut host = Host::selected(1);
    host.slow = true;
    for command in ["NOOP", "FETCH 1 BODY[]", "APPEND INBOX {5}"] {
        host.say(format!("a {command}\r\n"));
        assert_eq!(host.wait(3 * 3600), "", "{command}");
        assert!(host.closed.is_none(), "{command}");
        let event = host.waiting.pop().unwrap();
        let Host { server, answers, .. } = &mut host;
        answers.decide(server, event);
        assert!(!host.say("").is_empty());
    }
    // It does not come for the content.
    host.input.extend_from_slice(b"hel");
    let now = host.now;
    host.server.handle_input(&mut host.input, now);
    for _ in 0..20 {
        host.now = host.server.poll_timeout().unwrap().max(host.now);
        let now = host.now;
        host.server.handle_timeout(now);
    }
    host.run();
    assert!(host.closed.is_none());
}

#[test]
fn output_that_is_not_read_ends_the_session() {
    let mut host = Host::selected(0);
    host.inbox().add(&vec![b'x'; 1_000_000], &[]);
    host.say("a NOOP\r\n");
    host.input.extend_from_slice(b"b FETCH 1 BODY[]\r\n");
    while host.turn() {}
    let held = host.server.transmit().len();
    assert!(held > 100_000, "{held}");
    // A little is read: that counts.
    bytes::Buf::advance(host.server.transmit(), 1);
    pass(&mut host, 299);
    assert!(host.closed.is_none());
    pass(&mut host, 301);
    assert_eq!(host.closed.as_deref(), Some("Closed(StalledOutput)"));
    assert!(host.server.transmit().is_empty(), "what nobody reads does not keep the connection open");
}

/// So many seconds pass while the client does not read.
fn pass(host: &mut Host, seconds: u64) {
    let until = host.now + Duration::from_secs(seconds);
    while let Some(deadline) = host.server.poll_timeout().filter(|deadline| *deadline <= until) {
        host.now = deadline.max(host.now);
        let now = host.now;
        host.server.handle_timeout(now);
        host.turn();
    }
    host.now = until;
}

#[test]
fn a_session_that_is_over_has_no_deadline() {
    let mut host = Host::selected(1);
    host.say("a LOGOUT\r\n");
    assert_eq!(host.server.poll_timeout(), None);
}

#[test]
fn a_shutdown_says_bye_but_not_inside_a_response() {
    let mut host = Host::selected(1);
    host.server.shutdown();
    assert_eq!(host.say("a NOOP\r\n"), "* BYE [UNAVAILABLE] server shutting down\r\n");
    assert_eq!(host.closed.as_deref(), Some("Closed(ShutDown)"));

    let mut host = Host::selected(1);
    host.slow = true;
    host.say("a FETCH 1 BODY[]\r\n");
    let Some(Event::Fetch { token, attributes, .. }) = host.waiting.pop() else { panic!() };
    host.server.begin_section(&token, &attributes[0], 10).unwrap();
    host.server.content(&token, b"12345").unwrap();
    host.server.shutdown();
    let said = host.say("");
    assert!(said.ends_with("BODY[] {10}\r\n12345"), "{said}");
    assert_eq!(host.closed.as_deref(), Some("Closed(ShutDown)"));
    assert!(host.server.finish(token).is_err());
}
