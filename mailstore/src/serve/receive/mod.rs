//! SMTP, submission and LMTP over a store: from RCPT to the reply that takes responsibility.
//!
//! RFC 5321 §4.4 (trace), §6.1 (responsibility), §6.3 (loops); RFC 6409 §6.1 (who may send as whom);
//! RFC 2033 §4.2 (a reply for each recipient). No path ends without the message stored, queued, or refused with
//! a reply: a message is stored for all recipients of an SMTP transaction or for none, since one reply
//! speaks for all; in LMTP each recipient is stored, or refused, by itself.
//!
//! `envelope` answers MAIL and RCPT, `content` stores what comes, `delivery` decides at its end, `replies`
//! has what is said; `relay` makes of a message what is queued.

mod content;
mod delivery;
mod envelope;
#[cfg(feature = "queue")]
mod relay;
mod replies;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use mailwright_core::value::{ForwardPath, Mailbox, ReversePath, UnixTime};
use mailwright_smtp::server::{Config, Event, Protocol, Server};

use self::content::Content;
use super::{Compute, Logins};
use crate::directory::{Directory, LocalTarget};
use crate::engine::{Blobs, Engine};
use crate::mail::store::Store;

/// Answers SMTP, submission and LMTP sessions from a store. One for the program; `Clone` is cheap.
pub struct Service<E, C> {
    store: Store<E>,
    directory: Directory<E>,
    logins: Logins<E, C>,
    hops: u32,
    relays: bool,
}

impl<E, C: Clone> Clone for Service<E, C> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            directory: self.directory.clone(),
            logins: self.logins.clone(),
            hops: self.hops,
            relays: self.relays,
        }
    }
}

impl<E, C> fmt::Debug for Service<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("hops", &self.hops)
            .field("relays", &self.relays)
            .finish_non_exhaustive()
    }
}

impl<E: Engine + Blobs, C: Compute> Service<E, C> {
    /// `Received` fields with which a message is taken at most; one more is a loop (RFC 5321 §6.3).
    pub const HOPS: u32 = 100;

    /// Serves the accounts of `store`; password hashes run on `compute`.
    #[must_use]
    pub fn new(store: Store<E>, compute: C) -> Self {
        let logins = Logins::new(&store, compute);
        Self { directory: store.directory(), store, logins, hops: Self::HOPS, relays: false }
    }

    /// Takes messages with as many as `hops` `Received` fields instead of [`Self::HOPS`].
    #[must_use]
    pub const fn with_hops(mut self, hops: u32) -> Self {
        self.hops = hops;
        self
    }

    /// Queues mail for other domains: what accounts submit, and what comes for addresses that stand for addresses
    /// elsewhere. A [`Runner`](crate::queue::Runner) has to send it. Off by default: then it is refused.
    #[cfg(feature = "queue")]
    #[must_use]
    pub const fn with_relaying(mut self, relays: bool) -> Self {
        self.relays = relays;
        self
    }

    /// Sets what a session must ask so that this service can answer: MAIL, RCPT, DATA and the end of content; and that
    /// it has SMTPUTF8: mailboxes here may go beyond ASCII, and the queue passes it on.
    /// The size limit becomes the store's if that is lower.
    pub fn configure(&self, config: &mut Config) {
        config.ask.sender = true;
        config.ask.recipient = true;
        config.ask.data = true;
        config.ask.message = true;
        config.smtp_utf8 = true;
        let most = self.store.config().mail.message_octets;
        let limit = &mut config.limits.message;
        *limit = if *limit == 0 { most } else { most.min(*limit) };
    }

    /// What answers one session; `peer` is the address of the client, for the trace.
    #[must_use]
    pub fn handler(&self, peer: Option<IpAddr>) -> Handler<E, C> {
        Handler { service: Arc::new(self.clone()), peer, transaction: None }
    }
}

/// Answers one session.
pub struct Handler<E: Engine + Blobs, C> {
    service: Arc<Service<E, C>>,
    peer: Option<IpAddr>,
    transaction: Option<Transaction<E>>,
}

impl<E: Engine + Blobs, C> fmt::Debug for Handler<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// From MAIL to the reply at the end.
struct Transaction<E: Engine + Blobs> {
    sender: ReversePath,
    /// What SIZE announced.
    size: Option<u64>,
    /// Whether SMTPUTF8 stood on MAIL.
    smtp_utf8: bool,
    /// Accepted, in the order of RCPT.
    recipients: Vec<Accepted>,
    /// What stood behind MAIL.
    #[cfg(feature = "queue")]
    parameters: mailwright_smtp::types::Parameters,
    content: Content<E>,
}

/// A recipient that was accepted.
struct Accepted {
    path: ForwardPath,
    targets: Vec<LocalTarget>,
    /// Addresses elsewhere.
    external: Vec<Mailbox>,
    /// What stood behind RCPT.
    #[cfg(feature = "queue")]
    parameters: mailwright_smtp::types::Parameters,
}

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    /// Answers `event` of `session`, if it is a question. `now` is the time for trace and store.
    ///
    /// The session must be configured with [`Service::configure`].
    pub async fn handle(&mut self, session: &mut Server, event: Event, now: UnixTime) {
        // A refused answer means that the session ended meanwhile; its last event says so.
        match event {
            Event::Authenticate(question) => {
                let answer = self.service.logins.verify(&question.ask).await;
                let _ = session.answer(question.token, answer);
            }
            Event::Sender(sender) => {
                self.transaction = None;
                let reply = self.judge_sender(session, &sender.path).await;
                let accepted = reply.is_positive();
                if session.answer(sender.token, reply).is_ok() && accepted {
                    self.transaction = Some(Transaction {
                        sender: sender.path.detach(),
                        size: sender.parameters.size(),
                        smtp_utf8: sender.parameters.smtp_utf8(),
                        recipients: Vec::new(),
                        #[cfg(feature = "queue")]
                        parameters: sender.parameters.detach(),
                        content: Content::None,
                    });
                }
            }
            Event::Recipient(recipient) => {
                let (reply, targets) = match self.judge_recipient(session, &recipient.path).await {
                    Ok(targets) => (mailwright_smtp::types::Reply::RECIPIENT_OK, Some(targets)),
                    Err(reply) => (reply, None),
                };
                let answered = session.answer(recipient.token, reply).is_ok();
                if let (true, Some(targets), Some(transaction)) = (answered, targets, &mut self.transaction) {
                    let path = recipient.path.detach();
                    transaction.recipients.push(Accepted {
                        path,
                        targets: targets.local,
                        external: targets.external,
                        #[cfg(feature = "queue")]
                        parameters: recipient.parameters.detach(),
                    });
                }
            }
            Event::Data(data) => {
                let reply = self.begin_content(session).await;
                let _ = session.answer(data.token, reply);
            }
            Event::Content(octets) => self.store_content(octets).await,
            Event::Message(message) => {
                let verdict = self.deliver(session, now).await;
                let _ = session.answer(message.token, verdict);
            }
            Event::Aborted(_) | Event::Reset | Event::Secured(_) | Event::Closed(_) => {
                self.transaction = None;
            }
            _ => {}
        }
    }
}

/// Whether the client must be an account that sends under its own addresses.
fn is_submission(session: &Server) -> bool {
    session.config().protocol == Protocol::Submission
}
