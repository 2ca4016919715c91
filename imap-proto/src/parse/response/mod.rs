//! [`ResponseReader`]: reads what a server says, piece by piece. RFC 9051 §7, RFC 3501 §7.
//!
//! The framing is the work of `wire::ResponseFramer`; here what it cuts off becomes values. One thing that
//! cannot be read costs nothing but itself: an item its FETCH, a code its status, a response the connection.

mod access;
mod envelope;
mod error;
mod event;
mod fetch;
mod limits;
mod line;
mod list;
mod memory;
mod message;
mod metadata;
mod number;
mod output;
mod plain;
mod status;
mod structure;
mod tokens;
mod values;

use alloc::vec::Vec;

use bytes::{Buf as _, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind, Tolerance, Uid};

pub use self::error::{InvalidResponse, ParseResponseError, ResponseError, ResponseErrorKind};
pub use self::event::{BodyItem, ResponseEvent};
use self::fetch::Item;
pub use self::limits::ResponseLimits;
use self::line::Plain;
use self::list::List;
pub use self::memory::{ParsedResponse, ResponseCollector};
use self::output::Output;
use self::tokens::{Failure, Tokens};
use crate::types::FetchItem;
use crate::wire::{FramingError, ListKind, ResponseFrame, ResponseFramer, Unit};

/// Reads responses off the front of a buffer.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_imap::parse::{ResponseEvent, ResponseLimits, ResponseReader};
///
/// let mut reader = ResponseReader::new(ResponseLimits::default());
/// let mut input = BytesMut::from("* 12 FETCH (UID 7 BODY[] {5}\r\nhel");
/// let mut body = Vec::new();
/// while let Some(event) = reader.next_event(&mut input)? {
///     match event {
///         ResponseEvent::FetchBegin { number } => assert_eq!(number, 12),
///         ResponseEvent::BodyBegin { length, .. } => assert_eq!(length, 5),
///         ResponseEvent::BodyChunk(chunk) => body.extend_from_slice(&chunk),
///         _ => {}
///     }
/// }
/// assert_eq!(body, b"hel");
/// # Ok::<(), mailwright_imap::wire::FramingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResponseReader {
    limits: ResponseLimits,
    framer: ResponseFramer,
    place: Place,
    /// The response with elements that has begun.
    list: Option<List>,
    /// Elements of it that were not read.
    elements: Unit,
    /// What was not read of a FETCH in one line.
    line: Option<Unit>,
    /// Whether nothing is read but by the whole grammar.
    #[cfg(test)]
    only_grammar: bool,
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In nothing that comes in pieces.
    Between,
    /// In a response with elements.
    List,
    /// In a FETCH.
    Fetch {
        /// Whether the next item is the first.
        first: bool,
        /// Whether nothing of it is handed on.
        ignored: bool,
        /// Where the body that is read has NUL, if it should not: offset in the response.
        nul: Option<u64>,
        /// Whether the body may hold NUL.
        binary: bool,
    },
}

impl ResponseReader {
    /// A reader at the start of a response.
    #[must_use]
    pub fn new(limits: ResponseLimits) -> Self {
        Self {
            limits,
            framer: ResponseFramer::new(),
            place: Place::Between,
            list: None,
            elements: Unit::default(),
            line: None,
            #[cfg(test)]
            only_grammar: false,
            output: Output::default(),
        }
    }

    /// What it takes.
    #[must_use]
    pub const fn limits(&self) -> &ResponseLimits {
        &self.limits
    }

    /// What it takes, to be changed between responses.
    pub const fn limits_mut(&mut self) -> &mut ResponseLimits {
        &mut self.limits
    }

    /// Whether nothing of a response has been read that was not handed on completely. What is in the buffer
    /// does not count.
    #[must_use]
    pub fn is_between_responses(&self) -> bool {
        self.place == Place::Between && self.output.events.is_empty() && self.framer.is_between_responses()
    }

    /// What comes next; `None` until more of it is in the buffer, which must be that of the last call with
    /// more behind it.
    ///
    /// # Errors
    /// If it cannot be known where the next response begins, now or ever after.
    pub fn next_event(&mut self, input: &mut BytesMut) -> Result<Option<ResponseEvent>, FramingError> {
        if self.output.events.is_empty() && self.takes_plain() {
            // What nearly all responses have the form of.
            match self.place {
                Place::List => {
                    if let Some(number) = self.plain_number() {
                        return Ok(Some(ResponseEvent::SearchNumber(number)));
                    }
                }
                Place::Fetch { first, .. } => match self.plain_item(first) {
                    Plain::Item(item) => return Ok(Some(ResponseEvent::FetchItem(item.into()))),
                    Plain::End => return Ok(Some(ResponseEvent::FetchEnd)),
                    Plain::No => {}
                },
                Place::Between if self.framer.is_at_start() && input.starts_with(b"* ") => {
                    if let Some((count, number)) = self.plain_count(input) {
                        return Ok(Some(ResponseEvent::Response(count.response(number))));
                    }
                    if let Some(number) = self.plain_fetch(input) {
                        return Ok(Some(ResponseEvent::FetchBegin { number }));
                    }
                }
                Place::Between => {}
            }
        }
        self.read(input)
    }

