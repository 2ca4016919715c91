//! IDLE: RFC 2177, RFC 9051 §6.3.13. Ended and begun again before the server could take the client for gone;
//! the host does not notice.

use mailwright_core::value::Misuse;

use super::{Client, CommandId, Event};
use crate::types::Command;

/// An IDLE.
pub(super) struct Idle {
    id: CommandId,
    /// Whether the server has said that it is in IDLE.
    accepted: bool,
    /// Whether DONE was written.
    done: bool,
    /// Whether the host wants it to end.
    ending: bool,
    /// Whether the host knows that the server is in IDLE.
    told: bool,
}

impl Client {
    /// Ends IDLE; [`Event::Completed`] follows.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if there is none.
    pub fn done(&mut self) -> Result<(), Misuse> {
        let idle = self.idle.as_mut().ok_or(Misuse::WrongState)?;
        idle.ending = true;
        self.write_done();
        Ok(())
    }

    /// Whether the server is in IDLE, and not told to end it.
    pub(super) fn is_idling(&self) -> bool {
        self.idle.as_ref().is_some_and(|idle| idle.accepted && !idle.done)
    }

    pub(super) fn begin_idle(&mut self, id: CommandId) {
        self.idle = Some(Idle { id, accepted: false, done: false, ending: false, told: false });
    }

    /// A `+`; `false` if it is not for IDLE.
    pub(super) fn idle_accepted(&mut self) -> bool {
        let Some(idle) = self.idle.as_mut().filter(|idle| !idle.accepted) else { return false };
        idle.accepted = true;
        let (id, ending) = (idle.id, idle.ending);
        if !core::mem::replace(&mut idle.told, true) {
            self.push(Event::Idling { id });
        }
        if ending {
            self.write_done();
        }
        true
    }

    /// Writes DONE, once, when the server is in IDLE: before, it could be taken for a command.
    fn write_done(&mut self) {
        let Some(idle) = self.idle.as_mut().filter(|idle| idle.accepted && !idle.done) else { return };
        idle.done = true;
        self.write(b"DONE\r\n");
        self.timers.stop(super::timers::ANSWER);
        self.watch();
    }

    pub(super) fn refresh_idle(&mut self) {
        self.write_done();
    }

    /// IDLE is complete. `true` if it begins again, so that it is not told.
    pub(super) fn idle_over(&mut self, ok: bool) -> bool {
        let Some(idle) = self.idle.take() else { return false };
        // What the server ended by itself is over.
        if !ok || !idle.done || idle.ending {
            return false;
        }
        let Ok(ready) = self.prepare(&Command::Idle) else { return false };
        self.begin_idle(idle.id);
        if let Some(again) = &mut self.idle {
            again.told = true;
        }
        self.send_as(idle.id, ready, &Command::Idle);
        true
    }
}
