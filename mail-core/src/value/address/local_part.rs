//! [`LocalPart`]: what stands before the `@`.

use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use bytes::Bytes;

use super::text::Text;
use super::{AddressError, AddressErrorKind, AddressOptions, parse};

/// A local part, unquoted. All quoted forms of one text are equal; the shortest is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPart(Text);

impl LocalPart {
    /// A local part from its text, without quotes or backslashes of the wire.
    ///
    /// # Errors
    /// If it holds a control character, or is above 64 octets once written.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let error = |kind, offset| Err(AddressError::new(kind, offset, text.as_bytes()));
        if let Some((offset, _)) = text.char_indices().find(|(_, character)| character.is_control()) {
            return error(AddressErrorKind::Syntax, offset);
        }
        let local_part = Self(Text::from(text));
        if local_part.written_length() > AddressOptions::default().local_part_limit {
            return error(AddressErrorKind::TooLong, 0);
        }
        Ok(local_part)
    }

    /// For the parser, which has checked `octets`.
    pub(super) fn from_checked(octets: Bytes) -> Option<Self> {
        Text::new(octets).map(Self)
    }

    /// The text, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }

    /// Whether it needs quotes on the wire.
    #[must_use]
    pub fn needs_quotes(&self) -> bool {
        !parse::is_dot_string(self.as_str())
    }

    pub(super) fn written_length(&self) -> usize {
        let text = self.as_str();
        if self.needs_quotes() {
            text.len() + 2 + text.bytes().filter(|octet| matches!(octet, b'"' | b'\\')).count()
        } else {
            text.len()
        }
    }

    pub(super) fn detach(&self) -> Self {
        Self(self.0.detach())
    }
}

impl fmt::Display for LocalPart {
    /// The shortest form that RFC 5321 §4.1.2 allows: quotes and backslashes only where they must be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        if !self.needs_quotes() {
            return f.write_str(text);
        }
        let mut quoted = String::with_capacity(self.written_length());
        quoted.push('"');
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(character);
        }
        quoted.push('"');
        f.write_str(&quoted)
    }
}

impl FromStr for LocalPart {
    type Err = AddressError;

    /// Reads the form of the wire, quoted or not.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse::local_part(text.as_bytes(), &AddressOptions::default())
    }
}

impl PartialOrd for LocalPart {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LocalPart {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for LocalPart {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
