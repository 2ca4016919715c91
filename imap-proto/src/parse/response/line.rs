//! A FETCH that came in one line, without literals: its items are read where they stand.
//!
//! Most items are read in one pass, since the grammar knows where they end. What it cannot read, or finds fault with, is
//! first cut off by quotes and parentheses alone, as in a FETCH with literals, so that its siblings survive.

use alloc::vec::Vec;

use bytes::{Buf as _, BytesMut};

use super::event::ResponseEvent;
use super::fetch;
use super::tokens::Tokens;
use super::{Place, ResponseReader, plain};
use crate::wire::{Split, Splitter, Unit};

/// What comes next in a line, if that can be told in one look.
pub(super) enum Plain {
    Item(plain::Item),
    End,
    No,
}

impl ResponseReader {
    /// The head, of so many octets, was read.
    pub(super) fn begin_line(&mut self, mut line: Unit, head: usize) {
        pass(&mut line, head);
        self.place = Place::Fetch { first: true, ignored: false, nul: None, binary: false };
        self.line = Some(line);
    }

    /// Reads the head, of so many octets.
    pub(super) fn fetch_line(&mut self, line: Unit, head: usize) -> Option<ResponseEvent> {
        let unit = Unit { octets: line.octets.slice(..head), offset: line.offset, cut: false };
        let begin = self.fetch_begin(&unit);
        if matches!(self.place, Place::Fetch { ignored: true, .. }) {
            self.place = Place::Between;
            self.output.fault = None;
        } else {
            self.begin_line(line, head);
        }
        begin
    }

    /// The head of a FETCH whose line is there, if there is nothing else to say about it.
    pub(super) fn plain_fetch(&mut self, input: &mut BytesMut) -> Option<u32> {
        let (number, head) = plain::fetch(input)?;
        let line = self.framer.plain_line(input, &self.limits.framing())?;
        self.begin_line(line, head);
        Some(number)
    }

    /// The next item of the line, if it is a number or flags; or the end.
    pub(super) fn plain_item(&mut self, first: bool) -> Plain {
        let Some(line) = &mut self.line else { return Plain::No };
        if *line.octets == *b")" && self.output.fault.is_none() {
            self.line = None;
            self.place = Place::Between;
            return Plain::End;
        }
        let Some((item, length)) = plain::item(&line.octets, first) else { return Plain::No };
        pass(line, length);
        if first {
            self.place = Place::Fetch { first: false, ignored: false, nul: None, binary: false };
        }
        Plain::Item(item)
    }

    /// Reads what comes next of the line.
    pub(super) fn line_item(&mut self, first: bool) -> Option<ResponseEvent> {
        let plain = self.takes_plain();
        let line = self.line.as_mut().filter(|_| plain);
        let Some(line) = line else { return self.cut_item(first) };
        let mut deviations = Vec::new();
        let mut tokens = Tokens::new(line, &self.limits, &mut deviations);
        let item = fetch::whole(&mut tokens, first);
        let length = tokens.at();
        match item {
            Some(item) if deviations.is_empty() => {
                pass(line, length);
                self.place = Place::Fetch { first: false, ignored: false, nul: None, binary: false };
                self.hand_on_item(item)
            }
            _ => self.cut_item(first),
        }
    }

    /// Cuts an item off and reads it, or the end.
    fn cut_item(&mut self, first: bool) -> Option<ResponseEvent> {
        self.place = Place::Fetch { first: false, ignored: false, nul: None, binary: false };
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
