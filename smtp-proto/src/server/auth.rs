//! AUTH: the frame of a SASL exchange. RFC 4954 §4, RFC 4422.

use bytes::Bytes;
use mailwright_core::value::{DeviationKind, Misuse};
use mailwright_sasl::{Answer, Reason, ServerStep, base64};

use super::question::{AuthenticateToken, Ticket};
use super::replies::{Asked, Slot, UNEXPECTED_INITIAL_RESPONSE};
use super::{Authenticate, Event, Phase, Server};
use crate::types::{InitialResponse, Reply, Verb};

impl Server {
    /// Whether there is a mechanism that the client may use now, or it has used one.
    pub(super) fn takes_authentication(&self) -> bool {
        self.identity.is_some() || self.config.offers.permitted(&self.channel).next().is_some()
    }

    pub(super) fn auth(&mut self, mechanism: &Bytes, initial: Option<&InitialResponse>) {
        let nonce = self.seed.nonce();
        let begun = self.config.offers.begin(mechanism, &mut self.channel, &self.config.sasl, nonce);
        // RFC 4954 §4: 504 to a mechanism that is unknown, or not to be had without TLS.
        let Ok(mut exchange) = begun else {
            return self.reject(Reply::MECHANISM_NOT_SUPPORTED, Some(Verb::Auth), None);
        };
        let initial = match initial.map(InitialResponse::expose) {
            None => None,
            // RFC 4954 §4: "=" is an initial response of no octets.
            Some(b"=") => Some(mailwright_core::value::Secret::default()),
            Some(text) => match base64::decode(text) {
                Ok(octets) => Some(octets),
                Err(_) => return self.failed(Reply::BAD_AUTHENTICATION_RESPONSE),
            },
        };
        let step = exchange.start(initial.as_ref().map(mailwright_core::value::Secret::expose));
        self.step(exchange.into(), step, false);
    }

    /// A line of the client in an exchange.
    pub(super) fn response(&mut self, line: &[u8], behind: &[u8]) {
        let Phase::Exchange(mut exchange) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        if !behind.is_empty() {
            self.report_early(DeviationKind::ImproperPipelining, behind);
        }
        // RFC 4954 §4: "*" cancels.
        if line == b"*" {
            return self.failed(Reply::AUTHENTICATION_CANCELLED);
        }
        match base64::decode(line) {
            Ok(octets) => {
                let step = exchange.respond(octets.expose());
                self.step(exchange, step, true);
            }
            Err(_) => self.failed(Reply::BAD_AUTHENTICATION_RESPONSE),
        }
    }

    /// What the mechanism wants next. `challenged`: whether the client has answered a challenge.
    fn step(
        &mut self,
        exchange: alloc::boxed::Box<mailwright_sasl::Server>,
        step: Result<ServerStep, mailwright_sasl::StateError>,
        challenged: bool,
    ) {
        match step {
            Ok(ServerStep::Challenge(challenge)) => {
                self.put(|wire| {
                    wire.extend_from_slice(b"334 ");
                    base64::encode(&challenge, wire);
                    wire.extend_from_slice(b"\r\n");
                });
                self.phase = Phase::Exchange(exchange);
            }
            Ok(ServerStep::Ask(ask)) => {
                let mechanism = exchange.mechanism();
                self.phase = Phase::Authenticate(exchange);
                let token = AuthenticateToken(self.ask(Asked::Authenticate { challenged }));
                self.events.push_back(Event::Authenticate(Authenticate { token, ask, mechanism }));
            }
            Ok(ServerStep::Accept(identity)) => {
                self.identity = Some(identity.clone().into());
                self.events.push_back(Event::Authenticated(identity));
                self.reply(Reply::AUTHENTICATED);
            }
            Ok(ServerStep::Reject(reason)) => match reason {
                Reason::Malformed => self.failed(Reply::BAD_AUTHENTICATION_RESPONSE),
                Reason::UnexpectedInitialResponse => self.failed(UNEXPECTED_INITIAL_RESPONSE),
                Reason::TooLong => self.failed(Reply::AUTHENTICATION_LINE_TOO_LONG),
                Reason::TempFail => {
                    self.decline(Reply::AUTHENTICATION_UNAVAILABLE, Some(Verb::Auth), None);
                }
                _ => self.failed(Reply::CREDENTIALS_INVALID),
            },
            // A mechanism of the host that says what this crate does not know.
            _ => self.failed(Reply::AUTHENTICATION_UNAVAILABLE),
        }
    }

    pub(super) fn authenticate_answered(&mut self, ticket: &Ticket, answer: Answer) -> Result<(), Misuse> {
        let slot = Self::open_slot(&mut self.pending, self.session, ticket)?;
        let challenged = matches!(slot, Slot::Open { asked: Asked::Authenticate { challenged: true }, .. });
        // The question is alone in the queue.
        self.pending.clear();
        if let Phase::Authenticate(mut exchange) = core::mem::replace(&mut self.phase, Phase::Command) {
            let step = exchange.answer(answer);
            self.step(exchange, step, challenged);
        }
        Ok(())
    }

    /// The exchange is over without success. The event has nothing of what was sent.
    fn failed(&mut self, reply: Reply) {
        self.reject(reply, Some(Verb::Auth), None);
    }
}
