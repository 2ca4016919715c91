//! [`RouteError`]: why there is no plan, with the enhanced status code (RFC 3463) for the report to the sender.

use alloc::sync::Arc;
use core::fmt;

use crate::destination::DestinationError;
use crate::dns::{Failure, Question};
use crate::name::DomainName;
use crate::plan::Report;
use crate::time::UnixMillis;

/// An enhanced status code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u8, u16, u16);

impl Status {
    /// Class, subject and detail.
    #[must_use]
    pub const fn parts(self) -> (u8, u16, u16) {
        (self.0, self.1, self.2)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why there is no plan. A clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "it may be different later, or not")]
pub enum RouteError {
    /// The message goes back.
    #[error("{0}")]
    Permanent(Permanent),
    /// The message waits.
    #[error("{0}")]
    Temporary(Temporary),
}

/// A destination that no mail can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permanent {
    /// The enhanced status code.
    pub status: Status,
    /// The reply code that a server would refuse the recipient with.
    pub reply: u16,
    /// Why.
    pub reason: PermanentReason,
    /// Until when this holds without asking again.
    pub expires: UnixMillis,
    /// What was left out, and what was odd.
    pub report: Arc<Report>,
}

/// A destination that no mail can go to now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Temporary {
    /// The enhanced status code.
    pub status: Status,
    /// Why.
    pub reason: TemporaryReason,
    /// Not worth trying before.
    pub not_before: UnixMillis,
    /// What was left out, and what was odd.
    pub report: Arc<Report>,
}

impl fmt::Display for Permanent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)
    }
}

impl fmt::Display for Temporary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)
    }
}

/// Why no mail can go to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PermanentReason {
    /// The domain says that it takes no mail.
    #[error("the domain takes no mail")]
    NullMx,
    /// The domain does not exist.
    #[error("the domain does not exist")]
    NoSuchDomain,
    /// The domain has neither MX records nor an address.
    #[error("the domain has neither a mail host nor an address")]
    NoAddress,
    /// The domain has mail hosts, and none that can be used.
    #[error("no mail host of the domain can be used")]
    NoUsableHost,
    /// This host is the best mail host of the domain, and does not know it.
    #[error("this host is the best mail host of the domain, so the mail would loop")]
    SelfIsBest,
    /// In brackets, and no address.
    #[error("the address literal is malformed")]
    MalformedLiteral,
    /// An IP address without brackets.
    #[error("an IP address stands in brackets")]
    AddressWithoutBrackets,
    /// Not a domain name.
    #[error("not a domain name")]
    InvalidName,
    /// The message asks for TLS, and no mail host of the domain is known for sure.
    #[error("no mail host of the domain can be reached with the TLS that the message asks for")]
    NoSecureHost,
    /// A name that mail never goes to, such as `invalid`.
    #[error("the domain has a special use")]
    SpecialUse,
}

impl PermanentReason {
    /// A word for it, which does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NullMx => "null-mx",
            Self::NoSuchDomain => "no-such-domain",
            Self::NoAddress => "no-address",
            Self::NoUsableHost => "no-usable-host",
            Self::SelfIsBest => "self-is-best",
            Self::MalformedLiteral => "malformed-literal",
            Self::AddressWithoutBrackets => "address-without-brackets",
            Self::InvalidName => "invalid-domain",
            Self::NoSecureHost => "no-secure-host",
            Self::SpecialUse => "special-use-domain",
        }
    }

    const fn codes(self) -> (Status, u16) {
        match self {
            // RFC 7505 §4.1, RFC 7504 §4: a reply and a status of their own.
            Self::NullMx => (Status(5, 1, 10), 556),
            Self::NoSuchDomain
            | Self::NoAddress
            | Self::AddressWithoutBrackets
            | Self::InvalidName
            | Self::SpecialUse => (Status(5, 1, 2), 550),
            Self::MalformedLiteral => (Status(5, 1, 3), 553),
            Self::NoUsableHost => (Status(5, 4, 4), 550),
            // RFC 8689 §4.2.1: encryption needed.
            Self::NoSecureHost => (Status(5, 7, 10), 550),
            // RFC 3463 §3.5: X.4.6 is a routing loop; RFC 5321 §5.1 has the message returned.
            Self::SelfIsBest => (Status(5, 4, 6), 554),
        }
    }
}

