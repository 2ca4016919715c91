//! [`Compress`] and [`Unauthenticate`]: what changes the connection itself. RFC 4978 §3, RFC 8437 §3.

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError};
use crate::types::{Atom, Command, StatusKind, StatusResponse};

/// Compresses the connection by DEFLATE, in both directions. The connection must have the layer (feature `deflate`).
#[derive(Debug, Default)]
pub struct Compress {
    id: Option<CommandId>,
}

impl Compress {
    /// By DEFLATE, the only way there is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Task<Client> for Compress {
    type Item = core::convert::Infallible;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let Some(deflate) = Atom::new("DEFLATE") else { return Ok(()) };
        self.id = Some(client.command(Command::Compress(deflate))?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Completed { id, status } if Some(id) == self.id => match status.kind {
                // What follows is compressed.
                StatusKind::Ok => Progress::Continue,
                _ => Progress::Done(Err(TaskError::Refused(status))),
            },
            Event::Compressed => Progress::Done(Ok(())),
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}

/// Logs out and keeps the connection, so that another user can log in: a proxy does that.
#[derive(Debug, Default)]
pub struct Unauthenticate {
    id: Option<CommandId>,
    done: Option<StatusResponse>,
}

impl Unauthenticate {
    /// The end of the user's session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Task<Client> for Unauthenticate {
    type Item = core::convert::Infallible;
    type Output = StatusResponse;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(Command::Unauthenticate)?);
        Ok(())
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Completed { id, status } if Some(id) == self.id => match status.kind {
                // RFC 8437 §3: compression ends with it.
                StatusKind::Ok if client.is_compressed() => {
                    self.done = Some(status);
                    Progress::Continue
                }
                StatusKind::Ok => Progress::Done(Ok(status)),
                _ => Progress::Done(Err(TaskError::Refused(status))),
            },
            Event::Uncompressed if self.done.is_some() => match self.done.take() {
                Some(status) => Progress::Done(Ok(status)),
                None => Progress::Continue,
            },
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
