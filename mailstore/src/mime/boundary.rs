//! Delimiter lines: [`Candidate`] collects one, [`Boundaries`] says whose it is.
//!
//! RFC 2046 §5.1.1: `--`, boundary, `--` if it is the last one, white space. Nothing else may stand on the
//! line. Of the boundaries that are open the longest that fits wins, then the innermost; so a boundary that
//! another one begins with, and one that is in use twice, are told apart.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::content::MOST_BOUNDARY;
use super::lexer::is_space;

/// `--`, the longest boundary, `--`.
const MOST_LINE: usize = 2 + MOST_BOUNDARY + 2;

/// The front of a line that may be a delimiter.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    text: Vec<u8>,
    /// There is white space behind what `text` can hold.
    padded: bool,
    carriage_return: bool,
}

impl Candidate {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.padded = false;
        self.carriage_return = false;
    }

    /// Takes the next octet of the line, unless that shows that the line is no delimiter.
    pub(super) fn push(&mut self, octet: u8) -> bool {
        if self.carriage_return || (self.text.len() == 1 && octet != b'-') {
            return false;
        }
        if octet == b'\r' {
            self.carriage_return = true;
        } else if self.text.len() < MOST_LINE {
            self.text.push(octet);
        } else if is_space(octet) {
            self.padded = true;
        } else {
            return false;
        }
        true
    }

    /// The line, if it can be a delimiter: it ends with CR LF or LF, or with the message.
    pub(super) fn line(&self, line_end: bool) -> Option<&[u8]> {
        if self.carriage_return && !line_end { None } else { self.text.strip_prefix(b"--") }
    }

    /// The octets that it took. White space behind what is of interest may be less.
    pub(super) fn octets(&self) -> [&[u8]; 3] {
        let or_nothing = |octet: &'static [u8], is| if is { octet } else { b"" };
        [&self.text, or_nothing(b" ", self.padded), or_nothing(b"\r", self.carriage_return)]
    }
}

/// The boundaries of the multiparts that are open, with their levels, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Boundaries(BTreeMap<Vec<u8>, Vec<usize>>);

/// What a delimiter line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delimiter {
    /// The level of its multipart.
    pub(super) level: usize,
    /// It is the last one.
    pub(super) closes: bool,
}

impl Boundaries {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn open(&mut self, boundary: &[u8], level: usize) {
        self.0.entry(boundary.to_vec()).or_default().push(level);
    }

    /// Closes the innermost multipart with this boundary.
    pub(super) fn close(&mut self, boundary: &[u8]) {
        if let Some(levels) = self.0.get_mut(boundary) {
            levels.pop();
            if levels.is_empty() {
                self.0.remove(boundary);
            }
        }
    }

    /// Whose delimiter a line is, of which the leading `--` is left out.
    pub(super) fn find(&self, line: &[u8]) -> Option<Delimiter> {
        let text = line.iter().rposition(|octet| !is_space(*octet)).map_or(0, |at| at + 1);
        // A boundary may itself end in white space.
        let opens = (text.max(1)..=line.len().min(MOST_BOUNDARY)).rev().map(|length| (length, false));
        let closes = line.get(..text)?.strip_suffix(b"--").map(|boundary| (boundary.len(), true));
        opens.chain(closes).find_map(|(length, closes)| {
            let level = self.0.get(line.get(..length)?)?.last().copied()?;
            Some(Delimiter { level, closes })
        })
    }
}
