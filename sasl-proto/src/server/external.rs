//! EXTERNAL, server side: RFC 4422, appendix A. The client says as whom it wants to act; who it is, the
//! layer below has proved.

use alloc::string::ToString as _;

use bytes::Bytes;

use super::authorization::Authorization;
use super::{Answer, Ask, Reason, ServerMechanism, ServerStep};
use crate::FIELD_LIMIT;

#[derive(Default)]
pub(super) struct External {
    authorization: Option<Authorization>,
}

impl ServerMechanism for External {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        match initial {
            Some(message) => self.respond(message),
            None => ServerStep::Challenge(Bytes::new()),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        // RFC 4422 §A.1: extern-initial-resp = *( UTF8-char-no-nul ).
        let authzid = match core::str::from_utf8(response) {
            Ok("") => None,
            Ok(text) if text.len() <= FIELD_LIMIT && !text.bytes().any(|octet| octet.is_ascii_control()) => {
                Some(text.to_string())
            }
            _ => return ServerStep::Reject(Reason::Malformed),
        };
        self.authorization = Some(Authorization::new(None, authzid.clone()));
        ServerStep::Ask(Ask::External { authzid })
    }

    fn answer(&mut self, answer: Answer) -> ServerStep {
        match &mut self.authorization {
            Some(authorization) => authorization.conclude(answer),
            None => ServerStep::Reject(Reason::Malformed),
        }
    }
}
