//! The arguments of SELECT, EXAMINE and CREATE: [`SelectCommand`], [`CreateCommand`]. RFC 7162 §3.1.8, §3.2.5,
//! RFC 6154 §3.

use alloc::vec::Vec;

use mailwright_core::value::{MailboxName, ModSeq, UidValidity};

use super::list::ListAttribute;
use super::mailbox::Mailbox;
use super::number_set::NumberSet;

/// The arguments of SELECT and EXAMINE.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SelectCommand {
    /// Which mailbox.
    pub mailbox: Mailbox,
    /// CONDSTORE (RFC 7162 §3.1.8): modification sequences are wanted from now on.
    pub condstore: bool,
    /// QRESYNC (RFC 7162 §3.2.5): what the client knows of the mailbox.
    pub known: Option<KnownMailbox>,
}

impl SelectCommand {
    /// Selects `mailbox` and wants nothing else.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>) -> Self {
        Self { mailbox: mailbox.into(), condstore: false, known: None }
    }
}

impl From<Mailbox> for SelectCommand {
    fn from(mailbox: Mailbox) -> Self {
        Self::new(mailbox)
    }
}

impl From<MailboxName> for SelectCommand {
    fn from(name: MailboxName) -> Self {
        Self::new(name)
    }
}

/// What a client knows of a mailbox from before (RFC 7162 §3.2.5). Sets have no `*`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KnownMailbox {
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// The modification sequence up to which everything is known; above zero.
    pub mod_seq: ModSeq,
    /// The UIDs that are known; without them, all.
    pub uids: Option<NumberSet>,
    /// Some message numbers and their UIDs, in ascending order.
    pub numbers: Option<(NumberSet, NumberSet)>,
}

impl KnownMailbox {
    /// Everything up to `mod_seq` is known.
    #[must_use]
    pub const fn new(uid_validity: UidValidity, mod_seq: ModSeq) -> Self {
        Self { uid_validity, mod_seq, uids: None, numbers: None }
    }
}

/// The arguments of CREATE.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CreateCommand {
    /// The name. A separator at the end, which some clients write, is not part of it.
    pub mailbox: Mailbox,
    /// USE (RFC 6154 §3): what the mailbox is for; `None` if the client says nothing about that.
    pub special_use: Option<Vec<ListAttribute>>,
}

impl CreateCommand {
    /// Creates `mailbox` for no special use.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>) -> Self {
        Self { mailbox: mailbox.into(), special_use: None }
    }
}

impl From<Mailbox> for CreateCommand {
    fn from(mailbox: Mailbox) -> Self {
        Self::new(mailbox)
    }
}

impl From<MailboxName> for CreateCommand {
    fn from(name: MailboxName) -> Self {
        Self::new(name)
    }
}
