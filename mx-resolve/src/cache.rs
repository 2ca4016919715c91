//! [`Cache`]: what was found out about destinations, until it has to be found out again: plans, permanent failures, and
//! temporary ones for a time that grows. Bounded, and pure; [`Resolver`](crate::Resolver) keeps one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::time::Duration;

use crate::config::Limits;
use crate::destination::Destination;
use crate::error::RouteError;
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

/// What was found out about destinations, all under one configuration.
#[derive(Clone, Debug)]
pub struct Cache {
    entries: BTreeMap<Destination, Entry>,
    /// The same destinations by the time at which they are forgotten.
    order: BTreeSet<(UnixMillis, Destination)>,
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

    /// What is known about `destination` at `now`. Without an allocation.
    #[must_use]
    pub fn get(&self, destination: &Destination, now: UnixMillis) -> Option<&Result<Arc<Plan>, RouteError>> {
        self.entries.get(destination).filter(|entry| now < entry.until).map(|entry| &entry.found)
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
    pub fn insert(&mut self, destination: &Destination, mut found: Found, now: UnixMillis) -> Found {
        let earlier = self.remove(destination).filter(|entry| now < entry.forget);
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
            self.order.insert((forget, destination.clone()));
            self.entries.insert(destination.clone(), Entry { found: found.clone(), until, forget, failures });
        }
        found
    }

    fn remove(&mut self, destination: &Destination) -> Option<Entry> {
        let (destination, entry) = self.entries.remove_entry(destination)?;
        self.order.remove(&(entry.forget, destination));
        Some(entry)
    }
}
