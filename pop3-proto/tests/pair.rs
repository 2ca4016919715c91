//! Client and server of this crate joined in memory, against a model of a maildrop.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Progress, Session as _, Task};
use mailwright_core::value::Instant;
use mailwright_pop3::client::tasks::{LoginError, TaskError};
use mailwright_pop3::client::{self, Client, Fetch, List, Login, Quit, QuitOutcome, Value};
use mailwright_pop3::sasl::{Credentials, MechanismName, Offers};
use mailwright_pop3::server::{Commit, Config, Opening, Severity};
use mailwright_pop3::types::{MessageNumber, ResponseCode};
use proptest::prelude::*;
use support::{Host, clear_text};

/// A client and a server with a wire that cuts as it likes.
struct Pair {
    client: Client,
    host: Host,
    to_client: BytesMut,
    /// Sizes of pieces, over and over.
    pieces: Vec<usize>,
    turn: usize,
}

/// The items of a task and its end.
type Ran<T> =
    (Vec<<T as Task<Client>>::Item>, Result<<T as Task<Client>>::Output, <T as Task<Client>>::Error>);

impl Pair {
    fn new(config: Config, messages: Vec<Vec<u8>>, pieces: Vec<usize>) -> Self {
        let mut client = client::Config::default();
        client.sasl.clear_text_without_tls = true;
        client.tolerance.lenient_codes = true;
        let client = Client::new(client, [1; 32]);
        Self { client, host: Host::with(config, messages), to_client: BytesMut::new(), pieces, turn: 0 }
    }

    fn piece(&mut self, most: usize) -> usize {
        self.turn += 1;
        self.pieces[self.turn % self.pieces.len()].clamp(1, most.max(1)).min(most)
    }

    /// Moves a piece each way; `false` if there was nothing to move.
    fn step(&mut self) -> bool {
        let most = self.client.transmit().len();
        let count = self.piece(most);
        let octets = self.client.transmit().chunk()[..count].to_vec();
        self.client.transmit().advance(count);
        self.host.input.extend_from_slice(&octets);
        self.host.run();
        let most = self.host.output.len();
        let back = self.piece(most);
        self.to_client.extend_from_slice(&self.host.output[..back]);
        self.host.output.drain(..back);
        let before = self.to_client.len();
        self.client.handle_input(&mut self.to_client, Instant::ORIGIN);
        count + back > 0 || self.to_client.len() < before
    }

    /// The client's next event.
    fn event(&mut self) -> Option<client::Event> {
        loop {
            if let Some(event) = self.client.poll_event() {
                return Some(event);
            }
            if !self.step() {
                return None;
            }
        }
    }

