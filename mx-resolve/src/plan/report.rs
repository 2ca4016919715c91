//! [`Report`]: what went by on the way to a plan or a failure: hosts that were left out, and what was odd.
//!
//! Everything here is data with words of its own; names that come from the DNS are escaped where they are no names.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::address::RefusedAddress;
use crate::dns::{Failure, Question, RecordType};
use crate::fetch::FetchFailure;
use crate::name::{DomainName, SpecialUse, Target};
use crate::sts::{CachedPolicy, PolicyError};
use crate::tlsrpt::Finding;

/// How many entries of each list are kept: the records of a hostile domain may give thousands.
const KEPT: usize = 64;

/// What went by on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Hosts that mail does not go to, best first.
    pub skipped: Vec<Skipped>,
    /// What was odd and did not stop anything.
    pub diagnostics: Vec<Diagnostic>,
    /// What a report to the domain would tell (TLSRPT), as far as it is known before a connection.
    pub findings: Vec<Finding>,
    /// The policy of MTA-STS, if one was looked for.
    pub sts: Option<StsReport>,
    /// How many questions were asked.
    pub queries: usize,
}

impl Report {
    pub(crate) fn skip(&mut self, name: impl Into<Target>, preference: u16, reason: SkipReason) {
        if self.skipped.len() < KEPT {
            self.skipped.push(Skipped { name: name.into(), preference, reason });
        }
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    pub(crate) fn note(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < KEPT {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// Where a policy of MTA-STS came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StsState {
    /// There is none.
    None,
    /// It was fetched.
    Fetched,
    /// It was fetched earlier, and still holds.
    Cached,
}

impl StsState {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fetched => "fetched",
            Self::Cached => "cached",
        }
    }
}

/// The policy of MTA-STS that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StsReport {
    /// Where it came from.
    pub state: StsState,
    /// The policy, if there is one.
    pub policy: Option<Arc<CachedPolicy>>,
}

impl StsReport {
    pub(crate) const fn new(state: StsState, policy: Option<Arc<CachedPolicy>>) -> Self {
        Self { state, policy }
    }
}

/// A host that mail does not go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Its name.
    pub name: Target,
    /// Its preference.
    pub preference: u16,
    /// Why.
    pub reason: SkipReason,
}

/// Why mail does not go to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its name holds what no host name holds.
    Malformed,
    /// Its name is an IP address, or looks like one.
    Address,
    /// Its name has a special use.
    SpecialUse(SpecialUse),
    /// Its name has one label.
    SingleLabel,
    /// It is this host, or not better than this host.
    NotBetterThanSelf,
    /// It has no address.
    NoAddress,
    /// All its addresses are refused; this is why the first is.
    Refused(RefusedAddress),
    /// An address lookup failed, and no address is known; or DNSSEC vouches for the host, and the lookup of its TLSA records
    /// failed.
    Lookup(RecordType, Failure),
    /// DANE is required, and the host has none that can be used.
    DaneRequired,
}

impl SkipReason {
    /// Whether it may be different soon.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Lookup(..) | Self::DaneRequired)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("malformed-name"),
            Self::Address => f.write_str("address-as-name"),
            Self::SpecialUse(SpecialUse::Localhost) => f.write_str("special-use: localhost"),
            Self::SpecialUse(SpecialUse::Invalid) => f.write_str("special-use: invalid"),
            Self::SpecialUse(SpecialUse::Onion) => f.write_str("special-use: onion"),
            Self::SingleLabel => f.write_str("single-label"),
            Self::NotBetterThanSelf => f.write_str("not-better-than-self"),
            Self::NoAddress => f.write_str("no-address"),
            Self::Refused(reason) => write!(f, "refused-address: {}", reason.as_str()),
            Self::DaneRequired => f.write_str("dane-required"),
            Self::Lookup(record_type, failure) => write!(f, "lookup-failed: {record_type}: {failure}"),
        }
    }
}

/// Something odd.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// A null MX whose preference is not 0.
    NullMxPreference(u16),
    /// `.` among the MX hosts; it was left out.
    NullMxAmongHosts,
    /// A host that stands in several records; the best one counts.
    DuplicateHost(DomainName),
    /// More hosts than the limit; so many were left out.
    TooManyHosts(usize),
    /// The name of an MX host is an alias, which RFC 5321 §5.1 does not allow.
    HostIsAlias {
        /// The host.
        host: DomainName,
        /// What it stands for.
        target: DomainName,
    },
    /// Only one family of addresses is known, since the lookup of the other failed.
    Partial {
        /// The question that failed.
        question: Question,
        /// Why.
        failure: Failure,
    },
    /// An address that is not dialled.
    RefusedAddress {
        /// The host.
        host: DomainName,
        /// The address.
        address: IpAddr,
        /// Why.
        reason: RefusedAddress,
    },
    /// More addresses of one family than are kept; so many were left out.
    TooManyAddresses {
        /// The host.
        host: DomainName,
        /// How many were left out.
        dropped: usize,
    },
    /// A host that the policy of the domain does not name.
    NotInPolicy(DomainName),
    /// TLSA records of a host that cannot be used, and how many can.
    UnusableTlsa {
        /// The host.
        host: DomainName,
        /// How many cannot.
        unusable: usize,
        /// How many can.
        usable: usize,
    },
    /// The record of a policy could not be looked up.
    StsLookup(Failure),
    /// The policy could not be fetched.
    StsFetch(FetchFailure),
    /// What was fetched is no policy.
    StsPolicy(PolicyError),
    /// The policy was not fetched, since that failed a short while ago.
    StsRetryLater,
    /// Records that could not be read, beside others that could.
    MalformedRecords {
        /// The question.
        question: Question,
        /// How many.
        count: usize,
    },
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NullMxPreference(preference) => write!(f, "null-mx-preference: {preference}"),
            Self::NullMxAmongHosts => f.write_str("null-mx-among-hosts"),
            Self::DuplicateHost(name) => write!(f, "duplicate-host: {name}"),
            Self::TooManyHosts(dropped) => write!(f, "too-many-hosts: {dropped} left out"),
            Self::HostIsAlias { host, target } => write!(f, "host-is-alias: {host} for {target}"),
            Self::Partial { question, failure } => write!(f, "partial-addresses: {question}: {failure}"),
            Self::RefusedAddress { host, address, reason } => {
                write!(f, "refused-address: {host} {address}: {}", reason.as_str())
            }
            Self::TooManyAddresses { host, dropped } => {
                write!(f, "too-many-addresses: {host}: {dropped} left out")
            }
            Self::NotInPolicy(host) => write!(f, "not-in-sts-policy: {host}"),
            Self::UnusableTlsa { host, unusable, usable } => {
                write!(f, "unusable-tlsa: {host}: {unusable} unusable, {usable} usable")
            }
            Self::StsLookup(failure) => write!(f, "sts-lookup-failed: {failure}"),
            Self::StsFetch(failure) => write!(f, "sts-policy-fetch-error: {failure}"),
            Self::StsPolicy(error) => write!(f, "sts-policy-invalid: {error}"),
            Self::StsRetryLater => f.write_str("sts-policy-fetch-postponed"),
            Self::MalformedRecords { question, count } => write!(f, "malformed-records: {question}: {count}"),
        }
    }
}
