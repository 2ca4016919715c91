//! [`Framer`]: cuts line parts and literals off an input buffer.
//!
//! RFC 9051 §2.2.1, §4.3. Resumable, linear, and never looks at an octet twice: an unfinished line part
//! stays in the buffer up to its limit, what is above is dropped as it comes and still read for what its
//! end announces; a literal leaves as views of the input, however long it is.

use bytes::{Buf as _, Bytes, BytesMut};

use super::scan::{Announcement, Scanner, Verdict};

/// What a [`Framer`] cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a reader must handle each case")]
pub enum Frame {
    /// A line part. If it announces a literal, the reader says what becomes of that before it goes on.
    Part(Part),
    /// Octets of the literal.
    Chunk(Bytes),
    /// The literal is complete; the next line part of the same message follows.
    LiteralEnd,
}

/// A line part: up to a line end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Its octets without line end and announcement; empty above the limit.
    pub octets: Bytes,
    /// What follows.
    pub end: PartEnd,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// Whether it ended in a bare LF.
    pub bare_line_feed: bool,
    /// Its length on the wire.
    pub length: u64,
}

/// What follows a line part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the end, a literal, or nobody knows")]
pub enum PartEnd {
    /// The message is complete.
    Message,
    /// A literal. To take or to skip it, call [`Framer::read_literal`]; without that the next octets are
    /// another line part.
    Literal(Announcement),
    /// It is malformed and ends like a literal that nobody waits with: whether content or the next message
    /// follows cannot be known, so the connection must end.
    Unknown,
}

/// What is wrong with a line part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Its octets are no tokens: a control character, a bare CR, a quote that is not closed, a brace.
    #[error("not a sequence of atoms, quoted strings, parentheses and literals")]
    Malformed,
    /// It is above the limit.
    #[error("line too long")]
    Overlong,
}

/// Cuts line parts and literals off the front of a buffer.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_imap::wire::{Frame, Framer, PartEnd};
///
/// let mut framer = Framer::new();
/// let mut input = BytesMut::from("a LOGIN {4+}\r\nfred {6+}\r\nsecret\r\nb NOOP\r\n");
/// let mut octets = Vec::new();
/// while let Some(frame) = framer.next_frame(&mut input, 1024) {
///     match frame {
///         Frame::Part(part) => {
///             octets.push(part.octets);
///             if let PartEnd::Literal(literal) = part.end {
///                 framer.read_literal(literal.length.unwrap());
///             }
///         }
///         Frame::Chunk(chunk) => octets.push(chunk),
///         Frame::LiteralEnd => {}
///     }
/// }
/// assert_eq!(octets, ["a LOGIN ", "fred", " ", "secret", "", "b NOOP"]);
/// ```
#[derive(Clone, Debug)]
pub struct Framer {
    place: Place,
    scanner: Scanner,
    /// Octets at the front of the buffer that were scanned.
    scanned: usize,
    /// Octets of an overlong part that were dropped.
    dropped: u64,
    /// Whether the last octet that was dropped was a CR.
    dropped_cr: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Line,
    /// So many octets of a literal are to come.
    Literal(u64),
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

impl Framer {
    /// A framer at the start of a message.
    #[must_use]
    pub const fn new() -> Self {
        Self { place: Place::Line, scanner: Scanner::new(false), scanned: 0, dropped: 0, dropped_cr: false }
    }

    /// Forgets what is unfinished: for use when the buffer goes to another reader.
    pub const fn reset(&mut self) {
        *self = Self::new();
    }

    /// Says that `length` octets of a literal follow, to be read or skipped, and then another line part of
    /// the same message.
    pub const fn read_literal(&mut self, length: u64) {
        self.place = Place::Literal(length);
        self.scanner = Scanner::new(true);
    }

    /// Whether it is inside a literal.
    #[must_use]
    pub const fn is_in_literal(&self) -> bool {
        matches!(self.place, Place::Literal(_))
    }

    /// Whether it is inside a line part that is above its limit.
    #[must_use]
    pub const fn is_skipping(&self) -> bool {
        self.dropped > 0
    }

    /// Octets of a line part above its limit that were dropped so far.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a line part has begun and is not complete.
    #[must_use]
    pub const fn is_in_part(&self) -> bool {
        matches!(self.place, Place::Line) && (self.scanned > 0 || self.dropped > 0)
    }

    /// Cuts the next frame, or returns `None` until more comes. A line part has `limit` octets at most, its
    /// line end included.
    ///
    /// The buffer must be that of the last call with more behind it.
    pub fn next_frame(&mut self, input: &mut BytesMut, limit: usize) -> Option<Frame> {
        match self.place {
            Place::Literal(0) => {
                self.place = Place::Line;
                Some(Frame::LiteralEnd)
            }
            Place::Literal(remaining) => {
                if input.is_empty() {
                    return None;
                }
                let count = usize::try_from(remaining).unwrap_or(usize::MAX).min(input.len());
                self.place = Place::Literal(remaining - count as u64);
                Some(Frame::Chunk(input.split_to(count).freeze()))
            }
            Place::Line => self.part(input, limit).map(Frame::Part),
        }
    }

    fn part(&mut self, input: &mut BytesMut, limit: usize) -> Option<Part> {
        let unread = input.get(self.scanned..)?;
        let Some(at) = memchr::memchr(b'\n', unread) else {
            self.scanner.feed(unread);
            self.scanned = input.len();
            if self.is_skipping() || input.len() >= limit {
                self.drop_front(input, input.len());
            }
            return None;
        };
        self.scanner.feed(unread.get(..at).unwrap_or_default());
        let end = self.scanned + at;
        let after_cr = match end.checked_sub(1) {
            Some(last) => input.get(last) == Some(&b'\r'),
            None => self.dropped_cr,
        };
        let verdict = self.scanner.end();
        let length = self.dropped + end as u64 + 1;
        let overlong = self.is_skipping() || end + 1 > limit;
        let octets = if overlong {
            input.advance(end + 1);
            Bytes::new()
        } else {
            let mut octets = input.split_to(end + 1).freeze();
            octets.truncate(end - usize::from(after_cr));
            octets
        };
        *self = Self::new();
        let fault = match verdict {
            _ if overlong => Some(Fault::Overlong),
            Verdict::Malformed { .. } => Some(Fault::Malformed),
            Verdict::Complete | Verdict::Announces(_) => None,
        };
        let (octets, end) = match verdict {
            Verdict::Complete | Verdict::Malformed { ambiguous: false } => (octets, PartEnd::Message),
            Verdict::Malformed { ambiguous: true } => (octets, PartEnd::Unknown),
            Verdict::Announces(literal) => (without_announcement(octets), PartEnd::Literal(literal)),
        };
        Some(Part { octets, end, fault, bare_line_feed: !after_cr, length })
    }

    /// Drops octets of an overlong part, which were scanned.
    fn drop_front(&mut self, input: &mut BytesMut, count: usize) {
        self.dropped_cr = input.get(count.wrapping_sub(1)) == Some(&b'\r');
        input.advance(count);
        self.scanned = 0;
        self.dropped += count as u64;
    }
}

/// Cuts `{n}`, `{n+}` or `~{n}` off the end.
fn without_announcement(mut octets: Bytes) -> Bytes {
    let open = memchr::memrchr(b'{', &octets).unwrap_or(octets.len());
    let start = open - usize::from(open > 0 && octets.get(open - 1) == Some(&b'~'));
    octets.truncate(start);
    octets
}

#[cfg(test)]
mod tests;
