//! What holds for any zone with policies and TLSA records: the order of answers does not matter, budgets are kept, a failed
//! TLSA lookup is never plaintext, nothing outlives its inputs, and no failure loses a cached policy.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::fmt::Write as _;
use core::time::Duration;
use std::sync::Arc;

use mailwright_mx::dns::{Outcome, Question, RecordType, Security};
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::fetch::{FetchFailure, Page, Response};
use mailwright_mx::plan::Tls;
use mailwright_mx::sts::{CachedPolicy, StsCache, StsKnown, StsNews, StsPolicy};
use mailwright_mx::{
    Config, DaneMode, Destination, Event, Limits, MessageTls, Plan, Request, Resolution, RouteError,
    UnixMillis,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::NOW;

/// An MX host: where it is, what vouches for it, what fails.
#[derive(Clone, Debug)]
struct Host {
    preference: u16,
    secure: bool,
    alias: Option<bool>,
    tlsa: Option<&'static str>,
    at_alias: bool,
    fail: Option<&'static str>,
    address: u8,
    ttl: u32,
    tlsa_ttl: u32,
}

fn host() -> impl Strategy<Value = Host> {
    let tlsa = prop_oneof![
        2 => Just(None),
        2 => Just(Some("TLSA 3 1 1 abababababababababababababababababababababababababababababababab")),
        1 => Just(Some("TLSA 0 1 1 abababababababababababababababababababababababababababababababab")),
        1 => Just(Some("CNAME tlsa.example.com")),
        1 => Just(Some("fail servfail")),
        1 => Just(Some("fail bogus TLSA")),
        1 => Just(Some("fail timeout")),
        1 => Just(Some("TLSA malformed")),
    ];
    let fail = prop_oneof![6 => Just(None), 1 => Just(Some("servfail")), 1 => Just(Some("timeout AAAA"))];
    let alias = prop_oneof![2 => Just(None), 1 => any::<bool>().prop_map(Some)];
    (0..3_u16, any::<bool>(), alias, tlsa, any::<bool>(), fail, 0..20_u8, 0..600_u32, 0..600_u32).prop_map(
        |(preference, secure, alias, tlsa, at_alias, fail, address, ttl, tlsa_ttl)| Host {
            preference,
            secure,
            alias,
            tlsa,
            at_alias,
            fail,
            address,
            ttl,
            tlsa_ttl,
        },
    )
}

/// What there is of a policy: the record, the file, what is cached.
#[derive(Clone, Debug)]
struct Sts {
    record: Option<&'static str>,
    page: Option<Result<&'static str, FetchFailure>>,
    cached: Option<u64>,
}

fn sts() -> impl Strategy<Value = Sts> {
    let record = prop_oneof![
        Just(None),
        Just(Some("TXT \"v=STSv1; id=a1\"")),
        Just(Some("TXT \"v=STSv1; id=b2\"")),
        Just(Some("fail servfail")),
        Just(Some("CNAME sts.example.com")),
    ];
    let page = prop_oneof![
        Just(None),
        Just(Some(Ok("version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 500"))),
        Just(Some(Ok("version: STSv1\nmode: testing\nmx: *.example.com\nmax_age: 0"))),
        Just(Some(Ok("version: STSv1\nmode: none\nmax_age: 10"))),
        Just(Some(Ok("x"))),
        Just(Some(Err(FetchFailure::Certificate))),
    ];
    (record, page, prop::option::of(0..1000_u64)).prop_map(|(record, page, cached)| Sts {
        record,
        page,
        cached,
    })
}

fn zone(hosts: &[Host], sts: &Sts, secure: bool) -> Zone {
    let mut text = String::from(
        "example.com secure\ntlsa.example.com 50 TLSA 2 0 1 abababababababababababababababababababababababababababababababab\n",
    );
    text.push_str("sts.example.com 40 TXT \"v=STSv1; id=c3\"\n");
    writeln!(text, "example.org {}", if secure { "secure" } else { "insecure" }).unwrap();
    for (number, host) in hosts.iter().enumerate() {
        let name = format!("h{number}.example.net");
        writeln!(text, "example.org 300 MX {} {name}", host.preference).unwrap();
        writeln!(text, "{name} {}", if host.secure { "secure" } else { "insecure" }).unwrap();
        let real = if host.alias.is_some() { format!("r{number}.example.edu") } else { name.clone() };
        if let Some(secure) = host.alias {
            writeln!(text, "{name} {} CNAME {real}", host.ttl).unwrap();
            writeln!(text, "{real} {}", if secure { "secure" } else { "insecure" }).unwrap();
        }
        writeln!(text, "{real} {} A 192.0.2.{}", host.ttl, host.address).unwrap();
        if let Some(fail) = host.fail {
            writeln!(text, "{real} fail {fail}").unwrap();
        }
        if let Some(tlsa) = host.tlsa {
            let at = if host.at_alias { &name } else { &real };
            // One that fails has no lifetime.
            let lifetime =
                if tlsa.starts_with("fail") { String::new() } else { format!("{} ", host.tlsa_ttl) };
            writeln!(text, "_25._tcp.{at} {lifetime}{tlsa}").unwrap();
        }
    }
    if let Some(record) = sts.record {
        writeln!(text, "_mta-sts.example.org {record}").unwrap();
    }
    let mut zone = Zone::parse(&text).unwrap();
    if let Some(page) = &sts.page {
        let response = page.map(|text| Response::new(200, Some("text/plain".into()), text.as_bytes()));
        let host = "mta-sts.example.org".parse().unwrap();
        zone = zone.with_page(Page::new(host, "/.well-known/mta-sts.txt"), response);
    }
    zone
}

fn known(sts: &Sts) -> StsKnown {
    let mut known = StsKnown::default();
    if let Some(left) = sts.cached {
        let policy =
            StsPolicy::parse(b"version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 1000").unwrap();
        let fetched = UnixMillis::from_millis(NOW.as_millis() - (1000 - left) * 1000);
        let cached = CachedPolicy::new(policy, "a1".into(), fetched);
        known.policy = (NOW < cached.expires()).then(|| Arc::new(cached));
    }
    known
}

fn config(queries: usize) -> Arc<Config> {
    let mut config = Config::default();
    config.sts = true;
    config.dane = DaneMode::Opportunistic;
    config.limits.queries = queries;
    config.into()
}

fn destination() -> Destination {
    "example.org".parse().unwrap()
}

fn message() -> impl Strategy<Value = MessageTls> {
    prop_oneof![3 => Just(MessageTls::AsPublished), 1 => Just(MessageTls::Required), 1 => Just(MessageTls::NotRequired)]
}

/// All but how many questions were asked.
fn seen(result: &Result<Arc<Plan>, RouteError>) -> impl PartialEq + core::fmt::Debug + use<> {
    let report = match result {
        Ok(plan) => plan.report(),
        Err(error) => error.report(),
    };
    (
        support::describe(result),
        result.as_ref().ok().map(|plan| (plan.hosts().to_vec(), plan.expires())),
        report.findings.clone(),
        report.sts.clone(),
    )
}

proptest! {
    #[test]
    fn the_order_of_answers_does_not_matter(
        hosts in prop::collection::vec(host(), 1..6),
        sts in sts(),
        secure in any::<bool>(),
        stepwise in any::<bool>(),
        message in message(),
        queries in 1..80_usize,
        orders in prop::array::uniform4(1..u64::MAX),
    ) {
        let mut zone = zone(&hosts, &sts, secure);
        if stepwise {
            zone = zone.with_first_alias_only();
        }
        let run = |order| {
            let (to, config) = (destination(), config(queries));
            zone.run(Resolution::for_message(to, message, known(&sts), config, 7, NOW), NOW, order).0
        };
        let first = run(0);
        for order in orders {
            prop_assert_eq!(seen(&first), seen(&run(order)));
        }
    }

    #[test]
    fn the_budget_of_questions_is_kept(
        hosts in prop::collection::vec(host(), 1..30),
        sts in sts(),
        secure in any::<bool>(),
        stepwise in any::<bool>(),
        queries in 0..80_usize,
        order in any::<u64>(),
    ) {
        let mut zone = zone(&hosts, &sts, secure);
        if stepwise {
            zone = zone.with_first_alias_only();
        }
        let resolution =
            Resolution::for_message(destination(), MessageTls::default(), known(&sts), config(queries), 7, NOW);
        let asked = support::questions(&zone, resolution, order);
        prop_assert!(asked <= queries, "{asked} of {queries}");
    }

    #[test]
    fn a_failed_tlsa_lookup_of_a_secure_host_is_never_plaintext(
        hosts in prop::collection::vec(host(), 1..6),
        sts in sts(),
        required in any::<bool>(),
        insecure_mx in any::<bool>(),
        order in any::<u64>(),
    ) {
        // With the option it holds where nobody vouches for the MX records, too.
        let zone = zone(&hosts, &sts, !insecure_mx);
        let message = if required { MessageTls::Required } else { MessageTls::AsPublished };
        let mut config = Config::clone(&config(200));
        config.dane_for_insecure_mx = insecure_mx;
        let resolution =
            Resolution::for_message(destination(), message, known(&sts), config.into(), 7, NOW);
        let Ok(plan) = zone.run(resolution, NOW, order).0 else { return Ok(()) };
        for host in plan.hosts() {
            let name = host.name.clone().unwrap();
            let address = zone.answer(&Question::new(name.clone(), RecordType::A));
            let alias = zone.answer(&Question::new(name.clone(), RecordType::Cname));
            let mut bases = vec![];
            if address.security == Security::Secure {
                bases.extend(host.canonical.clone());
                bases.push(name);
            } else if alias.security == Security::Secure && host.canonical.is_some() {
                bases.push(name);
            }
            for base in bases {
                let at = format!("_25._tcp.{base}").parse().unwrap();
                let tlsa = zone.answer(&Question::new(at, RecordType::Tlsa));
                let failed = matches!(tlsa.outcome, Outcome::Failure(_));
                prop_assert!(!failed, "{host:?}");
                if matches!(tlsa.outcome, Outcome::Records(_)) && tlsa.security == Security::Secure {
                    prop_assert!(!matches!(host.tls, Tls::Opportunistic(_)), "{host:?}");
                    break;
                }
            }
        }
    }

    #[test]
    fn nothing_outlives_what_it_was_made_from(
        hosts in prop::collection::vec(host(), 0..6),
        sts in sts(),
        secure in any::<bool>(),
        steps in prop::collection::vec(0..2000_u64, 20),
    ) {
        let zone = zone(&hosts, &sts, secure);
        let mut resolution =
            Resolution::for_message(destination(), MessageTls::default(), known(&sts), config(64), 7, NOW);
        let (mut now, mut shortest) = (NOW, UnixMillis::from_millis(u64::MAX));
        let mut record = shortest;
        let mut steps = steps.into_iter().cycle();
        let end = loop {
            let request = resolution.poll_request();
            now = now + Duration::from_millis(steps.next().unwrap());
            match request {
                Some(Request::Dns(request)) => {
                    let answer = zone.answer(&request.question);
                    let end = now + Duration::from_secs(answer.ttl.into());
                    let counts = !matches!(answer.outcome, Outcome::Failure(_));
                    if resolution.handle_answer(request.id, answer, now).is_ok() && counts {
                        match request.question.record_type {
                            RecordType::Txt => record = record.min(end),
                            _ => shortest = shortest.min(end),
                        }
                    }
                }
                Some(Request::Fetch(request)) => {
                    let _ = resolution.handle_response(request.id, zone.page(&request.page), now);
                }
                Some(other) => panic!("{other:?}"),
                None => {}
            }
            resolution.handle_timeout(now);
            let mut finished = None;
            while let Some(event) = resolution.poll_event() {
                if let Event::Finished(result) = event {
                    finished = Some(result);
                }
            }
            if let Some(result) = finished {
                break result;
            }
        };
        match end {
            Ok(plan) => {
                prop_assert!(plan.expires() <= shortest.min(record));
                let policy = plan.report().sts.as_ref().and_then(|sts| sts.policy.as_ref());
                prop_assert!(policy.is_none_or(|policy| plan.expires() <= policy.expires()));
            }
            // A domain that does not exist has no use for its policy.
            Err(RouteError::Permanent(error)) => prop_assert!(error.expires <= shortest),
            Err(RouteError::Temporary(error)) => prop_assert!(error.not_before > NOW),
        }
    }

    #[test]
    fn no_failure_loses_a_policy(news in prop::collection::vec(sts(), 1..8)) {
        let mut cache = StsCache::new(&Limits::default());
        let policy = StsPolicy::parse(b"version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 1000").unwrap();
        let first = Arc::new(CachedPolicy::new(policy, "a1".into(), NOW));
        let domain = "example.org".parse().unwrap();
        cache.learn(&domain, &StsNews::Fetched(Arc::clone(&first)));
        let mut last = first;
        for sts in news {
            let known = cache.known(&domain, NOW);
            let resolution =
                Resolution::for_message(destination(), MessageTls::default(), known, config(64), 7, NOW);
            let (result, news) = zone(&[], &sts, false).run(resolution, NOW, 0);
            prop_assert!(result.is_err(), "there is no host");
            if let Some(news) = news {
                if let StsNews::Fetched(policy) = &news {
                    last = Arc::clone(policy);
                }
                cache.learn(&domain, &news);
            }
            let left = Some(Arc::clone(&last)).filter(|policy| NOW < policy.expires());
            prop_assert_eq!(cache.known(&domain, NOW).policy, left);
            let mut again = StsCache::new(&Limits::default());
            again.restore(&cache.snapshot()).unwrap();
            prop_assert_eq!(again.known(&domain, NOW).policy, cache.known(&domain, NOW).policy);
        }
    }
}

/// The properties say little if what they draw never comes near what they are about.
#[test]
fn what_is_drawn_comes_near_the_limits() {
    let mut runner = TestRunner::deterministic();
    let (mut failed, mut dane, mut pkix, mut required, mut bound) = (0, 0, 0, 0, 0);
    let (mut by_tlsa, mut by_policy, mut kept) = (0, 0, 0);
    for _ in 0..600 {
        let drawn = (prop::collection::vec(host(), 1..6), sts()).new_tree(&mut runner).unwrap().current();
        let (hosts, sts) = drawn;
        let zone = zone(&hosts, &sts, true);
        let start = |queries| {
            let message = MessageTls::AsPublished;
            Resolution::for_message(destination(), message, known(&sts), config(queries), 7, NOW)
        };
        bound +=
            usize::from(support::questions(&zone, start(6), 1) < support::questions(&zone, start(200), 1));
        let Ok(plan) = zone.run(start(200), NOW, 0).0 else { continue };
        let report = plan.report();
        // A host whose TLSA lookup failed, while others took its place.
        failed += usize::from(report.skipped.iter().any(|host| host.reason.to_string().contains("TLSA")));
        for host in plan.hosts() {
            match host.tls {
                Tls::Dane(_) => dane += 1,
                Tls::Pkix(_) => pkix += 1,
                Tls::Required(_) => required += 1,
                _ => {}
            }
        }
        let left = plan.expires().saturating_duration_since(NOW).as_secs();
        by_tlsa += usize::from(hosts.iter().any(|host| {
            matches!(plan.hosts().first(), Some(first) if matches!(first.tls, Tls::Dane(_)))
                && u64::from(host.tlsa_ttl) == left
                && u64::from(host.ttl) > left
        }));
        let policy = report.sts.as_ref().and_then(|sts| sts.policy.as_ref());
        by_policy += usize::from(policy.is_some_and(|policy| policy.expires() == plan.expires()));
        kept +=
            usize::from(sts.cached.is_some() && matches!(sts.page, None | Some(Err(_))) && policy.is_some());
    }
    assert!(failed > 30, "{failed} plans without a host whose lookup failed");
    assert!(
        dane > 100 && pkix > 50 && required > 10,
        "{dane} DANE, {pkix} PKIX, {required} without authentication"
    );
    assert!(bound > 100, "{bound} budgets were spent");
    assert!(by_tlsa > 5 && by_policy > 5, "{by_tlsa} plans end with TLSA records, {by_policy} with a policy");
    assert!(kept > 20, "{kept} policies were kept though nothing could be fetched");
}
