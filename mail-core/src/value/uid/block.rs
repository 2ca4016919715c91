//! [`UidBlock`]: an immutable run of ascending UIDs, shared by a store's columns and session views.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Uid;

/// Ascending UIDs of a stretch of a mailbox, behind a reference count: a clone costs nothing.
///
/// A store makes one per block of its columns; every session that looks at the mailbox shares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UidBlock(Arc<[Uid]>);

impl UidBlock {
    /// A block of `uids`; `None` if it would be empty or they do not strictly ascend.
    #[must_use]
    pub fn new(uids: Vec<Uid>) -> Option<Self> {
        let ascending = uids.iter().zip(uids.iter().skip(1)).all(|(one, next)| one < next);
        (ascending && !uids.is_empty()).then(|| Self(uids.into()))
    }

    /// Number of UIDs, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a block is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The UIDs, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[Uid] {
        &self.0
    }

    /// The UID at `index`, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Uid> {
        self.0.get(index).copied()
    }

    /// The lowest UID.
    #[must_use]
    pub fn first(&self) -> Uid {
        self.0.first().copied().unwrap_or(Uid::MIN)
    }

    /// The highest UID.
    #[must_use]
    pub fn last(&self) -> Uid {
        self.0.last().copied().unwrap_or(Uid::MIN)
    }

    /// Whether both are the same allocation, which tells without looking that they hold the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Where `uid` stands, or where it would stand; logarithmic.
    ///
    /// # Errors
    /// With the index of the next higher UID if it is not in the block.
    pub fn search(&self, uid: Uid) -> Result<usize, usize> {
        self.0.binary_search(&uid)
    }
}
