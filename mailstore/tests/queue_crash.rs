//! The queue under crashes and failures: every recipient is delivered at least once, or reported; nothing vanishes.

#![cfg(all(feature = "queue", feature = "testing"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod queued;

use std::collections::{BTreeMap, BTreeSet};

use mailwright_core::value::UnixTime;
use mailwright_smtp::dsn::Action;
use mailwright_store::account::{Append, WriteError};
use mailwright_store::engine::{Blobs, Engine, Memory, block_on};
use mailwright_store::queue::{Attempted, Job, Outbound, Routing, Runner, Said, Work};
use mailwright_store::testing::{Fault, Faulty};
use mailwright_store::{AccountId, Delivery, Store};
use proptest::prelude::*;
use queued::{
    DAY, START, accept, accepted, after, envelope, inbox, later, open, queued as in_queue, refused, reports,
    rows, run, said, start, to, unreachable, upload,
};

const ALICE: &str = "alice@example.org";

/// An engine that can lose its power.
trait Storage: Clone {
    type Engine: Engine + Blobs;

    fn open(&self) -> Self::Engine;

    fn lose_power(&mut self);
}

impl Storage for Memory {
    type Engine = Self;

    fn open(&self) -> Self {
        self.clone()
    }

    fn lose_power(&mut self) {}
}

#[cfg(feature = "local")]
mod local {
    use std::sync::Arc;

    use mailwright_store::engine::local::{Local, LocalConfig, Simulated};

    impl super::Storage for Simulated {
        type Engine = Local;

        fn open(&self) -> Local {
            let mut config = LocalConfig::default();
            config.index_cache = 1024 * 1024;
            Local::open_in(Arc::new(self.clone()), config, [7; 16]).unwrap()
        }

        fn lose_power(&mut self) {
            *self = self.cut();
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Accept {
        recipients: u8,
        local: bool,
    },
    Poll,
    Finish {
        which: prop::sample::Index,
        answers: Vec<u8>,
    },
    /// The servers answered, and nobody heard of it.
    Unheard {
        which: prop::sample::Index,
    },
    Pass(u32),
    Fail(Vec<Option<u8>>),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..5_u8, any::<bool>()).prop_map(|(recipients, local)| Step::Accept { recipients, local }),
        8 => Just(Step::Poll),
        4 => (any::<prop::sample::Index>(), prop::collection::vec(0..5_u8, 4))
            .prop_map(|(which, answers)| Step::Finish { which, answers }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Unheard { which }),
        2 => (0..20_000_u32).prop_map(Step::Pass),
        1 => prop::collection::vec(prop::option::of(0..5_u8), 1..4).prop_map(Step::Fail),
        1 => Just(Step::Crash),
    ]
}

const FAULTS: [Fault; 5] =
    [Fault::Conflict, Fault::Full, Fault::Io, Fault::UnknownDone, Fault::UnknownNotDone];

struct World<S: Storage> {
    storage: S,
    store: Store<Faulty<S::Engine>>,
    alice: AccountId,
    runner: Option<Runner<Faulty<S::Engine>, ()>>,
    jobs: Vec<Job<Faulty<S::Engine>, ()>>,
    now: UnixTime,
    count: usize,
    /// Recipients of messages that were acknowledged; of those that were refused; of both at once.
    acknowledged: BTreeSet<String>,
    denied: BTreeSet<String>,
    copies: usize,
    delivered: BTreeMap<String, usize>,
    refused: BTreeSet<String>,
}

impl<S: Storage> World<S> {
    fn new(storage: S) -> Self {
        let (store, alice) = open(Faulty::new(storage.open()));
        let runner = Some(start(&store, START));
        Self {
            storage,
            store,
            alice,
            runner,
            jobs: Vec::new(),
            now: START,
            count: 0,
            acknowledged: BTreeSet::new(),
            denied: BTreeSet::new(),
            copies: 0,
            delivered: BTreeMap::new(),
            refused: BTreeSet::new(),
        }
    }

