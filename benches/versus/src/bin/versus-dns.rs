//! `versus-dns ANSWERS VALIDATES ANCHOR ZONE`: what look-ups cost a driver of ours and hickory-resolver, with resolvers on
//! loopback that have the answers: one that only answers, one that validates too, the file with the key of the root, and a
//! signed zone with the names of `interop/dane_zones.py`.
//!
//! Time is that of the processor in this thread, which does everything; the resolvers are other processes. Then whole
//! resolutions with DANE, so many at once: how many in a second, and how long the slowest hundredth took.

use std::hint::black_box;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use std::{env, error, fs, io};

use futures_util::StreamExt as _;
use futures_util::stream;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::rr::{Name, RecordType};
use mailwright_mx::dns::{Outcome, Question};
use mailwright_mx::drive::Driver as _;
use mailwright_mx::drive::stub::{Stub, StubConfig};
use mailwright_mx::{Config, DaneMode, Destination, Resolver, UnixMillis};
use tokio::runtime::Builder;

type Failure = Box<dyn error::Error>;

/// Look-ups in one round, and rounds.
const LOOKUPS: u32 = 500;
const ROUNDS: usize = 15;
/// Domains that are resolved.
const DOMAINS: usize = 4000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [answers, validates, anchor, zone] = &arguments[..] else { return Err("four arguments".into()) };
    let (answers, validates): (SocketAddr, SocketAddr) = (answers.parse()?, validates.parse()?);
    let anchors = Arc::new(TrustAnchors::from_file(Path::new(anchor))?);
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        println!("| look-up through loopback | who | processor time: median | shortest to longest |");
        println!("|---|---|---|---|");
        let stub = Stub::new(stub_config(validates));
        let (plain, secure) = (hickory(answers, None)?, hickory(answers, Some(anchors))?);
        for (what, name, there) in [
            ("MX records, not remembered", "with-tlsa", true),
            ("an absence, asked for again", "nobody", false),
        ] {
            let text = format!("{name}.{zone}");
            let question = Question::new(text.parse()?, mailwright_mx::dns::RecordType::Mx);
            let asked = Name::from_ascii(format!("{text}."))?;
            let ours = async || {
                let answer = stub.ask(&question, Duration::from_secs(10)).await;
                assert_eq!(matches!(answer.outcome, Outcome::Records(_)), there, "{answer:?}");
                assert!(!matches!(answer.outcome, Outcome::Failure(_)), "{answer:?}");
            };
            row(what, "Mailwright, stub", measure(ours).await?);
            for (who, resolver) in [("does not validate", &plain), ("validates", &secure)] {
                let theirs = async || {
                    let answer = black_box(resolver.lookup(asked.clone(), RecordType::MX).await);
                    assert_eq!(answer.is_ok(), there, "{answer:?}");
                };
                row("", &format!("hickory-resolver, {who}"), measure(theirs).await?);
            }
        }
        println!();
        println!("| resolutions at once | in a second | slowest hundredth |");
        println!("|---|---|---|");
        // The first time the resolver has to find everything out.
        resolve(validates, zone, 16).await?;
        for at_once in [1, 16, 256] {
            let (rate, slow) = resolve(validates, zone, at_once).await?;
            println!("| {at_once} | {rate:.0} | {:.2} ms |", slow.as_secs_f64() * 1e3);
        }
        Ok(())
    })
}

fn stub_config(server: SocketAddr) -> StubConfig {
    let mut config = StubConfig::default();
    config.servers = vec![server];
    config
}

fn hickory(server: SocketAddr, anchors: Option<Arc<TrustAnchors>>) -> Result<TokioResolver, Failure> {
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let servers = vec![NameServerConfig::new(server.ip(), true, vec![connection])];
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    // The first question is about look-ups that are not remembered; an absence that is validated never is.
    builder.options_mut().cache_size = 0;
    if let Some(anchors) = anchors {
        builder = builder.with_trust_anchor(anchors);
    }
    Ok(builder.build()?)
}

/// Processor time of a look-up in each round.
async fn measure(look_up: impl AsyncFn()) -> io::Result<Vec<Duration>> {
    look_up().await;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = processor_time()?;
        for _ in 0..LOOKUPS {
            look_up().await;
        }
        times.push((processor_time()? - start) / LOOKUPS);
    }
    times.sort();
    Ok(times)
}

/// What this thread has had of the processor.
fn processor_time() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| io::Error::other(format!("schedstat: {text}")))
}

fn row(what: &str, who: &str, times: Vec<Duration>) {
    let micro = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e6);
    let (median, first, last) = (times.get(times.len() / 2), times.first(), times.last());
    println!("| {what} | {who} | {:.1} µs | {:.1} to {:.1} |", micro(median), micro(first), micro(last));
}

/// Resolutions in a second, and the time that all but a hundredth of them stay within.
async fn resolve(server: SocketAddr, zone: &str, at_once: usize) -> Result<(f64, Duration), Failure> {
    let mut config = Config::default();
    config.dane = DaneMode::Opportunistic;
    let resolver = Resolver::new(Stub::new(stub_config(server)), config, 7);
    let now = UnixMillis::from_seconds(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs());
    let domains = (0..DOMAINS).map(|number| format!("d{number}.wild.{zone}").parse::<Destination>());
    let mut times = Vec::with_capacity(DOMAINS);
    let start = Instant::now();
    let mut running = stream::iter(domains)
        .map(async |destination| {
            let start = Instant::now();
            let plan = resolver.resolve(&destination.map_err(|error| error.to_string())?, now).await;
            plan.map_err(|error| error.to_string())?;
            Ok::<_, String>(start.elapsed())
        })
        .buffer_unordered(at_once);
    while let Some(time) = running.next().await {
        times.push(time?);
    }
    let rate = DOMAINS as f64 / start.elapsed().as_secs_f64();
    times.sort();
    let slow = times.get(DOMAINS * 99 / 100).copied().unwrap_or_default();
    Ok((rate, slow))
}
