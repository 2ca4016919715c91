//! Responses whose elements are handed on as they come: SEARCH, SORT, THREAD, VANISHED, ESEARCH. RFC 9051 §7.3.5,
//! RFC 3501 §7.2.5, RFC 5256 §4, RFC 7162 §3.2.10.
//!
//! Elements are read as tokens: words, commas, parentheses. What is held is where in the response the reader is,
//! never what it has read, and a token that does not belong where it stands costs nothing but itself.

mod extended;
mod thread;

use core::num::NonZeroU32;

use bytes::Bytes;
use mailwright_core::value::{DeviationKind, ModSeq, Uid, UidRange};

use self::extended::Extended;
use self::thread::ThreadReader;
use super::event::ResponseEvent;
use super::limits::ResponseLimits;
use super::number::digits;
use super::output::Output;
use super::tokens::Failure;
use crate::wire::{ListKind, Unit, ValueStart};

/// A response with elements that has begun.
#[derive(Clone, Debug)]
pub(super) struct List {
    kind: Kind,
    previous: Previous,
    /// Spaces since then.
    spaces: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    /// SEARCH or SORT.
    Search(Tail),
    Thread(ThreadReader),
    Vanished(Vanished),
    Extended(Extended),
}

/// What was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Previous {
    /// The name of the response, or of the value.
    Name,
    Word,
    Comma,
    Open,
    Close,
}

/// A word or a separator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Comma,
    Open,
    Close,
}

/// The same with its octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    /// Whether a comma stands before it.
    pub(super) behind_comma: bool,
    octets: &'a [u8],
    /// Octets of the response before it.
    offset: u64,
}

/// Where in `(MODSEQ n)` the reader is, which may stand behind the numbers: RFC 7162 §3.1.5, §3.1.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    None,
    Open,
    Name,
    Value,
    /// It cannot be read, which was said.
    Bad,
}

/// RFC 7162 §7: `expunged-resp`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Vanished {
    Start,
    Open,
    Earlier,
    /// UIDs follow.
    First,
    /// Behind UIDs, or a comma.
    Uids,
    /// In parentheses stands something else, `octets` at `offset`: what the rest means is not known. Reported when the
    /// response ends, as all of it is refused.
    Unknown {
        octets: Bytes,
        offset: u64,
    },
}

impl List {
    pub(super) fn new(kind: ListKind, output: &mut Output) -> Self {
        let kind = match kind {
            ListKind::Search => {
                output.push(ResponseEvent::SearchBegin);
                Kind::Search(Tail::None)
            }
            ListKind::Sort => {
                output.push(ResponseEvent::SortBegin);
                Kind::Search(Tail::None)
            }
            ListKind::Thread => {
                output.push(ResponseEvent::ThreadBegin);
                Kind::Thread(ThreadReader::default())
            }
            ListKind::Vanished => Kind::Vanished(Vanished::Start),
            ListKind::ExtendedSearch => Kind::Extended(Extended::new()),
        };
        Self { kind, previous: Previous::Name, spaces: 0 }
    }

    /// The number of a SEARCH that stands at the front of `octets` behind one space, and how many octets both are; `None`
    /// if there is anything else to say about it.
    pub(super) fn plain_number(&mut self, octets: &[u8]) -> Option<(u32, usize)> {
        let between = matches!(self.previous, Previous::Name | Previous::Word) && self.spaces == 0;
        if !between || !matches!(self.kind, Kind::Search(Tail::None)) {
            return None;
        }
        let octets = octets.strip_prefix(b" ")?;
        let (number, length) = digits(octets);
        if length > 10 || octets.get(length).is_some_and(|octet| *octet != b' ') {
            return None;
        }
        let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
        self.previous = Previous::Word;
        Some((number, 1 + length))
    }

