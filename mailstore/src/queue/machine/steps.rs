//! What [`Machine::poll`] does, step by step: each looks at a bounded number of entries.

use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;

use super::destination::Life;
use super::value::{Attempt, AttemptId, Effect, Outcome, Report};
use super::{Machine, Place, Running, STEP, State};
use crate::queue::schedule::Next;

impl Machine {
    /// What is due now moves into its lane; who is late is told.
    pub(super) fn wake(&mut self, now: i64) {
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
    pub(super) fn probe(&mut self, now: i64) {
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
    pub(super) fn drain(&mut self, now: i64) {
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
    pub(super) fn leave(&mut self, destination: u32, lane: u32) {
        if let Some(destination) = self.destinations.get_mut(destination) {
            destination.lanes.pop_front();
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.place = Place::Idle;
        }
        self.free_lane(lane);
    }

    /// The next attempt: destinations take turns, and within one its senders.
    pub(super) fn pick(&mut self, now: i64) -> Option<Attempt> {
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
    pub(super) fn take(&mut self, destination: u32, lane_index: u32, now: i64) -> Option<Attempt> {
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
    pub(super) fn next(&self, slot: u32, now: i64) -> Next {
        let Some(slot) = self.slots.get(slot) else { return Next::GiveUp };
        let schedule = if slot.null_sender { &self.null_schedule } else { &self.config.schedule };
        // Recipients of one message stay together.
        let jitter = scatter(self.seed ^ slot.id.message.get() ^ (u64::from(slot.attempts) << 48));
        let (created, now) = (UnixTime::from_seconds(slot.created), UnixTime::from_seconds(now));
        schedule.next(created, slot.attempts, now, jitter)
    }
}

/// Any number to one that looks like chance: the finalizer of SplitMix64.
fn scatter(number: u64) -> u16 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let [high, low, ..] = (number ^ (number >> 31)).to_be_bytes();
    u16::from_be_bytes([high, low])
}
