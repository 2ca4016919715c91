//! The client side of an IMAP session: RFC 3501 and RFC 9051, with the extensions that the table of the crate
//! names.
//!
//! ```text
//!               LOGIN, AUTHENTICATE         SELECT, EXAMINE
//!  greeting ──▶ not authenticated ──▶ authenticated ──▶ selected ──▶ LOGOUT ──▶ closed
//!                  │  ▲                     ▲               │
//!                  └──┘ STARTTLS            └───────────────┘ CLOSE, UNSELECT
//! ```
//! UNAUTHENTICATE leads back to not authenticated, where the server has it. Layers come and go behind agreements:
//! TLS by STARTTLS or from the start, DEFLATE by COMPRESS until UNAUTHENTICATE; the
//! [`Transport`](mailwright_core::session::Transport) below has them.
//!
//! Each command gets a [`CommandId`] and ends with one [`Event::Completed`]. Several may be in flight where
//! the table of commands ([`Verb::entry`]) permits it; one that does not fit now is refused with
//! [`Misuse`](mailwright_core::value::Misuse) and nothing is written, and [`Client::obstacle`] says what has to come
//! before. Data comes when the server likes, as
//! events of its own. Work of several commands (log in, select, fetch, append, idle …) is in the [`tasks`],
//! which any connection runs.
//!
//! Mirrors the server, one file for each part: `commands` (what a host can say), `response` (what the server
//! says), `window` (which commands go together), `announced` (what they need), `broken` (what the
//! server refuses although it announces it), `forms` (what a value has to be like there), `authentication` (LOGIN,
//! AUTHENTICATE), `capabilities`, `append` (literals and messages), `idle`, `layers` (TLS, DEFLATE), `timers`,
//! `tags`, `tasks`. This file has the session itself.

mod announced;
mod append;
mod authentication;
mod broken;
mod capabilities;
mod commands;
mod config;
mod error;
mod event;
mod forms;
mod idle;
mod layers;
mod response;
mod tags;
pub mod tasks;
mod timers;
mod window;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;
use mailwright_core::session::{Layer, Session, Transmit, Upgraded, Wants};
use mailwright_core::value::{Instant, TimerTable};
use mailwright_sasl::{Channel, ClientError, Credentials, MechanismName, Seed};

use self::append::Piece;
pub use self::append::{Content, ContentPart};
use self::authentication::Exchange;
pub use self::broken::Feature;
use self::broken::Trial;
pub use self::config::{Config, InitialResponse, Limits, Timeouts, TlsMode};
pub use self::error::{ContentError, SendError};
pub use self::event::{Closed, CommandId, Event};
use self::idle::Idle;
use self::tags::Tags;
pub use self::window::Obstacle;
use crate::parse::ResponseReader;
use crate::types::{Capability, Mailbox, StatusResponse, Verb};

/// The client side of a session: bytes and time in, events and bytes out.
///
/// Made for each connection and given to a connection of [`mailwright_core::io`] (or any driver of
/// [`Session`]). A host sends commands when [`Event::Greeting`] has come. The [module](self) says what
/// happens when.
pub struct Client {
    config: Arc<Config>,
    seed: Seed,
    tags: Tags,
    phase: Phase,
    state: State,
    reader: ResponseReader,
    transmit: Transmit,
    /// Octets ever queued for the server.
    queued: u64,
    /// Octets that the server had taken when the timer started.
    taken_at_start: u64,
    events: VecDeque<Event>,
    /// Octets that were read since there were none.
    event_octets: usize,
    timers: TimerTable<{ timers::COUNT }>,
    /// Whether TLS is in force.
    secure: bool,
    /// Whether DEFLATE is.
    compressed: bool,
    /// Whether the server says that another layer compresses.
    compressed_elsewhere: bool,
    /// What SASL may know of the connection.
    channel: Channel,
    /// Whether the server will send nothing more.
    at_end: bool,
    /// Whether octets, or responses that were read, were left because the host takes no events.
    unread: bool,
    capabilities: Option<Vec<Capability>>,
    /// Whether the capabilities are those of before the log-in that is under way.
    outdated: bool,
    /// What ENABLE has brought.
    enabled: Vec<Capability>,
    /// What the server has refused although it announces it.
    broken: Vec<Feature>,
    /// Commands that are not complete.
    in_flight: VecDeque<InFlight>,
    /// What of the last command is not written.
    pieces: VecDeque<Piece>,
    /// How the server has completed that command already; told when it is written.
    refused: Option<Box<StatusResponse>>,
    exchange: Option<Box<Exchange>>,
    idle: Option<Idle>,
    last_id: u64,
}

