//! Account discovery: from an address to the servers that its mail is read and sent with. SRV records are asked first (RFC
//! 6186, RFC 8314), then files over HTTPS; never anything over plain HTTP, where anybody could answer.
//!
//! [`Discovery`] is the machine, with the verbs of a [`Resolution`](crate::Resolution); `srv` orders records, `autoconfig` and
//! `autodiscover` read the two kinds of files. What is found is meant to be stored, with what worked, and not to be looked up
//! at each connection: unless DNSSEC vouches for it ([`Service::secure`]) it may be another one then (RFC 8314 §5.1).

mod autoconfig;
mod autodiscover;
mod srv;
mod xml;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

pub use self::autoconfig::autoconfig;
pub use self::autodiscover::autodiscover;
pub(crate) use self::autodiscover::request as autodiscover_request;
pub use self::srv::{chosen, order};
use crate::config::Limits;
use crate::dns::Failure;
pub use crate::machine::Discovery;
use crate::name::DomainName;

/// What a server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Reading mail where it is.
    Imap,
    /// Fetching mail.
    Pop3,
    /// Sending mail.
    Submission,
}

/// How TLS comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are no others")]
pub enum Security {
    /// From the first octet.
    Implicit,
    /// Asked for by a command, and nothing without it.
    StartTls,
    /// Not at all.
    Plain,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// What it is for.
    pub protocol: Protocol,
    /// How TLS comes in.
    pub security: Security,
    /// Its name, which its certificate has to have.
    pub host: DomainName,
    /// Its port.
    pub port: u16,
    /// Names to log in with, to be tried in this order.
    pub logins: Vec<String>,
    /// A person has to agree before anything is sent there: it is outside the domain of the address, and nobody vouches for
    /// it that the domain says so.
    pub needs_confirmation: bool,
    /// DNSSEC vouches for it.
    pub secure: bool,
}

/// Where an account was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Source {
    /// SRV records.
    Srv,
    /// `https://autoconfig.DOMAIN/…`
    Autoconfig,
    /// `https://DOMAIN/.well-known/autoconfig/…`
    WellKnown,
    /// `https://autodiscover.DOMAIN/…`
    Autodiscover,
    /// `https://DOMAIN/autodiscover/…`
    AutodiscoverRoot,
    /// The data base of Thunderbird.
    Ispdb,
}

impl Source {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Srv => "srv",
            Self::Autoconfig => "autoconfig",
            Self::WellKnown => "well-known-autoconfig",
            Self::Autodiscover => "autodiscover",
            Self::AutodiscoverRoot => "autodiscover-root",
            Self::Ispdb => "ispdb",
        }
    }
}

/// The servers of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Where they were found.
    pub source: Source,
    /// For reading mail, the best first.
    pub incoming: Vec<Service>,
    /// For sending mail, the best first.
    pub outgoing: Vec<Service>,
}

/// Why no servers were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The domain says that it offers none.
    #[error("the domain says that it has no such servers")]
    NotOffered,
    /// Nothing says which they are.
    #[error("nothing tells the servers of the domain")]
    NotFound,
    /// Something could not be asked; another time it may be different.
    #[error("the servers of the domain cannot be found out: {0}")]
    Temporary(Failure),
}

/// What is looked for, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryConfig {
    /// Servers without TLS count, too, behind all others. Default: no.
    pub allow_plain: bool,
    /// The data base of Thunderbird is asked at last, which learns of the domain. Default: no.
    pub ispdb: bool,
    /// Time for one file. Default: 10 s.
    pub step: Duration,
    /// Questions, aliases, and the time for all of it: as for a resolution.
    pub limits: Limits,
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self { allow_plain: false, ispdb: false, step: Duration::from_secs(10), limits: Limits::default() }
    }
}

/// Sorts services as they are to be tried: by kind as they come, TLS from the start before TLS by command.
pub(crate) fn sorted(mut services: Vec<Service>, allow_plain: bool) -> Vec<Service> {
    // RFC 8314 §3: TLS from the first octet is preferred, and nothing goes without TLS that nobody asked for.
    services.retain(|service| allow_plain || service.security != Security::Plain);
    let mut kinds: Vec<Protocol> = Vec::new();
    for service in &services {
        if !kinds.contains(&service.protocol) {
            kinds.push(service.protocol);
        }
    }
    services
        .sort_by_key(|service| (kinds.iter().position(|kind| *kind == service.protocol), service.security));
    services
}

/// Whether a host is the domain or below it.
pub(crate) fn is_within(host: &DomainName, domain: &DomainName) -> bool {
    host.as_str()
        .strip_suffix(domain.as_str())
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The names that RFC 6186 §4 has a client try: the address, then what stands before the `@`.
pub(crate) fn logins(local: &str, domain: &DomainName) -> Vec<String> {
    Vec::from([alloc::format!("{local}@{domain}"), String::from(local)])
}
