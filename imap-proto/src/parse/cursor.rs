//! [`Cursor`]: reads tokens across line parts and literals.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind, Excerpt, ModSeq};

use super::error::CommandErrorKind;
use crate::encode::is_atom_octet;
use crate::types::{Atom, OctetString};

/// A line part and the literal behind it.
#[derive(Clone, Debug)]
pub(super) struct Fragment {
    pub(super) text: Bytes,
    /// `None` in the last part, or where the literal is still to come.
    pub(super) literal: Option<Bytes>,
    /// Whether it was announced as one that may hold NUL.
    pub(super) binary: bool,
}

impl Fragment {
    /// A line part without literal.
    pub(super) const fn new(text: Bytes) -> Self {
        Self { text, literal: None, binary: false }
    }

    /// Its octets with those of the literal.
    pub(super) fn octets(&self) -> usize {
        self.text.len() + self.literal.as_ref().map_or(0, Bytes::len)
    }
}

/// Memory that values may take apart from what their octets are worth, and for each octet. Half of 64 KiB and 8,
/// since a vector that grows is there twice.
const FREE_MEMORY: usize = 32 * 1024;
const MEMORY_PER_OCTET: usize = 4;

/// What a reader found that it did not expect.
pub(super) type Failure = CommandErrorKind;

pub(super) struct Cursor<'a> {
    fragments: &'a [Fragment],
    /// Which fragment.
    index: usize,
    /// Where in its text.
    at: usize,
    /// Octets that values may still take.
    memory: usize,
    /// What was read although it should not be.
    deviations: Vec<Deviation>,
    /// Whether UTF-8 was agreed on.
    utf8: bool,
    /// Whether a literal follows that has not come.
    announced: bool,
}

/// Deviations that are kept of one command.
const MOST_DEVIATIONS: usize = 100;

/// A place to begin at: which fragment, where in its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    index: usize,
    at: usize,
    deviations: usize,
}

impl Mark {
    pub(super) const START: Self = Self { index: 0, at: 0, deviations: 0 };
}

impl<'a> Cursor<'a> {
    /// At the start of `fragments`, which have so many octets together.
    pub(super) const fn new(fragments: &'a [Fragment], octets: usize) -> Self {
        let memory = FREE_MEMORY.saturating_add(octets.saturating_mul(MEMORY_PER_OCTET));
        Self { fragments, index: 0, at: 0, memory, deviations: Vec::new(), utf8: false, announced: false }
    }

    /// The same where UTF-8 was agreed on, or not; `announced`: whether a literal follows that has not come.
    pub(super) const fn of(mut self, utf8: bool, announced: bool) -> Self {
        (self.utf8, self.announced) = (utf8, announced);
        self
    }

    /// The same at a place that was reached before.
    pub(super) const fn starting_at(mut self, mark: Mark) -> Self {
        (self.index, self.at) = (mark.index, mark.at);
        self
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { index: self.index, at: self.at, deviations: self.deviations.len() }
    }

    pub(super) fn rewind(&mut self, mark: Mark) {
        (self.index, self.at) = (mark.index, mark.at);
        self.deviations.truncate(mark.deviations);
    }

    /// What was read although it should not be, so far.
    pub(super) fn take_deviations(&mut self) -> Vec<Deviation> {
        core::mem::take(&mut self.deviations)
    }

    /// Reports octets from the place `at` of the present line part on.
    fn deviate(&mut self, kind: DeviationKind, at: usize) {
        if self.deviations.len() < MOST_DEVIATIONS {
            let octets = self.text().get(at..).unwrap_or_default();
            self.deviations.push(Deviation::new(kind, self.before() + at as u64, octets));
        }
    }

    /// Octets before the present line part.
    fn before(&self) -> u64 {
        let before: usize = self.fragments.iter().take(self.index).map(Fragment::octets).sum();
        before as u64
    }

    /// Accounts for memory that a value takes.
    pub(super) fn charge(&mut self, octets: usize) -> Result<(), Failure> {
        self.memory = self.memory.checked_sub(octets).ok_or(Failure::TooLarge)?;
        Ok(())
    }

    /// Accounts for memory that an element takes, and adds it.
    pub(super) fn push<T>(&mut self, elements: &mut Vec<T>, element: T) -> Result<(), Failure> {
        self.charge(size_of::<T>())?;
        elements.push(element);
        Ok(())
    }

