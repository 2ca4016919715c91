//! SCRAM, client side: RFC 5802 §3, §5. The server has to prove that it knows the password, too.

use alloc::format;
use alloc::string::{String, ToString as _};

use bytes::BytesMut;
use mailwright_core::value::Secret;

use super::{ClientError, ClientMechanism, ClientPolicy, ClientStep, Credentials};
use crate::base64;
use crate::channel::Bindings;
use crate::prepare::{PrepareError, Strings, prepare};
use crate::scram::message::{ServerFinal, ServerFirst, encode_name};
use crate::scram::{DeriveJob, DerivedKeys, Output, ScramHash, prepare_password};

pub(super) enum Binding {
    /// The name has -PLUS.
    Required(Bindings),
    /// It has not; `possible` if the client could bind and the server did not announce it.
    Unused { possible: bool },
}

pub(super) struct Scram {
    hash: ScramHash,
    nonce: String,
    /// The first message, until it is handed out.
    initial: Option<Secret>,
    /// The first message without its header.
    bare: String,
    /// `c=`, in base64.
    binding: String,
    password: Secret,
    iterations: core::ops::RangeInclusive<u32>,
    inline_iterations: u32,
    state: State,
}

enum State {
    ServerFirst,
    /// Waits for the keys.
    Derive {
        server_first: String,
        nonce: String,
        salt: Secret,
        iterations: u32,
    },
    /// Waits for this signature.
    ServerFinal(Output),
    /// The server has proved itself.
    Done,
    Over,
}

impl Scram {
    pub(super) fn new(
        hash: ScramHash,
        binding: &Binding,
        credentials: &Credentials,
        policy: &ClientPolicy,
        nonce: &str,
    ) -> Result<Self, ClientError> {
        let Credentials::Password { authcid, authzid, password } = credentials else {
            return Err(ClientError::Unsupported);
        };
        // RFC 5802 §5.1: the name is prepared by SASLprep; a failure or an empty result ends the exchange.
        let name = match prepare(authcid, Strings::Query) {
            Ok(name) => name,
            Err(PrepareError::Prohibited | PrepareError::Directions) if policy.raw_names => {
                authcid.as_str().into()
            }
            Err(error) => return Err(error.into()),
        };
        let password = core::str::from_utf8(password.expose()).map_err(|_| ClientError::Unsupported)?;
        let password = Secret::from(&*prepare_password(password, Strings::Query, policy.raw_passwords)?);
        // RFC 5802 §6: "p" binds; "y" could, but the server does not seem to; "n" cannot.
        let (flag, data): (_, &[u8]) = match binding {
            Binding::Required(bindings) => {
                let name = bindings.best().ok_or(ClientError::Unsupported)?;
                (format!("p={name}"), bindings.get(name).unwrap_or_default())
            }
            Binding::Unused { possible: true } => ("y".to_string(), &[]),
            Binding::Unused { possible: false } => ("n".to_string(), &[]),
        };
        let authzid = authzid.as_ref().map(|authzid| format!("a={}", encode_name(authzid)));
        let header = format!("{flag},{},", authzid.unwrap_or_default());
        let bare = format!("n={},r={nonce}", encode_name(&name));
        let mut encoded = BytesMut::new();
        base64::encode(&[header.as_bytes(), data].concat(), &mut encoded);
        Ok(Self {
            hash,
            nonce: nonce.to_string(),
            initial: Some(Secret::from([header.as_str(), &bare].concat())),
            bare,
            binding: core::str::from_utf8(&encoded).unwrap_or_default().to_string(),
            password,
            iterations: policy.min_iterations.max(1)..=policy.max_iterations,
            inline_iterations: policy.inline_iterations,
            state: State::ServerFirst,
        })
    }

    fn server_first(&mut self, message: &[u8]) -> Result<ClientStep, ClientError> {
        let first = ServerFirst::parse(message, &self.nonce).ok_or(ClientError::Malformed)?;
        // RFC 7677 §4: 4096 at least; and no server may make its clients compute without end.
        if !self.iterations.contains(&first.iterations) {
            return Err(ClientError::Iterations(first.iterations));
        }
        let job =
            DeriveJob::new(self.hash, self.password.clone(), first.salt.expose().to_vec(), first.iterations);
        self.state = State::Derive {
            server_first: core::str::from_utf8(message).unwrap_or_default().to_string(),
            nonce: first.nonce.to_string(),
            salt: first.salt,
            iterations: first.iterations,
        };
        if job.iterations() > self.inline_iterations {
            return Ok(ClientStep::Derive(job));
        }
        self.derived(job.run())
    }

