//! Pairs of toys: tasks, layers, time and ends, whatever the pieces.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod toy;

use core::time::Duration;

use bytes::Bytes;
#[cfg(all(feature = "rustls", feature = "deflate"))]
use mailwright_core::session::Transport;
use mailwright_core::testing::{Host, Note, Numbers, Pair, PairError};
use toy::tasks::{Echo, Pushed, Say};
use toy::{Event, Toy};

/// A host of a toy in any layer: says `lines`, each when the one before was answered; keeps questions.
#[derive(Default)]
struct Talker {
    lines: Vec<&'static str>,
    may_speak: bool,
    asked: bool,
}

impl Talker {
    fn saying(lines: &[&'static str]) -> Self {
        Self { lines: lines.to_vec(), may_speak: false, asked: false }
    }
}

impl Host<Toy> for Talker {
    fn handle(&mut self, _: &mut Toy, event: Event) -> Note {
        self.asked |= event == Event::Asked;
        self.may_speak |=
            matches!(event, Event::Line(_) | Event::Secured(_) | Event::Compressed | Event::Plain);
        match event {
            Event::Octets(octets) => Note::Content(octets),
            Event::Closed(reason) => Note::Closed(format!("{reason:?}")),
            Event::Secured(_) => Note::Event("Secured".into()),
            event => Note::debug(&event),
        }
    }

    fn work(&mut self, toy: &mut Toy, _: usize) -> bool {
        if core::mem::take(&mut self.asked) {
            toy.answer("yes");
            return true;
        }
        if !self.may_speak || self.lines.is_empty() {
            return false;
        }
        self.may_speak = false;
        toy.say(self.lines.remove(0));
        true
    }
}

fn toys(seed: u64) -> Pair<Toy, Talker, Toy, Talker> {
    Pair::new((Toy::client(), Talker::default()), (Toy::server(), Talker::default()), seed)
}

#[test]
fn content_comes_back_whole_whatever_the_pieces() {
    for seed in 0..20 {
        let mut pair = toys(seed);
        let content = Bytes::from(Numbers::new(seed).octets(20_000));
        let mut echo = Vec::new();
        let end = pair.run(Echo::new(content.clone()), |_, octets| echo.extend_from_slice(&octets)).unwrap();
        assert_eq!(end, "all");
        assert_eq!(echo[..], content[..echo.len()]);
        assert_eq!(pair.run(Say("behind"), |_, never| match never {}).unwrap(), "+ behind");
    }
}

#[test]
fn content_is_pushed_when_it_is_asked_for() {
    for seed in 0..20 {
        let mut pair = toys(seed);
        let length = pair.run(Pushed::new(10_000), |task, missing| {
            task.push(Bytes::from(vec![b'x'; missing.min(777)]));
        });
        assert_eq!(length.unwrap(), 10_000);
    }
}

#[test]
fn a_task_that_fails_and_a_task_that_hangs_are_told_apart() {
    let failed = toys(1).run(Pushed::new(0), |_, _| {});
    assert!(matches!(failed, Err(PairError::Task("nothing to send"))));
    let mut pair = toys(1);
    pair.server.session.leave();
    let hung = pair.run(Say("anybody?"), |_, never| match never {});
    assert!(matches!(hung, Err(PairError::Stuck(_))), "{hung:?}");
}

#[test]
fn time_passes_when_nothing_else_goes_on() {
    let server = Toy::server().idle_after(Duration::from_secs(60));
    let mut pair = Pair::new((Toy::client(), Talker::default()), (server, Talker::default()), 4);
    pair.settle().unwrap();
    assert!(!pair.server.is_closed());
    assert!(pair.wait());
    pair.settle().unwrap();
    assert!(pair.server.is_closed() && pair.client.is_closed());
    assert_eq!(pair.server.now.as_millis(), 60_000);
    assert!(!pair.wait());
}

#[test]
fn layers_come_when_both_want_them() {
    for seed in 0..50 {
        let client = Talker::saying(&["one", "STARTTLS", "two", "ASK", "COMPRESS", "three", "QUIT"]);
        let mut pair = Pair::new((Toy::client(), client), (Toy::server(), Talker::default()), seed);
        pair.settle().unwrap();
        let server = format!("{:?}", pair.server.notes);
        for word in ["one", "Secured", "two", "Asked", "Compressed", "three", "Closed"] {
            assert!(server.contains(word), "{seed}: {word} is not in {server}");
        }
        assert!(pair.client.is_closed());
    }
}

#[cfg(all(feature = "rustls", feature = "deflate"))]
#[test]
fn real_layers_come_through_any_pieces() {
    let certificates = toy::certificates::Certificates::new();
    for seed in 0..10 {
        let lines = ["one", "STARTTLS", "two", "COMPRESS", "three", "ASK", "PLAIN", "four", "QUIT"];
        let client = Transport::tls_ready(Toy::client(), certificates.client());
        let server = Transport::tls_ready(Toy::server(), certificates.server());
        let client = (client, Talker::saying(&lines));
        let mut pair = Pair::new(client, (server, Talker::default()), seed);
        pair.settle().unwrap();
        let lines: Vec<_> =
            pair.server.notes.iter().filter(|note| **note != Note::Event("x".into())).collect();
        let words = format!("{lines:?}");
        for word in ["one", "Secured", "two", "Compressed", "three", "Asked", "Plain", "four", "Closed"] {
            assert!(words.contains(word), "{seed}: {word} is not in {words}");
        }
        assert!(pair.client.is_closed());
    }
}
