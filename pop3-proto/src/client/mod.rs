//! The client side of a POP3 session: RFC 1939, with the extensions that the table of the crate names.
//!
//! ```text
//!  greeting ──▶ commands ──▶ replies in order ──▶ QUIT ──▶ closed
//!                 │  ▲
//!                 └──┘ STLS: everything known before is forgotten
//! ```
//!
//! Each command gets a [`CommandId`]; what the server answers is decided by the command, never guessed
//! from the text. One command is in flight until the server announced PIPELINING, then a window of them.
//! Work of several commands (log in, list, fetch, quit) is in the tasks, which any connection runs.
//!
//! Mirrors the server, one file for each part: `commands` (what a host can say), `reply` (status lines),
//! `listing`, `content`, `authorization` (AUTH), `apop`, `tls`, `timers`, `tasks`.

#[cfg(feature = "legacy-md5")]
mod apop;
mod authorization;
mod commands;
mod config;
mod content;
mod event;
mod listing;
mod reply;
pub mod tasks;
mod timers;
mod tls;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;

use bytes::BytesMut;
use mailwright_core::session::{Layer, Session, Transmit, Upgraded, Wants};
use mailwright_core::value::{Deviation, DeviationKind, Excerpt, Instant, TimerTable};
use mailwright_core::wire::{DotDecoder, Framed, LineEnd, LineFramer};
use mailwright_sasl::{Channel, ClientError, Credentials, MechanismName, Seed};

#[cfg(feature = "legacy-md5")]
pub use self::apop::ApopError;
use self::authorization::Exchange;
#[cfg(feature = "legacy-md5")]
pub use self::config::Apop;
pub use self::config::{Config, InitialResponse, Limits, Timeouts, Tolerance};
pub use self::event::{Closed, CommandId, Event, QuitOutcome, Summary, Value};
use self::listing::Listing;
pub use self::tasks::{Fetch, FetchNew, List, Login, Quit};

use crate::config::TlsMode;
use crate::queue::Queue;
use crate::types::Capabilities;

/// The client side of a session: bytes and time in, events and bytes out.
///
/// Made for each connection and given to a connection of [`crate::io`] (or any driver of [`Session`]).
/// A host sends commands when [`Event::Greeting`] has come; a command that does not fit now is refused
/// with [`Misuse`](mailwright_core::value::Misuse) and nothing is written.
pub struct Client {
    config: Arc<Config>,
    seed: Seed,
    phase: Phase,
    framer: LineFramer,
    /// What ends a line: CR LF but for servers that have no CR.
    line_end: LineEnd,
    transmit: Transmit,
    events: Queue<Event>,
    timers: TimerTable<{ timers::COUNT }>,
    /// Whether TLS is in force.
    secure: bool,
    /// What SASL may know of the connection.
    channel: Channel,
    /// Whether the server will send nothing more.
    at_end: bool,
    /// Whether octets were left in the driver's buffer because the session took none.
    unread: bool,
    capabilities: Option<Capabilities>,
    /// Whether UTF8 is in force.
    utf8: bool,
    /// What stands in the greeting for APOP.
    #[cfg(feature = "legacy-md5")]
    timestamp: Option<Box<[u8]>>,
    /// Commands without their complete reply, in order.
    in_flight: VecDeque<InFlight>,
    /// The SASL exchange of the AUTH in flight.
    exchange: Option<Box<Exchange>>,
    next_id: u64,
}

/// A command without its complete reply.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    id: CommandId,
    kind: Kind,
}

/// What a command's reply looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A status line that says nothing more.
    Plain,
    User,
    Pass,
    Stat,
    /// LIST or UIDL of one message.
    OneSize,
    OneId,
    /// LIST, UIDL or CAPA: lines up to a dot.
    Sizes,
    Ids,
    Capa,
    Languages,
    /// LANG with a language.
    Language,
    Utf8,
    /// RETR or TOP.
    Content,
    Stls,
    Auth,
    Quit,
}

/// What the session reads now.
enum Phase {
    /// Waits for TLS.
    Handshake,
    Greeting,
    /// Status lines and challenges.
    Replies,
    /// The lines of a listing.
    Listing(Listing),
    /// A message.
    Content(Box<DotDecoder>),
    /// Over.
    Closed,
}

