//! The client side of SMTP, submission and LMTP: [`Client`], a pure state machine. RFC 5321, RFC 2033,
//! RFC 2920 (pipelining), RFC 3207 (STARTTLS), RFC 4954 (AUTH).
//!
//! # How a session goes
//! The opening needs no call: the session reads the greeting, says EHLO (LHLO in LMTP; HELO to an old
//! server), asks for TLS if [`Config::tls`] says so, says EHLO again, and reports [`Event::Ready`]. Then
//! the host gives commands; each returns a [`CommandId`] that the events of its reply carry:
//!
//! ```text
//! mail ─▶ Sender      rcpt ─▶ Recipient (each)      data ─▶ StartContent ─▶ content… end_content ─▶ Message
//!                                                   bdat, content… ─▶ Chunk (each)  bdat (last), content… ─▶ Message
//! ```
//!
//! A command is refused with [`Misuse::Busy`] while it may not be written: without PIPELINING while any
//! reply is outstanding, with it behind a command that ends its group (RFC 2920 §3.1). Nothing is queued
//! behind the host's back. The tasks [`Login`], [`Deliver`] and [`Quit`] do all this.
//!
//! # What a hostile server cannot do
//! Make it run commands or replies across the TLS handshake, send credentials in plaintext that were
//! not meant to be, believe a success that was not said to its command, hold more memory than
//! [`Limits`], wait longer than [`Timeouts`]. Every fault ends with [`Event::Closed`] and its reason.

mod auth;
mod chunks;
mod config;
mod content;
mod envelope;
mod error;
mod event;
mod greeting;
mod limits;
mod parameters;
mod queries;
mod tasks;
mod timers;
mod tls;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::BytesMut;
use mailwright_core::session::{Layer, Session, TlsInfo, Transmit, Upgraded, Wants};
use mailwright_core::value::{Domain, Excerpt, Instant, Misuse, TimerTable};
use mailwright_sasl::{Channel, MechanismName};

use self::auth::Exchange;
pub use self::config::{Config, InvalidName, Protocol, TlsMode};
use self::envelope::Transaction;
pub use self::error::{AuthenticateError, SendError};
pub use self::event::{AuthenticationFailure, Awaited, Closed, CommandId, Event, Verdict};
use self::greeting::Hello;
pub use self::limits::{Limits, Timeouts};
pub use self::parameters::{MailOptions, RecipientOptions};
pub use self::queries::{InvalidUserName, Query, UserName};
pub use self::tasks::{
    Deliver, DeliverError, Delivery, Login, LoginError, Outcome, Quit, Row, WantContent, Welcome,
};
use self::timers::Timer;
use crate::content::{ChunkEncoder, DataEncoder};
use crate::parse::ReplyReader;
use crate::types::{Capabilities, Reply, ReplyCode, Verb};

/// Entries for which an empty queue keeps memory.
const RETAINED: usize = 8;

/// One client session of SMTP or LMTP.
///
/// Give it to a connection of [`crate::io`], which moves bytes and time; then take events and give
/// commands. See the [module](self) for the course of a session.
#[derive(Debug)]
pub struct Client {
    config: Arc<Config>,
    phase: Phase,
    reader: ReplyReader,
    transmit: Transmit,
    events: VecDeque<Event>,
    timers: TimerTable<{ Timer::COUNT }>,
    /// Commands whose replies are to come, in order: replies are matched by this order alone.
    in_flight: VecDeque<InFlight>,
    last_id: u64,
    capabilities: Capabilities,
    tls: Option<Box<TlsInfo>>,
    /// The same for SASL.
    channel: Channel,
    exchange: Option<Box<Exchange>>,
    authenticated: bool,
    /// The mechanism under which the server rejected credentials.
    rejected: Option<MechanismName>,
    transaction: Transaction,
    /// Transactions that were opened, counted from 1.
    transactions: u64,
    /// Whether a message was answered: from then on the connection is a reused one.
    served: bool,
    /// Domains of recipients, where the server limits their number.
    domains: Vec<Domain>,
    encoder: Option<Encoder>,
    /// Octets of encoded content put into `transmit`.
    produced: u64,
    /// How many of them had left when the block timer started.
    drained_before: u64,
}

/// Where the conversation is.
#[derive(Debug)]
enum Phase {
    Greeting,
    /// EHLO, STARTTLS: commands of the session's own.
    Opening,
    /// TLS is being put below. `implicit`: before the greeting.
    Handshake {
        implicit: bool,
    },
    Ready,
    /// The host writes content.
    Content,
    /// The host writes this many more octets of a chunk.
    Chunk {
        remaining: u64,
        last: bool,
    },
    /// QUIT was answered with this; the server is to close.
    Quitted(Reply),
    Closed,
}

