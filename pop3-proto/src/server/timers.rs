//! The deadlines of a session: from command to command, and of output that is not read (RFC 1939 §3).
//! None runs while the session waits for its host.

use super::{Closed, Phase, Server, Timeouts};

/// From one complete command to the next: the login deadline, then the autologout timer.
pub(super) const IDLE: usize = 0;
/// Output that waits.
const STALLED: usize = 1;
/// How many there are.
pub(super) const COUNT: usize = 2;

impl Server {
    /// A command was complete, or its reply is: the client has time for the next one.
    pub(super) fn await_command(&mut self) {
        let timeouts = &self.config.timeouts;
        let duration = if self.snapshot.is_some() {
            // RFC 1939 §3: ten minutes at least.
            timeouts.autologout.max(Timeouts::LEAST_AUTOLOGOUT)
        } else {
            timeouts.login
        };
        self.timers.start(IDLE, duration);
    }

    /// Watches output that waits for the client.
    pub(super) fn watch_output(&mut self) {
        if self.transmit.is_empty() || matches!(self.phase, Phase::Closed) {
            self.timers.stop(STALLED);
        } else if !self.timers.is_running(STALLED) {
            self.taken_at_start = self.taken();
            self.timers.start(STALLED, self.config.timeouts.stalled_output);
        }
    }

    /// Octets that the client, or its driver, has taken so far.
    fn taken(&self) -> u64 {
        self.queued.saturating_sub(self.transmit.len() as u64)
    }

    pub(super) fn expire(&mut self) {
        while let Some(timer) = self.timers.expired() {
            if timer == STALLED {
                if self.taken() > self.taken_at_start {
                    self.watch_output();
                    continue;
                }
                // What the client does not read would keep the connection from closing.
                let _ = self.transmit.take();
                self.close(Closed::StalledOutput);
            } else if !self.transmit.is_empty() {
                // The client is still reading the last reply; the other timer watches that.
                self.await_command();
            } else if self.snapshot.is_some() {
                // RFC 1939 §3: no reply, and no UPDATE state.
                self.close(Closed::Autologout);
            } else {
                self.close(Closed::LoginDeadline);
            }
        }
    }
}
