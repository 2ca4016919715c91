//! [`Tokens`]: reads tokens off the octets of a response, and reports what should not be there.
//!
//! RFC 9051 §4, §9. The octets are those of the wire, literals with their announcements, so a place in them
//! is an offset and a part of them can be kept as it came.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind, ModSeq, Tolerance};

use super::error::{ResponseError, ResponseErrorKind};
use super::limits::ResponseLimits;
use super::number::digits;
use crate::encode::is_atom_octet;
use crate::types::{NumberSet, NumberSetError, OctetString};
use crate::wire::Unit;

pub(super) type Failure = ResponseErrorKind;

/// Deviations that are kept of one response, or of one item of FETCH.
const MOST_DEVIATIONS: usize = 100;
/// Memory that values may take apart from what their octets are worth.
const FREE_MEMORY: usize = 64 * 1024;
/// Octets of memory that values may take for each of the wire.
const MEMORY_PER_OCTET: usize = 8;

pub(super) struct Tokens<'a> {
    wire: &'a Bytes,
    /// What of `wire` is read, from its start.
    octets: &'a [u8],
    at: usize,
    /// Octets of the response before `wire`.
    base: u64,
    /// Octets that values may still take.
    memory: usize,
    pub(super) limits: &'a ResponseLimits,
    deviations: &'a mut Vec<Deviation>,
}

/// Whether something must be said of an octet inside quotes.
fn ends_run(octet: u8) -> bool {
    ENDS_RUN.get(usize::from(octet)).copied().unwrap_or_default()
}

const ENDS_RUN: [bool; 256] = {
    let mut ends = [false; 256];
    let mut octet = 0;
    while octet < ends.len() {
        #[expect(clippy::indexing_slicing, reason = "worked out when it is compiled")]
        {
            ends[octet] = matches!(octet, 0x22 | 0x5c | 0x0d | 0x0a | 0 | 0x80..);
        }
        octet += 1;
    }
    ends
};

