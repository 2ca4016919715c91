//! [`Config`]: who this host is, what it allows, and how much it spends.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::address::AddressPolicy;
use crate::name::DomainName;

/// Who this host is, what it allows, and how much it spends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The port of mail hosts. Default: 25.
    pub port: u16,
    /// The names of this host: an MX record with one of them ends the list of hosts. Default: none.
    pub self_names: Vec<DomainName>,
    /// The addresses of this host, likewise. Default: none.
    pub self_addresses: Vec<IpAddr>,
    /// Which addresses from the DNS may be dialled.
    pub addresses: AddressPolicy,
    /// A domain whose mail hosts all cannot be used is a temporary failure. Default: no, mail goes back (RFC 5321 §5.1
    /// leaves it open), since such records are seldom repaired.
    pub defer_without_host: bool,
    /// How much is spent.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 25,
            self_names: Vec::new(),
            self_addresses: Vec::new(),
            addresses: AddressPolicy::default(),
            defer_without_host: false,
            limits: Limits::default(),
        }
    }
}

/// How much is spent on a resolution, and how long things are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Questions of a resolution. Default: 64, enough for 20 hosts with both families of addresses.
    pub queries: usize,
    /// Time for a resolution. Default: 60 s.
    pub deadline: Duration,
    /// Time for a question, with all retries of the driver. Default: 10 s.
    pub query: Duration,
    /// Aliases in a row. Default: 10.
    pub aliases: usize,
    /// Hosts of a plan. Default: 20; never more than 32.
    pub hosts: usize,
    /// Addresses that an attempt dials. Default: 5; never less than 2 (RFC 5321 §5.1) or more than 32.
    pub dials: usize,
    /// The longest life of a plan. Default: 1 h.
    pub plan: Duration,
    /// The longest life of a plan that lacks what could not be looked up. Default: 60 s.
    pub partial: Duration,
    /// The longest life of a permanent failure. Default: 3 h (RFC 2308 §5).
    pub negative: Duration,
    /// How long the first temporary failure of a destination is remembered; twice as long for each further one in a row.
    /// Default: 1 s.
    pub failure_first: Duration,
    /// The longest that a temporary failure is remembered. Default: 5 min (RFC 2308 §7.1).
    pub failure_last: Duration,
    /// Destinations in the cache. Default: 10,000, each of some hundred octets to some kilobytes.
    pub cache: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queries: 64,
            deadline: Duration::from_secs(60),
            query: Duration::from_secs(10),
            aliases: 10,
            hosts: 20,
            dials: 5,
            plan: Duration::from_secs(3600),
            partial: Duration::from_secs(60),
            negative: Duration::from_secs(3 * 3600),
            failure_first: Duration::from_secs(1),
            failure_last: Duration::from_secs(300),
            cache: 10_000,
        }
    }
}
