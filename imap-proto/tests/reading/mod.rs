//! What the tests of reading responses have in common.

#![allow(dead_code, reason = "each test program uses some of it")]

use bytes::{Bytes, BytesMut};
use mailwright_imap::parse::{ResponseCollector, ResponseEvent, ResponseLimits, ResponseReader};
use mailwright_imap::types::{FetchItem, Response};
use mailwright_imap::value::{Deviation, DeviationKind, Tolerance};
use mailwright_imap::wire::FramingError;

/// What a reader finds in `input` that comes in pieces of `size`; chunks of a body as one.
pub(crate) fn read(
    input: &[u8],
    size: usize,
    limits: &ResponseLimits,
) -> (Vec<ResponseEvent>, Result<(), FramingError>) {
    let mut reader = ResponseReader::new(limits.clone());
    let mut buffer = BytesMut::new();
    let mut events = Vec::new();
    for piece in input.chunks(size.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            match reader.next_event(&mut buffer) {
                Ok(Some(event)) => push(&mut events, event),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(reader.next_event(&mut buffer), Err(error), "it stays so");
                    return (events, Err(error));
                }
            }
        }
    }
    (events, Ok(()))
}

fn push(events: &mut Vec<ResponseEvent>, event: ResponseEvent) {
    match (events.last_mut(), event) {
        (Some(ResponseEvent::BodyChunk(before)), ResponseEvent::BodyChunk(chunk)) => {
            *before = Bytes::from([&**before, &*chunk].concat());
        }
        (_, event) => events.push(event),
    }
}

pub(crate) fn strict() -> ResponseLimits {
    let mut limits = ResponseLimits::default();
    limits.tolerance = Tolerance::Strict;
    limits
}

/// The events of `input`, whole and octet by octet, without the deviations, and the kinds of those.
pub(crate) fn lenient(input: &[u8]) -> (Vec<ResponseEvent>, Vec<DeviationKind>) {
    let limits = ResponseLimits::default();
    let (events, end) = read(input, usize::MAX, &limits);
    assert_eq!(end, Ok(()), "{}", input.escape_ascii());
    assert_eq!(read(input, 1, &limits).0, events, "{}", input.escape_ascii());
    let mut kinds = Vec::new();
    let mut rest = Vec::new();
    for event in events {
        match event {
            ResponseEvent::Deviation(deviation) => {
                check(&deviation, input);
                kinds.push(deviation.kind);
            }
            event => rest.push(event),
        }
    }
    (rest, kinds)
}

/// What a deviation shows stands at its offset.
fn check(deviation: &Deviation, input: &[u8]) {
    let at = usize::try_from(deviation.offset).unwrap();
    let shown = deviation.bytes.as_bytes();
    // Offsets count from the start of the response, which may be one of several.
    let found =
        (0..=input.len()).any(|start| input.get(start + at..).is_some_and(|rest| rest.starts_with(shown)));
    assert!(found, "{deviation} in {}", input.escape_ascii());
}

/// The only response in `input`, put together where it comes in pieces.
pub(crate) fn response(input: &[u8]) -> (Response, Vec<DeviationKind>) {
    let (events, kinds) = lenient(input);
    let mut collector = ResponseCollector::new();
    let mut found = Vec::new();
    for event in events {
        assert!(!matches!(event, ResponseEvent::Invalid(_)), "{}: {event:?}", input.escape_ascii());
        found.extend(collector.event(event));
    }
    match (found.pop(), found.is_empty()) {
        (Some(response), true) => (response, kinds),
        (response, _) => panic!("{}: {found:?} {response:?}", input.escape_ascii()),
    }
}

/// Whether something in `input` is refused.
pub(crate) fn is_refused(input: &[u8], limits: &ResponseLimits) -> bool {
    let (events, end) = read(input, usize::MAX, limits);
    assert_eq!(end, Ok(()), "{}", input.escape_ascii());
    events.iter().any(|event| matches!(event, ResponseEvent::Invalid(_)))
}

/// The items of the only FETCH in `input`, bodies in memory.
pub(crate) fn items(input: &[u8], limits: &ResponseLimits) -> (Vec<FetchItem>, Vec<DeviationKind>) {
    let (events, end) = read(input, usize::MAX, limits);
    assert_eq!(end, Ok(()), "{}", input.escape_ascii());
    let mut items = Vec::new();
    let mut kinds = Vec::new();
    let mut body = None;
    for event in events {
        match event {
            ResponseEvent::FetchItem(item) => items.push(item),
            ResponseEvent::BodyBegin { item, .. } => body = Some((item, Bytes::new())),
            ResponseEvent::BodyChunk(chunk) => body.as_mut().unwrap().1 = chunk,
            ResponseEvent::BodyEnd => {
                let (item, octets) = body.take().unwrap();
                items.push(item.with(octets));
            }
            ResponseEvent::Deviation(deviation) => kinds.push(deviation.kind),
            _ => {}
        }
    }
    (items, kinds)
}

/// The value of `name` in a FETCH that has it between two others, which must survive.
pub(crate) fn item(name: &str, value: &[u8], limits: &ResponseLimits) -> (FetchItem, Vec<DeviationKind>) {
    let input = [b"* 1 FETCH (UID 5 ", name.as_bytes(), b" ", value, b" RFC822.SIZE 9)\r\n"].concat();
    let (mut items, kinds) = items(&input, limits);
    assert_eq!(items.len(), 3, "{items:?}");
    assert_eq!(items.pop(), Some(FetchItem::Rfc822Size(Some(9))));
    let item = items.pop().unwrap();
    assert!(matches!(items.pop(), Some(FetchItem::Uid(uid)) if uid.get() == 5));
    (item, kinds)
}

pub(crate) fn is_unknown(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Unknown { .. } | FetchItem::Invalid { .. })
}
