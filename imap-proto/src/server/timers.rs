//! The deadlines of a session. RFC 3501 §5.4, RFC 9051 §5.4. None but that of log-in runs while the session
//! waits for its host.

use super::{Closed, Phase, Server, Timeouts};

/// From the greeting to a good log-in; then from one command to the next.
const IDLE: usize = 0;
/// Output that waits.
const STALLED: usize = 1;
/// A window of the minimum rate.
const RATE: usize = 2;
/// How many there are.
pub(super) const COUNT: usize = 3;

impl Server {
    /// A command was complete, or its reply is: the client has time for the next one.
    pub(super) fn await_command(&mut self) {
        if self.identity.is_some() && !matches!(self.phase, Phase::Closed) {
            self.timers.start(IDLE, self.config.timeouts.idle.max(Timeouts::LEAST_IDLE));
        }
    }

    /// Starts and stops the timers by what the session waits for.
    pub(super) fn watch(&mut self) {
        if matches!(self.phase, Phase::Closed) {
            return self.timers.stop_all();
        }
        if self.identity.is_none() && !self.timers.is_running(IDLE) {
            // All in all: what a client does before it has logged in does not prolong it.
            self.timers.start(IDLE, self.config.timeouts.login);
        }
        if self.transmit.is_empty() {
            self.timers.stop(STALLED);
        } else if !self.timers.is_running(STALLED) {
            self.taken_at_start = self.taken();
            self.timers.start(STALLED, self.config.timeouts.stalled_output);
        }
        if !self.is_receiving() || self.config.timeouts.minimum_rate == 0 {
            self.timers.stop(RATE);
        } else if !self.timers.is_running(RATE) {
            self.window_octets = 0;
            self.timers.start(RATE, self.config.timeouts.rate_window);
        }
    }

    /// Octets that the client, or its driver, has taken so far.
    fn taken(&self) -> u64 {
        self.queued.saturating_sub(self.transmit.len() as u64)
    }

    pub(super) fn expire(&mut self) {
        while let Some(timer) = self.timers.expired() {
            match timer {
                STALLED => {
                    if self.taken() == self.taken_at_start && !self.transmit.is_empty() {
                        // What the client does not read would keep the connection from closing.
                        let _ = self.transmit.take();
                        self.close(Closed::StalledOutput);
                    }
                }
                // The host takes its time with what came.
                RATE if !self.takes_input() => {}
                RATE => {
                    let window = self.config.timeouts.rate_window.as_secs();
                    if self.window_octets < self.config.timeouts.minimum_rate.saturating_mul(window) {
                        self.bye(None, "too slow", Closed::TooSlow);
                    }
                }
                _ if self.identity.is_none() => match self.phase {
                    Phase::Handshake => self.close(Closed::LoginDeadline),
                    _ => self.bye(None, "no login in time", Closed::LoginDeadline),
                },
                // What is being received has its own measure.
                _ if self.is_receiving() && self.config.timeouts.minimum_rate > 0 => self.await_command(),
                _ if matches!(self.phase, Phase::Command | Phase::Exchange(..) | Phase::Idle(_)) => {
                    self.bye(None, "no command for too long", Closed::Autologout);
                }
                // The host, or the client's reading, takes its time.
                _ => self.await_command(),
            }
        }
    }
}
