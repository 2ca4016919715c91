//! The data of records, as values, and how far DNSSEC vouches for them.

use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use super::question::RecordType;
use crate::name::Target;

/// How far DNSSEC vouches for data. What fails validation is no data but a [`super::Failure`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4035 §4.3 has two more, which are failures")]
pub enum Security {
    /// Nobody looked, or whoever did is not to be trusted about it.
    #[default]
    Unchecked,
    /// Proven to be unsigned.
    Insecure,
    /// Signed, and the chain of trust holds.
    Secure,
}

/// A mail exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 1035 §3.3.9 has these fields and no others")]
pub struct Mx {
    /// Lower is better.
    pub preference: u16,
    /// The host, or `.` for none.
    pub exchange: Target,
}

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 2782 has these fields and no others")]
pub struct Srv {
    /// Lower is better.
    pub priority: u16,
    /// The share of records of one priority; 0 is for those that are hardly ever chosen first.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host, or `.` for a service that is not offered.
    pub target: Target,
}

/// A certificate association, as it stands in the record: nothing says that its numbers are known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 6698 §2.1 has these fields and no others")]
pub struct Tlsa {
    /// Certificate usage.
    pub usage: u8,
    /// Selector.
    pub selector: u8,
    /// Matching type.
    pub matching: u8,
    /// The association data.
    pub data: Bytes,
}

impl fmt::Display for Tlsa {
    /// As in a zone: `3 1 1 ab12…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Tlsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tlsa({self})")
    }
}

/// The data of one record of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An alias of the owner.
    Cname(Target),
    /// A mail exchange.
    Mx(Mx),
    /// The strings of a text record, joined without spaces.
    Txt(Bytes),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Where a service is.
    Srv(Srv),
    /// A certificate association.
    Tlsa(Tlsa),
    /// Data that is shorter than its type needs, or does not end where it says.
    Malformed(RecordType),
}

/// Records of one type and owner: what a question was about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Records {
    /// IPv4 addresses.
    A(Vec<Ipv4Addr>),
    /// Aliases.
    Cname(Vec<Target>),
    /// Mail exchanges.
    Mx(Vec<Mx>),
    /// Texts.
    Txt(Vec<Bytes>),
    /// IPv6 addresses.
    Aaaa(Vec<Ipv6Addr>),
    /// Where a service is.
    Srv(Vec<Srv>),
    /// Certificate associations.
    Tlsa(Vec<Tlsa>),
}

impl Records {
    /// No records yet.
    pub(super) fn none(record_type: RecordType) -> Self {
        match record_type {
            RecordType::A => Self::A(Vec::new()),
            RecordType::Cname => Self::Cname(Vec::new()),
            RecordType::Mx => Self::Mx(Vec::new()),
            RecordType::Txt => Self::Txt(Vec::new()),
            RecordType::Aaaa => Self::Aaaa(Vec::new()),
            RecordType::Srv => Self::Srv(Vec::new()),
            RecordType::Tlsa => Self::Tlsa(Vec::new()),
        }
    }

    /// Adds data of the same type; whether it was.
    pub(super) fn add(&mut self, data: &RecordData) -> bool {
        match (self, data) {
            (Self::A(all), RecordData::A(one)) => all.push(*one),
            (Self::Cname(all), RecordData::Cname(one)) => all.push(one.clone()),
            (Self::Mx(all), RecordData::Mx(one)) => all.push(one.clone()),
            (Self::Txt(all), RecordData::Txt(one)) => all.push(one.clone()),
            (Self::Aaaa(all), RecordData::Aaaa(one)) => all.push(*one),
            (Self::Srv(all), RecordData::Srv(one)) => all.push(one.clone()),
            (Self::Tlsa(all), RecordData::Tlsa(one)) => all.push(one.clone()),
            _ => return false,
        }
        true
    }

    /// The type.
    #[must_use]
    pub const fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Cname(_) => RecordType::Cname,
            Self::Mx(_) => RecordType::Mx,
            Self::Txt(_) => RecordType::Txt,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Srv(_) => RecordType::Srv,
            Self::Tlsa(_) => RecordType::Tlsa,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::A(all) => all.len(),
            Self::Cname(all) => all.len(),
            Self::Mx(all) => all.len(),
            Self::Txt(all) => all.len(),
            Self::Aaaa(all) => all.len(),
            Self::Srv(all) => all.len(),
            Self::Tlsa(all) => all.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
