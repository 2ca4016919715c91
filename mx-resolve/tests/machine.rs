//! The machine: requests, answers that do not fit, time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::time::Duration;
use std::sync::Arc;

use mailwright_mx::drive::testing::Zone;
use mailwright_mx::{
    AnswerError, Config, DnsRequest, Event, Plan, Relay, RelayHost, Request, Resolution, RouteError,
};
use support::{NOW, describe};

const ZONE: &str = "example.org MX 10 a.example.net\nexample.org MX 10 b.example.net\nexample.org MX 20 c.example.net\n\
    a.example.net A 192.0.2.1\nb.example.net A 192.0.2.2\nc.example.net A 192.0.2.3";

fn start(config: Config) -> Resolution {
    Resolution::new("example.org".parse().unwrap(), config.into(), 1, NOW)
}

fn requests(resolution: &mut Resolution) -> Vec<DnsRequest> {
    core::iter::from_fn(|| resolution.poll_request())
        .map(|request| match request {
            Request::Dns(request) => request,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn events(resolution: &mut Resolution) -> Vec<Event> {
    core::iter::from_fn(|| resolution.poll_event()).collect()
}

fn end(resolution: &mut Resolution) -> Result<Arc<Plan>, RouteError> {
    match events(resolution).pop() {
        Some(Event::Finished(result)) => result,
        other => panic!("not finished: {other:?}"),
    }
}

fn give(resolution: &mut Resolution, zone: &Zone, request: &DnsRequest) {
    resolution.handle_answer(request.id, zone.answer(&request.question), NOW).unwrap();
}

#[test]
fn all_address_questions_are_in_flight_at_once_best_hosts_first() {
    let zone = Zone::parse(ZONE).unwrap();
    let mut resolution = start(Config::default());
    let first = requests(&mut resolution);
    assert_eq!(first.len(), 1);
    give(&mut resolution, &zone, &first[0]);
    let questions: Vec<String> =
        requests(&mut resolution).iter().map(|request| request.question.to_string()).collect();
    assert_eq!(
        questions,
        [
            "a.example.net AAAA",
            "a.example.net A",
            "b.example.net AAAA",
            "b.example.net A",
            "c.example.net AAAA",
            "c.example.net A"
        ]
    );
}

#[test]
fn a_host_is_ready_when_all_of_its_group_and_better_ones_are_known() {
    let zone = Zone::parse(ZONE).unwrap();
    let mut resolution = start(Config::default());
    let first = requests(&mut resolution);
    give(&mut resolution, &zone, &first[0]);
    let hosts = requests(&mut resolution);
    for request in [&hosts[0], &hosts[1], &hosts[4], &hosts[5], &hosts[3]] {
        give(&mut resolution, &zone, request);
        assert_eq!(events(&mut resolution), []);
    }
    give(&mut resolution, &zone, &hosts[2]);
    let names: Vec<String> = events(&mut resolution)
        .iter()
        .map(|event| match event {
            Event::HostReady(host) => host.name.as_ref().unwrap().to_string(),
            _ => "end".into(),
        })
        .collect();
    assert_eq!(names, ["a.example.net", "b.example.net", "c.example.net", "end"]);
    assert_eq!(resolution.poll_timeout(), None);
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let zone = Zone::parse(ZONE).unwrap();
    let mut resolution = start(Config::default());
    let mx = requests(&mut resolution).remove(0);
    let mut other = start(Config::default());
    give(&mut other, &zone, &mx);
    let foreign = requests(&mut other).pop().unwrap();
    let answer = zone.answer(&mx.question);
    assert_eq!(resolution.handle_answer(foreign.id, answer.clone(), NOW), Err(AnswerError::NotAsked));
    let wrong = zone.answer(&foreign.question);
    assert_eq!(resolution.handle_answer(mx.id, wrong, NOW), Err(AnswerError::WrongType));
    give(&mut resolution, &zone, &mx);
    assert_eq!(resolution.handle_answer(mx.id, answer, NOW), Err(AnswerError::NotAsked), "twice");
    for request in requests(&mut resolution) {
        give(&mut resolution, &zone, &request);
    }
    assert_eq!(end(&mut resolution).unwrap().hosts().len(), 3);
}

#[test]
fn a_question_without_an_answer_fails_at_its_deadline() {
    let zone = Zone::parse(ZONE).unwrap();
    let mut resolution = start(Config::default());
    let mx = requests(&mut resolution).remove(0);
    assert_eq!(mx.deadline, NOW + Duration::from_secs(10));
    assert_eq!(resolution.poll_timeout(), Some(mx.deadline));
    resolution.handle_timeout(NOW + Duration::from_secs(9));
    assert_eq!(events(&mut resolution), [], "too early changes nothing");
    resolution.handle_timeout(mx.deadline);
    assert_eq!(end(&mut resolution).unwrap_err().to_string(), "4.4.3 example.org MX: timeout");
    let late = resolution.handle_answer(mx.id, zone.answer(&mx.question), mx.deadline);
    assert_eq!(late, Err(AnswerError::NotAsked));
    assert_eq!(events(&mut resolution), []);
}

#[test]
fn the_whole_has_a_deadline_that_no_question_outlives() {
    let zone = Zone::parse(ZONE).unwrap();
    let mut config = Config::default();
    config.limits.deadline = Duration::from_secs(12);
    let mut resolution = start(config);
    let mx = requests(&mut resolution).remove(0);
    resolution.handle_answer(mx.id, zone.answer(&mx.question), NOW + Duration::from_secs(9)).unwrap();
    assert_eq!(resolution.poll_timeout(), Some(NOW + Duration::from_secs(12)));
    resolution.handle_timeout(NOW + Duration::from_secs(12));
    assert!(
        describe(&end(&mut resolution))
            .starts_with("4.4.4 no-host-now; -a.example.net lookup-failed: AAAA: timeout")
    );
    assert_eq!(requests(&mut resolution), [], "what is over is not asked any more");
}

#[test]
fn a_lifetime_counts_from_the_moment_of_its_answer() {
    let zone = Zone::parse("example.org 10 MX 10 a.example.net\na.example.net A 192.0.2.1").unwrap();
    let mut resolution = start(Config::default());
    let mx = requests(&mut resolution).remove(0);
    give(&mut resolution, &zone, &mx);
    for request in requests(&mut resolution) {
        let answer = zone.answer(&request.question);
        resolution.handle_answer(request.id, answer, NOW + Duration::from_secs(4)).unwrap();
    }
    assert_eq!(end(&mut resolution).unwrap().expires(), NOW + Duration::from_secs(10));
}

#[test]
fn this_host_in_a_group_closes_the_questions_about_worse_ones() {
    let zone = Zone::parse(ZONE).unwrap();
    let mut config = Config::default();
    config.self_addresses = vec!["192.0.2.2".parse().unwrap()];
    let mut resolution = start(config);
    let mx = requests(&mut resolution).remove(0);
    give(&mut resolution, &zone, &mx);
    let hosts = requests(&mut resolution);
    for request in &hosts[..4] {
        give(&mut resolution, &zone, request);
    }
    assert!(describe(&end(&mut resolution)).starts_with("5.4.6"));
    let late = resolution.handle_answer(hosts[4].id, zone.answer(&hosts[4].question), NOW);
    assert_eq!(late, Err(AnswerError::NotAsked));
}

#[test]
fn a_relay_is_taken_at_its_word_and_never_bounces_mail() {
    let zone = Zone::parse(ZONE).unwrap();
    let resolve = |text: &str| {
        let destination = mailwright_mx::Destination::relay(text, 587).unwrap();
        describe(&zone.resolve(&destination, &Arc::default(), 1, NOW))
    };
    assert_eq!(resolve("a.example.net"), "relay: 0 a.example.net 192.0.2.1");
    assert_eq!(resolve("127.0.0.1"), "relay: 0 127.0.0.1");
    assert_eq!(resolve("localhost"), "relay: 0 localhost ::1 127.0.0.1");
    assert_eq!(resolve("gone.example.net"), "4.4.4 no-usable-host; -gone.example.net no-address");
    let mut relay = Relay::new(RelayHost::Name("example.org".parse().unwrap()), 587);
    relay.mx = true;
    let plan = zone.resolve(&mailwright_mx::Destination::Relay(relay), &Arc::default(), 1, NOW).unwrap();
    assert_eq!((plan.hosts().len(), plan.hosts()[0].port, plan.kind().as_str()), (3, 587, "relay"));
}
