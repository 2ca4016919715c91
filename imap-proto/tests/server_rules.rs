//! Rules that are easily missed, one test each, as far as the commands at hand reach: numbers and ranges, `\Seen`,
//! COPYUID, APPENDUID, TRYCREATE, LIST. Section 2.11 and 2.6.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use host::{Host, clear_text};
use mailwright_imap::server::{Copied, Event, Refusal};
use mailwright_imap::types::Code;
use mailwright_imap::value::{Flag, Tolerance, Uid, UidValidity};

// ---- Rule 1: RFC 3501 §6.4.8

#[test]
fn a_uid_range_to_the_largest_always_holds_the_last_message() {
    let mut host = Host::selected(3);
    for set in ["100:*", "*:100", "*", "4294967295:*", "3:*", "*:3"] {
        let said = host.say(format!("a UID FETCH {set} UID\r\n"));
        assert_eq!(said, "* 3 FETCH (UID 3)\r\na OK done\r\n", "{set}");
        let said = host.say(format!("a UID SEARCH UID {set}\r\n"));
        assert_eq!(said, "* SEARCH 3\r\na OK done\r\n", "{set}");
    }
    assert_eq!(host.say("b UID FETCH 100:200 UID\r\n"), "b OK done\r\n");
    let mut host = Host::selected(0);
    assert_eq!(
        host.say("c UID FETCH 1:* UID\r\nd UID SEARCH UID *\r\n"),
        "c OK done\r\n* SEARCH\r\nd OK done\r\n"
    );
}

#[test]
fn ranges_have_no_order() {
    let mut host = Host::selected(4);
    for set in ["2:3", "3:2", "3,2", "2:3,3:2,2"] {
        let said = host.say(format!("a FETCH {set} UID\r\n"));
        assert_eq!(said, "* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\na OK done\r\n", "{set}");
        assert_eq!(host.say(format!("a UID FETCH {set} UID\r\n")), said, "{set}");
    }
    assert_eq!(host.say("b FETCH *:3 UID\r\n"), host.say("b FETCH 3:* UID\r\n"));
}

// ---- Rule 2: RFC 3501 §9 (seq-number), RFC 7377 §2.1

#[test]
fn a_number_that_no_message_has_is_bad() {
    for command in ["FETCH {} UID", "STORE {} FLAGS ()", "COPY {} INBOX", "MOVE {} INBOX"] {
        let mut host = Host::selected(3);
        for set in ["4", "1:4", "4:*", "1,9", "4294967295"] {
            let said = host.say(format!("a {}\r\n", command.replace("{}", set)));
            assert_eq!(said, "a BAD no message has that number\r\n", "{command} {set}");
        }
        assert_eq!(host.inbox().messages.len(), 3, "nothing of it is done");
        let mut host = Host::selected(0);
        for set in ["*", "1", "1:*"] {
            let said = host.say(format!("a {}\r\n", command.replace("{}", set)));
            assert_eq!(said, "a BAD no message has that number\r\n", "{command} {set} in an empty mailbox");
        }
    }
}

#[test]
fn a_uid_that_no_message_has_is_nothing() {
    let mut host = Host::selected(3);
    for command in
        ["FETCH 9 UID", "STORE 9:10 FLAGS ()", "COPY 9 INBOX", "COPY 9 nowhere", "MOVE 9 INBOX", "EXPUNGE 9"]
    {
        assert_eq!(host.say(format!("a UID {command}\r\n")), "a OK done\r\n", "{command}");
    }
}

#[test]
fn a_search_beyond_the_end_is_no_error() {
    let mut host = Host::selected(3);
    assert_eq!(host.say("a SEARCH 4:9\r\n"), "* SEARCH\r\na OK done\r\n");
    assert_eq!(host.say("b SEARCH 3:9\r\n"), "* SEARCH 3\r\nb OK done\r\n");
    assert_eq!(host.say("c SEARCH NOT 2:9\r\n"), "* SEARCH 1\r\nc OK done\r\n");
    let mut host = Host::selected(0);
    assert_eq!(
        host.say("d SEARCH *\r\ne SEARCH 1:*\r\n"),
        "* SEARCH\r\nd OK done\r\n* SEARCH\r\ne OK done\r\n"
    );
}

// ---- Rule 16: RFC 3501 §6.4.5

