//! [`UniqueId`]: what UIDL calls a message, in this session and the next (RFC 1939 §7).

use core::fmt;
use core::hash::{Hash, Hasher};

use super::{ValueError, check};

/// The unique id of a message: 1 to 70 octets from 0x21 to 0x7E, the same in every session.
///
/// Held inline, so listings of any length need no memory of their own. An id is an opaque name and not
/// a path: `..` and `/` are legal in it.
#[derive(Clone, Copy)]
pub struct UniqueId {
    octets: [u8; Self::MAX],
    length: u8,
}

impl UniqueId {
    /// The most octets of an id.
    pub const MAX: usize = 70;

    /// The id `none`: a stand-in where there is no message.
    pub const NONE: Self = {
        let mut octets = [0; Self::MAX];
        if let Some((target, _)) = octets.split_first_chunk_mut() {
            *target = *b"none";
        }
        Self { octets, length: 4 }
    };

    /// An id.
    ///
    /// # Errors
    /// If it is empty, too long, or holds an octet outside 0x21 to 0x7E.
    pub fn new(id: &[u8]) -> Result<Self, ValueError> {
        // RFC 1939 §7: one to 70 characters in the range 0x21 to 0x7E.
        if id.is_empty() {
            return Err(ValueError::Empty);
        }
        check(id, Self::MAX, Self::may_hold)?;
        Self::held(id).ok_or(ValueError::TooLong { octets: id.len(), limit: Self::MAX })
    }

    /// Whether an id may hold `octet`.
    pub(crate) const fn may_hold(octet: u8) -> bool {
        matches!(octet, 0x21..=0x7e)
    }

    /// An id of octets that it may hold, if it is not empty and not too long.
    pub(crate) fn held(id: &[u8]) -> Option<Self> {
        let mut octets = [0; Self::MAX];
        octets.get_mut(..id.len())?.copy_from_slice(id);
        let length = u8::try_from(id.len()).ok().filter(|length| *length > 0)?;
        Some(Self { octets, length })
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The octets as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the default is never used.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl PartialEq for UniqueId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for UniqueId {}

impl PartialOrd for UniqueId {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UniqueId {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for UniqueId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UniqueId({})", self.as_str())
    }
}

impl core::str::FromStr for UniqueId {
    type Err = ValueError;

    fn from_str(id: &str) -> Result<Self, ValueError> {
        Self::new(id.as_bytes())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for UniqueId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for UniqueId {
    /// Through the constructor, so what comes out is valid.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(id.as_bytes()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventy_octets_are_an_id_and_seventy_one_are_not() {
        assert!(UniqueId::new(&[b'~'; 70]).is_ok());
        assert_eq!(UniqueId::new(&[b'~'; 71]), Err(ValueError::TooLong { octets: 71, limit: 70 }));
        assert_eq!(UniqueId::new(b""), Err(ValueError::Empty));
    }

    #[test]
    fn every_visible_ascii_octet_is_legal_and_no_other() {
        for octet in 0..=u8::MAX {
            assert_eq!(UniqueId::new(&[octet]).is_ok(), (0x21..=0x7e).contains(&octet), "{octet}");
        }
        assert_eq!(UniqueId::new(b".hidden").unwrap().as_str(), ".hidden");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn serde_goes_through_the_constructor() {
        use serde::Deserialize as _;
        use serde::de::IntoDeserializer as _;
        use serde::de::value::{Error, StrDeserializer};
        let read = |text: &'static str| {
            let deserializer: StrDeserializer<'static, Error> = text.into_deserializer();
            UniqueId::deserialize(deserializer)
        };
        assert_eq!(read("a.1").unwrap(), UniqueId::new(b"a.1").unwrap());
        assert!(read("a b").is_err());
    }
}
