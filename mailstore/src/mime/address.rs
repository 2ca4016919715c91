//! Address lists of an ENVELOPE.
//!
//! RFC 5322 §3.4 (addresses and groups), §4.4 (routes and other obsolete forms), RFC 3501 §7.4.2 and RFC
//! 9051 §7.5.2 (how they are shown). A list is cut into elements at commas; each element is read by itself,
//! so what is wrong with one costs no other. One pass over the tokens, no recursion.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::mem;

use super::lexer::{Lexer, is_space, trim, unquote};
use super::wire::{Audience, Writer};

/// Writes the addresses of all occurrences of a field as `"(" 1*address ")"`, or nothing if there are none,
/// and says whether there were more than `limit`.
pub(super) fn write<'a>(values: impl Iterator<Item = &'a [u8]>, limit: usize, out: &mut Writer) -> bool {
    let mut list = List { out, written: 0, limit, cut: false };
    for value in values {
        Elements::new(value).read(&mut list);
    }
    if list.written > 0 {
        list.out.wire(Audience::ALL, b")");
    }
    list.cut
}

/// An element of more tokens is no address of anybody; it is shown as its text.
const MOST_TOKENS: usize = 1000;

/// The list that is being written.
struct List<'a> {
    out: &'a mut Writer,
    written: usize,
    limit: usize,
    cut: bool,
}

impl List<'_> {
    /// Writes one address structure, or the marker of a group.
    fn push(
        &mut self,
        name: Option<&[u8]>,
        route: Option<&[u8]>,
        mailbox: Option<&[u8]>,
        host: Option<&[u8]>,
    ) {
        self.out.wire(Audience::ALL, if self.written == 0 { b"((" } else { b"(" });
        self.written += 1;
        for (field, end) in [(name, b" "), (route, b" "), (mailbox, b" "), (host, b")")] {
            self.out.nstring(Audience::ALL, field);
            self.out.wire(Audience::ALL, end);
        }
    }

    /// Whether there is no room; then the list is cut here.
    fn is_full(&mut self) -> bool {
        self.cut |= self.written >= self.limit;
        self.cut
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A run of octets without a meaning of their own, dots included.
    Atom,
    Quoted,
    /// A domain literal.
    Literal,
    Comment,
    Special(u8),
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a [u8],
    /// Quoted string, comment or literal: its end is there.
    closed: bool,
    /// White space or a comment stands before it.
    spaced: bool,
}

/// What ends an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Comma,
    Colon,
    Semicolon,
    Value,
}

/// The elements of one value.
struct Elements<'a> {
    value: &'a [u8],
    lexer: Lexer<'a>,
    /// Of the element that is being read.
    tokens: Vec<Token<'a>>,
    /// It has more tokens than are kept.
    overflow: bool,
    in_group: bool,
}

impl<'a> Elements<'a> {
    const fn new(value: &'a [u8]) -> Self {
        Self { value, lexer: Lexer::new(value), tokens: Vec::new(), overflow: false, in_group: false }
    }

    fn read(mut self, list: &mut List<'_>) {
        loop {
            let (raw, end) = self.element();
            let comments = self.tokens.iter().all(|token| token.kind == Kind::Comment && token.closed);
            let empty = comments && !self.overflow;
            if (!empty || end == End::Colon) && list.is_full() {
                break;
            }
            if end == End::Colon {
                // RFC 3501 §7.4.2: a group begins with NIL for its host and its name for the mailbox.
                let name = if self.overflow { None } else { phrase(&self.tokens) };
                list.push(None, None, Some(name.as_deref().unwrap_or(raw)), None);
                self.in_group = true;
            } else if !empty {
                match if self.overflow { None } else { Mailbox::read(&self.tokens) } {
                    Some(mailbox) => mailbox.write(list),
                    // Not NIL for the host: that would make it the marker of a group.
                    None => list.push(None, None, Some(raw), Some(b"")),
                }
            }
            if end == End::Semicolon || end == End::Value {
                if mem::take(&mut self.in_group) {
                    list.push(None, None, None, None);
                }
                if end == End::Value {
                    return;
                }
            }
        }
        if self.in_group {
            list.push(None, None, None, None);
        }
    }

    /// Reads the tokens up to the next separator, and gives the text of the element.
    fn element(&mut self) -> (&'a [u8], End) {
        self.tokens.clear();
        self.overflow = false;
        let start = self.value.len() - self.lexer.remaining();
        // In a route, which has commas of its own.
        let mut route = false;
        // There are words, and nothing else, so a colon would make them the name of a group.
        let (mut words, mut others) = (false, false);
        // What came last, comments aside, is the opening bracket.
        let mut opened = false;
        let mut spaced = false;
        let (end, length) = loop {
            spaced |= !self.lexer.take_while(is_space).is_empty();
            let here = self.value.len() - self.lexer.remaining();
            let Some(octet) = self.lexer.peek() else { break (End::Value, here) };
            let (kind, (text, closed)) = match octet {
                b'"' => (Kind::Quoted, self.lexer.quoted()),
                b'(' => (Kind::Comment, self.lexer.comment()),
                b'[' => (Kind::Literal, self.lexer.literal()),
                _ if is_special(octet) => (Kind::Special(octet), (self.lexer.advance(1), true)),
                _ => (Kind::Atom, (self.lexer.take_while(is_atom), true)),
            };
            match octet {
                b',' if !route => break (End::Comma, here),
                b';' => break (End::Semicolon, here),
                b':' if words && !others && !self.in_group => break (End::Colon, here),
                b':' | b'>' => route = false,
                b'@' if opened => route = true,
                _ => {}
            }
            match kind {
                Kind::Comment => {}
                Kind::Special(_) => others = true,
                Kind::Atom | Kind::Quoted | Kind::Literal => words = true,
            }
            opened = octet == b'<' || (opened && kind == Kind::Comment);
            if self.tokens.len() < MOST_TOKENS {
                self.tokens.push(Token { kind, text, closed, spaced });
            } else {
                self.overflow = true;
            }
            spaced = kind == Kind::Comment;
        };
        (trim(self.value.get(start..length).unwrap_or_default()), end)
    }
}