    fn runner(&mut self) -> &mut Runner<Faulty<S::Engine>, ()> {
        self.runner.as_mut().unwrap()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Accept { recipients, local } => self.accept(recipients, local),
            Step::Poll => {
                let now = self.now;
                match block_on(self.runner().poll(now)) {
                    Work::Route(question) => {
                        self.runner().routed(question.attempt, Routing::Found(()), now);
                    }
                    Work::Deliver(job) => self.jobs.push(job),
                    _ => {}
                }
            }
            Step::Finish { which, answers } => {
                if self.jobs.is_empty() {
                    return;
                }
                let job = self.jobs.remove(which.index(self.jobs.len()));
                let attempted = self.answer(&job, &answers);
                let now = self.now;
                self.runner().finished(job.attempt, attempted, now);
            }
            Step::Unheard { which } => {
                if !self.jobs.is_empty() {
                    let job = self.jobs.remove(which.index(self.jobs.len()));
                    self.answer(&job, &[0]);
                }
            }
            Step::Pass(seconds) => self.now = after(self.now, seconds.into()),
            Step::Fail(faults) => {
                let faults = faults.into_iter().map(|fault| fault.map(|fault| FAULTS[usize::from(fault)]));
                self.store.engine().commits_do(faults);
            }
            Step::Crash => self.crash(),
        }
    }

    fn crash(&mut self) {
        self.jobs.clear();
        self.runner = None;
        self.storage.lose_power();
        (self.store, self.alice) = open(Faulty::new(self.storage.open()));
        self.runner = Some(start(&self.store, self.now));
    }

    fn accept(&mut self, recipients: u8, local: bool) {
        let names: Vec<String> = (0..recipients)
            .map(|number| {
                self.count += 1;
                format!("u{}@d{}.test", self.count, number % 2)
            })
            .collect();
        let uploaded = upload(&self.store, queued::MESSAGE).unwrap();
        let mut delivery = Delivery::new();
        let copy = Append::new(uploaded.clone(), self.now);
        let plan = if local { vec![delivery.copy(self.alice, copy)] } else { Vec::new() };
        delivery.plans.push(plan);
        let mut outbound = Outbound::new(envelope(ALICE), uploaded, bytes::Bytes::new());
        outbound.recipients = names.iter().map(|name| (0, to(name))).collect();
        delivery.outbound.push(outbound);
        match block_on(self.store.deliver(&delivery, self.now)) {
            Ok(results) => {
                assert!(results.iter().all(Result::is_ok));
                self.acknowledged.extend(names);
                self.copies += usize::from(local);
            }
            Err(WriteError::Unknown) => panic!("there is always a way to find out"),
            Err(_) => self.denied.extend(names),
        }
    }

    fn answer(&mut self, job: &Job<Faulty<S::Engine>, ()>, answers: &[u8]) -> Attempted {
        let mut all = Vec::new();
        for (recipient, answer) in job.recipients.iter().zip(answers.iter().cycle()) {
            let name = recipient.address.to_string();
            all.push(match answer {
                0 => {
                    *self.delivered.entry(name).or_default() += 1;
                    accepted()
                }
                1 => {
                    self.refused.insert(name);
                    refused()
                }
                2 => later(),
                3 => Said::Unanswered,
                _ => return unreachable(),
            });
        }
        said(all)
    }

    /// Everything works from now on.
    fn settle(mut self) {
        self.crash();
        let mut runner = self.runner.take().unwrap();
        let mut delivered = Vec::new();
        run(&mut runner, self.now, after(self.now, 20 * DAY), |job| {
            delivered.extend(job.recipients.iter().map(|recipient| recipient.address.to_string()));
            said(vec![accepted(); job.recipients.len()])
        });
        for name in delivered {
            *self.delivered.entry(name).or_default() += 1;
        }
        assert!(runner.is_empty() && in_queue(&self.store).is_empty());
        let mut failed = BTreeSet::new();
        let mut copies = 0;
        for text in inbox(&self.store, self.alice) {
            if !text.contains("report-type=delivery-status") {
                copies += 1;
                continue;
            }
            let report = mailwright_smtp::dsn::Report::parse(text.as_bytes()).unwrap().report;
            for (name, (action, _)) in rows(&report) {
                if action == Action::Failed {
                    failed.insert(name);
                }
            }
        }
        assert_eq!(copies, self.copies, "local copies, each once");
        for name in &self.acknowledged {
            assert!(self.delivered.contains_key(name) || failed.contains(name), "{name} vanished");
        }
        for name in self.denied.iter() {
            assert!(!self.delivered.contains_key(name) && !failed.contains(name), "{name} was denied");
        }
        assert!(failed.iter().all(|name| self.refused.contains(name)), "nobody else failed: {failed:?}");
    }
}

