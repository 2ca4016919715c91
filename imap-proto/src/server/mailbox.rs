//! [`MailboxState`]: what a host lends of the selected mailbox, and [`Opened`], how it was opened.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use mailwright_core::value::{Flag, Keyword, ModSeq, Uid, UidBlock, UidValidity};

use crate::types::DateTime;

/// The messages of a mailbox in one state. Immutable: when the mailbox changes, the host hands over the
/// next state with [`Server::update`](super::Server::update).
///
/// Everything here is asked of many messages, so have it at hand; headers and bodies are asked for by
/// events.
pub trait MailboxState: Send + Sync {
    /// Visits the UIDs, ascending, in blocks. Blocks that two states share should be the same allocation.
    fn blocks(&self, each: &mut dyn FnMut(&UidBlock));

    /// What is known of a message; `None` if it is not in this state. Its flags go to `flag`.
    fn message(&self, uid: Uid, flag: &mut dyn FnMut(&Flag)) -> Option<MessageFacts>;

    /// The modification sequence of the latest change in this state.
    fn latest(&self) -> ModSeq;

    /// Visits the messages that were added or whose flags changed after `since`.
    fn changed(&self, since: ModSeq, each: &mut dyn FnMut(Uid));

    /// The keywords that are in use, or may be.
    fn keywords(&self) -> Vec<Flag>;
}

/// What is known of a message without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageFacts {
    /// Octets.
    pub size: u64,
    /// When it was received.
    pub internal_date: DateTime,
}

impl MessageFacts {
    /// Size and date.
    #[must_use]
    pub const fn new(size: u64, internal_date: DateTime) -> Self {
        Self { size, internal_date }
    }
}

/// How much of the messages of a mailbox is known when it is opened.
#[derive(Clone)]
#[non_exhaustive]
pub enum Contents {
    /// All of it.
    Loaded(Arc<dyn MailboxState>),
    /// What SELECT tells. UNSEEN is not told then, and no message that is there is recent.
    Summary {
        /// Messages.
        exists: u32,
        /// The keywords that are in use, or may be.
        keywords: Vec<Keyword>,
        /// The modification sequence of the latest change.
        latest: ModSeq,
    },
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded(_) => f.write_str("Loaded"),
            Self::Summary { exists, .. } => {
                f.debug_struct("Summary").field("exists", exists).finish_non_exhaustive()
            }
        }
    }
}

/// A mailbox that was opened for SELECT or EXAMINE.
#[derive(Clone)]
#[non_exhaustive]
pub struct Opened {
    /// Its messages.
    pub contents: Contents,
    /// UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// The UID that the next message gets at least; `None` when UIDs are used up.
    pub uid_next: Option<Uid>,
    /// The first message without `\Seen`, told as UNSEEN (RFC 3501 §6.3.1); `None` if there is none, or if to
    /// find it would take long.
    pub first_unseen: Option<Uid>,
    /// The first UID that is recent to this session; `None` if none of those that are there is.
    pub recent_from: Option<Uid>,
    /// Whether nothing can be changed, although SELECT was said.
    pub read_only: bool,
    /// Whether new keywords can be made.
    pub new_keywords: bool,
}

impl Opened {
    /// A mailbox in which everything can be changed and nothing is recent.
    #[must_use]
    pub const fn new(state: Arc<dyn MailboxState>, uid_validity: UidValidity, uid_next: Option<Uid>) -> Self {
        Self::with(Contents::Loaded(state), uid_validity, uid_next)
    }

    /// The same of which only the summary is known: `exists` messages, these keywords, and the modification
    /// sequence of its latest change. The rest is asked for when it is needed, by
    /// [`Event::Load`](super::Event::Load).
    #[must_use]
    pub const fn by_summary(
        exists: u32,
        keywords: Vec<Keyword>,
        latest: ModSeq,
        uid_validity: UidValidity,
        uid_next: Option<Uid>,
    ) -> Self {
        Self::with(Contents::Summary { exists, keywords, latest }, uid_validity, uid_next)
    }

    const fn with(contents: Contents, uid_validity: UidValidity, uid_next: Option<Uid>) -> Self {
        Self {
            contents,
            uid_validity,
            uid_next,
            first_unseen: None,
            recent_from: None,
            read_only: false,
            new_keywords: true,
        }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("uid_validity", &self.uid_validity).finish_non_exhaustive()
    }
}
