//! What a client wants to be told: [`NotifyCommand`], and the mailboxes that NOTIFY and ESEARCH name. RFC 5465,
//! RFC 7377.

use alloc::vec::Vec;

use super::atom::Atom;
use super::fetch::FetchAttribute;
use super::mailbox::Mailbox;

/// NOTIFY (RFC 5465 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5465 §8 has these two")]
pub enum NotifyCommand {
    /// `NONE`: tell nothing.
    None,
    /// `SET`: tell this and nothing else.
    Set {
        /// Whether a STATUS of each mailbox is wanted at once.
        status: bool,
        /// Which events of which mailboxes.
        groups: Vec<EventGroup>,
    },
}

/// Events of some mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 5465 §8 has no more")]
pub struct EventGroup {
    /// Which mailboxes.
    pub mailboxes: MailboxFilter,
    /// Which events; none of them is `NONE`.
    pub events: Vec<NotifyEvent>,
}

/// Mailboxes (RFC 5465 §6, RFC 7377 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailboxFilter {
    /// `selected`: the selected one.
    Selected,
    /// `selected-delayed`: the same, and expunged messages are told of only where that is always possible.
    /// Only in NOTIFY.
    SelectedDelayed,
    /// `inboxes`: those into which mail may be delivered.
    Inboxes,
    /// `personal`: those of the user.
    Personal,
    /// `subscribed`: those that are subscribed.
    Subscribed,
    /// `subtree`: these and all below them.
    Subtree(Vec<Mailbox>),
    /// `subtree-one`: these and those directly below them. Only in ESEARCH.
    SubtreeOne(Vec<Mailbox>),
    /// `mailboxes`: these.
    Mailboxes(Vec<Mailbox>),
}

impl MailboxFilter {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Selected => "selected",
            Self::SelectedDelayed => "selected-delayed",
            Self::Inboxes => "inboxes",
            Self::Personal => "personal",
            Self::Subscribed => "subscribed",
            Self::Subtree(_) => "subtree",
            Self::SubtreeOne(_) => "subtree-one",
            Self::Mailboxes(_) => "mailboxes",
        }
    }

    /// The mailboxes that are named.
    #[must_use]
    pub fn mailboxes(&self) -> &[Mailbox] {
        match self {
            Self::Subtree(names) | Self::SubtreeOne(names) | Self::Mailboxes(names) => names,
            _ => &[],
        }
    }
}

/// An event (RFC 5465 §5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotifyEvent {
    /// `MessageNew`: with what is to be told of a new message, in the selected mailbox only.
    MessageNew(Vec<FetchAttribute>),
    /// `MessageExpunge`.
    MessageExpunge,
    /// `FlagChange`.
    FlagChange,
    /// `AnnotationChange`.
    AnnotationChange,
    /// `MailboxName`: created, deleted, renamed.
    MailboxName,
    /// `SubscriptionChange`.
    SubscriptionChange,
    /// `MailboxMetadataChange`.
    MailboxMetadataChange,
    /// `ServerMetadataChange`.
    ServerMetadataChange,
    /// Any other.
    Other(Atom),
}

impl NotifyEvent {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::MessageNew(_) => "MessageNew",
            Self::MessageExpunge => "MessageExpunge",
            Self::FlagChange => "FlagChange",
            Self::AnnotationChange => "AnnotationChange",
            Self::MailboxName => "MailboxName",
            Self::SubscriptionChange => "SubscriptionChange",
            Self::MailboxMetadataChange => "MailboxMetadataChange",
            Self::ServerMetadataChange => "ServerMetadataChange",
            Self::Other(name) => name.as_str(),
        }
    }

    /// The event with this name, in any case, and nothing to be told of new messages.
    #[must_use]
    pub fn read(name: Atom) -> Self {
        let known = [
            Self::MessageNew(Vec::new()),
            Self::MessageExpunge,
            Self::FlagChange,
            Self::AnnotationChange,
            Self::MailboxName,
            Self::SubscriptionChange,
            Self::MailboxMetadataChange,
            Self::ServerMetadataChange,
        ];
        known.into_iter().find(|event| name.is(event.as_str())).unwrap_or(Self::Other(name))
    }
}
