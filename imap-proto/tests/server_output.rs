//! Output for a client that does not read stays within its limit, however much there is to tell.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use bytes::Buf as _;
use host::{Answers, Host, clear_text, store};
use mailwright_core::session::Session as _;
use mailwright_imap::value::Flag;

/// Octets that may be held: the limit of the session, and one response above it.
const OUTPUT: usize = 16 * 1024;
const RESPONSE: usize = 1024;

/// A session with little room, and INBOX with so many messages selected.
fn selected(messages: u32) -> Host {
    let mut config = clear_text();
    config.limits.authenticated.output = OUTPUT;
    let mut host = Host::new(config, Answers::with(store::folders()));
    for _ in 0..messages {
        host.inbox().add(b"Subject: x\r\n\r\nx\r\n", &[]);
    }
    host.run();
    host.say("x LOGIN fred secret\r\n");
    host.select();
    host
}

/// Says a line, and reads what is said to it in pieces; never is more held than may be.
fn read_slowly(host: &mut Host, line: &str) -> String {
    host.input.extend_from_slice(line.as_bytes());
    let mut said = Vec::new();
    loop {
        let moved = host.turn();
        let transmit = host.server.transmit();
        assert!(transmit.remaining() <= OUTPUT + RESPONSE, "{}", transmit.remaining());
        let piece = transmit.remaining().min(1000);
        said.extend_from_slice(&transmit.copy_to_bytes(piece));
        if !moved && piece == 0 {
            return String::from_utf8(said).unwrap();
        }
    }
}

#[test]
fn expunged_messages_are_told_as_the_client_reads() {
    let mut host = selected(20_000);
    (1..=20_000).for_each(|uid| host.inbox().remove(uid));
    host.update();
    let said = read_slowly(&mut host, "a NOOP\r\n");
    let numbers = (1..=20_000).rev().map(|number| format!("* {number} EXPUNGE\r\n"));
    assert!(said == numbers.chain(["a OK done\r\n".to_owned()]).collect::<String>());
}

#[test]
fn changed_flags_are_told_as_the_client_reads() {
    let mut host = selected(5_000);
    (1..=5_000).for_each(|uid| host.inbox().set(uid, &[Flag::Seen]));
    host.update();
    let said = read_slowly(&mut host, "a FETCH 1 UID\r\n");
    assert_eq!(said.matches("FLAGS (\\Seen)").count(), 5_000);
    assert!(said.ends_with("* 5000 FETCH (UID 5000 FLAGS (\\Seen))\r\na OK done\r\n"));
}

#[test]
fn idle_goes_on_behind_a_long_update() {
    let mut host = selected(5_000);
    assert_eq!(host.say("a IDLE\r\n"), "+ idling\r\n");
    (1..=5_000).for_each(|uid| host.inbox().remove(uid));
    host.update();
    let said = read_slowly(&mut host, "");
    assert_eq!(said.matches("EXPUNGE").count(), 5_000);
    host.inbox().add(b"\r\nx\r\n", &[]);
    host.update();
    assert_eq!(host.say(""), "* 1 EXISTS\r\n* 0 RECENT\r\n");
    assert_eq!(host.say("DONE\r\n"), "a OK done\r\n");
}

#[test]
fn what_changes_during_an_update_is_told_with_the_next() {
    let mut host = selected(5_000);
    (1..=4_999).for_each(|uid| host.inbox().set(uid, &[Flag::Seen]));
    host.update();
    host.input.extend_from_slice(b"a NOOP\r\n");
    while host.turn() {}
    host.inbox().remove(4_000);
    host.inbox().set(1, &[Flag::Flagged]);
    host.update();
    let said = read_slowly(&mut host, "");
    // A message that is gone meanwhile has no flags to tell.
    assert_eq!(said.matches("FLAGS").count(), 4_998);
    assert!(said.ends_with("a OK done\r\n") && !said.contains("EXPUNGE"));
    assert_eq!(
        host.say("b NOOP\r\n"),
        "* 4000 EXPUNGE\r\n* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\nb OK done\r\n"
    );
}

#[test]
fn mailboxes_are_told_as_the_client_reads() {
    let mut host = selected(0);
    for number in 0..2_000 {
        drop(host.answers.folder(&format!("folder {number:04}")));
    }
    let said = read_slowly(&mut host, "a LIST \"\" *\r\n");
    assert_eq!(said.matches("* LIST ").count(), 2_001);
    assert!(said.ends_with("\"folder 1999\"\r\na OK done\r\n"), "{}", &said[said.len() - 100..]);
}
