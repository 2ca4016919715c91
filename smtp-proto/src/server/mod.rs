//! The server side of an SMTP, submission or LMTP session: RFC 5321, RFC 6409, RFC 2033, and the extensions
//! that the table of the crate names.
//!
//! ```text
//!                     EHLO            MAIL               RCPT, DATA
//!   greeting ──▶ no EHLO yet ──▶ ready ──▶ in transaction ──▶ content ──▶ ready
//!                     ▲            │ ▲       (chunks of BDAT: back to     (one reply; LMTP: one each)
//!                     └─ STARTTLS ─┘ └─ AUTH  the transaction till LAST)
//! ```
//!
//! Replies leave in the order of commands, however late and in whatever order the host answers. While
//! questions are open, only further RCPT commands are taken; everything else stays in the driver's
//! buffer. So nothing is decided on a state that is still open, and memory is bounded.
//!
//! Each command passes the same checks, and the first that fails answers: the line itself, the gates
//! (530), the state (500, 502, 503), the syntax (501, 555, 553), the limits (452, 552, 421), the host.
//!
//! One file for each phase: `greeting` (greeting, EHLO), `auth`, `tls`, `envelope` (MAIL, RCPT, RSET), `queries` (VRFY
//! and others), `content` (DATA to the end of content), `chunks` (BDAT), `header` (its length), `timers`, `closing`. `reading` cuts lines and
//! gives commands to those, `gates` has the checks before syntax, `replies` keeps the order of replies, `reports` what is
//! said of departures. This file has the session itself, and what hosts and drivers call.

mod auth;
mod capabilities;
mod chunks;
mod closing;
mod config;
mod content;
mod envelope;
mod event;
mod gates;
mod greeting;
mod header;
mod limits;
mod queries;
mod question;
mod reading;
mod replies;
mod reports;
mod serve;
mod timers;
mod tls;

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::sync::Arc;
use core::fmt;

use bytes::BytesMut;
use mailwright_core::session::{Layer, Session, TlsInfo, Transmit, Upgraded, Wants};
use mailwright_core::value::{Domain, Instant, Refused, ReversePath, TimerTable};
use mailwright_core::wire::{LineEnd, LineFramer};
use mailwright_sasl::{Channel, Identity, Seed};

pub use self::capabilities::{Facts, capabilities};
use self::chunks::{Chunk, Discard};
pub use self::config::{
    Config, ContentPolicy, Early, EarlyPolicy, InvalidName, Promises, Protocol, Questions, TlsMode,
    Tolerance, Unusual,
};
use self::content::Content;
use self::envelope::Transaction;
pub use self::event::{
    AbortReason, Aborted, Authenticate, Closed, Data, Event, Expand, Hello, Help, Message, QueueRun,
    Recipient, Rejected, Sender, Verify,
};
pub use self::limits::{Limits, Timeouts};
pub use self::question::{
    AuthenticateToken, DataToken, ExpandToken, HelloToken, HelpToken, MessageToken, Question, QueueRunToken,
    RecipientToken, SenderToken, Verdict, VerifyToken,
};
use self::replies::Slot;
pub use self::serve::{Handler, Mail, MailRecipient, Serve};
use self::timers::Timer;
use crate::trace::With;
use crate::types::ClientName;

/// The server side of a session: bytes and time in, events and bytes out.
///
/// Made for each connection, given to a connection of [`mailwright_core::io`] (or any driver of
/// [`Session`]), and answered by the host through [`Self::answer`]. The [module](self) says what happens
/// when.
pub struct Server {
    config: Arc<Config>,
    seed: Seed,
    /// What its tokens carry, so that no other session takes them.
    session: u64,
    /// The question that was asked last.
    serial: u64,
    phase: Phase,
    framer: LineFramer,
    transmit: Transmit,
    /// Octets ever queued for the client.
    queued: u64,
    /// Octets that the client had taken when the stall timer started.
    taken_at_start: u64,
    events: VecDeque<Event>,
    /// Replies that wait for an answer, or for one before them.
    pending: VecDeque<Slot>,
    /// Octets of the lines of open RCPT questions.
    pending_octets: usize,
    timers: TimerTable<{ Timer::COUNT }>,
    /// Octets of content in the present window of the minimum rate.
    window_octets: u64,
    /// Inside a `handle_*`, where the time is known.
    clocked: bool,
    tls: Option<Box<TlsInfo>>,
    /// The same for SASL.
    channel: Channel,
    client: Option<ClientName>,
    /// The client said EHLO or LHLO: extensions are in force.
    extended: bool,
    identity: Option<Box<Identity>>,
    transaction: Option<Transaction>,
    /// Room for content from an earlier one.
    spare: Option<Box<Content>>,
    /// Domains of recipients, where their number is limited.
    domains: BTreeSet<Domain>,
    errors: u32,
    idle_commands: u32,
    overlong_lines: u32,
    transactions: u32,
    /// Reports of octets before their time.
    early: u32,
    /// Whether a line was read in the present layer.
    spoken: bool,
    /// Whether the greeting was the last thing written.
    greeted_only: bool,
    /// Whether the line at the front belongs to AUTH, which has a limit of its own.
    authentication_line: bool,
    /// The front of the input is no RCPT, and must wait for open questions.
    blocked: bool,
    /// Octets stand behind what was taken last.
    behind: bool,
    /// Early octets were reported for the command that is open.
    early_reported: bool,
    /// The reply to an error is held back.
    delayed: bool,
    /// The last reply is queued: nothing more is read.
    closing: bool,
    /// The host has no room for content.
    held: bool,
    /// Content that the host has not taken.
    content_waits: bool,
    /// The host took content since the time was told last.
    content_taken: bool,
    /// The host wants the session to end.
    shutting_down: bool,
    /// Whether the client will send nothing more.
    at_end: bool,
    /// Octets were left in the input because the session took none.
    unread: bool,
    tls_unavailable: bool,
}

