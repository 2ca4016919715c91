//! The messages of SCRAM: RFC 5802 §7, to the letter. Fixed order, each attribute once, no empty value,
//! nothing behind the last attribute; unknown extensions are passed over, the reserved `m` is refused.

use alloc::string::String;

use mailwright_core::value::Secret;

use super::{LEAST_NONCE, SALT};
use crate::base64;

/// The first message of the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFirst<'a> {
    /// The GS2 header as received, with its last comma.
    pub(crate) header: &'a str,
    pub(crate) flag: Flag<'a>,
    pub(crate) authzid: Option<String>,
    /// What stands behind the header.
    pub(crate) bare: &'a str,
    pub(crate) name: String,
    pub(crate) nonce: &'a str,
}

/// What the client says about channel binding: RFC 5802 §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag<'a> {
    /// It cannot bind.
    None,
    /// It could, and thinks that the server cannot.
    Possible,
    /// It does, by this type.
    Bound(&'a str),
}

impl<'a> ClientFirst<'a> {
    pub(crate) fn parse(message: &'a [u8]) -> Option<Self> {
        let text = text(message)?;
        // RFC 5802 §7: gs2-header = gs2-cbind-flag "," [ authzid ] ","
        let (flag, rest) = text.split_once(',')?;
        let (authzid, bare) = rest.split_once(',')?;
        let header = text.get(..text.len() - bare.len())?;
        let flag = match flag {
            "n" => Flag::None,
            "y" => Flag::Possible,
            flag => Flag::Bound(flag.strip_prefix("p=").filter(|name| is_binding_name(name))?),
        };
        let authzid = match authzid {
            "" => None,
            authzid => Some(decode_name(authzid.strip_prefix("a=")?)?),
        };
        // RFC 5802 §7: client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions];
        // the reserved extension is one that must not be known, so it ends the exchange.
        let mut attributes = Attributes(bare.split(','));
        let name = decode_name(attributes.take(b'n')?)?;
        let nonce = attributes.take(b'r').filter(|nonce| is_nonce(nonce))?;
        attributes.extensions()?;
        Some(Self { header, flag, authzid, bare, name, nonce })
    }
}

/// The first message of the server.
#[derive(Debug)]
pub(crate) struct ServerFirst<'a> {
    pub(crate) nonce: &'a str,
    pub(crate) salt: Secret,
    pub(crate) iterations: u32,
}

impl<'a> ServerFirst<'a> {
    /// `own_nonce`: what the client sent, with which the server's must begin.
    pub(crate) fn parse(message: &'a [u8], own_nonce: &str) -> Option<Self> {
        // RFC 5802 §7: server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count
        let mut attributes = Attributes(text(message)?.split(','));
        let nonce = attributes.take(b'r')?;
        // RFC 5802 §5.1: the client must verify that its nonce is the first part, and some is added.
        let added = nonce.strip_prefix(own_nonce)?;
        let salt = base64::decode(attributes.take(b's')?.as_bytes()).ok()?;
        let iterations = iterations(attributes.take(b'i')?)?;
        attributes.extensions()?;
        let good = is_nonce(added) && SALT.contains(&salt.expose().len());
        good.then_some(Self { nonce, salt, iterations })
    }
}

/// The last message of the client.
#[derive(Debug)]
pub(crate) struct ClientFinal<'a> {
    /// Base64, as received.
    pub(crate) binding: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) proof: Secret,
    /// Everything before the proof and its comma.
    pub(crate) without_proof: &'a str,
}

impl<'a> ClientFinal<'a> {
    pub(crate) fn parse(message: &'a [u8]) -> Option<Self> {
        let text = text(message)?;
        // RFC 5802 §7: client-final-message = client-final-message-without-proof "," proof
        let (without_proof, proof) = text.rsplit_once(',')?;
        let proof = base64::decode(proof.strip_prefix("p=")?.as_bytes()).ok()?;
        let mut attributes = Attributes(without_proof.split(','));
        let (binding, nonce) = (attributes.take(b'c')?, attributes.take(b'r')?);
        attributes.extensions()?;
        Some(Self { binding, nonce, proof, without_proof })
    }
}