/// What content is written with.
#[derive(Debug)]
enum Encoder {
    Data(DataEncoder),
    Chunks(ChunkEncoder),
}

/// A command whose reply is to come.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    id: CommandId,
    command: Sent,
}

#[derive(Clone, Copy, Debug)]
enum Sent {
    Hello(Hello),
    StartTls,
    Auth,
    Mail {
        transaction: u64,
    },
    /// `sized`: MAIL carried SIZE.
    Rcpt {
        transaction: u64,
        sized: bool,
    },
    Data,
    /// The end of content; in LMTP for one recipient.
    Message(Option<CommandId>),
    /// An empty content that nobody gets.
    EmptyMessage,
    /// A chunk that is not the last.
    Chunk {
        transaction: u64,
    },
    /// The last chunk; in LMTP for one recipient.
    LastChunk(Option<CommandId>),
    Rset,
    Noop,
    Vrfy,
    Expn,
    Help,
    Quit,
}

impl Sent {
    fn awaited(self) -> Awaited {
        match self {
            Self::Hello(_) => Awaited::Hello,
            Self::StartTls => Awaited::StartTls,
            Self::Auth => Awaited::Authentication,
            Self::Mail { .. } => Awaited::Mail,
            Self::Rcpt { .. } => Awaited::Rcpt,
            Self::Data => Awaited::Data,
            Self::Message(_) | Self::EmptyMessage | Self::LastChunk(_) => Awaited::Message,
            Self::Chunk { .. } => Awaited::Chunk,
            Self::Rset => Awaited::Rset,
            Self::Noop => Awaited::Noop,
            Self::Vrfy => Awaited::Vrfy,
            Self::Expn => Awaited::Expn,
            Self::Help => Awaited::Help,
            Self::Quit => Awaited::Quit,
        }
    }

    /// The command whose reply it is; `None` for content.
    fn verb(self) -> Option<Verb> {
        Some(match self {
            // LHLO and HELO are treated the same.
            Self::Hello(_) => Verb::Ehlo,
            Self::StartTls => Verb::StartTls,
            Self::Auth => Verb::Auth,
            Self::Mail { .. } => Verb::Mail,
            Self::Rcpt { .. } => Verb::Rcpt,
            Self::Data => Verb::Data,
            Self::Message(_) | Self::EmptyMessage => return None,
            Self::Chunk { .. } | Self::LastChunk(_) => Verb::Bdat,
            Self::Rset => Verb::Rset,
            Self::Noop => Verb::Noop,
            Self::Vrfy => Verb::Vrfy,
            Self::Expn => Verb::Expn,
            Self::Help => Verb::Help,
            Self::Quit => Verb::Quit,
        })
    }

    /// RFC 2920 §3.1: whether nothing may be written behind it before its reply.
    fn ends_group(self) -> bool {
        match self {
            // RFC 3030 §2: if it fails, RSET is to come before anything else. Other chunks may follow.
            Self::Chunk { .. } | Self::LastChunk(_) => true,
            other => other.verb().is_some_and(|verb| verb.entry().last_in_group),
        }
    }
}

