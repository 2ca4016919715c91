//! DATA, the content, and its end: RFC 5321 §4.1.1.4, §4.5.2, §4.5.3.1; RFC 1870 §6.3; RFC 2033 §4.2; BDAT as far as
//! it is refused in sync: RFC 3030 §2.

use alloc::vec;
use alloc::vec::Vec;

use bytes::BytesMut;
use mailwright_core::value::{DeviationKind, Misuse, ReversePath};
use mailwright_core::wire::{ContentReport, DotDecoder};

use super::config::{Early, Unusual};
use super::question::{DataToken, MessageToken, Ticket, Verdict};
use super::replies::{Asked, EARLY, Slot};
use super::{AbortReason, Aborted, Closed, Data, Event, Message, Phase, Rejected, Server};
use crate::parse::{CommandError, CommandLine};
use crate::types::{Command, Reply, ReplyCode, Verb};

/// Content that is being read.
#[derive(Debug)]
pub(super) struct Content {
    decoder: DotDecoder,
    sender: ReversePath,
    recipients: usize,
    declared_eight_bit: bool,
    /// Octets given to the host.
    delivered: u64,
    /// It began before the 354.
    early: bool,
}

impl Server {
    /// DATA in a transaction with recipients; `behind` came before the 354.
    pub(super) fn data(&mut self, behind: &[u8]) {
        let recipients = self.recipients();
        let token = DataToken(if self.config.ask.data {
            self.ask(Asked::Data)
        } else {
            self.start_content(behind);
            self.write(&Reply::START_CONTENT);
            self.spent()
        });
        self.events.push(Event::Data(Data { token, recipients }));
    }

