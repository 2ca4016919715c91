//! [`Destination`]: where a message is to go, before anything is looked up.

use alloc::string::String;
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use mailwright_core::value::Domain;

use crate::name::{DomainName, NameError};

/// Where a message is to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// The domain of a recipient.
    Domain(MailDomain),
    /// An address literal: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
    Literal(IpAddr),
    /// A smart host.
    Relay(Relay),
}

/// The domain of a recipient. Equal if the A-labels are.
#[derive(Clone, Debug)]
pub struct MailDomain {
    name: DomainName,
    original: Option<Arc<str>>,
}

impl MailDomain {
    /// The name in A-labels: for the DNS and for TLS.
    #[must_use]
    pub const fn name(&self) -> &DomainName {
        &self.name
    }

    /// The domain as it was written, if it had U-labels: for a next hop with SMTPUTF8.
    #[must_use]
    pub fn original(&self) -> Option<&str> {
        self.original.as_deref()
    }
}

impl From<DomainName> for MailDomain {
    fn from(name: DomainName) -> Self {
        Self { name, original: None }
    }
}

impl PartialEq for MailDomain {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for MailDomain {}

impl PartialOrd for MailDomain {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MailDomain {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}

impl Hash for MailDomain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// A smart host: mail for any domain goes there. It is the operator's choice, so an address or `localhost` is taken
/// as it is; addresses that the DNS gives for its name pass the filter like others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Relay {
    /// Its name or address.
    pub host: RelayHost,
    /// Its port.
    pub port: u16,
    /// Whether its name is a mail domain, whose MX records are asked for.
    pub mx: bool,
}

/// A smart host by name or by address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a host has a name or an address")]
pub enum RelayHost {
    /// By name.
    Name(DomainName),
    /// By address.
    Address(IpAddr),
}

impl Relay {
    /// A smart host, whose MX records are not asked for.
    #[must_use]
    pub const fn new(host: RelayHost, port: u16) -> Self {
        Self { host, port, mx: false }
    }
}

/// Why a text is no destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// In brackets, and no address of IPv4 or IPv6.
    #[error("not an address literal of IPv4 or IPv6")]
    Literal,
    /// An IP address without brackets.
    #[error("an IP address stands in brackets")]
    Address,
    /// No domain name.
    #[error("not a domain name: {0}")]
    Name(NameError),
    /// No port number behind a colon.
    #[error("not a port number")]
    Port,
}

impl Destination {
    /// Reads the domain of an address: a name, or an address literal in brackets.
    ///
    /// # Errors
    /// If it is neither; the error becomes a `RouteError` by `into()`.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        if let Some(rest) = text.strip_prefix('[') {
            let inner = rest.strip_suffix(']').ok_or(DestinationError::Literal)?;
            return literal(inner).map(Self::Literal).ok_or(DestinationError::Literal);
        }
        // RFC 5321 §2.3.5: a domain is a name; an address without brackets is not one, though it looks like it.
        if text.parse::<IpAddr>().is_ok() {
            return Err(DestinationError::Address);
        }
        let name: DomainName = domain(text).map_err(DestinationError::Name)?;
        if name.is_address() {
            return Err(DestinationError::Address);
        }
        // RFC 6531 §3.2: the form that was written may be used where SMTPUTF8 is.
        let original = (!text.is_ascii()).then(|| Arc::from(text));
        Ok(Self::Domain(MailDomain { name, original }))
    }

    /// Reads a smart host: a name, an address or an address literal, and a port behind a colon.
    ///
    /// ```
    /// use mailwright_mx::Destination;
    ///
    /// for text in ["smart.example:587", "192.0.2.1:587", "[192.0.2.1]:587", "[IPv6:2001:db8::1]:587", "[2001:db8::1]:587"] {
    ///     let Destination::Relay(relay) = Destination::relay(text, 25)? else { panic!() };
    ///     assert_eq!((relay.port, relay.mx), (587, false));
    /// }
    /// # Ok::<(), mailwright_mx::DestinationError>(())
    /// ```
    ///
    /// # Errors
    /// If it is none.
    pub fn relay(text: &str, port: u16) -> Result<Self, DestinationError> {
        let (host, port) = match text.rsplit_once(':') {
            // Without brackets, an IPv6 address has no port.
            Some(_) if text.parse::<IpAddr>().is_ok() || text.ends_with(']') => (text, port),
            Some((host, digits)) => (host, digits.parse().map_err(|_| DestinationError::Port)?),
            None => (text, port),
        };
        let host = if let Some(rest) = host.strip_prefix('[') {
            let inner = rest.strip_suffix(']').ok_or(DestinationError::Literal)?;
            let address = literal(inner).or_else(|| inner.parse().ok()).ok_or(DestinationError::Literal)?;
            RelayHost::Address(address)
        } else if let Ok(address) = host.parse() {
            RelayHost::Address(address)
        } else {
            let name = domain(host).map_err(DestinationError::Name)?;
            if name.is_address() {
                return Err(DestinationError::Address);
            }
            RelayHost::Name(name)
        };
        Ok(Self::Relay(Relay::new(host, port)))
    }

    /// The name that is looked up first, if any.
    #[must_use]
    pub const fn name(&self) -> Option<&DomainName> {
        match self {
            Self::Domain(domain) => Some(&domain.name),
            Self::Relay(Relay { host: RelayHost::Name(name), .. }) => Some(name),
            Self::Literal(_) | Self::Relay(_) => None,
        }
    }
}