impl Client {
    /// A session that counts time from [`Instant::ORIGIN`].
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        Self::starting_at(config, Instant::ORIGIN)
    }

    /// A session that begins `now`: the deadline of the greeting counts from there.
    #[must_use]
    pub fn starting_at(config: impl Into<Arc<Config>>, now: Instant) -> Self {
        let config = config.into();
        let mut timers = TimerTable::new(now);
        timers.start_now(Timer::Reply as usize, config.timeouts.greeting);
        let phase = match config.tls {
            TlsMode::Implicit => Phase::Handshake { implicit: true },
            _ => Phase::Greeting,
        };
        Self {
            phase,
            reader: ReplyReader::new(config.limits.reply),
            config,
            transmit: Transmit::new(),
            events: VecDeque::new(),
            timers,
            in_flight: VecDeque::new(),
            last_id: 0,
            capabilities: Capabilities::new(),
            tls: None,
            channel: Channel::new(false),
            exchange: None,
            authenticated: false,
            rejected: None,
            transaction: Transaction::default(),
            transactions: 0,
            served: false,
            domains: Vec::new(),
            encoder: None,
            produced: 0,
            drained_before: 0,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the server announced in its last reply to EHLO; empty before, after HELO, and while TLS is put in.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Facts about TLS, if it is in force.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// Whether the opening is over and commands may be given, now or when replies are in.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Content | Phase::Chunk { .. })
    }

    /// Whether AUTH succeeded.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Whether the conversation is over.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Commands whose replies are outstanding.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Ends the session with QUIT; it is answered with [`Event::Reply`] and, once the server has closed,
    /// [`Event::Closed`].
    ///
    /// # Errors
    /// [`Misuse::Busy`] while it may not be written, [`Misuse::WrongState`] before [`Event::Ready`] and
    /// inside content.
    pub fn quit(&mut self) -> Result<CommandId, Misuse> {
        self.may_write()?;
        self.transmit.put(b"QUIT\r\n");
        Ok(self.sent_by_host(Sent::Quit))
    }

    /// Gives the session up: nothing more is written, content under way is never completed.
    pub fn abort(&mut self) {
        drop(self.transmit.take());
        self.close(Closed::Aborted);
    }

    /// Whether a command may be written now.
    ///
    /// # Errors
    /// [`Misuse::Busy`] if not yet: take events, then try again. [`Misuse::WrongState`] before the session is
    /// ready, inside content, and while it [must reset](Self::must_reset); [`Misuse::Closed`] when it is over.
    pub fn may_write(&self) -> Result<(), Misuse> {
        self.may_write_in(false)
    }

    /// The same. `failed`: also behind a chunk that was refused.
    fn may_write_in(&self, failed: bool) -> Result<(), Misuse> {
        match self.phase {
            Phase::Ready => {}
            Phase::Closed | Phase::Quitted(_) => return Err(Misuse::Closed),
            _ => return Err(Misuse::WrongState),
        }
        if self.must_reset() && !failed {
            return Err(Misuse::WrongState);
        }
        let limits = &self.config.limits;
        // RFC 2920 §3.1: in groups only if the server announces it, and nothing behind the last of a group.
        let free = self.in_flight.back().is_none_or(|sent| {
            self.capabilities.pipelining()
                && !sent.command.ends_group()
                && self.in_flight.len() < limits.in_flight
        });
        if free && self.transmit.len() < limits.output { Ok(()) } else { Err(Misuse::Busy) }
    }

    /// Notes a command of the session's own; for use inside a `handle_*`.
    fn sent(&mut self, command: Sent) {
        let id = self.next_id();
        self.expect(id, command);
    }

    /// Notes that one more reply belongs to the command `id`; inside a `handle_*`.
    fn expect(&mut self, id: CommandId, command: Sent) {
        self.in_flight.push_back(InFlight { id, command });
    }

    /// Puts a command that goes on back to the front.
    fn sent_again(&mut self, id: CommandId, command: Sent) {
        self.in_flight.push_front(InFlight { id, command });
    }

    /// Notes a command of the host's.
    fn sent_by_host(&mut self, command: Sent) -> CommandId {
        let id = self.next_id();
        self.expect_by_host(id, command);
        id
    }

    fn expect_by_host(&mut self, id: CommandId, command: Sent) {
        self.in_flight.push_back(InFlight { id, command });
        self.wait_for_reply();
    }

    fn next_id(&mut self) -> CommandId {
        self.last_id += 1;
        CommandId(self.last_id)
    }

    /// A complete reply: matched to the first command in flight.
    fn answered(&mut self, reply: Reply) {
        if let Phase::Greeting = self.phase {
            self.greeted(reply);
            return;
        }
        let quitting = matches!(self.in_flight.front(), Some(InFlight { command: Sent::Quit, .. }));
        if let Phase::Quitted(last) = &self.phase {
            // RFC 5321 §4.1.1.10: nothing comes behind the reply to QUIT; 421 says the same once more.
            let reason = if reply.code() == ReplyCode::UNAVAILABLE {
                Closed::Quit(last.clone())
            } else {
                Closed::Unsolicited(reply)
            };
            self.close(reason);
            return;
        }
        if reply.code() == ReplyCode::UNAVAILABLE && !quitting {
            // RFC 5321 §3.8: 421 may stand for the reply to any command, or come by itself.
            let reason = if self.is_stale() { Closed::Stale(Some(reply)) } else { Closed::Service(reply) };
            self.close(reason);
            return;
        }
        let first = self.in_flight.pop_front();
        if self.in_flight.is_empty() && self.in_flight.capacity() > RETAINED {
            self.in_flight = VecDeque::new();
        }
        let Some(InFlight { id, command }) = first else {
            self.close(Closed::Unsolicited(reply));
            return;
        };
        match command {
            Sent::Hello(form) => self.hello_answered(form, reply),
            Sent::StartTls => self.start_tls_answered(reply),
            Sent::Auth => self.auth_answered(id, reply),
            Sent::Mail { transaction } => self.mail_answered(id, transaction, reply),
            Sent::Rcpt { transaction, sized } => self.rcpt_answered(id, transaction, sized, reply),
            Sent::Data => self.data_answered(id, reply),
            Sent::Message(recipient) => self.message_answered(id, recipient, reply),
            Sent::Chunk { transaction } => self.chunk_answered(id, transaction, reply),
            Sent::LastChunk(recipient) => self.last_chunk_answered(id, recipient, reply),
            Sent::EmptyMessage => {
                self.events.push_back(Event::ContentRefused { id, reply: Some(reply) });
            }
            Sent::Rset => self.rset_answered(id, reply),
            Sent::Quit if !reply.is_intermediate() => {
                self.events.push_back(Event::Reply { id, reply: reply.clone() });
                self.in_flight.clear();
                self.phase = Phase::Quitted(reply);
                self.timers.start_now(Timer::Reply as usize, self.config.timeouts.close);
            }
            Sent::Noop | Sent::Vrfy | Sent::Expn | Sent::Help if !reply.is_intermediate() => {
                self.events.push_back(Event::Reply { id, reply });
            }
            other => self.close(Closed::Unexpected(other.awaited(), reply)),
        }
    }

    /// Whether the connection had served before and nothing of a new transaction was answered yet.
    fn is_stale(&self) -> bool {
        let awaits_message = |sent: &InFlight| {
            matches!(sent.command, Sent::Message(_) | Sent::Chunk { .. } | Sent::LastChunk(_))
        };
        let message_awaited = self.in_flight.iter().any(awaits_message);
        self.served
            && !message_awaited
            && self.transaction.is_unanswered()
            && matches!(self.phase, Phase::Ready)
    }

    fn close(&mut self, reason: Closed) {
        if self.is_closed() {
            return;
        }
        self.phase = Phase::Closed;
        self.timers.stop_all();
        self.in_flight = VecDeque::new();
        self.reader.reset();
        self.exchange = None;
        self.encoder = None;
        self.transaction = Transaction::default();
        self.events.push_back(Event::Closed(reason));
    }

    /// Whether enough waits for the host that the peer must wait too.
    fn is_full(&self) -> bool {
        self.events.len() >= self.config.limits.events
    }
}

