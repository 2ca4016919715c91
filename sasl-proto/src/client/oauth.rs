//! OAUTHBEARER (RFC 7628) and XOAUTH2, client side: the token in one message; what the server tells about a
//! failure is kept and answered as each of them wants it.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use mailwright_core::value::Secret;

use super::{ClientError, ClientMechanism, ClientStep, Credentials};
use crate::scram::message::encode_name;

/// The exchange: the message until it is handed out, then perhaps a failure.
pub(super) struct OAuth {
    message: Option<Secret>,
    /// What a failure is answered with.
    acknowledgement: &'static [u8],
    failure: Option<Box<[u8]>>,
}

impl OAuth {
    pub(super) fn oauthbearer(credentials: &Credentials) -> Result<Self, ClientError> {
        let Credentials::Token { user, token, host, port } = credentials else {
            return Err(ClientError::Unsupported);
        };
        // RFC 7628 §3.1: gs2-header, then host, port and auth as key-value pairs, a separator behind each and one
        // behind all.
        let mut header = format!("n,a={},\u{1}", encode_name(user));
        if let Some(host) = host {
            header.push_str(&format!("host={host}\u{1}"));
        }
        if let Some(port) = port {
            header.push_str(&format!("port={port}\u{1}"));
        }
        // RFC 7628 §3.2.3: a failure is answered with one separator.
        Ok(Self::new(header.as_bytes(), token, b"\x01"))
    }

    pub(super) fn xoauth2(credentials: &Credentials) -> Result<Self, ClientError> {
        let Credentials::Token { user, token, .. } = credentials else {
            return Err(ClientError::Unsupported);
        };
        Ok(Self::new(format!("user={user}\u{1}").as_bytes(), token, b""))
    }

    fn new(header: &[u8], token: &Secret, acknowledgement: &'static [u8]) -> Self {
        const AUTH: &[u8] = b"auth=Bearer ";
        // At its full size at once, so that no copy of the token stays behind.
        let mut message = Vec::with_capacity(header.len() + AUTH.len() + token.expose().len() + 2);
        message.extend_from_slice(header);
        message.extend_from_slice(AUTH);
        message.extend_from_slice(token.expose());
        message.extend_from_slice(b"\x01\x01");
        Self { message: Some(Secret::new(message)), acknowledgement, failure: None }
    }
}

impl ClientMechanism for OAuth {
    fn initial(&mut self) -> Option<Secret> {
        self.message.take()
    }

    fn challenge(&mut self, challenge: &[u8]) -> Result<ClientStep, ClientError> {
        if self.failure.is_some() {
            return Err(ClientError::UnexpectedChallenge);
        }
        self.failure = Some(challenge.into());
        Ok(ClientStep::Respond(Secret::from(self.acknowledgement)))
    }

    fn failure(&self) -> Option<&[u8]> {
        self.failure.as_deref()
    }

    fn outcome(&mut self, accepted: bool) -> Result<(), ClientError> {
        // RFC 7628 §3.2.3: behind an error message there is failure only.
        if accepted && self.failure.is_some() { Err(ClientError::UnexpectedChallenge) } else { Ok(()) }
    }
}
