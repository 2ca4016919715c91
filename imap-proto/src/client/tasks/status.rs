//! [`Status`]: numbers about a mailbox that need not be open. RFC 9051 §6.3.11.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Command, Mailbox, Response, StatusItem, StatusValue};

/// Asks for numbers about a mailbox. What the server leaves out is left out.
#[derive(Debug)]
pub struct Status {
    mailbox: Mailbox,
    items: Vec<StatusItem>,
    id: Option<CommandId>,
    values: Vec<(StatusItem, u64)>,
}

impl Status {
    /// These `items` of `mailbox`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, items: impl IntoIterator<Item = StatusItem>) -> Self {
        let items = items.into_iter().collect();
        Self { mailbox: mailbox.into(), items, id: None, values: Vec::new() }
    }
}

impl Task<Client> for Status {
    type Item = core::convert::Infallible;
    type Output = Vec<(StatusItem, u64)>;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let command = Command::Status { mailbox: self.mailbox.clone(), items: self.items.clone() };
        self.id = Some(client.command(command)?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Response { response: Response::MailboxStatus { values, .. }, during }
                if during == self.id =>
            {
                self.values = values.iter().filter_map(StatusValue::number).collect();
                Progress::Continue
            }
            Event::Completed { id, status } if Some(id) == self.id => {
                let values = core::mem::take(&mut self.values);
                conclude(status, |_| values)
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
