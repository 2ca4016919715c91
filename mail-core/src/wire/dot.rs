//! Dot transparency of message content, in both directions, streaming: RFC 5321 §4.5.2, RFC 1939 §3.
//!
//! [`DotDecoder`] undoes it in place, [`DotEncoder`] does it, [`LineEndCounter`] tells how long a
//! message will be once its line ends are CR LF. Only CR LF is a line end (RFC 5321 §2.3.8); a bare CR
//! or a bare LF never starts a line, so no dot behind one is special and none ends the content.

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr2};

/// What to do with a CR or LF that is not part of a CR LF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a codec must handle each case")]
pub enum BareLineEnd {
    /// Refuse the message. A decoder still reads to its true end, and gives out what came before.
    #[default]
    Reject,
    /// Make it CR LF. Dots are judged on what was received, before this.
    Normalise,
    /// Leave it as it is, and count it.
    Pass,
}

/// What a decoder saw in one message. Offsets count received octets from the first of the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentReport {
    /// Octets of content given out, or that would have been: terminator and removed dots never count.
    pub octets: u64,
    /// Number of bare CRs.
    pub bare_cr: u64,
    /// Number of bare LFs.
    pub bare_lf: u64,
    /// Number of NULs.
    pub nul: u64,
    /// Number of lines whose single leading dot was not followed by another: no conforming sender does that.
    pub lone_dots: u64,
    /// Whether there was an octet ≥ 0x80.
    pub eight_bit: bool,
    /// Octets in the longest line as received, with its line end, without a dot that transparency added.
    pub longest_line: u64,
    /// Where the first bare CR or bare LF stood.
    pub first_bare: Option<u64>,
    /// Where the first NUL stood.
    pub first_nul: Option<u64>,
}

impl ContentReport {
    /// Whether there was any bare CR or bare LF.
    #[must_use]
    pub const fn has_bare_line_end(&self) -> bool {
        self.bare_cr > 0 || self.bare_lf > 0
    }
}

/// A piece of decoded content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole result of a decode step")]
pub struct DotChunk {
    /// Decoded octets; empty if all that came was the terminator or is dropped by policy.
    pub content: Bytes,
    /// Whether the terminator was read: the next octet in the buffer is a command or a reply.
    pub end: bool,
}

/// Decodes dot-stuffed content up to its terminator, CR LF `.` CR LF.
///
/// In place: a chunk is a view of the input. At most two octets, the beginning of a possible
/// terminator or line end, are left in the buffer until more comes.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_core::wire::{BareLineEnd, DotDecoder};
///
/// let mut input = BytesMut::from("..hidden\r\n.\r\nQUIT\r\n");
/// let chunk = DotDecoder::new(BareLineEnd::Reject).decode(&mut input).unwrap();
/// assert_eq!(chunk.content, ".hidden\r\n");
/// assert!(chunk.end);
/// assert_eq!(input, "QUIT\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct DotDecoder {
    policy: BareLineEnd,
    keep_lone_dots: bool,
    at_line_start: bool,
    /// Octets received before the front of the buffer.
    received: u64,
    /// Where the current line began.
    line_start: u64,
    report: ContentReport,
}

/// Where decoded octets go: moved to the front of the buffer, or, once something must be inserted, into a new one.
struct Sink {
    /// First octet of the run that is not yet moved.
    run: usize,
    /// Octets already moved to the front.
    written: usize,
    /// Used from the first insertion on.
    copy: Option<BytesMut>,
    /// Whether octets are dropped: the content was refused.
    refused: bool,
}

impl DotDecoder {
    /// A decoder at the start of content.
    #[must_use]
    pub const fn new(policy: BareLineEnd) -> Self {
        Self {
            policy,
            keep_lone_dots: false,
            at_line_start: true,
            received: 0,
            line_start: 0,
            report: ContentReport {
                octets: 0,
                bare_cr: 0,
                bare_lf: 0,
                nul: 0,
                lone_dots: 0,
                eight_bit: false,
                longest_line: 0,
                first_bare: None,
                first_nul: None,
            },
        }
    }

    /// Keeps a leading dot that is followed by another octet than a dot, for peers that do not stuff.
    /// By default it is removed, as RFC 5321 §4.5.2 and RFC 1939 §3 say.
    #[must_use]
    pub const fn keep_lone_dots(mut self, keep: bool) -> Self {
        self.keep_lone_dots = keep;
        self
    }

    /// What was seen so far.
    #[must_use]
    pub const fn report(&self) -> &ContentReport {
        &self.report
    }

