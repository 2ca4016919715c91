//! How calls of the host fail: [`AuthenticateError`], [`SendError`]. What the peer did wrong is in
//! [`Closed`](super::Closed).

use mailwright_core::value::Misuse;
use mailwright_sasl::{ChooseError, ClientError};

use crate::content::ContentError;

/// Why AUTH was not begun; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticateError {
    /// Not now, or not announced.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// No announced mechanism fits the credentials and the policy.
    #[error(transparent)]
    Choose(#[from] ChooseError),
    /// The mechanism cannot work with the credentials.
    #[error(transparent)]
    Mechanism(#[from] ClientError),
}

/// Why content was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No content is awaited now; the session is as it was.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// The content may not be sent. The session is closed: only so the server is sure to drop what came before.
    #[error(transparent)]
    Content(#[from] ContentError),
}
