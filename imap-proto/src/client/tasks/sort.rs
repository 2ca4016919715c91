//! [`Sort`] and [`Thread`]: messages in order, or with their answers. RFC 5256 §3.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Command, SortCommand, StatusKind, ThreadCommand, ThreadMember, Threads};

/// Sorts messages of the open mailbox: numbers, or UIDs, in order. For what RETURN can ask for see
/// [`Returning`](super::Returning).
#[derive(Debug)]
pub struct Sort {
    command: SortCommand,
    limit: usize,
    id: Option<CommandId>,
    found: Vec<u32>,
    too_many: bool,
}

impl Sort {
    /// By this command, in its basic form.
    #[must_use]
    pub fn new(mut command: SortCommand) -> Self {
        // What it returned would not be numbers.
        command.returns = None;
        Self { command, limit: super::Search::LIMIT, id: None, found: Vec::new(), too_many: false }
    }

    /// Results above which the task fails. Default 4 000 000, which is 16 MB.
    #[must_use]
    pub const fn limit(mut self, results: usize) -> Self {
        self.limit = results;
        self
    }
}

impl Task<Client> for Sort {
    type Item = core::convert::Infallible;
    type Output = Vec<u32>;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(Command::Sort(self.command.clone()))?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::SortBegin { .. } | Event::SearchModSeq(_) | Event::SearchEnd | Event::Deviation(_) => {
                Progress::Continue
            }
            Event::SearchNumber(number) => {
                if self.found.len() < self.limit {
                    self.found.push(number);
                } else {
                    self.too_many = true;
                }
                Progress::Continue
            }
            Event::Completed { id, status } if Some(id) == self.id => {
                if self.too_many && status.kind == StatusKind::Ok {
                    return Progress::Done(Err(TaskError::TooMany { limit: self.limit }));
                }
                let found = core::mem::take(&mut self.found);
                conclude(status, |_| found)
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}

/// Puts messages of the open mailbox together with their answers.
#[derive(Debug)]
pub struct Thread {
    command: ThreadCommand,
    limit: usize,
    id: Option<CommandId>,
    found: Vec<ThreadMember>,
    too_many: bool,
}

impl Thread {
    /// By this command.
    #[must_use]
    pub const fn new(command: ThreadCommand) -> Self {
        Self { command, limit: super::Search::LIMIT, id: None, found: Vec::new(), too_many: false }
    }

    /// Messages above which the task fails. Default 4 000 000, which is 32 MB.
    #[must_use]
    pub const fn limit(mut self, messages: usize) -> Self {
        self.limit = messages;
        self
    }
}

impl Task<Client> for Thread {
    type Item = core::convert::Infallible;
    type Output = Threads;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(Command::Thread(self.command.clone()))?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::ThreadBegin { .. } | Event::ThreadEnd | Event::Deviation(_) => Progress::Continue,
            Event::ThreadMember(member) => {
                if self.found.len() < self.limit {
                    self.found.push(member);
                } else {
                    self.too_many = true;
                }
                Progress::Continue
            }
            Event::Completed { id, status } if Some(id) == self.id => {
                if self.too_many && status.kind == StatusKind::Ok {
                    return Progress::Done(Err(TaskError::TooMany { limit: self.limit }));
                }
                let found = core::mem::take(&mut self.found);
                conclude(status, |_| Threads::from_members(found))
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
