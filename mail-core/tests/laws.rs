//! The laws hold for the toy, and each of them is broken by sessions that are made to break it.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod toy;

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use bytes::BytesMut;
use mailwright_core::session::{Session, Transmit, Transport, Upgraded, Wants};
use mailwright_core::testing::laws::{self, Bounds, Broken, Flood, Law};
use mailwright_core::testing::{Host, Note, Numbers};
use mailwright_core::value::Instant;
use toy::{Event, HIGH_WATER, LINE, Toy};

/// Answers at once, or when nothing else goes on.
#[derive(Default)]
struct Asker {
    keeps: bool,
    kept: usize,
}

/// What the tests need to reach of a toy, inside whatever it is in.
trait Answering: Session<Event = Event> {
    fn toy(&mut self) -> &mut Toy;
}

impl Answering for Toy {
    fn toy(&mut self) -> &mut Toy {
        self
    }
}

impl<P: Answering> Host<P> for Asker {
    fn handle(&mut self, session: &mut P, event: Event) -> Note {
        match event {
            Event::Asked if self.keeps => self.kept += 1,
            // A call between the question and its event may have answered it.
            Event::Asked if session.wants().answers > 0 => session.toy().answer("yes"),
            Event::Octets(octets) => return Note::Content(octets),
            Event::Closed(reason) => return Note::Closed(format!("{reason:?}")),
            _ => {}
        }
        Note::debug(&event)
    }

    fn work(&mut self, session: &mut P, _: usize) -> bool {
        let waits = self.kept > 0 && session.wants().answers > 0;
        if waits {
            self.kept -= 1;
            session.toy().answer("yes, later");
        }
        waits
    }

    fn meddle(&mut self, session: &mut P, choice: u8) {
        if choice % 2 == 0 {
            session.toy().leave();
        } else if session.wants().answers > 0 {
            session.toy().answer("yes");
        }
    }
}

fn server() -> (Toy, Asker) {
    (Toy::server().idle_after(Duration::from_secs(60)), Asker::default())
}

fn late() -> (Toy, Asker) {
    (Toy::server(), Asker { keeps: true, kept: 0 })
}

const TALK: &[u8] = b"one\r\nASK\r\ntwo\r\nECHO 9\r\n123456789three\r\nASK\r\nQUIT\r\nfour\r\n";

fn bounds() -> Bounds {
    let mut bounds = Bounds::default();
    bounds.output = 2 * HIGH_WATER + LINE;
    bounds.answers = 1;
    bounds.unread = LINE;
    bounds
}

fn flood(again: &[u8]) -> Flood<'_> {
    Flood { before: &[], again, octets: 1 << 20 }
}

#[test]
fn the_toy_keeps_the_law_of_fragmentation() {
    laws::fragmentation(server, &[TALK], 1).unwrap();
    laws::fragmentation(late, &[TALK], 2).unwrap();
    laws::fragmentation(server, &[b"one\r\nSTARTTLS\r\n", b"two\r\nCOMPRESS\r\n", b"three\r\n"], 3).unwrap();
    let client = || (Toy::client(), Asker::default());
    laws::fragmentation(client, &[b"+ hello\r\n+ ECHO 9\r\n123456789+ one\r\n+ QUIT\r\n"], 4).unwrap();
    laws::fragmentation(|| (Transport::plain(Toy::server()), Asker::default()), &[TALK], 5).unwrap();
}

#[test]
fn the_toy_keeps_the_law_of_progress() {
    for make in [server, late] {
        laws::progress(make, &[TALK], LINE).unwrap();
        laws::progress(make, &[b"ASK\r\nAS"], LINE).unwrap();
        laws::progress(make, &[b"STARTTLS\r\n"], LINE).unwrap();
    }
}

#[test]
fn the_toy_keeps_the_law_of_bounds() {
    for again in [&b"word\r\n"[..], b"ASK\r\n", b"ECHO 100\r\n", b"x"] {
        laws::bounded(server, flood(again), bounds(), || 0).unwrap();
    }
}

#[test]
fn the_toy_keeps_the_barrier() {
    laws::barrier(server, &[b"one\r\nSTARTTLS\r\n"], b"two\r\nQUIT\r\n", b"three\r\n").unwrap();
    laws::barrier(server, &[b"COMPRESS\r\n"], b"QUIT\r\n", b"three\r\n").unwrap();
    let client = || (Toy::client(), Asker::default());
    laws::barrier(client, &[b"+ hello\r\n+ STARTTLS\r\n"], b"+ QUIT\r\n", b"+ hello\r\n").unwrap();
}

#[test]
fn the_toy_keeps_the_law_of_determinism() {
    for seed in 0..20 {
        laws::determinism(server, &[TALK], seed).unwrap();
        laws::determinism(late, &[b"STARTTLS\r\n", TALK], seed).unwrap();
    }
}

