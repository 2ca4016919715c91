//! [`Misuse`]: a call by the host that does not fit. It never disturbs the session.

/// Why a session refused a call of its host. The session is as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The token belongs to another session, or its question is no longer open (the session was reset or closed).
    #[error("this question is not open in this session")]
    NotOpen,
    /// The answer does not fit the question, for example a `354` to RCPT or a failure code where success is meant.
    #[error("the answer does not fit the question")]
    WrongAnswer,
    /// The call is not possible in the present state, for example MAIL inside a transaction.
    #[error("not possible in the present state")]
    WrongState,
    /// The peer did not announce what the call needs.
    #[error("the peer did not announce the extension that this needs")]
    NotAnnounced,
    /// The limit of commands in flight or of queued output is reached: read events and call again.
    #[error("too much in flight: read events first, then call again")]
    Busy,
    /// The value exceeds a limit of the protocol or of the configuration.
    #[error("the value exceeds a limit")]
    TooLarge,
    /// The peer allows no more of this in one session, as it has announced: open another one.
    #[error("the peer allows no more of this in one session")]
    SessionLimit,
    /// Credentials would travel in plaintext, which the configuration does not allow.
    #[error("credentials would travel in plaintext")]
    Plaintext,
    /// The conversation is over.
    #[error("the session is closed")]
    Closed,
}

/// A refused answer: the token comes back with the reason, so that the question can still be answered.
#[derive(Debug, thiserror::Error)]
#[error("{misuse}")]
#[non_exhaustive]
pub struct Refused<T> {
    /// The token that was handed in.
    pub token: T,
    /// Why the answer was refused.
    pub misuse: Misuse,
}

impl<T> Refused<T> {
    /// Gives `token` back because of `misuse`.
    #[must_use]
    pub const fn new(token: T, misuse: Misuse) -> Self {
        Self { token, misuse }
    }
}

impl<T> From<Refused<T>> for Misuse {
    fn from(refused: Refused<T>) -> Self {
        refused.misuse
    }
}
