//! [`Login`]: from the greeting to the authenticated state, with TLS on the way if the configuration wants it.

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;
use mailwright_sasl::{ChooseError, ClientError, Credentials, MechanismName, Situation, choose};

use super::super::{Client, Closed, CommandId, Event, SendError, State};
use super::{Step, proceed};
use crate::config::TlsMode;
use crate::types::{Command, OctetString, StatusKind, StatusResponse};

/// Logs in: greeting, CAPABILITY where the server did not say it, STARTTLS where
/// [`Config::tls`](super::super::Config::tls) says so, the strongest mechanism that fits the credentials
/// (LOGIN if there is none), and CAPABILITY once more.
///
/// Insists: without TLS that was wanted no credentials are sent, and after a refusal nothing weaker is tried
/// with them. A server that cannot take the first message of an exchange in the command gets it later.
#[derive(Debug)]
pub struct Login {
    credentials: Credentials,
    step: Waits,
    cancelled: Option<ClientError>,
    /// Whether the exchange was begun twice.
    again: bool,
}

/// What the task waits for.
#[derive(Debug)]
enum Waits {
    Greeting,
    /// CAPABILITY before the log-in.
    Capabilities(CommandId),
    StartTls(CommandId),
    Secured,
    /// LOGIN, or AUTHENTICATE with its mechanism.
    Proof(CommandId, Option<MechanismName>),
    /// CAPABILITY after the log-in.
    After(CommandId, LoggedIn),
}

/// A good log-in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The mechanism, or `None` for LOGIN and PREAUTH.
    pub mechanism: Option<MechanismName>,
    /// What the server said; `None` if it took the log-in as made before (PREAUTH).
    pub status: Option<StatusResponse>,
}

/// Why there is no log-in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// TLS is wanted, and the server does not announce STARTTLS. No credentials were sent.
    #[error("the server does not offer TLS, which the configuration wants: use a TLS port")]
    NoTls,
    /// TLS is wanted, and the server refused it. No credentials were sent.
    #[error("the server refused TLS: {}", .0.text.escape_ascii())]
    TlsRefused(StatusResponse),
    /// No mechanism that the server offers fits.
    #[error("{0}")]
    NoMechanism(ChooseError),
    /// The server refused the credentials: see the code.
    #[error("log-in refused: {}", .0.text.escape_ascii())]
    Refused(StatusResponse),
    /// The exchange was cancelled.
    #[error("{0}")]
    Exchange(ClientError),
    /// A command could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The session is over.
    #[error("{0}")]
    Closed(Closed),
}

impl Login {
    /// A log-in with `credentials`.
    #[must_use]
    pub const fn new(credentials: Credentials) -> Self {
        Self { credentials, step: Waits::Greeting, cancelled: None, again: false }
    }

    /// What comes behind the greeting, TLS, and CAPABILITY.
    fn go_on(&mut self, client: &mut Client) -> Step<Self> {
        if *client.state() != State::NotAuthenticated {
            return self.after(client, LoggedIn { mechanism: None, status: None });
        }
        proceed(self.prove(client))
    }

    fn prove(&mut self, client: &mut Client) -> Result<(), LoginError> {
        if client.capabilities().is_none() {
            self.step = Waits::Capabilities(client.command(Command::Capability)?);
            return Ok(());
        }
        if client.config().tls == TlsMode::StartTls && !client.is_secure() {
            self.step = match client.command(Command::StartTls) {
                Ok(id) => Waits::StartTls(id),
                Err(SendError::Misuse(Misuse::NotAnnounced)) => return Err(LoginError::NoTls),
                Err(error) => return Err(error.into()),
            };
            return Ok(());
        }
        let situation = Situation::on(client.channel());
        match choose(&client.mechanisms(), &self.credentials, &client.config().sasl, situation) {
            Ok(name) => {
                let exchange = client.exchange(name, &self.credentials).map_err(LoginError::Exchange)?;
                self.step = Waits::Proof(client.authenticate(exchange)?, Some(name));
                Ok(())
            }
            Err(ChooseError::NoneFits) => self.login(client),
            Err(error) => Err(LoginError::NoMechanism(error)),
        }
    }

