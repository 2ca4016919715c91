//! [`Idle`]: tells what changes in the open mailbox. RFC 2177, RFC 9051 §6.3.13.

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::UidRange;

use super::super::{Client, CommandId, Event};
use super::{MessageData, Step, TaskError, conclude};
use crate::types::{Command, Response};

/// Watches the open mailbox. Its items are what changes, until the host calls [`Client::done`] on the session
/// (between two steps); then it ends, once the server agrees.
#[derive(Debug, Default)]
pub struct Idle {
    id: Option<CommandId>,
}

/// News of the open mailbox.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum News {
    /// The server is watching.
    Watching,
    /// So many messages exist now.
    Exists(u32),
    /// The message with this number is gone, and those behind it move up.
    Expunge(u32),
    /// Messages with these UIDs are gone, where QRESYNC or UIDONLY is enabled.
    Vanished(UidRange),
    /// A piece of what the server tells of a message: new flags, for example.
    Message(MessageData),
    /// Anything else: FLAGS, RECENT, `* OK Still here`, and with NOTIFY the STATUS of other mailboxes.
    Other(Response),
}

impl Idle {
    /// A watch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Task<Client> for Idle {
    type Item = News;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(Command::Idle)?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        let event = match MessageData::of(event) {
            Ok(data) => return Progress::Item(News::Message(data)),
            Err(event) => event,
        };
        match event {
            Event::Idling { id } if Some(id) == self.id => Progress::Item(News::Watching),
            Event::Response { response: Response::Exists(number), .. } => {
                Progress::Item(News::Exists(number))
            }
            Event::Response { response: Response::Expunge(number), .. } => {
                Progress::Item(News::Expunge(number))
            }
            Event::Vanished(range) => Progress::Item(News::Vanished(range)),
            Event::VanishedBegin { .. } | Event::VanishedEnd => Progress::Continue,
            Event::Response { response, .. } => Progress::Item(News::Other(response)),
            Event::Completed { id, status } if Some(id) == self.id => conclude(status, drop),
            // A watch may go on for days.
            Event::Deviation(_) => Progress::Continue,
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
