//! BDAT: content in chunks of known length. RFC 3030 §2, RFC 2033 §4.3.

use mailwright_core::value::Misuse;

use super::envelope::Stage;
use super::error::SendError;
use super::event::{Awaited, Closed, CommandId, Event};
use super::timers::Timer;
use super::{Client, Encoder, Phase, Protocol, Sent};
use crate::content::ChunkEncoder;
use crate::types::Reply;

impl Client {
    /// Announces a chunk of `size` octets, the last one of the message or not: BDAT. Its octets are written with
    /// [`Self::content`]; nothing else can be until they are. When all recipients are answered, one chunk after the
    /// other may be announced, with PIPELINING without waiting for replies. Each leads to [`Event::Chunk`], the last one
    /// to [`Event::Message`] as the end of content does.
    ///
    /// The content is sent as it is, so its line ends must be CR LF, unless it is
    /// [binary](super::MailOptions::binary): [`bare_line_ends`](super::Config::bare_line_ends) changes nothing here.
    ///
    /// # Errors
    /// [`Misuse::NotAnnounced`] without CHUNKING; [`Misuse::WrongState`] without an accepted recipient, or behind a
    /// chunk that was refused; [`Misuse::TooLarge`] above 63 bits; [`Misuse::Busy`] while it may not be written.
    /// [`SendError::Content`] if the content ends in a bare CR: the session is closed then.
    pub fn bdat(&mut self, size: u64, last: bool) -> Result<CommandId, SendError> {
        self.may_chunk()?;
        if size > u64::MAX >> 1 {
            return Err(Misuse::TooLarge.into());
        }
        let before = self.transmit.len();
        self.put_line(format_args!("BDAT {size}{}", if last { " LAST" } else { "" }))?;
        let written = self.transmit.len().saturating_sub(before) as u64;
        if !core::mem::replace(&mut self.transaction.chunked, true) {
            let binary = self.transaction.binary;
            let encoder =
                if binary { ChunkEncoder::binary() } else { ChunkEncoder::new(self.transaction.eight_bit) };
            self.encoder = Some(Encoder::Chunks(encoder));
            self.produced = before as u64;
            self.drained_before = 0;
        }
        self.produced += written;
        let id = self.next_id();
        self.phase = Phase::Chunk { remaining: size, last };
        if last {
            self.transaction.data = id;
            self.transaction.stage = Stage::None;
            let accepted = core::mem::take(&mut self.transaction.accepted);
            match self.config.protocol {
                Protocol::Smtp => self.expect(id, Sent::LastChunk(None)),
                // RFC 2033 §4.3: one reply for each successful RCPT, in their order.
                Protocol::Lmtp => {
                    accepted
                        .into_iter()
                        .for_each(|recipient| self.expect(id, Sent::LastChunk(Some(recipient))));
                }
            }
        } else {
            self.expect(id, Sent::Chunk { transaction: self.transactions });
        }
        if size == 0 {
            self.end_chunk()?;
        }
        Ok(id)
    }

    /// Whether BDAT may be written now.
    fn may_chunk(&self) -> Result<(), Misuse> {
        match self.may_write_in(true) {
            // Behind another chunk only chunks may stand.
            Err(Misuse::Busy) if self.may_follow_chunk() => {}
            other => other?,
        }
        if !self.capabilities.chunking() {
            return Err(Misuse::NotAnnounced);
        }
        let transaction = &self.transaction;
        match transaction.stage {
            // RFC 3030 §2: "after all MAIL and RCPT responses are collected and processed".
            Stage::Opening => Err(Misuse::Busy),
            Stage::Open if transaction.undecided > 0 => Err(Misuse::Busy),
            Stage::Open if !transaction.accepted.is_empty() => Ok(()),
            _ => Err(Misuse::WrongState),
        }
    }

    fn may_follow_chunk(&self) -> bool {
        matches!(self.phase, Phase::Ready)
            && self.capabilities.pipelining()
            && self.in_flight.back().is_some_and(|sent| matches!(sent.command, Sent::Chunk { .. }))
            && self.in_flight.len() < self.config.limits.in_flight
            && self.transmit.len() < self.config.limits.output
    }

    /// Writes octets of the chunk, as many as belong to it and as there is room for.
    pub(super) fn chunk_content(&mut self, content: &[u8]) -> Result<usize, SendError> {
        let Phase::Chunk { remaining, last } = self.phase else { return Err(Misuse::WrongState.into()) };
        let Some(Encoder::Chunks(encoder)) = self.encoder.as_mut() else {
            return Err(Misuse::WrongState.into());
        };
        let room = usize::try_from(remaining).unwrap_or(usize::MAX);
        let room = room.min(self.config.limits.output.saturating_sub(self.transmit.len()));
        let taken = content.get(..room).unwrap_or(content);
        let before = self.transmit.len();
        if let Err(error) = encoder.encode(taken, self.transmit.buffer()) {
            return Err(self.refuse_content(error));
        }
        let remaining = remaining.saturating_sub(taken.len() as u64);
        self.phase = Phase::Chunk { remaining, last };
        self.watch_content(before);
        if remaining == 0 {
            self.end_chunk()?;
        }
        Ok(taken.len())
    }

    /// All octets of the chunk are written.
    fn end_chunk(&mut self) -> Result<(), SendError> {
        let Phase::Chunk { last, .. } = self.phase else { return Ok(()) };
        if let Some(Encoder::Chunks(encoder)) = self.encoder.as_mut() {
            if let (true, Err(error)) = (last, encoder.finish()) {
                return Err(self.refuse_content(error));
            }
            let before = self.transmit.len();
            encoder.end_chunk(self.transmit.buffer());
            self.produced += self.transmit.len().saturating_sub(before) as u64;
        }
        if last {
            self.encoder = None;
        }
        self.phase = Phase::Ready;
        self.timers.stop(Timer::Block as usize);
        self.wait_for_reply_again();
        Ok(())
    }

    /// The reply to a chunk that is not the last.
    pub(super) fn chunk_answered(&mut self, id: CommandId, transaction: u64, reply: Reply) {
        if reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::Chunk, reply));
            return;
        }
        if !reply.is_positive() {
            self.chunk_failed(transaction);
        }
        self.events.push_back(Event::Chunk { id, reply });
    }

    /// The reply to the last chunk, or one of those in LMTP.
    pub(super) fn last_chunk_answered(&mut self, id: CommandId, recipient: Option<CommandId>, reply: Reply) {
        // In LMTP a reply speaks for one recipient, and the chunk itself came.
        if recipient.is_none() && !reply.is_positive() {
            self.chunk_failed(self.transactions);
        }
        self.message_answered(id, recipient, reply);
    }

    /// RFC 3030 §2: behind a chunk that failed nobody knows the state, so RSET is to come before anything else.
    fn chunk_failed(&mut self, transaction: u64) {
        if transaction == self.transactions {
            self.transaction.stage = Stage::Failed;
        }
    }
}
