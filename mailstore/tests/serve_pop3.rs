//! The driver of POP3 over the memory store, without sockets.

#![cfg(all(feature = "pop3", feature = "smtp", feature = "testing"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod served;

use mailwright_core::value::{MailboxName, UidSet, UnixTime};
use mailwright_pop3::server::{Config, Event, Server};
use mailwright_store::account::{Account as _, Intent, Work};
use mailwright_store::engine::{Blobs, Engine, Memory, block_on};
use mailwright_store::serve::Inline;
use mailwright_store::serve::pop3::{Handler, Service};
use mailwright_store::testing::{Fault, Faulty};
use mailwright_store::{AccountId, Store};
use served::{Conversation, Handles, NOW, World};

type Pop3 = Conversation<Server, Handler<Memory, Inline>>;

impl<E: Engine + Blobs> Handles<Server> for Handler<E, Inline> {
    fn handle_event(&mut self, session: &mut Server, event: Event) {
        block_on(self.handle(session, event, NOW));
    }
}

fn connect(world: &World) -> Pop3 {
    converse(&world.store)
}

fn converse<E: Engine + Blobs>(store: &Store<E>) -> Conversation<Server, Handler<E, Inline>> {
    let service = Service::new(store.clone(), Inline);
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    service.configure(&mut config);
    Conversation::new(Server::new(config, [9; 32]), service.handler())
}

fn log_in(world: &World, name: &str) -> (Pop3, String) {
    let mut session = connect(world);
    session.say(format!("USER {name}@example.org\r\n"));
    let said = session.say(format!("PASS {name}\r\n"));
    (session, said)
}

fn open(world: &World, name: &str) -> Pop3 {
    let (session, said) = log_in(world, name);
    assert!(said.starts_with("+OK"), "{said}");
    session
}

/// Stores messages for bob, as they are.
fn append(world: &World, contents: &[&[u8]]) {
    append_to(&world.store, world.bob, contents);
}

fn append_to<E: Engine + Blobs>(store: &Store<E>, account: AccountId, contents: &[&[u8]]) {
    use mailwright_store::account::{Append, Upload as _};
    let account = store.account(account);
    let inbox = block_on(account.open(&MailboxName::inbox())).unwrap().info.id;
    for content in contents {
        let mut upload = block_on(account.upload(None)).unwrap();
        block_on(upload.write(bytes::Bytes::copy_from_slice(content))).unwrap();
        let append = Append::new(block_on(upload.finish()).unwrap(), NOW);
        block_on(account.apply(inbox, Work::new(vec![Intent::Append(append)], NOW))).unwrap();
    }
}

fn expunge(world: &World, uids: &UidSet) {
    let account = world.store.account(world.bob);
    let inbox = block_on(account.open(&MailboxName::inbox())).unwrap().info.id;
    block_on(account.apply(inbox, Work::new(vec![Intent::Expunge(uids.clone())], NOW))).unwrap();
    let later = UnixTime::from_seconds(NOW.as_seconds() + 1_000_000);
    block_on(world.store.maintain(later, 1000)).unwrap();
}

#[test]
fn the_maildrop_is_the_inbox() {
    let world = World::new();
    append(&world, &[b"A: 1\r\n\r\n.x\r\n", b"bare\nlf", b""]);
    let mut session = open(&world, "bob");
    assert_eq!(session.say("STAT\r\n"), "+OK 3 22\r\n");
    assert_eq!(session.say("LIST 2\r\n"), "+OK 2 10\r\n");
    assert_eq!(session.say("RETR 1\r\n"), "+OK 12 octets\r\nA: 1\r\n\r\n..x\r\n.\r\n");
    assert_eq!(session.say("RETR 2\r\n"), "+OK 10 octets\r\nbare\r\nlf\r\n.\r\n");
    let octets = |said: &str| said.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    let empty = session.say("RETR 3\r\n");
    let listed = session.say("LIST 3\r\n");
    let sent = empty.split_once("\r\n").unwrap().1.strip_suffix(".\r\n").unwrap().len() as u64;
    assert_eq!(octets(&empty), sent, "the announced size is what is sent");
    assert_eq!(listed, format!("+OK 3 {sent}\r\n"));
}

#[test]
fn unique_ids_are_uidvalidity_and_uid_and_stay() {
    let world = World::new();
    append(&world, &[b"a\r\n", b"b\r\n", b"c\r\n"]);
    let mut session = open(&world, "bob");
    let listing = session.say("UIDL\r\n");
    let ids: Vec<&str> = listing
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.split_once('.'))
        .map(|(_, uid)| uid)
        .collect();
    assert_eq!(ids, ["1", "2", "3"]);
    let third = session.say("UIDL 3\r\n");
    session.say("DELE 1\r\nQUIT\r\n");
    let mut session = open(&world, "bob");
    assert_eq!(session.say("UIDL 2\r\n").split(' ').nth(2), third.split(' ').nth(2));
}

