//! [`Tag`]: what ties a command to its completion. RFC 9051 §2.2.1, §9 (`tag`).

use core::fmt;

use bytes::Bytes;

/// The tag of a command: one or more octets of an astring without `+`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tag(Bytes);

/// Not a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tag is 1 to {} octets of printable ASCII without space, + and ( ) {{ % * \" \\", Tag::MAX)]
#[non_exhaustive]
pub struct TagError;

impl Tag {
    /// The most octets of a tag. The RFC has no limit; no client comes near this one.
    pub const MAX: usize = 255;

    /// A tag.
    ///
    /// # Errors
    /// If it is empty, too long, or holds an octet that no tag may hold.
    pub fn new(tag: impl Into<Bytes>) -> Result<Self, TagError> {
        let tag = tag.into();
        // RFC 9051 §9: tag = 1*<any ASTRING-CHAR except "+">
        let fits = |octet: &u8| {
            matches!(octet, 33..=126)
                && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b'+')
        };
        if tag.is_empty() || tag.len() > Self::MAX || !tag.iter().all(fits) {
            return Err(TagError);
        }
        Ok(Self(tag))
    }

    /// Its octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its octets as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the default is never used.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A copy that shares no memory with the input it came from.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_an_astring_without_plus() {
        for tag in ["a", "A001", "]", "a.b-c_d~&$", "!"] {
            assert_eq!(Tag::new(tag).unwrap().as_str(), tag);
        }
        for tag in ["", "+", "a+", "a b", "*", "a\r", "a\"", "a\\", "a(", "a)", "a{", "a%", "ä", "a\0"] {
            assert!(Tag::new(tag.as_bytes()).is_err(), "{tag}");
        }
        assert!(Tag::new(alloc::vec![b'a'; Tag::MAX + 1]).is_err());
    }
}
