//! [`Offload`]: an engine whose calls block, run on threads that a host has for that.
//!
//! A call that is dropped goes on on its thread: a commit is done or not, a blob that was being written is
//! dropped there.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::ops::{ControlFlow, Range};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{
    Batch, BlobWriter, Blobs, CommitError, Engine, IoError, Limits, ReadError, Snapshot, Visit, WriteFailed,
    block_on,
};
use crate::identifier::{AccountId, BlobId};

/// A call to be run once, on a thread that may block.
pub type Job = Box<dyn FnOnce() + Send>;

type Threads = Arc<dyn Fn(Job) + Send + Sync>;

/// Keys and values that one job of a scan hands over.
const PAGE: usize = 256;

/// An engine whose calls run elsewhere. `Clone` gives another handle.
pub struct Offload<E> {
    engine: Arc<E>,
    threads: Threads,
}

impl<E> Clone for Offload<E> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine), threads: Arc::clone(&self.threads) }
    }
}

impl<E> fmt::Debug for Offload<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offload").finish_non_exhaustive()
    }
}

impl<E> Offload<E> {
    /// Runs the calls of `engine` by handing them to `threads`, which must not run them itself if it is
    /// called where blocking hurts. A job that it drops fails its call.
    #[must_use]
    pub fn new(engine: E, threads: impl Fn(Job) + Send + Sync + 'static) -> Self {
        Self { engine: Arc::new(engine), threads: Arc::new(threads) }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &E {
        &self.engine
    }
}

/// How a job ended that gave no value.
enum Lost {
    /// It was never started.
    Refused,
    /// It was started.
    Broken,
}

impl Lost {
    fn error(&self) -> IoError {
        IoError::new(match self {
            Self::Refused => "the threads of the engine take no more calls",
            Self::Broken => "a call of the engine did not end",
        })
    }
}

impl From<Lost> for ReadError {
    fn from(lost: Lost) -> Self {
        Self::Io(lost.error())
    }
}

impl From<Lost> for WriteFailed {
    fn from(lost: Lost) -> Self {
        Self::Io(lost.error())
    }
}

impl From<Lost> for CommitError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Refused => Self::Io(lost.error()),
            Lost::Broken => Self::Unknown,
        }
    }
}

/// Where a job leaves its value.
struct Slot<T>(Mutex<(State<T>, Option<Waker>)>);

