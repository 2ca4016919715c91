//! What a runner writes: the effects of its machine, collected by message and committed, with the reports that
//! belong to them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;
use mailwright_smtp::dsn::{Action, Event};
use mailwright_smtp::types::Notify;

use super::question::QueueEvent;
use super::{AGAIN, Runner};
use crate::account::WriteError;
use crate::engine::{Batch, Blobs, CommitError, Engine, ReadError, Snapshot};
use crate::mail::record::Record as _;
use crate::mail::{Delivery, key};
use crate::queue::machine::{Effect, Report};
use crate::queue::message::Failure;
use crate::queue::row::RecipientRow;
use crate::queue::schedule::later;
use crate::queue::spool::Change;
use crate::queue::{EntryId, QueueId};

/// Changes that one commit takes.
const TOGETHER: usize = 256;

/// What a sender may be told of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A server without DSN took it.
    Relayed,
    /// It is late.
    Delayed,
    /// It was refused.
    Failed,
    /// It was given up.
    Expired,
    /// All was done when it was accepted.
    Asked(Action),
}

impl Told {
    /// What is reported to a sender with this NOTIFY.
    pub(super) fn action(self, notify: Option<Notify>) -> Option<Action> {
        let event = match self {
            Self::Relayed | Self::Asked(Action::Relayed) => Event::Relayed { next_hop_has_dsn: false },
            Self::Delayed | Self::Asked(Action::Delayed) => Event::Delayed,
            Self::Failed | Self::Expired | Self::Asked(Action::Failed) => Event::Failed,
            Self::Asked(Action::Delivered) => Event::Delivered,
            Self::Asked(Action::Expanded) => Event::Expanded,
        };
        event.action(notify)
    }

    /// Whether the message did not arrive.
    pub(super) const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Expired | Self::Asked(Action::Failed))
    }
}

/// Messages whose reports wait for others of the same message.
const HELD: usize = 1000;
/// Seconds for which a report waits for others of the same message.
const PATIENCE: u64 = 5 * 60;

/// What is to be written about one message.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    changes: BTreeMap<u32, Change>,
    told: BTreeMap<u32, Told>,
    /// Why the last attempt failed, or what was said when it did not.
    failures: BTreeMap<u32, Failure>,
}

impl Unsaved {
    pub(super) fn told(&mut self, number: u32, told: Told) {
        self.told.insert(number, told);
    }

    pub(super) fn failed(&mut self, number: u32, failure: Failure) {
        self.failures.insert(number, failure);
    }

    /// Nothing is to be written about a recipient any more.
    pub(super) fn forget(&mut self, number: u32) {
        self.changes.remove(&number);
        self.told.remove(&number);
        self.failures.remove(&number);
    }

    /// Takes out what can wait for the end of other attempts: what is told of recipients that are done with.
    fn take_ended(&mut self) -> Self {
        let mut ended = Self::default();
        for (number, told) in &self.told {
            if *told != Told::Delayed {
                ended.changes.extend(self.changes.remove_entry(number));
                ended.failures.extend(self.failures.remove_entry(number));
                ended.told.insert(*number, *told);
            }
        }
        self.told.retain(|_, told| *told == Told::Delayed);
        ended
    }

    fn add(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.told.extend(other.told);
        self.failures.extend(other.failures);
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.told.is_empty()
    }

    /// The changes with the reasons for them.
    fn changes(&self, id: QueueId) -> impl Iterator<Item = (EntryId, Change)> + '_ {
        self.changes.iter().map(move |(number, change)| {
            let mut change = change.clone();
            if let Change::Persist { failure, .. } = &mut change {
                *failure = self.failures.get(number).cloned();
            }
            (EntryId { message: id, recipient: *number }, change)
        })
    }
}

impl<E: Engine + Blobs, R> Runner<E, R> {
    pub(super) fn unsaved(&mut self, id: EntryId) -> &mut Unsaved {
        self.unsaved.entry(id.message).or_default()
    }

