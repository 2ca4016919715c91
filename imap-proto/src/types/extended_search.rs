//! What SEARCH and SORT are to return, and what ESEARCH returns: [`SearchReturn`], [`ExtendedSearch`]. RFC 9051
//! §6.4.4, §7.3.5, RFC 4731, RFC 5182, RFC 5267, RFC 6203, RFC 7377, RFC 9394.

use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;

use bytes::Bytes;
use mailwright_core::value::{ModSeq, UidValidity};

use super::fetch::FetchAttribute;
use super::mailbox::Mailbox;
use super::number_set::{NumberRange, NumberSet};
use super::tag::Tag;

/// What a search is to return.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SearchReturn {
    /// MIN: the lowest number.
    Min,
    /// MAX: the highest number.
    Max,
    /// ALL: all numbers.
    All,
    /// COUNT: how many there are.
    Count,
    /// SAVE: nothing; they are remembered as `$` (RFC 5182 §2).
    Save,
    /// CONTEXT: nothing; more of the same will be asked for (RFC 5267 §4.2).
    Context,
    /// UPDATE: changes of the result as they come (RFC 5267 §4.3), with what is to be told of new messages (RFC 5465
    /// §5.2).
    Update(Vec<FetchAttribute>),
    /// PARTIAL: a part of the result (RFC 9394 §3.1).
    Partial(PartialRange),
    /// RELEVANCY: how well each message fits (RFC 6203 §4).
    Relevancy,
}

/// A part of a result, by place: from the first, or from the last backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9394 §4 has no more")]
pub struct PartialRange {
    /// Whether places count from the end: `-1` is the last.
    pub from_end: bool,
    /// One end.
    pub from: NonZeroU32,
    /// The other; either may be the higher one.
    pub to: NonZeroU32,
}

impl PartialRange {
    /// Reads `1:100` or `-1:-100`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (from, to) = text.split_at_checked(memchr::memchr(b':', text)?)?;
        let from_end = from.starts_with(b"-");
        let number = |text: &[u8]| {
            let digits = if from_end { text.strip_prefix(b"-")? } else { text };
            let fits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            NonZeroU32::new(core::str::from_utf8(digits).ok().filter(|_| fits)?.parse().ok()?)
        };
        Some(Self { from_end, from: number(from)?, to: number(to.get(1..)?)? })
    }
}

impl fmt::Display for PartialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(f, "{sign}{}:{sign}{}", self.from, self.to)
    }
}

/// ESEARCH: the result of a search, or a change of it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExtendedSearch {
    /// TAG: the tag of the command.
    pub tag: Option<Tag>,
    /// MAILBOX: in which mailbox (RFC 7377 §2.1).
    pub mailbox: Option<Mailbox>,
    /// UIDVALIDITY of that mailbox.
    pub uid_validity: Option<UidValidity>,
    /// Whether the numbers are UIDs.
    pub uid: bool,
    /// What is told.
    pub data: Vec<SearchData>,
}

/// Something that ESEARCH tells. Sets have neither `*` nor `$`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SearchData {
    /// MIN: the lowest number.
    Min(NonZeroU32),
    /// MAX: the highest number.
    Max(NonZeroU32),
    /// ALL: all numbers; of SORT in the order that was asked for.
    All(NumberSet),
    /// COUNT: how many there are.
    Count(u64),
    /// MODSEQ: the highest modification sequence of the messages that are told (RFC 4731 §3.2).
    ModSeq(ModSeq),
    /// PARTIAL: a part of the result; nothing lies in it without a set (RFC 9394 §3.1).
    Partial(PartialRange, Option<NumberSet>),
    /// RELEVANCY: how well each of the messages fits, 1 to 100 (RFC 6203 §4).
    Relevancy(Vec<u8>),
    /// ADDTO: numbers that came into the result, and at which places (RFC 5267 §4.3.2).
    AddTo(Vec<(u32, NumberSet)>),
    /// REMOVEFROM: numbers that left it, and from which places (RFC 5267 §4.3.4).
    RemoveFrom(Vec<(u32, NumberSet)>),
    /// Something that is not known.
    Unknown {
        /// The name.
        name: Bytes,
        /// The value as it stands on the wire.
        value: Bytes,
    },
    /// Something that cannot be read.
    Invalid {
        /// The name.
        name: Bytes,
        /// The value as it stands on the wire.
        value: Bytes,
    },
}

