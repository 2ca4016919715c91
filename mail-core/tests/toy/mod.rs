//! A line protocol that is as small as a protocol with every kind of layer can be, for tests.
//!
//! The server repeats each line behind `+ `. After some lines both sides do the same thing: `STARTTLS`,
//! `COMPRESS` and `PLAIN` change the layer, `QUIT` ends. `ECHO n` is followed by n octets, which come back
//! as they are. `ASK` is answered by the host. Anything else is only repeated.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test file uses a part")]

#[cfg(feature = "rustls")]
pub mod certificates;
pub mod flood;
pub mod tasks;

use core::time::Duration;
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use mailwright_core::session::{Layer, LayerError, Session, TlsInfo, Transmit, Upgraded, Wants};
use mailwright_core::value::{Instant, TimerTable};
use mailwright_core::wire::{Framed, LineEnd, LineFramer};

/// Output above this holds input back.
pub const HIGH_WATER: usize = 4096;
/// The longest line.
pub const LINE: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Line(String),
    Asked,
    Octets(Bytes),
    Secured(TlsInfo),
    Compressed,
    Plain,
    TimedOut,
    /// The last one.
    Closed(Option<LayerError>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Server,
    Client,
}

#[derive(Debug)]
pub struct Toy {
    role: Role,
    framer: LineFramer,
    transmit: Transmit,
    events: VecDeque<Event>,
    upgrade: Option<Layer>,
    /// Octets of content that are still to come.
    pub content: u64,
    asked: bool,
    closed: bool,
    at_end: bool,
    greets: bool,
    timers: TimerTable<1>,
    idle: Option<Duration>,
}

impl Toy {
    pub fn new(role: Role) -> Self {
        let mut toy = Self::implicit(role);
        toy.upgrade = None;
        toy.greet();
        toy
    }

    pub fn server() -> Self {
        Self::new(Role::Server)
    }

    pub fn client() -> Self {
        Self::new(Role::Client)
    }

    /// TLS from the first octet.
    pub fn implicit(role: Role) -> Self {
        Self {
            role,
            framer: LineFramer::new(LineEnd::CrLf),
            transmit: Transmit::new(),
            events: VecDeque::new(),
            upgrade: Some(Layer::Tls),
            content: 0,
            asked: false,
            closed: false,
            at_end: false,
            greets: role == Role::Server,
            timers: TimerTable::new(Instant::ORIGIN),
            idle: None,
        }
    }

    /// A session that ends when the peer says nothing for so long.
    pub fn idle_after(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self.timers.start(0, idle);
        self
    }

    fn greet(&mut self) {
        if core::mem::take(&mut self.greets) {
            self.transmit.put(b"+ hello\r\n");
        }
    }

    pub fn say(&mut self, line: &str) {
        self.transmit.put(line.as_bytes());
        self.transmit.put(b"\r\n");
    }

    /// Announces content; the echo comes as [`Event::Octets`].
    pub fn announce(&mut self, octets: u64) {
        self.say(&format!("ECHO {octets}"));
    }

    /// Writes content and says how much of it.
    pub fn write(&mut self, octets: &[u8]) -> usize {
        let room = HIGH_WATER.saturating_sub(self.transmit.len()).min(octets.len());
        self.transmit.put(&octets[..room]);
        room
    }

    /// Ends without a word.
    pub fn leave(&mut self) {
        self.close(None);
    }

    pub fn answer(&mut self, text: &str) {
        assert!(core::mem::take(&mut self.asked));
        self.say(&format!("+ {text}"));
    }

    /// A server that waits for its output to go makes the peer wait. Were the client to do the same with
    /// content of its host, the two would wait for each other.
    fn has_room(&self) -> bool {
        self.role == Role::Client || self.transmit.len() < HIGH_WATER
    }

    fn takes_input(&self) -> bool {
        !self.closed && !self.asked && self.upgrade.is_none() && self.has_room() && self.events.len() < 32
    }

    fn line(&mut self, line: &str) {
        let command = if self.role == Role::Server {
            if line == "ASK" {
                self.asked = true;
                self.events.push_back(Event::Asked);
                return;
            }
            self.say(&format!("+ {line}"));
            line
        } else {
            line.trim_start_matches("+ ")
        };
        match command {
            "STARTTLS" => self.upgrade = Some(Layer::Tls),
            "COMPRESS" => self.upgrade = Some(Layer::Deflate),
            "PLAIN" => self.upgrade = Some(Layer::DeflateEnd),
            "QUIT" => self.close(None),
            _ => {
                self.content = command.strip_prefix("ECHO ").map_or(0, |octets| octets.parse().unwrap_or(0));
                self.events.push_back(Event::Line(line.to_owned()));
            }
        }
    }

    fn close(&mut self, error: Option<LayerError>) {
        if !core::mem::replace(&mut self.closed, true) {
            self.upgrade = None;
            self.timers.stop_all();
            self.events.push_back(Event::Closed(error));
        }
    }

