//! [`Fetch`]: a message, as a stream of chunks.

use bytes::Bytes;
use mailwright_core::session::{Progress, Task};
use mailwright_core::wire::ContentReport;

use super::super::{Client, CommandId, Event, Summary};
use super::{Step, TaskError};
use crate::types::MessageNumber;

/// Fetches a message. Its items are the chunks; it ends with a report about them, once the message is
/// complete and never before.
#[derive(Debug)]
pub struct Fetch {
    number: MessageNumber,
    lines: Option<u64>,
    id: Option<CommandId>,
}

impl Fetch {
    /// The whole message: RETR.
    #[must_use]
    pub const fn new(number: MessageNumber) -> Self {
        Self { number, lines: None, id: None }
    }

    /// Its header and some `lines` of its body: TOP.
    #[must_use]
    pub const fn top(number: MessageNumber, lines: u64) -> Self {
        Self { number, lines: Some(lines), id: None }
    }
}

impl Task<Client> for Fetch {
    type Item = Bytes;
    type Output = ContentReport;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(match self.lines {
            Some(lines) => client.top(self.number, lines)?,
            None => client.retr(self.number)?,
        });
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Content { id, chunk } if Some(id) == self.id => Progress::Item(chunk),
            Event::Reply { id, reply, .. } if Some(id) == self.id => {
                if reply.is_ok() {
                    Progress::Continue
                } else {
                    Progress::Done(Err(TaskError::Refused(reply)))
                }
            }
            Event::End { id, summary: Summary::Content(report) } if Some(id) == self.id => {
                Progress::Done(Ok(report))
            }
            // The report counts what it was; the queue for others is not for a deviation of each message.
            Event::Deviation(_) => Progress::Continue,
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
