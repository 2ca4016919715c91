//! Parameters of `Content-Type` and `Content-Disposition`: reading, joining, decoding.
//!
//! RFC 2045 §5.1 (`parameter`), RFC 2231 §3 (continuations), §4 (charset and language), §4.1 (both). The
//! first occurrence of a name wins, and an extended form beats a plain one wherever it stands.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

use super::charset;
use super::lexer::{Lexer, is_space, unquote};
use super::limits::{Findings, Limits};

/// A parameter, joined and decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    /// The name as written, without what RFC 2231 appends to it.
    pub(super) name: &'a [u8],
    pub(super) value: Cow<'a, [u8]>,
}

/// The value of the parameter `name`.
pub(super) fn find<'a>(parameters: &'a [Parameter<'_>], name: &[u8]) -> Option<&'a [u8]> {
    let found = parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
    Some(&found.value)
}

/// Reads `*(";" parameter)`. What is no parameter is left out.
pub(super) fn read<'a>(
    lexer: &mut Lexer<'a>,
    limits: &Limits,
    findings: &mut Findings,
) -> Vec<Parameter<'a>> {
    let mut names: Vec<Name<'a>> = Vec::new();
    let mut places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut count = 0;
    loop {
        lexer.skip_to(b';');
        if !lexer.accept(b';') {
            break;
        }
        let Some((attribute, value)) = attribute(lexer) else { continue };
        if count == limits.parameters {
            *findings |= Findings::PARAMETERS;
            break;
        }
        count += 1;
        let (name, form) = Form::of(attribute);
        let place = match places.entry(name.to_ascii_lowercase()) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                names.push(Name { written: name, plain: None, extended: None, segments: BTreeMap::new() });
                *entry.insert(names.len() - 1)
            }
        };
        if let Some(name) = names.get_mut(place) {
            name.add(form, value);
        }
    }
    names.into_iter().filter_map(Name::join).collect()
}

/// `attribute "=" value`. Values without quotes may hold what RFC 2045 wants quoted, as many senders do.
fn attribute<'a>(lexer: &mut Lexer<'a>) -> Option<(&'a [u8], Cow<'a, [u8]>)> {
    lexer.skip_comments();
    let name = lexer.token();
    lexer.skip_comments();
    if name.is_empty() || !lexer.accept(b'=') {
        return None;
    }
    lexer.skip_comments();
    if lexer.peek() == Some(b'"') {
        let (quoted, closed) = lexer.quoted();
        return Some((name, unquote(quoted, closed)));
    }
    let value = lexer.take_while(|octet| {
        !(is_space(octet) || octet.is_ascii_control() || matches!(octet, b';' | b'"' | b'('))
    });
    (!value.is_empty()).then_some((name, Cow::Borrowed(value)))
}

/// What the end of an attribute says.
enum Form {
    /// `name`
    Plain,
    /// `name*`
    Extended,
    /// `name*2`, or `name*2*`, which is encoded.
    Segment { number: u32, encoded: bool },
}

impl Form {
    /// RFC 2231 §7: `attribute [section] ["*"]`, where a section is `*0` or `*` and digits without a leading
    /// zero. What only looks like it is part of the name.
    fn of(attribute: &[u8]) -> (&[u8], Self) {
        let (front, encoded) = attribute.strip_suffix(b"*").map_or((attribute, false), |front| (front, true));
        if let Some(star) = front.iter().rposition(|octet| *octet == b'*')
            && let (Some(name), Some(digits)) = (front.get(..star), front.get(star + 1..))
            && let Some(number) = section_number(digits)
            && !name.is_empty()
        {
            return (name, Self::Segment { number, encoded });
        }
        match encoded && !front.is_empty() {
            true => (front, Self::Extended),
            false => (attribute, Self::Plain),
        }
    }
}

fn section_number(digits: &[u8]) -> Option<u32> {
    let valid = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.iter().all(u8::is_ascii_digit);
    if valid { core::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

/// All that was said about one name.
struct Name<'a> {
    written: &'a [u8],
    plain: Option<Cow<'a, [u8]>>,
    extended: Option<Cow<'a, [u8]>>,
    segments: BTreeMap<u32, (bool, Cow<'a, [u8]>)>,
}

impl<'a> Name<'a> {
    fn add(&mut self, form: Form, value: Cow<'a, [u8]>) {
        match form {
            Form::Plain => _ = self.plain.get_or_insert(value),
            Form::Extended => _ = self.extended.get_or_insert(value),
            Form::Segment { number, encoded } => _ = self.segments.entry(number).or_insert((encoded, value)),
        }
    }

    /// The parameter; `None` if all there is are continuations of nothing.
    fn join(self) -> Option<Parameter<'a>> {
        let value = if let Some(value) = self.extended {
            let (charset, text) = initial(&value);
            let mut octets = Vec::with_capacity(text.len());
            decode(text, &mut octets);
            Cow::Owned(charset::to_utf8(charset, octets))
        } else if self.segments.contains_key(&0) {
            Cow::Owned(join_segments(&self.segments))
        } else {
            self.plain?
        };
        Some(Parameter { name: self.written, value })
    }
}

/// RFC 2231 §4.1: only the first segment says charset and language; each says for itself whether it is
/// encoded. What comes behind a gap is lost.
fn join_segments(segments: &BTreeMap<u32, (bool, Cow<'_, [u8]>)>) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut charset: &[u8] = b"";
    for ((number, (encoded, value)), expected) in segments.iter().zip(0..) {
        if *number != expected {
            break;
        }
        match (encoded, number) {
            (true, 0) => {
                let (label, text) = initial(value);
                charset = label;
                decode(text, &mut octets);
            }
            (true, _) => decode(value, &mut octets),
            (false, _) => octets.extend_from_slice(value),
        }
    }
    charset::to_utf8(charset, octets)
}

/// `charset'language'text`. A value without both quotes is all text.
fn initial(value: &[u8]) -> (&[u8], &[u8]) {
    let mut fields = value.splitn(3, |octet| *octet == b'\'');
    match (fields.next(), fields.next(), fields.next()) {
        (Some(charset), Some(_), Some(text)) => (charset, text),
        _ => (b"", value),
    }
}

/// Appends `text` with `%XX` decoded. A percent sign without two digits stands for itself.
fn decode(text: &[u8], into: &mut Vec<u8>) {
    let digit = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
    let mut at = 0;
    while let Some(octet) = text.get(at) {
        let octets = (digit(text.get(at + 1)), digit(text.get(at + 2)));
        if let (b'%', (Some(high), Some(low))) = (octet, octets) {
            into.extend(u8::try_from(16 * high + low));
            at += 3;
        } else {
            into.push(*octet);
            at += 1;
        }
    }
}