    /// Reads the token at the front of `unit`, or the spaces there, and hands on what it says. Whether the token is within
    /// the limits: a line may not be longer than an element.
    pub(super) fn read(&mut self, unit: &mut Unit, limits: &ResponseLimits, output: &mut Output) -> bool {
        let spaces = unit.octets.iter().take_while(|octet| **octet == b' ').count();
        self.spaces += spaces;
        pass(unit, spaces);
        let length = match unit.octets.first() {
            None => return true,
            Some(b'(' | b')' | b',') => 1,
            Some(_) => {
                let ends = |octet: &u8| matches!(octet, b' ' | b'(' | b')' | b',');
                unit.octets.iter().position(ends).unwrap_or(unit.octets.len())
            }
        };
        if length + 1 >= limits.line {
            return false;
        }
        let octets = unit.octets.clone();
        let octets = octets.get(..length).unwrap_or_default();
        let (kind, next) = match octets {
            b"(" => (TokenKind::Open, Previous::Open),
            b")" => (TokenKind::Close, Previous::Close),
            b"," => (TokenKind::Comma, Previous::Comma),
            _ => (TokenKind::Word, Previous::Word),
        };
        let behind_comma = self.previous == Previous::Comma;
        let token = Token { kind, behind_comma, octets, offset: unit.offset };
        self.check_spaces(kind, unit.offset, limits, output);
        self.previous = next;
        pass(unit, length);
        match &mut self.kind {
            Kind::Search(tail) => search(tail, token, output),
            Kind::Thread(thread) => thread.read(token, limits, output),
            Kind::Vanished(vanished) => vanished.read(token, output),
            Kind::Extended(extended) => extended.element(token, output),
        }
        true
    }

    /// Reports spaces that should not be there, or are not there, before a token at `offset`.
    fn check_spaces(&mut self, kind: TokenKind, offset: u64, limits: &ResponseLimits, output: &mut Output) {
        let spaces = core::mem::take(&mut self.spaces);
        let wanted = match (self.previous, kind) {
            (Previous::Open | Previous::Comma, _) | (_, TokenKind::Close | TokenKind::Comma) => 0,
            (Previous::Close, TokenKind::Open) => 0,
            (Previous::Name | Previous::Word | Previous::Close, _) => 1,
        };
        let found = match () {
            () if spaces < wanted => DeviationKind::MissingSpace,
            () if spaces > wanted && kind == TokenKind::Close => DeviationKind::TrailingSpace,
            () if spaces > wanted => DeviationKind::ExtraSpace,
            () => return,
        };
        let shown: &[u8] = if spaces < wanted { b"" } else { b" " };
        output.deviation(found, offset - spaces as u64, shown, limits.tolerance);
    }

    /// Of ESEARCH: a value that came as a whole. Whether the next one comes by its elements, if it begins in this way.
    pub(super) fn value(
        &mut self,
        unit: &Unit,
        limits: &ResponseLimits,
        output: &mut Output,
    ) -> Option<ValueStart> {
        (self.previous, self.spaces) = (Previous::Name, 0);
        match &mut self.kind {
            Kind::Extended(extended) => extended.value(unit, limits, output),
            _ => None,
        }
    }

    /// Of ESEARCH: the value whose elements came is complete.
    pub(super) fn value_end(&mut self, offset: u64, output: &mut Output) {
        (self.previous, self.spaces) = (Previous::Name, 0);
        if let Kind::Extended(extended) = &mut self.kind {
            extended.elements_end(offset, output);
        }
    }

    /// The response ends at `offset`; unless it is `whole`, what could not be read before has been reported.
    pub(super) fn end(&mut self, offset: u64, whole: bool, limits: &ResponseLimits, output: &mut Output) {
        if self.spaces > 0 {
            let at = offset - self.spaces as u64;
            output.deviation(DeviationKind::TrailingSpace, at, b" ", limits.tolerance);
        }
        let (event, missing) = match &mut self.kind {
            Kind::Search(tail) => {
                let missing = !matches!(tail, Tail::None | Tail::Bad);
                (Some(ResponseEvent::SearchEnd), missing.then_some("the end of a modification sequence"))
            }
            Kind::Thread(thread) => {
                (Some(ResponseEvent::ThreadEnd), (!thread.is_complete()).then_some("the end of a thread"))
            }
            Kind::Vanished(Vanished::First | Vanished::Uids) => {
                let missing = self.previous != Previous::Word;
                (Some(ResponseEvent::VanishedEnd), missing.then_some("a set of UIDs"))
            }
            Kind::Vanished(Vanished::Unknown { octets, offset }) => {
                output.invalid(octets, *offset, Failure::Expected("EARLIER"));
                (None, None)
            }
            Kind::Vanished(_) => (None, Some("a set of UIDs")),
            Kind::Extended(extended) => {
                (Some(ResponseEvent::ExtendedSearchEnd), extended.end(output).then_some("a value"))
            }
        };
        if let Some(what) = missing.filter(|_| whole) {
            output.invalid(b"", offset, Failure::Expected(what));
        }
        output.refuse_fault();
        if let Some(event) = event {
            output.push(event);
        }
    }
}

