//! The machine against a naive store, with a crash between any two steps: every recipient is delivered at
//! least once or reported, and nothing else happens to it.

use alloc::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Accept {
        destination: u8,
        sender: u8,
        recipients: u8,
    },
    /// Time passes; sometimes backwards.
    Pass(i32),
    Poll,
    /// One effect becomes durable.
    Store,
    Finish {
        which: prop::sample::Index,
        connection: u8,
        outcomes: Vec<u8>,
    },
    Retry(prop::sample::Index),
    Delete(prop::sample::Index),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_u8, 0..3_u8, 1..5_u8)
            .prop_map(|(destination, sender, recipients)| Step::Accept { destination, sender, recipients }),
        3 => prop_oneof![0..5_000_i32, -40_000_000..40_000_000_i32].prop_map(Step::Pass),
        6 => Just(Step::Poll),
        6 => Just(Step::Store),
        6 => (any::<prop::sample::Index>(), 0..3_u8, prop::collection::vec(0..4_u8, 5))
            .prop_map(|(which, connection, outcomes)| Step::Finish { which, connection, outcomes }),
        1 => any::<prop::sample::Index>().prop_map(Step::Retry),
        1 => any::<prop::sample::Index>().prop_map(Step::Delete),
        1 => Just(Step::Crash),
    ]
}

/// What a host does, with the simplest store.
struct World {
    config: MachineConfig,
    machine: Machine,
    now: UnixTime,
    stored: BTreeMap<EntryId, Entry>,
    /// Effects that are not durable yet.
    effects: VecDeque<Effect>,
    running: Vec<Attempt>,
    accepted: BTreeSet<EntryId>,
    /// What the other side, or the operator, did.
    delivered: BTreeSet<EntryId>,
    refused: BTreeSet<EntryId>,
    deleted: BTreeSet<EntryId>,
    reported: BTreeSet<EntryId>,
    told_late: BTreeMap<EntryId, u32>,
}

impl World {
    fn new() -> Self {
        let mut config = MachineConfig::default();
        config.connections = 4;
        config.sender_percent = 50;
        config.recipients = 3;
        Self {
            machine: Machine::new(config.clone(), 3),
            config,
            now: START,
            stored: BTreeMap::new(),
            effects: VecDeque::new(),
            running: Vec::new(),
            accepted: BTreeSet::new(),
            delivered: BTreeSet::new(),
            refused: BTreeSet::new(),
            deleted: BTreeSet::new(),
            reported: BTreeSet::new(),
            told_late: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Accept { destination, sender, recipients } => {
                let message = 1 + self.accepted.last().map_or(0, |id| id.message.get());
                for recipient in 0..u32::from(recipients) {
                    let destination = format!("d{destination}.test");
                    let null = sender == 0;
                    let id = id(message, recipient);
                    let entry = Entry::new(id, destination, u64::from(sender), null, self.now);
                    self.stored.insert(id, entry.clone());
                    self.accepted.insert(id);
                    self.machine.load(entry, self.now);
                }
            }
            Step::Pass(seconds) => {
                self.now = UnixTime::from_seconds(self.now.as_seconds() + i64::from(seconds));
            }
            Step::Poll => self.poll(),
            Step::Store => self.store(),
            Step::Finish { which, connection, outcomes } => {
                if !self.running.is_empty() {
                    let attempt = self.running.remove(which.index(self.running.len()));
                    self.finish(&attempt, connection, &outcomes);
                }
            }
            Step::Retry(which) => {
                if let Some(id) = self.choose(which) {
                    self.machine.retry(id, self.now);
                }
            }
            Step::Delete(which) => {
                if let Some(id) = self.choose(which) {
                    self.stored.remove(&id);
                    self.deleted.insert(id);
                    self.machine.remove(id);
                    self.effects.retain(|effect| effect.id() != id);
                }
            }
            Step::Crash => {
                self.effects.clear();
                self.running.clear();
                self.machine = Machine::new(self.config.clone(), 3);
                for entry in self.stored.values() {
                    self.machine.load(entry.clone(), self.now);
                }
            }
        }
        self.machine.check();
    }

    fn choose(&self, which: prop::sample::Index) -> Option<EntryId> {
        (!self.stored.is_empty()).then(|| *self.stored.keys().nth(which.index(self.stored.len())).unwrap())
    }

