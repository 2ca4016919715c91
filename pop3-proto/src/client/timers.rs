//! The deadline of a client: how long the server may take for what comes next. It stands still while
//! the host leaves events lying, and while nothing is asked.

use super::{Client, Closed, Kind, MOST_EVENTS, Phase};

/// The next piece from the server.
pub(super) const ANSWER: usize = 0;
/// How many timers there are.
pub(super) const COUNT: usize = 1;

impl Client {
    /// Starts or stops the deadline as the state wants it.
    pub(super) fn watch(&mut self) {
        let timeouts = &self.config.timeouts;
        let duration = match &self.phase {
            Phase::Closed => None,
            Phase::Handshake | Phase::Greeting => Some(timeouts.greeting),
            Phase::Listing(_) | Phase::Content(_) => Some(timeouts.content),
            Phase::Replies => self.in_flight.front().map(|command| match command.kind {
                Kind::Quit => timeouts.quit,
                _ => timeouts.reply,
            }),
        };
        match duration {
            Some(duration) if self.events.len() < MOST_EVENTS => {
                if !self.timers.is_running(ANSWER) {
                    self.timers.start(ANSWER, duration);
                }
            }
            _ => self.timers.stop(ANSWER),
        }
    }

    pub(super) fn expire(&mut self) {
        if self.timers.expired().is_some() {
            let quits = self.in_flight.back().is_some_and(|last| last.kind == Kind::Quit);
            let whole = matches!(self.phase, Phase::Replies);
            self.close(if quits && whole {
                Closed::Quit(super::QuitOutcome::Unknown)
            } else {
                Closed::Timeout
            });
        }
    }
}