/// The last message of the server.
#[derive(Debug)]
pub(crate) enum ServerFinal<'a> {
    /// The signature.
    Verifier(Secret),
    /// One of the words of RFC 5802 §7, or another.
    Error(&'a str),
}

impl<'a> ServerFinal<'a> {
    pub(crate) fn parse(message: &'a [u8]) -> Option<Self> {
        // RFC 5802 §7: server-final-message = (server-error / verifier) ["," extensions]
        let mut attributes = Attributes(text(message)?.split(','));
        let (name, value) = attributes.next()?;
        let message = match name {
            b'v' => Self::Verifier(base64::decode(value.as_bytes()).ok()?),
            b'e' => Self::Error(value),
            _ => return None,
        };
        attributes.extensions()?;
        Some(message)
    }
}

/// RFC 5802 §7: value-char is any UTF-8 but NUL and the comma.
fn text(message: &[u8]) -> Option<&str> {
    core::str::from_utf8(message).ok().filter(|text| !text.contains('\0'))
}

/// Attributes one behind the other.
struct Attributes<'a>(core::str::Split<'a, char>);

impl<'a> Attributes<'a> {
    /// RFC 5802 §7: attr-val = ALPHA "=" value, value = 1*value-char.
    fn next(&mut self) -> Option<(u8, &'a str)> {
        let (name, value) = self.0.next()?.split_once('=')?;
        match *name.as_bytes() {
            [name] if name.is_ascii_alphabetic() && !value.is_empty() => Some((name, value)),
            _ => None,
        }
    }

    /// The value of the next attribute, if it is `name`.
    fn take(&mut self, name: u8) -> Option<&'a str> {
        self.next().filter(|&(found, _)| found == name).map(|(_, value)| value)
    }

    /// What is left: well-formed extensions, each once, none of them with a name that has a meaning.
    fn extensions(mut self) -> Option<()> {
        let mut seen = 0u128;
        while self.0.clone().next().is_some() {
            let (name, _) = self.next()?;
            // RFC 5802 §5.1: "m" is reserved for extensions that must be understood.
            let bit = 1u128 << (name & 127);
            if b"anmrcsipve".contains(&name) || seen & bit != 0 {
                return None;
            }
            seen |= bit;
        }
        Some(())
    }
}

/// RFC 5802 §7: cb-name = 1*(ALPHA / DIGIT / "." / "-").
fn is_binding_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-'))
}

/// RFC 5802 §7: printable is ASCII without the comma. A short nonce is no nonce.
fn is_nonce(nonce: &str) -> bool {
    nonce.len() >= LEAST_NONCE && nonce.bytes().all(|octet| octet.is_ascii_graphic() && octet != b',')
}

/// RFC 5802 §7: posit-number = %x31-39 *DIGIT.
pub(super) fn iterations(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|octet| octet.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| canonical)
}

/// RFC 5802 §7: saslname, in which `=2C` is a comma and `=3D` an equals sign, and `=` nothing else.
pub(crate) fn decode_name(encoded: &str) -> Option<String> {
    if encoded.is_empty() || encoded.contains(['\0', ',']) {
        return None;
    }
    let mut name = String::with_capacity(encoded.len());
    let mut parts = encoded.split('=');
    name.push_str(parts.next()?);
    for part in parts {
        let (character, rest) = if let Some(rest) = part.strip_prefix("2C") {
            (',', rest)
        } else {
            ('=', part.strip_prefix("3D")?)
        };
        name.push(character);
        name.push_str(rest);
    }
    Some(name)
}

/// The same the other way.
pub(crate) fn encode_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            ',' => encoded.push_str("=2C"),
            '=' => encoded.push_str("=3D"),
            other => encoded.push(other),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
