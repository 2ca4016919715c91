//! [`Login`]: from the greeting to the TRANSACTION state, with TLS on the way if the configuration wants it.

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;
use mailwright_sasl::{ChooseError, ClientError, Credentials, MechanismName, Situation, choose};

#[cfg(feature = "legacy-md5")]
use super::super::ApopError;
use super::super::{Client, Closed, CommandId, Event, Summary, Value};
use super::{Step, proceed};
use crate::config::TlsMode;
use crate::types::{Capabilities, Capability, Password, Reply, Text, UserName, ValueError};

/// Logs in: greeting, CAPA, STLS and CAPA again where [`Config::tls`](super::super::Config::tls) says so, UTF8 where
/// [`Config::utf8`](super::super::Config::utf8) does and the server has it,
/// the strongest mechanism that fits the credentials (USER and PASS if there is none), and CAPA once more.
///
/// Insists: without TLS that was wanted no credentials are sent, and after a refusal nothing weaker is
/// tried with them.
///
/// Some hosted services have ways of their own. Gmail hides what one session has fetched from all later ones,
/// whatever was deleted, unless the name begins with `recent:`.
#[derive(Debug)]
pub struct Login {
    credentials: Credentials,
    #[cfg(feature = "legacy-md5")]
    by_apop: bool,
    step: State,
}

#[derive(Debug)]
enum State {
    Greeting,
    /// CAPA before the login.
    Capabilities(CommandId),
    Stls(CommandId),
    Secured,
    Utf8(CommandId),
    User(CommandId, Password),
    /// PASS, or AUTH with its mechanism.
    Proof(CommandId, Option<MechanismName>),
    /// CAPA after the login.
    After(CommandId, LoggedIn),
}

/// A good login.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The mechanism, or `None` for USER and PASS, and for APOP.
    pub mechanism: Option<MechanismName>,
    /// What the server said.
    pub reply: Reply,
}

/// Why there is no login.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// TLS is wanted, and the server does not announce STLS. No credentials were sent.
    #[error("the server does not offer TLS, which the configuration wants: use a TLS port")]
    NoTls,
    /// TLS is wanted, and the server refused it. No credentials were sent.
    #[error("the server refused TLS: {}", .0.text)]
    TlsRefused(Reply),
    /// No mechanism that the server offers fits.
    #[error("{0}")]
    NoMechanism(ChooseError),
    /// The credentials cannot be written as USER and PASS.
    #[error("name or password: {0}")]
    Unwritable(ValueError),
    /// The server refused the credentials, or the maildrop: see the code.
    #[error("login refused: {}", .0.text)]
    Refused(Reply),
    /// The server refused a token, and says why: the JSON of OAUTHBEARER and XOAUTH2.
    #[error("login refused: {}: {explanation}", .reply.text)]
    Explained {
        /// Its last word.
        reply: Reply,
        /// What it said before that.
        explanation: Text,
    },
    /// The exchange was cancelled.
    #[error("{0}")]
    Exchange(ClientError),
    /// APOP cannot be used.
    #[cfg(feature = "legacy-md5")]
    #[error("{0}")]
    Apop(ApopError),
    /// The session is in no state for this.
    #[error("{0}")]
    Misuse(#[from] Misuse),
    /// The session is over.
    #[error("{0}")]
    Closed(Closed),
}

