//! The lower seam: what the mail logic asks of a storage engine ([`Engine`], [`Snapshot`], [`Blobs`]), and
//! the engine that keeps everything in memory ([`Memory`]).
//!
//! An engine knows nothing of mail: it has ordered keys, atomic conditional batches, and blobs.
//! No timer, no spawning and no runtime type appears in a signature. [`Memory`] returns futures that are
//! ready at once, so a caller without a runtime polls them with [`now`] or waits with [`block_on`].
//! Everything an engine must keep is checked by the contract suite in `testing`.

#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "std")]
mod memory;
#[cfg(feature = "std")]
mod offload;
mod wait;
#[cfg(feature = "std")]
mod wake;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::future::Future;
use core::ops::{ControlFlow, Range};
use core::task::{Context, Poll};

use bytes::Bytes;

#[cfg(feature = "local")]
pub use self::local::Local;
#[cfg(feature = "std")]
pub use self::memory::{Memory, MemorySnapshot, MemoryWriter};
#[cfg(feature = "std")]
pub use self::offload::{Job, Offload, OffloadSnapshot, OffloadWriter};
#[cfg(feature = "std")]
pub use self::wait::block_on;
pub use self::wait::now;
use crate::identifier::{AccountId, BlobId};

/// Ordered keys and values with atomic, conditional commits.
///
/// - A commit is applied whole or not at all, and only if every `expect` holds.
/// - A snapshot opened after a commit was acknowledged contains it; a snapshot never changes.
/// - Dropping any future at any point leaves the engine consistent.
pub trait Engine: Send + Sync + 'static {
    /// A stable view.
    type Snapshot: Snapshot + 'static;

    /// The largest key, value and batch.
    fn limits(&self) -> Limits;

    /// Opens a view of everything that is committed now. Cheap; close it soon.
    fn snapshot(&self) -> impl Future<Output = Result<Self::Snapshot, ReadError>> + Send;

    /// Applies `batch`. May join it with others under one sync.
    ///
    /// After [`CommitError::Unknown`] it may have been applied or not, or be applied yet; after any other
    /// error it was not and never will be.
    fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Level-triggered: ready, with `seen` moved on, if `account` was named in the `wake` of a batch since
    /// `seen`; else registers the waker. May be ready for no reason, is never lost inside a process. Start
    /// with `seen = 0`.
    fn poll_wake(&self, context: &mut Context<'_>, account: AccountId, seen: &mut u64) -> Poll<()>;
}

/// Called with each key and value; breaking ends the scan.
pub type Visit<'a> = &'a mut (dyn FnMut(&[u8], &Bytes) -> ControlFlow<()> + Send);

/// A stable view of an [`Engine`].
pub trait Snapshot: Send + Sync {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> impl Future<Output = Result<Option<Bytes>, ReadError>> + Send;

    /// Visits the keys in `keys` in ascending order, or descending if `reverse`.
    fn scan(
        &self,
        keys: Range<&[u8]>,
        reverse: bool,
        visit: Visit<'_>,
    ) -> impl Future<Output = Result<(), ReadError>> + Send;
}

/// Immutable octets, written once as a stream.
pub trait Blobs: Send + Sync + 'static {
    /// A blob that is being written.
    type Writer: BlobWriter;

    /// Starts a blob. `size_hint` may be wrong.
    fn create(
        &self,
        size_hint: Option<u64>,
    ) -> impl Future<Output = Result<Self::Writer, WriteFailed>> + Send;

    /// Octets `at` of a blob; fewer where the range goes beyond its end.
    ///
    /// # Errors
    /// [`ReadError::Gone`] if there is no such blob. Never other octets.
    fn read(&self, id: &BlobId, at: Range<u64>) -> impl Future<Output = Result<Bytes, ReadError>> + Send;

    /// Frees a blob; one that does not exist is no error.
    fn delete(&self, id: &BlobId) -> impl Future<Output = Result<(), WriteFailed>> + Send;

    /// Visits every finished blob and its size.
    fn list(
        &self,
        visit: &mut (dyn FnMut(&BlobId, u64) + Send),
    ) -> impl Future<Output = Result<(), ReadError>> + Send;
}

