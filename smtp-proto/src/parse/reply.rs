//! Replies from octets, for the client: [`ReplyReader`] cuts complete replies off a buffer,
//! [`reply_line`] reads one line. RFC 5321 §4.2 and §4.2.1.
//!
//! A peer may be hostile: lines, lines per reply and octets per reply are bounded, the work is linear
//! however the input is cut, and the result does not depend on the cuts. What a reply means is left to
//! the machine.

use bytes::BytesMut;
use mailwright_core::value::Excerpt;
use memchr::{memchr, memchr2};

use crate::types::{Reply, ReplyCode};

/// Bounds of one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyLimits {
    /// Octets of one line with its CR LF. Default 4096: RFC 5321 §4.5.3.1.5 has 512, some servers write more.
    pub line: usize,
    /// Lines of one reply. Default 1000.
    pub lines: usize,
    /// Octets of one reply with its line ends: what a reader holds at most. Default 100 000.
    pub octets: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self { line: 4096, lines: 1000, octets: 100_000 }
    }
}

/// Why octets are no reply. The conversation cannot be continued: close it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} in line {line} of a reply: {excerpt}; close the connection and try later or elsewhere")]
#[non_exhaustive]
pub struct ReplyParseError {
    /// What is wrong.
    pub kind: ReplyParseErrorKind,
    /// In which line of the reply, counted from 1.
    pub line: usize,
    /// Octets of that line before the fault.
    pub offset: usize,
    /// The first octets of that line.
    pub excerpt: Excerpt,
}

/// What is wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyParseErrorKind {
    /// No three digits that are a code, 200–559.
    #[error("no valid reply code")]
    Code,
    /// Behind the code stands neither a space, a hyphen nor the end.
    #[error("malformed separator behind the reply code")]
    Separator,
    /// A line of a multi-line reply has another code than the first.
    #[error("reply code {other} behind {first}")]
    CodeChanged {
        /// The code of the first line.
        first: ReplyCode,
        /// The one that does not fit.
        other: ReplyCode,
    },
    /// An LF without CR.
    #[error("bare LF")]
    BareLineFeed,
    /// A CR without LF.
    #[error("bare CR")]
    BareCarriageReturn,
    /// A NUL.
    #[error("NUL")]
    Nul,
    /// A line above [`ReplyLimits::line`].
    #[error("overlong line")]
    LineTooLong,
    /// More lines than [`ReplyLimits::lines`].
    #[error("too many lines")]
    TooManyLines,
    /// More octets than [`ReplyLimits::octets`].
    #[error("too many octets")]
    TooLong,
}

/// One line of a reply, without its CR LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole grammar of a line")]
pub struct ReplyLine<'a> {
    /// Its code.
    pub code: ReplyCode,
    /// Whether it is the last line of its reply.
    pub last: bool,
    /// The text behind the separator, with the enhanced code if there is one.
    pub text: &'a [u8],
}

/// Reads one line of a reply, given without its CR LF. Allocates only for an error.
///
/// ```
/// use mailwright_smtp::parse::reply_line;
///
/// let line = reply_line(b"250-SIZE 1000")?;
/// assert_eq!((line.code.get(), line.last, line.text), (250, false, &b"SIZE 1000"[..]));
/// assert!(reply_line(b"250").is_ok_and(|line| line.last && line.text.is_empty()));
/// # Ok::<(), mailwright_smtp::parse::ReplyParseError>(())
/// ```
///
/// # Errors
/// If the code is outside 200–559, the separator is neither space nor hyphen, or there is a CR, LF or NUL.
pub fn reply_line(line: &[u8]) -> Result<ReplyLine<'_>, ReplyParseError> {
    parse_line(line).map_err(|(kind, offset)| ReplyParseError {
        kind,
        line: 1,
        offset,
        excerpt: Excerpt::new(line),
    })
}

fn parse_line(line: &[u8]) -> Result<ReplyLine<'_>, (ReplyParseErrorKind, usize)> {
    use ReplyParseErrorKind as Kind;
    // RFC 5321 §2.3.8: CR and LF stand in the protocol only together, as line end.
    if let Some(at) = memchr2(b'\r', 0, line) {
        let kind = if line.get(at) == Some(&0) { Kind::Nul } else { Kind::BareCarriageReturn };
        return Err((kind, at));
    }
    if let Some(at) = memchr(b'\n', line) {
        return Err((Kind::BareLineFeed, at));
    }
    let (digits, rest) = line.split_first_chunk::<3>().ok_or((Kind::Code, 0))?;
    let code = ReplyCode::from_digits(*digits).ok_or((Kind::Code, 0))?;
    // RFC 5321 §4.2: Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
    match rest.split_first() {
        None => Ok(ReplyLine { code, last: true, text: &[] }),
        Some((b' ', text)) => Ok(ReplyLine { code, last: true, text }),
        Some((b'-', text)) => Ok(ReplyLine { code, last: false, text }),
        Some(_) => Err((Kind::Separator, 3)),
    }
}

