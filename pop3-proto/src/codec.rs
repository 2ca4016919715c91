//! Encoders and decoders for `tokio_util::codec::Framed`: commands and replies with the framing and limits of
//! the sessions, for tools that need no session. RFC 1939 §3, RFC 2449 §4.
//!
//! They know nothing of the conversation: that lines follow a reply is said by [`ClientCodec::lines_follow`];
//! messages, responses of AUTH and the switch to TLS are left to their user, who takes the buffer of the `Framed`
//! at the right place.

use bytes::{Bytes, BytesMut};
use mailwright_core::wire::{Framed, LineEnd, LineFramer};
use tokio_util::codec::{Decoder, Encoder};

use crate::parse::{Accept, CommandError, Parsed, ReplyError, status_line};
use crate::types::{Command, Reply, ValueError};

/// Why nothing could be cut off, or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The stream failed, or ended inside a listing.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A line above the limit; it was skipped, and the next one can be read.
    #[error("line of {octets} octets")]
    Overlong {
        /// Its length with the line end.
        octets: u64,
    },
    /// What came is no status line; nothing behind it can be read.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// A reply that may not be written; nothing was.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// A line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(Bytes);

impl Line {
    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The line as a command.
    ///
    /// # Errors
    /// As [`Command::parse`].
    pub fn command(&self) -> Result<Parsed<'_>, CommandError> {
        Command::parse(&self.0)
    }
}

/// The server's side: decodes [`Line`]s, encodes [`Reply`]s.
#[derive(Debug)]
pub struct ServerCodec {
    framer: LineFramer,
    limit: usize,
}

impl ServerCodec {
    /// Lines of `limit` octets at most with their CR LF.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { framer: LineFramer::new(LineEnd::CrLf), limit }
    }
}

impl Decoder for ServerCodec {
    type Item = Line;
    type Error = CodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Line>, CodecError> {
        next_line(&mut self.framer, input, self.limit)
    }
}

impl Encoder<&Reply> for ServerCodec {
    type Error = CodecError;

    fn encode(&mut self, reply: &Reply, wire: &mut BytesMut) -> Result<(), CodecError> {
        Ok(reply.encode(wire)?)
    }
}

/// What a client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// A status line.
    Reply(Reply),
    /// A line of the reply, without the dot of the transfer.
    Line(Line),
    /// The end of these lines.
    End,
}

/// The client's side: decodes [`Frame`]s, encodes [`Command`]s.
#[derive(Debug)]
pub struct ClientCodec {
    framer: LineFramer,
    limit: usize,
    accept: Accept,
    /// Whether the lines of a reply come next.
    lines: bool,
}

impl ClientCodec {
    /// Lines of `limit` octets at most with their CR LF.
    #[must_use]
    pub const fn new(limit: usize, accept: Accept) -> Self {
        Self { framer: LineFramer::new(LineEnd::CrLf), limit, accept, lines: false }
    }

    /// Lines follow the reply that was read last, up to [`Frame::End`]: only its command tells that.
    pub const fn lines_follow(&mut self) {
        self.lines = true;
    }
}

impl Decoder for ClientCodec {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        let Some(Line(line)) = next_line(&mut self.framer, input, self.limit)? else { return Ok(None) };
        if !self.lines {
            return Ok(Some(Frame::Reply(status_line(&line, self.accept)?)));
        }
        // RFC 1939 §3: a line with a single dot ends the reply; any other leading dot was doubled.
        if line.as_ref() == b"." {
            self.lines = false;
            return Ok(Some(Frame::End));
        }
        let line = if line.first() == Some(&b'.') { line.slice(1..) } else { line };
        Ok(Some(Frame::Line(Line(line))))
    }

    /// An end inside a line or a listing is an error.
    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        let frame = self.decode(input)?;
        if frame.is_none() && (self.lines || !input.is_empty()) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        Ok(frame)
    }
}

impl Encoder<Command<'_>> for ClientCodec {
    type Error = CodecError;

    fn encode(&mut self, command: Command<'_>, wire: &mut BytesMut) -> Result<(), CodecError> {
        command.encode(wire);
        Ok(())
    }
}

