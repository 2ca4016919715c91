//! What goes to the terminal: nothing that a server sent reaches it with a control character in it.

use core::fmt::Write as _;
use std::io::{self, Write as _};

use serde_json::Value;

use crate::failure::Failure;

/// Prints one line of the result.
pub(crate) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Prints one object of the result, on one line.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    // JSON escapes only the controls below U+0020; the others can stand in strings alone, where this is
    // the same text.
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_control() {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    line(&text)
}

/// Says on standard error what went wrong.
pub(crate) fn complain(failure: &Failure) {
    if let Failure::Usage(message) | Failure::Failed(message) | Failure::Refused(message) = failure {
        complaint(message);
    }
}

/// Says on standard error that something went wrong.
pub(crate) fn complaint(message: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "mail: {}", escaped(message.as_bytes()));
}

/// Text with its controls, and what is no UTF-8, escaped.
pub(crate) fn escaped(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut text, character);
        }
        let _ = write!(text, "{}", chunk.invalid().escape_ascii());
    }
    text
}

fn push(text: &mut String, character: char) {
    if character.is_control() {
        let _ = write!(text, "{}", character.escape_default());
    } else {
        text.push(character);
    }
}

/// Shows a message as it streams by: CR LF as a line end of the terminal, tabs as they are, other controls
/// and what is no UTF-8 escaped.
#[derive(Debug, Default)]
pub(crate) struct Viewer {
    /// The end of the last chunk, if what it means depends on the next: a CR, or the start of a character.
    rest: Vec<u8>,
}

impl Viewer {
    /// The text of the next chunk.
    pub(crate) fn show(&mut self, chunk: &[u8]) -> String {
        self.rest.extend_from_slice(chunk);
        let octets = core::mem::take(&mut self.rest);
        let complete = octets.len() - undecided(&octets);
        self.rest = octets.get(complete..).unwrap_or_default().to_vec();
        shown(octets.get(..complete).unwrap_or_default())
    }

    /// The text of what is left at the end.
    pub(crate) fn finish(&mut self) -> String {
        shown(&core::mem::take(&mut self.rest))
    }
}

/// How many octets at the end may be the beginning of something.
fn undecided(octets: &[u8]) -> usize {
    match octets.utf8_chunks().last() {
        // Three octets at the most, for else they would be wrong already.
        Some(chunk)
            if !chunk.invalid().is_empty()
                && core::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none()) =>
        {
            chunk.invalid().len()
        }
        _ => usize::from(octets.ends_with(b"\r")),
    }
}

fn shown(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\n' | '\t' => text.push(character),
                other => push(&mut text, other),
            }
        }
        let _ = write!(text, "{}", chunk.invalid().escape_ascii());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_broken_text_are_escaped() {
        assert_eq!(escaped(b"gr\xc3\xbcn\x1b[2J\t\xff\xc2\x85"), "grün\\u{1b}[2J\\t\\xff\\u{85}");
    }

    #[test]
    fn a_message_looks_the_same_however_it_is_cut() {
        let message = b"Subject: gr\xc3\xbcn\r\n\r\na\rb\tc\x1b[2J\xff\xe2\x82\xac\xe2\x82\r\n\xc3";
        let expected = "Subject: grün\n\na\\rb\tc\\u{1b}[2J\\xff€\\xe2\\x82\n\\xc3";
        for size in 1..=message.len() {
            let mut viewer = Viewer::default();
            let mut text: String = message.chunks(size).map(|chunk| viewer.show(chunk)).collect();
            text.push_str(&viewer.finish());
            assert_eq!(text, expected, "{size}");
        }
    }
}
