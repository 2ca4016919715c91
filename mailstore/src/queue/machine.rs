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
//! Every step does a bounded amount of work.

mod destination;
mod table;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;

use self::destination::{Destination, Life};
use self::table::Table;
use super::schedule::{Next, Schedule, later};
use super::{EntryId, QueueId};

/// Seconds after which something is tried that could not be tried.
const POSTPONED: u64 = 60;

/// Entries, lanes or destinations that one call looks at.
const STEP: usize = 256;

/// Settings of a [`Machine`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MachineConfig {
    /// When to try again. Default: see [`Schedule`].
    pub schedule: Schedule,
    /// Seconds after which a message with the null sender is given up. Default: 2 days; nobody is told.
    pub null_lifetime: u64,
    /// Connections to a destination at the start. Default: 5.
    pub window_start: u32,
    /// Connections to a destination at most. Default: 20.
    pub window_max: u32,
    /// Connections in all. Default: 100.
    pub connections: usize,
    /// Recipients of one attempt. Default: 100, which every server takes (RFC 5321 §4.5.3.1.8).
    pub recipients: usize,
    /// Percent of all connections that mail of one sender may use. Default: 25.
    pub sender_percent: usize,
}

impl Default for MachineConfig {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            null_lifetime: 2 * 24 * 60 * 60,
            window_start: 5,
            window_max: 20,
            connections: 100,
            recipients: 100,
            sender_percent: 25,
        }
    }
}

impl MachineConfig {
    /// Connections that mail of one sender may use.
    fn sender_share(&self) -> usize {
        (self.connections.saturating_mul(self.sender_percent) / 100).max(1)
    }
}

/// A recipient that waits, as the host stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Which.
    pub id: EntryId,
    /// Where it goes; recipients of one message that have the same destination are tried together.
    pub destination: String,
    /// Whose share it counts against: any number that is the sender's.
    pub sender: u64,
    /// Whether nobody is to be told of its failure.
    pub null_sender: bool,
    /// When the message was accepted.
    pub created: UnixTime,
    /// The next attempt.
    pub due: UnixTime,
    /// Attempts that were made.
    pub attempts: u32,
    /// Whether the sender was told that it is late.
    pub notified: bool,
}

impl Entry {
    /// A recipient that was accepted just now, to be tried at once.
    #[must_use]
    pub const fn new(
        id: EntryId,
        destination: String,
        sender: u64,
        null_sender: bool,
        now: UnixTime,
    ) -> Self {
        Self { id, destination, sender, null_sender, created: now, due: now, attempts: 0, notified: false }
    }
}

/// The name of an attempt, never used twice by a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(u64);

/// One connection to make, for recipients of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Its name.
    pub id: AttemptId,
    /// Where.
    pub destination: Arc<str>,
    /// Which message.
    pub message: QueueId,
    /// Numbers of its recipients, ascending.
    pub recipients: Vec<u32>,
}

/// What became of a recipient in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The destination is responsible now.
    Delivered,
    /// Not now; not before this time, if one is known.
    Deferred(Option<UnixTime>),
    /// Never.
    Failed,
    /// It was not tried: again in a minute, whatever the schedule says.
    Postponed,
}

/// What an attempt says of its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Connection {
    /// It answered, whatever it said to recipients.
    Worked,
    /// It cannot be reached, or did not keep to the protocol.
    Failed,
    /// Nothing: the attempt was not made, or failed here.
    Untried,
}

/// What the host must do to what it stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Store this state of the entry.
    Persist {
        /// Which.
        id: EntryId,
        /// The next attempt.
        due: UnixTime,
        /// Attempts that were made, one that is about to start included.
        attempts: u32,
        /// Whether the sender was told that it is late.
        notified: bool,
    },
    /// Tell the sender. Comes with the `Persist` or `Remove` of the same entry, to be done together.
    Report {
        /// Of which recipient.
        id: EntryId,
        /// What.
        report: Report,
    },
    /// The entry is done with.
    Remove {
        /// Which.
        id: EntryId,
    },
}