fn play<S: Storage>(storage: S, steps: Vec<Step>) {
    let mut world = World::new(storage);
    for step in steps {
        world.step(step);
    }
    world.settle();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn at_least_once_and_never_zero_in_memory(steps in prop::collection::vec(step(), 1..80)) {
        play(Memory::new(), steps);
    }
}

#[cfg(feature = "local")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn at_least_once_and_never_zero_on_disk(steps in prop::collection::vec(step(), 1..80), seed in any::<u64>()) {
        play(mailwright_store::engine::local::Simulated::new(seed), steps);
    }
}

/// A message with a local copy, one recipient that takes it, one that refuses it, and one that is late; every
/// commit on the way fails once, in every way.
#[test]
fn a_failure_of_any_commit_loses_nothing() {
    let faults = [
        Fault::Conflict,
        Fault::Full,
        Fault::Io,
        Fault::UnknownDone,
        Fault::UnknownNotDone,
        Fault::UnknownLate,
    ];
    let mut commits = 0;
    for fault in faults {
        for nth in 0.. {
            let (store, alice) = open(Faulty::new(Memory::new()));
            let before = store.engine().attempted();
            let mut runner = start(&store, START);
            store.engine().commits_do((0..nth).map(|_| None).chain([Some(fault)]));
            let recipients = ["taken@a.test", "refused@a.test", "late@b.test"].map(to);
            let denied = accept(&store, envelope(ALICE), recipients, START).is_err();
            let mut late = 0;
            let mut taken = BTreeMap::new();
            let log = run(&mut runner, START, after(START, 2 * DAY), |job| {
                block_on(store.engine().let_late_commits_in());
                let answers = job.recipients.iter().map(|recipient| {
                    let name = recipient.address.to_string();
                    match name.as_str() {
                        "refused@a.test" => refused(),
                        "late@b.test" if late < 7 => {
                            late += 1;
                            later()
                        }
                        _ => {
                            *taken.entry(name).or_insert(0) += 1;
                            accepted()
                        }
                    }
                });
                said(answers.collect())
            });
            block_on(store.engine().let_late_commits_in());
            assert!(runner.is_empty() && in_queue(&store).is_empty(), "{fault:?} {nth}");
            let told: BTreeSet<(String, Action)> = reports(&store, alice)
                .iter()
                .flat_map(|report| rows(report).into_iter().map(|(name, (action, _))| (name, action)))
                .collect();
            if denied {
                assert!(taken.is_empty() && told.is_empty() && log.attempts.is_empty(), "{fault:?} {nth}");
            } else {
                let once = |name: &str| taken.get(name) == Some(&1);
                assert!(once("taken@a.test") && once("late@b.test"), "{fault:?} {nth}: {taken:?}");
                let expected = BTreeSet::from([
                    ("refused@a.test".to_owned(), Action::Failed),
                    ("late@b.test".to_owned(), Action::Delayed),
                ]);
                assert_eq!(told, expected, "{fault:?} {nth}");
                assert_eq!(inbox(&store, alice).len(), 2, "each report once: {fault:?} {nth}");
            }
            // Blobs of commits whose outcome was unknown are looked at after a day.
            for day in 1..4 {
                while block_on(store.maintain(after(START, day * 40 * DAY), 1000)).unwrap() > 0 {}
            }
            assert_eq!(store.engine().inner().blob_count(), inbox(&store, alice).len(), "{fault:?} {nth}");
            let made = store.engine().attempted() - before;
            commits = commits.max(made);
            if nth > made {
                break;
            }
        }
    }
    assert!(commits > 10, "{commits}");
}

