//! Replies in the order of commands: RFC 5321 §4.2, RFC 2920 §3.2, RFC 2034 §4.
//!
//! A reply is queued when it, or one before it, is not to be written yet: because the host has not
//! answered, or because it says an error that is one of too many and is held back for a moment.

use alloc::collections::VecDeque;

use mailwright_core::value::Misuse;

use super::question::Ticket;
use super::{Chunk, Closed, Event, Rejected, Server, Timer};
use crate::parse::CommandError;
use crate::types::{ClientName, EnhancedCode, Reply, ReplyCode, Verb};

/// RFC 5321 §4.1.1.8.
pub(super) const HELP: Reply =
    Reply::constant(ReplyCode::HELP, Some(EnhancedCode::constant(2, 0, 0)), "See RFC 5321 for the commands");

/// RFC 2920 §3.1: who sends what must wait breaks the protocol.
pub(super) const EARLY: Reply = Reply::constant(
    ReplyCode::TRANSACTION_FAILED,
    Some(EnhancedCode::constant(5, 5, 1)),
    "Octets came before their time",
);

/// Not SMTP at all.
pub(super) const NOT_SMTP: Reply = Reply::constant(
    ReplyCode::TRANSACTION_FAILED,
    Some(EnhancedCode::constant(5, 5, 1)),
    "This is a mail server",
);

/// RFC 4954 §4: an initial response to a mechanism in which the server speaks first.
pub(super) const UNEXPECTED_INITIAL_RESPONSE: Reply = Reply::constant(
    ReplyCode::ARGUMENT_SYNTAX_ERROR,
    Some(EnhancedCode::constant(5, 7, 0)),
    "This mechanism has no initial response",
);

/// RFC 2852 §4: a deadline that this server cannot keep.
pub(super) const TOO_SOON: Reply = Reply::constant(
    ReplyCode::PARAMETERS_NOT_RECOGNISED,
    Some(EnhancedCode::constant(5, 5, 4)),
    "Deliver-by time too short",
);

/// RFC 6710 §4.1: a priority that was lowered; the text begins with what it is now.
pub(super) const PRIORITY_LOWERED: Reply = Reply::constant(
    ReplyCode::OK,
    Some(EnhancedCode::constant(2, 3, 6)),
    "0 is the priority without authentication",
);

/// RFC 6531 §3.7.4.1: 551 whose address cannot be shown.
const NOT_LOCAL: Reply =
    Reply::constant(ReplyCode::MAILBOX_UNAVAILABLE, Some(EnhancedCode::constant(5, 1, 6)), "User not local");

/// RFC 6531 §3.7.4.2: a mailbox that cannot be shown.
const CANNOT_SHOW: Reply = Reply::constant(
    ReplyCode::CANNOT_VERIFY,
    Some(EnhancedCode::constant(2, 6, 8)),
    "A reply beyond ASCII needs SMTPUTF8",
);

/// RFC 6531 §3.7.4.2: the same where the answer is no.
const NOT_SHOWN: Reply = Reply::constant(
    ReplyCode::MAILBOX_UNAVAILABLE,
    Some(EnhancedCode::constant(5, 6, 8)),
    "A reply beyond ASCII needs SMTPUTF8",
);

/// RFC 2034 §4: a reply to EHLO, HELO or LHLO has no enhanced code, whatever it says.
pub(super) fn to_command(reply: Reply, verb: Option<Verb>) -> Reply {
    match verb {
        Some(Verb::Ehlo | Verb::Helo | Verb::Lhlo) => reply.without_enhanced(),
        _ => reply,
    }
}

