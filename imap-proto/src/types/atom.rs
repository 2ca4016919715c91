//! [`Atom`]: a word of the protocol that is not known, or not closed. RFC 9051 §9 (`atom`).

use core::fmt;

use bytes::Bytes;

/// A word: one or more octets that may stand in an atom. Compared without regard to ASCII case.
#[derive(Clone, Eq)]
pub struct Atom(Bytes);

impl Atom {
    /// A word; `None` if it is empty or holds an octet that no atom may hold.
    #[must_use]
    pub fn new(word: impl Into<Bytes>) -> Option<Self> {
        let word = word.into();
        let fits = |octet: &u8| crate::encode::is_atom_octet(*octet);
        (!word.is_empty() && word.iter().all(fits)).then_some(Self(word))
    }

    /// The word as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the default is never used.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether it is `word`, in any case.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.0.eq_ignore_ascii_case(word.as_bytes())
    }
}

impl PartialEq for Atom {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl core::hash::Hash for Atom {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        for octet in &self.0 {
            state.write_u8(octet.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Atom({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atom_has_neither_specials_nor_spaces_and_no_case() {
        for word in ["", "a b", "a(", "a{", "a*", "a\"", "a\\", "a]", "ä", "a\0", "a\r\n"] {
            assert_eq!(Atom::new(Bytes::copy_from_slice(word.as_bytes())), None, "{word:?}");
        }
        let atom = Atom::new("Deflate").unwrap();
        assert!(atom.is("DEFLATE") && atom == Atom::new("deflate").unwrap());
        assert_eq!(atom.as_str(), "Deflate");
    }
}
