//! The deadlines of a session: RFC 5321 §4.5.3.2. None runs while the session itself holds the client back.

use core::time::Duration;

use super::{Closed, Phase, Server};
use crate::types::Reply;

/// The timers by index.
#[derive(Clone, Copy)]
pub(super) enum Timer {
    /// The next command's line, the next step of AUTH, or the handshake: the whole of it, not the gap between octets.
    Command = 0,
    /// An error whose reply is held back.
    Delay = 1,
    /// Content without any octet.
    Block = 2,
    /// A window of the minimum rate.
    Rate = 3,
    /// Output that is not read.
    Stalled = 4,
    /// The greeting.
    Greeting = 5,
}

impl Timer {
    /// How many there are.
    pub(super) const COUNT: usize = 6;
}

impl Server {
    /// Starts a timer, with the true time where it is known.
    pub(super) fn start_timer(&mut self, timer: Timer, duration: Duration) {
        if self.clocked {
            self.timers.start_now(timer as usize, duration);
        } else {
            self.timers.start(timer as usize, duration);
        }
    }

    /// Content begins, ends, is held, or goes on.
    pub(super) fn restart_rate(&mut self) {
        self.timers.stop(Timer::Block as usize);
        self.timers.stop(Timer::Rate as usize);
        self.window_octets = 0;
    }

    /// So many octets of content came.
    pub(super) fn count_content(&mut self, octets: usize) {
        if octets > 0 {
            self.window_octets = self.window_octets.saturating_add(octets as u64);
            self.timers.stop(Timer::Block as usize);
        }
    }

    /// Starts and stops the timers by what the session waits for.
    pub(super) fn watch(&mut self) {
        let timeouts = self.config.timeouts;
        let waits = match self.phase {
            Phase::Handshake => Some(timeouts.handshake),
            Phase::Exchange(_) if self.is_ready() => Some(timeouts.authentication),
            Phase::Command if self.is_ready() && self.pending.is_empty() => Some(timeouts.command),
            _ => None,
        };
        match waits {
            Some(duration) if !self.timers.is_running(Timer::Command as usize) => {
                self.start_timer(Timer::Command, duration);
            }
            None => self.timers.stop(Timer::Command as usize),
            Some(_) => {}
        }
        let reads = matches!(self.phase, Phase::Content | Phase::Chunk(_) | Phase::Discard(_)) && !self.held;
        if reads && !self.timers.is_running(Timer::Block as usize) {
            self.start_timer(Timer::Block, timeouts.block);
        }
        // Between chunks the time counts too: else a chunk of one octet now and then would keep a session for ever.
        let between = matches!(self.phase, Phase::Command)
            && self.transaction.as_ref().is_some_and(|transaction| transaction.content.is_some());
        if timeouts.minimum_rate > 0
            && (reads || between && !self.held)
            && !self.timers.is_running(Timer::Rate as usize)
        {
            self.start_timer(Timer::Rate, timeouts.rate_window);
        }
        if self.transmit.is_empty() || matches!(self.phase, Phase::Closed) {
            self.timers.stop(Timer::Stalled as usize);
        } else if !self.timers.is_running(Timer::Stalled as usize) {
            self.taken_at_start = self.taken();
            self.start_timer(Timer::Stalled, timeouts.stalled_output);
        }
    }

    /// Octets that the client, or its driver, has taken so far.
    fn taken(&self) -> u64 {
        self.queued.saturating_sub(self.transmit.len() as u64)
    }

    /// Deals with the deadlines that have passed.
    pub(super) fn expire(&mut self) {
        while let Some(timer) = self.timers.expired() {
            match timer {
                timer if timer == Timer::Delay as usize => {
                    self.delayed = false;
                    self.flush();
                }
                timer if timer == Timer::Greeting as usize => self.greet(),
                timer if timer == Timer::Rate as usize => {
                    let window = self.config.timeouts.rate_window.as_secs();
                    let least = self.config.timeouts.minimum_rate.saturating_mul(window);
                    if core::mem::take(&mut self.window_octets) < least {
                        self.give_up(Closed::TooSlow);
                    }
                }
                timer if timer == Timer::Stalled as usize => {
                    if self.taken() == self.taken_at_start && !self.transmit.is_empty() {
                        // What the client does not read would keep the connection from closing.
                        let _ = self.transmit.take();
                        self.close(Closed::StalledOutput);
                    }
                }
                // In plaintext there is nothing to say to a client in its handshake.
                _ if matches!(self.phase, Phase::Handshake) => self.close(Closed::TimedOut),
                _ => self.give_up(Closed::TimedOut),
            }
        }
    }

    fn give_up(&mut self, reason: Closed) {
        self.farewell(&Reply::TIMED_OUT, reason);
    }
}