/// Entries of a queue for which memory is kept.
const RETAINED: usize = 4;

/// What the session does now.
enum Phase {
    /// Holds the greeting back.
    Greeting,
    /// Waits for commands, or for answers of the host.
    Command,
    /// Waits for TLS.
    Handshake,
    /// Waits for the client's part of a SASL exchange.
    Exchange(Box<mailwright_sasl::Server>),
    /// Waits for the host's part of it.
    Authenticate(Box<mailwright_sasl::Server>),
    /// Reads content up to its dot.
    Content,
    /// Reads content that has this many octets more.
    Chunk(Chunk),
    /// Reads a chunk that nobody wants; then gives the reply.
    Discard(Box<Discard>),
    /// Over.
    Closed,
}

impl Server {
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
        let session = seed.nonce().octets().first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
        // RFC 5321 §2.3.8: only CR LF ends a line.
        let line_end = if config.tolerance.bare_lf_command_end { LineEnd::CrLfOrLf } else { LineEnd::CrLf };
        let mut server = Self {
            seed,
            session,
            serial: 0,
            phase: Phase::Greeting,
            framer: LineFramer::new(line_end),
            transmit: Transmit::new(),
            queued: 0,
            taken_at_start: 0,
            events: VecDeque::new(),
            pending: VecDeque::new(),
            pending_octets: 0,
            timers: TimerTable::new(now),
            window_octets: 0,
            clocked: true,
            tls: None,
            channel: Channel::new(config.allow_plaintext_authentication),
            client: None,
            extended: false,
            identity: None,
            transaction: None,
            spare: None,
            domains: BTreeSet::new(),
            errors: 0,
            idle_commands: 0,
            overlong_lines: 0,
            transactions: 0,
            early: 0,
            spoken: false,
            greeted_only: false,
            authentication_line: false,
            blocked: false,
            behind: false,
            early_reported: false,
            delayed: false,
            closing: false,
            held: false,
            content_waits: false,
            content_taken: false,
            shutting_down: false,
            at_end: false,
            unread: false,
            tls_unavailable: false,
            config,
        };
        if server.config.tls == TlsMode::Implicit {
            server.phase = Phase::Handshake;
        } else {
            server.begin();
        }
        server.watch();
        server.clocked = false;
        server
    }

    /// Answers a question. Each token says what its answer is: see [`Question`] and the events.
    ///
    /// # Errors
    /// The token comes back if its question is not open in this session
    /// ([`NotOpen`](mailwright_core::value::Misuse::NotOpen): it was never asked, the session closed, or the
    /// token is another's), or if the reply cannot answer it
    /// ([`WrongAnswer`](mailwright_core::value::Misuse::WrongAnswer)).
    pub fn answer<Q: Question>(&mut self, token: Q, answer: impl Into<Q::Answer>) -> Result<(), Refused<Q>> {
        token.decide(self, answer.into())?;
        self.settle();
        Ok(())
    }

    // ---- Facts

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the client called itself; `None` before EHLO, and again after STARTTLS.
    #[must_use]
    pub const fn client_name(&self) -> Option<&ClientName> {
        self.client.as_ref()
    }

    /// Whether the client said EHLO or LHLO, so that extensions are in force.
    #[must_use]
    pub const fn is_extended(&self) -> bool {
        self.extended
    }

    /// The facts of TLS, if it is in force.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// Who the client is, if it authenticated.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// The sender of the open transaction.
    #[must_use]
    pub fn sender(&self) -> Option<&ReversePath> {
        self.begun().map(|transaction| &transaction.sender)
    }

    /// Accepted recipients of the open transaction.
    #[must_use]
    pub fn recipients(&self) -> usize {
        self.begun().map_or(0, |transaction| transaction.accepted)
    }

    /// How often it was reported that octets came before their time: before the greeting, behind the last command of a
    /// group, or behind any without PIPELINING. It depends on timing; clients that send spam do so more often.
    #[must_use]
    pub const fn early(&self) -> u32 {
        self.early
    }

    /// How messages come in this session, for the field `Received`. Whether SMTPUTF8 was said is known while the
    /// transaction is open; behind it, [`Message::smtp_utf8`] tells.
    #[must_use]
    pub fn with(&self) -> With {
        let mut with = With::default();
        with.lmtp = self.config.is_lmtp();
        with.extended = self.extended;
        with.tls = self.tls.is_some();
        with.authenticated = self.identity.is_some();
        with.utf8 = self.begun().is_some_and(|transaction| transaction.smtp_utf8);
        with
    }

    /// Holds the client back while it sends content, or lets it go on. The deadlines stand still meanwhile.
    pub fn hold(&mut self, held: bool) {
        if self.held != held {
            self.held = held;
            self.restart_rate();
            self.settle();
        }
    }

    /// Whether STARTTLS is answered with 454 for now: the certificate is missing, for example.
    pub fn set_tls_unavailable(&mut self, unavailable: bool) {
        self.tls_unavailable = unavailable;
    }

    /// Gives back what empty queues hold. A session that takes mail keeps enough for the next message; one that has taken
    /// none keeps nothing.
    fn release(&mut self) {
        let retained = if self.transactions > 0 { RETAINED } else { 0 };
        if self.events.is_empty() && self.events.capacity() > retained {
            self.events = VecDeque::new();
        }
        if self.pending.is_empty() && self.pending.capacity() > retained {
            self.pending = VecDeque::new();
        }
    }

    /// The transaction, once its sender was accepted.
    fn begun(&self) -> Option<&Transaction> {
        self.transaction.as_ref().filter(|transaction| transaction.begun)
    }

    /// Writes what can be written now, closes at the end, and sets the timers.
    fn settle(&mut self) {
        self.flush();
        if self.at_end && !self.unread && self.pending.is_empty() && !self.delayed {
            let waits = !matches!(self.phase, Phase::Greeting | Phase::Closed);
            if waits {
                self.close(Closed::Disconnected);
            }
        }
        self.finish_shutdown();
        self.watch();
    }

    fn observe(&mut self, now: Instant) {
        // While the host dealt with content, or the session took none, the client could not send more.
        let host_time = now.saturating_duration_since(self.timers.now());
        let stood_still = core::mem::take(&mut self.content_taken) || !self.is_ready();
        self.timers.observe(now);
        if stood_still {
            self.timers.postpone(Timer::Block as usize, host_time);
            self.timers.postpone(Timer::Rate as usize, host_time);
        }
    }
}

