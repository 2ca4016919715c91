//! UIDs as ranges: gathered in any order, taken in batches, written as a command has them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use mailwright_core::value::{Uid, UidRange, UidSet};

use crate::types::{NumberEnd, NumberRange, NumberSet};

/// Ranges in no order that are sorted at once, at least.
const PENDING: usize = 1024;

/// UIDs that come in whatever order a server likes. A set in order costs nothing more than itself.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    set: UidSet,
    /// What is below the end of the set.
    pending: Vec<UidRange>,
}

impl Gathered {
    /// `false` if there are more than `limit` ranges.
    pub(super) fn add(&mut self, range: UidRange, limit: usize) -> bool {
        if self.set.last().is_none_or(|last| last <= range.first()) {
            self.set.insert(range);
        } else {
            self.pending.push(range);
            // In proportion to the set, so that each range is moved a few times only.
            if self.pending.len() >= PENDING.max(self.set.ranges().len()) {
                self.settle();
            }
        }
        self.set.ranges().len() <= limit
    }

    fn settle(&mut self) {
        if !self.pending.is_empty() {
            let pending: UidSet = core::mem::take(&mut self.pending).into_iter().collect();
            self.set = self.set.union(&pending);
        }
    }

    pub(super) fn take(&mut self) -> UidSet {
        self.settle();
        core::mem::take(&mut self.set)
    }
}

/// UIDs that are worked off from the lowest.
#[derive(Debug, Default)]
pub(super) struct Todo {
    ranges: VecDeque<UidRange>,
    /// Each of these on its own, before the others.
    alone: VecDeque<Uid>,
}

impl Todo {
    pub(super) fn new(set: &UidSet) -> Self {
        Self { ranges: set.ranges().iter().copied().collect(), alone: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty() && self.alone.is_empty()
    }

    /// The lowest of what is left.
    pub(super) fn first(&self) -> Option<Uid> {
        let ranges = self.ranges.front().map(|range| range.first());
        self.alone.iter().copied().chain(ranges).min()
    }

    /// Puts these in front, each on its own.
    pub(super) fn one_by_one(&mut self, uids: &UidSet) {
        self.alone.extend(uids.iter());
    }

    /// The next UIDs: at most `count`, written in at most `octets` unless one range takes more.
    pub(super) fn batch(&mut self, count: u32, octets: usize) -> UidSet {
        if let Some(uid) = self.alone.pop_front() {
            return UidRange::from(uid).into();
        }
        let (mut batch, mut left, mut room) = (Vec::new(), count.max(1), octets);
        while let Some(range) = self.ranges.front_mut() {
            let length = written(*range);
            if left == 0 || !batch.is_empty() && length > room {
                break;
            }
            room = room.saturating_sub(length);
            let last = range.first().get().saturating_add(left - 1);
            match Uid::new(last).and_then(|last| Some((last, last.next()?))) {
                Some((last, next)) if last < range.last() => {
                    batch.push(UidRange::new(range.first(), last));
                    *range = UidRange::new(next, range.last());
                    left = 0;
                }
                _ => {
                    left -= range.count();
                    batch.push(*range);
                    self.ranges.pop_front();
                }
            }
        }
        batch.into_iter().collect()
    }
}

/// Octets of a range in a command, with a comma.
fn written(range: UidRange) -> usize {
    let digits = |uid: Uid| uid.get().ilog10() as usize + 1;
    digits(range.first()) + if range.count() > 1 { digits(range.last()) + 1 } else { 0 } + 1
}

/// UIDs that a command is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// These.
    Exactly(UidSet),
    /// This one and all behind it.
    From(Uid),
}

impl Asked {
    /// Whether it is about this one.
    pub(super) fn has(&self, uid: Uid) -> bool {
        match self {
            Self::Exactly(set) => set.contains(uid),
            Self::From(first) => *first <= uid,
        }
    }

    /// As a command has them; `None` if there are none.
    pub(super) fn set(&self) -> Option<NumberSet> {
        let number = |uid: Uid| NonZeroU32::new(uid.get()).map(NumberEnd::Number);
        match self {
            Self::Exactly(set) => NumberSet::new(set.ranges().iter().filter_map(|range| {
                Some(NumberRange { from: number(range.first())?, to: number(range.last())? })
            })),
            Self::From(uid) => {
                NumberSet::new(number(*uid).map(|from| NumberRange { from, to: NumberEnd::Largest }))
            }
        }
    }

    /// What of it lies below `uid`; `None` if nothing does, or all of it does.
    pub(super) fn rest_below(&self, uid: Uid) -> Option<Self> {
        let below = match self {
            Self::Exactly(set) => {
                let mut rest = set.clone();
                rest.remove(UidRange::new(uid, Uid::MAX));
                if rest == *set {
                    return None;
                }
                rest
            }
            Self::From(first) if *first < uid => UidRange::new(*first, uid.previous()?).into(),
            Self::From(_) => UidSet::new(),
        };
        (!below.is_empty()).then_some(Self::Exactly(below))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString as _};

    use super::*;

    fn set(text: &str) -> UidSet {
        UidSet::parse(text.as_bytes(), 1000).unwrap()
    }

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    #[test]
    fn uids_are_gathered_in_any_order() {
        let mut gathered = Gathered::default();
        for number in (1..5000).rev().chain(7000..8000).chain([6000, 3]) {
            assert!(gathered.add(uid(number).into(), 10_000));
        }
        assert_eq!(gathered.take().to_string(), "1:4999,6000,7000:7999");
        assert!(gathered.take().is_empty());
    }

    #[test]
    fn more_ranges_than_the_limit_are_told() {
        let mut gathered = Gathered::default();
        let fits: Vec<bool> =
            [9, 7, 11].into_iter().map(|number| gathered.add(uid(number).into(), 1)).collect();
        assert_eq!(fits, [true, true, false]);
    }

    #[test]
    fn batches_are_bounded_by_count_and_by_octets() {
        let batches = |text: &str, count, octets| -> Vec<String> {
            let mut todo = Todo::new(&set(text));
            core::iter::from_fn(|| (!todo.is_empty()).then(|| todo.batch(count, octets).to_string()))
                .collect()
        };
        assert_eq!(
            batches("1:7,9,4294967290:4294967295", 3, 100),
            ["1:3", "4:6", "7,9,4294967290", "4294967291:4294967293", "4294967294:4294967295",]
        );
        assert_eq!(batches("1,3,5,7", 100, 4), ["1,3", "5,7"]);
        assert_eq!(batches("100000:200000,300000", 1_000_000, 1), ["100000:200000", "300000"]);
        let mut todo = Todo::new(&set("8"));
        todo.one_by_one(&set("1:2"));
        assert_eq!([(); 3].map(|()| todo.batch(9, 100).to_string()), ["1", "2", "8"]);
        assert!(todo.is_empty());
    }

    #[test]
    fn what_a_limited_command_has_left_lies_below() {
        let rest =
            |asked: Asked, below| asked.rest_below(uid(below)).map(|rest| rest.set().unwrap().to_string());
        assert_eq!(rest(Asked::From(uid(5)), 9), Some("5:8".to_string()));
        assert_eq!(rest(Asked::From(uid(5)), 5), None);
        assert_eq!(rest(Asked::Exactly(set("1:3,7:9")), 8), Some("1:3,7".to_string()));
        assert_eq!(rest(Asked::Exactly(set("1:3")), 1), None);
        assert_eq!(rest(Asked::Exactly(set("1:3")), 4), None, "nothing was done: do not ask for ever");
        assert_eq!(Asked::From(uid(5)).set().unwrap().to_string(), "5:*");
    }
}
