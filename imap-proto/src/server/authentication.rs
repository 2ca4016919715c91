//! STARTTLS, AUTHENTICATE and LOGIN. RFC 9051 §6.2, RFC 4959, RFC 5530.

use alloc::boxed::Box;
use alloc::string::String;

use bytes::BytesMut;
use mailwright_core::session::Upgraded;
use mailwright_core::value::Secret;
use mailwright_sasl::{Answer, Ask, Channel, Identity, Reason, ServerStep, Strings, base64, prepare};

use super::question::AuthenticateToken;
use super::receive::Receiving;
use super::{Closed, Event, Phase, Server, TlsMode};
use crate::types::{Code, OctetString, Response, StatusKind, StatusResponse, Tag};
use crate::wire::Part;

/// RFC 5530 §3: PRIVACYREQUIRED.
pub(super) fn not_without_tls() -> StatusResponse {
    StatusResponse::new(StatusKind::No, "not without TLS").with_code(Code::PrivacyRequired)
}

impl Server {
    pub(super) fn start_tls(&mut self, tag: &Tag) {
        if !self.offers_start_tls() {
            return self.tagged(tag, StatusResponse::new(StatusKind::Bad, "no TLS here, or it is active"));
        }
        // RFC 9051 §6.2.1: what stands behind the command belongs to the handshake.
        self.tagged(tag, StatusResponse::new(StatusKind::Ok, "begin TLS"));
        self.phase = Phase::Handshake;
    }

    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match upgraded {
            Upgraded::Tls(info) if matches!(self.phase, Phase::Handshake) => {
                // What was learned before TLS is forgotten.
                self.channel = Channel::server(&info, &self.config.sasl);
                self.tls = Some(Box::new(info.clone()));
                self.errors = 0;
                self.spoken = false;
                self.unread = false;
                self.behind = false;
                self.framer.reset();
                self.receiving = Receiving::default();
                self.phase = Phase::Command;
                self.await_command();
                self.events.push_back(Event::Secured(Box::new(info)));
                if self.config.tls == TlsMode::Implicit {
                    self.greet();
                }
            }
            Upgraded::Failed(error) => self.close(Closed::Layer(error)),
            // Layers that nobody asked for.
            _ => {}
        }
    }

    /// Whether LOGIN may be used now.
    pub(super) fn may_login(&self) -> bool {
        self.config.login && self.clear_text_allowed()
    }

    pub(super) fn login(&mut self, tag: Tag, user: &OctetString, password: Secret) {
        if !self.may_login() {
            return self.tagged(&tag, not_without_tls());
        }
        let prepared = user.as_str().and_then(|user| prepare(user, Strings::Query).ok().map(String::from));
        match prepared {
            Some(authcid) => {
                self.ask_credentials(tag, None, Ask::Password { authcid, authzid: None, password })
            }
            None => self.login_failed(&tag, Reason::BadCredentials),
        }
    }

    pub(super) fn authenticate(&mut self, tag: Tag, mechanism: &OctetString, initial: Option<&Secret>) {
        let initial = match initial.map(Secret::expose) {
            // RFC 4959 §3: `=` is an initial response that is there and empty.
            Some(b"=") => Some(Secret::default()),
            Some(text) => match base64::decode(text) {
                Ok(octets) => Some(octets),
                Err(_) => return self.login_failed(&tag, Reason::Malformed),
            },
            None => None,
        };
        let nonce = self.seed.nonce();
        match self.config.offers.begin(mechanism.as_bytes(), &mut self.channel, &self.config.sasl, nonce) {
            Ok(mut exchange) => {
                if let Ok(step) = exchange.start(initial.as_ref().map(Secret::expose)) {
                    self.exchange(tag, Some(Box::new(exchange)), step);
                }
            }
            Err(mailwright_sasl::BeginError::ClearText) => {
                self.tagged(&tag, not_without_tls());
            }
            Err(_) => self.tagged(&tag, StatusResponse::new(StatusKind::No, "no such mechanism")),
        }
    }

    /// A line of an exchange.
    pub(super) fn exchange_line(&mut self, part: &Part) {
        let Phase::Exchange(tag, mut exchange) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        let response = match part.fault {
            None if part.end == crate::wire::PartEnd::Message => base64::decode(&part.octets).ok(),
            _ => None,
        };
        match response {
            Some(response) => {
                if let Ok(step) = exchange.respond(response.expose()) {
                    self.exchange(tag, Some(exchange), step);
                }
            }
            // RFC 9051 §6.2.2: `*` cancels; anything else is an error. BAD in both cases.
            None => {
                exchange.cancel();
                self.login_failed(&tag, Reason::Malformed);
            }
        }
    }

    /// The host has decided about credentials.
    pub(super) fn authenticate_answered(&mut self, answer: Answer) {
        let Phase::Authenticate(tag, exchange) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        let Some(mut exchange) = exchange else {
            let step = match answer {
                Answer::Yes(identity) => ServerStep::Accept(identity),
                Answer::TempFail => ServerStep::Reject(Reason::TempFail),
                _ => ServerStep::Reject(Reason::BadCredentials),
            };
            return self.exchange(tag, None, step);
        };
        if let Ok(step) = exchange.answer(answer) {
            self.exchange(tag, Some(exchange), step);
        }
    }

    /// Does what an exchange says, or what LOGIN amounts to.
    fn exchange(&mut self, tag: Tag, exchange: Option<Box<mailwright_sasl::Server>>, step: ServerStep) {
        match (step, exchange) {
            (ServerStep::Challenge(octets), Some(exchange)) => {
                let mut text = BytesMut::new();
                base64::encode(&octets, &mut text);
                self.respond(&Response::Continue(text.freeze()));
                self.phase = Phase::Exchange(tag, exchange);
            }
            (ServerStep::Ask(ask), exchange) => self.ask_credentials(tag, exchange, ask),
            (ServerStep::Accept(identity), _) => self.logged_in(&tag, identity),
            (ServerStep::Reject(reason), _) => self.login_failed(&tag, reason),
            _ => self.login_failed(&tag, Reason::TempFail),
        }
    }

    fn ask_credentials(&mut self, tag: Tag, exchange: Option<Box<mailwright_sasl::Server>>, ask: Ask) {
        self.ask(Phase::Authenticate(tag, exchange), |ticket| Event::Authenticate {
            token: AuthenticateToken(ticket),
            ask,
        });
    }

    fn logged_in(&mut self, tag: &Tag, identity: Identity) {
        self.identity = Some(Box::new(identity.clone()));
        self.errors = 0;
        self.events.push_back(Event::Authenticated(identity));
        let status = StatusResponse::new(StatusKind::Ok, "logged in");
        let capabilities = self.capabilities();
        self.tagged(tag, status.with_code(Code::Capability(capabilities)));
    }

    fn login_failed(&mut self, tag: &Tag, reason: Reason) {
        let status = match reason {
            Reason::TempFail => StatusResponse::new(StatusKind::No, "cannot check the credentials now")
                .with_code(Code::Unavailable),
            // The same octets whether the user is unknown or the password wrong.
            Reason::BadCredentials | Reason::ChannelBinding => {
                StatusResponse::new(StatusKind::No, "authentication failed")
                    .with_code(Code::AuthenticationFailed)
            }
            _ => StatusResponse::new(StatusKind::Bad, "authentication cancelled or malformed"),
        };
        self.tagged(tag, status);
        if reason == Reason::TempFail {
            return;
        }
        self.login_failures = self.login_failures.saturating_add(1);
        self.events.push_back(Event::LoginFailed { failures: self.login_failures });
        if self.login_failures >= self.config.limits.login_failures.max(1) {
            self.bye(None, "too many failed logins", Closed::TooManyFailures);
        }
    }
}
