//! DATA and the content behind it, for SMTP and LMTP. RFC 5321 §4.1.1.4, RFC 2033 §4.2.

use mailwright_core::value::Misuse;

use super::envelope::Stage;
use super::error::SendError;
use super::event::{Awaited, Closed, CommandId, Event};
use super::timers::Timer;
use super::{Client, Encoder, Phase, Protocol, Sent};
use crate::content::{ContentEnd, ContentError, DataEncoder};
use crate::types::{Reply, ReplyCode};

impl Client {
    /// Asks to send the content: DATA. With PIPELINING it may be given before the replies to RCPT are in.
    /// Leads to [`Event::StartContent`] or [`Event::ContentRefused`].
    ///
    /// # Errors
    /// [`Misuse::WrongState`] without transaction, or when no recipient is accepted or undecided, behind a chunk, or for
    /// [binary](super::MailOptions::binary) content, which goes by [`Self::bdat`]; [`Misuse::Busy`] while it may not be written.
    pub fn data(&mut self) -> Result<CommandId, Misuse> {
        self.may_write()?;
        let transaction = &self.transaction;
        let hopeful = transaction.undecided > 0 || !transaction.accepted.is_empty();
        // RFC 3030 §2, §3: DATA and BDAT are not mixed, and binary content goes by BDAT.
        let by_chunks = transaction.chunked || transaction.binary;
        if !matches!(transaction.stage, Stage::Opening | Stage::Open) || !hopeful || by_chunks {
            return Err(Misuse::WrongState);
        }
        self.transmit.put(b"DATA\r\n");
        Ok(self.sent_by_host(Sent::Data))
    }

    /// Octets of content that [`Self::content`] takes now.
    #[must_use]
    pub fn content_room(&self) -> usize {
        let room = self.config.limits.output.saturating_sub(self.transmit.len());
        match self.phase {
            Phase::Content => room,
            Phase::Chunk { remaining, .. } => usize::try_from(remaining).unwrap_or(usize::MAX).min(room),
            _ => 0,
        }
    }

    /// Writes content, as it is: transparency is added here. Returns how many octets were taken: fewer than
    /// given, or none, while `transmit` is full or the chunk complete. Allowed after [`Event::StartContent`], and
    /// behind [`Self::bdat`].
    ///
    /// # Errors
    /// [`SendError::Misuse`] if no content is awaited. [`SendError::Content`] if it may not be sent: the
    /// session is closed then, without an end of content, so that the server drops what it has.
    pub fn content(&mut self, content: &[u8]) -> Result<usize, SendError> {
        if matches!(self.phase, Phase::Chunk { .. }) {
            return self.chunk_content(content);
        }
        let room = self.content_room();
        let (Phase::Content, Some(Encoder::Data(encoder))) = (&self.phase, &mut self.encoder) else {
            return Err(self.not_awaited().into());
        };
        let taken = content.get(..room).unwrap_or(content);
        let before = self.transmit.len();
        match encoder.encode(taken, self.transmit.buffer()) {
            Ok(()) => {
                self.watch_content(before);
                Ok(taken.len())
            }
            Err(error) => Err(self.refuse_content(error)),
        }
    }

    /// Ends the content behind DATA. Leads to one [`Event::Message`], in LMTP to one for each accepted recipient.
    ///
    /// # Errors
    /// As [`Self::content`], for content that ends in a bare CR.
    pub fn end_content(&mut self) -> Result<ContentEnd, SendError> {
        let (Phase::Content, Some(Encoder::Data(encoder))) = (&self.phase, &mut self.encoder) else {
            return Err(self.not_awaited().into());
        };
        match encoder.finish(self.transmit.buffer()) {
            Ok(end) => {
                self.encoder = None;
                self.timers.stop(Timer::Block as usize);
                self.phase = Phase::Ready;
                let id = self.transaction.data;
                let accepted = core::mem::take(&mut self.transaction.accepted);
                self.transaction.stage = Stage::None;
                match self.config.protocol {
                    Protocol::Smtp => self.expect_by_host(id, Sent::Message(None)),
                    // RFC 2033 §4.2: one reply for each successful RCPT, in their order.
                    Protocol::Lmtp => {
                        for recipient in accepted {
                            self.expect_by_host(id, Sent::Message(Some(recipient)));
                        }
                    }
                }
                Ok(end)
            }
            Err(error) => Err(self.refuse_content(error)),
        }
    }

    fn not_awaited(&self) -> Misuse {
        if matches!(self.phase, Phase::Closed) { Misuse::Closed } else { Misuse::WrongState }
    }

    /// RFC 5321 §4.1.1.4 knows no way to take content back: only a connection that ends without the
    /// terminator makes the server drop it.
    pub(super) fn refuse_content(&mut self, error: ContentError) -> SendError {
        drop(self.transmit.take());
        self.close(Closed::Content(error));
        error.into()
    }

    /// The reply to DATA.
    pub(super) fn data_answered(&mut self, id: CommandId, reply: Reply) {
        if reply.code() == ReplyCode::START_CONTENT {
            if self.transaction.accepted.is_empty() {
                // RFC 2920 §3.1: the server asks for content that nobody gets; send none and read its reply.
                self.transmit.put(b".\r\n");
                self.transaction.stage = Stage::None;
                match self.config.protocol {
                    Protocol::Smtp => self.expect(id, Sent::EmptyMessage),
                    // RFC 2033 §4.2: a reply for each accepted recipient, so none.
                    Protocol::Lmtp => self.events.push_back(Event::ContentRefused { id, reply: None }),
                }
                return;
            }
            if self.transaction.stage != Stage::Open {
                // Recipients without a sender: an empty content might be delivered to them.
                self.close(Closed::Unexpected(Awaited::Data, reply));
                return;
            }
            self.transaction.data = id;
            let encoder = DataEncoder::new(self.config.bare_line_ends, self.transaction.eight_bit);
            self.encoder = Some(Encoder::Data(encoder));
            self.phase = Phase::Content;
            self.produced = 0;
            self.drained_before = 0;
            self.events.push_back(Event::StartContent { id });
        } else if reply.is_positive() || reply.is_intermediate() {
            // RFC 5321 §4.3.2: DATA has 354, 4yz or 5yz; after 2yz nobody knows what the server awaits.
            self.close(Closed::Unexpected(Awaited::Data, reply));
        } else {
            self.events.push_back(Event::ContentRefused { id, reply: Some(reply) });
        }
    }

    /// The reply to the content, or one of those in LMTP.
    pub(super) fn message_answered(&mut self, id: CommandId, recipient: Option<CommandId>, reply: Reply) {
        if reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::Message, reply));
            return;
        }
        self.served = true;
        self.events.push_back(Event::Message { id, recipient, reply });
    }
}
