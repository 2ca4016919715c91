//! [`UidSet`]: a set of UIDs as sorted, disjoint ranges, so that `1:4294967295` is one entry.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::{NumberError, Uid, number};
use crate::value::Excerpt;

/// UIDs from `first` to `last`, both included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UidRange {
    first: Uid,
    last: Uid,
}

impl UidRange {
    /// The UIDs between `one` and `other`, in either order (RFC 3501 §9: `4:2` equals `2:4`).
    #[must_use]
    pub fn new(one: Uid, other: Uid) -> Self {
        Self { first: one.min(other), last: one.max(other) }
    }

    /// The lowest UID.
    #[must_use]
    pub const fn first(self) -> Uid {
        self.first
    }

    /// The highest UID.
    #[must_use]
    pub const fn last(self) -> Uid {
        self.last
    }

    /// How many UIDs: 1 to 2^32 − 1.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.last.get() - self.first.get() + 1
    }

    /// Whether `uid` lies in the range.
    #[must_use]
    pub fn contains(self, uid: Uid) -> bool {
        self.first <= uid && uid <= self.last
    }

    /// The UIDs, ascending.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Uid> + Clone {
        (self.first.get()..=self.last.get()).filter_map(Uid::new)
    }

    /// Whether `next`, which does not begin before `self`, overlaps it or follows without a gap.
    fn touches(self, next: Self) -> bool {
        self.last.next().is_none_or(|behind| next.first <= behind)
    }
}

impl From<Uid> for UidRange {
    fn from(uid: Uid) -> Self {
        Self { first: uid, last: uid }
    }
}

impl fmt::Display for UidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}:{}", self.first, self.last)
        }
    }
}

/// A set of UIDs, kept as ascending ranges with gaps between them.
///
/// Memory depends on the number of ranges, never on the number of UIDs. Displayed it is the canonical
/// `sequence-set` of RFC 3501 §9: ascending, as few ranges as possible, without `*`. An empty set shows as
/// empty text, which no protocol accepts: test [`Self::is_empty`] before writing one.
///
/// ```
/// use mailwright_core::value::UidSet;
///
/// let set: UidSet = "9,4:2,5".parse().unwrap();
/// assert_eq!(set.to_string(), "2:5,9");
/// assert_eq!(set.len(), 5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UidSet {
    ranges: Vec<UidRange>,
}

impl UidSet {
    /// No UIDs, no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// Every UID: `1:4294967295`.
    #[must_use]
    pub fn all() -> Self {
        UidRange::new(Uid::MIN, Uid::MAX).into()
    }

    /// Whether there is no UID.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Number of UIDs.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|range| u64::from(range.count())).sum()
    }

    /// The lowest UID.
    #[must_use]
    pub fn first(&self) -> Option<Uid> {
        self.ranges.first().map(|range| range.first)
    }

    /// The highest UID.
    #[must_use]
    pub fn last(&self) -> Option<Uid> {
        self.ranges.last().map(|range| range.last)
    }

    /// The ranges, ascending, with at least one missing UID between neighbours.
    #[must_use]
    pub fn ranges(&self) -> &[UidRange] {
        &self.ranges
    }

    /// The UIDs, ascending. A set may hold 2^32 − 1 of them: bound the loop by what exists.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Uid> + Clone + '_ {
        self.ranges.iter().flat_map(|range| range.iter())
    }

    /// Whether `uid` is in the set; logarithmic in the number of ranges.
    #[must_use]
    pub fn contains(&self, uid: Uid) -> bool {
        let behind = self.ranges.partition_point(|range| range.last < uid);
        self.ranges.get(behind).is_some_and(|range| range.first <= uid)
    }

    /// Adds a UID or a range. At the upper end constant, elsewhere linear in the number of ranges; to add
    /// many in any order collect them instead.
    pub fn insert(&mut self, range: impl Into<UidRange>) {
        let range = range.into();
        // Ranges that lie wholly before `range` with a gap, and those that it overlaps or touches.
        let start = self.ranges.partition_point(|old| !old.touches(range));
        let end = self.ranges.partition_point(|old| range.touches(*old));
        if start >= end {
            self.ranges.insert(start.min(self.ranges.len()), range);
            return;
        }
        let merged = self.ranges.get(start..end).unwrap_or_default().iter().fold(range, |all, old| {
            UidRange { first: all.first.min(old.first), last: all.last.max(old.last) }
        });
        self.ranges.splice(start..end, [merged]);
    }

    /// Takes a UID or a range away; linear in the number of ranges at worst.
    pub fn remove(&mut self, range: impl Into<UidRange>) {
        let range = range.into();
        let start = self.ranges.partition_point(|old| old.last < range.first);
        let end = self.ranges.partition_point(|old| old.first <= range.last);
        if start >= end {
            return;
        }
        let touched = self.ranges.get(start..end).unwrap_or_default();
        let before = touched
            .first()
            .filter(|old| old.first < range.first)
            .and_then(|old| Some(UidRange { first: old.first, last: range.first.previous()? }));
        let behind = touched
            .last()
            .filter(|old| range.last < old.last)
            .and_then(|old| Some(UidRange { first: range.last.next()?, last: old.last }));
        self.ranges.splice(start..end, before.into_iter().chain(behind));
    }

    /// The UIDs of either set; linear.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut result = Self { ranges: Vec::with_capacity(self.ranges.len().max(other.ranges.len())) };
        let (mut ours, mut theirs) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (Some(our), Some(their)) if our.first <= their.first => ours.next(),
                (_, Some(_)) => theirs.next(),
                (Some(_), None) => ours.next(),
                (None, None) => return result,
            };
            if let Some(next) = next {
                push(&mut result.ranges, *next);
            }
        }
    }

    /// The UIDs that are in this set and not in `other`; linear.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut result = Self::new();
        let mut holes = other.ranges.iter().peekable();
        for range in &self.ranges {
            let mut rest = Some(*range);
            while let Some(left) = rest {
                match holes.peek() {
                    Some(hole) if hole.last < left.first => {
                        holes.next();
                    }
                    Some(hole) if hole.first <= left.last => {
                        if left.first < hole.first {
                            result.ranges.extend(
                                hole.first.previous().map(|last| UidRange { first: left.first, last }),
                            );
                        }
                        // The hole stays: it may cut the next range as well.
                        rest = (hole.last < left.last)
                            .then(|| hole.last.next())
                            .flatten()
                            .map(|first| UidRange { first, last: left.last });
                    }
                    _ => {
                        result.ranges.push(left);
                        rest = None;
                    }
                }
            }
        }
        result
    }

    /// The UIDs that are in both sets; linear.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut result = Self::new();
        let (mut ours, mut theirs) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        while let (Some(our), Some(their)) = (ours.peek(), theirs.peek()) {
            let (first, last) = (our.first.max(their.first), our.last.min(their.last));
            if first <= last {
                result.ranges.push(UidRange { first, last });
            }
            if our.last <= their.last {
                ours.next();
            } else {
                theirs.next();
            }
        }
        result
    }

    /// Reads the `sequence-set` form without `*`: ranges in any order, overlapping or not. Text with more
    /// than `max_ranges` elements is refused before it costs memory.
    ///
    /// # Errors
    /// With the offset of the element that is wrong.
    pub fn parse(text: &[u8], max_ranges: usize) -> Result<Self, UidSetError> {
        let mut ranges = Vec::new();
        let mut offset = 0;
        for element in text.split(|octet| *octet == b',') {
            if ranges.len() == max_ranges {
                return Err(UidSetError::TooManyRanges { offset, limit: max_ranges });
            }
            let range = match element.iter().position(|octet| *octet == b':') {
                None => uid(element).map(UidRange::from),
                Some(colon) => {
                    let (one, other) = element.split_at(colon);
                    uid(one).and_then(|one| Ok(UidRange::new(one, uid(other.get(1..).unwrap_or_default())?)))
                }
            };
            ranges.push(range.map_err(|reason| UidSetError::Element {
                offset,
                reason,
                excerpt: Excerpt::new(element),
            })?);
            offset += element.len() + 1;
        }
        Ok(ranges.into_iter().collect())
    }
}

