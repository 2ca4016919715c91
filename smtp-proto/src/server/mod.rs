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
//! One file for each phase: `greeting` (greeting, EHLO), `auth`, `tls`, `envelope` (MAIL, RCPT, RSET), `queries` (VRFY and others),
//! `content` (DATA to the end of content), `chunks` (BDAT), `timers`, `closing`. `replies` keeps the order of replies, `gates` the
//! checks before syntax. This file has the session itself: reading lines, and who gets them.

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
mod limits;
mod queries;
mod question;
mod queue;
mod replies;
mod serve;
mod timers;
mod tls;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use core::fmt;

use bytes::{Bytes, BytesMut};
use mailwright_core::session::{Layer, Session, TlsInfo, Transmit, Upgraded, Wants};
use mailwright_core::value::{Deviation, DeviationKind, Domain, Instant, Refused, ReversePath, TimerTable};
use mailwright_core::wire::{Framed, LineEnd, LineFramer};
use mailwright_sasl::{Channel, Identity, Seed};

pub use self::capabilities::{Facts, capabilities};
use self::chunks::{Chunk, Discard};
pub use self::config::{
    Config, ContentPolicy, Early, EarlyPolicy, InvalidName, Promises, Protocol, Questions, TlsMode,
    Tolerance, Unusual,
};
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
use self::queue::Queue;
use self::replies::Slot;
pub use self::serve::{Handler, Mail, MailRecipient, Serve};
use self::timers::Timer;
use crate::parse::{CommandError, CommandErrorKind, CommandLine, CommandOptions};
use crate::trace::With;
use crate::types::{ClientName, Command, Reply, Verb};

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
    events: Queue<Event, 2>,
    /// Replies that wait for an answer, or for one before them.
    pending: Queue<Slot, 1>,
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
    /// Domains of recipients, where their number is limited.
    domains: BTreeSet<Domain>,
    errors: u32,
    idle_commands: u32,
    overlong_lines: u32,
    transactions: u32,
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
            events: Queue::new(),
            pending: Queue::new(),
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
            domains: BTreeSet::new(),
            errors: 0,
            idle_commands: 0,
            overlong_lines: 0,
            transactions: 0,
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
        self.transaction.as_ref().map(|transaction| &transaction.sender)
    }

    /// Accepted recipients of the open transaction.
    #[must_use]
    pub fn recipients(&self) -> usize {
        self.transaction.as_ref().map_or(0, |transaction| transaction.accepted)
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
        with.utf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.smtp_utf8);
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

    // ---- Reading

    /// Whether input is taken, as far as that does not depend on what it is.
    fn is_ready(&self) -> bool {
        // Replies that wait will be output too, all at once perhaps.
        let output = self.transmit.len() + self.pending.len() * REPLY;
        let room =
            output < self.config.limits.output.max(1) && self.events.len() < self.config.limits.events.max(1);
        let open = match &self.phase {
            Phase::Command => self.has_room_for_recipients(),
            Phase::Exchange(_) | Phase::Discard(_) => true,
            Phase::Content | Phase::Chunk(_) => !self.held && !self.content_waits,
            _ => false,
        };
        room && open && !self.delayed && !self.closing
    }

    fn read(&mut self, input: &mut BytesMut) {
        self.blocked = false;
        if self.greeted_only && !input.is_empty() && !matches!(self.phase, Phase::Closed) {
            self.early_talker(input);
        }
        while self.is_ready() {
            let goes_on = match &self.phase {
                Phase::Content => self.read_content(input),
                Phase::Chunk(_) => self.read_chunk(input),
                Phase::Discard(_) => self.discard(input),
                _ => self.read_line(input),
            };
            if !goes_on {
                break;
            }
        }
        if matches!(self.phase, Phase::Closed) || self.closing {
            // RFC 5321 §4.1.1.10: nothing behind QUIT is executed, nor behind any last reply.
            input.clear();
        }
        self.behind = !input.is_empty();
        self.unread = self.behind && (self.blocked || !self.is_ready());
        self.report_waiting(input);
    }

    /// Reads one line; `false` if there is none now.
    fn read_line(&mut self, input: &mut BytesMut) -> bool {
        if !self.framer.is_skipping() {
            if !self.spoken && input.first().is_some_and(|octet| !octet.is_ascii_alphabetic()) {
                self.not_smtp();
                return false;
            }
            // RFC 2920 §3.1: while questions are open, only RCPT can be judged.
            if !self.pending.is_empty() {
                match starts_with_rcpt(input) {
                    Some(true) => {}
                    Some(false) => {
                        self.blocked = true;
                        return false;
                    }
                    None => return false,
                }
            }
            // RFC 4954 §4: the lines of AUTH may be longer than others.
            self.authentication_line = matches!(self.phase, Phase::Exchange(_))
                || input.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"AUTH "));
        }
        let limits = &self.config.limits;
        // RFC 5321 §4.5.3.1.4: no command line below 512 octets is too long.
        let command_line = limits.command_line.max(512);
        let limit = if self.authentication_line {
            limits.authentication_line.max(command_line)
        } else {
            command_line
        };
        match self.framer.next_line(input, limit) {
            Some(Framed::Line { line, bare_lf }) => {
                if bare_lf {
                    self.deviation(DeviationKind::BareLineFeed, line.len(), b"\n");
                }
                self.timers.stop(Timer::Command as usize);
                self.early_reported = false;
                self.line(&line, input);
                true
            }
            Some(Framed::Overlong { .. }) => {
                self.timers.stop(Timer::Command as usize);
                self.overlong();
                true
            }
            None => false,
        }
    }

    /// A line; `behind` is what stands behind it.
    fn line(&mut self, line: &Bytes, behind: &[u8]) {
        if matches!(self.phase, Phase::Exchange(_)) {
            return self.response(line, behind);
        }
        let first = !core::mem::replace(&mut self.spoken, true);
        if first && speaks_http(line) {
            return self.not_smtp();
        }
        let read = match CommandLine::read(line) {
            Ok(read) => read,
            Err(error) => {
                self.report_group(None, behind);
                let gate = if error.kind == CommandErrorKind::Unknown { self.gate(None) } else { None };
                let reply = gate.unwrap_or_else(|| error.reply());
                return self.reject(reply, error.verb, Some(error));
            }
        };
        let verb = read.verb();
        if verb == Verb::Bdat {
            return self.bdat(&read);
        }
        self.report_group(Some(&read), behind);
        if verb.entry().idle && self.idle_command(verb) {
            return;
        }
        if let Some(reply) = self.gate(Some(verb)).or_else(|| self.state(verb)) {
            return self.refuse_state(verb, reply, behind);
        }
        let parsed = match read.parse(&self.command_options()) {
            Ok(parsed) => parsed,
            Err(error) => {
                let reply = error.reply();
                if verb == Verb::Data {
                    return self.refuse_data(reply, Some(error), behind);
                }
                return self.reject(reply, Some(verb), Some(error));
            }
        };
        for deviation in parsed.deviations {
            self.events.push(Event::Deviation(deviation));
        }
        self.command(parsed.command, line.len(), behind);
    }

    fn command(&mut self, command: Command, length: usize, behind: &[u8]) {
        match command {
            Command::Ehlo(name) | Command::Lhlo(name) => self.hello(name, true),
            Command::Helo(name) => self.hello(name, false),
            Command::Mail { path, route, parameters } => self.mail(path, route, parameters),
            Command::Rcpt { path, route, parameters } => self.rcpt(path, route, parameters, length),
            Command::Data => self.data(behind),
            Command::Rset => self.rset(),
            Command::Noop => self.reply(Reply::OK),
            Command::Vrfy { query, smtp_utf8 } => self.vrfy(query, smtp_utf8),
            Command::Expn { query, smtp_utf8 } => self.expn(query, smtp_utf8),
            Command::Help(topic) => self.help(topic),
            Command::StartTls => self.start_tls(behind),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial.as_ref()),
            Command::Quit => self.last_reply(Reply::CLOSING, Closed::Quit),
            Command::Other(verb @ (Verb::Etrn | Verb::Atrn), argument) => self.queue_run(verb, argument),
            // Refused by their state before.
            Command::Bdat { .. } | Command::Other(..) => self.reply(Reply::NOT_IMPLEMENTED),
        }
    }

    /// What is read now, and what is forgiven.
    fn command_options(&self) -> CommandOptions {
        let (config, tolerance) = (&self.config, &self.config.tolerance);
        let mut options = CommandOptions::default();
        options.address = config.address;
        options.space_after_colon = tolerance.space_after_colon;
        options.missing_brackets = tolerance.missing_brackets;
        // RFC 5321 §3.2: after HELO no extension is in force.
        options.size = self.extended;
        options.eight_bit_mime = false;
        if self.extended {
            options.eight_bit_mime = config.eight_bit_mime();
            options.binary_mime = config.binary_mime();
            options.smtp_utf8 = config.smtp_utf8;
            options.utf8_recipients =
                self.transaction.as_ref().is_some_and(|transaction| transaction.smtp_utf8);
            options.require_tls = config.requiretls;
            options.dsn = config.dsn;
            options.auth = self.takes_authentication();
            options.deliver_by = config.promises.deliver_by.is_some();
            options.future_release = config.future_release().is_some();
            options.mt_priority = config.promises.mt_priority.is_some();
            options.rrvs = config.promises.rrvs;
            options.ignore_unknown_parameters = tolerance.unknown_parameters;
        }
        options
    }

    fn overlong(&mut self) {
        self.spoken = true;
        self.overlong_lines = self.overlong_lines.saturating_add(1);
        let error = CommandError::overlong();
        let authentication = core::mem::take(&mut self.authentication_line);
        if matches!(self.phase, Phase::Exchange(_)) {
            self.phase = Phase::Command;
        }
        if self.overlong_lines > self.config.limits.overlong_lines {
            self.events.push(Event::Rejected(Rejected {
                verb: None,
                reply: Reply::TOO_MANY_ERRORS,
                error: Some(error),
            }));
            return self.last_reply(Reply::TOO_MANY_ERRORS, Closed::TooManyOverlongLines);
        }
        // RFC 4954 §4: 500 5.5.6 to a line of AUTH above the limit.
        let reply = if authentication { Reply::AUTHENTICATION_LINE_TOO_LONG } else { Reply::LINE_TOO_LONG };
        self.reject(reply, None, Some(error));
    }

    // ---- Reporting

    fn deviation(&mut self, kind: DeviationKind, offset: usize, bytes: &[u8]) {
        self.events.push(Event::Deviation(Deviation::new(kind, offset as u64, bytes)));
    }

    /// Reports octets that came before their time. Of them only the name of a command is shown: anything else
    /// may be a password, or a message.
    fn early(&mut self, kind: DeviationKind, octets: &[u8]) {
        self.early_reported = true;
        let word = octets.split(|octet| octet.is_ascii_whitespace()).next().unwrap_or_default();
        let name = if Verb::find(word).is_some() { word } else { &[] };
        self.deviation(kind, 0, name);
    }

    /// RFC 2920 §3.1: what stands behind a command that must be the last of its group, or behind any command
    /// where PIPELINING was not announced, is reported and executed in order.
    fn report_group(&mut self, command: Option<&CommandLine>, behind: &[u8]) {
        let pipelining = self.extended && (self.config.pipelining || self.config.is_lmtp());
        // What stands behind these has reports, or a fate, of its own.
        let apart = matches!(command.map(CommandLine::verb), Some(Verb::Data | Verb::StartTls | Verb::Quit));
        let proper = pipelining && !command.is_some_and(CommandLine::ends_group);
        if !behind.is_empty() && !apart && !proper {
            self.early(DeviationKind::ImproperPipelining, behind);
        }
    }

    /// The same for octets that come while the host has not answered.
    fn report_waiting(&mut self, input: &[u8]) {
        let open = self.pending.front().is_some_and(Slot::ends_group);
        if open && !input.is_empty() && !self.early_reported {
            self.early(DeviationKind::ImproperPipelining, input);
        }
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

/// Octets that a reply has, as a rule.
const REPLY: usize = 64;

/// Whether a line is RCPT; `None` if that cannot be told yet.
fn starts_with_rcpt(input: &[u8]) -> Option<bool> {
    let front = input.get(..5).unwrap_or(input);
    let rcpt = b"RCPT ".get(..front.len()).unwrap_or_default();
    match front.eq_ignore_ascii_case(rcpt) {
        true if front.len() < 5 => None,
        fits => Some(fits),
    }
}

/// Whether the first line is a request of HTTP: somebody makes a browser send mail.
fn speaks_http(line: &[u8]) -> bool {
    const METHODS: [&[u8]; 10] =
        [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH", b"PRI"];
    let word = line.split(|&octet| octet == b' ').next().unwrap_or_default();
    METHODS.iter().any(|method| word.eq_ignore_ascii_case(method))
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
        let event = self.events.pop()?;
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
