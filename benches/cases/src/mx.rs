//! MX: what is remembered, the order of an attempt, a whole resolution without I/O, policies, and packets.

use std::hint::black_box;
use std::sync::Arc;

use mailwright_mx::dns::{Answer, Question, RecordType};
use mailwright_mx::drive::stub::wire::Query;
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::sts::{StsPolicy, StsRecord};
use mailwright_mx::{
    Cache, Config, DaneMode, Destination, Event, MessageTls, Plan, Request, Resolution, RouteError,
    SplitMix64, UnixMillis,
};

use crate::{Case, Work};

/// What is asked about.
pub const ZONE: &str = "
    example.org      MX 10 mx1.example.org
    example.org      MX 20 mx2.example.org
    mx1.example.org  A 192.0.2.1
    mx1.example.org  AAAA 2001:db8::1
    mx2.example.org  A 192.0.2.2
    mx2.example.org  AAAA 2001:db8::2
    three.example    MX 10 a.three.example
    three.example    MX 20 b.three.example
    three.example    MX 30 c.three.example
    five.example     MX 10 a.five.example
    five.example     MX 10 b.five.example
    five.example     MX 20 c.five.example
    five.example     MX 20 d.five.example
    five.example     MX 20 e.five.example
    a.five.example   A 192.0.2.11
    b.five.example   A 192.0.2.12
    c.five.example   A 192.0.2.13
    d.five.example   A 192.0.2.14
    e.five.example   AAAA 2001:db8::15
    none.example     MX 0 .
    example.net      MX 10 mx1.example.net
    example.net      MX 20 mx2.example.net
    example.net      secure
    mx1.example.net  A 192.0.2.1
    mx1.example.net  AAAA 2001:db8::1
    mx2.example.net  A 192.0.2.2
    mx2.example.net  AAAA 2001:db8::2
    _25._tcp.mx1.example.net TLSA 3 1 1 abababababababababababababababababababababababababababababababab
    _25._tcp.mx2.example.net TLSA 3 1 1 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
";

/// So many times in one run.
const TIMES: u64 = 100;

/// The time of everything.
pub const NOW: UnixMillis = UnixMillis::from_seconds(1_800_000_000);

/// The table.
#[must_use]
pub fn zone() -> Zone {
    let Ok(zone) = Zone::parse(ZONE) else { unreachable!("a good table") };
    zone
}

fn destination(name: &str) -> Destination {
    let Ok(destination) = Destination::parse(name) else { unreachable!("a good name") };
    destination
}

fn resolved(name: &str) -> Result<Arc<Plan>, RouteError> {
    zone().resolve(&destination(name), &Arc::new(Config::default()), 7, NOW)
}

/// A cache that knows about a destination, among others.
fn remembered(name: &str) -> (Cache, Destination) {
    let mut cache = Cache::new(&Config::default().limits);
    for number in 0..1000 {
        let _ = cache.insert(
            &destination(&format!("domain{number}.example")),
            MessageTls::AsPublished,
            resolved("example.org"),
            NOW,
        );
    }
    let destination = destination(name);
    let _ = cache.insert(&destination, MessageTls::AsPublished, resolved(name), NOW);
    (cache, destination)
}

/// Finds a destination among a thousand that are remembered.
#[must_use]
pub fn hit(name: &'static str, what: &str, most: f64) -> Case {
    Case::steady(
        format!("mx cache: {what}"),
        Work::Items(TIMES),
        move || remembered(name),
        |(cache, destination)| {
            for _ in 0..TIMES {
                assert!(black_box(cache.get(black_box(destination), MessageTls::AsPublished, NOW)).is_some());
            }
        },
    )
    .target(|target| {
        target.nanoseconds = Some(most);
        target.allocations = Some(0.0);
    })
}

/// Domains that are remembered at once.
const MANY: u64 = 10_000;

/// Remembers so many domains, each with a plan of its own: two hosts, both families. The octets are for one of them.
fn many() -> Case {
    Case::fresh(
        "mx cache: 10,000 domains",
        Work::Items(MANY),
        || {
            let mut config = Config::default();
            config.limits.cache = MANY as usize;
            let mut table = String::new();
            for number in 0..MANY {
                let domain = format!("domain{number}.example");
                table += &format!("{domain} MX 10 mx1.{domain}\n{domain} MX 20 mx2.{domain}\n");
                for host in 1..=2 {
                    table += &format!(
                        "mx{host}.{domain} A 192.0.2.{host}\nmx{host}.{domain} AAAA 2001:db8::{host}\n"
                    );
                }
            }
            let Ok(zone) = Zone::parse(&table) else { unreachable!("a good table") };
            (zone, Arc::new(config))
        },
        |(zone, config)| (zone.clone(), Arc::clone(config), None),
        |(zone, config, cache)| {
            let cache = cache.insert(Cache::new(&config.limits));
            for number in 0..MANY {
                let destination = destination(&format!("domain{number}.example"));
                let plan = zone.resolve(&destination, config, 7, NOW);
                let _ = cache.insert(&destination, MessageTls::AsPublished, plan, NOW);
            }
            assert_eq!(cache.len(), MANY as usize);
        },
    )
    .long()
}

