//! [`List`]: the mailboxes that match a pattern. RFC 9051 §6.3.9, RFC 3501 §6.3.8, §6.3.9.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Command, ListCommand, ListResponse, ListReturn, ListSelection, OctetString, Response};

/// Lists mailboxes. Its items are what the server says of each.
#[derive(Debug)]
pub struct List {
    list: ListCommand,
    subscribed: bool,
    id: Option<CommandId>,
}

impl List {
    /// Those that match `pattern` behind `reference`. Both are in modified UTF-7 and go as they are.
    #[must_use]
    pub fn new(reference: OctetString, pattern: OctetString) -> Self {
        Self { list: ListCommand::new(reference, pattern), subscribed: false, id: None }
    }

    /// By more than their names, and with more than that (RFC 5258 §3): subscribed ones, children, special uses.
    /// STATUS, rights and annotations that are asked for come as events of their own.
    #[must_use]
    pub fn extended(
        mut self,
        selection: impl IntoIterator<Item = ListSelection>,
        returns: impl IntoIterator<Item = ListReturn>,
    ) -> Self {
        self.list.selection = Some(selection.into_iter().collect::<Vec<_>>()).filter(|all| !all.is_empty());
        self.list.returns = Some(returns.into_iter().collect::<Vec<_>>()).filter(|all| !all.is_empty());
        self
    }

    /// Only those that are subscribed: LSUB.
    #[must_use]
    pub const fn subscribed(mut self) -> Self {
        self.subscribed = true;
        self
    }
}

impl Task<Client> for List {
    type Item = ListResponse;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let list = self.list.clone();
        let command = if self.subscribed { Command::Lsub(list) } else { Command::List(list) };
        self.id = Some(client.command(command)?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Response { response: Response::List(listed), .. } if !self.subscribed => {
                Progress::Item(listed)
            }
            Event::Response { response: Response::Lsub(listed), .. } if self.subscribed => {
                Progress::Item(listed)
            }
            Event::Completed { id, status } if Some(id) == self.id => conclude(status, drop),
            // One for each mailbox would fill the queue of the connection.
            Event::Deviation(_) => Progress::Continue,
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
