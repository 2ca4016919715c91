//! [`ResponseEvent`]: what a reader of responses found.

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::value::{Deviation, ModSeq, Uid, UidRange};

use super::error::InvalidResponse;
use crate::types::{
    ExtendedSearch, FetchItem, Response, SearchData, SearchElement, SearchList, Section, SectionPart,
    ThreadMember,
};

/// What a [`ResponseReader`](super::ResponseReader) found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ResponseEvent {
    /// A complete response of any kind but those that come in pieces: FETCH, UIDFETCH, SEARCH, SORT, THREAD,
    /// VANISHED and ESEARCH. A LIST is one event, and so is a status with its code, whose sets (COPYUID, APPENDUID,
    /// MODIFIED) are ranges up to a limit.
    Response(Response),
    /// A FETCH begins. Its items follow, each on its own.
    FetchBegin {
        /// Which message, by number.
        number: u32,
    },
    /// The same of a message that is named by its UID: UIDFETCH.
    UidFetchBegin {
        /// Which message, by UID.
        uid: Uid,
    },
    /// An item. Of bodies only those that are NIL.
    FetchItem(FetchItem),
    /// A body begins.
    BodyBegin {
        /// What of the message it is.
        item: BodyItem,
        /// Its octets, as they were announced.
        length: u64,
    },
    /// Octets of the body.
    BodyChunk(Bytes),
    /// The body is complete.
    BodyEnd,
    /// The FETCH is complete.
    FetchEnd,
    /// A SEARCH begins.
    SearchBegin,
    /// The same of SORT: the numbers come in the order that was asked for.
    SortBegin,
    /// A number of it.
    SearchNumber(u32),
    /// The highest modification sequence of its messages (RFC 7162 §3.1.5).
    SearchModSeq(ModSeq),
    /// The SEARCH or SORT is complete.
    SearchEnd,
    /// A THREAD begins.
    ThreadBegin,
    /// A message of it, behind what it answers.
    ThreadMember(ThreadMember),
    /// The THREAD is complete.
    ThreadEnd,
    /// A VANISHED begins: messages are gone (RFC 7162 §3.2.10).
    VanishedBegin {
        /// `(EARLIER)`: they were gone before, and message numbers do not change by this.
        earlier: bool,
    },
    /// UIDs of it.
    Vanished(UidRange),
    /// The VANISHED is complete.
    VanishedEnd,
    /// An ESEARCH begins: what it is about, without data (RFC 9051 §7.3.5).
    ExtendedSearchBegin(Box<ExtendedSearch>),
    /// Something that it tells and that is complete in itself, or is unknown, or cannot be read. What cannot be read
    /// may be an element of the list that has begun, which goes on behind it.
    SearchData(SearchData),
    /// A list begins.
    SearchList(SearchList),
    /// An element of it.
    SearchElement(SearchElement),
    /// The ESEARCH is complete.
    ExtendedSearchEnd,
    /// Something that cannot be read. Between the begin and the end of a response that comes in pieces: a part of that.
    Invalid(InvalidResponse),
    /// A departure from the RFC in the event that follows. Its offset counts from the start of the response.
    /// Strict mode refuses what has one; only what was left out of a value, and NUL in a body, whose octets
    /// have been handed on, is told in any mode.
    Deviation(Deviation),
}

/// What of a message a body is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyItem {
    /// `BODY[…]`.
    Section {
        /// Which part.
        section: Section,
        /// The first octet, if not all were asked for.
        origin: Option<u64>,
    },
    /// RFC822.
    Rfc822,
    /// RFC822.HEADER.
    Rfc822Header,
    /// RFC822.TEXT.
    Rfc822Text,
    /// `BINARY[…]` (RFC 3516 §4.3): decoded octets.
    Binary {
        /// Which part.
        part: SectionPart,
        /// The first octet, if not all were asked for.
        origin: Option<u64>,
    },
    /// A section that cannot be read, by the name of the item.
    Other(Bytes),
}

impl BodyItem {
    /// The item with these octets, in memory.
    #[must_use]
    pub fn with(self, octets: Bytes) -> FetchItem {
        self.item(Some(octets))
    }

    /// The item; without octets it is NIL.
    pub(super) fn item(self, octets: Option<Bytes>) -> FetchItem {
        let name = match self {
            Self::Section { section, origin } => return FetchItem::BodySection { section, origin, octets },
            Self::Rfc822 => return FetchItem::Rfc822(octets),
            Self::Rfc822Header => return FetchItem::Rfc822Header(octets),
            Self::Rfc822Text => return FetchItem::Rfc822Text(octets),
            Self::Binary { part, origin } => return FetchItem::Binary { part, origin, octets },
            Self::Other(name) => name,
        };
        FetchItem::Unknown { name, value: octets.unwrap_or(Bytes::from_static(b"NIL")) }
    }
}
