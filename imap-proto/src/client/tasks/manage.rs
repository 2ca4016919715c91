//! [`Manage`]: commands that end with a status alone: mailboxes, rights, annotations, what is to be told. RFC 9051 §6.3.4
//! to §6.3.8, RFC 4314, RFC 5464, RFC 5465.

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{
    Command, CreateCommand, ListAttribute, Mailbox, NotifyCommand, OctetString, Rights, RightsAction,
    SetMetadataCommand, StatusResponse,
};

/// A change. Ends with what the server said; its code may say more, such as MAILBOXID of a new mailbox.
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

    /// Makes a mailbox for special uses (RFC 6154 §3).
    #[must_use]
    pub fn create_for(mailbox: impl Into<Mailbox>, uses: impl IntoIterator<Item = ListAttribute>) -> Self {
        let mut create = CreateCommand::new(mailbox);
        create.special_use = Some(uses.into_iter().collect());
        Self { command: Command::Create(create), id: None }
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

    /// Gives somebody rights on a mailbox, or takes them away (RFC 4314 §3.1).
    #[must_use]
    pub fn set_acl(
        mailbox: impl Into<Mailbox>,
        identifier: OctetString,
        action: RightsAction,
        rights: Rights,
    ) -> Self {
        let mailbox = mailbox.into();
        Self { command: Command::SetAcl { mailbox, identifier, action, rights }, id: None }
    }

    /// Takes all rights on a mailbox away from somebody (RFC 4314 §3.2).
    #[must_use]
    pub fn delete_acl(mailbox: impl Into<Mailbox>, identifier: OctetString) -> Self {
        Self { command: Command::DeleteAcl { mailbox: mailbox.into(), identifier }, id: None }
    }

    /// Sets annotations, or removes them (RFC 5464 §4.3).
    #[must_use]
    pub const fn set_metadata(command: SetMetadataCommand) -> Self {
        Self { command: Command::SetMetadata(command), id: None }
    }

    /// Says what the server is to tell from now on, of which mailboxes (RFC 5465 §3). What it tells comes as events, and
    /// to [`Idle`](super::Idle).
    #[must_use]
    pub const fn notify(command: NotifyCommand) -> Self {
        Self { command: Command::Notify(command), id: None }
    }

    /// Closes the mailbox and removes what is marked as deleted in it (RFC 9051 §6.4.1).
    #[must_use]
    pub const fn close() -> Self {
        Self { command: Command::Close, id: None }
    }

    /// Closes the mailbox and removes nothing (RFC 9051 §6.4.2).
    #[must_use]
    pub const fn unselect() -> Self {
        Self { command: Command::Unselect, id: None }
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
