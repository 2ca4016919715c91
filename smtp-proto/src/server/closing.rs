//! How a session ends: RFC 5321 §3.8, §4.1.1.10.

use super::replies::{Asked, Slot};
use super::{AbortReason, Closed, Event, Phase, Server};
use crate::types::Reply;

impl Server {
    /// Ends the session with 421: the server goes down. A message whose verdict is open is answered first, so
    /// that the client does not send it again.
    pub fn shutdown(&mut self) {
        self.shutting_down = true;
        self.settle();
    }

    /// Ends the session now, without a reply. Open questions are void.
    pub fn abort(&mut self) {
        self.close(Closed::Aborted);
        self.watch();
    }

    pub(super) fn finish_shutdown(&mut self) {
        let verdict_open =
            self.pending.iter().any(|slot| matches!(slot, Slot::Open { asked: Asked::Message { .. }, .. }));
        if self.shutting_down && !verdict_open {
            if matches!(self.phase, Phase::Handshake) {
                self.close(Closed::ShutDown);
            } else {
                self.farewell(&Reply::SERVICE_UNAVAILABLE, Closed::ShutDown);
            }
        }
    }

    /// Says `reply` out of turn, and closes. Open questions are void.
    pub(super) fn farewell(&mut self, reply: &Reply, reason: Closed) {
        if !matches!(self.phase, Phase::Closed) {
            // RFC 2034 §4: no enhanced code where the greeting would stand.
            let in_greeting = matches!(self.phase, Phase::Greeting);
            self.write(&if in_greeting { reply.clone().without_enhanced() } else { reply.clone() });
            self.close(reason);
        }
    }

    pub(super) fn close(&mut self, reason: Closed) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.abort_content(AbortReason::Incomplete);
        self.phase = Phase::Closed;
        self.pending.clear();
        self.timers.stop_all();
        self.transaction = None;
        self.delayed = false;
        self.events.push_back(Event::Closed(reason));
    }
}
