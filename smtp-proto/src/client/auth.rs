//! AUTH: RFC 4954. The frame of the exchange: base64 lines, initial response, cancelling. What is said
//! inside is the business of `mailwright_sasl`.

use alloc::vec::Vec;

use bytes::BufMut as _;
use mailwright_core::value::{Excerpt, Misuse};
use mailwright_sasl::{
    self as sasl, ClientError, ClientStep, Credentials, MechanismName, Nonce, Situation, base64,
};

use super::error::AuthenticateError;
use super::event::{AuthenticationFailure, Awaited, Closed, CommandId, Event};
use super::{Client, Sent};
use crate::types::{Reply, ReplyCode};

/// RFC 4954 §4: an initial response that would make the command longer than 512 octets is sent later.
const COMMAND_LINE: usize = 512;

/// An exchange under way.
#[derive(Debug)]
pub(super) struct Exchange {
    mechanism: sasl::Client,
    challenges: u32,
    /// The challenge at which the client cancelled.
    cancelled: Option<Excerpt>,
}

impl Client {
    /// Authenticates with the strongest announced mechanism that fits. After the server has rejected
    /// credentials (535), no weaker mechanism is taken in this session.
    ///
    /// `nonce` is 24 octets of entropy from a [`mailwright_sasl::Seed`]; mechanisms without a challenge of
    /// the client's do not use it. Leads to [`Event::Authenticated`] or [`Event::NotAuthenticated`].
    ///
    /// # Errors
    /// If no mechanism fits, if the password would travel in clear text and the configuration's
    /// [`sasl`](super::Config::sasl) policy does not allow it, or as [`Self::authenticate_by`]. Nothing is
    /// written then.
    pub fn authenticate(
        &mut self,
        credentials: &Credentials,
        nonce: Nonce,
    ) -> Result<CommandId, AuthenticateError> {
        self.check_authenticate()?;
        let announced = self.announced();
        let mut situation = Situation::on(&self.channel);
        if let Some(rejected) = self.rejected {
            situation = situation.after_rejection(rejected);
        }
        let name = sasl::choose(&announced, credentials, &self.config.sasl, situation)?;
        let mechanism = self.exchange(name, credentials, nonce)?;
        self.begin(mechanism)
    }

    /// The client side of a SASL mechanism with the bindings of this session, for [`Self::authenticate_by`].
    ///
    /// # Errors
    /// If there is no such mechanism, or the credentials do not fit it.
    pub fn exchange(
        &mut self,
        name: MechanismName,
        credentials: &Credentials,
        nonce: Nonce,
    ) -> Result<sasl::Client, ClientError> {
        let announced = self.announced();
        sasl::Client::bound(name, credentials, &self.config.sasl, nonce, &mut self.channel, &announced)
    }

    /// The mechanisms that the server announces.
    fn announced(&self) -> Vec<MechanismName> {
        let names = self.capabilities.mechanisms();
        names.filter_map(|name| MechanismName::parse(name.as_bytes()).ok()).collect()
    }

    /// Authenticates by a mechanism that the host has prepared.
    ///
    /// # Errors
    /// [`Misuse::NotAnnounced`] if the server does not announce it; [`Misuse::Plaintext`] if it shows the
    /// secret, there is no TLS, and the policy does not allow that; [`Misuse::WrongState`] in a
    /// transaction or if authenticated already; [`Misuse::Busy`] while replies are outstanding. Nothing is
    /// written then.
    pub fn authenticate_by(&mut self, mechanism: sasl::Client) -> Result<CommandId, AuthenticateError> {
        self.check_authenticate()?;
        if !self.capabilities.has_mechanism(mechanism.mechanism().as_str()) {
            return Err(Misuse::NotAnnounced.into());
        }
        if mechanism.is_clear_text() && self.tls.is_none() && !self.config.sasl.clear_text_without_tls {
            return Err(Misuse::Plaintext.into());
        }
        self.begin(mechanism)
    }

    fn check_authenticate(&self) -> Result<(), Misuse> {
        self.may_write()?;
        // RFC 4954 §4: not in a transaction, and not a second time.
        if self.authenticated || self.in_transaction() {
            return Err(Misuse::WrongState);
        }
        Ok(())
    }