/// Cuts complete replies off the front of a buffer.
///
/// Lines are taken as they come and kept as views where the buffer allows it; of an unfinished line at
/// most [`ReplyLimits::line`] octets stay in the buffer. After an error it is of no further use.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_smtp::parse::{ReplyLimits, ReplyReader};
///
/// let mut reader = ReplyReader::new(ReplyLimits::default());
/// let mut input = BytesMut::from("250-mx.example.org\r\n250 PIPE");
/// assert_eq!(reader.next_reply(&mut input)?, None);
/// input.extend_from_slice(b"LINING\r\n");
/// assert_eq!(reader.next_reply(&mut input)?.unwrap().to_string(), "250 mx.example.org / PIPELINING");
/// # Ok::<(), mailwright_smtp::parse::ReplyParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReplyReader {
    limits: ReplyLimits,
    /// Octets at the front of the buffer that were seen to hold no LF.
    scanned: usize,
    /// The code of the reply's first line, once there was one.
    code: Option<ReplyCode>,
    /// Complete lines of the unfinished reply.
    lines: usize,
    /// Their octets.
    taken: BytesMut,
}

impl ReplyReader {
    /// A reader at the start of a reply.
    #[must_use]
    pub fn new(limits: ReplyLimits) -> Self {
        Self { limits, scanned: 0, code: None, lines: 0, taken: BytesMut::new() }
    }

    /// Forgets the unfinished reply: for use when the buffer goes to another reader, or is dropped.
    pub fn reset(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Whether it stands between two replies, as far as it has seen.
    #[must_use]
    pub const fn is_at_start(&self) -> bool {
        self.scanned == 0 && self.code.is_none()
    }

    /// Cuts the next reply, or returns `None` until more comes.
    ///
    /// The buffer must be the one of the last call with more behind it.
    ///
    /// # Errors
    /// If what stands in the buffer is no reply, or one above the limits.
    pub fn next_reply(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, ReplyParseError> {
        use ReplyParseErrorKind as Kind;
        loop {
            let start = self.scanned.min(input.len());
            let found = memchr(b'\n', input.get(start..).unwrap_or_default()).map(|at| start + at);
            let Some(end) = found.filter(|&end| end < self.limits.line) else {
                if found.is_some() || input.len() >= self.limits.line {
                    let front = input.get(..self.limits.line).unwrap_or_default();
                    return Err(self.error(Kind::LineTooLong, self.limits.line, front));
                }
                self.scanned = input.len();
                return Ok(None);
            };
            let line = input.get(..end).unwrap_or_default();
            let Some(line) = line.strip_suffix(b"\r") else {
                return Err(self.error(Kind::BareLineFeed, end, line));
            };
            let parsed = parse_line(line).map_err(|(kind, offset)| self.error(kind, offset, line))?;
            let first = *self.code.get_or_insert(parsed.code);
            if first != parsed.code {
                // RFC 5321 §4.2.1: the code is the same in all lines of a reply.
                return Err(self.error(Kind::CodeChanged { first, other: parsed.code }, 0, line));
            }
            if self.taken.len() + end + 1 > self.limits.octets {
                return Err(self.error(Kind::TooLong, 0, line));
            }
            if self.lines >= self.limits.lines {
                return Err(self.error(Kind::TooManyLines, 0, line));
            }
            let last = parsed.last;
            self.scanned = 0;
            self.lines += 1;
            // Lines of one buffer are neighbours: joining them again copies nothing.
            let line = input.split_to(end + 1);
            self.taken.unsplit(line);
            if last {
                let mut wire = core::mem::take(&mut self.taken);
                wire.truncate(wire.len().saturating_sub(2));
                self.code = None;
                self.lines = 0;
                return Ok(Some(Reply::received(first, wire.freeze())));
            }
        }
    }

    fn error(&self, kind: ReplyParseErrorKind, offset: usize, line: &[u8]) -> ReplyParseError {
        ReplyParseError { kind, line: self.lines + 1, offset, excerpt: Excerpt::new(line) }
    }
}

#[cfg(test)]
mod tests;