/// Appends `next`, which does not begin before the last range, and joins the two if they touch.
fn push(ranges: &mut Vec<UidRange>, next: UidRange) {
    match ranges.last_mut() {
        Some(last) if last.touches(next) => last.last = last.last.max(next.last),
        _ => ranges.push(next),
    }
}

/// `nz-number` as UID.
fn uid(digits: &[u8]) -> Result<Uid, NumberError> {
    let value = number(digits, u64::from(u32::MAX))?;
    u32::try_from(value).ok().and_then(Uid::new).ok_or(NumberError::Zero)
}

impl<T: Into<UidRange>> FromIterator<T> for UidSet {
    /// Any order, any overlap. Linear for ascending input, else the cost of a sort.
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut ranges: Vec<UidRange> = Vec::new();
        let mut ascending = true;
        for item in items {
            let next = item.into();
            if ranges.last().is_none_or(|last| last.first <= next.first) {
                push(&mut ranges, next);
            } else {
                ascending = false;
                ranges.push(next);
            }
        }
        if !ascending {
            ranges.sort_unstable_by_key(|range| range.first);
            ranges.dedup_by(|next, last| {
                let touches = last.touches(*next);
                if touches {
                    last.last = last.last.max(next.last);
                }
                touches
            });
        }
        Self { ranges }
    }
}

impl<T: Into<UidRange>> Extend<T> for UidSet {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        *self = self.union(&items.into_iter().collect());
    }
}

impl From<UidRange> for UidSet {
    fn from(range: UidRange) -> Self {
        Self { ranges: Vec::from([range]) }
    }
}

impl From<Uid> for UidSet {
    fn from(uid: Uid) -> Self {
        UidRange::from(uid).into()
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            fmt::Display::fmt(range, f)?;
        }
        Ok(())
    }
}

impl FromStr for UidSet {
    type Err = UidSetError;

    /// [`UidSet::parse`] without a limit of its own: memory is proportional to the text.
    fn from_str(text: &str) -> Result<Self, UidSetError> {
        Self::parse(text.as_bytes(), usize::MAX)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for UidRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Ends {
            first: Uid,
            last: Uid,
        }
        let ends = Ends::deserialize(deserializer)?;
        Ok(Self::new(ends.first, ends.last))
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for UidSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Ranges {
            ranges: Vec<UidRange>,
        }
        Ok(Ranges::deserialize(deserializer)?.ranges.into_iter().collect())
    }
}

/// Why text is not a set of UIDs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UidSetError {
    /// An element is neither a UID nor two of them with a colon; `*` is none.
    #[error("bad UID or range {excerpt} at offset {offset}: {reason}")]
    Element {
        /// Octets before the element.
        offset: usize,
        /// What is wrong with its number.
        reason: NumberError,
        /// The element.
        excerpt: Excerpt,
    },
    /// More elements than allowed.
    #[error("more than {limit} ranges, the first too many at offset {offset}: ask for fewer at a time")]
    TooManyRanges {
        /// Octets before the first element above the limit.
        offset: usize,
        /// The limit.
        limit: usize,
    },
}
