//! The client side of an exchange: [`Client`], what it says ([`ClientStep`]), with which
//! [`Credentials`], and which mechanism to take ([`choose`]). RFC 4422 §3.
//!
//! [`Client`] keeps the order of an exchange and its limits, whatever the mechanism. The base64 lines,
//! and whether the first message fits into the command, are the protocol crates' business.

mod choose;
mod credentials;
mod login;
mod plain;

use alloc::boxed::Box;
use core::fmt;

use mailwright_core::value::Secret;

pub use self::choose::{ChooseError, Situation, choose};
pub use self::credentials::{Credentials, CredentialsError};
use self::login::Login;
use self::plain::Plain;
use crate::name::MechanismName;
use crate::seed::Nonce;

/// How a client runs its exchanges and which mechanisms it takes. Plain data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientPolicy {
    /// Most decoded octets of one challenge. Default 4096.
    pub message_limit: usize,
    /// Most challenges of one exchange. Default 8: LOGIN needs 2, SCRAM 3.
    pub max_challenges: u32,
    /// Whether mechanisms that send the password in clear text may be used without TLS. Default `false`.
    pub clear_text_without_tls: bool,
    /// Nothing weaker than this one is taken, in the order of [`choose`]. Default `None`.
    pub min_mechanism: Option<MechanismName>,
}

impl Default for ClientPolicy {
    fn default() -> Self {
        Self { message_limit: 4096, max_challenges: 8, clear_text_without_tls: false, min_mechanism: None }
    }
}

/// What the client does next.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientStep {
    /// Send these octets, which may be none.
    Respond(Secret),
    /// The mechanism has said all it has: where the protocol owes the challenge an answer, send an
    /// empty one; then the outcome is next.
    AwaitOutcome,
}

/// Why an exchange cannot go on. Cancel it (`*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// This crate has no such mechanism, or the credentials do not fit it.
    #[error("the mechanism is not available for these credentials")]
    Unsupported,
    /// A call out of turn. The exchange is as it was.
    #[error("the exchange is over or waits for something else")]
    State,
    /// A challenge for which the mechanism has no place.
    #[error("a challenge that the mechanism does not have")]
    UnexpectedChallenge,
    /// A challenge above the limit.
    #[error("challenge too long")]
    TooLong,
    /// More challenges than the policy allows.
    #[error("too many challenges")]
    TooManyChallenges,
}

/// The client side of one mechanism, for those that a host brings along.
///
/// [`Client`] calls [`Self::initial`] once, then [`Self::challenge`] for each challenge that is not
/// answered by it, then [`Self::outcome`]. Challenges above the limit never get here. Overwrite secrets
/// on drop.
pub trait ClientMechanism: Send + Sync {
    /// The first message, if the client speaks first.
    fn initial(&mut self) -> Option<Secret>;

    /// Answers a challenge.
    ///
    /// # Errors
    /// If the exchange cannot go on.
    fn challenge(&mut self, challenge: &[u8]) -> Result<ClientStep, ClientError>;

    /// The server says how it ended. The default believes it.
    ///
    /// # Errors
    /// If the server reports success that it has not proved; the connection must not be used.
    fn outcome(&mut self, accepted: bool) -> Result<(), ClientError> {
        let _ = accepted;
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Start,
    Server,
    Over,
}

/// One exchange, seen from the client.
///
/// ```
/// use mailwright_sasl::{Client, ClientPolicy, Credentials, MechanismName, Seed};
///
/// let credentials = Credentials::password("tim", "tanstaaftanstaaf")?;
/// let mut seed = Seed::new([0; 32]); // 32 octets of your random generator
/// let mut client = Client::new(MechanismName::PLAIN, &credentials, &ClientPolicy::default(), seed.nonce())?;
/// let message = client.start(true)?; // in the command itself
/// assert_eq!(message.unwrap().expose(), b"\0tim\0tanstaaftanstaaf");
/// client.outcome(true)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Client {
    name: MechanismName,
    clear_text: bool,
    mechanism: Option<Box<dyn ClientMechanism>>,
    turn: Turn,
    /// The first message, until it is sent.
    initial: Option<Secret>,
    message_limit: usize,
    challenges_left: u32,
}