    fn text(&self) -> &'a Bytes {
        static EMPTY: Bytes = Bytes::new();
        self.fragments.get(self.index).map_or(&EMPTY, |fragment| &fragment.text)
    }

    /// Octets of the present line part that were not read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text().get(self.at..).unwrap_or_default()
    }

    /// The next octet of the line part; `None` at its end, where a literal or nothing follows.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Whether everything was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.peek().is_none() && self.index + 1 >= self.fragments.len() && !self.has_literal()
    }

    /// Whether a literal comes next.
    pub(super) fn has_literal(&self) -> bool {
        self.peek().is_none()
            && self.fragments.get(self.index).is_some_and(|fragment| fragment.literal.is_some())
    }

    /// Octets before the present place, and what stands there.
    pub(super) fn place(&self) -> (u64, Excerpt) {
        (self.before() + self.at as u64, Excerpt::new(self.rest()))
    }

    /// Passes over `octet` if it comes next.
    pub(super) fn skip(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// One or more spaces.
    pub(super) fn space(&mut self) -> Result<(), Failure> {
        if self.peek() != Some(b' ') {
            return Err(Failure::Expected("a space"));
        }
        self.skip_spaces();
        Ok(())
    }

    /// Any number of spaces, if `octet` follows them.
    pub(super) fn skip_spaces_before(&mut self, octet: u8) {
        let mark = self.mark();
        self.skip_spaces();
        if self.peek() != Some(octet) {
            self.rewind(mark);
        }
    }

    /// Where in the present line part.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// What was read of the present line part since the place `from`.
    pub(super) fn since(&self, from: usize) -> Bytes {
        self.text().slice(from.min(self.at)..self.at)
    }

    /// Any number of spaces. One stands between values; more, and any inside a parenthesis or at the end, should not be
    /// there.
    pub(super) fn skip_spaces(&mut self) {
        self.pass_spaces(true);
    }

    /// One or more spaces before text of any kind, where a parenthesis is none.
    pub(super) fn space_before_text(&mut self) -> Result<(), Failure> {
        if self.peek() != Some(b' ') {
            return Err(Failure::Expected("a space"));
        }
        self.pass_spaces(false);
        Ok(())
    }

    /// Passes over one space between values, as there nearly always is.
    fn plain_space(&mut self) -> bool {
        let before = self.at.checked_sub(1).and_then(|before| self.text().get(before));
        let found = matches!(self.rest(), [b' ', next, ..] if !matches!(next, b' ' | b')'));
        let found = found && before != Some(&b'(');
        self.at += usize::from(found);
        found
    }

    fn pass_spaces(&mut self, closes: bool) {
        if self.peek() != Some(b' ') || self.plain_space() {
            return;
        }
        let start = self.at;
        while self.skip(b' ') {}
        let spaces = self.at - start;
        let opened = start.checked_sub(1).and_then(|before| self.text().get(before)) == Some(&b'(');
        let ends = (closes && self.peek() == Some(b')')) || (self.is_at_end() && !self.announced);
        if ends {
            self.deviate(DeviationKind::TrailingSpace, start);
        } else if opened || spaces > 1 {
            self.deviate(DeviationKind::ExtraSpace, start);
        }
    }

    pub(super) fn expect(&mut self, octet: u8, what: &'static str) -> Result<(), Failure> {
        if self.skip(octet) { Ok(()) } else { Err(Failure::Expected(what)) }
    }

    /// Spaces, and then the end of the command.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.skip_spaces();
        if self.is_at_end() { Ok(()) } else { Err(Failure::Expected("the end of the command")) }
    }

    /// Octets for which `fits` holds; may be none.
    pub(super) fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|octet| !fits(*octet)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Octets of the present line part as a view of it.
    pub(super) fn keep(&self, octets: &'a [u8]) -> Bytes {
        self.text().slice_ref(octets)
    }

    /// An atom as a value.
    pub(super) fn word(&mut self) -> Result<Atom, Failure> {
        let atom = self.atom()?;
        Atom::new(self.keep(atom)).ok_or(Failure::Expected("an atom"))
    }

    /// An astring as a value.
    pub(super) fn octets(&mut self) -> Result<OctetString, Failure> {
        OctetString::new(self.astring()?).map_err(|_| Failure::Expected("a string without NUL"))
    }

    pub(super) fn atom(&mut self) -> Result<&'a [u8], Failure> {
        let atom = self.run(is_atom_octet);
        if atom.is_empty() { Err(Failure::Expected("an atom")) } else { Ok(atom) }
    }

    /// Octets that `fits`, a quoted string, or a literal.
    fn atom_or_string(&mut self, fits: impl Fn(u8) -> bool) -> Result<Bytes, Failure> {
        if let Some(string) = self.string_if_any()? {
            return Ok(string);
        }
        let start = self.at;
        let atom = self.run(fits);
        if !atom.is_ascii() {
            self.deviate(DeviationKind::EightBit, start);
        }
        if atom.is_empty() { Err(Failure::Expected("a string")) } else { Ok(self.keep(atom)) }
    }

    /// RFC 9051 §9: astring. Octets ≥ 0x80 are taken as well: what they mean is the value's business.
    pub(super) fn astring(&mut self) -> Result<Bytes, Failure> {
        self.atom_or_string(|octet| is_atom_octet(octet) || octet == b']' || octet >= 0x80)
    }

    /// RFC 9051 §9: list-mailbox.
    pub(super) fn list_mailbox(&mut self) -> Result<Bytes, Failure> {
        self.atom_or_string(|octet| is_atom_octet(octet) || matches!(octet, b']' | b'%' | b'*' | 0x80..))
    }

    /// A quoted string or literal; `None` if something else comes.
    pub(super) fn string_if_any(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.peek() == Some(b'"') {
            return self.quoted().map(Some);
        }
        let Some((literal, binary)) = self.literal_if_any() else { return Ok(None) };
        // RFC 9051 §9: CHAR8, so no NUL outside a binary literal, and such a one only where the grammar has it.
        if binary || memchr::memchr(0, &literal).is_some() {
            return Err(Failure::Expected("a string without NUL"));
        }
        Ok(Some(literal))
    }

    /// A literal, and whether it is binary.
    fn literal_if_any(&mut self) -> Option<(Bytes, bool)> {
        if self.peek().is_some() {
            return None;
        }
        let fragment = self.fragments.get(self.index)?;
        let literal = fragment.literal.clone()?;
        self.index += 1;
        self.at = 0;
        Some((literal, fragment.binary))
    }

    /// A string, a binary literal, or NIL.
    pub(super) fn nstring_or_binary(&mut self) -> Result<Option<Bytes>, Failure> {
        let mark = self.mark();
        if let Some((literal, true)) = self.literal_if_any() {
            return Ok(Some(literal));
        }
        self.rewind(mark);
        self.nstring()
    }

    pub(super) fn string(&mut self) -> Result<Bytes, Failure> {
        self.string_if_any()?.ok_or(Failure::Expected("a string"))
    }

    /// A string or NIL.
    pub(super) fn nstring(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Some(string) = self.string_if_any()? {
            return Ok(Some(string));
        }
        if self.keyword(b"NIL") { Ok(None) } else { Err(Failure::Expected("a string or NIL")) }
    }

    /// Passes over `word` if it comes next, in any case, and no atom goes on behind it.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        let rest = self.rest();
        let found = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !rest.get(word.len()).is_some_and(|octet| is_atom_octet(*octet));
        if found {
            self.at += word.len();
        }
        found
    }

    fn quoted(&mut self) -> Result<Bytes, Failure> {
        let text = self.rest();
        let mut escaped = false;
        let mut at = 1;
        loop {
            match text.get(at) {
                Some(b'"') => break,
                Some(b'\\') if matches!(text.get(at + 1), Some(b'"' | b'\\')) => {
                    escaped = true;
                    at += 2;
                }
                // RFC 9051 §9 (quoted): only quote and backslash are escaped; no NUL, CR or LF.
                Some(b'\\' | 0 | b'\r' | b'\n') => return Err(Failure::Expected("a quoted string")),
                Some(_) => at += 1,
                None => return Err(Failure::Expected("the end of a quoted string")),
            }
        }
        let inner = self.text().slice(self.at + 1..self.at + at);
        if !self.utf8 && !inner.is_ascii() {
            self.deviate(DeviationKind::EightBit, self.at);
        }
        self.at += at + 1;
        if !escaped {
            return Ok(inner);
        }
        let mut plain = BytesMut::with_capacity(inner.len());
        let mut octets = inner.iter();
        while let Some(octet) = octets.next() {
            plain.put_u8(if *octet == b'\\' { octets.next().copied().unwrap_or(b'\\') } else { *octet });
        }
        Ok(plain.freeze())
    }

    /// A number of 32 bits.
    pub(super) fn number32(&mut self) -> Result<u32, Failure> {
        u32::try_from(self.number()?).map_err(|_| Failure::Expected("a number of 32 bits"))
    }

    /// RFC 7162 §7 (`mod-sequence-valzer`): 63 bits.
    pub(super) fn mod_seq(&mut self) -> Result<ModSeq, Failure> {
        ModSeq::new(self.number()?).ok_or(Failure::Expected("a modification sequence"))
    }

    /// RFC 9051 §9: number64.
    pub(super) fn number(&mut self) -> Result<u64, Failure> {
        const WHAT: Failure = Failure::Expected("a number");
        let digits = self.run(|octet| octet.is_ascii_digit());
        if digits.is_empty() {
            return Err(WHAT);
        }
        digits
            .iter()
            .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
            .ok_or(WHAT)
    }

    /// `(` element, space, element … `)`; at least `least` elements, `limit` at most.
    pub(super) fn list<T>(
        &mut self,
        least: usize,
        limit: (usize, &'static str),
        mut element: impl FnMut(&mut Self) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let (limit, what) = limit;
        self.expect(b'(', "an opening parenthesis")?;
        let mut elements = Vec::new();
        self.skip_spaces();
        while !self.skip(b')') {
            if elements.len() == limit {
                return Err(Failure::TooMany(what));
            }
            let element = element(self)?;
            self.push(&mut elements, element)?;
            if self.peek() != Some(b')') {
                self.space()?;
            }
        }
        if elements.len() < least { Err(Failure::Expected(what)) } else { Ok(elements) }
    }
}
