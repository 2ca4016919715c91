//! Status lines and challenges at the client: RFC 1939 §3, RFC 2449 §3 and §8, RFC 5034 §4.

use bytes::Bytes;
use mailwright_core::value::Excerpt;

use crate::types::{Reply, ResponseCode, Status, Text};

/// What is accepted in a status line beyond the RFC, and whether codes are to be expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, made for one call")]
pub struct Accept {
    /// Whether `[…]` is a response code: the server announced RESP-CODES, or the host wants it so.
    pub codes: bool,
    /// Whether the status may stand in lower case.
    pub any_case: bool,
}

/// Why a line is no status line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// Neither `+OK` nor `-ERR`, followed by a space or the end.
    #[error("no status line: {line}")]
    Status {
        /// The line, or its beginning.
        line: Excerpt,
    },
    /// A NUL in the line.
    #[error("NUL in a status line at offset {offset}")]
    Nul {
        /// Where it stands.
        offset: usize,
    },
    /// A line above the limit. Made by the session, not by the parser.
    #[error("status line of {octets} octets")]
    Overlong {
        /// Its length with the line end.
        octets: u64,
    },
}

/// Reads a status line without its end.
///
/// # Errors
/// If it is anything else.
pub fn status_line(line: &Bytes, accept: Accept) -> Result<Reply, ReplyError> {
    if let Some(offset) = memchr::memchr(0, line) {
        return Err(ReplyError::Nul { offset });
    }
    let length = memchr::memchr(b' ', line).unwrap_or(line.len());
    let word = line.get(..length).unwrap_or_default();
    // RFC 1939 §3: servers send the status in upper case, "+OK" or "-ERR", and nothing else.
    let is = |status: &[u8]| word == status || accept.any_case && word.eq_ignore_ascii_case(status);
    let status = if is(b"+OK") {
        Status::Ok
    } else if is(b"-ERR") {
        Status::Err
    } else {
        return Err(ReplyError::Status { line: Excerpt::new(line) });
    };
    let mut text = line.slice((length + 1).min(line.len())..);
    let mut code = None;
    if accept.codes {
        if let Some(end) = code_end(&text) {
            code = Some(ResponseCode::from_inner(text.get(1..end).unwrap_or_default()));
            text = text.slice(end + 1..);
            if text.first() == Some(&b' ') {
                text = text.slice(1..);
            }
        }
    }
    Ok(Reply { status, code, text: Text::new(text) })
}

/// Where the bracket stands that ends a well-formed code at the start of `text`. Anything else is text.
fn code_end(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', inner)?;
    // RFC 2449 §3: resp-code = "[" resp-level *("/" resp-level) "]"; resp-level = 1*rchar.
    let well_formed = |level: &[u8]| !level.is_empty() && level.iter().all(u8::is_ascii_graphic);
    inner.get(..end)?.split(|&octet| octet == b'/').all(well_formed).then_some(end + 1)
}

/// The base64 of a challenge, if the line is one: `+`, a space, and the rest (RFC 5034 §4).
#[must_use]
pub fn challenge(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"+ ")
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;

    const CODES: Accept = Accept { codes: true, any_case: false };

    fn read(line: &'static [u8], accept: Accept) -> String {
        match status_line(&Bytes::from_static(line), accept) {
            Ok(reply) => {
                let code = reply.code.map_or(String::new(), |code| format!("<{code}>"));
                format!("{:?} {code}{}", reply.status, reply.text)
            }
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn a_status_stands_alone_or_before_a_space() {
        let strict = Accept::default();
        assert_eq!(read(b"+OK", strict), "Ok ");
        assert_eq!(read(b"+OK ", strict), "Ok ");
        assert_eq!(read(b"+OK 2 320", strict), "Ok 2 320");
        assert_eq!(read(b"-ERR no such message", strict), "Err no such message");
        for line in
            [&b"+OKAY"[..], b"+ok", b"-err x", b"OK", b"", b" +OK", b"+OK\tx", b"+", b"+ ", b"-ERRx", b"\xff"]
        {
            assert!(read(line, strict).starts_with("Status"), "{}", line.escape_ascii());
        }
        assert_eq!(read(b"+OK a\0b", strict), "Nul { offset: 5 }");
        assert_eq!(read(b"+Ok x", Accept { any_case: true, ..strict }), "Ok x");
    }

    #[test]
    fn a_code_is_one_only_where_codes_are_expected() {
        assert_eq!(read(b"-ERR [IN-USE] busy", CODES), "Err <IN-USE>busy");
        assert_eq!(read(b"-ERR [IN-USE] busy", Accept::default()), "Err [IN-USE] busy");
    }

    #[test]
    fn codes_are_read_in_any_case_and_unknown_detail_is_ignored() {
        assert_eq!(read(b"-ERR [in-use/by/me]busy", CODES), "Err <IN-USE>busy");
        assert_eq!(read(b"-ERR [sys/temp/disk] later", CODES), "Err <SYS/TEMP>later");
        assert_eq!(read(b"-ERR [SYS/PERM] x", CODES), "Err <SYS/PERM>x");
        assert_eq!(read(b"-ERR [SYS/NEW] x", CODES), "Err <SYS>x");
        assert_eq!(read(b"-ERR [auth]", CODES), "Err <AUTH>");
        assert_eq!(read(b"-ERR [LOGIN-DELAY] x", CODES), "Err <LOGIN-DELAY>x");
        assert_eq!(read(b"-ERR [UTF8] x", CODES), "Err <UTF8>x");
        assert_eq!(read(b"-ERR [x-Other/1] x", CODES), "Err <x-Other/1>x");
    }

    #[test]
    fn a_malformed_bracket_is_text() {
        for line in [
            &b"-ERR [IN-USE"[..],
            b"-ERR [] x",
            b"-ERR [A//B] x",
            b"-ERR [/A] x",
            b"-ERR [A/] x",
            b"-ERR [A B] x",
            b"-ERR  [A] x",
        ] {
            let text = String::from_utf8_lossy(&line[5..]);
            assert_eq!(read(line, CODES), format!("Err {text}"), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_challenge_is_plus_and_space() {
        assert_eq!(challenge(b"+ dGVzdA=="), Some(&b"dGVzdA=="[..]));
        assert_eq!(challenge(b"+ "), Some(&b""[..]));
        assert_eq!(challenge(b"+"), None);
        assert_eq!(challenge(b"+OK"), None);
    }
}
