//! The envelope: MAIL, RCPT, RSET. RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.1.5; RFC 9422 (LIMITS). Their parameters stand in
//! `parameters`.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use mailwright_core::value::{Domain, ForwardPath, Mailbox, Misuse, ReversePath};

use super::event::{Awaited, Closed, CommandId, Event, Verdict};
use super::parameters::{MailOptions, RecipientOptions, Requests};
use super::{Client, Sent};
use crate::types::{EnhancedCode, Reply, ReplyCode};

/// The transaction that is open or being opened.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) stage: Stage,
    /// The RCPT commands that were accepted, in order.
    pub(super) accepted: Vec<CommandId>,
    /// RCPT commands without reply.
    pub(super) undecided: usize,
    /// RCPT commands written.
    recipients: usize,
    pub(super) eight_bit: bool,
    pub(super) binary: bool,
    /// Its content goes by BDAT.
    pub(super) chunked: bool,
    smtp_utf8: bool,
    sized: bool,
    /// The command DATA whose content is being sent.
    pub(super) data: CommandId,
    /// The refusal of MAIL.
    refusal: Option<Box<Reply>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// No transaction.
    #[default]
    None,
    /// MAIL is in flight.
    Opening,
    /// MAIL was accepted.
    Open,
    /// MAIL was refused; replies to what was written behind it may still come.
    Refused,
    /// A chunk was refused: RSET comes before anything else.
    Failed,
}

impl Transaction {
    /// Whether nothing of a transaction was answered.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.stage, Stage::None | Stage::Opening)
    }

    pub(super) fn take_refusal(&mut self) -> Option<Reply> {
        self.refusal.take().map(|reply| *reply)
    }
}

