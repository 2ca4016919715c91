//! DATA, the content, and its end: RFC 5321 §4.1.1.4, §4.5.2, §4.5.3.1; RFC 1870 §6.3; RFC 2033 §4.2. What comes by BDAT
//! is read in `chunks` and ends here.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{DeviationKind, Misuse};
use mailwright_core::wire::{BareLineEnd, ContentReport, DotDecoder};

use super::config::{Config, Early, Unusual};
use super::header::Header;
use super::question::{DataToken, MessageToken, Ticket, Verdict};
use super::replies::{Asked, EARLY, Slot};
use super::{AbortReason, Aborted, Closed, Data, Event, Message, Phase, Rejected, Server, Transaction};
use crate::content::ChunkDecoder;
use crate::parse::CommandError;
use crate::types::{Body, Reply, ReplyCode, Verb};

/// Content that is being read.
#[derive(Debug)]
pub(super) struct Content {
    decoder: Decoder,
    /// Octets that came by BDAT.
    pub(super) received: u64,
    /// Octets given to the host.
    delivered: u64,
    /// It began before the 354.
    early: bool,
    header: Header,
}

#[derive(Debug)]
enum Decoder {
    Dots(DotDecoder),
    Chunks(ChunkDecoder),
}

impl Content {
    /// Content of DATA. `early`: it began before the 354.
    fn dots(config: &Config, early: bool) -> Self {
        let decoder = DotDecoder::new(config.content.bare_line_ends);
        Self::new(Decoder::Dots(decoder.measure_lines_above(config.limits.text_line)), early)
    }

    /// Content of BDAT.
    pub(super) fn chunks(config: &Config, body: Option<Body>) -> Self {
        let decoder = match body {
            // RFC 3030 §3: all octets are kept as they are.
            Some(Body::BinaryMime) => ChunkDecoder::binary(),
            _ => ChunkDecoder::new(config.content.bare_line_ends),
        };
        Self::new(Decoder::Chunks(decoder.measure_lines_above(config.limits.text_line)), false)
    }

    fn new(decoder: Decoder, early: bool) -> Self {
        Self { decoder, received: 0, delivered: 0, early, header: Header::default() }
    }

    /// What was seen of it.
    pub(super) const fn report(&self) -> &ContentReport {
        match &self.decoder {
            Decoder::Dots(decoder) => decoder.report(),
            Decoder::Chunks(decoder) => decoder.report(),
        }
    }

    pub(super) fn decode_chunk(&mut self, octets: BytesMut) -> Bytes {
        self.received += octets.len() as u64;
        match &mut self.decoder {
            Decoder::Chunks(decoder) => decoder.decode(octets),
            Decoder::Dots(_) => Bytes::new(),
        }
    }

    pub(super) fn finish_chunks(&mut self) -> Bytes {
        match &mut self.decoder {
            Decoder::Chunks(decoder) => decoder.finish(),
            Decoder::Dots(_) => Bytes::new(),
        }
    }
}

impl Server {
    /// DATA in a transaction with recipients; `behind` came before the 354.
    pub(super) fn data(&mut self, behind: &[u8]) {
        let recipients = self.recipients();
        let token = DataToken(if self.config.ask.data {
            self.ask(Asked::Data { chunk: None })
        } else {
            self.start_content(behind);
            self.write(&Reply::START_CONTENT);
            self.spent()
        });
        self.events.push_back(Event::Data(Data { token, recipients, chunked: false }));
    }

