//! QUIT and the UPDATE state (RFC 1939 §6), and every other way in which a session ends: only QUIT
//! removes messages, and the maildrop is released exactly once.

use super::event::Severity;
use super::question::CommitToken;
use super::{Closed, Commit, Event, Phase, Phrase, Server};
use crate::types::ResponseCode;

impl Server {
    pub(super) fn quit(&mut self) {
        let deleted = match &mut self.snapshot {
            Some(snapshot) => core::mem::take(&mut snapshot.deleted),
            None => super::Deletions::default(),
        };
        if deleted.is_empty() {
            self.ok(Phrase::Goodbye);
            return self.close(Closed::Quit);
        }
        // RFC 1939 §6: the reply tells the outcome, so the removal comes first.
        self.ask(Phase::Commit(None), |ticket| Event::Commit { token: CommitToken(ticket), deleted });
    }

    /// The host has removed the marked messages, or not.
    pub(super) fn committed(&mut self, commit: Commit) {
        let Phase::Commit(reason) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        if let Some(reason) = reason {
            return self.close(reason);
        }
        match commit {
            Commit::All => self.ok(Phrase::Removed),
            Commit::Some(severity) | Commit::None(severity) => {
                let code = match severity {
                    Severity::Temporary => ResponseCode::SysTemp,
                    Severity::Permanent => ResponseCode::SysPerm,
                };
                self.err(Some(&code), Phrase::NotRemoved);
            }
        }
        self.close(Closed::Quit);
    }

    /// Ends the session, or, while the host is removing messages, once it is done: until then the
    /// maildrop must stay locked.
    pub(super) fn close(&mut self, reason: Closed) {
        match &mut self.phase {
            Phase::Commit(pending) => {
                pending.get_or_insert(reason);
            }
            _ => self.close_now(reason),
        }
    }

    pub(super) fn close_now(&mut self, reason: Closed) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.phase = Phase::Closed;
        self.timers.stop_all();
        self.user = None;
        self.framer.reset();
        if self.snapshot.take().is_some() {
            self.events.push(Event::Release);
        }
        self.events.push(Event::Closed(reason));
    }
}
