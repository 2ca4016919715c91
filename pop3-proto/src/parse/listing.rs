//! What STAT, LIST, UIDL and LANG say, at the client: RFC 1939 §5 and §7, RFC 6856 §3.2. Each line stands for itself.

use bytes::Bytes;
use mailwright_core::value::{Deviation, DeviationKind, Excerpt};
use nom::Parser as _;
use nom::bytes::complete::take_while1;

use super::{Step, numeral};
use crate::types::{LanguageTag, MessageNumber, Text, UniqueId};

/// What a listing says of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// From LIST.
    Size {
        /// Which message.
        number: MessageNumber,
        /// Its size in octets.
        octets: u64,
    },
    /// From UIDL.
    Id {
        /// Which message.
        number: MessageNumber,
        /// Its id.
        id: UniqueId,
    },
    /// From UIDL, with an id that is none by the RFC, where the host wants to see it all the same. Not
    /// fit for a path, nor for anything else that gives octets a meaning.
    RawId {
        /// Which message.
        number: MessageNumber,
        /// What stands behind the number.
        id: Text,
    },
    /// From LANG.
    Language {
        /// Which language.
        tag: LanguageTag,
        /// What it calls itself, or, where LANG has chosen it, what the server says in it; may be empty.
        text: Text,
    },
}

/// A line of a listing that cannot be used. It costs that line only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} in the listing line {line}")]
#[non_exhaustive]
pub struct EntryError {
    /// What is wrong.
    pub problem: EntryProblem,
    /// The line, or its beginning.
    pub line: Excerpt,
}

/// What is wrong with a line of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// The message number is none: no digits, 0, or more than 32 bits.
    #[error("bad message number")]
    Number,
    /// The size is none: no digits, or more than 64 bits.
    #[error("bad size")]
    Size,
    /// The id is empty, longer than 70 octets, or holds an octet outside 0x21 to 0x7E.
    #[error("bad unique id")]
    Id,
    /// The language tag is none.
    #[error("bad language tag")]
    Language,
    /// The line is above the limit.
    #[error("too many octets")]
    Overlong,
}

impl EntryError {
    pub(crate) fn new(problem: EntryProblem, line: &[u8]) -> Self {
        Self { problem, line: Excerpt::new(line) }
    }
}

/// Reads a line of LIST, or the text of `+OK` to LIST with a number. Departures that real servers show are handed
/// to `report`.
///
/// # Errors
/// If the line has no message number or no size.
#[inline]
pub fn listing_size(line: &[u8], report: &mut dyn FnMut(Deviation)) -> Result<Entry, EntryError> {
    let (number, rest) = number_and_rest(line, report)?;
    let bad = |_| EntryError::new(EntryProblem::Size, line);
    let (rest, octets) = size(rest, line, report).map_err(bad)?;
    trailing(rest, line, report);
    Ok(Entry::Size { number, octets })
}

/// Reads a line of UIDL, or the text of `+OK` to UIDL with a number. Departures that real servers show are handed
/// to `report`.
///
/// # Errors
/// If the line has no message number or no valid id.
#[inline]
pub fn listing_id(line: &[u8], report: &mut dyn FnMut(Deviation)) -> Result<Entry, EntryError> {
    let (number, rest) = number_and_rest(line, report)?;
    let bad = || EntryError::new(EntryProblem::Id, line);
    // Found and judged in one go: a long listing is made of these.
    let length = rest.iter().position(|octet| !UniqueId::may_hold(*octet)).unwrap_or(rest.len());
    let (id, rest) = rest.split_at_checked(length).ok_or_else(bad)?;
    if rest.first().is_some_and(|&octet| !blank(octet)) {
        return Err(bad());
    }
    let id = UniqueId::held(id).ok_or_else(bad)?;
    trailing(rest, line, report);
    Ok(Entry::Id { number, id })
}

/// Reads a line of UIDL whatever the id holds.
///
/// # Errors
/// If the line has no message number.
pub fn listing_raw_id(line: &[u8], report: &mut dyn FnMut(Deviation)) -> Result<Entry, EntryError> {
    let (number, rest) = number_and_rest(line, report)?;
    if UniqueId::new(rest).is_err() {
        report(Deviation::new(DeviationKind::UniqueId, (line.len() - rest.len()) as u64, rest));
    }
    Ok(Entry::RawId { number, id: Text::new(Bytes::copy_from_slice(rest)) })
}

