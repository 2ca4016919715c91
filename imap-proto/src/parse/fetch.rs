//! The attributes of FETCH. RFC 9051 §9 (`fetch-att`, `section`).

use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::cursor::{Cursor, Failure};
use crate::types::{FetchAttribute, OctetString, Partial, Section, SectionPart, SectionText};

/// Attributes of one FETCH at most.
const MOST: usize = 256;
/// Names of header fields in one FETCH at most, so that what is made of them stays in proportion.
const MOST_NAMES: usize = 1000;
/// Part numbers of a section at most.
const MOST_PARTS: usize = 100;

/// `ALL`, `FULL`, `FAST`, one attribute, or a list of them.
pub(super) fn attributes(cursor: &mut Cursor<'_>) -> Result<Vec<FetchAttribute>, Failure> {
    if cursor.keyword(b"ALL") {
        return Ok(FetchAttribute::ALL.to_vec());
    }
    if cursor.keyword(b"FAST") {
        return Ok(FetchAttribute::FAST.to_vec());
    }
    if cursor.keyword(b"FULL") {
        return Ok(FetchAttribute::FULL.to_vec());
    }
    if cursor.peek() == Some(b'(') {
        return list(cursor);
    }
    Ok(Vec::from([attribute(cursor, &mut { MOST_NAMES })?]))
}

/// Attributes in parentheses.
pub(super) fn list(cursor: &mut Cursor<'_>) -> Result<Vec<FetchAttribute>, Failure> {
    let mut names = MOST_NAMES;
    cursor.list(1, (MOST, "fetch attributes"), |cursor| attribute(cursor, &mut names))
}

/// One attribute, with so many names of fields at most.
fn attribute(cursor: &mut Cursor<'_>, names_left: &mut usize) -> Result<FetchAttribute, Failure> {
    const WHAT: Failure = Failure::Expected("a fetch attribute");
    let name = cursor.run(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-'));
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    if is(b"BINARY") || is(b"BINARY.PEEK") {
        let part = binary_part(cursor)?;
        return Ok(FetchAttribute::Binary { peek: is(b"BINARY.PEEK"), part, partial: partial(cursor)? });
    }
    let peek = is(b"BODY.PEEK");
    if peek || (is(b"BODY") && cursor.peek() == Some(b'[')) {
        let section = section(cursor, names_left)?;
        let partial = partial(cursor)?;
        return Ok(FetchAttribute::BodySection { peek, section, partial });
    }
    Ok(match () {
        () if is(b"BODY") => FetchAttribute::Body,
        () if is(b"BINARY.SIZE") => FetchAttribute::BinarySize(binary_part(cursor)?),
        () if is(b"BODYSTRUCTURE") => FetchAttribute::BodyStructure,
        () if is(b"EMAILID") => FetchAttribute::EmailId,
        () if is(b"ENVELOPE") => FetchAttribute::Envelope,
        () if is(b"FLAGS") => FetchAttribute::Flags,
        () if is(b"INTERNALDATE") => FetchAttribute::InternalDate,
        () if is(b"MODSEQ") => FetchAttribute::ModSeq,
        () if is(b"PREVIEW") => FetchAttribute::Preview { lazy: lazy(cursor)? },
        () if is(b"RFC822") => FetchAttribute::Rfc822,
        () if is(b"RFC822.HEADER") => FetchAttribute::Rfc822Header,
        () if is(b"RFC822.SIZE") => FetchAttribute::Rfc822Size,
        () if is(b"RFC822.TEXT") => FetchAttribute::Rfc822Text,
        () if is(b"SAVEDATE") => FetchAttribute::SaveDate,
        () if is(b"THREADID") => FetchAttribute::ThreadId,
        () if is(b"UID") => FetchAttribute::Uid,
        () if is(b"X-GM-LABELS") => FetchAttribute::GmailLabels,
        () if is(b"X-GM-MSGID") => FetchAttribute::GmailMessageId,
        () if is(b"X-GM-THRID") => FetchAttribute::GmailThreadId,
        () => return Err(WHAT),
    })
}

/// RFC 8970 §6: the modifiers of PREVIEW, of which there is one.
fn lazy(cursor: &mut Cursor<'_>) -> Result<bool, Failure> {
    if !cursor.rest().starts_with(b" (") {
        return Ok(false);
    }
    cursor.space()?;
    let modifiers = cursor.list(1, (8, "modifiers"), |cursor| {
        if cursor.keyword(b"LAZY") { Ok(()) } else { Err(Failure::Expected("a modifier of PREVIEW")) }
    })?;
    Ok(!modifiers.is_empty())
}

/// RFC 3516 §7: `section-binary`, numbers alone.
fn binary_part(cursor: &mut Cursor<'_>) -> Result<SectionPart, Failure> {
    match section(cursor, &mut 0)? {
        Section { part, text: None } => Ok(part),
        Section { .. } => Err(Failure::Expected("a part number")),
    }
}

/// `[…]`.
pub(super) fn section(cursor: &mut Cursor<'_>, names_left: &mut usize) -> Result<Section, Failure> {
    cursor.expect(b'[', "a section")?;
    let mut part = Vec::new();
    while cursor.peek().is_some_and(|octet| octet.is_ascii_digit()) {
        let number = u32::try_from(cursor.number()?).ok().and_then(NonZeroU32::new);
        if part.len() == MOST_PARTS {
            return Err(Failure::TooMany("part numbers"));
        }
        part.push(number.ok_or(Failure::Expected("a part number"))?);
        if !cursor.skip(b'.') {
            cursor.expect(b']', "the end of a section")?;
            return Ok(Section::new(part, None));
        }
    }
    if part.is_empty() && cursor.skip(b']') {
        return Ok(Section::whole());
    }
    let name = cursor.run(|octet| octet.is_ascii_alphabetic() || octet == b'.');
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    let text = match () {
        () if is(b"HEADER") => SectionText::Header,
        () if is(b"TEXT") => SectionText::Text,
        // RFC 9051 §6.4.5: MIME must be prefixed by part numbers.
        () if is(b"MIME") && !part.is_empty() => SectionText::Mime,
        () if is(b"HEADER.FIELDS") || is(b"HEADER.FIELDS.NOT") => {
            cursor.space()?;
            let names = cursor.list(1, (*names_left, "header field names"), |cursor| {
                OctetString::new(cursor.astring()?).map_err(|_| Failure::Expected("a field name"))
            })?;
            *names_left -= names.len();
            SectionText::HeaderFields { not: name.len() > b"HEADER.FIELDS".len(), names }
        }
        () => return Err(Failure::Expected("a section")),
    };
    cursor.expect(b']', "the end of a section")?;
    Ok(Section::new(part, Some(text)))
}

/// `<first.count>`, if it comes.
fn partial(cursor: &mut Cursor<'_>) -> Result<Option<Partial>, Failure> {
    if !cursor.skip(b'<') {
        return Ok(None);
    }
    let first = cursor.number()?;
    cursor.expect(b'.', "a dot")?;
    let count = cursor.number()?;
    cursor.expect(b'>', "the end of a partial")?;
    // RFC 9051 §9: nz-number64.
    if count == 0 { Err(Failure::Expected("a count above zero")) } else { Ok(Some(Partial { first, count })) }
}
