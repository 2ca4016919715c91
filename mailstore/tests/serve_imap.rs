//! The driver of IMAP over the memory store, without sockets.

#![cfg(all(feature = "imap", feature = "smtp"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod served;

use mailwright_imap::server::{Config, Event, Server};
use mailwright_smtp::server::Protocol;
use mailwright_store::engine::{Memory, block_on};
use mailwright_store::serve::Inline;
use mailwright_store::serve::imap::{Handler, Service};
use served::receiving::receive;
use served::{Conversation, Handles, NOW, World};

type Imap = Conversation<Server, Handler<Memory, Inline>>;

impl Handles<Server> for Handler<Memory, Inline> {
    fn handle_event(&mut self, session: &mut Server, event: Event) {
        block_on(self.handle(session, event, NOW));
    }
}

fn log_in(world: &World, name: &str) -> Imap {
    let service = Service::new(world.store.clone(), Inline);
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    service.configure(&mut config);
    let mut session = Conversation::new(Server::new(config, [4; 32]), service.handler());
    assert!(session.say(format!("x LOGIN {name}@example.org {name}\r\n")).starts_with("x OK "));
    session
}

fn select(world: &World, name: &str) -> Imap {
    let mut session = log_in(world, name);
    assert!(session.say("x SELECT INBOX\r\n").ends_with("x OK [READ-WRITE] selected\r\n"));
    session
}

fn deliver(world: &World, content: &str) {
    let mut session = receive(world, Protocol::Lmtp);
    session.say("LHLO client.test\r\nMAIL FROM:<s@else.test>\r\nRCPT TO:<bob@example.org>\r\n");
    let said = session.say(format!("DATA\r\n{content}.\r\n"));
    assert!(said.contains("250 2.0.0"), "{said}");
}

const MULTIPART: &str = "From: Sender <s@else.test>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
    Date: Wed, 17 Jul 1996 02:23:25 -0700\r\nMessage-ID: <1@else.test>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nplain text\r\n--b\r\n\
    Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+RsO8bmY8L2I+\r\n--b--\r\n";

#[test]
fn a_delivered_message_is_listed_described_and_read() {
    let world = World::new();
    deliver(&world, MULTIPART);
    let mut session = select(&world, "bob");
    let said = session.say("a FETCH 1 (ENVELOPE BODYSTRUCTURE RFC822.SIZE)\r\n");
    assert!(
        said.contains("ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700\" \"=?utf-8?q?Gr=C3=BC=C3=9Fe?=\" ((\"Sender\" NIL \"s\" \"else.test\"))"),
        "{said}"
    );
    assert!(
        said.contains("\"text\" \"plain\"") && said.contains("\"MIXED\"") || said.contains("\"mixed\""),
        "{said}"
    );
    let whole = &world.inbox(world.bob)[0];
    assert_eq!(
        session.say("b FETCH 1 BODY.PEEK[]\r\n"),
        format!("* 1 FETCH (BODY[] {{{}}}\r\n{whole})\r\nb OK done\r\n", whole.len())
    );
    let header = &whole[..whole.find("\r\n\r\n").unwrap() + 4];
    assert_eq!(
        session.say("c FETCH 1 RFC822.HEADER\r\n"),
        format!("* 1 FETCH (RFC822.HEADER {{{}}}\r\n{header})\r\nc OK done\r\n", header.len()),
        "with the trace that delivery added"
    );
    assert_eq!(
        session.say("d FETCH 1 BODY.PEEK[1]\r\n"),
        "* 1 FETCH (BODY[1] {10}\r\nplain text)\r\nd OK done\r\n"
    );
    assert_eq!(
        session.say("e FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject Delivered-To)]\r\n"),
        "* 1 FETCH (BODY[HEADER.FIELDS (Subject Delivered-To)] {71}\r\nDelivered-To: bob@example.org\r\n\
         Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n)\r\ne OK done\r\n"
    );
    assert_eq!(session.say("f FETCH 1 BODY.PEEK[7]\r\n"), "* 1 FETCH (BODY[7] NIL)\r\nf OK done\r\n");
    assert_eq!(
        session.say("g FETCH 1 BODY[2]<4.5>\r\n"),
        "* 1 FETCH (FLAGS (\\Seen) BODY[2]<4> {5}\r\nRsO8b)\r\ng OK done\r\n",
        "reading sets the flag"
    );
}

