//! [`Runner`]: the queue of a store at work.
//!
//! `question` has what is asked and answered, `attempt` what becomes of an attempt, `save` what is written, `report`
//! makes reports, `local` delivers to mailboxes here.

mod attempt;
mod local;
mod question;
mod report;
mod save;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;

use mailwright_core::value::{Domain, UnixTime};
use mailwright_smtp::dsn::{InvalidValue, MtaName};

pub use self::question::{Attempted, Job, QueueEvent, RouteQuestion, Routing, Said, Work};
use self::save::Unsaved;
use super::machine::{Attempt, AttemptId, Machine, MachineConfig};
use super::message::Failure;
use super::schedule::later;
use super::spool::News;
use super::{EntryId, QueueId};
use crate::account::WriteError;
use crate::directory::Directory;
use crate::engine::{Blobs, Engine};
use crate::mail::store::Store;

/// Settings of a [`Runner`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunnerConfig {
    /// Schedule and windows.
    pub machine: MachineConfig,
    /// This host: reports come from its postmaster.
    host: Domain,
    reporting_mta: MtaName,
}

impl RunnerConfig {
    /// The queue of `host`, with defaults.
    ///
    /// # Errors
    /// If the name is beyond ASCII: give its A-label form.
    pub fn new(host: Domain) -> Result<Self, InvalidValue> {
        let reporting_mta = MtaName::dns(&host)?;
        Ok(Self { machine: MachineConfig::default(), host, reporting_mta })
    }
}

/// The queue at work. A store has one runner at a time.
///
/// It joins queue, route and transport as questions, so it does no I/O beside that of the store, reads no clock, and
/// starts nothing:
///
/// ```text
/// let mut runner = Runner::start(&store, RunnerConfig::new(host)?, now()).await?;
/// loop {
///     match runner.poll(now()).await {
///         Work::Route(question) => …    // later: runner.routed(question.attempt, routing, now())
///         Work::Deliver(job) => …       // later: runner.finished(job.attempt, attempted, now())
///         Work::Event(event) => …       // log
///         Work::Wait(until) => …        // an answer, runner.woken(), or that time
///     }
/// }
/// ```
///
/// It owns every step between the acceptance of a message and the last report about it: the next attempt is durable
/// before one starts, an end is durable with the report about it, and what cannot be written is tried again
/// (RFC 5321 §6.1, RFC 3461 §5.2). After a crash a message may arrive twice, and never not at all.
pub struct Runner<E: Engine + Blobs, R> {
    store: Store<E>,
    directory: Directory<E>,
    config: RunnerConfig,
    machine: Machine,
    work: VecDeque<Work<E, R>>,
    /// An attempt whose next one is being made durable.
    starting: Option<Attempt>,
    /// Attempts that started.
    attempts: BTreeMap<AttemptId, Attempt>,
    /// Those of them for which a way was found.
    found: VecDeque<(AttemptId, R)>,
    /// What is still to be written.
    unsaved: BTreeMap<QueueId, Unsaved>,
    /// What waits for other recipients of its message, and until when.
    held: BTreeMap<QueueId, (UnixTime, Unsaved)>,
    /// Messages for which that was long enough.
    overdue: BTreeSet<QueueId>,
    /// Messages that may have been queued: when to look for them, and the seconds until the next look.
    looks: BTreeSet<(UnixTime, QueueId, u64)>,
    /// When writing is tried again that failed.
    again: Option<UnixTime>,
    /// Why destinations failed last, for recipients that were put off with others.
    failures: BTreeMap<Arc<str>, Failure>,
}

impl<E: Engine + Blobs, R> fmt::Debug for Runner<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("entries", &self.machine.len())
            .field("attempts", &self.attempts.len())
            .finish_non_exhaustive()
    }
}

impl<E: Engine + Blobs, R> Drop for Runner<E, R> {
    fn drop(&mut self) {
        self.store.core.spool.detach();
    }
}

/// Destinations whose last failure is remembered.
const FAILURES: usize = 1024;
/// The longest wait, in seconds, for a message that may have been queued.
const LOOKS: u64 = 1000;
/// Seconds until something is written that could not be written.
const AGAIN: u64 = 10;

