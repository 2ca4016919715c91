//! The envelope: MAIL, RCPT, RSET, and VRFY beside it. RFC 5321 §3.3, §3.5.3, §4.1.1.2 to §4.1.1.6; RFC 1870 §6;
//! RFC 4954 §5.

use bytes::Bytes;
use mailwright_core::value::{ForwardPath, Misuse, ReversePath, SourceRoute};

use super::question::{RecipientToken, SenderToken, Ticket, VerifyToken};
use super::replies::{Asked, Slot};
use super::{Closed, Event, Recipient, Sender, Server, Verify};
use crate::types::{Parameters, Reply, Verb};

/// A transaction that MAIL opened.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) sender: ReversePath,
    pub(super) eight_bit: bool,
    /// Recipients that were accepted.
    pub(super) accepted: usize,
    /// Recipients that the host has not answered.
    open: usize,
    /// RCPT commands that reached the host.
    index: usize,
}

impl Server {
    pub(super) fn mail(&mut self, path: ReversePath, route: Option<SourceRoute>, mut parameters: Parameters) {
        // RFC 1870 §6.1: a declared size above the limit is refused at once.
        let limit = self.message_limit();
        if parameters.size.is_some_and(|size| size > limit) {
            return self.decline(Reply::MESSAGE_TOO_LARGE, Some(Verb::Mail), None);
        }
        if self.transactions >= self.config.limits.transactions {
            return self.last_reply(Reply::TOO_MANY_COMMANDS, Closed::TooManyTransactions);
        }
        // RFC 4954 §5: from a client that is not authenticated, AUTH= counts as <>.
        let auth = parameters.rare.as_mut().and_then(|rare| rare.auth.as_mut());
        if let (Some(auth), None) = (auth, &self.identity) {
            *auth = ReversePath::Null;
        }
        let transaction = Transaction {
            sender: path.clone(),
            eight_bit: parameters.is_eight_bit(),
            accepted: 0,
            open: 0,
            index: 0,
        };
        let token = SenderToken(if self.config.ask.sender {
            self.ask(Asked::Sender { transaction })
        } else {
            self.open_transaction(transaction);
            self.reply(Reply::SENDER_OK);
            self.spent()
        });
        self.events.push(Event::Sender(Sender { token, path, route, parameters }));
    }

    fn open_transaction(&mut self, transaction: Transaction) {
        self.transactions = self.transactions.saturating_add(1);
        self.transaction = Some(transaction);
    }

    pub(super) fn sender_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        let accepted = reply.is_positive();
        if let (Asked::Sender { transaction }, true) = (self.decide_final(ticket, reply)?, accepted) {
            self.open_transaction(transaction);
        }
        Ok(())
    }

    /// Octets of content that a message may have.
    pub(super) fn message_limit(&self) -> u64 {
        match self.config.limits.message {
            0 => u64::MAX,
            limit => limit,
        }
    }

    /// RFC 5321 §4.5.3.1.8: 100 recipients at least.
    fn recipient_limit(&self) -> usize {
        self.config.limits.recipients.max(100)
    }

    /// Whether a command can be taken while questions are open: only RCPT can, if only recipients are asked
    /// about, and within the bounds.
    pub(super) fn has_room_for_recipients(&self) -> bool {
        if self.pending.is_empty() {
            return true;
        }
        let only_recipients = self
            .pending
            .iter()
            .all(|slot| matches!(slot, Slot::Ready(_) | Slot::Open { asked: Asked::Recipient { .. }, .. }));
        let limits = &self.config.limits;
        // At the limit of recipients the next one is judged when it is known how many were accepted.
        let below = self.transaction.as_ref().is_some_and(|transaction| {
            transaction.open == 0 || transaction.accepted + transaction.open < self.recipient_limit()
        });
        below
            && self.pending.len() < limits.undecided
            && self.pending_octets < limits.undecided_octets
            && only_recipients
    }

    pub(super) fn rcpt(
        &mut self,
        path: ForwardPath,
        route: Option<SourceRoute>,
        parameters: Parameters,
        octets: usize,
    ) {
        let limit = self.recipient_limit();
        let Some(transaction) = &mut self.transaction else {
            return self.reply(Reply::BAD_SEQUENCE);
        };
        // RFC 5321 §4.5.3.1.10: 452, never 552; those accepted stay.
        if transaction.accepted + transaction.open >= limit {
            return self.decline(Reply::TOO_MANY_RECIPIENTS, Some(Verb::Rcpt), None);
        }
        let index = transaction.index;
        transaction.index += 1;
        let token = RecipientToken(if self.config.ask.recipient {
            transaction.open += 1;
            self.pending_octets += octets;
            self.ask(Asked::Recipient { octets })
        } else {
            transaction.accepted += 1;
            self.reply(Reply::RECIPIENT_OK);
            self.spent()
        });
        self.events.push(Event::Recipient(Recipient { token, index, path, route, parameters }));
    }

    pub(super) fn recipient_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        let accepted = reply.is_positive();
        if let Asked::Recipient { octets } = self.decide_final(ticket, reply)? {
            self.pending_octets = self.pending_octets.saturating_sub(octets);
            if let Some(transaction) = &mut self.transaction {
                transaction.open = transaction.open.saturating_sub(1);
                transaction.accepted += usize::from(accepted);
            }
        }
        Ok(())
    }

    /// RFC 5321 §4.1.1.5: RSET is always 250.
    pub(super) fn rset(&mut self) {
        self.reset_transaction();
        self.reply(Reply::OK);
    }

    pub(super) fn reset_transaction(&mut self) {
        if self.transaction.take().is_some() {
            self.events.push(Event::Reset);
        }
    }

    /// RFC 5321 §3.5.3 and §7.3: by default 252, which tells nobody who exists.
    pub(super) fn vrfy(&mut self, query: Bytes) {
        let token = VerifyToken(if self.config.ask.verify {
            self.ask(Asked::Verify)
        } else {
            self.reply(Reply::CANNOT_VERIFY);
            self.spent()
        });
        self.events.push(Event::Verify(Verify { token, query }));
    }

    pub(super) fn verify_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        self.decide_final(ticket, reply).map(|_| ())
    }
}
