//! LOGIN, client side: the name for the first prompt, the password for the second, whatever the
//! prompts say.

use mailwright_core::value::Secret;

use super::{ClientError, ClientMechanism, ClientStep, Credentials};

/// The exchange: what is still to be sent.
pub(super) struct Login {
    name: Option<Secret>,
    password: Option<Secret>,
}

impl Login {
    /// `Unsupported` if the credentials ask to act for another: LOGIN has no place for that.
    pub(super) fn new(credentials: &Credentials) -> Result<Self, ClientError> {
        let Credentials::Password { authcid, authzid: None, password } = credentials else {
            return Err(ClientError::Unsupported);
        };
        Ok(Self { name: Some(Secret::from(authcid.as_str())), password: Some(password.clone()) })
    }
}

impl ClientMechanism for Login {
    fn initial(&mut self) -> Option<Secret> {
        None
    }

    fn challenge(&mut self, _prompt: &[u8]) -> Result<ClientStep, ClientError> {
        let next = self.name.take().or_else(|| self.password.take());
        next.map(ClientStep::Respond).ok_or(ClientError::UnexpectedChallenge)
    }

    fn outcome(&mut self, accepted: bool) -> Result<(), ClientError> {
        // Success without a password asked for is nothing that LOGIN has.
        if accepted && self.password.is_some() { Err(ClientError::UnexpectedChallenge) } else { Ok(()) }
    }
}