/// Reads a line of LANG, or the text of `+OK` to LANG with a language.
///
/// # Errors
/// If it does not begin with a language tag.
pub fn listing_language(line: &[u8]) -> Result<Entry, EntryError> {
    let bad = || EntryError::new(EntryProblem::Language, line);
    // RFC 6856 §3.2: the tag, optionally followed by a single space and text.
    let length = memchr::memchr(b' ', line).unwrap_or(line.len());
    let (tag, text) = line.split_at_checked(length).ok_or_else(bad)?;
    let tag = core::str::from_utf8(tag).ok().and_then(|tag| LanguageTag::new(tag).ok()).ok_or_else(bad)?;
    let text = Text::new(Bytes::copy_from_slice(text.get(1..).unwrap_or_default()));
    Ok(Entry::Language { tag, text })
}

/// Reads the text of `+OK` to STAT: how many messages, how many octets. Further text is ignored, as
/// RFC 1939 §5 wants.
///
/// # Errors
/// If one of the two numbers is missing or does not fit.
pub fn two_numbers(text: &[u8], report: &mut dyn FnMut(Deviation)) -> Result<(u32, u64), EntryError> {
    let bad = |problem| EntryError::new(problem, text);
    let (rest, messages) = numeral(text).map_err(|_| bad(EntryProblem::Number))?;
    if messages.leading_zero {
        report(Deviation::new(DeviationKind::LeadingZero, 0, text));
    }
    let messages =
        messages.value.and_then(|value| u32::try_from(value).ok()).ok_or(bad(EntryProblem::Number))?;
    let rest = separator(rest, text, report).ok_or(bad(EntryProblem::Number))?;
    let (_, octets) = size(rest, text, report).map_err(|_| bad(EntryProblem::Size))?;
    Ok((messages, octets))
}

/// A message number and what stands behind the white space that must follow.
#[inline]
fn number_and_rest<'a>(
    line: &'a [u8],
    report: &mut dyn FnMut(Deviation),
) -> Result<(MessageNumber, &'a [u8]), EntryError> {
    let bad = || EntryError::new(EntryProblem::Number, line);
    let (rest, numeral) = numeral(line).map_err(|_| bad())?;
    let number = numeral.message().ok_or_else(bad)?;
    if numeral.leading_zero {
        report(Deviation::new(DeviationKind::LeadingZero, 0, line));
    }
    Ok((number, separator(rest, line, report).ok_or_else(bad)?))
}

/// Passes white space, of which there must be some; more than one space is reported.
fn separator<'a>(input: &'a [u8], line: &[u8], report: &mut dyn FnMut(Deviation)) -> Option<&'a [u8]> {
    if let [b' ', rest @ ..] = input {
        if rest.first().is_some_and(|&octet| !blank(octet)) {
            return Some(rest);
        }
    }
    let (rest, spaces) = blanks(input).ok()?;
    if spaces != b" " {
        report(Deviation::new(DeviationKind::ExtraSpace, (line.len() - input.len()) as u64, spaces));
    }
    Some(rest)
}

/// A size, which ends at white space or with the line.
fn size<'a>(input: &'a [u8], line: &[u8], report: &mut dyn FnMut(Deviation)) -> Result<(&'a [u8], u64), ()> {
    let (rest, numeral) = numeral(input).map_err(|_| ())?;
    if numeral.leading_zero {
        report(Deviation::new(DeviationKind::LeadingZero, (line.len() - input.len()) as u64, input));
    }
    if rest.first().is_some_and(|&octet| !blank(octet)) {
        return Err(());
    }
    Ok((rest, numeral.value.ok_or(())?))
}

/// Reports what stands behind the last field.
fn trailing(rest: &[u8], line: &[u8], report: &mut dyn FnMut(Deviation)) {
    if rest.is_empty() {
        return;
    }
    let kind = if rest.iter().all(|&octet| blank(octet)) {
        DeviationKind::TrailingSpace
    } else {
        DeviationKind::TrailingFields
    };
    report(Deviation::new(kind, (line.len() - rest.len()) as u64, rest));
}

const fn blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

