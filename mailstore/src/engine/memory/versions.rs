//! Keys with versions: a snapshot is a number, and a version is dropped once no snapshot can see it.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::ops::{Bound, Range};

use bytes::Bytes;

use crate::engine::{Batch, CommitError, IoError, Op};

/// A key's values, oldest first, each with the commit that wrote it; `None` = deleted.
type History = Vec<(u64, Option<Bytes>)>;

/// All keys, the snapshots that are open, and what is left to tidy.
#[derive(Debug, Default)]
pub(super) struct Versions {
    keys: BTreeMap<Bytes, History>,
    /// Number of the last commit.
    last: u64,
    /// Snapshots by commit, with how many there are.
    open: BTreeMap<u64, usize>,
    /// Keys with more than one version or a deletion, by the commit that made it so.
    stale: VecDeque<(u64, Bytes)>,
}

impl Versions {
    pub(super) fn open(&mut self) -> u64 {
        *self.open.entry(self.last).or_default() += 1;
        self.last
    }

    pub(super) fn close(&mut self, at: u64) {
        if let Some(count) = self.open.get_mut(&at) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&at);
                self.prune();
            }
        }
    }

    pub(super) fn get(&self, key: &[u8], at: u64) -> Option<Bytes> {
        visible(self.keys.get(key)?, at).cloned()
    }

    /// Up to `count` keys of `range` behind `after` in the direction of the scan.
    pub(super) fn page(
        &self,
        range: &Range<&[u8]>,
        after: Option<&[u8]>,
        reverse: bool,
        at: u64,
        count: usize,
    ) -> Vec<(Bytes, Bytes)> {
        let (low, high) = match after {
            Some(after) if reverse => (Bound::Included(range.start), Bound::Excluded(after)),
            Some(after) => (Bound::Excluded(after), Bound::Excluded(range.end)),
            None => (Bound::Included(range.start), Bound::Excluded(range.end)),
        };
        if range.start >= range.end {
            return Vec::new();
        }
        let all = self.keys.range::<[u8], _>((low, high));
        let seen = |(key, history): (&Bytes, &History)| Some((key.clone(), visible(history, at)?.clone()));
        if reverse {
            all.rev().filter_map(seen).take(count).collect()
        } else {
            all.filter_map(seen).take(count).collect()
        }
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        for (key, value) in &batch.expect {
            if self.get(key, self.last) != *value {
                return Err(CommitError::Conflict);
            }
        }
        // Only counters can fail: add them up first, so that a failure changes nothing.
        let mut counters: BTreeMap<&Bytes, i64> = BTreeMap::new();
        for op in &batch.ops {
            if let Op::Add(key, amount) = op {
                let value = match counters.get(key) {
                    Some(value) => *value,
                    None => self.counter(key)?,
                };
                let sum = value.checked_add(*amount).ok_or_else(|| failed("a counter overflows"))?;
                counters.insert(key, sum);
            }
        }
        let at = self.last + 1;
        for op in &batch.ops {
            match op {
                Op::Put(key, value) => self.set(key.clone(), Some(value.clone()), at),
                Op::Delete(key) => self.set(key.clone(), None, at),
                Op::DeleteRange(start, end) if start < end => {
                    let range = (Bound::Included(start), Bound::Excluded(end));
                    let keys: Vec<Bytes> =
                        self.keys.range::<Bytes, _>(range).map(|(key, _)| key.clone()).collect();
                    keys.into_iter().for_each(|key| self.set(key, None, at));
                }
                Op::DeleteRange(..) | Op::Add(..) => {}
            }
        }
        for (key, sum) in counters {
            self.set(key.clone(), Some(Bytes::copy_from_slice(&sum.to_be_bytes())), at);
        }
        self.last = at;
        self.prune();
        Ok(())
    }

    fn counter(&self, key: &[u8]) -> Result<i64, CommitError> {
        match self.get(key, self.last) {
            None => Ok(0),
            Some(value) => {
                let octets = value.as_ref().try_into().map_err(|_| failed("a counter has 8 octets"))?;
                Ok(i64::from_be_bytes(octets))
            }
        }
    }

    fn set(&mut self, key: Bytes, value: Option<Bytes>, at: u64) {
        let history = self.keys.entry(key.clone()).or_default();
        match history.last_mut() {
            Some((commit, newest)) if *commit == at => *newest = value,
            Some(_) => history.push((at, value)),
            None if value.is_none() => {
                self.keys.remove(&key);
                return;
            }
            None => {
                history.push((at, value));
                return;
            }
        }
        self.stale.push_back((at, key));
    }

    /// Drops versions that no snapshot, and none to come, can see.
    fn prune(&mut self) {
        let oldest = self.open.first_key_value().map_or(self.last, |(at, _)| *at);
        while self.stale.front().is_some_and(|(commit, _)| *commit <= oldest) {
            let Some((_, key)) = self.stale.pop_front() else { return };
            if let Some(history) = self.keys.get_mut(&key) {
                let keep = history.iter().rposition(|(commit, _)| *commit <= oldest).unwrap_or(0);
                history.drain(..keep);
                if matches!(history.as_slice(), [(commit, None)] if *commit <= oldest) {
                    self.keys.remove(&key);
                }
            }
        }
    }

    /// Number of versions kept and of keys to tidy.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.keys.values().map(Vec::len).sum(), self.stale.len())
    }
}

/// The value that a snapshot of commit `at` sees.
fn visible(history: &History, at: u64) -> Option<&Bytes> {
    history.iter().rev().find(|(commit, _)| *commit <= at)?.1.as_ref()
}

fn failed(text: &'static str) -> CommitError {
    CommitError::Io(IoError::new(text))
}
