//! Deadlines and minimum rates in virtual time, what makes them stand still, replies that are held back, and
//! the farewell. Rules S-7, S-13, R-9, R-10; RFC 5321 §4.5.3.2.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::time::Duration;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_smtp::server::{Config, Event, Server, TlsMode};
use mailwright_smtp::types::Reply;
use support::{Host, codes, lmtp, smtp, with_auth};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const TIMEOUT: &str = "421 4.4.2 Timeout, closing connection\r\n";

/// No minimum rate, so that the gap between octets is what counts.
fn without_rate() -> Config {
    let mut config = smtp();
    config.timeouts.minimum_rate = 0;
    config
}

#[test]
fn s7_a_command_has_300_seconds_and_dripping_does_not_extend_them() {
    let mut host = Host::new(smtp());
    host.wait(299);
    for octet in ["N", "O", "O"] {
        assert_eq!(host.send(octet), "");
    }
    assert_eq!(host.wait(1), TIMEOUT);
    assert_eq!(host.events.last().unwrap(), "closed TimedOut");
    assert!(host.closed());
    let mut host = Host::ready(smtp());
    for octet in "MAIL FROM:<a@b>".chars() {
        assert_eq!(host.wait(18), "");
        assert_eq!(host.send(octet.to_string()), "");
    }
    assert_eq!(host.wait(29), "");
    assert_eq!(host.wait(1), TIMEOUT);
}

#[test]
fn each_command_has_its_own_deadline() {
    let mut host = Host::new(smtp());
    for _ in 0..10 {
        host.wait(299);
        assert_eq!(host.codes("NOOP"), "250 2.0.0");
        assert_eq!(host.server.poll_timeout(), Some(host.now + seconds(300)));
    }
    let mut config = smtp();
    config.timeouts.command = seconds(10);
    let mut host = Host::ready(config);
    assert_eq!(host.wait(10), TIMEOUT, "a host under stress");
}

#[test]
fn calls_before_the_deadline_change_nothing() {
    let mut host = Host::new(smtp());
    for _ in 0..299 {
        assert_eq!(host.wait(1), "");
        assert_eq!(host.server.poll_timeout(), Some(Instant::from_millis(300_000)));
    }
    host.server.handle_timeout(Instant::ORIGIN);
    assert!(!host.closed(), "a clock that goes back changes nothing");
    assert_eq!(host.wait(1), TIMEOUT);
}

#[test]
fn a_handshake_has_300_seconds_and_nothing_is_said_in_plaintext() {
    let mut config = smtp();
    config.tls = TlsMode::StartTls;
    let mut host = Host::ready(config.clone());
    host.wait(200);
    host.codes("STARTTLS");
    assert_eq!(host.wait(299), "");
    assert!(!host.closed());
    assert_eq!(host.wait(1), "");
    assert_eq!(host.events, ["closed TimedOut"]);
    // What the handshake took is not taken from the next command.
    let mut host = Host::ready(config.clone());
    host.codes("STARTTLS");
    host.wait(299);
    host.secure();
    assert_eq!(host.server.poll_timeout(), Some(host.now + seconds(300)));
    assert_eq!(host.wait(299), "");
    assert_eq!(host.codes("NOOP"), "250 2.0.0");
    config.tls = TlsMode::Implicit;
    let mut host = Host::new(config);
    assert_eq!(host.wait(300), "");
    assert_eq!(host.events, ["closed TimedOut"]);
}

