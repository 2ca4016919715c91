//! [`DataEncoder`]: content of a DATA command. RFC 5321 §4.5.2 (transparency), §2.3.8 (line ends),
//! RFC 6152 §3 (8-bit content).
//!
//! It adds to the dot codec of the core what SMTP asks: no 8-bit octet to a peer that did not agree to
//! them, and a bare CR or bare LF never on the wire.

use bytes::BytesMut;
use mailwright_core::wire::{BareLineEnd, DotEncoder, DotError};
use memchr::memchr2;

/// What a client does with a CR or LF in its content that is not part of a CR LF. They are never sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BarePolicy {
    /// Refuse the message.
    #[default]
    Reject,
    /// Send CR LF instead.
    Normalise,
}

/// Why content cannot be sent as it is. What was written before must never be terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// A CR without LF, under [`BarePolicy::Reject`].
    #[error("bare CR in the content at offset {offset}: normalise line ends to CR LF first")]
    BareCarriageReturn {
        /// Octets of content before it.
        offset: u64,
    },
    /// An LF without CR, under [`BarePolicy::Reject`].
    #[error("bare LF in the content at offset {offset}: normalise line ends to CR LF first")]
    BareLineFeed {
        /// Octets of content before it.
        offset: u64,
    },
    /// An octet ≥ 0x80, and the transaction was not opened with BODY=8BITMIME.
    #[error(
        "8-bit octet at offset {offset} in a 7-bit transaction: convert the message, or declare BODY=8BITMIME"
    )]
    EightBit {
        /// Octets of content before it.
        offset: u64,
    },
}

/// How content ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentEnd {
    /// Octets of content that were handed in.
    pub octets: u64,
    /// Whether a CR LF had to be added before the terminator, since the content did not end in one.
    pub line_end_added: bool,
}

/// Encodes the content of one message for DATA.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_smtp::content::{BarePolicy, ContentError, DataEncoder};
///
/// let mut wire = BytesMut::new();
/// let mut encoder = DataEncoder::new(BarePolicy::Reject, false);
/// encoder.encode(b"Subject: x\r\n\r\n.hidden\r\n", &mut wire)?;
/// encoder.finish(&mut wire)?;
/// assert_eq!(wire, "Subject: x\r\n\r\n..hidden\r\n.\r\n");
/// let refused = DataEncoder::new(BarePolicy::Reject, false).encode("grün".as_bytes(), &mut wire);
/// assert_eq!(refused, Err(ContentError::EightBit { offset: 2 }));
/// # Ok::<(), ContentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DataEncoder {
    dots: DotEncoder,
    eight_bit: bool,
}

impl DataEncoder {
    /// An encoder at the start of content. `eight_bit`: whether BODY=8BITMIME was agreed.
    #[must_use]
    pub const fn new(policy: BarePolicy, eight_bit: bool) -> Self {
        let bare = match policy {
            BarePolicy::Reject => BareLineEnd::Reject,
            BarePolicy::Normalise => BareLineEnd::Normalise,
        };
        Self { dots: DotEncoder::new(bare, bare), eight_bit }
    }

    /// Octets of content taken so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.dots.offset()
    }

    /// Appends `content` to `wire`; the output does not depend on how the content is cut.
    ///
    /// # Errors
    /// If the content may not be sent: nothing was written by this call then, and the message must be
    /// abandoned by closing, since a terminator would deliver what came before.
    pub fn encode(&mut self, content: &[u8], wire: &mut BytesMut) -> Result<(), ContentError> {
        // RFC 6152 §3: 8-bit content is never sent to a server that does not offer 8BITMIME.
        if !self.eight_bit && !content.is_ascii() {
            let at = content.iter().position(|octet| !octet.is_ascii()).unwrap_or_default();
            return Err(self.first_fault(content, at));
        }
        let before = wire.len();
        self.dots.encode(content, wire).map_err(|error| {
            wire.truncate(before);
            error.into()
        })
    }

    /// Writes the terminator, exactly once.
    ///
    /// # Errors
    /// If the content ended in a bare CR under [`BarePolicy::Reject`]; nothing was written then.
    pub fn finish(&mut self, wire: &mut BytesMut) -> Result<ContentEnd, ContentError> {
        let octets = self.dots.offset();
        let line_end_added = self.dots.finish(wire)?;
        Ok(ContentEnd { octets, line_end_added })
    }

    /// The fault that stands first: the 8-bit octet at `at`, or a bare line end before it, so that the
    /// error does not depend on how the content is cut.
    fn first_fault(&mut self, content: &[u8], at: usize) -> ContentError {
        let start = self.dots.offset();
        let front = content.get(..at).unwrap_or_default();
        let mut dropped = BytesMut::new();
        // The octet itself stands for what is behind a held CR, which is bare then.
        for part in [front, b"x"] {
            if let Err(error) = self.dots.encode(part, &mut dropped) {
                return error.into();
            }
        }
        ContentError::EightBit { offset: start + at as u64 }
    }
}

/// Whether content of which all is at hand has a bare line end that `policy` refuses.
pub(crate) fn check_line_ends(content: &[u8], policy: BarePolicy) -> Result<(), ContentError> {
    if policy != BarePolicy::Reject {
        return Ok(());
    }
    let mut at = 0;
    while let Some(found) = memchr2(b'\r', b'\n', content.get(at..).unwrap_or_default()) {
        let position = at + found;
        let offset = position as u64;
        match content.get(position..) {
            Some([b'\r', b'\n', ..]) => at = position + 2,
            Some([b'\r', ..]) => return Err(ContentError::BareCarriageReturn { offset }),
            _ => return Err(ContentError::BareLineFeed { offset }),
        }
    }
    Ok(())
}

impl From<DotError> for ContentError {
    fn from(error: DotError) -> Self {
        match error {
            DotError::BareLineFeed { offset } => Self::BareLineFeed { offset },
            DotError::BareCarriageReturn { offset } => Self::BareCarriageReturn { offset },
            // The core has no other; one that it gains is a fault of the content too.
            _ => Self::BareCarriageReturn { offset: 0 },
        }
    }
}

#[cfg(test)]
mod tests;
