//! The greeting, EHLO, HELO and LHLO: RFC 5321 §3.1, §3.2, §4.1.1.1, §4.1.4; RFC 2033 §4.1.

use mailwright_core::value::{DeviationKind, Misuse};

use super::config::Early;
use super::question::{HelloToken, Ticket};
use super::replies::{Asked, EARLY, NOT_SMTP, Slot};
use super::{Closed, Event, Facts, Hello, Phase, Server, Timer, capabilities};
use crate::types::{ClientName, Reply, ReplyCode};

impl Server {
    /// Greets, now or after the delay.
    pub(super) fn begin(&mut self) {
        let delay = self.config.timeouts.greeting_delay;
        if delay.is_zero() {
            self.greet();
        } else {
            self.phase = Phase::Greeting;
            self.start_timer(Timer::Greeting, delay);
        }
        // Whoever talks before this is read has not waited for it.
        self.greeted_only = true;
    }

    /// RFC 5321 §3.1: 220 opens the session; 554 or, by RFC 7504 §3, 521 opens one that takes nothing.
    pub(super) fn greet(&mut self) {
        self.phase = Phase::Command;
        let config = self.config.clone();
        let greeting = config.no_service().unwrap_or(config.greeting());
        self.put(|wire| greeting.encode_ascii(wire));
        self.greeted_only = true;
        if greeting.code() == ReplyCode::UNAVAILABLE {
            self.close(Closed::Refused);
        }
    }

    /// Octets came. If the greeting is still here, they came too early.
    pub(super) fn early_talker(&mut self, input: &[u8]) {
        let unread = matches!(self.phase, Phase::Greeting)
            || self.transmit.len() as u64 == self.queued && !self.transmit.is_empty();
        self.greeted_only =
            matches!(self.phase, Phase::Greeting) && self.config.early.greeting == Early::Report;
        if !unread || self.early_reported {
            return;
        }
        self.report_early(DeviationKind::EarlyInput, input);
        if self.config.early.greeting == Early::Refuse {
            // RFC 2034 §4: no enhanced code where the greeting would stand.
            self.last_reply(EARLY.without_enhanced(), Closed::Early);
        }
    }

    /// The first octets are no SMTP: a browser, a TLS client on the wrong port.
    pub(super) fn not_smtp(&mut self) {
        self.last_reply(NOT_SMTP, Closed::NotSmtp);
    }

    pub(super) fn hello(&mut self, name: ClientName, extended: bool) {
        if self.config.ask.hello {
            let ticket = self.ask(Asked::Hello { name: name.clone(), extended });
            self.events.push_back(Event::Hello(Hello { token: HelloToken(ticket), name, extended }));
        } else {
            let token = HelloToken(self.spent());
            self.events.push_back(Event::Hello(Hello { token, name: name.clone(), extended }));
            let reply = self.welcome(name, extended);
            self.reply(reply);
        }
    }

    pub(super) fn hello_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        let accepted = reply.is_positive();
        let asked = self.decide_final(ticket, reply)?;
        // RFC 5321 §4.1.4: refused, everything stays as it was.
        if let (true, Asked::Hello { name, extended }) = (accepted, asked) {
            let reply = self.welcome(name, extended);
            self.replace_last(Slot::Ready(reply));
        }
        Ok(())
    }

    /// RFC 5321 §4.1.4: an accepted EHLO is a RSET too.
    fn welcome(&mut self, name: ClientName, extended: bool) -> Reply {
        self.reset_transaction();
        self.client = Some(name);
        self.extended = extended;
        let facts = Facts {
            tls: self.tls.is_some(),
            authenticated: self.identity.is_some(),
            channel: Some(&self.channel),
        };
        let own_name = self.config.name();
        // RFC 2034 §4: no enhanced code here. RFC 5321 §3.2: one line to HELO.
        let reply = if extended {
            capabilities(&self.config, facts).to_reply(own_name)
        } else {
            Reply::new(ReplyCode::OK, None, alloc::string::String::from(own_name))
        };
        // The name was validated, and so was every capability.
        reply.unwrap_or_else(|_| Reply::OK.without_enhanced())
    }
}
