//! Values as they stand on the wire: [`Command::encode`] for the client, status lines and listings for
//! the server.

use bytes::{BufMut as _, BytesMut};

use crate::types::{Command, Reply, ResponseCode, Status, ValueError, check};

impl Command<'_> {
    /// Appends the command with its line end.
    pub fn encode(&self, wire: &mut BytesMut) {
        match *self {
            Self::Stat => wire.put_slice(b"STAT"),
            Self::List(None) => wire.put_slice(b"LIST"),
            Self::List(Some(number)) => put_numbered(b"LIST ", number.get().into(), wire),
            Self::Retr(number) => put_numbered(b"RETR ", number.get().into(), wire),
            Self::Dele(number) => put_numbered(b"DELE ", number.get().into(), wire),
            Self::Noop => wire.put_slice(b"NOOP"),
            Self::Rset => wire.put_slice(b"RSET"),
            Self::Quit => wire.put_slice(b"QUIT"),
            Self::Top { number, lines } => {
                put_numbered(b"TOP ", number.get().into(), wire);
                put_numbered(b" ", lines, wire);
            }
            Self::Uidl(None) => wire.put_slice(b"UIDL"),
            Self::Uidl(Some(number)) => put_numbered(b"UIDL ", number.get().into(), wire),
            Self::User(name) => {
                wire.put_slice(b"USER ");
                wire.put_slice(name.as_bytes());
            }
            Self::Pass(password) => {
                wire.put_slice(b"PASS ");
                wire.put_slice(password.expose());
            }
            Self::Apop { name, digest } => {
                wire.put_slice(b"APOP ");
                wire.put_slice(name.as_bytes());
                wire.put_slice(b" ");
                wire.put_slice(digest.as_bytes());
            }
            Self::Capa => wire.put_slice(b"CAPA"),
            Self::Stls => wire.put_slice(b"STLS"),
            Self::Auth { mechanism, initial } => {
                wire.put_slice(b"AUTH ");
                wire.put_slice(mechanism.as_bytes());
                if let Some(initial) = initial {
                    wire.put_slice(b" ");
                    wire.put_slice(initial.expose());
                }
            }
            Self::ListMechanisms => wire.put_slice(b"AUTH"),
            Self::Utf8 => wire.put_slice(b"UTF8"),
            Self::Lang(range) => {
                wire.put_slice(b"LANG");
                if let Some(range) = range {
                    wire.put_slice(b" ");
                    wire.put_slice(range.as_str().as_bytes());
                }
            }
        }
        wire.put_slice(b"\r\n");
    }
}

impl Reply {
    /// Appends the status line with its line end.
    ///
    /// # Errors
    /// If the text, which may be a peer's, holds CR, LF or NUL, or would be taken for a code; nothing was written.
    pub fn encode(&self, wire: &mut BytesMut) -> Result<(), ValueError> {
        let text = self.text.as_bytes();
        check(text, usize::MAX, |octet| !matches!(octet, b'\r' | b'\n' | 0))?;
        // RFC 2449 §6.4: a text that begins with a bracket begins with a code.
        if self.code.is_none() && text.first() == Some(&b'[') {
            return Err(ValueError::Octet { octet: b'[', offset: 0 });
        }
        match self.status {
            Status::Ok => wire.put_slice(b"+OK"),
            Status::Err => wire.put_slice(b"-ERR"),
        }
        if let Some(code) = &self.code {
            wire.put_slice(b" [");
            wire.put_slice(code.as_bytes());
            wire.put_slice(b"]");
        }
        if !text.is_empty() {
            wire.put_slice(b" ");
            wire.put_slice(text);
        }
        wire.put_slice(b"\r\n");
        Ok(())
    }
}

fn put_numbered(keyword: &[u8], number: u64, wire: &mut BytesMut) {
    wire.put_slice(keyword);
    put_decimal(number, wire);
}

/// Appends `number` in decimal digits.
pub(crate) fn put_decimal(number: u64, wire: &mut BytesMut) {
    let mut digits = [0; 20];
    let mut rest = number;
    let mut start = digits.len();
    for (at, slot) in digits.iter_mut().enumerate().rev() {
        let digit = (rest % 10) as u8;
        *slot = b'0' + digit;
        start = at;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    wire.put_slice(digits.get(start..).unwrap_or_default());
}

/// Appends `+OK`, `text`, and what else there is, if any, with spaces between them.
pub(crate) fn put_ok(text: &str, more: Option<&str>, wire: &mut BytesMut) {
    // RFC 1939 §3: a status indicator in upper case and a keyword possibly followed by more.
    wire.put_slice(b"+OK");
    for text in [text, more.unwrap_or_default()] {
        if !text.is_empty() {
            wire.put_slice(b" ");
            wire.put_slice(text.as_bytes());
        }
    }
    wire.put_slice(b"\r\n");
}

/// Appends `-ERR`, a space, and the code in brackets; the text comes behind it.
pub(crate) fn put_err(code: Option<&ResponseCode>, wire: &mut BytesMut) {
    wire.put_slice(b"-ERR ");
    if let Some(code) = code {
        // RFC 2449 §8: the code stands in brackets at the beginning of the text.
        wire.put_slice(b"[");
        wire.put_slice(code.as_bytes());
        wire.put_slice(b"] ");
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn decimal_digits_are_those_of_the_standard_library() {
        for number in [0, 9, 10, 99, 100, 12_345, u64::from(u32::MAX), u64::MAX] {
            let mut wire = BytesMut::new();
            put_decimal(number, &mut wire);
            assert_eq!(wire, number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_reply_writes_itself_as_it_was_read_and_never_two_lines() {
        use crate::parse::{Accept, status_line};
        let accept = Accept { codes: true, any_case: false };
        for line in
            ["+OK", "+OK 2 320", "-ERR [IN-USE] busy", "-ERR [x/y/z] no", "-ERR [AUTH]", "-ERR gr\u{fc}n"]
        {
            let reply = status_line(&bytes::Bytes::from_static(line.as_bytes()), accept).unwrap();
            let mut wire = BytesMut::new();
            reply.encode(&mut wire).unwrap();
            assert_eq!(wire, alloc::format!("{line}\r\n").as_bytes());
        }
        for line in ["+OK a\n+OK b", "+OK a\rb", "-ERR [ x"] {
            let reply = status_line(&bytes::Bytes::from_static(line.as_bytes()), accept).unwrap();
            let mut wire = BytesMut::new();
            assert!(reply.encode(&mut wire).is_err());
            assert!(wire.is_empty());
        }
    }

    #[test]
    fn a_status_line_is_upper_case_with_its_code_in_front() {
        let mut wire = BytesMut::new();
        put_ok("", None, &mut wire);
        put_ok("ready", Some("<1@a>"), &mut wire);
        put_err(Some(&ResponseCode::InUse), &mut wire);
        put_err(None, &mut wire);
        assert_eq!(wire, "+OK\r\n+OK ready <1@a>\r\n-ERR [IN-USE] -ERR ");
    }
}