/// RFC 6531 §3.7.4: what a reply of the host becomes if it goes beyond ASCII where it may not. `utf8`: whether SMTPUTF8
/// stood on MAIL.
fn sayable(reply: Reply, asked: &Asked, utf8: bool) -> Reply {
    if reply.is_ascii() {
        return reply;
    }
    let other = match (asked, reply.code()) {
        // RFC 6531 §3.7.4.1: only in the address of these, and without it if it may not be there.
        (Asked::Recipient { .. }, ReplyCode::WILL_FORWARD | ReplyCode::USER_NOT_LOCAL) if utf8 => {
            return reply;
        }
        (Asked::Recipient { .. }, ReplyCode::WILL_FORWARD) => &Reply::RECIPIENT_OK,
        (Asked::Recipient { .. }, ReplyCode::USER_NOT_LOCAL) => &NOT_LOCAL,
        // RFC 6531 §3.7.4.2: only where the command itself had the parameter.
        (Asked::Query { smtp_utf8: true }, _) => return reply,
        (Asked::Query { .. }, _) if reply.is_positive() => &CANNOT_SHOW,
        (Asked::Query { .. }, _) if reply.is_permanent() => &NOT_SHOWN,
        _ => return reply.into_ascii(),
    };
    match reply.enhanced() {
        // What was said precisely stays so.
        Some(enhanced) if other.enhanced().is_some_and(|own| own.subject() == enhanced.subject()) => {
            Reply::new(other.code(), enhanced, other.first_line()).unwrap_or_else(|_| other.clone())
        }
        _ => other.clone(),
    }
}

/// The place of a reply.
#[derive(Debug)]
pub(super) enum Slot {
    /// The host has not answered.
    Open { serial: u64, asked: Asked },
    /// Decided, and waiting for those before it.
    Ready(Reply),
    /// The last one.
    Last(Reply, Closed),
}

/// What a question is about, as far as its answer needs it.
#[derive(Debug)]
pub(super) enum Asked {
    Hello {
        name: ClientName,
        extended: bool,
    },
    Sender,
    /// `octets`: its line.
    Recipient {
        octets: usize,
    },
    /// `chunk`: of BDAT, whose octets follow.
    Data {
        chunk: Option<Chunk>,
    },
    /// `replies`: how many must leave.
    Message {
        replies: usize,
    },
    /// VRFY or EXPN. `smtp_utf8`: the reply may go beyond ASCII.
    Query {
        smtp_utf8: bool,
    },
    Help,
    Etrn,
    Atrn,
    /// `challenged`: the client has answered a challenge, so the exchange ends a group.
    Authenticate {
        challenged: bool,
    },
}

impl Slot {
    /// RFC 2920 §3.1: whether nothing may be sent before this reply.
    pub(super) const fn ends_group(&self) -> bool {
        matches!(
            self,
            Self::Open {
                asked: Asked::Hello { .. }
                    | Asked::Data { chunk: None }
                    | Asked::Query { .. }
                    | Asked::Help
                    | Asked::Atrn
                    | Asked::Authenticate { challenged: true },
                ..
            }
        )
    }
}

impl Server {
    // ---- Asking

    /// Opens a question.
    pub(super) fn ask(&mut self, asked: Asked) -> Ticket {
        self.serial += 1;
        self.pending.push_back(Slot::Open { serial: self.serial, asked });
        Ticket { session: self.session, serial: self.serial }
    }

    /// The ticket of a question that is not asked.
    pub(super) const fn spent(&self) -> Ticket {
        Ticket { session: self.session, serial: 0 }
    }