    /// Takes over what the machine wants written.
    pub(super) fn collect(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            let id = effect.id();
            let unsaved = self.unsaved(id);
            match effect {
                Effect::Persist { due, attempts, notified, .. } => {
                    let change = Change::Persist { due, attempts, notified, failure: None };
                    unsaved.changes.insert(id.recipient, change);
                }
                Effect::Remove { .. } => {
                    unsaved.changes.insert(id.recipient, Change::Remove);
                }
                Effect::Report { report, .. } => {
                    let told = match report {
                        Report::Delayed => Told::Delayed,
                        Report::Failed => Told::Failed,
                        Report::Expired => Told::Expired,
                    };
                    unsaved.told(id.recipient, told);
                    if told != Told::Delayed {
                        let failure = unsaved.failures.get(&id.recipient).cloned();
                        self.tell(QueueEvent::Failed { id, failure });
                    }
                }
            }
        }
    }

    /// Writes what is to be written. `false` if that failed: it is kept, and tried again after a while.
    pub(super) async fn save(&mut self, now: UnixTime) -> bool {
        // A clock that was set back does not keep it from being tried.
        if self.again.is_some_and(|again| now < again && again <= later(now, AGAIN)) {
            return self.unsaved.is_empty();
        }
        self.again = None;
        while let Some((first, unsaved)) = self.unsaved.first_key_value() {
            let first = *first;
            let result = if unsaved.told.is_empty() {
                let together = self.together();
                match self.save_unreported(&together).await {
                    Err(WriteError::Read(_)) if together.len() > 1 => self.save_unreported(&[first]).await,
                    result => result,
                }
            } else {
                self.hold(first, now);
                self.save_reported(first, now).await
            };
            match result {
                Ok(()) => {}
                // One message that cannot be read must not stop the others. What is stored of it stays.
                Err(WriteError::Read(error @ (ReadError::Corrupt { .. } | ReadError::Newer { .. }))) => {
                    self.unsaved.remove(&first);
                    self.tell(QueueEvent::NotRead { message: first, error });
                }
                Err(error) => {
                    self.again = Some(later(now, AGAIN));
                    self.tell(QueueEvent::NotWritten(error));
                    return false;
                }
            }
        }
        true
    }

    /// One report speaks of all recipients that end at about the same time: while others of the message are
    /// being tried, it waits. Until it is queued they stay in the queue, so a crash loses nothing.
    fn hold(&mut self, id: QueueId, now: UnixTime) {
        let Some(mut unsaved) = self.unsaved.remove(&id) else { return };
        let latest = later(now, PATIENCE);
        let mut until = latest;
        if let Some((since, held)) = self.held.remove(&id) {
            until = since.min(latest);
            unsaved.add(held);
        }
        if !self.overdue.remove(&id) && now < until && self.held.len() < HELD && self.machine.is_active(id) {
            let ended = unsaved.take_ended();
            if !ended.is_empty() {
                self.held.insert(id, (until, ended));
            }
        }
        if !unsaved.is_empty() {
            self.unsaved.insert(id, unsaved);
        }
    }

    /// Lets go of the reports on a message if nothing of it is tried any more.
    pub(super) fn release(&mut self, id: QueueId) {
        if !self.machine.is_active(id)
            && let Some((_, held)) = self.held.remove(&id)
        {
            self.unsaved.entry(id).or_default().add(held);
        }
    }

    /// Lets go of the reports that have waited long enough; gives the time when the next have.
    pub(super) fn release_old(&mut self, now: UnixTime) -> Option<UnixTime> {
        let old = |until: &UnixTime| *until <= now || *until > later(now, PATIENCE);
        let ids: Vec<QueueId> =
            self.held.iter().filter(|(_, (until, _))| old(until)).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some((_, held)) = self.held.remove(&id) {
                // As if it had been so from the beginning: it is not held again.
                self.unsaved.entry(id).or_default().add(held);
                self.overdue.insert(id);
            }
        }
        self.held.values().map(|(until, _)| *until).min()
    }

    /// The first messages of which nothing is reported: as many as one commit takes.
    fn together(&self) -> Vec<QueueId> {
        let mut count = 0;
        let fits = |(_, unsaved): &(&QueueId, &Unsaved)| {
            count += unsaved.changes.len();
            unsaved.told.is_empty() && count <= TOGETHER.max(unsaved.changes.len())
        };
        self.unsaved.iter().take_while(fits).map(|(id, _)| *id).collect()
    }

    /// Writes changes of messages of which nothing is reported.
    async fn save_unreported(&mut self, messages: &[QueueId]) -> Result<(), WriteError> {
        let unsaved = messages.iter().filter_map(|id| self.unsaved.get_key_value(id));
        let changes = unsaved.flat_map(|(id, unsaved)| unsaved.changes(*id)).collect();
        self.commit(&changes).await?;
        messages.iter().for_each(|id| drop(self.unsaved.remove(id)));
        Ok(())
    }

    async fn commit(&self, changes: &BTreeMap<EntryId, Change>) -> Result<(), WriteError> {
        let core = &self.store.core;
        for _ in 0..core.config.mail.commit_attempts.max(1) {
            let snapshot = core.engine.snapshot().await?;
            let mut batch = Batch::default();
            let mut changes = changes.clone();
            self.explain(&snapshot, &mut changes).await?;
            core.change_queued(&snapshot, &changes, &mut batch).await?;
            drop(snapshot);
            if batch.ops.is_empty() {
                return Ok(());
            }
            match core.engine.commit(batch).await {
                Ok(()) => {
                    if changes.values().any(|change| matches!(change, Change::Remove)) {
                        core.free_queued().await;
                    }
                    return Ok(());
                }
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Busy)
    }

    /// Those who were put off with others failed for the reason of the others.
    async fn explain<S: Snapshot>(
        &self,
        snapshot: &S,
        changes: &mut BTreeMap<EntryId, Change>,
    ) -> Result<(), WriteError> {
        if self.failures.is_empty() {
            return Ok(());
        }
        for (id, change) in changes {
            let Change::Persist { failure: failure @ None, attempts: 1.., .. } = change else { continue };
            let key = key::recipient(*id);
            let Some(value) = snapshot.get(&key).await? else { continue };
            let row = RecipientRow::open(&key, &value)?;
            if row.failure.is_none() {
                *failure = self.failures.get(row.recipient.destination().as_str()).cloned();
            }
        }
        Ok(())
    }

    /// Writes the changes of a message, and queues the reports about it, in one commit.
    async fn save_reported(&mut self, id: QueueId, now: UnixTime) -> Result<(), WriteError> {
        for _ in 0..self.store.core.config.mail.commit_attempts.max(1) {
            let Some(unsaved) = self.unsaved.get(&id) else { return Ok(()) };
            let changes: BTreeMap<EntryId, Change> = unsaved.changes(id).collect();
            let mut told = Vec::new();
            let rows = self.rows(id).await?;
            let Some((envelope, rows)) = rows else {
                // It is gone, and with it what there was to say.
                self.unsaved.remove(&id);
                return Ok(());
            };
            for (number, what) in &unsaved.told {
                let Some(row) = rows.get(number) else { continue };
                if *what == Told::Delayed && row.notified {
                    continue;
                }
                let mut row = row.clone();
                if let Some(failure) = unsaved.failures.get(number) {
                    row.failure = Some(failure.clone());
                }
                if row.failure.is_none() {
                    row.failure = self.failures.get(row.recipient.destination().as_str()).cloned();
                }
                told.push((*number, row, *what));
            }
            let (reports, events) = self.reports(id, &envelope, &told, now).await?;
            let mut delivery = Delivery::new();
            delivery.plans.push(Vec::new());
            delivery.outbound = reports;
            let snapshot = self.store.core.engine.snapshot().await?;
            self.store.core.change_queued(&snapshot, &changes, &mut delivery.more).await?;
            drop(snapshot);
            match self.store.deliver(&delivery, now).await {
                Ok(_) => {
                    self.unsaved.remove(&id);
                    events.into_iter().for_each(|event| self.tell(event));
                    self.store.core.free_queued().await;
                    return Ok(());
                }
                // Somebody else wrote: read again.
                Err(WriteError::Busy) => {}
                Err(error) => return Err(error),
            }
        }
        Err(WriteError::Busy)
    }
}