impl Session for Server {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.observe(now);
        self.clocked = true;
        self.expire();
        self.read(input);
        self.settle();
        self.clocked = false;
    }

    fn handle_eof(&mut self, now: Instant) {
        self.observe(now);
        self.clocked = true;
        self.expire();
        self.at_end = true;
        self.settle();
        self.clocked = false;
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.observe(now);
        self.clocked = true;
        self.expire();
        self.settle();
        self.clocked = false;
    }

    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant) {
        self.observe(now);
        self.clocked = true;
        self.expire();
        self.upgraded(upgraded);
        self.settle();
        self.clocked = false;
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.release();
        if matches!(event, Event::Content(_)) {
            self.content_waits = false;
            self.content_taken = true;
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
        let mut wants = Wants::default();
        match self.phase {
            Phase::Closed => wants.close = true,
            Phase::Handshake => wants.upgrade = Some(Layer::Tls),
            // Whoever talks before the greeting is to be noticed, once.
            Phase::Greeting => wants.input = !self.early_reported,
            _ => {
                wants.input = self.is_ready() && !self.blocked;
                wants.answers = self.open_questions();
            }
        }
        wants
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Greeting => "Greeting",
            Phase::Command => "Command",
            Phase::Handshake => "Handshake",
            Phase::Exchange(_) => "Exchange",
            Phase::Authenticate(_) => "Authenticate",
            Phase::Content => "Content",
            Phase::Chunk(_) => "Chunk",
            Phase::Discard(_) => "Discard",
            Phase::Closed => "Closed",
        };
        f.debug_struct("Server")
            .field("phase", &phase)
            .field("client", &self.client)
            .field("tls", &self.tls.is_some())
            .field("identity", &self.identity)
            .field("transaction", &self.transaction)
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}