fn blanks(input: &[u8]) -> Step<'_, &[u8]> {
    take_while1(blank).parse(input)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;

    fn read(
        parse: impl Fn(&[u8], &mut dyn FnMut(Deviation)) -> Result<Entry, EntryError>,
        line: &[u8],
    ) -> String {
        let mut deviations = String::new();
        let entry = parse(line, &mut |deviation| {
            deviations.push_str(&format!(", {}@{}", deviation.kind, deviation.offset))
        });
        match entry {
            Ok(Entry::Size { number, octets }) => format!("{number} {octets}{deviations}"),
            Ok(Entry::Id { number, id }) => format!("{number} {id}{deviations}"),
            Ok(Entry::RawId { number, id }) => format!("{number} raw {id}{deviations}"),
            Ok(Entry::Language { tag, text }) => format!("{tag} {text}"),
            Err(error) => format!("{}", error.problem),
        }
    }

    fn size(line: &[u8]) -> String {
        read(listing_size, line)
    }

    fn id(line: &[u8]) -> String {
        read(listing_id, line)
    }

    #[test]
    fn sizes_have_64_bits() {
        assert_eq!(size(b"1 120"), "1 120");
        assert_eq!(size(b"4294967295 18446744073709551615"), "4294967295 18446744073709551615");
        assert_eq!(size(b"1 18446744073709551616"), "bad size");
    }

    #[test]
    fn a_bad_line_is_an_error_of_that_line() {
        for line in [&b""[..], b"x 1", b"0 1", b"-1 1", b"4294967296 1", b"1", b"1x 2", b" 1 2"] {
            assert_eq!(size(line), "bad message number", "{}", line.escape_ascii());
        }
        for line in [&b"1 "[..], b"1 x", b"1 -1", b"1 12x", b"1 000000000000000000001"] {
            assert_eq!(size(line), "bad size", "{}", line.escape_ascii());
        }
        for line in [&b"1 "[..], b"1 \xff", b"1 a\0b", b"1 a\x7f"] {
            assert_eq!(id(line), "bad unique id", "{}", line.escape_ascii());
        }
        assert_eq!(id(&[b"1 ".as_slice(), &[b'a'; 71]].concat()), "bad unique id");
        assert_eq!(id(&[b"1 ".as_slice(), &[b'a'; 70]].concat()), format!("1 {}", "a".repeat(70)));
    }

    #[test]
    fn what_real_servers_do_is_tolerated_and_reported() {
        assert_eq!(size(b"1  120"), "1 120, extra white space@1");
        assert_eq!(size(b"1\t120"), "1 120, extra white space@1");
        assert_eq!(size(b"01 0120"), "1 120, leading zero@0, leading zero@3");
        assert_eq!(size(b"1 120 more"), "1 120, trailing fields@5");
        assert_eq!(id(b"1 .a "), "1 .a, trailing white space@4");
        assert_eq!(id(b"1 a b"), "1 a, trailing fields@3");
    }

    #[test]
    fn an_id_that_is_none_is_kept_and_reported_where_that_is_wanted() {
        let raw = |line: &[u8]| read(listing_raw_id, line);
        assert_eq!(raw(b"1 \xff"), "1 raw \\xff, not a valid unique id@2");
        assert_eq!(raw(b"1 "), "1 raw , not a valid unique id@2");
        assert_eq!(raw(b"1 good"), "1 raw good");
        assert_eq!(raw(b"x \xff"), "bad message number");
    }

    #[test]
    fn a_language_is_a_tag_and_text() {
        let language = |line: &[u8]| read(|line, _| listing_language(line), line);
        assert_eq!(language(b"en-boont English Boontling dialect"), "en-boont English Boontling dialect");
        assert_eq!(language("es Espa\u{f1}ol".as_bytes()), "es Espa\u{f1}ol");
        assert_eq!(language(b"sv"), "sv ");
        for line in [&b""[..], b" es", b"*", b"e\xff x", b"es\tx"] {
            assert_eq!(language(line), "bad language tag", "{}", line.escape_ascii());
        }
    }

    #[test]
    fn stat_needs_two_numbers_and_ignores_the_rest() {
        let stat = |text: &[u8]| two_numbers(text, &mut |_| {}).map_err(|error| error.problem);
        assert_eq!(stat(b"2 320"), Ok((2, 320)));
        assert_eq!(stat(b"0 0 octets"), Ok((0, 0)));
        assert_eq!(stat(b"2"), Err(EntryProblem::Number));
        assert_eq!(stat(b"2 x"), Err(EntryProblem::Size));
        assert_eq!(stat(b"4294967296 1"), Err(EntryProblem::Number));
        assert_eq!(stat(b""), Err(EntryProblem::Number));
    }
}
