//! [`Faulty`]: an engine over another one that conflicts, fills up, loses its connection and takes its time
//! when it is told to.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::engine::{
    Batch, BlobWriter, Blobs, CommitError, Engine, IoError, Limits, ReadError, Snapshot, Visit, WriteFailed,
};
use crate::identifier::{AccountId, BlobId};

/// What happens to a commit instead of its being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Another commit came first.
    Conflict,
    /// No space.
    Full,
    /// The engine fails.
    Io,
    /// It is done, and the answer is lost.
    UnknownDone,
    /// It is not done and never will be, and the answer is lost.
    UnknownNotDone,
    /// The answer is lost, and it arrives at [`Faulty::let_late_commits_in`].
    UnknownLate,
}

/// An engine that fails on purpose. `Clone` gives another handle.
#[derive(Clone, Debug)]
pub struct Faulty<E> {
    inner: E,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the next commits do: `None` = as they should.
    commits: Mutex<VecDeque<Option<Fault>>>,
    late: Mutex<Vec<Batch>>,
    /// Times that each future is pending before its work, and again behind it.
    pauses: AtomicUsize,
    failing_writes: AtomicUsize,
    failing_reads: AtomicUsize,
    failing_deletes: AtomicUsize,
    attempted: AtomicUsize,
    committed: AtomicUsize,
    reads: AtomicUsize,
}

impl State {
    async fn pause(&self) {
        let mut left = self.pauses.load(Ordering::SeqCst);
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Whether one of the failures in `left` is taken.
    fn take(left: &AtomicUsize) -> bool {
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failure() -> IoError {
    IoError::new("as it was told to")
}

impl<E> Faulty<E> {
    /// Does all that `inner` does until it is told otherwise.
    #[must_use]
    pub fn new(inner: E) -> Self {
        Self { inner, state: Arc::default() }
    }

    /// The engine below.
    #[must_use]
    pub const fn inner(&self) -> &E {
        &self.inner
    }

    /// The next commits do this, one after another; `None` = as they should.
    pub fn commits_do(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        *lock(&self.state.commits) = faults.into_iter().collect();
    }

    /// Each future is pending so often before its work, and so often behind it.
    pub fn pause(&self, times: usize) {
        self.state.pauses.store(times, Ordering::SeqCst);
    }

    /// The next writes to blobs find no space.
    pub fn fail_writes(&self, count: usize) {
        self.state.failing_writes.store(count, Ordering::SeqCst);
    }

    /// The next snapshots are not given.
    pub fn fail_snapshots(&self, count: usize) {
        self.state.failing_reads.store(count, Ordering::SeqCst);
    }

    /// The next blobs are not deleted.
    pub fn fail_deletes(&self, count: usize) {
        self.state.failing_deletes.store(count, Ordering::SeqCst);
    }

    /// Commits that were asked for.
    #[must_use]
    pub fn attempted(&self) -> usize {
        self.state.attempted.load(Ordering::SeqCst)
    }

    /// Keys that were looked up, and scans.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.state.reads.load(Ordering::SeqCst)
    }

    /// Commits that the engine below did.
    #[must_use]
    pub fn committed(&self) -> usize {
        self.state.committed.load(Ordering::SeqCst)
    }
}

impl<E: Engine> Faulty<E> {
    async fn really_commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.inner.commit(batch).await?;
        self.state.committed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Commits that were late arrive; gives what becomes of each.
    pub async fn let_late_commits_in(&self) -> Vec<Result<(), CommitError>> {
        let late = core::mem::take(&mut *lock(&self.state.late));
        let mut results = Vec::with_capacity(late.len());
        for batch in late {
            results.push(self.really_commit(batch).await);
        }
        results
    }
}

impl<E: Engine> Engine for Faulty<E> {
    type Snapshot = FaultySnapshot<E::Snapshot>;

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn snapshot(&self) -> Result<Self::Snapshot, ReadError> {
        self.state.pause().await;
        if State::take(&self.state.failing_reads) {
            return Err(ReadError::Io(failure()));
        }
        let inner = self.inner.snapshot().await?;
        self.state.pause().await;
        Ok(FaultySnapshot { inner, state: Arc::clone(&self.state) })
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.state.attempted.fetch_add(1, Ordering::SeqCst);
        self.state.pause().await;
        let fault = lock(&self.state.commits).pop_front().flatten();
        let result = match fault {
            None => self.really_commit(batch).await,
            Some(Fault::Conflict) => Err(CommitError::Conflict),
            Some(Fault::Full) => Err(CommitError::Full),
            Some(Fault::Io) => Err(CommitError::Io(failure())),
            Some(Fault::UnknownDone) => self.really_commit(batch).await.and(Err(CommitError::Unknown)),
            Some(Fault::UnknownNotDone) => Err(CommitError::Unknown),
            Some(Fault::UnknownLate) => {
                lock(&self.state.late).push(batch);
                Err(CommitError::Unknown)
            }
        };
        self.state.pause().await;
        result
    }

    fn poll_wake(&self, context: &mut Context<'_>, account: AccountId, seen: &mut u64) -> Poll<()> {
        self.inner.poll_wake(context, account, seen)
    }
}

/// A snapshot of a [`Faulty`].
#[derive(Debug)]
pub struct FaultySnapshot<S> {
    inner: S,
    state: Arc<State>,
}

impl<S: Snapshot> Snapshot for FaultySnapshot<S> {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        self.state.reads.fetch_add(1, Ordering::SeqCst);
        self.state.pause().await;
        self.inner.get(key).await
    }

    async fn scan(&self, keys: Range<&[u8]>, reverse: bool, visit: Visit<'_>) -> Result<(), ReadError> {
        self.state.reads.fetch_add(1, Ordering::SeqCst);
        self.state.pause().await;
        self.inner.scan(keys, reverse, visit).await
    }
}

impl<E: Engine + Blobs> Blobs for Faulty<E> {
    type Writer = FaultyWriter<E::Writer>;

    async fn create(&self, size_hint: Option<u64>) -> Result<Self::Writer, WriteFailed> {
        self.state.pause().await;
        let inner = self.inner.create(size_hint).await?;
        Ok(FaultyWriter { inner, state: Arc::clone(&self.state) })
    }

    async fn read(&self, id: &BlobId, at: Range<u64>) -> Result<Bytes, ReadError> {
        self.state.pause().await;
        self.inner.read(id, at).await
    }

    async fn delete(&self, id: &BlobId) -> Result<(), WriteFailed> {
        self.state.pause().await;
        if State::take(&self.state.failing_deletes) {
            return Err(WriteFailed::Io(failure()));
        }
        self.inner.delete(id).await
    }

    async fn list(&self, visit: &mut (dyn FnMut(&BlobId, u64) + Send)) -> Result<(), ReadError> {
        self.inner.list(visit).await
    }
}

/// A blob that is being written to a [`Faulty`].
#[derive(Debug)]
pub struct FaultyWriter<W> {
    inner: W,
    state: Arc<State>,
}

impl<W: BlobWriter> BlobWriter for FaultyWriter<W> {
    async fn write(&mut self, chunk: Bytes) -> Result<(), WriteFailed> {
        self.state.pause().await;
        if State::take(&self.state.failing_writes) {
            return Err(WriteFailed::Full);
        }
        self.inner.write(chunk).await
    }

    async fn finish(self) -> Result<BlobId, WriteFailed> {
        self.state.pause().await;
        self.inner.finish().await
    }
}
