//! [`HeaderFilter`]: removes and collects fields of a message's own header while it streams by.
//!
//! RFC 5321 §4.4 (one Return-Path), RFC 8601 §5 (Authentication-Results that claim to be ours). Lines end
//! at LF; whether a CR stands before it does not matter here. What follows the first empty line is never
//! looked at.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::mem;

use bytes::{Buf as _, Bytes, BytesMut};
use mailwright_core::value::DomainName;

/// What is removed and what is collected.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HeaderRules {
    /// Names of fields to remove, in any case.
    pub remove: Vec<String>,
    /// `Authentication-Results` fields with this authserv-id are removed: they claim to be of this host.
    pub authserv_id: Option<String>,
    /// The name of a field whose values are collected.
    pub collect: Option<String>,
    /// The most octets to collect. Default 0.
    pub collect_limit: usize,
}

impl HeaderRules {
    /// The rules of final delivery: foreign `Return-Path` fields go.
    #[must_use]
    pub fn final_delivery() -> Self {
        Self { remove: Vec::from([String::from("Return-Path")]), ..Self::default() }
    }
}

/// Removes fields from a message as it streams by. The octets that stay are views of what was fed, except
/// for the few that were held back to see what they are.
pub struct HeaderFilter {
    rules: HeaderRules,
    /// The front of a field whose fate is open; bounded by [`MOST_HELD`].
    held: BytesMut,
    place: Place,
    fate: Fate,
    /// Values of the collected field, one behind the other.
    collected: Vec<u8>,
    /// Where they begin.
    starts: Vec<usize>,
    overflow: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of a line of the header.
    LineStart,
    /// Inside a line.
    Line,
    Body,
}

/// What happens to the field that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    Collected,
}

/// What the front of a line says.
#[derive(Debug, PartialEq, Eq)]
enum Front {
    /// More octets are needed.
    Open,
    /// It belongs to the field before.
    Continuation,
    /// A field; so many octets are its name and colon.
    Field(Fate, usize),
    /// The empty line.
    EndOfHeader,
}

/// Longer names are of no interest.
const MOST_NAME: usize = 64;
/// An `Authentication-Results` field that hides its authserv-id behind more than this goes.
const MOST_HELD: usize = 1024;
const AUTHENTICATION_RESULTS: &[u8] = b"Authentication-Results";

