//! [`Quit`]: a polite end. RFC 5321 §4.1.1.10.

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;

use crate::client::{Client, Closed, CommandId, Event};
use crate::types::Reply;

/// Says QUIT and ends with the server's reply, or with none if it just closed. Then drop the connection.
#[derive(Debug, Default)]
pub struct Quit {
    id: Option<CommandId>,
    /// RSET, if a chunk had failed.
    reset: Option<CommandId>,
}

impl Quit {
    /// The task.
    #[must_use]
    pub const fn new() -> Self {
        Self { id: None, reset: None }
    }

    fn say(&mut self, session: &mut Client) -> Result<(), Misuse> {
        if self.id.is_none() {
            // RFC 3030 §2: behind a chunk that failed RSET comes before anything else.
            if session.must_reset() {
                match session.reset() {
                    Ok(id) => self.reset = Some(id),
                    Err(Misuse::Busy) => return Ok(()),
                    Err(misuse) => return Err(misuse),
                }
            }
            match session.quit() {
                Ok(id) => self.id = Some(id),
                // Replies are outstanding: when they are in.
                Err(Misuse::Busy) => {}
                Err(misuse) => return Err(misuse),
            }
        }
        Ok(())
    }
}

impl Task<Client> for Quit {
    type Item = core::convert::Infallible;
    type Output = Option<Reply>;
    type Error = Misuse;

    fn start(&mut self, session: &mut Client) -> Result<(), Misuse> {
        self.say(session)
    }

    fn ready(&mut self, session: &mut Client) -> Progress<Self, Client> {
        match self.say(session) {
            Ok(()) => Progress::Continue,
            Err(misuse) => Progress::Done(Err(misuse)),
        }
    }

    fn handle(&mut self, session: &mut Client, event: Event) -> Progress<Self, Client> {
        match event {
            Event::Reply { id, reply } if self.id == Some(id) => Progress::Done(Ok(Some(reply))),
            Event::Reply { id, .. } if self.reset == Some(id) => self.ready(session),
            Event::Closed(Closed::Quit(reply)) => Progress::Done(Ok(Some(reply))),
            Event::Closed(closed) => Progress::Done(Ok(closed.reply().cloned())),
            other => {
                // What stood in the way may be gone; a failure shows at the next call.
                let _ = self.say(session);
                Progress::NotMine(other)
            }
        }
    }
}
