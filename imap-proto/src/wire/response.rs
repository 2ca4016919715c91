//! [`ResponseFramer`]: cuts responses off an input buffer, at every place where what is complete can be
//! handed on.
//!
//! RFC 9051 §2.2.2, §4.3, §7. A client trusts its framing less than a server does, since it cannot refuse a
//! literal before it comes: text for people announces nothing (`head`), quotes need not be escaped rightly
//! for the rest of a FETCH to be found (`split`), and where nobody can know whether content or the next
//! response follows, the connection ends. The octets of a unit stay where they are in the buffer until it is
//! complete; only bodies and what is refused leave before. No octet is looked at twice.

mod head;
mod lists;
mod split;

use alloc::vec::Vec;

use bytes::{Buf as _, Bytes, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind};

pub(crate) use self::head::ListKind;
use self::head::{Head, ListHead};
pub(crate) use self::lists::ValueStart;
use self::lists::Values;
pub(crate) use self::split::{Split, Splitter};
use super::scan::Announcement;

/// What a [`ResponseFramer`] takes at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FramingLimits {
    pub(crate) line: usize,
    pub(crate) literal: usize,
    pub(crate) literals: usize,
    pub(crate) buffered: usize,
    pub(crate) discard: u64,
}

/// Why nobody can know where the next response begins. The connection must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A line above its limit.
    #[error("line too long")]
    Line,
    /// A literal that is neither a body nor within the limits, and too long to be read for nothing.
    #[error("a literal of {length} octets, which is more than is discarded")]
    Literal {
        /// Its length.
        length: u64,
    },
    /// A literal above 2^63 − 1 octets.
    #[error("a literal of impossible length")]
    Number,
    /// Behind a literal stands neither a space, a parenthesis, nor a line end: its length was wrong.
    #[error("the length of a literal was wrong")]
    WrongCount,
    /// A line that ends like a literal, inside a quoted string that is not closed.
    #[error("a literal inside a quoted string, or no literal")]
    Ambiguous,
}

/// Some octets of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    /// As they came, literals with their announcements.
    pub(crate) octets: Bytes,
    /// Octets of the response before them.
    pub(crate) offset: u64,
    /// Whether there were more than the limits allow: these are only the first.
    pub(crate) cut: bool,
}

/// What a [`ResponseFramer`] cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResponseFrame {
    /// A response, without the line end; or what is no element at the end of one with elements.
    Message(Unit),
    /// A FETCH without literals, all of it without the line end: so many octets to its opening parenthesis, included.
    Fetch(Unit, usize),
    /// A FETCH with literals up to its opening parenthesis.
    FetchBegin(Unit),
    /// An item of FETCH: spaces, name, value.
    Item(Unit),
    /// The name of an item whose value is a literal that is streamed.
    Body { name: Unit, length: u64, binary: bool },
    /// Octets of that literal.
    Chunk(Unit),
    /// The literal is complete.
    BodyEnd,
    /// The closing parenthesis of FETCH and what stands behind; nothing if it is missing.
    FetchEnd(Unit),
    /// SEARCH, or another response with elements, up to the word.
    ListBegin(ListKind, Unit),
    /// Complete elements with what separates them and stands before them.
    Elements(Unit),
    /// Of ESEARCH: the value whose elements came is complete, at this offset.
    ElementsEnd(u64),
    /// Of ESEARCH: spaces and a value; or what is no element in a value whose elements came, up to its end.
    Value(Unit),
    /// The line end of a response with elements, at this offset.
    ListEnd(u64),
}

