//! A mailbox of 100,000 messages: SELECT reads its header only, and every command works.

#![cfg(all(feature = "imap", feature = "testing"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod served;

use mailwright_core::value::{Domain, Flag, Mailbox, MailboxName, Secret, UidSet};
use mailwright_imap::server::{Config, Event, Server};
use mailwright_store::account::{Account as _, Append, Applied, Intent, Upload as _, Work};
use mailwright_store::directory::{NewAccount, PasswordCost};
use mailwright_store::engine::{Memory, block_on};
use mailwright_store::serve::Inline;
use mailwright_store::serve::imap::{Handler, Service};
use mailwright_store::testing::Faulty;
use mailwright_store::{Store, StoreConfig};
use served::{Conversation, Handles, NOW};

type Engine = Faulty<Memory>;
type Imap = Conversation<Server, Handler<Engine, Inline>>;

impl Handles<Server> for Handler<Engine, Inline> {
    fn handle_event(&mut self, session: &mut Server, event: Event) {
        block_on(self.handle(session, event, NOW));
    }
}

const MESSAGES: u32 = 100_000;

/// A store in which bob's INBOX has `thousands` of messages.
fn store(thousands: u32) -> Store<Engine> {
    let mut config = StoreConfig::default();
    config.directory.password = PasswordCost::for_tests();
    let store = block_on(Store::open(Faulty::new(Memory::new()), config, [7; 32])).unwrap();
    let domain: Domain = "example.org".parse().unwrap();
    block_on(store.directory().add_domain(&domain)).unwrap();
    let address: Mailbox = "bob@example.org".parse().unwrap();
    let id = block_on(store.create_account(NewAccount::new(address), NOW)).unwrap();
    let job = store.directory().password_job(&Secret::from("bob")).unwrap();
    block_on(store.directory().set_credentials(id, job.run().unwrap())).unwrap();
    if thousands == 0 {
        return store;
    }
    let account = store.account(id);
    let inbox = block_on(account.open(&MailboxName::inbox())).unwrap().info.id;
    let mut intents = Vec::new();
    for number in 1..=1000 {
        let mut upload = block_on(account.upload(None)).unwrap();
        let content =
            format!("Subject: number {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\ntext\r\n");
        block_on(upload.write(content.into())).unwrap();
        intents.push(Intent::Append(Append::new(block_on(upload.finish()).unwrap(), NOW)));
    }
    let applied = block_on(account.apply(inbox, Work::new(intents, NOW))).unwrap();
    let uid = |applied: &Applied| match applied {
        Applied::Appended { uid, .. } => *uid,
        other => panic!("{other:?}"),
    };
    let first: UidSet = applied.iter().map(uid).collect();
    for _ in 1..thousands {
        let copy = Intent::Copy { uids: first.clone(), to: inbox, remove: false };
        block_on(account.apply(inbox, Work::new(vec![copy], NOW))).unwrap();
    }
    store
}

fn log_in(store: &Store<Engine>) -> Imap {
    let service = Service::new(store.clone(), Inline);
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    service.configure(&mut config);
    let mut session = Conversation::new(Server::new(config, [4; 32]), service.handler());
    assert!(session.say("x LOGIN bob@example.org bob\r\n").starts_with("x OK "));
    session
}

/// What the engine is asked for by a command.
fn reads(store: &Store<Engine>, session: &mut Imap, command: &str) -> (usize, String) {
    let before = store.engine().reads();
    let said = session.say(format!("{command}\r\n"));
    (store.engine().reads() - before, said)
}

#[test]
fn select_reads_as_much_of_a_large_mailbox_as_of_an_empty_one() {
    let (empty, large) = (store(0), store(3));
    let (of_empty, _) = reads(&empty, &mut log_in(&empty), "a SELECT INBOX");
    let mut session = log_in(&large);
    let (of_large, said) = reads(&large, &mut session, "a SELECT INBOX");
    assert!(said.contains("* 3000 EXISTS\r\n") && said.ends_with("a OK [READ-WRITE] selected\r\n"), "{said}");
    assert_eq!(of_large, of_empty);
    assert_eq!(of_large, 2, "the name, and the header");
    // The columns are read when they are needed, once.
    let (first, said) = reads(&large, &mut session, "b FETCH 3000 FLAGS");
    assert_eq!(said, "* 3000 FETCH (FLAGS ())\r\nb OK done\r\n");
    assert!(first > 2, "{first}");
    let (second, said) = reads(&large, &mut session, "c FETCH 1 FLAGS");
    assert_eq!((second, &*said), (0, "* 1 FETCH (FLAGS ())\r\nc OK done\r\n"));
}

#[test]
fn every_command_works_on_a_hundred_thousand_messages() {
    let store = store(MESSAGES / 1000);
    let mut session = log_in(&store);
    let said = session.say("a SELECT INBOX\r\n");
    assert!(said.contains("* 100000 EXISTS\r\n"), "{said}");

    let said = session.say("b FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)\r\n");
    assert_eq!(said.matches(" FETCH (UID ").count(), 100_000);
    assert!(said.contains("\r\n* 100000 FETCH (UID 100000 FLAGS () INTERNALDATE "), "the last");

    let said = session.say("c UID FETCH 99999:* (ENVELOPE BODY.PEEK[])\r\n");
    assert_eq!(said.matches("\"number ").count(), 2, "{said}");

    let said = session.say("d STORE 1:50000 +FLAGS.SILENT (\\Seen $Label)\r\n");
    assert_eq!(said.lines().last(), Some("d OK done"));
    assert!(!said.contains(" FETCH "), "silent");
    let said = session.say("e SEARCH UNSEEN\r\n");
    assert_eq!(said.split(' ').count(), 2 + 50_000 + 2, "* SEARCH …, e OK done");
    assert!(said.starts_with("* SEARCH 50001 50002 "));
    assert_eq!(
        session.say("f STATUS INBOX (MESSAGES UNSEEN)\r\n"),
        "* STATUS INBOX (MESSAGES 100000 UNSEEN 50000)\r\nf OK done\r\n"
    );

    let said = session.say("g COPY 1:10000 Archive\r\n");
    assert!(said.starts_with("g OK [COPYUID ") && said.contains(" 1:10000 1:10000] "), "{said}");
    let said = session.say("h MOVE 90001:100000 Trash\r\n");
    assert!(said.starts_with("* OK [COPYUID ") && said.contains(" 90001:100000 1:10000] "));
    assert!(said.contains("* 100000 EXPUNGE\r\n") && said.contains("* 90001 EXPUNGE\r\n"));
    assert_eq!(said.matches(" EXPUNGE\r\n").count(), 10_000);

    let said = session.say("i STORE 1:89999 +FLAGS.SILENT (\\Deleted)\r\n");
    assert_eq!(said.lines().last(), Some("i OK done"));
    let said = session.say("j EXPUNGE\r\n");
    assert_eq!(said.matches(" EXPUNGE\r\n").count(), 89_999);
    assert!(session.say("k UID SEARCH SUBJECT number\r\n").starts_with("* SEARCH 90000\r\n"));
    assert_eq!(session.say("l CLOSE\r\n"), "l OK done\r\n");

    let id = block_on(store.directory().find_account("bob@example.org")).unwrap().unwrap();
    let inbox = block_on(store.account(id).open(&MailboxName::inbox())).unwrap();
    assert_eq!((inbox.info.exists, inbox.columns.len()), (1, 1));
    assert!(!inbox.columns.rows().any(|row| row.has(&Flag::Seen)));
}
