//! What holds for any zone: the order of answers does not matter, budgets are kept, nothing outlives its inputs, and
//! equal hosts get equal shares.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::fmt::Write as _;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use mailwright_mx::dns::Outcome;
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::{Config, Destination, Event, Request, Resolution, RouteError, SplitMix64};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::NOW;

/// An MX host of a domain: preference, what its name is, its addresses, what fails.
#[derive(Clone, Debug)]
struct Host {
    preference: u16,
    alias: bool,
    addresses: Vec<u8>,
    fail: Option<&'static str>,
    ttl: u32,
}

fn host() -> impl Strategy<Value = Host> {
    let fail = prop_oneof![
        4 => Just(None),
        1 => Just(Some("servfail")),
        1 => Just(Some("timeout A")),
        1 => Just(Some("bogus AAAA")),
    ];
    (0..4_u16, prop::bool::weighted(0.2), prop::collection::vec(0..40_u8, 0..4), fail, 0..600_u32).prop_map(
        |(preference, alias, addresses, fail, ttl)| Host { preference, alias, addresses, fail, ttl },
    )
}

fn table(hosts: &[Host], domain_ttl: u32) -> String {
    let mut zone = String::new();
    for (number, host) in hosts.iter().enumerate() {
        let name = format!("h{number}.example.net");
        writeln!(zone, "example.org {domain_ttl} MX {} {name}", host.preference).unwrap();
        let real = if host.alias { format!("r{number}.example.com") } else { name.clone() };
        if host.alias {
            writeln!(zone, "{name} {} CNAME {real}", host.ttl).unwrap();
        }
        if let Some(fail) = host.fail {
            writeln!(zone, "{real} fail {fail}").unwrap();
        }
        for address in &host.addresses {
            // Some point inwards, some are shared.
            match address % 4 {
                0 => writeln!(zone, "{real} {} A 127.0.0.{address}", host.ttl),
                1 => writeln!(zone, "{real} {} AAAA 2001:db8::{address}", host.ttl),
                _ => writeln!(zone, "{real} {} A 192.0.2.{address}", host.ttl),
            }
            .unwrap();
        }
    }
    zone
}

fn destination() -> Destination {
    "example.org".parse().unwrap()
}

