//! [`Deliver`]: one message to many recipients. RFC 5321 §3.3, RFC 2033 §4.2, RFC 2920, RFC 1870 §6, RFC 3030.
//!
//! What goes on the wire is the session's business; here is the order of commands, with and without
//! pipelining, and what became of each recipient. `content` has the way of the content, by DATA or BDAT.

mod content;
mod outcome;
mod source;

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;
use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{ForwardPath, Misuse, ReversePath};

pub use self::outcome::{DeliverError, Delivery, Outcome, Row};
use self::source::Source;
pub use self::source::WantContent;
use crate::client::envelope::needs_utf8;
use crate::client::{Awaited, Client, Closed, CommandId, Event, MailOptions, RecipientOptions, Verdict};
use crate::types::{EnvelopeId, Reply, Return};

/// Delivers one message to many recipients; ends with a [`Delivery`], which has a row for each.
///
/// One refused recipient never stops the others. With PIPELINING, MAIL, all RCPT and DATA are written
/// without waiting. With CHUNKING the content goes by BDAT, in chunks that grow as they are accepted, unless
/// [`chunking`](crate::client::Config::chunking) is off. More recipients than the server takes at once
/// ([`Client::max_recipients`]) go in several transactions. The content is in memory, or comes from the
/// host as the connection has room: then the task yields [`WantContent`], and the host answers with
/// [`Self::push`] and [`Self::finish`] before the next step.
#[derive(Debug)]
pub struct Deliver {
    sender: ReversePath,
    rows: Vec<(ForwardPath, Option<Outcome>)>,
    source: Source,
    options: MailOptions,
    /// Whether the content goes by BDAT.
    chunked: bool,
    /// The requests of each row; those that lack one have none.
    requests: Vec<RecipientOptions>,
    /// Whether the server announced DSN.
    dsn: bool,
    step: Step,
    /// RSET, if the session had a transaction to give up.
    reset: Option<CommandId>,
    mail: Option<CommandId>,
    data: Option<CommandId>,
    /// The rows of this transaction.
    chunk: Range<usize>,
    /// The next row whose RCPT is to be written.
    next: usize,
    /// The RCPT commands of this transaction, in order, with their rows.
    commands: Vec<(CommandId, usize)>,
    /// Replies of this transaction that are to come before its content.
    outstanding: usize,
    /// Whether a MAIL was answered.
    answered: bool,
    /// How many replies to the content are to come.
    finals: usize,
    /// How it is with chunks.
    chunks: content::Chunks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Envelope,
    Content,
    Final,
    Over,
}

impl Deliver {
    /// A message in memory. Its line ends must be CR LF, unless the session's
    /// [`bare_line_ends`](crate::client::Config::bare_line_ends) normalises them.
    #[must_use]
    pub fn new(
        sender: ReversePath,
        recipients: impl IntoIterator<Item = ForwardPath>,
        content: impl Into<Bytes>,
    ) -> Self {
        Self::from_source(sender, recipients, Source::memory(content.into()))
    }

    /// A message whose content the host pushes when it is asked. It may be asked again from the start, for
    /// another transaction.
    #[must_use]
    pub fn streamed(sender: ReversePath, recipients: impl IntoIterator<Item = ForwardPath>) -> Self {
        Self::from_source(sender, recipients, Source::streamed())
    }

    fn from_source(
        sender: ReversePath,
        recipients: impl IntoIterator<Item = ForwardPath>,
        source: Source,
    ) -> Self {
        Self {
            sender,
            rows: recipients.into_iter().map(|recipient| (recipient, None)).collect(),
            source,
            options: MailOptions::default(),
            chunked: false,
            requests: Vec::new(),
            dsn: false,
            step: Step::Envelope,
            reset: None,
            mail: None,
            data: None,
            chunk: 0..0,
            next: 0,
            commands: Vec::new(),
            outstanding: 0,
            answered: false,
            finals: 0,
            chunks: content::Chunks::default(),
        }
    }

    /// Says how many octets a streamed message has, so that a server can refuse it before it is sent.
    #[must_use]
    pub fn size(mut self, octets: u64) -> Self {
        self.source.declare_size(octets);
        self
    }

    /// Says that the header of a streamed message has characters beyond ASCII (RFC 6532): it needs
    /// SMTPUTF8. Addresses, and a message in memory, are looked at without being told.
    #[must_use]
    pub fn smtp_utf8(mut self) -> Self {
        self.options.smtp_utf8 = true;
        self
    }

