//! [`DotEncoder`], and why it refuses content: [`DotError`].

use bytes::{Buf, BytesMut};

use super::block::{BLOCK, clean_front};
use super::{BareLineEnd, find_control};

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
        // Where the next block is looked at, and how far the one behind that is if this one is not clean: where there is
        // much to do, less and less is looked at in vain.
        let (mut next_block, mut step) = (0, BLOCK);
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
                let line = rest.get(run..).unwrap_or_default();
                let position = content.len() - line.len();
                if position >= next_block {
                    // A dot at the front was doubled already.
                    let front = clean_front(line, false);
                    step = if front > 0 { BLOCK } else { (2 * step).min(16 * BLOCK) };
                    next_block = position + front + step;
                    if let Some(last) = front.checked_sub(1) {
                        self.at_line_start = line.get(last) == Some(&b'\n');
                        run += front;
                        continue;
                    }
                }
                let found = if let [b'\r' | b'\n', ..] = line { Some(0) } else { find_control(line) };
                let Some(found) = found else {
                    run = rest.len();
                    self.at_line_start = false;
                    break;
                };
                let at = run + found;
                let clean = rest.get(at..at + 2) == Some(b"\r\n");
                if !clean {
                    self.at_line_start &= found == 0;
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
