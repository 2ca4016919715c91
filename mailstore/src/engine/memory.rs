//! [`Memory`]: the engine that keeps everything in memory; nothing survives the process.
//!
//! Values are kept in versions, so a snapshot costs one number and is as stable as the contract asks. Every
//! future is ready at its first poll.

mod blobs;
#[cfg(test)]
mod tests;
mod versions;

use alloc::sync::Arc;
use core::ops::Range;
use core::task::{Context, Poll};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use self::blobs::Heap;
pub use self::blobs::MemoryWriter;
use self::versions::Versions;
use super::wake::Wakes;
use super::{Batch, BlobWriter, Blobs, CommitError, Engine, Limits, ReadError, Snapshot, Visit, WriteFailed};
use crate::identifier::{AccountId, BlobId};

/// An engine in memory.
///
/// Keeps all promises but those about power loss. `Clone` gives another handle on the same content.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    keys: Mutex<Versions>,
    blobs: Arc<Mutex<Heap>>,
    wakes: Wakes,
}

/// Keys and values that one lock hold copies for a scan.
const SCAN_STEP: usize = 128;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere cannot leave half a change: each is applied under one lock hold without a call out.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// An empty engine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Octets of all finished blobs, for tests of what is freed.
    #[must_use]
    pub fn blob_octets(&self) -> u64 {
        lock(&self.shared.blobs).octets()
    }

    /// Number of finished blobs.
    #[must_use]
    pub fn blob_count(&self) -> usize {
        lock(&self.shared.blobs).len()
    }
}

impl Engine for Memory {
    type Snapshot = MemorySnapshot;

    fn limits(&self) -> Limits {
        Limits::new(64 * 1024, 64 * 1024 * 1024, 256 * 1024 * 1024)
    }

    async fn snapshot(&self) -> Result<MemorySnapshot, ReadError> {
        let at = lock(&self.shared.keys).open();
        Ok(MemorySnapshot { shared: Arc::clone(&self.shared), at })
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        {
            let heap = lock(&self.shared.blobs);
            if batch.blobs.iter().any(|blob| !heap.contains(blob)) {
                return Err(CommitError::Io(super::IoError::new(
                    "the batch names a blob that does not exist",
                )));
            }
        }
        lock(&self.shared.keys).commit(&batch)?;
        self.shared.wakes.wake(&batch.wake);
        Ok(())
    }

    fn poll_wake(&self, context: &mut Context<'_>, account: AccountId, seen: &mut u64) -> Poll<()> {
        self.shared.wakes.poll(context, account, seen)
    }
}

/// A stable view of a [`Memory`].
#[derive(Debug)]
pub struct MemorySnapshot {
    shared: Arc<Shared>,
    at: u64,
}

impl Snapshot for MemorySnapshot {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        Ok(lock(&self.shared.keys).get(key, self.at))
    }

    async fn scan(&self, keys: Range<&[u8]>, reverse: bool, visit: Visit<'_>) -> Result<(), ReadError> {
        // In steps, so that the visitor runs without the lock and may use the engine itself.
        let mut last: Option<Bytes> = None;
        loop {
            let step = lock(&self.shared.keys).page(&keys, last.as_deref(), reverse, self.at, SCAN_STEP);
            let more = step.len() == SCAN_STEP;
            for (key, value) in step {
                if visit(&key, &value).is_break() {
                    return Ok(());
                }
                last = Some(key);
            }
            if !more {
                return Ok(());
            }
        }
    }
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        lock(&self.shared.keys).close(self.at);
    }
}

impl Blobs for Memory {
    type Writer = MemoryWriter;

    async fn create(&self, size_hint: Option<u64>) -> Result<MemoryWriter, WriteFailed> {
        Ok(MemoryWriter::new(Arc::clone(&self.shared.blobs), size_hint))
    }

    async fn read(&self, id: &BlobId, at: Range<u64>) -> Result<Bytes, ReadError> {
        let blob = lock(&self.shared.blobs).get(id).ok_or(ReadError::Gone)?;
        Ok(blob.read(at))
    }

    async fn delete(&self, id: &BlobId) -> Result<(), WriteFailed> {
        lock(&self.shared.blobs).remove(id);
        Ok(())
    }

    async fn list(&self, visit: &mut (dyn FnMut(&BlobId, u64) + Send)) -> Result<(), ReadError> {
        let all = lock(&self.shared.blobs).list();
        all.iter().for_each(|(id, size)| visit(id, *size));
        Ok(())
    }
}

impl BlobWriter for MemoryWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<(), WriteFailed> {
        self.push(&chunk);
        Ok(())
    }

    async fn finish(self) -> Result<BlobId, WriteFailed> {
        self.end().ok_or_else(|| WriteFailed::Io(super::IoError::new("no name for the blob")))
    }
}
