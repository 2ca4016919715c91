//! The outbound queue: messages that wait to be delivered elsewhere, and what comes back about them.
//!
//! [`Schedule`] says when something is tried again, [`Machine`] what is tried next; neither does I/O or reads a
//! clock. [`Runner`] joins them with a store: it asks the host for routes and for deliveries, and owns every step
//! between the acceptance of a message and the last report about it. [`Queue`] is the operator's view.
//!
//! RFC 5321 §4.5.4 (retry strategies) and §6.1 (responsibility), RFC 3461 and RFC 3464 (reports).

mod machine;
mod message;
mod operator;
mod row;
mod runner;
mod schedule;
mod spool;

use core::fmt;
use core::str::FromStr;

pub use self::machine::{
    Attempt, AttemptId, Connection, Effect, Entry, Machine, MachineConfig, Outcome, Report,
};
pub use self::message::{Envelope, Failure, Outbound, QueuedMessage, QueuedRecipient, Recipient, Target};
pub use self::operator::{Deletion, MessageReader, Queue};
pub use self::runner::{
    Attempted, Job, QueueEvent, RouteQuestion, Routing, Runner, RunnerConfig, Said, Work,
};
pub use self::schedule::{Next, Schedule, ScheduleError};

pub(crate) use self::message::status;
pub(crate) use self::spool::{Accepted, Spool};

/// A message in the queue. Later messages have larger numbers, but for those of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(u64);

impl QueueId {
    /// The message with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Sixteen hexadecimal digits.
impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text names no message of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a queued message: it has 16 hexadecimal digits")]
#[non_exhaustive]
pub struct InvalidQueueId;

impl FromStr for QueueId {
    type Err = InvalidQueueId;

    fn from_str(text: &str) -> Result<Self, InvalidQueueId> {
        if text.len() != 16 || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(InvalidQueueId);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| InvalidQueueId)
    }
}

/// One recipient of a message in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a pair")]
pub struct EntryId {
    /// The message.
    pub message: QueueId,
    /// The number of the recipient in it.
    pub recipient: u32,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.message, self.recipient)
    }
}
