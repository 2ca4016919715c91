//! [`NumberSet`]: message numbers or UIDs as a command names them. RFC 9051 §9 (`sequence-set`).
//!
//! Ranges stay ranges, `*` stays symbolic, and the order is kept: what `1:4294967295` costs is one range.

use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;

use bytes::{BufMut as _, BytesMut};

/// Messages as a command names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Messages {
    /// By message number.
    Numbers(NumberSet),
    /// By UID, in the UID form of a command.
    Uids(NumberSet),
}

impl Messages {
    /// The set, whatever it counts.
    #[must_use]
    pub const fn set(&self) -> &NumberSet {
        match self {
            Self::Numbers(set) | Self::Uids(set) => set,
        }
    }

    /// Whether the command is a UID form.
    #[must_use]
    pub const fn is_uid(&self) -> bool {
        matches!(self, Self::Uids(_))
    }
}

/// A set as it was written: at least one range, or `$`, the messages that a search has saved (RFC 5182 §2.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberSet(
    /// No ranges are `$`.
    Vec<NumberRange>,
);

/// A number, or from one to another. `4:2` is `2:4`; `*` is the largest number in use.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9051 §9 has no more")]
pub struct NumberRange {
    /// One end.
    pub from: NumberEnd,
    /// The other.
    pub to: NumberEnd,
}

/// An end of a range.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9051 §9 has no more")]
pub enum NumberEnd {
    /// This number.
    Number(NonZeroU32),
    /// `*`: the largest number in use.
    Largest,
}

/// Not a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberSetError {
    /// Something else than numbers, `:`, `,` and `*`; a zero; a number above 32 bits.
    #[error("not a set of numbers at offset {offset}")]
    Syntax {
        /// Octets before it.
        offset: usize,
    },
    /// More ranges than the limit.
    #[error("more than {limit} ranges")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

impl NumberSet {
    /// Reads a set of `limit` ranges at most.
    ///
    /// # Errors
    /// See [`NumberSetError`].
    pub fn parse(text: &[u8], limit: usize) -> Result<Self, NumberSetError> {
        if text == b"$" {
            return Ok(Self::saved());
        }
        // Exactly as many as there are, so that what is kept is in proportion to the text.
        let count = memchr::memchr_iter(b',', text).count() + 1;
        let mut ranges = Vec::with_capacity(count.min(limit));
        let mut at = 0;
        loop {
            let from = end(text, &mut at)?;
            let to = if text.get(at) == Some(&b':') {
                at += 1;
                end(text, &mut at)?
            } else {
                from
            };
            if ranges.len() == limit {
                return Err(NumberSetError::TooMany { limit });
            }
            ranges.push(NumberRange { from, to });
            match text.get(at) {
                None => return Ok(Self(ranges)),
                Some(b',') => at += 1,
                Some(_) => return Err(NumberSetError::Syntax { offset: at }),
            }
        }
    }

    /// A set of these ranges; `None` if there are none.
    #[must_use]
    pub fn new(ranges: impl IntoIterator<Item = NumberRange>) -> Option<Self> {
        let ranges: Vec<NumberRange> = ranges.into_iter().collect();
        (!ranges.is_empty()).then_some(Self(ranges))
    }

    /// Adds a range at the end.
    pub(crate) fn push(&mut self, range: NumberRange) {
        self.0.push(range);
    }

    /// `$`: whatever the last search that was to be saved has found.
    #[must_use]
    pub const fn saved() -> Self {
        Self(Vec::new())
    }

    /// Whether it is `$`.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges in the order in which they were written; none of `$`.
    #[must_use]
    pub fn ranges(&self) -> &[NumberRange] {
        &self.0
    }

    /// Puts the ranges in ascending order, lower ends first, and `*` last.
    pub fn sort(&mut self) {
        let key = |end| match end {
            NumberEnd::Number(number) => number.get(),
            NumberEnd::Largest => u32::MAX,
        };
        for range in &mut self.0 {
            if key(range.from) > key(range.to) {
                core::mem::swap(&mut range.from, &mut range.to);
            }
        }
        self.0.sort_by_key(|range| (range.to == NumberEnd::Largest, key(range.from), key(range.to)));
    }

    /// The same ranges as several sets, none of which is written with more octets than `most` unless it is a
    /// single range.
    #[must_use]
    pub fn split(&self, most: usize) -> Vec<Self> {
        let mut sets = Vec::new();
        let mut set = Vec::new();
        let mut length = 0;
        for range in &self.0 {
            let octets = range.from.octets() + if range.from == range.to { 0 } else { 1 + range.to.octets() };
            if !set.is_empty() && length + 1 + octets > most {
                sets.push(Self(core::mem::take(&mut set)));
                length = 0;
            }
            length += usize::from(length > 0) + octets;
            set.push(*range);
        }
        sets.push(Self(set));
        sets
    }

    /// Whether `*` occurs.
    #[must_use]
    pub fn has_largest(&self) -> bool {
        self.0.iter().any(|range| range.from == NumberEnd::Largest || range.to == NumberEnd::Largest)
    }

