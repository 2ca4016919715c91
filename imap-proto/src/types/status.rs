//! What STATUS can ask for and tell: [`StatusItem`], [`StatusValue`]. RFC 9051 §6.3.11, RFC 3501 §6.3.10.

use bytes::Bytes;

use super::object_id::ObjectId;

/// Something about a mailbox that STATUS tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusItem {
    /// Messages.
    Messages,
    /// Messages with `\Recent`.
    Recent,
    /// The UID that the next message gets at least.
    UidNext,
    /// UIDVALIDITY.
    UidValidity,
    /// Messages without `\Seen`.
    Unseen,
    /// Octets of all messages (RFC 8438).
    Size,
    /// Messages with `\Deleted` (RFC 9208 §4.1.4).
    Deleted,
    /// Octets that messages with `\Deleted` take, as quotas count them (RFC 9208 §4.1.4).
    DeletedStorage,
    /// The highest modification sequence (RFC 7162 §3.1.7).
    HighestModSeq,
    /// The identifier of the mailbox (RFC 8474 §4.3).
    MailboxId,
    /// Octets that a message may have (RFC 7889 §3).
    AppendLimit,
}

impl StatusItem {
    /// Every item.
    pub const ALL: [Self; 11] = [
        Self::Messages,
        Self::Recent,
        Self::UidNext,
        Self::UidValidity,
        Self::Unseen,
        Self::Size,
        Self::Deleted,
        Self::DeletedStorage,
        Self::HighestModSeq,
        Self::MailboxId,
        Self::AppendLimit,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::Size => "SIZE",
            Self::Deleted => "DELETED",
            Self::DeletedStorage => "DELETED-STORAGE",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::MailboxId => "MAILBOXID",
            Self::AppendLimit => "APPENDLIMIT",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// Something about a mailbox, as STATUS tells it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StatusValue {
    /// A number: of any item but MAILBOXID.
    Number(StatusItem, u64),
    /// MAILBOXID.
    MailboxId(ObjectId),
    /// APPENDLIMIT of a mailbox that has none (RFC 7889 §3).
    NoAppendLimit,
    /// An item that is not known, as it came.
    Unknown {
        /// The name.
        name: Bytes,
        /// The value as it stands on the wire.
        value: Bytes,
    },
    /// An item whose value cannot be read or makes no sense.
    Invalid {
        /// The name.
        name: Bytes,
        /// The value as it stands on the wire.
        value: Bytes,
    },
}

impl StatusValue {
    /// The number and what it counts, if it is one.
    #[must_use]
    pub const fn number(&self) -> Option<(StatusItem, u64)> {
        match self {
            Self::Number(item, value) => Some((*item, *value)),
            _ => None,
        }
    }
}

impl From<(StatusItem, u64)> for StatusValue {
    fn from((item, value): (StatusItem, u64)) -> Self {
        Self::Number(item, value)
    }
}
