//! [`Lane`]: the order in which the writes of one account happen.
//!
//! Whoever waits drives: the first one that finds the lane idle makes a group of everything that waits
//! and polls its commit; the others share the result. The group belongs to the lane, so dropping the one
//! who drives it drops nobody else: the next to be woken goes on. No thread is needed.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::WriteError;

/// The commit of a group.
pub(super) type GroupFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that waits for its turn: `R` is what a request asks for, `O` what it gets.
pub(super) struct Lane<R, O> {
    state: Mutex<State<R, O>>,
    wakers: Arc<Wakers>,
}

struct State<R, O> {
    queue: VecDeque<Entry<R, O>>,
    turn: Turn,
}

enum Entry<R, O> {
    Request(Job<R, O>),
    /// Wants the lane for itself.
    Hold(Arc<Hold>),
}

impl<R, O> Entry<R, O> {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Request(job) => job.reply.abandoned.load(Ordering::Acquire),
            Self::Hold(hold) => hold.abandoned.load(Ordering::Acquire),
        }
    }
}

impl<R, O> State<R, O> {
    /// Whether `most` wait already. Those who gave up do not count.
    fn is_full(&mut self, most: usize) -> bool {
        if self.queue.len() >= most {
            self.queue.retain(|entry| !entry.is_abandoned());
        }
        self.queue.len() >= most
    }
}

/// Whose turn it is.
enum Turn {
    Idle,
    /// A group waits for its engine.
    Parked(GroupFuture),
    /// Somebody polls the group.
    Polled,
    /// Somebody has the lane for itself.
    Held,
}

/// A request on its way through a group. If it is dropped without an outcome, that is unknown.
pub(super) struct Job<R, O> {
    pub(super) request: R,
    reply: Arc<Reply<O>>,
}

struct Reply<O> {
    outcome: Mutex<Option<Result<O, WriteError>>>,
    abandoned: AtomicBool,
}

struct Hold {
    granted: AtomicBool,
    abandoned: AtomicBool,
}

