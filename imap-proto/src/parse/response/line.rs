//! A FETCH that came in one line, without literals: its items are read where they stand.
//!
//! Most items are read in one pass, since the grammar knows where they end. What it cannot read, or finds fault with, is
//! first cut off by quotes and parentheses alone, as in a FETCH with literals, so that its siblings survive.

use alloc::vec::Vec;

use bytes::Buf as _;

use super::event::ResponseEvent;
use super::fetch;
use super::tokens::Tokens;
use super::{Place, ResponseReader, plain};
use crate::wire::{Split, Splitter, Unit};

impl ResponseReader {
    /// Reads the head, of so many octets.
    pub(super) fn fetch_line(&mut self, mut line: Unit, head: usize) -> Option<ResponseEvent> {
        let head = Unit { octets: line.octets.split_to(head), offset: line.offset, cut: false };
        line.offset += head.octets.len() as u64;
        let begin = match plain::fetch(&head.octets).filter(|_| self.takes_plain()) {
            Some(number) => {
                self.place = Place::Fetch { first: true, ignored: false, nul: None, binary: false };
                self.output.hand_on(ResponseEvent::FetchBegin { number })
            }
            None => self.fetch_begin(&head),
        };
        if matches!(self.place, Place::Fetch { ignored: true, .. }) {
            self.place = Place::Between;
            self.output.fault = None;
        } else {
            self.line = Some(line);
        }
        begin
    }

    /// Reads what comes next of the line.
    pub(super) fn line_item(&mut self) -> Option<ResponseEvent> {
        let plain = self.takes_plain();
        let (Some(line), Place::Fetch { first, .. }) = (&mut self.line, self.place) else {
            self.line = None;
            return None;
        };
        self.place = Place::Fetch { first: false, ignored: false, nul: None, binary: false };
        if !plain {
            return self.cut_item(first);
        }
        if let Some((item, length)) = plain::item(&line.octets, first) {
            pass(line, length);
            return Some(ResponseEvent::FetchItem(item));
        }
        if *line.octets == *b")" {
            self.line = None;
            return self.fetch_end();
        }
        let mut deviations = Vec::new();
        let mut tokens = Tokens::new(line, &self.limits, &mut deviations);
        let item = fetch::whole(&mut tokens, first);
        let length = tokens.at();
        match item {
            Some(item) if deviations.is_empty() => {
                pass(line, length);
                self.hand_on_item(item)
            }
            _ => self.cut_item(first),
        }
    }

    /// Cuts an item off and reads it, or the end.
    fn cut_item(&mut self, first: bool) -> Option<ResponseEvent> {
        let line = self.line.as_mut()?;
        let mut at = 0;
        let length = line.octets.len();
        let end = match Splitter::new().split(&line.octets, &mut at, length) {
            Split::Item(end) => end,
            Split::Close => 0,
            // The parenthesis is missing.
            Split::End { .. } | Split::Quoted if line.octets.iter().all(|octet| *octet == b' ') => 0,
            Split::End { .. } | Split::Quoted => length,
        };
        if end == 0 {
            let end = self.line.take()?;
            return self.fetch_ends(&end);
        }
        let unit = Unit { octets: line.octets.split_to(end), offset: line.offset, cut: false };
        line.offset += end as u64;
        self.item(&unit, first)
    }
}

/// Passes over octets at the front.
fn pass(unit: &mut Unit, length: usize) {
    unit.octets.advance(length);
    unit.offset += length as u64;
}
