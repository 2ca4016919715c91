//! IMAP: responses, framed and read.

use bytes::{Bytes, BytesMut};
use mailwright_imap::parse::{ResponseCollector, ResponseEvent, ResponseLimits, ResponseReader};
use mailwright_imap::types::{Response, SearchData};
use mailwright_imap::value::Tolerance;
use mailwright_imap::wire::FramingError;

use crate::choice;
use crate::wire::pieces;

/// Bounds, small, so that they are come to.
fn limits(choice: u8) -> ResponseLimits {
    let mut limits = ResponseLimits::default();
    if choice & 1 != 0 {
        limits.tolerance = Tolerance::Strict;
    }
    limits.utf8 = choice & 2 != 0;
    if choice & 4 != 0 {
        (limits.line, limits.literal, limits.buffered, limits.nesting) = (200, 100, 400, 5);
        (limits.literals, limits.set_ranges) = (3, 4);
    }
    limits
}

/// The events of an input; chunks of a body as one.
fn read(data: &[u8], seed: u8, limits: &ResponseLimits) -> (Vec<ResponseEvent>, Result<(), FramingError>) {
    let mut reader = ResponseReader::new(limits.clone());
    let (mut input, mut events) = (BytesMut::new(), Vec::new());
    for piece in pieces(data, seed) {
        input.extend_from_slice(piece);
        loop {
            match (reader.next_event(&mut input), events.last_mut()) {
                (Ok(Some(ResponseEvent::BodyChunk(chunk))), Some(ResponseEvent::BodyChunk(before))) => {
                    *before = Bytes::from([&**before, &*chunk].concat());
                }
                (Ok(Some(event)), _) => events.push(event),
                (Ok(None), _) => break,
                (Err(error), _) => return (events, Err(error)),
            }
        }
    }
    (events, Ok(()))
}

/// Responses in pieces are those of the whole; what was read is written so that it is read, and then the same
/// is written again.
pub fn imap_responses(data: &[u8]) {
    let (first, data) = choice(data);
    let limits = limits(first);
    let (whole, end) = read(data, 0, &limits);
    let (cut, cut_end) = read(data, (first / 8).max(1), &limits);
    assert_eq!((&whole, end), (&cut, cut_end), "the cut of the input matters");
    let mut collector = ResponseCollector::new();
    for event in whole {
        let Some(response) = collector.event(event) else { continue };
        match &response {
            // What is raw in them is not written as it stood.
            Response::Fetch { .. } | Response::UidFetch { .. } => continue,
            Response::ExtendedSearch(search)
                if search.data.iter().any(|data| matches!(data, SearchData::Invalid { .. })) =>
            {
                continue;
            }
            // Nothing is gone: what was could not be read.
            Response::Vanished { uids, .. } if uids.is_empty() => continue,
            _ => {}
        }
        let mut wire = BytesMut::new();
        response.encode(&mut wire, limits.utf8);
        let mut large = ResponseLimits::default();
        (large.tolerance, large.utf8) = (limits.tolerance, limits.utf8);
        let again = Response::parse(&wire, &large);
        let again = again.unwrap_or_else(|error| panic!("{error}: {} {response:?}", wire.escape_ascii()));
        let mut written = BytesMut::new();
        again.response.encode(&mut written, limits.utf8);
        assert_eq!(wire, written, "{response:?}");
    }
}
