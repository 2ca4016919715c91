//! [`Local`]: the durable engine for one process. Keys are in a redb file, bodies and the log of all batches
//! in append-only segments, large bodies in files of their own.
//!
//! A batch is acknowledged when its group is synced in a segment and applied durably in the index; all that
//! wait share the two syncs. After a failed sync nothing is acknowledged until the store is opened again;
//! reads go on. Every future is ready at its first poll and may block meanwhile:
//! [`Offload`](super::Offload) moves that to other threads. A relaxed batch is as durable as others.

mod backing;
mod body;
mod check;
mod commit;
mod disk;
mod format;
mod index;
mod open;
mod rebuild;
mod recover;
mod segments;
#[cfg(any(test, feature = "testing"))]
mod simulated;
mod staged;
mod storage;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use self::body::BodyName;
pub use self::check::{CheckDepth, Finding};
use self::commit::{Queue, Writer};
pub use self::disk::Directory;
use self::index::{Index, IndexError, KeysView};
pub use self::open::OpenError;
pub use self::recover::Damage;
use self::segments::Segments;
#[cfg(any(test, feature = "testing"))]
pub use self::simulated::{Fault, Simulated};
pub use self::staged::LocalWriter;
use self::staged::Staged;
pub use self::storage::{File, Lock, Storage};
use super::wake::Wakes;
use super::{
    Batch, Blobs, CommitError, Engine, IoError, Limits, Op, ReadError, Snapshot, Visit, WriteFailed,
};
use crate::identifier::{AccountId, BlobId};
use crate::mail::key;
use crate::mail::record::Record as _;
use crate::mail::row::StoreRow;

const LIMITS: Limits = Limits::new(64 * 1024, 64 * 1024 * 1024, 256 * 1024 * 1024);

/// How a [`Local`] uses its storage.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LocalConfig {
    /// Octets after which a new segment begins.
    pub segment_octets: u64,
    /// Octets of a body from which on it has a file of its own.
    pub large_from: u64,
    /// Octets of batches and bodies that share one sync, if they wait.
    pub group_octets: usize,
    /// Octets of uploads held in memory; beyond it they go to files.
    pub upload_memory: usize,
    /// Octets of the index kept in memory.
    pub index_cache: usize,
    /// Whether opening reads the whole index and verifies it, also after a close. Without it a page that was
    /// damaged meanwhile is noticed only when it is used, and may then end the process.
    pub verify_index: bool,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            segment_octets: 64 * 1024 * 1024,
            large_from: 1024 * 1024,
            group_octets: 8 * 1024 * 1024,
            upload_memory: 64 * 1024 * 1024,
            index_cache: 64 * 1024 * 1024,
            verify_index: true,
        }
    }
}

/// The engine in a directory.
///
/// `Clone` gives another handle on the same store. When the last handle and the last snapshot are dropped,
/// the store is closed; [`close`](Self::close) says whether that went well.
#[derive(Clone, Debug)]
pub struct Local {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    storage: Arc<dyn Storage>,
    config: LocalConfig,
    store: [u8; 16],
    index: Index,
    segments: Segments,
    writer: Mutex<Writer>,
    queue: Queue,
    staged: Mutex<Staged>,
    staged_octets: Arc<AtomicUsize>,
    next_body: AtomicU64,
    opening: u64,
    large_directories: Mutex<HashSet<String>>,
    wakes: Wakes,
    poisoned: AtomicBool,
    is_closed: AtomicBool,
    damage: Option<Damage>,
    /// The last to be dropped: the index is closed by then.
    _lock: Box<dyn Lock>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_failed(error: &io::Error) -> WriteFailed {
    if storage::is_full(error) {
        WriteFailed::Full
    } else {
        WriteFailed::Io(IoError::new(alloc::format!("{error}")))
    }
}

impl Shared {
    #[expect(clippy::too_many_arguments, reason = "the parts of a store, put together in one place")]
    fn new(
        storage: Arc<dyn Storage>,
        config: LocalConfig,
        store: [u8; 16],
        index: Index,
        segments: Segments,
        writer: Writer,
        lock: Box<dyn Lock>,
        damage: Option<Damage>,
    ) -> Self {
        let opening = writer.state.opening;
        Self {
            storage,
            config,
            store,
            index,
            segments,
            writer: Mutex::new(writer),
            queue: Queue::default(),
            staged: Mutex::default(),
            staged_octets: Arc::default(),
            next_body: AtomicU64::new(0),
            opening,
            large_directories: Mutex::default(),
            wakes: Wakes::default(),
            poisoned: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            damage,
            _lock: lock,
        }
    }

    fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
    }

    fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    fn may_commit(&self) -> Result<(), CommitError> {
        if let Some(damage) = self.damage {
            return Err(CommitError::Io(IoError::new(alloc::format!("read-only: {damage}"))));
        }
        if self.is_closed.load(Ordering::Acquire) {
            return Err(CommitError::Io(IoError::new("the store is closed")));
        }
        if self.is_poisoned() { Err(CommitError::Poisoned) } else { Ok(()) }
    }

    fn writable(&self) -> Result<(), WriteFailed> {
        self.may_commit().map_err(|error| match error {
            CommitError::Poisoned => WriteFailed::Poisoned,
            CommitError::Io(error) => WriteFailed::Io(error),
            other => WriteFailed::Io(IoError::new(other)),
        })
    }

    /// The result of a sync: a failed one poisons the engine, and is never tried again.
    fn synced(&self, result: io::Result<()>) -> Result<(), WriteFailed> {
        result.map_err(|_| {
            self.poison();
            WriteFailed::Poisoned
        })
    }