    /// The ranges with their lower end first and `*` replaced, in the order in which they were written.
    pub fn resolve(&self, largest: NonZeroU32) -> impl Iterator<Item = (NonZeroU32, NonZeroU32)> + '_ {
        let value = move |end| match end {
            NumberEnd::Number(number) => number,
            NumberEnd::Largest => largest,
        };
        self.0.iter().map(move |range| {
            let (from, to) = (value(range.from), value(range.to));
            (from.min(to), from.max(to))
        })
    }

    /// Writes the set.
    pub fn encode(&self, into: &mut BytesMut) {
        if self.is_saved() {
            into.put_u8(b'$');
        }
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                into.put_u8(b',');
            }
            range.from.encode(into);
            if range.from != range.to {
                into.put_u8(b':');
                range.to.encode(into);
            }
        }
    }
}

impl NumberEnd {
    /// How many octets it is written with.
    const fn octets(self) -> usize {
        match self {
            // At most 10.
            Self::Number(number) => number.ilog10() as usize + 1,
            Self::Largest => 1,
        }
    }

    fn encode(self, into: &mut BytesMut) {
        match self {
            Self::Number(number) => crate::encode::put_number(u64::from(number.get()), into),
            Self::Largest => into.put_u8(b'*'),
        }
    }
}

fn end(text: &[u8], at: &mut usize) -> Result<NumberEnd, NumberSetError> {
    let start = *at;
    if text.get(start) == Some(&b'*') {
        *at += 1;
        return Ok(NumberEnd::Largest);
    }
    let mut number: u32 = 0;
    while let Some(octet @ b'0'..=b'9') = text.get(*at) {
        let next = number.checked_mul(10).and_then(|number| number.checked_add(u32::from(octet - b'0')));
        number = next.ok_or(NumberSetError::Syntax { offset: start })?;
        *at += 1;
    }
    // RFC 9051 §9: nz-number, which has no leading zero; those are harmless and accepted.
    NonZeroU32::new(number).map(NumberEnd::Number).ok_or(NumberSetError::Syntax { offset: start })
}

impl fmt::Display for NumberSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_saved() {
            return f.write_str("$");
        }
        for (index, range) in self.0.iter().enumerate() {
            let separator = if index > 0 { "," } else { "" };
            write!(f, "{separator}{range}")?;
        }
        Ok(())
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to { write!(f, "{}", self.from) } else { write!(f, "{}:{}", self.from, self.to) }
    }
}

impl fmt::Display for NumberEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Largest => f.write_str("*"),
        }
    }
}

macro_rules! debug_as_display {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    )*};
}

debug_as_display!(NumberSet, NumberRange, NumberEnd);

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::{format, vec};

    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn a_set_keeps_its_ranges_and_their_order() {
        for text in ["$", "1", "*", "4,1:3", "2:4,*:9", "4294967295", "1:4294967295", "9:2,9:2"] {
            let set = NumberSet::parse(text.as_bytes(), 10).unwrap();
            assert_eq!(set.to_string(), text);
            let mut wire = BytesMut::new();
            set.encode(&mut wire);
            assert_eq!(wire, text);
        }
    }

    #[test]
    fn ranges_are_unordered_and_the_largest_is_always_in() {
        let resolved = |text: &str, largest| {
            let set = NumberSet::parse(text.as_bytes(), 10).unwrap();
            set.resolve(number(largest)).map(|(from, to)| (from.get(), to.get())).collect::<Vec<_>>()
        };
        assert_eq!(resolved("4:2,*", 9), [(2, 4), (9, 9)]);
        // RFC 9051 §6.4.9: 559:* names the last message even if that is below 559.
        assert_eq!(resolved("559:*", 9), [(9, 559)]);
    }

    #[test]
    fn a_set_can_be_sorted_and_split() {
        let mut set = NumberSet::parse(b"9,*:20,7:5,*,3,1000000:2", 10).unwrap();
        set.sort();
        assert_eq!(set.to_string(), "2:1000000,3,5:7,9,20:*,*");
        for most in 0..30 {
            let sets = set.split(most);
            let all: Vec<NumberRange> = sets.iter().flat_map(|set| set.ranges().to_vec()).collect();
            assert_eq!(all, set.ranges());
            assert!(sets.iter().all(|set| set.ranges().len() == 1 || set.to_string().len() <= most));
            assert!(sets.windows(2).all(|pair| format!("{},{}", pair[0], pair[1].ranges()[0]).len() > most));
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in [
            "",
            "0",
            "$,1",
            "1,$",
            "$:1",
            "1,",
            ",1",
            "1:",
            ":1",
            "1::2",
            "a",
            "1 ",
            "-1",
            "4294967296",
            "1:2:3",
            "**",
            "1;2",
        ] {
            assert!(
                matches!(NumberSet::parse(text.as_bytes(), 10), Err(NumberSetError::Syntax { .. })),
                "{text}"
            );
        }
        assert_eq!(NumberSet::parse(b"1,2,3", 2), Err(NumberSetError::TooMany { limit: 2 }));
        assert_eq!(NumberSet::new(vec![]), None);
    }
}
