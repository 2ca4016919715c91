//! The questions that mechanisms share: is this the password, and may who it is act for another?

use alloc::string::{String, ToString};

use mailwright_core::value::Secret;

use super::{Answer, Ask, Identity, Reason, ServerStep};
use crate::prepare::{Strings, prepare};

/// The wish to act for another, kept until the credentials are known to be good.
pub(super) struct Authorization {
    /// The name that was presented. `None` if the host says whose the credentials are.
    authcid: Option<String>,
    authzid: Option<String>,
}

impl Authorization {
    pub(super) const fn new(authcid: Option<String>, authzid: Option<String>) -> Self {
        Self { authcid, authzid }
    }

    /// Prepares name and password, and makes the first question of them.
    pub(super) fn by_password(
        authzid: Option<&str>,
        authcid: &str,
        password: &str,
    ) -> Result<(Self, Ask), Reason> {
        // RFC 4616 §2: presented strings are query strings; if preparation fails or gives an empty
        // string, verification fails, without a question to the host.
        let prepared = |text| prepare(text, Strings::Query).map_err(|_| Reason::BadCredentials);
        let authcid = prepared(authcid)?.to_string();
        // The form of an authorization identity is the protocol's; none here prepares it further.
        let authzid = authzid.map(ToString::to_string);
        let password = Secret::from(prepared(password)?.into_owned());
        let ask = Ask::Password { authcid: authcid.clone(), authzid: authzid.clone(), password };
        Ok((Self::new(Some(authcid), authzid), ask))
    }

    /// Takes an answer. The identity once all is said, or what comes first.
    pub(super) fn answer(&mut self, answer: Answer) -> Result<Identity, ServerStep> {
        let identity = match answer {
            Answer::Yes(identity) => identity,
            Answer::TempFail => return Err(ServerStep::Reject(Reason::TempFail)),
            _ => return Err(ServerStep::Reject(Reason::BadCredentials)),
        };
        // RFC 4616 §2: the server verifies that the credentials permit to act as the authorization identity.
        // Asked once, since what is taken is gone.
        let own = self.authcid.as_ref().unwrap_or(&identity.authentication);
        match self.authzid.take() {
            Some(authzid) if authzid != *own => {
                Err(ServerStep::Ask(Ask::Authorize { authcid: identity.authentication, authzid }))
            }
            _ => Ok(identity),
        }
    }

    /// The same, where the identity is the end.
    pub(super) fn conclude(&mut self, answer: Answer) -> ServerStep {
        self.answer(answer).map_or_else(|step| step, ServerStep::Accept)
    }
}
