//! The AUTHORIZATION state: USER and PASS (RFC 1939 §7), AUTH (RFC 5034 §4), and the maildrop that a
//! good login opens (RFC 1939 §4). APOP is in `apop`, STLS in `tls`.

use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};

use bytes::BufMut as _;
use mailwright_core::value::Secret;
use mailwright_sasl::{Answer, Ask, BeginError, Identity, Reason, ServerStep, Strings, base64, prepare};

use super::config::Utf8;
use super::event::Severity;
use super::maildrop::Snapshot;
use super::question::{AuthenticateToken, OpenToken};
use super::{Closed, Event, Opening, Phase, Phrase, Proof, Server};
use crate::parse::CommandError;
use crate::types::ResponseCode;

impl Server {
    /// Whether a password may travel in clear text now.
    pub(super) fn clear_text_allowed(&self) -> bool {
        self.secure || self.config.clear_text_without_tls
    }

    pub(super) fn user(&mut self, name: &[u8]) {
        // RFC 2449 §6.2, RFC 8314 §3: refused here already, or the client would send its password next.
        // RFC 3206 §5: no AUTH code in a reply to USER.
        if !self.clear_text_allowed() {
            return self.err(None, Phrase::NotWithoutTls);
        }
        if !self.config.user_pass {
            return self.err(None, Phrase::UserSwitchedOff);
        }
        match self.prepared(name) {
            Some(name) => {
                self.user = Some(name);
                // RFC 1939 §7: +OK whether there is such a user or not.
                self.ok(Phrase::SendPass);
            }
            None => self.err(None, Phrase::BadName),
        }
    }

    pub(super) fn pass(&mut self, name: Option<String>, password: &[u8]) {
        if !self.clear_text_allowed() {
            return self.err(None, Phrase::NotWithoutTls);
        }
        // RFC 1939 §7: only directly behind a USER that was accepted.
        let Some(authcid) = name else { return self.reject(CommandError::State) };
        let Some(password) = self.prepared(password) else { return self.err(None, Phrase::BadPassword) };
        let ask = Ask::Password { authcid, authzid: None, password: Secret::from(password) };
        self.ask_credentials(Proof::Password, ask);
    }

    /// A name or a password as the host sees it, if it may be one.
    pub(super) fn prepared(&self, octets: &[u8]) -> Option<String> {
        let text = core::str::from_utf8(octets).ok()?;
        // RFC 6856 §2.2: nothing but ASCII without UTF8 USER; with it, any UTF-8 that SASLprep makes something of.
        match self.config.utf8 {
            Utf8::MessagesAndNames => prepare(text, Strings::Query).ok().map(Cow::into_owned),
            _ => text.is_ascii().then(|| text.to_string()),
        }
    }

    /// AUTH without argument: a list, where it is switched on.
    pub(super) fn list_mechanisms(&mut self) {
        if !self.config.bare_auth {
            return self.reject(CommandError::MissingArgument);
        }
        self.ok(Phrase::Mechanisms);
        let wire = self.transmit.buffer();
        let before = wire.len();
        for name in self.config.offers.permitted(&self.channel) {
            wire.put_slice(name.as_str().as_bytes());
            wire.put_slice(b"\r\n");
        }
        wire.put_slice(b".\r\n");
        self.queued += (wire.len() - before) as u64;
    }

    pub(super) fn auth(&mut self, mechanism: &[u8], initial: Option<&[u8]>) {
        let initial = match initial {
            // RFC 5034 §4: `=` is an initial response that is there and empty.
            Some(b"=") => Some(Secret::default()),
            Some(text) => match base64::decode(text) {
                Ok(octets) => Some(octets),
                Err(error) => return self.reject(CommandError::Base64(error)),
            },
            None => None,
        };
        let nonce = self.seed.nonce();
        match self.config.offers.begin(mechanism, &mut self.channel, &self.config.sasl, nonce) {
            Ok(mut exchange) => {
                if let Ok(step) = exchange.start(initial.as_ref().map(Secret::expose)) {
                    self.exchange(Proof::Exchange(exchange), step);
                }
            }
            Err(BeginError::ClearText) => self.err(None, Phrase::NotWithoutTls),
            Err(_) => self.err(None, Phrase::NoSuchMechanism),
        }
    }

    /// A line of an exchange.
    pub(super) fn response(&mut self, line: &[u8]) {
        let Phase::Exchange(mut exchange) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        // RFC 5034 §4: a line with a single `*` cancels.
        if line == b"*" {
            exchange.cancel();
            self.await_command();
            return self.err(None, Phrase::AuthenticationCancelled);
        }
        match base64::decode(line) {
            Ok(response) => {
                if let Ok(step) = exchange.respond(response.expose()) {
                    self.exchange(Proof::Exchange(exchange), step);
                }
            }
            Err(error) => {
                exchange.cancel();
                self.await_command();
                self.reject(CommandError::Base64(error));
            }
        }
    }

