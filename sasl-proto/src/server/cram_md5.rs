//! CRAM-MD5, server side: RFC 2195 §2. A challenge that never comes again, and a keyed digest of it.

use alloc::format;
use alloc::string::{String, ToString as _};

use bytes::Bytes;
use subtle::ConstantTimeEq as _;

use super::{Answer, Ask, Identity, Reason, ServerMechanism, ServerPolicy, ServerStep};
use crate::cram_md5::digest;
use crate::prepare::{Strings, prepare};
use crate::seed::Nonce;

pub(super) struct CramMd5 {
    challenge: String,
    claim: Option<Claim>,
}

/// Who the client says it is, and the digest to prove it.
struct Claim {
    name: String,
    digest: String,
}

impl CramMd5 {
    pub(super) fn new(policy: &ServerPolicy, nonce: &Nonce) -> Self {
        // RFC 2195 §2: the syntax is that of a message identifier.
        let host = policy.server_name.as_deref().unwrap_or("localhost");
        Self { challenge: format!("<{}@{host}>", nonce.hexadecimal()), claim: None }
    }
}

impl ServerMechanism for CramMd5 {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        match initial {
            Some(_) => ServerStep::Reject(Reason::UnexpectedInitialResponse),
            None => ServerStep::Challenge(Bytes::copy_from_slice(self.challenge.as_bytes())),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        // RFC 2195 §2: the name, a space, and the digest in lower-case hexadecimal. A name may have spaces.
        let parts = core::str::from_utf8(response).ok().and_then(|text| text.rsplit_once(' '));
        let Some((name, digest)) = parts else { return ServerStep::Reject(Reason::Malformed) };
        let hexadecimal =
            digest.len() == 32 && digest.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'));
        if !hexadecimal || name.is_empty() || name.bytes().any(|octet| octet.is_ascii_control()) {
            return ServerStep::Reject(Reason::Malformed);
        }
        let Ok(name) = prepare(name, Strings::Query) else {
            return ServerStep::Reject(Reason::BadCredentials);
        };
        let name = name.to_string();
        self.claim = Some(Claim { name: name.clone(), digest: digest.to_string() });
        ServerStep::Ask(Ask::CramSecret { authcid: name })
    }

    fn answer(&mut self, answer: Answer) -> ServerStep {
        let Some(claim) = self.claim.take() else { return ServerStep::Reject(Reason::Malformed) };
        let secret = match answer {
            Answer::Secret(secret) => secret,
            Answer::TempFail => return ServerStep::Reject(Reason::TempFail),
            _ => None,
        };
        // Computed for unknown users as well.
        let expected = digest(secret.clone().unwrap_or_default().expose(), self.challenge.as_bytes());
        let equal = bool::from(expected.as_bytes().ct_eq(claim.digest.as_bytes()));
        if equal & secret.is_some() {
            ServerStep::Accept(Identity::new(claim.name))
        } else {
            ServerStep::Reject(Reason::BadCredentials)
        }
    }
}

#[cfg(test)]
mod tests {
    use mailwright_core::value::Secret;

    use super::*;

    fn begin() -> CramMd5 {
        // The challenge of RFC 2195 §3.
        let challenge = "<1896.697170952@postoffice.reston.mci.net>".to_string();
        CramMd5 { challenge, claim: None }
    }

    #[test]
    fn the_example_of_rfc_2195_is_accepted_and_nothing_near_it() {
        for (secret, accepted) in [
            (Some("tanstaaftanstaaf"), true),
            (Some("tanstaaftanstaag"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut server = begin();
            assert!(matches!(server.start(None), ServerStep::Challenge(_)));
            let ask = server.respond(b"tim b913a602c7eda7a495b4e6e7334d3890");
            assert!(matches!(ask, ServerStep::Ask(Ask::CramSecret { authcid }) if authcid == "tim"));
            let step = server.answer(Answer::Secret(secret.map(Secret::from)));
            assert_eq!(matches!(step, ServerStep::Accept(_)), accepted, "{secret:?} {step:?}");
        }
    }

    #[test]
    fn the_name_ends_at_the_last_space() {
        let ask = begin().respond(b"tim the enchanter b913a602c7eda7a495b4e6e7334d3890");
        assert!(
            matches!(ask, ServerStep::Ask(Ask::CramSecret { authcid }) if authcid == "tim the enchanter")
        );
    }

    #[test]
    fn any_other_form_of_digest_is_malformed() {
        for response in [
            &b""[..],
            b"tim",
            b" b913a602c7eda7a495b4e6e7334d3890",
            b"tim b913a602c7eda7a495b4e6e7334d389",
            b"tim b913a602c7eda7a495b4e6e7334d38900",
            b"tim B913A602C7EDA7A495B4E6E7334D3890",
            b"tim g913a602c7eda7a495b4e6e7334d3890",
            b"t\0m b913a602c7eda7a495b4e6e7334d3890",
            b"t\xff b913a602c7eda7a495b4e6e7334d3890",
            b"tim b913a602c7eda7a495b4e6e7334d3890 ",
        ] {
            let step = begin().respond(response);
            assert!(matches!(step, ServerStep::Reject(Reason::Malformed)), "{}", response.escape_ascii());
        }
    }
}