/// A place to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    at: usize,
    deviations: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(
        unit: &'a Unit,
        limits: &'a ResponseLimits,
        deviations: &'a mut Vec<Deviation>,
    ) -> Self {
        let memory = FREE_MEMORY + MEMORY_PER_OCTET * unit.octets.len();
        let (wire, octets) = (&unit.octets, &*unit.octets);
        Self { wire, octets, at: 0, base: unit.offset, memory, limits, deviations }
    }

    /// Reads what was read from the place `from` to the place `to`.
    pub(super) fn within(&mut self, from: usize, to: usize) -> Tokens<'_> {
        let octets = self.octets.get(..to).unwrap_or(self.octets);
        let (base, memory) = (self.base, self.memory);
        Tokens {
            wire: self.wire,
            octets,
            at: from,
            base,
            memory,
            limits: self.limits,
            deviations: self.deviations,
        }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// What was read since the place `from`.
    pub(super) fn since(&self, from: usize) -> &'a [u8] {
        self.octets.get(from..self.at).unwrap_or_default()
    }

    /// Everything from the place `from` on, read or not.
    pub(super) fn whole(&self, from: usize) -> Bytes {
        self.keep(self.octets.get(from..).unwrap_or_default())
    }

    /// Octets that were read, as a view of the wire.
    pub(super) fn keep(&self, octets: &'a [u8]) -> Bytes {
        self.wire.slice_ref(octets)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { at: self.at, deviations: self.deviations.len() }
    }

    pub(super) fn rewind(&mut self, mark: Mark) {
        self.at = mark.at;
        self.deviations.truncate(mark.deviations);
    }

    /// Why reading stopped here.
    pub(super) fn error(&self, kind: Failure) -> ResponseError {
        let near = mailwright_core::value::Excerpt::new(self.rest());
        ResponseError { kind, offset: self.base + self.at as u64, near }
    }

    /// Reports what stands here and is read although it should not be; refuses it in strict mode.
    pub(super) fn deviate(&mut self, kind: DeviationKind) -> Result<(), Failure> {
        self.deviate_at(kind, self.at)
    }

    /// The same of a place that was passed.
    pub(super) fn deviate_at(&mut self, kind: DeviationKind, at: usize) -> Result<(), Failure> {
        if self.limits.tolerance == Tolerance::Strict {
            // Where it stands is where reading stops.
            self.at = at;
            return Err(Failure::NotTolerated(kind));
        }
        self.note(kind, at);
        Ok(())
    }

    /// Reports what was left out, in any mode.
    pub(super) fn note(&mut self, kind: DeviationKind, at: usize) {
        if self.deviations.len() < MOST_DEVIATIONS {
            let octets = self.octets.get(at..).unwrap_or_default();
            self.deviations.push(Deviation::new(kind, self.base + at as u64, octets));
        }
    }

    /// Accounts for memory that a value takes.
    pub(super) fn charge<T>(&mut self) -> Result<(), Failure> {
        self.memory = self.memory.checked_sub(size_of::<T>()).ok_or(Failure::TooLarge)?;
        Ok(())
    }

    /// Accounts for memory that an element takes, and adds it. Most collections have one element, and no
    /// room for more; later they grow by doubling.
    pub(super) fn push<T>(&mut self, elements: &mut Vec<T>, element: T) -> Result<(), Failure> {
        self.charge::<T>()?;
        if elements.is_empty() {
            if elements.capacity() == 0 {
                elements.reserve_exact(1);
            }
        } else {
            self.charge::<T>()?;
        }
        elements.push(element);
        Ok(())
    }

    pub(super) fn skip(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, octet: u8, what: &'static str) -> Result<(), Failure> {
        if self.skip(octet) { Ok(()) } else { Err(Failure::Expected(what)) }
    }

    /// Passes over spaces that should not be there.
    pub(super) fn no_spaces(&mut self) -> Result<(), Failure> {
        if self.peek() != Some(b' ') {
            return Ok(());
        }
        let start = self.at;
        self.at += self.count_spaces();
        let trailing = matches!(self.peek(), None | Some(b')'));
        let kind = if trailing { DeviationKind::TrailingSpace } else { DeviationKind::ExtraSpace };
        self.deviate_at(kind, start)
    }

    /// A space; more, and one before the end of something, should not be there.
    pub(super) fn space(&mut self) -> Result<(), Failure> {
        if self.plain_space() {
            return Ok(());
        }
        if self.peek() != Some(b' ') {
            return Err(Failure::Expected("a space"));
        }
        let start = self.at;
        let spaces = self.count_spaces();
        self.at += spaces;
        if matches!(self.peek(), None | Some(b')')) {
            self.deviate_at(DeviationKind::TrailingSpace, start)
        } else if spaces > 1 {
            self.deviate_at(DeviationKind::ExtraSpace, start)
        } else {
            Ok(())
        }
    }

    /// Passes over one space with a value behind it, as there nearly always is.
    #[inline]
    pub(super) fn plain_space(&mut self) -> bool {
        let found = matches!(self.rest(), [b' ', next, ..] if !matches!(next, b' ' | b')'));
        self.at += usize::from(found);
        found
    }

    fn count_spaces(&self) -> usize {
        self.rest().iter().take_while(|octet| **octet == b' ').count()
    }

    /// The end.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.no_spaces()?;
        if self.peek().is_none() { Ok(()) } else { Err(Failure::Expected("the end")) }
    }

    /// Octets for which `fits` holds; may be none.
    pub(super) fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest().iter().take_while(|octet| fits(**octet)).count();
        self.take(length)
    }

    /// The next `length` octets, or as many as there are.
    pub(super) fn take(&mut self, length: usize) -> &'a [u8] {
        let rest = self.rest();
        let taken = rest.get(..length).unwrap_or(rest);
        self.at += taken.len();
        taken
    }

    /// All that is left.
    pub(super) fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest();
        self.at = self.octets.len();
        rest
    }

    /// Octets up to a space or parenthesis.
    pub(super) fn word(&mut self) -> &'a [u8] {
        self.run(|octet| !matches!(octet, b' ' | b'(' | b')' | b'"' | b'\r' | b'\n'))
    }

    pub(super) fn atom(&mut self) -> Result<&'a [u8], Failure> {
        let atom = self.run(is_atom_octet);
        if atom.is_empty() { Err(Failure::Expected("an atom")) } else { Ok(atom) }
    }

    /// Passes over `word` if it comes next, in any case, and no atom goes on behind it.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        let rest = self.rest();
        let found = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !rest.get(word.len()).is_some_and(|octet| is_atom_octet(*octet));
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn astring(&mut self) -> Result<Bytes, Failure> {
        if let Some(string) = self.string_if_any()? {
            return Ok(string);
        }
        let start = self.at;
        let atom = self.run(|octet| is_atom_octet(octet) || octet == b']' || octet >= 0x80);
        if atom.is_empty() {
            return Err(Failure::Expected("a string"));
        }
        if !atom.is_ascii() {
            self.deviate_at(DeviationKind::EightBit, start)?;
        }
        Ok(self.keep(atom))
    }

    /// A quoted string or literal; `None` if something else comes.
    pub(super) fn string_if_any(&mut self) -> Result<Option<Bytes>, Failure> {
        match self.peek() {
            Some(b'"') => self.quoted().map(Some),
            Some(b'{') => self.literal().map(Some),
            Some(b'~') if self.rest().get(1) == Some(&b'{') => {
                self.at += 1;
                self.literal().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A string or NIL. A word in place of a string is one without quotes.
    pub(super) fn nstring(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.peek() == Some(b'"') {
            return self.quoted().map(Some);
        }
        if let Some(string) = self.string_if_any()? {
            return Ok(Some(string));
        }
        if self.keyword(b"NIL") {
            return Ok(None);
        }
        if self.peek().is_some_and(|octet| octet.is_ascii_alphabetic()) {
            self.deviate(DeviationKind::Unquoted)?;
            let atom = self.atom()?;
            return Ok(Some(self.keep(atom)));
        }
        Err(Failure::Expected("a string or NIL"))
    }

    /// A string; NIL in its place is an empty one.
    pub(super) fn string(&mut self) -> Result<Bytes, Failure> {
        let start = self.at;
        match self.nstring()? {
            Some(string) => Ok(string),
            None => {
                self.deviate_at(DeviationKind::UnexpectedNil, start)?;
                Ok(Bytes::new())
            }
        }
    }

    fn quoted(&mut self) -> Result<Bytes, Failure> {
        const WHAT: Failure = Failure::Expected("a quoted string");
        let start = self.at;
        let rest = self.rest();
        let mut end = 1;
        let (mut escaped, mut eight_bit) = (false, false);
        loop {
            let behind = rest.get(end..).ok_or(WHAT)?;
            end += behind.iter().position(|octet| ends_run(*octet)).ok_or(WHAT)?;
            match rest.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    end += 1;
                    // RFC 9051 §9: QUOTED-CHAR has neither CR nor LF, TEXT-CHAR no NUL.
                    if matches!(rest.get(end), Some(b'\r' | b'\n' | 0)) {
                        return Err(WHAT);
                    }
                    eight_bit |= rest.get(end).is_some_and(|octet| !octet.is_ascii());
                }
                Some(0x80..) => eight_bit = true,
                _ => return Err(WHAT),
            }
            end += 1;
        }
        let inner = rest.get(1..end).unwrap_or_default();
        if eight_bit && !(self.limits.utf8 && core::str::from_utf8(inner).is_ok()) {
            self.deviate(DeviationKind::EightBit)?;
        }
        self.at = start + end + 1;
        if !escaped {
            return Ok(self.keep(inner));
        }
        let mut plain = BytesMut::with_capacity(inner.len());
        let mut octets = inner.iter();
        while let Some(octet) = octets.next() {
            match (octet, octets.as_slice().first()) {
                (b'\\', Some(b'"' | b'\\')) => plain.put_u8(octets.next().copied().unwrap_or(b'\\')),
                (b'\\', _) => {
                    // A backslash that escapes nothing stands for itself.
                    self.deviate_at(DeviationKind::Ignored, start)?;
                    plain.put_u8(b'\\');
                }
                _ => plain.put_u8(*octet),
            }
        }
        Ok(plain.freeze())
    }

    fn literal(&mut self) -> Result<Bytes, Failure> {
        const WHAT: Failure = Failure::Expected("a literal");
        self.expect(b'{', "a literal")?;
        let length = usize::try_from(self.number()?).map_err(|_| WHAT)?;
        self.skip(b'+');
        self.expect(b'}', "a literal")?;
        self.skip(b'\r');
        self.expect(b'\n', "a literal")?;
        if self.rest().len() < length {
            return Err(WHAT);
        }
        let octets = self.take(length);
        Ok(self.keep(octets))
    }

    /// RFC 9051 §9: number64.
    pub(super) fn number(&mut self) -> Result<u64, Failure> {
        let rest = self.rest();
        let (mut value, count) = digits(rest);
        if count > 18 {
            let digit = |value: u64, octet: &u8| value.checked_mul(10)?.checked_add(u64::from(octet - b'0'));
            let number = rest.get(..count).unwrap_or_default().iter().try_fold(0, digit);
            value = number.ok_or(Failure::Expected("a number"))?;
        }
        if count == 0 {
            return Err(Failure::Expected("a number"));
        }
        self.at += count;
        Ok(value)
    }

    /// A number of 32 bits.
    pub(super) fn number32(&mut self) -> Result<u32, Failure> {
        u32::try_from(self.number()?).map_err(|_| Failure::Expected("a number of 32 bits"))
    }

    /// The same above zero.
    pub(super) fn above_zero(&mut self) -> Result<NonZeroU32, Failure> {
        NonZeroU32::new(self.number32()?).ok_or(Failure::Expected("a number above zero"))
    }

    /// RFC 7162 §7: `mod-sequence-valzer`, 63 bits.
    pub(super) fn mod_seq(&mut self) -> Result<ModSeq, Failure> {
        ModSeq::new(self.number()?).ok_or(Failure::Expected("a modification sequence"))
    }

    /// An astring as a value.
    pub(super) fn octets(&mut self) -> Result<OctetString, Failure> {
        OctetString::new(self.astring()?).map_err(|_| Failure::Expected("a string without NUL"))
    }

    /// A set of numbers, without `*`, of so many ranges at most.
    pub(super) fn number_set(&mut self, limit: usize) -> Result<NumberSet, Failure> {
        let text = self.run(|octet| octet.is_ascii_digit() || matches!(octet, b':' | b','));
        NumberSet::parse(text, limit).map_err(|error| match error {
            NumberSetError::TooMany { .. } => Failure::TooMany("ranges"),
            _ => Failure::Expected("a set of numbers"),
        })
    }

    /// Whether a value may end here.
    pub(super) fn is_behind_value(&self) -> bool {
        matches!(self.peek(), None | Some(b' ' | b')'))
    }

    /// Adds an element that `read` reads. One that cannot be read costs nothing but itself: its octets, which are
    /// `width` values, are kept in `invalid`.
    pub(super) fn element<T>(
        &mut self,
        width: usize,
        elements: &mut Vec<T>,
        invalid: &mut Vec<Bytes>,
        read: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<(), Failure> {
        let (mark, at) = (self.mark(), self.at);
        match read(self) {
            Ok(element) if self.is_behind_value() => return self.push(elements, element),
            Err(failure @ Failure::NotTolerated(_)) => return Err(failure),
            _ => {}
        }
        self.rewind(mark);
        self.note(DeviationKind::Ignored, at);
        self.skip_value()?;
        for _ in 1..width {
            let behind = self.mark();
            self.run(|octet| octet == b' ');
            if self.is_behind_value() {
                self.rewind(behind);
                break;
            }
            self.skip_value()?;
        }
        let raw = self.keep(self.since(at));
        self.push(invalid, raw)
    }

    /// The same for a list of elements.
    pub(super) fn elements<T>(
        &mut self,
        what: &'static str,
        width: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, Failure>,
    ) -> Result<(Vec<T>, Vec<Bytes>), Failure> {
        let mut invalid = Vec::new();
        let mut elements = Vec::new();
        self.expect(b'(', what)?;
        self.no_spaces()?;
        while !self.skip(b')') {
            self.element(width, &mut elements, &mut invalid, &mut read)?;
            if self.peek() != Some(b')') {
                self.space()?;
            }
        }
        elements.shrink_to_fit();
        Ok((elements, invalid))
    }

    /// A value of any kind as it stands.
    pub(super) fn raw_value(&mut self) -> Result<Bytes, Failure> {
        let from = self.at;
        self.skip_value()?;
        Ok(self.keep(self.since(from)))
    }

    /// `(` element, space, element … `)`.
    pub(super) fn list<T>(
        &mut self,
        what: &'static str,
        element: impl FnMut(&mut Self) -> Result<Option<T>, Failure>,
    ) -> Result<Vec<T>, Failure> {
        self.list_of(0, what, element)
    }

    /// The same with room for so many elements from the start, where there are mostly that many.
    pub(super) fn list_of<T>(
        &mut self,
        room: usize,
        what: &'static str,
        mut element: impl FnMut(&mut Self) -> Result<Option<T>, Failure>,
    ) -> Result<Vec<T>, Failure> {
        self.expect(b'(', what)?;
        let mut elements = Vec::with_capacity(room);
        self.no_spaces()?;
        while !self.skip(b')') {
            if let Some(element) = element(self)? {
                self.push(&mut elements, element)?;
            }
            if self.peek() != Some(b')') {
                self.space()?;
            }
        }
        if elements.capacity() > room {
            elements.shrink_to_fit();
        }
        Ok(elements)
    }

    /// Passes over one value of any kind: an atom, a string, a list of any depth within the limit.
    pub(super) fn skip_value(&mut self) -> Result<(), Failure> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'(') => {
                    depth += 1;
                    if depth > self.limits.nesting {
                        return Err(Failure::TooDeep);
                    }
                    self.at += 1;
                }
                Some(b')') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b' ') if depth > 0 => self.at += 1,
                None | Some(b' ' | b')') => return Err(Failure::Expected("a value")),
                Some(_) => {
                    if self.string_if_any()?.is_none() && self.word().is_empty() {
                        return Err(Failure::Expected("a value"));
                    }
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}
