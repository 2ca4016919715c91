//! APOP (RFC 1939 §7): a digest of the greeting's timestamp and the password, instead of the password.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::Write as _;

use mailwright_core::value::Secret;
use mailwright_sasl::{Answer, Ask, Identity, Reason, ServerStep, Strings, prepare};
use subtle::ConstantTimeEq as _;

use super::{Proof, Server};
use crate::apop::{DIGEST_LENGTH, digest, is_dot_atom};

/// What stands in the greeting: a msg-id that no other session has, and that tells nothing.
pub(super) struct Timestamp(String);

/// Who the client says it is, and what proves it.
pub(super) struct Claim {
    name: String,
    digest: [u8; DIGEST_LENGTH],
}

/// Octets of a nonce that make a timestamp: 128 bits.
const ENTROPY: usize = 16;
/// The most octets of the name behind the `@`: the greeting has room for no more.
const LONGEST_HOST: usize = 70;

impl Server {
    pub(super) fn make_timestamp(&mut self) {
        let nonce = self.seed.nonce();
        let mut text = String::from("<");
        for octet in nonce.octets().iter().take(ENTROPY) {
            let _ = write!(text, "{octet:02x}");
        }
        let name = self.config.sasl.server_name.as_deref();
        let host = name.filter(|name| name.len() <= LONGEST_HOST && is_dot_atom(name.as_bytes()));
        // RFC 1939 §7: the syntax of the timestamp is that of a msg-id, and it is another for each greeting.
        let _ = write!(text, "@{}>", host.unwrap_or("localhost"));
        self.timestamp = Some(Box::new(Timestamp(text)));
    }

    pub(super) fn apop(&mut self, name: &[u8], digest: &[u8]) {
        // RFC 1939 §7: the digest is 16 octets in hexadecimal, in lower case.
        let digits =
            |digest: &[u8; DIGEST_LENGTH]| digest.iter().all(|octet| b"0123456789abcdef".contains(octet));
        let digest = digest.try_into().ok().filter(digits);
        let (Some(name), Some(digest)) = (self.prepared(name), digest) else {
            return self.login_failed(Reason::Malformed);
        };
        let ask = Ask::CramSecret { authcid: name.clone() };
        self.ask_credentials(Proof::Apop(Box::new(Claim { name, digest })), ask);
    }
}

impl Timestamp {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Claim {
    /// What the password that the host has makes of it.
    pub(super) fn judge(self, answer: Answer, timestamp: &str) -> ServerStep {
        let secret = match answer {
            Answer::Secret(secret) => secret,
            _ => None,
        };
        // Computed for unknown users as well.
        let password = secret.clone().unwrap_or_default();
        // RFC 6856 §2.2: prepared with SASLprep as a stored string.
        let text = core::str::from_utf8(password.expose()).ok();
        let prepared = text.and_then(|text| prepare(text, Strings::Stored).ok());
        let prepared = prepared.map(|text| Secret::from(text.into_owned()));
        let octets = prepared.as_ref().unwrap_or(&password).expose();
        let expected = digest(timestamp.as_bytes(), octets);
        let equal = bool::from(expected.ct_eq(&self.digest));
        if equal & secret.is_some_and(|secret| !secret.is_empty()) {
            ServerStep::Accept(Identity::new(self.name))
        } else {
            ServerStep::Reject(Reason::BadCredentials)
        }
    }
}
