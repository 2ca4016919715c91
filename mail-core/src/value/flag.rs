//! [`Flag`]: system flags and keywords of messages.
//!
//! RFC 3501 §2.3.2 and §9 (`flag`, `flag-keyword`, `atom`), RFC 9051 §2.3.2. `\Recent` is a statement of a
//! server about a session; nobody can set it, so it is no [`Flag`].

use alloc::boxed::Box;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use super::Excerpt;

/// A flag that can be set on a message. Compared without regard to ASCII case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the system flags are closed: RFC 9051 §2.3.2")]
pub enum Flag {
    /// `\Seen`: has been read.
    Seen,
    /// `\Answered`: has been answered.
    Answered,
    /// `\Flagged`: is marked for special attention.
    Flagged,
    /// `\Deleted`: is marked for removal by EXPUNGE.
    Deleted,
    /// `\Draft`: is not finished.
    Draft,
    /// A keyword such as `$Forwarded`.
    Keyword(Keyword),
}

impl Flag {
    /// The system flags, in the order of RFC 3501 §2.3.2.
    pub const SYSTEM: [Self; 5] = [Self::Seen, Self::Answered, Self::Flagged, Self::Deleted, Self::Draft];

    /// The flag as written on the wire; a keyword in its first spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Seen => "\\Seen",
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
            Self::Keyword(keyword) => keyword.as_str(),
        }
    }

    /// The octets of [`Self::as_str`].
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Keyword(keyword) => keyword.as_bytes(),
            system => system.as_str().as_bytes(),
        }
    }

    /// Reads a flag.
    ///
    /// # Errors
    /// See [`FlagError`].
    pub fn new(text: &str) -> Result<Self, FlagError> {
        Self::from_octets(text.as_bytes())
    }

    /// Reads a flag as it came over the wire.
    ///
    /// # Errors
    /// See [`FlagError`].
    pub fn from_octets(octets: &[u8]) -> Result<Self, FlagError> {
        let Some(name) = octets.strip_prefix(b"\\") else {
            return Keyword::from_octets(octets).map(Self::Keyword);
        };
        // As nearly everybody writes them.
        match name {
            b"Seen" => return Ok(Self::Seen),
            b"Answered" => return Ok(Self::Answered),
            b"Flagged" => return Ok(Self::Flagged),
            b"Deleted" => return Ok(Self::Deleted),
            b"Draft" => return Ok(Self::Draft),
            _ => {}
        }
        let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
        match () {
            () if is(b"Seen") => Ok(Self::Seen),
            () if is(b"Answered") => Ok(Self::Answered),
            () if is(b"Flagged") => Ok(Self::Flagged),
            () if is(b"Deleted") => Ok(Self::Deleted),
            () if is(b"Draft") => Ok(Self::Draft),
            // RFC 3501 §2.3.2: \Recent cannot be altered by the client.
            () if is(b"Recent") => Err(FlagError::Recent),
            () => Err(FlagError::UnknownSystemFlag { excerpt: Excerpt::new(octets) }),
        }
    }
}

impl FromStr for Flag {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        Self::new(text)
    }
}

impl From<Keyword> for Flag {
    fn from(keyword: Keyword) -> Self {
        Self::Keyword(keyword)
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A keyword: an atom of at most [`Keyword::MAX`] octets. Keeps its spelling, is compared without regard
/// to ASCII case.
#[derive(Clone)]
pub struct Keyword(Spelling);

/// Most keywords are short, and then allocate nothing.
#[derive(Clone)]
enum Spelling {
    Short { length: u8, octets: [u8; SHORT] },
    Long(Box<str>),
}

/// Octets of a keyword that fit where a longer one has its pointer.
const SHORT: usize = 22;

impl Keyword {
    /// The most octets of a keyword.
    pub const MAX: usize = 255;

    /// Checks that `text` is an atom of acceptable length.
    ///
    /// # Errors
    /// If it is empty, too long, or holds an octet that no atom may hold.
    pub fn new(text: &str) -> Result<Self, FlagError> {
        Self::from_octets(text.as_bytes())
    }

    /// The same of octets as they came over the wire.
    ///
    /// # Errors
    /// If they are none, too many, or hold one that no atom may hold.
    pub fn from_octets(octets: &[u8]) -> Result<Self, FlagError> {
        if octets.is_empty() {
            return Err(FlagError::Empty);
        }
        if octets.len() > Self::MAX {
            return Err(FlagError::TooLong { octets: octets.len() });
        }
        if let Some(offset) = octets.iter().position(|octet| !is_atom_char(*octet)) {
            return Err(FlagError::NotAnAtom { offset, excerpt: Excerpt::new(octets) });
        }
        let mut short = [0; SHORT];
        Ok(Self(match (short.get_mut(..octets.len()), u8::try_from(octets.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(octets);
                Spelling::Short { length, octets: short }
            }
            // An atom is ASCII, so the default is never used.
            _ => Spelling::Long(core::str::from_utf8(octets).unwrap_or_default().into()),
        }))
    }

    /// The spelling that the keyword was made with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Spelling::Short { .. } => core::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Spelling::Long(text) => text,
        }
    }