    fn settle(&mut self) {
        if self.at_end && (self.takes_input() || self.upgrade.is_some()) {
            self.close(None);
        }
    }
}

impl Session for Toy {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.timers.observe(now);
        while self.takes_input() {
            if self.content > 0 && !input.is_empty() {
                let room = if self.role == Role::Server { HIGH_WATER } else { usize::MAX };
                let count = input.len().min(usize::try_from(self.content).unwrap()).min(room);
                let octets = input.split_to(count).freeze();
                self.content -= octets.len() as u64;
                if self.role == Role::Server {
                    self.transmit.put(&octets);
                } else {
                    self.events.push_back(Event::Octets(octets));
                }
                continue;
            }
            match self.framer.next_line(input, LINE) {
                Some(Framed::Line { line, .. }) => self.line(&String::from_utf8_lossy(&line)),
                Some(Framed::Overlong { .. }) => self.close(None),
                None => break,
            }
            if let (Some(idle), false) = (self.idle, self.closed) {
                self.timers.start_now(0, idle);
            }
        }
        self.settle();
    }

    fn handle_eof(&mut self, now: Instant) {
        self.timers.observe(now);
        self.at_end = true;
        self.settle();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.timers.observe(now);
        if self.timers.expired().is_some() {
            self.events.push_back(Event::TimedOut);
            self.say("* timeout");
            self.close(None);
        }
        self.settle();
    }

    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant) {
        self.timers.observe(now);
        if self.closed {
            return;
        }
        self.upgrade = None;
        match upgraded {
            Upgraded::Tls(info) => {
                self.framer.reset();
                self.events.push_back(Event::Secured(info));
                self.greet();
            }
            Upgraded::Deflate => self.events.push_back(Event::Compressed),
            Upgraded::DeflateEnd => self.events.push_back(Event::Plain),
            Upgraded::Failed(error) => {
                self.say("* the layer failed");
                self.close(Some(error));
            }
            _ => unreachable!(),
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn transmit(&mut self) -> &mut Transmit {
        &mut self.transmit
    }

    fn wants(&self) -> Wants {
        match self.upgrade {
            _ if self.closed => Wants::CLOSE,
            Some(layer) => Wants::upgrade(layer),
            None => Wants::answers(usize::from(self.asked), self.takes_input() && !self.at_end),
        }
    }
}

/// Everything that a session has to say, as events.
pub fn events<P: Session>(session: &mut P) -> Vec<P::Event> {
    core::iter::from_fn(|| session.poll_event()).collect()
}

/// Takes all output.
pub fn output<P: Session>(session: &mut P) -> Vec<u8> {
    let mut all = Vec::new();
    while !session.transmit().is_empty() {
        all.extend_from_slice(&session.transmit().take());
    }
    all
}

/// One end of a wire in memory: a session, and what it has not taken.
pub struct End<P: Session> {
    pub session: P,
    pub input: BytesMut,
    pub events: Vec<P::Event>,
    /// Octets that ever came, so that cuts have a place.
    came: usize,
}

impl<P: Session> End<P> {
    pub fn new(session: P) -> Self {
        Self { session, input: BytesMut::new(), events: Vec::new(), came: 0 }
    }

    /// What a driver does until there is no event any more.
    pub fn turn(&mut self) {
        loop {
            self.session.handle_timeout(Instant::ORIGIN);
            self.session.handle_input(&mut self.input, Instant::ORIGIN);
            let told = self.events.len();
            self.events.extend(events(&mut self.session));
            if self.events.len() == told {
                break;
            }
        }
    }

    /// Delivers `octets` in pieces that end at `cuts`, counted from the first octet that ever came.
    pub fn deliver(&mut self, octets: &[u8], cuts: &[usize]) {
        let mut rest = octets;
        while !rest.is_empty() {
            let next = cuts.iter().copied().find(|&cut| cut > self.came);
            let count = next.map_or(rest.len(), |cut| (cut - self.came).min(rest.len()));
            let (piece, behind) = rest.split_at(count);
            self.came += count;
            self.input.extend_from_slice(piece);
            self.turn();
            rest = behind;
        }
    }

    pub fn came(&self) -> usize {
        self.came
    }
}

/// Moves octets between two ends until both are silent. `cuts` are places in what the client sends.
pub fn run<C: Session, S: Session>(client: &mut End<C>, server: &mut End<S>, cuts: &[usize]) {
    client.turn();
    server.turn();
    loop {
        let up = output(&mut client.session);
        server.deliver(&up, cuts);
        let down = output(&mut server.session);
        client.deliver(&down, cuts);
        client.turn();
        server.turn();
        if up.is_empty() && down.is_empty() {
            break;
        }
    }
}

/// The lines among the events.
pub fn lines(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| if let Event::Line(line) = event { Some(line.as_str()) } else { None })
        .collect()
}

/// A small generator of numbers that look random and are the same each time.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    pub fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}