/// RFC 5322 §3.2.3 `specials`, without the dot, and without those that begin a longer token.
const fn is_special(octet: u8) -> bool {
    matches!(octet, b')' | b'<' | b'>' | b']' | b':' | b';' | b'@' | b'\\' | b',')
}

const fn is_atom(octet: u8) -> bool {
    !(is_special(octet) || is_space(octet) || matches!(octet, b'"' | b'(' | b'['))
}

/// RFC 5322 §3.4: `mailbox`.
struct Mailbox {
    name: Option<Vec<u8>>,
    route: Option<Vec<u8>>,
    local: Vec<u8>,
    domain: Vec<u8>,
}

impl Mailbox {
    fn write(&self, list: &mut List<'_>) {
        let (name, route) = (self.name.as_deref(), self.route.as_deref());
        list.push(name, route, Some(&self.local), Some(&self.domain));
    }

    fn read(tokens: &[Token<'_>]) -> Option<Self> {
        if tokens.iter().any(|token| !token.closed) {
            return None;
        }
        let comment = || {
            let last = tokens.iter().rfind(|token| token.kind == Kind::Comment)?;
            Some(trim(&unquote(last.text, true)).to_vec()).filter(|name| !name.is_empty())
        };
        let opens = tokens.iter().position(|token| token.kind == Kind::Special(b'<'));
        let Some(opens) = opens else {
            let (local, domain) = address(tokens)?;
            return Some(Self { name: comment(), route: None, local, domain });
        };
        let (before, inside) = (tokens.get(..opens)?, tokens.get(opens + 1..)?);
        let closes = inside.iter().position(|token| token.kind == Kind::Special(b'>'))?;
        if inside.get(closes + 1..)?.iter().any(|token| token.kind != Kind::Comment) {
            return None;
        }
        let inside = inside.get(..closes)?;
        let (route, inside) = route(inside)?;
        let (local, domain) = address(inside)?;
        let name = if before.iter().all(|token| token.kind == Kind::Comment) {
            comment()
        } else {
            Some(phrase(before)?)
        };
        Some(Self { name, route, local, domain })
    }
}

/// RFC 5322 §3.2.5 `phrase`, and the obsolete one with dots. Single spaces between the words; what stands in
/// quotes stays as it is. `@` is let through: many write an address where its name should be.
fn phrase(tokens: &[Token<'_>]) -> Option<Vec<u8>> {
    let mut phrase = Vec::new();
    let mut any = false;
    for token in tokens {
        let text = match token.kind {
            Kind::Comment => continue,
            Kind::Atom | Kind::Special(b'@') => Cow::Borrowed(token.text),
            Kind::Quoted if token.closed => unquote(token.text, true),
            Kind::Literal if token.closed => Cow::Borrowed(token.text),
            _ => return None,
        };
        if any && token.spaced {
            phrase.push(b' ');
        }
        any = true;
        phrase.extend_from_slice(&text);
    }
    any.then_some(phrase)
}

/// RFC 5322 §4.4 `obs-route`: what comes before the colon, if the part begins with `@`.
fn route<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Option<Vec<u8>>, &'t [Token<'a>])> {
    let first = tokens.iter().find(|token| token.kind != Kind::Comment)?;
    if first.kind != Kind::Special(b'@') {
        return Some((None, tokens));
    }
    let colon = tokens.iter().position(|token| token.kind == Kind::Special(b':'))?;
    let mut route = Vec::new();
    for token in tokens.get(..colon)? {
        match token.kind {
            Kind::Comment => {}
            Kind::Atom | Kind::Literal | Kind::Special(b'@' | b',') => route.extend_from_slice(token.text),
            _ => return None,
        }
    }
    Some((Some(route), tokens.get(colon + 1..)?))
}

/// RFC 5322 §3.4.1 `addr-spec`, without quotes, comments and white space.
fn address(tokens: &[Token<'_>]) -> Option<(Vec<u8>, Vec<u8>)> {
    let at = tokens.iter().position(|token| token.kind == Kind::Special(b'@'))?;
    let (local, domain) = (tokens.get(..at)?, tokens.get(at + 1..)?);
    let is_word = |kind| matches!(kind, Kind::Atom | Kind::Quoted);
    let is_label = |kind| matches!(kind, Kind::Atom | Kind::Literal);
    Some((joined(local, is_word)?, joined(domain, is_label)?))
}

/// Words with dots between them.
fn joined(tokens: &[Token<'_>], is_word: impl Fn(Kind) -> bool) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut before: Option<&[u8]> = None;
    for token in tokens.iter().filter(|token| token.kind != Kind::Comment) {
        let apart = before.is_none_or(|before| before.ends_with(b".") || token.text.starts_with(b"."));
        if !is_word(token.kind) || !apart {
            return None;
        }
        match token.kind {
            Kind::Quoted => text.extend_from_slice(&unquote(token.text, true)),
            _ => text.extend_from_slice(token.text),
        }
        before = Some(token.text);
    }
    before.map(|_| text)
}