    fn server_final(&mut self, signature: &Output, message: &[u8]) -> Result<ClientStep, ClientError> {
        match ServerFinal::parse(message).ok_or(ClientError::Malformed)? {
            // RFC 5802 §5.1: the client must compare the signature with its own.
            ServerFinal::Verifier(verifier) if signature.equals(verifier.expose()) => {
                self.state = State::Done;
                Ok(ClientStep::AwaitOutcome)
            }
            ServerFinal::Verifier(_) => Err(ClientError::WrongSignature),
            ServerFinal::Error(word) => Err(ClientError::Server(ServerError::of(word))),
        }
    }
}

impl ClientMechanism for Scram {
    fn initial(&mut self) -> Option<Secret> {
        self.initial.take()
    }

    fn challenge(&mut self, challenge: &[u8]) -> Result<ClientStep, ClientError> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::ServerFirst => self.server_first(challenge),
            State::ServerFinal(signature) => self.server_final(&signature, challenge),
            _ => Err(ClientError::UnexpectedChallenge),
        }
    }

    fn derived(&mut self, keys: DerivedKeys) -> Result<ClientStep, ClientError> {
        let State::Derive { server_first, nonce, salt, iterations } =
            core::mem::replace(&mut self.state, State::Over)
        else {
            return Err(ClientError::State);
        };
        if !keys.are_for(self.hash, salt.expose(), iterations) {
            return Err(ClientError::State);
        }
        // RFC 5802 §3: StoredKey, AuthMessage, ClientSignature, ClientProof, ServerSignature.
        let without_proof = format!("c={},r={nonce}", self.binding);
        let auth_message: [&[u8]; 5] =
            [self.bare.as_bytes(), b",", server_first.as_bytes(), b",", without_proof.as_bytes()];
        let stored_key = self.hash.hash(keys.client_key.octets());
        let client_signature = self.hash.code(stored_key.octets(), &auth_message);
        let server_signature = self.hash.code(keys.server_key.octets(), &auth_message);
        let proof = client_signature.xor(&keys.client_key);
        let mut message = BytesMut::from(without_proof.as_bytes());
        message.extend_from_slice(b",p=");
        base64::encode(proof.octets(), &mut message);
        self.state = State::ServerFinal(server_signature);
        Ok(ClientStep::Respond(Secret::new(message.into())))
    }

    fn outcome(&mut self, accepted: bool) -> Result<(), ClientError> {
        match self.state {
            State::Done => Ok(()),
            // RFC 5802 §5: success without the server's signature is none.
            _ if accepted => Err(ClientError::NoServerProof),
            _ => Ok(()),
        }
    }
}

/// Why a server says that SCRAM failed: RFC 5802 §7, server-error-value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A field is not in its encoding.
    #[error("invalid-encoding")]
    InvalidEncoding,
    /// The client wants an extension that the server does not have.
    #[error("extensions-not-supported")]
    ExtensionsNotSupported,
    /// The proof is wrong.
    #[error("invalid-proof")]
    InvalidProof,
    /// The client and the server are bound to different channels: somebody is in between.
    #[error("channel-bindings-dont-match")]
    ChannelBindingsDontMatch,
    /// The client was told that the server does not bind, and it does: somebody is in between.
    #[error("server-does-support-channel-binding")]
    ServerDoesSupportChannelBinding,
    /// The server does not bind.
    #[error("channel-binding-not-supported")]
    ChannelBindingNotSupported,
    /// The server does not bind in this way.
    #[error("unsupported-channel-binding-type")]
    UnsupportedChannelBindingType,
    /// There is no such user.
    #[error("unknown-user")]
    UnknownUser,
    /// The name cannot be prepared.
    #[error("invalid-username-encoding")]
    InvalidUsernameEncoding,
    /// The server lacks memory or the like.
    #[error("no-resources")]
    NoResources,
    /// Anything else.
    #[error("other-error")]
    Other,
}

impl ServerError {
    fn of(word: &str) -> Self {
        // RFC 5802 §7: an unknown word is to be taken for "other-error".
        match word {
            "invalid-encoding" => Self::InvalidEncoding,
            "extensions-not-supported" => Self::ExtensionsNotSupported,
            "invalid-proof" => Self::InvalidProof,
            "channel-bindings-dont-match" => Self::ChannelBindingsDontMatch,
            "server-does-support-channel-binding" => Self::ServerDoesSupportChannelBinding,
            "channel-binding-not-supported" => Self::ChannelBindingNotSupported,
            "unsupported-channel-binding-type" => Self::UnsupportedChannelBindingType,
            "unknown-user" => Self::UnknownUser,
            "invalid-username-encoding" => Self::InvalidUsernameEncoding,
            "no-resources" => Self::NoResources,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests;
