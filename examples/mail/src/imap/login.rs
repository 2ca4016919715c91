//! From the greeting to the authenticated state. The automatic way is the task `Login`; the one that `--auth`
//! names shows how a host gives single commands and waits for their completion.

use mailwright_imap::TlsMode;
use mailwright_imap::client::tasks::{Login, LoginError};
use mailwright_imap::client::{CommandId, Event};
use mailwright_imap::types::{Command, OctetString, StatusKind};
use mailwright_sasl::Credentials;

use super::{Account, note};
use crate::arguments::Mechanism;
use crate::failure::{Failure, LoginFailure};
use crate::output;

/// Logs in: by the strongest mechanism that fits, or by the one that is given and no other.
pub(super) fn log_in(
    account: &mut Account,
    credentials: Credentials,
    mechanism: Option<Mechanism>,
) -> Result<(), Failure> {
    let result = match mechanism {
        None => account
            .attempt(Login::new(credentials), |_| Ok(()))?
            .map(drop)
            .map_err(|error| LoginFailure::new(matches!(error, LoginError::Refused(_)), error)),
        Some(mechanism) => by(account, &credentials, mechanism),
    };
    result.map_err(|reason| account.connection.stream().explain_login(reason))
}

fn by(account: &mut Account, credentials: &Credentials, mechanism: Mechanism) -> Result<(), LoginFailure> {
    until(account, |event| matches!(event, Event::Greeting(_)).then_some(()))?;
    ask_capabilities(account)?;
    if account.connection.session().config().tls == TlsMode::StartTls {
        start_tls(account)?;
        ask_capabilities(account)?;
    }
    let Some(name) = mechanism.name() else { return login(account, credentials) };
    let session = account.connection.session_mut();
    if !session.mechanisms().contains(&name) {
        return Err(format!("the server does not announce {name}").into());
    }
    let exchange = session.exchange(name, credentials).map_err(|error| error.to_string())?;
    let id = session.authenticate(exchange).map_err(|error| error.to_string())?;
    accepted(account, id, "login").map_err(LoginFailure::Refused)?;
    Ok(ask_capabilities(account)?)
}

/// RFC 9051 §6.2.3: LOGIN.
fn login(account: &mut Account, credentials: &Credentials) -> Result<(), LoginFailure> {
    let Credentials::Password { authcid, password, .. } = credentials else {
        return Err("LOGIN needs a password".to_owned().into());
    };
    let user = OctetString::new(authcid.as_bytes().to_vec()).map_err(|error| format!("user: {error}"))?;
    let id = send(account, Command::Login { user, password: password.clone() })?;
    accepted(account, id, "login").map_err(LoginFailure::Refused)?;
    Ok(ask_capabilities(account)?)
}

/// RFC 8314 §3: no credentials before TLS, and none without.
fn start_tls(account: &mut Account) -> Result<(), String> {
    if !account.connection.session().has("STARTTLS") {
        return Err("the server does not offer STARTTLS: use imaps".to_owned());
    }
    let id = send(account, Command::StartTls)?;
    accepted(account, id, "STARTTLS")?;
    until(account, |event| matches!(event, Event::Secured(_)).then_some(()))
}

/// CAPABILITY, if the server has not said it.
fn ask_capabilities(account: &mut Account) -> Result<(), String> {
    if account.connection.session().capabilities().is_some() {
        return Ok(());
    }
    let id = send(account, Command::Capability)?;
    accepted(account, id, "CAPABILITY")
}

fn send(account: &mut Account, command: Command) -> Result<CommandId, String> {
    account.connection.session_mut().command(command).map_err(|error| error.to_string())
}

/// Waits for the completion of a command, which must be OK.
fn accepted(account: &mut Account, id: CommandId, what: &str) -> Result<(), String> {
    let status = until(account, |event| match event {
        Event::Completed { id: own, status } if *own == id => Some(status.clone()),
        _ => None,
    })?;
    match status.kind {
        StatusKind::Ok => Ok(()),
        _ => Err(format!("{what} refused: {}", output::escaped(&status.text))),
    }
}

/// Takes events until one is what is waited for.
fn until<T>(account: &mut Account, mut wanted: impl FnMut(&Event) -> Option<T>) -> Result<T, String> {
    loop {
        match account.connection.next_event() {
            Ok(Some(Event::Closed(closed))) => return Err(closed.to_string()),
            Ok(Some(event)) => match wanted(&event) {
                Some(found) => return Ok(found),
                None => note(event),
            },
            Ok(None) => return Err("the connection is closed".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
}