    pub(super) fn data_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        Self::open_slot(&mut self.pending, self.session, ticket)?;
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
        let Some(transaction) = self.transaction.take() else { return };
        let early = !behind.is_empty();
        if early && !self.early_reported {
            self.early(DeviationKind::EarlyInput, behind);
        }
        self.phase = Phase::Content(Content {
            decoder: DotDecoder::new(self.config.content.bare_line_ends),
            sender: transaction.sender,
            recipients: transaction.accepted,
            declared_eight_bit: transaction.eight_bit,
            delivered: 0,
            early,
        });
        self.restart_rate();
    }

    /// Refuses DATA. What stands behind it is no content, and would run as commands.
    pub(super) fn refuse_data(&mut self, reply: Reply, error: Option<CommandError>, behind: &[u8]) {
        if !behind.is_empty() {
            self.early(DeviationKind::ImproperPipelining, behind);
            if self.config.early.refused_data == Early::Refuse {
                self.events.push(Event::Rejected(Rejected { verb: Some(Verb::Data), reply: EARLY, error }));
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

    /// Decodes what is there; `false` if more must come.
    pub(super) fn read_content(&mut self, input: &mut BytesMut) -> bool {
        let limit = self.message_limit();
        let before = input.len();
        let Phase::Content(content) = &mut self.phase else { return false };
        let Some(chunk) = content.decoder.decode(input) else { return false };
        let mut octets = chunk.content;
        // What is above the limit is read to its end, and given to nobody.
        let room = usize::try_from(limit - content.delivered.min(limit)).unwrap_or(usize::MAX);
        octets.truncate(room);
        content.delivered += octets.len() as u64;
        self.count_content(before - input.len());
        if !octets.is_empty() {
            self.content_waits = true;
            self.events.push(Event::Content(octets));
        }
        if chunk.end {
            self.end_content();
        }
        true
    }

    /// The end of the content: RFC 5321 §4.1.1.4.
    fn end_content(&mut self) {
        let Phase::Content(content) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        self.restart_rate();
        self.early_reported = false;
        let report = *content.decoder.report();
        self.report_content(&content, &report);
        // RFC 2033 §4.2: one reply for each accepted recipient.
        let replies = if self.config.is_lmtp() { content.recipients } else { 1 };
        if let Some((reason, reply)) = self.verdict(&content, &report) {
            self.events.push(Event::Aborted(Aborted { reason, report }));
            return self.reply_each(vec![reply; replies]);
        }
        let token = MessageToken(if self.config.ask.message {
            self.ask(Asked::Message { replies })
        } else {
            self.accepted();
            self.reply_each(vec![Reply::MESSAGE_ACCEPTED; replies]);
            self.spent()
        });
        self.events.push(Event::Message(Message {
            token,
            sender: content.sender,
            recipients: content.recipients,
            declared_eight_bit: content.declared_eight_bit,
            report,
        }));
    }

    /// What the session itself has against the content.
    fn verdict(&self, content: &Content, report: &ContentReport) -> Option<(AbortReason, Reply)> {
        use mailwright_core::wire::BareLineEnd;
        let policy = &self.config.content;
        let rejects = |unusual: Unusual, found: bool| unusual == Unusual::Reject && found;
        if report.octets > self.message_limit() {
            // RFC 1870 §6.3
            Some((AbortReason::TooLarge, Reply::MESSAGE_TOO_LARGE))
        } else if policy.bare_line_ends == BareLineEnd::Reject && report.has_bare_line_end() {
            // RFC 5321 §2.3.8
            Some((AbortReason::BareLineEnd, Reply::BAD_CONTENT))
        } else if rejects(policy.nul, report.nul > 0) {
            Some((AbortReason::Nul, Reply::BAD_CONTENT))
        } else if rejects(policy.undeclared_eight_bit, report.eight_bit && !content.declared_eight_bit) {
            // RFC 6152 §3
            Some((AbortReason::EightBit, Reply::EIGHT_BIT_CONTENT))
        } else if rejects(policy.long_lines, report.longest_line > self.config.limits.text_line) {
            Some((AbortReason::LongLine, Reply::BAD_CONTENT))
        } else if content.early && self.config.early.content == Early::Refuse {
            Some((AbortReason::Early, EARLY))
        } else {
            None
        }
    }

    /// Reports what the content has that it should not have.
    fn report_content(&mut self, content: &Content, report: &ContentReport) {
        let first_bare = report.first_bare.and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
        let first_nul = report.first_nul.and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
        if report.bare_cr > 0 {
            self.deviation(DeviationKind::BareCarriageReturn, first_bare, b"\r");
        }
        if report.bare_lf > 0 {
            self.deviation(DeviationKind::BareLineFeed, first_bare, b"\n");
        }
        if report.nul > 0 {
            self.deviation(DeviationKind::Nul, first_nul, b"\0");
        }
        if report.eight_bit && !content.declared_eight_bit {
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
        let all: Vec<Reply> = match verdict {
            Verdict::All(reply) => vec![reply; replies],
            Verdict::Each(each) => each,
        };
        if all.len() != replies || all.iter().any(Reply::is_intermediate) {
            return Err(Misuse::WrongAnswer);
        }
        if all.iter().any(Reply::is_positive) {
            self.accepted();
        }
        // The question is alone in the queue: its replies take its place.
        self.pending.clear();
        for reply in all {
            let closes = reply.code() == ReplyCode::UNAVAILABLE;
            if closes {
                self.last_reply(reply.complete(), Closed::Refused);
                break;
            }
            self.reply(reply.complete());
        }
        Ok(())
    }

    /// A message was accepted: the client does what it is here for.
    fn accepted(&mut self) {
        self.errors = 0;
        self.idle_commands = 0;
    }

    /// The session ends, and so does the content.
    pub(super) fn abort_content(&mut self) {
        if let Phase::Content(content) = &self.phase {
            let report = *content.decoder.report();
            self.events.push(Event::Aborted(Aborted { reason: AbortReason::Incomplete, report }));
        }
    }

    // ---- BDAT

    /// BDAT is refused, but its chunk follows all the same: RFC 3030 §2.
    pub(super) fn chunk(&mut self, line: &CommandLine) {
        let size = match line.parse(&self.command_options()) {
            Ok(parsed) => match parsed.command {
                Command::Bdat { size, .. } => size,
                _ => 0,
            },
            Err(error) => {
                // Where the next command begins, nobody knows.
                let reply = error.reply();
                self.events.push(Event::Rejected(Rejected {
                    verb: Some(Verb::Bdat),
                    reply: reply.clone(),
                    error: Some(error),
                }));
                return self.last_reply(reply, Closed::ChunkSize);
            }
        };
        let refusal = self.gate(Some(Verb::Bdat)).or_else(|| self.state(Verb::Bdat));
        let reply = refusal.unwrap_or(Reply::NOT_IMPLEMENTED);
        self.phase = Phase::Discard { remaining: size, reply };
        self.restart_rate();
        if size == 0 {
            self.discarded();
        }
    }

    /// The chunk that nobody wants is read.
    pub(super) fn discarded(&mut self) {
        if let Phase::Discard { reply, .. } = core::mem::replace(&mut self.phase, Phase::Command) {
            self.restart_rate();
            self.reject(reply, Some(Verb::Bdat), None);
        }
    }
}
