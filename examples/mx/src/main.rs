//! `mx`: where would mail for this domain go?
//!
//! Resolves a destination once and prints the plan or the failure. `text` and `json` write what was found out, `policies`
//! says whom to trust about policies and keeps them; everything else is the library.

mod json;
mod policies;
mod text;

use core::error::Error;
use core::net::{IpAddr, SocketAddr};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, ValueEnum};
use mailwright_mx::drive::hickory::{Hickory, HickoryConfig};
use mailwright_mx::drive::https::{Https, HttpsConfig};
use mailwright_mx::drive::stub::{Stub, StubConfig};
use mailwright_mx::drive::{Driver, system};
use mailwright_mx::{Config, DaneMode, Destination, DomainName, Plan, Resolver, RouteError, UnixMillis};

/// Prints where mail for a destination would go, or why nowhere.
///
/// Hosts are in the order in which one attempt would try them, each with the addresses that the attempt would dial.
///
/// Exit codes: 0 a plan, 1 a permanent failure, 2 wrong usage, 3 a temporary failure.
#[derive(Debug, Parser)]
#[command(name = "mx", version)]
struct Arguments {
    /// A domain, with U-labels or A-labels, or an address literal: `example.org`, `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
    destination: String,
    /// The DNS server to ask; the system's by default.
    #[arg(long, value_name = "ADDR:PORT")]
    resolver: Option<SocketAddr>,
    /// What asks it.
    #[arg(long, value_enum, default_value = "stub")]
    driver: Kind,
    /// A file with DNSKEY records of the root: the driver hickory validates with it.
    #[arg(long, value_name = "FILE")]
    trust_anchor: Option<PathBuf>,
    /// Believe the AD bit of a resolver that is not on loopback: the path to it is safe.
    #[arg(long)]
    trust_ad: bool,
    /// Look for TLSA records, where DNSSEC vouches for the hosts.
    #[arg(long)]
    dane: bool,
    /// Look for a policy (MTA-STS).
    #[arg(long)]
    sts: bool,
    /// A PEM file with roots to trust about policies, beside the public ones.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A file that keeps policies from one run to the next.
    #[arg(long, value_name = "FILE")]
    sts_cache: Option<PathBuf>,
    /// Where to fetch the policy of a policy host, whatever its address. For tests; may be repeated.
    #[arg(long, value_name = "HOST=ADDR:PORT", value_parser = policies::place)]
    sts_url_override: Vec<(DomainName, SocketAddr)>,
    /// The time, in seconds since 1970, that lifetimes count from. For tests.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// The port of mail hosts, or of the smart host.
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// A name of this host: MX hosts that are not better than it are left out. May be repeated.
    #[arg(long = "self", value_name = "NAME")]
    self_names: Vec<DomainName>,
    /// An address of this host, likewise. May be repeated.
    #[arg(long = "self-address", value_name = "IP")]
    self_addresses: Vec<IpAddr>,
    /// The destination is a smart host, by name or address, perhaps with `:PORT`: no MX records are asked for.
    #[arg(long)]
    relay: bool,
    /// Loopback addresses are usable hosts. For tests.
    #[arg(long)]
    allow_loopback: bool,
    /// What the random order of hosts is drawn from; chance by default.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Packets over UDP and TCP.
    Stub,
    /// The library hickory-resolver.
    Hickory,
}

