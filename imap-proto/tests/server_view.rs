//! What a client is told of the selected mailbox, and when. Rules 2.9, 2.10; RFC 9051 §7.3, §7.5; RFC 3501 §7.4.1;
//! RFC 2180 as far as RFC 5530 has codes for it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use host::{Host, clear_text, keyword, store};
use mailwright_imap::server::Event;
use mailwright_imap::value::Flag;
use proptest::prelude::*;

/// Two sessions with the same INBOX selected.
fn two(messages: u32) -> (Host, Host) {
    let folders = store::folders();
    let mut one = Host::sharing(&folders);
    for number in 1..=messages {
        one.inbox().add(format!("Subject: {number}\r\n\r\nbody {number}\r\n").as_bytes(), &[]);
    }
    one.select();
    let mut other = Host::sharing(&folders);
    other.select();
    (one, other)
}

#[test]
fn expunges_are_told_by_every_command_but_those_with_numbers() {
    for (command, tells) in [
        ("NOOP", true),
        ("CHECK", true),
        ("CAPABILITY", true),
        ("STATUS INBOX (MESSAGES)", true),
        ("LIST \"\" *", true),
        ("CREATE x", true),
        ("COPY 1 INBOX", true),
        ("EXPUNGE", true),
        ("UID FETCH 1 FLAGS", true),
        ("UID STORE 1 FLAGS ()", true),
        ("UID SEARCH ALL", true),
        ("UID COPY 1 INBOX", true),
        ("FETCH 1 FLAGS", false),
        ("STORE 1 FLAGS ()", false),
        ("SEARCH ALL", false),
        ("SEARCH UID 1", false),
        // RFC 7162 §3.2.10.2
        ("UID SEARCH 1", false),
        ("UID SEARCH CHARSET X 1", false),
        ("UID SEARCH CHARSET X ALL", true),
    ] {
        let mut host = Host::selected(3);
        host.inbox().remove(3);
        host.update();
        let said = host.say(format!("a {command}\r\n"));
        assert_eq!(said.contains("* 3 EXPUNGE\r\n"), tells, "{command}: {said}");
        assert!(said.lines().last().unwrap().starts_with("a "), "told before the completion: {said}");
        assert_eq!(host.say("b NOOP\r\n").contains("* 3 EXPUNGE\r\n"), !tells, "{command}: told once");
    }
}

#[test]
fn nothing_is_told_while_no_command_is_in_progress() {
    let mut host = Host::selected(3);
    host.inbox().remove(1);
    host.inbox().add(b"x", &[]);
    host.inbox().set(2, &[Flag::Seen]);
    host.update();
    assert_eq!(host.say(""), "");
    assert_eq!(host.say("a NO"), "", "nor while one is incomplete");
    assert_eq!(host.say("a LOGIN {3}\r\n").lines().count(), 1);
}

#[test]
fn an_expunged_message_keeps_its_number_until_it_is_told() {
    let mut host = Host::selected(5);
    host.inbox().remove(2);
    host.update();
    assert_eq!(host.say("a FETCH 3 UID\r\n"), "* 3 FETCH (UID 3)\r\na OK done\r\n");
    assert_eq!(
        host.say("b FETCH 1:3 UID\r\n"),
        "* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3)\r\nb OK [EXPUNGEISSUED] done\r\n"
    );
    assert_eq!(host.say("c FETCH 2 BODY[]\r\n"), "c OK [EXPUNGEISSUED] done\r\n");
    assert_eq!(host.say("d SEARCH ALL\r\n"), "* SEARCH 1 3 4 5\r\nd OK done\r\n", "SEARCH ignores it");
    assert_eq!(host.say("e SEARCH 2\r\n"), "* SEARCH\r\ne OK done\r\n");
    assert_eq!(
        host.say("f STORE 1:3 +FLAGS (\\Seen)\r\n"),
        "* 1 FETCH (FLAGS (\\Seen))\r\n* 3 FETCH (FLAGS (\\Seen))\r\nf OK [EXPUNGEISSUED] done\r\n"
    );
    assert_eq!(host.say("g FETCH 5 UID\r\n"), "* 5 FETCH (UID 5)\r\ng OK done\r\n");
    assert_eq!(host.say("h NOOP\r\n"), "* 2 EXPUNGE\r\nh OK done\r\n");
    assert_eq!(host.say("i FETCH 1:* UID\r\n").lines().count(), 5);
}