#[test]
fn what_one_session_does_the_other_sees() {
    let world = World::new();
    (0..4).for_each(|number| deliver(&world, &format!("Subject: {number}\r\n\r\n")));
    let (mut one, mut other) = (select(&world, "bob"), select(&world, "bob"));
    assert_eq!(one.say("a STORE 2 +FLAGS (\\Flagged $Work)\r\n").lines().last(), Some("a OK done"));
    assert_eq!(
        other.say("a NOOP\r\n"),
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work)\r\n\
         * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work \\*)] flags that can be changed\r\n\
         * 2 FETCH (UID 2 FLAGS (\\Flagged $Work))\r\na OK done\r\n"
    );
    assert_eq!(
        one.say("b UID MOVE 1,3 Archive\r\n"),
        "* OK [COPYUID 1600000005 1,3 1:2] moved\r\n* 3 EXPUNGE\r\n* 1 EXPUNGE\r\nb OK done\r\n"
    );
    other.say("b IDLE\r\n");
    deliver(&world, "Subject: new\r\n\r\n");
    block_on(other.handler.changed());
    block_on(other.handler.refresh(&mut other.session));
    assert_eq!(other.say("DONE\r\n"), "* 3 EXISTS\r\n* 1 RECENT\r\nb OK done\r\n");
    assert_eq!(
        one.say("c STATUS Archive (MESSAGES UIDNEXT)\r\n"),
        "* STATUS Archive (MESSAGES 2 UIDNEXT 3)\r\n* 3 EXISTS\r\n* 1 RECENT\r\nc OK done\r\n"
    );
}

#[test]
fn a_message_that_another_session_removed_is_told_late_and_never_mixed_up() {
    let world = World::new();
    (1..=3).for_each(|number| deliver(&world, &format!("Subject: {number}\r\n\r\n")));
    let (mut one, mut other) = (select(&world, "bob"), select(&world, "bob"));
    one.say("a STORE 2 +FLAGS.SILENT \\Deleted\r\nb EXPUNGE\r\n");
    let said = other.say("a FETCH 1:3 BODY.PEEK[HEADER.FIELDS (Subject)]\r\n");
    assert!(said.contains("Subject: 1") && said.contains("Subject: 3"), "{said}");
    assert!(said.ends_with("a OK done\r\n") || said.ends_with("a OK [EXPUNGEISSUED] done\r\n"), "{said}");
    assert_eq!(other.say("b NOOP\r\n"), "* 2 EXPUNGE\r\nb OK done\r\n");
    assert_eq!(other.say("c FETCH 2 UID\r\n"), "* 2 FETCH (UID 3)\r\nc OK done\r\n");
}

#[test]
fn appended_messages_keep_flags_and_date() {
    let world = World::new();
    let mut session = select(&world, "bob");
    session.say("a APPEND INBOX (\\Seen $x) \" 7-Feb-1994 21:52:25 -0800\" {6+}\r\nhello!\r\n");
    assert_eq!(
        session.say("b FETCH 1 (FLAGS INTERNALDATE RFC822)\r\n"),
        "* 1 FETCH (FLAGS (\\Seen $x \\Recent) INTERNALDATE \" 7-Feb-1994 21:52:25 -0800\" RFC822 {6}\r\nhello!)\r\nb OK done\r\n"
    );
    assert_eq!(
        session.say("c APPEND Nowhere {1+}\r\nx\r\n"),
        "c NO [TRYCREATE] no such mailbox: create it first\r\n"
    );
    session.say("d APPEND INBOX {100}\r\n");
    session.say("half");
    session.end();
    assert_eq!(world.inbox(world.bob).len(), 1);
    assert_eq!(world.blobs(), 1);
}

