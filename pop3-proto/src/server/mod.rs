//! The server side of a POP3 session: RFC 1939, with the extensions that the table of the crate names.
//!
//! ```text
//!              USER, PASS, AUTH            Open                QUIT
//!  greeting ──▶ AUTHORIZATION ──▶ question ──▶ TRANSACTION ──▶ question ──▶ closed
//!                 │  ▲                          LIST, UIDL: lazily from the snapshot
//!                 └──┘ STLS                     RETR, TOP: content pushed by the host
//! ```
//!
//! A session never takes a command while an earlier one is undecided or unanswered: what comes
//! meanwhile stays in the driver's buffer, which is not filled further. So replies leave in order and
//! memory is bounded without a queue of commands.
//!
//! One file for each phase: `authorization` (USER, PASS, AUTH), `apop`, `tls` (STLS), `capability` (CAPA, UTF8,
//! LANG), `transaction` (one-line commands), `listing` (LIST, UIDL), `content` (RETR, TOP), `update` (QUIT, and every
//! other end), `timers`; `phrase` has the words of replies. This file has the session itself: reading lines, writing
//! replies, asking and being answered.

#[cfg(feature = "legacy-md5")]
mod apop;
mod authorization;
mod capability;
mod config;
mod content;
mod event;
mod listing;
mod maildrop;
mod phrase;
mod question;
mod timers;
mod tls;
mod transaction;
mod update;

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use bytes::{Buf as _, BufMut as _, BytesMut};
use mailwright_core::session::{Layer, Session, Transmit, Upgraded, Wants};
use mailwright_core::value::{Deviation, DeviationKind, Excerpt, Instant, Refused, TimerTable};
use mailwright_core::wire::{Found, LineEnd, LineFramer};
use mailwright_sasl::{Channel, Seed};

pub use self::config::{Config, EarlyOctets, Expire, Limits, PerUser, Timeouts, Utf8};
use self::content::Content;
pub use self::event::{Closed, Commit, Event, Intake, Opening, Part, Severity, Unavailable};
use self::listing::Listing;
use self::maildrop::Snapshot;
pub use self::maildrop::{Deletions, Maildrop};
pub use self::phrase::{Language, Phrase};
use self::question::Ticket;
pub use self::question::{AuthenticateToken, CommitToken, OpenToken, Question, RetrieveToken};
use crate::config::TlsMode;
use crate::encode::{put_err, put_ok};
use crate::parse::CommandError;
use crate::queue::Queue;
use crate::types::{Command, ResponseCode};

/// The server side of a session: bytes and time in, events and bytes out.
///
/// Made for each connection, given to a connection of [`crate::io`] (or any driver of
/// [`Session`]), and answered by the host through [`Self::answer`] and [`Self::content`]. The
/// [module](self) says what happens when.
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
    events: Queue<Event>,
    timers: TimerTable<{ timers::COUNT }>,
    /// Whether TLS is in force.
    secure: bool,
    /// What SASL may know of the connection.
    channel: Channel,
    /// Whether a line was read in the present layer.
    spoken: bool,
    /// Whether the client will send nothing more.
    at_end: bool,
    /// Whether octets were left in the driver's buffer because the session took none.
    unread: bool,
    /// The name of the last USER, until the next command.
    user: Option<String>,
    /// Whether the client has said UTF8.
    utf8: bool,
    /// The language that it has chosen, by its place in the configuration.
    language: Option<u16>,
    /// What stands in the greeting for APOP.
    #[cfg(feature = "legacy-md5")]
    timestamp: Option<alloc::boxed::Box<apop::Timestamp>>,
    snapshot: Option<Snapshot>,
    errors: u32,
    failures: u32,
    missing: u32,
}

/// What the session does now.
enum Phase {
    /// Waits for a command.
    Command,
    /// Waits for TLS.
    Handshake,
    /// Waits for the client's part of a SASL exchange.
    Exchange(mailwright_sasl::Server),
    /// Waits for the host: are the credentials good?
    Authenticate(Proof),
    /// Waits for the host: open the maildrop.
    Open,
    /// Writes LIST or UIDL.
    Listing(Listing),
    /// Waits for the host's content of a message, and writes it.
    Content(Content),
    /// Waits for the host: remove the marked messages. Then closes for the reason, if there is one already.
    Commit(Option<Closed>),
    /// Over.
    Closed,
}

/// Where credentials came from.
enum Proof {
    /// USER and PASS.
    Password,
    Exchange(mailwright_sasl::Server),
    #[cfg(feature = "legacy-md5")]
    Apop(alloc::boxed::Box<apop::Claim>),
}

