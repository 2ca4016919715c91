//! AUTH and its exchange (RFC 5034 §4). USER and PASS are plain commands.

use alloc::boxed::Box;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::Misuse;
use mailwright_sasl::{ClientError, ClientStep, MechanismName, base64};

use super::event::Value;
use super::{Client, CommandId, InitialResponse, Kind};
use crate::types::{Argument, Command, SecretArgument, Text};

/// An exchange that is going on.
pub(super) struct Exchange {
    mechanism: mailwright_sasl::Client,
    /// Why the client has cancelled it, if it has.
    cancelled: Option<ClientError>,
}

/// RFC 5034 §4: an AUTH command with its initial response has 255 octets at most.
pub(super) const LONGEST_COMMAND: usize = 255;

impl Client {
    /// AUTH: starts a SASL exchange, which then goes on by itself until its
    /// [`Event::Reply`](super::Event::Reply).
    ///
    /// # Errors
    /// As [`Self::capa`]; [`Misuse::Plaintext`] without TLS, if the mechanism needs it and the policy
    /// does not allow it; [`Misuse::WrongState`] if the exchange was begun elsewhere.
    pub fn auth(&mut self, mut exchange: mailwright_sasl::Client) -> Result<CommandId, Misuse> {
        self.check_clear_text(exchange.is_clear_text())?;
        let name = exchange.mechanism();
        let inline = self.fits_inline(&exchange);
        // Encoded before anything is changed, and sent only if the exchange begins.
        let mut encoded = BytesMut::new();
        if inline {
            match exchange.initial_response() {
                // RFC 5034 §4: `=` is an initial response that is empty.
                Some([]) => encoded.put_slice(b"="),
                Some(octets) => base64::encode(octets, &mut encoded),
                None => {}
            }
        }
        let initial = (!encoded.is_empty()).then(|| SecretArgument::new(Argument::of_line(&encoded)));
        let mechanism = Argument::of_line(name.as_str().as_bytes());
        self.check_window(Kind::Auth)?;
        if exchange.start(inline).is_err() {
            return Err(Misuse::WrongState);
        }
        let id = self.send(Command::Auth { mechanism, initial }, Kind::Auth)?;
        self.exchange = Some(Box::new(Exchange { mechanism: exchange, cancelled: None }));
        Ok(id)
    }

    /// Whether the first message goes into the command: RFC 5034 §3, only if SASL was announced, and §4,
    /// only if it fits.
    fn fits_inline(&self, exchange: &mailwright_sasl::Client) -> bool {
        let announced = self.capabilities.as_ref().is_some_and(|known| known.mechanisms().is_some());
        let length =
            exchange.initial_response().map_or(0, |octets| base64::encoded_len(octets.len()).max(1) + 1);
        let command = "AUTH ".len() + exchange.mechanism().as_str().len() + length + 2;
        let token = matches!(exchange.mechanism(), MechanismName::OAUTHBEARER | MechanismName::XOAUTH2);
        let wanted = if token { self.config.token_initial_response } else { self.config.initial_response };
        announced && wanted == InitialResponse::Auto && command <= LONGEST_COMMAND
    }

    /// A challenge, in base64.
    pub(super) fn challenged(&mut self, text: &[u8]) {
        let Some(exchange) = &mut self.exchange else { return };
        let step = match base64::decode(text) {
            Ok(challenge) => exchange.mechanism.challenge_inline(challenge.expose()),
            Err(_) => Err(ClientError::UnexpectedChallenge),
        };
        let wire = self.transmit.buffer();
        match step {
            Ok(ClientStep::Respond(response)) => base64::encode(response.expose(), wire),
            Ok(_) => {}
            Err(error) => {
                // RFC 5034 §4: a line with a single `*` cancels; the server then says -ERR.
                exchange.mechanism.cancel();
                exchange.cancelled.get_or_insert(error);
                wire.put_slice(b"*");
            }
        }
        wire.put_slice(b"\r\n");
    }

    /// By tolerance, `+OK` is the empty challenge that the first message waits for.
    pub(super) fn ok_as_challenge(&mut self) -> bool {
        let waits = self.exchange.as_ref().is_some_and(|exchange| {
            exchange.cancelled.is_none() && exchange.mechanism.initial_response().is_some()
        });
        let applies = waits && self.config.tolerance.ok_as_challenge;
        if applies {
            self.challenged(b"");
        }
        applies
    }

    /// The server has said how the exchange ended.
    pub(super) fn exchange_over(&mut self, accepted: bool) -> Result<Value, ClientError> {
        let Some(mut exchange) = self.exchange.take() else { return Ok(Value::None) };
        match exchange.cancelled {
            Some(error) if accepted => Err(error),
            Some(error) => Ok(Value::Cancelled(error)),
            None => exchange.mechanism.outcome(accepted).map(|()| {
                let failure = exchange.mechanism.failure().filter(|_| !accepted);
                failure.map_or(Value::None, |text| Value::Explained(Text::new(Bytes::copy_from_slice(text))))
            }),
        }
    }
}
