//! What a driver wants done to the messages of a mailbox, and what became of it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use mailwright_core::value::{Flag, ModSeq, Uid, UidSet, UidValidity, UnixTime};

use crate::engine::Durability;
use crate::identifier::{AccountId, BlobId, MailboxId};

/// Intents that belong together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Work {
    /// Done in this order.
    pub intents: Vec<Intent>,
    /// If one is refused, none is done (MULTIAPPEND, RFC 3502 §6.3.11; REPLACE, RFC 8508 §3).
    pub all_or_nothing: bool,
    /// The time, for the date a message was saved.
    pub now: UnixTime,
    /// What an acknowledgement promises.
    pub durability: Durability,
}

impl Work {
    /// Each intent by itself, durable.
    #[must_use]
    pub const fn new(intents: Vec<Intent>, now: UnixTime) -> Self {
        Self { intents, all_or_nothing: false, now, durability: Durability::Synced }
    }

    /// The same, but all or nothing.
    #[must_use]
    pub const fn all_or_nothing(mut self) -> Self {
        self.all_or_nothing = true;
        self
    }
}

/// A change of the messages of a mailbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Intent {
    /// A new message.
    Append(Append),
    /// Removes messages; UIDs that are not there are ignored.
    Expunge(UidSet),
    /// Copies or moves messages within the account; UIDs that are not there are ignored.
    Copy {
        /// Which.
        uids: UidSet,
        /// Where to.
        to: MailboxId,
        /// Whether they disappear here.
        remove: bool,
    },
    /// Changes flags; UIDs that are not there are ignored.
    Flags {
        /// Whose.
        uids: UidSet,
        /// How.
        change: FlagChange,
        /// Messages that changed after this are left alone and reported (RFC 7162 §3.1.3).
        unchanged_since: Option<ModSeq>,
    },
}

/// A message to append.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Append {
    /// Its octets.
    pub uploaded: Uploaded,
    /// Octets to come before them: lines that end in CR LF.
    pub prefix: Bytes,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// INTERNALDATE.
    pub internal_date: UnixTime,
    /// Zone of that date, minutes east of UTC.
    pub zone: i16,
}

impl Append {
    /// `uploaded`, received at `internal_date`, without flags.
    #[must_use]
    pub const fn new(uploaded: Uploaded, internal_date: UnixTime) -> Self {
        Self { uploaded, prefix: Bytes::new(), flags: Vec::new(), internal_date, zone: 0 }
    }
}

/// Octets of a message that are stored but not yet visible. Clones share them; when the last clone is
/// dropped before an append with one is acknowledged, they are freed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Uploaded {
    /// Where they are.
    pub blob: BlobId,
    /// How many.
    pub size: u64,
    /// SHA-256.
    pub digest: [u8; 32],
    /// Octets that CR LF line ends would add.
    pub line_ends: u64,
    /// Their MIME structure in its stored form; empty if it is not known.
    pub structure: Bytes,
    staged: Option<Arc<Staged>>,
}

impl Uploaded {
    /// For implementations of [`Account`](super::Account). `staged` frees the octets if they are never shown.
    #[must_use]
    pub fn new(blob: BlobId, size: u64, digest: [u8; 32], line_ends: u64, staged: Option<Staged>) -> Self {
        Self { blob, size, digest, line_ends, structure: Bytes::new(), staged: staged.map(Arc::new) }
    }

    /// The same with the [structure](crate::mime::Structure::to_stored).
    #[must_use]
    pub fn with_structure(mut self, structure: Bytes) -> Self {
        self.structure = structure;
        self
    }

    /// The octets are, or may be, visible: they must not be freed.
    pub fn keep(&self) {
        if let Some(staged) = &self.staged {
            staged.kept.store(true, Ordering::Release);
        }
    }
}

/// Runs something when dropped, unless what it guards was kept.
pub struct Staged {
    kept: AtomicBool,
    free: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Staged {
    /// Runs `free` when dropped.
    #[must_use]
    pub fn new(free: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { kept: AtomicBool::new(false), free: Some(Box::new(free)) }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(free) = self.free.take()
            && !self.kept.load(Ordering::Acquire)
        {
            free();
        }
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staged {{ kept: {:?} }}", self.kept)
    }
}

/// How flags change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 3501 §6.4.6 has these three")]
pub enum FlagChange {
    /// These are set too.
    Add(Vec<Flag>),
    /// These are no longer set.
    Remove(Vec<Flag>),
    /// Exactly these are set.
    Replace(Vec<Flag>),
}

impl FlagChange {
    /// The flags that it names.
    #[must_use]
    pub fn flags(&self) -> &[Flag] {
        match self {
            Self::Add(flags) | Self::Remove(flags) | Self::Replace(flags) => flags,
        }
    }
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Applied {
    /// The message is there.
    Appended {
        /// UIDVALIDITY of the mailbox.
        uid_validity: UidValidity,
        /// Its UID.
        uid: Uid,
        /// Its modification sequence.
        mod_seq: ModSeq,
    },
    /// These are gone.
    Expunged {
        /// Those that were there.
        uids: UidSet,
        /// Of the removal; `None` if nothing was there.
        mod_seq: Option<ModSeq>,
    },
    /// These were copied or moved.
    Copied(Copied),
    /// Flags are as wanted, but for the messages in `modified`.
    Flagged(Flagged),
    /// Not done.
    Refused(Refusal),
}

/// What a copy did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// UIDVALIDITY of the destination.
    pub uid_validity: UidValidity,
    /// UIDs here and there, in order.
    pub pairs: Vec<(Uid, Uid)>,
    /// Of the last change; `None` if there was nothing to copy.
    pub mod_seq: Option<ModSeq>,
}

impl Copied {
    /// For implementations of [`Account`](super::Account).
    #[must_use]
    pub const fn new(uid_validity: UidValidity, pairs: Vec<(Uid, Uid)>, mod_seq: Option<ModSeq>) -> Self {
        Self { uid_validity, pairs, mod_seq }
    }
}

/// What a change of flags did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flagged {
    /// Messages that were changed.
    pub changed: UidSet,
    /// Messages that were left alone because they had changed since.
    pub modified: UidSet,
    /// Of the change; `None` if no bit changed.
    pub mod_seq: Option<ModSeq>,
}

/// Why an intent was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The quota root has no room.
    #[error("over quota")]
    OverQuota {
        /// Whose limit it is.
        root: AccountId,
    },
    /// The mailbox, or the destination, does not exist.
    #[error("no such mailbox")]
    NoSuchMailbox,
    /// The actor may not.
    #[error("not permitted")]
    NotPermitted,
    /// A limit is reached.
    #[error("limit reached: {0}")]
    Limit(Limit),
    /// Another intent of the same all-or-nothing work was refused.
    #[error("another part of the same work was refused")]
    Aborted,
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// UIDs are used up: the mailbox must be renumbered.
    #[error("no UIDs left")]
    Uids,
    /// Messages in a mailbox.
    #[error("messages in the mailbox")]
    Messages,
    /// Keywords in a mailbox.
    #[error("keywords in the mailbox")]
    Keywords,
    /// Octets of a message, or of what is prepended to one.
    #[error("size of the message")]
    MessageSize,
    /// Mailboxes, or subscriptions.
    #[error("mailboxes of the account")]
    Mailboxes,
    /// Modification sequences are used up.
    #[error("no modification sequences left")]
    ModSeqs,
}