    /// Decodes what it can from the front of `input`; `None` if more must come first.
    pub fn decode(&mut self, input: &mut BytesMut) -> Option<DotChunk> {
        let mut sink = Sink {
            run: 0,
            written: 0,
            copy: None,
            refused: self.policy == BareLineEnd::Reject && self.report.has_bare_line_end(),
        };
        let buffer: &mut [u8] = input;
        let mut position = 0;
        let mut end = None;
        while let Some(&first) = buffer.get(position) {
            if self.at_line_start && first == b'.' {
                let Some(&second) = buffer.get(position + 1) else { break };
                if second == b'\r' {
                    let Some(&third) = buffer.get(position + 2) else { break };
                    if third == b'\n' {
                        end = Some(position + 3);
                        break;
                    }
                }
                self.at_line_start = false;
                if second != b'.' {
                    self.report.lone_dots += 1;
                }
                if second == b'.' || !self.keep_lone_dots {
                    // RFC 5321 §4.5.3.1.6: the dot that was added does not count.
                    self.line_start += 1;
                    self.take_run(&mut sink, buffer, position, position + 1);
                }
                // The octet behind the dot is judged as one inside a line, even if it is a dot.
                position += 1;
                if second == b'.' {
                    position += 1;
                }
                continue;
            }
            let Some(found) = memchr2(b'\r', b'\n', buffer.get(position..).unwrap_or_default()) else {
                self.at_line_start = false;
                position = buffer.len();
                break;
            };
            if found > 0 {
                self.at_line_start = false;
                position += found;
            }
            let is_cr = buffer.get(position) == Some(&b'\r');
            if is_cr {
                match buffer.get(position + 1) {
                    None => break,
                    Some(b'\n') => {
                        position += 2;
                        let line_end = self.received + position as u64;
                        self.report.longest_line = self.report.longest_line.max(line_end - self.line_start);
                        self.line_start = line_end;
                        self.at_line_start = true;
                        continue;
                    }
                    Some(_) => self.report.bare_cr += 1,
                }
            } else {
                self.report.bare_lf += 1;
            }
            self.report.first_bare.get_or_insert(self.received + position as u64);
            self.at_line_start = false;
            match self.policy {
                BareLineEnd::Pass => {}
                BareLineEnd::Normalise => {
                    self.insert_line_end(&mut sink, buffer, position);
                }
                BareLineEnd::Reject => {
                    self.take_run(&mut sink, buffer, position, position);
                    sink.refused = true;
                }
            }
            position += 1;
        }
        let content_end = position;
        let consumed = end.unwrap_or(position);
        if consumed == 0 {
            return None;
        }
        self.take_run(&mut sink, buffer, content_end, consumed);
        self.received += consumed as u64;
        if end.is_none() {
            self.report.longest_line = self.report.longest_line.max(self.received - self.line_start);
        }
        let mut front = input.split_to(consumed);
        let content = if let Some(copy) = sink.copy {
            copy.freeze()
        } else {
            front.truncate(sink.written);
            front.freeze()
        };
        Some(DotChunk { content, end: end.is_some() })
    }

    /// Counts the run up to `end`, moves it to its place, and starts a new one at `next`.
    fn take_run(&mut self, sink: &mut Sink, buffer: &mut [u8], end: usize, next: usize) {
        let start = core::mem::replace(&mut sink.run, next);
        let Some(run) = buffer.get(start..end).filter(|run| !run.is_empty()) else { return };
        self.report.octets += run.len() as u64;
        self.report.eight_bit |= !run.is_ascii();
        if let Some(first) = memchr(0, run) {
            self.report.first_nul.get_or_insert(self.received + (start + first) as u64);
            self.report.nul += memchr::memchr_iter(0, run).count() as u64;
        }
        if sink.refused {
            return;
        }
        if let Some(copy) = &mut sink.copy {
            copy.extend_from_slice(run);
        } else {
            if sink.written != start {
                buffer.copy_within(start..end, sink.written);
            }
            sink.written += end - start;
        }
    }

    /// Puts CR LF in the place of the octet at `at`.
    fn insert_line_end(&mut self, sink: &mut Sink, buffer: &mut [u8], at: usize) {
        self.take_run(sink, buffer, at, at + 1);
        let copy = sink.copy.get_or_insert_with(|| {
            let mut copy = BytesMut::with_capacity(buffer.len() + 64);
            copy.extend_from_slice(buffer.get(..sink.written).unwrap_or_default());
            copy
        });
        copy.extend_from_slice(b"\r\n");
        self.report.octets += 2;
    }
}

/// Why content cannot be sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DotError {
    /// A CR without LF, under [`BareLineEnd::Reject`].
    #[error("bare CR in the content at offset {offset}")]
    BareCarriageReturn {
        /// Octets of content before it.
        offset: u64,
    },
    /// An LF without CR, under [`BareLineEnd::Reject`].
    #[error("bare LF in the content at offset {offset}")]
    BareLineFeed {
        /// Octets of content before it.
        offset: u64,
    },
}

/// Encodes content with dot transparency and writes its terminator.
///
/// The output does not depend on how the content is cut. Whatever the content, undoing the
/// transparency yields exactly it (after normalisation), and nothing in it can end it early.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_core::wire::{BareLineEnd, DotEncoder};
///
/// let mut wire = BytesMut::new();
/// let mut encoder = DotEncoder::new(BareLineEnd::Reject, BareLineEnd::Reject);
/// encoder.encode(b".\r\nRSET\r\n", &mut wire)?;
/// encoder.finish(&mut wire)?;
/// assert_eq!(wire, "..\r\nRSET\r\n.\r\n");
/// # Ok::<(), mailwright_core::wire::DotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DotEncoder {
    bare_cr: BareLineEnd,
    bare_lf: BareLineEnd,
    at_line_start: bool,
    /// A CR was read and waits for the octet behind it.
    held_cr: bool,
    /// Octets of content taken so far.
    offset: u64,
}

