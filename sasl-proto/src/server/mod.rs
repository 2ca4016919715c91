//! The server side of an exchange: [`Server`] and what it says ([`ServerStep`]), asks ([`Ask`]) and
//! ends with ([`Identity`], [`Reason`]). RFC 4422 §3.
//!
//! [`Server`] keeps the order of an exchange, its limits and its outcome, whatever the mechanism; the
//! mechanisms themselves know only their messages. Which ones a server has is in `offers`. The base64
//! lines are the protocol crates' business.

mod anonymous;
mod authorization;
#[cfg(feature = "legacy-md5")]
mod cram_md5;
mod external;
mod login;
mod oauth;
mod offers;
mod plain;
mod policy;
mod question;
mod scram;

use alloc::boxed::Box;
use core::fmt;

use bytes::Bytes;

pub use self::offers::{BeginError, Offer, Offers};
pub use self::policy::ServerPolicy;
pub use self::question::{Answer, Ask, Identity};
use crate::name::MechanismName;

/// What the server does next.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerStep {
    /// Send these octets, which may be none, and hand the client's answer to [`Server::respond`].
    Challenge(Bytes),
    /// Let the host decide, and hand its decision to [`Server::answer`].
    Ask(Ask),
    /// The end: the client is who it says.
    Accept(Identity),
    /// The end: it is not.
    Reject(Reason),
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The client's message is not one of the mechanism.
    #[error("malformed authentication message")]
    Malformed,
    /// An initial response to a mechanism in which the server speaks first.
    #[error("initial response to a mechanism in which the server speaks first")]
    UnexpectedInitialResponse,
    /// A message above the limit.
    #[error("authentication message too long")]
    TooLong,
    /// More challenges than the policy allows.
    #[error("too many challenges")]
    TooManyChallenges,
    /// What the client says about channel binding does not fit this connection: somebody is in between, or
    /// has changed what the server announced.
    #[error("channel binding does not match")]
    ChannelBinding,
    /// Anything that depends on the user or the secret.
    #[error("authentication credentials invalid")]
    BadCredentials,
    /// The host cannot decide now; the credentials may be good.
    #[error("temporary authentication failure")]
    TempFail,
}

/// A call out of turn. The exchange is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exchange is over or waits for something else")]
#[non_exhaustive]
pub struct StateError;

/// The server side of one mechanism, for those that a host brings along.
///
/// [`Server`] calls [`Self::start`] once, then answers each [`ServerStep::Challenge`] with
/// [`Self::respond`] and each [`ServerStep::Ask`] with [`Self::answer`], and nothing after
/// [`ServerStep::Accept`] or [`ServerStep::Reject`]. Messages above the limit never get here. Overwrite
/// secrets on drop.
pub trait ServerMechanism: Send + Sync {
    /// Begins; `initial` is the initial response, if there was one.
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep;
    /// Takes the client's answer to a challenge.
    fn respond(&mut self, response: &[u8]) -> ServerStep;
    /// Takes the host's answer to a question.
    fn answer(&mut self, answer: Answer) -> ServerStep;
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Start,
    Client,
    Host,
    Over,
}

/// One exchange, seen from the server. Made by [`Offers::begin`].
pub struct Server {
    name: MechanismName,
    mechanism: Option<Box<dyn ServerMechanism>>,
    turn: Turn,
    message_limit: usize,
    challenges_left: u32,
}

impl Server {
    fn new(
        name: MechanismName,
        mechanism: Box<dyn ServerMechanism>,
        message_limit: usize,
        policy: &ServerPolicy,
    ) -> Self {
        Self {
            name,
            mechanism: Some(mechanism),
            turn: Turn::Start,
            message_limit,
            challenges_left: policy.max_challenges,
        }
    }

    /// Which mechanism this is.
    #[must_use]
    pub const fn mechanism(&self) -> MechanismName {
        self.name
    }

    /// Most decoded octets of one response.
    #[must_use]
    pub const fn message_limit(&self) -> usize {
        self.message_limit
    }

    /// Begins. `initial` is the decoded initial response: `None` if there was none, empty if it was `=`.
    ///
    /// # Errors
    /// If the exchange has begun already.
    pub fn start(&mut self, initial: Option<&[u8]>) -> Result<ServerStep, StateError> {
        if initial.is_some_and(|octets| octets.len() > self.message_limit) && self.turn == Turn::Start {
            return Ok(self.end(Reason::TooLong));
        }
        self.step(Turn::Start, |mechanism| mechanism.start(initial))
    }

    /// Takes the client's answer to a challenge.
    ///
    /// # Errors
    /// If no challenge is open.
    pub fn respond(&mut self, response: &[u8]) -> Result<ServerStep, StateError> {
        if response.len() > self.message_limit && self.turn == Turn::Client {
            return Ok(self.end(Reason::TooLong));
        }
        self.step(Turn::Client, |mechanism| mechanism.respond(response))
    }

    /// Takes the host's answer to a question.
    ///
    /// # Errors
    /// If no question is open.
    pub fn answer(&mut self, answer: Answer) -> Result<ServerStep, StateError> {
        self.step(Turn::Host, |mechanism| mechanism.answer(answer))
    }

    /// The client gave up (`*`), or is gone. What the exchange held is overwritten now.
    pub fn cancel(&mut self) {
        self.turn = Turn::Over;
        self.mechanism = None;
    }

    fn step(
        &mut self,
        turn: Turn,
        call: impl FnOnce(&mut dyn ServerMechanism) -> ServerStep,
    ) -> Result<ServerStep, StateError> {
        if self.turn != turn {
            return Err(StateError);
        }
        let Some(mechanism) = &mut self.mechanism else { return Err(StateError) };
        let step = call(mechanism.as_mut());
        match step {
            ServerStep::Challenge(_) => match self.challenges_left.checked_sub(1) {
                Some(left) => {
                    self.challenges_left = left;
                    self.turn = Turn::Client;
                }
                None => return Ok(self.end(Reason::TooManyChallenges)),
            },
            ServerStep::Ask(_) => self.turn = Turn::Host,
            ServerStep::Accept(_) | ServerStep::Reject(_) => self.cancel(),
        }
        Ok(step)
    }

    fn end(&mut self, reason: Reason) -> ServerStep {
        self.cancel();
        ServerStep::Reject(reason)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("mechanism", &self.name)
            .field("turn", &self.turn)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