    fn begin(&mut self, mut mechanism: sasl::Client) -> Result<CommandId, AuthenticateError> {
        let name = mechanism.mechanism();
        let line = |initial: &[u8]| {
            "AUTH ".len() + name.as_str().len() + 1 + base64::encoded_len(initial.len()).max(1) + 2
        };
        let inline = mechanism.initial_response().is_some_and(|initial| line(initial) <= COMMAND_LINE);
        let initial = mechanism.start(inline)?;
        let wire = self.transmit.buffer();
        wire.put_slice(b"AUTH ");
        wire.put_slice(name.as_str().as_bytes());
        if let Some(initial) = initial {
            wire.put_u8(b' ');
            // RFC 4954 §4: a single equals sign stands for an initial response without octets.
            if initial.is_empty() {
                wire.put_u8(b'=');
            }
            base64::encode(initial.expose(), wire);
        }
        wire.put_slice(b"\r\n");
        self.exchange = Some(Exchange { mechanism, challenges: 0, cancelled: None }.into());
        Ok(self.sent_by_host(Sent::Auth))
    }

    /// The reply to AUTH, or to a response. The command stays in flight until the last one.
    pub(super) fn auth_answered(&mut self, id: CommandId, reply: Reply) {
        let Some(mut exchange) = self.exchange.take() else { return };
        let mechanism = exchange.mechanism.mechanism();
        if reply.code() == ReplyCode::CHALLENGE && exchange.cancelled.is_none() {
            exchange.challenges = exchange.challenges.saturating_add(1);
            self.respond(&mut exchange, &reply);
            self.exchange = Some(exchange);
            self.sent_again(id, Sent::Auth);
        } else if reply.is_intermediate() {
            // A cancelled exchange has no more challenges (RFC 4954 §4).
            self.close(Closed::Unexpected(Awaited::Authentication, reply));
        } else if let Some(challenge) = exchange.cancelled {
            if reply.is_positive() {
                self.close(Closed::Unexpected(Awaited::Authentication, reply));
                return;
            }
            let reason = AuthenticationFailure::Cancelled { mechanism, challenge, reply };
            self.events.push_back(Event::NotAuthenticated { id, reason });
        } else if reply.is_positive() {
            if exchange.mechanism.outcome(true).is_err() {
                self.close(Closed::NoProof);
                return;
            }
            self.authenticated = true;
            self.events.push_back(Event::Authenticated { id, reply });
        } else {
            // Whether the mechanism is content with a failure makes no difference to it.
            let _ = exchange.mechanism.outcome(false);
            if reply.code() == ReplyCode::CREDENTIALS_INVALID {
                self.rejected = Some(mechanism);
            }
            let detail = exchange.mechanism.failure().map(Into::into);
            let reason = AuthenticationFailure::Refused { mechanism, reply, detail };
            self.events.push_back(Event::NotAuthenticated { id, reason });
        }
    }

    /// Answers a challenge, or cancels with `*`.
    fn respond(&mut self, exchange: &mut Exchange, reply: &Reply) {
        let mut lines = reply.lines();
        let challenge = lines.next().unwrap_or_default();
        let decoded = base64::decode(challenge).ok().filter(|_| lines.next().is_none());
        let within_limit = exchange.challenges <= self.config.limits.challenges;
        let step = decoded
            .filter(|_| within_limit)
            .and_then(|decoded| exchange.mechanism.challenge_inline(decoded.expose()).ok());
        let wire = self.transmit.buffer();
        match step {
            Some(ClientStep::Respond(response)) => base64::encode(response.expose(), wire),
            // RFC 4954 §4: each challenge has an answer, which may be an empty line.
            Some(ClientStep::AwaitOutcome) => {}
            _ => {
                // RFC 4954 §4: a client that cannot go on cancels with a single asterisk.
                exchange.mechanism.cancel();
                exchange.cancelled = Some(Excerpt::new(challenge));
                wire.put_u8(b'*');
            }
        }
        wire.put_slice(b"\r\n");
    }
}