proptest! {
    #[test]
    fn the_order_of_answers_does_not_matter(
        hosts in prop::collection::vec(host(), 1..9),
        first_alias_only in any::<bool>(),
        own in prop::option::of(0..40_u8),
        queries in 1..70_usize,
        cap in 1..8_usize,
        orders in prop::array::uniform4(any::<u64>()),
        seed in any::<u64>(),
    ) {
        let mut zone = Zone::parse(&table(&hosts, 300)).unwrap();
        if first_alias_only {
            zone = zone.with_first_alias_only();
        }
        let mut config = Config::default();
        config.limits.queries = queries;
        config.limits.hosts = cap;
        config.self_addresses.extend(own.map(|own| core::net::IpAddr::from([192, 0, 2, own])));
        let config = Arc::new(config);
        // All but how many questions were asked: where this host ends the list early, fewer are.
        let seen = |result: &Result<Arc<mailwright_mx::Plan>, RouteError>| {
            let plan = result.as_ref().ok();
            let dials: Option<Vec<_>> = plan
                .map(|plan| plan.attempt(seed).dials().map(|dial| (dial.address, dial.host.clone())).collect());
            (support::describe(result), dials, plan.map(|plan| plan.expires()))
        };
        let first = zone.resolve(&destination(), &config, seed, NOW);
        for order in orders {
            let other = zone.resolve_in_order(&destination(), &config, seed, NOW, order);
            prop_assert_eq!(seen(&first), seen(&other));
        }
    }

    #[test]
    fn the_budget_of_questions_is_kept(
        hosts in prop::collection::vec(host(), 1..30),
        queries in 0..70_usize,
        first_alias_only in any::<bool>(),
        order in any::<u64>(),
    ) {
        let mut zone = Zone::parse(&table(&hosts, 300)).unwrap();
        if first_alias_only {
            zone = zone.with_first_alias_only();
        }
        let mut config = Config::default();
        config.limits.queries = queries;
        let resolution = Resolution::new(destination(), config.into(), 1, NOW);
        let asked = support::questions(&zone, resolution, order);
        prop_assert!(asked <= queries, "{asked} of {queries}");
    }

    #[test]
    fn nothing_outlives_what_it_was_made_from(
        hosts in prop::collection::vec(host(), 0..9),
        domain_ttl in 0..600_u32,
        steps in prop::collection::vec(0..3000_u64, 20),
    ) {
        let zone = Zone::parse(&table(&hosts, domain_ttl)).unwrap();
        let mut resolution = Resolution::new(destination(), Arc::default(), 1, NOW);
        let (mut now, mut shortest) = (NOW, None);
        let mut steps = steps.into_iter().cycle();
        let end = loop {
            if let Some(Request::Dns(request)) = resolution.poll_request() {
                let answer = zone.answer(&request.question);
                now = now + Duration::from_millis(steps.next().unwrap());
                let end = now + Duration::from_secs(answer.ttl.into());
                let counts = !matches!(answer.outcome, Outcome::Failure(_));
                if resolution.handle_answer(request.id, answer, now).is_ok() && counts {
                    shortest = Some(shortest.map_or(end, |shortest| end.min(shortest)));
                }
            }
            resolution.handle_timeout(now);
            if let Some(Event::Finished(result)) = resolution.poll_event() {
                break result;
            }
        };
        match end {
            Ok(plan) => prop_assert!(Some(plan.expires()) <= shortest),
            Err(RouteError::Permanent(error)) => prop_assert!(Some(error.expires) <= shortest),
            Err(RouteError::Temporary(error)) => prop_assert!(error.not_before > NOW),
        }
    }

    #[test]
    fn an_attempt_dials_each_address_once_within_the_cap(
        hosts in prop::collection::vec(host(), 1..9),
        cap in 0..40_usize,
        seed in any::<u64>(),
    ) {
        let mut config = Config::default();
        config.limits.dials = cap;
        let zone = Zone::parse(&table(&hosts, 300)).unwrap();
        let Ok(plan) = zone.resolve(&destination(), &config.into(), 1, NOW) else { return Ok(()) };
        let attempt = plan.attempt(seed);
        let dials: Vec<_> = attempt.dials().collect();
        let unique: BTreeSet<_> = dials.iter().map(|dial| dial.address).collect();
        let all: BTreeSet<_> = plan.hosts().iter().flat_map(|host| host.addresses.iter().copied()).collect();
        prop_assert_eq!(unique.len(), dials.len());
        prop_assert_eq!(dials.len(), all.len().min(cap.clamp(2, 32)));
        prop_assert!(dials.is_sorted_by_key(|dial| dial.host.preference));
        for family in [true, false] {
            let there = all.iter().any(|address| address.is_ipv6() == family);
            prop_assert_eq!(there, unique.iter().any(|address| address.is_ipv6() == family));
        }
        prop_assert_eq!(attempt.hosts().count(), plan.hosts().len());
    }

    #[test]
    fn no_octets_make_the_packet_reader_panic_or_a_name_unprintable(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let target = mailwright_mx::Target::from_labels(octets.split(|octet| *octet == 0));
        prop_assert!(target.to_string().bytes().all(|octet| octet.is_ascii_graphic()));
    }
}

