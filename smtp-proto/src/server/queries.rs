//! What is asked beside mail: VRFY, EXPN, HELP (RFC 5321 §4.1.1.6 to §4.1.1.8, RFC 6531 §3.7.4.2), ETRN (RFC 1985), ATRN
//! (RFC 2645).

use bytes::Bytes;
use mailwright_core::value::Misuse;

use super::question::{ExpandToken, HelpToken, QueueRunToken, Ticket, VerifyToken};
use super::replies::{Asked, HELP, Slot};
use super::{Event, Expand, Help, QueueRun, Server, Verify};
use crate::types::{Reply, Verb};

impl Server {
    /// RFC 5321 §3.5.3 and §7.3: by default 252, which tells nobody who exists.
    pub(super) fn vrfy(&mut self, query: Bytes, smtp_utf8: bool) {
        let token = VerifyToken(if self.config.ask.verify {
            self.ask(Asked::Query { smtp_utf8 })
        } else {
            self.reply(Reply::CANNOT_VERIFY);
            self.spent()
        });
        self.events.push_back(Event::Verify(Verify { token, query, smtp_utf8 }));
    }

    pub(super) fn verify_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        self.decide_final(ticket, reply).map(|_| ())
    }

    /// EXPN, where the configuration asks it.
    pub(super) fn expn(&mut self, query: Bytes, smtp_utf8: bool) {
        let token = ExpandToken(self.ask(Asked::Query { smtp_utf8 }));
        self.events.push_back(Event::Expand(Expand { token, query, smtp_utf8 }));
    }

    pub(super) fn expand_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        self.decide_final(ticket, reply).map(|_| ())
    }

    pub(super) fn help(&mut self, topic: Bytes) {
        let token = HelpToken(if self.config.ask.help {
            self.ask(Asked::Help)
        } else {
            self.reply(HELP);
            self.spent()
        });
        self.events.push_back(Event::Help(Help { token, topic }));
    }

    pub(super) fn help_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        self.decide_final(ticket, reply).map(|_| ())
    }

    /// ETRN or ATRN, where the configuration asks it.
    pub(super) fn queue_run(&mut self, verb: Verb, argument: Bytes) {
        let asked = if verb == Verb::Atrn { Asked::Atrn } else { Asked::Etrn };
        // ATRN gives mail away, so only to somebody who is known.
        if verb == Verb::Atrn && self.identity.is_none() {
            return self.reject(Reply::AUTHENTICATION_REQUIRED, Some(verb), None);
        }
        let token = QueueRunToken(self.ask(asked));
        self.events.push_back(Event::QueueRun(QueueRun { token, verb, argument }));
    }

    pub(super) fn queue_run_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        let slot = Self::open_slot(&mut self.pending, self.session, ticket)?;
        // A session cannot be turned round.
        if reply.is_positive() && matches!(slot, Slot::Open { asked: Asked::Atrn, .. }) {
            return Err(Misuse::WrongAnswer);
        }
        self.decide_final(ticket, reply).map(|_| ())
    }
}
