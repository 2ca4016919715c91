//! Sets and lists of any length: SEARCH, SORT, THREAD, VANISHED, ESEARCH. RFC 9051 §7.3.5, §9.
//!
//! Their elements leave as they come, so what is held of a response is one element, however many there are. A unit
//! never ends with what separates elements: that stays in front of the next one, where it says what may begin there.

use core::ops::Range;

use bytes::{Buf as _, BytesMut};
use mailwright_core::value::DeviationKind;

use super::head::{self, ListKind, opens};
use super::{FramingError, FramingLimits, Line, Mode, ResponseFrame, ResponseFramer, Step};

/// Where in a value of ESEARCH the framer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Values {
    place: Place,
    /// Open parentheses.
    depth: usize,
    /// Whether the value is handed on by its elements, or will be if it begins in this way.
    elements: Elements,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the value.
    Before,
    Value,
    Quoted,
    Escaped,
    /// Behind a quote that closes the string if a value may end there.
    Closing,
}

/// How a value is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Elements {
    /// As a whole.
    No,
    /// By elements, if it begins with a digit (a set) or a parenthesis (a list).
    If(ValueStart),
    /// By elements.
    Yes,
}

/// How a value begins that is handed on by its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueStart {
    /// With a digit: a set.
    Digit,
    /// With a parenthesis: a list.
    Parenthesis,
}

/// What stops a value.
enum Stop {
    /// It ends here.
    End,
    /// A quoted string begins, where elements would follow.
    Quote,
    /// The line ends here.
    LineFeed,
    /// Nothing more is there.
    More,
}

impl Values {
    pub(super) const fn new() -> Self {
        Self { place: Place::Before, depth: 0, elements: Elements::No }
    }

    /// Reads on from `at`.
    fn read(&mut self, input: &[u8], at: &mut usize) -> Stop {
        while let Some(octet) = input.get(*at) {
            if *octet == b'\n' {
                return Stop::LineFeed;
            }
            self.place = match (self.place, octet) {
                (Place::Escaped, _) => Place::Quoted,
                (Place::Quoted, b'\\') => Place::Escaped,
                (Place::Quoted, b'"') => Place::Closing,
                (Place::Quoted, _) => Place::Quoted,
                // As in FETCH: quotes inside that are not escaped close nothing.
                (Place::Closing, b' ' | b')' | b'\r') => {
                    self.place = Place::Value;
                    continue;
                }
                (Place::Closing, _) => {
                    self.place = Place::Quoted;
                    continue;
                }
                (Place::Before, b' ') => Place::Before,
                (Place::Before | Place::Value, b'"') if opens(input, *at) => {
                    if self.elements == Elements::Yes {
                        return Stop::Quote;
                    }
                    Place::Quoted
                }
                (Place::Value, b' ') if self.depth == 0 => return Stop::End,
                (Place::Value, b')') if self.depth == 0 && self.elements == Elements::Yes => {
                    return Stop::End;
                }
                (Place::Before | Place::Value, b'(') => {
                    self.begin(*octet);
                    self.depth += 1;
                    Place::Value
                }
                (Place::Value, b')') => {
                    self.depth = self.depth.saturating_sub(1);
                    Place::Value
                }
                (Place::Before | Place::Value, _) => {
                    self.begin(*octet);
                    Place::Value
                }
            };
            *at += 1;
        }
        Stop::More
    }

    /// The value begins, or goes on, with this octet.
    fn begin(&mut self, octet: u8) {
        if let Elements::If(start) = self.elements {
            let wanted = match start {
                ValueStart::Digit => octet.is_ascii_digit(),
                ValueStart::Parenthesis => octet == b'(',
            };
            self.elements = if wanted { Elements::Yes } else { Elements::No };
        }
    }

    /// Goes back to the separator `octet`, which was the last one that was read.
    const fn back(&mut self, octet: u8) {
        match octet {
            b'(' => self.depth = self.depth.saturating_sub(1),
            b')' => self.depth += 1,
            _ => {}
        }
        let before = octet == b' ' && self.depth == 0;
        self.place = if before { Place::Before } else { Place::Value };
    }
}

/// Whether an octet stands between elements.
const fn separates(octet: u8) -> bool {
    matches!(octet, b' ' | b',' | b'(' | b')')
}

/// Where the last separator is, behind what was searched before, unless everything begins with it.
fn last_separator(octets: &[u8], searched: usize) -> Option<usize> {
    let unread = octets.get(searched..)?;
    unread.iter().rposition(|octet| separates(*octet)).map(|at| searched + at).filter(|at| *at > 0)
}

/// How many octets an element has at least that begins with a separator and has not ended.
fn unfinished(octets: &[u8]) -> usize {
    octets.strip_suffix(b"\r").unwrap_or(octets).len()
}

impl ResponseFramer {
    /// The next value of ESEARCH is handed on by its elements, if it begins in this way.
    pub(crate) const fn stream_value(&mut self, start: ValueStart) {
        if let Mode::Values(values) = &mut self.mode {
            values.elements = Elements::If(start);
        }
    }

    /// The word was read.
    pub(super) const fn list_mode(kind: ListKind) -> Mode {
        match kind {
            ListKind::ExtendedSearch => Mode::Values(Values::new()),
            _ => Mode::Elements,
        }
    }

