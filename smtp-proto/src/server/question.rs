//! Tokens: the right to answer a question, once. A host cannot make or copy them, and a session takes
//! only those of questions that it has open.

use alloc::vec::Vec;

use mailwright_core::value::Refused;

use super::Server;
use crate::types::Reply;

/// What ties a token to its question.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Which session.
    pub(super) session: u64,
    /// Which question of it; 0 was never asked.
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
                server.$decide(&self.0, answer).map_err(|misuse| Refused::new(self, misuse))
            }
        }
    )*};
}

tokens! {
    /// The right to answer [`Event::Hello`](super::Event::Hello).
    HelloToken => Reply, hello_answered;
    /// The right to answer [`Event::Authenticate`](super::Event::Authenticate).
    AuthenticateToken => mailwright_sasl::Answer, authenticate_answered;
    /// The right to answer [`Event::Sender`](super::Event::Sender).
    SenderToken => Reply, sender_answered;
    /// The right to answer [`Event::Recipient`](super::Event::Recipient).
    RecipientToken => Reply, recipient_answered;
    /// The right to answer [`Event::Data`](super::Event::Data).
    DataToken => Reply, data_answered;
    /// The right to answer [`Event::Message`](super::Event::Message).
    MessageToken => Verdict, message_answered;
    /// The right to answer [`Event::Verify`](super::Event::Verify).
    VerifyToken => Reply, verify_answered;
    /// The right to answer [`Event::Expand`](super::Event::Expand).
    ExpandToken => Reply, expand_answered;
    /// The right to answer [`Event::Help`](super::Event::Help).
    HelpToken => Reply, help_answered;
    /// The right to answer [`Event::QueueRun`](super::Event::QueueRun).
    QueueRunToken => Reply, queue_run_answered;
}

/// The answer to [`Event::Message`](super::Event::Message). Made from a [`Reply`] or a vector of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one for all, or one for each")]
pub enum Verdict {
    /// One reply; in LMTP said once for each accepted recipient.
    All(Reply),
    /// A reply for each accepted recipient, in the order of RCPT; in SMTP exactly one.
    Each(Vec<Reply>),
}

impl From<Reply> for Verdict {
    fn from(reply: Reply) -> Self {
        Self::All(reply)
    }
}

impl From<Vec<Reply>> for Verdict {
    fn from(replies: Vec<Reply>) -> Self {
        Self::Each(replies)
    }
}