    fn collect(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            self.effects.push_back(effect);
        }
    }

    fn poll(&mut self) {
        let attempt = self.machine.poll(self.now);
        self.collect();
        if let Some(attempt) = attempt {
            // Durable before it starts.
            while !self.effects.is_empty() {
                self.store();
            }
            for recipient in &attempt.recipients {
                let stored = &self.stored[&id(attempt.message.get(), *recipient)];
                let longest = later(self.now, self.config.schedule.longest());
                assert!(stored.due <= longest, "never further away than the longest delay");
                assert!(stored.attempts > 0);
            }
            self.running.push(attempt);
        }
    }

    fn finish(&mut self, attempt: &Attempt, connection: u8, outcomes: &[u8]) {
        let connection =
            [Connection::Worked, Connection::Failed, Connection::Untried][usize::from(connection)];
        let mut said = Vec::new();
        for (recipient, outcome) in attempt.recipients.iter().zip(outcomes.iter().cycle()) {
            let id = id(attempt.message.get(), *recipient);
            match outcome {
                0 if connection == Connection::Worked => {
                    self.delivered.insert(id);
                    said.push((*recipient, Outcome::Delivered));
                }
                1 if connection == Connection::Worked => {
                    self.refused.insert(id);
                    said.push((*recipient, Outcome::Failed));
                }
                2 => said.push((*recipient, Outcome::Deferred(None))),
                _ => {}
            }
        }
        self.machine.finished(attempt.id, connection, &said, self.now);
        self.collect();
    }

    /// The oldest effects, those of one entry that belong together at once.
    fn store(&mut self) {
        let Some(effect) = self.effects.pop_front() else { return };
        match effect {
            Effect::Report { id, report } => {
                match report {
                    Report::Delayed => *self.told_late.entry(id).or_default() += 1,
                    Report::Failed | Report::Expired => {
                        self.reported.insert(id);
                    }
                }
                assert_eq!(self.effects.front().map(Effect::id), Some(id));
                self.store();
            }
            Effect::Persist { id, due, attempts, notified } => {
                let entry = self.stored.get_mut(&id).unwrap();
                (entry.due, entry.attempts, entry.notified) = (due, attempts, notified);
            }
            Effect::Remove { id } => {
                assert!(self.stored.remove(&id).is_some());
            }
        }
    }

    /// Everything answers from now on; in the end nothing is left.
    fn settle(&mut self) {
        self.step(Step::Crash);
        for _ in 0..100_000 {
            self.collect();
            while !self.effects.is_empty() {
                self.store();
            }
            let Some(at) = self.machine.deadline(self.now) else { break };
            self.now = self.now.max(at);
            self.poll();
            while let Some(attempt) = self.running.pop() {
                self.finish(&attempt, 0, &[0]);
            }
        }
        assert!(self.machine.is_empty(), "{} left", self.machine.len());
        assert!(self.stored.is_empty());
        for id in &self.accepted {
            let (delivered, reported) = (self.delivered.contains(id), self.reported.contains(id));
            assert!(delivered || reported || self.deleted.contains(id), "{id} vanished");
            assert!(!self.refused.contains(id) || delivered || reported || self.deleted.contains(id));
        }
        assert!(self.reported.is_subset(&self.accepted));
        assert!(self.told_late.values().all(|times| *times == 1), "told once that it is late");
    }
}

impl Machine {
    /// What must hold between any two calls.
    fn check(&self) {
        assert!(self.running.len() <= self.config.connections);
        let mut due = 0;
        for (id, slot) in &self.ids {
            let slot = self.slots.get(*slot).unwrap();
            assert_eq!(slot.id, *id);
            due += usize::from(slot.state == State::Due);
        }
        let lanes: usize = self.lane_of.values().map(|lane| self.lanes.get(*lane).unwrap().due.len()).sum();
        assert_eq!(lanes, due);
        assert_eq!(self.timers.len(), self.slots_in(State::Waiting).len());
        for (sender, state) in &self.senders {
            assert!(state.running <= self.config.sender_share());
            let room = state.running < self.config.sender_share();
            assert!(!room || state.parked.is_empty() || self.hungry.contains(sender), "parked for good");
        }
        for index in self.names.values() {
            let destination = self.destinations.get(*index).unwrap();
            assert!(destination.running <= self.config.window_max);
            let ready = !destination.lanes.is_empty() && destination.has_room() && !destination.draining;
            assert_eq!(ready, ready && destination.in_ring, "ready and not in the ring");
            if let Life::Quiet(at) = destination.life {
                assert!(self.quiet.contains(&(at, *index)));
            }
        }
        for lane in self.lane_of.values().map(|lane| self.lanes.get(*lane).unwrap()) {
            assert!(lane.due.is_empty() || lane.place != Place::Idle, "due and nowhere");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn at_least_once_and_never_zero_with_crashes_between_all_steps(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.settle();
    }
}