/// RFC 5321 §4.1.3: the content of the brackets.
fn literal(inner: &str) -> Option<IpAddr> {
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => {
            inner.get(5..)?.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(feature = "idna")]
fn domain(text: &str) -> Result<DomainName, NameError> {
    // RFC 5891 §5.4: a label that looks like an A-label must be one, so ASCII is looked at as well.
    DomainName::from_unicode(text)
}

#[cfg(not(feature = "idna"))]
fn domain(text: &str) -> Result<DomainName, NameError> {
    DomainName::from_ascii(text)
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        Self::parse(text)
    }
}

impl From<DomainName> for Destination {
    fn from(name: DomainName) -> Self {
        Self::Domain(name.into())
    }
}

impl TryFrom<&Domain> for Destination {
    type Error = DestinationError;

    fn try_from(domain: &Domain) -> Result<Self, DestinationError> {
        match domain {
            Domain::Name(name) => Self::parse(name.as_str()),
            Domain::V4(address) => Ok(Self::Literal(IpAddr::V4(*address))),
            Domain::V6(address) => Ok(Self::Literal(IpAddr::V6(*address))),
            Domain::General(_) => Err(DestinationError::Literal),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => fmt::Display::fmt(&domain.name, f),
            Self::Literal(address) => f.write_str(&bracketed(*address)),
            Self::Relay(relay) => match &relay.host {
                RelayHost::Name(name) => write!(f, "{name}:{}", relay.port),
                RelayHost::Address(address) => write!(f, "{}:{}", bracketed(*address), relay.port),
            },
        }
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => alloc::format!("[{address}]"),
        IpAddr::V6(address) => alloc::format!("[IPv6:{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_destination_is_a_name_or_a_literal() {
        for (text, written) in [
            ("Example.ORG", "example.org"),
            ("[192.0.2.1]", "[192.0.2.1]"),
            ("[IPv6:2001:DB8::1]", "[IPv6:2001:db8::1]"),
            ("[ipv6:::1]", "[IPv6:::1]"),
        ] {
            assert_eq!(Destination::parse(text).unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_destination_says_why() {
        for text in [
            "[",
            "[]",
            "[192.0.2]",
            "[192.0.2.1",
            "[2001:db8::1]",
            "[IPv6:192.0.2.1]",
            "[tag:x]",
            "[é]",
            "[ipvé:x]",
        ] {
            assert_eq!(Destination::parse(text), Err(DestinationError::Literal), "{text}");
        }
        for text in ["192.0.2.1", "2001:db8::1", "127.1", "::1"] {
            assert_eq!(Destination::parse(text), Err(DestinationError::Address), "{text}");
        }
        for text in ["", "a b", "a..b", "example.org]"] {
            assert!(matches!(Destination::parse(text), Err(DestinationError::Name(_))), "{text}");
        }
    }

    #[test]
    fn a_relay_may_be_an_address_with_or_without_a_port() {
        for (text, written) in [
            ("smart.example", "smart.example:25"),
            ("localhost:2525", "localhost:2525"),
            ("127.0.0.1", "[127.0.0.1]:25"),
            ("[::1]", "[IPv6:::1]:25"),
            ("::1", "[IPv6:::1]:25"),
        ] {
            assert_eq!(Destination::relay(text, 25).unwrap().to_string(), written);
        }
        assert_eq!(Destination::relay("smart.example:x", 25), Err(DestinationError::Port));
        assert_eq!(Destination::relay("[x]:25", 25), Err(DestinationError::Literal));
    }

    #[cfg(feature = "idna")]
    #[test]
    fn the_written_form_of_u_labels_is_kept() {
        let Destination::Domain(domain) = Destination::parse("bücher.example").unwrap() else { panic!() };
        assert_eq!(domain.name().as_str(), "xn--bcher-kva.example");
        assert_eq!(domain.original(), Some("bücher.example"));
        assert_eq!(Destination::Domain(domain), Destination::parse("XN--bcher-kva.example").unwrap());
    }
}
