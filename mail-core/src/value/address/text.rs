//! [`Text`]: UTF-8 as a view of the input.

use core::fmt;

use bytes::Bytes;

/// Octets that were checked to be UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text(Bytes);

impl Text {
    pub(super) fn new(octets: Bytes) -> Option<Self> {
        // What is ASCII, and most is, needs no closer look.
        (octets.is_ascii() || core::str::from_utf8(&octets).is_ok()).then_some(Self(octets))
    }

    pub(super) fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }

    pub(super) fn as_str(&self) -> &str {
        // Checked by the constructor; to check again costs less than to keep a second form.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(super) fn detach(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
