//! Who waits for which account, for engines whose wake-ups stay inside one process.

use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::identifier::AccountId;

/// Wakers that may wait for one account. Beyond it all are woken for no reason, which sheds those of
/// sessions that no longer exist.
const WAKERS: usize = 1024;

/// Who waits for an account, and how often it was named.
#[derive(Debug, Default)]
struct Watch {
    count: u64,
    wakers: Vec<Waker>,
}

/// All who wait.
#[derive(Debug, Default)]
pub(super) struct Wakes(Mutex<HashMap<AccountId, Watch>>);

impl Wakes {
    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, Watch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for `accounts`.
    pub(super) fn wake(&self, accounts: &[AccountId]) {
        let mut wakers = Vec::new();
        {
            let mut watches = self.lock();
            for account in accounts {
                let watch = watches.entry(*account).or_default();
                watch.count += 1;
                wakers.append(&mut watch.wakers);
            }
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// [`Engine::poll_wake`](super::Engine::poll_wake).
    pub(super) fn poll(&self, context: &mut Context<'_>, account: AccountId, seen: &mut u64) -> Poll<()> {
        let mut watches = self.lock();
        let watch = watches.entry(account).or_default();
        if watch.count > *seen {
            *seen = watch.count;
            return Poll::Ready(());
        }
        if !watch.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            if watch.wakers.len() >= WAKERS {
                let stale = core::mem::take(&mut watch.wakers);
                watch.wakers.push(context.waker().clone());
                drop(watches);
                stale.into_iter().for_each(Waker::wake);
                return Poll::Pending;
            }
            watch.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;

    struct Nothing;

    impl std::task::Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn wakers_of_one_account_are_bounded() {
        let wakes = Wakes::default();
        for _ in 0..3 * WAKERS {
            let waker = Waker::from(Arc::new(Nothing));
            assert!(wakes.poll(&mut Context::from_waker(&waker), AccountId::new(1), &mut 0).is_pending());
        }
        let kept = wakes.lock().get(&AccountId::new(1)).unwrap().wakers.len();
        assert!(kept <= WAKERS, "{kept}");
    }
}