/// Passes over octets at the front.
fn pass(unit: &mut Unit, count: usize) {
    let _ = unit.octets.split_to(count);
    unit.offset += count as u64;
}

impl Token<'_> {
    fn invalid(self, what: &'static str, output: &mut Output) {
        output.invalid(self.octets, self.offset, Failure::Expected(what));
    }

    fn is(self, word: &[u8]) -> bool {
        self.octets.eq_ignore_ascii_case(word)
    }

    fn number(self) -> Option<u64> {
        number(self.octets)
    }

    fn number32(self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn above_zero(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.number32()?)
    }

    /// A number or a range.
    fn range(self) -> Option<(NonZeroU32, NonZeroU32)> {
        let number = |octets| NonZeroU32::new(u32::try_from(number(octets)?).ok()?);
        let Some(colon) = memchr::memchr(b':', self.octets) else {
            return self.above_zero().map(|number| (number, number));
        };
        Some((number(self.octets.get(..colon)?)?, number(self.octets.get(colon + 1..)?)?))
    }

    /// Its octets on their own: what they were cut from may be large.
    fn raw(self) -> Bytes {
        Bytes::copy_from_slice(self.octets)
    }
}

/// RFC 9051 §9: number64.
fn number(digits: &[u8]) -> Option<u64> {
    let digit = |value: u64, octet: &u8| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    };
    digits.iter().try_fold(0, digit).filter(|_| !digits.is_empty())
}

fn search(tail: &mut Tail, token: Token<'_>, output: &mut Output) {
    let next = match (*tail, token.kind) {
        (Tail::None, TokenKind::Word) => {
            match token.above_zero() {
                Some(number) => output.push(ResponseEvent::SearchNumber(number.get())),
                None => token.invalid("a number above zero, of 32 bits", output),
            }
            return;
        }
        (Tail::None, TokenKind::Open) => Some(Tail::Open),
        (Tail::Open, TokenKind::Word) if token.is(b"MODSEQ") => Some(Tail::Name),
        (Tail::Name, TokenKind::Word) => token.number().and_then(ModSeq::new).map(|mod_seq| {
            output.push(ResponseEvent::SearchModSeq(mod_seq));
            Tail::Value
        }),
        (Tail::Value | Tail::Bad, TokenKind::Close) => Some(Tail::None),
        (Tail::Bad, _) => Some(Tail::Bad),
        _ => None,
    };
    *tail = next.unwrap_or_else(|| {
        token.invalid("numbers, or a modification sequence", output);
        match token.kind {
            TokenKind::Close => Tail::None,
            _ if *tail == Tail::None => Tail::None,
            _ => Tail::Bad,
        }
    });
}

impl Vanished {
    fn read(&mut self, token: Token<'_>, output: &mut Output) {
        *self = match (&*self, token.kind) {
            (Self::Start, TokenKind::Open) => Self::Open,
            (Self::Open, TokenKind::Word) if token.is(b"EARLIER") => Self::Earlier,
            (Self::Earlier, TokenKind::Close) => {
                output.push(ResponseEvent::VanishedBegin { earlier: true });
                Self::First
            }
            (Self::Open | Self::Earlier, _) => Self::Unknown { octets: token.raw(), offset: token.offset },
            (Self::Start, _) => {
                output.push(ResponseEvent::VanishedBegin { earlier: false });
                return self.uids(true, token, output);
            }
            (Self::First, _) => return self.uids(true, token, output),
            (Self::Uids, _) => return self.uids(false, token, output),
            (Self::Unknown { .. }, _) => return,
        };
    }

    fn uids(&mut self, first: bool, token: Token<'_>, output: &mut Output) {
        *self = Self::Uids;
        match token.kind {
            TokenKind::Comma if !first && !token.behind_comma => {}
            TokenKind::Word if first || token.behind_comma => match token.range() {
                Some((first, last)) => {
                    let uids = Uid::new(first.get()).zip(Uid::new(last.get()));
                    output.events.extend(
                        uids.map(|(first, last)| ResponseEvent::Vanished(UidRange::new(first, last))),
                    );
                }
                None => token.invalid("UIDs", output),
            },
            _ => token.invalid("UIDs", output),
        }
    }
}
