//! [`Domain`]: what stands behind the `@`, a name or an address literal (RFC 5321 §4.1.2, §4.1.3).

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::{Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use bytes::Bytes;

use super::text::Text;
use super::{AddressError, AddressOptions, parse};

/// A domain name or an address literal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 §4.1.2 and §4.1.3 have these forms and no others")]
pub enum Domain {
    /// A name.
    Name(DomainName),
    /// `[192.0.2.1]`
    V4(Ipv4Addr),
    /// `[IPv6:2001:db8::1]`
    V6(Ipv6Addr),
    /// `[tag:content]` with a tag that is not `IPv6`.
    General(GeneralLiteral),
}

impl Domain {
    /// Reads a name or a literal that is all of `input`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(input: &[u8], options: &AddressOptions) -> Result<Self, AddressError> {
        parse::domain(input, options)
    }

    /// The name, if it is one.
    #[must_use]
    pub const fn name(&self) -> Option<&DomainName> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it can be used without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.name().is_none_or(|name| name.0.is_ascii())
    }

    /// The one canonical form: lower-case A-labels; literals as they are.
    ///
    /// # Errors
    /// If it is no valid internationalised name (RFC 5891).
    #[cfg(feature = "idna")]
    pub fn normalise(&self) -> Result<Self, AddressError> {
        match self {
            Self::Name(name) => name.normalise().map(Self::Name),
            literal => Ok(literal.clone()),
        }
    }

    pub(super) fn written_length(&self) -> usize {
        // Literals are short: counting what would be written is cheap enough.
        struct Count(usize);
        impl fmt::Write for Count {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0 += text.len();
                Ok(())
            }
        }
        let mut count = Count(0);
        let _ = fmt::write(&mut count, format_args!("{self}"));
        count.0
    }

    /// A copy that does not keep the buffer alive that it was read from.
    #[must_use]
    pub fn detach(&self) -> Self {
        match self {
            Self::Name(name) => Self::Name(DomainName(name.0.detach())),
            Self::General(literal) => {
                Self::General(GeneralLiteral { text: literal.text.detach(), ..*literal })
            }
            other => other.clone(),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => fmt::Display::fmt(name, f),
            Self::V4(address) => write!(f, "[{address}]"),
            Self::V6(address) => write!(f, "[IPv6:{address}]"),
            Self::General(literal) => write!(f, "[{}]", literal.text.as_str()),
        }
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text.as_bytes(), &AddressOptions::default())
    }
}

impl From<DomainName> for Domain {
    fn from(name: DomainName) -> Self {
        Self::Name(name)
    }
}

/// A domain name of one or more labels, as it was written. Equal but for ASCII case.
///
/// U-labels and A-labels of one domain are different names until both are normalised.
#[derive(Clone, Debug)]
pub struct DomainName(Text);

impl DomainName {
    /// For the parser, which has checked `octets`.
    pub(super) fn from_checked(octets: Bytes) -> Option<Self> {
        Text::new(octets).map(Self)
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The labels, leftmost first; at least one.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.as_str().split('.')
    }

    /// The one canonical form: lower-case A-labels (RFC 5891 §4, by the processing of UTS #46, which maps case and width).
    ///
    /// # Errors
    /// If a label is not allowed.
    #[cfg(feature = "idna")]
    pub fn normalise(&self) -> Result<Self, AddressError> {
        use super::AddressErrorKind;
        let text = self.as_str();
        let ascii = idna::domain_to_ascii(text)
            .map_err(|_| AddressError::new(AddressErrorKind::Mailbox, 0, text.as_bytes()))?;
        ascii.parse()
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.as_str().bytes().map(|octet| octet.to_ascii_lowercase())
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DomainName {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse::domain_name(text.as_bytes(), &AddressOptions::default())
    }
}

impl PartialEq for DomainName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for DomainName {}

impl PartialOrd for DomainName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DomainName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for DomainName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for octet in self.folded() {
            state.write_u8(octet);
        }
        state.write_u8(0xff);
    }
}

/// An address literal with a tag that this crate does not know: `[tag:content]`.
#[derive(Clone, Debug)]
pub struct GeneralLiteral {
    text: Text,
    colon: usize,
}

impl GeneralLiteral {
    /// For the parser, which has checked `octets`: `tag:content` with the colon at `colon`.
    pub(super) fn from_checked(octets: Bytes, colon: usize) -> Option<Self> {
        Text::new(octets).map(|text| Self { text, colon })
    }

    /// What stands before the colon.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.text.as_str().get(..self.colon).unwrap_or_default()
    }

    /// What stands behind the colon.
    #[must_use]
    pub fn content(&self) -> &str {
        self.text.as_str().get(self.colon + 1..).unwrap_or_default()
    }

    /// Tags are keywords, so their case does not matter.
    fn key(&self) -> (impl Iterator<Item = u8>, &str) {
        (self.tag().bytes().map(|octet| octet.to_ascii_lowercase()), self.content())
    }
}

impl PartialEq for GeneralLiteral {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for GeneralLiteral {}

impl PartialOrd for GeneralLiteral {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for GeneralLiteral {
    fn cmp(&self, other: &Self) -> Ordering {
        let (tag, content) = self.key();
        let (other_tag, other_content) = other.key();
        tag.cmp(other_tag).then_with(|| content.cmp(other_content))
    }
}

impl Hash for GeneralLiteral {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (tag, content) = self.key();
        for octet in tag {
            state.write_u8(octet);
        }
        content.hash(state);
    }
}