#[test]
fn seen_is_set_by_what_reads_the_text_and_told() {
    for (attribute, sets) in [
        ("BODY[]", true),
        ("BODY[TEXT]", true),
        ("BODY[HEADER]", true),
        ("BODY[1]<0.1>", true),
        ("RFC822", true),
        ("RFC822.TEXT", true),
        ("BODY.PEEK[]", false),
        ("RFC822.HEADER", false),
        ("ENVELOPE", false),
        ("BODYSTRUCTURE", false),
        ("FLAGS", false),
    ] {
        let mut host = Host::selected(1);
        let said = host.say(format!("a FETCH 1 {attribute}\r\n"));
        assert_eq!(said.contains("FLAGS (\\Seen)"), sets, "{attribute}: {said}");
        assert_eq!(host.inbox().messages[&1].flags.contains(&Flag::Seen), sets, "{attribute}");
        assert_eq!(host.say("b NOOP\r\n"), "b OK done\r\n", "told once");
        if sets {
            let again = host.say(format!("c FETCH 1 {attribute}\r\n"));
            assert!(!again.contains("FLAGS"), "nothing changed: {again}");
        }
        let mut host = Host::selected(1);
        host.say("d EXAMINE INBOX\r\n");
        let said = host.say(format!("e FETCH 1 {attribute}\r\n"));
        assert!(!said.contains("\\Seen") && said.ends_with("e OK done\r\n"), "{said}");
        assert!(host.inbox().messages[&1].flags.is_empty(), "{attribute} under EXAMINE");
    }
}

#[test]
fn flags_that_are_asked_for_with_the_text_have_seen() {
    let mut host = Host::selected(1);
    let said = host.say("a FETCH 1 (BODY[TEXT] FLAGS)\r\n");
    assert_eq!(said, "* 1 FETCH (FLAGS (\\Seen) BODY[TEXT] {8}\r\nbody 1\r\n)\r\na OK done\r\n");
}

#[test]
fn macros_stand_for_their_attributes() {
    let mut host = Host::selected(1);
    let said = host.say("a FETCH 1 FAST\r\n");
    assert_eq!(
        said,
        "* 1 FETCH (FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 22)\r\na OK done\r\n"
    );
    let said = host.say("b FETCH 1 ALL\r\n");
    assert!(said.contains(" RFC822.SIZE 22 ENVELOPE (NIL "), "{said}");
    assert!(host.say("c FETCH 1 (FAST)\r\n").starts_with("c BAD "), "a macro stands alone");
}

#[test]
fn a_part_of_a_section_names_where_it_begins() {
    let mut host = Host::selected(1);
    assert_eq!(
        host.say("a FETCH 1 BODY.PEEK[TEXT]<2.3>\r\n"),
        "* 1 FETCH (BODY[TEXT]<2> {3}\r\ndy )\r\na OK done\r\n"
    );
    assert_eq!(
        host.say("b FETCH 1 BODY.PEEK[TEXT]<99.3>\r\n"),
        "* 1 FETCH (BODY[TEXT]<99> {0}\r\n)\r\nb OK done\r\n"
    );
    assert!(host.say("c FETCH 1 BODY[TEXT]<0.0>\r\n").starts_with("c BAD "));
    assert!(host.say("d FETCH 1 BODY[TEXT]<5>\r\n").starts_with("d BAD "));
}

// ---- Rule 17: RFC 6851 §4.3

#[test]
fn a_move_tells_where_to_before_what_is_gone() {
    let mut host = Host::selected(4);
    host.folder("to");
    assert_eq!(
        host.say("a MOVE 2:3 to\r\n"),
        "* OK [COPYUID 7 2:3 1:2] moved\r\n* 3 EXPUNGE\r\n* 2 EXPUNGE\r\na OK done\r\n"
    );
    assert!(host.folder("to").messages.values().all(|message| message.flags.is_empty()), "no \\Deleted");
    assert_eq!(host.say("b UID MOVE 2:3 to\r\n"), "b OK done\r\n", "nothing moved, no code");
    // The same mailbox is a place like any other.
    assert_eq!(
        host.say("c MOVE 1 INBOX\r\n"),
        "* OK [COPYUID 7 1 5] moved\r\n* 1 EXPUNGE\r\n* 2 EXISTS\r\n* 0 RECENT\r\nc OK done\r\n"
    );
}

// ---- Rule 18: RFC 4315 §3