/// Why no mail can go to a destination now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemporaryReason {
    /// What has to be known could not be found out.
    #[error("{question}: {failure}")]
    Lookup {
        /// The question.
        question: Question,
        /// What came of it.
        failure: Failure,
    },
    /// No host can be used, and the addresses of one could not be found out.
    #[error("no mail host can be used now: {host}: {failure}")]
    NoHostNow {
        /// The best such host.
        host: DomainName,
        /// What came of its lookup.
        failure: Failure,
    },
    /// No host can be used, and the configuration says to wait.
    #[error("no mail host of the domain can be used")]
    NoUsableHost,
    /// The policy of the domain (MTA-STS) names none of its mail hosts.
    #[error("the policy of the domain allows none of its mail hosts")]
    StsPolicy,
    /// It cannot be found out whether the domain has a policy (MTA-STS), and the configuration says to wait.
    #[error("the policy of the domain cannot be found out: {0}")]
    StsUnknown(Failure),
    /// DANE is required, and no mail host has it.
    #[error("DANE is required, and no mail host of the domain has it")]
    DaneRequired,
    /// The smart host cannot be used. Mail of others does not go back for that.
    #[error("smart host: {0}")]
    Relay(PermanentReason),
}

impl TemporaryReason {
    /// A word for it, which does not change.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Lookup { .. } => "lookup-failed",
            Self::NoHostNow { .. } => "no-host-now",
            Self::NoUsableHost => "no-usable-host",
            Self::StsPolicy => "sts-policy",
            Self::StsUnknown(_) => "sts-unknown",
            Self::DaneRequired => "dane-required",
            Self::Relay(reason) => reason.as_str(),
        }
    }

    const fn status(&self) -> Status {
        match self {
            // RFC 3463 §3.5: X.4.3 is about the directory server, X.4.4 about routing.
            Self::Lookup { .. } => Status(4, 4, 3),
            Self::NoHostNow { .. } | Self::NoUsableHost | Self::Relay(_) => Status(4, 4, 4),
            Self::StsUnknown(_) => Status(4, 4, 3),
            // RFC 3463 §3.8: X.7.5 is about cryptographic failure.
            Self::StsPolicy | Self::DaneRequired => Status(4, 7, 5),
        }
    }
}

impl RouteError {
    pub(crate) fn permanent(reason: PermanentReason, expires: UnixMillis, report: Report) -> Self {
        let (status, reply) = reason.codes();
        Self::Permanent(Permanent { status, reply, reason, expires, report: Arc::new(report) })
    }

    pub(crate) fn temporary(reason: TemporaryReason, not_before: UnixMillis, report: Report) -> Self {
        Self::Temporary(Temporary { status: reason.status(), reason, not_before, report: Arc::new(report) })
    }

    /// The enhanced status code.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Permanent(error) => error.status,
            Self::Temporary(error) => error.status,
        }
    }

    /// What was left out, and what was odd.
    #[must_use]
    pub fn report(&self) -> &Report {
        match self {
            Self::Permanent(error) => &error.report,
            Self::Temporary(error) => &error.report,
        }
    }
}

impl From<DestinationError> for RouteError {
    /// A text that is no destination never becomes one, so it may be remembered for ever.
    fn from(error: DestinationError) -> Self {
        let reason = match error {
            DestinationError::Literal => PermanentReason::MalformedLiteral,
            DestinationError::Address => PermanentReason::AddressWithoutBrackets,
            DestinationError::Name(_) | DestinationError::Port => PermanentReason::InvalidName,
        };
        Self::permanent(reason, UnixMillis::from_millis(u64::MAX), Report::default())
    }
}
