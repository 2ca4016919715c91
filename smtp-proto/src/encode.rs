//! Values to octets: replies as they stand on the wire. RFC 5321 §4.2.1 and §4.5.3.1.5, RFC 2034 §4.
//!
//! Every value that reaches this file comes from a validating constructor, so writing cannot fail.

use bytes::{BufMut as _, BytesMut};
use mailwright_core::session::Transmit;

use crate::types::Reply;

/// RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets with its code and CR LF.
const REPLY_LINE: usize = 512;

impl Reply {
    /// Appends the reply to `transmit`, each line with code and enhanced code.
    pub fn transmit(&self, transmit: &mut Transmit) {
        self.encode(transmit.buffer());
    }

    /// Appends the reply to `wire`. A line that would be longer than 512 octets becomes several.
    ///
    /// Text beyond ASCII is written as it is: that is allowed only to a client that said SMTPUTF8
    /// (RFC 6531 §3.7.4). To others use [`Self::encode_ascii`].
    pub fn encode(&self, wire: &mut BytesMut) {
        self.write(wire, false);
    }

    /// As [`Self::encode`], with `?` for each character beyond ASCII.
    pub fn encode_ascii(&self, wire: &mut BytesMut) {
        self.write(wire, !self.is_ascii());
    }

    fn write(&self, wire: &mut BytesMut, to_ascii: bool) {
        let mut prefix = BytesMut::new();
        if let Some(enhanced) = self.enhanced() {
            // At most `5.999.999 `.
            prefix.reserve(10);
            put_number(&mut prefix, u16::from(enhanced.class()));
            prefix.put_u8(b'.');
            put_number(&mut prefix, enhanced.subject());
            prefix.put_u8(b'.');
            put_number(&mut prefix, enhanced.detail());
            prefix.put_u8(b' ');
        }
        let room = REPLY_LINE.saturating_sub(4 + prefix.len() + 2);
        let digits = self.code().digits();
        let mut lines = self.lines().peekable();
        while let Some(mut line) = lines.next() {
            loop {
                let (now, later) = split_line(line, room);
                let last = later.is_empty() && lines.peek().is_none();
                // RFC 5321 §4.2.1: every line of a reply but the last has a hyphen behind the code.
                wire.put_slice(&digits);
                wire.put_u8(if last { b' ' } else { b'-' });
                // RFC 2034 §4: the enhanced code stands on every line.
                wire.put_slice(&prefix);
                if to_ascii {
                    // Octets that continue a character are dropped, the one that starts it shows as one mark.
                    let continues = |octet: u8| octet & 0xC0 == 0x80;
                    wire.extend(
                        now.iter()
                            .filter(|&&octet| !continues(octet))
                            .map(|&octet| if octet.is_ascii() { octet } else { b'?' }),
                    );
                } else {
                    wire.put_slice(now);
                }
                wire.put_slice(b"\r\n");
                line = later;
                if line.is_empty() {
                    break;
                }
            }
        }
    }
}

/// Writes a number of at most three digits.
fn put_number(wire: &mut BytesMut, number: u16) {
    if number >= 100 {
        wire.put_u8(b'0' + (number / 100 % 10) as u8);
    }
    if number >= 10 {
        wire.put_u8(b'0' + (number / 10 % 10) as u8);
    }
    wire.put_u8(b'0' + (number % 10) as u8);
}

/// Cuts a line behind a space if there is one in its second half, else between characters.
fn split_line(line: &[u8], room: usize) -> (&[u8], &[u8]) {
    let Some((front, _)) = line.split_at_checked(room + 1) else { return (line, &[]) };
    let half = room / 2;
    let at = match memchr::memrchr(b' ', front.get(half..).unwrap_or_default()) {
        Some(space) if half + space < room => half + space + 1,
        _ => {
            // A character has at most four octets.
            let starts = |at: &usize| line.get(*at).is_some_and(|octet| octet & 0xC0 != 0x80);
            (room.saturating_sub(3)..=room).rev().find(starts).unwrap_or(room)
        }
    };
    line.split_at_checked(at).unwrap_or((line, &[]))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;
    use crate::types::{EnhancedCode, ReplyCode};

    fn wire(reply: &Reply) -> String {
        let mut wire = BytesMut::new();
        reply.encode(&mut wire);
        String::from_utf8(wire.to_vec()).unwrap()
    }

    #[test]
    fn the_enhanced_code_stands_on_every_line() {
        let enhanced = EnhancedCode::new(5, 71, 100).unwrap();
        let reply = Reply::multi_line(ReplyCode::TRANSACTION_FAILED, enhanced, ["a", "", "b"]).unwrap();
        assert_eq!(wire(&reply), "554-5.71.100 a\r\n554-5.71.100 \r\n554 5.71.100 b\r\n");
        assert_eq!(wire(&Reply::OK), "250 2.0.0 OK\r\n");
        assert_eq!(wire(&Reply::START_CONTENT), "354 Start mail input; end with <CRLF>.<CRLF>\r\n");
    }

    #[test]
    fn a_long_line_is_split_at_512_octets_and_loses_nothing() {
        for text in ["x".repeat(2000), "word ".repeat(400), "ü".repeat(900), "€".repeat(700), "x".repeat(496)]
        {
            let reply = Reply::OK.with_text(text.clone()).unwrap();
            let wire = wire(&reply);
            let lines: Vec<_> = wire.split_terminator("\r\n").collect();
            assert!(lines.iter().all(|line| line.len() <= 510));
            assert!(lines.len() <= text.len() / 250 + 1, "{}", lines.len());
            let joined: String = lines.iter().map(|line| &line[10..]).collect();
            assert_eq!(joined, text);
            assert!(lines.iter().rev().skip(1).all(|line| line.starts_with("250-2.0.0 ")));
            assert!(lines.last().unwrap().starts_with("250 2.0.0 "));
        }
    }

    #[test]
    fn a_line_of_exactly_512_octets_stays_whole() {
        let reply = Reply::OK.with_text("x".repeat(512 - 12)).unwrap();
        assert_eq!(wire(&reply).len(), 512);
    }

    #[test]
    fn to_a_client_without_smtputf8_only_ascii_is_written() {
        let mut wire = BytesMut::new();
        Reply::OK.with_text("für €").unwrap().encode_ascii(&mut wire);
        assert_eq!(wire, "250 2.0.0 f?r ?\r\n");
    }
}