#[test]
fn no_code_has_an_empty_set() {
    let mut host = Host::selected(2);
    host.slow = true;
    for verb in ["COPY", "MOVE"] {
        host.say(format!("a {verb} 1 INBOX\r\n"));
        let Some(Event::Copy { token, .. }) = host.waiting.pop() else { panic!() };
        host.server.answer(token, Ok(Copied::new(UidValidity::new(7).unwrap(), []))).unwrap();
        assert_eq!(host.say(""), "a OK done\r\n", "{verb}");
    }
}

#[test]
fn copyuid_keeps_the_order_in_ranges() {
    let mut host = Host::selected(5);
    host.slow = true;
    host.say("a COPY 1:5 INBOX\r\n");
    let Some(Event::Copy { token, uids, .. }) = host.waiting.pop() else { panic!() };
    assert_eq!(uids.len(), 5);
    let uid = |number| Uid::new(number).unwrap();
    let pairs = [(1, 10), (2, 11), (3, 9), (5, 20)].map(|(from, to)| (uid(from), uid(to)));
    host.server.answer(token, Ok(Copied::new(UidValidity::new(8).unwrap(), pairs))).unwrap();
    assert_eq!(host.say(""), "a OK [COPYUID 8 1:3,5 10:11,9,20] done\r\n");
}

#[test]
fn a_single_appenduid_is_no_range_and_may_be_kept_secret() {
    let mut host = Host::selected(0);
    assert!(host.say("a APPEND INBOX {1+}\r\nx\r\n").ends_with("a OK [APPENDUID 7 1] done\r\n"));
    host.slow = true;
    host.say("b APPEND INBOX {1+}\r\nx\r\n");
    while let Some(event) = host.waiting.pop() {
        match event {
            Event::Append { token, .. } => host.server.answer(token, Ok(())).unwrap(),
            Event::Appended { token } => host.server.answer(token, Ok(None)).unwrap(),
            other => panic!("{other:?}"),
        }
        host.slow = true;
        let said = host.say("");
        if host.waiting.is_empty() {
            assert_eq!(said, "b OK done\r\n");
        }
    }
}

// ---- Rule 20: RFC 9051 §6.3.12, §6.4.7

#[test]
fn no_mailbox_is_made_by_append_copy_or_move() {
    let mut host = Host::selected(1);
    for command in ["APPEND no {1+}\r\nx", "COPY 1 no", "MOVE 1 no", "UID COPY 1 no", "UID MOVE 1 no"] {
        assert_eq!(host.say(format!("a {command}\r\n")), "a NO [TRYCREATE] create it first\r\n", "{command}");
    }
    assert_eq!(host.folders.borrow().len(), 1);
    assert_eq!(host.inbox().messages.len(), 1);
}

#[test]
fn a_message_appended_to_the_selected_mailbox_is_told_before_the_completion() {
    let mut host = Host::selected(1);
    assert_eq!(
        host.say("a APPEND INBOX (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {1+}\r\nx\r\n"),
        "* 2 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $x)\r\n\
         * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $x \\*)] flags that can be changed\r\n\
         a OK [APPENDUID 7 2] done\r\n"
    );
    assert_eq!(host.inbox().messages[&2].flags, [Flag::Seen, host::keyword("$x")]);
}

#[test]
fn an_empty_message_is_refused_and_nothing_is_stored() {
    let mut host = Host::selected(0);
    assert_eq!(host.say("a APPEND INBOX {0}\r\n"), "a NO an empty message\r\n");
    assert_eq!(host.say("b APPEND INBOX {0+}\r\n\r\nc NOOP\r\n"), "b NO an empty message\r\nc OK done\r\n");
    assert_eq!(host.say("d APPEND INBOX (\\Seen)\r\n"), "d BAD expected a literal with the message\r\n");
    assert!(host.inbox().messages.is_empty());
    assert!(!host.events.contains(&"Append".to_owned()), "the host is not even asked");
}

#[test]
fn an_append_may_fail_when_it_is_stored() {
    let mut host = Host::selected(0);
    host.say("a APPEND INBOX {3}\r\n");
    host.refusal = Some(Refusal::new(Code::OverQuota, "full"));
    assert_eq!(host.say("abc\r\n"), "a NO [OVERQUOTA] full\r\n");
    assert_eq!(host.say("b NOOP\r\n"), "b OK done\r\n");
}

