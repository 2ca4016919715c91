//! Encoders and decoders for `tokio_util::codec::Framed`: lines with the framing and limits of the
//! sessions, for tools that need no session. What a multi-line reply is, only its command tells, so the
//! lines of one are lines here.

use bytes::{Bytes, BytesMut};
use mailwright_core::wire::{Framed, LineEnd, LineFramer};
use tokio_util::codec::{Decoder, Encoder};

use crate::parse::{Accept, CommandError, Parsed, ReplyError, status_line};
use crate::types::{Command, Reply};

/// Why a line could not be framed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The stream failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A line above the limit; it was skipped, and the next one can be read.
    #[error("line of {octets} octets")]
    Overlong {
        /// Its length with the line end.
        octets: u64,
    },
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

    /// The line as a status line.
    ///
    /// # Errors
    /// As [`status_line`].
    pub fn reply(&self, accept: Accept) -> Result<Reply, ReplyError> {
        status_line(&self.0, accept)
    }
}

/// Lines both ways: decodes [`Line`]s, encodes [`Command`]s.
#[derive(Debug)]
pub struct LineCodec {
    framer: LineFramer,
    limit: usize,
}

impl LineCodec {
    /// Lines that end in CR LF, of `limit` octets at most with it.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { framer: LineFramer::new(LineEnd::CrLf), limit }
    }
}

impl Decoder for LineCodec {
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

impl Encoder<Command<'_>> for LineCodec {
    type Error = CodecError;

    fn encode(&mut self, command: Command<'_>, wire: &mut BytesMut) -> Result<(), CodecError> {
        command.encode(wire);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_goes_out_and_comes_in_again() {
        let mut codec = LineCodec::new(1024);
        let mut wire = BytesMut::new();
        codec.encode(Command::Stat, &mut wire).unwrap();
        wire.extend_from_slice(b"+OK 2 320\r\nhalf");
        let line = codec.decode(&mut wire).unwrap().unwrap();
        assert!(matches!(line.command().unwrap().command, Command::Stat));
        let line = codec.decode(&mut wire).unwrap().unwrap();
        assert!(line.reply(Accept::default()).unwrap().is_ok());
        assert!(codec.decode(&mut wire).unwrap().is_none());
    }

    #[test]
    fn an_overlong_line_is_skipped() {
        let mut codec = LineCodec::new(8);
        let mut wire = BytesMut::from("0123456789\r\nNOOP\r\n");
        assert!(matches!(codec.decode(&mut wire), Err(CodecError::Overlong { octets: 12 })));
        assert_eq!(codec.decode(&mut wire).unwrap().unwrap().as_bytes(), b"NOOP");
    }
}