    /// What MAIL says beside the sender, all at once: REQUIRETLS, AUTH, BINARYMIME, requests to the queue. SIZE,
    /// BODY=8BITMIME and SMTPUTF8 are added by themselves where they are needed.
    #[must_use]
    pub fn options(mut self, options: MailOptions) -> Self {
        if let Some(size) = options.size {
            self.source.declare_size(size);
        }
        self.options = options;
        self
    }

    /// Says what the sender asked for with DSN: RET and ENVID, and NOTIFY and ORCPT of each recipient in the order in
    /// which they were given. It is sent where the server announced DSN; whether it did, [`Delivery::dsn`] tells.
    #[must_use]
    pub fn requests(
        mut self,
        ret: Option<Return>,
        envelope_id: Option<EnvelopeId>,
        recipients: impl IntoIterator<Item = RecipientOptions>,
    ) -> Self {
        self.options.ret = ret;
        self.options.envelope_id = envelope_id;
        self.requests = recipients.into_iter().collect();
        self
    }

    /// Hands over the next piece of a streamed message; any size will do, [`WantContent::room`] is what
    /// can leave at once.
    pub fn push(&mut self, chunk: Bytes) {
        self.source.push(chunk);
    }

    /// Says that the streamed message is complete.
    pub fn finish(&mut self) {
        self.source.finish();
    }

    /// Looks at everything that can be known before the first command.
    fn prepare(&mut self, session: &Client) -> Result<(), DeliverError> {
        if self.rows.is_empty() {
            return Err(DeliverError::NoRecipients);
        }
        let capabilities = session.capabilities();
        let config = session.config();
        let binary = self.options.binary;
        let facts = self.source.inspect(config.bare_line_ends, binary)?;
        // RFC 3030 §3: binary content goes only by BDAT, and only to a server that takes it.
        if binary && !(capabilities.binary_mime() && capabilities.chunking()) {
            return Err(DeliverError::Binary);
        }
        // RFC 6152 §3: 8-bit content goes only to a server that takes it; content that is not known yet is
        // announced as such where that is possible.
        if facts.eight_bit == Some(true) && !binary && !capabilities.eight_bit_mime() {
            return Err(DeliverError::EightBit);
        }
        self.options.eight_bit = !binary && facts.eight_bit.unwrap_or(capabilities.eight_bit_mime());
        // RFC 6531 §3.2: SMTPUTF8 is said only where the message or its envelope needs it.
        let required = self.options.smtp_utf8 || facts.utf8_header || needs_utf8(self.sender.mailbox());
        if required && !capabilities.smtp_utf8() {
            return Err(DeliverError::SmtpUtf8);
        }
        let helps = capabilities.smtp_utf8() && self.rows.iter().any(|(path, _)| needs_utf8(path.mailbox()));
        self.options.smtp_utf8 = required || helps;
        self.options.size = facts.size;
        self.dsn = capabilities.dsn();
        self.chunked = binary || config.chunking && capabilities.chunking() && facts.unchanged;
        self.chunks = content::Chunks::new(config.limits.first_chunk, config.limits.largest_chunk);
        if let (Some(size), Some(Some(limit))) = (facts.size, capabilities.size()) {
            if size > limit {
                return Err(DeliverError::TooLarge { size, limit });
            }
        }
        // RFC 8689 §4.2.1; §5: a report from the null sender goes on without it.
        if self.options.require_tls && self.sender.mailbox().is_some() {
            if session.tls().is_none() {
                return Err(DeliverError::NoTls);
            }
            if !capabilities.require_tls() {
                return Err(DeliverError::RequireTls);
            }
        }
        let null = self.sender.mailbox().is_none();
        let written = self.options.clone().for_server(capabilities, null, session.tls().is_some());
        written.map(|_| ()).map_err(|_| DeliverError::Request)
    }

    /// Begins the next transaction, or ends the task.
    fn next_chunk(&mut self, session: &mut Client) -> Progress<Self, Client> {
        let start = self.chunk.end;
        if start >= self.rows.len() {
            return self.over(None);
        }
        self.chunk = start..self.rows.len().min(start.saturating_add(session.max_recipients()));
        self.next = start;
        self.commands.clear();
        self.mail = None;
        self.data = None;
        self.finals = 0;
        self.step = Step::Envelope;
        self.chunks.restart();
        self.source.rewind();
        self.envelope(session)
    }

