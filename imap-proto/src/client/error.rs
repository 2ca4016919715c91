//! How calls of the host fail: [`SendError`], [`ContentError`]. What the server did wrong is in
//! [`Closed`](super::Closed).

use mailwright_core::value::Misuse;

use crate::encode::EncodeError;

/// Why a command was not sent; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Not now, or not announced.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// A value cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The server announces LOGINDISABLED.
    #[error("the server does not take LOGIN here")]
    LoginDisabled,
    /// The command names messages by numbers, or is answered by them, which UIDONLY has ended.
    #[error("message numbers cannot be used any more, only UIDs")]
    NumbersDisabled,
    /// This must be enabled first, by ENABLE.
    #[error("{0} must be enabled first")]
    NotEnabled(&'static str),
}

/// Why octets of a message were not taken; none of them was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// No content is awaited now.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// A NUL, which no message in IMAP can hold (RFC 9051 §9, `CHAR8`).
    #[error("a NUL at offset {offset}")]
    Nul {
        /// Where, in the octets that were given.
        offset: usize,
    },
}