#[test]
fn each_step_of_auth_has_its_own_deadline() {
    let mut config = with_auth();
    config.timeouts.authentication = seconds(20);
    let mut host = Host::ready(config.clone());
    host.codes("AUTH LOGIN");
    host.wait(19);
    host.codes("YWxpY2U=");
    assert_eq!(host.wait(19), "");
    assert_eq!(host.wait(1), TIMEOUT);
    let mut host = Host::ready(config);
    host.codes("AUTH PLAIN");
    host.wait(19);
    assert_eq!(host.codes("AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
    assert_eq!(host.server.poll_timeout(), Some(host.now + seconds(300)));
}

#[test]
fn content_without_any_octet_has_180_seconds() {
    let mut host = Host::in_content(without_rate());
    for _ in 0..20 {
        assert_eq!(host.wait(179), "");
        host.send("a");
    }
    assert_eq!(host.wait(179), "");
    assert_eq!(host.wait(1), TIMEOUT);
    assert_eq!(host.events[host.events.len() - 2..], ["aborted Incomplete", "closed TimedOut"]);
}

#[test]
fn s7_content_must_keep_the_minimum_rate_over_each_window() {
    let line = format!("{}\r\n", "a".repeat(998));
    let window = |host: &mut Host, lines: usize| {
        for _ in 0..lines {
            assert_eq!(host.send(&line), "");
        }
        host.wait(60)
    };
    let mut host = Host::in_content(smtp());
    for _ in 0..5 {
        assert_eq!(window(&mut host, 30), "", "30 000 octets in 60 s are enough");
    }
    assert_eq!(window(&mut host, 29), TIMEOUT);
    assert_eq!(host.events.last().unwrap(), "closed TooSlow");
    assert!(host.saw("aborted Incomplete"));
    // One octet a second keeps no session open.
    let mut host = Host::in_content(smtp());
    let held = (0..1000).take_while(|_| {
        host.send("a");
        host.wait(1).is_empty()
    });
    assert_eq!(held.count(), 59);
}

#[test]
fn s7_a_chunk_that_is_read_over_must_keep_the_rate_too() {
    let mut host = Host::ready(smtp());
    assert_eq!(host.send("BDAT 1000000\r\nabc"), "");
    assert_eq!(host.wait(60), TIMEOUT);
    let mut host = Host::ready(without_rate());
    assert_eq!(host.send("BDAT 1000000\r\nabc"), "");
    assert_eq!(host.wait(179), "");
    assert_eq!(host.wait(1), TIMEOUT);
}

#[test]
fn a_short_message_is_not_measured() {
    let mut host = Host::in_content(smtp());
    host.wait(59);
    assert_eq!(codes(&host.send("a\r\n.\r\n")), "250 2.0.0");
    assert_eq!(host.wait(60), "");
    assert_eq!(host.server.poll_timeout(), Some(host.now + seconds(240)));
}

#[test]
fn while_the_host_decides_there_is_no_deadline() {
    let mut config = with_auth();
    (config.ask.hello, config.ask.sender, config.ask.data, config.ask.verify) = (true, true, true, true);
    let mut host = Host::new(config);
    for wire in [
        "EHLO a\r\n",
        "AUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\n",
        "VRFY a\r\n",
        "MAIL FROM:<a@b>\r\n",
        "RCPT TO:<a@b>\r\n",
        "DATA\r\n",
        "a\r\n.\r\n",
    ] {
        host.undecided = true;
        assert_eq!(host.send(wire), "");
        assert_eq!(host.server.poll_timeout(), None, "{wire:?}");
        assert_eq!(host.wait(100_000), "");
        host.undecided = false;
        for event in core::mem::take(&mut host.open) {
            host.answer(event);
        }
        host.run();
        assert!(!host.take_output().is_empty());
        // From the answer on time counts, and none that went before.
        host.wait(0);
        assert!(host.server.poll_timeout().unwrap() > host.now);
        assert_eq!(host.wait(59), "");
    }
}

#[test]
fn r9_deadlines_stand_still_while_the_host_holds_content_back() {
    let mut host = Host::in_content(smtp());
    host.send("a");
    host.server.hold(true);
    assert_eq!(host.server.poll_timeout(), None);
    assert_eq!(host.wait(100_000), "");
    host.server.hold(false);
    assert_eq!(host.wait(0), "");
    assert_eq!(host.wait(59), "");
    assert_eq!(codes(&host.send("\r\n.\r\n")), "250 2.0.0");
}

#[test]
fn r9_deadlines_stand_still_while_content_waits_for_the_host() {
    let mut host = Host::in_content(smtp());
    host.input.extend_from_slice(b"a\r\n");
    host.server.handle_input(&mut host.input, host.now);
    // The host takes its time over the event.
    for _ in 0..100 {
        host.now = host.now + seconds(50);
        host.server.handle_timeout(host.now);
        assert!(!host.closed());
        assert!(!host.server.wants().input);
    }
    assert!(matches!(host.server.poll_event(), Some(Event::Content(_))));
    host.now = host.now + seconds(50);
    host.server.handle_timeout(host.now);
    assert!(!host.closed());
    assert_eq!(host.wait(59), "");
    assert_eq!(host.wait(1), TIMEOUT, "then it is the client's turn");
}

#[test]
fn r9_deadlines_stand_still_while_output_holds_input_back() {
    let mut config = smtp();
    config.limits.output = 1;
    config.timeouts.stalled_output = seconds(1000);
    let mut host = Host::ready(config);
    host.unread = true;
    host.send("NOOP\r\nNOOP\r\n");
    assert!(!host.server.wants().input);
    assert_eq!(host.input, "NOOP\r\n");
    host.wait(999);
    assert!(!host.closed());
    host.unread = false;
    host.run();
    assert_eq!(codes(&host.take_output()), "250 2.0.0, 250 2.0.0");
    assert_eq!(host.wait(299), "");
    assert_eq!(host.wait(1), TIMEOUT);
}

#[test]
fn output_that_nobody_reads_ends_the_session() {
    let mut host = Host::ready(smtp());
    host.unread = true;
    host.send("NOOP\r\n");
    host.wait(200);
    host.send("NOOP\r\n");
    host.wait(99);
    assert!(!host.closed());
    host.wait(1);
    assert_eq!(host.events.last().unwrap(), "closed StalledOutput");
    assert!(host.server.transmit().is_empty(), "what nobody reads must not keep the connection");
    // A client that reads slowly is none that does not read.
    let mut config = smtp();
    config.timeouts.command = seconds(100_000);
    let mut host = Host::ready(config);
    host.unread = true;
    host.send("NOOP\r\n");
    for _ in 0..5 {
        host.wait(299);
        host.server.transmit().advance(1);
    }
    assert!(!host.closed());
}

#[test]
fn s13_errors_above_the_soft_limit_are_answered_a_second_later() {
    let mut host = Host::ready(smtp());
    for _ in 0..10 {
        assert_eq!(host.codes("FOO"), "500 5.5.2");
    }
    assert_eq!(host.send("FOO\r\nMAIL FROM:<a@b>\r\n"), "");
    assert!(!host.server.wants().input, "nothing is read meanwhile");
    assert_eq!(host.server.poll_timeout(), Some(host.now + seconds(1)));
    assert!(!host.saw("sender"));
    host.now = host.now + Duration::from_millis(999);
    assert_eq!(host.wait(0), "");
    host.now = host.now + Duration::from_millis(1);
    assert_eq!(codes(&host.wait(0)), "500 5.5.2, 250 2.1.0");
    // An end of the stream does not shorten it.
    assert_eq!(host.send("FOO\r\n"), "");
    assert_eq!(host.eof(), "");
    assert!(!host.closed());
    assert_eq!(codes(&host.wait(1)), "500 5.5.2");
    assert_eq!(host.events.last().unwrap(), "closed Disconnected");
}

#[test]
fn s13_a_delay_keeps_the_order_of_replies() {
    let mut config = smtp();
    config.limits.soft_errors = 0;
    let mut host = Host::open(config, &[]);
    host.undecided = true;
    assert_eq!(host.send("RCPT TO:<a@b>\r\nRCPT TO:<>\r\nRCPT TO:<c@b>\r\n"), "");
    assert_eq!(host.open.len(), 1, "the error holds back what stands behind it");
    host.undecided = false;
    let event = host.open.remove(0);
    host.answer(event);
    host.run();
    assert_eq!(host.take_output(), "", "the delay holds for what is decided too");
    assert_eq!(codes(&host.wait(1)), "250 2.1.5, 501 5.1.3, 250 2.1.5");
}

#[test]
fn a_greeting_can_be_held_back() {
    let mut config = smtp();
    config.timeouts.greeting_delay = seconds(5);
    let mut host = Host::new(config.clone());
    assert_eq!(host.wait(4), "");
    assert_eq!(host.wait(1), "220 mx.example.org\r\n");
    assert_eq!(host.wait(299), "");
    assert_eq!(host.wait(1), TIMEOUT);
    let mut host = Host::new(config);
    assert_eq!(host.eof(), "");
    assert_eq!(host.wait(5), "220 mx.example.org\r\n");
    assert!(host.closed());
}

#[test]
fn r10_a_shutdown_says_421_to_each_session() {
    const DOWN: &str = "421 4.3.2 Service not available, closing connection\r\n";
    let shut = |host: &mut Host| {
        host.server.shutdown();
        host.run();
        host.take_output()
    };
    for mut host in [Host::new(smtp()), Host::ready(lmtp()), Host::open(smtp(), &["a@b"])] {
        assert_eq!(shut(&mut host), DOWN);
        assert_eq!(host.events.last().unwrap(), "closed ShutDown");
        assert_eq!(shut(&mut host), "", "once");
    }
    let mut host = Host::in_content(smtp());
    host.send("a\r\n");
    assert_eq!(shut(&mut host), DOWN);
    assert_eq!(host.events[host.events.len() - 2..], ["aborted Incomplete", "closed ShutDown"]);
    // Who was not greeted yet is told so in place of the greeting.
    let mut config = smtp();
    config.timeouts.greeting_delay = seconds(5);
    assert_eq!(shut(&mut Host::new(config)), "421 Service not available, closing connection\r\n", "R-1");
    let mut config = smtp();
    config.tls = TlsMode::StartTls;
    let mut host = Host::ready(config);
    host.codes("STARTTLS");
    assert_eq!(shut(&mut host), "", "not in plaintext, nor inside a handshake");
    assert!(host.closed());
}

#[test]
fn r10_a_shutdown_lets_the_verdict_of_a_message_out_first() {
    let mut host = Host::in_content(smtp());
    host.undecided = true;
    host.send("a\r\n.\r\n");
    host.server.shutdown();
    assert_eq!(host.wait(1000), "");
    assert!(!host.closed());
    let Some(Event::Message(message)) = host.open.pop() else { panic!() };
    host.server.answer(message.token, Reply::MESSAGE_ACCEPTED).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "250 2.0.0, 421 4.3.2");
    // Other questions are void.
    let mut host = Host::open(smtp(), &[]);
    host.undecided = true;
    host.send("RCPT TO:<a@b>\r\n");
    host.server.shutdown();
    host.run();
    assert_eq!(codes(&host.take_output()), "421 4.3.2");
    let Some(Event::Recipient(recipient)) = host.open.pop() else { panic!() };
    assert!(host.server.answer(recipient.token, Reply::RECIPIENT_OK).is_err());
}

#[test]
fn an_abort_says_nothing() {
    let mut host = Host::in_content(smtp());
    host.server.abort();
    host.run();
    assert_eq!(host.take_output(), "");
    assert_eq!(host.events, ["aborted Incomplete", "closed Aborted"]);
}

#[test]
fn after_the_end_there_is_silence() {
    let mut host = Host::ready(smtp());
    host.codes("QUIT");
    assert_eq!(host.server.poll_timeout(), None);
    let seen = host.events.len();
    host.send("NOOP\r\n");
    host.wait(1000);
    host.eof();
    host.server.hold(true);
    host.server.hold(false);
    host.server.shutdown();
    host.server.abort();
    host.secure();
    host.run();
    assert_eq!(host.take_output(), "");
    assert_eq!(host.events.len(), seen);
    assert_eq!(host.server.poll_timeout(), None);
}

#[test]
fn a_session_that_starts_late_counts_from_its_start() {
    let start = Instant::from_millis(5_000_000);
    let mut server = Server::starting_at(smtp(), [1; 32], start);
    assert_eq!(server.poll_timeout(), Some(start + seconds(300)));
    let mut input = BytesMut::from("NOOP\r\n");
    server.handle_input(&mut input, start + seconds(10));
    let _ = server.transmit().take();
    server.handle_timeout(start + seconds(10));
    assert_eq!(server.poll_timeout(), Some(start + seconds(310)));
    server.handle_upgrade(Upgraded::Tls(TlsInfo::default()), start + seconds(20));
    assert_eq!(server.poll_timeout(), Some(start + seconds(310)));
}