impl Client {
    /// A session that counts time from [`Instant::ORIGIN`]. `seed`: 32 octets of a random generator,
    /// never used twice.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>, seed: [u8; 32]) -> Self {
        Self::starting_at(config, seed, Instant::ORIGIN)
    }

    /// A session that starts at `now`.
    #[must_use]
    pub fn starting_at(config: impl Into<Arc<Config>>, seed: [u8; 32], now: Instant) -> Self {
        let config = config.into();
        let phase = if config.tls == TlsMode::Implicit { Phase::Handshake } else { Phase::Greeting };
        let line_end = if config.tolerance.bare_line_feeds { LineEnd::CrLfOrLf } else { LineEnd::CrLf };
        let mut client = Self {
            config,
            seed: Seed::new(seed),
            phase,
            framer: LineFramer::new(line_end),
            line_end,
            transmit: Transmit::new(),
            events: Queue::new(),
            timers: TimerTable::new(now),
            secure: false,
            channel: Channel::new(false),
            at_end: false,
            unread: false,
            capabilities: None,
            utf8: false,
            #[cfg(feature = "legacy-md5")]
            timestamp: None,
            in_flight: VecDeque::new(),
            exchange: None,
            next_id: 0,
        };
        client.settle();
        client.timers.observe(now);
        client
    }

    /// What the server announced in its last CAPA; `None` if it was not asked, or if TLS came since.
    #[must_use]
    pub const fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Says what the server can do, for a host that knows better than CAPA.
    pub fn set_capabilities(&mut self, capabilities: Capabilities) {
        self.capabilities = Some(capabilities);
    }

    /// The client side of a SASL mechanism, with a nonce and the bindings of this session, for [`Self::auth`].
    ///
    /// # Errors
    /// If there is no such mechanism, or the credentials do not fit it.
    pub fn exchange(
        &mut self,
        name: MechanismName,
        credentials: &Credentials,
    ) -> Result<mailwright_sasl::Client, ClientError> {
        let nonce = self.seed.nonce();
        let announced = self.capabilities.as_ref().and_then(|known| known.mechanisms()).unwrap_or_default();
        let policy = &self.config.sasl;
        mailwright_sasl::Client::bound(name, credentials, policy, nonce, &mut self.channel, announced)
    }

    /// What SASL may know of the connection, for [`choose`](mailwright_sasl::choose()).
    #[must_use]
    pub const fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether TLS is in force.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the server has greeted, so that commands may be sent.
    #[must_use]
    pub const fn is_greeted(&self) -> bool {
        !matches!(self.phase, Phase::Handshake | Phase::Greeting | Phase::Closed)
    }

    /// Ends the session without QUIT: nothing is deleted (RFC 1939 §6).
    pub fn abort(&mut self) {
        self.close(Closed::Aborted);
    }

    // ---- Reading

    /// Whether octets would be taken now.
    fn takes_input(&self) -> bool {
        !matches!(self.phase, Phase::Handshake | Phase::Closed) && self.events.len() < MOST_EVENTS
    }

    fn read(&mut self, input: &mut BytesMut) {
        while self.takes_input() && !input.is_empty() {
            let progress = match &mut self.phase {
                Phase::Content(_) => self.content(input),
                Phase::Listing(_) => self.listing(input),
                // RFC 1939 §3: a server speaks only when it is asked.
                Phase::Replies if self.in_flight.is_empty() => {
                    self.close(Closed::Unexpected(Excerpt::new(input)));
                    true
                }
                _ => self.line(input),
            };
            if !progress {
                break;
            }
            // Something came: the next piece has its own time.
            self.timers.stop(timers::ANSWER);
        }
        if matches!(self.phase, Phase::Closed) {
            input.clear();
        }
        self.unread = !input.is_empty() && !self.takes_input();
    }

    /// Reads a status line or a challenge, if there is one.
    fn line(&mut self, input: &mut BytesMut) -> bool {
        match self.framer.next_line(input, self.config.limits.reply_line) {
            None => return false,
            Some(Framed::Line { line, bare_lf }) => {
                if matches!(self.phase, Phase::Greeting) {
                    self.learn_line_end(&line, bare_lf);
                }
                self.status(&line, !input.is_empty());
            }
            Some(Framed::Overlong { length }) => self.overlong_status(length),
        }
        true
    }

    /// By tolerance, a greeting that ends in a bare LF says how the whole connection is to be read.
    fn learn_line_end(&mut self, line: &[u8], bare_lf: bool) {
        if bare_lf {
            let offset = line.len() as u64;
            self.report()(Deviation::new(DeviationKind::BareLineFeed, offset, b"\n"));
        } else {
            self.read_lines_to(LineEnd::CrLf);
        }
    }

    /// What ends a line from here on.
    fn read_lines_to(&mut self, line_end: LineEnd) {
        self.line_end = line_end;
        self.framer = LineFramer::new(line_end);
    }

    // ---- Ending

    fn settle(&mut self) {
        if self.at_end && !self.unread && (self.takes_input() || matches!(self.phase, Phase::Handshake)) {
            self.close(self.reason_at_end());
        }
        self.watch();
    }

    /// What it means that the server says nothing more.
    fn reason_at_end(&self) -> Closed {
        match &self.phase {
            // Not complete, and so never a success.
            Phase::Content(_) | Phase::Listing(_) => Closed::Truncated,
            _ if self.in_flight.back().is_some_and(|last| last.kind == Kind::Quit) => {
                Closed::Quit(QuitOutcome::Unknown)
            }
            _ => Closed::EndOfInput,
        }
    }

    fn close(&mut self, reason: Closed) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.phase = Phase::Closed;
        self.timers.stop_all();
        self.framer.reset();
        self.in_flight = VecDeque::new();
        self.exchange = None;
        self.events.push(Event::Closed(reason));
    }
}

/// Events that may wait for the host before no more input is taken.
const MOST_EVENTS: usize = 64;

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
        let event = self.events.pop();
        self.settle();
        event
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
            Phase::Handshake => Wants::upgrade(Layer::Tls),
            _ => Wants::answers(0, self.takes_input() && !self.at_end),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("secure", &self.secure)
            .field("in_flight", &self.in_flight.len())
            .field("wants", &self.wants())
            .finish_non_exhaustive()
    }
}
