//! EXTERNAL (RFC 4422, appendix A) and ANONYMOUS (RFC 4505), client side: one message that proves nothing.

use mailwright_core::value::Secret;

use super::{ClientError, ClientMechanism, ClientStep, Credentials};
use crate::name::MechanismName;

/// The exchange: the one message, until it is handed out.
pub(super) struct Claim {
    message: Option<Secret>,
}

impl Claim {
    pub(super) fn new(name: MechanismName, credentials: &Credentials) -> Result<Self, ClientError> {
        let message = match credentials {
            Credentials::External { authzid } if name == MechanismName::EXTERNAL => authzid.as_deref(),
            Credentials::Anonymous { trace } if name == MechanismName::ANONYMOUS => Some(trace.as_str()),
            _ => return Err(ClientError::Unsupported),
        };
        Ok(Self { message: Some(Secret::from(message.unwrap_or_default())) })
    }
}

impl ClientMechanism for Claim {
    fn initial(&mut self) -> Option<Secret> {
        self.message.take()
    }

    fn challenge(&mut self, _challenge: &[u8]) -> Result<ClientStep, ClientError> {
        Err(ClientError::UnexpectedChallenge)
    }
}
