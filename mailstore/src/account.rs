//! The upper seam: [`Account`], everything that a protocol driver may ask about one account.
//!
//! [`Store`](crate::Store) implements it over any [`Engine`](crate::engine::Engine); an embedder may
//! implement it over a schema of its own and use the same drivers. Values of RFC 3501 §2.3 (UIDs, flags),
//! RFC 7162 (modification sequences), RFC 6154 (special uses), RFC 9208 (quota).

mod boxed;
mod columns;
mod intent;
mod lease;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::future::Future;
use core::ops::{ControlFlow, Range};
use core::task::{Context, Poll};

use bytes::Bytes;
use mailwright_core::value::{Keyword, MailboxName, ModSeq, Uid, UidSet, UidValidity};

pub use self::boxed::{DynAccount, DynUpload};
pub use self::columns::{Block, Columns, NewRow, Row};
pub use self::intent::{
    Append, Applied, Copied, FlagChange, Flagged, Intent, Limit, Refusal, Staged, Uploaded, Work,
};
#[cfg(feature = "std")]
pub use self::lease::LeaseTable;
pub use self::lease::{InUse, Lease};
use crate::engine::{CommitError, IoError, ReadError, WriteFailed};
use crate::identifier::{BlobId, MailboxId, MessageId, ThreadId};

/// One account as seen by one actor.
///
/// Dropping any future leaves the account consistent and later calls undisturbed.
pub trait Account: Send + Sync {
    /// A message that is being stored, from [`Self::upload`].
    type Upload: Upload;

    /// Opens a mailbox: its state, its columns, and a pin that keeps the bodies of everything in them
    /// readable until it is dropped.
    ///
    /// # Errors
    /// [`OpenError::NoSuchMailbox`], or that reading failed.
    fn open(&self, mailbox: &MailboxName) -> impl Future<Output = Result<Opened, OpenError>> + Send;

    /// Visits the mailboxes that `query` selects, in the order of their names.
    fn list(
        &self,
        query: &ListQuery,
        visit: &mut (dyn FnMut(&MailboxInfo) + Send),
    ) -> impl Future<Output = Result<(), ReadError>> + Send;

    /// Visits the names that the account is subscribed to, in order. By default there are none.
    fn subscriptions(
        &self,
        _visit: &mut (dyn FnMut(&MailboxName) + Send),
    ) -> impl Future<Output = Result<(), ReadError>> + Send {
        core::future::ready(Ok(()))
    }

    /// Changes the set of mailboxes.
    fn tree(&self, change: TreeChange) -> impl Future<Output = Result<TreeOutcome, WriteError>> + Send;

    /// Changes the messages of a mailbox. The results stand in the order of the intents; a refused intent
    /// never costs its neighbours, unless the work is marked all-or-nothing.
    fn apply(
        &self,
        mailbox: MailboxId,
        work: Work,
    ) -> impl Future<Output = Result<Vec<Applied>, WriteError>> + Send;

    /// Visits what is stored about those of `uids` that are in `columns`, ascending. Works for messages
    /// that were expunged since, as long as the pin of the columns lives.
    ///
    /// # Errors
    /// [`ReadError::Gone`] for a message that is expunged and not pinned.
    fn meta(
        &self,
        columns: &Columns,
        uids: &UidSet,
        visit: &mut (dyn FnMut(&MessageMeta) -> ControlFlow<()> + Send),
    ) -> impl Future<Output = Result<(), ReadError>> + Send;

    /// Octets of a message from `at.start`: at least one if there is one, at most as many as asked for.
    ///
    /// # Errors
    /// [`ReadError::Gone`] if the message is expunged and not pinned. Never other octets.
    fn body(&self, body: &Body, at: Range<u64>) -> impl Future<Output = Result<Bytes, ReadError>> + Send;

    /// Visits the changes behind `since` in the order of their modification sequences. A move is two changes
    /// under one number: a visitor that breaks between them is told to read both again.
    fn changes(
        &self,
        since: ModSeq,
        visit: &mut (dyn FnMut(&Change) -> ControlFlow<()> + Send),
    ) -> impl Future<Output = Result<Since, ReadError>> + Send;

    /// Level-triggered: ready if the account changed since `seen`; else registers the waker. Carries no
    /// data: read [`Self::changes`]. May be ready for no reason.
    fn poll_changed(&self, context: &mut Context<'_>, seen: &mut u64) -> Poll<()>;

    /// Starts to store the octets of a message. Nothing is visible before an [`Intent::Append`] with it
    /// is applied; dropping it frees the octets.
    fn upload(&self, size_hint: Option<u64>)
    -> impl Future<Output = Result<Self::Upload, WriteError>> + Send;

    /// Takes the exclusive right to a POP3 session on a mailbox; dropping the lease gives it back at once.
    fn lease(&self, mailbox: MailboxId) -> impl Future<Output = Result<Lease, LeaseError>> + Send;
}

/// A message that is being stored. Dropping it leaves nothing.
pub trait Upload: Send {
    /// Appends `chunk`.
    fn write(&mut self, chunk: Bytes) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Ends the message.
    fn finish(self) -> impl Future<Output = Result<Uploaded, WriteError>> + Send;
}

/// A mailbox that was opened.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The state that the columns show.
    pub info: MailboxInfo,
    /// The messages, shared by all sessions that look at this state.
    pub columns: Arc<Columns>,
    /// Keeps bodies readable. Dropped with the session.
    pub pin: Pinned,
}

