//! What a server asks its host ([`Ask`]), what the host says ([`Answer`]), and who a client is in the end
//! ([`Identity`]).

use alloc::string::String;

use mailwright_core::value::Secret;

use crate::scram::{ScramHash, ScramKeys};

/// A question to the host. Names are prepared with SASLprep ([`prepare`](crate::prepare)()), so compare them as they are.
///
/// Spend the same work on an unknown name as on a known one: verify the password against a dummy hash
/// of the same cost, then answer [`Answer::No`]. The exchange sees to the rest: both kinds of failure
/// give the same messages and the same questions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ask {
    /// Is this the password of `authcid`?
    Password {
        /// Whose password it is.
        authcid: String,
        /// On whose behalf the client wants to act, if not its own. For information: [`Ask::Authorize`]
        /// asks about it once the password is known to be right.
        authzid: Option<String>,
        /// The password as presented, prepared.
        password: Secret,
    },
    /// What are the SCRAM keys of `authcid`? Answer [`Answer::Keys`], without keys if there is no such user, or
    /// none with keys of this hash function: the exchange then goes on and fails in the end as with a wrong
    /// password.
    ScramKeys {
        /// Whose keys.
        authcid: String,
        /// For which hash function.
        hash: ScramHash,
    },
    /// Is this token good, and whose is it? Answer [`Answer::Yes`] with who it belongs to.
    Token {
        /// On whose behalf the client wants to act, as it says; with XOAUTH2 the user. For information:
        /// [`Ask::Authorize`] asks about it if it is not whom the token belongs to.
        authzid: Option<String>,
        /// The bearer token.
        token: Secret,
    },
    /// Who is the client by what the layer below has proved, a TLS client certificate for example? Answer
    /// [`Answer::Yes`] with that name.
    External {
        /// On whose behalf the client wants to act, if it says so. For information, as with a token.
        authzid: Option<String>,
    },
    /// May nobody in particular come in? Answer [`Answer::Yes`] with the name of your guests.
    Anonymous {
        /// What the client wants to be found in the logs: an address, or anything.
        trace: Option<String>,
    },
    /// What is the password of `authcid`, for CRAM-MD5? Answer [`Answer::Secret`].
    #[cfg(feature = "legacy-md5")]
    CramSecret {
        /// Whose password.
        authcid: String,
    },
    /// May `authcid`, whose credentials are good, act as `authzid`? Asked whenever the client named an
    /// authorization identity that differs; answer [`Answer::No`] if nobody may act for another.
    Authorize {
        /// Who it is.
        authcid: String,
        /// Who it wants to be.
        authzid: String,
    },
}

impl Ask {
    /// Whose credentials are in question, as the client says; with a token, EXTERNAL and ANONYMOUS the name that
    /// it gives, which may be none.
    #[must_use]
    pub fn authcid(&self) -> &str {
        match self {
            Self::Password { authcid, .. }
            | Self::ScramKeys { authcid, .. }
            | Self::Authorize { authcid, .. } => authcid,
            #[cfg(feature = "legacy-md5")]
            Self::CramSecret { authcid } => authcid,
            Self::Token { authzid: name, .. }
            | Self::External { authzid: name }
            | Self::Anonymous { trace: name } => name.as_deref().unwrap_or_default(),
        }
    }

    /// The answer yes, with the names as they were asked. [`Answer::No`] where the answer is a secret, or a name
    /// that the client has not given.
    #[must_use]
    pub fn accept(&self) -> Answer {
        match self {
            Self::Password { authcid, .. } => Answer::Yes(Identity::new(authcid.as_str())),
            Self::Authorize { authcid, authzid } => {
                Answer::Yes(Identity::new(authcid.as_str()).acting_as(authzid.as_str()))
            }
            Self::Token { authzid: Some(name), .. } | Self::External { authzid: Some(name) } => {
                Answer::Yes(Identity::new(name.as_str()))
            }
            _ => Answer::No,
        }
    }
}

/// The host's decision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Yes, and this is who it is by the host's own names.
    Yes(Identity),
    /// The keys of a user, if there is one and there are any. To [`Ask::ScramKeys`].
    Keys(Option<ScramKeys>),
    /// The password of a user, if there is one. To [`Ask::CramSecret`].
    #[cfg(feature = "legacy-md5")]
    Secret(Option<Secret>),
    /// No: unknown, wrong, disabled or not allowed. The client learns no more than that.
    No,
    /// The question cannot be decided now.
    TempFail,
}

/// Who a client is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Identity {
    /// Whose credentials were good.
    pub authentication: String,
    /// As whom the session acts; the same unless the client asked for another and was allowed.
    pub authorization: String,
}

impl Identity {
    /// `name`, acting as itself.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let authentication = name.into();
        Self { authorization: authentication.clone(), authentication }
    }

    /// The same, acting as `name`.
    #[must_use]
    pub fn acting_as(mut self, name: impl Into<String>) -> Self {
        self.authorization = name.into();
        self
    }
}