    fn plain_count(&mut self, input: &mut BytesMut) -> Option<(plain::Count, u32)> {
        let (count, number, length) = plain::count(input)?;
        self.framer.pass(input, length, self.limits.line).then_some((count, number))
    }

    /// A number of SEARCH, if there is nothing else to say about it.
    fn plain_number(&mut self) -> Option<u32> {
        let (number, length) = self.list.as_mut()?.plain_number(&self.elements.octets)?;
        self.elements.octets.advance(length);
        self.elements.offset += length as u64;
        Some(number)
    }

    /// What comes next, by the whole grammar.
    #[inline(never)]
    fn read(&mut self, input: &mut BytesMut) -> Result<Option<ResponseEvent>, FramingError> {
        loop {
            if let Some(event) = self.output.events.pop_front() {
                return Ok(Some(event));
            }
            if let (Some(_), Place::Fetch { first, .. }) = (&self.line, self.place) {
                if let Some(event) = self.line_item(first) {
                    return Ok(Some(event));
                }
                continue;
            }
            if !self.elements.octets.is_empty() {
                if let Some(event) = self.element()? {
                    return Ok(Some(event));
                }
                continue;
            }
            let frame = self.framer.next_frame(input, &self.limits.framing())?;
            let Some(frame) = frame else { return Ok(None) };
            if !self.framer.deviations.is_empty() {
                for deviation in core::mem::take(&mut self.framer.deviations) {
                    self.output.tolerate(deviation, self.limits.tolerance);
                }
            }
            if let Some(event) = self.frame(frame) {
                return Ok(Some(event));
            }
        }
    }

    /// Whether what is nearly always the form of a response may be looked for.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests read by the whole grammar alone")]
    const fn takes_plain(&self) -> bool {
        true
    }

    #[cfg(test)]
    const fn takes_plain(&self) -> bool {
        !self.only_grammar
    }

    /// Reads one element.
    fn element(&mut self) -> Result<Option<ResponseEvent>, FramingError> {
        let Some(list) = &mut self.list else {
            self.elements = Unit::default();
            return Ok(None);
        };
        if list.read(&mut self.elements, &self.limits, &mut self.output) {
            return Ok(None);
        }
        self.elements = Unit::default();
        Err(self.framer.fail(FramingError::Line))
    }

    fn frame(&mut self, frame: ResponseFrame) -> Option<ResponseEvent> {
        match (frame, self.place, &mut self.list) {
            (frame, Place::Fetch { first, ignored, nul, binary }, _) => {
                self.fetch(frame, first, ignored, nul, binary)
            }
            (frame, Place::List, Some(list)) => {
                let (limits, output) = (&self.limits, &mut self.output);
                match frame {
                    ResponseFrame::Elements(unit) => self.elements = unit,
                    ResponseFrame::ElementsEnd(offset) => list.value_end(offset, output),
                    ResponseFrame::Value(unit) => {
                        if let Some(start) = list.value(&unit, limits, output) {
                            self.framer.stream_value(start);
                        }
                    }
                    ResponseFrame::ListEnd(offset) => {
                        list.end(offset, true, limits, output);
                        (self.list, self.place) = (None, Place::Between);
                    }
                    ResponseFrame::Message(unit) => {
                        // What is no element, up to the end.
                        output.invalid_unit(&unit, Failure::Expected("an element"));
                        list.end(unit.offset, false, limits, output);
                        (self.list, self.place) = (None, Place::Between);
                    }
                    // The framer gives frames of a FETCH only inside of one.
                    _ => {}
                }
                None
            }
            (ResponseFrame::Message(unit), ..) => self.message(&unit),
            (ResponseFrame::Fetch(line, head), ..) => self.fetch_line(line, head),
            (ResponseFrame::FetchBegin(unit), ..) => self.fetch_begin(&unit),
            (ResponseFrame::ListBegin(kind, unit), ..) => {
                self.list_begin(kind, &unit);
                None
            }
            _ => None,
        }
    }

    fn message(&mut self, unit: &Unit) -> Option<ResponseEvent> {
        if let Some(fault) = self.output.fault.take() {
            self.output.not_tolerated(unit.octets.clone(), fault);
            return None;
        }
        match self.output.read(unit, &self.limits, message::message) {
            Ok(response) => self.output.hand_on(ResponseEvent::Response(response?)),
            Err(error) => {
                self.output.report(unit.octets.clone(), error);
                None
            }
        }
    }

