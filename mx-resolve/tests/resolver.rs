//! The cache and the resolver: what is remembered, and who waits for whom.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};

use mailwright_mx::dns::{Answer, Question};
use mailwright_mx::drive::Driver;
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::{Cache, Config, Destination, Limits, MessageTls, Plan, Resolver, RouteError, UnixMillis};
use support::NOW;

/// A table whose answers come when it is let go, and that counts the questions.
struct Gate {
    zone: Zone,
    state: Mutex<(bool, usize, Vec<Waker>)>,
}

impl Gate {
    fn new(zone: &str, open: bool) -> Self {
        Self { zone: Zone::parse(zone).unwrap(), state: Mutex::new((open, 0, Vec::new())) }
    }

    fn open(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 = true;
        state.2.drain(..).for_each(Waker::wake);
    }

    fn asked(&self) -> usize {
        self.state.lock().unwrap().1
    }
}

impl Driver for Gate {
    async fn ask(&self, question: &Question, _time: Duration) -> Answer {
        self.state.lock().unwrap().1 += 1;
        poll_fn(|context| {
            let mut state = self.state.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.2.push(context.waker().clone());
            Poll::Pending
        })
        .await;
        self.zone.answer(question)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

const ZONE: &str = "example.org 100 MX 10 mx.example.org\nmx.example.org 200 A 192.0.2.1\nsoon.example 0 MX 10 mx.example.org\n\
    null.example 50 MX 0 .\nbad.example fail servfail";

fn after(seconds: u64) -> UnixMillis {
    NOW + Duration::from_secs(seconds)
}

fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("waits"),
    }
}

fn resolve(resolver: &Resolver<Gate>, name: &str, now: UnixMillis) -> Result<Arc<Plan>, RouteError> {
    now_or_never(resolver.resolve(&name.parse().unwrap(), now))
}

fn resolver(open: bool) -> Resolver<Gate> {
    Resolver::new(Gate::new(ZONE, open), Config::default(), 1)
}

#[test]
fn a_plan_is_remembered_as_long_as_it_holds() {
    let resolver = resolver(true);
    let plan = resolve(&resolver, "example.org", NOW).unwrap();
    assert_eq!((plan.expires(), resolver.driver().asked()), (after(100), 3));
    assert!(Arc::ptr_eq(&plan, &resolve(&resolver, "EXAMPLE.org", after(99)).unwrap()));
    assert_eq!(resolver.driver().asked(), 3);
    assert!(!Arc::ptr_eq(&plan, &resolve(&resolver, "example.org", after(100)).unwrap()));
    assert_eq!(resolver.driver().asked(), 6);
}

#[test]
fn row_34_a_lifetime_of_zero_is_used_once() {
    let resolver = resolver(true);
    assert_eq!(resolve(&resolver, "soon.example", NOW).unwrap().expires(), NOW);
    assert_eq!(resolver.driver().asked(), 3);
    resolve(&resolver, "soon.example", NOW).unwrap();
    assert_eq!(resolver.driver().asked(), 6);
}

#[test]
fn a_permanent_failure_is_remembered_as_long_as_it_holds() {
    let resolver = resolver(true);
    for (time, asked) in [(0, 1), (49, 1), (50, 2)] {
        assert!(matches!(resolve(&resolver, "null.example", after(time)), Err(RouteError::Permanent(_))));
        assert_eq!(resolver.driver().asked(), asked);
    }
}

#[test]
fn row_35_an_absence_is_remembered_for_three_hours_at_most() {
    let zone = "example.org TXT \"x\"\nexample soa 100000 90000";
    let resolver = Resolver::new(Gate::new(zone, true), Config::default(), 1);
    for (time, asked) in [(0, 1), (3 * 3600 - 1, 1), (3 * 3600, 2)] {
        assert!(matches!(resolve(&resolver, "gone.example", after(time)), Err(RouteError::Permanent(_))));
        assert_eq!(resolver.driver().asked(), asked);
    }
}