    /// The host has decided about credentials.
    pub(super) fn authenticated(&mut self, answer: Answer) {
        let Phase::Authenticate(proof) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        let step = match (proof, answer) {
            (Proof::Exchange(mut exchange), answer) => {
                if let Ok(step) = exchange.answer(answer) {
                    self.exchange(Proof::Exchange(exchange), step);
                }
                return;
            }
            (_, Answer::TempFail) => ServerStep::Reject(Reason::TempFail),
            (Proof::Password, Answer::Yes(identity)) => ServerStep::Accept(identity),
            #[cfg(feature = "legacy-md5")]
            (Proof::Apop(claim), answer) => {
                claim.judge(answer, self.timestamp.as_ref().map_or("", |timestamp| timestamp.as_str()))
            }
            _ => ServerStep::Reject(Reason::BadCredentials),
        };
        self.exchange(Proof::Password, step);
    }

    /// Does what an exchange says, or what PASS and APOP amount to.
    fn exchange(&mut self, proof: Proof, step: ServerStep) {
        match (step, proof) {
            (ServerStep::Challenge(octets), Proof::Exchange(exchange)) => {
                // RFC 5034 §4: `+`, a space, and base64, which may be nothing.
                self.write(|wire| {
                    wire.put_slice(b"+ ");
                    base64::encode(&octets, wire);
                    wire.put_slice(b"\r\n");
                });
                self.phase = Phase::Exchange(exchange);
                // A response is no complete command, so the deadline is still that of AUTH, unless a
                // question to the host stopped it.
                if !self.timers.is_running(super::timers::IDLE) {
                    self.await_command();
                }
            }
            (ServerStep::Ask(ask), proof) => self.ask_credentials(proof, ask),
            (ServerStep::Accept(identity), _) => self.open(identity),
            (ServerStep::Reject(reason), _) => self.login_failed(reason),
            _ => self.login_failed(Reason::TempFail),
        }
    }

    pub(super) fn ask_credentials(&mut self, proof: Proof, ask: Ask) {
        self.ask(Phase::Authenticate(proof), |ticket| Event::Authenticate {
            token: AuthenticateToken(ticket),
            ask,
        });
    }

    fn open(&mut self, identity: Identity) {
        let utf8 = self.utf8;
        self.ask(Phase::Open, |ticket| Event::Open { token: OpenToken(ticket), identity, utf8 });
    }

    pub(super) fn login_failed(&mut self, reason: Reason) {
        self.phase = Phase::Command;
        self.await_command();
        match reason {
            Reason::TempFail => return self.err(Some(&ResponseCode::SysTemp), Phrase::CannotAuthenticate),
            // RFC 3206 §5: AUTH says that the credentials are the problem. The same octets whether the
            // user is unknown or the password wrong.
            Reason::BadCredentials | Reason::ChannelBinding => {
                self.err(Some(&ResponseCode::Auth), Phrase::AuthenticationFailed)
            }
            Reason::UnexpectedInitialResponse => self.err(None, Phrase::NoInitialResponse),
            _ => self.err(None, Phrase::MalformedAuthentication),
        }
        self.failures += 1;
        self.events.push(Event::LoginFailed { failures: self.failures });
        if self.failures >= self.config.limits.authentication_failures {
            self.close(Closed::TooManyFailures);
        }
    }

    /// The host has opened the maildrop, or not.
    pub(super) fn opened(&mut self, opening: Opening) {
        self.phase = Phase::Command;
        match opening {
            Opening::Opened(maildrop) => {
                self.snapshot = Some(Snapshot::new(maildrop));
                self.errors = 0;
                self.ok_totals();
            }
            // RFC 2449 §8.1: only now, since these say that the credentials were good.
            Opening::InUse => self.err(Some(&ResponseCode::InUse), Phrase::InUse),
            Opening::LoginDelay => self.err(Some(&ResponseCode::LoginDelay), Phrase::TooSoon),
            Opening::Unavailable(Severity::Temporary) => {
                self.err(Some(&ResponseCode::SysTemp), Phrase::CannotOpenNow);
            }
            Opening::Unavailable(Severity::Permanent) => {
                self.err(Some(&ResponseCode::SysPerm), Phrase::CannotOpen);
            }
            Opening::Denied => self.err(Some(&ResponseCode::Auth), Phrase::NoAccess),
        }
        self.await_command();
    }
}