#[test]
fn copy_and_move_of_an_expunged_message_do_nothing() {
    for verb in ["COPY", "MOVE"] {
        let mut host = Host::selected(3);
        host.folder("to");
        host.inbox().remove(2);
        host.update();
        assert_eq!(
            host.say(format!("a {verb} 1:3 to\r\n")),
            "* 2 EXPUNGE\r\na NO [EXPUNGEISSUED] some messages are gone\r\n"
        );
        assert!(host.folder("to").messages.is_empty());
        assert_eq!(host.inbox().messages.len(), 2);
    }
}

#[test]
fn the_uid_of_an_expunged_message_does_not_exist() {
    for (command, said) in [
        ("UID FETCH 2 UID", "* 2 EXPUNGE\r\na OK done\r\n"),
        ("UID STORE 2 FLAGS (\\Seen)", "* 2 EXPUNGE\r\na OK done\r\n"),
        ("UID COPY 2 INBOX", "* 2 EXPUNGE\r\na OK done\r\n"),
        ("UID MOVE 2 INBOX", "* 2 EXPUNGE\r\na OK done\r\n"),
        ("UID SEARCH UID 2", "* SEARCH\r\n* 2 EXPUNGE\r\na OK done\r\n"),
        ("UID EXPUNGE 2", "* 2 EXPUNGE\r\na OK done\r\n"),
    ] {
        let mut host = Host::selected(3);
        host.inbox().remove(2);
        host.update();
        assert_eq!(host.say(format!("a {command}\r\n")), said, "{command}");
    }
}

#[test]
fn additions_are_told_once_and_before_what_is_said_of_them() {
    let mut host = Host::selected(2);
    for _ in 0..3 {
        host.inbox().add(b"x", &[keyword("$New")]);
        host.update();
    }
    host.inbox().remove(1);
    assert_eq!(
        host.say("a NOOP\r\n"),
        "* 1 EXPUNGE\r\n* 4 EXISTS\r\n* 0 RECENT\r\n\
         * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New)\r\n\
         * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New \\*)] flags that can be changed\r\na OK done\r\n"
    );
    host.inbox().add(b"y", &[]);
    host.inbox().set(6, &[Flag::Seen]);
    host.update();
    assert_eq!(
        host.say("b FETCH 4 UID\r\n"),
        "* 4 FETCH (UID 5)\r\n* 5 EXISTS\r\n* 0 RECENT\r\nb OK done\r\n"
    );
    assert_eq!(host.say("c FETCH 5 (UID FLAGS)\r\n"), "* 5 FETCH (UID 6 FLAGS (\\Seen))\r\nc OK done\r\n");
}

#[test]
fn a_message_that_came_and_went_unseen_is_not_told() {
    let mut host = Host::selected(1);
    host.inbox().add(b"x", &[]);
    host.inbox().remove(2);
    assert_eq!(host.say("a NOOP\r\n"), "a OK done\r\n");
}

#[test]
fn the_last_message_goes_without_a_contradicting_count() {
    let mut host = Host::selected(1);
    host.inbox().remove(1);
    assert_eq!(host.say("a NOOP\r\n"), "* 1 EXPUNGE\r\na OK done\r\n");
    host.inbox().add(b"x", &[]);
    assert_eq!(host.say("b NOOP\r\n"), "* 1 EXISTS\r\n* 0 RECENT\r\nb OK done\r\n");
}

