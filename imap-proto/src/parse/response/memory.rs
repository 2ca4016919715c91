//! [`Response::parse`]: one response, all of it in memory; and [`ResponseCollector`], which puts one together.

use alloc::vec::Vec;

use bytes::BytesMut;
use mailwright_core::value::Deviation;

use super::ResponseReader;
use super::error::ParseResponseError;
use super::event::{BodyItem, ResponseEvent};
use super::limits::ResponseLimits;
use crate::types::{Response, SearchCollector, ThreadMember, Threads};

/// A response, and what in it should not be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ParsedResponse {
    /// The response.
    pub response: Response,
    /// What was read although the RFC does not allow it.
    pub deviations: Vec<Deviation>,
}

impl Response {
    /// Reads one complete response with its line end. Bodies are kept in memory: a session streams them,
    /// see [`ResponseReader`].
    ///
    /// # Errors
    /// If it cannot be read, is not complete, or is not all that is there.
    ///
    /// ```
    /// use mailwright_imap::parse::ResponseLimits;
    /// use mailwright_imap::types::Response;
    ///
    /// let parsed = Response::parse(b"* 23 EXISTS\r\n", &ResponseLimits::default())?;
    /// assert_eq!(parsed.response, Response::Exists(23));
    /// # Ok::<(), mailwright_imap::parse::ParseResponseError>(())
    /// ```
    pub fn parse(wire: &[u8], limits: &ResponseLimits) -> Result<ParsedResponse, ParseResponseError> {
        let mut reader = ResponseReader::new(limits.clone());
        let mut collector = ResponseCollector::new();
        let mut input = BytesMut::from(wire);
        let mut deviations = Vec::new();
        let mut response = None;
        while let Some(event) = reader.next_event(&mut input)? {
            match event {
                ResponseEvent::Deviation(deviation) => deviations.push(deviation),
                ResponseEvent::Invalid(invalid) => return Err(invalid.into()),
                _ if response.is_some() => return Err(ParseResponseError::Trailing),
                event => response = collector.event(event),
            }
        }
        match response {
            Some(response) if input.is_empty() => Ok(ParsedResponse { response, deviations }),
            Some(_) => Err(ParseResponseError::Trailing),
            None => Err(ParseResponseError::Incomplete),
        }
    }
}

/// Puts responses together, in memory, of their events, however many those are: for what is known to be small. A
/// session hands events on.
#[derive(Clone, Debug, Default)]
pub struct ResponseCollector {
    response: Option<Response>,
    body: Option<(BodyItem, BytesMut)>,
    search: Option<SearchCollector>,
    members: Vec<ThreadMember>,
}

impl ResponseCollector {
    /// One at the start of a response.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a response has begun and is not complete.
    #[must_use]
    pub const fn is_begun(&self) -> bool {
        self.response.is_some() || self.search.is_some()
    }

    /// The response that is complete with this event. What cannot be read is not in it, and deviations are not
    /// either.
    pub fn event(&mut self, event: ResponseEvent) -> Option<Response> {
        match event {
            ResponseEvent::Response(response) => return Some(response),
            ResponseEvent::FetchBegin { number } => {
                self.response = Some(Response::Fetch { number, items: Vec::new() });
            }
            ResponseEvent::UidFetchBegin { uid } => {
                self.response = Some(Response::UidFetch { uid, items: Vec::new() });
            }
            ResponseEvent::SearchBegin => {
                self.response = Some(Response::Search { numbers: Vec::new(), mod_seq: None });
            }
            ResponseEvent::SortBegin => {
                self.response = Some(Response::Sort { numbers: Vec::new(), mod_seq: None });
            }
            ResponseEvent::ThreadBegin => self.response = Some(Response::Thread(Threads::default())),
            ResponseEvent::VanishedBegin { earlier } => {
                self.response = Some(Response::Vanished { earlier, uids: Vec::new() });
            }
            ResponseEvent::ExtendedSearchBegin(search) => {
                self.search = Some(SearchCollector::new(*search, usize::MAX));
            }
            ResponseEvent::ThreadEnd => {
                self.response = None;
                return Some(Response::Thread(Threads::from_members(core::mem::take(&mut self.members))));
            }
            ResponseEvent::ExtendedSearchEnd => {
                return Some(Response::ExtendedSearch(self.search.take()?.finish()));
            }
            ResponseEvent::FetchEnd | ResponseEvent::SearchEnd | ResponseEvent::VanishedEnd => {
                return self.response.take();
            }
            event => self.part(event),
        }
        None
    }

    /// A part of a response that has begun.
    fn part(&mut self, event: ResponseEvent) {
        match (event, &mut self.response, &mut self.search) {
            (ResponseEvent::BodyBegin { item, .. }, ..) => self.body = Some((item, BytesMut::new())),
            (ResponseEvent::BodyChunk(chunk), ..) => {
                if let Some((_, octets)) = &mut self.body {
                    octets.extend_from_slice(&chunk);
                }
            }
            (
                ResponseEvent::FetchItem(item),
                Some(Response::Fetch { items, .. } | Response::UidFetch { items, .. }),
                _,
            ) => items.push(item),
            (
                ResponseEvent::BodyEnd,
                Some(Response::Fetch { items, .. } | Response::UidFetch { items, .. }),
                _,
            ) => items.extend(self.body.take().map(|(item, octets)| item.with(octets.freeze()))),
            (
                ResponseEvent::SearchNumber(number),
                Some(Response::Search { numbers, .. } | Response::Sort { numbers, .. }),
                _,
            ) => numbers.push(number),
            (
                ResponseEvent::SearchModSeq(found),
                Some(Response::Search { mod_seq, .. } | Response::Sort { mod_seq, .. }),
                _,
            ) => *mod_seq = Some(found),
            (ResponseEvent::ThreadMember(member), ..) => self.members.push(member),
            (ResponseEvent::Vanished(range), Some(Response::Vanished { uids, .. }), _) => uids.push(range),
            (ResponseEvent::SearchData(data), _, Some(search)) => search.data(data),
            (ResponseEvent::SearchList(list), _, Some(search)) => search.begin(list),
            (ResponseEvent::SearchElement(element), _, Some(search)) => {
                search.add(element);
            }
            _ => {}
        }
    }
}
