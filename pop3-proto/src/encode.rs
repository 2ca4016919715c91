//! Values as they stand on the wire: [`Command::encode`] for the client, status lines and listings for
//! the server.

use bytes::{BufMut as _, BytesMut};

use crate::types::{Command, ResponseCode};

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
        }
        wire.put_slice(b"\r\n");
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
    let mut count = 0;
    // Two digits at a time: listings are made of numbers, and divisions are what they cost.
    for slots in digits.rchunks_exact_mut(2) {
        // A remainder of a hundred fits an octet.
        let pair = u8::try_from(rest % 100).unwrap_or_default();
        rest /= 100;
        slots.copy_from_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
        count += if rest == 0 && pair < 10 { 1 } else { 2 };
        if rest == 0 {
            break;
        }
    }
    wire.put_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

/// Appends `+OK`, a space, and `text`.
pub(crate) fn put_ok(text: &str, wire: &mut BytesMut) {
    // RFC 1939 §3: a status indicator in upper case and a keyword possibly followed by more.
    wire.put_slice(b"+OK");
    if !text.is_empty() {
        wire.put_slice(b" ");
        wire.put_slice(text.as_bytes());
    }
    wire.put_slice(b"\r\n");
}

/// Appends `-ERR`, the code in brackets, and `text`.
pub(crate) fn put_err(code: Option<&ResponseCode>, text: &str, wire: &mut BytesMut) {
    wire.put_slice(b"-ERR ");
    if let Some(code) = code {
        // RFC 2449 §8: the code stands in brackets at the beginning of the text.
        wire.put_slice(b"[");
        wire.put_slice(code.as_bytes());
        wire.put_slice(b"] ");
    }
    wire.put_slice(text.as_bytes());
    wire.put_slice(b"\r\n");
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
    fn a_status_line_is_upper_case_with_its_code_in_front() {
        let mut wire = BytesMut::new();
        put_ok("", &mut wire);
        put_ok("2 320", &mut wire);
        put_err(Some(&ResponseCode::InUse), "busy", &mut wire);
        put_err(None, "no", &mut wire);
        assert_eq!(wire, "+OK\r\n+OK 2 320\r\n-ERR [IN-USE] busy\r\n-ERR no\r\n");
    }
}
