//! Numbers and names that the store gives to its own things. None is ever used for a second thing
//! (promise P4).

use alloc::string::String;
use core::fmt;

use bytes::Bytes;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The identifier with this number.
            #[must_use]
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

identifier! {
    /// An account: a set of mailboxes with one owner. Unique in the store.
    AccountId
}
identifier! {
    /// A mailbox. Unique in its account; a rename keeps it, a mailbox that is created again gets another.
    MailboxId
}
identifier! {
    /// What a message is, in whichever mailboxes of its account it lies: copies share it.
    MessageId
}
identifier! {
    /// The conversation that a message belongs to. Never changes once assigned.
    ThreadId
}

/// Where a [`Blobs`](crate::engine::Blobs) keeps octets: a name of its own making, at most
/// [`BlobId::MAX`] octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(Bytes);

impl BlobId {
    /// The most octets of a name.
    pub const MAX: usize = 255;

    /// `None` if `name` is empty or longer than [`Self::MAX`].
    #[must_use]
    pub fn new(name: Bytes) -> Option<Self> {
        (!name.is_empty() && name.len() <= Self::MAX).then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// MAILBOXID of RFC 8474 §4: made from numbers that are never used again.
pub(crate) fn mailbox_object_id(account: AccountId, mailbox: MailboxId) -> String {
    alloc::format!("F{:x}-{:x}", account.get(), mailbox.get())
}
