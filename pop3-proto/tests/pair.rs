//! Client and server of this crate joined in memory, against a model of a maildrop.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use mailwright_core::session::{Session as _, Task};
use mailwright_core::testing::{self, Note, PairError};
use mailwright_pop3::client::tasks::NewMessage;
use mailwright_pop3::client::tasks::{LoginError, TaskError};
use mailwright_pop3::client::{self, Client, Fetch, FetchNew, List, Login, Quit, QuitOutcome, Value};
use mailwright_pop3::sasl::{Credentials, MechanismName, Offers};
use mailwright_pop3::server::{Commit, Config, Opening, Server, Severity};
use mailwright_pop3::types::{MessageNumber, ResponseCode};
use proptest::prelude::*;
use support::{Answers, clear_text};

/// Hears what no task takes.
struct Silent;

impl testing::Host<Client> for Silent {
    fn handle(&mut self, _: &mut Client, event: client::Event) -> Note {
        match event {
            client::Event::Closed(reason) => Note::Closed(format!("{reason:?}")),
            event => Note::debug(&event),
        }
    }
}

/// The items of a task and its end.
type Ran<T> =
    (Vec<<T as Task<Client>>::Item>, Result<<T as Task<Client>>::Output, <T as Task<Client>>::Error>);

/// A client and a server with a wire that cuts as it likes.
struct Pair(testing::Pair<Client, Silent, Server, Answers>);

impl Pair {
    fn new(config: Config, messages: Vec<Vec<u8>>, seed: u64) -> Self {
        let mut client = client::Config::default();
        client.sasl.clear_text_without_tls = true;
        client.tolerance.lenient_codes = true;
        let client = Client::new(client, [1; 32]);
        let server = Server::new(config, [7; 32]);
        Self(testing::Pair::new((client, Silent), (server, Answers::with(messages)), seed))
    }

    fn client(&mut self) -> &mut Client {
        &mut self.0.client.session
    }

    fn host(&mut self) -> &mut Answers {
        &mut self.0.server.host
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

    /// The items of a task and its end.
    fn run<T: Task<Client>>(&mut self, task: T) -> Ran<T> {
        let mut items = Vec::new();
        let result = match self.0.run(task, |_, item| items.push(item)) {
            Ok(output) => Ok(output),
            Err(PairError::Task(error)) => Err(error),
            Err(PairError::Broken(broken)) => panic!("{broken}"),
            Err(_) => panic!("nothing moves any more"),
        };
        (items, result)
    }

    fn log_in(&mut self) {
        let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
        self.run(Login::new(credentials)).1.unwrap();
    }

    fn fetch(&mut self, task: Fetch) -> Result<Vec<u8>, TaskError> {
        let (chunks, report) = self.run(task);
        report.map(|report| {
            let content = chunks.concat();
            assert_eq!(report.octets, content.len() as u64);
            content
        })
    }

    /// The client is gone.
    fn leave(&mut self) {
        self.0.settle().unwrap();
        let now = self.0.server.now;
        self.0.server.session.handle_eof(now);
        self.0.settle().unwrap();
    }
}

/// What RETR must yield, done naively.
fn normalised(message: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    for (at, &octet) in message.iter().enumerate() {
        if octet == b'\n' && (at == 0 || message[at - 1] != b'\r') {
            content.push(b'\r');
        }
        content.push(octet);
    }
    if !content.is_empty() && !content.ends_with(b"\r\n") {
        content.extend_from_slice(b"\r\n");
    }
    content
}

/// What TOP must yield, done naively on normalised content.
fn top(content: &[u8], lines: u64) -> Vec<u8> {
    let mut found = Vec::new();
    let mut body = None;
    for line in content.split_inclusive(|&octet| octet == b'\n') {
        if body == Some(lines) {
            break;
        }
        found.extend_from_slice(line);
        body = match body {
            Some(count) => Some(count + 1),
            None if line == b"\r\n" => Some(0),
            None => None,
        };
    }
    found
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(
        prop_oneof![
            3 => Just(&b"\r\n"[..]),
            1 => Just(&b"\n"[..]),
            1 => Just(&b"\r"[..]),
            2 => Just(&b"."[..]),
            1 => Just(&b"\0\xff"[..]),
            2 => Just(&b"abc: d"[..]),
        ],
        0..30,
    )
    .prop_map(|parts| parts.concat())
}

#[derive(Clone, Debug)]
enum Op {
    Dele(u32),
    Rset,
    Retr(u32),
    Top(u32, u64),
    List,
    Noop,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (1u32..6).prop_map(Op::Dele),
        1 => Just(Op::Rset),
        3 => (1u32..6).prop_map(Op::Retr),
        2 => (1u32..6, 0u64..5).prop_map(|(number, lines)| Op::Top(number, lines)),
        2 => Just(Op::List),
        1 => Just(Op::Noop),
    ]
}