    /// The octets of [`Self::as_str`], which are ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Spelling::Short { length, octets } => octets.get(..usize::from(*length)).unwrap_or_default(),
            Spelling::Long(text) => text.as_bytes(),
        }
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.as_bytes().iter().map(u8::to_ascii_lowercase)
    }
}

impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyword").field(&self.as_str()).finish()
    }
}

/// RFC 3501 §9: ATOM-CHAR, any 7-bit character except controls, space, `( ) { % * " \ ]`.
const fn is_atom_char(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().eq_ignore_ascii_case(other.as_bytes())
    }
}

impl Eq for Keyword {}

impl Hash for Keyword {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for octet in self.folded() {
            state.write_u8(octet);
        }
        state.write_u8(0xff);
    }
}

impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keyword {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Keyword {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        Self::new(text)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Flag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Flag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::string::String as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// Why text is no flag that can be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagError {
    /// No text.
    #[error("a flag is not empty")]
    Empty,
    /// A keyword above [`Keyword::MAX`].
    #[error("a keyword of {octets} octets: at most 255 are allowed")]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// An octet that no atom may hold.
    #[error("{excerpt} is not an atom: bad character at offset {offset}")]
    NotAnAtom {
        /// Where the octet stands.
        offset: usize,
        /// The text.
        excerpt: Excerpt,
    },
    /// `\Recent`, which nobody can set.
    #[error("\\Recent cannot be set")]
    Recent,
    /// A backslash and a name that is no system flag.
    #[error("{excerpt} is no system flag")]
    UnknownSystemFlag {
        /// The text.
        excerpt: Excerpt,
    },
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn system_flags_are_read_in_any_case_and_shown_in_one() {
        for flag in Flag::SYSTEM {
            assert_eq!(Flag::new(&flag.to_string().to_uppercase()), Ok(flag.clone()));
            assert_eq!(Flag::new(flag.as_str()).unwrap().as_str(), flag.as_str());
            assert_eq!(flag.as_bytes(), flag.as_str().as_bytes());
        }
    }

    #[test]
    fn a_keyword_of_any_length_keeps_its_spelling_and_takes_little_room() {
        for length in 1..=Keyword::MAX {
            let text = "$Forwarded-".repeat(24).chars().take(length).collect::<std::string::String>();
            let keyword = Keyword::new(&text).unwrap();
            assert_eq!((keyword.as_str(), keyword.as_bytes()), (&*text, text.as_bytes()));
        }
        assert_eq!(size_of::<Flag>(), 24);
    }

    #[test]
    fn recent_cannot_be_set() {
        assert_eq!(Flag::new("\\RECENT"), Err(FlagError::Recent));
    }

    #[test]
    fn unknown_system_flags_are_refused() {
        for text in ["\\", "\\Foo", "\\*", "\\Seen "] {
            assert!(matches!(Flag::new(text), Err(FlagError::UnknownSystemFlag { .. })), "{text:?}");
        }
    }

    #[test]
    fn keywords_that_differ_in_case_are_one_and_keep_the_first_spelling() {
        let mut flags = BTreeSet::new();
        assert!(flags.insert(Flag::new("$Forwarded").unwrap()));
        assert!(!flags.insert(Flag::new("$FORWARDED").unwrap()));
        assert_eq!(flags.first().unwrap().as_str(), "$Forwarded");
    }

    #[test]
    fn a_keyword_is_an_atom() {
        for text in
            ["a b", "a(b", "a)b", "a{b", "a%b", "a*b", "a\"b", "a\\b", "a]b", "a\r\nb", "a\0b", "ä", "\x7f"]
        {
            assert!(matches!(Flag::new(text), Err(FlagError::NotAnAtom { .. })), "{text:?}");
        }
        assert_eq!(Flag::new(""), Err(FlagError::Empty));
        assert!(Keyword::new(&"k".repeat(255)).is_ok());
        assert_eq!(Keyword::new(&"k".repeat(256)), Err(FlagError::TooLong { octets: 256 }));
        for text in ["$Junk", "NonJunk", "a[b", "}", "~", "'", "a.b-c+d/e"] {
            assert!(Keyword::new(text).is_ok(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn equal_flags_hash_equally(text in "[$A-Za-z]{1,8}") {
            use core::hash::BuildHasher as _;
            let state = std::collections::hash_map::RandomState::new();
            let (one, other) = (Flag::new(&text).unwrap(), Flag::new(&text.to_ascii_uppercase()).unwrap());
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(one.cmp(&other), core::cmp::Ordering::Equal);
            prop_assert_eq!(state.hash_one(&one), state.hash_one(&other));
        }

        #[test]
        fn no_text_panics_and_a_flag_reads_as_itself(text in "\\PC{0,12}") {
            if let Ok(flag) = Flag::new(&text) {
                prop_assert_eq!(Flag::new(flag.as_str()).unwrap(), flag);
            }
        }
    }
}