    /// Writes as much of the envelope as may be written now.
    fn envelope(&mut self, session: &mut Client) -> Progress<Self, Client> {
        match self.write_envelope(session) {
            // All recipients failed before DATA.
            Ok(true) => self.next_chunk(session),
            // All are answered, and the content may come.
            Ok(false) if self.step == Step::Content => self.content(session),
            // Of a session that is over the event is still to come, and perhaps replies before it.
            Ok(false) | Err(Misuse::Busy | Misuse::Closed) => Progress::Continue,
            Err(misuse) => self.fail(misuse.into()),
        }
    }

    /// `true` if the transaction is over without content.
    fn write_envelope(&mut self, session: &mut Client) -> Result<bool, Misuse> {
        if self.mail.is_none() {
            if session.in_transaction() {
                // What an earlier transaction left open; never before the first one.
                self.reset = Some(session.reset()?);
            }
            self.mail = Some(session.mail(&self.sender, self.options.clone())?);
            self.outstanding += 1;
        }
        while self.next < self.chunk.end {
            if !session.in_transaction() {
                // MAIL was refused: each row has its reply when all have come.
                return Ok(self.outstanding == 0);
            }
            let Some((path, outcome)) = self.rows.get_mut(self.next) else { break };
            if outcome.is_none() {
                let sent = match self.requests.get(self.next) {
                    Some(requests) => session.rcpt_with(path, requests),
                    None => session.rcpt(path),
                };
                match sent {
                    Ok(id) => {
                        self.commands.push((id, self.next));
                        self.outstanding += 1;
                    }
                    Err(misuse @ (Misuse::NotAnnounced | Misuse::TooLarge)) => {
                        *outcome = Some(Outcome::NotTried(misuse));
                    }
                    // RFC 9422 §4
                    Err(Misuse::SessionLimit) => *outcome = Some(Outcome::Postponed),
                    Err(misuse) => return Err(misuse),
                }
            }
            self.next += 1;
        }
        if self.chunked {
            // RFC 3030 §2: when all recipients are answered.
            if self.outstanding == 0 && session.in_transaction() && self.open_rows().next().is_some() {
                self.step = Step::Content;
                self.finals = self.open_rows().count();
                return Ok(false);
            }
            return Ok(self.outstanding == 0);
        }
        if self.data.is_none() {
            let hopeful = self.outstanding > 0 || self.open_rows().next().is_some();
            if !hopeful || !session.in_transaction() {
                return Ok(self.outstanding == 0);
            }
            match session.data() {
                Ok(id) => {
                    self.data = Some(id);
                    self.outstanding += 1;
                }
                // MAIL alone is outstanding, and no recipient was written.
                Err(Misuse::WrongState) => return Ok(self.outstanding == 0),
                Err(misuse) => return Err(misuse),
            }
        }
        Ok(false)
    }

    /// Rows of this transaction without outcome: accepted, or not answered.
    fn open_rows(&mut self) -> impl Iterator<Item = &mut Option<Outcome>> {
        self.rows
            .get_mut(self.chunk.clone())
            .unwrap_or_default()
            .iter_mut()
            .map(|(_, outcome)| outcome)
            .filter(|outcome| outcome.is_none())
    }

    /// Gives every open row of this transaction the same reply.
    fn settle(&mut self, awaited: Awaited, reply: &Reply) {
        let outcome = Outcome::by_severity(awaited, reply.detach());
        self.open_rows().for_each(|row| *row = Some(outcome.clone()));
    }

    /// MAIL was refused: it would be so again for the transactions that were to follow.
    fn refuse_rest(&mut self, reply: &Reply) {
        self.chunk.end = self.rows.len();
        self.settle(Awaited::Mail, reply);
    }

    /// The row of the RCPT `id`.
    fn row(&mut self, id: CommandId) -> Option<&mut Option<Outcome>> {
        // Commands have rising numbers.
        let at = self.commands.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        let (_, row) = self.commands.get(at)?;
        self.rows.get_mut(*row).map(|(_, outcome)| outcome)
    }