#[test]
fn only_quit_removes_and_it_removes_all_at_once() {
    let world = World::new();
    append(&world, &[b"a\r\n", b"b\r\n", b"c\r\n", b"d\r\n"]);
    let mut session = open(&world, "bob");
    session.say("DELE 1\r\nDELE 2\r\n");
    session.end();
    assert_eq!(world.inbox(world.bob).len(), 4);
    let mut session = open(&world, "bob");
    session.say("DELE 2\r\nDELE 4\r\n");
    assert!(session.say("QUIT\r\n").starts_with("+OK"));
    assert_eq!(world.inbox(world.bob), ["a\r\n", "c\r\n"]);
    assert_eq!(world.blobs(), 2, "octets are freed");
}

#[test]
fn a_second_session_waits_for_the_end_of_the_first_whatever_it_is() {
    let world = World::new();
    let mut first = open(&world, "bob");
    assert!(log_in(&world, "bob").1.starts_with("-ERR [IN-USE]"));
    assert!(log_in(&world, "alice").1.starts_with("+OK"), "another maildrop");
    first.say("QUIT\r\n");
    let mut second = open(&world, "bob");
    second.end();
    let third = open(&world, "bob");
    drop(third);
    let mut fourth = open(&world, "bob");
    fourth.session.abort();
    fourth.end();
    open(&world, "bob");
}

#[test]
fn a_session_reads_its_snapshot_whatever_others_do() {
    let world = World::new();
    append(&world, &[b"a\r\n", b"b\r\n"]);
    let mut session = open(&world, "bob");
    append(&world, &[b"new\r\n"]);
    expunge(&world, &"1:2".parse().unwrap());
    assert_eq!(session.say("STAT\r\n"), "+OK 2 6\r\n");
    assert_eq!(session.say("RETR 1\r\n"), "+OK 3 octets\r\na\r\n.\r\n", "pinned");
    assert_eq!(session.say("DELE 1\r\n").get(..3), Some("+OK"));
    assert!(session.say("QUIT\r\n").starts_with("+OK"), "those already gone count as removed");
    assert_eq!(world.inbox(world.bob), ["new\r\n"]);
    assert_eq!(world.blobs(), 1);
}

#[test]
fn a_store_that_fails_at_quit_is_told_and_nothing_is_lost() {
    for fault in [Fault::Full, Fault::Io, Fault::UnknownNotDone, Fault::UnknownDone, Fault::Conflict] {
        let store = World::populate(Faulty::new(Memory::new()));
        let (store, bob) = (store.0, store.1);
        append_to(&store, bob, &[b"a\r\n", b"b\r\n", b"c\r\n"]);
        let mut session = converse(&store);
        session.say("USER bob@example.org\r\nPASS bob\r\nDELE 2\r\n");
        // Each try of the commit meets it.
        store.engine().commits_do([Some(fault); 50]);
        let said = session.say("QUIT\r\n");
        store.engine().commits_do([]);
        let mut again = converse(&store);
        let opened = again.say("USER bob@example.org\r\nPASS bob\r\nSTAT\r\n");
        assert!(!opened.contains("[IN-USE]"), "{fault:?} the lock is free: {opened}");
        let left = again.say("RETR 1\r\nRETR 3\r\n");
        if said.starts_with("+OK") {
            assert!(opened.ends_with("+OK 2 6\r\n"), "{fault:?} {said} {opened}");
            assert!(again.say("RETR 2\r\n").contains("\r\nc\r\n"));
        } else {
            assert!(said.starts_with("-ERR [SYS/"), "{fault:?} {said}");
            assert!(left.contains("\r\na\r\n"), "{fault:?} {left}");
            if fault != Fault::UnknownDone {
                assert!(opened.ends_with("+OK 3 9\r\n"), "{fault:?} {opened}");
                assert!(again.say("RETR 2\r\n").contains("\r\nb\r\n"));
            }
        }
        assert!(
            matches!(fault, Fault::Conflict | Fault::UnknownDone) || said.starts_with("-ERR"),
            "{fault:?} {said}"
        );
    }
}

#[test]
fn utf8_in_a_header_goes_only_to_who_has_said_utf8() {
    let world = World::new();
    let messages: [&[u8]; 5] = [
        b"Subject: plain\r\n\r\n\xc3\xa4 in the body\r\n",
        b"Subject: gr\xc3\xbcn\r\n\r\nx\r\n",
        b"Subject: latin \xfc\r\n\r\nx\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: \xc3\xa4\r\n\r\nx\r\n--b--\r\n",
        b"X: \xe2\x82\xac",
    ];
    append(&world, &messages);
    let mut session = open(&world, "bob");
    let refused = "-ERR [UTF8] the message needs UTF8\r\n";
    for (number, _) in (1..).zip(messages) {
        let withheld = [2, 5].contains(&number);
        for line in [format!("LIST {number}"), format!("RETR {number}"), format!("TOP {number} 0")] {
            session.input.extend_from_slice(format!("{line}\r\n").as_bytes());
            let said = session.said();
            assert_eq!(said == refused.as_bytes(), withheld, "{line} {}", said.escape_ascii());
        }
        assert!(session.say(format!("UIDL {number}\r\n")).starts_with("+OK"));
    }
    session.end();
    let mut session = connect(&world);
    session.say("UTF8\r\nUSER bob@example.org\r\nPASS bob\r\n");
    for (number, message) in (1..).zip(messages) {
        session.input.extend_from_slice(format!("RETR {number}\r\n").as_bytes());
        let said = session.said();
        let expected = [message, if number == 5 { b"\r\n.\r\n" } else { b".\r\n" }].concat();
        assert!(said.ends_with(&expected), "{number} {}", said.escape_ascii());
    }
}

