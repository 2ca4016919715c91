//! What both sides of APOP need: the timestamp of the greeting and the digest (RFC 1939 §7). MD5 is broken; nothing
//! new should use it.

use md5::{Digest as _, Md5};

/// Octets of a digest as it stands on the wire.
pub(crate) const DIGEST_LENGTH: usize = 32;

/// MD5 of the timestamp, its angle brackets included, and the password, in lower-case hexadecimal.
pub(crate) fn digest(timestamp: &[u8], password: &[u8]) -> [u8; DIGEST_LENGTH] {
    let hash = Md5::new().chain_update(timestamp).chain_update(password).finalize();
    let mut digits = [0; DIGEST_LENGTH];
    for (pair, octet) in digits.chunks_exact_mut(2).zip(hash) {
        let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
        pair.copy_from_slice(&[digit(octet >> 4), digit(octet & 0xf)]);
    }
    digits
}

/// The timestamp in the text of a greeting, wherever it stands: the first `<…@…>` that is a msg-id.
///
/// Nothing looser: an attacker who may choose any octets for the digest learns the password from a few of them
/// (CVE-2007-1558).
pub(crate) fn timestamp(text: &[u8]) -> Option<&[u8]> {
    memchr::memchr_iter(b'<', text).find_map(|start| {
        let rest = text.get(start..)?;
        let length = memchr::memchr(b'>', rest)? + 1;
        let id = rest.get(1..length - 1)?;
        let at = memchr::memchr(b'@', id)?;
        let (left, right) = (id.get(..at)?, id.get(at + 1..)?);
        (is_dot_atom(left) && (is_dot_atom(right) || is_literal(right))).then_some(rest.get(..length)?)
    })
}

/// Whether `text` is one or more atoms with dots between them: the form of a host name, and of both sides of a
/// msg-id.
pub(crate) fn is_dot_atom(text: &[u8]) -> bool {
    let atom = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(octet);
    text.split(|&octet| octet == b'.').all(|part| !part.is_empty() && part.iter().all(atom))
}

/// Whether `text` is an address in square brackets.
fn is_literal(text: &[u8]) -> bool {
    let inner = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    inner.is_some_and(|inner| inner.iter().all(|octet| octet.is_ascii_graphic() && !b"[]\\".contains(octet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1939_comes_out() {
        let digest = digest(b"<1896.697170952@dbc.mtview.ca.us>", b"tanstaaf");
        assert_eq!(&digest, b"c4c9334bac560ecc979e58001b3e22fb");
    }

    #[test]
    fn a_timestamp_stands_anywhere_in_the_greeting() {
        for (text, found) in [
            (
                &b"POP3 server ready <1896.697170952@dbc.mtview.ca.us>"[..],
                "<1896.697170952@dbc.mtview.ca.us>",
            ),
            (b"<1@a> ready", "<1@a>"),
            (b"hi <there> <a+B/9==.1@host_1> now", "<a+B/9==.1@host_1>"),
            (b"< <1@[192.0.2.1]>", "<1@[192.0.2.1]>"),
            (b"<<1@a>>", "<1@a>"),
        ] {
            assert_eq!(timestamp(text), Some(found.as_bytes()), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_msg_id_is_no_timestamp() {
        for text in [
            &b""[..],
            b"POP3 server ready",
            b"<>",
            b"<@>",
            b"<1@>",
            b"<@a>",
            b"<1.2>",
            b"<1@a",
            b"1@a>",
            b"<1@a@b>",
            b"<1..2@a>",
            b"<.1@a>",
            b"<1@a.>",
            b"<1 2@a>",
            b"<1\x01@a>",
            b"<1\0@a>",
            b"<1@\xe4>",
            b"<\xff\xfe@a>",
            b"<\"1\"@a>",
            b"<1@[a]b]>",
            b"<1@[>",
        ] {
            assert_eq!(timestamp(text), None, "{}", text.escape_ascii());
        }
    }
}