#[test]
fn a_full_disk_refuses_what_comes_and_loses_nothing_of_what_is_there() {
    let (store, alice) = open(Faulty::new(Memory::new()));
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@a.test")], START).unwrap();
    store.engine().commits_do((0..50).map(|_| Some(Fault::Full)));
    assert!(matches!(accept(&store, envelope(ALICE), [to("b@a.test")], START), Err(WriteError::Full)));
    let log = run(&mut runner, START, after(START, 60), |_| said(vec![refused()]));
    assert!(log.attempts.is_empty(), "the next attempt must be durable before one starts");
    store.engine().commits_do([]);
    run(&mut runner, after(START, 60), after(START, DAY), |_| said(vec![refused()]));
    assert_eq!(reports(&store, alice).len(), 1);
}

#[test]
fn the_queue_is_there_again_after_the_program_ends() {
    let memory = Memory::new();
    let (store, _) = open(memory.clone());
    accept(&store, envelope(ALICE), [to("a@a.test"), to("b@b.test")], START).unwrap();
    let mut runner = start(&store, START);
    run(&mut runner, START, START, |_| unreachable());
    drop(runner);
    drop(store);
    let (store, _) = open(memory);
    let mut runner = start(&store, START);
    assert_eq!(runner.len(), 2);
    let log = run(&mut runner, START, after(START, 3600), |job| said(vec![accepted(); job.recipients.len()]));
    assert_eq!(log.attempts.len(), 2);
    assert!(log.attempts.iter().all(|attempt| (400..=450).contains(&attempt.0)), "when they are due");
}

/// The future of `poll` is dropped after every possible number of polls, again and again.
#[test]
fn futures_that_are_dropped_lose_nothing() {
    for most in [1, 2, 3, 4, 5, 7, 9, 12, 16, 24, 40] {
        let (store, alice) = open(Faulty::new(Memory::new()));
        let mut runner = start(&store, START);
        accept(&store, envelope(ALICE), ["taken@a.test", "refused@b.test"].map(to), START).unwrap();
        store.engine().pause(1);
        let mut context = core::task::Context::from_waker(core::task::Waker::noop());
        let (mut taken, mut patience) = (0, 0);
        loop {
            // Without more patience a step that takes longer is never done.
            patience += 1;
            let work = {
                let mut poll = core::pin::pin!(runner.poll(START));
                let polls = most + patience / 50;
                (0..polls).find_map(|_| match poll.as_mut().poll(&mut context) {
                    core::task::Poll::Ready(work) => Some(work),
                    core::task::Poll::Pending => None,
                })
            };
            match work {
                Some(Work::Route(question)) => runner.routed(question.attempt, Routing::Found(()), START),
                Some(Work::Deliver(job)) => {
                    let refuses = &*job.destination == "b.test";
                    taken += usize::from(!refuses);
                    runner.finished(
                        job.attempt,
                        said(vec![if refuses { refused() } else { accepted() }]),
                        START,
                    );
                }
                Some(Work::Wait(_)) => break,
                _ => {}
            }
        }
        assert_eq!(taken, 1, "{most}");
        assert!(runner.is_empty(), "{most}");
        store.engine().pause(0);
        assert!(in_queue(&store).is_empty(), "{most}");
        let reports = reports(&store, alice);
        let told: Vec<_> = reports.iter().flat_map(rows).map(|(name, _)| name).collect();
        assert!(told.iter().all(|name| name == "refused@b.test") && !told.is_empty(), "{most}: {told:?}");
    }
}

/// Whatever the blobs of a report do not take is tried again.
#[test]
fn a_report_that_cannot_be_written_is_written_later() {
    for count in 1..6 {
        let (store, alice) = open(Faulty::new(Memory::new()));
        let mut runner = start(&store, START);
        accept(&store, envelope(ALICE), [to("a@a.test")], START).unwrap();
        store.engine().fail_writes(count);
        run(&mut runner, START, after(START, 3600), |_| said(vec![refused()]));
        assert_eq!(reports(&store, alice).len(), 1, "{count}");
        assert!(in_queue(&store).is_empty() && runner.is_empty());
    }
}