impl Effect {
    /// The entry that it is about.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        match self {
            Self::Persist { id, .. } | Self::Report { id, .. } | Self::Remove { id } => *id,
        }
    }
}

/// What a sender is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// Not delivered so far; tried on.
    Delayed,
    /// Refused for good.
    Failed,
    /// Given up after too long.
    Expired,
}

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

    /// What is due now moves into its lane; who is late is told.
    fn wake(&mut self, now: i64) {
        let mut last = None;
        for step in 0.. {
            let Some((at, slot)) = self.timers.first().copied().filter(|(at, _)| *at <= now) else { return };
            let Some(entry) = self.slots.get_mut(slot) else { return };
            // Recipients of one message stay together, so that one report speaks of all.
            if step >= STEP && last != Some(entry.id.message) {
                return;
            }
            last = Some(entry.id.message);
            self.timers.remove(&(at, slot));
            if entry.due > now {
                entry.notified = true;
                self.effects.push_back(Effect::Report { id: entry.id, report: Report::Delayed });
                self.persist(slot);
                self.wait(slot);
            } else {
                self.now_due(slot);
            }
        }
    }

    /// Dead destinations whose time has come take one attempt.
    fn probe(&mut self, now: i64) {
        for _ in 0..STEP {
            let Some((at, index)) = self.quiet.first().copied().filter(|(at, _)| *at <= now) else { return };
            self.quiet.remove(&(at, index));
            if let Some(destination) = self.destinations.get_mut(index) {
                destination.life = Life::Probing;
            }
            self.turn(index);
        }
    }

    /// What was due at a destination that is found dead counts as tried.
    fn drain(&mut self, now: i64) {
        for _ in 0..STEP {
            let Some(index) = self.draining.front().copied() else { return };
            let destination = self.destinations.get(index).filter(|destination| destination.draining);
            let lane = destination.and_then(|destination| destination.lanes.front().copied());
            let Some(lane) = lane else {
                self.draining.pop_front();
                if let Some(destination) = self.destinations.get_mut(index) {
                    destination.draining = false;
                }
                self.free_destination(index);
                self.turn(index);
                continue;
            };
            let first = self.lanes.get_mut(lane).and_then(|lane| lane.due.pop_first());
            let Some((_, slot)) = first else {
                self.leave(index, lane);
                continue;
            };
            if let Some(slot) = self.slots.get_mut(slot) {
                slot.attempts = slot.attempts.saturating_add(1);
            }
            self.settle(slot, Outcome::Deferred(None), UnixTime::from_seconds(now), &mut i64::MAX.clone());
        }
    }

    /// The first lane of a destination has nothing that is due.
    fn leave(&mut self, destination: u32, lane: u32) {
        if let Some(destination) = self.destinations.get_mut(destination) {
            destination.lanes.pop_front();
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.place = Place::Idle;
        }
        self.free_lane(lane);
    }

    /// The next attempt: destinations take turns, and within one its senders.
    fn pick(&mut self, now: i64) -> Option<Attempt> {
        let share = self.config.sender_share();
        for _ in 0..STEP {
            if self.running.len() >= self.config.connections.max(1) {
                return None;
            }
            let index = self.ring.pop_front()?;
            let Some(destination) = self.destinations.get_mut(index) else { continue };
            destination.in_ring = false;
            if destination.draining || !destination.has_room() {
                self.free_destination(index);
                continue;
            }
            let Some(lane_index) = destination.lanes.front().copied() else {
                self.free_destination(index);
                continue;
            };
            let Some(lane) = self.lanes.get_mut(lane_index) else { continue };
            if lane.due.is_empty() {
                self.leave(index, lane_index);
                self.turn(index);
                continue;
            }
            let sender = self.senders.entry(lane.sender).or_default();
            if sender.running >= share {
                destination.lanes.pop_front();
                lane.place = Place::Parked;
                sender.parked.push_back(lane_index);
            } else {
                destination.lanes.pop_front();
                lane.place = Place::Idle;
                destination.running += 1;
                sender.running += 1;
                if sender.running >= share {
                    self.hungry.remove(&lane.sender);
                }
                let attempt = self.take(index, lane_index, now);
                if self.lanes.get(lane_index).is_some_and(|lane| !lane.due.is_empty()) {
                    self.line_up(lane_index);
                }
                self.turn(index);
                return attempt;
            }
            self.turn(index);
        }
        None
    }

    /// Recipients of the first message that is due in a lane.
    fn take(&mut self, destination: u32, lane_index: u32, now: i64) -> Option<Attempt> {
        let lane = self.lanes.get_mut(lane_index)?;
        let message = lane.due.first_key_value()?.0.message;
        let mut recipients = Vec::new();
        let mut slots = Vec::new();
        while let Some(first) = lane.due.first_entry().filter(|first| first.key().message == message) {
            if recipients.len() == self.config.recipients.max(1) {
                break;
            }
            recipients.push(first.key().recipient);
            slots.push(first.remove());
        }
        for slot in &slots {
            let Some(entry) = self.slots.get_mut(*slot) else { continue };
            entry.attempts = entry.attempts.saturating_add(1);
            entry.state = State::Running;
            // If nothing is heard of it: as if it failed now, and once more if it was the last.
            let at = match self.next(*slot, now) {
                Next::At(at) | Next::Delayed { at, .. } => at.as_seconds(),
                Next::GiveUp => now.saturating_add_unsigned(self.config.schedule.longest()),
            };
            if let Some(entry) = self.slots.get_mut(*slot) {
                entry.due = at;
            }
            self.persist(*slot);
        }
        let id = AttemptId(self.next_attempt);
        self.next_attempt += 1;
        self.running.insert(id, Running { lane: lane_index, slots });
        let destination = Arc::clone(&self.destinations.get(destination)?.name);
        Some(Attempt { id, destination, message, recipients })
    }

    /// What the schedule says about an entry whose last attempt fails now.
    fn next(&self, slot: u32, now: i64) -> Next {
        let Some(slot) = self.slots.get(slot) else { return Next::GiveUp };
        let schedule = if slot.null_sender { &self.null_schedule } else { &self.config.schedule };
        // Recipients of one message stay together.
        let jitter = scatter(self.seed ^ slot.id.message.get() ^ (u64::from(slot.attempts) << 48));
        let (created, now) = (UnixTime::from_seconds(slot.created), UnixTime::from_seconds(now));
        schedule.next(created, slot.attempts, now, jitter)
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

    /// A lane of each sender that has room again comes back.
    fn unpark(&mut self) {
        let senders: Vec<u64> = self.hungry.iter().take(STEP).copied().collect();
        for sender in senders {
            let state = self.senders.get_mut(&sender);
            let Some(lane_index) = state.and_then(|state| state.parked.pop_front()) else {
                self.hungry.remove(&sender);
                if self.senders.get(&sender).is_some_and(|state| state.running == 0) {
                    self.senders.remove(&sender);
                }
                continue;
            };
            let Some(lane) = self.lanes.get_mut(lane_index) else { continue };
            lane.place = Place::Idle;
            if lane.due.is_empty() {
                self.free_destination_of(lane_index);
            } else {
                self.line_up(lane_index);
            }
        }
    }

    /// An entry waits for its next attempt, or for the sender to be told that it is late.
    fn wait(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.state = State::Waiting;
        let at = slot.wakes(&self.config.schedule);
        self.timers.insert((at, index));
    }

    fn stop_waiting(&mut self, index: u32) {
        if let Some(slot) = self.slots.get(index) {
            self.timers.remove(&(slot.wakes(&self.config.schedule), index));
        }
    }

    /// An entry joins its lane.
    fn now_due(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.state = State::Due;
        let lane_index = slot.lane;
        if let Some(lane) = self.lanes.get_mut(lane_index) {
            lane.due.insert(slot.id, index);
            if lane.place == Place::Idle {
                self.line_up(lane_index);
            }
        }
    }

    /// A lane joins those of its destination.
    fn line_up(&mut self, lane_index: u32) {
        let Some(lane) = self.lanes.get_mut(lane_index) else { return };
        lane.place = Place::Turn;
        let index = lane.destination;
        if let Some(destination) = self.destinations.get_mut(index) {
            destination.lanes.push_back(lane_index);
        }
        self.turn(index);
    }

    /// A destination joins the ring if it has something to do and room for it.
    fn turn(&mut self, index: u32) {
        let Some(destination) = self.destinations.get_mut(index) else { return };
        let ready = !destination.lanes.is_empty() && destination.has_room() && !destination.draining;
        if ready && !destination.in_ring {
            destination.in_ring = true;
            self.ring.push_back(index);
        }
    }

    fn persist(&mut self, slot: u32) {
        let Some(slot) = self.slots.get(slot) else { return };
        if slot.state != State::Removed {
            self.effects.push_back(Effect::Persist {
                id: slot.id,
                due: UnixTime::from_seconds(slot.due),
                attempts: slot.attempts,
                notified: slot.notified,
            });
        }
    }

    /// The lane of a destination and a sender.
    fn lane(&mut self, name: String, sender: u64) -> u32 {
        let index = match self.names.get(name.as_str()) {
            Some(index) => *index,
            None => {
                let name: Arc<str> = name.into();
                let index = self.destinations.insert(Destination::new(Arc::clone(&name), &self.config));
                self.names.insert(name, index);
                index
            }
        };
        let lane = match self.lane_of.get(&(index, sender)) {
            Some(lane) => *lane,
            None => {
                let due = BTreeMap::new();
                let lane = Lane { destination: index, sender, entries: 0, due, place: Place::Idle };
                let lane = self.lanes.insert(lane);
                self.lane_of.insert((index, sender), lane);
                lane
            }
        };
        if let Some(destination) = self.destinations.get_mut(index) {
            destination.entries += 1;
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.entries += 1;
        }
        lane
    }

    /// An entry that is in no list any more ends. Its lane and destination may be freed by the caller.
    fn forget(&mut self, index: u32) {
        let Some(slot) = self.slots.remove(index) else { return };
        if slot.state != State::Removed {
            self.ids.remove(&slot.id);
        }
        let Some(lane) = self.lanes.get_mut(slot.lane) else { return };
        lane.entries = lane.entries.saturating_sub(1);
        if let Some(destination) = self.destinations.get_mut(lane.destination) {
            destination.entries = destination.entries.saturating_sub(1);
        }
    }

    /// Frees a lane without entries that stands nowhere.
    fn free_lane(&mut self, index: u32) {
        if let Some(lane) = self.lanes.get(index)
            && lane.entries == 0
            && lane.place == Place::Idle
        {
            self.lane_of.remove(&(lane.destination, lane.sender));
            self.lanes.remove(index);
        }
    }

    fn free_destination_of(&mut self, lane: u32) {
        let destination = self.lanes.get(lane).map(|lane| lane.destination);
        self.free_lane(lane);
        if let Some(destination) = destination {
            self.free_destination(destination);
        }
    }

    /// Frees a destination without entries that stands in no list.
    fn free_destination(&mut self, index: u32) {
        let Some(destination) = self.destinations.get_mut(index) else { return };
        if destination.entries > 0 || destination.running > 0 {
            return;
        }
        // Lanes that stand with it have nothing that is due; those with a sender hold the destination.
        while let Some(lane) = self.destinations.get_mut(index).and_then(|it| it.lanes.pop_front()) {
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.place = Place::Idle;
            }
            self.free_lane(lane);
        }
        let parked = self.lane_of.range((index, 0)..=(index, u64::MAX)).next().is_some();
        let Some(destination) = self.destinations.get(index) else { return };
        if parked || destination.in_ring || destination.draining {
            return;
        }
        if let Life::Quiet(at) = destination.life {
            self.quiet.remove(&(at, index));
        }
        self.names.remove(&destination.name);
        self.destinations.remove(index);
    }
}

/// Any number to one that looks like chance: the finalizer of SplitMix64.
fn scatter(number: u64) -> u16 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let [high, low, ..] = (number ^ (number >> 31)).to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests;
