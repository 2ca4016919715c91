//! The envelope: MAIL, RCPT and RSET. RFC 5321 §3.3, §4.1.1.2, §4.1.1.3, §4.1.1.5; RFC 1870 §6; RFC 4954 §5; RFC 8689
//! §2; RFC 9422 §4; and what the requests to a queue leave to its server.

use alloc::boxed::Box;

use mailwright_core::value::{Domain, ForwardPath, Mailbox, Misuse, ReversePath, SourceRoute};

use super::content::Content;
use super::question::{RecipientToken, SenderToken, Ticket};
use super::replies::{Asked, PRIORITY_LOWERED, Slot, TOO_SOON};
use super::{AbortReason, Closed, Event, Recipient, Sender, Server};
use crate::types::{Body, DeliverBy, DeliverByMode, Hold, Parameters, Priority, Reply, Verb};

/// A transaction that MAIL opened.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Its sender was accepted; else that is still asked.
    pub(super) begun: bool,
    pub(super) sender: ReversePath,
    pub(super) body: Option<Body>,
    pub(super) smtp_utf8: bool,
    /// Recipients that were accepted.
    pub(super) accepted: usize,
    /// Recipients that the host has not answered.
    open: usize,
    /// RCPT commands that reached the host.
    index: usize,
    /// What became of its chunks.
    pub(super) chunks: Chunks,
    /// The content, while it comes.
    pub(super) content: Option<Box<Content>>,
}

/// How far a transaction is with BDAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// No chunk came.
    None,
    /// Chunks came, and more may.
    Begun,
    /// One failed, so all do.
    Failed,
}

impl Transaction {
    fn new(sender: ReversePath, parameters: &Parameters) -> Self {
        Self {
            begun: false,
            sender,
            body: parameters.body(),
            smtp_utf8: parameters.smtp_utf8(),
            accepted: 0,
            open: 0,
            index: 0,
            chunks: Chunks::None,
            content: None,
        }
    }

    /// Whether its content has begun to come by BDAT.
    pub(super) fn has_chunks(&self) -> bool {
        self.chunks != Chunks::None
    }

    /// Whether its content can come only by BDAT.
    pub(super) fn needs_chunks(&self) -> bool {
        self.has_chunks() || self.is_binary()
    }

    pub(super) fn is_binary(&self) -> bool {
        self.body == Some(Body::BinaryMime)
    }

    /// Whether octets beyond ASCII were announced. RFC 6531 §3.6: SMTPUTF8 does so for the header.
    pub(super) fn is_eight_bit(&self) -> bool {
        self.smtp_utf8 || matches!(self.body, Some(Body::EightBitMime | Body::BinaryMime))
    }
}

impl Server {
    pub(super) fn mail(&mut self, path: ReversePath, route: Option<SourceRoute>, mut parameters: Parameters) {
        // RFC 8689 §2: REQUIRETLS only in TLS.
        if parameters.require_tls() && self.tls.is_none() {
            return self.decline(Reply::ENCRYPTION_NEEDED, Some(Verb::Mail), None);
        }
        if let Some(reply) = self.judge_requests(&parameters) {
            return self.reject(reply, Some(Verb::Mail), None);
        }
        // RFC 1870 §6.1: a declared size above the limit is refused at once.
        let limit = self.message_limit();
        if parameters.size.is_some_and(|size| size > limit) {
            return self.decline(Reply::MESSAGE_TOO_LARGE, Some(Verb::Mail), None);
        }
        if self.transactions >= self.config.limits.transactions {
            return self.last_reply(Reply::TOO_MANY_COMMANDS, Closed::TooManyTransactions);
        }
        let mut default = Reply::SENDER_OK;
        if let (Some(rare), None) = (parameters.rare.as_mut(), &self.identity) {
            // RFC 4954 §5: from a client that is not authenticated, AUTH= counts as <>.
            if let Some(auth) = &mut rare.auth {
                *auth = ReversePath::Null;
            }
            // RFC 6710 §4.1: nobody raises a priority who is not known.
            if rare.priority > Some(Priority::NORMAL) {
                rare.priority = Some(Priority::NORMAL);
                default = PRIORITY_LOWERED;
            }
        }
        self.transaction = Some(Transaction::new(path.clone(), &parameters));
        let token = SenderToken(if self.config.ask.sender {
            self.ask(Asked::Sender)
        } else {
            self.begin_transaction();
            self.reply(default);
            self.spent()
        });
        self.events.push_back(Event::Sender(Sender { token, path, route, parameters }));
    }

    /// What cannot be kept of the requests to the queue.
    fn judge_requests(&self, parameters: &Parameters) -> Option<Reply> {
        let by = parameters.deliver_by();
        // RFC 2852 §3: 55z to a deadline below the least.
        let least = i64::from(self.config.promises.deliver_by.unwrap_or(0));
        let too_soon = |by: DeliverBy| by.mode() == DeliverByMode::Return && i64::from(by.seconds()) < least;
        if by.is_some_and(too_soon) {
            return Some(TOO_SOON);
        }
        let hold = parameters.hold()?;
        // RFC 4865 §4.2: 501 above the maximum. §5.2.2: or behind the deadline; of HOLDUNTIL only the host can tell.
        let outlives = |by: DeliverBy| match hold {
            Hold::For(interval) => i64::from(interval.seconds()) > i64::from(by.seconds()),
            Hold::Until(_) => false,
        };
        let allowed = self.config.future_release().is_some_and(|release| release.allows(hold));
        (!allowed || by.is_some_and(outlives)).then_some(Reply::BAD_ARGUMENT)
    }

    fn begin_transaction(&mut self) {
        self.transactions = self.transactions.saturating_add(1);
        if let Some(transaction) = &mut self.transaction {
            transaction.begun = true;
        }
    }

    pub(super) fn sender_answered(&mut self, ticket: &Ticket, reply: Reply) -> Result<(), Misuse> {
        let accepted = reply.is_positive();
        self.decide_final(ticket, reply)?;
        if accepted {
            self.begin_transaction();
        } else {
            self.transaction = None;
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
            transaction.open == 0
                || transaction.accepted + transaction.open < self.config.limits.most_recipients()
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
        let limit = self.config.limits.most_recipients();
        let Some(transaction) = &self.transaction else {
            return self.reply(Reply::BAD_SEQUENCE);
        };
        // RFC 5321 §4.5.3.1.10: 452, never 552; those accepted stay.
        if transaction.accepted + transaction.open >= limit {
            return self.decline(Reply::TOO_MANY_RECIPIENTS, Some(Verb::Rcpt), None);
        }
        if !self.has_room_for_domain(path.mailbox().map(Mailbox::domain)) {
            return self.decline(Reply::TOO_MANY_RECIPIENTS, Some(Verb::Rcpt), None);
        }
        let Some(transaction) = &mut self.transaction else { return };
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
        self.events.push_back(Event::Recipient(Recipient { token, index, path, route, parameters }));
    }

    /// RFC 9422 §4: whether a recipient of this domain is within the limit of domains; it counts from then on.
    fn has_room_for_domain(&mut self, domain: Option<&Domain>) -> bool {
        let most = self.config.limits.recipient_domains;
        let Some(domain) = domain.filter(|_| most > 0) else { return true };
        let known = &mut self.domains;
        if known.contains(domain) {
            return true;
        }
        let room = known.len() < most;
        if room {
            known.insert(domain.detach());
        }
        room
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
        self.abort_content(AbortReason::Reset);
        if self.transaction.take().is_some() {
            self.events.push_back(Event::Reset);
        }
    }
}
