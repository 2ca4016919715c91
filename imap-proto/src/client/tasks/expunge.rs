//! [`Expunge`]: removes messages that are marked as deleted. RFC 9051 §6.4.3, RFC 4315 §2.1.

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Command, NumberSet, Response};

/// Removes messages that are marked as deleted. Its items are the numbers of those that are gone, each as it
/// was at that moment.
#[derive(Debug, Default)]
pub struct Expunge {
    uids: Option<NumberSet>,
    id: Option<CommandId>,
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
    type Item = u32;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(Command::Expunge(self.uids.clone()))?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Response { response: Response::Expunge(number), .. } => Progress::Item(number),
            Event::Completed { id, status } if Some(id) == self.id => conclude(status, drop),
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
