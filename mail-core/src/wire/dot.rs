//! Dot transparency of message content, in both directions, streaming: RFC 5321 §4.5.2, RFC 1939 §3.
//!
//! [`DotDecoder`] undoes it in place, [`DotEncoder`] does it, [`LineEndCounter`] tells how long a
//! message will be once its line ends are CR LF. Only CR LF is a line end (RFC 5321 §2.3.8); a bare CR
//! or a bare LF never starts a line, so no dot behind one is special and none ends the content.

mod block;
mod counter;
mod decoder;
mod encoder;

pub use self::counter::LineEndCounter;
pub use self::decoder::{ContentReport, DotChunk, DotDecoder};
pub use self::encoder::{DotEncoder, DotError};

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

/// Where the first CR or LF is, if not at once: the next octet is another. In a line of a dot or two it is so near
/// that a look costs less than a search.
fn find_control(octets: &[u8]) -> Option<usize> {
    match octets {
        [_, b'\r' | b'\n', ..] => Some(1),
        [_, _, b'\r' | b'\n', ..] => Some(2),
        _ => memchr::memchr2(b'\r', b'\n', octets),
    }
}

#[cfg(test)]
mod tests;