#[test]
fn a_message_that_breaks_off_is_void() {
    let mut host = Host::selected(0);
    host.say("a APPEND INBOX {30}\r\nhalf");
    assert_eq!(host.eof(), "");
    assert_eq!(host.events[host.events.len() - 3..], ["Aborted", "Deselected", "Closed"]);
    assert_eq!(host.closed.as_deref(), Some("Closed(EndOfInput)"));
    assert!(host.inbox().messages.is_empty());
}

// ---- Rule 23: RFC 9051 §6.3.9

#[test]
fn an_empty_pattern_asks_for_the_separator() {
    let mut host = Host::logged_in();
    for reference in ["\"\"", "a", "\"x y\"", "{1+}\r\na"] {
        let said = host.say(format!("a LIST {reference} \"\"\r\n"));
        assert_eq!(said, "* LIST (\\Noselect) \"/\" \"\"\r\na OK done\r\n");
    }
    assert!(!host.events.contains(&"List".to_owned()));
}

#[test]
fn list_and_lsub_have_each_their_response() {
    let mut host = Host::logged_in();
    assert_eq!(host.say("a LIST \"\" %\r\n"), "* LIST (\\HasNoChildren) \"/\" INBOX\r\na OK done\r\n");
    assert_eq!(host.say("b LSUB \"\" x%\r\n"), "b OK done\r\n");
    assert_eq!(host.say("c LSUB \"\" INB*\r\n"), "* LSUB (\\HasNoChildren) \"/\" INBOX\r\nc OK done\r\n");
}

// ---- 2.6: what clients send

#[test]
fn store_takes_one_sign_and_separated_flags() {
    let mut host = Host::selected(1);
    for wrong in [
        "+-FLAGS ()",
        "++FLAGS ()",
        "FLAGS \\Seen\\Draft",
        "FLAGS",
        "FLAGS ",
        "FLAG ()",
        "+FLAGS (\\*)",
        "FLAGS (\\Foo)",
    ] {
        assert!(host.say(format!("a STORE 1 {wrong}\r\n")).starts_with("a BAD "), "{wrong}");
    }
    assert_eq!(
        host.say("b STORE 1 FLAGS (\\Recent \\Draft)\r\n"),
        "* 1 FETCH (FLAGS (\\Draft))\r\nb OK done\r\n"
    );
    assert_eq!(
        host.say("c STORE 1 FLAGS \\Seen \\Draft\r\n"),
        "* 1 FETCH (FLAGS (\\Seen \\Draft))\r\nc OK done\r\n"
    );
}

#[test]
fn select_tells_the_first_unseen_message() {
    let mut host = Host::selected(3);
    host.say("a STORE 1 +FLAGS (\\Seen)\r\n");
    assert!(host.say("b SELECT INBOX\r\n").contains("* OK [UNSEEN 2] "));
    host.say("c STORE 1:3 +FLAGS (\\Seen)\r\n");
    assert!(!host.say("d SELECT INBOX\r\n").contains("UNSEEN"));
}

#[test]
fn status_may_be_asked_of_any_mailbox() {
    let mut host = Host::selected(2);
    assert_eq!(
        host.say("a STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE)\r\n"),
        "* STATUS INBOX (MESSAGES 2 RECENT 0 UIDNEXT 3 UIDVALIDITY 7 UNSEEN 0 SIZE 44)\r\na OK done\r\n"
    );
    assert!(host.say("b STATUS INBOX ()\r\n").starts_with("b BAD "));
    assert!(host.say("c STATUS INBOX (FOO)\r\n").starts_with("c BAD "));
}

#[test]
fn the_size_limit_of_append_is_announced_and_kept() {
    let mut config = clear_text();
    config.limits.append = 10;
    let mut host = Host::with(config);
    assert!(host.say("a LOGIN fred secret\r\n").contains(" APPENDLIMIT=10"));
    assert_eq!(host.say("b APPEND INBOX {11}\r\n"), "b NO [TOOBIG] the message is too large\r\n");
    assert_eq!(
        host.say("c APPEND INBOX {11+}\r\n12345678901\r\nd NOOP\r\n"),
        "c NO [TOOBIG] the message is too large\r\nd OK done\r\n"
    );
    assert!(host.say("e APPEND INBOX {10+}\r\n1234567890\r\n").starts_with("e OK "));
}

