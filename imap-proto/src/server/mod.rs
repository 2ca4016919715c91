//! The server side of an IMAP session: RFC 3501 with the extensions that the table of the crate names.
//!
//! ```text
//!               LOGIN, AUTHENTICATE         SELECT, EXAMINE
//!  greeting ──▶ not authenticated ──▶ authenticated ──▶ selected ──▶ LOGOUT
//!                  │  ▲                     ▲               │
//!                  └──┘ STARTTLS            └───────────────┘ CLOSE, UNSELECT
//! ```
//!
//! Commands are executed one after the other: the next one is read when the one before is complete, so
//! responses leave in order, numbers never change under a command, and memory is bounded without a queue.
//! The client's picture of the selected mailbox is brought up to date between commands and in IDLE, and
//! only as far as the command permits.
//!
//! `receive` reads commands with their literals and throws refused ones away; then one file for each phase:
//! `authentication`, `mailboxes` (CREATE to STATUS), `append`, `selected` (SELECT to CLOSE, STORE, COPY),
//! `load` (the messages of a mailbox that was opened by its summary), `fetch`, `search`; `updates` tells what
//! changed, `timers` has the deadlines, `closing` the ends. This
//! file has the session itself.

mod append;
mod authentication;
mod capabilities;
mod closing;
mod config;
mod event;
mod fetch;
mod load;
mod mailbox;
mod mailboxes;
mod offered;
mod question;
mod receive;
mod search;
mod selected;
mod timers;
mod updates;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;

use bytes::{Bytes, BytesMut};
use mailwright_core::session::{Layer, Session, TlsInfo, Transmit, Upgraded, Wants};
use mailwright_core::value::{Instant, Refused, TimerTable};
use mailwright_sasl::{Channel, Identity, Seed};

pub use self::config::{CommandBounds, Config, Limits, Timeouts, TlsMode};
pub use self::event::{Closed, Copied, Event, Listed, MailboxChange, Refusal, Stored, Taken};
use self::fetch::Fetching;
pub use self::load::Loaded;
use self::load::Waiting;
pub use self::mailbox::{Contents, MailboxState, MessageFacts, Opened};
use self::mailboxes::Listing;
use self::question::Ticket;
pub use self::question::{
    AppendToken, AppendedToken, AuthenticateToken, ChangeToken, CopyToken, ExpungeToken, FetchToken,
    ListToken, LoadToken, Question, RefreshToken, SearchToken, SelectToken, StatusToken, StoreToken,
};
use self::receive::Receiving;
use self::search::Found;
use self::selected::{Selected, StoreEcho};
use self::updates::{Telling, Then};
use crate::types::{Code, Command, Response, States, StatusItem, StatusKind, StatusResponse, Tag, Verb};
use crate::wire::Framer;

/// The server side of a session: bytes and time in, events and bytes out.
///
/// Made for each connection, given to a connection of [`mailwright_core::io`] (or any driver of
/// [`Session`]), and answered by the host. The [module](self) says what happens when.
pub struct Server {
    config: Arc<Config>,
    seed: Seed,
    /// What its tokens carry, so that no other session takes them.
    session: u64,
    /// The question that was asked last; it is open while the phase says so.
    serial: u64,
    phase: Phase,
    framer: Framer,
    receiving: Receiving,
    transmit: Transmit,
    /// Octets ever queued for the client.
    queued: u64,
    /// Octets that the client had taken when the stall timer started.
    taken_at_start: u64,
    events: VecDeque<Event>,
    timers: TimerTable<{ timers::COUNT }>,
    /// Octets of a command in the present window of the minimum rate.
    window_octets: u64,
    tls: Option<Box<TlsInfo>>,
    /// The same for SASL.
    channel: Channel,
    identity: Option<Box<Identity>>,
    selected: Option<Box<Selected>>,
    /// Wrong commands one after the other.
    errors: u32,
    login_failures: u32,
    /// Whether a command was read in the present layer.
    spoken: bool,
    /// Whether the client will send nothing more.
    at_end: bool,
    /// Whether octets were left in the driver's buffer because the session took none.
    unread: bool,
    /// Octets stand behind the part that was read last.
    behind: bool,
}

