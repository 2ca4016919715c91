//! What is checked before the arguments are looked at: the gates of TLS and AUTH, and the table of states
//! and commands. RFC 5321 §4.1.4, RFC 3207 §4, RFC 4954 §4 and §6, RFC 2033 §4.

use mailwright_core::value::DeviationKind;

use super::replies::to_command;
use super::{Closed, Server, TlsMode, Transaction};
use crate::types::{Place, Reply, Verb};

impl Server {
    /// The refusal of a gate; `None` lets the command through. An unknown command passes no gate.
    pub(super) fn gate(&self, verb: Option<Verb>) -> Option<Reply> {
        let config = &self.config;
        // RFC 5321 §3.1: behind a greeting that refuses, 503 to every command but QUIT.
        if config.no_service().is_some() && verb != Some(Verb::Quit) {
            return Some(Reply::BAD_SEQUENCE);
        }
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
        // RFC 2033 §4.1: HELO and EHLO are no commands of LMTP, nor is LHLO one of SMTP.
        match verb {
            Verb::Ehlo | Verb::Helo if lmtp => return Some(Reply::COMMAND_NOT_RECOGNISED),
            Verb::Lhlo if !lmtp => return Some(Reply::COMMAND_NOT_RECOGNISED),
            _ => {}
        }
        let entry = verb.entry();
        let place = match (&self.client, &self.transaction) {
            (None, _) => entry.before_hello,
            (Some(_), None) => entry.ready,
            (Some(_), Some(_)) => entry.in_transaction,
        };
        match place {
            Place::Possible => {}
            Place::BadSequence => return Some(Reply::BAD_SEQUENCE),
            Place::NotImplemented => return Some(Reply::NOT_IMPLEMENTED),
        }
        // RFC 5321 §3.2: after HELO no extension is in force. Neither TLS (RFC 3207 §4.2) nor AUTH (RFC 4954 §4) begins
        // twice.
        let begun = match verb {
            Verb::StartTls => self.tls.is_some(),
            Verb::Auth => self.identity.is_some(),
            _ => false,
        };
        if begun || entry.extension && !self.extended {
            return Some(Reply::BAD_SEQUENCE);
        }
        let transaction = self.transaction.as_ref();
        match verb {
            Verb::Rcpt if transaction.is_some_and(Transaction::has_chunks) => Some(Reply::BAD_SEQUENCE),
            // RFC 3030 §2, §3: not behind a chunk, nor for BINARYMIME.
            Verb::Data if transaction.is_some_and(Transaction::needs_chunks) => Some(Reply::BAD_SEQUENCE),
            Verb::Data if self.recipients() > 0 => None,
            // RFC 2033 §4.2: 503 in LMTP; RFC 5321 §3.3: 554 or 503 in SMTP.
            Verb::Data if lmtp => Some(Reply::BAD_SEQUENCE),
            Verb::Data => Some(Reply::NO_VALID_RECIPIENTS),
            _ => (!self.offers(verb)).then_some(Reply::NOT_IMPLEMENTED),
        }
    }

    /// Whether the configuration has what a command is for.
    fn offers(&self, verb: Verb) -> bool {
        let config = &self.config;
        match verb {
            Verb::Bdat => config.chunking,
            Verb::Expn => config.ask.expand,
            Verb::StartTls => config.tls == TlsMode::StartTls,
            Verb::Auth => !config.offers.is_empty(),
            Verb::Etrn => config.ask.etrn,
            Verb::Atrn => config.ask.atrn,
            Verb::XClient | Verb::XForward => false,
            _ => true,
        }
    }

    /// Says what gate or state refuse.
    pub(super) fn refuse_state(&mut self, verb: Verb, reply: Reply, behind: &[u8]) {
        match verb {
            Verb::Data => self.refuse_data(reply, None, behind),
            Verb::StartTls if !behind.is_empty() => {
                self.report_early(DeviationKind::ImproperPipelining, behind);
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
