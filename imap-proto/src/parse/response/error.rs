//! [`ResponseError`]: why a response cannot be read.

use bytes::Bytes;
use mailwright_core::value::{DeviationKind, Excerpt};

use crate::wire::FramingError;

/// Why a response, or something in it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}, near {near}")]
#[non_exhaustive]
pub struct ResponseError {
    /// What is wrong.
    pub kind: ResponseErrorKind,
    /// Octets of the response before the place.
    pub offset: u64,
    /// What stands there.
    pub near: Excerpt,
}

/// What is wrong with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseErrorKind {
    /// Something else was expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// More than the limit.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// Parentheses are nested deeper than the limit.
    #[error("nested too deeply")]
    TooDeep,
    /// It would take more memory than its octets are worth, or has more octets than the limits allow.
    #[error("too large")]
    TooLarge,
    /// A departure from the RFC, where only what it allows is read.
    #[error("{0}, which is not tolerated")]
    NotTolerated(DeviationKind),
}

/// A response that cannot be read. It was consumed to its end, so what follows can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a response that cannot be read: {error}")]
#[non_exhaustive]
pub struct InvalidResponse {
    /// The first octets of it.
    pub raw: Bytes,
    /// Why.
    #[source]
    pub error: ResponseError,
}

/// Why octets are no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseResponseError {
    /// It cannot be read.
    #[error(transparent)]
    Invalid(#[from] InvalidResponse),
    /// It is not known where it ends.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// It goes on behind the octets.
    #[error("the response is not complete")]
    Incomplete,
    /// Something stands behind it.
    #[error("octets behind the response")]
    Trailing,
}