/// A command that is not complete.
struct InFlight {
    id: CommandId,
    /// Which tag.
    tag: u64,
    verb: Verb,
    /// Whether the server may tell of expunged messages while it runs.
    expunges: bool,
    /// Whether it saves what it finds as `$`.
    saves: bool,
    /// What was queued, ever, when its tag had been.
    queued: u64,
    /// What SELECT or EXAMINE selects.
    mailbox: Option<Mailbox>,
    /// The feature that it uses and the server may refuse.
    trial: Option<Trial>,
    /// Whether data has come for it.
    answered: bool,
}

/// What the session does now.
enum Phase {
    /// Waits for a layer to come or go.
    Upgrade(Layer),
    Greeting,
    Open,
    /// Over.
    Closed,
}

/// The state of the connection: RFC 9051 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Before the log-in.
    NotAuthenticated,
    /// Logged in, no mailbox is selected.
    Authenticated,
    /// A mailbox is selected.
    Selected(Mailbox),
}

impl Client {
    /// A session that counts time from [`Instant::ORIGIN`]. `seed`: 32 octets of a random generator, never
    /// used twice.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>, seed: [u8; 32]) -> Self {
        Self::starting_at(config, seed, Instant::ORIGIN)
    }

    /// A session that starts at `now`.
    #[must_use]
    pub fn starting_at(config: impl Into<Arc<Config>>, seed: [u8; 32], now: Instant) -> Self {
        let config = config.into();
        let mut seed = Seed::new(seed);
        let phase = match config.tls {
            TlsMode::Implicit => Phase::Upgrade(Layer::Tls),
            _ => Phase::Greeting,
        };
        let mut client = Self {
            tags: Tags::new(&mut seed),
            seed,
            phase,
            state: State::NotAuthenticated,
            reader: ResponseReader::new(config.limits.response.clone()),
            config,
            transmit: Transmit::new(),
            queued: 0,
            taken_at_start: 0,
            events: VecDeque::new(),
            event_octets: 0,
            timers: TimerTable::new(now),
            secure: false,
            compressed: false,
            compressed_elsewhere: false,
            channel: Channel::new(false),
            at_end: false,
            unread: false,
            capabilities: None,
            outdated: false,
            enabled: Vec::new(),
            broken: Vec::new(),
            in_flight: VecDeque::new(),
            pieces: VecDeque::new(),
            refused: None,
            exchange: None,
            idle: None,
            last_id: 0,
        };
        client.watch();
        client.timers.observe(now);
        client
    }

    // ---- Facts

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The state of the connection.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Whether TLS is in force.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the server has greeted, so that commands may be sent.
    #[must_use]
    pub const fn is_greeted(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Commands that are not complete.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether the server has refused an initial response although it announces SASL-IR; the next exchange
    /// of this connection begins without one.
    #[must_use]
    pub fn initial_response_refused(&self) -> bool {
        self.is_broken(Feature::InitialResponse)
    }

    /// The client side of a SASL mechanism, with a nonce and the bindings of this session, for [`Self::authenticate`].
    ///
    /// # Errors
    /// If there is no such mechanism, or the credentials do not fit it.
    pub fn exchange(
        &mut self,
        name: MechanismName,
        credentials: &Credentials,
    ) -> Result<mailwright_sasl::Client, ClientError> {
        let (nonce, announced) = (self.seed.nonce(), self.mechanisms());
        let policy = &self.config.sasl;
        mailwright_sasl::Client::bound(name, credentials, policy, nonce, &mut self.channel, &announced)
    }

    /// What SASL may know of the connection, for [`choose`](mailwright_sasl::choose()).
    #[must_use]
    pub const fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Gives the session up: nothing more is written, a message under way is never completed.
    pub fn abort(&mut self) {
        drop(self.transmit.take());
        self.close(Closed::Aborted);
    }

    // ---- Reading

    /// Whether enough waits for the host that the server must wait too.
    fn is_full(&self) -> bool {
        let limits = &self.config.limits;
        self.events.len() >= limits.events.max(1) || self.event_octets > limits.event_octets
    }

    /// Whether octets would be taken now.
    fn takes_input(&self) -> bool {
        matches!(self.phase, Phase::Greeting | Phase::Open) && !self.is_full()
    }

    fn read(&mut self, input: &mut BytesMut) {
        // RFC 9051 §6.2.1: what stands behind the OK to STARTTLS did not come from the peer of the handshake,
        // which waits for the client.
        let by_starttls =
            matches!(self.phase, Phase::Upgrade(Layer::Tls)) && self.config.tls != TlsMode::Implicit;
        if by_starttls && !input.is_empty() {
            self.close(Closed::EarlyOctets);
        }
        if self.events.is_empty() {
            self.event_octets = 0;
        }
        while self.takes_input() {
            let before = input.len();
            match self.reader.next_event(input) {
                Ok(Some(event)) => {
                    // Something came: the next response has its own time.
                    self.answered_in_time();
                    self.received(event, input);
                    self.event_octets += before - input.len();
                }
                Ok(None) => break,
                Err(error) => self.close(Closed::Framing(error)),
            }
        }
        if matches!(self.phase, Phase::Closed) {
            input.clear();
        }
        self.unread = matches!(self.phase, Phase::Open) && self.is_full();
    }

    // ---- Writing

    /// Appends to the output; every octet for the server goes through here.
    fn write(&mut self, octets: &[u8]) {
        self.queued += octets.len() as u64;
        self.transmit.put(octets);
    }

    /// Octets that the server, or the driver, has taken so far.
    fn taken(&self) -> u64 {
        self.queued.saturating_sub(self.transmit.len() as u64)
    }

    // ---- Ending

    fn push(&mut self, event: Event) {
        if self.events.len() == self.events.capacity() {
            // A few are the rule; where more come, as many come as may wait.
            let most = self.config.limits.events.saturating_sub(self.events.len()).clamp(4, 256);
            self.events.reserve_exact(if self.events.is_empty() { 4 } else { most });
        }
        self.events.push_back(event);
    }

    fn settle(&mut self) {
        if self.at_end && !self.unread {
            self.close(self.reason_at_end());
        }
        self.watch();
    }

    /// What it means that the server says nothing more.
    fn reason_at_end(&self) -> Closed {
        let logs_out = self.in_flight.iter().any(|command| command.verb == Verb::Logout);
        if logs_out {
            Closed::Logout
        } else if self.reader.is_between_responses() {
            Closed::EndOfInput
        } else {
            Closed::Truncated
        }
    }

    fn close(&mut self, reason: Closed) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.phase = Phase::Closed;
        self.timers.stop_all();
        self.reader = ResponseReader::new(self.config.limits.response.clone());
        self.in_flight = VecDeque::new();
        self.pieces = VecDeque::new();
        self.refused = None;
        self.exchange = None;
        self.idle = None;
        self.push(Event::Closed(reason));
    }
}

