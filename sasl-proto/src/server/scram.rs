//! SCRAM, server side: RFC 5802 §3, §5. Two messages of the client, two of the server, the keys a question
//! to the host.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};

use bytes::{Bytes, BytesMut};

use super::authorization::Authorization;
use super::{Answer, Ask, Identity, Reason, ServerMechanism, ServerPolicy, ServerStep};
use crate::base64;
use crate::channel::Bindings;
use crate::prepare::{Strings, prepare};
use crate::scram::message::{ClientFinal, ClientFirst, Flag};
use crate::scram::{DecoyKey, Output, ScramHash, ScramKeys};
use crate::seed::Nonce;

/// What an exchange of SCRAM is about, beside the messages.
pub(super) struct Scram {
    hash: ScramHash,
    /// What may be bound to, under a name with -PLUS; else whether the server announced such a name.
    binding: Binding,
    /// What the server adds to the client's nonce.
    nonce: String,
    decoy_key: DecoyKey,
    iterations: u32,
    salt_length: usize,
    raw_names: bool,
    state: State,
}

pub(super) enum Binding {
    Required(Bindings),
    Unused { announced: bool },
}

enum State {
    ClientFirst,
    /// The host looks the keys up.
    Keys(Opening),
    ClientFinal(Box<Middle>),
    /// The host decides whether the client may act for another.
    Authorize {
        authorization: Authorization,
        signature: Output,
    },
    /// The signature is sent.
    Done(Identity),
    Over,
}

/// What the client's first message leaves behind.
struct Opening {
    name: String,
    authzid: Option<String>,
    client_nonce: String,
    bare: String,
    /// What `c=` must say.
    binding: String,
}

/// What both first messages leave behind.
struct Middle {
    opening: Opening,
    /// Those of the user, or a decoy's.
    keys: ScramKeys,
    known: bool,
    server_first: String,
    nonce: String,
}

impl Scram {
    pub(super) fn new(hash: ScramHash, binding: Binding, policy: &ServerPolicy, nonce: &Nonce) -> Self {
        Self {
            hash,
            binding,
            nonce: nonce.text(),
            // Without a key that lasts, one that lasts for this exchange.
            decoy_key: policy.decoy_key.clone().unwrap_or_else(|| nonce.decoy_key()),
            iterations: policy.scram_iterations,
            salt_length: policy.scram_salt_length,
            raw_names: policy.raw_names,
            state: State::ClientFirst,
        }
    }

    /// The RFCs' examples have nonces of their own.
    #[cfg(test)]
    pub(super) fn with_nonce(mut self, nonce: &str) -> Self {
        self.nonce = nonce.to_string();
        self
    }

    fn client_first(&mut self, message: &[u8]) -> Result<ServerStep, Reason> {
        let first = ClientFirst::parse(message).ok_or(Reason::Malformed)?;
        // RFC 5802 §6: the flag has to fit the name of the mechanism, and "y" the announcement: a client that
        // can bind and was told that the server cannot has been lied to.
        let data: &[u8] = match (&self.binding, first.flag) {
            (Binding::Required(bindings), Flag::Bound(name)) => {
                bindings.get(name).ok_or(Reason::ChannelBinding)?
            }
            (Binding::Unused { .. }, Flag::None) | (Binding::Unused { announced: false }, Flag::Possible) => {
                &[]
            }
            _ => return Err(Reason::ChannelBinding),
        };
        let mut binding = BytesMut::new();
        base64::encode(&[first.header.as_bytes(), data].concat(), &mut binding);
        // RFC 5802 §5.1: names are prepared as query strings; an empty one ends the exchange.
        let name = match prepare(&first.name, Strings::Query) {
            Ok(name) => name.to_string(),
            Err(crate::PrepareError::Prohibited | crate::PrepareError::Directions) if self.raw_names => {
                first.name
            }
            Err(_) => return Err(Reason::BadCredentials),
        };
        let ask = Ask::ScramKeys { authcid: name.clone(), hash: self.hash };
        self.state = State::Keys(Opening {
            name,
            authzid: first.authzid,
            client_nonce: first.nonce.to_string(),
            bare: first.bare.to_string(),
            binding: core::str::from_utf8(&binding).unwrap_or_default().to_string(),
        });
        Ok(ServerStep::Ask(ask))
    }