#[test]
fn flags_that_others_change_are_told_with_the_uid() {
    let (mut one, mut other) = two(3);
    one.say("a STORE 2 +FLAGS (\\Flagged $Work)\r\n");
    assert_eq!(
        other.say("b NOOP\r\n"),
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work)\r\n\
         * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work \\*)] flags that can be changed\r\n\
         * 2 FETCH (UID 2 FLAGS (\\Flagged $Work))\r\nb OK done\r\n"
    );
    assert_eq!(other.say("c NOOP\r\n"), "c OK done\r\n");
    assert_eq!(one.say("d NOOP\r\n"), "d OK done\r\n", "one's own change is not told again");
    // Also by commands that tell of no expunges.
    one.say("e STORE 1 +FLAGS.SILENT (\\Seen)\r\n");
    assert_eq!(
        other.say("f SEARCH SEEN\r\n"),
        "* SEARCH 1\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\nf OK done\r\n"
    );
}

#[test]
fn a_keyword_is_announced_even_if_another_one_went() {
    let (mut one, mut other) = two(1);
    one.say("a STORE 1 FLAGS ($Old)\r\n");
    other.say("b NOOP\r\n");
    one.say("c STORE 1 FLAGS ($New)\r\n");
    assert!(
        other
            .say("d NOOP\r\n")
            .starts_with("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New)\r\n")
    );
}

#[test]
fn ones_own_store_is_echoed_unless_silent() {
    let mut host = Host::selected(2);
    assert_eq!(host.say("a STORE 1 FLAGS (\\Seen)\r\n"), "* 1 FETCH (FLAGS (\\Seen))\r\na OK done\r\n");
    assert_eq!(
        host.say("b STORE 1 FLAGS (\\Seen)\r\n"),
        "* 1 FETCH (FLAGS (\\Seen))\r\nb OK done\r\n",
        "also without change"
    );
    assert_eq!(
        host.say("c UID STORE 2 +FLAGS (\\Seen)\r\n"),
        "* 2 FETCH (UID 2 FLAGS (\\Seen))\r\nc OK done\r\n"
    );
    assert_eq!(host.say("d STORE 1:2 -FLAGS.SILENT (\\Seen)\r\n"), "d OK done\r\n");
    assert_eq!(host.say("e NOOP\r\n"), "e OK done\r\n");
}

#[test]
fn silent_hides_only_ones_own_change() {
    // Another session changed the message, which was handed over but not told.
    let (mut one, mut other) = two(2);
    other.say("a STORE 1 +FLAGS (\\Flagged)\r\n");
    assert_eq!(
        one.say("b STORE 1:2 +FLAGS.SILENT (\\Seen)\r\n"),
        "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))\r\nb OK done\r\n"
    );
    // It changes while the host works on the command.
    let (mut one, _) = two(2);
    one.slow = true;
    one.say("c STORE 1:2 +FLAGS.SILENT (\\Seen)\r\n");
    one.inbox().set(2, &[Flag::Draft]);
    let event = one.waiting.pop().unwrap();
    let Host { server, answers, .. } = &mut one;
    answers.decide(server, event);
    assert_eq!(one.say(""), "* 2 FETCH (UID 2 FLAGS (\\Draft \\Seen))\r\nc OK done\r\n");
}

#[test]
fn a_change_behind_an_echo_is_told_as_well() {
    let (mut one, mut other) = two(1);
    one.say("a FETCH 1 BODY[]\r\n");
    other.say("b STORE 1 FLAGS ()\r\n");
    assert_eq!(one.say("c NOOP\r\n"), "* 1 FETCH (UID 1 FLAGS ())\r\nc OK done\r\n");
    // In the middle of a command: the first message was told, then it changes, then the second is told.
    let (mut one, mut other) = two(2);
    one.say("d STORE 2 FLAGS ()\r\n");
    one.slow = true;
    one.say("e FETCH 1:2 BODY[TEXT]\r\n");
    let Host { server, answers, .. } = &mut one;
    let event = answers.waiting.pop().unwrap();
    answers.decide(server, event);
    let said = one.say("");
    assert!(said.starts_with("* 1 FETCH (FLAGS (\\Seen) BODY[TEXT] {8}\r\nbody 1\r\n)"), "{said}");
    other.say("f STORE 1 FLAGS (\\Draft)\r\n");
    let Host { server, answers, .. } = &mut one;
    let event = answers.waiting.pop().unwrap();
    answers.decide(server, event);
    assert_eq!(
        one.say(""),
        "* 2 FETCH (FLAGS (\\Seen) BODY[TEXT] {8}\r\nbody 2\r\n)\r\n* 1 FETCH (UID 1 FLAGS (\\Draft))\r\ne OK done\r\n"
    );
}

