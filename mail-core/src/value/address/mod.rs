//! Mail addresses and paths: RFC 5321 §4.1.2 and §4.1.3, with UTF-8 as in RFC 6531 §3.3.
//!
//! A value that exists can be written on the wire: it holds no control character and no syntax but its
//! own. Parsing measures lengths as received; [`Mailbox::is_sendable`] tells whether the form that is
//! written keeps the limits of RFC 5321 §4.5.3.1. UTF-8 is always read; whether it is allowed depends
//! on SMTPUTF8 and is asked with [`Mailbox::is_ascii`].

mod domain;
mod error;
mod local_part;
mod parse;
mod path;
#[cfg(test)]
mod tests;
mod text;

use core::fmt;
use core::str::FromStr;

pub use self::domain::{Domain, DomainName, GeneralLiteral};
pub use self::error::{AddressError, AddressErrorKind};
pub use self::local_part::LocalPart;
pub use self::path::{ForwardPath, ParsedPath, Path, ReversePath, SourceRoute};

/// How addresses are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressOptions {
    /// Most octets of a local part, with its quotes. Default 64 (RFC 5321 §4.5.3.1.1).
    pub local_part_limit: usize,
    /// Most octets of a domain. Default 255 (RFC 5321 §4.5.3.1.2).
    pub domain_limit: usize,
    /// Most octets of a path with its angle brackets. Default 256 (RFC 5321 §4.5.3.1.3).
    pub path_limit: usize,
    /// Whether `_` may stand in a domain name, with a deviation. Default `false`.
    pub underscore_in_domain: bool,
}

impl Default for AddressOptions {
    fn default() -> Self {
        Self { local_part_limit: 64, domain_limit: 255, path_limit: 256, underscore_in_domain: false }
    }
}

/// An address: local part and domain.
///
/// Equal if the local parts are the same octets once unquoted and the domains are the same but for
/// ASCII case. What a local part means, and whether its case matters, only its own domain knows.
///
/// ```
/// use mailwright_core::value::Mailbox;
///
/// let mailbox: Mailbox = r#""alice"@EXAMPLE.org"#.parse()?;
/// assert_eq!(mailbox, "alice@example.org".parse()?);
/// assert_eq!(mailbox.to_string(), "alice@EXAMPLE.org");
/// assert!("alice@example.org\r\nRCPT TO:<bob@example.org>".parse::<Mailbox>().is_err());
/// # Ok::<(), mailwright_core::value::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox {
    local_part: LocalPart,
    domain: Domain,
}

impl Mailbox {
    /// Puts an address together.
    #[must_use]
    pub const fn new(local_part: LocalPart, domain: Domain) -> Self {
        Self { local_part, domain }
    }

    /// Reads an address that is all of `input`, without angle brackets.
    ///
    /// # Errors
    /// If it is none, with the offset of the first octet that does not fit.
    pub fn parse(input: &[u8], options: &AddressOptions) -> Result<Self, AddressError> {
        parse::mailbox(input, options)
    }

    /// What stands before the `@`.
    #[must_use]
    pub const fn local_part(&self) -> &LocalPart {
        &self.local_part
    }

    /// What stands behind the `@`.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Whether it can be used without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.local_part.is_ascii() && self.domain.is_ascii()
    }

    /// Whether the written form keeps the limits of RFC 5321 §4.5.3.1. Only an address that was read
    /// with raised limits, or put together from long parts, does not; it must not be sent.
    #[must_use]
    pub fn is_sendable(&self) -> bool {
        let local_part = self.local_part.written_length();
        let domain = self.domain.written_length();
        local_part <= 64 && domain <= 255 && local_part + domain + 3 <= 256
    }

    /// The address with its domain in its one canonical form: lower-case A-labels.
    ///
    /// # Errors
    /// If the domain is no valid internationalised name.
    #[cfg(feature = "idna")]
    pub fn normalise(&self) -> Result<Self, AddressError> {
        Ok(Self { local_part: self.local_part.clone(), domain: self.domain.normalise()? })
    }

    /// A copy that does not keep the buffer alive that it was read from.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self { local_part: self.local_part.detach(), domain: self.domain.detach() }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text.as_bytes(), &AddressOptions::default())
    }
}

/// `Serialize` and `Deserialize` as the written form, which is checked again on the way in.
#[cfg(feature = "serde")]
macro_rules! serde_as_text {
    ($($type:ty),*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <alloc::string::String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

#[cfg(feature = "serde")]
serde_as_text!(Mailbox, Domain, DomainName, ReversePath, ForwardPath);
