//! BDAT: content in chunks of known length. RFC 3030 §2, RFC 2033 §4.3.
//!
//! A chunk always follows its command, so one that is refused is read and dropped before the reply. Behind a chunk that
//! failed all others fail, up to the last one or RSET. Between chunks the transaction is open, and its content with it.

use alloc::boxed::Box;

use bytes::BytesMut;
use mailwright_core::value::Misuse;

use super::content::Content;
use super::envelope::Chunks;
use super::question::{DataToken, Ticket};
use super::replies::Asked;
use super::timers::Timer;
use super::{AbortReason, Aborted, Closed, Data, Event, Phase, Rejected, Server};
use crate::parse::CommandLine;
use crate::types::{Command, Reply, ReplyCode, Verb};

/// A chunk whose octets are to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    remaining: u64,
    last: bool,
}

/// A chunk that is read and dropped, and what is said then.
#[derive(Debug)]
pub(super) struct Discard {
    chunk: Chunk,
    reply: Reply,
    /// How often: in LMTP once for each recipient.
    replies: usize,
    /// Whether the client could have known better.
    is_error: bool,
}

impl Server {
    /// BDAT, whatever the state.
    pub(super) fn bdat(&mut self, line: &CommandLine<'_>) {
        let chunk = match line.parse(&self.command_options()) {
            Ok(parsed) => match parsed.command {
                Command::Bdat { size, last } => Chunk { remaining: size, last },
                _ => Chunk { remaining: 0, last: false },
            },
            Err(error) => {
                // Where the next command begins, nobody knows.
                let reply = error.reply();
                self.events.push_back(Event::Rejected(Rejected {
                    verb: Some(Verb::Bdat),
                    reply: reply.clone(),
                    error: Some(error),
                }));
                return self.last_reply(reply, Closed::ChunkSize);
            }
        };
        if let Some(reply) = self.gate(Some(Verb::Bdat)).or_else(|| self.state(Verb::Bdat)) {
            return self.refuse_chunk(Discard { chunk, reply, replies: 1, is_error: true });
        }
        let limit = self.message_limit();
        let Some(transaction) = &self.transaction else { return };
        let received = transaction.content.as_ref().map_or(0, |content| content.received);
        if transaction.chunks == Chunks::Failed || transaction.accepted == 0 {
            self.fail_chunk(chunk, Reply::BAD_SEQUENCE, None);
        } else if chunk.remaining > limit.saturating_sub(received) {
            // RFC 1870 §6.3
            self.fail_chunk(chunk, Reply::MESSAGE_TOO_LARGE, Some(AbortReason::TooLarge));
        } else if transaction.chunks == Chunks::Begun {
            self.begin_chunk(chunk);
        } else {
            self.first_chunk(chunk);
        }
    }

    /// The content begins, if the host wants it.
    fn first_chunk(&mut self, chunk: Chunk) {
        let recipients = self.recipients();
        let token = DataToken(if self.config.ask.data {
            self.ask(Asked::Data { chunk: Some(chunk) })
        } else {
            self.spent()
        });
        self.events.push_back(Event::Data(Data { token, recipients, chunked: true }));
        if !self.config.ask.data {
            self.begin_chunk(chunk);
        }
    }

    /// The host has answered whether the content may come.
    pub(super) fn chunk_answered(
        &mut self,
        ticket: &Ticket,
        chunk: Chunk,
        reply: Reply,
    ) -> Result<(), Misuse> {
        let start = reply.code() == ReplyCode::START_CONTENT;
        if !start && (reply.is_positive() || reply.is_intermediate()) {
            return Err(Misuse::WrongAnswer);
        }
        if reply.code() == ReplyCode::UNAVAILABLE {
            return self.decide(ticket, reply).map(|_| ());
        }
        // The question is alone in the queue, and has no reply of its own.
        self.pending.clear();
        if start {
            self.begin_chunk(chunk);
        } else {
            self.fail_chunk(chunk, reply.into_ascii().complete(), None);
        }
        Ok(())
    }

    fn begin_chunk(&mut self, chunk: Chunk) {
        let Some(transaction) = &mut self.transaction else { return };
        if transaction.chunks == Chunks::None {
            transaction.chunks = Chunks::Begun;
            let content = Content::chunks(&self.config, transaction.body);
            self.hold_content(content);
            self.restart_rate();
        }
        self.phase = Phase::Chunk(chunk);
        if chunk.remaining == 0 {
            self.end_chunk();
        }
    }

    /// Reads what is there of a chunk; `false` if more must come.
    pub(super) fn read_chunk(&mut self, input: &mut BytesMut) -> bool {
        let Phase::Chunk(chunk) = &mut self.phase else { return false };
        let octets = chunk.take(input);
        if octets.is_empty() {
            return false;
        }
        let ends = chunk.remaining == 0;
        self.count_content(octets.len());
        if let Some(content) = self.content() {
            let decoded = content.decode_chunk(octets);
            self.deliver(decoded);
        }
        if ends {
            self.end_chunk();
        }
        true
    }

    fn end_chunk(&mut self) {
        let Phase::Chunk(chunk) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        self.timers.stop(Timer::Block as usize);
        if chunk.last {
            if let Some(content) = self.content() {
                let decoded = content.finish_chunks();
                self.deliver(decoded);
            }
            self.end_content();
        } else {
            self.reply(Reply::CHUNK_ACCEPTED);
        }
    }

    /// The content is void from here on, whatever comes of it.
    fn fail_chunk(&mut self, chunk: Chunk, reply: Reply, reason: Option<AbortReason>) {
        let lmtp = self.config.is_lmtp();
        let recipients = self.recipients();
        if let Some(transaction) = &mut self.transaction {
            transaction.chunks = Chunks::Failed;
            if let (Some(content), Some(reason)) = (transaction.content.take(), reason) {
                self.events.push_back(Event::Aborted(Aborted { reason, report: *content.report() }));
                self.spare = Some(content);
            }
        }
        // RFC 2033 §4.3: the last chunk has a reply for each accepted recipient, so none if there is none.
        let replies = if lmtp && chunk.last { recipients } else { 1 };
        self.refuse_chunk(Discard { chunk, reply, replies, is_error: false });
    }

    fn refuse_chunk(&mut self, discard: Discard) {
        let ends = discard.chunk.remaining == 0;
        self.restart_rate();
        self.phase = Phase::Discard(Box::new(discard));
        if ends {
            self.discarded();
        }
    }

    /// Drops what is there of a chunk that nobody wants; `false` if more must come.
    pub(super) fn discard(&mut self, input: &mut BytesMut) -> bool {
        let Phase::Discard(discard) = &mut self.phase else { return false };
        let count = discard.chunk.take(input).len();
        let ends = discard.chunk.remaining == 0;
        self.count_content(count);
        if ends {
            self.discarded();
        }
        ends
    }

    /// Such a chunk is read. RFC 3030 §2: the reply comes behind it.
    fn discarded(&mut self) {
        let Phase::Discard(discard) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        let Discard { chunk, reply, replies, is_error } = *discard;
        self.restart_rate();
        if is_error {
            self.reject(reply, Some(Verb::Bdat), None);
        } else {
            let verb = Some(Verb::Bdat);
            self.events.push_back(Event::Rejected(Rejected { verb, reply: reply.clone(), error: None }));
            self.reply_times(&reply, replies);
        }
        if chunk.last {
            self.reset_transaction();
        }
    }
}

impl Chunk {
    /// Takes what is there of it off the input.
    fn take(&mut self, input: &mut BytesMut) -> BytesMut {
        let count = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(input.len());
        self.remaining -= count as u64;
        input.split_to(count)
    }
}