#[test]
fn two_sessions_expunge_and_each_is_told() {
    let (mut one, mut other) = two(5);
    one.say("a STORE 2,4 +FLAGS.SILENT (\\Deleted)\r\n");
    assert_eq!(one.say("b EXPUNGE\r\n"), "* 4 EXPUNGE\r\n* 2 EXPUNGE\r\nb OK done\r\n");
    other.update();
    assert_eq!(other.say("c FETCH 5 UID\r\n"), "* 5 FETCH (UID 5)\r\nc OK done\r\n");
    assert_eq!(
        other.say("d UID FETCH 5 UID\r\n"),
        "* 5 FETCH (UID 5)\r\n* 4 EXPUNGE\r\n* 2 EXPUNGE\r\nd OK done\r\n"
    );
    assert_eq!(other.say("e UID FETCH 5 UID\r\n"), "* 3 FETCH (UID 5)\r\ne OK done\r\n");
    other.say("f APPEND INBOX {1+}\r\nx\r\n");
    assert_eq!(one.say("g SEARCH ALL\r\n"), "* SEARCH 1 2 3\r\n* 4 EXISTS\r\n* 0 RECENT\r\ng OK done\r\n");
}

#[test]
fn idle_tells_at_once_and_first_what_is_due() {
    let (mut one, mut other) = two(3);
    other.say("a STORE 1 +FLAGS (\\Deleted)\r\nb EXPUNGE\r\n");
    assert_eq!(one.say("c IDLE\r\n"), "+ idling\r\n* 1 EXPUNGE\r\n");
    other.say("d APPEND INBOX {1+}\r\nx\r\n");
    one.update();
    assert_eq!(one.say(""), "* 3 EXISTS\r\n* 0 RECENT\r\n");
    other.say("e STORE 3 +FLAGS (\\Flagged)\r\n");
    one.update();
    assert_eq!(one.say(""), "* 3 FETCH (UID 4 FLAGS (\\Flagged))\r\n");
    assert_eq!(one.say("Done\r\nf NOOP\r\n"), "c OK done\r\nf OK done\r\n");
}

#[test]
fn done_may_come_before_idle_has_begun() {
    let mut host = Host::selected(1);
    host.slow = true;
    assert_eq!(host.say("a IDLE\r\nDONE\r\nb NOOP\r\n"), "");
    while let Some(event) = host.waiting.pop() {
        let Host { server, answers, .. } = &mut host;
        answers.decide(server, event);
        host.run();
    }
    assert!(!host.server.is_idle());
    assert!(host.closed.is_none());
}

#[test]
fn anything_but_done_ends_idle_with_bad() {
    let mut host = Host::selected(1);
    assert_eq!(host.say("a IDLE\r\n\r\nb NOOP\r\n"), "+ idling\r\na BAD expected DONE\r\nb OK done\r\n");
    assert_eq!(
        host.say("c IDLE\r\nDONE now\r\nd NOOP\r\n"),
        "+ idling\r\nc BAD expected DONE\r\nd OK done\r\n"
    );
    assert_eq!(
        host.say("e IDLE\r\ndone\nf NOOP\r\n"),
        "+ idling\r\ne OK done\r\nf OK done\r\n",
        "a bare LF will do"
    );
    assert!(host.say("g IDLE now\r\n").starts_with("g BAD "));
}

