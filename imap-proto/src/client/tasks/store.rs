//! [`Store`]: changes flags. RFC 9051 §6.4.6.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Flag;

use super::super::{Client, Event};
use super::{Batches, MessageData, Step, TaskError};
use crate::types::{Command, Messages, StoreAction, StoreCommand};

/// Changes flags of messages. Its items are the flags that the messages have then, as the server tells them.
#[derive(Debug)]
pub struct Store {
    messages: Messages,
    action: StoreAction,
    flags: Vec<Flag>,
    silent: bool,
    batches: Option<Batches>,
}

impl Store {
    /// Adds, removes or replaces the flags of `messages`.
    #[must_use]
    pub fn new(messages: Messages, action: StoreAction, flags: impl IntoIterator<Item = Flag>) -> Self {
        Self { messages, action, flags: flags.into_iter().collect(), silent: false, batches: None }
    }

    /// The same without being told the new flags.
    #[must_use]
    pub const fn silent(mut self) -> Self {
        self.silent = true;
        self
    }
}

impl Task<Client> for Store {
    type Item = MessageData;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let most = client.config().limits.set_octets;
        let (action, silent, flags) = (self.action, self.silent, &self.flags);
        let command = |messages| {
            let mut store = StoreCommand::new(messages, action, flags.clone());
            store.silent = silent;
            Command::Store(store)
        };
        let mut batches = Batches::new(&self.messages, most, command);
        batches.next(client)?;
        self.batches = Some(batches);
        Ok(())
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        let Some(batches) = &mut self.batches else { return Progress::NotMine(event) };
        match MessageData::of(event) {
            Ok(data) => Progress::Item(data),
            Err(Event::Completed { id, status }) if batches.is(id) => batches.completed(client, status, drop),
            // One for each message would fill the queue of the connection.
            Err(Event::Deviation(_)) => Progress::Continue,
            Err(Event::Closed(reason)) => Progress::Done(Err(TaskError::Closed(reason))),
            Err(event) => Progress::NotMine(event),
        }
    }
}
