//! Client and server of this crate joined in memory, with a wire that cuts as it likes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;
mod peer;

use std::collections::BTreeMap;

use host::{Answers, Folder, keyword};
use mailwright_core::session::{Progress, Session as _, Task};
use mailwright_core::testing::{self, Note, Numbers, PairError};
use mailwright_imap::client::tasks::{
    Append, Copy, Expunge, Fetch, Gone, Idle, List, LoggedIn, Login, LoginError, Logout, Manage, MessageData,
    Move, News, Search, Select, Status, Store, TaskError,
};
use mailwright_imap::client::{self, Client};
use mailwright_imap::server::Server;
use mailwright_imap::types::{
    Code, FetchAttribute, FetchItem, Partial, SearchKey, Section, StatusItem, StoreAction,
};
use mailwright_imap::value::{Flag, Uid};
use mailwright_sasl::{Credentials, MechanismName};
use peer::{append, clear_text, credentials, mailbox, numbers, string, uids};
use proptest::prelude::*;

/// Hears what no task takes.
#[derive(Default)]
struct Listener {
    heard: Vec<String>,
}

impl testing::Host<Client> for Listener {
    fn handle(&mut self, _: &mut Client, event: client::Event) -> Note {
        self.heard.push(format!("{event:?}"));
        match event {
            client::Event::Closed(reason) => Note::Closed(format!("{reason:?}")),
            event => Note::debug(&event),
        }
    }
}

/// The items of a task and its end.
type Ran<T> =
    (Vec<<T as Task<Client>>::Item>, Result<<T as Task<Client>>::Output, <T as Task<Client>>::Error>);

struct Pair(testing::Pair<Client, Listener, Server, Answers>);

impl Pair {
    fn new(seed: u64) -> Self {
        Self::with(clear_text(), host::clear_text(), Answers::default(), seed)
    }

    fn with(
        client: client::Config,
        server: mailwright_imap::server::Config,
        answers: Answers,
        seed: u64,
    ) -> Self {
        let client = Client::new(client, [1; 32]);
        let server = Server::new(server, [7; 32]);
        Self(testing::Pair::new((client, Listener::default()), (server, answers), seed))
    }

    /// With someone logged in and INBOX selected, which holds these messages.
    fn selected(messages: &[&[u8]], seed: u64) -> Self {
        let mut pair = Self::new(seed);
        for message in messages {
            pair.inbox(|inbox| inbox.add(message, &[]));
        }
        pair.log_in();
        pair.run(Select::new(mailbox("INBOX"))).1.unwrap();
        pair
    }

    fn client(&mut self) -> &mut Client {
        &mut self.0.client.session
    }

    fn inbox<T>(&mut self, work: impl FnOnce(&mut Folder) -> T) -> T {
        work(&mut self.0.server.host.inbox())
    }

    fn run<T: Task<Client>>(&mut self, task: T) -> Ran<T> {
        let mut items = Vec::new();
        let result = match self.0.run(task, |_, item| items.push(item)) {
            Ok(output) => Ok(output),
            Err(PairError::Task(error)) => Err(error),
            Err(PairError::Broken(broken)) => panic!("{broken}"),
            Err(PairError::Stuck(stuck)) => panic!("nothing moves any more: {stuck}"),
            Err(_) => panic!("an unknown error"),
        };
        (items, result)
    }

    fn log_in(&mut self) -> LoggedIn {
        self.run(Login::new(credentials())).1.unwrap()
    }

    /// The client's next event.
    fn event(&mut self) -> Option<client::Event> {
        loop {
            if let Some(event) = self.client().poll_event() {
                return Some(event);
            }
            if !self.0.step().unwrap() {
                return None;
            }
        }
    }