    /// The open question of a ticket, if `fits` says that it can be answered so.
    pub(super) fn open_slot<'a>(
        pending: &'a mut VecDeque<Slot>,
        session: u64,
        ticket: &Ticket,
    ) -> Result<&'a mut Slot, Misuse> {
        let is_it = |slot: &&mut Slot| matches!(slot, Slot::Open { serial, .. } if *serial == ticket.serial);
        if ticket.session != session {
            return Err(Misuse::NotOpen);
        }
        pending.iter_mut().find(is_it).ok_or(Misuse::NotOpen)
    }

    /// Puts the reply in the place of the question; what was asked comes back.
    pub(super) fn decide(&mut self, ticket: &Ticket, reply: Reply) -> Result<Asked, Misuse> {
        let closes = reply.code() == ReplyCode::UNAVAILABLE;
        let utf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.smtp_utf8);
        let slot = Self::open_slot(&mut self.pending, self.session, ticket)?;
        let Slot::Open { asked, .. } = &*slot else { return Err(Misuse::NotOpen) };
        // RFC 5321 §3.8: 421 says that the session ends.
        // RFC 2034 §4
        let to_hello = matches!(asked, Asked::Hello { .. });
        let reply = sayable(reply, asked, utf8);
        let reply = if to_hello { reply.without_enhanced() } else { reply.complete() };
        let ready = if closes { Slot::Last(reply, Closed::Refused) } else { Slot::Ready(reply) };
        let Slot::Open { asked, .. } = core::mem::replace(slot, ready) else { return Err(Misuse::NotOpen) };
        self.closing |= closes;
        Ok(asked)
    }

    /// Decides a question to which only 2yz, 4yz or 5yz is a reply.
    pub(super) fn decide_final(&mut self, ticket: &Ticket, reply: Reply) -> Result<Asked, Misuse> {
        Self::open_slot(&mut self.pending, self.session, ticket)?;
        if reply.is_intermediate() {
            return Err(Misuse::WrongAnswer);
        }
        self.decide(ticket, reply)
    }

    /// Says another reply than the one that was just decided, in its place.
    pub(super) fn replace_last(&mut self, slot: Slot) {
        if let Some(last) = self.pending.back_mut() {
            *last = slot;
        }
    }

    pub(super) fn open_questions(&self) -> usize {
        self.pending.iter().filter(|slot| matches!(slot, Slot::Open { .. })).count()
    }

    // ---- Saying

    /// Says a reply of the session's own.
    pub(super) fn reply(&mut self, reply: Reply) {
        if self.pending.is_empty() && !self.delayed {
            self.write(&reply);
        } else {
            self.pending.push_back(Slot::Ready(reply));
        }
    }

    /// Says the last reply, when it is its turn, and closes.
    pub(super) fn last_reply(&mut self, reply: Reply, reason: Closed) {
        self.closing = true;
        self.pending.push_back(Slot::Last(reply, reason));
    }

    /// Refuses a command without counting an error: the client could not know better.
    pub(super) fn decline(&mut self, reply: Reply, verb: Option<Verb>, error: Option<CommandError>) {
        self.events.push_back(Event::Rejected(Rejected { verb, reply: reply.clone(), error }));
        self.reply(reply);
    }

    /// Refuses a command, and counts.
    pub(super) fn reject(&mut self, reply: Reply, verb: Option<Verb>, error: Option<CommandError>) {
        let reply = to_command(reply, verb);
        self.events.push_back(Event::Rejected(Rejected { verb, reply: reply.clone(), error }));
        self.count_error(reply, verb);
    }

    /// Says that something was wrong: at once, after a moment, or by closing.
    fn count_error(&mut self, reply: Reply, verb: Option<Verb>) {
        self.errors = self.errors.saturating_add(1);
        let limits = &self.config.limits;
        if self.errors >= limits.hard_errors {
            return self.last_reply(to_command(Reply::TOO_MANY_ERRORS, verb), Closed::TooManyErrors);
        }
        if self.errors > limits.soft_errors {
            self.delayed = true;
            self.start_timer(Timer::Delay, self.config.timeouts.error_delay);
        }
        self.reply(reply);
    }

    /// The same reply several times: to the end of content in LMTP.
    pub(super) fn reply_times(&mut self, reply: &Reply, times: usize) {
        for _ in 0..times {
            self.reply(reply.clone());
        }
    }

    /// Writes what is decided, as far as the order allows.
    pub(super) fn flush(&mut self) {
        while !self.delayed && matches!(self.pending.front(), Some(Slot::Ready(_) | Slot::Last(..))) {
            match self.pending.pop_front() {
                Some(Slot::Ready(reply)) => self.write(&reply),
                Some(Slot::Last(reply, reason)) => {
                    self.write(&reply);
                    self.close(reason);
                }
                _ => {}
            }
        }
        if self.pending.is_empty() {
            self.blocked = false;
            self.release();
        }
    }

    /// Writes a reply, which is [`sayable`].
    pub(super) fn write(&mut self, reply: &Reply) {
        self.put(|wire| reply.encode(wire));
    }

    /// Appends to the output; every octet for the client goes through here.
    pub(super) fn put(&mut self, write: impl FnOnce(&mut bytes::BytesMut)) {
        let before = self.transmit.len();
        write(self.transmit.buffer());
        self.queued += (self.transmit.len() - before) as u64;
        self.greeted_only = false;
    }
}
