//! Tokens: the right to answer a question, once. A host cannot make or copy them, and a session takes
//! only the one of the question that it has open.

use mailwright_core::value::{Misuse, Refused};

use super::event::{Copied, Listed, Refusal, Stored};
use super::{Loaded, Opened, Server};

/// What ties a token to its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Which session.
    pub(super) session: u64,
    /// Which question of it.
    pub(super) serial: u64,
}

mod sealed {
    //! Keeps [`Question`](super::Question) to this crate.

    #[expect(unnameable_types, reason = "sealed: only this crate implements it")]
    pub trait Sealed {}
}

/// A token with the type of its answer, for [`Server::answer`].
pub trait Question: sealed::Sealed + Sized {
    /// What the host answers with.
    type Answer;

    /// What [`Server::answer`] does.
    #[doc(hidden)]
    fn decide(self, server: &mut Server, answer: Self::Answer) -> Result<(), Refused<Self>>;
}

macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident => $answer:ty, $decide:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(pub(super) Ticket);

        impl sealed::Sealed for $name {}

        impl Question for $name {
            type Answer = $answer;

            fn decide(self, server: &mut Server, answer: $answer) -> Result<(), Refused<Self>> {
                if !server.is_open(self.0) {
                    return Err(Refused::new(self, Misuse::NotOpen));
                }
                server.$decide(answer);
                Ok(())
            }
        }
    )*};
}

tokens! {
    /// The right to answer [`Event::Authenticate`](super::Event::Authenticate).
    AuthenticateToken => mailwright_sasl::Answer, authenticate_answered;
    /// The right to answer [`Event::Select`](super::Event::Select).
    SelectToken => Result<Opened, Refusal>, selected;
    /// The right to answer [`Event::Load`](super::Event::Load).
    LoadToken => Result<Loaded, Refusal>, loaded;
    /// The right to answer [`Event::Refresh`](super::Event::Refresh).
    RefreshToken => (), refreshed;
    /// The right to answer [`Event::Change`](super::Event::Change).
    ChangeToken => Result<(), Refusal>, changed;
    /// The right to answer [`Event::List`](super::Event::List).
    ListToken => Result<Listed, Refusal>, listed;
    /// The right to answer [`Event::Status`](super::Event::Status).
    StatusToken => Result<alloc::vec::Vec<u64>, Refusal>, status_told;
    /// The right to answer [`Event::Append`](super::Event::Append).
    AppendToken => Result<(), Refusal>, append_answered;
    /// The right to answer [`Event::Appended`](super::Event::Appended).
    AppendedToken => Result<Stored, Refusal>, appended;
    /// The right to answer [`Event::Expunge`](super::Event::Expunge).
    ExpungeToken => Result<(), Refusal>, expunged;
    /// The right to answer [`Event::Search`](super::Event::Search).
    SearchToken => Result<mailwright_core::value::UidSet, Refusal>, found;
    /// The right to answer [`Event::Store`](super::Event::Store).
    StoreToken => Result<(), Refusal>, stored;
    /// The right to answer [`Event::Copy`](super::Event::Copy).
    CopyToken => Result<Copied, Refusal>, copied;
}

/// The right to tell what [`Event::Fetch`](super::Event::Fetch) asks, with
/// [`fetch_item`](Server::fetch_item), [`begin_section`](Server::begin_section), [`content`](Server::content) and
/// [`finish`](Server::finish).
#[derive(Debug)]
pub struct FetchToken(pub(super) Ticket);