enum State<T> {
    Waiting,
    Running,
    Ended(Result<T, Lost>),
    Taken,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, (State<T>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, result: Result<T, Lost>) {
        let waker = {
            let mut slot = self.lock();
            slot.0 = State::Ended(result);
            slot.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The job's side of a slot: tells if the job is dropped.
struct Promise<T>(Arc<Slot<T>>);

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let lost = match self.0.lock().0 {
            State::Waiting => Lost::Refused,
            State::Running => Lost::Broken,
            State::Ended(_) | State::Taken => return,
        };
        self.0.end(Err(lost));
    }
}

/// Runs `work` on `threads`.
async fn run<T: Send + 'static>(
    threads: &Threads,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Lost> {
    let slot = Arc::new(Slot(Mutex::new((State::Waiting, None))));
    let promise = Promise(Arc::clone(&slot));
    threads(Box::new(move || {
        promise.0.lock().0 = State::Running;
        let value = work();
        promise.0.end(Ok(value));
    }));
    poll_fn(|context| {
        let mut slot = slot.lock();
        match core::mem::replace(&mut slot.0, State::Taken) {
            State::Ended(result) => Poll::Ready(result),
            State::Taken => Poll::Ready(Err(Lost::Broken)),
            state => {
                slot.0 = state;
                slot.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

impl<E: Engine> Engine for Offload<E> {
    type Snapshot = OffloadSnapshot<E::Snapshot>;

    fn limits(&self) -> Limits {
        self.engine.limits()
    }

    async fn snapshot(&self) -> Result<Self::Snapshot, ReadError> {
        let engine = Arc::clone(&self.engine);
        let snapshot = run(&self.threads, move || block_on(engine.snapshot())).await??;
        Ok(OffloadSnapshot { snapshot: Arc::new(snapshot), threads: Arc::clone(&self.threads) })
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let engine = Arc::clone(&self.engine);
        run(&self.threads, move || block_on(engine.commit(batch))).await?
    }

    fn poll_wake(&self, context: &mut Context<'_>, account: AccountId, seen: &mut u64) -> Poll<()> {
        self.engine.poll_wake(context, account, seen)
    }
}

/// A snapshot of an [`Offload`].
pub struct OffloadSnapshot<S> {
    snapshot: Arc<S>,
    threads: Threads,
}

impl<S> fmt::Debug for OffloadSnapshot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OffloadSnapshot").finish_non_exhaustive()
    }
}

impl<S: Snapshot + 'static> Snapshot for OffloadSnapshot<S> {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        let (snapshot, key) = (Arc::clone(&self.snapshot), Bytes::copy_from_slice(key));
        run(&self.threads, move || block_on(snapshot.get(&key))).await?
    }

    async fn scan(&self, keys: Range<&[u8]>, reverse: bool, visit: Visit<'_>) -> Result<(), ReadError> {
        let (mut start, mut end) = (Bytes::copy_from_slice(keys.start), Bytes::copy_from_slice(keys.end));
        loop {
            let (snapshot, low, high) = (Arc::clone(&self.snapshot), start.clone(), end.clone());
            let page = run(&self.threads, move || block_on(page(&*snapshot, &low..&high, reverse))).await??;
            let more = page.len() == PAGE;
            for (key, value) in page {
                if visit(&key, &value).is_break() {
                    return Ok(());
                }
                if reverse {
                    end = key;
                } else {
                    // The first key behind this one.
                    start = key.iter().copied().chain([0]).collect();
                }
            }
            if !more {
                return Ok(());
            }
        }
    }
}

/// The first keys and values of a range.
async fn page<S: Snapshot>(
    snapshot: &S,
    keys: Range<&Bytes>,
    reverse: bool,
) -> Result<Vec<(Bytes, Bytes)>, ReadError> {
    let mut page = Vec::new();
    snapshot
        .scan(&**keys.start..&**keys.end, reverse, &mut |key, value| {
            page.push((Bytes::copy_from_slice(key), value.clone()));
            if page.len() < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await?;
    Ok(page)
}

impl<E: Blobs> Blobs for Offload<E> {
    type Writer = OffloadWriter<E::Writer>;

    async fn create(&self, size_hint: Option<u64>) -> Result<Self::Writer, WriteFailed> {
        let engine = Arc::clone(&self.engine);
        let writer = run(&self.threads, move || block_on(engine.create(size_hint))).await??;
        Ok(OffloadWriter { writer: Some(writer), threads: Arc::clone(&self.threads) })
    }

    async fn read(&self, id: &BlobId, at: Range<u64>) -> Result<Bytes, ReadError> {
        let (engine, id) = (Arc::clone(&self.engine), id.clone());
        run(&self.threads, move || block_on(engine.read(&id, at))).await?
    }

    async fn delete(&self, id: &BlobId) -> Result<(), WriteFailed> {
        let (engine, id) = (Arc::clone(&self.engine), id.clone());
        run(&self.threads, move || block_on(engine.delete(&id))).await?
    }

    async fn list(&self, visit: &mut (dyn FnMut(&BlobId, u64) + Send)) -> Result<(), ReadError> {
        let engine = Arc::clone(&self.engine);
        let list = move || {
            let mut all = Vec::new();
            block_on(engine.list(&mut |id, size| all.push((id.clone(), size)))).map(|()| all)
        };
        let all: Vec<(BlobId, u64)> = run(&self.threads, list).await??;
        all.iter().for_each(|(id, size)| visit(id, *size));
        Ok(())
    }
}

/// A blob that is being written to an [`Offload`].
pub struct OffloadWriter<W> {
    /// `None` while a write is under way, and for good if that was dropped.
    writer: Option<W>,
    threads: Threads,
}

impl<W> fmt::Debug for OffloadWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OffloadWriter").finish_non_exhaustive()
    }
}

impl<W: BlobWriter> BlobWriter for OffloadWriter<W> {
    async fn write(&mut self, chunk: Bytes) -> Result<(), WriteFailed> {
        let mut writer = self.writer.take().ok_or(Lost::Broken)?;
        let write = move || {
            let result = block_on(writer.write(chunk));
            (writer, result)
        };
        let (writer, result) = run(&self.threads, write).await?;
        self.writer = Some(writer);
        result
    }

    async fn finish(mut self) -> Result<BlobId, WriteFailed> {
        let writer = self.writer.take().ok_or(Lost::Broken)?;
        run(&self.threads, move || block_on(writer.finish())).await?
    }
}