/// What the session does now.
enum Phase {
    /// Reads a command.
    Command,
    /// Waits for TLS.
    Handshake,
    /// Waits for the client's part of a SASL exchange.
    Exchange(Tag, Box<mailwright_sasl::Server>),
    /// Waits for the host: are the credentials good? With the exchange they came from, if not from LOGIN.
    Authenticate(Tag, Option<Box<mailwright_sasl::Server>>),
    /// Waits for the host to answer a command.
    Asked(Box<Asked>),
    /// Waits for the host to load the messages that a command needs.
    Load(Box<Waiting>),
    /// Waits for the host to want a message, reads it, waits for it to be stored.
    Append(Box<append::Appending>),
    /// Tells of messages.
    Fetch(Box<Fetching>),
    /// Tells what SEARCH found.
    Found(Box<Found>),
    /// Tells the flags that STORE set.
    Stored(Box<StoreEcho>),
    /// Tells mailboxes for LIST or LSUB.
    Listing(Box<Listing>),
    /// Tells what changed.
    Telling(Box<Telling>),
    /// In IDLE.
    Idle(Tag),
    /// Over.
    Closed,
}

/// A command that waits for its host.
struct Asked {
    tag: Tag,
    verb: Verb,
    /// Whether it is the UID form.
    uid: bool,
    what: AskedWhat,
}

