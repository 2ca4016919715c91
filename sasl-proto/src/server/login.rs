//! LOGIN, server side: two prompts, the name and the password. No RFC describes it; the prompts are
//! those that every client knows.

use alloc::string::{String, ToString as _};

use bytes::Bytes;

use super::authorization::Authorization;
use super::{Answer, Reason, ServerMechanism, ServerStep};
use crate::FIELD_LIMIT;

/// The exchange: name, password, then the question.
pub(crate) struct Login {
    /// Whether a name is taken as initial response.
    initial_response: bool,
    name: Option<String>,
    authorization: Option<Authorization>,
}

impl Login {
    pub(crate) const fn new(initial_response: bool) -> Self {
        Self { initial_response, name: None, authorization: None }
    }
}

impl ServerMechanism for Login {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        match initial {
            Some(name) if self.initial_response => self.respond(name),
            Some(_) => ServerStep::Reject(Reason::UnexpectedInitialResponse),
            None => ServerStep::Challenge(Bytes::from_static(b"Username:")),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        let Some(field) = field(response) else { return ServerStep::Reject(Reason::Malformed) };
        let Some(name) = &self.name else {
            self.name = Some(field.to_string());
            return ServerStep::Challenge(Bytes::from_static(b"Password:"));
        };
        match Authorization::by_password(None, name, field) {
            Ok((authorization, ask)) => {
                self.authorization = Some(authorization);
                ServerStep::Ask(ask)
            }
            Err(reason) => ServerStep::Reject(reason),
        }
    }

    fn answer(&mut self, answer: Answer) -> ServerStep {
        match &mut self.authorization {
            Some(authorization) => authorization.conclude(answer),
            None => ServerStep::Reject(Reason::Malformed),
        }
    }
}

/// A name or a password: not empty, UTF-8, no ASCII control, within the limit.
fn field(response: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(response).ok()?;
    let well_formed =
        !text.is_empty() && text.len() <= FIELD_LIMIT && !text.bytes().any(|octet| octet.is_ascii_control());
    well_formed.then_some(text)
}
