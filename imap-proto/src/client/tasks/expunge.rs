//! [`Expunge`]: removes messages that are marked as deleted. RFC 9051 §6.4.3, RFC 4315 §2.1.

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::UidRange;

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Command, NumberSet, Response};

/// Removes messages that are marked as deleted. Its items are those that are gone.
#[derive(Debug, Default)]
pub struct Expunge {
    uids: Option<NumberSet>,
    id: Option<CommandId>,
}

/// Messages that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gone {
    /// The one with this number, as it was at that moment.
    Number(u32),
    /// Those with these UIDs: VANISHED, where QRESYNC or UIDONLY is enabled (RFC 7162 §3.2.10).
    Uids(UidRange),
}

impl Expunge {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only those of these UIDs: UID EXPUNGE.
    #[must_use]
    pub const fn uids(uids: NumberSet) -> Self {
        Self { uids: Some(uids), id: None }
    }
}

impl Task<Client> for Expunge {
    type Item = Gone;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(Command::Expunge(self.uids.clone()))?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Response { response: Response::Expunge(number), .. } => {
                Progress::Item(Gone::Number(number))
            }
            Event::Vanished(range) => Progress::Item(Gone::Uids(range)),
            Event::VanishedBegin { .. } | Event::VanishedEnd => Progress::Continue,
            Event::Completed { id, status } if Some(id) == self.id => conclude(status, drop),
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