    pub(super) fn data_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        let slot = Self::open_slot(&mut self.pending, self.session, ticket)?;
        if let Slot::Open { asked: Asked::Data { chunk: Some(chunk) }, .. } = slot {
            let chunk = *chunk;
            return self.chunk_answered(ticket, chunk, reply);
        }
        let start = reply.code() == ReplyCode::START_CONTENT;
        if !start && (reply.is_positive() || reply.is_intermediate()) {
            return Err(Misuse::WrongAnswer);
        }
        let refused = !start && self.behind && self.config.early.refused_data == Early::Refuse;
        self.decide(ticket, reply)?;
        if start {
            // The driver holds the octets; their number is enough here.
            self.start_content(if self.behind { b"?" } else { b"" });
        } else if refused {
            self.closing = true;
            self.replace_last(Slot::Last(EARLY, Closed::Early));
        }
        Ok(())
    }

    fn start_content(&mut self, behind: &[u8]) {
        let early = !behind.is_empty();
        if early && !self.early_reported {
            self.report_early(DeviationKind::EarlyInput, behind);
        }
        self.hold_content(Content::dots(&self.config, early));
        self.phase = Phase::Content;
        self.restart_rate();
    }

    /// Content begins in the open transaction, in room that is there if an earlier one has left it.
    pub(super) fn hold_content(&mut self, content: Content) {
        let Some(transaction) = &mut self.transaction else { return };
        transaction.content = Some(match self.spare.take() {
            Some(mut room) => {
                *room = content;
                room
            }
            None => Box::new(content),
        });
    }

    /// Refuses DATA. What stands behind it is no content, and would run as commands.
    pub(super) fn refuse_data(&mut self, reply: Reply, error: Option<CommandError>, behind: &[u8]) {
        if !behind.is_empty() {
            self.report_early(DeviationKind::ImproperPipelining, behind);
            if self.config.early.refused_data == Early::Refuse {
                self.events.push_back(Event::Rejected(Rejected {
                    verb: Some(Verb::Data),
                    reply: EARLY,
                    error,
                }));
                return self.last_reply(EARLY, Closed::Early);
            }
        }
        // A client that pipelines cannot know that no recipient was accepted.
        if reply == Reply::NO_VALID_RECIPIENTS {
            self.decline(reply, Some(Verb::Data), error);
        } else {
            self.reject(reply, Some(Verb::Data), error);
        }
    }

    /// The content that is being read.
    pub(super) fn content(&mut self) -> Option<&mut Content> {
        self.transaction.as_mut()?.content.as_deref_mut()
    }

    /// Decodes what is there; `false` if more must come.
    pub(super) fn read_content(&mut self, input: &mut BytesMut) -> bool {
        let before = input.len();
        let Some(Content { decoder: Decoder::Dots(decoder), .. }) = self.content() else { return false };
        let Some(chunk) = decoder.decode(input) else { return false };
        self.count_content(before - input.len());
        self.deliver(chunk.content);
        if chunk.end {
            self.phase = Phase::Command;
            self.end_content();
        }
        true
    }

    /// Gives decoded octets to the host.
    pub(super) fn deliver(&mut self, mut octets: Bytes) {
        let (limit, header_limit) = (self.message_limit(), self.config.limits.header_section);
        let Some(content) = self.content() else { return };
        // What is above the limit is read to its end, and given to nobody.
        let room = usize::try_from(limit - content.delivered.min(limit)).unwrap_or(usize::MAX);
        octets.truncate(room);
        content.delivered += octets.len() as u64;
        content.header.feed(&octets, header_limit);
        if !octets.is_empty() {
            self.content_waits = true;
            self.events.push_back(Event::Content(octets));
        }
    }

    /// The end of the content: RFC 5321 §4.1.1.4. The transaction ends with it.
    pub(super) fn end_content(&mut self) {
        self.restart_rate();
        self.early_reported = false;
        let Some(mut transaction) = self.transaction.take() else { return };
        let Some(content) = transaction.content.take() else { return };
        let (report, early, header) = (*content.report(), content.early, content.header.octets());
        self.spare = Some(content);
        self.report_content(&transaction, &report, header);
        let recipients = transaction.accepted;
        // RFC 2033 §4.2: one reply for each accepted recipient.
        let replies = if self.config.is_lmtp() { recipients } else { 1 };
        if let Some((reason, reply)) = self.verdict(&transaction, early, &report, header) {
            self.events.push_back(Event::Aborted(Aborted { reason, report }));
            return self.reply_times(&reply, replies);
        }
        let token = MessageToken(if self.config.ask.message {
            self.ask(Asked::Message { replies })
        } else {
            self.accepted();
            self.reply_times(&Reply::MESSAGE_ACCEPTED, replies);
            self.spent()
        });
        self.events.push_back(Event::Message(Message {
            token,
            recipients,
            declared_eight_bit: transaction.is_eight_bit(),
            binary: transaction.is_binary(),
            smtp_utf8: transaction.smtp_utf8,
            sender: transaction.sender,
            header,
            report,
        }));
    }

    /// What the session itself has against the content.
    fn verdict(
        &self,
        transaction: &Transaction,
        early: bool,
        report: &ContentReport,
        header: u64,
    ) -> Option<(AbortReason, Reply)> {
        let policy = &self.config.content;
        let rejects = |unusual: Unusual, found: bool| unusual == Unusual::Reject && found;
        if report.octets > self.message_limit() {
            // RFC 1870 §6.3
            Some((AbortReason::TooLarge, Reply::MESSAGE_TOO_LARGE))
        } else if transaction.is_binary() {
            None
        } else if policy.bare_line_ends == BareLineEnd::Reject && report.has_bare_line_end() {
            // RFC 5321 §2.3.8
            Some((AbortReason::BareLineEnd, Reply::BAD_CONTENT))
        } else if rejects(policy.nul, report.nul > 0) {
            Some((AbortReason::Nul, Reply::BAD_CONTENT))
        } else if rejects(policy.undeclared_eight_bit, report.eight_bit && !transaction.is_eight_bit()) {
            // RFC 6152 §3
            Some((AbortReason::EightBit, Reply::EIGHT_BIT_CONTENT))
        } else if rejects(policy.long_lines, report.longest_line > self.config.limits.text_line) {
            Some((AbortReason::LongLine, Reply::BAD_CONTENT))
        } else if rejects(policy.long_header, header > self.config.limits.header_section) {
            Some((AbortReason::LongHeader, Reply::BAD_CONTENT))
        } else if early && self.config.early.content == Early::Refuse {
            Some((AbortReason::Early, EARLY))
        } else {
            None
        }
    }

    /// Reports what the content has that it should not have.
    fn report_content(&mut self, transaction: &Transaction, report: &ContentReport, header: u64) {
        if header > self.config.limits.header_section {
            self.deviation(DeviationKind::LongHeader, 0, b"");
        }
        // RFC 3030 §3: binary content may have anything.
        if transaction.is_binary() {
            return;
        }
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
        let (first_bare, first_nul) = (place(report.first_bare), place(report.first_nul));
        if report.bare_cr > 0 {
            self.deviation(DeviationKind::BareCarriageReturn, first_bare, b"\r");
        }
        if report.bare_lf > 0 {
            self.deviation(DeviationKind::BareLineFeed, first_bare, b"\n");
        }
        if report.nul > 0 {
            self.deviation(DeviationKind::Nul, first_nul, b"\0");
        }
        if report.eight_bit && !transaction.is_eight_bit() {
            self.deviation(DeviationKind::EightBit, 0, b"");
        }
        if report.longest_line > self.config.limits.text_line {
            self.deviation(DeviationKind::LongLine, 0, b"");
        }
    }

    pub(super) fn message_answered(&mut self, ticket: &Ticket, verdict: Verdict) -> Result<(), Misuse> {
        let slot = Self::open_slot(&mut self.pending, self.session, ticket)?;
        let Slot::Open { asked: Asked::Message { replies }, .. } = slot else { return Err(Misuse::NotOpen) };
        let replies = *replies;
        let fits = match &verdict {
            Verdict::All(reply) => !reply.is_intermediate(),
            Verdict::Each(each) => each.len() == replies && !each.iter().any(Reply::is_intermediate),
        };
        if !fits {
            return Err(Misuse::WrongAnswer);
        }
        // The question is alone in the queue: its replies take its place.
        self.pending.clear();
        match verdict {
            Verdict::All(reply) => self.say_verdict(core::iter::repeat_n(reply, replies)),
            Verdict::Each(each) => self.say_verdict(each.into_iter()),
        }
        Ok(())
    }

    fn say_verdict(&mut self, replies: impl Iterator<Item = Reply>) {
        for reply in replies {
            let reply = reply.into_ascii().complete();
            if reply.is_positive() {
                self.accepted();
            }
            if reply.code() == ReplyCode::UNAVAILABLE {
                return self.last_reply(reply, Closed::Refused);
            }
            self.reply(reply);
        }
    }

    /// A message was accepted: the client does what it is here for.
    fn accepted(&mut self) {
        self.errors = 0;
        self.idle_commands = 0;
    }

    /// The content that is under way is void.
    pub(super) fn abort_content(&mut self, reason: AbortReason) {
        let content = self.transaction.as_mut().and_then(|transaction| transaction.content.take());
        if let Some(content) = content {
            self.restart_rate();
            self.events.push_back(Event::Aborted(Aborted { reason, report: *content.report() }));
            self.spare = Some(content);
        }
    }
}
