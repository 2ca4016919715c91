//! The envelope: MAIL, RCPT, RSET, and VRFY and NOOP beside it. RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.1.5;
//! RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8), RFC 3461 (DSN), RFC 9422 (LIMITS).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use mailwright_core::value::{ForwardPath, Mailbox, Misuse, ReversePath};

use super::event::{Awaited, Closed, CommandId, Event, Verdict};
use super::{Client, Sent};
use crate::types::{EnhancedCode, EnvelopeId, Notify, OriginalRecipient, Reply, ReplyCode, Return};

/// What MAIL says beside the sender. Each is sent only if the server announced its extension; a call that
/// needs one that is missing is refused, never weakened. The exception is DSN, whose requests end at a server
/// that does not have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailOptions {
    /// The size of the content in octets, if known. Sent as SIZE where announced, and checked against the
    /// announced limit before anything is written (RFC 1870 §6.1).
    pub size: Option<u64>,
    /// The content may have 8-bit octets: BODY=8BITMIME, which must be announced (RFC 6152 §3).
    pub eight_bit: bool,
    /// The message has an address or a header beyond ASCII: SMTPUTF8, which must be announced (RFC 6531 §3.4).
    pub smtp_utf8: bool,
    /// What a report of failure returns: RET, where DSN is announced; elsewhere it is left out.
    pub ret: Option<Return>,
    /// What the sender calls the transaction: ENVID, where DSN is announced; elsewhere it is left out.
    pub envelope_id: Option<EnvelopeId>,
}

/// What RCPT says beside the recipient: the requests of DSN, where that is announced. Elsewhere they are left out
/// (RFC 3461 §5.2.2), and reports are for the sending side to make: see
/// [`Event::action`](crate::dsn::Event::action).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecipientOptions {
    /// What the sender wants to hear of: NOTIFY.
    pub notify: Option<Notify>,
    /// The address that the sender gave: ORCPT. It is written in ASCII where SMTPUTF8 was not said, and left out
    /// if that makes it too long.
    pub original_recipient: Option<OriginalRecipient>,
}

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
    /// Whether a transaction is open or being opened: another MAIL needs [`Self::reset`] first, unless the
    /// content brings it to its end.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        matches!(self.transaction.stage, Stage::Opening | Stage::Open)
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
    /// announced limit, a part of the address or the line too long (RFC 5321 §4.5.3.1), or the session
    /// had the MAILMAX transactions that the server allows (RFC 9422); [`Misuse::Busy`] while it may not be
    /// written. Nothing is written then.
    pub fn mail(&mut self, sender: &ReversePath, options: MailOptions) -> Result<CommandId, Misuse> {
        self.may_write()?;
        if self.in_transaction() {
            return Err(Misuse::WrongState);
        }
        if self.transaction.undecided > 0 {
            // Replies behind a refused MAIL are still to come.
            return Err(Misuse::Busy);
        }
        let announced_size = self.capabilities.size();
        let needs_utf8 = needs_utf8(sender.mailbox());
        if options.eight_bit && !self.capabilities.eight_bit_mime()
            || options.smtp_utf8 && !self.capabilities.smtp_utf8()
            || needs_utf8 && !options.smtp_utf8
        {
            return Err(Misuse::NotAnnounced);
        }
        if !is_sendable(sender.mailbox()) {
            return Err(Misuse::TooLarge);
        }
        // RFC 1870 §6.1: a client does not try what is above the announced limit.
        if let (Some(size), Some(Some(limit))) = (options.size, announced_size) {
            if size > limit {
                return Err(Misuse::TooLarge);
            }
        }
        if self.capabilities.limits().transactions.is_some_and(|most| self.transactions >= most) {
            return Err(Misuse::TooLarge);
        }
        let size = options.size.filter(|_| announced_size.is_some());
        let dsn = self.capabilities.dsn();
        let parameters = Parameters {
            size,
            eight_bit: options.eight_bit,
            smtp_utf8: options.smtp_utf8,
            // RFC 3461 §5.2.2 (a): nothing of it to a server that does not know it.
            ret: options.ret.filter(|_| dsn),
            envelope_id: options.envelope_id.filter(|_| dsn),
        };
        self.put_line(format_args!("MAIL FROM:{sender}{parameters}"))?;
        self.transactions += 1;
        self.transaction = Transaction {
            stage: Stage::Opening,
            eight_bit: options.eight_bit,
            smtp_utf8: options.smtp_utf8,
            sized: size.is_some(),
            ..Transaction::default()
        };
        Ok(self.sent_by_host(Sent::Mail { transaction: self.transactions }))
    }

    /// Adds a recipient: RCPT. With PIPELINING it may be given before the reply to MAIL is in. Leads to
    /// [`Event::Recipient`].
    ///
    /// # Errors
    /// [`Misuse::WrongState`] without transaction; [`Misuse::TooLarge`] above [`Self::max_recipients`];
    /// [`Misuse::NotAnnounced`] for an address beyond ASCII in a transaction without SMTPUTF8;
    /// [`Misuse::Busy`] while it may not be written.
    pub fn rcpt(&mut self, recipient: &ForwardPath) -> Result<CommandId, Misuse> {
        self.rcpt_with(recipient, &RecipientOptions::default())
    }

    /// As [`Self::rcpt`], with requests for reports.
    ///
    /// # Errors
    /// As [`Self::rcpt`].
    pub fn rcpt_with(
        &mut self,
        recipient: &ForwardPath,
        options: &RecipientOptions,
    ) -> Result<CommandId, Misuse> {
        self.may_write()?;
        if !self.in_transaction() {
            return Err(Misuse::WrongState);
        }
        if self.transaction.recipients >= self.max_recipients() || !is_sendable(recipient.mailbox()) {
            return Err(Misuse::TooLarge);
        }
        if needs_utf8(recipient.mailbox()) && !self.transaction.smtp_utf8 {
            return Err(Misuse::NotAnnounced);
        }
        let requests = if self.capabilities.dsn() {
            Requests::new(options, self.transaction.smtp_utf8)
        } else {
            Requests::default()
        };
        self.put_line(format_args!("RCPT TO:{recipient}{requests}"))?;
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
        self.may_write()?;
        self.transmit.put(b"RSET\r\n");
        self.transaction = Transaction::default();
        Ok(self.sent_by_host(Sent::Rset))
    }

    /// Does nothing, for a sign of life: NOOP. Leads to [`Event::Reply`].
    ///
    /// # Errors
    /// [`Misuse::Busy`] while it may not be written, [`Misuse::WrongState`] inside content.
    pub fn noop(&mut self) -> Result<CommandId, Misuse> {
        self.may_write()?;
        self.transmit.put(b"NOOP\r\n");
        Ok(self.sent_by_host(Sent::Noop))
    }

    /// Asks whether a user or mailbox exists: VRFY. Many servers answer 252 to everything. Leads to
    /// [`Event::Reply`].
    ///
    /// # Errors
    /// [`Misuse::NotAnnounced`] for a mailbox beyond ASCII where there is no SMTPUTF8; [`Misuse::TooLarge`] if
    /// the line is too long; [`Misuse::Busy`] while it may not be written, [`Misuse::WrongState`] inside content.
    pub fn vrfy(&mut self, query: &Query) -> Result<CommandId, Misuse> {
        self.may_write()?;
        let utf8 = matches!(query, Query::Mailbox(mailbox) if !mailbox.is_ascii());
        if utf8 && !self.capabilities.smtp_utf8() {
            return Err(Misuse::NotAnnounced);
        }
        // RFC 6531 §3.7.4.2: the parameter says that the address, and the reply, may go beyond ASCII.
        self.put_line(format_args!("VRFY {query}{}", if utf8 { " SMTPUTF8" } else { "" }))?;
        Ok(self.sent_by_host(Sent::Vrfy))
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

/// What VRFY asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Query {
    /// A user name.
    Name(UserName),
    /// A mailbox.
    Mailbox(Mailbox),
}

