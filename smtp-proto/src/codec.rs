//! Encoders and decoders for `tokio_util::codec::Framed`: commands and replies with the framing and limits of
//! the sessions, for tools that need no session. RFC 5321 §4.1.1, §4.2, §4.5.3.1.
//!
//! They know nothing of the conversation: content behind 354, responses of AUTH and the switch to TLS are left
//! to their user, who takes the buffer of the `Framed` at the right place.

use bytes::{Bytes, BytesMut};
use mailwright_core::wire::{Framed, LineEnd, LineFramer};
use tokio_util::codec::{Decoder, Encoder};

use crate::parse::{CommandError, CommandOptions, ParsedCommand, ReplyLimits, ReplyParseError, ReplyReader};
use crate::types::{Command, InvalidArgument, Reply};

/// Why nothing could be cut off, or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The stream failed, or ended inside a reply.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A command line above the limit; it was skipped, and the next one can be read.
    #[error("line of {octets} octets")]
    Overlong {
        /// Its length with the line end.
        octets: u64,
    },
    /// What came is no reply; nothing behind it can be read.
    #[error(transparent)]
    Reply(#[from] ReplyParseError),
    /// A command that may not be written; nothing was.
    #[error(transparent)]
    Argument(#[from] InvalidArgument),
}

/// A line that a client sent, without its end.
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
    pub fn command(&self, options: &CommandOptions) -> Result<ParsedCommand, CommandError> {
        Command::parse(&self.0, options)
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
        match self.framer.next_line(input, self.limit) {
            Some(Framed::Line { line, .. }) => Ok(Some(Line(line))),
            Some(Framed::Overlong { length }) => Err(CodecError::Overlong { octets: length }),
            None => Ok(None),
        }
    }
}

impl Encoder<&Reply> for ServerCodec {
    type Error = CodecError;

    fn encode(&mut self, reply: &Reply, wire: &mut BytesMut) -> Result<(), CodecError> {
        reply.encode(wire);
        Ok(())
    }
}

/// The client's side: decodes [`Reply`]s, encodes [`Command`]s.
#[derive(Debug)]
pub struct ClientCodec {
    reader: ReplyReader,
}

impl ClientCodec {
    /// Replies within `limits`.
    #[must_use]
    pub fn new(limits: ReplyLimits) -> Self {
        Self { reader: ReplyReader::new(limits) }
    }
}

impl Decoder for ClientCodec {
    type Item = Reply;
    type Error = CodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, CodecError> {
        Ok(self.reader.next_reply(input)?)
    }

    /// An end inside a reply is an error, also between two lines of it.
    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, CodecError> {
        let reply = self.decode(input)?;
        if reply.is_none() && !(input.is_empty() && self.reader.is_at_start()) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        Ok(reply)
    }
}

impl Encoder<&Command> for ClientCodec {
    type Error = CodecError;

    fn encode(&mut self, command: &Command, wire: &mut BytesMut) -> Result<(), CodecError> {
        Ok(command.encode(wire)?)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn commands_go_out_and_come_in_again() {
        let (mut client, mut server) = (ClientCodec::new(ReplyLimits::default()), ServerCodec::new(2048));
        let mut wire = BytesMut::new();
        client.encode(&Command::Data, &mut wire).unwrap();
        wire.extend_from_slice(b"RCPT TO:<a@b>\r\nhalf");
        let options = CommandOptions::default();
        let line = server.decode(&mut wire).unwrap().unwrap();
        assert_eq!(line.command(&options).unwrap().command, Command::Data);
        let line = server.decode(&mut wire).unwrap().unwrap();
        assert!(matches!(line.command(&options).unwrap().command, Command::Rcpt { .. }));
        assert!(server.decode(&mut wire).unwrap().is_none());
    }

    #[test]
    fn replies_go_out_and_come_in_again() {
        let (mut client, mut server) = (ClientCodec::new(ReplyLimits::default()), ServerCodec::new(2048));
        let mut wire = BytesMut::new();
        server.encode(&Reply::NO_SUCH_USER, &mut wire).unwrap();
        server.encode(&Reply::OK, &mut wire).unwrap();
        assert_eq!(client.decode(&mut wire).unwrap().unwrap(), Reply::NO_SUCH_USER);
        assert_eq!(client.decode_eof(&mut wire).unwrap().unwrap(), Reply::OK);
        assert!(client.decode_eof(&mut wire).unwrap().is_none());
    }

    #[test]
    fn an_end_inside_a_reply_is_an_error() {
        for half in ["2", "250-a\r\n", "250-a\r\n250"] {
            let mut codec = ClientCodec::new(ReplyLimits::default());
            let mut wire = BytesMut::from(half);
            assert!(codec.decode(&mut wire).unwrap().is_none());
            assert!(matches!(codec.decode_eof(&mut wire), Err(CodecError::Io(_))), "{half:?}");
        }
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        let mut wire = BytesMut::from("+OK\r\n");
        let error = ClientCodec::new(ReplyLimits::default()).decode(&mut wire).unwrap_err();
        assert!(error.to_string().contains("no valid reply code"), "{error}");
    }

    #[test]
    fn an_overlong_line_is_skipped() {
        let mut codec = ServerCodec::new(8);
        let mut wire = BytesMut::from("0123456789\r\nNOOP\r\n");
        assert!(matches!(codec.decode(&mut wire), Err(CodecError::Overlong { octets: 12 })));
        assert_eq!(codec.decode(&mut wire).unwrap().unwrap().as_bytes(), b"NOOP");
    }
}
