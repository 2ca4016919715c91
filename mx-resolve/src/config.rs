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
    /// Policies of MTA-STS are looked for and applied. Default: no, since the driver has to fetch files, and what a plan asks
    /// of TLS has to be kept by whoever delivers.
    pub sts: bool,
    /// A destination is deferred while it cannot be found out whether it has a policy, and none is known. Default: no, mail
    /// goes out, and the failure is reported.
    pub sts_defer: bool,
    /// Whether DANE is used. Default: no, for the same reason.
    pub dane: DaneMode,
    /// TLSA records count for hosts of MX records that nobody vouches for, too (RFC 7672 §2.2.1 leaves it open). Whoever
    /// forges the MX records decides on such a host, so the plan is no safer than them. Default: no.
    pub dane_for_insecure_mx: bool,
    /// The name of an MX host that is an alias is a reference name beside what it stands for, where the TLSA records are those
    /// of the latter. It is not in the list of RFC 7672 §3.2.2. Default: no.
    pub dane_unexpanded_name: bool,
    /// Matching types of digests, the strongest first: of several in the TLSA records of a host the first here counts (RFC
    /// 7671 §9). What is not in it is unusable. Default: 2 (SHA2-512), 1 (SHA2-256).
    pub dane_digests: Vec<u8>,
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
            sts: false,
            sts_defer: false,
            dane: DaneMode::Off,
            dane_for_insecure_mx: false,
            dane_unexpanded_name: false,
            dane_digests: Vec::from([2, 1]),
            defer_without_host: false,
            limits: Limits::default(),
        }
    }
}

/// Whether DANE is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7672 has these and no others")]
pub enum DaneMode {
    /// Not at all.
    #[default]
    Off,
    /// Where hosts have it.
    Opportunistic,
    /// Everywhere: other hosts get no mail (RFC 7672 §6).
    Mandatory,
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
    /// Hosts of a plan. Default: 20; never more than 32, or than the questions are enough for: each host takes two, and five
    /// where DANE may be in use.
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
    /// Time for fetching a file. Default: 60 s (RFC 8461 §3.3).
    pub fetch: Duration,
    /// Octets of a policy. Default: 64 KiB (RFC 8461 §3.3).
    pub policy: usize,
    /// How long a policy is not fetched again after a failure, while its id stays the same. Default: 5 min (RFC 8461 §3.3).
    pub policy_retry: Duration,
    /// About how long after it was fetched a policy is to be fetched again, if it lives twice as long. Default: 24 h (RFC 8461
    /// §3.3).
    pub policy_refresh: Duration,
    /// Domains in the cache of policies. Default: 100,000, each of some hundred octets.
    pub policies: usize,
    /// TLSA records of a host. Default: 32; more are left out.
    pub tlsa: usize,
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
            fetch: Duration::from_secs(60),
            policy: 64 * 1024,
            policy_retry: Duration::from_secs(300),
            policy_refresh: Duration::from_secs(86_400),
            policies: 100_000,
            tlsa: 32,
            cache: 10_000,
        }
    }
}
