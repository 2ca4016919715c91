//! [`Tls`]: what a session with a host has to insist on, with its reason.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::dns::Tlsa;
use crate::name::DomainName;

/// What TLS has to be like in a session with a host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tls {
    /// TLS if the host offers it, with any certificate; plaintext otherwise.
    Opportunistic(OpportunisticReason),
    /// TLS, with any certificate.
    Required(RequiredReason),
    /// TLS, with a certificate that a trusted root vouches for and that has one of the names.
    Pkix(Box<Pkix>),
    /// TLS, with a certificate that the TLSA records vouch for.
    Dane(Box<Dane>),
}

impl Tls {
    /// A word for the level.
    #[must_use]
    pub const fn level(&self) -> &'static str {
        match self {
            Self::Opportunistic(_) => "opportunistic",
            Self::Required(_) => "required",
            Self::Pkix(_) => "pkix",
            Self::Dane(_) => "dane",
        }
    }

    /// Whether mail goes out though TLS is not as it has to be, plaintext included.
    #[must_use]
    pub const fn lets_pass(&self) -> bool {
        match self {
            Self::Opportunistic(_) => true,
            Self::Pkix(pkix) => pkix.testing,
            Self::Required(_) | Self::Dane(_) => false,
        }
    }
}

/// Why nothing is insisted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OpportunisticReason {
    /// No policy was looked for.
    NotSought,
    /// The destination is an address, which has no policy.
    Address,
    /// There is neither a policy nor a TLSA record.
    NoPolicy,
    /// Nobody vouches for the MX records, so there is no DANE, and there is no policy.
    InsecureMx,
    /// Nobody vouches for the addresses of the host, so there is no DANE, and there is no policy.
    InsecureHost,
    /// The policy is in testing, and does not name the host.
    NotInTestingPolicy,
    /// The message says that it does not need TLS.
    NotRequired,
}

impl OpportunisticReason {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSought => "not-sought",
            Self::Address => "address",
            Self::NoPolicy => "no-policy",
            Self::InsecureMx => "insecure-mx",
            Self::InsecureHost => "insecure-host",
            Self::NotInTestingPolicy => "not-in-testing-policy",
            Self::NotRequired => "tls-not-required",
        }
    }
}

/// Why TLS is required without knowing the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RequiredReason {
    /// The host has TLSA records, and none that can be used (RFC 7672 §2.2).
    UnusableTlsa,
}

impl RequiredReason {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnusableTlsa => "unusable-tlsa",
        }
    }
}

/// Why a trusted root has to vouch for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PkixReason {
    /// A policy of MTA-STS.
    Sts,
    /// The message asks for it.
    RequireTls,
}

impl PkixReason {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::RequireTls => "requiretls",
        }
    }
}

/// What a certificate has to have under a policy of MTA-STS (RFC 8461 §4.2), or for REQUIRETLS (RFC 8689 §4.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pkix {
    /// The names of which the certificate must have one.
    pub names: Vec<DomainName>,
    /// The name to send as SNI.
    pub sni: DomainName,
    /// Deliver anyway, and report (`mode: testing`).
    pub testing: bool,
    /// The id of the policy, if there is one.
    pub policy_id: Option<Arc<str>>,
    /// Why.
    pub reason: PkixReason,
}

/// What a certificate has to match under DANE (RFC 7672 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dane {
    /// The usable records.
    pub tlsa: Vec<Tlsa>,
    /// The TLSA base domain.
    pub base: DomainName,
    /// The reference names, for usage DANE-TA.
    pub names: Vec<DomainName>,
    /// The name to send as SNI.
    pub sni: DomainName,
    /// DNSSEC vouches for the way from the destination to the host, too. If not, what is delivered here must not be called
    /// secure (RFC 7672 §2.2.1).
    pub secure_route: bool,
    /// What a policy of MTA-STS would have asked for, for reports.
    pub sts: Option<Pkix>,
}