#[test]
fn mailboxes_are_made_renamed_removed_and_subscribed() {
    let world = World::new();
    let mut session = log_in(&world, "bob");
    let list = session.say("a LIST \"\" *\r\n");
    for line in [
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n",
        "* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\r\n",
        "* LIST (\\HasNoChildren \\Sent) \"/\" Sent\r\n",
        "* LIST (\\HasNoChildren \\Junk) \"/\" Junk\r\n",
        "* LIST (\\HasNoChildren \\Trash) \"/\" Trash\r\n",
        "* LIST (\\HasNoChildren \\Archive) \"/\" Archive\r\n",
    ] {
        assert!(list.contains(line), "{list}");
    }
    assert_eq!(session.say("b CREATE Work/Old/2023/\r\n"), "b OK done\r\n");
    assert_eq!(session.say("c LIST \"\" Work%\r\n"), "* LIST (\\HasChildren) \"/\" Work\r\nc OK done\r\n");
    session.say("d APPEND Work/Old/2023 {1+}\r\nx\r\n");
    assert_eq!(session.say("e RENAME Work/Old Done\r\n"), "e OK done\r\n");
    assert_eq!(
        session.say("f LIST \"\" Done*\r\n"),
        "* LIST (\\HasChildren) \"/\" Done\r\n* LIST (\\HasNoChildren) \"/\" Done/2023\r\nf OK done\r\n"
    );
    assert_eq!(
        session.say("g STATUS Done/2023 (MESSAGES)\r\n"),
        "* STATUS Done/2023 (MESSAGES 1)\r\ng OK done\r\n"
    );
    assert_eq!(session.say("h DELETE Done\r\n"), "h OK done\r\n");
    assert_eq!(
        session.say("i LIST \"\" Done*\r\n"),
        "* LIST (\\Noselect \\HasChildren) \"/\" Done\r\n* LIST (\\HasNoChildren) \"/\" Done/2023\r\ni OK done\r\n"
    );
    session.say("j SELECT Done/2023\r\n");
    session.say("k STORE 1 +FLAGS.SILENT \\Seen\r\n");
    session.say("l UNSELECT\r\n");
    assert_eq!(session.say("m DELETE Done/2023\r\n"), "m OK done\r\n");
    assert_eq!(session.say("n LIST \"\" Done*\r\n"), "n OK done\r\n");
    assert_eq!(world.blobs(), 0, "the octets are freed");
    for (command, code) in [
        ("DELETE INBOX", "NO [CANNOT]"),
        ("DELETE Nowhere", "NO [NONEXISTENT]"),
        ("CREATE Sent", "NO [ALREADYEXISTS]"),
        ("CREATE ../x", "NO [CANNOT]"),
        ("RENAME Sent Sent/below", "NO [CANNOT]"),
        ("RENAME Sent Drafts", "NO [ALREADYEXISTS]"),
        ("RENAME Nowhere x", "NO [NONEXISTENT]"),
    ] {
        assert!(session.say(format!("o {command}\r\n")).starts_with(&format!("o {code}")), "{command}");
    }
    assert_eq!(session.say("p SUBSCRIBE Lists/a\r\n"), "p OK done\r\n");
    assert_eq!(session.say("q UNSUBSCRIBE Junk\r\n"), "q OK done\r\n");
    let subscribed = session.say("r LSUB \"\" %\r\n");
    assert!(
        subscribed.contains("* LSUB (\\Noselect) \"/\" Lists\r\n") && !subscribed.contains("Junk"),
        "{subscribed}"
    );
    assert_eq!(session.say("s LSUB \"\" Lists*\r\n"), "* LSUB () \"/\" Lists/a\r\ns OK done\r\n");
}

#[test]
fn renaming_inbox_moves_its_messages() {
    let world = World::new();
    deliver(&world, "Subject: a\r\n\r\n");
    let mut session = log_in(&world, "bob");
    assert_eq!(session.say("a RENAME INBOX Old\r\n"), "a OK done\r\n");
    assert!(world.inbox(world.bob).is_empty());
    assert_eq!(session.say("b STATUS Old (MESSAGES)\r\n"), "* STATUS Old (MESSAGES 1)\r\nb OK done\r\n");
    deliver(&world, "Subject: b\r\n\r\n");
    assert_eq!(world.inbox(world.bob).len(), 1);
}

