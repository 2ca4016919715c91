//! What a line part of a response says about its framing: what kind of response it begins, and whether it
//! announces a literal. RFC 9051 §9 (`response`, `resp-text`).

use bytes::Bytes;

use crate::types::Tag;
use crate::wire::Announcement;

/// What kind of response a line part begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Text for people, where nothing announces a literal.
    Text,
    /// A response code with strings, which goes on behind this line part if that announces a literal.
    Code,
    /// A FETCH; so many octets to its opening parenthesis, included.
    Fetch(usize),
    /// Anything else: data.
    Data,
}

/// A response whose elements are handed on as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    Search,
    Sort,
    Thread,
    Vanished,
    ExtendedSearch,
}

/// Whether the input begins with one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListHead {
    /// So many octets to the end of the word.
    Yes(ListKind, usize),
    No,
    /// More must come.
    Unknown,
}

/// Spaces behind `*` that are tolerated in front of SEARCH.
const MOST_SPACES: usize = 8;

pub(super) fn list(input: &[u8]) -> ListHead {
    let Some(rest) = input.strip_prefix(b"*") else {
        return if input.is_empty() { ListHead::Unknown } else { ListHead::No };
    };
    let spaces = rest.iter().take_while(|octet| **octet == b' ').count();
    let rest = rest.get(spaces..).unwrap_or_default();
    if spaces > MOST_SPACES || (spaces == 0 && !rest.is_empty()) {
        return ListHead::No;
    }
    let words: &[(&[u8], ListKind)] = match rest.first() {
        None => return ListHead::Unknown,
        Some(b'S' | b's') => &[(b"SEARCH", ListKind::Search), (b"SORT", ListKind::Sort)],
        Some(b'T' | b't') => &[(b"THREAD", ListKind::Thread)],
        Some(b'V' | b'v') => &[(b"VANISHED", ListKind::Vanished)],
        Some(b'E' | b'e') => &[(b"ESEARCH", ListKind::ExtendedSearch)],
        Some(_) => return ListHead::No,
    };
    for (word, kind) in words {
        let length = rest.len().min(word.len());
        if !rest.iter().zip(*word).all(|(octet, wanted)| octet.eq_ignore_ascii_case(wanted)) {
            continue;
        }
        return match rest.get(length) {
            None => ListHead::Unknown,
            Some(b' ' | b'\r' | b'\n') => ListHead::Yes(*kind, 1 + spaces + length),
            Some(_) => ListHead::No,
        };
    }
    ListHead::No
}

/// Reads the first line part of a response.
pub(super) fn read(line: &[u8]) -> Head {
    if let [b'*', b' ', b'0'..=b'9', ..] = line {
        return fetch(line).map_or(Head::Data, Head::Fetch);
    }
    if matches!(line, [b'+'] | [b'+', b' ', ..]) {
        return Head::Text;
    }
    if let Some(rest) = behind_status(line) {
        return match code_name(rest) {
            Some((name, behind)) if name.eq_ignore_ascii_case(b"BADCHARSET") => {
                if closing_bracket(behind).is_some() { Head::Text } else { Head::Code }
            }
            _ => Head::Text,
        };
    }
    // No number, no FETCH.
    if line.get(2).is_some_and(u8::is_ascii_alphabetic) {
        return Head::Data;
    }
    fetch(line).map_or(Head::Data, Head::Fetch)
}

/// Whether a line, perhaps unfinished, is one value with elements that do not count as its length: attributes and
/// extended data of LIST, a set of UIDs in a code.
pub(super) fn has_elements(line: &[u8]) -> bool {
    let start = line.get(..Tag::MAX + 64).unwrap_or(line);
    let any = |names: &[&[u8]], found: &[u8]| names.iter().any(|name| name.eq_ignore_ascii_case(found));
    if let Some((name, _)) = behind_status(start).and_then(code_name) {
        return any(&[b"COPYUID", b"APPENDUID", b"MODIFIED"], name);
    }
    let Some(rest) = start.strip_prefix(b"* ") else { return false };
    any(&[b"LIST"], word(skip_spaces(rest)).0)
}

