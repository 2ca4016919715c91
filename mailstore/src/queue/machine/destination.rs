//! What the machine knows of one destination: how many connections it may have, and whether it is dead.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use super::MachineConfig;

/// Windows and cohorts are counted in thousandths.
const ONE: u32 = 1000;

/// A destination that messages wait for.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) name: Arc<str>,
    /// Entries of any state.
    pub(super) entries: usize,
    pub(super) running: u32,
    /// Lanes with entries that are due, in turn.
    pub(super) lanes: VecDeque<u32>,
    /// It stands in the ring.
    pub(super) in_ring: bool,
    /// What is due is put off without being tried.
    pub(super) draining: bool,
    pub(super) life: Life,
    /// Connections that it may have, in thousandths.
    window: u32,
    /// Share of a window that failed in a row, in thousandths.
    failed: u32,
}

/// Whether a destination answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Alive,
    /// Nothing is tried before this second.
    Quiet(i64),
    /// One attempt at a time.
    Probing,
}

impl Destination {
    pub(super) fn new(name: Arc<str>, config: &MachineConfig) -> Self {
        Self {
            name,
            entries: 0,
            running: 0,
            lanes: VecDeque::new(),
            in_ring: false,
            draining: false,
            life: Life::Alive,
            window: start(config),
            failed: 0,
        }
    }

    /// Whether one more attempt may start.
    pub(super) const fn has_room(&self) -> bool {
        match self.life {
            Life::Alive => self.running < self.window / ONE,
            Life::Probing => self.running == 0,
            Life::Quiet(_) => false,
        }
    }

    /// A connection worked.
    pub(super) fn worked(&mut self, config: &MachineConfig) {
        if self.life == Life::Alive {
            self.window = self.window.saturating_add(share(self.window)).min(thousandths(config.window_max));
        } else {
            self.window = start(config);
            self.life = Life::Alive;
        }
        self.failed = 0;
    }

    /// A connection failed; whether the destination is dead now.
    pub(super) fn failed(&mut self) -> bool {
        self.failed = self.failed.saturating_add(share(self.window));
        self.window = self.window.saturating_sub(share(self.window)).max(ONE);
        self.life != Life::Alive || self.failed >= ONE
    }
}

const fn thousandths(count: u32) -> u32 {
    let count = if count == 0 { 1 } else { count };
    count.saturating_mul(ONE)
}

fn start(config: &MachineConfig) -> u32 {
    thousandths(config.window_start).min(thousandths(config.window_max))
}

/// One connection's share of a window, rounded up.
const fn share(window: u32) -> u32 {
    (ONE * ONE).div_ceil(window)
}