#[test]
fn the_toy_keeps_silence() {
    laws::silence(server, &[TALK]).unwrap();
    laws::silence(server, &[b"STARTTLS\r\n", TALK]).unwrap();
}

#[test]
fn the_toy_survives_any_order_of_calls() {
    let mut numbers = Numbers::new(8);
    for _ in 0..500 {
        let script = numbers.octets(300);
        let dictionary = [&b"ASK\r\n"[..], b"STARTTLS\r\n", b"ECHO 20\r\n", b"QUIT\r\n", TALK];
        laws::calls(server(), &dictionary, &script, &bounds()).unwrap();
    }
}

/// How a session can break a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Tells of the end of what it is shown.
    SeesCuts,
    /// Leaves content in different pieces depending on the cut, and so do its lines.
    LosesHalfLines,
    /// Takes nothing any more, and wants it.
    Starves,
    /// Wants nothing and waits for nothing.
    Sleeps,
    /// Never closes at the end of the input.
    Stays,
    /// Reads on although nobody reads what it writes.
    Floods,
    /// Remembers everything.
    Hoards,
    /// Takes input that it says it does not want.
    Grabs,
    /// Executes under the layer what came before it.
    Injected,
    /// Throws away what belongs to the layer.
    Swallows,
    /// Is not the same each time.
    Moody,
    /// Does something each time it is told the time.
    Hasty,
    /// Starts its deadline anew each time it is told the time.
    Postpones,
    /// Says goodbye for ever.
    Chatty,
    /// Tells twice that it is over.
    Repeats,
    /// Forgets a timer.
    Ticks,
    /// Panics when it is told of a layer that it did not want.
    Asserts,
}

/// A toy with a fault.
struct Mutant {
    toy: Toy,
    fault: Fault,
    kept: BytesMut,
    transmit: Transmit,
    taken: usize,
    told: usize,
    last: Option<Event>,
    deadline: Option<Instant>,
    mood: Rc<Cell<u32>>,
    /// Octets that are kept.
    hoard: Rc<Cell<usize>>,
}

impl Answering for Mutant {
    fn toy(&mut self) -> &mut Toy {
        &mut self.toy
    }
}

impl Session for Mutant {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        let upgrades = self.toy.wants().upgrade.is_some();
        match self.fault {
            Fault::SeesCuts if input.ends_with(b"\r") && self.told == 0 => {
                self.told = 1;
                self.toy.say("+ half a line end");
            }
            Fault::LosesHalfLines if !input.is_empty() && !input.ends_with(b"\n") => {
                input.truncate(input.len() - 1);
            }
            Fault::Starves if self.taken > 20 => return,
            Fault::Hoards => {
                self.kept.extend_from_slice(input);
                self.hoard.set(self.kept.len());
            }
            Fault::Grabs if !self.toy.wants().input => input.clear(),
            Fault::Injected if upgrades => self.kept.unsplit(input.split()),
            Fault::Swallows if upgrades => input.clear(),
            Fault::Moody if self.mood.get() % 2 == 0 && self.told == 0 => {
                self.told = 1;
                self.toy.say("+ not today");
            }
            _ => {}
        }
        let before = input.len();
        self.toy.handle_input(input, now);
        self.taken += before - input.len();
        if self.fault == Fault::Floods {
            self.transmit.put(&self.toy.transmit().take());
        }
        if self.fault == Fault::Postpones {
            self.deadline = Some(now + Duration::from_secs(30));
        }
    }

    fn handle_eof(&mut self, now: Instant) {
        let over = self.toy.wants().close;
        if self.fault != Fault::Stays {
            self.toy.handle_eof(now);
        }
        if self.fault == Fault::Chatty && over {
            self.toy.say("+ bye");
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.toy.handle_timeout(now);
        if self.fault == Fault::Hasty && !self.toy.wants().close {
            self.toy.say("+ so late already?");
        }
        if self.fault == Fault::Postpones && self.deadline.is_some() {
            self.deadline = Some(now + Duration::from_secs(30));
        }
    }

    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant) {
        assert!(self.fault != Fault::Asserts || self.toy.wants().upgrade.is_some(), "nobody wanted that");
        self.toy.handle_upgrade(upgraded, now);
        if self.fault == Fault::Injected {
            let mut kept = self.kept.split();
            self.toy.handle_input(&mut kept, now);
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.toy.poll_event();
        if let Some(event) = event {
            self.last = Some(event.clone());
            return Some(event);
        }
        if self.fault == Fault::Repeats && matches!(self.last, Some(Event::Closed(_))) && self.told < 1 {
            self.told += 1;
            return self.last.clone();
        }
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.fault {
            Fault::Ticks => Some(Instant::from_millis(5_000_000_000)),
            Fault::Postpones if !self.toy.wants().close => self.deadline,
            Fault::Sleeps | Fault::Stays => None,
            _ => self.toy.poll_timeout(),
        }
    }

    fn transmit(&mut self) -> &mut Transmit {
        if self.fault == Fault::Floods { &mut self.transmit } else { self.toy.transmit() }
    }

    fn wants(&self) -> Wants {
        let wants = self.toy.wants();
        if self.fault == Fault::Sleeps && self.taken > 20 && !wants.close {
            return Wants::default();
        }
        wants
    }
}