impl Opened {
    /// For implementations of [`Account`].
    #[must_use]
    pub const fn new(info: MailboxInfo, columns: Arc<Columns>, pin: Pinned) -> Self {
        Self { info, columns, pin }
    }
}

/// While it lives, bodies of messages that were visible when it was made stay readable, also after an
/// expunge.
pub struct Pinned {
    _guard: alloc::boxed::Box<dyn Any + Send + Sync>,
}

impl Pinned {
    /// Whatever `guard` keeps alive until it is dropped.
    #[must_use]
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: alloc::boxed::Box::new(guard) }
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pinned")
    }
}

/// The state of a mailbox: what SELECT and STATUS answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailboxInfo {
    /// Its number in the account.
    pub id: MailboxId,
    /// MAILBOXID of RFC 8474 §4: unique in the store, survives renaming.
    pub object_id: String,
    /// Its name.
    pub name: MailboxName,
    /// Which generation of UIDs it is in.
    pub uid_validity: UidValidity,
    /// The UID that the next message gets at least; `None` when UIDs are used up.
    pub uid_next: Option<Uid>,
    /// The modification sequence of its last change.
    pub highest_mod_seq: ModSeq,
    /// Messages.
    pub exists: u32,
    /// Messages without `\Seen`.
    pub unseen: u32,
    /// Messages with `\Deleted`.
    pub deleted: u32,
    /// Octets of its messages.
    pub octets: u64,
    /// Octets of its messages with `\Deleted`.
    pub deleted_octets: u64,
    /// Keywords that are or were used in it, in order of first use.
    pub keywords: Vec<Keyword>,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
}

impl MailboxInfo {
    /// A mailbox without messages, for implementations of [`Account`].
    #[must_use]
    pub const fn new(
        id: MailboxId,
        object_id: String,
        name: MailboxName,
        uid_validity: UidValidity,
        uid_next: Option<Uid>,
        highest_mod_seq: ModSeq,
    ) -> Self {
        Self {
            id,
            object_id,
            name,
            uid_validity,
            uid_next,
            highest_mod_seq,
            exists: 0,
            unseen: 0,
            deleted: 0,
            octets: 0,
            deleted_octets: 0,
            keywords: Vec::new(),
            special_use: None,
        }
    }
}

/// What a mailbox is for: RFC 6154 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SpecialUse {
    /// `\All`: shows all messages.
    All,
    /// `\Archive`: keeps messages for good.
    Archive,
    /// `\Drafts`: messages that are not finished.
    Drafts,
    /// `\Flagged`: shows what is marked as important.
    Flagged,
    /// `\Junk`: what was found to be junk.
    Junk,
    /// `\Sent`: copies of what was sent.
    Sent,
    /// `\Trash`: what was thrown away.
    Trash,
}

impl SpecialUse {
    const ALL: [Self; 7] =
        [Self::All, Self::Archive, Self::Drafts, Self::Flagged, Self::Junk, Self::Sent, Self::Trash];

    /// The attribute as IMAP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "\\All",
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Flagged => "\\Flagged",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
        }
    }

    /// Its stored form.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::All => 1,
            Self::Archive => 2,
            Self::Drafts => 3,
            Self::Flagged => 4,
            Self::Junk => 5,
            Self::Sent => 6,
            Self::Trash => 7,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|special_use| special_use.number() == number)
    }
}

impl fmt::Display for SpecialUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which mailboxes to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListQuery {
    /// Every mailbox.
    #[default]
    All,
    /// The one with this name.
    Exactly(MailboxName),
    /// Those below this name, at any depth.
    Below(MailboxName),
}

/// A change of the set of mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TreeChange {
    /// Makes a mailbox, and the missing ones above it.
    Create {
        /// Its name.
        name: MailboxName,
        /// What it is for.
        special_use: Option<SpecialUse>,
        /// The time, from which a UIDVALIDITY is made.
        now: mailwright_core::value::UnixTime,
    },
    /// Removes a mailbox with its messages; those below it stay. Not INBOX.
    Delete {
        /// Its name.
        name: MailboxName,
        /// The time.
        now: mailwright_core::value::UnixTime,
    },
    /// Gives a mailbox another name, and those below it with it. INBOX gives its messages to a new one
    /// (RFC 9051 §6.3.6).
    Rename {
        /// Its name.
        from: MailboxName,
        /// The new one.
        to: MailboxName,
        /// The time.
        now: mailwright_core::value::UnixTime,
    },
    /// Subscribes to a name, which need not exist, or no longer.
    Subscribe {
        /// The name.
        name: MailboxName,
        /// Whether it is subscribed from now on.
        subscribed: bool,
    },
}

