//! Tokens: the right to answer a question, once. They cannot be made by a host or copied, and a session
//! takes only the one of the question that it has open.

use mailwright_core::value::{Misuse, Refused};

use super::{Commit, Opening, Phase, Server};

/// What ties a token to its question.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Which session.
    pub(super) session: u64,
    /// Which question of it.
    pub(super) serial: u64,
}

/// The right to answer [`Event::Authenticate`](super::Event::Authenticate).
#[derive(Debug)]
pub struct AuthenticateToken(pub(super) Ticket);

/// The right to answer [`Event::Open`](super::Event::Open).
#[derive(Debug)]
pub struct OpenToken(pub(super) Ticket);

/// The right to send the message of [`Event::Retrieve`](super::Event::Retrieve).
#[derive(Debug)]
pub struct RetrieveToken(pub(super) Ticket);

/// The right to answer [`Event::Commit`](super::Event::Commit).
#[derive(Debug)]
pub struct CommitToken(pub(super) Ticket);

mod sealed {
    //! Keeps [`Question`](super::Question) to this crate.

    #[expect(unnameable_types, reason = "sealed: only this crate implements it")]
    pub trait Sealed {}

    impl Sealed for super::AuthenticateToken {}
    impl Sealed for super::OpenToken {}
    impl Sealed for super::CommitToken {}
}

/// A token with an answer: [`AuthenticateToken`] takes a [`mailwright_sasl::Answer`], [`OpenToken`] an
/// [`Opening`], [`CommitToken`] a [`Commit`]. ([`RetrieveToken`] goes with [`Server::content`].)
pub trait Question: sealed::Sealed + Sized {
    /// What the host answers with.
    type Answer;

    /// What [`Server::answer`] does.
    #[doc(hidden)]
    fn decide(self, server: &mut Server, answer: Self::Answer) -> Result<(), Refused<Self>>;
}

impl Question for AuthenticateToken {
    type Answer = mailwright_sasl::Answer;

    fn decide(self, server: &mut Server, answer: Self::Answer) -> Result<(), Refused<Self>> {
        if !server.is_latest(&self.0) || !matches!(server.phase, Phase::Authenticate(_)) {
            return Err(Refused::new(self, Misuse::NotOpen));
        }
        server.authenticated(answer);
        Ok(())
    }
}

impl Question for OpenToken {
    type Answer = Opening;

    fn decide(self, server: &mut Server, answer: Self::Answer) -> Result<(), Refused<Self>> {
        if !server.is_latest(&self.0) || !matches!(server.phase, Phase::Open) {
            return Err(Refused::new(self, Misuse::NotOpen));
        }
        server.opened(answer);
        Ok(())
    }
}

impl Question for CommitToken {
    type Answer = Commit;

    fn decide(self, server: &mut Server, answer: Self::Answer) -> Result<(), Refused<Self>> {
        if !server.is_latest(&self.0) || !matches!(server.phase, Phase::Commit(_)) {
            return Err(Refused::new(self, Misuse::NotOpen));
        }
        server.committed(answer);
        Ok(())
    }
}