impl Session for Client {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.timers.observe(now);
        self.read(input);
        self.settle();
        self.timers.observe(now);
    }

    fn handle_eof(&mut self, now: Instant) {
        self.timers.observe(now);
        self.at_end = true;
        self.settle();
        self.timers.observe(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.timers.observe(now);
        self.expire();
        self.settle();
        self.timers.observe(now);
    }

    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant) {
        self.timers.observe(now);
        self.upgraded(upgraded);
        self.settle();
        self.timers.observe(now);
    }

    fn poll_event(&mut self) -> Option<Event> {
        let was_full = self.is_full();
        let event = self.events.pop_front()?;
        if self.events.is_empty() {
            // An idle session holds no memory.
            self.events = VecDeque::new();
            self.event_octets = 0;
        }
        if was_full {
            // The server may have to be waited for again.
            self.watch();
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn transmit(&mut self) -> &mut Transmit {
        &mut self.transmit
    }

    fn wants(&self) -> Wants {
        match self.phase {
            Phase::Closed => Wants::CLOSE,
            Phase::Upgrade(layer) => Wants::upgrade(layer),
            _ => Wants::answers(0, self.takes_input() && !self.at_end),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("secure", &self.secure)
            .field("in_flight", &self.in_flight.len())
            .field("wants", &self.wants())
            .finish_non_exhaustive()
    }
}
