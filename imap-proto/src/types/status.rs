//! [`StatusItem`]: what STATUS can ask for. RFC 9051 §6.3.11, RFC 3501 §6.3.10.

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
}

impl StatusItem {
    /// Every item.
    pub const ALL: [Self; 7] = [
        Self::Messages,
        Self::Recent,
        Self::UidNext,
        Self::UidValidity,
        Self::Unseen,
        Self::Size,
        Self::Deleted,
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
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}
