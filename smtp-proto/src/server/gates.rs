//! What is checked before the arguments are looked at: the gates of TLS and AUTH, and the table of states
//! and commands. RFC 5321 §4.1.4, RFC 3207 §4, RFC 4954 §4 and §6, RFC 2033 §4.

use mailwright_core::value::DeviationKind;

use super::replies::to_command;
use super::{Closed, Server, TlsMode};
use crate::types::{Reply, Verb};

impl Server {
    /// The refusal of a gate; `None` lets the command through. An unknown command passes no gate.
    pub(super) fn gate(&self, verb: Option<Verb>) -> Option<Reply> {
        let config = &self.config;
        // RFC 3207 §4: where TLS is required, 530 to every command but NOOP, EHLO, STARTTLS and QUIT.
        let passes = verb.is_some_and(|verb| verb.entry().before_tls);
        if config.require_tls && self.tls.is_none() && !passes {
            return Some(Reply::TLS_REQUIRED);
        }
        // RFC 4954 §6: where authentication is required, 530 to every command but these.
        let passes = verb.is_some_and(|verb| verb.entry().before_authentication);
        if config.requires_authentication() && self.identity.is_none() && !passes {
            return Some(Reply::AUTHENTICATION_REQUIRED);
        }
        None
    }

    /// The refusal of the present state; `None` if the command is possible in it.
    pub(super) fn state(&self, verb: Verb) -> Option<Reply> {
        let lmtp = self.config.is_lmtp();
        let greeted = self.client.is_some();
        let open = self.transaction.is_some();
        let bad_sequence = |bad: bool| bad.then_some(Reply::BAD_SEQUENCE);
        let or_not_implemented = |bad: bool| bad_sequence(bad).or(Some(Reply::NOT_IMPLEMENTED));
        match verb {
            // RFC 2033 §4.1: HELO and EHLO are no commands of LMTP, nor is LHLO one of SMTP.
            Verb::Ehlo | Verb::Helo if lmtp => Some(Reply::COMMAND_NOT_RECOGNISED),
            Verb::Lhlo if !lmtp => Some(Reply::COMMAND_NOT_RECOGNISED),
            Verb::Ehlo | Verb::Helo | Verb::Lhlo => None,
            // RFC 5321 §4.1.4: MAIL only outside, RCPT and DATA only inside a transaction.
            Verb::Mail => bad_sequence(!greeted || open),
            Verb::Rcpt => bad_sequence(!open),
            Verb::Data => match &self.transaction {
                None => Some(Reply::BAD_SEQUENCE),
                Some(transaction) if transaction.accepted > 0 => None,
                // RFC 2033 §4.2: 503 in LMTP; RFC 5321 §3.3: 554 or 503 in SMTP.
                Some(_) if lmtp => Some(Reply::BAD_SEQUENCE),
                Some(_) => Some(Reply::NO_VALID_RECIPIENTS),
            },
            Verb::Bdat => or_not_implemented(!open),
            Verb::Rset | Verb::Noop | Verb::Vrfy | Verb::Help | Verb::Quit => None,
            // RFC 3207 §4.2: not twice. RFC 5321 §3.2: extensions only after EHLO.
            Verb::StartTls if !self.extended || open || self.tls.is_some() => Some(Reply::BAD_SEQUENCE),
            Verb::StartTls => (self.config.tls != TlsMode::StartTls).then_some(Reply::NOT_IMPLEMENTED),
            // RFC 4954 §4: not twice, not in a transaction.
            Verb::Auth if !self.extended || open || self.identity.is_some() => Some(Reply::BAD_SEQUENCE),
            Verb::Auth => self.config.offers.is_empty().then_some(Reply::NOT_IMPLEMENTED),
            Verb::Etrn | Verb::Atrn | Verb::XClient | Verb::XForward => or_not_implemented(!greeted || open),
            Verb::Expn | Verb::Burl | Verb::Turn | Verb::Send | Verb::Soml | Verb::Saml => {
                Some(Reply::NOT_IMPLEMENTED)
            }
        }
    }

    /// Says what gate or state refuse.
    pub(super) fn refuse_state(&mut self, verb: Verb, reply: Reply, behind: &[u8]) {
        match verb {
            Verb::Data => self.refuse_data(reply, None, behind),
            Verb::StartTls if !behind.is_empty() => {
                self.early(DeviationKind::ImproperPipelining, behind);
                self.reject(reply, Some(verb), None);
            }
            _ => self.reject(reply, Some(verb), None),
        }
    }

    /// Counts a command that brings no message closer; `true` if it was one too many.
    pub(super) fn idle_command(&mut self, verb: Verb) -> bool {
        self.idle_commands = self.idle_commands.saturating_add(1);
        let too_many = self.idle_commands > self.config.limits.idle_commands;
        if too_many {
            self.last_reply(to_command(Reply::TOO_MANY_COMMANDS, Some(verb)), Closed::TooManyIdleCommands);
        }
        too_many
    }
}
