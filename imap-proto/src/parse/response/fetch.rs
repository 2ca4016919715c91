//! The items of FETCH. RFC 9051 §7.5.2, §9 (`msg-att`), RFC 3501 §7.4.2.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::ops::Range;

use bytes::Bytes;
use mailwright_core::value::{DeviationKind, ModSeq, Uid};

use super::envelope::envelope;
use super::event::BodyItem;
use super::structure::structure;
use super::tokens::{Failure, Tokens};
use super::{number, values};
use crate::types::{DateTime, FetchItem, OctetString, Section, SectionPart, SectionText};

/// Part numbers of a section at most.
const MOST_PARTS: usize = 100;

/// What an item is.
pub(super) enum Item {
    /// A value.
    Value(FetchItem),
    /// A body that was sent as a quoted string.
    Body(BodyItem, Bytes),
}

/// An item with the space before it. What cannot be read is unknown.
pub(super) fn item(tokens: &mut Tokens<'_>, first: bool) -> Item {
    let start = tokens.mark();
    let read = separation(tokens, first).and_then(|()| {
        let from = tokens.at();
        let name = name(tokens)?;
        let to = tokens.at();
        tokens.space()?;
        let item = value(tokens, name, from..to)?;
        if item.is_some() {
            tokens.end()?;
        }
        Ok(item)
    });
    let invalid = match read {
        Ok(Some(item)) => return item,
        // A name that is not known is nothing to complain about.
        Ok(None) => None,
        Err(_) => Some(tokens.at()),
    };
    tokens.rewind(start);
    if let Some(at) = invalid {
        tokens.note(DeviationKind::Ignored, at);
    }
    let (name, value) = raw(tokens);
    Item::Value(match invalid {
        Some(_) => FetchItem::Invalid { name, value },
        None => FetchItem::Unknown { name, value },
    })
}

/// An item that stands in front of others and is known and without fault; else `None`, and nothing is said of what was
/// read.
pub(super) fn whole(tokens: &mut Tokens<'_>, first: bool) -> Option<Item> {
    separation(tokens, first).ok()?;
    let from = tokens.at();
    let name = name(tokens).ok()?;
    let to = tokens.at();
    tokens.space().ok()?;
    let item = value(tokens, name, from..to).ok()??;
    matches!(tokens.peek(), Some(b' ' | b')')).then_some(item)
}

/// Name and value of an item as they came.
pub(super) fn raw(tokens: &mut Tokens<'_>) -> (Bytes, Bytes) {
    tokens.run(|octet| octet == b' ');
    let before = tokens.mark();
    let name = name(tokens).unwrap_or_else(|_| {
        tokens.rewind(before);
        b""
    });
    tokens.run(|octet| octet == b' ');
    let value = tokens.take_rest();
    (tokens.keep(name), tokens.keep(value))
}

/// The item that is named before a body.
pub(super) fn body(tokens: &mut Tokens<'_>, first: bool) -> Result<BodyItem, Failure> {
    separation(tokens, first)?;
    let from = tokens.at();
    let name = name(tokens)?;
    let to = tokens.at();
    tokens.run(|octet| octet == b' ');
    Ok(body_item(tokens, name, from..to).unwrap_or_else(|| BodyItem::Other(tokens.keep(name))))
}

fn separation(tokens: &mut Tokens<'_>, first: bool) -> Result<(), Failure> {
    if first { tokens.no_spaces() } else { tokens.space() }
}

/// The name with its section and origin. A section has a space only before a list and in it.
fn name<'a>(tokens: &mut Tokens<'a>) -> Result<&'a [u8], Failure> {
    let start = tokens.at();
    tokens.run(|octet| !matches!(octet, b' ' | b'(' | b'[' | b']'));
    let mut section = false;
    let mut list = false;
    loop {
        match tokens.peek() {
            Some(b'"' | b'{') if list => {
                tokens.string_if_any()?;
                continue;
            }
            Some(b'[') => section = true,
            Some(b']') if !list => section = false,
            Some(b'(') if section => list = true,
            Some(b')') if list => list = false,
            Some(b' ') if list || (section && tokens.rest().get(1) == Some(&b'(')) => {}
            None | Some(b' ' | b'(') => break,
            Some(_) => {}
        }
        tokens.take(1);
    }
    let name = tokens.since(start);
    if name.is_empty() { Err(Failure::Expected("the name of an item")) } else { Ok(name) }
}

