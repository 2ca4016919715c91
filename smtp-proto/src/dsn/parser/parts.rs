//! The parts of a report: RFC 2046 §5.1, RFC 6522 §3. One pass over the lines, with a stack of the boundaries of the
//! multiparts that are open; a message that is returned is not looked into.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::header::{Fields, Lines, media_type, parameter};
use super::{ParseError, ParserLimits};
use crate::dsn::decide::Returned;

/// The parts that matter.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// `message/delivery-status`.
    pub(super) status: Option<Part<'a>>,
    /// The message, or its header.
    pub(super) returned: Option<(Returned, Part<'a>)>,
}

/// The octets of a part as they stand.
#[derive(Debug)]
pub(super) struct Part<'a> {
    octets: &'a [u8],
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    QuotedPrintable,
    Base64,
}

/// What a header says about its part.
#[derive(Debug)]
enum Kind {
    Multipart(String),
    Status,
    Returned(Returned),
    Other,
}

/// A part whose octets begin.
#[derive(Debug)]
struct Open<'a> {
    kind: Kind,
    encoding: Encoding,
    body: &'a [u8],
}

pub(super) fn find<'a>(message: &'a [u8], limits: &ParserLimits) -> Result<Found<'a>, ParseError> {
    let mut found = Found::default();
    let mut boundaries: Vec<String> = Vec::new();
    let mut open = begin(message, limits)?;
    loop {
        if let Kind::Multipart(boundary) = &mut open.kind {
            if boundaries.len() < limits.depth {
                boundaries.push(core::mem::take(boundary));
            }
        }
        // To the next delimiter of any open multipart.
        let mut lines = Lines::new(open.body);
        let delimiter = loop {
            let start = lines.rest();
            let Some(line) = lines.next() else { break None };
            if let Some((level, last)) = delimiter(line, &boundaries) {
                break Some((level, last, open.body.len() - start.len()));
            }
        };
        let end = delimiter.map_or(open.body.len(), |(_, _, end)| end);
        let body = open.body.get(..end).unwrap_or_default();
        let part = Part { octets: without_line_end(body, delimiter.is_some()), encoding: open.encoding };
        match open.kind {
            Kind::Status if found.status.is_none() => found.status = Some(part),
            Kind::Returned(returned) if found.returned.is_none() => found.returned = Some((returned, part)),
            _ => {}
        }
        let Some((level, last, _)) = delimiter else { return Ok(found) };
        // RFC 2046 §5.1.2: the delimiter of an outer multipart ends the inner ones.
        boundaries.truncate(if last { level } else { level + 1 });
        open = if last {
            // What follows is no part.
            Open { kind: Kind::Other, encoding: Encoding::Identity, body: lines.rest() }
        } else {
            begin(lines.rest(), limits)?
        };
    }
}

/// Reads the header at the front of `text`.
fn begin<'a>(text: &'a [u8], limits: &ParserLimits) -> Result<Open<'a>, ParseError> {
    let mut kind = Kind::Other;
    let mut encoding = Encoding::Identity;
    // A header that fills the limit without an empty line is too large.
    let header = text.get(..limits.header).unwrap_or(text);
    let mut fields = Fields::new(header);
    let mut typed = false;
    for field in &mut fields {
        if field.is("Content-Type") && !typed {
            typed = true;
            kind = content_kind(&field.value());
        } else if field.is("Content-Transfer-Encoding") {
            encoding = content_encoding(&field.value());
        }
    }
    if fields.rest().is_empty() && header.len() < text.len() {
        return Err(ParseError::TooLarge);
    }
    let body = text.get(header.len() - fields.rest().len()..).unwrap_or_default();
    Ok(Open { kind, encoding, body })
}

fn content_kind(value: &str) -> Kind {
    let kind = media_type(value);
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    // RFC 6533 §4.4: the types of RFC 6533 mean the same as the older ones.
    if is("message/delivery-status") || is("message/global-delivery-status") {
        Kind::Status
    } else if is("message/rfc822") || is("message/global") {
        Kind::Returned(Returned::Message)
    } else if is("text/rfc822-headers") || is("message/global-headers") {
        Kind::Returned(Returned::Headers)
    } else if kind.get(..10).is_some_and(|front| front.eq_ignore_ascii_case("multipart/")) {
        match parameter(value, "boundary") {
            Some(boundary) if (1..=256).contains(&boundary.len()) => Kind::Multipart(boundary),
            _ => Kind::Other,
        }
    } else {
        Kind::Other
    }
}

fn content_encoding(value: &str) -> Encoding {
    let name = media_type(value);
    if name.eq_ignore_ascii_case("base64") {
        Encoding::Base64
    } else if name.eq_ignore_ascii_case("quoted-printable") {
        Encoding::QuotedPrintable
    } else {
        Encoding::Identity
    }
}

/// The open multipart that a line delimits, and whether it is its last delimiter (RFC 2046 §5.1.1).
fn delimiter(line: &[u8], boundaries: &[String]) -> Option<(usize, bool)> {
    let text = line.strip_prefix(b"--")?.trim_ascii_end();
    boundaries.iter().enumerate().rev().find_map(|(level, boundary)| {
        match text.strip_prefix(boundary.trim_ascii_end().as_bytes())? {
            b"" => Some((level, false)),
            b"--" => Some((level, true)),
            _ => None,
        }
    })
}

/// RFC 2046 §5.1.1: the line end before a delimiter belongs to the delimiter.
fn without_line_end(body: &[u8], delimited: bool) -> &[u8] {
    match body.strip_suffix(b"\n") {
        Some(body) if delimited => body.strip_suffix(b"\r").unwrap_or(body),
        _ => body,
    }
}

impl<'a> Part<'a> {
    /// The octets without their transfer encoding.
    pub(super) fn decode(self) -> Option<Cow<'a, [u8]>> {
        match self.encoding {
            Encoding::Identity => Some(Cow::Borrowed(self.octets)),
            Encoding::QuotedPrintable => Some(Cow::Owned(quoted_printable(self.octets))),
            Encoding::Base64 => {
                let config = GeneralPurposeConfig::new()
                    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
                    .with_decode_allow_trailing_bits(true);
                // RFC 2045 §6.8: what is not of the alphabet is passed over; padding ends the text.
                let digits = self.octets.iter().take_while(|&&octet| octet != b'=');
                let digits: Vec<u8> = digits
                    .copied()
                    .filter(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/'))
                    .collect();
                GeneralPurpose::new(&STANDARD, config).decode(digits).ok().map(Cow::Owned)
            }
        }
    }
}

/// RFC 2045 §6.7; what is malformed stays as it is.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut rest = text;
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        if octet != b'=' {
            decoded.push(octet);
        } else if let Some(behind) = behind.strip_prefix(b"\r\n").or_else(|| behind.strip_prefix(b"\n")) {
            rest = behind;
        } else if let [high, low, behind @ ..] = behind {
            match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = behind;
                }
                _ => decoded.push(octet),
            }
        } else {
            decoded.push(octet);
        }
    }
    decoded
}