    fn list_begin(&mut self, kind: ListKind, unit: &Unit) {
        let read = self.output.read(unit, &self.limits, |tokens| {
            tokens.expect(b'*', "*")?;
            tokens.space()
        });
        if let Err(error) = read {
            self.output.report(unit.octets.clone(), error);
        }
        self.list = Some(List::new(kind, &mut self.output));
        self.place = Place::List;
    }

    fn fetch_begin(&mut self, unit: &Unit) -> Option<ResponseEvent> {
        let number = self.output.read(unit, &self.limits, message::fetch_number);
        let ignored = !matches!(number, Ok((1.., _)));
        self.place = Place::Fetch { first: true, ignored, nul: None, binary: false };
        match number {
            // Servers have been seen to number from 0; nothing can be said about such a message.
            Ok((0, _)) if self.limits.tolerance != Tolerance::Strict => {
                let deviation = Deviation::new(DeviationKind::Ignored, unit.offset, &unit.octets);
                self.output.hand_on(ResponseEvent::Deviation(deviation))
            }
            Ok((0, _)) => {
                self.output.invalid_unit(unit, Failure::Expected("a number above zero"));
                None
            }
            Ok((number, uid)) => self.output.hand_on(match Uid::new(number).filter(|_| uid) {
                Some(uid) => ResponseEvent::UidFetchBegin { uid },
                None => ResponseEvent::FetchBegin { number },
            }),
            Err(error) => {
                self.output.report(unit.octets.clone(), error);
                None
            }
        }
    }

    fn fetch(
        &mut self,
        frame: ResponseFrame,
        first: bool,
        ignored: bool,
        nul: Option<u64>,
        binary: bool,
    ) -> Option<ResponseEvent> {
        let next = Place::Fetch { first: false, ignored, nul: None, binary: false };
        if ignored {
            match frame {
                ResponseFrame::FetchEnd(_) => {
                    self.place = Place::Between;
                    self.output.fault = None;
                }
                _ => self.place = next,
            }
            return None;
        }
        match frame {
            ResponseFrame::Item(unit) => {
                self.place = next;
                self.item(&unit, first)
            }
            ResponseFrame::Body { name, length, binary } => {
                let item = match self.output.read(&name, &self.limits, |tokens| fetch::body(tokens, first)) {
                    Ok(item) => item,
                    Err(_) => BodyItem::Other(name.octets),
                };
                self.place = Place::Fetch { first: false, ignored, nul: None, binary };
                self.output.hand_on(ResponseEvent::BodyBegin { item, length })
            }
            ResponseFrame::Chunk(unit) => {
                if nul.is_none() && !binary {
                    let at = memchr::memchr(0, &unit.octets).map(|at| unit.offset + at as u64);
                    self.place = Place::Fetch { first: false, ignored, nul: at, binary };
                }
                self.output.hand_on(ResponseEvent::BodyChunk(unit.octets))
            }
            ResponseFrame::BodyEnd => {
                if let Some(offset) = nul {
                    let deviation = Deviation::new(DeviationKind::Nul, offset, b"\0");
                    self.output.push(ResponseEvent::Deviation(deviation));
                }
                self.place = next;
                self.output.hand_on(ResponseEvent::BodyEnd)
            }
            ResponseFrame::FetchEnd(unit) => self.fetch_ends(&unit),
            // What else a framer gives is not of a FETCH.
            _ => None,
        }
    }

    fn item(&mut self, unit: &Unit, first: bool) -> Option<ResponseEvent> {
        let mut deviations = Vec::new();
        let mut tokens = Tokens::new(unit, &self.limits, &mut deviations);
        let item = if unit.cut {
            tokens.note(DeviationKind::Ignored, 0);
            let (name, value) = fetch::raw(&mut tokens);
            Item::Value(FetchItem::Invalid { name, value })
        } else {
            fetch::item(&mut tokens, first)
        };
        self.output.tell(deviations);
        self.hand_on_item(item)
    }

    fn hand_on_item(&mut self, item: Item) -> Option<ResponseEvent> {
        match item {
            Item::Value(item) => self.output.hand_on(ResponseEvent::FetchItem(item)),
            Item::Body(item, octets) => {
                let length = octets.len() as u64;
                self.output.push(ResponseEvent::BodyBegin { item, length });
                if length > 0 {
                    self.output.push(ResponseEvent::BodyChunk(octets));
                }
                self.output.push(ResponseEvent::BodyEnd);
                None
            }
        }
    }

    /// What stands behind the items of a FETCH.
    fn fetch_ends(&mut self, unit: &Unit) -> Option<ResponseEvent> {
        if let Err(error) = self.output.read(unit, &self.limits, message::fetch_end) {
            self.output.report(unit.octets.clone(), error);
        }
        self.fetch_end()
    }

    /// The end of a FETCH; what strict mode refuses is told before it.
    fn fetch_end(&mut self) -> Option<ResponseEvent> {
        self.output.refuse_fault();
        self.place = Place::Between;
        self.output.hand_on(ResponseEvent::FetchEnd)
    }
}

#[cfg(test)]
mod tests;
