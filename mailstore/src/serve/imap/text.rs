//! The text of a message for SEARCH: header fields decoded, bodies decoded as they stream by.
//!
//! RFC 2047 (encoded words), RFC 2045 §6.7, §6.8. US-ASCII, UTF-8, ISO-8859-1 and Windows-1252 become UTF-8;
//! other charsets are compared as they stand. Case is ignored for ASCII (RFC 4790, i;ascii-casemap).

use alloc::vec::Vec;
use core::mem;

use crate::mime::Encoding;

/// What is looked for, in any case.
#[derive(Clone, Debug)]
pub(super) struct Needle(Vec<u8>);

impl Needle {
    pub(super) fn new(text: &[u8]) -> Self {
        Self(text.to_ascii_lowercase())
    }

    /// Whether `text` holds it; nothing is in everything.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.0.is_empty() || memchr::memmem::find(&text.to_ascii_lowercase(), &self.0).is_some()
    }
}

/// The most octets of a header that are kept to be searched.
const MOST_HEADER: usize = 1 << 20;

/// Collects fields of a header that streams by.
#[derive(Debug)]
pub(super) struct FieldReader {
    /// `None`: every field, with its name.
    name: Option<Vec<u8>>,
    header: Vec<u8>,
}

impl FieldReader {
    pub(super) fn named(name: &[u8]) -> Self {
        Self { name: Some(name.to_vec()), header: Vec::new() }
    }

    pub(super) const fn all() -> Self {
        Self { name: None, header: Vec::new() }
    }

    pub(super) fn feed(&mut self, octets: &[u8]) {
        let room = MOST_HEADER - self.header.len().min(MOST_HEADER);
        self.header.extend_from_slice(octets.get(..room).unwrap_or(octets));
    }

    /// The fields, unfolded and decoded; of named ones the value.
    pub(super) fn finish(self) -> Vec<Vec<u8>> {
        let mut fields: Vec<Vec<u8>> = Vec::new();
        for line in self.header.split_inclusive(|octet| *octet == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            match (text.first(), fields.last_mut()) {
                // RFC 5322 §2.2.3: unfolding takes the line end away.
                (Some(b' ' | b'\t'), Some(field)) => field.extend_from_slice(text),
                (Some(_), _) => fields.push(text.to_vec()),
                (None, _) => {}
            }
        }
        let Some(name) = self.name else { return fields.iter().map(|field| decode_words(field)).collect() };
        let value = |field: &Vec<u8>| {
            let colon = memchr::memchr(b':', field)?;
            let (found, value) = field.split_at_checked(colon)?;
            found
                .trim_ascii_end()
                .eq_ignore_ascii_case(&name)
                .then(|| decode_words(value.get(1..).unwrap_or_default()))
        };
        fields.iter().filter_map(value).collect()
    }
}

