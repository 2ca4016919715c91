//! [`Lexer`]: white space, comments, tokens and quoted strings of structured field values.
//!
//! RFC 5322 §3.2.1 (quoted pairs), §3.2.2 (comments), §3.2.4 (quoted strings); RFC 2045 §5.1 (`token`).
//! Values are unfolded before they get here. One pass, no recursion: comments are counted.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// A value that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Octets that are left.
    pub(super) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn advance(&mut self, length: usize) -> &'a [u8] {
        let (front, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        front
    }

    /// Takes `octet` if it is next.
    pub(super) fn accept(&mut self, octet: u8) -> bool {
        let next = self.peek() == Some(octet);
        if next {
            self.advance(1);
        }
        next
    }

    /// Takes octets as long as they are wanted.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|octet| !wanted(*octet)).unwrap_or(self.rest.len());
        self.advance(length)
    }

    /// Skips white space and comments.
    pub(super) fn skip_comments(&mut self) {
        loop {
            self.take_while(is_space);
            if self.peek() != Some(b'(') {
                return;
            }
            self.comment();
        }
    }

    /// Takes a comment with its parentheses, and says whether it is closed.
    pub(super) fn comment(&mut self) -> (&'a [u8], bool) {
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(octet) = self.rest.get(at) {
            at += 1;
            match octet {
                b'\\' => at += 1,
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return (self.advance(at), true);
                    }
                }
                _ => {}
            }
        }
        (self.advance(self.rest.len()), false)
    }

    /// Takes a token; empty if there is none.
    pub(super) fn token(&mut self) -> &'a [u8] {
        self.take_while(is_token)
    }

    /// Takes a domain literal with its brackets, and says whether it is closed.
    pub(super) fn literal(&mut self) -> (&'a [u8], bool) {
        self.until(b']')
    }

    /// Takes a quoted string with its quotes, and says whether it is closed.
    pub(super) fn quoted(&mut self) -> (&'a [u8], bool) {
        self.until(b'"')
    }

    /// Takes everything from the octet that is next through `end`, which is not in a quoted pair.
    fn until(&mut self, end: u8) -> (&'a [u8], bool) {
        let mut at = 1;
        while let Some(octet) = self.rest.get(at) {
            at += 1;
            if *octet == b'\\' {
                at += 1;
            } else if *octet == end {
                return (self.advance(at), true);
            }
        }
        (self.advance(self.rest.len()), false)
    }

    /// Goes on to the next `separator` that is in no quoted string and no comment.
    pub(super) fn skip_to(&mut self, separator: u8) {
        while let Some(octet) = self.peek() {
            match octet {
                b'"' => {
                    self.quoted();
                }
                b'(' => {
                    self.comment();
                }
                _ if octet == separator => return,
                _ => {
                    self.advance(1);
                }
            }
        }
    }
}

pub(super) const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// RFC 2045 §5.1: any US-ASCII octet but space, controls and tspecials.
const fn is_token(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(
            octet,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
        )
}

/// The octets between the delimiters of a quoted string or comment, without the backslashes of quoted pairs.
pub(super) fn unquote(quoted: &[u8], closed: bool) -> Cow<'_, [u8]> {
    let end = if closed { quoted.len() - 1 } else { quoted.len() };
    let inner = quoted.get(1..end).unwrap_or_default();
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut octets = Vec::with_capacity(inner.len());
    let mut pair = false;
    for octet in inner {
        if *octet == b'\\' && !pair {
            pair = true;
        } else {
            octets.push(*octet);
            pair = false;
        }
    }
    Cow::Owned(octets)
}

/// A value without white space at its ends.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|octet| !is_space(*octet)).unwrap_or(value.len());
    let end = value.iter().rposition(|octet| !is_space(*octet)).map_or(start, |at| at + 1);
    value.get(start..end).unwrap_or_default()
}
