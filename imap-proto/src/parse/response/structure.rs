//! BODY and BODYSTRUCTURE. RFC 9051 §7.5.2, §9 (`body`).
//!
//! What is open is kept on a stack of its own, so that the depth of a message costs heap, up to a limit, and
//! never the stack of the thread.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::DeviationKind;

use super::envelope::{envelope, more};
use super::number;
use super::tokens::{Failure, Tokens};
use crate::types::{BodyStructure, Envelope, Extension, Part};

/// Names and values.
type Parameters = Vec<(Bytes, Bytes)>;

/// How a part begins.
enum Start {
    /// It is read up to its end.
    Complete(Part),
    /// An enclosed message, read up to the structure of what it encloses.
    Enclosing(Part),
}

/// A structure of any depth within the limit.
pub(super) fn structure(tokens: &mut Tokens<'_>) -> Result<BodyStructure, Failure> {
    let mut parts: Vec<Part> = Vec::new();
    // Indices of the parts in which the present one is.
    let mut open: Vec<usize> = Vec::new();
    loop {
        tokens.expect(b'(', "a body structure")?;
        tokens.no_spaces()?;
        if open.len() >= tokens.limits.nesting {
            return Err(Failure::TooDeep);
        }
        if tokens.peek() == Some(b'(') {
            open.push(parts.len());
            tokens.push(&mut parts, multipart(Bytes::new()))?;
            continue;
        }
        match part(tokens)? {
            Start::Complete(part) => tokens.push(&mut parts, part)?,
            Start::Enclosing(part) => {
                open.push(parts.len());
                tokens.push(&mut parts, part)?;
                continue;
            }
        }
        if complete(tokens, &mut parts, &mut open)? {
            return Ok(BodyStructure { parts });
        }
    }
}

/// Behind a complete part: ends what ends with it. Whether everything is complete; if not, another part
/// follows.
fn complete(tokens: &mut Tokens<'_>, parts: &mut [Part], open: &mut Vec<usize>) -> Result<bool, Failure> {
    while let Some(part) = open.last().and_then(|index| parts.get_mut(*index)) {
        part.children += 1;
        if part.multipart {
            if tokens.peek() == Some(b'(') {
                return Ok(false);
            }
            let at = tokens.at();
            if more(tokens)? {
                if tokens.peek() == Some(b'(') {
                    tokens.deviate_at(DeviationKind::ExtraSpace, at)?;
                    return Ok(false);
                }
                part.subtype = tokens.string()?;
            } else {
                tokens.deviate(DeviationKind::MissingFields)?;
            }
        } else if more(tokens)? {
            part.lines = number::size(tokens)?;
        } else {
            tokens.deviate(DeviationKind::MissingFields)?;
        }
        if more(tokens)? {
            extension(tokens, part)?;
        }
        tokens.expect(b')', "the end of a part")?;
        open.pop();
    }
    Ok(true)
}

fn multipart(subtype: Bytes) -> Part {
    Part { multipart: true, media_type: Bytes::from_static(b"multipart"), subtype, ..Part::default() }
}

/// A part that does not begin with another.
fn part(tokens: &mut Tokens<'_>) -> Result<Start, Failure> {
    let start = tokens.at();
    let first = tokens.string()?;
    // A multipart without parts begins with its subtype: nothing or its parameters follow.
    if !more(tokens)? {
        tokens.deviate_at(DeviationKind::MissingFields, start)?;
        tokens.expect(b')', "the end of a part")?;
        return Ok(Start::Complete(multipart(first)));
    }
    if tokens.peek() == Some(b'(') {
        return childless(tokens, first, start);
    }
    let second = tokens.mark();
    let nil = tokens.keyword(b"NIL");
    tokens.rewind(second);
    // NIL may be a subtype or parameters; what has octets is a part of its own.
    match single(tokens, first.clone()) {
        Ok(Start::Complete(Part { octets: None, .. })) | Err(_) if nil => {
            tokens.rewind(second);
            childless(tokens, first, start)
        }
        result => result,
    }
}

fn childless(tokens: &mut Tokens<'_>, subtype: Bytes, start: usize) -> Result<Start, Failure> {
    tokens.deviate_at(DeviationKind::MissingFields, start)?;
    let mut part = multipart(subtype);
    extension(tokens, &mut part)?;
    tokens.expect(b')', "the end of a part")?;
    Ok(Start::Complete(part))
}

