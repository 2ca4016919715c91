//! Blocks of header fields: RFC 5322 §2.2, read with tolerance; and the parameters of MIME fields, RFC 2045 §5.1.

use alloc::string::String;
use core::fmt::Write as _;

/// Octets of one field that are read; the rest is passed over.
const FIELD: usize = 65_536;

/// The lines of a text without their line ends: CR LF, or a bare LF.
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// What was not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = self.rest.get(..end).unwrap_or_default();
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// A field as it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawField<'a> {
    pub(super) name: &'a str,
    /// Everything behind the colon, with its folds.
    raw: &'a [u8],
}

impl RawField<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value, unfolded and trimmed; a space for each control, `\xHH` for each octet that is no UTF-8.
    pub(super) fn value(&self) -> String {
        let raw = self.raw.get(..FIELD).unwrap_or(self.raw);
        let mut value = String::with_capacity(raw.len());
        for chunk in raw.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    // The line end of a fold; white space follows.
                    '\r' | '\n' => {}
                    control if control.is_control() => value.push(' '),
                    other => value.push(other),
                }
            }
            for octet in chunk.invalid() {
                // Writing into a string does not fail.
                let _ = write!(value, "\\x{octet:02X}");
            }
        }
        let trimmed = value.trim_matches(' ');
        if trimmed.len() == value.len() { value } else { trimmed.into() }
    }
}

/// The fields of a block up to an empty line. Lines that are no field are passed over.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    lines: Lines<'a>,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { lines: Lines::new(text) }
    }

    /// What stands behind the empty line, once all fields were read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.lines.rest()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = RawField<'a>;

    fn next(&mut self) -> Option<RawField<'a>> {
        loop {
            let start = self.lines.rest();
            let line = self.lines.next()?;
            if line.is_empty() {
                return None;
            }
            // RFC 5322 §2.2.3: a line that begins with white space belongs to the field before.
            let mut after = self.lines.clone();
            while after.next().is_some_and(|line| matches!(line.first(), Some(b' ' | b'\t'))) {
                self.lines = after.clone();
            }
            let length = start.len() - self.lines.rest().len();
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
            let name = core::str::from_utf8(name).unwrap_or_default();
            if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
                continue;
            }
            return Some(RawField { name, raw: start.get(colon + 1..length).unwrap_or_default() });
        }
    }
}

/// What stands before the parameters of a MIME field.
pub(super) fn media_type(value: &str) -> &str {
    value.split([';', '(']).next().unwrap_or_default().trim()
}

/// A parameter of a MIME field (RFC 2045 §5.1).
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    let mut characters = value.chars();
    // Behind a semicolon that is in no quoted string stands a parameter.
    loop {
        let mut quoted = false;
        loop {
            match characters.next()? {
                '\\' if quoted => drop(characters.next()),
                '"' => quoted = !quoted,
                ';' if !quoted => break,
                _ => {}
            }
        }
        let text = characters.as_str();
        let (attribute, text) = text.split_once('=')?;
        if attribute.trim().eq_ignore_ascii_case(name) {
            return Some(parameter_value(text.trim_start()));
        }
    }
}

fn parameter_value(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"') else {
        let end =
            text.find(|character: char| character == ';' || character == '(' || character.is_whitespace());
        return text.get(..end.unwrap_or(text.len())).unwrap_or_default().into();
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn fields_end_at_an_empty_line_and_other_lines_are_passed_over() {
        let text = b"A: 1\r\n\tx\r\nno field\r\n folded\r\nB : 2\nC:\r\n\r\nD: 4\r\n";
        let mut fields = Fields::new(text);
        let found: Vec<_> = fields.by_ref().map(|field| (field.name, field.value())).collect();
        assert_eq!(found, [("A", "1 x".into()), ("B", "2".into()), ("C", String::new())]);
        assert_eq!(fields.rest(), b"D: 4\r\n");
    }

    #[test]
    fn a_value_has_no_controls_and_shows_what_is_no_utf8() {
        let value = Fields::new(b"A: \0a\x7F\r\n\xFF\xC3\xBC\r\n b\r\n").next().unwrap().value();
        assert_eq!(value, "a");
        let value = Fields::new(b"A: a\0\xFF\xC3\xBC\r\n b\r\n").next().unwrap().value();
        assert_eq!(value, "a \\xFF\u{FC} b");
    }

    #[test]
    fn parameters_are_found_behind_quoted_strings() {
        for (value, expected) in [
            ("multipart/report; boundary=abc", Some("abc")),
            ("multipart/report;BOUNDARY = \"a;b\\\"c\"; x=y", Some("a;b\"c")),
            ("multipart/report; x=\"; boundary=no\"; boundary=yes (comment)", Some("yes")),
            ("multipart/report; boundary=\"open", Some("open")),
            ("multipart/report; boundary", None),
            ("multipart/report", None),
            ("a; x=\"", None),
        ] {
            assert_eq!(parameter(value, "boundary").as_deref(), expected, "{value}");
        }
        assert_eq!(media_type(" text/plain (x); y=z"), "text/plain");
    }
}
