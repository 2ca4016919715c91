//! LOGIN and AUTHENTICATE: RFC 9051 §6.2.2, §6.2.3, initial responses by RFC 4959. What is said inside an
//! exchange is the business of `mailwright_sasl`.

use alloc::boxed::Box;

use bytes::{BufMut as _, BytesMut};
use mailwright_core::value::{Misuse, Secret};
use mailwright_sasl::{ClientError, ClientStep, base64};

use super::{Client, Closed, CommandId, Event, Feature, InitialResponse, SendError, TlsMode};
use crate::types::{Command, OctetString};

/// An exchange that is going on.
pub(super) struct Exchange {
    id: CommandId,
    mechanism: mailwright_sasl::Client,
    /// Whether its first message went in the command.
    inline: bool,
    /// Whether a challenge came.
    challenged: bool,
    /// Why the client has cancelled it, if it has.
    cancelled: Option<ClientError>,
}

/// Octets of an initial response above which it waits for the first challenge: servers bound the lines of
/// commands.
const LONGEST_INITIAL: usize = 4096;

impl Client {
    /// AUTHENTICATE: starts a SASL exchange, which then goes on by itself until its
    /// [`Event::Completed`].
    ///
    /// # Errors
    /// As [`Self::command`]; [`Misuse::Plaintext`] without TLS, if the mechanism shows the secret and the
    /// policy does not allow that; [`Misuse::NotAnnounced`] if the server does not announce the mechanism;
    /// [`Misuse::WrongState`] if the exchange was begun elsewhere.
    pub fn authenticate(&mut self, mut exchange: mailwright_sasl::Client) -> Result<CommandId, SendError> {
        let name = exchange.mechanism();
        let mechanism =
            OctetString::new(name.as_str().as_bytes().to_vec()).map_err(|_| Misuse::WrongState)?;
        let inline = self.goes_inline(&exchange);
        let mut encoded = BytesMut::new();
        match exchange.initial_response() {
            // RFC 4959 §3: `=` is an initial response that is empty.
            Some([]) if inline => encoded.put_slice(b"="),
            Some(octets) if inline => base64::encode(octets, &mut encoded),
            _ => {}
        }
        let initial = (!encoded.is_empty()).then(|| Secret::new(encoded.to_vec()));
        let command = Command::Authenticate { mechanism, initial };
        self.check(&command)?;
        self.check_clear_text(exchange.is_clear_text())?;
        if !self.mechanisms().contains(&name) {
            return Err(Misuse::NotAnnounced.into());
        }
        let ready = self.prepare(&command)?;
        exchange.start(inline).map_err(|_| Misuse::WrongState)?;
        let id = self.send(ready, &command);
        self.outdated = true;
        self.exchange =
            Some(Box::new(Exchange { id, mechanism: exchange, inline, challenged: false, cancelled: None }));
        Ok(id)
    }

    /// Whether the first message goes into the command: RFC 4959 §3, only if SASL-IR was announced.
    fn goes_inline(&self, exchange: &mailwright_sasl::Client) -> bool {
        let length = exchange.initial_response().map(|octets| base64::encoded_len(octets.len()));
        self.config.initial_response == InitialResponse::Auto
            && !self.is_broken(Feature::InitialResponse)
            && self.has_or_rev2("SASL-IR")
            && length.is_some_and(|length| length <= LONGEST_INITIAL)
    }

    /// Whether LOGIN may be sent.
    pub(super) fn check_login(&self) -> Result<(), SendError> {
        self.check_clear_text(true)?;
        // RFC 9051 §6.2.3: a client must not send LOGIN where LOGINDISABLED is announced, so it must know.
        if self.capabilities.is_none() {
            return Err(Misuse::NotAnnounced.into());
        }
        if self.has("LOGINDISABLED") { Err(SendError::LoginDisabled) } else { Ok(()) }
    }

    /// Whether credentials may be sent on this connection.
    fn check_clear_text(&self, clear_text: bool) -> Result<(), Misuse> {
        // Who asked for TLS gets it before anything that matters.
        let wants_tls = self.config.tls != TlsMode::Off;
        let exposed = clear_text && !self.config.sasl.clear_text_without_tls;
        if !self.secure && (wants_tls || exposed) { Err(Misuse::Plaintext) } else { Ok(()) }
    }

    /// A `+` with a challenge in base64; `false` if there is no exchange.
    pub(super) fn challenged(&mut self, text: &[u8]) -> bool {
        let Some(exchange) = &mut self.exchange else { return false };
        if exchange.cancelled.is_some() {
            self.close(Closed::UnexpectedChallenge);
            return true;
        }
        exchange.challenged = true;
        let step = match base64::decode(text) {
            Ok(challenge) => exchange.mechanism.challenge_inline(challenge.expose()),
            Err(_) => Err(ClientError::UnexpectedChallenge),
        };
        let mut wire = BytesMut::new();
        match step {
            Ok(ClientStep::Respond(response)) => base64::encode(response.expose(), &mut wire),
            // Each challenge has an answer, which may be an empty line.
            Ok(_) => {}
            Err(error) => {
                // RFC 9051 §6.2.2: a line with a single `*` cancels; the server then says BAD.
                exchange.mechanism.cancel();
                exchange.cancelled = Some(error);
                let id = exchange.id;
                wire.put_slice(b"*");
                self.push(Event::Cancelled { id, error });
            }
        }
        wire.put_slice(b"\r\n");
        self.write(&wire);
        true
    }

    /// AUTHENTICATE is complete. An error if the server cannot mean what it says.
    pub(super) fn exchange_over(&mut self, accepted: bool, bad: bool) -> Result<(), ClientError> {
        let Some(mut exchange) = self.exchange.take() else { return Ok(()) };
        // Some servers announce SASL-IR and do not understand it.
        if bad && exchange.inline && exchange.cancelled.is_none() {
            self.remember_broken(exchange.id, Feature::InitialResponse, None);
        }
        match exchange.cancelled {
            Some(error) if accepted => Err(error),
            Some(_) => Ok(()),
            // Nothing was said yet that could have been accepted.
            None if accepted && !exchange.inline && !exchange.challenged => Err(ClientError::State),
            // Whether the mechanism is content with a failure makes no difference.
            None if accepted => exchange.mechanism.outcome(true),
            None => Ok(()),
        }
    }
}
