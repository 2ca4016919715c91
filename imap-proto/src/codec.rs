//! Encoders and decoders for `tokio_util::codec::Framed`: commands and responses with the framing and limits of the
//! sessions, for tools that need no session. RFC 9051 §2.2, §4.3, RFC 7888.
//!
//! They know nothing of the conversation: lines of AUTHENTICATE, DONE of IDLE and the switches to TLS and DEFLATE are
//! left to their user, who takes the buffer of the `Framed` at the right place. A client's decoder hands on events, so
//! that no response is too long; a server's decoder holds one command, up to its limits. Messages of APPEND above these
//! are for [`AppendReader`](crate::parse::AppendReader), or a session.

use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use mailwright_core::value::DeviationKind;
use tokio_util::codec::{Decoder, Encoder};

use crate::encode::{EncodeError, LiteralPolicy};
use crate::parse::{CommandInput, ResponseEvent, ResponseLimits, ResponseReader};
use crate::types::{Command, Response, Tag};
use crate::wire::{Announcement, Fault, Frame, Framer, FramingError, PartEnd};

/// Why nothing could be cut off, or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The stream failed, or ended inside a command or response.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It cannot be known where the next response begins.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// It cannot be known whether content or the next command follows.
    #[error("cannot tell a literal from a command")]
    Ambiguous,
    /// A line or literal of a client that is too long even to be thrown away.
    #[error("more octets than are thrown away")]
    TooLong,
    /// A command that cannot be written; nothing was.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The rest of the command before waits for consent.
    #[error("the command before is not complete")]
    Waiting,
}

/// The rest of a command, up to the next literal that waits: to be encoded when the server has consented by
/// [`Response::Continue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is a word, not a value")]
pub struct Rest;

/// The client's side: decodes [`ResponseEvent`]s, encodes [`Command`]s with their [`Tag`]s.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_imap::codec::ClientCodec;
/// use mailwright_imap::parse::{ResponseCollector, ResponseLimits};
/// use mailwright_imap::types::{Command, Response, Tag};
/// use tokio_util::codec::{Decoder as _, Encoder as _};
///
/// let mut codec = ClientCodec::new(ResponseLimits::default());
/// let mut wire = BytesMut::new();
/// codec.encode((&Tag::new("a1")?, &Command::Noop), &mut wire)?;
/// assert_eq!(wire, "a1 NOOP\r\n");
///
/// let mut input = BytesMut::from("* VANISHED 7:9\r\n");
/// let mut collector = ResponseCollector::new(); // for what is known to be small
/// let mut found = None;
/// while let Some(event) = codec.decode(&mut input)? {
///     found = collector.event(event);
/// }
/// assert!(matches!(found, Some(Response::Vanished { uids, .. }) if uids.len() == 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ClientCodec {
    reader: ResponseReader,
    /// Which literals the server takes without being asked.
    policy: LiteralPolicy,
    /// What of the last command waits for consent.
    pieces: VecDeque<Bytes>,
}

impl ClientCodec {
    /// Responses within `limits`; the server is asked before each literal.
    #[must_use]
    pub fn new(limits: ResponseLimits) -> Self {
        Self {
            reader: ResponseReader::new(limits),
            policy: LiteralPolicy::Synchronising,
            pieces: VecDeque::new(),
        }
    }

    /// Says which literals the server takes without being asked, once its capabilities are known.
    pub const fn set_policy(&mut self, policy: LiteralPolicy) {
        self.policy = policy;
    }

    /// What it takes, to be changed between responses.
    pub const fn limits_mut(&mut self) -> &mut ResponseLimits {
        self.reader.limits_mut()
    }

    /// Whether the rest of a command waits for consent: for `+`, and then [`Rest`].
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Forgets the rest: the server has refused it by a completion.
    pub fn forget_rest(&mut self) {
        self.pieces.clear();
    }
}

impl Decoder for ClientCodec {
    type Item = ResponseEvent;
    type Error = CodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<ResponseEvent>, CodecError> {
        Ok(self.reader.next_event(input)?)
    }

    /// An end inside a response is an error.
    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<ResponseEvent>, CodecError> {
        let event = self.decode(input)?;
        if event.is_none() && !(input.is_empty() && self.reader.is_between_responses()) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        Ok(event)
    }
}

impl Encoder<(&Tag, &Command)> for ClientCodec {
    type Error = CodecError;

