//! [`Store`]: changes flags. RFC 9051 §6.4.6, RFC 7162 §3.1.3.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{Flag, ModSeq};

use super::super::{Client, Event};
use super::{Batches, MessageData, Step, TaskError};
use crate::types::{Code, Command, Messages, NumberSet, StoreAction, StoreCommand};

/// Changes flags of messages. Its items are the flags that the messages have then, as the server tells them.
#[derive(Debug)]
pub struct Store {
    messages: Messages,
    action: StoreAction,
    flags: Vec<Flag>,
    silent: bool,
    unchanged_since: Option<ModSeq>,
    batches: Option<Batches>,
    modified: Vec<NumberSet>,
}

/// How flags were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Messages that were left as they are, since they had changed ([`Store::unchanged_since`]): UIDs if UIDs were
    /// given.
    pub modified: Vec<NumberSet>,
}

impl Store {
    /// Adds, removes or replaces the flags of `messages`.
    #[must_use]
    pub fn new(messages: Messages, action: StoreAction, flags: impl IntoIterator<Item = Flag>) -> Self {
        let (flags, batches, modified) = (flags.into_iter().collect(), None, Vec::new());
        Self { messages, action, flags, silent: false, unchanged_since: None, batches, modified }
    }

    /// The same without being told the new flags.
    #[must_use]
    pub const fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Only of messages that have not changed since then; the others are told in [`Stored::modified`].
    #[must_use]
    pub const fn unchanged_since(mut self, mod_seq: ModSeq) -> Self {
        self.unchanged_since = Some(mod_seq);
        self
    }
}

impl Task<Client> for Store {
    type Item = MessageData;
    type Output = Stored;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let most = client.config().limits.set_octets;
        let (action, silent, flags, since) = (self.action, self.silent, &self.flags, self.unchanged_since);
        let command = |messages| {
            let mut store = StoreCommand::new(messages, action, flags.clone());
            store.silent = silent;
            store.unchanged_since = since;
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
            Err(Event::Completed { id, status }) if batches.is(id) => {
                if let Some(Code::Modified(set)) = &status.code {
                    self.modified.push(set.clone());
                }
                let modified = &mut self.modified;
                batches.completed(client, status, |_| Stored { modified: core::mem::take(modified) })
            }
            // One for each message would fill the queue of the connection.
            Err(Event::Deviation(_)) => Progress::Continue,
            Err(Event::Closed(reason)) => Progress::Done(Err(TaskError::Closed(reason))),
            Err(event) => Progress::NotMine(event),
        }
    }
}