    /// UID and content of each message.
    fn contents(&mut self, task: Fetch) -> BTreeMap<u32, Vec<u8>> {
        let (items, result) = self.run(task);
        result.unwrap();
        let mut found = BTreeMap::new();
        let (mut uid, mut body) = (0, Vec::new());
        for item in items {
            match item {
                MessageData::Begin { .. } => (uid, body) = (0, Vec::new()),
                MessageData::Item(FetchItem::Uid(value)) => uid = value.get(),
                MessageData::Chunk(octets) => body.extend_from_slice(&octets),
                MessageData::End => assert!(found.insert(uid, core::mem::take(&mut body)).is_none()),
                _ => {}
            }
        }
        found
    }
}

fn body(peek: bool, partial: Option<Partial>) -> FetchAttribute {
    FetchAttribute::BodySection { peek, section: Section::whole(), partial }
}

fn search(key: SearchKey) -> mailwright_imap::types::Search {
    mailwright_imap::types::Search::new([key]).unwrap()
}

#[test]
fn a_session_does_all_that_tasks_can() {
    for seed in 0..30 {
        let mut pair = Pair::new(seed);
        assert_eq!(pair.log_in().mechanism, Some(MechanismName::PLAIN));
        let appended = pair.run(Append::new(append("INBOX"), &b"Subject: a\r\n\r\nhello\r\n"[..])).1.unwrap();
        assert_eq!(appended.uid.map(|(validity, uid)| (validity.get(), uid.get())), Some((7, 1)));
        pair.run(Append::new(append("INBOX"), &b"two\r\n"[..])).1.unwrap();

        let facts = pair.run(Select::new(mailbox("INBOX"))).1.unwrap();
        assert_eq!((facts.exists, facts.uid_next), (Some(2), Uid::new(3)));
        assert_eq!(facts.uid_validity.map(|value| value.get()), Some(7));
        assert!(facts.new_keywords && !facts.read_only && facts.flags.contains(&Flag::Seen));

        let all = pair.contents(Fetch::new(uids("1:*"), [FetchAttribute::Uid, body(true, None)]));
        assert_eq!(all[&1], b"Subject: a\r\n\r\nhello\r\n");
        assert_eq!(all[&2], b"two\r\n");
        let part = Partial { first: 9, count: 2 };
        let some = pair.contents(Fetch::new(numbers("1"), [FetchAttribute::Uid, body(true, Some(part))]));
        assert_eq!(some[&1], b"a\r");

        assert_eq!(pair.run(Search::uids(search(SearchKey::All))).1.unwrap(), [1, 2]);
        assert_eq!(pair.run(Search::numbers(search(SearchKey::Text(string("two"))))).1.unwrap(), [2]);

        let (items, result) = pair.run(Store::new(uids("2"), StoreAction::Add, [keyword("$Junk")]));
        result.unwrap();
        let flags = FetchItem::Flags { flags: vec![keyword("$Junk")], recent: false, other: vec![] };
        assert!(items.contains(&MessageData::Item(flags)), "{items:?}");
        let silent = Store::new(numbers("1"), StoreAction::Add, [Flag::Deleted]).silent();
        assert_eq!(pair.run(silent).0, []);

        pair.run(Manage::create(mailbox("Entwürfe"))).1.unwrap();
        let copied = pair.run(Copy::new(uids("1:2"), mailbox("Entwürfe"))).1.unwrap();
        let pairs: Vec<_> = copied.uids().map(|(from, to)| (from.get(), to.get())).collect();
        assert_eq!(pairs, [(1, 1), (2, 2)]);
        let (gone, moved) = pair.run(Move::new(numbers("2"), mailbox("Entwürfe")));
        assert_eq!(gone, [Gone::Number(2)]);
        assert_eq!(moved.unwrap().uids().count(), 1);
        assert_eq!(pair.run(Expunge::all()).0, [Gone::Number(1)]);

        let (listed, result) = pair.run(List::new(string(""), string("*")));
        result.unwrap();
        let names: Vec<_> = listed.iter().map(|listed| listed.mailbox.clone()).collect();
        assert_eq!(names, [mailbox("Entwürfe"), mailbox("INBOX")]);
        let status = pair.run(Status::new(mailbox("Entwürfe"), [StatusItem::Messages])).1.unwrap();
        assert_eq!(status, [(StatusItem::Messages, 3)]);
        pair.run(Manage::subscribe(mailbox("Entwürfe"))).1.unwrap();
        pair.run(Manage::unsubscribe(mailbox("Entwürfe"))).1.unwrap();
        pair.run(Manage::rename(mailbox("Entwürfe"), mailbox("b"))).1.unwrap();
        pair.run(Manage::delete(mailbox("b"))).1.unwrap();
        pair.run(Logout::new()).1.unwrap();
        assert_eq!(pair.0.client.host.heard.iter().filter(|heard| heard.contains("Invalid")).count(), 0);
        assert!(!pair.0.client.host.heard.iter().any(|heard| heard.contains("Deviation")));
    }
}