/// Everybody who waits for the lane.
#[derive(Default)]
struct Wakers(Mutex<Vec<Waker>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wakers {
    fn register(&self, waker: &Waker) {
        let mut wakers = lock(&self.0);
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    fn wake_all(&self) {
        let wakers = core::mem::take(&mut *lock(&self.0));
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

impl<R, O> Job<R, O> {
    /// Hands out the result.
    pub(super) fn finish(self, outcome: Result<O, WriteError>) {
        *lock(&self.reply.outcome) = Some(outcome);
    }
}

impl<R, O> Drop for Job<R, O> {
    fn drop(&mut self) {
        let mut outcome = lock(&self.reply.outcome);
        if outcome.is_none() {
            *outcome = Some(Err(WriteError::Unknown));
        }
    }
}

impl<R: Send, O: Send> Lane<R, O> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State { queue: VecDeque::new(), turn: Turn::Idle }),
            wakers: Arc::new(Wakers::default()),
        }
    }

    /// Waits for its turn with `request`, driving the lane meanwhile. `group` makes the commit of requests
    /// that go together, at most `limit` of them.
    pub(super) async fn submit(
        &self,
        request: R,
        limit: usize,
        waiting: usize,
        group: impl Fn(Vec<Job<R, O>>) -> GroupFuture,
    ) -> Result<O, WriteError> {
        struct Abandon<'r, O>(&'r Reply<O>);
        impl<O> Drop for Abandon<'_, O> {
            fn drop(&mut self) {
                // Not yet in a group: it never will be.
                self.0.abandoned.store(true, Ordering::Release);
            }
        }

        let reply = Arc::new(Reply { outcome: Mutex::new(None), abandoned: AtomicBool::new(false) });
        {
            let mut state = lock(&self.state);
            if state.is_full(waiting) {
                return Err(WriteError::Busy);
            }
            state.queue.push_back(Entry::Request(Job { request, reply: Arc::clone(&reply) }));
        }
        let _abandon = Abandon(&reply);
        core::future::poll_fn(|context| self.drive(context, limit, &group, || lock(&reply.outcome).take()))
            .await
    }

    /// Waits until the lane is free for requests that go through several lanes at once.
    pub(super) async fn hold(
        &self,
        limit: usize,
        waiting: usize,
        group: impl Fn(Vec<Job<R, O>>) -> GroupFuture,
    ) -> Result<Held<'_, R, O>, WriteError> {
        let hold = Arc::new(Hold { granted: AtomicBool::new(false), abandoned: AtomicBool::new(false) });
        {
            let mut state = lock(&self.state);
            if state.is_full(waiting) {
                return Err(WriteError::Busy);
            }
            state.queue.push_back(Entry::Hold(Arc::clone(&hold)));
        }
        // From here on it gives the lane back when it is dropped, granted or not.
        let held = Held { lane: self, hold };
        core::future::poll_fn(|context| {
            self.drive(context, limit, &group, || held.hold.granted.load(Ordering::Acquire).then_some(()))
        })
        .await;
        Ok(held)
    }

    /// Works on whatever has its turn until `done` says something.
    fn drive<T>(
        &self,
        context: &mut Context<'_>,
        limit: usize,
        group: &impl Fn(Vec<Job<R, O>>) -> GroupFuture,
        done: impl Fn() -> Option<T>,
    ) -> Poll<T> {
        loop {
            // Registered before looking, so that nothing that happens after the look is missed.
            self.wakers.register(context.waker());
            if let Some(value) = done() {
                return Poll::Ready(value);
            }
            let Some(mut future) = self.take_turn(limit, group) else {
                return match done() {
                    Some(value) => Poll::Ready(value),
                    None => Poll::Pending,
                };
            };
            let polling = Polling(self);
            let waker = Waker::from(Arc::clone(&self.wakers));
            let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
            core::mem::forget(polling);
            match poll {
                Poll::Ready(()) => {
                    // Its jobs are finished: drop it before anybody sees the lane idle.
                    drop(future);
                    lock(&self.state).turn = Turn::Idle;
                    self.wakers.wake_all();
                }
                Poll::Pending => {
                    lock(&self.state).turn = Turn::Parked(future);
                    return match done() {
                        Some(value) => Poll::Ready(value),
                        None => Poll::Pending,
                    };
                }
            }
        }
    }

    /// The group that is to be polled, if it is up to the caller to poll one.
    fn take_turn(&self, limit: usize, group: &impl Fn(Vec<Job<R, O>>) -> GroupFuture) -> Option<GroupFuture> {
        let mut state = lock(&self.state);
        match core::mem::replace(&mut state.turn, Turn::Polled) {
            Turn::Parked(future) => return Some(future),
            Turn::Polled => return None,
            Turn::Held => {
                state.turn = Turn::Held;
                return None;
            }
            Turn::Idle => {}
        }
        let mut jobs = Vec::new();
        while jobs.len() < limit.max(1) {
            match state.queue.pop_front() {
                Some(entry) if entry.is_abandoned() => {}
                Some(Entry::Request(job)) => jobs.push(job),
                Some(Entry::Hold(hold)) if jobs.is_empty() => {
                    hold.granted.store(true, Ordering::Release);
                    state.turn = Turn::Held;
                    drop(state);
                    self.wakers.wake_all();
                    return None;
                }
                Some(hold @ Entry::Hold(_)) => {
                    state.queue.push_front(hold);
                    break;
                }
                None => break,
            }
        }
        if jobs.is_empty() {
            state.turn = Turn::Idle;
            return None;
        }
        drop(state);
        Some(group(jobs))
    }

    /// Whether nothing happens and nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        let state = lock(&self.state);
        state.queue.is_empty() && matches!(state.turn, Turn::Idle)
    }
}

/// Frees the lane if polling a group panics; its jobs then have an unknown outcome.
struct Polling<'l, R: Send, O: Send>(&'l Lane<R, O>);

impl<R: Send, O: Send> Drop for Polling<'_, R, O> {
    fn drop(&mut self) {
        lock(&self.0.state).turn = Turn::Idle;
        self.0.wakers.wake_all();
    }
}

/// The lane, for oneself.
pub(super) struct Held<'l, R: Send, O: Send> {
    lane: &'l Lane<R, O>,
    hold: Arc<Hold>,
}

impl<R: Send, O: Send> Drop for Held<'_, R, O> {
    fn drop(&mut self) {
        let mut state = lock(&self.lane.state);
        self.hold.abandoned.store(true, Ordering::Release);
        if self.hold.granted.load(Ordering::Acquire) {
            state.turn = Turn::Idle;
        }
        drop(state);
        self.lane.wakers.wake_all();
    }
}
