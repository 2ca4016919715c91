//! [`Plan`]: where the mail for a destination goes. It does not change, is shared between tasks, and says for how long
//! it holds. The order in which hosts are tried is drawn for each attempt ([`Plan::attempt`]), not once for all.

mod attempt;
mod report;
mod tls;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

pub use self::attempt::{Attempt, Dial};
pub(crate) use self::attempt::{FAMILY, HOSTS};
pub use self::report::{Diagnostic, Report, SkipReason, Skipped, StsReport, StsState};
pub use self::tls::{Dane, OpportunisticReason, Pkix, PkixReason, RequiredReason, Tls};
use crate::destination::Destination;
use crate::name::DomainName;
use crate::time::UnixMillis;

/// How the hosts of a plan were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// By MX records.
    Mx,
    /// The domain has no MX records and is its own host.
    ImplicitMx,
    /// The destination is an address.
    Literal,
    /// The destination is a smart host.
    Relay,
}

impl Kind {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mx => "mx",
            Self::ImplicitMx => "implicit-mx",
            Self::Literal => "literal",
            Self::Relay => "relay",
        }
    }
}

/// A host that takes mail for the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// Its name as the MX record has it; none if the destination is an address.
    pub name: Option<DomainName>,
    /// The name at the end of its aliases, if it is one.
    pub canonical: Option<DomainName>,
    /// Lower is better.
    pub preference: u16,
    /// The port to connect to.
    pub port: u16,
    /// Its addresses, IPv6 before IPv4, each family sorted.
    pub addresses: Vec<IpAddr>,
    /// Why it is never dialled, if so: it keeps its place in the plan all the same.
    pub unreachable: Option<Unreachable>,
    /// The lookup of one family of addresses failed.
    pub partial: bool,
    /// What TLS has to be like.
    pub tls: Tls,
}

impl Host {
    /// Whether it may be dialled.
    #[must_use]
    pub const fn is_reachable(&self) -> bool {
        self.unreachable.is_none()
    }

    /// The name to send as SNI: the one that TLS asks for, or that of the host. None if it has none.
    #[must_use]
    pub fn server_name(&self) -> Option<&DomainName> {
        match &self.tls {
            Tls::Pkix(pkix) => Some(&pkix.sni),
            Tls::Dane(dane) => Some(&dane.sni),
            Tls::Opportunistic(_) | Tls::Required(_) => self.name.as_ref(),
        }
    }
}

/// Why a host that has addresses is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unreachable {
    /// The policy of the domain, in force, does not name it.
    NotInPolicy,
    /// The message asks for TLS (REQUIRETLS), and nothing vouches for it that this is a mail host of the domain.
    NotAuthentic,
}

impl Unreachable {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotInPolicy => "not-in-sts-policy",
            Self::NotAuthentic => "not-authentic",
        }
    }
}

/// Where the mail for a destination goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) destination: Destination,
    pub(crate) kind: Kind,
    pub(crate) expanded: Option<DomainName>,
    /// At most `attempt::HOSTS`, by preference, then by name.
    pub(crate) hosts: Vec<Arc<Host>>,
    pub(crate) dials: usize,
    /// Some address stands at several hosts.
    pub(crate) shared: bool,
    pub(crate) expires: UnixMillis,
    pub(crate) report: Report,
}

impl Plan {
    /// What the plan is for.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// How the hosts were found.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The domain behind its aliases: equal to the domain if it is none. None if the destination is an address.
    #[must_use]
    pub const fn expanded(&self) -> Option<&DomainName> {
        self.expanded.as_ref()
    }

    /// The hosts, by preference, then by name. For the order in which to try them see [`Plan::attempt`].
    #[must_use]
    pub fn hosts(&self) -> &[Arc<Host>] {
        &self.hosts
    }

    /// Until when the plan holds: no longer than anything it was made from.
    #[must_use]
    pub const fn expires(&self) -> UnixMillis {
        self.expires
    }

    /// What was left out, and what was odd.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }
}
