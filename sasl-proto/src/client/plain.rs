//! PLAIN, client side: RFC 4616. One message, `[authzid] NUL authcid NUL passwd`.

use alloc::vec::Vec;

use mailwright_core::value::Secret;

use super::{ClientError, ClientMechanism, ClientStep, Credentials};

/// The exchange: the one message, until it is handed out.
pub(super) struct Plain {
    message: Option<Secret>,
}

impl Plain {
    pub(super) fn new(credentials: &Credentials) -> Result<Self, ClientError> {
        let Credentials::Password { authcid, authzid, password } = credentials else {
            return Err(ClientError::Unsupported);
        };
        let authzid = authzid.as_deref().unwrap_or_default();
        // At its full size at once, so that no copy of the password stays behind.
        let mut message = Vec::with_capacity(authzid.len() + authcid.len() + password.expose().len() + 2);
        message.extend_from_slice(authzid.as_bytes());
        message.push(0);
        message.extend_from_slice(authcid.as_bytes());
        message.push(0);
        message.extend_from_slice(password.expose());
        Ok(Self { message: Some(Secret::new(message)) })
    }
}

impl ClientMechanism for Plain {
    fn initial(&mut self) -> Option<Secret> {
        self.message.take()
    }

    fn challenge(&mut self, _challenge: &[u8]) -> Result<ClientStep, ClientError> {
        Err(ClientError::UnexpectedChallenge)
    }
}
