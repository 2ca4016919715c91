//! [`Quit`]: deletes what is to be deleted, and says whether it is gone.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;

use super::super::{Client, Closed, CommandId, Event, QuitOutcome, Value};
use super::{Step, TaskError, proceed};
use crate::types::{MessageNumber, Reply};

/// Marks messages as deleted, if any, and quits.
#[derive(Debug, Default)]
pub struct Quit {
    to_delete: VecDeque<MessageNumber>,
    in_flight: VecDeque<(CommandId, MessageNumber)>,
    quit: Option<CommandId>,
    refused: Vec<(MessageNumber, Reply)>,
}

/// What became of the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuitReport {
    /// Whether those that were marked are gone.
    pub outcome: QuitOutcome,
    /// Those that could not be marked, with the server's word for it.
    pub refused: Vec<(MessageNumber, Reply)>,
}

impl Quit {
    /// Quits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Deletes `numbers` before.
    #[must_use]
    pub fn deleting(numbers: impl IntoIterator<Item = MessageNumber>) -> Self {
        Self { to_delete: numbers.into_iter().collect(), ..Self::default() }
    }

    /// Sends as many commands as the window takes, QUIT last.
    fn send(&mut self, client: &mut Client) -> Result<(), TaskError> {
        while let Some(&number) = self.to_delete.front() {
            match client.dele(number) {
                Ok(id) => {
                    self.in_flight.push_back((id, number));
                    self.to_delete.pop_front();
                }
                Err(Misuse::Busy) if !self.in_flight.is_empty() => return Ok(()),
                Err(misuse) => return Err(misuse.into()),
            }
        }
        if self.in_flight.is_empty() && self.quit.is_none() {
            self.quit = Some(client.quit()?);
        }
        Ok(())
    }

    fn report(&mut self, outcome: QuitOutcome) -> Step<Self> {
        Progress::Done(Ok(QuitReport { outcome, refused: core::mem::take(&mut self.refused) }))
    }
}

impl Task<Client> for Quit {
    type Item = core::convert::Infallible;
    type Output = QuitReport;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.send(client)
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Reply { id, value: Value::Quit(outcome), .. } if Some(id) == self.quit => {
                self.report(outcome)
            }
            Event::Reply { id, reply, .. } if self.in_flight.front().is_some_and(|&(own, _)| own == id) => {
                if let (Some((_, number)), false) = (self.in_flight.pop_front(), reply.is_ok()) {
                    self.refused.push((number, reply));
                }
                proceed(self.send(client))
            }
            Event::Closed(Closed::Quit(outcome)) => self.report(outcome),
            // QUIT was sent and nobody knows what became of it: that is an outcome.
            Event::Closed(_) if self.quit.is_some() => self.report(QuitOutcome::Unknown),
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
