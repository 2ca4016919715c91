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
mod memory;
mod message;
mod metadata;
mod number;
mod search;
mod status;
mod structure;
mod tokens;
mod values;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind, Excerpt, Tolerance, Uid};

pub use self::error::{InvalidResponse, ParseResponseError, ResponseError, ResponseErrorKind};
pub use self::event::{BodyItem, ResponseEvent};
use self::fetch::Item;
pub use self::limits::ResponseLimits;
pub use self::memory::ParsedResponse;
use self::tokens::{Failure, Tokens};
use crate::types::FetchItem;
use crate::wire::{FramingError, MOST_RAW, ResponseFrame, ResponseFramer, Unit};

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
    /// What was found and not handed on.
    events: VecDeque<ResponseEvent>,
    /// Numbers of SEARCH that were not read.
    numbers: Unit,
    /// What the framer read although it should not be, in strict mode.
    fault: Option<Deviation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Between,
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
    /// In a SEARCH or SORT, behind so many spaces.
    Search {
        spaces: usize,
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
            events: VecDeque::new(),
            numbers: Unit::default(),
            fault: None,
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
        self.place == Place::Between && self.events.is_empty() && self.framer.is_between_responses()
    }

    /// What comes next; `None` until more of it is in the buffer, which must be that of the last call with
    /// more behind it.
    ///
    /// # Errors
    /// If it cannot be known where the next response begins, now or ever after.
    pub fn next_event(&mut self, input: &mut BytesMut) -> Result<Option<ResponseEvent>, FramingError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if !self.numbers.octets.is_empty() {
                self.number();
                continue;
            }
            let frame = self.framer.next_frame(input, &self.limits.framing())?;
            let Some(frame) = frame else { return Ok(None) };
            for deviation in core::mem::take(&mut self.framer.deviations) {
                match self.limits.tolerance {
                    Tolerance::Strict => self.fault = self.fault.take().or(Some(deviation)),
                    _ => self.events.push_back(ResponseEvent::Deviation(deviation)),
                }
            }
            self.frame(frame);
        }
    }

    fn frame(&mut self, frame: ResponseFrame) {
        match (frame, self.place) {
            (ResponseFrame::Message(unit), Place::Search { .. }) => {
                match self.read(&unit, search::mod_seq) {
                    Ok(mod_seq) => self.events.push_back(ResponseEvent::SearchModSeq(mod_seq)),
                    Err(_) => self.invalid(&unit, Failure::Expected("a number")),
                }
                self.end(ResponseEvent::SearchEnd);
            }
            (ResponseFrame::Message(unit), _) => self.message(&unit),
            (ResponseFrame::FetchBegin(unit), _) => self.fetch_begin(&unit),
            (ResponseFrame::SearchBegin(unit), _) => self.search_begin(&unit),
            (ResponseFrame::Numbers(unit), _) => self.numbers = unit,
            (ResponseFrame::SearchEnd, place) => {
                if matches!(place, Place::Search { spaces } if spaces > 0) {
                    self.trailing_space();
                }
                self.end(ResponseEvent::SearchEnd);
            }
            (frame, Place::Fetch { first, ignored, nul, binary }) => {
                self.fetch(frame, first, ignored, nul, binary);
            }
            // The framer gives frames of a FETCH only inside of one.
            (_, Place::Between | Place::Search { .. }) => {}
        }
    }

    /// Reads `unit` by `read`, and hands on the deviations.
    fn read<T>(
        &mut self,
        unit: &Unit,
        read: impl FnOnce(&mut Tokens<'_>) -> Result<T, Failure>,
    ) -> Result<T, ResponseError> {
        let mut deviations = Vec::new();
        let mut tokens = Tokens::new(unit, &self.limits, &mut deviations);
        let result = if unit.cut { Err(Failure::TooLarge) } else { read(&mut tokens) };
        let result = result.map_err(|failure| tokens.error(failure));
        if result.is_ok() {
            self.events.extend(deviations.into_iter().map(ResponseEvent::Deviation));
        }
        result
    }

    fn message(&mut self, unit: &Unit) {
        if let Some(fault) = self.fault.take() {
            return self.not_tolerated(unit.octets.clone(), fault);
        }
        match self.read(unit, message::message) {
            Ok(Some(response)) => self.events.push_back(ResponseEvent::Response(response)),
            Ok(None) => {}
            Err(error) => self.report(unit.octets.clone(), error),
        }
    }

    fn fetch_begin(&mut self, unit: &Unit) {
        let number = self.read(unit, message::fetch_number);
        let ignored = !matches!(number, Ok((1.., _)));
        match number {
            // Servers have been seen to number from 0; nothing can be said about such a message.
            Ok((0, _)) if self.limits.tolerance != Tolerance::Strict => {
                let deviation = Deviation::new(DeviationKind::Ignored, unit.offset, &unit.octets);
                self.events.push_back(ResponseEvent::Deviation(deviation));
            }
            Ok((0, _)) => self.invalid(unit, Failure::Expected("a number above zero")),
            Ok((number, uid)) => self.events.push_back(match Uid::new(number).filter(|_| uid) {
                Some(uid) => ResponseEvent::UidFetchBegin { uid },
                None => ResponseEvent::FetchBegin { number },
            }),
            Err(error) => self.report(unit.octets.clone(), error),
        }
        self.place = Place::Fetch { first: true, ignored, nul: None, binary: false };
    }

    fn fetch(&mut self, frame: ResponseFrame, first: bool, ignored: bool, nul: Option<u64>, binary: bool) {
        let next = Place::Fetch { first: false, ignored, nul: None, binary: false };
        if ignored {
            match frame {
                ResponseFrame::FetchEnd(_) => {
                    self.place = Place::Between;
                    self.fault = None;
                }
                _ => self.place = next,
            }
            return;
        }
        match frame {
            ResponseFrame::Item(unit) => {
                self.place = next;
                self.item(&unit, first);
            }
            ResponseFrame::Body { name, length, binary } => {
                let item = match self.read(&name, |tokens| fetch::body(tokens, first)) {
                    Ok(item) => item,
                    Err(_) => BodyItem::Other(name.octets),
                };
                self.place = Place::Fetch { first: false, ignored, nul: None, binary };
                self.events.push_back(ResponseEvent::BodyBegin { item, length });
            }
            ResponseFrame::Chunk(unit) => {
                if nul.is_none() && !binary {
                    let at = memchr::memchr(0, &unit.octets).map(|at| unit.offset + at as u64);
                    self.place = Place::Fetch { first: false, ignored, nul: at, binary };
                }
                self.events.push_back(ResponseEvent::BodyChunk(unit.octets));
            }
            ResponseFrame::BodyEnd => {
                if let Some(offset) = nul {
                    let deviation = Deviation::new(DeviationKind::Nul, offset, b"\0");
                    self.events.push_back(ResponseEvent::Deviation(deviation));
                }
                self.place = next;
                self.events.push_back(ResponseEvent::BodyEnd);
            }
            ResponseFrame::FetchEnd(unit) => {
                if let Err(error) = self.read(&unit, message::fetch_end) {
                    self.report(unit.octets.clone(), error);
                }
                self.end(ResponseEvent::FetchEnd);
            }
            // What else a framer gives is not of a FETCH.
            _ => {}
        }
    }

    fn item(&mut self, unit: &Unit, first: bool) {
        let mut deviations = Vec::new();
        let mut tokens = Tokens::new(unit, &self.limits, &mut deviations);
        let item = if unit.cut {
            tokens.note(DeviationKind::Ignored, 0);
            let (name, value) = fetch::raw(&mut tokens);
            Item::Value(FetchItem::Invalid { name, value })
        } else {
            fetch::item(&mut tokens, first)
        };
        self.events.extend(deviations.into_iter().map(ResponseEvent::Deviation));
        match item {
            Item::Value(item) => self.events.push_back(ResponseEvent::FetchItem(item)),
            Item::Body(item, octets) => {
                let length = octets.len() as u64;
                self.events.push_back(ResponseEvent::BodyBegin { item, length });
                if length > 0 {
                    self.events.push_back(ResponseEvent::BodyChunk(octets));
                }
                self.events.push_back(ResponseEvent::BodyEnd);
            }
        }
    }

    fn search_begin(&mut self, unit: &Unit) {
        let sorted = unit.octets.last().is_some_and(|octet| octet.eq_ignore_ascii_case(&b'T'));
        self.events.push_back(if sorted { ResponseEvent::SortBegin } else { ResponseEvent::SearchBegin });
        self.place = Place::Search { spaces: 0 };
        let read = self.read(unit, |tokens| {
            tokens.expect(b'*', "*")?;
            tokens.space()
        });
        if let Err(error) = read {
            self.report(unit.octets.clone(), error);
        }
    }

    /// Reads one of the numbers of SEARCH, or the spaces before one.
    fn number(&mut self) {
        let octets = &mut self.numbers.octets;
        let count = octets.iter().take_while(|octet| **octet == b' ').count();
        if count > 0 {
            let _ = octets.split_to(count);
            self.numbers.offset += count as u64;
            let Place::Search { spaces } = &mut self.place else { return };
            *spaces += count;
            return;
        }
        let length = memchr::memchr(b' ', octets).unwrap_or(octets.len());
        let digits = octets.split_to(length);
        let unit = Unit { octets: digits, offset: self.numbers.offset, cut: false };
        self.numbers.offset += length as u64;
        let Place::Search { spaces } = core::mem::replace(&mut self.place, Place::Search { spaces: 0 })
        else {
            return;
        };
        if spaces > 1 {
            let at = unit.offset - spaces as u64;
            self.deviation(Deviation::new(DeviationKind::ExtraSpace, at, b" "));
        }
        match self.read(&unit, |tokens| tokens.number32()) {
            Ok(number) if number > 0 => self.events.push_back(ResponseEvent::SearchNumber(number)),
            _ => self.invalid(&unit, Failure::Expected("a number above zero, of 32 bits")),
        }
    }

    fn trailing_space(&mut self) {
        let Place::Search { spaces } = self.place else { return };
        let at = self.numbers.offset - spaces as u64;
        self.deviation(Deviation::new(DeviationKind::TrailingSpace, at, b" "));
    }

    fn deviation(&mut self, deviation: Deviation) {
        match self.limits.tolerance {
            Tolerance::Strict => self.fault = self.fault.take().or(Some(deviation)),
            _ => self.events.push_back(ResponseEvent::Deviation(deviation)),
        }
    }

    /// The end of a FETCH or SEARCH; what strict mode refuses is told before it.
    fn end(&mut self, event: ResponseEvent) {
        if let Some(fault) = self.fault.take() {
            self.not_tolerated(Bytes::copy_from_slice(fault.bytes.as_bytes()), fault);
        }
        self.place = Place::Between;
        self.events.push_back(event);
    }

    fn not_tolerated(&mut self, raw: Bytes, fault: Deviation) {
        let kind = ResponseErrorKind::NotTolerated(fault.kind);
        self.report(raw, ResponseError { kind, offset: fault.offset, near: fault.bytes });
    }

    fn invalid(&mut self, unit: &Unit, kind: Failure) {
        let near = Excerpt::new(&unit.octets);
        self.report(unit.octets.clone(), ResponseError { kind, offset: unit.offset, near });
    }

    fn report(&mut self, mut raw: Bytes, error: ResponseError) {
        if raw.len() > MOST_RAW {
            // A copy, so that the rest is not kept.
            raw = Bytes::copy_from_slice(raw.get(..MOST_RAW).unwrap_or_default());
        }
        self.events.push_back(ResponseEvent::Invalid(InvalidResponse { raw, error }));
    }
}
