//! [`Lines`]: items that are lines, for every kind of them. RFC 5321 §2.3.8, RFC 1939 §3.

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind, Excerpt};
use mailwright_core::wire::{Framed, LineEnd, LineFramer};
use serde_json::Value;

use crate::item::{Fault, Item, Reader};

/// Octets of the longest line, with its end; longer ones are bad items.
const LIMIT: usize = 65_536;

/// Reads one line without its end.
pub(crate) trait LineParser {
    /// What the line is, and what was tolerated in it.
    fn parse(&mut self, line: &Bytes, deviations: &mut Vec<Deviation>) -> Result<Value, Fault>;

    /// What is wrong if the input ends behind the last line, if anything is.
    fn unfinished(&self) -> Option<&'static str> {
        None
    }
}

/// Lines and what reads them. By tolerance an LF ends a line, and the last one needs no end.
#[derive(Debug)]
pub(crate) struct Lines<P> {
    framer: LineFramer,
    parser: P,
}

impl<P: LineParser> Lines<P> {
    pub(crate) fn new(parser: P, strict: bool) -> Self {
        let end = if strict { LineEnd::CrLf } else { LineEnd::CrLfOrLf };
        Self { framer: LineFramer::new(end), parser }
    }

    fn item(&mut self, line: &Bytes, end: Option<DeviationKind>, consumed: u64) -> Item {
        let mut deviations = Vec::new();
        let result = self.parser.parse(line, &mut deviations);
        deviations.extend(end.map(|kind| Deviation::new(kind, line.len() as u64, b"")));
        Item { consumed, result, deviations }
    }
}

impl<P: LineParser> Reader for Lines<P> {
    fn next(&mut self, input: &mut BytesMut) -> Option<Item> {
        Some(match self.framer.next_line(input, LIMIT)? {
            Framed::Line { line, bare_lf: false } => self.item(&line, None, line.len() as u64 + 2),
            Framed::Line { line, bare_lf: true } => {
                self.item(&line, Some(DeviationKind::BareLineFeed), line.len() as u64 + 1)
            }
            Framed::Overlong { length } => overlong(length),
        })
    }

    fn end(&mut self, input: &[u8], rest: u64) -> Option<Item> {
        if rest >= LIMIT as u64 {
            return Some(overlong(rest));
        }
        if rest > 0 {
            let line = Bytes::copy_from_slice(input);
            return Some(self.item(&line, Some(DeviationKind::MissingLineEnd), rest));
        }
        let result = Err(Fault::new(self.parser.unfinished()?, &[], 0));
        Some(Item { consumed: 0, result, deviations: Vec::new() })
    }
}

fn overlong(consumed: u64) -> Item {
    // The octets are gone: nothing holds more than the limit.
    let fault = Fault {
        offset: LIMIT as u64,
        message: format!("line above {LIMIT} octets"),
        bytes: Excerpt::new(&[]),
    };
    Item { consumed, result: Err(fault), deviations: Vec::new() }
}
