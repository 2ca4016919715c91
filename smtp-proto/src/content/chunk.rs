//! Content that travels in chunks of known length: [`ChunkDecoder`] for the server, [`ChunkEncoder`] for the client.
//! RFC 3030 §2.
//!
//! Nothing is stuffed, and no dot means anything. The lines of text must end in CR LF all the same (RFC 5321
//! §2.3.8), also where a CR LF is cut by the end of a chunk; with BODY=BINARYMIME any octets pass (RFC 3030 §3).

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::wire::{BareLineEnd, ContentReport, DotDecoder};
use memchr::{memchr, memchr_iter, memchr2};

use super::ContentError;

/// Reads the content of chunks, in order. Octets that need no change are views of the input.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_core::wire::BareLineEnd;
/// use mailwright_smtp::content::ChunkDecoder;
///
/// let mut decoder = ChunkDecoder::new(BareLineEnd::Normalise);
/// assert_eq!(decoder.decode(BytesMut::from("one\r\n.\r")), "one\r\n.\r");
/// assert_eq!(decoder.decode(BytesMut::from("\ntwo\nthree\r")), "\ntwo\r\nthree\r");
/// assert_eq!(decoder.finish(), "\n");
/// assert_eq!((decoder.report().bare_lf, decoder.report().bare_cr), (1, 1));
/// ```
#[derive(Clone, Debug)]
pub struct ChunkDecoder {
    /// `None`: any octets are content.
    policy: Option<BareLineEnd>,
    /// The last octet was a CR.
    after_cr: bool,
    /// Octets received.
    received: u64,
    /// Where the current line began.
    line_start: u64,
    /// Octets of a line that need not be measured.
    line_limit: u64,
    report: ContentReport,
}

impl ChunkDecoder {
    /// A decoder of text at the start of its content.
    #[must_use]
    pub fn new(policy: BareLineEnd) -> Self {
        Self {
            policy: Some(policy),
            after_cr: false,
            received: 0,
            line_start: 0,
            line_limit: DotDecoder::LINE_LIMIT,
            report: ContentReport::default(),
        }
    }

    /// A decoder of content with BODY=BINARYMIME.
    #[must_use]
    pub fn binary() -> Self {
        Self { policy: None, ..Self::new(BareLineEnd::Pass) }
    }

    /// Measures lines of more than so many octets only; by default of [`DotDecoder::LINE_LIMIT`].
    #[must_use]
    pub const fn measure_lines_above(mut self, octets: u64) -> Self {
        self.line_limit = octets;
        self
    }

    /// What was seen so far.
    #[must_use]
    pub const fn report(&self) -> &ContentReport {
        &self.report
    }

    /// The content that `octets` bring. Under [`BareLineEnd::Reject`] nothing comes behind the first bare line end.
    pub fn decode(&mut self, octets: BytesMut) -> Bytes {
        let octets = octets.freeze();
        self.report.octets += octets.len() as u64;
        self.report.eight_bit |= !octets.is_ascii();
        if let Some(first) = memchr(0, &octets) {
            if self.report.nul == 0 {
                self.report.first_nul = self.received + first as u64;
            }
            self.report.nul += memchr_iter(0, &octets).count() as u64;
        }
        let content = match self.policy {
            None => octets.clone(),
            Some(policy) => self.lines(&octets, policy),
        };
        self.received += octets.len() as u64;
        self.report.note_line(self.received - self.line_start, self.line_limit);
        content
    }

    /// The end of the last chunk, and the content that it brings: a line end that had to be completed.
    pub fn finish(&mut self) -> Bytes {
        if core::mem::take(&mut self.after_cr) && self.policy.is_some() {
            if !self.report.has_bare_line_end() {
                self.report.first_bare = self.received - 1;
            }
            self.report.bare_cr += 1;
            if self.policy == Some(BareLineEnd::Normalise) {
                self.report.octets += 1;
                return Bytes::from_static(b"\n");
            }
        }
        Bytes::new()
    }

    /// Judges line ends.
    fn lines(&mut self, octets: &Bytes, policy: BareLineEnd) -> Bytes {
        let mut refused = policy == BareLineEnd::Reject && self.report.has_bare_line_end();
        // Where the content ends that is given out.
        let mut end = if refused { 0 } else { octets.len() };
        // Used from the first insertion on; what it holds stood before `copied`.
        let mut copy: Option<BytesMut> = None;
        let mut copied = 0;
        let mut at = 0;
        while at < octets.len() {
            let bare = if core::mem::take(&mut self.after_cr) {
                if octets.get(at) == Some(&b'\n') {
                    at += 1;
                    let line_end = self.received + at as u64;
                    self.report.note_line(line_end - self.line_start, self.line_limit);
                    self.line_start = line_end;
                    continue;
                }
                b'\r'
            } else {
                let Some(found) = memchr2(b'\r', b'\n', octets.get(at..).unwrap_or_default()) else { break };
                at += found;
                if octets.get(at) == Some(&b'\r') {
                    self.after_cr = true;
                    at += 1;
                    continue;
                }
                b'\n'
            };
            // At `at` stands a bare LF, or what is behind a bare CR.
            let (position, missing) = match bare {
                b'\r' => ((self.received + at as u64).saturating_sub(1), b'\n'),
                _ => (self.received + at as u64, b'\r'),
            };
            if !self.report.has_bare_line_end() {
                self.report.first_bare = position;
            }
            self.report.bare_cr += u64::from(bare == b'\r');
            self.report.bare_lf += u64::from(bare == b'\n');
            match policy {
                BareLineEnd::Pass => {}
                BareLineEnd::Reject if refused => {}
                BareLineEnd::Reject => {
                    refused = true;
                    end = at;
                }
                BareLineEnd::Normalise => {
                    let copy = copy.get_or_insert_with(|| BytesMut::with_capacity(octets.len() + 64));
                    copy.put_slice(octets.get(copied..at).unwrap_or_default());
                    copy.put_u8(missing);
                    copied = at;
                    self.report.octets += 1;
                }
            }
            if bare == b'\n' {
                at += 1;
            }
        }
        match copy {
            Some(mut copy) => {
                copy.put_slice(octets.get(copied..).unwrap_or_default());
                copy.freeze()
            }
            None => octets.slice(..end),
        }
    }
}