/// Cuts responses off the front of a buffer.
#[derive(Clone, Debug)]
pub(crate) struct ResponseFramer {
    mode: Mode,
    literal: Literal,
    /// The line part in which the front of the buffer is, once its end is there.
    line: Option<Line>,
    /// Octets at the front of the buffer that belong to the present unit and were scanned.
    held: usize,
    /// Octets behind these in which there is no LF.
    searched: usize,
    /// Octets of the response before the front of the buffer.
    offset: u64,
    /// Literals of the response so far, bodies not counted.
    literals: usize,
    /// The first octets of a unit of which something was dropped.
    refused: Option<Unit>,
    failed: Option<FramingError>,
    /// Octets that were looked at.
    #[cfg(test)]
    work: usize,
    /// What was read although it should not be; whoever reads the frames takes them.
    pub(crate) deviations: Vec<Deviation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// At the start of a response.
    Start,
    /// In a response that is handed on as a whole. `code`: inside the brackets of a code with strings.
    Message { code: bool },
    /// Inside the parentheses of FETCH.
    Items(Splitter),
    /// Behind the last item of FETCH.
    ItemsEnd,
    /// Behind the word SEARCH, or another whose elements follow.
    Elements,
    /// In ESEARCH.
    Values(Values),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Literal {
    /// Not in one.
    None,
    /// So many octets stand or will stand behind those that are held.
    Held(usize),
    /// So many octets are still to be dropped.
    Dropped(u64),
    /// So many octets are still to be handed on.
    Body(u64),
    /// All of it was read, but not what stands behind.
    Behind { body: bool },
}

/// A line part: places in the buffer.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Where its text ends.
    end: usize,
    /// Where the next octet behind its line end is.
    next: usize,
    /// Where an announcement begins, if it ends like one.
    literal: Option<(usize, Announcement)>,
}

/// How a step ended.
enum Step {
    Frame(ResponseFrame),
    Again,
    More,
}

/// Octets that are kept of a unit that is above the limits.
pub(crate) const MOST_RAW: usize = 1024;
/// Deviations that wait to be taken.
const MOST_DEVIATIONS: usize = 100;

impl ResponseFramer {
    pub(crate) const fn new() -> Self {
        Self {
            mode: Mode::Start,
            literal: Literal::None,
            line: None,
            held: 0,
            searched: 0,
            offset: 0,
            literals: 0,
            refused: None,
            failed: None,
            #[cfg(test)]
            work: 0,
            deviations: Vec::new(),
        }
    }

    /// Whether nothing of a response has been read.
    pub(crate) fn is_between_responses(&self) -> bool {
        self.mode == Mode::Start && self.literal == Literal::None && self.searched == 0
    }

    /// Whether a response begins at the front of the buffer, as far as is known, and nothing is to be said before.
    pub(crate) fn is_at_start(&self) -> bool {
        matches!(self.mode, Mode::Start)
            && matches!(self.literal, Literal::None)
            && self.failed.is_none()
            && self.deviations.is_empty()
    }

    /// Passes over a response of so many octets at the front, which somebody else has read; `false` if it is above the
    /// limit.
    pub(crate) fn pass(&mut self, input: &mut BytesMut, length: usize, limit: usize) -> bool {
        let fits = length <= limit;
        if fits {
            input.advance(length);
            self.searched = 0;
            self.offset = 0;
        }
        fits
    }

    /// The response at the front without its line end, if that is a line with nothing to say about, without a literal.
    pub(crate) fn plain_line(&mut self, input: &mut BytesMut, limits: &FramingLimits) -> Option<Unit> {
        let line_feed = self.searched + memchr::memchr(b'\n', input.get(self.searched..)?)?;
        let end = line_feed.checked_sub(1)?;
        let fits = line_feed < limits.line.min(limits.buffered);
        // What ends in a brace may announce a literal.
        if !fits || input.get(end) != Some(&b'\r') || input.get(end.wrapping_sub(1)) == Some(&b'}') {
            return None;
        }
        let unit = Unit { octets: input.split_to(end).freeze(), offset: self.offset, cut: false };
        input.advance(2);
        self.searched = 0;
        self.offset = 0;
        Some(unit)
    }

    /// Ends the connection by an error that the reader of the frames has found.
    pub(crate) const fn fail(&mut self, error: FramingError) -> FramingError {
        self.failed = Some(error);
        error
    }