#[test]
fn what_a_client_in_idle_does_not_read_is_not_piled_up() {
    let mut host = Host::selected(1);
    host.say("a IDLE\r\n");
    for round in 0..30_000_u32 {
        host.inbox().set(1, if round % 2 == 0 { &[Flag::Seen] } else { &[Flag::Draft] });
        host.update();
        host.turn();
    }
    let held = mailwright_core::session::Session::transmit(&mut host.server).len();
    assert!((1000..300 * 1024).contains(&held), "{held}");
    assert!(host.say("").ends_with("* 1 FETCH (UID 1 FLAGS (\\Draft))\r\n"), "the latest is told in the end");
}

#[test]
fn a_selected_mailbox_is_left_before_another_is_opened() {
    let mut host = Host::selected(2);
    host.folder("other");
    host.events.clear();
    assert!(host.say("a SELECT other\r\n").contains("* 0 EXISTS\r\n"));
    assert_eq!(host.events, ["Deselected", "Select"]);
    host.inbox().remove(1);
    assert_eq!(host.say("b NOOP\r\n"), "b OK done\r\n");
    assert_eq!(host.say("c SELECT nowhere\r\n"), "c NO [NONEXISTENT] no such mailbox\r\n");
    assert_eq!(
        host.say("d FETCH 1 UID\r\n"),
        "d BAD no mailbox is selected\r\n",
        "a SELECT that fails leaves nothing"
    );
    host.say("e SELECT INBOX\r\n");
    assert!(host.say("f SELECT\r\n").starts_with("f BAD "));
    assert_eq!(
        host.say("g FETCH 1 UID\r\n"),
        "* 1 FETCH (UID 2)\r\ng OK done\r\n",
        "one that is no command changes nothing"
    );
}

#[test]
fn recent_is_what_the_host_says_is_recent() {
    let mut host = Host::logged_in();
    host.slow = true;
    host.inbox().add(b"a", &[Flag::Seen]);
    host.inbox().add(b"b", &[]);
    host.say("a SELECT INBOX\r\n");
    let Some(Event::Select { token, .. }) = host.waiting.pop() else { panic!() };
    let validity = mailwright_imap::value::UidValidity::new(7).unwrap();
    let mut opened = mailwright_imap::server::Opened::new(host.inbox().state(), validity, None);
    opened.recent_from = mailwright_imap::value::Uid::new(2);
    host.server.answer(token, Ok(opened)).unwrap();
    assert!(host.say("").contains("* 2 EXISTS\r\n* 1 RECENT\r\n"));
    host.slow = false;
    host.selected = Some("INBOX".to_owned());
    assert_eq!(
        host.say("b FETCH 1:2 FLAGS\r\n"),
        "* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Recent))\r\nb OK done\r\n"
    );
    assert_eq!(host.say("c SEARCH NEW\r\n"), "* SEARCH 2\r\nc OK done\r\n");
    assert_eq!(host.say("d SEARCH OLD\r\n"), "* SEARCH 1\r\nd OK done\r\n");
    host.inbox().remove(2);
    assert_eq!(host.say("e NOOP\r\n"), "* 2 EXPUNGE\r\n* 0 RECENT\r\ne OK done\r\n");
}

/// A client that believes what it is told: the UID of each message, as far as it was told.
#[derive(Default)]
struct Model {
    uids: Vec<Option<u32>>,
}