    /// Elements up to the end of the line.
    pub(super) fn elements(
        &mut self,
        input: &mut BytesMut,
        limits: &FramingLimits,
    ) -> Result<Step, FramingError> {
        let searched = self.searched;
        let unread = input.get(searched..).unwrap_or_default();
        let stop = memchr::memchr3(b'\n', b'"', b'{', unread);
        self.looked_at(stop.unwrap_or(unread.len()));
        let end = searched + stop.unwrap_or(unread.len());
        let text = input.get(..end).unwrap_or_default();
        if stop.is_some() && input.get(end) == Some(&b'\n') {
            let text = text.strip_suffix(b"\r").unwrap_or(text).len();
            self.searched = 0;
            return Ok(Step::Frame(if text > 0 {
                ResponseFrame::Elements(self.cut(input, text))
            } else {
                self.end_list(input, end + 1)
            }));
        }
        if let Some(at) = last_separator(text, searched) {
            self.searched = 0;
            return Ok(Step::Frame(ResponseFrame::Elements(self.cut(input, at))));
        }
        if stop.is_some() {
            // No element, and perhaps a literal.
            self.searched = 0;
            self.mode = Mode::Message { code: false };
            return Ok(Step::Again);
        }
        self.searched = end;
        if unfinished(text) >= limits.line { Err(FramingError::Line) } else { Ok(Step::More) }
    }

    /// A value of ESEARCH, or elements of one.
    pub(super) fn values(
        &mut self,
        input: &mut BytesMut,
        mut values: Values,
        limits: &FramingLimits,
    ) -> Result<Step, FramingError> {
        let start = self.held + self.searched;
        let mut at = start;
        let stop = values.read(input, &mut at);
        self.looked_at(at - start);
        self.searched = at - self.held;
        let line_feed = matches!(stop, Stop::LineFeed);
        let part = input.get(self.held..at).unwrap_or_default();
        let text = if line_feed { part.strip_suffix(b"\r").unwrap_or(part) } else { part };
        let end = self.held + text.len();
        let literal = if line_feed { head::announcement(text) } else { None };
        if values.elements == Elements::Yes {
            let step = self.streamed(input, values, start..end, &stop, literal.is_some());
            let long = unfinished(input) >= limits.line && matches!(step, Step::More);
            return if long { Err(FramingError::Line) } else { Ok(step) };
        }
        self.mode = Mode::Values(values);
        // Wherever it ends, and however it came.
        if self.searched >= limits.line {
            return Err(FramingError::Line);
        }
        match stop {
            Stop::More => Ok(Step::More),
            Stop::End | Stop::Quote => Ok(Step::Frame(self.value(input, at, limits))),
            Stop::LineFeed => {
                let Some((begin, literal)) = literal else {
                    let whole = end > 0 || self.refused.is_some();
                    return Ok(Step::Frame(if whole {
                        self.value(input, end, limits)
                    } else {
                        self.end_list(input, at + 1)
                    }));
                };
                if matches!(values.place, Place::Quoted | Place::Escaped) {
                    return Err(FramingError::Ambiguous);
                }
                let begin = self.held + begin;
                let line = Line { end, next: at + 1, literal: Some((begin, literal)) };
                if !input.get(..at).is_some_and(|line| line.ends_with(b"\r")) {
                    self.report(DeviationKind::BareLineFeed, self.offset + at as u64, b"\n");
                }
                self.searched = 0;
                values.place = Place::Value;
                self.mode = Mode::Values(values);
                self.announced(input, line, begin, literal, limits)?;
                Ok(Step::Again)
            }
        }
    }

    /// Of a value that is handed on by elements: those up to the end of what was `read` now.
    fn streamed(
        &mut self,
        input: &mut BytesMut,
        mut values: Values,
        read: Range<usize>,
        stop: &Stop,
        literal: bool,
    ) -> Step {
        let complete = matches!(stop, Stop::End) || (matches!(stop, Stop::LineFeed) && !literal);
        let text = input.get(..read.end).unwrap_or_default();
        let cut = match complete {
            true => Some(text.len()).filter(|end| *end > 0),
            false => last_separator(text, read.start),
        };
        if let Some(cut) = cut {
            if !complete {
                values.back(text.get(cut).copied().unwrap_or(b' '));
            }
            self.searched = 0;
            self.mode = Mode::Values(values);
            return Step::Frame(ResponseFrame::Elements(self.cut(input, cut)));
        }
        if complete {
            self.searched = 0;
            self.mode = Mode::Values(Values::new());
            return Step::Frame(ResponseFrame::ElementsEnd(self.offset));
        }
        if !matches!(stop, Stop::More) {
            // What follows is no element: the rest is a value as a whole.
            values.elements = Elements::No;
            self.searched = 0;
            values.place = Place::Value;
        }
        self.mode = Mode::Values(values);
        if matches!(stop, Stop::More) { Step::More } else { Step::Again }
    }

    /// A value that ends at `at`.
    fn value(&mut self, input: &mut BytesMut, at: usize, limits: &FramingLimits) -> ResponseFrame {
        self.held = 0;
        self.searched = 0;
        self.mode = Mode::Values(Values::new());
        ResponseFrame::Value(self.unit(input, at, limits))
    }

    /// The line end, `length` octets, ends the response.
    fn end_list(&mut self, input: &mut BytesMut, length: usize) -> ResponseFrame {
        if length == 1 {
            self.report(DeviationKind::BareLineFeed, self.offset, b"\n");
        }
        self.searched = 0;
        input.advance(length);
        let offset = self.offset;
        self.finish();
        ResponseFrame::ListEnd(offset)
    }
}
