//! `mx`: where would mail for this domain go?
//!
//! Resolves a destination once and prints the plan or the failure. `text` and `json` write what was found out; everything else is the library.

mod json;
mod text;

use core::error::Error;
use core::net::{IpAddr, SocketAddr};
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::{Parser, ValueEnum};
use mailwright_mx::drive::hickory::{Hickory, HickoryConfig};
use mailwright_mx::drive::stub::{Stub, StubConfig};
use mailwright_mx::drive::{Driver, system};
use mailwright_mx::{Config, Destination, DomainName, Plan, Resolver, RouteError, UnixMillis};

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
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let now = UnixMillis::default() + elapsed;
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.driver {
            Kind::Stub => {
                let mut stub = StubConfig::default();
                stub.servers = servers;
                Ok(run(Stub::new(stub), config, destination, seed, now).await)
            }
            Kind::Hickory => {
                let mut hickory = HickoryConfig::default();
                hickory.servers = servers;
                Ok(run(Hickory::new(&hickory)?, config, destination, seed, now).await)
            }
        }
    })
}

async fn run<D: Driver>(
    driver: D,
    config: Config,
    destination: &Destination,
    seed: u64,
    now: UnixMillis,
) -> Found {
    Resolver::new(driver, config, seed).resolve(destination, now).await
}
