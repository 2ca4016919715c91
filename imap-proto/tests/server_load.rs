//! A mailbox that was opened by its summary: its messages are asked for when a command needs them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use mailwright_imap::server::Refusal;
use mailwright_imap::types::Code;
use mailwright_imap::value::{Flag, Keyword};

use host::Host;

/// Three messages, one of them seen, in a mailbox whose host knows its summary only.
fn summarised() -> Host {
    let mut host = Host::logged_in();
    for number in 1..=3 {
        let flags: &[Flag] = if number == 2 { &[Flag::Seen] } else { &[] };
        host.inbox().add(format!("Subject: {number}\r\n\r\nbody {number}\r\n").as_bytes(), flags);
    }
    host.answers.by_summary = true;
    host
}

#[test]
fn select_tells_what_it_tells_of_a_loaded_mailbox() {
    let mut lazy = summarised();
    let said = lazy.say("a SELECT INBOX\r\n");
    assert_eq!(lazy.answers.loads, 0);
    let mut eager = summarised();
    eager.answers.by_summary = false;
    let unseen = "* OK [UNSEEN 1] the first unseen message\r\n";
    assert_eq!(
        said,
        eager.say("a SELECT INBOX\r\n").replace(unseen, ""),
        "but for what it would cost to find"
    );
    assert!(said.contains("* 3 EXISTS\r\n* 0 RECENT\r\n"), "{said}");
}

#[test]
fn commands_that_say_nothing_of_the_mailbox_do_not_load_it() {
    let mut host = summarised();
    host.select();
    for command in ["CAPABILITY", "NAMESPACE", "ID NIL", "SELECT INBOX", "EXAMINE INBOX", "UNSELECT"] {
        let said = host.say(format!("a {command}\r\n"));
        assert!(said.contains("a OK"), "{said}");
    }
    host.select();
    assert!(host.say("a CLOSE\r\n").contains("a OK"));
    host.select();
    assert!(host.say("a LOGOUT\r\n").contains("a OK"));
    assert_eq!(host.answers.loads, 0);
}

#[test]
fn the_first_command_that_needs_messages_loads_them_once() {
    for command in [
        "FETCH 1:* FLAGS",
        "UID SEARCH ALL",
        "NOOP",
        "CHECK",
        "STATUS INBOX (MESSAGES)",
        "STORE 1 +FLAGS (\\Seen)",
    ] {
        let mut lazy = summarised();
        let mut eager = summarised();
        eager.answers.by_summary = false;
        lazy.select();
        eager.select();
        for _ in 0..2 {
            let line = format!("a {command}\r\n");
            assert_eq!(lazy.say(&line), eager.say(&line), "{command}");
        }
        assert_eq!((lazy.answers.loads, eager.answers.loads), (1, 0), "{command}");
    }
}

#[test]
fn a_message_appended_to_it_is_told_at_once() {
    let mut host = summarised();
    host.select();
    let said = host.say("a APPEND INBOX {12+}\r\nA: b\r\n\r\ntext\r\n");
    assert!(said.starts_with("* 4 EXISTS\r\n"), "{said}");
    assert!(said.contains("a OK [APPENDUID"), "{said}");
    assert_eq!(host.answers.loads, 1);
}

#[test]
fn idle_tells_what_came_since_it_was_opened() {
    let mut host = summarised();
    host.select();
    host.inbox().add(b"Subject: 4\r\n\r\nx\r\n", &[]);
    let said = host.say("a IDLE\r\n");
    assert_eq!(said, "+ idling\r\n* 4 EXISTS\r\n* 0 RECENT\r\n");
    assert_eq!(host.say("DONE\r\n"), "a OK done\r\n");
}

#[test]
fn what_changed_before_it_was_loaded_is_told_where_it_may_be() {
    let mut host = summarised();
    host.select();
    host.inbox().remove(1);
    host.inbox().set(3, &[Flag::Flagged]);
    host.inbox().add(b"Subject: 4\r\n\r\nx\r\n", &[]);
    // Numbers are those that SELECT gave, until FETCH is over.
    let said = host.say("a FETCH 2 UID\r\n");
    assert!(said.starts_with("* 2 FETCH (UID 2)\r\n"), "{said}");
    assert!(said.contains("* 4 EXISTS\r\n") && !said.contains("EXPUNGE"), "{said}");
    assert!(said.contains("* 3 FETCH (UID 3 FLAGS (\\Flagged))\r\n"), "{said}");
    let said = host.say("b NOOP\r\n");
    assert_eq!(said, "* 1 EXPUNGE\r\nb OK done\r\n");
    let said = host.say("c UID SEARCH ALL\r\n");
    assert_eq!(said, "* SEARCH 2 3 4\r\nc OK done\r\n");
}

#[test]
fn keywords_of_the_summary_are_told_as_flags() {
    let mut host = summarised();
    let keyword = Flag::Keyword(Keyword::new("$Label").unwrap());
    host.inbox().set(1, &[keyword]);
    let said = host.say("a SELECT INBOX\r\n");
    assert!(said.contains("$Label) \r\n") || said.contains("$Label)\r\n"), "{said}");
    assert!(said.contains("[PERMANENTFLAGS (") && said.contains("$Label \\*)]"), "{said}");
}

#[test]
fn a_refusal_refuses_the_command_and_it_may_be_tried_again() {
    let mut host = summarised();
    host.select();
    let refuse = |host: &mut Host| host.answers.refusal = Some(Refusal::new(Code::Unavailable, "not now"));
    refuse(&mut host);
    assert_eq!(host.say("a NOOP\r\n"), "a NO [UNAVAILABLE] not now\r\n");
    refuse(&mut host);
    // The literal of a refused APPEND is thrown away.
    let said = host.say("b APPEND INBOX {12+}\r\nA: b\r\n\r\ntext\r\nc CAPABILITY\r\n");
    assert!(said.starts_with("b NO [UNAVAILABLE] not now\r\n* CAPABILITY "), "{said}");
    assert_eq!(host.say("d NOOP\r\n"), "d OK done\r\n");
}

#[test]
fn other_messages_than_were_told_end_the_session() {
    let mut host = summarised();
    host.select();
    host.answers.opened.clear();
    let said = host.say("a NOOP\r\n");
    assert!(said.starts_with("* BYE "), "{said}");
    assert_eq!(host.answers.closed.as_deref(), Some("Closed(NumbersLost)"));
}

#[test]
fn news_before_it_is_loaded_are_left_for_then() {
    let mut host = summarised();
    host.select();
    host.inbox().add(b"Subject: 4\r\n\r\nx\r\n", &[]);
    host.update();
    assert_eq!(host.say(""), "");
    assert!(host.say("a NOOP\r\n").starts_with("* 4 EXISTS\r\n"));
}