/// A blob that is being written. Dropping it leaves nothing.
pub trait BlobWriter: Send + Sync + 'static {
    /// Appends `chunk`.
    fn write(&mut self, chunk: Bytes) -> impl Future<Output = Result<(), WriteFailed>> + Send;

    /// Ends the blob. It is durable before a batch that names it is.
    fn finish(self) -> impl Future<Output = Result<BlobId, WriteFailed>> + Send;
}

/// Changes that are applied together.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "an engine must obey every part of a batch")]
pub struct Batch {
    /// The key holds exactly this value, `None` = it is absent; else [`CommitError::Conflict`].
    pub expect: Vec<(Bytes, Option<Bytes>)>,
    /// Applied in order.
    pub ops: Vec<Op>,
    /// These are durable before the batch is.
    pub blobs: Vec<BlobId>,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// Whose [`Engine::poll_wake`] becomes ready after the batch is visible, on every node.
    pub wake: Vec<AccountId>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an engine must do every kind of change")]
pub enum Op {
    /// Sets a key.
    Put(Bytes, Bytes),
    /// Removes a key, present or not.
    Delete(Bytes),
    /// Removes the keys from the first up to, and without, the second.
    DeleteRange(Bytes, Bytes),
    /// Adds to a counter: 8 octets big-endian, absent = 0; leaving the range of `i64` fails the batch.
    /// Counters are never `Put`, and no batch both adds to one and removes it.
    Add(Bytes, i64),
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an engine must know every kind")]
pub enum Durability {
    /// It survives a power loss.
    #[default]
    Synced,
    /// It may be lost in a power loss, with everything after it.
    Relaxed,
}

/// The largest things that an engine takes, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// A key.
    pub key: usize,
    /// A value.
    pub value: usize,
    /// The sum of keys and values of one batch.
    pub batch: usize,
}

impl Limits {
    /// Limits of `key`, `value` and `batch` octets.
    #[must_use]
    pub const fn new(key: usize, value: usize, batch: usize) -> Self {
        Self { key, value, batch }
    }
}

/// Why a batch was not acknowledged.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// An `expect` did not hold: read again and retry.
    #[error("another commit came first")]
    Conflict,
    /// No space.
    #[error("no space left")]
    Full,
    /// Whether it was applied cannot be known.
    #[error("the outcome of the commit is unknown")]
    Unknown,
    /// A sync failed before; nothing is acknowledged until the engine is opened again.
    #[error("an earlier sync failed: the store must be opened again")]
    Poisoned,
    /// The engine failed.
    #[error("storage: {0}")]
    Io(IoError),
}

/// Why octets of a blob were not written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteFailed {
    /// No space.
    #[error("no space left")]
    Full,
    /// A sync failed before.
    #[error("an earlier sync failed: the store must be opened again")]
    Poisoned,
    /// The engine failed.
    #[error("storage: {0}")]
    Io(IoError),
}

/// Why something was not read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It existed and is removed. Never other octets.
    #[error("no longer there")]
    Gone,
    /// A stored value is damaged.
    #[error("damaged {what} at key {key}")]
    Corrupt {
        /// What kind of value.
        what: &'static str,
        /// Its key in hexadecimal.
        key: alloc::string::String,
    },
    /// A stored value was written by a later version.
    #[error("{what} has format {found}, this version knows up to {known}")]
    Newer {
        /// What kind of value.
        what: &'static str,
        /// Its version octet.
        found: u8,
        /// The highest known.
        known: u8,
    },
    /// A sync failed before.
    #[error("an earlier sync failed: the store must be opened again")]
    Poisoned,
    /// The engine failed.
    #[error("storage: {0}")]
    Io(IoError),
}

/// An engine's own error, shared by all who waited for the same commit.
#[derive(Clone)]
pub struct IoError(Arc<dyn Error + Send + Sync>);

impl IoError {
    /// Wraps an engine's error, or a text.
    #[must_use]
    pub fn new(error: impl Into<alloc::boxed::Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Debug for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for IoError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
