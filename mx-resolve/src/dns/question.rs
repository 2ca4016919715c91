//! [`Question`]: a name and a type of record. The class is always IN.

use core::fmt;

use crate::name::DomainName;

/// The types of record that the machine asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An alias, as a question of its own.
    Cname,
    /// A mail exchange.
    Mx,
    /// Text.
    Txt,
    /// An IPv6 address.
    Aaaa,
    /// Where a service is.
    Srv,
    /// A certificate association.
    Tlsa,
}

impl RecordType {
    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Cname => 5,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Srv => 33,
            Self::Tlsa => 52,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Aaaa => "AAAA",
            Self::Srv => "SRV",
            Self::Tlsa => "TLSA",
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A question for the DNS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Question {
    /// The name asked for.
    pub name: DomainName,
    /// The type of record.
    pub record_type: RecordType,
}

impl Question {
    /// A question.
    #[must_use]
    pub const fn new(name: DomainName, record_type: RecordType) -> Self {
        Self { name, record_type }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.record_type)
    }
}
