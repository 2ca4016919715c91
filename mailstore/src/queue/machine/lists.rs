//! The lists of a [`Machine`]: who stands where, and when entries, lanes and destinations come and go.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;

use super::destination::{Destination, Life};
use super::value::Effect;
use super::{Lane, Machine, Place, STEP, State};

impl Machine {
    /// A lane of each sender that has room again comes back.
    pub(super) fn unpark(&mut self) {
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
    pub(super) fn wait(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.state = State::Waiting;
        let at = slot.wakes(&self.config.schedule);
        self.timers.insert((at, index));
    }

    pub(super) fn stop_waiting(&mut self, index: u32) {
        if let Some(slot) = self.slots.get(index) {
            self.timers.remove(&(slot.wakes(&self.config.schedule), index));
        }
    }

    /// An entry joins its lane.
    pub(super) fn now_due(&mut self, index: u32) {
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
    pub(super) fn line_up(&mut self, lane_index: u32) {
        let Some(lane) = self.lanes.get_mut(lane_index) else { return };
        lane.place = Place::Turn;
        let index = lane.destination;
        if let Some(destination) = self.destinations.get_mut(index) {
            destination.lanes.push_back(lane_index);
        }
        self.turn(index);
    }

    /// A destination joins the ring if it has something to do and room for it.
    pub(super) fn turn(&mut self, index: u32) {
        let Some(destination) = self.destinations.get_mut(index) else { return };
        let ready = !destination.lanes.is_empty() && destination.has_room() && !destination.draining;
        if ready && !destination.in_ring {
            destination.in_ring = true;
            self.ring.push_back(index);
        }
    }

    pub(super) fn persist(&mut self, slot: u32) {
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
    pub(super) fn lane(&mut self, name: String, sender: u64) -> u32 {
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
    pub(super) fn forget(&mut self, index: u32) {
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
    pub(super) fn free_lane(&mut self, index: u32) {
        if let Some(lane) = self.lanes.get(index)
            && lane.entries == 0
            && lane.place == Place::Idle
        {
            self.lane_of.remove(&(lane.destination, lane.sender));
            self.lanes.remove(index);
        }
    }

    pub(super) fn free_destination_of(&mut self, lane: u32) {
        let destination = self.lanes.get(lane).map(|lane| lane.destination);
        self.free_lane(lane);
        if let Some(destination) = destination {
            self.free_destination(destination);
        }
    }

    /// Frees a destination without entries that stands in no list.
    pub(super) fn free_destination(&mut self, index: u32) {
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
