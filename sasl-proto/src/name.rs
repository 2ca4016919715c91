//! [`MechanismName`]: the names under which SASL mechanisms are announced and asked for (RFC 4422 §3.1).

use core::fmt;

/// The name of a SASL mechanism: 1 to 20 upper-case letters, digits, hyphens and underscores.
///
/// A copyable value without allocation. [`Self::parse`] takes any case, since the commands that carry
/// a name are case-insensitive in every mail protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MechanismName {
    octets: [u8; Self::MAX],
    length: u8,
}

impl MechanismName {
    /// The most octets of a name.
    pub const MAX: usize = 20;
    /// Name and password in one message, in clear text (RFC 4616).
    pub const PLAIN: Self = Self::built_in("PLAIN");
    /// Name and password in two messages, in clear text (never an RFC, still wanted by old programs).
    pub const LOGIN: Self = Self::built_in("LOGIN");

    /// SCRAM with SHA-1 (RFC 5802).
    pub const SCRAM_SHA_1: Self = Self::built_in("SCRAM-SHA-1");
    /// SCRAM with SHA-1, bound to the TLS channel (RFC 5802).
    pub const SCRAM_SHA_1_PLUS: Self = Self::built_in("SCRAM-SHA-1-PLUS");
    /// SCRAM with SHA-256 (RFC 7677).
    pub const SCRAM_SHA_256: Self = Self::built_in("SCRAM-SHA-256");
    /// SCRAM with SHA-256, bound to the TLS channel (RFC 7677).
    pub const SCRAM_SHA_256_PLUS: Self = Self::built_in("SCRAM-SHA-256-PLUS");
    /// SCRAM with SHA-512. Needs the feature `scram-sha-512`.
    pub const SCRAM_SHA_512: Self = Self::built_in("SCRAM-SHA-512");
    /// SCRAM with SHA-512, bound to the TLS channel. Needs the feature `scram-sha-512`.
    pub const SCRAM_SHA_512_PLUS: Self = Self::built_in("SCRAM-SHA-512-PLUS");
    /// An OAuth bearer token (RFC 7628).
    pub const OAUTHBEARER: Self = Self::built_in("OAUTHBEARER");
    /// An OAuth bearer token as large providers took it before there was an RFC.
    pub const XOAUTH2: Self = Self::built_in("XOAUTH2");
    /// What the layer below has proved, a TLS client certificate for example (RFC 4422, appendix A).
    pub const EXTERNAL: Self = Self::built_in("EXTERNAL");
    /// Nobody in particular (RFC 4505).
    pub const ANONYMOUS: Self = Self::built_in("ANONYMOUS");
    /// A keyed MD5 (RFC 2195). Needs the feature `legacy-md5`.
    pub const CRAM_MD5: Self = Self::built_in("CRAM-MD5");

    /// A name that is known to be valid.
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would refuse a bad index")]
    const fn built_in(name: &str) -> Self {
        let mut octets = [0; Self::MAX];
        let mut at = 0;
        while at < name.len() {
            octets[at] = name.as_bytes()[at];
            at += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 20")]
        let length = name.len() as u8;
        Self { octets, length }
    }

    /// Reads a name in any case.
    ///
    /// # Errors
    /// If it is empty, longer than [`Self::MAX`] octets, or holds an octet that no name may hold.
    pub fn parse(name: &[u8]) -> Result<Self, NameError> {
        let mut octets = [0; Self::MAX];
        let (Some(target), Ok(length)) = (octets.get_mut(..name.len()), u8::try_from(name.len())) else {
            return Err(NameError::Length { octets: name.len() });
        };
        if name.is_empty() {
            return Err(NameError::Length { octets: 0 });
        }
        target.copy_from_slice(name);
        target.make_ascii_uppercase();
        // RFC 4422 §3.1: sasl-mech = 1*20mech-char; mech-char = %x41-5A / DIGIT / "-" / "_".
        let valid = |octet: &u8| matches!(*octet, b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_');
        match target.iter().position(|octet| !valid(octet)) {
            Some(offset) => Err(NameError::Octet { offset }),
            None => Ok(Self { octets, length }),
        }
    }

    /// The name in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let octets = self.octets.get(..usize::from(self.length)).unwrap_or_default();
        // Only ASCII gets in, so the default is never used.
        core::str::from_utf8(octets).unwrap_or_default()
    }
}

impl fmt::Display for MechanismName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MechanismName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for MechanismName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::parse(name.as_bytes())
    }
}

/// Why a text is no mechanism name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Empty or too long.
    #[error("a mechanism name has 1 to 20 characters, not {octets}")]
    Length {
        /// How many octets it has.
        octets: usize,
    },
    /// An octet other than a letter, digit, hyphen or underscore.
    #[error("no letter, digit, hyphen or underscore at offset {offset} of the mechanism name")]
    Octet {
        /// Where it stands.
        offset: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_any_case_and_shown_in_upper_case() {
        assert_eq!(MechanismName::parse(b"plain"), Ok(MechanismName::PLAIN));
        assert_eq!(MechanismName::PLAIN.as_str(), "PLAIN");
        assert_eq!(MechanismName::parse(b"Scram-sha-256-PLUS").unwrap().as_str(), "SCRAM-SHA-256-PLUS");
        assert_eq!(MechanismName::parse(b"X_1").unwrap().as_str(), "X_1");
    }

    #[test]
    fn twenty_octets_are_a_name_and_twenty_one_are_not() {
        assert!(MechanismName::parse(&[b'A'; 20]).is_ok());
        assert_eq!(MechanismName::parse(&[b'A'; 21]), Err(NameError::Length { octets: 21 }));
        assert_eq!(MechanismName::parse(b""), Err(NameError::Length { octets: 0 }));
    }

    #[test]
    fn any_other_octet_is_refused_where_it_stands() {
        for octet in 0..=u8::MAX {
            let good = octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
            let parsed = MechanismName::parse(&[b'A', octet]);
            assert_eq!(parsed.is_ok(), good, "{octet}");
            assert!(good || parsed == Err(NameError::Octet { offset: 1 }));
        }
    }
}