impl<E: Engine + Blobs, R> Runner<E, R> {
    /// Loads the queue of `store`.
    ///
    /// # Errors
    /// [`WriteError::Busy`] if another runner works on it in this process; or that reading failed.
    pub async fn start(store: &Store<E>, config: RunnerConfig, now: UnixTime) -> Result<Self, WriteError> {
        if !store.core.spool.attach() {
            return Err(WriteError::Busy);
        }
        let seed =
            store.core.entropy.next().iter().take(8).fold(0, |seed, octet| (seed << 8) | u64::from(*octet));
        let mut runner = Self {
            machine: Machine::new(config.machine.clone(), seed),
            directory: store.directory(),
            store: store.clone(),
            config,
            work: VecDeque::new(),
            starting: None,
            attempts: BTreeMap::new(),
            found: VecDeque::new(),
            unsaved: BTreeMap::new(),
            held: BTreeMap::new(),
            overdue: BTreeSet::new(),
            looks: BTreeSet::new(),
            again: None,
            failures: BTreeMap::new(),
        };
        let snapshot = store.core.engine.snapshot().await?;
        let machine = &mut runner.machine;
        store.core.schedules(&snapshot, &mut |entry| machine.load(entry, now)).await?;
        Ok(runner)
    }

    /// Recipients that wait or are being tried.
    #[must_use]
    pub fn len(&self) -> usize {
        self.machine.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.machine.is_empty()
    }

    /// Waits until something was queued, or an operator did something.
    pub async fn woken(&self) {
        poll_fn(|context| self.store.core.spool.poll(context)).await;
    }

    /// What to do next. Call it again and again until it says to wait. Dropping the future loses nothing.
    pub async fn poll(&mut self, now: UnixTime) -> Work<E, R> {
        loop {
            self.hear(now);
            self.look(now).await;
            self.collect();
            let held = self.release_old(now);
            let saved = self.save(now).await;
            if self.starting.is_some() {
                self.begin(saved, now).await;
                continue;
            }
            self.hand_over(now).await;
            if let Some(work) = self.work.pop_front() {
                return work;
            }
            if !saved {
                return Work::Wait(self.again);
            }
            self.starting = self.machine.poll(now);
            if self.starting.is_none() {
                self.collect();
                let deadline = self.machine.deadline(now);
                let look = self.looks.first().map(|(at, ..)| *at);
                if self.unsaved.is_empty() && deadline != Some(now) {
                    return Work::Wait(deadline.into_iter().chain(held).chain(look).min());
                }
            }
        }
    }

    /// What others did to the queue.
    fn hear(&mut self, now: UnixTime) {
        while let Some(news) = self.store.core.spool.take() {
            match news {
                News::Load(entry) => self.machine.load(entry, now),
                News::Look(id) => {
                    self.looks.insert((now, id, 1));
                }
                News::Retry(id) => {
                    self.machine.retry(id, now);
                }
                News::Deleted { id, why } => {
                    self.machine.remove(id);
                    let held = self.held.get_mut(&id.message).map(|(_, held)| held);
                    for unsaved in self.unsaved.get_mut(&id.message).into_iter().chain(held) {
                        unsaved.forget(id.recipient);
                    }
                    self.release(id.message);
                    self.tell(QueueEvent::Deleted { id, why });
                }
            }
        }
    }

    /// Looks for messages that may have been queued: what is late may still come.
    async fn look(&mut self, now: UnixTime) {
        while let Some((at, id, wait)) = self.looks.first().copied().filter(|(at, ..)| *at <= now) {
            let rows = self.rows(id).await;
            self.looks.remove(&(at, id, wait));
            if let Ok(Some((envelope, rows))) = rows {
                for (number, row) in rows {
                    let id = EntryId { message: id, recipient: number };
                    self.machine.load(row.entry(id, &envelope), now);
                }
            } else if wait <= LOOKS {
                self.looks.insert((later(now, wait), id, wait * 10));
            }
        }
    }

    fn tell(&mut self, event: QueueEvent) {
        self.work.push_back(Work::Event(event));
    }

    /// Why a destination failed, for those that are put off with it.
    fn remember(&mut self, destination: &Arc<str>, failure: Failure) {
        if self.failures.len() >= FAILURES && !self.failures.contains_key(destination) {
            self.failures.pop_first();
        }
        self.failures.insert(Arc::clone(destination), failure);
    }
}

/// What a failure is called in words when it is of the whole attempt.
fn in_words(what: &str, reason: &str) -> String {
    if reason.is_empty() { what.into() } else { alloc::format!("{what}: {reason}") }
}