impl Session for Client {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.timers.observe(now);
        loop {
            match self.phase {
                Phase::Closed => {
                    input.clear();
                    return;
                }
                Phase::Handshake { implicit: true } => return,
                Phase::Handshake { implicit: false } => {
                    // RFC 3207 §6: what stands behind the reply to STARTTLS did not come from the peer of
                    // the handshake, which waits for the client.
                    if !input.is_empty() {
                        self.close(Closed::Injected(Excerpt::new(input)));
                        continue;
                    }
                    return;
                }
                _ => {}
            }
            if self.is_full() {
                return;
            }
            match self.reader.next_reply(input) {
                Ok(None) => return,
                Ok(Some(reply)) => {
                    self.answered(reply);
                    if !matches!(self.phase, Phase::Closed | Phase::Quitted(_)) {
                        self.wait_for_reply_now();
                    }
                }
                Err(error) => self.close(Closed::Malformed(error)),
            }
        }
    }

    fn handle_eof(&mut self, now: Instant) {
        self.timers.observe(now);
        let reason = match &self.phase {
            Phase::Closed => return,
            Phase::Quitted(reply) => Closed::Quit(reply.clone()),
            _ if self.is_stale() => Closed::Stale(None),
            _ => match self.transaction.take_refusal() {
                Some(reply) => Closed::Sender(reply),
                None => Closed::Disconnected(self.awaited()),
            },
        };
        self.close(reason);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.timers.observe(now);
        self.expire();
    }

    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant) {
        self.timers.observe(now);
        self.upgraded(upgraded);
        if !self.is_closed() {
            self.wait_for_reply_now();
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() && self.events.capacity() > RETAINED {
            self.events = VecDeque::new();
        }
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
            Phase::Handshake { .. } => Wants::upgrade(Layer::Tls),
            _ if self.is_full() => Wants::default(),
            _ => Wants::INPUT,
        }
    }
}

#[cfg(test)]
mod tests;