impl Server {
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
        let mut seed = Seed::new(seed);
        let session = seed.nonce().octets().first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
        let line_end = if config.strict_crlf { LineEnd::CrLf } else { LineEnd::CrLfOrLf };
        let mut server = Self {
            seed,
            session,
            serial: 0,
            phase: Phase::Command,
            framer: LineFramer::new(line_end),
            transmit: Transmit::new(),
            queued: 0,
            taken_at_start: 0,
            events: Queue::new(),
            timers: TimerTable::new(now),
            secure: false,
            channel: Channel::new(config.clear_text_without_tls),
            spoken: false,
            at_end: false,
            unread: false,
            user: None,
            utf8: false,
            language: None,
            #[cfg(feature = "legacy-md5")]
            timestamp: None,
            snapshot: None,
            errors: 0,
            failures: 0,
            missing: 0,
            config,
        };
        server.await_command();
        if server.config.tls == TlsMode::Implicit {
            server.phase = Phase::Handshake;
        } else {
            server.greet();
        }
        server.timers.observe(now);
        server
    }

    /// Answers a question. Each token says what its answer is: see [`Question`].
    ///
    /// # Errors
    /// The token comes back if the question is not open in this session: the session closed, or the
    /// token is another's. An [`Opening::Opened`] that is refused is followed by no [`Event::Release`].
    pub fn answer<Q: Question>(&mut self, token: Q, answer: Q::Answer) -> Result<(), Refused<Q>> {
        token.decide(self, answer)?;
        self.settle();
        Ok(())
    }

    /// Ends the session now, without a reply and without removing anything. An open question is void.
    pub fn abort(&mut self) {
        self.close_now(Closed::Aborted);
    }

    /// Whether TLS is in force.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a maildrop is open.
    #[must_use]
    pub const fn is_logged_in(&self) -> bool {
        self.snapshot.is_some()
    }

    fn greet(&mut self) {
        #[cfg(feature = "legacy-md5")]
        if self.config.apop {
            self.make_timestamp();
        }
        #[cfg(feature = "legacy-md5")]
        let timestamp = self.timestamp.as_ref().map(|timestamp| timestamp.as_str());
        #[cfg(not(feature = "legacy-md5"))]
        let timestamp = None;
        let wire = self.transmit.buffer();
        let before = wire.len();
        put_ok(self.config.greeting.as_str(), timestamp, wire);
        self.queued += (wire.len() - before) as u64;
    }

    // ---- Reading

    /// Whether a line would be taken now.
    fn takes_input(&self) -> bool {
        let waits = matches!(self.phase, Phase::Command | Phase::Exchange(_));
        // A reply of one line fits behind what is held back; further commands wait until it is read.
        waits && self.transmit.len() <= self.low_water() && self.events.len() < MOST_EVENTS
    }

    /// The most octets of the line at the front of `input`.
    fn line_limit(&self, input: &[u8]) -> usize {
        let limits = &self.config.limits;
        let command_line = limits.command_line.max(Limits::LEAST_COMMAND_LINE);
        // RFC 5034 §4: responses, and the command with its initial response, are longer than commands.
        let authenticates = matches!(self.phase, Phase::Exchange(_))
            || input.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"AUTH "));
        if authenticates { limits.auth_line.max(command_line) } else { command_line }
    }

    fn read(&mut self, input: &mut BytesMut) {
        while !input.is_empty() && self.takes_input() {
            let limit = self.line_limit(input);
            match self.framer.find_line(input, limit) {
                Some(Found::Line { length, end }) => {
                    if end == 1 {
                        let deviation = Deviation::new(DeviationKind::BareLineFeed, length as u64, b"\n");
                        self.events.push(Event::Deviation(deviation));
                    }
                    // Read where it stands, and taken away then.
                    self.line(input.get(..length).unwrap_or_default(), input.len() > length + end);
                    input.advance((length + end).min(input.len()));
                }
                Some(Found::Overlong { length }) => self.overlong(length),
                None => break,
            }
        }
        if matches!(self.phase, Phase::Closed) {
            // RFC 1939 §6: what comes behind QUIT is nobody's.
            input.clear();
        }
        self.unread = !input.is_empty() && !self.takes_input();
    }

    /// A line; `more` octets stand behind it.
    fn line(&mut self, line: &[u8], more: bool) {
        let first = !core::mem::replace(&mut self.spoken, true);
        if first && speaks_http(line) {
            return self.close(Closed::Http);
        }
        if matches!(self.phase, Phase::Exchange(_)) {
            return self.response(line);
        }
        let name = self.user.take();
        self.await_command();
        match Command::parse(line) {
            Ok(parsed) => {
                for deviation in parsed.deviations {
                    self.events.push(Event::Deviation(deviation));
                }
                // RFC 2449 §4: 255 octets. The line is not shown: it may hold a password.
                if line.len() + 2 > Limits::LEAST_COMMAND_LINE
                    && !matches!(parsed.command, Command::Auth { .. })
                {
                    let offset = Limits::LEAST_COMMAND_LINE as u64;
                    self.events.push(Event::Deviation(Deviation::new(DeviationKind::LongLine, offset, b"")));
                }
                self.command(parsed.command, name, more);
            }
            Err(CommandError::NoSuchMessage) if self.snapshot.is_some() => self.no_such_message(),
            Err(error) => self.reject(error),
        }
    }

    fn overlong(&mut self, octets: u64) {
        if let Phase::Exchange(exchange) = &mut self.phase {
            exchange.cancel();
        }
        self.user = None;
        self.await_command();
        self.phase = Phase::Command;
        if self.config.overlong_close {
            self.events.push(Event::Rejected(CommandError::Overlong { octets }));
            self.err(None, Phrase::LineTooLong);
            self.close(Closed::Overlong);
        } else {
            self.reject(CommandError::Overlong { octets });
        }
    }

    /// RFC 1939 §3, table of states and commands: what is possible when. `name` is that of the USER
    /// before, which only PASS may use.
    fn command(&mut self, command: Command<'_>, name: Option<String>, more: bool) {
        let logged_in = self.snapshot.is_some();
        match command {
            Command::Capa => self.capa(),
            Command::Quit => self.quit(),
            Command::User(argument) if !logged_in => self.user(argument.as_bytes()),
            Command::Pass(password) if !logged_in => self.pass(name, password.expose()),
            #[cfg(feature = "legacy-md5")]
            Command::Apop { name, digest } if !logged_in && self.config.apop => {
                self.apop(name.as_bytes(), digest.as_bytes());
            }
            Command::Apop { .. } if !logged_in => {
                self.reject(CommandError::Unknown { keyword: Excerpt::new(b"APOP") });
            }
            Command::ListMechanisms if !logged_in => self.list_mechanisms(),
            Command::Utf8 if !logged_in => self.utf8(),
            Command::Lang(range) => self.lang(range),
            Command::Auth { mechanism, initial } if !logged_in => {
                self.auth(mechanism.as_bytes(), initial.map(|initial| initial.expose()));
            }
            Command::Stls if !logged_in => self.stls(more),
            Command::Noop if logged_in => self.write(|wire| put_ok("", None, wire)),
            Command::Stat if logged_in => self.stat(),
            Command::List(number) if logged_in => self.list(number),
            Command::Uidl(number) if logged_in => self.uidl(number),
            Command::Retr(number) if logged_in => self.retrieve(number, Part::Whole),
            Command::Top { number, lines } if logged_in => self.retrieve(number, Part::Top(lines)),
            Command::Dele(number) if logged_in => self.dele(number),
            Command::Rset if logged_in => self.rset(),
            _ => self.reject(CommandError::State),
        }
    }

    // ---- Writing

    /// Appends to the output; every octet for the client goes through here.
    fn write(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let before = self.transmit.len();
        write(self.transmit.buffer());
        self.queued += (self.transmit.len() - before) as u64;
    }

    /// `+OK` in the language that the client has chosen.
    fn ok(&mut self, phrase: Phrase) {
        let language = self.language.and_then(|place| self.config.languages.get(usize::from(place)));
        let wire = self.transmit.buffer();
        let before = wire.len();
        wire.put_slice(b"+OK ");
        phrase.put_in(language, wire);
        wire.put_slice(b"\r\n");
        self.queued += (wire.len() - before) as u64;
    }

    /// `-ERR` in the language that the client has chosen.
    fn err(&mut self, code: Option<&ResponseCode>, phrase: Phrase) {
        let language = self.language.and_then(|place| self.config.languages.get(usize::from(place)));
        let wire = self.transmit.buffer();
        let before = wire.len();
        put_err(code, wire);
        phrase.put_in(language, wire);
        wire.put_slice(b"\r\n");
        self.queued += (wire.len() - before) as u64;
    }

    /// `-ERR` to a wrong command, which counts.
    fn reject(&mut self, error: CommandError) {
        let phrase = match &error {
            CommandError::Empty | CommandError::Unknown { .. } => Phrase::UnknownCommand,
            CommandError::Control { .. } => Phrase::ControlCharacter,
            CommandError::MissingArgument => Phrase::MissingArgument,
            CommandError::UnexpectedArgument { .. } => Phrase::UnexpectedArgument,
            CommandError::Number { .. } => Phrase::NotANumber,
            CommandError::Language { .. } => Phrase::NoSuchLanguage,
            CommandError::NoSuchMessage | CommandError::State if self.snapshot.is_some() => {
                Phrase::NotInTransaction
            }
            CommandError::NoSuchMessage | CommandError::State => Phrase::LogInFirst,
            CommandError::Overlong { .. } => Phrase::LineTooLong,
            CommandError::Base64(_) => Phrase::NotBase64,
        };
        self.err(None, phrase);
        self.events.push(Event::Rejected(error));
        self.errors += 1;
        let limits = &self.config.limits;
        let limit =
            if self.snapshot.is_some() { limits.errors_after_login } else { limits.errors_before_login };
        if self.errors >= limit {
            self.close(Closed::TooManyErrors);
        }
    }

    /// Output above this holds commands back and waits to be read before more is written ahead.
    fn low_water(&self) -> usize {
        self.high_water() / 2
    }

    /// The most output that is ever held.
    fn high_water(&self) -> usize {
        self.config.limits.output.max(2048)
    }

    /// Whether output may be written ahead: only below the low-water mark, so that the buffer's room at
    /// the front is always used again and it never grows.
    fn may_write_ahead(&self) -> bool {
        self.transmit.len() <= self.low_water()
    }

    /// Goes on with what does not wait for input: a listing, a wish for content, the end.
    ///
    /// Only where a driver presents its input next (`handle_*`, `answer`), since commands behind a
    /// listing are taken once it is complete.
    fn settle(&mut self) {
        self.write_ahead();
        if matches!(&self.phase, Phase::Listing(listing) if listing.is_complete()) {
            self.phase = Phase::Command;
            self.await_command();
        }
        if self.at_end && !self.unread && (self.takes_input() || matches!(self.phase, Phase::Handshake)) {
            self.close(Closed::EndOfInput);
        }
        self.watch_output();
    }

    /// Writes what may be written ahead, and asks for content that there is room for.
    #[inline]
    fn write_ahead(&mut self) {
        match &self.phase {
            Phase::Listing(_) => self.list_more(),
            Phase::Content(_) => self.ask_for_content(),
            _ => {}
        }
    }

    // ---- Asking

    /// Asks `question` of the host with a fresh ticket.
    fn ask(&mut self, phase: Phase, question: impl FnOnce(Ticket) -> Event) {
        self.serial += 1;
        let ticket = Ticket { session: self.session, serial: self.serial };
        self.phase = phase;
        self.timers.stop(timers::IDLE);
        self.events.push(question(ticket));
    }

    /// Whether `ticket` is that of the last question. Whether that one is open still, the phase says.
    fn is_latest(&self, ticket: &Ticket) -> bool {
        *ticket == Ticket { session: self.session, serial: self.serial }
    }
}