fn mutant(fault: Fault) -> impl FnMut() -> (Mutant, Asker) {
    hoarder(fault, Rc::default())
}

fn hoarder(fault: Fault, hoard: Rc<Cell<usize>>) -> impl FnMut() -> (Mutant, Asker) {
    let mood = Rc::new(Cell::new(0));
    move || {
        mood.set(mood.get() + 1);
        let mutant = Mutant {
            toy: Toy::server().idle_after(Duration::from_secs(60)),
            fault,
            kept: BytesMut::new(),
            transmit: Transmit::new(),
            taken: 0,
            told: 0,
            last: None,
            deadline: None,
            mood: mood.clone(),
            hoard: hoard.clone(),
        };
        (mutant, Asker::default())
    }
}

fn breaks(law: Law, result: Result<(), Broken>) {
    assert_eq!(result.unwrap_err().law, law);
}

#[test]
fn the_law_of_fragmentation_can_be_broken() {
    for fault in [Fault::SeesCuts, Fault::LosesHalfLines, Fault::Moody] {
        breaks(Law::Fragmentation, laws::fragmentation(mutant(fault), &[TALK], 1));
    }
}

#[test]
fn the_law_of_progress_can_be_broken() {
    for fault in [Fault::Starves, Fault::Sleeps, Fault::Stays] {
        let talk: &[u8] = b"one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\n";
        breaks(Law::Progress, laws::progress(mutant(fault), &[talk], LINE));
    }
}

#[test]
fn the_law_of_bounds_can_be_broken() {
    for fault in [Fault::Floods, Fault::Grabs] {
        breaks(Law::Bounds, laws::bounded(mutant(fault), flood(b"ASK\r\nword\r\n"), bounds(), || 0));
    }
    // What a session keeps, a test counts with its allocator; here the session itself tells.
    let hoard = Rc::new(Cell::new(0));
    let mut bounds = bounds();
    bounds.memory = 100_000;
    let keeps = hoarder(Fault::Hoards, hoard.clone());
    breaks(Law::Bounds, laws::bounded(keeps, flood(b"word\r\n"), bounds, || hoard.get()));
    hoard.set(0);
    let keeps_nothing = hoarder(Fault::Asserts, hoard.clone());
    laws::bounded(keeps_nothing, flood(b"word\r\n"), bounds, || hoard.get()).unwrap();
}

#[test]
fn the_barrier_can_be_broken() {
    for fault in [Fault::Injected, Fault::Swallows] {
        breaks(Law::Barrier, laws::barrier(mutant(fault), &[b"STARTTLS\r\n"], b"two\r\n", b"three\r\n"));
    }
    // No agreement, no barrier.
    breaks(Law::Barrier, laws::barrier(server, &[b"one\r\n"], b"two\r\n", b"three\r\n"));
}

#[test]
fn the_law_of_determinism_can_be_broken() {
    for fault in [Fault::Moody, Fault::Hasty, Fault::Postpones] {
        breaks(Law::Determinism, laws::determinism(mutant(fault), &[TALK], 5));
    }
}

#[test]
fn the_law_of_silence_can_be_broken() {
    for fault in [Fault::Chatty, Fault::Repeats, Fault::Ticks] {
        breaks(Law::Silence, laws::silence(mutant(fault), &[TALK]));
    }
}

#[test]
#[should_panic(expected = "nobody wanted that")]
fn the_law_of_calls_can_be_broken() {
    let mut numbers = Numbers::new(8);
    for _ in 0..100 {
        let script = numbers.octets(300);
        laws::calls(mutant(Fault::Asserts)(), &[b"ASK\r\n"], &script, &bounds()).unwrap();
    }
}

#[test]
fn the_law_of_calls_watches_the_bounds() {
    let mut numbers = Numbers::new(8);
    let mut small = Bounds::default();
    small.output = 100;
    let found = (0..100).find_map(|_| {
        let script = numbers.octets(300);
        laws::calls(server(), &[b"a word that comes back\r\n"], &script, &small).err()
    });
    assert_eq!(found.unwrap().law, Law::Bounds);
}