/// What became of a [`TreeChange`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TreeOutcome {
    /// Done.
    Created(MailboxId),
    /// There is a mailbox with that name.
    AlreadyExists(MailboxId),
    /// There is a mailbox with that special use (RFC 6154 §3).
    SpecialUseTaken,
    /// The account has as many mailboxes as it may.
    TooMany,
    /// Done.
    Done,
    /// There is no mailbox with that name.
    NoSuchMailbox,
    /// Not with this mailbox, or not to this name: INBOX cannot be removed, nothing can move below itself.
    NotPossible,
}

/// What is stored about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageMeta {
    /// Its UID in the columns that were asked about.
    pub uid: Uid,
    /// What it is.
    pub message: MessageId,
    /// The conversation that it belongs to.
    pub thread: ThreadId,
    /// Its octets.
    pub body: Body,
    /// SHA-256 of what was uploaded.
    pub digest: [u8; 32],
    /// The MIME structure of the blob in its stored form; empty if it is not known.
    pub stored_structure: Bytes,
}

impl MessageMeta {
    /// For implementations of [`Account`].
    #[must_use]
    pub const fn new(uid: Uid, message: MessageId, thread: ThreadId, body: Body, digest: [u8; 32]) -> Self {
        Self { uid, message, thread, body, digest, stored_structure: Bytes::new() }
    }

    /// The same with the [structure](crate::mime::Structure::to_stored) of the blob.
    #[must_use]
    pub fn with_structure(mut self, stored: Bytes) -> Self {
        self.stored_structure = stored;
        self
    }

    /// The MIME structure of the message, with what delivery prepended as part of its header.
    ///
    /// # Errors
    /// [`ReadError::Corrupt`] if it is not known or damaged.
    pub fn structure(&self) -> Result<crate::mime::Structure, ReadError> {
        use alloc::string::ToString as _;
        match crate::mime::Structure::from_stored(&self.stored_structure) {
            Ok(structure) => Ok(structure.behind(self.body.prefix.len() as u64)),
            Err(_) => {
                Err(ReadError::Corrupt { what: "structure of a message", key: self.message.to_string() })
            }
        }
    }
}

/// Where the octets of a message are: what delivery prepended, then a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Body {
    /// Comes first.
    pub prefix: Bytes,
    /// Holds the rest.
    pub blob: BlobId,
    /// Octets of the blob.
    pub blob_size: u64,
}

impl Body {
    /// `prefix`, then a blob of `blob_size` octets.
    #[must_use]
    pub const fn new(prefix: Bytes, blob: BlobId, blob_size: u64) -> Self {
        Self { prefix, blob, blob_size }
    }

    /// Octets of the message.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.prefix.len() as u64 + self.blob_size
    }
}

/// A change of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where.
    pub mailbox: MailboxId,
    /// When, in the order of the account.
    pub mod_seq: ModSeq,
    /// What.
    pub kind: ChangeKind,
}

impl Change {
    /// For implementations of [`Account`].
    #[must_use]
    pub const fn new(mailbox: MailboxId, mod_seq: ModSeq, kind: ChangeKind) -> Self {
        Self { mailbox, mod_seq, kind }
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// New messages.
    Added(UidSet),
    /// Flags of messages.
    Flags(UidSet),
    /// Messages were removed.
    Expunged(UidSet),
    /// The mailbox was made, or has got this name.
    Created(MailboxName),
    /// The mailbox was removed, or has lost this name.
    Removed(MailboxName),
}

/// Where a reader of changes is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a reader must handle both")]
pub enum Since {
    /// It has seen every change up to this one.
    Reached(ModSeq),
    /// The log does not reach back so far: compare states instead.
    TooOld,
}

/// Why a mailbox was not opened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is none with this name.
    #[error("no such mailbox")]
    NoSuchMailbox,
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a lease was not given.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Another session has it.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// The store failed.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why nothing was written. Unless it is [`WriteError::Unknown`], nothing was and nothing will be.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Too many writers, or too much work waits: try again later.
    #[error("too busy: try again later")]
    Busy,
    /// The message is larger than the store takes.
    #[error("the message is too large")]
    TooLarge,
    /// No space.
    #[error("no space left")]
    Full,
    /// Whether it was done cannot be found out.
    #[error("the outcome is unknown")]
    Unknown,
    /// A sync failed before.
    #[error("an earlier sync failed: the store must be opened again")]
    Poisoned,
    /// The engine failed.
    #[error("storage: {0}")]
    Io(IoError),
    /// What had to be read first could not be.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<CommitError> for WriteError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Busy,
            CommitError::Full => Self::Full,
            CommitError::Unknown => Self::Unknown,
            CommitError::Poisoned => Self::Poisoned,
            CommitError::Io(error) => Self::Io(error),
        }
    }
}

impl From<WriteFailed> for WriteError {
    fn from(error: WriteFailed) -> Self {
        match error {
            WriteFailed::Full => Self::Full,
            WriteFailed::Poisoned => Self::Poisoned,
            WriteFailed::Io(error) => Self::Io(error),
        }
    }
}
