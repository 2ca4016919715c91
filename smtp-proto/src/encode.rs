//! Values to octets: replies and commands as they stand on the wire. RFC 5321 §4.1.1, §4.2.1 and §4.5.3.1.5,
//! RFC 2034 §4.
//!
//! Values come from validating constructors, so writing them cannot fail; only arguments of commands that are
//! kept as they stood are checked here.

use core::fmt::Write as _;

use bytes::{BufMut as _, BytesMut};
use mailwright_core::session::Transmit;

use crate::types::{Command, EnhancedCode, Parameters, Reply};

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
        let prefix = self.enhanced().map(Prefix::new).unwrap_or_default();
        let prefix = prefix.as_bytes();
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
                wire.put_slice(prefix);
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

/// A command that may not be written: an argument of it is missing, or has octets that no command line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the argument may not stand in a command line")]
#[non_exhaustive]
pub struct InvalidArgument;

impl Command {
    /// Appends the command line with its CR LF to `wire`, or nothing if it may not be written.
    ///
    /// What was read is written as it was, but for the case of verbs and for spaces that were forgiven; a source
    /// route is left out (RFC 5321 §4.1.2: none is generated). A line has no upper limit here.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use mailwright_smtp::types::Command;
    ///
    /// let mut wire = BytesMut::new();
    /// Command::Data.encode(&mut wire)?;
    /// assert!(Command::Help("alice\r\nDATA".into()).encode(&mut wire).is_err());
    /// assert_eq!(wire, "DATA\r\n");
    /// # Ok::<(), mailwright_smtp::types::InvalidArgument>(())
    /// ```
    ///
    /// # Errors
    /// If an argument that is kept as it stood is not ASCII (with SMTPUTF8: not UTF-8), has control characters but HT, or ends in white space;
    /// if VRFY or EXPN has none; if the mechanism of AUTH is no word; if a chunk is larger than 63 bits.
    pub fn encode(&self, wire: &mut BytesMut) -> Result<(), InvalidArgument> {
        let before = wire.len();
        let written = self.write(wire);
        if written.is_err() {
            wire.truncate(before);
        }
        written
    }

    fn write(&self, wire: &mut BytesMut) -> Result<(), InvalidArgument> {
        // Writing into memory does not fail.
        match self {
            Self::Ehlo(name) => _ = write!(wire, "EHLO {name}"),
            Self::Helo(name) => _ = write!(wire, "HELO {name}"),
            Self::Lhlo(name) => _ = write!(wire, "LHLO {name}"),
            Self::Mail { path, parameters, .. } => {
                _ = write!(wire, "MAIL FROM:{path}");
                put_parameters(wire, parameters);
            }
            Self::Rcpt { path, parameters, .. } => {
                _ = write!(wire, "RCPT TO:{path}");
                put_parameters(wire, parameters);
            }
            Self::Data => wire.put_slice(b"DATA"),
            // RFC 3030 §2; larger sizes are not read either.
            Self::Bdat { size, .. } if *size > u64::MAX >> 1 => return Err(InvalidArgument),
            Self::Bdat { size, last } => {
                _ = write!(wire, "BDAT {size}{}", if *last { " LAST" } else { "" });
            }
            Self::Rset => wire.put_slice(b"RSET"),
            Self::Noop => wire.put_slice(b"NOOP"),
            Self::Vrfy { query, smtp_utf8 } => put_query(wire, "VRFY", query, *smtp_utf8)?,
            Self::Expn { query, smtp_utf8 } => put_query(wire, "EXPN", query, *smtp_utf8)?,
            Self::Help(argument) => put_with(wire, "HELP", argument)?,
            Self::StartTls => wire.put_slice(b"STARTTLS"),
            Self::Auth { mechanism, initial } => {
                if mechanism.is_empty() || !mechanism.iter().all(u8::is_ascii_graphic) {
                    return Err(InvalidArgument);
                }
                put_with(wire, "AUTH", mechanism)?;
                if let Some(initial) = initial {
                    wire.put_u8(b' ');
                    wire.put_slice(initial.expose());
                }
            }
            Self::Quit => wire.put_slice(b"QUIT"),
            Self::Other(verb, argument) => put_with(wire, verb.as_str(), argument)?,
        }
        wire.put_slice(b"\r\n");
        Ok(())
    }
}

