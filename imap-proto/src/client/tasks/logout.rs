//! [`Logout`]: ends the session. RFC 9051 §6.1.3.

use mailwright_core::session::{Progress, Task};

use super::super::{Client, Closed, CommandId, Event};
use super::{Step, TaskError};
use crate::types::{Response, StatusKind};

/// Ends the session by LOGOUT.
#[derive(Debug, Default)]
pub struct Logout {
    id: Option<CommandId>,
}

impl Logout {
    /// The end.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Task<Client> for Logout {
    type Item = core::convert::Infallible;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(crate::types::Command::Logout)?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Completed { id, .. } if Some(id) == self.id => Progress::Continue,
            Event::Response { response: Response::Status { status, .. }, .. }
                if status.kind == StatusKind::Bye =>
            {
                Progress::Continue
            }
            Event::Closed(Closed::Logout) => Progress::Done(Ok(())),
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
