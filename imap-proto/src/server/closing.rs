//! Greeting, LOGOUT, BYE and every other end. RFC 9051 §6.1.3, §7.1.5.

use bytes::{BufMut as _, Bytes};

use super::{Closed, Event, Phase, Server};
use crate::types::{Code, StatusKind, StatusResponse, Tag};

impl Server {
    pub(super) fn greet(&mut self) {
        let mut status = StatusResponse::new(StatusKind::Ok, "");
        // RFC 9051 §7.1: saves the client a round trip.
        status.code = Some(Code::Capability(self.capabilities()));
        status.text = Bytes::from(self.config.greeting.clone());
        self.untagged(status);
    }

    pub(super) fn logout(&mut self, tag: &Tag) {
        self.deselect();
        self.untagged(StatusResponse::new(StatusKind::Bye, "logging out"));
        self.tagged(tag, StatusResponse::new(StatusKind::Ok, "done"));
        self.close(Closed::Logout);
    }

    /// Ends the session with BYE: the server goes down.
    pub fn shutdown(&mut self) {
        match self.phase {
            Phase::Closed => {}
            Phase::Handshake => self.close(Closed::ShutDown),
            // In the middle of a literal BYE would be content.
            Phase::Fetch(ref fetching) if fetching.is_begun() => self.close(Closed::ShutDown),
            Phase::Found(_) => {
                self.write(|wire| wire.put_slice(b"\r\n"));
                self.bye(Some(Code::Unavailable), "server shutting down", Closed::ShutDown);
            }
            _ => self.bye(Some(Code::Unavailable), "server shutting down", Closed::ShutDown),
        }
        self.watch();
    }

    /// Ends the session now, without a word. An open question is void.
    pub fn abort(&mut self) {
        self.close(Closed::Aborted);
        self.watch();
    }

    /// Says BYE, and closes.
    pub(super) fn bye(&mut self, code: Option<Code>, text: &'static str, reason: Closed) {
        let mut status = StatusResponse::new(StatusKind::Bye, text);
        status.code = code;
        self.untagged(status);
        self.close(reason);
    }

    pub(super) fn close(&mut self, reason: Closed) {
        match core::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Closed => return,
            Phase::Append(append) if append.is_begun() => self.events.push_back(Event::Aborted),
            Phase::Idle(_) => self.events.push_back(Event::Idle(false)),
            _ => {}
        }
        self.timers.stop_all();
        self.deselect();
        self.events.push_back(Event::Closed(reason));
    }
}