impl Login {
    /// A login with `credentials`.
    #[must_use]
    pub const fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            #[cfg(feature = "legacy-md5")]
            by_apop: false,
            step: State::Greeting,
        }
    }

    /// A login by APOP, if [`Config::apop`](super::super::Config::apop) allows it, and by nothing else.
    #[cfg(feature = "legacy-md5")]
    #[must_use]
    pub const fn by_apop(credentials: Credentials) -> Self {
        Self { credentials, by_apop: true, step: State::Greeting }
    }

    /// What comes behind CAPA: TLS, UTF8, or the credentials.
    fn go_on(&mut self, client: &mut Client) -> Result<(), LoginError> {
        if client.config().tls == TlsMode::StartTls && !client.is_secure() {
            let offered = client.capabilities().is_some_and(|known| known.has(&Capability::Stls));
            if !offered {
                return Err(LoginError::NoTls);
            }
            self.step = State::Stls(client.stls()?);
            return Ok(());
        }
        if client.config().utf8 && client.capabilities().is_some_and(Capabilities::has_utf8) {
            self.step = State::Utf8(client.utf8()?);
            return Ok(());
        }
        self.prove(client)
    }

    /// Sends the credentials.
    fn prove(&mut self, client: &mut Client) -> Result<(), LoginError> {
        #[cfg(feature = "legacy-md5")]
        if self.by_apop {
            return self.apop(client);
        }
        let announced = client.capabilities().and_then(|known| known.mechanisms()).unwrap_or_default();
        let situation = Situation::on(client.channel());
        match choose(announced, &self.credentials, &client.config().sasl, situation) {
            Ok(name) => {
                let exchange = client.exchange(name, &self.credentials).map_err(LoginError::Exchange)?;
                self.step = State::Proof(client.auth(exchange)?, Some(name));
                Ok(())
            }
            Err(ChooseError::NoneFits) => self.user(client),
            Err(error) => Err(LoginError::NoMechanism(error)),
        }
    }

    #[cfg(feature = "legacy-md5")]
    fn apop(&mut self, client: &mut Client) -> Result<(), LoginError> {
        let Credentials::Password { authcid, authzid: None, password, .. } = &self.credentials else {
            return Err(LoginError::NoMechanism(ChooseError::NoneFits));
        };
        let name = UserName::new(authcid).map_err(LoginError::Unwritable)?;
        let password = Password::new(password.clone()).map_err(LoginError::Unwritable)?;
        self.step = State::Proof(client.apop(&name, &password).map_err(LoginError::Apop)?, None);
        Ok(())
    }

    /// USER and PASS, for a server without SASL.
    fn user(&mut self, client: &mut Client) -> Result<(), LoginError> {
        // A server without CAPA is old enough to have USER.
        let has_user = client.capabilities().is_none_or(|known| known.has(&Capability::User));
        match &self.credentials {
            Credentials::Password { authcid, authzid: None, password, .. } if has_user => {
                let name = UserName::new(authcid).map_err(LoginError::Unwritable)?;
                let password = Password::new(password.clone()).map_err(LoginError::Unwritable)?;
                self.step = State::User(client.user(&name)?, password);
                Ok(())
            }
            _ => Err(LoginError::NoMechanism(ChooseError::NoneFits)),
        }
    }

    fn ask_capabilities(&mut self, client: &mut Client) -> Result<(), LoginError> {
        self.step = State::Capabilities(client.capa()?);
        Ok(())
    }

    /// The status line that the present step waits for.
    fn replied(&mut self, client: &mut Client, reply: Reply, value: Value) -> Step<Self> {
        let ok = reply.is_ok();
        match core::mem::replace(&mut self.step, State::Greeting) {
            // A server without CAPA: go on without knowing what it can do.
            State::Capabilities(_) if !ok => proceed(self.go_on(client)),
            State::Stls(_) if ok => {
                self.step = State::Secured;
                Progress::Continue
            }
            State::Stls(_) => Progress::Done(Err(LoginError::TlsRefused(reply))),
            // Refused, messages come as to any other client.
            State::Utf8(_) => proceed(self.prove(client)),
            State::User(_, password) if ok => proceed(client.pass(&password).map_err(Into::into).map(|id| {
                self.step = State::Proof(id, None);
            })),
            State::Proof(_, mechanism) if ok => {
                let logged_in = LoggedIn { mechanism, reply };
                if client.capabilities().is_none() {
                    return Progress::Done(Ok(logged_in));
                }
                // RFC 2449 §5: the answer may differ after the login.
                proceed(client.capa().map_err(Into::into).map(|id| self.step = State::After(id, logged_in)))
            }
            State::User(..) | State::Proof(..) => Progress::Done(Err(match value {
                Value::Cancelled(error) => LoginError::Exchange(error),
                Value::Explained(explanation) => LoginError::Explained { reply, explanation },
                _ => LoginError::Refused(reply),
            })),
            State::After(_, logged_in) if !ok => Progress::Done(Ok(logged_in)),
            step => {
                self.step = step;
                Progress::Continue
            }
        }
    }

    fn waits_for(&self, id: CommandId) -> bool {
        match &self.step {
            State::Capabilities(own) | State::Stls(own) | State::Utf8(own) => *own == id,
            State::User(own, _) | State::Proof(own, _) | State::After(own, _) => *own == id,
            State::Greeting | State::Secured => false,
        }
    }
}

impl Task<Client> for Login {
    type Item = core::convert::Infallible;
    type Output = LoggedIn;
    type Error = LoginError;

    fn start(&mut self, client: &mut Client) -> Result<(), LoginError> {
        if client.is_greeted() { self.ask_capabilities(client) } else { Ok(()) }
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Greeting(_) if matches!(self.step, State::Greeting) => {
                proceed(self.ask_capabilities(client))
            }
            Event::Reply { id, reply, value } if self.waits_for(id) => self.replied(client, reply, value),
            Event::End { id, summary: Summary::Capabilities(_) } if self.waits_for(id) => {
                match core::mem::replace(&mut self.step, State::Greeting) {
                    State::After(_, logged_in) => Progress::Done(Ok(logged_in)),
                    _ => proceed(self.go_on(client)),
                }
            }
            Event::Secured(info) if matches!(self.step, State::Secured) => {
                match self.ask_capabilities(client) {
                    // The host may want to see what TLS is like.
                    Ok(()) => Progress::NotMine(Event::Secured(info)),
                    Err(error) => Progress::Done(Err(error)),
                }
            }
            Event::Closed(reason) => Progress::Done(Err(LoginError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
