//! [`Cursor`]: reads tokens across line parts and literals.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::Excerpt;

use super::error::CommandErrorKind;
use crate::encode::is_atom_octet;

/// A line part and the literal behind it.
#[derive(Clone, Debug)]
pub(super) struct Fragment {
    pub(super) text: Bytes,
    /// `None` in the last part, or where the literal is still to come.
    pub(super) literal: Option<Bytes>,
}

/// What a reader found that it did not expect.
pub(super) type Failure = CommandErrorKind;

pub(super) struct Cursor<'a> {
    fragments: &'a [Fragment],
    /// Which fragment.
    index: usize,
    /// Where in its text.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(fragments: &'a [Fragment]) -> Self {
        Self { fragments, index: 0, at: 0 }
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
        let before = self.fragments.iter().take(self.index);
        let before: usize = before
            .map(|fragment| fragment.text.len() + fragment.literal.as_ref().map_or(0, Bytes::len))
            .sum();
        ((before + self.at) as u64, Excerpt::new(self.rest()))
    }

    /// Passes over `octet` if it comes next.
    pub(super) fn skip(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// One or more spaces.
    pub(super) fn space(&mut self) -> Result<(), Failure> {
        if !self.skip(b' ') {
            return Err(Failure::Expected("a space"));
        }
        self.skip_spaces();
        Ok(())
    }

    /// Any number of spaces.
    pub(super) fn skip_spaces(&mut self) {
        while self.skip(b' ') {}
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
    pub(super) fn run(&mut self, fits: impl Fn(u8) -> bool) -> Bytes {
        let length = self.rest().iter().take_while(|octet| fits(**octet)).count();
        let run = self.text().slice(self.at..self.at + length);
        self.at += length;
        run
    }

    pub(super) fn atom(&mut self) -> Result<Bytes, Failure> {
        let atom = self.run(is_atom_octet);
        if atom.is_empty() { Err(Failure::Expected("an atom")) } else { Ok(atom) }
    }

    /// Octets that `fits`, a quoted string, or a literal.
    fn atom_or_string(&mut self, fits: impl Fn(u8) -> bool) -> Result<Bytes, Failure> {
        if let Some(string) = self.string_if_any()? {
            return Ok(string);
        }
        let atom = self.run(fits);
        if atom.is_empty() { Err(Failure::Expected("a string")) } else { Ok(atom) }
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
        if self.has_literal() {
            let literal = self.fragments.get(self.index).and_then(|fragment| fragment.literal.clone());
            // RFC 9051 §9: CHAR8, so no NUL outside a binary literal.
            if literal.as_ref().is_some_and(|literal| memchr::memchr(0, literal).is_some()) {
                return Err(Failure::Expected("a string without NUL"));
            }
            self.index += 1;
            self.at = 0;
            return Ok(literal);
        }
        Ok(None)
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
            elements.push(element(self)?);
            if self.peek() != Some(b')') {
                self.space()?;
            }
        }
        if elements.len() < least { Err(Failure::Expected(what)) } else { Ok(elements) }
    }
}
