//! From the greeting to an open maildrop. The automatic way is the task `Login`; the one that `--auth` names
//! shows how a host gives single commands and waits for their replies.

use mailwright_core::io::RunError;
use mailwright_core::io::blocking::Connection;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::tasks::LoginError;
use mailwright_pop3::client::{Client, CommandId, Event, Login, Summary, Value};
use mailwright_pop3::types::{Capabilities, Capability, Password, UserName};
use mailwright_sasl::Credentials;

use crate::arguments::Mechanism;
use crate::connect::Patient;
use crate::failure::LoginFailure;

type Session = Connection<Patient, Client>;

/// Logs in: by the strongest mechanism that fits, or by the one that is given and no other.
pub(super) fn log_in(
    session: &mut Session,
    credentials: Credentials,
    mechanism: Option<Mechanism>,
) -> Result<(), LoginFailure> {
    let Some(mechanism) = mechanism else {
        return session.run(Login::new(credentials)).map(drop).map_err(|error| {
            let refused =
                matches!(error, RunError::Task(LoginError::Refused(_) | LoginError::Explained { .. }));
            LoginFailure::new(refused, error)
        });
    };
    until(session, |event| matches!(event, Event::Greeting(_)).then_some(()))?;
    ask_capabilities(session)?;
    if session.session().config().tls == TlsMode::StartTls {
        start_tls(session)?;
        ask_capabilities(session)?;
    }
    ask_utf8(session)?;
    let Some(name) = mechanism.name() else { return user_and_pass(session, &credentials) };
    let announced = session.session().capabilities().and_then(|known| known.mechanisms());
    if !announced.is_some_and(|names| names.contains(&name)) {
        return Err(format!("the server does not announce {name}").into());
    }
    let exchange = session.session_mut().exchange(name, &credentials).map_err(|error| error.to_string())?;
    let id = session.session_mut().auth(exchange).map_err(|error| error.to_string())?;
    accepted(session, id, "login").map_err(LoginFailure::Refused)
}

fn user_and_pass(session: &mut Session, credentials: &Credentials) -> Result<(), LoginFailure> {
    let Credentials::Password { authcid, password, .. } = credentials else {
        return Err("USER needs a password".to_owned().into());
    };
    let user = UserName::new(authcid).map_err(|error| format!("user: {error}"))?;
    let password = Password::new(password.clone()).map_err(|error| format!("password: {error}"))?;
    let id = session.session_mut().user(&user).map_err(|error| error.to_string())?;
    accepted(session, id, "login").map_err(LoginFailure::Refused)?;
    let id = session.session_mut().pass(&password).map_err(|error| error.to_string())?;
    accepted(session, id, "login").map_err(LoginFailure::Refused)
}

/// RFC 2595 §4: no credentials before TLS, and none without.
fn start_tls(session: &mut Session) -> Result<(), String> {
    if !session.session().capabilities().is_some_and(|known| known.has(&Capability::Stls)) {
        return Err("the server does not offer STLS: use pop3s".to_owned());
    }
    let id = session.session_mut().stls().map_err(|error| error.to_string())?;
    accepted(session, id, "STLS")?;
    until(session, |event| matches!(event, Event::Secured(_)).then_some(()))
}

/// UTF8, where the server has it; one that refuses it says no more than that.
fn ask_utf8(session: &mut Session) -> Result<(), String> {
    if !session.session().capabilities().is_some_and(Capabilities::has_utf8) {
        return Ok(());
    }
    let id = session.session_mut().utf8().map_err(|error| error.to_string())?;
    until(session, |event| matches!(event, Event::Reply { id: own, .. } if own == id).then_some(()))
}

/// CAPA; a server without it has none.
fn ask_capabilities(session: &mut Session) -> Result<(), String> {
    let id = session.session_mut().capa().map_err(|error| error.to_string())?;
    let done = |event: &Event| match event {
        Event::Reply { id: own, value, .. } => *own == id && *value != Value::Multiline,
        Event::End { id: own, summary: Summary::Capabilities(_) } => *own == id,
        _ => false,
    };
    until(session, |event| done(&event).then_some(()))
}

/// Waits for the reply to a command, which must be `+OK`.
fn accepted(session: &mut Session, id: CommandId, what: &str) -> Result<(), String> {
    let (reply, value) = until(session, |event| match event {
        Event::Reply { id: own, reply, value } if own == id => Some((reply, value)),
        _ => None,
    })?;
    match value {
        _ if reply.is_ok() => Ok(()),
        // Why a token is not good.
        Value::Explained(explanation) => Err(format!("{what} refused: {}: {explanation}", reply.text)),
        _ => Err(format!("{what} refused: {}", reply.text)),
    }
}

/// Takes events until one is what is waited for.
fn until<T>(session: &mut Session, mut wanted: impl FnMut(Event) -> Option<T>) -> Result<T, String> {
    loop {
        match session.next_event() {
            Ok(Some(Event::Closed(closed))) => return Err(closed.to_string()),
            Ok(Some(event)) => {
                if let Some(found) = wanted(event) {
                    return Ok(found);
                }
            }
            Ok(None) => return Err("the connection is closed".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
}
