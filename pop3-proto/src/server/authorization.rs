//! The AUTHORIZATION state: USER and PASS (RFC 1939 §7), AUTH (RFC 5034 §4), and the maildrop that a
//! good login opens (RFC 1939 §4). STLS is in `tls`.

use alloc::string::ToString as _;

use bytes::BufMut as _;
use mailwright_core::value::Secret;
use mailwright_sasl::{Answer, Ask, BeginError, Identity, Reason, ServerStep, base64};

use super::event::Severity;
use super::maildrop::Snapshot;
use super::question::{AuthenticateToken, OpenToken};
use super::{Closed, Event, Opening, Phase, Server};
use crate::parse::CommandError;
use crate::types::ResponseCode;

const NOT_WITHOUT_TLS: &str = "not without TLS: use STLS or a TLS port";
const TRY_LATER: &str = "cannot check the credentials now, try again later";

impl Server {
    /// Whether a password may travel in clear text now.
    pub(super) fn clear_text_allowed(&self) -> bool {
        self.secure || self.config.clear_text_without_tls
    }

    pub(super) fn user(&mut self, name: &[u8]) {
        // RFC 2449 §6.2, RFC 8314 §3: refused here already, or the client would send its password next.
        // RFC 3206 §5: no AUTH code in a reply to USER.
        if !self.clear_text_allowed() {
            return self.err(None, NOT_WITHOUT_TLS);
        }
        if !self.config.user_pass {
            return self.err(None, "USER is switched off, use AUTH");
        }
        // RFC 6856 §2.2: nothing but ASCII without UTF8 USER.
        match core::str::from_utf8(name) {
            Ok(name) if name.is_ascii() => {
                self.user = Some(name.to_string());
                // RFC 1939 §7: +OK whether there is such a user or not.
                self.ok("send PASS");
            }
            _ => self.err(None, "only ASCII in names"),
        }
    }

    pub(super) fn pass(&mut self, name: Option<alloc::string::String>, password: &[u8]) {
        if !self.clear_text_allowed() {
            return self.err(None, NOT_WITHOUT_TLS);
        }
        // RFC 1939 §7: only directly behind a USER that was accepted.
        let Some(authcid) = name else { return self.reject(CommandError::State) };
        if !password.is_ascii() {
            return self.err(None, "only ASCII in passwords");
        }
        let ask = Ask::Password { authcid, authzid: None, password: Secret::from(password) };
        self.ask_credentials(None, ask);
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
                    self.exchange(Some(exchange), step);
                }
            }
            Err(BeginError::ClearText) => self.err(None, NOT_WITHOUT_TLS),
            Err(_) => self.err(None, "no such mechanism"),
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
            return self.err(None, "authentication cancelled");
        }
        match base64::decode(line) {
            Ok(response) => {
                if let Ok(step) = exchange.respond(response.expose()) {
                    self.exchange(Some(exchange), step);
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
        let Phase::Authenticate(exchange) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        let Some(mut exchange) = exchange else {
            let step = match answer {
                Answer::Yes(identity) => ServerStep::Accept(identity),
                Answer::TempFail => ServerStep::Reject(Reason::TempFail),
                _ => ServerStep::Reject(Reason::BadCredentials),
            };
            return self.exchange(None, step);
        };
        if let Ok(step) = exchange.answer(answer) {
            self.exchange(Some(exchange), step);
        }
    }

    /// Does what an exchange says, or what PASS amounts to.
    fn exchange(&mut self, exchange: Option<mailwright_sasl::Server>, step: ServerStep) {
        match (step, exchange) {
            (ServerStep::Challenge(octets), Some(exchange)) => {
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
            (ServerStep::Ask(ask), exchange) => self.ask_credentials(exchange, ask),
            (ServerStep::Accept(identity), _) => self.open(identity),
            (ServerStep::Reject(reason), _) => self.login_failed(reason),
            _ => self.login_failed(Reason::TempFail),
        }
    }

    fn ask_credentials(&mut self, exchange: Option<mailwright_sasl::Server>, ask: Ask) {
        self.ask(Phase::Authenticate(exchange), |ticket| Event::Authenticate {
            token: AuthenticateToken(ticket),
            ask,
        });
    }

    fn open(&mut self, identity: Identity) {
        self.ask(Phase::Open, |ticket| Event::Open { token: OpenToken(ticket), identity });
    }

    fn login_failed(&mut self, reason: Reason) {
        self.phase = Phase::Command;
        self.await_command();
        match reason {
            Reason::TempFail => return self.err(Some(&ResponseCode::SysTemp), TRY_LATER),
            // RFC 3206 §5: AUTH says that the credentials are the problem. The same octets whether the
            // user is unknown or the password wrong.
            Reason::BadCredentials | Reason::ChannelBinding => {
                self.err(Some(&ResponseCode::Auth), "authentication failed")
            }
            Reason::UnexpectedInitialResponse => self.err(None, "this mechanism has no initial response"),
            _ => self.err(None, "malformed authentication message"),
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
                let snapshot = Snapshot::new(maildrop);
                let (messages, octets) = (snapshot.left(), snapshot.octets_left());
                self.snapshot = Some(snapshot);
                self.errors = 0;
                self.ok_totals(messages, octets);
            }
            // RFC 2449 §8.1: only now, since these say that the credentials were good.
            Opening::InUse => self.err(Some(&ResponseCode::InUse), "the maildrop is open in another session"),
            Opening::LoginDelay => self.err(Some(&ResponseCode::LoginDelay), "too soon after the last login"),
            Opening::Unavailable(Severity::Temporary) => {
                self.err(Some(&ResponseCode::SysTemp), "cannot open the maildrop now");
            }
            Opening::Unavailable(Severity::Permanent) => {
                self.err(Some(&ResponseCode::SysPerm), "cannot open the maildrop");
            }
            Opening::Denied => self.err(Some(&ResponseCode::Auth), "no access by POP3"),
        }
        self.await_command();
    }
}
