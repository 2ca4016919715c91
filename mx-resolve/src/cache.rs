//! [`Cache`]: what was found out about destinations, until it has to be found out again: plans, permanent failures, and
//! temporary ones for a time that grows. Bounded, and pure; `Resolver` keeps one.
//!
//! It is ordered by a hash, then by the destination: most steps of a lookup compare numbers, and names that were made to
//! have one hash gain nothing.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::hash::{Hash as _, Hasher};
use core::time::Duration;

use crate::config::Limits;
use crate::destination::Destination;
use crate::error::RouteError;
use crate::message_tls::MessageTls;
use crate::plan::Plan;
use crate::time::UnixMillis;

/// What was found out about a destination.
type Found = Result<Arc<Plan>, RouteError>;

#[derive(Clone, Debug)]
struct Entry {
    found: Found,
    /// Until when it is the answer.
    until: UnixMillis,
    /// Until when it is remembered that it failed.
    forget: UnixMillis,
    /// Temporary failures in a row.
    failures: u32,
}

/// A hash, and what it is of.
type Key = (u64, Destination, MessageTls);

fn key(destination: &Destination, message: MessageTls) -> Key {
    let mut hasher = Fold(0);
    destination.hash(&mut hasher);
    (hasher.finish(), destination.clone(), message)
}

/// Folds eight octets at a time.
struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, octets: &[u8]) {
        for chunk in octets.chunks(8) {
            let word = chunk.iter().fold(0, |word, octet| word << 8 | u64::from(*octet));
            self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

/// What was found out about destinations, all under one configuration.
#[derive(Clone, Debug)]
pub struct Cache {
    entries: BTreeMap<Key, Entry>,
    /// The same destinations by the time at which they are forgotten.
    order: BTreeSet<(UnixMillis, Key)>,
    capacity: usize,
    negative: Duration,
    failure_first: Duration,
    failure_last: Duration,
}

impl Cache {
    /// An empty one.
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self {
            entries: BTreeMap::new(),
            order: BTreeSet::new(),
            capacity: limits.cache,
            negative: limits.negative,
            failure_first: limits.failure_first,
            failure_last: limits.failure_last,
        }
    }

    /// What is known about `destination`, for messages of that kind, at `now`. Without an allocation.
    #[must_use]
    pub fn get(
        &self,
        destination: &Destination,
        message: MessageTls,
        now: UnixMillis,
    ) -> Option<&Result<Arc<Plan>, RouteError>> {
        let entry = self.entries.get(&key(destination, message));
        entry.filter(|entry| now < entry.until).map(|entry| &entry.found)
    }

    /// How many destinations are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Remembers what was found out, as long as it holds. The same comes back, with the time at which a temporary failure
    /// is worth another try: later with each in a row.
    ///
    /// # Errors
    /// If that is what was found out.
    pub fn insert(
        &mut self,
        destination: &Destination,
        message: MessageTls,
        mut found: Found,
        now: UnixMillis,
    ) -> Found {
        let key = key(destination, message);
        let earlier = self.remove(&key).filter(|entry| now < entry.forget);
        let mut failures = 0;
        let (until, forget) = match &mut found {
            // RFC 1035 §3.2.1: what has no lifetime is used once, since it expires now.
            Ok(plan) => (plan.expires(), plan.expires()),
            Err(RouteError::Permanent(error)) => {
                let until = error.expires.min(now + self.negative);
                (until, until)
            }
            Err(RouteError::Temporary(error)) => {
                failures = earlier.map_or(0, |entry| entry.failures).saturating_add(1);
                // RFC 2308 §7.1, RFC 9520 §3.2: failures are remembered, at least a second and at most five minutes, longer
                // as they go on.
                let doubled = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
                error.not_before = now + self.failure_first.saturating_mul(doubled).min(self.failure_last);
                (error.not_before, error.not_before + self.failure_last)
            }
        };
        if now < forget && self.capacity > 0 {
            while self.entries.len() >= self.capacity {
                let Some((_, oldest)) = self.order.pop_first() else { break };
                self.entries.remove(&oldest);
            }
            self.order.insert((forget, key.clone()));
            self.entries.insert(key, Entry { found: found.clone(), until, forget, failures });
        }
        found
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.order.remove(&(entry.forget, key));
        Some(entry)
    }
}
