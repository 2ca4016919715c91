//! What a [`Machine`](super::Machine) is told and what it says: settings, entries, attempts, outcomes, effects.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;

use crate::queue::schedule::Schedule;
use crate::queue::{EntryId, QueueId};

/// Settings of a [`Machine`](super::Machine).
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
    pub(super) fn sender_share(&self) -> usize {
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
pub struct AttemptId(pub(super) u64);

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