    /// Writes the command up to the first literal that waits. APPEND and REPLACE end where their message is announced;
    /// see [`Command::encode`].
    fn encode(&mut self, (tag, command): (&Tag, &Command), wire: &mut BytesMut) -> Result<(), CodecError> {
        if self.is_waiting() {
            return Err(CodecError::Waiting);
        }
        let utf8 = self.reader.limits().utf8;
        self.pieces = command.encode(tag, self.policy, utf8)?.into();
        self.encode(Rest, wire)
    }
}

impl Encoder<Rest> for ClientCodec {
    type Error = CodecError;

    /// Writes nothing if nothing waits: some servers say `+` by mistake.
    fn encode(&mut self, Rest: Rest, wire: &mut BytesMut) -> Result<(), CodecError> {
        if let Some(piece) = self.pieces.pop_front() {
            wire.extend_from_slice(&piece);
        }
        Ok(())
    }
}

/// What a server takes of a command before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerCodecLimits {
    /// Octets of a line with its end. Default 64 KiB.
    pub line: usize,
    /// Octets of a literal. Default 100 KiB.
    pub literal: usize,
    /// Literals of a command. Default 1000.
    pub literals: usize,
    /// Octets of a command, lines and literals. Default 1 MiB.
    pub command: usize,
    /// Octets of a command above these limits that are read for nothing, to find its end. Default 64 MiB.
    pub discard: u64,
}

impl Default for ServerCodecLimits {
    fn default() -> Self {
        Self { line: 64 << 10, literal: 100 << 10, literals: 1000, command: 1 << 20, discard: 64 << 20 }
    }
}

/// What a client sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Received {
    /// A complete command, to be read by [`CommandInput::parse`].
    Command(CommandInput),
    /// The client waits for consent to a literal of the command: [`Response::Continue`], and then the decoder goes on; or a
    /// completion instead, and then [`ServerCodec::refuse`].
    Waits(Announcement),
    /// A command that is refused, read to its real end: no octet of a literal is taken for a command.
    Refused {
        /// Its tag, if that could be read.
        tag: Option<Tag>,
        /// Why.
        reason: Refusal,
    },
}

/// Why a command is not even read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A line is no command.
    #[error(transparent)]
    Line(#[from] Fault),
    /// A literal above the limits: TOOBIG.
    #[error("a literal above the limits")]
    Literal,
    /// More octets than a command may have.
    #[error("command too long")]
    Command,
}

/// The server's side: decodes commands with their literals, encodes [`Response`]s.
#[derive(Debug)]
pub struct ServerCodec {
    limits: ServerCodecLimits,
    framer: Framer,
    command: CommandInput,
    literal: BytesMut,
    /// Whether the literal may have NUL.
    binary: bool,
    literals: usize,
    octets: usize,
    /// Why the command is refused whose end is looked for, and its tag.
    refused: Option<(Option<Tag>, Refusal)>,
    /// Octets that were read for nothing.
    discarded: u64,
    utf8: bool,
}

impl ServerCodec {
    /// Commands within `limits`.
    #[must_use]
    pub fn new(limits: ServerCodecLimits) -> Self {
        Self {
            limits,
            framer: Framer::new(),
            command: CommandInput::new(),
            literal: BytesMut::new(),
            binary: false,
            literals: 0,
            octets: 0,
            refused: None,
            discarded: 0,
            utf8: false,
        }
    }

    /// Says whether mailbox names are written as UTF-8, after ENABLE.
    pub const fn set_utf8(&mut self, utf8: bool) {
        self.utf8 = utf8;
    }

    /// Forgets the command whose literal waits for consent: it was completed instead.
    pub fn refuse(&mut self) {
        self.framer.reset();
        self.start();
    }

    fn start(&mut self) -> CommandInput {
        self.literal = BytesMut::new();
        (self.literals, self.octets, self.refused, self.discarded) = (0, 0, None, 0);
        core::mem::take(&mut self.command)
    }

    fn refuse_for(&mut self, reason: Refusal) {
        if self.refused.is_none() {
            let tag = self.command.head().map_or_else(|error| error.tag, |(tag, ..)| Some(tag));
            self.refused = Some((tag, reason));
        }
    }