fn next_line(
    framer: &mut LineFramer,
    input: &mut BytesMut,
    limit: usize,
) -> Result<Option<Line>, CodecError> {
    match framer.next_line(input, limit) {
        Some(Framed::Line { line, .. }) => Ok(Some(Line(line))),
        Some(Framed::Overlong { length }) => Err(CodecError::Overlong { octets: length }),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ReplyText, ResponseCode};

    fn client() -> ClientCodec {
        ClientCodec::new(1024, Accept { codes: true, any_case: false })
    }

    #[test]
    fn commands_go_out_and_come_in_again() {
        let (mut client, mut server) = (client(), ServerCodec::new(1024));
        let mut wire = BytesMut::new();
        client.encode(Command::Stat, &mut wire).unwrap();
        wire.extend_from_slice(b"RETR 1\r\nhalf");
        let line = server.decode(&mut wire).unwrap().unwrap();
        assert!(matches!(line.command().unwrap().command, Command::Stat));
        let line = server.decode(&mut wire).unwrap().unwrap();
        assert!(matches!(line.command().unwrap().command, Command::Retr(_)));
        assert!(server.decode(&mut wire).unwrap().is_none());
    }

    #[test]
    fn replies_go_out_and_come_in_again() {
        let (mut client, mut server) = (client(), ServerCodec::new(1024));
        let mut wire = BytesMut::new();
        let busy = Reply::err(Some(ResponseCode::InUse), &ReplyText::new("busy").unwrap());
        let fine = Reply::ok(&ReplyText::new("").unwrap());
        server.encode(&busy, &mut wire).unwrap();
        server.encode(&fine, &mut wire).unwrap();
        assert_eq!(wire, "-ERR [IN-USE] busy\r\n+OK\r\n");
        assert_eq!(client.decode(&mut wire).unwrap().unwrap(), Frame::Reply(busy));
        assert_eq!(client.decode_eof(&mut wire).unwrap().unwrap(), Frame::Reply(fine));
        assert!(client.decode_eof(&mut wire).unwrap().is_none());
    }

    #[test]
    fn lines_come_without_their_dots_up_to_the_end() {
        let mut codec = client();
        let mut wire = BytesMut::from("+OK\r\n1 a\r\n..\r\n.\r\n+OK\r\n");
        assert!(matches!(codec.decode(&mut wire).unwrap(), Some(Frame::Reply(_))));
        codec.lines_follow();
        for expected in [&b"1 a"[..], b"."] {
            let Some(Frame::Line(line)) = codec.decode(&mut wire).unwrap() else { panic!() };
            assert_eq!(line.as_bytes(), expected);
        }
        assert_eq!(codec.decode(&mut wire).unwrap(), Some(Frame::End));
        assert!(matches!(codec.decode(&mut wire).unwrap(), Some(Frame::Reply(_))));
    }

    #[test]
    fn an_end_inside_a_line_or_a_listing_is_an_error() {
        let mut codec = client();
        assert!(matches!(codec.decode_eof(&mut BytesMut::from("+O")), Err(CodecError::Io(_))));
        let mut codec = client();
        codec.lines_follow();
        let mut wire = BytesMut::from("1 a\r\n");
        assert!(codec.decode_eof(&mut wire).unwrap().is_some());
        assert!(matches!(codec.decode_eof(&mut wire), Err(CodecError::Io(_))));
    }

    #[test]
    fn what_is_no_status_line_is_an_error() {
        assert!(matches!(client().decode(&mut BytesMut::from("220 hi\r\n")), Err(CodecError::Reply(_))));
    }

    #[test]
    fn an_overlong_line_is_skipped() {
        let mut codec = ServerCodec::new(8);
        let mut wire = BytesMut::from("0123456789\r\nNOOP\r\n");
        assert!(matches!(codec.decode(&mut wire), Err(CodecError::Overlong { octets: 12 })));
        assert_eq!(codec.decode(&mut wire).unwrap().unwrap().as_bytes(), b"NOOP");
    }
}
