//! [`Machine`]: which recipients of which message are tried next, and at which destination. RFC 5321 §4.5.4.1.
//!
//! How it works inside:
//!
//! - An entry waits in `timers`; once due it waits in its *lane*, which is a destination and a sender.
//! - A destination with due entries and room stands in the `ring`, its lanes take turns within it.
//! - A lane whose sender has its share is parked with the sender, and returns as attempts of the sender end.
//! - A destination at which a whole window of connections failed in a row is dead: it is left alone for a
//!   while, then one attempt probes it. If that fails, what is due there meanwhile counts as tried.
//!
//! Every step does a bounded amount of work. `value` has what is told, `steps` what a poll does, `lists` who stands
//! where, `destination` and `table` what they are made of.

mod destination;
mod lists;
mod steps;
mod table;
mod value;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;

use self::destination::{Destination, Life};
use self::table::Table;
pub use self::value::{Attempt, AttemptId, Connection, Effect, Entry, MachineConfig, Outcome, Report};
use super::schedule::{Next, Schedule, later};
use super::{EntryId, QueueId};

/// Seconds after which something is tried that could not be tried.
const POSTPONED: u64 = 60;

/// Entries, lanes or destinations that one call looks at.
const STEP: usize = 256;

/// What the machine keeps of an entry.
#[derive(Debug)]
struct Slot {
    id: EntryId,
    created: i64,
    due: i64,
    lane: u32,
    attempts: u32,
    state: State,
    null_sender: bool,
    notified: bool,
}