impl Client {
    /// Whether a transaction is open or being opened, or has failed at a chunk: another MAIL needs [`Self::reset`]
    /// first, unless the content brings it to its end.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        matches!(self.transaction.stage, Stage::Opening | Stage::Open | Stage::Failed)
    }

    /// Whether a chunk was refused, so that nothing but [`Self::reset`] may be given now (RFC 3030 §2).
    #[must_use]
    pub fn must_reset(&self) -> bool {
        self.transaction.stage == Stage::Failed
    }

    /// Recipients that one transaction may have here: RCPTMAX of the server (RFC 9422), else
    /// [`Limits::recipients`](super::Limits::recipients).
    #[must_use]
    pub fn max_recipients(&self) -> usize {
        let limits = &self.config.limits;
        let announced =
            self.capabilities.limits().recipients.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        // All may be in flight together.
        announced.unwrap_or(limits.recipients).clamp(1, limits.in_flight.max(1))
    }

    /// Opens a transaction: MAIL. Leads to [`Event::Sender`].
    ///
    /// # Errors
    /// [`Misuse::WrongState`] in a transaction; [`Misuse::NotAnnounced`] if an option, or an address beyond
    /// ASCII, needs an extension that the server does not have; [`Misuse::TooLarge`] if the size is above the
    /// announced limit, another option beyond its bounds, a part of the address or the line too long (RFC 5321
    /// §4.5.3.1); [`Misuse::SessionLimit`] if the session had the MAILMAX transactions that the server allows
    /// (RFC 9422); [`Misuse::Busy`] while it may not be written. Nothing is written then.
    pub fn mail(&mut self, sender: &ReversePath, options: MailOptions) -> Result<CommandId, Misuse> {
        self.may_write()?;
        if self.in_transaction() {
            return Err(Misuse::WrongState);
        }
        if self.transaction.undecided > 0 {
            // Replies behind a refused MAIL are still to come.
            return Err(Misuse::Busy);
        }
        if needs_utf8(sender.mailbox()) && !options.smtp_utf8 {
            return Err(Misuse::NotAnnounced);
        }
        if !is_sendable(sender.mailbox()) {
            return Err(Misuse::TooLarge);
        }
        // RFC 9422 §4: MAILMAX is never exceeded.
        if self.capabilities.limits().transactions.is_some_and(|most| self.transactions >= most) {
            return Err(Misuse::SessionLimit);
        }
        let null = sender.mailbox().is_none();
        let options = options.for_server(&self.capabilities, null, self.tls.is_some())?;
        self.put_line(format_args!("MAIL FROM:{sender}{options}"))?;
        self.transactions += 1;
        self.transaction = Transaction {
            stage: Stage::Opening,
            eight_bit: options.eight_bit,
            binary: options.binary,
            smtp_utf8: options.smtp_utf8,
            sized: options.size.is_some(),
            ..Transaction::default()
        };
        Ok(self.sent_by_host(Sent::Mail { transaction: self.transactions }))
    }

    /// Adds a recipient: RCPT. With PIPELINING it may be given before the reply to MAIL is in. Leads to
    /// [`Event::Recipient`].
    ///
    /// # Errors
    /// [`Misuse::WrongState`] without transaction, or behind a chunk; [`Misuse::TooLarge`] above
    /// [`Self::max_recipients`]; [`Misuse::SessionLimit`] for a domain more than RCPTDOMAINMAX allows (RFC 9422);
    /// [`Misuse::NotAnnounced`] for an address beyond ASCII in a transaction without SMTPUTF8;
    /// [`Misuse::Busy`] while it may not be written.
    pub fn rcpt(&mut self, recipient: &ForwardPath) -> Result<CommandId, Misuse> {
        self.rcpt_with(recipient, &RecipientOptions::default())
    }

    /// As [`Self::rcpt`], with requests.
    ///
    /// # Errors
    /// As [`Self::rcpt`]; [`Misuse::NotAnnounced`] also if a request needs an extension that the server does not have.
    pub fn rcpt_with(
        &mut self,
        recipient: &ForwardPath,
        options: &RecipientOptions,
    ) -> Result<CommandId, Misuse> {
        self.may_write()?;
        if !self.in_transaction() || self.transaction.chunked {
            return Err(Misuse::WrongState);
        }
        if self.transaction.recipients >= self.max_recipients() || !is_sendable(recipient.mailbox()) {
            return Err(Misuse::TooLarge);
        }
        if needs_utf8(recipient.mailbox()) && !self.transaction.smtp_utf8 {
            return Err(Misuse::NotAnnounced);
        }
        let requests = Requests::new(options, &self.capabilities, self.transaction.smtp_utf8)?;
        // RFC 9422 §4: RCPTDOMAINMAX is never exceeded.
        let domain = recipient.mailbox().map(Mailbox::domain);
        let most = self.capabilities.limits().recipient_domains;
        let new = domain.filter(|domain| most.is_some() && !self.domains.contains(domain));
        if new.is_some() && most.is_some_and(|most| self.domains.len() as u64 >= most) {
            return Err(Misuse::SessionLimit);
        }
        self.put_line(format_args!("RCPT TO:{recipient}{requests}"))?;
        self.domains.extend(new.map(Domain::detach));
        self.transaction.recipients += 1;
        self.transaction.undecided += 1;
        let sized = self.transaction.sized;
        Ok(self.sent_by_host(Sent::Rcpt { transaction: self.transactions, sized }))
    }

    /// Gives the transaction up: RSET. Leads to [`Event::Reply`].
    ///
    /// # Errors
    /// [`Misuse::Busy`] while it may not be written, [`Misuse::WrongState`] inside content.
    pub fn reset(&mut self) -> Result<CommandId, Misuse> {
        self.may_write_in(true)?;
        self.transmit.put(b"RSET\r\n");
        self.transaction = Transaction::default();
        Ok(self.sent_by_host(Sent::Rset))
    }

    /// Writes a command line, or nothing if it is too long.
    pub(super) fn put_line(&mut self, line: fmt::Arguments<'_>) -> Result<(), Misuse> {
        let before = self.transmit.len();
        // Writing into memory does not fail.
        let _ = self.transmit.write_fmt(line);
        if self.transmit.len() - before > self.config.limits.output_line {
            self.transmit.buffer().truncate(before);
            return Err(Misuse::TooLarge);
        }
        self.transmit.put(b"\r\n");
        Ok(())
    }

    /// The reply to MAIL.
    pub(super) fn mail_answered(&mut self, id: CommandId, transaction: u64, reply: Reply) {
        if reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::Mail, reply));
            return;
        }
        // It may have been given up meanwhile.
        if transaction == self.transactions && self.transaction.stage == Stage::Opening {
            if reply.is_positive() {
                self.transaction.stage = Stage::Open;
            } else {
                self.transaction.stage = Stage::Refused;
                self.transaction.refusal = Some(Box::new(reply.detach()));
            }
        }
        self.events.push_back(Event::Sender { id, reply });
    }

    /// The reply to RCPT.
    pub(super) fn rcpt_answered(&mut self, id: CommandId, transaction: u64, sized: bool, reply: Reply) {
        if reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::Rcpt, reply));
            return;
        }
        let verdict = verdict(&reply, sized);
        // It may have been given up meanwhile.
        if transaction == self.transactions && self.transaction.undecided > 0 {
            self.transaction.undecided -= 1;
            if verdict == Verdict::Accepted {
                self.transaction.accepted.push(id);
            }
        }
        self.events.push_back(Event::Recipient { id, reply, verdict });
    }

    /// The reply to RSET.
    pub(super) fn rset_answered(&mut self, id: CommandId, reply: Reply) {
        if reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::Rset, reply));
            return;
        }
        self.events.push_back(Event::Reply { id, reply });
    }
}

/// RFC 6531 §3.4: whether an address goes only where SMTPUTF8 was said.
pub(super) fn needs_utf8(mailbox: Option<&Mailbox>) -> bool {
    mailbox.is_some_and(|mailbox| !mailbox.is_ascii())
}

/// RFC 5321 §4.5.3.1: whether an address is within the limits that every server must take.
fn is_sendable(mailbox: Option<&Mailbox>) -> bool {
    mailbox.is_none_or(Mailbox::is_sendable)
}

/// What a reply to RCPT means. `sized`: MAIL carried SIZE.
fn verdict(reply: &Reply, sized: bool) -> Verdict {
    let enhanced_is = |subject, detail: Option<u16>| {
        let fits =
            |code: EnhancedCode| code.subject() == subject && detail.is_none_or(|it| it == code.detail());
        reply.enhanced().is_some_and(fits)
    };
    if reply.is_positive() {
        // RFC 5321 §4.2.3: 251 and 252 are acceptance too.
        Verdict::Accepted
    } else if reply.is_transient() {
        Verdict::Transient
    } else if reply.code() != ReplyCode::EXCEEDED_STORAGE {
        Verdict::Permanent
    } else if enhanced_is(5, Some(3)) {
        // RFC 5321 §4.5.3.1.10: 552 once stood for "too many recipients", which is transient.
        Verdict::Transient
    } else if sized || enhanced_is(3, Some(4)) || enhanced_is(2, None) {
        // RFC 1870 §6.4: after SIZE it says that the message is too large for this recipient.
        Verdict::Permanent
    } else {
        Verdict::Transient
    }
}