/// The value of a known item; `None` if the name is not known.
fn value(tokens: &mut Tokens<'_>, name: &[u8], place: Range<usize>) -> Result<Option<Item>, Failure> {
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    if let Some(item) = body_item(tokens, name, place.clone()) {
        return Ok(Some(match tokens.nstring()? {
            Some(octets) => Item::Body(item, octets),
            None => Item::Value(item.item(None)),
        }));
    }
    let item = match () {
        () if is(b"FLAGS") => {
            let mut recent = false;
            let (flags, other) = values::flags(tokens, |flag| {
                let found = flag.eq_ignore_ascii_case(b"\\Recent");
                recent |= found;
                found
            })?;
            FetchItem::Flags { flags, recent, other }
        }
        () if name.get(..12).is_some_and(|name| name.eq_ignore_ascii_case(b"BINARY.SIZE[")) => {
            let part = binary_size(tokens, name, place)?;
            FetchItem::BinarySize { part, size: number::size(tokens)? }
        }
        () if is(b"EMAILID") => FetchItem::EmailId(values::object_id(tokens)?),
        () if is(b"THREADID") && tokens.keyword(b"NIL") => FetchItem::ThreadId(None),
        () if is(b"THREADID") => FetchItem::ThreadId(Some(values::object_id(tokens)?)),
        () if is(b"MODSEQ") => FetchItem::ModSeq(mod_seq(tokens)?),
        () if is(b"PREVIEW") => FetchItem::Preview(tokens.nstring()?),
        () if is(b"SAVEDATE") => {
            let date = tokens.nstring()?.map(|date| DateTime::parse(&date)).transpose();
            FetchItem::SaveDate(date.map_err(|_| Failure::Expected("a date and time"))?)
        }
        () if is(b"X-GM-LABELS") => FetchItem::GmailLabels(labels(tokens)?),
        () if is(b"X-GM-MSGID") => FetchItem::GmailMessageId(tokens.number()?),
        () if is(b"X-GM-THRID") => FetchItem::GmailThreadId(tokens.number()?),
        () if is(b"UID") => {
            let uid = Uid::new(tokens.number32()?);
            FetchItem::Uid(uid.ok_or(Failure::Expected("a UID"))?)
        }
        () if is(b"INTERNALDATE") => {
            let date = DateTime::parse(&tokens.string()?);
            FetchItem::InternalDate(date.map_err(|_| Failure::Expected("a date and time"))?)
        }
        () if is(b"RFC822.SIZE") => FetchItem::Rfc822Size(number::size(tokens)?),
        () if is(b"ENVELOPE") => FetchItem::Envelope(Box::new(envelope(tokens)?)),
        () if is(b"BODY") => FetchItem::Body(structure(tokens)?),
        () if is(b"BODYSTRUCTURE") => FetchItem::BodyStructure(structure(tokens)?),
        () => return Ok(None),
    };
    Ok(Some(Item::Value(item)))
}

/// The part in the name of `BINARY.SIZE[1.2]`.
fn binary_size(tokens: &mut Tokens<'_>, name: &[u8], place: Range<usize>) -> Result<SectionPart, Failure> {
    let open = memchr::memchr(b'[', name).unwrap_or(name.len());
    let mut tokens = tokens.within(place.start + open, place.end);
    match section(&mut tokens)? {
        (Section { part, text: None }, None) => Ok(part),
        _ => Err(Failure::Expected("a part number")),
    }
}