impl Slot {
    /// Until when it waits. Only what was tried is late; before that, the queue is.
    fn wakes(&self, schedule: &Schedule) -> i64 {
        let is_told = self.attempts > 0 && !self.notified && !self.null_sender;
        let notice = schedule.notice(UnixTime::from_seconds(self.created)).filter(|_| is_told);
        notice.map_or(self.due, |notice| self.due.min(notice.as_seconds()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In `timers`.
    Waiting,
    /// In its lane.
    Due,
    Running,
    /// Running, and removed by the host meanwhile.
    Removed,
}

/// Entries of one sender for one destination.
#[derive(Debug)]
struct Lane {
    destination: u32,
    sender: u64,
    /// Of any state.
    entries: usize,
    due: BTreeMap<EntryId, u32>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nowhere: nothing is due.
    Idle,
    /// Among the lanes of its destination.
    Turn,
    /// With its sender, who has its share.
    Parked,
}

/// What runs for a sender, and what waits for that to end.
#[derive(Debug, Default)]
struct Sender {
    running: usize,
    parked: VecDeque<u32>,
}

#[derive(Debug)]
struct Running {
    lane: u32,
    slots: Vec<u32>,
}

/// The queue as numbers.
///
/// It holds numbers, times and the names of destinations, and does nothing by itself: the host hands it
/// entries ([`Machine::load`]) and the time ([`Machine::poll`]), makes the attempts it is given, says how they
/// ended ([`Machine::finished`]), and does to the stored entries what [`Machine::poll_effect`] says.
///
/// One destination that does not answer delays no other: each has a window of connections and they take
/// turns. One sender that floods the queue delays no other either: each has a share of all connections.
#[derive(Debug)]
pub struct Machine {
    config: MachineConfig,
    null_schedule: Schedule,
    seed: u64,
    slots: Table<Slot>,
    ids: BTreeMap<EntryId, u32>,
    timers: BTreeSet<(i64, u32)>,
    destinations: Table<Destination>,
    names: BTreeMap<Arc<str>, u32>,
    lanes: Table<Lane>,
    lane_of: BTreeMap<(u32, u64), u32>,
    senders: BTreeMap<u64, Sender>,
    /// Destinations with something due and room.
    ring: VecDeque<u32>,
    /// Dead destinations, by the time of their probe.
    quiet: BTreeSet<(i64, u32)>,
    /// Dead destinations whose due entries are put off.
    draining: VecDeque<u32>,
    /// Senders with parked lanes and room.
    hungry: BTreeSet<u64>,
    running: BTreeMap<AttemptId, Running>,
    next_attempt: u64,
    effects: VecDeque<Effect>,
}

impl Machine {
    /// An empty queue. Delays are made to differ by `seed`.
    #[must_use]
    pub fn new(config: MachineConfig, seed: u64) -> Self {
        let null_schedule = config.schedule.clone().with_lifetime(config.null_lifetime).with_notice(None);
        Self {
            config,
            null_schedule,
            seed,
            slots: Table::new(),
            ids: BTreeMap::new(),
            timers: BTreeSet::new(),
            destinations: Table::new(),
            names: BTreeMap::new(),
            lanes: Table::new(),
            lane_of: BTreeMap::new(),
            senders: BTreeMap::new(),
            ring: VecDeque::new(),
            quiet: BTreeSet::new(),
            draining: VecDeque::new(),
            hungry: BTreeSet::new(),
            running: BTreeMap::new(),
            next_attempt: 0,
            effects: VecDeque::new(),
        }
    }

    /// Adds an entry; one that is there stays as it is. An attempt that lies further away than the schedule
    /// allows, because the clock was set back, comes earlier.
    pub fn load(&mut self, entry: Entry, now: UnixTime) {
        if self.ids.contains_key(&entry.id) {
            return;
        }
        let lane = self.lane(entry.destination, entry.sender);
        let latest = later(now, self.config.schedule.longest());
        let slot = self.slots.insert(Slot {
            id: entry.id,
            created: entry.created.as_seconds(),
            due: entry.due.min(latest).as_seconds(),
            lane,
            attempts: entry.attempts,
            state: State::Due,
            null_sender: entry.null_sender,
            notified: entry.notified,
        });
        self.ids.insert(entry.id, slot);
        self.wait(slot);
    }

    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing waits or runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Attempts that run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Whether recipients of a message are being tried, or are about to be.
    #[must_use]
    pub fn is_active(&self, message: QueueId) -> bool {
        let id = |recipient| EntryId { message, recipient };
        self.ids.range(id(0)..=id(u32::MAX)).any(|(_, slot)| {
            self.slots.get(*slot).is_some_and(|slot| matches!(slot.state, State::Due | State::Running))
        })
    }

    /// Moves what is due, and gives an attempt to make if there is one and there is room for it.
    ///
    /// Its entries are [persisted](Effect::Persist) as if it fails without a word: that must be durable before
    /// the attempt starts. Then call [`Self::started`], and [`Self::finished`] at its end; or `finished` at
    /// once if it cannot be made.
    pub fn poll(&mut self, now: UnixTime) -> Option<Attempt> {
        let now = now.as_seconds();
        self.drain(now);
        self.wake(now);
        self.probe(now);
        self.unpark();
        self.pick(now)
    }

    /// When to [poll](Self::poll) next, if nothing else happens before: not later than `now` if there is
    /// something to do at once. `None`: only when something else happens.
    #[must_use]
    pub fn deadline(&self, now: UnixTime) -> Option<UnixTime> {
        let room = self.running.len() < self.config.connections;
        if !self.effects.is_empty()
            || !self.draining.is_empty()
            || (room && !(self.ring.is_empty() && self.hungry.is_empty()))
        {
            return Some(now);
        }
        let timer = self.timers.first().map(|(at, _)| *at);
        let probe = self.quiet.first().map(|(at, _)| *at);
        timer.into_iter().chain(probe).min().map(UnixTime::from_seconds)
    }

    /// What to do to the stored entries, oldest first.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The attempt starts now: its next attempt time is durable. Whether the machine knows it.
    pub fn started(&self, attempt: AttemptId) -> bool {
        self.running.contains_key(&attempt)
    }

    /// Some recipients of an attempt that goes on are decided: it is made durable before the others are.
    pub fn decided(&mut self, attempt: AttemptId, outcomes: &[(u32, Outcome)], now: UnixTime) {
        let Some(mut running) = self.running.remove(&attempt) else { return };
        let mut due = i64::MAX;
        let outcomes: BTreeMap<u32, Outcome> = outcomes.iter().copied().collect();
        running.slots.retain(|slot| {
            let number = self.slots.get(*slot).map(|slot| slot.id.recipient);
            let Some(outcome) = number.and_then(|number| outcomes.get(&number)) else { return true };
            self.settle(*slot, *outcome, now, &mut due);
            false
        });
        self.running.insert(attempt, running);
    }

    /// The attempt is over. Recipients that `outcomes` does not name are tried again.
    pub fn finished(
        &mut self,
        attempt: AttemptId,
        connection: Connection,
        outcomes: &[(u32, Outcome)],
        now: UnixTime,
    ) {
        self.decided(attempt, outcomes, now);
        let Some(Running { lane, slots }) = self.running.remove(&attempt) else { return };
        let mut due = i64::MAX;
        for slot in slots {
            self.settle(slot, Outcome::Deferred(None), now, &mut due);
        }
        let Some((destination, sender)) = self.lanes.get(lane).map(|lane| (lane.destination, lane.sender))
        else {
            return;
        };
        self.judge(destination, connection, now, due);
        if let Some(state) = self.senders.get_mut(&sender) {
            state.running = state.running.saturating_sub(1);
            if !state.parked.is_empty() {
                self.hungry.insert(sender);
            } else if state.running == 0 {
                self.senders.remove(&sender);
            }
        }
        self.free_lane(lane);
        self.free_destination(destination);
        self.turn(destination);
    }

    /// The attempt was not made, for a reason that lies here: it does not count, and comes again in a minute.
    pub fn abandoned(&mut self, attempt: AttemptId, now: UnixTime) {
        let Some(running) = self.running.get(&attempt) else { return };
        let mut outcomes = Vec::with_capacity(running.slots.len());
        for index in running.slots.clone() {
            let Some(slot) = self.slots.get_mut(index) else { continue };
            slot.attempts = slot.attempts.saturating_sub(1);
            outcomes.push((slot.id.recipient, Outcome::Postponed));
        }
        self.finished(attempt, Connection::Untried, &outcomes, now);
    }

    /// Tries an entry as soon as possible, at a dead destination too. `false` if there is none, or it runs.
    pub fn retry(&mut self, id: EntryId, now: UnixTime) -> bool {
        let Some((index, state, lane)) = self.find(id) else { return false };
        match state {
            State::Waiting => {
                self.stop_waiting(index);
                if let Some(slot) = self.slots.get_mut(index) {
                    slot.due = now.as_seconds();
                }
                self.now_due(index);
            }
            State::Due => {}
            State::Running | State::Removed => return false,
        }
        self.revive(lane);
        true
    }

    /// Forgets an entry that the host removed. What runs for it runs on, and its end has no effect.
    pub fn remove(&mut self, id: EntryId) {
        let Some((slot, state, lane)) = self.find(id) else { return };
        match state {
            State::Waiting => self.stop_waiting(slot),
            State::Due => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.due.remove(&id);
                }
            }
            State::Running | State::Removed => {
                self.ids.remove(&id);
                if let Some(slot) = self.slots.get_mut(slot) {
                    slot.state = State::Removed;
                }
                return;
            }
        }
        self.forget(slot);
        self.free_destination_of(lane);
    }

    fn find(&self, id: EntryId) -> Option<(u32, State, u32)> {
        let slot = *self.ids.get(&id)?;
        self.slots.get(slot).map(|found| (slot, found.state, found.lane))
    }

    /// What became of an entry that ran. `due` becomes the time of its next attempt if that is earlier.
    fn settle(&mut self, slot: u32, outcome: Outcome, now: UnixTime, due: &mut i64) {
        let Some(entry) = self.slots.get(slot) else { return };
        let (id, removed) = (entry.id, entry.state == State::Removed);
        let report = match outcome {
            Outcome::Delivered => None,
            Outcome::Failed => Some(Report::Failed),
            _ if removed => None,
            Outcome::Postponed => {
                self.put_off(slot, later(now, POSTPONED).as_seconds());
                return;
            }
            Outcome::Deferred(not_before) => match self.next(slot, now.as_seconds()) {
                Next::At(at) | Next::Delayed { at, .. } => {
                    let latest = later(now, self.config.schedule.longest());
                    let at = at.max(not_before.unwrap_or(at)).min(latest).as_seconds();
                    *due = (*due).min(at);
                    self.put_off(slot, at);
                    return;
                }
                Next::GiveUp => Some(Report::Expired),
            },
        };
        if !removed {
            let report = report.map(|report| Effect::Report { id, report });
            self.effects.extend(report.into_iter().chain([Effect::Remove { id }]));
        }
        self.forget(slot);
    }

    /// An entry that ran waits until `due`.
    fn put_off(&mut self, slot: u32, due: i64) {
        if let Some(entry) = self.slots.get_mut(slot) {
            entry.due = due;
        }
        self.persist(slot);
        self.wait(slot);
    }

    /// What an attempt says of its destination, whose entries return at `due` at the earliest.
    fn judge(&mut self, index: u32, connection: Connection, now: UnixTime, due: i64) {
        let Some(destination) = self.destinations.get_mut(index) else { return };
        destination.running = destination.running.saturating_sub(1);
        let before = destination.life;
        match connection {
            Connection::Untried => return,
            Connection::Worked => {
                destination.worked(&self.config);
                destination.draining = false;
            }
            Connection::Failed => {
                if destination.failed() {
                    // No later than the entries that failed return, so that a single one is never held up.
                    let first = now.as_seconds().saturating_add_unsigned(self.config.schedule.first());
                    destination.life = Life::Quiet(due.min(first));
                    if !destination.draining {
                        destination.draining = true;
                        self.draining.push_back(index);
                    }
                }
            }
        }
        let after = destination.life;
        if let (Life::Quiet(at), true) = (before, before != after) {
            self.quiet.remove(&(at, index));
        }
        if let (Life::Quiet(at), true) = (after, before != after) {
            self.quiet.insert((at, index));
        }
    }

    /// A dead destination is probed now.
    fn revive(&mut self, lane: u32) {
        let Some(index) = self.lanes.get(lane).map(|lane| lane.destination) else { return };
        if let Some(destination) = self.destinations.get_mut(index)
            && let Life::Quiet(at) = destination.life
        {
            destination.life = Life::Probing;
            self.quiet.remove(&(at, index));
            self.turn(index);
        }
    }
}

#[cfg(test)]
mod tests;
