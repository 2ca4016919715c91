//! [`OtherFlag`]: what stands among flags and is none that can be set. RFC 9051 §9 (`flag-extension`).

use core::fmt;

use bytes::Bytes;
use mailwright_core::value::Flag;

/// A word among the flags that a server tells, and that is none that can be set: a system flag that is not known, such as
/// `\\Xyz`, which RFC 9051 §9 allows; or something that is no flag at all, such as `\\*` where it means nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OtherFlag(Bytes);

impl OtherFlag {
    /// A word; `None` if it is a flag, is empty, or holds what ends a word: a space, a control character, a parenthesis, a
    /// quote.
    #[must_use]
    pub fn new(word: impl Into<Bytes>) -> Option<Self> {
        let word = word.into();
        let ends = |octet: &u8| matches!(octet, 0..=b' ' | 127 | b'(' | b')' | b'"');
        // At the end of a line it would announce a literal.
        let announces = word.starts_with(b"{") || word.starts_with(b"~{");
        let fits = !word.is_empty() && !word.iter().any(ends) && !announces;
        (fits && Flag::from_octets(&word).is_err()).then_some(Self(word))
    }

    /// Its octets as they came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is a system flag by its form: a backslash and an atom.
    #[must_use]
    pub fn is_extension(&self) -> bool {
        let name = self.0.strip_prefix(b"\\").unwrap_or_default();
        !name.is_empty() && name.iter().all(|octet| crate::encode::is_atom_octet(*octet))
    }
}

impl fmt::Debug for OtherFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtherFlag({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_among_flags_is_any_word() {
        for word in ["\\Xyz", "\\*", "\\\\X", "*", "a]b", "\u{e4}", "x{5}", "\\Recent"] {
            assert!(OtherFlag::new(word).is_some(), "{word}");
        }
        for word in ["", "a b", "a\r\nb", "(", "a)", "\"a\"", "{5}", "~{5}", "a\0", "$x", "+x", "\\Seen"] {
            assert_eq!(OtherFlag::new(word), None, "{word}");
        }
        assert!(OtherFlag::new("\\Xyz").unwrap().is_extension());
        assert!(!OtherFlag::new("\\*").unwrap().is_extension());
        assert!(!OtherFlag::new("\\").unwrap().is_extension());
    }
}