impl fmt::Debug for HeaderFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderFilter").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl HeaderFilter {
    /// A filter at the start of a message.
    #[must_use]
    pub fn new(rules: HeaderRules) -> Self {
        Self {
            rules,
            held: BytesMut::new(),
            place: Place::LineStart,
            fate: Fate::Stays,
            collected: Vec::new(),
            starts: Vec::new(),
            overflow: false,
        }
    }

    /// The values of the collected field so far, with their line ends; `None` if they are above the limit.
    #[must_use]
    pub fn collected(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let ends = self.starts.iter().skip(1).copied().chain([self.collected.len()]);
        let values = self.starts.iter().zip(ends).filter_map(|(start, end)| self.collected.get(*start..end));
        (!self.overflow).then_some(values)
    }

    /// Takes the next octets, and gives those that stay to `keep`.
    pub fn feed(&mut self, chunk: Bytes, keep: &mut impl FnMut(Bytes)) {
        let data = if self.held.is_empty() {
            chunk
        } else {
            self.held.extend_from_slice(&chunk);
            mem::take(&mut self.held).freeze()
        };
        self.filter(data, false, keep);
    }

    /// Gives what was held back at the end of the message.
    pub fn finish(&mut self, keep: &mut impl FnMut(Bytes)) {
        let data = mem::take(&mut self.held).freeze();
        self.filter(data, true, keep);
    }

    fn filter(&mut self, mut data: Bytes, end: bool, keep: &mut impl FnMut(Bytes)) {
        // Octets before `seen` stay and are not yet given away.
        let mut seen = 0;
        loop {
            let rest = data.get(seen..).unwrap_or_default();
            if rest.is_empty() || self.place == Place::Body {
                break;
            }
            if self.place == Place::LineStart {
                match self.front(rest, end) {
                    Front::Open => {
                        let front = data.split_off(seen);
                        self.held.extend_from_slice(&front);
                        break;
                    }
                    Front::Continuation => {}
                    Front::EndOfHeader => {
                        self.place = Place::Body;
                        continue;
                    }
                    Front::Field(Fate::Collected, name) => {
                        self.fate = Fate::Collected;
                        if !self.overflow {
                            self.starts.push(self.collected.len());
                        }
                        seen += name;
                    }
                    Front::Field(fate, _) => self.fate = fate,
                }
                self.place = Place::Line;
                continue;
            }
            let line_end = memchr::memchr(b'\n', rest);
            let length = line_end.map_or(rest.len(), |at| at + 1);
            match self.fate {
                Fate::Stays => seen += length,
                Fate::Collected => {
                    self.collect(rest.get(..length).unwrap_or_default());
                    seen += length;
                }
                Fate::Goes => {
                    let before = data.split_to(seen);
                    if !before.is_empty() {
                        keep(before);
                    }
                    data.advance(length);
                    seen = 0;
                }
            }
            if line_end.is_some() {
                self.place = Place::LineStart;
            }
        }
        if !data.is_empty() {
            keep(data);
        }
    }

    fn collect(&mut self, octets: &[u8]) {
        if self.collected.len() + octets.len() > self.rules.collect_limit {
            self.overflow = true;
            self.collected = Vec::new();
            self.starts = Vec::new();
        } else if !self.overflow {
            self.collected.extend_from_slice(octets);
        }
    }

    /// What the line that begins with `rest`, which is not empty, is.
    fn front(&self, rest: &[u8], end: bool) -> Front {
        let open = |otherwise| if end { otherwise } else { Front::Open };
        match rest {
            [b' ' | b'\t', ..] => return Front::Continuation,
            [b'\n', ..] | [b'\r', b'\n', ..] => return Front::EndOfHeader,
            [b'\r'] => return open(Front::Field(Fate::Stays, 0)),
            _ => {}
        }
        let length = rest.iter().take_while(|octet| matches!(octet, 33..=57 | 59..=126)).count();
        let name = rest.get(..length).unwrap_or_default();
        if length > MOST_NAME || !self.may_matter(name) {
            return Front::Field(Fate::Stays, 0);
        }
        // RFC 5322 §4.5: white space before the colon is obsolete, and read.
        let behind = rest.get(length..).unwrap_or_default();
        let spaces = behind.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        if spaces > MOST_NAME {
            return Front::Field(Fate::Stays, 0);
        }
        match behind.get(spaces) {
            None => return open(Front::Field(Fate::Stays, 0)),
            Some(b':') => {}
            Some(_) => return Front::Field(Fate::Stays, 0),
        }
        let colon = length + spaces + 1;
        let is = |wanted: &String| name.eq_ignore_ascii_case(wanted.as_bytes());
        if self.rules.remove.iter().any(is) {
            return Front::Field(Fate::Goes, 0);
        }
        if self.rules.collect.as_ref().is_some_and(is) {
            return Front::Field(Fate::Collected, colon);
        }
        if let Some(ours) = &self.rules.authserv_id
            && name.eq_ignore_ascii_case(AUTHENTICATION_RESULTS)
        {
            let value = rest.get(colon..).unwrap_or_default();
            return match authserv_id(value, end) {
                AuthservId::Open if rest.len() < MOST_HELD => Front::Open,
                AuthservId::Open => Front::Field(Fate::Goes, 0),
                AuthservId::Is(id) if is_same_host(id, ours) => Front::Field(Fate::Goes, 0),
                AuthservId::Is(_) | AuthservId::Absent => Front::Field(Fate::Stays, 0),
            };
        }
        Front::Field(Fate::Stays, 0)
    }

    /// Whether `start` is the start of a name that a rule is about.
    fn may_matter(&self, start: &[u8]) -> bool {
        let begins =
            |wanted: &[u8]| wanted.get(..start.len()).is_some_and(|front| front.eq_ignore_ascii_case(start));
        self.rules.remove.iter().chain(&self.rules.collect).any(|name| begins(name.as_bytes()))
            || (self.rules.authserv_id.is_some() && begins(AUTHENTICATION_RESULTS))
    }
}

/// The authserv-id at the front of a value.
enum AuthservId<'a> {
    /// More octets are needed.
    Open,
    Is(&'a [u8]),
    /// The value has none.
    Absent,
}

/// RFC 8601 §2.2: `[CFWS] authserv-id`, a token or quoted string.
fn authserv_id(value: &[u8], end: bool) -> AuthservId<'_> {
    let mut at = 0;
    let mut depth = 0_usize;
    loop {
        let Some(octet) = value.get(at) else {
            return if end { AuthservId::Absent } else { AuthservId::Open };
        };
        match octet {
            b'\n' => match value.get(at + 1) {
                Some(b' ' | b'\t') => {}
                None if !end => return AuthservId::Open,
                _ => return AuthservId::Absent,
            },
            b'\\' if depth > 0 => at += 1,
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b' ' | b'\t' | b'\r' => {}
            _ if depth > 0 => {}
            _ => break,
        }
        at += 1;
    }
    let rest = value.get(at..).unwrap_or_default();
    let quoted = rest.first() == Some(&b'"');
    let token = if quoted { rest.get(1..).unwrap_or_default() } else { rest };
    let ends = |octet: &u8| match octet {
        b'"' | b'\n' => true,
        b';' | b' ' | b'\t' | b'\r' | b'(' | b'/' => !quoted,
        _ => false,
    };
    match token.iter().position(ends) {
        Some(length) => AuthservId::Is(token.get(..length).unwrap_or_default()),
        None if end => AuthservId::Is(token),
        None => AuthservId::Open,
    }
}

fn is_same_host(id: &[u8], ours: &str) -> bool {
    if id.eq_ignore_ascii_case(ours.as_bytes()) {
        return true;
    }
    let Ok(text) = core::str::from_utf8(id) else { return false };
    same_domain(text, ours).unwrap_or(false)
}

/// RFC 8601 §5 with RFC 6531: A-label and U-label of one name are the same.
fn same_domain(one: &str, other: &str) -> Option<bool> {
    let read = |text: &str| {
        let name: DomainName = text.parse().ok()?;
        #[cfg(feature = "idna")]
        let name = name.normalise().unwrap_or(name);
        Some(name)
    };
    Some(read(one)? == read(other)?)
}

#[cfg(test)]
mod tests;