#[test]
fn row_36_failures_in_a_row_are_remembered_longer_up_to_five_minutes() {
    let resolver = resolver(true);
    let mut now = NOW;
    let mut pauses = Vec::new();
    for failures in 1..=11 {
        let Err(RouteError::Temporary(error)) = resolve(&resolver, "bad.example", now) else { panic!() };
        let pause = error.not_before.saturating_duration_since(now);
        pauses.push(pause.as_secs());
        let early = now + pause.saturating_sub(Duration::from_millis(1));
        let Err(RouteError::Temporary(again)) = resolve(&resolver, "bad.example", early) else { panic!() };
        assert_eq!(again.not_before, error.not_before);
        assert_eq!(resolver.driver().asked(), failures, "one question each");
        now = error.not_before;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    let Err(RouteError::Temporary(error)) = resolve(&resolver, "bad.example", now + Duration::from_secs(300))
    else {
        panic!()
    };
    assert_eq!(error.not_before, now + Duration::from_secs(301), "after a long time it begins anew");
}

#[test]
fn tasks_that_want_the_same_wait_for_one_resolution() {
    let resolver = resolver(false);
    let destination: Destination = "example.org".parse().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut first = pin!(resolver.resolve(&destination, NOW));
    let mut second = pin!(resolver.resolve(&destination, NOW));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    assert_eq!(resolver.driver().asked(), 1);
    resolver.driver().open();
    assert!(second.as_mut().poll(&mut context).is_pending());
    let Poll::Ready(Ok(one)) = first.as_mut().poll(&mut context) else { panic!() };
    let Poll::Ready(Ok(other)) = second.as_mut().poll(&mut context) else { panic!() };
    assert!(Arc::ptr_eq(&one, &other));
    assert_eq!(resolver.driver().asked(), 3);
}

#[test]
fn what_is_not_remembered_still_reaches_those_who_wait() {
    let resolver = resolver(false);
    let destination: Destination = "soon.example".parse().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut first = pin!(resolver.resolve(&destination, NOW));
    let mut second = pin!(resolver.resolve(&destination, NOW));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    resolver.driver().open();
    assert!(first.as_mut().poll(&mut context).is_ready());
    assert!(second.as_mut().poll(&mut context).is_ready());
    assert_eq!(resolver.driver().asked(), 3);
}

#[test]
fn if_the_one_who_resolves_goes_away_another_takes_over() {
    let resolver = resolver(false);
    let destination: Destination = "example.org".parse().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut first = Box::pin(resolver.resolve(&destination, NOW));
    let mut second = pin!(resolver.resolve(&destination, NOW));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(first);
    resolver.driver().open();
    assert!(matches!(second.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
}

#[test]
fn the_cache_is_bounded_and_forgets_first_what_ends_first() {
    let mut limits = Limits::default();
    limits.cache = 2;
    let mut cache = Cache::new(&limits);
    let zone = Zone::parse(
        "*.example 100 MX 10 mx.example.org\nb.example 50 MX 10 mx.example.org\nmx.example.org A 192.0.2.1",
    )
    .unwrap();
    for name in ["a.example", "b.example", "c.example"] {
        let destination: Destination = name.parse().unwrap();
        let found = zone.resolve(&destination, &Arc::default(), 1, NOW);
        cache.insert(&destination, MessageTls::default(), found, NOW).unwrap();
    }
    assert_eq!(cache.len(), 2);
    let known = |name: &str| cache.get(&name.parse().unwrap(), MessageTls::default(), NOW).is_some();
    assert_eq!([known("a.example"), known("b.example"), known("c.example")], [true, false, true]);
}

#[test]
fn a_hit_and_an_attempt_allocate_nothing() {
    let resolver = resolver(true);
    resolve(&resolver, "example.org", NOW).unwrap();
    let destination: Destination = "example.org".parse().unwrap();
    let mut dials = 0;
    let counted = allocation_counter::measure(|| {
        let plan = now_or_never(resolver.resolve(&destination, NOW)).unwrap();
        dials = plan.attempt(7).dials().count();
    });
    assert_eq!((dials, counted.count_total), (1, 0));
}

#[test]
fn futures_can_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    fn shared<T: Send + Sync>(_: &T) {}
    let resolver = Arc::new(resolver(true));
    shared(&resolver);
    movable(&resolver.resolve(&"example.org".parse().unwrap(), NOW));
}
