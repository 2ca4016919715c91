//! [`OctetString`]: what an argument may hold. RFC 9051 §4.3.

use core::fmt;

use bytes::Bytes;

/// Octets without NUL: a search string, a value of ID, a header name. How they are written (atom, quoted
/// string, literal) is the encoder's choice.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct OctetString(Bytes);

/// NUL, which only a binary literal may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("NUL at offset {offset}")]
#[non_exhaustive]
pub struct OctetStringError {
    /// Octets before it.
    pub offset: usize,
}

impl OctetString {
    /// A string.
    ///
    /// # Errors
    /// If it holds a NUL.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, OctetStringError> {
        let octets = octets.into();
        // RFC 9051 §9: CHAR8 = %x01-ff
        match memchr::memchr(0, &octets) {
            Some(offset) => Err(OctetStringError { offset }),
            None => Ok(Self(octets)),
        }
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The octets as text, if they are UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }

    /// The octets as a view.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl fmt::Debug for OctetString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}