/// What ESEARCH tells by elements, which come one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SearchList {
    /// ALL: ranges.
    All,
    /// PARTIAL: ranges, or none if nothing lies in this part (RFC 9394 §3.1).
    Partial(PartialRange),
    /// RELEVANCY: scores (RFC 6203 §4).
    Relevancy,
    /// ADDTO: places, each before the ranges that came in there (RFC 5267 §4.3.2).
    AddTo,
    /// REMOVEFROM: places, each before the ranges that left it there (RFC 5267 §4.3.4).
    RemoveFrom,
}

/// An element of a [`SearchList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SearchElement {
    /// A range, without `*`, as it came: never expanded.
    Range(NumberRange),
    /// A score from 1 to 100.
    Score(u8),
    /// The place of the ranges that follow; 0 in a result without order.
    Place(u32),
}

/// Puts an ESEARCH together from its data and elements, up to a number of them.
#[derive(Clone, Debug)]
pub struct SearchCollector {
    search: ExtendedSearch,
    /// The list that has begun.
    list: Option<SearchList>,
    /// Where in the data it is, once it has an element.
    at: Option<usize>,
    /// The place of the next range.
    place: Option<u32>,
    /// Elements that may still come.
    room: usize,
}

impl SearchCollector {
    /// Goes on with `search`, which may have data already, and takes `limit` elements.
    #[must_use]
    pub const fn new(search: ExtendedSearch, limit: usize) -> Self {
        Self { search, list: None, at: None, place: None, room: limit }
    }

    /// Something that is complete in itself.
    pub fn data(&mut self, data: SearchData) {
        self.search.data.push(data);
    }

    /// A list begins.
    pub fn begin(&mut self, list: SearchList) {
        (self.list, self.at, self.place) = (Some(list), None, None);
        let empty = match list {
            SearchList::Partial(range) => SearchData::Partial(range, None),
            SearchList::Relevancy => SearchData::Relevancy(Vec::new()),
            SearchList::AddTo => SearchData::AddTo(Vec::new()),
            SearchList::RemoveFrom => SearchData::RemoveFrom(Vec::new()),
            // A set is never empty.
            SearchList::All => return,
        };
        self.at = Some(self.search.data.len());
        self.search.data.push(empty);
    }

    /// An element of the list that has begun; `false` if it is above the limit, and left out.
    pub fn add(&mut self, element: SearchElement) -> bool {
        let Some(room) = self.room.checked_sub(1) else { return false };
        self.room = room;
        let place = &mut self.place;
        let data = self.at.and_then(|at| self.search.data.get_mut(at));
        match (element, data) {
            (SearchElement::Place(at), _) => *place = Some(at),
            (SearchElement::Score(score), Some(SearchData::Relevancy(scores))) => scores.push(score),
            (SearchElement::Range(range), Some(SearchData::All(set) | SearchData::Partial(_, Some(set)))) => {
                set.push(range)
            }
            (SearchElement::Range(range), Some(SearchData::Partial(_, none))) => {
                *none = NumberSet::new([range]);
            }
            (
                SearchElement::Range(range),
                Some(SearchData::AddTo(changes) | SearchData::RemoveFrom(changes)),
            ) => match (place.take(), changes.last_mut()) {
                (Some(at), _) => changes.extend(NumberSet::new([range]).map(|set| (at, set))),
                (None, Some((_, set))) => set.push(range),
                (None, None) => {}
            },
            (SearchElement::Range(range), None) if self.list == Some(SearchList::All) => {
                self.at = Some(self.search.data.len());
                self.search.data.extend(NumberSet::new([range]).map(SearchData::All));
            }
            _ => {}
        }
        true
    }

    /// What came.
    #[must_use]
    pub fn finish(self) -> ExtendedSearch {
        self.search
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_partial_range_counts_from_one_end() {
        for text in ["1:100", "500:400", "-1:-100", "-100:-1", "4294967295:1"] {
            assert_eq!(PartialRange::parse(text.as_bytes()).unwrap().to_string(), text);
        }
        for text in
            ["", "1", "0:1", "1:0", "1:-1", "-1:1", "1:*", "1:2:3", "1:4294967296", "+1:2", ":", "1: 2"]
        {
            assert_eq!(PartialRange::parse(text.as_bytes()), None, "{text}");
        }
    }
}
