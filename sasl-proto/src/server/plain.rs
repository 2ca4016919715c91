//! PLAIN, server side: RFC 4616. One message, `[authzid] NUL authcid NUL passwd`.

use bytes::Bytes;

use super::authorization::Authorization;
use super::{Answer, Reason, ServerMechanism, ServerStep};
use crate::FIELD_LIMIT;

/// The exchange: one message, then the questions.
#[derive(Default)]
pub(crate) struct Plain {
    authorization: Option<Authorization>,
}

impl ServerMechanism for Plain {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        match initial {
            Some(message) => self.respond(message),
            None => ServerStep::Challenge(Bytes::new()),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        let Some((authzid, authcid, password)) = split(response) else {
            return ServerStep::Reject(Reason::Malformed);
        };
        match Authorization::by_password(authzid, authcid, password) {
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

/// Authorization identity, authentication identity, password.
type Parts<'a> = (Option<&'a str>, &'a str, &'a str);

/// Splits a message into its three parts.
fn split(message: &[u8]) -> Option<Parts<'_>> {
    // RFC 4616 §2: message = [authzid] UTF8NUL authcid UTF8NUL passwd, all of it UTF-8.
    let text = core::str::from_utf8(message).ok()?;
    let mut parts = text.split('\0');
    let (authzid, authcid, password) = (parts.next()?, parts.next()?, parts.next()?);
    let well_formed = parts.next().is_none()
        && !authcid.is_empty()
        && !password.is_empty()
        && [authzid, authcid, password].iter().all(|part| part.len() <= FIELD_LIMIT)
        // The grammar allows ASCII controls in the parts; no name or password needs them, and none
        // reaches a host's log or query.
        && ![authzid, authcid, password].iter().any(|part| part.bytes().any(|octet| octet.is_ascii_control()));
    well_formed.then_some(((!authzid.is_empty()).then_some(authzid), authcid, password))
}