/// RFC 2047 §2, §6.2: decodes encoded words; white space between two of them goes.
fn decode_words(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut behind_word = false;
    while let Some(start) = memchr::memmem::find(rest, b"=?") {
        let (before, at) = rest.split_at_checked(start).unwrap_or((rest, &[]));
        match encoded_word(at) {
            Some((word, length)) => {
                if !(behind_word && before.trim_ascii().is_empty()) {
                    decoded.extend_from_slice(before);
                }
                decoded.extend(word);
                rest = at.get(length..).unwrap_or_default();
                behind_word = true;
            }
            None => {
                decoded.extend_from_slice(before);
                decoded.extend_from_slice(b"=?");
                rest = at.get(2..).unwrap_or_default();
                behind_word = false;
            }
        }
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// The encoded word at the start of `text`: what it says, and its length.
fn encoded_word(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let inner = text.strip_prefix(b"=?")?;
    let mut parts = inner.splitn(3, |octet| *octet == b'?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let length = memchr::memmem::find(rest, b"?=")?;
    let encoded = rest.get(..length)?;
    if charset.is_empty() || encoded.iter().any(|octet| octet.is_ascii_whitespace()) {
        return None;
    }
    let mut octets = Vec::new();
    match encoding {
        b"B" | b"b" => {
            let mut decoder = Decoder::new(Encoding::Base64);
            decoder.feed(encoded, &mut octets);
        }
        b"Q" | b"q" => {
            // RFC 2047 §4.2: an underscore is a space.
            let spaced: Vec<u8> =
                encoded.iter().map(|octet| if *octet == b'_' { b' ' } else { *octet }).collect();
            let mut decoder = Decoder::new(Encoding::QuotedPrintable);
            decoder.feed(&spaced, &mut octets);
            decoder.finish(&mut octets);
        }
        _ => return None,
    }
    // RFC 2231 §5: a language may follow the charset.
    let charset = charset.split(|octet| *octet == b'*').next().unwrap_or(charset);
    let mut text = Vec::new();
    Charset::named(Some(charset)).convert(&octets, &mut text);
    Some((text, 2 + charset_and_encoding(inner)? + length + 2))
}

/// Octets of `charset?encoding?`.
fn charset_and_encoding(inner: &[u8]) -> Option<usize> {
    let first = memchr::memchr(b'?', inner)?;
    let second = memchr::memchr(b'?', inner.get(first + 1..)?)?;
    Some(first + second + 2)
}

/// Undoes a Content-Transfer-Encoding piece by piece.
#[derive(Debug)]
struct Decoder {
    encoding: Encoding,
    /// Base64: bits that are not an octet yet.
    bits: u32,
    count: u32,
    /// Quoted-printable: what may be an escape, or white space that may stand before a line end.
    held: Vec<u8>,
}

impl Decoder {
    const fn new(encoding: Encoding) -> Self {
        Self { encoding, bits: 0, count: 0, held: Vec::new() }
    }

    fn feed(&mut self, octets: &[u8], into: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Base64 => octets.iter().for_each(|octet| self.base64(*octet, into)),
            Encoding::QuotedPrintable => octets.iter().for_each(|octet| self.quoted(*octet, into)),
            _ => into.extend_from_slice(octets),
        }
    }

    /// RFC 2045 §6.8: anything outside of the alphabet is passed over.
    fn base64(&mut self, octet: u8, into: &mut Vec<u8>) {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                (self.bits, self.count) = (0, 0);
                return;
            }
            _ => return,
        };
        self.bits = (self.bits << 6) | u32::from(value);
        self.count += 6;
        if self.count >= 8 {
            self.count -= 8;
            into.push(u8::try_from(self.bits >> self.count & 0xff).unwrap_or_default());
            self.bits &= (1 << self.count) - 1;
        }
    }

    /// RFC 2045 §6.7: `=` and two digits, or `=` at a line end, which goes. What is neither stays.
    fn quoted(&mut self, octet: u8, into: &mut Vec<u8>) {
        match (self.held.as_slice(), octet) {
            ([], b'=') => self.held.push(octet),
            ([], _) => into.push(octet),
            ([b'='], b'\n') | ([b'=', b'\r'], b'\n') => self.held.clear(),
            ([b'='], b'\r' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.held.push(octet),
            ([b'=', high], low) if hexadecimal(*high).is_some() && hexadecimal(low).is_some() => {
                let (high, low) = (hexadecimal(*high).unwrap_or(0), hexadecimal(low).unwrap_or(0));
                into.push(high << 4 | low);
                self.held.clear();
            }
            _ => {
                into.append(&mut self.held);
                self.quoted_start(octet, into);
            }
        }
    }

    fn quoted_start(&mut self, octet: u8, into: &mut Vec<u8>) {
        if octet == b'=' { self.held.push(octet) } else { into.push(octet) }
    }

    fn finish(&mut self, into: &mut Vec<u8>) {
        into.append(&mut self.held);
    }
}

const fn hexadecimal(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// How octets become UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    /// They are, or nobody knows.
    AsIs,
    /// ISO-8859-1, and Windows-1252 without its quotes and dashes.
    Latin1,
}

impl Charset {
    fn named(name: Option<&[u8]>) -> Self {
        let latin: [&[u8]; 3] = [b"iso-8859-1", b"latin1", b"windows-1252"];
        match name {
            Some(name) if latin.iter().any(|known| name.eq_ignore_ascii_case(known)) => Self::Latin1,
            _ => Self::AsIs,
        }
    }

    fn convert(self, octets: &[u8], into: &mut Vec<u8>) {
        match self {
            Self::AsIs => into.extend_from_slice(octets),
            Self::Latin1 => {
                for octet in octets {
                    into.extend_from_slice(char::from(*octet).encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }
}

/// Looks for text in a part that streams by, in constant memory.
#[derive(Debug)]
pub(super) struct PartText<'n> {
    decoder: Decoder,
    charset: Charset,
    needle: &'n Needle,
    /// The last octets, in which a match may have begun.
    window: Vec<u8>,
    found: bool,
}

impl<'n> PartText<'n> {
    pub(super) fn new(encoding: Encoding, charset: Option<&[u8]>, needle: &'n Needle) -> Self {
        Self {
            decoder: Decoder::new(encoding),
            charset: Charset::named(charset),
            needle,
            window: Vec::new(),
            found: needle.0.is_empty(),
        }
    }

    pub(super) fn feed(&mut self, octets: &[u8]) {
        if self.found {
            return;
        }
        let mut decoded = Vec::with_capacity(octets.len());
        self.decoder.feed(octets, &mut decoded);
        self.look(&decoded);
    }

    fn look(&mut self, decoded: &[u8]) {
        self.charset.convert(decoded, &mut self.window);
        self.window.make_ascii_lowercase();
        self.found = memchr::memmem::find(&self.window, &self.needle.0).is_some();
        let keep = self.window.len().min(self.needle.0.len().saturating_sub(1));
        let start = self.window.len() - keep;
        self.window.drain(..start);
    }

    /// Whether it was found.
    pub(super) fn finish(mut self) -> bool {
        let mut rest = Vec::new();
        self.decoder.finish(&mut rest);
        if !self.found {
            self.look(&mem::take(&mut rest));
        }
        self.found
    }
}

/// The day of a Date field, in its own zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date(mailwright_imap::types::SearchDate);

impl Date {
    /// RFC 5322 §3.3: `[day-of-week ,] day month year …`; comments before it are rare, and not read.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let text = match memchr::memchr(b',', value) {
            Some(comma) => value.get(comma + 1..)?,
            None => value,
        };
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (day, month, year) = (words.next()?, words.next()?, words.next()?);
        let year = match year.len() {
            // RFC 5322 §4.3: years of two and three digits.
            2 if year < b"50".as_slice() => [b"20", year].concat(),
            2 => [b"19", year].concat(),
            _ => year.to_vec(),
        };
        let date = [day, month, &year].join(&b'-');
        mailwright_imap::types::SearchDate::parse(&date).ok().map(Self)
    }

    /// Days since 1 January 1970.
    pub(super) fn days(self) -> i64 {
        self.0.days()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_decoded() {
        let header = b"Subject: =?utf-8?q?J=C3=BC?=\r\n =?ISO-8859-1?Q?rgen_=E4?= plain =?x?= =?utf-8?B?w6Q=?=\r\nTo: a\r\nsubject : two\r\n\r\n";
        for size in [1, 7, header.len()] {
            let mut reader = FieldReader::named(b"SUBJECT");
            header.chunks(size).for_each(|chunk| reader.feed(chunk));
            let values = reader.finish();
            assert_eq!(core::str::from_utf8(&values[0]).unwrap(), " Jürgen ä plain =?x?= ä");
            assert_eq!(values[1], b" two");
        }
        let mut reader = FieldReader::all();
        reader.feed(header);
        assert_eq!(reader.finish().len(), 3);
    }

    #[test]
    fn parts_are_decoded_however_they_are_cut() {
        type Case = (Encoding, &'static [u8], Option<&'static [u8]>, &'static str);
        let cases: [Case; 6] = [
            (Encoding::Base64, b"SGVs\r\nbG8g\r\nV29ybGQ=", None, "hello world"),
            (Encoding::QuotedPrintable, b"J=C3=BCrgen =\r\nlives", None, "J\u{fc}rgen lives"),
            (Encoding::QuotedPrintable, b"a=3Db =zz =", None, "a=b =zz ="),
            (Encoding::Identity, b"caf\xe9", Some(b"ISO-8859-1"), "café"),
            (Encoding::Identity, b"plain text", Some(b"x-unknown"), "N TEXT"),
            (Encoding::Unknown, b"", None, ""),
        ];
        for (encoding, octets, charset, wanted) in cases {
            let needle = Needle::new(wanted.as_bytes());
            let miss = Needle::new(b"absent");
            for size in 1..=octets.len().max(1) {
                let look = |needle: &Needle| {
                    let mut text = PartText::new(encoding, charset, needle);
                    octets.chunks(size).for_each(|chunk| text.feed(chunk));
                    text.finish()
                };
                assert!(look(&needle), "{wanted} in pieces of {size}");
                assert!(!look(&miss));
            }
        }
    }

    #[test]
    fn dates_of_fields_are_days() {
        let day = |text: &str| Date::parse(text.as_bytes()).map(Date::days);
        assert_eq!(day(" Thu, 1 Jan 1970 23:59:59 -1100"), Some(0));
        assert_eq!(day("2 Jan 70 00:00 GMT"), Some(1));
        assert_eq!(day("2 Jan 2024"), Some(19_724));
        assert_eq!(day("nonsense"), None);
    }
}
