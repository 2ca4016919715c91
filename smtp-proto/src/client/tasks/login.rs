//! [`Login`]: from the greeting to a session that takes mail. RFC 5321 §3.1, RFC 3207, RFC 4954.

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;
use mailwright_sasl::{Credentials, Seed};

use crate::client::{AuthenticateError, AuthenticationFailure, Client, Closed, CommandId, Event};
use crate::types::Reply;

/// Waits for the opening (greeting, EHLO, STARTTLS as configured, EHLO) and authenticates if it has
/// credentials.
///
/// One mechanism is tried, the strongest that fits; after a refusal none weaker (see
/// [`Client::authenticate`]).
#[derive(Debug, Default)]
pub struct Login {
    credentials: Option<(Credentials, Seed)>,
    id: Option<CommandId>,
    welcome: Welcome,
}

/// What the server said to a [`Login`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Welcome {
    /// The greeting, if the task saw it.
    pub greeting: Option<Reply>,
    /// The refusal of STARTTLS under [`TlsMode::Opportunistic`](crate::client::TlsMode::Opportunistic).
    pub tls_declined: Option<Reply>,
    /// 235, if there were credentials.
    pub authenticated: Option<Reply>,
}

/// Why a login failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// AUTH was not begun; nothing was sent.
    #[error(transparent)]
    Authenticate(#[from] AuthenticateError),
    /// AUTH failed; the session is open.
    #[error("{0}")]
    Refused(AuthenticationFailure),
    /// The session is over.
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl From<Misuse> for LoginError {
    fn from(misuse: Misuse) -> Self {
        Self::Authenticate(misuse.into())
    }
}

impl Login {
    /// Without authentication.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With `credentials`. `seed`: 32 unpredictable octets of the host, for mechanisms that need a nonce.
    #[must_use]
    pub fn with(credentials: Credentials, seed: Seed) -> Self {
        Self { credentials: Some((credentials, seed)), ..Self::default() }
    }

    /// The opening is over: authenticates. `true` if that was all.
    fn proceed(&mut self, session: &mut Client) -> Result<bool, LoginError> {
        match self.credentials.take() {
            None => Ok(true),
            Some((credentials, mut seed)) => {
                self.id = Some(session.authenticate(&credentials, seed.nonce())?);
                Ok(false)
            }
        }
    }

    fn done(&mut self) -> Progress<Self, Client> {
        Progress::Done(Ok(core::mem::take(&mut self.welcome)))
    }
}

impl Task<Client> for Login {
    type Item = core::convert::Infallible;
    type Output = Welcome;
    type Error = LoginError;

    fn start(&mut self, session: &mut Client) -> Result<(), LoginError> {
        if session.is_closed() {
            return Err(Misuse::Closed.into());
        }
        // A session that is open already, for example after a Login without credentials.
        if session.is_ready() && self.credentials.is_some() {
            self.proceed(session)?;
        }
        Ok(())
    }

    fn ready(&mut self, session: &mut Client) -> Progress<Self, Client> {
        if session.is_ready() && self.id.is_none() && self.credentials.is_none() && session.in_flight() == 0 {
            return self.done();
        }
        Progress::Continue
    }

    fn handle(&mut self, session: &mut Client, event: Event) -> Progress<Self, Client> {
        match event {
            Event::Greeting(reply) => {
                self.welcome.greeting = Some(reply.detach());
                Progress::Continue
            }
            Event::TlsDeclined(reply) => {
                self.welcome.tls_declined = Some(reply.detach());
                Progress::Continue
            }
            Event::Ready if self.id.is_none() => match self.proceed(session) {
                Ok(true) => self.done(),
                Ok(false) => Progress::Continue,
                Err(error) => Progress::Done(Err(error)),
            },
            Event::Authenticated { id, reply } if self.id == Some(id) => {
                self.welcome.authenticated = Some(reply.detach());
                self.done()
            }
            Event::NotAuthenticated { id, reason } if self.id == Some(id) => {
                Progress::Done(Err(LoginError::Refused(reason)))
            }
            Event::Closed(closed) => Progress::Done(Err(closed.into())),
            other => Progress::NotMine(other),
        }
    }
}
