//! A message read back: its structure by the scanner of the store, its encodings undone here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailwright_store::mime::{Encoding, Envelope, Limits, Scanner, Structure};

/// A message and what it is made of.
pub struct Read<'a> {
    octets: &'a [u8],
    structure: Structure,
}

impl<'a> Read<'a> {
    pub fn new(octets: &'a [u8]) -> Self {
        let mut scanner = Scanner::new(Limits::default());
        scanner.feed(octets);
        Self { octets, structure: scanner.finish() }
    }

    pub fn envelope(&self) -> Envelope {
        self.structure.envelope_fields().unwrap()
    }

    /// The types of all parts, each before those in it.
    pub fn types(&self) -> Vec<String> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let parts = self.structure.parts().iter();
        parts
            .map(|part| format!("{}/{}", text(&part.media_type), text(&part.subtype)).to_lowercase())
            .collect()
    }

    /// The header of the part at this place in [`Self::types`].
    pub fn header(&self, part: usize) -> &'a str {
        core::str::from_utf8(self.cut(self.structure.parts()[part].header())).unwrap()
    }

    /// The body of that part, decoded.
    pub fn body(&self, part: usize) -> Vec<u8> {
        let part = &self.structure.parts()[part];
        let body = self.cut(part.body());
        match part.encoding {
            Encoding::Base64 => {
                let text: Vec<u8> = body.iter().copied().filter(|octet| !b"\r\n".contains(octet)).collect();
                STANDARD.decode(text).unwrap()
            }
            Encoding::QuotedPrintable => quoted_printable(body),
            _ => body.to_vec(),
        }
    }

    fn cut(&self, range: core::ops::Range<u64>) -> &'a [u8] {
        &self.octets[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
    }
}

/// RFC 2045 §6.7.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        if octet != b'=' {
            octets.push(octet);
        } else if let Some(behind) = rest.strip_prefix(b"\r\n") {
            rest = behind;
        } else {
            let digits = core::str::from_utf8(&rest[..2]).unwrap();
            octets.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &rest[2..];
        }
    }
    octets
}

/// Text of a header with its encoded words decoded (RFC 2047 §6.2).
pub fn decoded(field: &[u8]) -> String {
    let text = core::str::from_utf8(field).unwrap();
    let mut octets = Vec::new();
    let mut behind_word = false;
    for word in text.split_whitespace() {
        let encoded = word.strip_prefix("=?utf-8?").or_else(|| word.strip_prefix("=?us-ascii?"));
        let encoded = encoded.and_then(|word| word.strip_suffix("?="));
        // The space between two encoded words is none.
        let joined = behind_word && encoded.is_some();
        if !octets.is_empty() && !joined {
            octets.push(b' ');
        }
        behind_word = encoded.is_some();
        match encoded.and_then(|encoded| encoded.split_once('?')) {
            Some(("Q", encoded)) => octets.extend(quoted_printable(encoded.replace('_', " ").as_bytes())),
            Some(("B", encoded)) => octets.extend(STANDARD.decode(encoded).unwrap()),
            _ => octets.extend(word.as_bytes()),
        }
    }
    String::from_utf8(octets).unwrap()
}