    fn keys(&mut self, opening: Opening, answer: Answer) -> Result<ServerStep, Reason> {
        // Made for everybody, so that nobody can tell for whom.
        let decoy = self.decoy_key.keys(self.hash, &opening.name, self.iterations, self.salt_length);
        let (keys, known) = match answer {
            Answer::Keys(Some(keys)) if keys.hash() == self.hash => (keys, true),
            Answer::TempFail => return Err(Reason::TempFail),
            _ => (decoy, false),
        };
        let nonce = [opening.client_nonce.as_str(), &self.nonce].concat();
        let mut salt = BytesMut::new();
        base64::encode(keys.salt(), &mut salt);
        let salt = core::str::from_utf8(&salt).unwrap_or_default();
        // RFC 5802 §7: server-first-message = nonce "," salt "," iteration-count
        let server_first = format!("r={nonce},s={salt},i={}", keys.iterations());
        let challenge = Bytes::copy_from_slice(server_first.as_bytes());
        self.state = State::ClientFinal(Box::new(Middle { opening, keys, known, server_first, nonce }));
        Ok(ServerStep::Challenge(challenge))
    }

    fn client_final(&mut self, middle: Middle, message: &[u8]) -> Result<ServerStep, Reason> {
        let Middle { opening, keys, known, server_first, nonce } = middle;
        let last = ClientFinal::parse(message).ok_or(Reason::Malformed)?;
        // RFC 5802 §5.1: the nonce must be that of the server's message.
        if last.nonce != nonce || last.proof.expose().len() != self.hash.length() {
            return Err(Reason::Malformed);
        }
        if last.binding != opening.binding {
            return Err(Reason::ChannelBinding);
        }
        // RFC 5802 §3: AuthMessage, ClientSignature, and back from the proof to the client's key, whose hash
        // is the stored key.
        let auth_message: [&[u8]; 5] =
            [opening.bare.as_bytes(), b",", server_first.as_bytes(), b",", last.without_proof.as_bytes()];
        let proof = Output::copy(last.proof.expose()).ok_or(Reason::Malformed)?;
        let client_key = proof.xor(&self.hash.code(keys.stored_key(), &auth_message));
        let signature = self.hash.code(keys.server_key(), &auth_message);
        let proved = self.hash.hash(client_key.octets()).equals(keys.stored_key());
        // RFC 5802 §5.1: the server may leave its "e=" away; the protocol says that it failed.
        if !(proved & known) {
            return Err(Reason::BadCredentials);
        }
        let identity = Identity::new(opening.name.as_str());
        let authorization = Authorization::new(Some(opening.name), opening.authzid);
        Ok(self.authorize(authorization, signature, Answer::Yes(identity)))
    }

    fn authorize(
        &mut self,
        mut authorization: Authorization,
        signature: Output,
        answer: Answer,
    ) -> ServerStep {
        match authorization.answer(answer) {
            Ok(identity) => {
                let mut verifier = BytesMut::from(&b"v="[..]);
                base64::encode(signature.octets(), &mut verifier);
                self.state = State::Done(identity);
                ServerStep::Challenge(verifier.freeze())
            }
            Err(step) => {
                self.state = State::Authorize { authorization, signature };
                step
            }
        }
    }
}

impl ServerMechanism for Scram {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        match initial {
            Some(message) => self.respond(message),
            None => ServerStep::Challenge(Bytes::new()),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        let result = match core::mem::replace(&mut self.state, State::Over) {
            State::ClientFirst => self.client_first(response),
            State::ClientFinal(middle) => self.client_final(*middle, response),
            // The client has seen the signature and says nothing more.
            State::Done(identity) if response.is_empty() => Ok(ServerStep::Accept(identity)),
            _ => Err(Reason::Malformed),
        };
        result.unwrap_or_else(ServerStep::Reject)
    }

    fn answer(&mut self, answer: Answer) -> ServerStep {
        let result = match core::mem::replace(&mut self.state, State::Over) {
            State::Keys(opening) => self.keys(opening, answer),
            State::Authorize { authorization, signature } => {
                Ok(self.authorize(authorization, signature, answer))
            }
            _ => Err(Reason::Malformed),
        };
        result.unwrap_or_else(ServerStep::Reject)
    }
}

#[cfg(test)]
mod tests;