#[test]
fn a_removed_mailbox_comes_back_with_a_greater_uidvalidity() {
    let world = World::new();
    let mut session = log_in(&world, "bob");
    let validity = |session: &mut Imap| {
        let said = session.say("v STATUS x (UIDVALIDITY)\r\n");
        said.split("UIDVALIDITY ").nth(1).unwrap().split(')').next().unwrap().parse::<u32>().unwrap()
    };
    session.say("a CREATE x\r\n");
    let before = validity(&mut session);
    session.say("b DELETE x\r\nc CREATE x\r\n");
    assert!(validity(&mut session) > before);
}

#[test]
fn a_mailbox_that_disappears_ends_the_sessions_in_it() {
    let world = World::new();
    let (mut one, mut other) = (log_in(&world, "bob"), log_in(&world, "bob"));
    one.say("a CREATE x\r\n");
    other.say("a SELECT x\r\n");
    one.say("b DELETE x\r\n");
    assert!(other.say("b NOOP\r\n").starts_with("* BYE [UNAVAILABLE] "));
}

#[test]
fn searches_look_at_flags_dates_headers_and_decoded_text() {
    let world = World::new();
    deliver(&world, MULTIPART);
    deliver(&world, "Subject: second\r\nFrom: other@else.test\r\nX-Mark: yes\r\n\r\nnothing here\r\n");
    let mut session = select(&world, "bob");
    session.say("x STORE 2 +FLAGS.SILENT (\\Flagged $k)\r\n");
    for (keys, found) in [
        ("ALL", " 1 2"),
        ("FLAGGED", " 2"),
        ("NOT KEYWORD $k", " 1"),
        ("SUBJECT \"grü\"", " 1"),
        ("FROM sender", " 1"),
        ("FROM else.test NOT SUBJECT second", " 1"),
        ("HEADER X-Mark \"\"", " 2"),
        ("HEADER X-Mark no", ""),
        ("BODY \"plain TEXT\"", " 1"),
        ("BODY nothing", " 2"),
        ("TEXT second", " 2"),
        ("OR BODY nothing SUBJECT absent", " 2"),
        ("SENTON 17-Jul-1996", " 1"),
        ("SENTBEFORE 18-Jul-1996", " 1"),
        ("SINCE 13-Sep-2020", " 1 2"),
        ("BEFORE 13-Sep-2020", ""),
        ("LARGER 400 SMALLER 100000", " 1"),
        ("UID 2:* UNDELETED", " 2"),
        ("1 TO bob", " 1"),
    ] {
        assert_eq!(
            session.say(format!("a SEARCH {keys}\r\n")),
            format!("* SEARCH{found}\r\na OK done\r\n"),
            "{keys}"
        );
    }
    let mut said = session.say("b SEARCH CHARSET UTF-8 SUBJECT {6+}\r\n");
    said += &session.say("Grüß\r\n");
    assert_eq!(said, "* SEARCH 1\r\nb OK done\r\n");
    said = session.say("c SEARCH CHARSET UTF-8 BODY {5+}\r\nFünf\r\n");
    assert_eq!(said, "* SEARCH 1\r\nc OK done\r\n", "decoded from base64");
    assert!(session.say("d SEARCH CHARSET KOI8-R ALL\r\n").starts_with("d NO [BADCHARSET (US-ASCII UTF-8)]"));
}

#[test]
fn over_quota_nothing_is_appended_or_copied() {
    let world = World::new();
    deliver(&world, "Subject: a\r\n\r\n");
    block_on(world.store.set_quota(world.bob, Some(300), None)).unwrap();
    let mut session = select(&world, "bob");
    assert!(session.say("a APPEND INBOX {500+}\r\n").is_empty());
    assert!(session.say(format!("{}\r\n", "x".repeat(500))).starts_with("a NO [OVERQUOTA]"));
    assert!(session.say("b COPY 1 Sent\r\n").starts_with("b NO [OVERQUOTA]"));
    assert!(session.say("c MOVE 1 Sent\r\n").contains("c OK done"), "moving takes no room");
}