/// What came of a destination.
struct Outcome {
    /// The destination, in A-labels if it is a domain.
    destination: String,
    result: Result<Arc<Plan>, RouteError>,
    /// What the order of an attempt is drawn from.
    seed: u64,
    now: UnixMillis,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let unfit = match arguments.driver {
        Kind::Stub => arguments.trust_anchor.is_some().then_some("--trust-anchor is for --driver hickory"),
        Kind::Hickory => arguments.trust_ad.then_some("--trust-ad is for --driver stub"),
    };
    if let Some(error) = unfit {
        Arguments::command().error(ErrorKind::ArgumentConflict, error).exit();
    }
    match outcome(&arguments).and_then(|outcome| Ok(print(&outcome, arguments.json).map(|()| outcome)?)) {
        Ok(Outcome { result: Ok(_), .. }) => ExitCode::SUCCESS,
        Ok(Outcome { result: Err(RouteError::Permanent(_)), .. }) => ExitCode::from(1),
        Ok(Outcome { result: Err(RouteError::Temporary(_)), .. }) => ExitCode::from(3),
        Err(error) => {
            // Without standard error there is nobody to tell. What went wrong here says nothing about the destination.
            let _ = writeln!(io::stderr(), "mx: {error}");
            ExitCode::from(3)
        }
    }
}

fn print(outcome: &Outcome, as_json: bool) -> io::Result<()> {
    let text = if as_json { json::object(outcome) } else { text::lines(outcome) };
    writeln!(io::stdout(), "{}", text.trim_end())
}

fn outcome(arguments: &Arguments) -> Result<Outcome, Box<dyn Error>> {
    let seed = arguments.seed.map_or_else(getrandom::u64, Ok)?;
    let now = match arguments.now {
        Some(seconds) => UnixMillis::from_seconds(seconds),
        None => UnixMillis::default() + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?,
    };
    let destination = if arguments.relay {
        Destination::relay(&arguments.destination, arguments.port)
    } else {
        Destination::parse(&arguments.destination)
    };
    let (destination, result) = match destination {
        Ok(destination) => (destination.to_string(), resolve(arguments, &destination, seed, now)?),
        Err(error) => (arguments.destination.clone(), Err(error.into())),
    };
    Ok(Outcome { destination, result, seed, now })
}

type Found = Result<Arc<Plan>, RouteError>;

fn resolve(
    arguments: &Arguments,
    destination: &Destination,
    seed: u64,
    now: UnixMillis,
) -> Result<Found, Box<dyn Error>> {
    let servers = arguments.resolver.map_or_else(system::resolvers, |server| Ok(vec![server]))?;
    let mut config = Config::default();
    config.port = arguments.port;
    config.self_names.clone_from(&arguments.self_names);
    config.self_addresses.clone_from(&arguments.self_addresses);
    config.addresses.allow_loopback = arguments.allow_loopback;
    config.sts = arguments.sts;
    if arguments.dane {
        config.dane = DaneMode::Opportunistic;
    }
    let roots = policies::roots(arguments.ca.as_deref())?;
    let mut https = HttpsConfig::new(roots, Arc::new(rustls::crypto::ring::default_provider()));
    https.addresses = config.addresses.clone();
    https.overrides.clone_from(&arguments.sts_url_override);
    let task = Task { https, config, destination, seed, now, cache: arguments.sts_cache.as_deref() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.driver {
            Kind::Stub => {
                let mut stub = StubConfig::default();
                stub.servers = servers;
                stub.trust_ad = arguments.trust_ad;
                task.run(Stub::new(stub)).await
            }
            Kind::Hickory => {
                let mut hickory = HickoryConfig::default();
                hickory.servers = servers;
                hickory.trust_anchor.clone_from(&arguments.trust_anchor);
                task.run(Hickory::new(&hickory)?).await
            }
        }
    })
}

/// What to resolve, and how.
struct Task<'a> {
    https: HttpsConfig,
    config: Config,
    destination: &'a Destination,
    seed: u64,
    now: UnixMillis,
    cache: Option<&'a Path>,
}

impl Task<'_> {
    async fn run<D: Driver>(self, driver: D) -> Result<Found, Box<dyn Error>> {
        let resolver = Resolver::new(Https::new(driver, self.https), self.config, self.seed);
        if let Some(file) = self.cache {
            policies::restore(&resolver, file)?;
        }
        let found = resolver.resolve(self.destination, self.now).await;
        if let Some(file) = self.cache {
            policies::keep(&resolver, file)?;
        }
        Ok(found)
    }
}
