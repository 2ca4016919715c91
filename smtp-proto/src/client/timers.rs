//! Deadlines of the client: RFC 5321 §4.5.3.2.
//!
//! One timer waits for the next reply, whichever command it belongs to; another watches that content
//! leaves.

use core::time::Duration;

use super::event::{Awaited, Closed};
use super::{Client, Phase};

/// The timers by index.
#[derive(Clone, Copy)]
pub(super) enum Timer {
    /// The next reply, or the handshake.
    Reply = 0,
    /// Progress of content.
    Block = 1,
}

impl Timer {
    /// How many there are.
    pub(super) const COUNT: usize = 2;
}

impl Client {
    /// How long a reply of this kind may take.
    fn patience(&self, awaited: Awaited) -> Duration {
        let timeouts = &self.config.timeouts;
        match awaited {
            Awaited::Greeting => timeouts.greeting,
            Awaited::StartTls | Awaited::Handshake => timeouts.start_tls,
            Awaited::Authentication => timeouts.authentication,
            Awaited::Data => timeouts.data,
            Awaited::Chunk => timeouts.block,
            Awaited::Message => timeouts.final_reply,
            Awaited::Quit => timeouts.quit,
            _ => timeouts.command,
        }
    }

    /// What the session waits for.
    pub(super) fn awaited(&self) -> Awaited {
        match self.phase {
            Phase::Greeting => Awaited::Greeting,
            Phase::Handshake { .. } => Awaited::Handshake,
            Phase::Content | Phase::Chunk { .. } => Awaited::Content,
            _ => self.in_flight.front().map_or(Awaited::Nothing, |sent| sent.command.awaited()),
        }
    }

    /// Starts the reply timer for what is awaited now, inside a `handle_*`; stops it if nothing is.
    pub(super) fn wait_for_reply_now(&mut self) {
        match self.awaited() {
            Awaited::Nothing | Awaited::Content => self.timers.stop(Timer::Reply as usize),
            awaited => self.timers.start_now(Timer::Reply as usize, self.patience(awaited)),
        }
    }

    /// The same after a call of the host, which brings no time: only the first command in flight starts it.
    pub(super) fn wait_for_reply(&mut self) {
        if self.in_flight.len() == 1 {
            self.timers.start(Timer::Reply as usize, self.patience(self.awaited()));
        }
    }

    /// The same when a chunk is written, and the reply that comes next may be that of another.
    pub(super) fn wait_for_reply_again(&mut self) {
        match self.awaited() {
            Awaited::Nothing | Awaited::Content => {}
            awaited => self.timers.start(Timer::Reply as usize, self.patience(awaited)),
        }
    }

    /// Content octets that have left `transmit`.
    fn drained(&self) -> u64 {
        self.produced.saturating_sub(self.transmit.len() as u64)
    }

    /// The host has added content to the `before` octets that waited: a block that has moved starts anew.
    pub(super) fn watch_content(&mut self, before: usize) {
        let drained = self.produced.saturating_sub(before as u64);
        self.produced += self.transmit.len().saturating_sub(before) as u64;
        if !self.timers.is_running(Timer::Block as usize) || drained > self.drained_before {
            self.drained_before = drained;
            self.timers.start(Timer::Block as usize, self.config.timeouts.block);
        }
    }

    /// Deals with the deadlines that have passed.
    pub(super) fn expire(&mut self) {
        while let Some(timer) = self.timers.expired() {
            if timer == Timer::Block as usize {
                // A host that writes nothing is not the peer's fault: the timer stands still.
                if self.transmit.is_empty() {
                    continue;
                }
                let drained = self.drained();
                if drained > self.drained_before {
                    self.drained_before = drained;
                    self.timers.start_now(Timer::Block as usize, self.config.timeouts.block);
                    continue;
                }
                self.close(Closed::TimedOut(Awaited::Content));
            } else if self.is_full() {
                // The session itself holds the peer back: its replies may be here already.
                self.wait_for_reply_now();
            } else if let Phase::Quitted(reply) = &self.phase {
                let reply = reply.clone();
                self.close(Closed::Quit(reply));
            } else {
                let awaited = self.awaited();
                self.close(Closed::TimedOut(awaited));
            }
        }
    }
}
