//! The server side of an exchange: [`Server`] and what it says ([`ServerStep`]), asks ([`Ask`]) and
//! ends with ([`Identity`], [`Reason`]). RFC 4422 §3.
//!
//! [`Server`] keeps the order of an exchange, its limits and its outcome, whatever the mechanism; the
//! mechanisms themselves know only their messages. Which ones a server has is in `offers`. The base64
//! lines are the protocol crates' business.

mod login;
mod offers;
mod plain;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use bytes::Bytes;
use mailwright_core::value::Secret;

pub(crate) use self::login::Login;
pub use self::offers::{BeginError, Offer, Offers};
pub(crate) use self::plain::Plain;
use crate::name::MechanismName;
use crate::prepare::{Strings, prepare};

/// How a server runs its exchanges. Plain data; the defaults suit a public server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerPolicy {
    /// Most decoded octets of one response. Default 4096: no mechanism here needs more.
    pub message_limit: usize,
    /// The same for PLAIN and LOGIN. Default 12 288: room for three fields of [`crate::FIELD_LIMIT`].
    pub clear_text_message_limit: usize,
    /// Most challenges of one exchange. Default 8: LOGIN needs 2, SCRAM 3.
    pub max_challenges: u32,
    /// Whether LOGIN takes a name as initial response. Default `false`: the server speaks first in LOGIN,
    /// so RFC 4422 §3 has no place for one; a few clients send it all the same.
    pub login_initial_response: bool,
}

impl Default for ServerPolicy {
    fn default() -> Self {
        Self {
            message_limit: 4096,
            clear_text_message_limit: 12_288,
            max_challenges: 8,
            login_initial_response: false,
        }
    }
}

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

/// A question to the host. Names are prepared with SASLprep ([`prepare`]), so compare them as they are.
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
    /// Whose credentials are in question.
    #[must_use]
    pub fn authcid(&self) -> &str {
        match self {
            Self::Password { authcid, .. } | Self::Authorize { authcid, .. } => authcid,
        }
    }

    /// The answer yes, with the names as they were asked.
    #[must_use]
    pub fn accept(&self) -> Answer {
        Answer::Yes(match self {
            Self::Password { authcid, .. } => Identity::new(authcid.as_str()),
            Self::Authorize { authcid, authzid } => {
                Identity::new(authcid.as_str()).acting_as(authzid.as_str())
            }
        })
    }
}

/// The host's decision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Yes, and this is who it is by the host's own names.
    Yes(Identity),
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

/// Name, password and the wish to act for another, once the client has sent them: the questions that
/// PLAIN and LOGIN share.
struct PasswordQuestion {
    authcid: String,
    authzid: Option<String>,
    asked_to_authorize: bool,
}

impl PasswordQuestion {
    /// Prepares what came and makes the first question of it.
    fn ask(authzid: Option<&str>, authcid: &str, password: &str) -> Result<(Self, Ask), Reason> {
        // RFC 4616 §2: presented strings are query strings; if preparation fails or gives an empty
        // string, verification fails, without a question to the host.
        let prepared = |text| prepare(text, Strings::Query).map_err(|_| Reason::BadCredentials);
        let question = Self {
            authcid: prepared(authcid)?.to_string(),
            // The form of an authorization identity is the protocol's; none here prepares it further.
            authzid: authzid.map(ToString::to_string),
            asked_to_authorize: false,
        };
        let ask = Ask::Password {
            authcid: question.authcid.clone(),
            authzid: question.authzid.clone(),
            password: Secret::from(prepared(password)?.into_owned()),
        };
        Ok((question, ask))
    }

    fn answer(&mut self, answer: Answer) -> ServerStep {
        let identity = match answer {
            Answer::Yes(identity) => identity,
            Answer::No => return ServerStep::Reject(Reason::BadCredentials),
            Answer::TempFail => return ServerStep::Reject(Reason::TempFail),
        };
        // RFC 4616 §2: the server verifies that the credentials permit to act as the authorization identity.
        match self.authzid.take() {
            Some(authzid) if !self.asked_to_authorize && authzid != self.authcid => {
                self.asked_to_authorize = true;
                ServerStep::Ask(Ask::Authorize { authcid: identity.authentication, authzid })
            }
            _ => ServerStep::Accept(identity),
        }
    }
}

#[cfg(test)]
mod tests;