    fn run<T: Task<Client>>(&mut self, mut task: T) -> Ran<T> {
        let mut items = Vec::new();
        if let Err(error) = task.start(&mut self.client) {
            return (items, Err(error));
        }
        loop {
            let event = self.event().unwrap();
            match task.handle(&mut self.client, event) {
                Progress::Done(result) => return (items, result),
                Progress::Item(item) => items.push(item),
                Progress::Continue | Progress::NotMine(_) => {}
            }
        }
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
        pieces in proptest::collection::vec(1usize..200, 1..8),
        chunk in 1usize..50,
        quit: bool,
        commit in prop_oneof![Just(Commit::All), Just(Commit::Some(Severity::Temporary)), Just(Commit::None(Severity::Permanent))],
    ) {
        let mut pair = Pair::new(clear_text(), messages.clone(), pieces);
        pair.host.chunk = chunk;
        pair.host.commit = commit;
        pair.log_in();
        let contents: Vec<_> = messages.iter().map(|message| normalised(message)).collect();
        let mut deleted = BTreeSet::new();
        for op in ops {
            let there = |number: u32| number as usize <= messages.len() && !deleted.contains(&number);
            let named = |number: u32| MessageNumber::new(number).unwrap();
            match op {
                Op::Dele(number) => {
                    let id = pair.client.dele(named(number)).unwrap();
                    let Some(client::Event::Reply { id: own, reply, .. }) = pair.event() else { panic!() };
                    prop_assert_eq!((own, reply.is_ok()), (id, there(number)));
                    if reply.is_ok() {
                        deleted.insert(number);
                    }
                }
                Op::Rset => {
                    pair.client.rset().unwrap();
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
                    pair.client.stat().unwrap();
                    let Some(client::Event::Reply { value: Value::Stat { messages, octets }, .. }) = pair.event() else {
                        panic!()
                    };
                    prop_assert_eq!(messages as usize, found.messages.len());
                    prop_assert_eq!(octets, found.messages.iter().map(|listed| listed.octets).sum::<u64>());
                }
                Op::Noop => {
                    pair.client.noop().unwrap();
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
            prop_assert_eq!(pair.host.removed.clone().unwrap_or_default(), marked);
        } else {
            pair.host.eof();
            prop_assert_eq!(&pair.host.removed, &None);
        }
        prop_assert_eq!(pair.host.events.iter().filter(|event| *event == "release").count(), 1);
        prop_assert!(pair.host.closed());
    }
}

#[test]
fn deleting_is_pipelined_and_tells_what_could_not_be_marked() {
    let mut pair = Pair::new(clear_text(), vec![b"a".to_vec(); 300], vec![7, 100]);
    pair.log_in();
    let numbers = MessageNumber::FIRST.up_to(301);
    let report = pair.run(Quit::deleting(numbers)).1.unwrap();
    assert_eq!(report.outcome, QuitOutcome::Committed);
    assert_eq!(report.refused.len(), 1);
    assert_eq!(report.refused[0].0.get(), 301);
    assert_eq!(pair.host.removed.unwrap().len(), 300);
}

fn log_in_with(config: Config, mechanism: Option<MechanismName>, events: &[&str]) {
    let mut pair = Pair::new(config, vec![], vec![3, 50]);
    let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
    let logged_in = pair.run(Login::new(credentials)).1.unwrap();
    assert_eq!(logged_in.mechanism, mechanism);
    assert_eq!(pair.host.events, events);
    assert!(pair.client.capabilities().is_some());
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
    let mut pair = Pair::new(clear_text(), vec![], vec![50]);
    let credentials = Credentials::password("mrose", "wrong").unwrap();
    let Err(LoginError::Refused(reply)) = pair.run(Login::new(credentials)).1 else { panic!() };
    assert_eq!(reply.code, Some(ResponseCode::Auth));
    assert_eq!(pair.host.events, ["authenticate mrose", "login failed 1"]);
}

#[test]
fn a_login_without_anything_that_fits_sends_no_credentials() {
    let mut config = clear_text();
    config.offers = Offers::default();
    config.user_pass = false;
    let mut pair = Pair::new(config, vec![], vec![50]);
    let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
    assert!(matches!(pair.run(Login::new(credentials)).1, Err(LoginError::NoMechanism(_))));
    assert!(pair.host.events.is_empty());
}

#[test]
fn acting_for_another_never_falls_back_to_user_and_pass() {
    let mut config = clear_text();
    config.offers = Offers::new([MechanismName::LOGIN]);
    let mut pair = Pair::new(config, vec![], vec![50]);
    let credentials = Credentials::password("mrose", "tanstaaf").unwrap().acting_as("public").unwrap();
    assert!(matches!(pair.run(Login::new(credentials.clone())).1, Err(LoginError::NoMechanism(_))));
    let mut pair = Pair::new(clear_text(), vec![], vec![50]);
    pair.run(Login::new(credentials)).1.unwrap();
    assert_eq!(pair.host.events.last().unwrap(), "open public");
}

#[test]
fn a_second_session_is_in_use_until_the_first_one_ends_in_any_way() {
    // The lock: held from a good opening to the release.
    let lock = Rc::new(RefCell::new(false));
    let open = |lock: &Rc<RefCell<bool>>| {
        let mut pair = Pair::new(clear_text(), vec![b"a".to_vec()], vec![50]);
        if *lock.borrow() {
            pair.host.opening = Some(Opening::InUse);
        }
        let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
        let result = pair.run(Login::new(credentials)).1;
        *lock.borrow_mut() |= result.is_ok();
        (pair, result)
    };
    let release = |lock: &Rc<RefCell<bool>>, pair: &Pair| {
        if pair.host.events.contains(&"release".to_string()) {
            *lock.borrow_mut() = false;
        }
    };
    type End = fn(&mut Pair);
    let ends: [End; 4] = [
        |pair| drop(pair.run(Quit::deleting([MessageNumber::FIRST]))),
        |pair| drop(pair.host.eof()),
        |pair| drop(pair.host.wait(600)),
        |pair| {
            pair.host.commit = Commit::None(Severity::Temporary);
            drop(pair.run(Quit::deleting([MessageNumber::FIRST])));
        },
    ];
    for end in ends {
        let (mut first, result) = open(&lock);
        result.unwrap();
        let Err(LoginError::Refused(reply)) = open(&lock).1 else { panic!() };
        assert_eq!(reply.code, Some(ResponseCode::InUse));
        end(&mut first);
        release(&lock, &first);
        let (mut second, result) = open(&lock);
        result.unwrap();
        second.host.eof();
        release(&lock, &second);
    }
}
