//! How many password hashes are computed at a time, and how many log-ins may wait for one.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::config::DirectoryConfig;

/// Hands out permits to compute a hash.
#[derive(Clone)]
pub(crate) struct HashGate(Arc<Mutex<State>>);

struct State {
    free: usize,
    may_wait: usize,
    next: u64,
    /// Who waits, in order.
    waiting: VecDeque<(u64, Option<Waker>)>,
}

/// The right to compute one hash.
pub(crate) struct Permit(HashGate);

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

/// A place in the queue.
struct Place<'g> {
    gate: &'g HashGate,
    number: u64,
}

impl HashGate {
    pub(crate) fn new(config: &DirectoryConfig) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: config.hash_jobs.max(1),
            may_wait: config.hash_waiting,
            next: 0,
            waiting: VecDeque::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit; `None` if too many wait already.
    pub(crate) async fn permit(&self) -> Option<Permit> {
        let place = {
            let mut state = self.lock();
            if state.free > 0 && state.waiting.is_empty() {
                state.free -= 1;
                return Some(Permit(self.clone()));
            }
            if state.waiting.len() >= state.may_wait {
                return None;
            }
            let number = state.next;
            state.next += 1;
            state.waiting.push_back((number, None));
            Place { gate: self, number }
        };
        poll_fn(|context| {
            let mut state = self.lock();
            if state.free > 0 && state.waiting.front().is_some_and(|(number, _)| *number == place.number) {
                state.free -= 1;
                return Poll::Ready(());
            }
            if let Some((_, waker)) = state.waiting.iter_mut().find(|(number, _)| *number == place.number) {
                *waker = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
        Some(Permit(self.clone()))
    }

    /// Wakes whoever is next, if there is a permit.
    fn wake_next(&self) {
        let waker = {
            let mut state = self.lock();
            if state.free == 0 { None } else { state.waiting.front_mut().and_then(|(_, waker)| waker.take()) }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.lock().waiting.retain(|(number, _)| *number != self.number);
        self.gate.wake_next();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.lock().free += 1;
        self.0.wake_next();
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::task::Context;

    use super::*;
    use crate::engine::now;

    fn gate(jobs: usize, waiting: usize) -> HashGate {
        let config = DirectoryConfig { hash_jobs: jobs, hash_waiting: waiting, ..DirectoryConfig::default() };
        HashGate::new(&config)
    }

    #[test]
    fn permits_are_limited_and_the_queue_too() {
        let gate = gate(1, 1);
        let permit = now(gate.permit()).unwrap().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut waits = pin!(gate.permit());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        assert!(now(gate.permit()).unwrap().is_none(), "the queue is full");
        drop(permit);
        assert!(now(gate.permit()).unwrap().is_none(), "nobody overtakes");
        let Poll::Ready(Some(permit)) = waits.as_mut().poll(&mut context) else { panic!("it is free") };
        drop(permit);
        assert!(now(gate.permit()).unwrap().is_some());
    }

    #[test]
    fn a_waiter_that_gives_up_does_not_block_the_next() {
        let gate = gate(1, 2);
        let permit = now(gate.permit()).unwrap().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut first = alloc::boxed::Box::pin(gate.permit());
        let mut second = pin!(gate.permit());
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(first);
        drop(permit);
        assert!(second.as_mut().poll(&mut context).is_ready());
    }
}