    /// Counts in the store's header that it ended without being closed: the mail logic lets modification
    /// sequences jump then.
    fn count_unclean_end(&self) -> Result<(), OpenError> {
        let key = key::store();
        let keys = self.index.keys()?;
        let value = keys.get(key.as_ref()).map_err(IndexError::from)?;
        let Some(value) = value.map(|value| Bytes::copy_from_slice(value.value())) else { return Ok(()) };
        // A damaged header is for the mail logic to report.
        let Ok(mut row) = StoreRow::open(&key, &value) else { return Ok(()) };
        row.unclean_ends = row.unclean_ends.saturating_add(1);
        let ops = Vec::from([Op::Put(key, row.seal())]);
        self.commit(Batch { ops, ..Batch::default() })
            .map_err(|error| OpenError::Io(io::Error::other(IoError::new(error))))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Without the mark of a close, the next opening recovers.
        let _ = self.close();
    }
}

impl Local {
    /// Opens the store in a directory of the operating system, and makes it if there is none. `entropy`
    /// must be 16 octets that nobody can guess: a new store is named by them.
    ///
    /// A store whose log is damaged opens for reading only: see [`damage`](Self::damage).
    ///
    /// # Errors
    /// If another process has it open, it is none, the index must be rebuilt, or the storage fails.
    pub fn open(
        directory: impl Into<PathBuf>,
        config: LocalConfig,
        entropy: [u8; 16],
    ) -> Result<Self, OpenError> {
        Self::open_in(Arc::new(Directory::new(directory)?), config, entropy)
    }

    /// [`open`](Self::open) over a storage of your own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in(
        storage: Arc<dyn Storage>,
        config: LocalConfig,
        entropy: [u8; 16],
    ) -> Result<Self, OpenError> {
        Ok(Self { shared: Arc::new(open::open(storage, config, entropy)?) })
    }

    /// Makes a new index from the log, in place of one that is lost or damaged, which is kept beside it under
    /// another name. The store must not be open. The next opening shows what the log holds.
    ///
    /// Gives the places where the log is damaged: what was written there is missing.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn rebuild(storage: Arc<dyn Storage>, config: &LocalConfig) -> Result<Vec<Damage>, OpenError> {
        rebuild::rebuild(&storage, config)
    }

    /// What is damaged, if the store can only be read.
    #[must_use]
    pub fn damage(&self) -> Option<Damage> {
        self.shared.damage
    }

    /// Ends all writing and notes that it ended well. Snapshots stay readable.
    ///
    /// # Errors
    /// If that cannot be noted: the next opening recovers.
    pub fn close(&self) -> Result<(), CommitError> {
        self.shared.close()
    }
}

impl Engine for Local {
    type Snapshot = LocalSnapshot;

    fn limits(&self) -> Limits {
        LIMITS
    }

    async fn snapshot(&self) -> Result<LocalSnapshot, ReadError> {
        Ok(LocalSnapshot { keys: self.shared.index.keys()?, _shared: Arc::clone(&self.shared) })
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.shared.commit(batch)
    }

    fn poll_wake(&self, context: &mut Context<'_>, account: AccountId, seen: &mut u64) -> Poll<()> {
        self.shared.wakes.poll(context, account, seen)
    }
}

/// A stable view of a [`Local`].
#[derive(Debug)]
pub struct LocalSnapshot {
    keys: KeysView,
    _shared: Arc<Shared>,
}

fn read_error(error: redb::StorageError) -> ReadError {
    IndexError::from(error).into()
}

impl Snapshot for LocalSnapshot {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        let value = self.keys.get(key).map_err(read_error)?;
        Ok(value.map(|value| Bytes::copy_from_slice(value.value())))
    }

    async fn scan(&self, keys: Range<&[u8]>, reverse: bool, visit: Visit<'_>) -> Result<(), ReadError> {
        if keys.start >= keys.end {
            return Ok(());
        }
        let mut rows = self.keys.range::<&[u8]>(keys).map_err(read_error)?;
        while let Some(row) = if reverse { rows.next_back() } else { rows.next() } {
            let (key, value) = row.map_err(read_error)?;
            if let ControlFlow::Break(()) = visit(key.value(), &Bytes::copy_from_slice(value.value())) {
                break;
            }
        }
        Ok(())
    }
}

impl Blobs for Local {
    type Writer = LocalWriter;

    async fn create(&self, size_hint: Option<u64>) -> Result<LocalWriter, WriteFailed> {
        self.shared.writable()?;
        let number = self.shared.next_body.fetch_add(1, Ordering::Relaxed);
        let name = BodyName { opening: self.shared.opening, number };
        LocalWriter::new(&self.shared, name, size_hint).map_err(|error| write_failed(&error))
    }

    async fn read(&self, id: &BlobId, at: Range<u64>) -> Result<Bytes, ReadError> {
        self.shared.read_body(BodyName::from_blob(id).ok_or(ReadError::Gone)?, at)
    }

    async fn delete(&self, id: &BlobId) -> Result<(), WriteFailed> {
        self.shared.writable()?;
        BodyName::from_blob(id).map_or(Ok(()), |name| self.shared.free_body(name))
    }

    async fn list(&self, visit: &mut (dyn FnMut(&BlobId, u64) + Send)) -> Result<(), ReadError> {
        let (mut all, freed) = {
            let staged = lock(&self.shared.staged);
            let sizes = staged.bodies.iter().map(|(name, body)| (*name, body.size()));
            (sizes.collect::<alloc::collections::BTreeMap<_, _>>(), staged.freed.clone())
        };
        self.shared.index.bodies(|name, place| {
            all.insert(name, place.size());
        })?;
        for (name, size) in all.iter().filter(|(name, _)| !freed.contains_key(name)) {
            if let Some(id) = name.blob() {
                visit(&id, *size);
            }
        }
        Ok(())
    }
}