    /// LOGIN, for a server without SASL.
    fn login(&mut self, client: &mut Client) -> Result<(), LoginError> {
        let none = LoginError::NoMechanism(ChooseError::NoneFits);
        if client.config().sasl.min_mechanism.is_some() {
            return Err(none);
        }
        let Credentials::Password { authcid, authzid: None, password, .. } = &self.credentials else {
            return Err(none);
        };
        let Ok(user) = OctetString::new(authcid.as_bytes().to_vec()) else { return Err(none) };
        let id = client.command(Command::Login { user, password: password.clone() })?;
        self.step = Waits::Proof(id, None);
        Ok(())
    }

    /// The log-in is made: what can the server do now?
    fn after(&mut self, client: &mut Client, logged_in: LoggedIn) -> Step<Self> {
        if client.capabilities().is_some() {
            return Progress::Done(Ok(logged_in));
        }
        proceed(client.command(Command::Capability).map_err(Into::into).map(|id| {
            self.step = Waits::After(id, logged_in);
        }))
    }

    /// The command that the present step waits for is complete.
    fn completed(&mut self, client: &mut Client, status: StatusResponse) -> Step<Self> {
        let ok = status.kind == StatusKind::Ok;
        match core::mem::replace(&mut self.step, Waits::Greeting) {
            Waits::Capabilities(_) => {
                if client.capabilities().is_none() {
                    // A server that does not say what it can do can do nothing more than it must.
                    client.set_capabilities(alloc::vec::Vec::new());
                }
                self.go_on(client)
            }
            Waits::StartTls(_) if ok => {
                self.step = Waits::Secured;
                Progress::Continue
            }
            Waits::StartTls(_) => Progress::Done(Err(LoginError::TlsRefused(status))),
            Waits::Proof(_, mechanism) if ok => {
                self.after(client, LoggedIn { mechanism, status: Some(status) })
            }
            Waits::Proof(..) => match self.cancelled.take() {
                Some(error) => Progress::Done(Err(LoginError::Exchange(error))),
                // Only the form of the command was refused, before anybody looked at what it says.
                None if client.initial_response_refused() && !self.again => {
                    self.again = true;
                    self.go_on(client)
                }
                None => Progress::Done(Err(LoginError::Refused(status))),
            },
            Waits::After(_, logged_in) => Progress::Done(Ok(logged_in)),
            step @ (Waits::Greeting | Waits::Secured) => {
                self.step = step;
                Progress::Continue
            }
        }
    }

    fn waits_for(&self, id: CommandId) -> bool {
        match &self.step {
            Waits::Capabilities(own) | Waits::StartTls(own) | Waits::Proof(own, _) | Waits::After(own, _) => {
                *own == id
            }
            Waits::Greeting | Waits::Secured => false,
        }
    }
}

impl Task<Client> for Login {
    type Item = core::convert::Infallible;
    type Output = LoggedIn;
    type Error = LoginError;

    fn start(&mut self, client: &mut Client) -> Result<(), LoginError> {
        if !client.is_greeted() {
            return Ok(());
        }
        if *client.state() != State::NotAuthenticated {
            return Err(SendError::Misuse(Misuse::WrongState).into());
        }
        self.prove(client)
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Greeting(_) if matches!(self.step, Waits::Greeting) => self.go_on(client),
            Event::Completed { id, status } if self.waits_for(id) => self.completed(client, status),
            Event::Cancelled { id, error } if self.waits_for(id) => {
                self.cancelled = Some(error);
                Progress::Continue
            }
            Event::Response { response: crate::types::Response::Capability(_), .. } => Progress::Continue,
            Event::Secured(info) if matches!(self.step, Waits::Secured) => match self.prove(client) {
                // The host may want to see what TLS is like.
                Ok(()) => Progress::NotMine(Event::Secured(info)),
                Err(error) => Progress::Done(Err(error)),
            },
            Event::Closed(reason) => Progress::Done(Err(LoginError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