impl Model {
    fn hear(&mut self, said: &str) -> Result<(), TestCaseError> {
        for line in said.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["*", number, "EXISTS"] => {
                    let number: usize = number.parse().unwrap();
                    prop_assert!(number >= self.uids.len(), "{said}");
                    self.uids.resize(number, None);
                }
                ["*", number, "EXPUNGE"] => {
                    let number: usize = number.parse().unwrap();
                    prop_assert!(number <= self.uids.len(), "{said}");
                    self.uids.remove(number - 1);
                }
                ["*", number, "FETCH", "(UID", uid, ..] => {
                    let number: usize = number.parse().unwrap();
                    let uid: u32 = uid.trim_end_matches(')').parse().unwrap();
                    let known = self.uids[number - 1].get_or_insert(uid);
                    prop_assert_eq!(*known, uid, "{}", said);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn the_numbers_that_a_client_knows_never_diverge(
        steps in proptest::collection::vec((0_u8..12, 1_u32..12), 1..60),
    ) {
        let (mut one, mut other) = two(5);
        let mut model = Model { uids: vec![None; 5] };
        model.hear(&one.say("a FETCH 1:* UID\r\n"))?;
        for (step, number) in steps {
            let flags = if number % 2 == 0 { "\\Seen" } else { "\\Flagged" };
            let command = match step {
                0 => { other.say("o APPEND INBOX {1+}\r\nx\r\n"); continue }
                1 => { other.say(format!("o UID STORE {number}:{} +FLAGS (\\Deleted)\r\np EXPUNGE\r\n", number + 1)); continue }
                2 => { other.say(format!("o STORE {number} FLAGS ({flags})\r\n")); continue }
                3 => "NOOP".to_owned(),
                4 => format!("FETCH {number} UID"),
                5 => format!("UID FETCH {number}:* UID"),
                6 => format!("STORE {number} +FLAGS ({flags})"),
                7 => format!("UID STORE {number} -FLAGS.SILENT ({flags})"),
                8 => "SEARCH ALL".to_owned(),
                9 => format!("MOVE {number} INBOX"),
                10 => format!("UID COPY {number} INBOX"),
                _ => "IDLE\r\nDONE".to_owned(),
            };
            model.hear(&one.say(format!("a {command}\r\n")))?;
            prop_assert!(one.closed.is_none());
        }
        model.hear(&one.say("a NOOP\r\nb UID FETCH 1:* (UID FLAGS)\r\n"))?;
        let told: Vec<u32> = model.uids.iter().map(|uid| uid.unwrap()).collect();
        let there: Vec<u32> = one.inbox().messages.keys().copied().collect();
        prop_assert_eq!(told, there);
    }
}

#[test]
fn a_session_that_may_not_write_changes_nothing() {
    let mut host = Host::selected(2);
    host.say("a STORE 1 +FLAGS (\\Deleted)\r\n");
    let said = host.say("b EXAMINE INBOX\r\n");
    assert!(
        said.contains("[PERMANENTFLAGS ()]") && said.ends_with("b OK [READ-ONLY] selected\r\n"),
        "{said}"
    );
    for command in ["STORE 1 FLAGS ()", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 INBOX"] {
        assert!(host.say(format!("c {command}\r\n")).starts_with("c NO [NOPERM] "), "{command}");
    }
    assert_eq!(
        host.say("d FETCH 2 BODY[TEXT]\r\n"),
        "* 2 FETCH (BODY[TEXT] {8}\r\nbody 2\r\n)\r\nd OK done\r\n"
    );
    assert_eq!(host.say("e CLOSE\r\n"), "e OK done\r\n");
    assert_eq!(host.inbox().messages.len(), 2, "CLOSE of a mailbox that is only read removes nothing");
    assert!(host.inbox().messages[&2].flags.is_empty());
}

#[test]
fn a_close_that_the_host_refuses_leaves_the_mailbox_selected() {
    let mut host = Host::new(clear_text(), host::Answers::default());
    host.say("a LOGIN fred secret\r\nb SELECT INBOX\r\n");
    host.refusal = Some(mailwright_imap::server::Refusal::new(None, "not now"));
    assert_eq!(host.say("c CLOSE\r\n"), "c NO not now\r\n");
    assert!(host.server.is_selected());
    assert_eq!(host.say("d CLOSE\r\n"), "d OK done\r\n");
    assert!(!host.server.is_selected());
}