#[test]
fn utf8_that_delivery_prepends_counts_and_a_copy_keeps_it() {
    use mailwright_store::account::{Append, Upload as _};
    let world = World::new();
    let account = world.store.account(world.bob);
    let inbox = block_on(account.open(&MailboxName::inbox())).unwrap().info.id;
    let mut upload = block_on(account.upload(None)).unwrap();
    block_on(upload.write(bytes::Bytes::from_static(b"Subject: x\r\n\r\n"))).unwrap();
    let mut append = Append::new(block_on(upload.finish()).unwrap(), NOW);
    append.prefix = bytes::Bytes::from_static("Return-Path: <jos\u{e9}@else.test>\r\n".as_bytes());
    let copy = Intent::Copy { uids: "1".parse().unwrap(), to: inbox, remove: false };
    block_on(account.apply(inbox, Work::new(vec![Intent::Append(append), copy], NOW))).unwrap();
    let mut session = open(&world, "bob");
    for number in [1, 2] {
        assert!(session.say(format!("RETR {number}\r\n")).starts_with("-ERR [UTF8]"));
    }
}

#[test]
fn capabilities_are_what_the_store_can_answer() {
    let world = World::new();
    let said = connect(&world).say("CAPA\r\n");
    assert!(said.contains("\r\nUTF8 USER\r\n") && said.contains("\r\nEXPIRE NEVER\r\n"), "{said}");
}

#[cfg(feature = "imap")]
#[test]
fn imap_sessions_and_deliveries_go_on_beside_an_open_maildrop() {
    use mailwright_imap::server::{Config, Server};
    use mailwright_store::serve::imap;

    let world = World::new();
    append(&world, &[b"a\r\n", b"b\r\n", b"c\r\n"]);
    let service = imap::Service::new(world.store.clone(), Inline);
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    service.configure(&mut config);
    let mut reader = Conversation::new(Server::new(config, [4; 32]), Imap(service.handler()));
    reader.say("a LOGIN bob@example.org bob\r\nb SELECT INBOX\r\n");
    let mut session = open(&world, "bob");
    // IMAP is not locked out; what it removes is still read here, and its new mail is not seen.
    assert!(reader.say("c STORE 1 +FLAGS (\\Deleted)\r\nd EXPUNGE\r\n").contains("* 1 EXPUNGE"));
    append(&world, &[b"new\r\n"]);
    assert_eq!(session.say("STAT\r\nRETR 1\r\n"), "+OK 3 9\r\n+OK 3 octets\r\na\r\n.\r\n");
    assert!(
        session.say("DELE 1\r\nDELE 2\r\nQUIT\r\n").ends_with("+OK goodbye, marked messages removed\r\n")
    );
    // And what POP3 removed, IMAP is told.
    let said = reader.say("e NOOP\r\n");
    assert!(said.contains("* 1 EXPUNGE") && said.contains("* 2 EXISTS"), "{said}");
    assert_eq!(world.inbox(world.bob), ["c\r\n", "new\r\n"]);
}

/// IMAP events for its own handler.
#[cfg(feature = "imap")]
struct Imap(mailwright_store::serve::imap::Handler<Memory, Inline>);

#[cfg(feature = "imap")]
impl Handles<mailwright_imap::server::Server> for Imap {
    fn handle_event(
        &mut self,
        session: &mut mailwright_imap::server::Server,
        event: mailwright_imap::server::Event,
    ) {
        block_on(self.0.handle(session, event, NOW));
    }
}

#[test]
fn a_large_message_is_sent_as_there_is_room() {
    let world = World::new();
    let content: String = (0..5000).map(|line| format!(".{line}\r\n")).collect();
    append(&world, &[content.as_bytes()]);
    let mut session = open(&world, "bob");
    let said = session.say("RETR 1\r\nNOOP\r\n");
    let expected = content.replace("\r\n.", "\r\n..");
    assert_eq!(said, format!("+OK {} octets\r\n.{expected}.\r\n+OK\r\n", content.len()));
    let top = session.say("TOP 1 2\r\n");
    assert!(top.starts_with("+OK"), "{top}");
}

#[test]
fn credentials_are_judged_by_the_directory() {
    let world = World::new();
    block_on(world.store.directory().set_disabled(world.carol, true)).unwrap();
    let mut answers = Vec::new();
    for (name, password) in [("bob", "wrong"), ("nobody", "x"), ("carol", "carol")] {
        let mut session = connect(&world);
        session.say(format!("USER {name}@example.org\r\n"));
        answers.push(session.say(format!("PASS {password}\r\n")));
    }
    assert!(answers[0].starts_with("-ERR [AUTH]"), "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "they look alike: {answers:?}");
}