/// A part that is no multipart, from its subtype on.
fn single(tokens: &mut Tokens<'_>, media_type: Bytes) -> Result<Start, Failure> {
    let mut part = Part { media_type, subtype: tokens.string()?, ..Part::default() };
    if fields(tokens, &mut part)? {
        let text = part.media_type.eq_ignore_ascii_case(b"text");
        let encloses = part.media_type.eq_ignore_ascii_case(b"message")
            && (part.subtype.eq_ignore_ascii_case(b"rfc822") || part.subtype.eq_ignore_ascii_case(b"global"));
        let mut another = more(tokens)?;
        if encloses && another && tokens.peek() == Some(b'(') {
            tokens.charge::<Envelope>()?;
            part.envelope = Some(Box::new(envelope(tokens)?));
            tokens.space()?;
            return Ok(Start::Enclosing(part));
        }
        let counted = tokens.peek().is_some_and(|octet| !matches!(octet, b'"' | b'{' | b'(' | b')'));
        if text && another && counted {
            part.lines = number::size(tokens)?;
            another = more(tokens)?;
        } else if text || encloses {
            tokens.deviate(DeviationKind::MissingFields)?;
        }
        if another {
            extension(tokens, &mut part)?;
        }
    }
    tokens.expect(b')', "the end of a part")?;
    Ok(Start::Complete(part))
}

/// From the parameters to the octets; whether all of them are there.
fn fields(tokens: &mut Tokens<'_>, part: &mut Part) -> Result<bool, Failure> {
    for field in 0..5 {
        if !more(tokens)? {
            tokens.deviate(DeviationKind::MissingFields)?;
            return Ok(false);
        }
        match field {
            0 => part.parameters = parameters(tokens)?,
            1 => part.id = tokens.nstring()?,
            2 => part.description = tokens.nstring()?,
            3 => part.encoding = tokens.string()?,
            _ => part.octets = number::size(tokens)?,
        }
    }
    Ok(true)
}

/// RFC 9051 §9: body-fld-param.
fn parameters(tokens: &mut Tokens<'_>) -> Result<Parameters, Failure> {
    if tokens.keyword(b"NIL") {
        return Ok(Vec::new());
    }
    tokens.list("a list of parameters", |tokens| {
        let name = tokens.string()?;
        let value = if more(tokens)? {
            tokens.string()?
        } else {
            tokens.deviate(DeviationKind::MissingFields)?;
            Bytes::new()
        };
        Ok(Some((name, value)))
    })
}

/// RFC 9051 §9: body-ext-1part, body-ext-mpart, from their first field on.
fn extension(tokens: &mut Tokens<'_>, part: &mut Part) -> Result<(), Failure> {
    tokens.charge::<Extension>()?;
    let mut extension = Box::new(Extension::default());
    if part.multipart {
        part.parameters = parameters(tokens)?;
    } else {
        extension.md5 = tokens.nstring()?;
    }
    if more(tokens)? {
        extension.disposition = disposition(tokens)?;
        if more(tokens)? {
            extension.language = languages(tokens)?;
            if more(tokens)? {
                extension.location = tokens.nstring()?;
                // RFC 9051 §9: body-extension, of which nobody has defined any.
                while more(tokens)? {
                    tokens.skip_value()?;
                }
            }
        }
    }
    part.extension = Some(extension);
    Ok(())
}

fn disposition(tokens: &mut Tokens<'_>) -> Result<Option<(Bytes, Parameters)>, Failure> {
    if tokens.peek() != Some(b'(') {
        let at = tokens.at();
        let bare = tokens.nstring()?;
        if bare.is_some() {
            tokens.deviate_at(DeviationKind::MissingParentheses, at)?;
        }
        return Ok(bare.map(|disposition| (disposition, Vec::new())));
    }
    let at = tokens.at();
    tokens.skip(b'(');
    tokens.no_spaces()?;
    let disposition = if tokens.peek() == Some(b')') { None } else { tokens.nstring()? };
    let parameters = if more(tokens)? {
        parameters(tokens)?
    } else {
        tokens.deviate(DeviationKind::MissingFields)?;
        Vec::new()
    };
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of a disposition")?;
    match disposition {
        Some(disposition) => Ok(Some((disposition, parameters))),
        None => {
            tokens.deviate_at(DeviationKind::UnexpectedNil, at)?;
            Ok(None)
        }
    }
}

fn languages(tokens: &mut Tokens<'_>) -> Result<Vec<Bytes>, Failure> {
    if tokens.peek() == Some(b'(') {
        return tokens.list("a list of languages", |tokens| tokens.string().map(Some));
    }
    Ok(tokens.nstring()?.into_iter().collect())
}
