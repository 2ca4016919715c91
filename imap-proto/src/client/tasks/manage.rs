//! [`Manage`]: makes, removes, renames and subscribes mailboxes. RFC 9051 §6.3.4 to §6.3.8.

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Command, CreateCommand, Mailbox, StatusResponse};

/// A change to the mailboxes. Ends with what the server said.
#[derive(Debug)]
pub struct Manage {
    command: Command,
    id: Option<CommandId>,
}

impl Manage {
    /// Makes a mailbox.
    #[must_use]
    pub fn create(mailbox: impl Into<Mailbox>) -> Self {
        Self { command: Command::Create(CreateCommand::new(mailbox)), id: None }
    }

    /// Removes a mailbox with its messages.
    #[must_use]
    pub fn delete(mailbox: impl Into<Mailbox>) -> Self {
        Self { command: Command::Delete(mailbox.into()), id: None }
    }

    /// Gives a mailbox another name.
    #[must_use]
    pub fn rename(from: impl Into<Mailbox>, to: impl Into<Mailbox>) -> Self {
        Self { command: Command::Rename { from: from.into(), to: to.into() }, id: None }
    }

    /// Adds a mailbox to those that are subscribed.
    #[must_use]
    pub fn subscribe(mailbox: impl Into<Mailbox>) -> Self {
        Self { command: Command::Subscribe(mailbox.into()), id: None }
    }

    /// Takes a mailbox from those that are subscribed.
    #[must_use]
    pub fn unsubscribe(mailbox: impl Into<Mailbox>) -> Self {
        Self { command: Command::Unsubscribe(mailbox.into()), id: None }
    }
}

impl Task<Client> for Manage {
    type Item = core::convert::Infallible;
    type Output = StatusResponse;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(self.command.clone())?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Completed { id, status } if Some(id) == self.id => conclude(status, |status| status),
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