/// The properties say little if what they draw never comes near what they are about.
#[test]
fn what_is_drawn_comes_near_the_limits() {
    let mut runner = TestRunner::deterministic();
    let (mut plans, mut failures, mut bound, mut partial, mut expiring) = (0, 0, 0, 0, 0);
    for _ in 0..400 {
        let hosts = prop::collection::vec(host(), 1..9).new_tree(&mut runner).unwrap().current();
        let zone = Zone::parse(&table(&hosts, 300)).unwrap();
        let free = support::questions(&zone, Resolution::new(destination(), Arc::default(), 1, NOW), 1);
        let mut config = Config::default();
        config.limits.queries = 8;
        let tight = support::questions(&zone, Resolution::new(destination(), config.into(), 1, NOW), 1);
        bound += usize::from(tight < free);
        match zone.resolve(&destination(), &Arc::default(), 1, NOW) {
            Ok(plan) => {
                plans += 1;
                partial += usize::from(!plan.report().skipped.is_empty());
                expiring +=
                    usize::from(plan.expires() > NOW && plan.expires() < NOW + Duration::from_secs(300));
            }
            Err(_) => failures += 1,
        }
    }
    assert!(plans > 100 && failures > 20, "{plans} plans, {failures} failures");
    assert!(bound > 100, "{bound} budgets were spent");
    assert!(partial > 50 && expiring > 50, "{partial} hosts left out, {expiring} plans end with a record");
}

/// The 0.1 % quantile of chi-square with so many degrees of freedom.
const CHI_SQUARE: [(usize, f64); 2] = [(23, 49.73), (4, 18.47)];

#[test]
fn each_order_of_equal_hosts_is_as_likely_as_the_others() {
    let hosts = 4;
    let zone: String = (0..hosts)
        .map(|host| format!("example.org MX 10 h{host}.example.net\nh{host}.example.net A 192.0.2.{host}\n"))
        .collect();
    let plan = support::plan(&zone, "example.org");
    let mut seeds = SplitMix64::new(2026);
    let mut counts = std::collections::BTreeMap::new();
    let rounds = 24_000_u32;
    for _ in 0..rounds {
        let order: Vec<_> = plan.attempt(seeds.next_u64()).dials().map(|dial| dial.address).collect();
        *counts.entry(order).or_insert(0_u32) += 1;
    }
    assert_eq!(counts.len(), 24);
    assert_uniform(counts.values().copied(), rounds, CHI_SQUARE[0]);
}

#[test]
fn of_too_many_equal_hosts_each_is_kept_as_often_as_the_others() {
    let zone: String = (0..5)
        .map(|host| format!("example.org MX 10 h{host}.example.net\nh{host}.example.net A 192.0.2.{host}\n"))
        .collect();
    let zone = Zone::parse(&zone).unwrap();
    let mut config = Config::default();
    config.limits.hosts = 1;
    let config = Arc::new(config);
    let mut seeds = SplitMix64::new(2026);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..2_000 {
        let plan = zone.resolve(&destination(), &config, seeds.next_u64(), NOW).unwrap();
        *counts.entry(plan.hosts()[0].name.clone()).or_insert(0_u32) += 1;
    }
    assert_eq!(counts.len(), 5);
    assert_uniform(counts.values().copied(), 2_000, CHI_SQUARE[1]);
}

fn assert_uniform(counts: impl ExactSizeIterator<Item = u32>, rounds: u32, (freedom, limit): (usize, f64)) {
    assert_eq!(counts.len(), freedom + 1);
    let expected = f64::from(rounds) / (freedom + 1) as f64;
    let square: f64 = counts.map(|count| (f64::from(count) - expected).powi(2) / expected).sum();
    assert!(square < limit, "chi-square {square} of {freedom} degrees of freedom");
}

#[test]
fn an_order_stays_the_same_in_every_version() {
    let zone: String = (0..8)
        .map(|host| {
            format!(
                "example.org MX {} h{host}.example.net\nh{host}.example.net A 192.0.2.{host}\n",
                10 + host / 5
            )
        })
        .collect();
    let plan = support::plan(&zone, "example.org");
    let order = |seed| -> String {
        let last = |host: &mailwright_mx::Host| host.name.as_ref().unwrap().as_str()[1..2].to_string();
        plan.attempt(seed).hosts().map(last).collect()
    };
    assert_eq!(
        [order(0), order(1), order(42), order(u64::MAX)],
        ["23014675", "10342576", "12403765", "12034567"]
    );
}