/// What else is to be known when it is answered.
enum AskedWhat {
    Nothing,
    Select {
        examine: bool,
    },
    Status {
        mailbox: crate::types::Mailbox,
        items: alloc::vec::Vec<StatusItem>,
    },
    /// The end of CLOSE.
    Close,
    Store {
        uids: mailwright_core::value::UidSet,
        silent: bool,
        gone: bool,
        /// The state in which it was asked, and what becomes of the flags.
        before: Arc<dyn MailboxState>,
        change: (crate::types::StoreAction, alloc::vec::Vec<mailwright_core::value::Flag>),
    },
    Copy {
        remove: bool,
    },
    /// Search results as message numbers; `numbers` occur in the search itself.
    Search {
        numbers: bool,
    },
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
        let mut server = Self {
            seed,
            session,
            serial: 0,
            phase: Phase::Command,
            framer: Framer::new(),
            receiving: Receiving::default(),
            transmit: Transmit::new(),
            queued: 0,
            taken_at_start: 0,
            events: VecDeque::new(),
            timers: TimerTable::new(now),
            window_octets: 0,
            tls: None,
            channel: Channel::new(config.clear_text_without_tls),
            identity: None,
            selected: None,
            errors: 0,
            login_failures: 0,
            spoken: false,
            at_end: false,
            unread: false,
            behind: false,
            config,
        };
        if server.config.tls == TlsMode::Implicit {
            server.phase = Phase::Handshake;
        } else {
            server.greet();
        }
        server.watch();
        server.timers.observe(now);
        server
    }

    /// Answers a question. Each token says what its answer is: see [`Question`] and the events.
    ///
    /// # Errors
    /// The token comes back if its question is not open in this session: the session closed, or the token
    /// is another's.
    pub fn answer<Q: Question>(&mut self, token: Q, answer: Q::Answer) -> Result<(), Refused<Q>> {
        token.decide(self, answer)?;
        self.settle();
        Ok(())
    }

    // ---- Facts

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The facts of TLS, if it is in force.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// Who the client is, if it is logged in.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// Whether a mailbox is selected.
    #[must_use]
    pub const fn is_selected(&self) -> bool {
        self.selected.is_some()
    }

    /// Whether the client waits for changes: IDLE.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle(_))
    }

    /// The bounds in the present state.
    fn bounds(&self) -> &CommandBounds {
        let limits = &self.config.limits;
        if self.identity.is_some() { &limits.authenticated } else { &limits.not_authenticated }
    }

    // ---- Executing

    /// Whether the state permits a command.
    fn permits(&self, verb: Verb) -> bool {
        match verb.entry().states {
            States::Any => true,
            States::NotAuthenticated => self.identity.is_none(),
            States::Authenticated => self.identity.is_some(),
            States::Selected => self.selected.is_some(),
        }
    }

    /// A complete command in a state that permits it.
    fn execute(&mut self, tag: Tag, command: Command) {
        let (verb, uid) = (command.verb(), command.is_uid());
        if self.lacks_messages(verb) {
            return self.load(Waiting::Command(tag, command));
        }
        match command {
            Command::Capability => {
                let capabilities = self.capabilities();
                self.respond(&Response::Capability(capabilities));
                self.complete(&tag, verb, uid, None);
            }
            Command::Noop | Command::Check => self.refresh(tag, verb),
            Command::Logout => self.logout(&tag),
            Command::StartTls => self.start_tls(&tag),
            Command::Authenticate { mechanism, initial } => {
                self.authenticate(tag, &mechanism, initial.as_ref());
            }
            Command::Login { user, password } => self.login(tag, &user, password),
            Command::Select(select) => self.select(tag, select.mailbox, false),
            Command::Examine(select) => self.select(tag, select.mailbox, true),
            Command::Create(create) => self.change(tag, verb, MailboxChange::Create(create.mailbox)),
            Command::Delete(mailbox) => self.change(tag, verb, MailboxChange::Delete(mailbox)),
            Command::Rename { from, to } => self.change(tag, verb, MailboxChange::Rename { from, to }),
            Command::Subscribe(mailbox) => self.change(tag, verb, MailboxChange::Subscribe(mailbox)),
            Command::Unsubscribe(mailbox) => self.change(tag, verb, MailboxChange::Unsubscribe(mailbox)),
            Command::List(list) => self.list(tag, list, false),
            Command::Lsub(list) => self.list(tag, list, true),
            Command::Namespace => self.namespace(&tag),
            Command::Status { mailbox, items } => self.status(tag, mailbox, items),
            Command::Idle => self.refresh(tag, verb),
            Command::Close => self.close_mailbox(tag),
            Command::Unselect => {
                self.deselect();
                self.complete(&tag, verb, uid, None);
            }
            Command::Expunge(uids) => self.expunge(tag, uids.as_ref()),
            Command::Search(search) => self.search(tag, uid, search.charset, &search.search),
            Command::Fetch(fetch) => self.fetch(tag, &fetch.messages, fetch.attributes),
            Command::Store(store) => {
                self.store(tag, &store.messages, store.action, store.silent, store.flags);
            }
            Command::Copy { messages, mailbox } => self.copy(tag, &messages, mailbox, false),
            Command::Move { messages, mailbox } => self.copy(tag, &messages, mailbox, true),
            Command::Id(pairs) => {
                self.events.push_back(Event::Id(pairs));
                self.respond(&Response::Id(self.config.id.clone()));
                self.complete(&tag, verb, uid, None);
            }
            // Read with its message, elsewhere.
            Command::Append(_) => self.tagged(&tag, StatusResponse::new(StatusKind::Bad, "no message")),
            // Refused before.
            _ => self.tagged(&tag, StatusResponse::new(StatusKind::Bad, "unknown command")),
        }
    }

    // ---- Asking

    /// Asks `question` of the host with a fresh ticket.
    fn ask(&mut self, phase: Phase, question: impl FnOnce(Ticket) -> Event) {
        self.serial += 1;
        let ticket = Ticket { session: self.session, serial: self.serial };
        self.phase = phase;
        self.events.push_back(question(ticket));
    }

    /// The same for a command.
    fn ask_for(
        &mut self,
        tag: Tag,
        verb: Verb,
        uid: bool,
        what: AskedWhat,
        question: impl FnOnce(Ticket) -> Event,
    ) {
        self.ask(Phase::Asked(Box::new(Asked { tag, verb, uid, what })), question);
    }

    /// Whether the question of `ticket` is open.
    fn is_open(&self, ticket: Ticket) -> bool {
        let waits = match &self.phase {
            Phase::Authenticate(..) | Phase::Asked(_) | Phase::Load(_) => true,
            Phase::Append(append) => append.waits(),
            Phase::Fetch(fetching) => fetching.waits(),
            _ => false,
        };
        waits && ticket == Ticket { session: self.session, serial: self.serial }
    }

    /// The command that is answered now, if one was asked about.
    fn take_asked(&mut self) -> Option<Box<Asked>> {
        match core::mem::replace(&mut self.phase, Phase::Command) {
            Phase::Asked(asked) => Some(asked),
            phase => {
                self.phase = phase;
                None
            }
        }
    }

    // ---- Writing

    /// Appends to the output; every octet for the client goes through here.
    fn write(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let before = self.transmit.len();
        write(self.transmit.buffer());
        self.queued += (self.transmit.len() - before) as u64;
    }

    fn respond(&mut self, response: &Response) {
        self.write(|wire| response.encode(wire, false));
    }

    fn untagged(&mut self, status: StatusResponse) {
        self.respond(&Response::Status { tag: None, status });
    }

    /// Completes a command without telling what changed.
    fn tagged(&mut self, tag: &Tag, status: StatusResponse) {
        if status.kind != StatusKind::Bad {
            self.errors = 0;
        }
        self.respond(&Response::Status { tag: Some(tag.clone()), status });
        self.phase = match core::mem::replace(&mut self.phase, Phase::Command) {
            Phase::Closed => Phase::Closed,
            _ => Phase::Command,
        };
        self.await_command();
    }

    /// Completes a command with OK, after telling what changed and may be told.
    fn complete(&mut self, tag: &Tag, verb: Verb, uid: bool, code: Option<Code>) {
        let mut status = StatusResponse::new(StatusKind::Ok, "done");
        status.code = code;
        self.tell_updates(uid || verb.entry().permits_expunge, Then::Complete(tag.clone(), status));
    }

    /// Completes a command with NO, after telling what changed and may be told.
    fn refuse(&mut self, tag: &Tag, verb: Verb, uid: bool, refusal: Refusal) {
        let mut status = StatusResponse::new(StatusKind::No, "");
        status.code = refusal.code;
        status.text = Bytes::from(refusal.text.into_owned());
        self.tell_updates(uid || verb.entry().permits_expunge, Then::Complete(tag.clone(), status));
    }

    /// Output above this holds commands back and waits to be read before more is written ahead.
    fn low_water(&self) -> usize {
        self.high_water() / 2
    }

    /// The most output that is ever held, but for one response.
    fn high_water(&self) -> usize {
        self.bounds().output.max(8192)
    }

    fn may_write_ahead(&self) -> bool {
        self.transmit.len() <= self.low_water()
    }

    /// Whether the client is to be told of a newer state.
    fn is_due(&self) -> bool {
        self.selected.as_ref().is_some_and(|selected| selected.dirty)
    }

    /// Goes on with what does not wait for input.
    fn write_ahead(&mut self) {
        loop {
            match &self.phase {
                Phase::Fetch(fetching) if !fetching.waits() && self.may_write_ahead() => self.fetch_more(),
                Phase::Fetch(_) => return self.ask_for_content(),
                Phase::Found(_) if self.may_write_ahead() => self.found_more(),
                Phase::Stored(_) if self.may_write_ahead() => self.stored_more(),
                Phase::Listing(_) if self.may_write_ahead() => self.list_more(),
                Phase::Telling(_) if self.may_write_ahead() => self.tell_more(),
                // What a client in IDLE does not read is told once it does, all in one.
                Phase::Idle(tag) if self.is_due() && self.may_write_ahead() => {
                    self.tell_updates(true, Then::Idle(tag.clone()));
                }
                _ => return,
            }
        }
    }

    fn settle(&mut self) {
        self.write_ahead();
        let waits_for_client = self.takes_input() || matches!(self.phase, Phase::Handshake);
        if self.at_end && !self.unread && waits_for_client {
            self.close(Closed::EndOfInput);
        }
        self.watch();
    }
}