/// Events that may wait for the host before no more commands are taken. A command makes few.
const MOST_EVENTS: usize = 32;

/// Whether a first line is that of an HTTP request, which would smuggle commands in its body.
fn speaks_http(line: &[u8]) -> bool {
    let word = line.split(|octet| !octet.is_ascii_alphabetic()).next().unwrap_or_default();
    let verbs: [&[u8]; 9] =
        [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];
    verbs.iter().any(|verb| word.eq_ignore_ascii_case(verb))
}

impl Session for Server {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.timers.observe(now);
        self.settle();
        self.unread = false;
        while !input.is_empty() {
            let before = input.len();
            self.read(input);
            self.settle();
            if input.len() == before {
                break;
            }
        }
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
        self.settle();
        self.expire();
        self.timers.observe(now);
    }

    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant) {
        self.timers.observe(now);
        self.upgraded(upgraded);
        self.settle();
        self.timers.observe(now);
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.write_ahead();
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn transmit(&mut self) -> &mut Transmit {
        self.write_ahead();
        &mut self.transmit
    }

    fn wants(&self) -> Wants {
        match self.phase {
            Phase::Closed => Wants::CLOSE,
            Phase::Handshake => Wants::upgrade(Layer::Tls),
            Phase::Authenticate(_) | Phase::Open | Phase::Content(_) | Phase::Commit(_) => {
                Wants::answers(1, false)
            }
            Phase::Listing(_) => Wants::answers(0, false),
            Phase::Command | Phase::Exchange(_) => Wants::answers(0, self.takes_input() && !self.at_end),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("secure", &self.secure)
            .field("logged_in", &self.is_logged_in())
            .field("wants", &self.wants())
            .finish_non_exhaustive()
    }
}