#[test]
fn what_the_server_refuses_is_told_with_its_code() {
    let mut pair = Pair::new(1);
    let wrong = Credentials::password("fred", "wrong").unwrap();
    let Err(LoginError::Refused(status)) = pair.run(Login::new(wrong)).1 else { panic!() };
    assert_eq!(status.code, Some(Code::AuthenticationFailed));
    pair.log_in();
    let Err(TaskError::Refused(status)) = pair.run(Select::new(mailbox("nowhere"))).1 else { panic!() };
    assert_eq!(status.code, Some(Code::NonExistent));
    let refused = pair.run(Append::new(append("nowhere"), &b"x"[..])).1;
    let Err(client::tasks::AppendError::Refused(status)) = refused else { panic!() };
    assert_eq!(status.code, Some(Code::TryCreate));
    pair.run(Select::examine(mailbox("INBOX"))).1.unwrap();
}

#[test]
fn idle_tells_what_others_do() {
    for seed in 0..30 {
        let mut pair = Pair::selected(&[b"one", b"two"], seed);
        let mut task = Idle::new();
        task.start(pair.client()).unwrap();
        let mut news = Vec::new();
        let mut done = false;
        while !done {
            let Some(event) = pair.event() else { break };
            match task.handle(&mut pair.0.client.session, event) {
                Progress::Item(item) => {
                    match &item {
                        News::Watching => {
                            pair.inbox(|inbox| {
                                inbox.remove(1);
                                inbox.add(b"three", &[]);
                                inbox.set(2, &[Flag::Flagged]);
                            });
                            pair.0.server.host.update(&mut pair.0.server.session);
                        }
                        News::Message(MessageData::End) => pair.client().done().unwrap(),
                        _ => {}
                    }
                    news.push(item);
                }
                Progress::Done(result) => {
                    result.unwrap();
                    done = true;
                }
                _ => {}
            }
        }
        assert!(done);
        assert!(news.contains(&News::Expunge(1)), "{news:?}");
        assert!(news.contains(&News::Exists(2)), "{news:?}");
        let flags = FetchItem::Flags { flags: vec![Flag::Flagged], recent: false, other: vec![] };
        assert!(news.contains(&News::Message(MessageData::Item(flags))), "{news:?}");
    }
}

#[test]
fn a_message_is_streamed_both_ways() {
    for seed in 0..5 {
        let mut pair = Pair::selected(&[], seed);
        let message = Numbers::new(seed).octets(300_000);
        let message: Vec<u8> = message.into_iter().map(|octet| octet.max(1)).collect();
        let mut asked = 0;
        let task = Append::streamed(append("INBOX"), message.len() as u64);
        let appended = pair.0.run(task, |task, want| {
            asked += 1;
            let from = usize::try_from(want.offset).unwrap();
            let piece = &message[from..message.len().min(from + 10_000)];
            assert_eq!(want.left, (message.len() - from) as u64);
            task.push(piece.to_vec()).unwrap();
        });
        assert_eq!(appended.unwrap().uid.map(|(_, uid)| uid.get()), Some(1));
        assert_eq!(asked, 30);
        let all = pair.contents(Fetch::new(uids("1"), [body(true, None)]));
        assert_eq!(all[&1], message);
    }
}