/// Draws the order in which hosts are tried.
fn attempt() -> Case {
    Case::steady(
        "mx attempt: order of 5 hosts",
        Work::Items(TIMES),
        || {
            let Ok(plan) = resolved("five.example") else { unreachable!("a good domain") };
            (plan, SplitMix64::new(1))
        },
        |(plan, random)| {
            for _ in 0..TIMES {
                assert_eq!(black_box(plan.attempt(random.next_u64()).dials()).count(), 5);
            }
        },
    )
    .target(|target| {
        target.nanoseconds = Some(100.0);
        target.allocations = Some(0.0);
    })
}

/// From a domain to a plan; the answers are made before.
fn resolution(what: &'static str, name: &'static str, dane: DaneMode) -> Case {
    Case::fresh(
        format!("mx resolution: {what}"),
        Work::Items(1),
        move || {
            let mut config = Config::default();
            config.dane = dane;
            (destination(name), Arc::new(config), zone())
        },
        |(destination, config, zone)| {
            // A rehearsal tells what will be asked.
            let mut asked = Vec::new();
            resolve(destination, config, |question| {
                let answer = zone.answer(question);
                asked.push((question.clone(), Some(answer.clone())));
                answer
            });
            (destination.clone(), Arc::clone(config), asked)
        },
        |(destination, config, asked)| {
            resolve(destination, config, |question| {
                let known = asked.iter_mut().find(|(known, _)| known == question);
                let Some(answer) = known.and_then(|(_, answer)| answer.take()) else {
                    unreachable!("{question}")
                };
                answer
            });
        },
    )
    .target(|target| target.nanoseconds = Some(10_000.0))
}

fn resolve(destination: &Destination, config: &Arc<Config>, mut answer: impl FnMut(&Question) -> Answer) {
    let mut resolution = Resolution::new(destination.clone(), Arc::clone(config), 7, NOW);
    loop {
        while let Some(request) = resolution.poll_request() {
            let Request::Dns(request) = request else { unreachable!("{request:?}") };
            let answer = answer(&request.question);
            assert!(resolution.handle_answer(request.id, answer, NOW).is_ok());
        }
        while let Some(event) = resolution.poll_event() {
            if let Event::Finished(result) = event {
                assert!(black_box(result).is_ok());
                return;
            }
        }
    }
}

/// A policy file.
pub const POLICY: &str =
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmx: *.mx.example.org\r\nmax_age: 604800\r\n";

/// The record that announces it.
pub const RECORD: &str = "v=STSv1; id=20260907T000000;";

/// Reads a policy file.
#[must_use]
pub fn policy() -> Case {
    Case::steady(
        "mx policy: read a file of MTA-STS",
        Work::Items(TIMES),
        || (),
        |()| {
            for _ in 0..TIMES {
                assert!(black_box(StsPolicy::parse(black_box(POLICY.as_bytes()))).is_ok());
            }
        },
    )
    .target(|target| target.nanoseconds = Some(1000.0))
}

/// Reads a record.
#[must_use]
pub fn record() -> Case {
    Case::steady(
        "mx policy: read a record of MTA-STS",
        Work::Items(TIMES),
        || (),
        |()| {
            for _ in 0..TIMES {
                assert!(black_box(StsRecord::parse(black_box(RECORD.as_bytes()))).is_ok());
            }
        },
    )
    .target(|target| target.nanoseconds = Some(200.0))
}

fn question() -> Question {
    let Ok(name) = "three.example".parse() else { unreachable!("a good name") };
    Question::new(name, RecordType::Mx)
}

/// A response with three MX records.
#[must_use]
pub fn response() -> Vec<u8> {
    let query = Query::new(&question(), 0x1234, None);
    zone().respond(query.packet(), 1232).unwrap_or_default()
}

/// Reads that response.
#[must_use]
pub fn decode() -> Case {
    Case::steady(
        "mx packet: read a response with 3 MX",
        Work::Items(TIMES),
        || (Query::new(&question(), 0x1234, None), response(), question()),
        |(query, response, question)| {
            for _ in 0..TIMES {
                let Ok(message) = query.read(response, false) else { unreachable!("a good response") };
                black_box(Answer::read(question, &message, 10));
            }
        },
    )
    .target(|target| target.nanoseconds = Some(1200.0))
}

/// Writes a query.
#[must_use]
pub fn encode() -> Case {
    Case::steady("mx packet: write a query", Work::Items(TIMES), question, |question| {
        for _ in 0..TIMES {
            black_box(Query::new(question, 0x1234, None).packet());
        }
    })
    .target(|target| target.nanoseconds = Some(710.0))
}

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    vec![
        hit("example.org", "a plan", 150.0),
        hit("none.example", "a failure", 200.0),
        hit("gone.example", "an absence", 200.0),
        many(),
        attempt(),
        resolution("2 hosts, both families", "example.org", DaneMode::Off),
        resolution("2 hosts, both families, TLSA", "example.net", DaneMode::Opportunistic),
        policy(),
        record(),
        decode(),
        encode(),
    ]
}