/// RFC 7162 §7: `fetch-mod-resp`.
fn mod_seq(tokens: &mut Tokens<'_>) -> Result<ModSeq, Failure> {
    tokens.expect(b'(', "a modification sequence in parentheses")?;
    tokens.no_spaces()?;
    let at = tokens.at();
    let mod_seq = tokens.mod_seq()?;
    if mod_seq == ModSeq::ZERO {
        tokens.deviate_at(DeviationKind::UnexpectedZero, at)?;
    }
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of a modification sequence")?;
    Ok(mod_seq)
}

/// Labels of Gmail: strings, and words with a backslash.
fn labels(tokens: &mut Tokens<'_>) -> Result<Vec<Bytes>, Failure> {
    tokens.list("a list of labels", |tokens| {
        let label = match tokens.string_if_any()? {
            Some(string) => string,
            None => {
                let word = tokens.word();
                tokens.keep(word)
            }
        };
        if label.is_empty() { Err(Failure::Expected("a label")) } else { Ok(Some(label)) }
    })
}

/// The item of a body with this name, which stands at `place`.
fn body_item(tokens: &mut Tokens<'_>, name: &[u8], place: Range<usize>) -> Option<BodyItem> {
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    let begins =
        |wanted: &[u8]| name.get(..wanted.len()).is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    let open = memchr::memchr(b'[', name).unwrap_or(name.len());
    Some(match () {
        () if is(b"RFC822") => BodyItem::Rfc822,
        () if is(b"RFC822.HEADER") => BodyItem::Rfc822Header,
        () if is(b"RFC822.TEXT") => BodyItem::Rfc822Text,
        () if begins(b"BODY[") || begins(b"BINARY[") => {
            let mut tokens = tokens.within(place.start + open, place.end);
            let (section, origin) = section(&mut tokens).ok()?;
            match section {
                _ if begins(b"BODY") => BodyItem::Section { section, origin },
                Section { part, text: None } => BodyItem::Binary { part, origin },
                Section { .. } => return None,
            }
        }
        () => return None,
    })
}

/// `[…]`, and `<origin>` if it comes.
fn section(tokens: &mut Tokens<'_>) -> Result<(Section, Option<u64>), Failure> {
    const WHAT: Failure = Failure::Expected("a section");
    tokens.expect(b'[', "a section")?;
    let mut part = SectionPart::new();
    let mut text = None;
    loop {
        match tokens.peek() {
            Some(b'0'..=b'9') if part.len() < MOST_PARTS => {
                part.push(NonZeroU32::new(tokens.number32()?).ok_or(WHAT)?);
                if tokens.skip(b'.') {
                    continue;
                }
            }
            Some(b']') if part.is_empty() => {}
            _ => text = Some(section_text(tokens, part.is_empty())?),
        }
        break;
    }
    tokens.expect(b']', "the end of a section")?;
    let origin = if tokens.skip(b'<') {
        let origin = tokens.number()?;
        tokens.expect(b'>', "the end of an origin")?;
        Some(origin)
    } else {
        None
    };
    if tokens.peek().is_some() { Err(WHAT) } else { Ok((Section::new(part, text), origin)) }
}

fn section_text(tokens: &mut Tokens<'_>, whole: bool) -> Result<SectionText, Failure> {
    let name = tokens.run(|octet| octet.is_ascii_alphabetic() || octet == b'.');
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    match () {
        () if is(b"HEADER") => Ok(SectionText::Header),
        () if is(b"TEXT") => Ok(SectionText::Text),
        () if is(b"MIME") && !whole => Ok(SectionText::Mime),
        () if is(b"HEADER.FIELDS") || is(b"HEADER.FIELDS.NOT") => {
            tokens.space()?;
            let names: Vec<OctetString> = tokens.list("a list of field names", |tokens| {
                let name = OctetString::new(tokens.astring()?);
                name.map(Some).map_err(|_| Failure::Expected("a field name"))
            })?;
            Ok(SectionText::HeaderFields { not: is(b"HEADER.FIELDS.NOT"), names })
        }
        () => Err(Failure::Expected("a section")),
    }
}
