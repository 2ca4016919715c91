//! [`Sync`]: brings what a host knows of a mailbox up to date, by QRESYNC or CONDSTORE (RFC 7162), or by comparing
//! UIDs, whichever the server has; with message numbers or without (UIDONLY).
//!
//! ```text
//!  ENABLE ─▶ SELECT ─▶ changes of what is known ─▶ what is new, in batches ─▶ do the numbers fit? ─▶ end
//!                                                     ▲ each with bodies          │ no
//!                                                     └───── what is missing ◀────┘ all UIDs are compared
//! ```
//!
//! One file for each part: `opening`, `changes`, `arrivals` (new messages and their bodies), `comparison`; `events` has
//! what may come at any time. This one has the state.

mod arrivals;
mod changes;
mod comparison;
mod events;
mod message;
mod opening;
mod picture;
mod ranges;

use alloc::collections::VecDeque;
use core::fmt;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{ModSeq, Uid, UidSet};

use self::message::Message;
pub use self::picture::{Change, Checkpoint, NewMessage, Picture, SyncError, Synced, Way};
use self::ranges::{Asked, Gathered, Todo};
use super::super::{Client, CommandId, Event};
use super::{MailboxFacts, Step};
use crate::types::{Command, Mailbox, SelectCommand};

/// Brings a host's picture of a mailbox up to date.
///
/// The items are the differences ([`Change`]). A host makes each of them in its picture and, when a
/// [`Change::Checkpoint`] has come and everything before it is durable, keeps that too. A run that is cut off
/// anywhere is followed by one with the picture as it is then: nothing is lost, and nothing is told as new twice. New
/// messages come in batches of [`Self::batch`], and their octets if the host calls [`Self::want`].
///
/// Whatever the server says, a message is told as expunged only if the server says so itself, or does not name it
/// in a list that is as long as the server says the mailbox is; and the modification sequence moves only when everything
/// below it was told. When the numbers do not fit in the end, all UIDs are compared, and what is missing is told.
///
/// Holds ranges of UIDs, not messages: those that are known, and a few sets like that. The mailbox stays selected. With
/// [`Way::Qresync`] the extension is enabled, so that the session says VANISHED for EXPUNGE from then on.
///
/// ```
/// use mailwright_imap::client::tasks::{Change, Picture, Sync};
/// # use mailwright_imap::types::Mailbox;
/// # use mailwright_core::value::MailboxName;
/// # fn mailbox() -> Mailbox { Mailbox::Name(MailboxName::new("INBOX").unwrap()) }
///
/// // What was kept of the last run, or nothing.
/// let mut picture = Picture::default();
/// let mut sync = Sync::examine(mailbox(), picture.clone());
/// // Given to a connection, step by step.
/// let mut change = |sync: &mut Sync, change: Change| match change {
///     Change::Reset { .. } => picture = Picture::default(),
///     Change::Expunged(range) => picture.uids.remove(range),
///     Change::New(message) => sync.want(message.uid),
///     Change::BodyEnd { uid: Some(uid) } => picture.uids.insert(uid),
///     Change::Checkpoint(checkpoint) => picture.checkpoint = Some(checkpoint),
///     _ => {}
/// };
/// # let _ = &mut change;
/// ```
pub struct Sync {
    select: SelectCommand,
    examine: bool,
    best: Way,
    batch: u32,
    limit: usize,
    sends_numbers: bool,
    uid_only: bool,
    thorough: bool,
    picture: Picture,

    /// What the command in flight is for.
    waits: Waits,
    id: Option<CommandId>,
    out: VecDeque<Change>,
    end: Option<Result<Synced, SyncError>>,

    facts: MailboxFacts,
    way: Way,
    exists: u32,
    /// Messages that came since the last listing began.
    arrived: u32,
    /// Messages that left by their number, so that nobody knows which.
    ghosts: u32,
    /// How many of these before the list that was asked for last.
    ghosts_before: u32,
    /// How often a list was asked for again.
    attempts: u32,

    /// Below it everything was told.
    below: Uid,
    /// Up to which modification sequence the picture was true below that.
    base: Option<ModSeq>,
    /// Whether something of the messages that are known was not told.
    lacking: bool,
    /// Whether all changes of flags were told.
    flags_settled: bool,
    /// Whether it is certain which messages are gone.
    expunges_settled: bool,
    /// Whether the server says what cannot be.
    suspicious: bool,
    compared: bool,
    /// Whether messages below the checkpoint are missing from the picture.
    has_gaps: bool,
    /// The checkpoint that was told last.
    told: Option<Checkpoint>,

    message: Option<Message>,
    /// Of the VANISHED that comes.
    earlier: bool,
    /// Of the ESEARCH that comes.
    listing: Listing,
    asked: Option<Asked>,
    /// UIDs that the server has named in what is in flight.
    named: Gathered,
    /// UIDs that the server says are gone.
    gone: Gathered,
    /// Messages of the batch that were told as new.
    fresh: UidSet,
    /// Messages of the batch that the server has told of.
    shown: UidSet,
    /// Messages that are known, and that the server has not told of when it should have.
    unshown: UidSet,
    /// What follows the batch.
    then: Then,
    todo: Todo,
    wanted: UidSet,
    bodies: Todo,
    /// Bodies that the command in flight asks for, and that have not come.
    outstanding: UidSet,
    /// All that it asks for.
    asked_bodies: UidSet,
    absent: UidSet,
    /// Messages that were taken back, since their bodies did not come.
    missing: UidSet,
    /// Whether PARTIAL may be used.
    pages: bool,
}

