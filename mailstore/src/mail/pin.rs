//! Pins: which states of an account sessions still look at, so that bodies they may ask for are kept
//! (promise P8).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailwright_core::value::ModSeq;

use crate::identifier::AccountId;

/// The pins of one process.
#[derive(Clone, Default)]
pub(super) struct Pins(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next: u64,
    /// What each pin of an account has been told.
    told: BTreeMap<(AccountId, u64), ModSeq>,
}

/// Keeps what was visible at some moment.
pub(super) struct Pin {
    pins: Pins,
    key: (AccountId, u64),
}

impl Pins {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pins everything; narrow it with [`Pin::told`] once a snapshot is open.
    pub(super) fn pin(&self, account: AccountId) -> Pin {
        let mut table = self.lock();
        let key = (account, table.next);
        table.next += 1;
        table.told.insert(key, ModSeq::ZERO);
        Pin { pins: self.clone(), key }
    }

    /// Whether a session may still look at a state of `account` from before `change`.
    pub(super) fn needs(&self, account: AccountId, change: ModSeq) -> bool {
        self.lock().told.range((account, 0)..=(account, u64::MAX)).any(|(_, told)| *told < change)
    }
}

impl Pin {
    /// The session has been told every change up to this one.
    pub(super) fn told(&self, mod_seq: ModSeq) {
        self.pins.lock().told.insert(self.key, mod_seq);
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.pins.lock().told.remove(&self.key);
    }
}
