//! ANONYMOUS, server side: RFC 4505. One message, which may say who it is and need not.

use alloc::string::ToString as _;

use bytes::Bytes;

use super::{Answer, Ask, Reason, ServerMechanism, ServerStep};
use crate::prepare::is_trace;

pub(super) struct Anonymous;

impl ServerMechanism for Anonymous {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        match initial {
            Some(message) => self.respond(message),
            None => ServerStep::Challenge(Bytes::new()),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        match core::str::from_utf8(response) {
            Ok("") => ServerStep::Ask(Ask::Anonymous { trace: None }),
            Ok(text) if is_trace(text) => ServerStep::Ask(Ask::Anonymous { trace: Some(text.to_string()) }),
            _ => ServerStep::Reject(Reason::Malformed),
        }
    }

    fn answer(&mut self, answer: Answer) -> ServerStep {
        match answer {
            Answer::Yes(identity) => ServerStep::Accept(identity),
            Answer::TempFail => ServerStep::Reject(Reason::TempFail),
            _ => ServerStep::Reject(Reason::BadCredentials),
        }
    }
}