#[test]
fn id_is_answered_in_every_state() {
    let mut config = clear_text();
    config.id = vec![(octets("name"), Some(octets("Mailwright"))), (octets("version"), None)];
    let mut host = Host::with(config);
    let answer = "* ID (\"name\" \"Mailwright\" \"version\" NIL)\r\na OK done\r\n";
    for arguments in ["NIL", "(\"name\" \"x\" \"os\" NIL)", "()", "({4+}\r\nname {1+}\r\nx)"] {
        assert_eq!(host.say(format!("a ID {arguments}\r\n")), answer, "{arguments}");
    }
    assert_eq!(host.events, ["Id"; 4]);
    for wrong in ["", " ", " (\"a\")", " (a b)", " (NIL \"x\")"] {
        assert!(Host::plain().say(format!("b ID{wrong}\r\n")).starts_with("b BAD "), "{wrong}");
    }
}

fn octets(text: &str) -> mailwright_imap::types::OctetString {
    mailwright_imap::types::OctetString::new(bytes::Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

// ---- What the grammar has and the server does not offer

#[test]
fn what_is_not_offered_is_refused_as_if_it_were_not_known() {
    let mut host = Host::selected(1);
    for text in [
        "ENABLE CONDSTORE",
        "SORT (DATE) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "ESEARCH IN (personal) ALL",
        "CANCELUPDATE \"x\"",
        "NOTIFY NONE",
        "GETMETADATA \"\" /shared/comment",
        "SETMETADATA \"\" (/shared/comment NIL)",
        "GETQUOTA \"\"",
        "GETQUOTAROOT INBOX",
        "SETQUOTA \"\" ()",
        "GETACL INBOX",
        "SETACL INBOX fred lr",
        "DELETEACL INBOX fred",
        "LISTRIGHTS INBOX fred",
        "MYRIGHTS INBOX",
        "COMPRESS DEFLATE",
        "UNAUTHENTICATE",
        "XLIST \"\" *",
        "UID REPLACE 1 INBOX {3+}\r\nabc",
        "APPEND INBOX ~{3+}\r\nabc",
        "APPEND INBOX UTF8 (~{3+}\r\nabc)",
        "APPEND INBOX CATENATE (TEXT {3+}\r\nabc)",
        "SELECT INBOX (CONDSTORE)",
        "CREATE x (USE (\\Sent))",
        "LIST (SUBSCRIBED) \"\" *",
        "LIST \"\" (x y)",
        "LIST \"\" * RETURN (CHILDREN)",
        "STATUS INBOX (HIGHESTMODSEQ)",
        "FETCH 1 MODSEQ",
        "FETCH 1 (BINARY[])",
        "FETCH $ FLAGS",
        "FETCH 1 FLAGS (CHANGEDSINCE 1)",
        "STORE 1 (UNCHANGEDSINCE 1) FLAGS ()",
        "STORE 1 X-GM-LABELS (x)",
        "UID EXPUNGE $",
        "COPY $ INBOX",
        "SEARCH RETURN (COUNT) ALL",
        "SEARCH MODSEQ 1",
        "SEARCH NOT (OLDER 5)",
        "SEARCH UID $",
    ] {
        let said = host.say(format!("a {text}\r\nb NOOP\r\n"));
        assert!(said.starts_with("a BAD ") && said.ends_with("b OK done\r\n"), "{text}: {said}");
        assert_eq!(said.lines().count(), 2, "{text}: {said}");
    }
    assert!(host.say("c CAPABILITY\r\n").starts_with("* CAPABILITY IMAP4rev1 "));
}

// ---- What is tolerated

#[test]
fn what_is_tolerated_is_told_and_strict_servers_refuse_it() {
    let mut host = Host::with(clear_text());
    host.events.clear();
    assert_eq!(host.say("a  NOOP \r\n"), "a OK done\r\n");
    assert_eq!(host.events.iter().filter(|event| *event == "Deviation").count(), 2);
    // Also before a message.
    let mut host = Host::logged_in();
    host.events.clear();
    host.say("b APPEND  INBOX  (\\Seen) {1+}\r\nx\r\n");
    assert_eq!(host.events.iter().filter(|event| *event == "Deviation").count(), 2);
    let mut config = clear_text();
    config.tolerance = Tolerance::Strict;
    let mut host = Host::with(config);
    assert_eq!(host.say("a NOOP \r\n"), "a BAD trailing white space, which is not tolerated\r\n");
    assert_eq!(host.say("b NOOP\n"), "b BAD bare LF, which is not tolerated\r\n");
    assert_eq!(host.say("c NOOP\r\n"), "c OK done\r\n");
}
