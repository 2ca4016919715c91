//! The deadlines of a client: how long the server may take for what comes next, and when IDLE is begun again.
//! They stand still while the host leaves events lying, and the first of them while nothing is asked.

use super::append::Piece;
use super::{Client, Closed, Phase, Timeouts};
use crate::types::Verb;

/// The next response.
pub(super) const ANSWER: usize = 0;
/// The end of IDLE, to begin it again.
pub(super) const REFRESH: usize = 1;
/// How many timers there are.
pub(super) const COUNT: usize = 2;

/// Whether a command may take long on a large mailbox.
const fn is_long(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Search
            | Verb::MultiSearch
            | Verb::Sort
            | Verb::Thread
            | Verb::Copy
            | Verb::Move
            | Verb::Append
            | Verb::Replace
    )
}

impl Client {
    /// Starts or stops the deadlines as the state wants it.
    pub(super) fn watch(&mut self) {
        let timeouts = &self.config.timeouts;
        let idling = self.is_idling();
        let duration = match &self.phase {
            Phase::Closed => None,
            Phase::Upgrade(_) | Phase::Greeting => Some(timeouts.greeting),
            Phase::Open if idling || self.in_flight.is_empty() => None,
            Phase::Open if matches!(self.pieces.front(), Some(Piece::Consent)) => Some(timeouts.continuation),
            Phase::Open => {
                let long = self.in_flight.iter().any(|command| is_long(command.verb));
                Some(if long { timeouts.long_command } else { timeouts.command })
            }
        };
        let refresh = timeouts.idle_refresh.min(Timeouts::LONGEST_IDLE);
        match duration {
            Some(duration) if !self.is_full() => {
                if !self.timers.is_running(ANSWER) {
                    self.taken_at_start = self.taken();
                    self.timers.start(ANSWER, duration);
                }
            }
            _ => self.timers.stop(ANSWER),
        }
        if !idling {
            self.timers.stop(REFRESH);
        } else if !self.timers.is_running(REFRESH) {
            self.timers.start(REFRESH, refresh);
        }
    }

    /// Something came from the server. A greeting, a layer and consent to a literal have their time whatever else
    /// comes meanwhile.
    pub(super) fn answered_in_time(&mut self) {
        let awaits_consent = matches!(self.pieces.front(), Some(Piece::Consent));
        if matches!(self.phase, Phase::Open) && !awaits_consent {
            self.timers.stop(ANSWER);
        }
    }

    pub(super) fn expire(&mut self) {
        while let Some(timer) = self.timers.expired() {
            if timer == REFRESH {
                // RFC 2177 §3: terminate the IDLE and re-issue it at least every 29 minutes.
                self.refresh_idle();
            } else if !self.transmit.is_empty() && self.taken() > self.taken_at_start {
                // A slow line: what leaves is progress. `watch` starts the timer again.
            } else if self.transmit.is_empty() && self.content_wanted() > 0 {
                // The host takes its time.
            } else {
                self.close(Closed::Timeout);
            }
        }
    }
}
