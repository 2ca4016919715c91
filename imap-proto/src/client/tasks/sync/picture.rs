//! What [`Sync`](super::Sync) is given and what it tells: [`Picture`], [`Checkpoint`], [`Change`], [`Synced`].

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Flag, ModSeq, Uid, UidRange, UidSet, UidValidity};

use super::super::super::{Closed, SendError};
use crate::types::{DateTime, StatusResponse};

/// What a host knows of a mailbox.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Picture {
    /// How far it is true. `None`: nothing is known, and [`Self::uids`] are not looked at.
    pub checkpoint: Option<Checkpoint>,
    /// The messages that are known: all that were told as [`Change::New`] and not taken back, whether their
    /// checkpoint has come or not.
    pub uids: UidSet,
    /// The flags of messages, where the host keeps them: what a server tells and is known already is not told
    /// again. Without them, flags may be told that are no news.
    pub flags: BTreeMap<Uid, Vec<Flag>>,
}

impl Picture {
    /// What is known of messages with these `uids`, up to `checkpoint`.
    #[must_use]
    pub const fn new(checkpoint: Checkpoint, uids: UidSet) -> Self {
        Self { checkpoint: Some(checkpoint), uids, flags: BTreeMap::new() }
    }
}

/// How far a picture is true: each message with a UID below `uid_next` is in it as it was at `mod_seq`, or later.
///
/// What a host keeps, together with the changes that were told before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// UIDVALIDITY of the mailbox.
    pub uid_validity: UidValidity,
    /// Messages with this UID or a higher one are still to be told.
    pub uid_next: Uid,
    /// The modification sequence up to which everything was told; `None` if the server has none, or not
    /// everything was.
    pub mod_seq: Option<ModSeq>,
    /// Whether messages below `uid_next` are known to be missing, so that all UIDs are compared the next time.
    pub has_gaps: bool,
}

impl Checkpoint {
    /// From what a host has kept.
    #[must_use]
    pub const fn new(
        uid_validity: UidValidity,
        uid_next: Uid,
        mod_seq: Option<ModSeq>,
        has_gaps: bool,
    ) -> Self {
        Self { uid_validity, uid_next, mod_seq, has_gaps }
    }
}

/// A difference between the picture and the mailbox, in the order in which they are to be made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// UIDVALIDITY has changed: nothing in the picture means anything any more. The mailbox is told anew.
    Reset {
        /// The new value.
        uid_validity: UidValidity,
    },
    /// Messages that are known are gone, as a range that may name others too.
    Expunged(UidRange),
    /// A message that is known has these flags.
    Flags {
        /// Which message.
        uid: Uid,
        /// All that it has.
        flags: Vec<Flag>,
        /// Its modification sequence, if the server says it.
        mod_seq: Option<ModSeq>,
    },
    /// A message that is not known. For its octets, call [`Sync::want`](super::Sync::want) now.
    New(NewMessage),
    /// The octets of a message begin, as [`Self::BodyChunk`].
    BodyBegin {
        /// Which message; `None` if the server says it behind the octets.
        uid: Option<Uid>,
        /// How many octets were announced.
        length: u64,
    },
    /// Octets of the message.
    BodyChunk(Bytes),
    /// That was all of the message.
    BodyEnd {
        /// Which message; `None`: nobody has asked for it, or the server does not say, so it is worth nothing.
        uid: Option<Uid>,
    },
    /// The octets of a message that were wanted do not come: it is gone meanwhile, or the server refuses. Not to be
    /// kept among [`Picture::uids`], so that it is told again if it is there the next time.
    Missing(Uid),
    /// Everything below was told: when the host has made that durable, it may keep this.
    Checkpoint(Checkpoint),
}

/// A message that is not in the picture. What the server left out is `None`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NewMessage {
    /// Its UID.
    pub uid: Uid,
    /// Its flags.
    pub flags: Option<Vec<Flag>>,
    /// Its octets.
    pub size: Option<u64>,
    /// When it arrived.
    pub internal_date: Option<DateTime>,
    /// Its modification sequence.
    pub mod_seq: Option<ModSeq>,
}

/// How changes are found, the best last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no other way")]
pub enum Way {
    /// The flags of all messages are compared, and which messages there are.
    Uids,
    /// CONDSTORE (RFC 7162 §3.1): the server tells what has changed; what is gone is found by comparing UIDs.
    Condstore,
    /// QRESYNC (RFC 7162 §3.2): the server tells what has changed and what is gone.
    #[default]
    Qresync,
}

/// How a run has ended. The picture is that of the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Synced {
    /// What the host may keep, once everything is durable.
    pub checkpoint: Checkpoint,
    /// How changes were found.
    pub way: Way,
    /// Messages in the mailbox, by what the server has said last.
    pub exists: u32,
    /// Messages that should be there and that the server does not show, or not what was asked of them. While there
    /// are any, nothing is told to be expunged that could be among them, and the modification sequence stays.
    pub unlisted: u64,
}

/// Why a picture could not be brought up to date. What was told up to the last [`Change::Checkpoint`] is true.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// A command could not be sent, for example because something else is in flight.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The server said NO or BAD.
    #[error("the server refused: {}", .0.text.escape_ascii())]
    Refused(StatusResponse),
    /// The server has no UIDs that stay, so there is nothing to remember messages by (RFC 4315 §3).
    #[error("the mailbox has no UIDs that stay")]
    NoUidValidity,
    /// UIDVALIDITY has changed while messages were told. Begin again.
    #[error("the UIDs of the mailbox have changed meanwhile")]
    UidValidityChanged,
    /// More ranges than [`Sync::limit`](super::Sync::limit).
    #[error("more than {limit} ranges of UIDs")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The session is over.
    #[error("{0}")]
    Closed(Closed),
}