impl Session for Server {
    type Event = Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.timers.observe(now);
        loop {
            self.settle();
            let before = input.len();
            self.read(input);
            if input.len() == before {
                break;
            }
        }
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
        self.write_ahead();
        let event = self.events.pop_front();
        self.watch();
        if self.events.is_empty() && self.events.capacity() > 0 {
            // An idle session holds no memory.
            self.events = VecDeque::new();
        }
        event
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn transmit(&mut self) -> &mut Transmit {
        self.write_ahead();
        &mut self.transmit
    }

    fn wants(&self) -> Wants {
        match &self.phase {
            Phase::Closed => Wants::CLOSE,
            Phase::Handshake => Wants::upgrade(Layer::Tls),
            Phase::Authenticate(..) | Phase::Asked(_) | Phase::Load(_) => Wants::answers(1, false),
            Phase::Append(append) if append.waits() => Wants::answers(1, false),
            Phase::Fetch(fetching) if fetching.waits() => Wants::answers(1, false),
            Phase::Fetch(_) | Phase::Found(_) | Phase::Stored(_) | Phase::Listing(_) | Phase::Telling(_) => {
                Wants::answers(0, false)
            }
            Phase::Command | Phase::Exchange(..) | Phase::Append(_) | Phase::Idle(_) => {
                Wants::answers(0, self.takes_input() && !self.at_end)
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("tls", &self.tls.is_some())
            .field("identity", &self.identity)
            .field("selected", &self.selected.is_some())
            .field("wants", &self.wants())
            .finish_non_exhaustive()
    }
}