/// What the command in flight is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Nothing,
    Enabled,
    Selected(Wish),
    /// What of the known messages has changed, with VANISHED or not; or all their flags.
    Changed(Scope),
    /// SEARCH: which messages are new, or which there are.
    Found {
        all: bool,
    },
    /// FETCH: which messages there are.
    Listed,
    /// What there is to tell of new messages.
    New,
    Bodies,
}

/// What an ESEARCH tells.
#[derive(Clone, Copy, Debug, Default)]
struct Listing {
    /// Whether it names UIDs.
    uid: bool,
    /// Whether what comes are the messages that were found.
    all: bool,
}

/// What follows a batch of new messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// What is left of those that were found, or the end.
    GoOn,
    /// The next page.
    Page,
    /// A search for what the server has refused to tell in one go.
    Find,
}

/// What SELECT asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Nothing,
    Condstore,
    Changes,
}

/// What is asked of messages that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    AllFlags,
    Since,
    SinceVanished,
}

impl Sync {
    /// How many new messages are told between two checkpoints, unless [`Self::batch`] says otherwise.
    pub const BATCH: u32 = 500;
    /// How many ranges of UIDs a set may have, unless [`Self::limit`] says otherwise.
    pub const LIMIT: usize = 4_000_000;

    /// Opens `mailbox` by SELECT, and brings `picture` up to date.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, picture: Picture) -> Self {
        Self {
            select: SelectCommand::new(mailbox),
            examine: false,
            best: Way::Qresync,
            batch: Self::BATCH,
            limit: Self::LIMIT,
            sends_numbers: false,
            uid_only: false,
            thorough: false,
            picture,
            waits: Waits::Nothing,
            id: None,
            out: VecDeque::new(),
            end: None,
            facts: MailboxFacts::default(),
            way: Way::Uids,
            exists: 0,
            arrived: 0,
            ghosts: 0,
            ghosts_before: 0,
            attempts: 0,
            below: Uid::MIN,
            base: None,
            lacking: false,
            flags_settled: false,
            expunges_settled: false,
            suspicious: false,
            compared: false,
            has_gaps: false,
            told: None,
            message: None,
            earlier: false,
            listing: Listing::default(),
            asked: None,
            named: Gathered::default(),
            gone: Gathered::default(),
            fresh: UidSet::new(),
            shown: UidSet::new(),
            unshown: UidSet::new(),
            then: Then::GoOn,
            todo: Todo::default(),
            wanted: UidSet::new(),
            bodies: Todo::default(),
            outstanding: UidSet::new(),
            asked_bodies: UidSet::new(),
            absent: UidSet::new(),
            missing: UidSet::new(),
            pages: true,
        }
    }

    /// The same by EXAMINE, so that nothing in the mailbox changes.
    #[must_use]
    pub fn examine(mailbox: impl Into<Mailbox>, picture: Picture) -> Self {
        let mut sync = Self::new(mailbox, picture);
        sync.examine = true;
        sync
    }

    /// The best way that is used if the server has it. Default [`Way::Qresync`].
    #[must_use]
    pub const fn at_best(mut self, way: Way) -> Self {
        self.best = way;
        self
    }

    /// How many new messages are told, with their octets, between two checkpoints. Default 500.
    #[must_use]
    pub const fn batch(mut self, messages: u32) -> Self {
        self.batch = if messages == 0 { 1 } else { messages };
        self
    }

    /// How many ranges of UIDs a set may have before the run fails. Default 4 000 000, which is 32 MB.
    #[must_use]
    pub const fn limit(mut self, ranges: usize) -> Self {
        self.limit = ranges;
        self
    }

    /// Tells the server the numbers of some messages that are known (RFC 7162 §3.2.5.2), for one that forgets what is
    /// gone: it needs to say less then. Not where numbers cannot be used.
    #[must_use]
    pub const fn with_numbers(mut self) -> Self {
        self.sends_numbers = true;
        self
    }

    /// Enables UIDONLY where the server has it, so that nobody keeps message numbers: messages are named by their UIDs in
    /// all that follows, and commands with numbers are refused for the rest of the connection (RFC 9586). Where it is
    /// enabled already, this is not needed.
    #[must_use]
    pub const fn uid_only(mut self) -> Self {
        self.uid_only = true;
        self
    }

    /// Compares all UIDs even where the numbers fit, for a picture that may be wrong.
    #[must_use]
    pub const fn thorough(mut self) -> Self {
        self.thorough = true;
        self
    }

    /// Asks for the octets of a message that was told as [`Change::New`], before the next step. `\Seen` is not set by
    /// that.
    pub fn want(&mut self, uid: Uid) {
        if self.fresh.contains(uid) {
            self.wanted.insert(uid);
        }
    }

    fn send(&mut self, client: &mut Client, command: Command, waits: Waits) -> Result<(), SyncError> {
        self.id = Some(client.command(command)?);
        self.waits = waits;
        Ok(())
    }

    /// The next item, or the end.
    fn next(&mut self) -> Step<Self> {
        if let Some(change) = self.out.pop_front() {
            return Progress::Item(change);
        }
        match self.end.take() {
            Some(end) => Progress::Done(end),
            None => Progress::Continue,
        }
    }
}

impl Task<Client> for Sync {
    type Item = Change;
    type Output = Synced;
    type Error = SyncError;

    fn start(&mut self, client: &mut Client) -> Result<(), SyncError> {
        self.begin(client)
    }

    fn ready(&mut self, _client: &mut Client) -> Step<Self> {
        self.next()
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match self.take(client, event) {
            Ok(None) => self.next(),
            Ok(Some(event)) => Progress::NotMine(event),
            Err(error) => Progress::Done(Err(error)),
        }
    }
}

impl fmt::Debug for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sync")
            .field("mailbox", &self.select.mailbox)
            .field("waits", &self.waits)
            .field("checkpoint", &self.told)
            .finish_non_exhaustive()
    }
}
