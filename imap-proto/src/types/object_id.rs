//! [`ObjectId`]: what names a mailbox, a message or a thread for good. RFC 8474 §7.

use core::fmt;

use bytes::Bytes;

/// An identifier of 1 to 255 letters, digits, `_` and `-`. Case matters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(Bytes);

/// Not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an object identifier is 1 to {} letters, digits, _ and -", ObjectId::MAX)]
#[non_exhaustive]
pub struct ObjectIdError;

impl ObjectId {
    /// The most octets of an identifier.
    pub const MAX: usize = 255;

    /// An identifier.
    ///
    /// # Errors
    /// If it is empty, too long, or holds any other octet.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, ObjectIdError> {
        let octets = octets.into();
        // RFC 8474 §7: objectid = 1*255(ALPHA / DIGIT / "_" / "-")
        let fits = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
        if (1..=Self::MAX).contains(&octets.len()) && octets.iter().all(fits) {
            Ok(Self(octets))
        } else {
            Err(ObjectIdError)
        }
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the default is never used.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_of_the_alphabet_of_base64url() {
        assert_eq!(ObjectId::new("F2212ea87-6097-4256_x").unwrap().as_str(), "F2212ea87-6097-4256_x");
        assert_ne!(ObjectId::new("a"), ObjectId::new("A"));
        for wrong in ["", "a b", "a+b", "ä", "a)", "a\r\nb"] {
            assert!(ObjectId::new(Bytes::copy_from_slice(wrong.as_bytes())).is_err(), "{wrong:?}");
        }
        assert!(
            ObjectId::new(alloc::vec![b'a'; 255]).is_ok() && ObjectId::new(alloc::vec![b'a'; 256]).is_err()
        );
    }
}