    /// Cuts the next frame, or returns `None` until more comes.
    pub(crate) fn next_frame(
        &mut self,
        input: &mut BytesMut,
        limits: &FramingLimits,
    ) -> Result<Option<ResponseFrame>, FramingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        loop {
            let step = match self.literal {
                Literal::None => self.step(input, limits),
                _ => self.literal(input),
            };
            match step {
                Ok(Step::Frame(frame)) => return Ok(Some(frame)),
                Ok(Step::Again) => {}
                Ok(Step::More) => return Ok(None),
                Err(error) => {
                    self.failed = Some(error);
                    return Err(error);
                }
            }
        }
    }

    /// Reads on in a literal.
    fn literal(&mut self, input: &mut BytesMut) -> Result<Step, FramingError> {
        match self.literal {
            Literal::None => {}
            Literal::Held(length) => {
                if input.len() - self.held < length {
                    return Ok(Step::More);
                }
                self.held += length;
                self.literal = Literal::Behind { body: false };
            }
            Literal::Dropped(0) => self.literal = Literal::Behind { body: false },
            Literal::Body(0) => self.literal = Literal::Behind { body: true },
            Literal::Dropped(_) | Literal::Body(_) if input.is_empty() => return Ok(Step::More),
            Literal::Dropped(left) => {
                let count = at_most(left, input.len());
                self.advance(input, count);
                self.literal = Literal::Dropped(left - count as u64);
            }
            Literal::Body(left) => {
                let count = at_most(left, input.len());
                self.literal = Literal::Body(left - count as u64);
                return Ok(Step::Frame(ResponseFrame::Chunk(self.cut(input, count))));
            }
            Literal::Behind { body } => {
                match input.get(self.held) {
                    None => return Ok(Step::More),
                    Some(b' ' | b')' | b'\r' | b'\n') => {}
                    Some(_) => return Err(FramingError::WrongCount),
                }
                self.literal = Literal::None;
                if body {
                    return Ok(Step::Frame(ResponseFrame::BodyEnd));
                }
            }
        }
        Ok(Step::Again)
    }

    /// Reads on in a line part.
    fn step(&mut self, input: &mut BytesMut, limits: &FramingLimits) -> Result<Step, FramingError> {
        match self.mode {
            Mode::Start => return self.start(input, limits),
            Mode::Elements => return self.elements(input, limits),
            Mode::Values(values) => return self.values(input, values, limits),
            Mode::Message { .. } | Mode::Items(_) | Mode::ItemsEnd => {}
        }
        let Some(line) = self.line(input, limits.line)? else { return Ok(Step::More) };
        match self.mode {
            Mode::Items(splitter) => self.items(input, line, splitter, limits),
            Mode::Message { code: true } => {
                let part = input.get(self.held..line.end).unwrap_or_default();
                let open = head::closing_bracket(part).is_none();
                self.message(input, line, open, limits)
            }
            _ => self.message(input, line, true, limits),
        }
    }

    fn start(&mut self, input: &mut BytesMut, limits: &FramingLimits) -> Result<Step, FramingError> {
        if self.searched == 0 {
            if input.first() == Some(&0) {
                let padding = input.iter().take_while(|octet| **octet == 0).count();
                if self.offset == 0 {
                    self.report(DeviationKind::Nul, 0, b"\0");
                }
                self.advance(input, padding);
            }
            match head::list(input) {
                ListHead::Yes(kind, length) => {
                    self.mode = Self::list_mode(kind);
                    return Ok(Step::Frame(ResponseFrame::ListBegin(kind, self.cut(input, length))));
                }
                ListHead::Unknown => return Ok(Step::More),
                ListHead::No => {}
            }
        }
        // Sets and lists of any length do not count as a line.
        let long = input.len() >= limits.line && head::has_elements(input);
        let limit = if long { limits.buffered } else { limits.line };
        let Some(line) = self.line(input, limit)? else { return Ok(Step::More) };
        match head::read(input.get(..line.end).unwrap_or_default()) {
            Head::Text => {
                self.mode = Mode::Message { code: false };
                self.message(input, line, false, limits)
            }
            Head::Code => {
                self.mode = Mode::Message { code: true };
                self.message(input, line, true, limits)
            }
            Head::Data => {
                self.mode = Mode::Message { code: false };
                self.message(input, line, true, limits)
            }
            Head::Fetch(length) if line.literal.is_none() && line.end <= limits.buffered => {
                let unit = self.cut(input, line.end);
                self.end_line(input);
                self.finish();
                Ok(Step::Frame(ResponseFrame::Fetch(unit, length)))
            }
            Head::Fetch(length) => {
                self.mode = Mode::Items(Splitter::new());
                Ok(Step::Frame(ResponseFrame::FetchBegin(self.cut(input, length))))
            }
        }
    }

    /// The line part behind what is held, once its end is there.
    fn line(&mut self, input: &BytesMut, limit: usize) -> Result<Option<Line>, FramingError> {
        if self.line.is_some() {
            return Ok(self.line);
        }
        let from = self.held + self.searched;
        let unread = input.get(from..).unwrap_or_default();
        let found = memchr::memchr(b'\n', unread);
        self.looked_at(found.unwrap_or(unread.len()));
        let Some(at) = found else {
            self.searched += unread.len();
            return if self.searched >= limit { Err(FramingError::Line) } else { Ok(None) };
        };
        let line_feed = from + at;
        if line_feed + 1 - self.held > limit {
            return Err(FramingError::Line);
        }
        self.searched = 0;
        let part = input.get(self.held..line_feed).unwrap_or_default();
        let text = part.strip_suffix(b"\r").unwrap_or(part);
        if text.len() == part.len() {
            let offset = self.offset + line_feed as u64;
            self.report(DeviationKind::BareLineFeed, offset, b"\n");
        }
        let literal = head::announcement(text).map(|(at, literal)| (self.held + at, literal));
        self.line = Some(Line { end: self.held + text.len(), next: line_feed + 1, literal });
        Ok(self.line)
    }

    /// A line part of a response, or of the end of one, that is handed on as a whole.
    fn message(
        &mut self,
        input: &mut BytesMut,
        line: Line,
        literals: bool,
        limits: &FramingLimits,
    ) -> Result<Step, FramingError> {
        if let Some((at, literal)) = line.literal.filter(|_| literals) {
            self.looked_at(at - self.held);
            if head::is_quoted(input.get(self.held..at).unwrap_or_default()) {
                return Err(FramingError::Ambiguous);
            }
            self.announced(input, line, at, literal, limits)?;
            return Ok(Step::Again);
        }
        let unit = self.unit(input, line.end, limits);
        self.end_line(input);
        let frame = match self.mode {
            Mode::ItemsEnd => ResponseFrame::FetchEnd(unit),
            _ => ResponseFrame::Message(unit),
        };
        self.finish();
        Ok(Step::Frame(frame))
    }

    /// A line part inside the parentheses of FETCH.
    fn items(
        &mut self,
        input: &mut BytesMut,
        line: Line,
        mut splitter: Splitter,
        limits: &FramingLimits,
    ) -> Result<Step, FramingError> {
        let end = line.literal.map_or(line.end, |(at, _)| at);
        let start = self.held;
        let split = splitter.split(input, &mut self.held, end);
        self.looked_at(self.held - start);
        self.mode = Mode::Items(splitter);
        match (split, line.literal) {
            (Split::Item(at), _) => {
                self.mode = Mode::Items(Splitter::new());
                Ok(Step::Frame(ResponseFrame::Item(self.unit(input, at, limits))))
            }
            (Split::Close, _) => {
                self.held = 0;
                self.mode = Mode::ItemsEnd;
                Ok(Step::Again)
            }
            (Split::Quoted, Some(_)) => Err(FramingError::Ambiguous),
            (Split::End { value: true }, Some((at, literal)))
                if self.refused.is_none() && head::is_body(input.get(..at).unwrap_or_default()) =>
            {
                let length = self.length(input, line, at, literal)?;
                let name = self.unit(input, at, limits);
                let announcement = line.next - at;
                self.advance(input, announcement);
                self.line = None;
                self.mode = Mode::Items(Splitter::new());
                self.literal = Literal::Body(length);
                Ok(Step::Frame(ResponseFrame::Body { name, length, binary: literal.binary }))
            }
            (Split::End { .. }, Some((at, literal))) => {
                splitter.literal();
                self.mode = Mode::Items(splitter);
                self.announced(input, line, at, literal, limits)?;
                Ok(Step::Again)
            }
            // The parenthesis is missing.
            (Split::End { .. } | Split::Quoted, None) => {
                self.mode = Mode::ItemsEnd;
                if input.get(..line.end).unwrap_or_default().iter().all(|octet| *octet == b' ') {
                    self.held = 0;
                    return Ok(Step::Again);
                }
                Ok(Step::Frame(ResponseFrame::Item(self.unit(input, line.end, limits))))
            }
        }
    }

    /// The length of `literal`, announced at `at`; reports the form of the announcement.
    fn length(
        &mut self,
        input: &BytesMut,
        line: Line,
        at: usize,
        literal: Announcement,
    ) -> Result<u64, FramingError> {
        let octets = input.get(at..line.next).unwrap_or_default();
        let offset = self.offset + at as u64;
        if literal.leading_zeros {
            self.report(DeviationKind::LeadingZero, offset, octets);
        }
        if !literal.synchronising {
            self.report(DeviationKind::NonSynchronisingLiteral, offset, octets);
        }
        literal.length.filter(|length| i64::try_from(*length).is_ok()).ok_or(FramingError::Number)
    }

    fn report(&mut self, kind: DeviationKind, offset: u64, octets: &[u8]) {
        if self.deviations.len() < MOST_DEVIATIONS {
            self.deviations.push(Deviation::new(kind, offset, octets));
        }
    }

    /// Keeps or drops a literal that is no body.
    fn announced(
        &mut self,
        input: &mut BytesMut,
        line: Line,
        at: usize,
        literal: Announcement,
        limits: &FramingLimits,
    ) -> Result<(), FramingError> {
        let length = self.length(input, line, at, literal)?;
        self.line = None;
        self.held = line.next;
        self.literals += 1;
        let fits = usize::try_from(length)
            .ok()
            .filter(|length| {
                *length <= limits.literal && *length <= limits.buffered.saturating_sub(self.held)
            })
            .filter(|_| self.refused.is_none() && self.literals <= limits.literals);
        self.literal = match fits {
            Some(length) => Literal::Held(length),
            None if length > limits.discard => return Err(FramingError::Literal { length }),
            None => {
                self.refuse(input, self.held);
                Literal::Dropped(length)
            }
        };
        Ok(())
    }

    /// Drops `count` octets of a unit and keeps a part of the first for reports.
    fn refuse(&mut self, input: &mut BytesMut, count: usize) {
        if self.refused.is_none() {
            let octets = input.get(..count.min(MOST_RAW)).unwrap_or_default();
            let octets = Bytes::copy_from_slice(octets);
            self.refused = Some(Unit { octets, offset: self.offset, cut: true });
        }
        self.advance(input, count);
        self.held = 0;
    }

    /// Takes the unit that ends at `at`.
    fn unit(&mut self, input: &mut BytesMut, at: usize, limits: &FramingLimits) -> Unit {
        if self.refused.is_some() || at > limits.buffered {
            self.refuse(input, at);
        }
        match self.refused.take() {
            Some(refused) => refused,
            None => self.cut(input, at),
        }
    }

    /// Drops the line end that is at the front.
    fn end_line(&mut self, input: &mut BytesMut) {
        if let Some(line) = self.line.take() {
            let rest = line.next - line.end;
            self.advance(input, rest);
        }
    }

    /// Counts work, for the tests that it is linear.
    #[cfg(test)]
    const fn looked_at(&mut self, octets: usize) {
        self.work += octets;
    }

    #[cfg(not(test))]
    const fn looked_at(&self, _octets: usize) {}

    /// The response is complete.
    fn finish(&mut self) {
        self.mode = Mode::Start;
        self.offset = 0;
        self.literals = 0;
    }

    fn cut(&mut self, input: &mut BytesMut, count: usize) -> Unit {
        let offset = self.offset;
        self.moved(count);
        Unit { octets: input.split_to(count).freeze(), offset, cut: false }
    }

    fn advance(&mut self, input: &mut BytesMut, count: usize) {
        input.advance(count);
        self.moved(count);
    }

    /// The front of the buffer has moved by `count` octets.
    fn moved(&mut self, count: usize) {
        self.offset += count as u64;
        self.held = self.held.saturating_sub(count);
        if let Some(line) = &mut self.line {
            line.end = line.end.saturating_sub(count);
            line.next = line.next.saturating_sub(count);
            if let Some((at, _)) = &mut line.literal {
                *at = at.saturating_sub(count);
            }
        }
    }
}

fn at_most(left: u64, available: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(available)
}

#[cfg(test)]
mod tests;