    /// The command is at its end.
    fn complete(&mut self) -> Received {
        let refused = self.refused.take();
        let command = self.start();
        match refused {
            Some((tag, reason)) => Received::Refused { tag, reason },
            None => Received::Command(command),
        }
    }

    /// A literal was announced. What the decoder says of it; `None` if it is read now.
    fn announced(&mut self, literal: Announcement, ahead: bool) -> Result<Option<Received>, CodecError> {
        self.literals += 1;
        if literal.leading_zeros {
            self.command.push_deviation(DeviationKind::LeadingZero, b"{0");
        }
        let length = literal.length.and_then(|length| usize::try_from(length).ok());
        let fits = length.filter(|length| {
            *length <= self.limits.literal
                && *length <= self.limits.command.saturating_sub(self.octets)
                && self.literals <= self.limits.literals
        });
        if let Some(length) = fits.filter(|_| self.refused.is_none()) {
            self.framer.read_literal(length as u64);
            (self.binary, self.octets) = (literal.binary, self.octets + length);
            return Ok(literal.synchronising.then_some(Received::Waits(literal)));
        }
        self.refuse_for(Refusal::Literal);
        if literal.synchronising {
            // The completion stands in the place of consent. What came without it may be content or a command.
            return if ahead { Err(CodecError::Ambiguous) } else { Ok(Some(self.complete())) };
        }
        let room = self.limits.discard - self.discarded;
        let length = literal.length.filter(|length| *length <= room).ok_or(CodecError::TooLong)?;
        self.discarded += length;
        self.framer.read_literal(length);
        Ok(None)
    }
}

impl Decoder for ServerCodec {
    type Item = Received;
    type Error = CodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Received>, CodecError> {
        loop {
            let frame = self.framer.next_frame(input, self.limits.line);
            if self.framer.dropped() > self.limits.discard {
                return Err(CodecError::TooLong);
            }
            let Some(frame) = frame else { return Ok(None) };
            let part = match frame {
                Frame::Chunk(octets) if self.refused.is_none() => {
                    self.literal.extend_from_slice(&octets);
                    continue;
                }
                Frame::LiteralEnd if self.refused.is_none() => {
                    let literal = core::mem::take(&mut self.literal).freeze();
                    match self.binary {
                        true => self.command.push_binary_literal(literal),
                        false => self.command.push_literal(literal),
                    }
                    continue;
                }
                Frame::Chunk(_) | Frame::LiteralEnd => continue,
                Frame::Part(part) => part,
            };
            // The same of a line that came at once; its last octet was never dropped.
            if part.length.saturating_sub(1) > self.limits.discard.max(self.limits.line as u64) {
                return Err(CodecError::TooLong);
            }
            let whole = part.end == PartEnd::Message;
            if whole
                && part.octets.is_empty()
                && part.fault.is_none()
                && self.command.is_empty()
                && self.refused.is_none()
            {
                // Clients end a literal with one CR LF too many.
                continue;
            }
            if part.end == PartEnd::Unknown {
                return Err(CodecError::Ambiguous);
            }
            self.octets = self.octets.saturating_add(part.octets.len());
            if self.refused.is_none() {
                self.command.push_part(match whole {
                    true => part.octets,
                    // A view would hold the whole buffer while the rest comes.
                    false => Bytes::copy_from_slice(&part.octets),
                });
            }
            if part.bare_line_feed {
                self.command.push_deviation(DeviationKind::BareLineFeed, b"\n");
            }
            if let Some(fault) = part.fault {
                self.refuse_for(fault.into());
            }
            if self.octets > self.limits.command {
                self.refuse_for(Refusal::Command);
            }
            let PartEnd::Literal(literal) = part.end else { return Ok(Some(self.complete())) };
            if let Some(received) = self.announced(literal, !input.is_empty())? {
                return Ok(Some(received));
            }
        }
    }

    /// An end inside a command is an error.
    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<Received>, CodecError> {
        let received = self.decode(input)?;
        let inside = !input.is_empty() || !self.command.is_empty() || self.refused.is_some();
        if received.is_none() && (inside || self.framer.is_in_literal() || self.framer.is_skipping()) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        Ok(received)
    }
}

impl Encoder<&Response> for ServerCodec {
    type Error = CodecError;

    fn encode(&mut self, response: &Response, wire: &mut BytesMut) -> Result<(), CodecError> {
        response.encode(wire, self.utf8);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