/// A name for VRFY: printable ASCII, written as a quoted string where it is no atom (RFC 5321 §4.1.1.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(String);

/// A text that may not stand in VRFY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user name for VRFY is printable ASCII and not empty")]
#[non_exhaustive]
pub struct InvalidUserName;

impl UserName {
    /// A name of one or more octets %d32–126.
    ///
    /// # Errors
    /// If it is empty or has other octets.
    pub fn new(name: &str) -> Result<Self, InvalidUserName> {
        if name.is_empty() || !name.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
            return Err(InvalidUserName);
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 5321 §4.1.2: String = Atom / Quoted-string; RFC 5322 §3.2.3: atext
        let is_atext = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet);
        match self {
            Self::Mailbox(mailbox) => mailbox.fmt(f),
            Self::Name(UserName(name)) if name.bytes().all(is_atext) => f.write_str(name),
            Self::Name(UserName(name)) => {
                f.write_char('"')?;
                for character in name.chars() {
                    if matches!(character, '"' | '\\') {
                        f.write_char('\\')?;
                    }
                    f.write_char(character)?;
                }
                f.write_char('"')
            }
        }
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

/// The parameters of MAIL as they are written.
struct Parameters {
    size: Option<u64>,
    eight_bit: bool,
    smtp_utf8: bool,
    ret: Option<Return>,
    envelope_id: Option<EnvelopeId>,
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(size) = self.size {
            write!(f, " SIZE={size}")?;
        }
        if self.eight_bit {
            f.write_str(" BODY=8BITMIME")?;
        }
        if self.smtp_utf8 {
            f.write_str(" SMTPUTF8")?;
        }
        if let Some(ret) = self.ret {
            write!(f, " RET={ret}")?;
        }
        if let Some(id) = &self.envelope_id {
            write!(f, " ENVID={id}")?;
        }
        Ok(())
    }
}

/// The parameters of RCPT as they are written.
#[derive(Default)]
struct Requests {
    notify: Option<Notify>,
    original_recipient: Option<OriginalRecipient>,
}

impl Requests {
    fn new(options: &RecipientOptions, smtp_utf8: bool) -> Self {
        let given = options.original_recipient.as_ref();
        // RFC 6533 §3: octets beyond ASCII only under SMTPUTF8.
        let written = given.map(|given| if smtp_utf8 { given.clone() } else { given.to_ascii() });
        let fits = |written: &OriginalRecipient| written.as_str().len() <= OriginalRecipient::MAX_OCTETS;
        Self { notify: options.notify, original_recipient: written.filter(fits) }
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(notify) = self.notify {
            write!(f, " NOTIFY={notify}")?;
        }
        if let Some(original) = &self.original_recipient {
            write!(f, " ORCPT={original}")?;
        }
        Ok(())
    }
}
