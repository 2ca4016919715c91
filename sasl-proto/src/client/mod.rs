//! The client side of an exchange: [`Client`], what it says ([`ClientStep`]), with which
//! [`Credentials`], and which mechanism to take ([`choose`]). RFC 4422 §3.
//!
//! [`Client`] keeps the order of an exchange and its limits, whatever the mechanism. The base64 lines,
//! and whether the first message fits into the command, are the protocol crates' business.

mod choose;
mod claim;
#[cfg(feature = "legacy-md5")]
mod cram_md5;
mod credentials;
mod login;
mod oauth;
mod plain;
mod policy;
mod scram;

use alloc::boxed::Box;
use core::fmt;

use mailwright_core::value::Secret;

pub use self::choose::{ChooseError, Situation, choose};
use self::claim::Claim;
pub use self::credentials::{Credentials, CredentialsError};
use self::login::Login;
use self::oauth::OAuth;
use self::plain::Plain;
pub use self::policy::ClientPolicy;
pub use self::scram::ServerError;
use self::scram::{Binding, Scram};
use crate::channel::Channel;
use crate::name::MechanismName;
use crate::prepare::PrepareError;
use crate::scram::{DeriveJob, DerivedKeys, ScramHash};
use crate::seed::Nonce;

/// What the client does next.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientStep {
    /// Send these octets, which may be none.
    Respond(Secret),
    /// Run this where it hurts nobody, and hand the keys to [`Client::derived`].
    Derive(DeriveJob),
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
    /// Name or password cannot be prepared for the mechanism.
    #[error("name or password: {0}")]
    Preparation(#[from] PrepareError),
    /// The server's message is not one of the mechanism.
    #[error("malformed message of the server")]
    Malformed,
    /// The server wants fewer or more iterations than the policy allows.
    #[error("the server asks for {0} iterations of the key derivation")]
    Iterations(u32),
    /// The server says that it failed, and why.
    #[error("the server says: {0}")]
    Server(ServerError),
    /// The server has proved with a wrong signature that it does not know the password.
    #[error("the server's signature is wrong")]
    WrongSignature,
    /// The server reports success and has not proved that it knows the password.
    #[error("the server has not proved itself")]
    NoServerProof,
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

    /// Takes the keys of [`ClientStep::Derive`]. The default is for mechanisms that never say so.
    ///
    /// # Errors
    /// If the exchange cannot go on.
    fn derived(&mut self, keys: DerivedKeys) -> Result<ClientStep, ClientError> {
        drop(keys);
        Err(ClientError::State)
    }

    /// What the server has told about a failure, beside that it failed.
    fn failure(&self) -> Option<&[u8]> {
        None
    }

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
    Host,
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
    /// What the server has told about a failure.
    failure: Option<Box<[u8]>>,
    message_limit: usize,
    challenges_left: u32,
}

impl Client {
    /// An exchange by a mechanism of this crate, which binds to nothing.
    ///
    /// # Errors
    /// [`ClientError::Unsupported`] if there is none of that name, it has to bind, or the credentials do not fit
    /// it; [`ClientError::Preparation`].
    pub fn new(
        name: MechanismName,
        credentials: &Credentials,
        policy: &ClientPolicy,
        nonce: Nonce,
    ) -> Result<Self, ClientError> {
        Self::bound(name, credentials, policy, nonce, &mut Channel::new(true), &[])
    }

    /// An exchange by a mechanism of this crate over a connection with these facts, with a server that announces
    /// these mechanisms. Uses the binding of `channel` up if the mechanism binds.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn bound(
        name: MechanismName,
        credentials: &Credentials,
        policy: &ClientPolicy,
        nonce: Nonce,
        channel: &mut Channel,
        announced: &[MechanismName],
    ) -> Result<Self, ClientError> {
        let mechanism: Box<dyn ClientMechanism> = match name {
            MechanismName::PLAIN => Box::new(Plain::new(credentials)?),
            MechanismName::LOGIN => Box::new(Login::new(credentials)?),
            MechanismName::OAUTHBEARER => Box::new(OAuth::oauthbearer(credentials)?),
            MechanismName::XOAUTH2 => Box::new(OAuth::xoauth2(credentials)?),
            MechanismName::EXTERNAL | MechanismName::ANONYMOUS => Box::new(Claim::new(name, credentials)?),
            #[cfg(feature = "legacy-md5")]
            MechanismName::CRAM_MD5 => Box::new(cram_md5::CramMd5::new(credentials)?),
            name => {
                let (hash, plus) = ScramHash::of(name).ok_or(ClientError::Unsupported)?;
                let binds = |name: &MechanismName| matches!(ScramHash::of(*name), Some((_, true)));
                let binding = if plus {
                    Binding::Required(channel.take_bindings())
                } else {
                    // RFC 5802 §6: "y" tells the server that the client could bind, in case somebody has taken the
                    // offer out of the announcement.
                    Binding::Unused { possible: channel.can_bind() && !announced.iter().any(binds) }
                };
                Box::new(Scram::new(hash, &binding, credentials, policy, &nonce.text())?)
            }
        };
        Ok(Self::custom(name, choose::is_clear_text(name), mechanism, policy))
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
            failure: None,
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
        self.settle(result)
    }

    /// The same, with a key derivation done at once, however long it takes: the policy bounds it.
    ///
    /// # Errors
    /// As [`Self::challenge`].
    pub fn challenge_inline(&mut self, challenge: &[u8]) -> Result<ClientStep, ClientError> {
        match self.challenge(challenge)? {
            ClientStep::Derive(job) => self.derived(job.run()),
            step => Ok(step),
        }
    }

    /// Takes the keys of [`ClientStep::Derive`], from its job or kept from an earlier exchange.
    ///
    /// # Errors
    /// [`ClientError::State`] if there was no such step. Also if the keys are not those; then, as after any other
    /// error, the exchange is over and must be cancelled.
    pub fn derived(&mut self, keys: DerivedKeys) -> Result<ClientStep, ClientError> {
        if self.turn != Turn::Host {
            return Err(ClientError::State);
        }
        let result = self.mechanism.as_mut().ok_or(ClientError::State)?.derived(keys);
        self.settle(result)
    }

    /// Whose turn it is next.
    fn settle(&mut self, result: Result<ClientStep, ClientError>) -> Result<ClientStep, ClientError> {
        match &result {
            Ok(ClientStep::Derive(_)) => self.turn = Turn::Host,
            Ok(_) => self.turn = Turn::Server,
            Err(_) => self.cancel(),
        }
        result
    }

    /// What the server has told about a failure beside that it failed: the JSON of OAUTHBEARER (RFC 7628 §3.2.2)
    /// and XOAUTH2, which may say how to get a better token. Whatever it is, it is the server's text.
    #[must_use]
    pub fn failure(&self) -> Option<&[u8]> {
        self.failure.as_deref().or_else(|| self.mechanism.as_ref()?.failure())
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
        self.failure = self.failure().map(Box::from);
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