    /// Ends with an error, unless an earlier transaction is over: what became of its recipients must be told, or
    /// they would get the message again.
    fn fail(&mut self, error: DeliverError) -> Progress<Self, Client> {
        let error = match error {
            // RFC 9422 §4
            DeliverError::Misuse(Misuse::SessionLimit) => DeliverError::SessionLimit,
            error => error,
        };
        if self.chunk.start > 0 {
            if let DeliverError::SessionLimit = error {
                self.chunk.end = self.rows.len();
                self.open_rows().for_each(|row| *row = Some(Outcome::Postponed));
            }
            return self.over(match error {
                DeliverError::Content(error) => Some(Closed::Content(error)),
                _ => None,
            });
        }
        self.step = Step::Over;
        Progress::Done(Err(error))
    }

    /// Ends with the rows as they are.
    fn over(&mut self, closed: Option<Closed>) -> Progress<Self, Client> {
        self.step = Step::Over;
        let rows = core::mem::take(&mut self.rows)
            .into_iter()
            .map(|(recipient, outcome)| Row { recipient, outcome: outcome.unwrap_or(Outcome::Unanswered) });
        Progress::Done(Ok(Delivery { rows: rows.collect(), closed, dsn: self.dsn }))
    }

    /// A reply of the envelope is in.
    fn counted(&mut self, session: &mut Client) -> Progress<Self, Client> {
        self.outstanding = self.outstanding.saturating_sub(1);
        if self.step == Step::Envelope { self.envelope(session) } else { Progress::Continue }
    }

    fn closed(&mut self, closed: Closed) -> Progress<Self, Client> {
        if let Closed::Content(error) = closed {
            return self.fail(error.into());
        }
        if matches!(closed, Closed::Stale(_)) && !self.answered {
            return self.fail(DeliverError::Stale(closed));
        }
        self.over(Some(closed))
    }
}

impl Task<Client> for Deliver {
    type Item = WantContent;
    type Output = Delivery;
    type Error = DeliverError;

    fn start(&mut self, session: &mut Client) -> Result<(), DeliverError> {
        match session.may_write_in(true) {
            Ok(()) | Err(Misuse::Busy) => {}
            Err(misuse) => return Err(misuse.into()),
        }
        self.prepare(session)?;
        match self.next_chunk(session) {
            Progress::Done(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn ready(&mut self, session: &mut Client) -> Progress<Self, Client> {
        match self.step {
            Step::Envelope => self.envelope(session),
            Step::Content => self.content(session),
            Step::Final | Step::Over => Progress::Continue,
        }
    }

    fn handle(&mut self, session: &mut Client, event: Event) -> Progress<Self, Client> {
        match event {
            Event::Reply { id, .. } if self.reset == Some(id) => {
                self.reset = None;
                self.ready(session)
            }
            Event::Sender { id, reply } if self.mail == Some(id) => {
                self.answered = true;
                if !reply.is_positive() {
                    // What the server says to RCPT behind it is of no interest.
                    self.refuse_rest(&reply);
                }
                self.counted(session)
            }
            Event::Recipient { id, reply, verdict } if self.row(id).is_some() => {
                if verdict != Verdict::Accepted {
                    if let Some(row) = self.row(id) {
                        row.get_or_insert_with(|| Outcome::by_verdict(verdict, reply.detach()));
                    }
                }
                self.counted(session)
            }
            Event::StartContent { id } if self.data == Some(id) => {
                self.outstanding = 0;
                self.step = Step::Content;
                self.finals = self.open_rows().count();
                self.content(session)
            }
            Event::ContentRefused { id, reply } if self.data == Some(id) => {
                self.outstanding = 0;
                if let Some(reply) = reply {
                    self.settle(Awaited::Data, &reply);
                }
                self.next_chunk(session)
            }
            Event::Chunk { id, reply } if self.chunks.is_mine(id) => self.chunk_answered(session, &reply),
            Event::Message { id, recipient, reply } if self.data == Some(id) => {
                match recipient {
                    None => {
                        self.settle(Awaited::Message, &reply);
                        self.finals = 0;
                    }
                    Some(recipient) => {
                        if let Some(row) = self.row(recipient) {
                            // Behind a chunk that failed, the reply to that counts.
                            row.get_or_insert_with(|| Outcome::by_severity(Awaited::Message, reply.detach()));
                        }
                        self.finals = self.finals.saturating_sub(1);
                    }
                }
                if self.finals == 0 { self.next_chunk(session) } else { Progress::Continue }
            }
            Event::Closed(closed) => self.closed(closed),
            other => Progress::NotMine(other),
        }
    }
}