/// What stands behind `* OK` or a tag and `OK`.
fn behind_status(line: &[u8]) -> Option<&[u8]> {
    let (first, rest) = word(line);
    let (second, rest) = word(skip_spaces(rest));
    let status = [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"];
    let found = status.into_iter().any(|status| status.eq_ignore_ascii_case(second))
        && (first == b"*" || Tag::new(Bytes::copy_from_slice(first)).is_ok());
    found.then_some(rest)
}

/// The name of a response code and what stands behind it.
fn code_name(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = skip_spaces(rest).strip_prefix(b"[")?;
    let end = inside.iter().position(|octet| matches!(octet, b' ' | b']')).unwrap_or(inside.len());
    inside.split_at_checked(end)
}

/// Where the bracket closes that is open; one in a quoted string is none.
pub(super) fn closing_bracket(part: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match part.get(at)? {
            b']' => return Some(at),
            b'"' if opens(part, at) => at = behind_quoted(part, at)?,
            _ => at += 1,
        }
    }
}

/// Whether the quote at `at` opens a string: it stands where a value may begin.
pub(super) fn opens(part: &[u8], at: usize) -> bool {
    match at.checked_sub(1) {
        Some(before) => matches!(part.get(before), Some(b' ' | b'(')),
        None => true,
    }
}

/// Behind the quoted string that begins at `at`; `None` if it does not end.
///
/// What closes it stands where a value may end. So quotes in it that are not escaped, as some servers write
/// them, hide neither the end of a line nor that of an item.
pub(super) fn behind_quoted(part: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', part.get(at..)?)?;
        if part.get(at) == Some(&b'\\') {
            at += 2;
            continue;
        }
        at += 1;
        if matches!(part.get(at), None | Some(b' ' | b')' | b']')) {
            return Some(at);
        }
    }
}

/// Whether a quoted string is open at the end.
pub(super) fn is_quoted(part: &[u8]) -> bool {
    let mut at = 0;
    while let Some(quote) = part.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        at += quote;
        if !opens(part, at) {
            at += 1;
            continue;
        }
        match behind_quoted(part, at) {
            Some(behind) => at = behind,
            None => return true,
        }
    }
    false
}

/// `* 12 FETCH (`, or UIDFETCH.
fn fetch(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(b"* ")?;
    let (number, rest) = word(skip_spaces(rest));
    let (name, rest) = word(skip_spaces(rest));
    if number.is_empty()
        || !number.iter().all(u8::is_ascii_digit)
        || !(name.eq_ignore_ascii_case(b"FETCH") || name.eq_ignore_ascii_case(b"UIDFETCH"))
        || rest.is_empty()
    {
        return None;
    }
    let inside = skip_spaces(rest).strip_prefix(b"(")?;
    Some(line.len() - inside.len())
}

/// Whether `start`, an item of FETCH up to its value, names a body.
pub(super) fn is_body(start: &[u8]) -> bool {
    let name = start.trim_ascii();
    let begins =
        |wanted: &[u8]| name.get(..wanted.len()).is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    [&b"RFC822"[..], b"RFC822.HEADER", b"RFC822.TEXT"].into_iter().any(|body| body.eq_ignore_ascii_case(name))
        || begins(b"BODY[")
        || begins(b"BINARY[")
}

/// Where a line part ends like an announcement at an argument position, and which.
pub(super) fn announcement(line: &[u8]) -> Option<(usize, Announcement)> {
    let rest = line.strip_suffix(b"}")?;
    let synchronising = !rest.ends_with(b"+");
    let rest = rest.strip_suffix(b"+").unwrap_or(rest);
    let count = rest.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
    let (before, digits) = rest.split_at_checked(rest.len() - count)?;
    let before = before.strip_suffix(b"{").filter(|_| count > 0)?;
    let binary = before.ends_with(b"~");
    let before = before.strip_suffix(b"~").unwrap_or(before);
    if !matches!(before.last(), Some(b' ' | b'(')) {
        return None;
    }
    let digit = |length: u64, digit: &u8| length.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    let length = digits.iter().try_fold(0, digit);
    let leading_zeros = digits.len() > 1 && digits.starts_with(b"0");
    Some((before.len(), Announcement { length, synchronising, binary, leading_zeros }))
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|octet| *octet == b' ').unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
}

fn skip_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|octet| **octet == b' ').count();
    text.get(spaces..).unwrap_or_default()
}