impl Client {
    /// An exchange by a mechanism of this crate.
    ///
    /// # Errors
    /// [`ClientError::Unsupported`] if there is none of that name, or the credentials do not fit it.
    pub fn new(
        name: MechanismName,
        credentials: &Credentials,
        policy: &ClientPolicy,
        nonce: Nonce,
    ) -> Result<Self, ClientError> {
        // No mechanism of clear text needs a nonce.
        drop(nonce);
        let mechanism: Box<dyn ClientMechanism> = match name {
            MechanismName::PLAIN => Box::new(Plain::new(credentials)?),
            MechanismName::LOGIN => Box::new(Login::new(credentials)?),
            _ => return Err(ClientError::Unsupported),
        };
        Ok(Self::custom(name, true, mechanism, policy))
    }

    /// An exchange by a mechanism of the host. `clear_text`: whether it shows the secret to who listens.
    #[must_use]
    pub fn custom(
        name: MechanismName,
        clear_text: bool,
        mut mechanism: Box<dyn ClientMechanism>,
        policy: &ClientPolicy,
    ) -> Self {
        let initial = mechanism.initial();
        Self {
            name,
            clear_text,
            mechanism: Some(mechanism),
            turn: Turn::Start,
            initial,
            message_limit: policy.message_limit,
            challenges_left: policy.max_challenges,
        }
    }

    /// Which mechanism this is.
    #[must_use]
    pub const fn mechanism(&self) -> MechanismName {
        self.name
    }

    /// Whether it shows the secret to who listens.
    #[must_use]
    pub const fn is_clear_text(&self) -> bool {
        self.clear_text
    }

    /// The first message, while it is not sent, for a look at its length. `None` if the server speaks first.
    #[must_use]
    pub fn initial_response(&self) -> Option<&[u8]> {
        self.initial.as_ref().map(Secret::expose)
    }

    /// Begins. With `inline` the first message is handed out, to go into the command (an empty one as
    /// `=`); without, it will be the answer to the first challenge, which is empty then.
    ///
    /// # Errors
    /// [`ClientError::State`] if the exchange has begun already.
    pub fn start(&mut self, inline: bool) -> Result<Option<Secret>, ClientError> {
        if self.turn != Turn::Start {
            return Err(ClientError::State);
        }
        self.turn = Turn::Server;
        Ok(if inline { self.initial.take() } else { None })
    }

    /// Answers a decoded challenge.
    ///
    /// # Errors
    /// [`ClientError::State`] out of turn; else the exchange is over and must be cancelled.
    pub fn challenge(&mut self, challenge: &[u8]) -> Result<ClientStep, ClientError> {
        if self.turn != Turn::Server {
            return Err(ClientError::State);
        }
        let result = self.next(challenge);
        if result.is_err() {
            self.cancel();
        }
        result
    }

    fn next(&mut self, challenge: &[u8]) -> Result<ClientStep, ClientError> {
        if challenge.len() > self.message_limit {
            return Err(ClientError::TooLong);
        }
        self.challenges_left = self.challenges_left.checked_sub(1).ok_or(ClientError::TooManyChallenges)?;
        if let Some(initial) = self.initial.take() {
            // RFC 4422 §3: a server that waits for the client's first message sends an empty challenge.
            return if challenge.is_empty() {
                Ok(ClientStep::Respond(initial))
            } else {
                Err(ClientError::UnexpectedChallenge)
            };
        }
        self.mechanism.as_mut().ok_or(ClientError::State)?.challenge(challenge)
    }

    /// The server has said how it ended.
    ///
    /// # Errors
    /// [`ClientError::State`] out of turn; else the server has not proved what it must: the connection
    /// must not be used, whatever the server says.
    pub fn outcome(&mut self, accepted: bool) -> Result<(), ClientError> {
        if self.turn != Turn::Server {
            return Err(ClientError::State);
        }
        let result = self.mechanism.as_mut().map_or(Ok(()), |mechanism| mechanism.outcome(accepted));
        self.cancel();
        result
    }

    /// Ends the exchange and overwrites what it held.
    pub fn cancel(&mut self) {
        self.turn = Turn::Over;
        self.mechanism = None;
        self.initial = None;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("mechanism", &self.name)
            .field("turn", &self.turn)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
