//! [`Response::parse`]: one response, all of it in memory.

use alloc::vec::Vec;

use bytes::BytesMut;
use mailwright_core::value::Deviation;

use super::ResponseReader;
use super::error::ParseResponseError;
use super::event::{BodyItem, ResponseEvent};
use super::limits::ResponseLimits;
use crate::types::Response;

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
        let mut input = BytesMut::from(wire);
        let mut deviations = Vec::new();
        let mut response = None;
        let mut body: Option<(BodyItem, BytesMut)> = None;
        let mut complete = false;
        while let Some(event) = reader.next_event(&mut input)? {
            match (event, &mut response, &mut body) {
                (ResponseEvent::Deviation(deviation), ..) => deviations.push(deviation),
                (ResponseEvent::Invalid(invalid), ..) => return Err(invalid.into()),
                (_, Some(_), _) if complete => return Err(ParseResponseError::Trailing),
                (ResponseEvent::Response(found), ..) => {
                    response = Some(found);
                    complete = true;
                }
                (ResponseEvent::FetchBegin { number }, ..) => {
                    response = Some(Response::Fetch { number, items: Vec::new() });
                }
                (ResponseEvent::UidFetchBegin { uid }, ..) => {
                    response = Some(Response::UidFetch { uid, items: Vec::new() });
                }
                (
                    ResponseEvent::FetchItem(item),
                    Some(Response::Fetch { items, .. } | Response::UidFetch { items, .. }),
                    _,
                ) => items.push(item),
                (ResponseEvent::BodyBegin { item, .. }, ..) => body = Some((item, BytesMut::new())),
                (ResponseEvent::BodyChunk(chunk), _, Some((_, octets))) => octets.extend_from_slice(&chunk),
                (
                    ResponseEvent::BodyEnd,
                    Some(Response::Fetch { items, .. } | Response::UidFetch { items, .. }),
                    _,
                ) => items.extend(body.take().map(|(item, octets)| item.with(octets.freeze()))),
                (ResponseEvent::SearchBegin, ..) => {
                    response = Some(Response::Search { numbers: Vec::new(), mod_seq: None });
                }
                (ResponseEvent::SortBegin, ..) => {
                    response = Some(Response::Sort { numbers: Vec::new(), mod_seq: None });
                }
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
                (ResponseEvent::FetchEnd | ResponseEvent::SearchEnd, ..) => complete = true,
                _ => {}
            }
        }
        match response.filter(|_| complete) {
            Some(response) if input.is_empty() => Ok(ParsedResponse { response, deviations }),
            Some(_) => Err(ParseResponseError::Trailing),
            None => Err(ParseResponseError::Incomplete),
        }
    }
}