/// Writes the content of chunks, in order: unchanged, and checked.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_smtp::content::{ChunkEncoder, ContentError};
///
/// let mut wire = BytesMut::new();
/// let mut encoder = ChunkEncoder::new(false);
/// encoder.encode(b"Subject: x\r\n\r\n.\r", &mut wire)?;
/// assert!(!wire.ends_with(b"\r")); // what comes behind it is not known yet
/// encoder.end_chunk(&mut wire);
/// assert_eq!(wire, "Subject: x\r\n\r\n.\r");
/// assert_eq!(encoder.encode(b"x", &mut wire), Err(ContentError::BareCarriageReturn { offset: 15 }));
/// # Ok::<(), ContentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChunkEncoder {
    binary: bool,
    eight_bit: bool,
    /// The last octet was a CR.
    after_cr: bool,
    /// It is not written yet.
    held: bool,
    offset: u64,
}

impl ChunkEncoder {
    /// An encoder of text at the start of its content. `eight_bit`: whether BODY=8BITMIME was agreed.
    #[must_use]
    pub const fn new(eight_bit: bool) -> Self {
        Self { binary: false, eight_bit, after_cr: false, held: false, offset: 0 }
    }

    /// An encoder of content with BODY=BINARYMIME.
    #[must_use]
    pub const fn binary() -> Self {
        Self { binary: true, ..Self::new(true) }
    }

    /// Octets of content taken so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Appends `content` to `wire`; a CR at its end stays here until it is known what follows it.
    ///
    /// # Errors
    /// If the content may not be sent: nothing was written by this call then, and the message must be abandoned by
    /// closing.
    pub fn encode(&mut self, content: &[u8], wire: &mut BytesMut) -> Result<(), ContentError> {
        if self.binary {
            wire.put_slice(content);
            self.offset += content.len() as u64;
            return Ok(());
        }
        let after_cr = self.check(content)?;
        if content.is_empty() {
            return Ok(());
        }
        if core::mem::take(&mut self.held) {
            wire.put_u8(b'\r');
        }
        wire.put_slice(if after_cr {
            content.split_last().map_or(content, |(_, front)| front)
        } else {
            content
        });
        self.offset += content.len() as u64;
        self.after_cr = after_cr;
        self.held = after_cr;
        Ok(())
    }

    /// The end of a chunk: what was kept back is written.
    pub fn end_chunk(&mut self, wire: &mut BytesMut) {
        if core::mem::take(&mut self.held) {
            wire.put_u8(b'\r');
        }
    }

    /// The end of the content, before [`Self::end_chunk`].
    ///
    /// # Errors
    /// If it is a bare CR.
    pub const fn finish(&self) -> Result<(), ContentError> {
        if self.after_cr {
            return Err(ContentError::BareCarriageReturn { offset: self.offset - 1 });
        }
        Ok(())
    }

    /// The first fault of `content`, or whether it ends in a CR.
    fn check(&self, content: &[u8]) -> Result<bool, ContentError> {
        let ascii = self.eight_bit || content.is_ascii();
        // RFC 6152 §3: 8-bit content is never sent to a server that does not offer 8BITMIME.
        let eight_bit = if ascii { None } else { content.iter().position(|octet| !octet.is_ascii()) };
        let mut after_cr = self.after_cr;
        let mut at = 0;
        while at < content.len() {
            let offset = self.offset + at as u64;
            let found = if core::mem::take(&mut after_cr) {
                if content.get(at) == Some(&b'\n') {
                    at += 1;
                    continue;
                }
                return match eight_bit {
                    Some(wrong) if wrong < at => {
                        Err(ContentError::EightBit { offset: self.offset + wrong as u64 })
                    }
                    _ => Err(ContentError::BareCarriageReturn { offset: offset - 1 }),
                };
            } else {
                memchr2(b'\r', b'\n', content.get(at..).unwrap_or_default())
            };
            let Some(found) = found else { break };
            at += found;
            if let Some(wrong) = eight_bit.filter(|&wrong| wrong < at) {
                return Err(ContentError::EightBit { offset: self.offset + wrong as u64 });
            }
            if content.get(at) == Some(&b'\n') {
                return Err(ContentError::BareLineFeed { offset: self.offset + at as u64 });
            }
            after_cr = true;
            at += 1;
        }
        match eight_bit {
            Some(wrong) => Err(ContentError::EightBit { offset: self.offset + wrong as u64 }),
            None => Ok(after_cr),
        }
    }
}

#[cfg(test)]
mod tests;
