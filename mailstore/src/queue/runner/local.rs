//! What the queue delivers to mailboxes here: reports to senders of this host, and what waited for room.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;
use mailwright_smtp::trace::{delivered_to, return_path};

use super::Runner;
use super::question::QueueEvent;
use super::save::Told;
use crate::account::{Append, Refusal, WriteError};
use crate::engine::{Blobs, Engine, ReadError};
use crate::identifier::AccountId;
use crate::mail::Delivery;
use crate::queue::machine::{Attempt, Connection, Outcome};
use crate::queue::message::{Failure, Target, status};
use crate::queue::row::{EnvelopeRow, RecipientRow};
use crate::queue::spool::Change;
use crate::queue::{EntryId, QueueId};

/// A message of the queue with its recipients.
pub(super) type Rows = (EnvelopeRow, BTreeMap<u32, RecipientRow>);

impl<E: Engine + Blobs, R> Runner<E, R> {
    /// A message of the queue; `None` if it has left it.
    pub(super) async fn rows(&self, message: QueueId) -> Result<Option<Rows>, ReadError> {
        let snapshot = self.store.core.engine.snapshot().await?;
        self.store.core.queued_rows(&snapshot, message).await
    }

    /// Makes an attempt whose destination is this host.
    pub(super) async fn deliver_here(&mut self, attempt: &Attempt, now: UnixTime) {
        let rows = self.rows(attempt.message).await;
        let known = rows.as_ref().ok().and_then(Option::as_ref).map(|(_, rows)| rows.clone());
        let Some((envelope, attempt)) = self.still_there(attempt.clone(), rows, now) else { return };
        let rows = known.unwrap_or_default();
        let mut outcomes = Vec::with_capacity(attempt.recipients.len());
        for number in &attempt.recipients {
            let id = EntryId { message: attempt.message, recipient: *number };
            let Some(row) = rows.get(number) else { continue };
            let outcome = match row.recipient.target {
                Target::Account(account) => match self.deliver_to(id, &envelope, row, account, now).await {
                    Ok(()) => {
                        self.tell(QueueEvent::Delivered { id, reply: None });
                        Outcome::Delivered
                    }
                    Err((outcome, failure)) => {
                        if matches!(outcome, Outcome::Deferred(_)) {
                            self.tell(QueueEvent::Deferred { id, failure: failure.clone() });
                        }
                        self.unsaved(id).failed(*number, failure);
                        outcome
                    }
                },
                Target::Report(action) => {
                    self.unsaved(id).told(*number, Told::Asked(action));
                    Outcome::Delivered
                }
                Target::Remote => Outcome::Deferred(None),
            };
            outcomes.push((*number, outcome));
        }
        self.machine.finished(attempt.id, Connection::Worked, &outcomes, now);
        self.collect();
    }

    /// Files a message in the INBOX of an account; in the same commit the recipient leaves the queue, and the
    /// report is queued if the sender asked for one.
    async fn deliver_to(
        &mut self,
        id: EntryId,
        envelope: &EnvelopeRow,
        row: &RecipientRow,
        account: AccountId,
        now: UnixTime,
    ) -> Result<(), (Outcome, Failure)> {
        let mut delivery = Delivery::new();
        let mut append = Append::new(envelope.uploaded(), now);
        let mut prefix = return_path(&envelope.envelope.sender).into_bytes();
        prefix.extend_from_slice(delivered_to(&row.recipient.address).as_bytes());
        prefix.extend_from_slice(&envelope.prefix);
        append.prefix = prefix.into();
        let copy = delivery.copy(account, append);
        delivery.plans.push(Vec::from([copy]));
        let result = self.file(id, envelope, row, &mut delivery, now).await;
        let failure = |at: (u8, u16, u16), reason: &str| Failure::new(now, status(at.0, at.1, at.2), reason);
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Refusal::NoSuchMailbox)) => {
                Err((Outcome::Failed, failure((5, 1, 1), "There is no such account any more")))
            }
            Ok(Err(Refusal::NotPermitted)) => Err((Outcome::Failed, failure((5, 7, 1), "Not permitted"))),
            Ok(Err(refusal)) => {
                let reason = alloc::format!("The mailbox has no room: {refusal}");
                Err((Outcome::Deferred(None), failure((4, 2, 2), &reason)))
            }
            Err(error) => {
                let at = if matches!(error, WriteError::Full) { (4, 3, 1) } else { (4, 3, 0) };
                let reason = alloc::format!("The message could not be stored: {error}");
                self.tell(QueueEvent::NotWritten(error));
                Err((Outcome::Deferred(None), failure(at, &reason)))
            }
        }
    }

    async fn file(
        &mut self,
        id: EntryId,
        envelope: &EnvelopeRow,
        row: &RecipientRow,
        delivery: &mut Delivery,
        now: UnixTime,
    ) -> Result<Result<(), Refusal>, WriteError> {
        let told = [(id.recipient, row.clone(), Told::Asked(mailwright_smtp::dsn::Action::Delivered))];
        let (reports, events) = self.reports(id.message, envelope, &told, now).await?;
        delivery.outbound = reports;
        let snapshot = self.store.core.engine.snapshot().await?;
        let changes = BTreeMap::from([(id, Change::Remove)]);
        self.store.core.change_queued(&snapshot, &changes, &mut delivery.more).await?;
        drop(snapshot);
        let results = self.store.deliver(delivery, now).await?;
        let result = results.into_iter().next().unwrap_or(Ok(()));
        if result.is_ok() {
            events.into_iter().for_each(|event| self.tell(event));
            self.store.core.free_queued().await;
        }
        Ok(result)
    }
}