proptest! {
    #[test]
    fn the_session_does_what_the_model_does(
        messages in proptest::collection::vec(message(), 0..5),
        ops in proptest::collection::vec(op(), 0..20),
        seed: u64,
        chunk in 1usize..50,
        quit: bool,
        commit in prop_oneof![Just(Commit::All), Just(Commit::Some(Severity::Temporary)), Just(Commit::None(Severity::Permanent))],
    ) {
        let mut pair = Pair::new(clear_text(), messages.clone(), seed);
        pair.host().chunk = chunk;
        pair.host().commit = commit;
        pair.log_in();
        let contents: Vec<_> = messages.iter().map(|message| normalised(message)).collect();
        let mut deleted = BTreeSet::new();
        for op in ops {
            let there = |number: u32| number as usize <= messages.len() && !deleted.contains(&number);
            let named = |number: u32| MessageNumber::new(number).unwrap();
            match op {
                Op::Dele(number) => {
                    let id = pair.client().dele(named(number)).unwrap();
                    let Some(client::Event::Reply { id: own, reply, .. }) = pair.event() else { panic!() };
                    prop_assert_eq!((own, reply.is_ok()), (id, there(number)));
                    if reply.is_ok() {
                        deleted.insert(number);
                    }
                }
                Op::Rset => {
                    pair.client().rset().unwrap();
                    let Some(client::Event::Reply { reply, .. }) = pair.event() else { panic!() };
                    prop_assert!(reply.is_ok());
                    deleted.clear();
                }
                Op::Retr(number) => {
                    let content = pair.fetch(Fetch::new(named(number))).ok();
                    let expected = there(number).then(|| contents[number as usize - 1].clone());
                    prop_assert_eq!(content, expected);
                }
                Op::Top(number, lines) => {
                    let content = pair.fetch(Fetch::top(named(number), lines)).ok();
                    let expected = there(number).then(|| top(&contents[number as usize - 1], lines));
                    prop_assert_eq!(content, expected);
                }
                Op::List => {
                    let found = pair.run(List::new()).1.unwrap();
                    prop_assert!(found.errors.is_empty() && found.no_ids.is_none());
                    let expected: Vec<_> = (1..).zip(&contents).filter(|&(number, _)| there(number)).collect();
                    prop_assert_eq!(found.messages.len(), expected.len());
                    for (listed, (number, content)) in found.messages.iter().zip(expected) {
                        prop_assert_eq!(listed.number.get(), number);
                        prop_assert_eq!(listed.octets, content.len() as u64);
                        prop_assert_eq!(listed.id.unwrap().to_string(), format!("uid-{number}"));
                    }
                    pair.client().stat().unwrap();
                    let Some(client::Event::Reply { value: Value::Stat { messages, octets }, .. }) = pair.event() else {
                        panic!()
                    };
                    prop_assert_eq!(messages as usize, found.messages.len());
                    prop_assert_eq!(octets, found.messages.iter().map(|listed| listed.octets).sum::<u64>());
                }
                Op::Noop => {
                    pair.client().noop().unwrap();
                    let Some(client::Event::Reply { reply, .. }) = pair.event() else { panic!() };
                    prop_assert!(reply.is_ok());
                }
            }
        }
        let marked: Vec<u32> = deleted.into_iter().collect();
        if quit {
            let report = pair.run(Quit::new()).1.unwrap();
            let committed = marked.is_empty() || commit == Commit::All;
            let expected = if committed { QuitOutcome::Committed } else { QuitOutcome::Failed };
            prop_assert_eq!(report.outcome, expected);
            prop_assert_eq!(pair.host().removed.clone().unwrap_or_default(), marked);
        } else {
            pair.leave();
            prop_assert_eq!(&pair.host().removed, &None);
        }
        pair.0.settle().unwrap();
        prop_assert_eq!(pair.host().events.iter().filter(|event| *event == "release").count(), 1);
        prop_assert!(pair.0.server.session.wants().close);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What comes in is fetched once, whatever happens to the sessions: the flow that `FetchNew` documents.
    #[test]
    fn nothing_is_lost_and_nothing_is_fetched_twice(
        messages in proptest::collection::vec(message(), 0..12),
        rounds in proptest::collection::vec((any::<u64>(), any::<bool>(), any::<bool>(), any::<bool>()), 1..5),
        chunk in 1usize..50,
    ) {
        // Ids of the store, which stay when numbers change.
        let mut store: Vec<(usize, Vec<u8>)> = messages.iter().cloned().enumerate().collect();
        let mut known: BTreeSet<usize> = BTreeSet::new();
        let mut copies: Vec<(usize, Vec<u8>)> = Vec::new();
        for (seed, delete, works, pipelining) in rounds {
            let contents = store.iter().map(|(_, content)| content.clone()).collect();
            let mut pair = Pair::new(clear_text(), contents, seed);
            let ids: Vec<usize> = store.iter().map(|(id, _)| *id).collect();
            pair.host().ids = Some(ids.iter().map(|id| format!("id-{id}")).collect());
            pair.host().chunk = chunk;
            pair.host().commit = if works { Commit::All } else { Commit::None(Severity::Temporary) };
            pair.log_in();
            if !pipelining {
                pair.client().set_capabilities(mailwright_pop3::types::Capabilities::new());
            }
            let known_ids = known.iter().map(|id| format!("id-{id}").parse().unwrap());
            let (items, result) = pair.run(FetchNew::new(known_ids));
            prop_assert_eq!(result.unwrap().messages.len(), store.len());
            let (mut content, mut fetched) = (Vec::new(), Vec::new());
            for item in items {
                match item {
                    NewMessage::Begin(_) => content.clear(),
                    NewMessage::Content(chunk) => content.extend_from_slice(&chunk),
                    NewMessage::Complete(message, _) => {
                        let id = ids[message.number.index()];
                        copies.push((id, content.clone()));
                        fetched.push((id, message.number));
                    }
                    item => panic!("{item:?}"),
                }
            }
            let to_delete: Vec<_> = fetched.iter().filter(|_| delete).map(|&(_, number)| number).collect();
            let report = pair.run(Quit::deleting(to_delete.clone())).1.unwrap();
            let removed = pair.host().removed.clone().unwrap_or_default();
            if report.outcome == QuitOutcome::Committed && delete {
                prop_assert_eq!(removed.len(), to_delete.len());
                store.retain(|(id, _)| !fetched.iter().any(|(other, _)| other == id));
            } else {
                // Still there, and known from now on.
                known.extend(fetched.iter().map(|&(id, _)| id));
            }
        }
        let expected: Vec<_> =
            messages.iter().enumerate().map(|(id, message)| (id, normalised(message))).collect();
        copies.sort();
        prop_assert_eq!(copies, expected);
    }
}

#[test]
fn deleting_is_pipelined_and_tells_what_could_not_be_marked() {
    let mut pair = Pair::new(clear_text(), vec![b"a".to_vec(); 300], 7);
    pair.log_in();
    let numbers = MessageNumber::FIRST.up_to(301);
    let report = pair.run(Quit::deleting(numbers)).1.unwrap();
    assert_eq!(report.outcome, QuitOutcome::Committed);
    assert_eq!(report.refused.len(), 1);
    assert_eq!(report.refused[0].0.get(), 301);
    assert_eq!(pair.host().removed.as_ref().unwrap().len(), 300);
}

fn log_in_with(config: Config, mechanism: Option<MechanismName>, events: &[&str]) {
    let mut pair = Pair::new(config, vec![], 3);
    let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
    let logged_in = pair.run(Login::new(credentials)).1.unwrap();
    assert_eq!(logged_in.mechanism, mechanism);
    assert_eq!(pair.host().events, events);
    assert!(pair.client().capabilities().is_some());
}

#[test]
fn the_login_takes_the_best_that_the_server_has() {
    let usual = ["authenticate mrose", "open mrose"];
    log_in_with(clear_text(), Some(MechanismName::PLAIN), &usual);
    let mut config = clear_text();
    config.offers = Offers::new([MechanismName::LOGIN]);
    log_in_with(config.clone(), Some(MechanismName::LOGIN), &usual);
    config.offers = Offers::default();
    log_in_with(config, None, &usual);
}

#[test]
fn a_refused_login_tries_nothing_weaker() {
    let mut pair = Pair::new(clear_text(), vec![], 50);
    let credentials = Credentials::password("mrose", "wrong").unwrap();
    let Err(LoginError::Refused(reply)) = pair.run(Login::new(credentials)).1 else { panic!() };
    assert_eq!(reply.code, Some(ResponseCode::Auth));
    assert_eq!(pair.host().events, ["authenticate mrose", "login failed 1"]);
}

#[test]
fn a_login_without_anything_that_fits_sends_no_credentials() {
    let mut config = clear_text();
    config.offers = Offers::default();
    config.user_pass = false;
    let mut pair = Pair::new(config, vec![], 50);
    let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
    assert!(matches!(pair.run(Login::new(credentials)).1, Err(LoginError::NoMechanism(_))));
    assert!(pair.host().events.is_empty());
}

#[test]
fn acting_for_another_never_falls_back_to_user_and_pass() {
    let mut config = clear_text();
    config.offers = Offers::new([MechanismName::LOGIN]);
    let mut pair = Pair::new(config, vec![], 50);
    let credentials = Credentials::password("mrose", "tanstaaf").unwrap().acting_as("public").unwrap();
    assert!(matches!(pair.run(Login::new(credentials.clone())).1, Err(LoginError::NoMechanism(_))));
    let mut pair = Pair::new(clear_text(), vec![], 50);
    pair.run(Login::new(credentials)).1.unwrap();
    assert_eq!(pair.host().events.last().unwrap(), "open public");
}

#[test]
fn a_second_session_is_in_use_until_the_first_one_ends_in_any_way() {
    // The lock: held from a good opening to the release.
    let lock = Rc::new(RefCell::new(false));
    let open = |lock: &Rc<RefCell<bool>>| {
        let mut pair = Pair::new(clear_text(), vec![b"a".to_vec()], 50);
        if *lock.borrow() {
            pair.host().opening = Some(Opening::InUse);
        }
        let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
        let result = pair.run(Login::new(credentials)).1;
        *lock.borrow_mut() |= result.is_ok();
        (pair, result)
    };
    let release = |lock: &Rc<RefCell<bool>>, pair: &mut Pair| {
        if pair.host().events.contains(&"release".to_string()) {
            *lock.borrow_mut() = false;
        }
    };
    type End = fn(&mut Pair);
    let ends: [End; 4] = [
        |pair| drop(pair.run(Quit::deleting([MessageNumber::FIRST]))),
        Pair::leave,
        |pair| {
            assert!(pair.0.wait());
            pair.0.settle().unwrap();
        },
        |pair| {
            pair.host().commit = Commit::None(Severity::Temporary);
            drop(pair.run(Quit::deleting([MessageNumber::FIRST])));
        },
    ];
    for end in ends {
        let (mut first, result) = open(&lock);
        result.unwrap();
        let Err(LoginError::Refused(reply)) = open(&lock).1 else { panic!() };
        assert_eq!(reply.code, Some(ResponseCode::InUse));
        end(&mut first);
        release(&lock, &mut first);
        let (mut second, result) = open(&lock);
        result.unwrap();
        second.leave();
        release(&lock, &mut second);
    }
}