impl DotEncoder {
    /// An encoder at the start of content, with a policy for each bare control.
    #[must_use]
    pub const fn new(bare_cr: BareLineEnd, bare_lf: BareLineEnd) -> Self {
        Self { bare_cr, bare_lf, at_line_start: true, held_cr: false, offset: 0 }
    }

    /// Octets of content taken so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Appends `content` to `wire`.
    ///
    /// # Errors
    /// At a bare control under [`BareLineEnd::Reject`]; what stood before it was written, the control and all
    /// behind it was not. The message must be abandoned then, never terminated.
    pub fn encode(&mut self, content: &[u8], wire: &mut BytesMut) -> Result<(), DotError> {
        // Most content needs no more room than its size and a few dots.
        wire.reserve(content.len() + 16);
        let mut rest = content;
        while let Some(&first) = rest.first() {
            if self.held_cr {
                self.held_cr = false;
                if first == b'\n' {
                    wire.extend_from_slice(b"\r\n");
                    self.at_line_start = true;
                    rest.advance(1);
                    self.offset += 1;
                    continue;
                }
                self.bare(b'\r', wire)?;
            }
            if self.at_line_start && first == b'.' {
                wire.extend_from_slice(b".");
            }
            // Whole lines that need nothing are copied as one run.
            let mut run = 0;
            loop {
                let Some(found) = memchr2(b'\r', b'\n', rest.get(run..).unwrap_or_default()) else {
                    run = rest.len();
                    self.at_line_start = false;
                    break;
                };
                let at = run + found;
                let clean = rest.get(at..at + 2) == Some(b"\r\n");
                if !clean {
                    self.at_line_start = self.at_line_start && at == 0 || found == 0 && run > 0;
                    run = at;
                    break;
                }
                run = at + 2;
                self.at_line_start = true;
                if matches!(rest.get(run), None | Some(b'.')) {
                    break;
                }
            }
            wire.extend_from_slice(rest.get(..run).unwrap_or_default());
            rest.advance(run);
            self.offset += run as u64;
            match rest.first() {
                Some(b'\r') => {
                    self.held_cr = true;
                    rest.advance(1);
                    self.offset += 1;
                }
                Some(b'\n') => {
                    rest.advance(1);
                    self.offset += 1;
                    self.bare(b'\n', wire)?;
                }
                // A dot at a line start, or the end.
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the terminator, exactly once; `true` if a CR LF had to be added before it because the
    /// content did not end in one.
    ///
    /// # Errors
    /// If the content ended in a bare CR under [`BareLineEnd::Reject`].
    pub fn finish(&mut self, wire: &mut BytesMut) -> Result<bool, DotError> {
        if core::mem::take(&mut self.held_cr) {
            self.bare(b'\r', wire)?;
        }
        let added = !self.at_line_start;
        wire.extend_from_slice(if added { b"\r\n.\r\n" } else { b".\r\n" });
        *self = Self::new(self.bare_cr, self.bare_lf);
        Ok(added)
    }

    /// Deals with a bare control whose last octet was just counted in `offset`.
    fn bare(&mut self, control: u8, wire: &mut BytesMut) -> Result<(), DotError> {
        let policy = if control == b'\r' { self.bare_cr } else { self.bare_lf };
        let offset = self.offset.saturating_sub(1);
        match policy {
            BareLineEnd::Reject if control == b'\r' => Err(DotError::BareCarriageReturn { offset }),
            BareLineEnd::Reject => Err(DotError::BareLineFeed { offset }),
            BareLineEnd::Normalise => {
                wire.extend_from_slice(b"\r\n");
                self.at_line_start = true;
                Ok(())
            }
            BareLineEnd::Pass => {
                wire.extend_from_slice(&[control]);
                self.at_line_start = false;
                Ok(())
            }
        }
    }
}

/// Counts, as a message streams by, the octets that it has once each bare LF is CR LF and its last line
/// has a line end: the size that POP3 announces (RFC 1939 §11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineEndCounter {
    octets: u64,
    added: u64,
    last: Option<u8>,
}

impl LineEndCounter {
    /// Counts `content`.
    pub fn feed(&mut self, content: &[u8]) {
        self.octets += content.len() as u64;
        for at in memchr::memchr_iter(b'\n', content) {
            let before = if at == 0 { self.last } else { content.get(at - 1).copied() };
            if before != Some(b'\r') {
                self.added += 1;
            }
        }
        if let Some(&last) = content.last() {
            self.last = Some(last);
        }
    }

    /// Octets as they came.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Octets that normalisation adds: one a bare LF, two for a last line without line end.
    #[must_use]
    pub const fn added(&self) -> u64 {
        self.added + if matches!(self.last, None | Some(b'\n')) { 0 } else { 2 }
    }
}

#[cfg(test)]
mod tests;