#[test]
fn a_long_set_goes_in_several_commands() {
    let messages: Vec<Vec<u8>> = (0..600).map(|number| format!("{number}").into_bytes()).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let mut pair = Pair::selected(&messages, 3);
    let odd: Vec<String> = (0..300).map(|number| (2 * number + 1).to_string()).collect();
    let found = pair.contents(Fetch::new(uids(&odd.join(",")), [body(true, None)]));
    assert_eq!(found.len(), 300);
    let (_, copied) = pair.run(Copy::new(uids(&odd.join(",")), mailbox("INBOX")));
    assert_eq!(copied.unwrap().uids().count(), 300);
    let lines = String::from_utf8_lossy(&pair.0.client.output).into_owned();
    assert!(lines.lines().filter(|line| line.contains(" UID COPY ")).count() > 1);
    assert!(lines.lines().all(|line| line.len() < 1000));
}

#[derive(Clone, Debug)]
enum Operation {
    Append(Vec<u8>),
    Flag(u32),
    Delete(u32),
    Expunge,
    Move(u32),
    Others(Vec<u8>),
    OthersRemove(u32),
    Fetch,
}

fn operation() -> impl Strategy<Value = Operation> {
    let octets = || proptest::collection::vec(1_u8.., 0..40);
    prop_oneof![
        octets().prop_filter("not empty", |octets| !octets.is_empty()).prop_map(Operation::Append),
        (1_u32..8).prop_map(Operation::Flag),
        (1_u32..8).prop_map(Operation::Delete),
        Just(Operation::Expunge),
        (1_u32..8).prop_map(Operation::Move),
        octets().prop_map(Operation::Others),
        (1_u32..8).prop_map(Operation::OthersRemove),
        Just(Operation::Fetch),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_the_client_sees_is_what_the_store_has(
        operations in proptest::collection::vec(operation(), 1..25),
        slow: bool,
        seed: u64,
    ) {
        let mut pair = Pair::selected(&[b"one", b"two", b"three"], seed);
        pair.0.server.host.slow = slow;
        pair.run(Manage::create(mailbox("a"))).1.unwrap();
        for operation in operations {
            let one = |uid: u32| uids(&uid.to_string());
            match operation {
                Operation::Append(octets) => drop(pair.run(Append::new(append("INBOX"), octets)).1.unwrap()),
                Operation::Flag(uid) => drop(pair.run(Store::new(one(uid), StoreAction::Add, [Flag::Flagged])).1.unwrap()),
                Operation::Delete(uid) => drop(pair.run(Store::new(one(uid), StoreAction::Add, [Flag::Deleted])).1.unwrap()),
                Operation::Expunge => pair.run(Expunge::all()).1.unwrap(),
                Operation::Move(uid) => drop(pair.run(Move::new(one(uid), mailbox("a"))).1.unwrap()),
                Operation::Others(octets) => drop(pair.inbox(|inbox| inbox.add(&octets, &[]))),
                Operation::OthersRemove(uid) => pair.inbox(|inbox| inbox.remove(uid)),
                Operation::Fetch => {
                    let stored: BTreeMap<u32, Vec<u8>> = pair.inbox(|inbox| {
                        inbox.messages.iter().map(|(uid, message)| (*uid, message.content.clone())).collect()
                    });
                    pair.0.server.host.update(&mut pair.0.server.session);
                    pair.run(Search::uids(search(SearchKey::All))).1.unwrap();
                    let all = pair.run(Search::uids(search(SearchKey::All))).1.unwrap();
                    prop_assert_eq!(&all, &stored.keys().copied().collect::<Vec<_>>());
                    if !all.is_empty() {
                        let set: Vec<String> = all.iter().map(u32::to_string).collect();
                        let seen = pair.contents(Fetch::new(uids(&set.join(",")), [body(true, None)]));
                        prop_assert_eq!(seen, stored);
                    }
                }
            }
        }
        pair.run(Logout::new()).1.unwrap();
    }
}