/// Writes a verb and an argument that is kept as it stood.
fn put_with(wire: &mut BytesMut, verb: &str, argument: &[u8]) -> Result<(), InvalidArgument> {
    // RFC 5321 §2.3.8: no octet of an argument may end the line, or stand alone for a line end.
    let fits = |octet: &u8| *octet == b'\t' || matches!(octet, b' '..=b'~');
    if !argument.iter().all(fits) || argument.last().is_some_and(u8::is_ascii_whitespace) {
        return Err(InvalidArgument);
    }
    wire.put_slice(verb.as_bytes());
    if !argument.is_empty() {
        wire.put_u8(b' ');
        wire.put_slice(argument);
    }
    Ok(())
}

/// Writes VRFY or EXPN.
fn put_query(wire: &mut BytesMut, verb: &str, query: &[u8], smtp_utf8: bool) -> Result<(), InvalidArgument> {
    if query.is_empty() {
        return Err(InvalidArgument);
    }
    if !smtp_utf8 {
        return put_with(wire, verb, query);
    }
    let text = core::str::from_utf8(query).map_err(|_| InvalidArgument)?;
    if text.ends_with([' ', '\t']) || text.chars().any(|it| it.is_control() && it != '\t') {
        return Err(InvalidArgument);
    }
    // Writing into memory does not fail.
    _ = write!(wire, "{verb} {text} SMTPUTF8");
    Ok(())
}

fn put_parameters(wire: &mut BytesMut, parameters: &Parameters) {
    for parameter in parameters.iter() {
        wire.put_u8(b' ');
        wire.put_slice(parameter.keyword.as_bytes());
        if let Some(value) = parameter.value {
            wire.put_u8(b'=');
            wire.put_slice(value.as_bytes());
        }
    }
}

/// An enhanced code and its space, at most `5.999.999 `.
#[derive(Default)]
struct Prefix {
    octets: [u8; 10],
    length: usize,
}

impl Prefix {
    fn new(code: EnhancedCode) -> Self {
        let mut prefix = Self::default();
        prefix.number(u16::from(code.class()));
        prefix.put(b'.');
        prefix.number(code.subject());
        prefix.put(b'.');
        prefix.number(code.detail());
        prefix.put(b' ');
        prefix
    }

    fn put(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(self.length) {
            *place = octet;
            self.length += 1;
        }
    }

    /// Writes a number of at most three digits.
    fn number(&mut self, number: u16) {
        if number >= 100 {
            self.put(b'0' + (number / 100 % 10) as u8);
        }
        if number >= 10 {
            self.put(b'0' + (number / 10 % 10) as u8);
        }
        self.put(b'0' + (number % 10) as u8);
    }

    fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
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
    use crate::types::{ReplyCode, Verb};

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
    fn injection_an_argument_that_could_end_the_line_writes_nothing() {
        let mut line = BytesMut::new();
        let bad = ["a\r\nDATA", "a\nb", "a\rb", "a\0", "\u{7f}", "\u{fc}", "a ", "a\t", " "];
        for argument in bad {
            let argument = || argument.as_bytes().to_vec().into();
            for command in [
                Command::Vrfy { query: argument(), smtp_utf8: false },
                Command::Expn { query: argument(), smtp_utf8: false },
                Command::Help(argument()),
                Command::Other(Verb::Etrn, argument()),
                Command::Auth { mechanism: argument(), initial: None },
            ] {
                assert_eq!(command.encode(&mut line), Err(InvalidArgument), "{command:?}");
            }
        }
        for query in ["", "\u{fc}\r\n", "\u{85}", "a "] {
            let vrfy = Command::Vrfy { query: query.into(), smtp_utf8: true };
            assert_eq!(vrfy.encode(&mut line), Err(InvalidArgument), "{query:?}");
        }
        let vrfy = Command::Vrfy { query: "".into(), smtp_utf8: false };
        assert_eq!(vrfy.encode(&mut line), Err(InvalidArgument));
        assert_eq!(Command::Bdat { size: 1 << 63, last: true }.encode(&mut line), Err(InvalidArgument));
        assert!(line.is_empty());
    }

    #[test]
    fn to_a_client_without_smtputf8_only_ascii_is_written() {
        let mut wire = BytesMut::new();
        Reply::OK.with_text("für €").unwrap().encode_ascii(&mut wire);
        assert_eq!(wire, "250 2.0.0 f?r ?\r\n");
    }
}
