//! CRAM-MD5, client side: RFC 2195 §2. One challenge, one answer.

use alloc::string::{String, ToString as _};

use mailwright_core::value::Secret;

use super::{ClientError, ClientMechanism, ClientStep, Credentials};
use crate::cram_md5::digest;

/// The exchange: who answers, until it has answered.
pub(super) struct CramMd5 {
    claim: Option<(String, Secret)>,
}

impl CramMd5 {
    /// `Unsupported` if the credentials ask to act for another: CRAM-MD5 has no place for that.
    pub(super) fn new(credentials: &Credentials) -> Result<Self, ClientError> {
        let Credentials::Password { authcid, authzid: None, password } = credentials else {
            return Err(ClientError::Unsupported);
        };
        Ok(Self { claim: Some((authcid.to_string(), password.clone())) })
    }
}

impl ClientMechanism for CramMd5 {
    fn initial(&mut self) -> Option<Secret> {
        None
    }

    fn challenge(&mut self, challenge: &[u8]) -> Result<ClientStep, ClientError> {
        let (mut response, password) = self.claim.take().ok_or(ClientError::UnexpectedChallenge)?;
        response.push(' ');
        response.push_str(&digest(password.expose(), challenge));
        Ok(ClientStep::Respond(Secret::from(response)))
    }

    fn outcome(&mut self, accepted: bool) -> Result<(), ClientError> {
        // Success without a challenge is nothing that CRAM-MD5 has.
        if accepted && self.claim.is_some() { Err(ClientError::UnexpectedChallenge) } else { Ok(()) }
    }
}
