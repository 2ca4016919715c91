//! The rows of the queue, read and changed; and what a [`Runner`](super::Runner) is told of changes by others.

use alloc::collections::{BTreeMap, VecDeque, btree_map};
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use bytes::Bytes;
use mailwright_core::value::{ModSeq, UnixTime};

use super::machine::Entry;
use super::message::{Failure, Outbound, QueuedMessage, Target};
use super::row::{EnvelopeRow, RecipientRow, ScheduleRow};
use super::{EntryId, QueueId};
use crate::account::{Uploaded, WriteError};
use crate::engine::{Batch, Blobs, CommitError, Engine, Op, ReadError, Snapshot};
use crate::identifier::{AccountId, MessageId};
use crate::mail::commit::Core;
use crate::mail::key;
use crate::mail::read::rows;
use crate::mail::record::{Record as _, corrupt};
use crate::mail::store::lock;

/// No account: what the queue frees is under its number.
const QUEUE: AccountId = AccountId::new(0);

/// What happened to the queue other than through its runner.
#[derive(Debug)]
pub(super) enum News {
    /// There is a new entry, or it is another one now.
    Load(Entry),
    /// A message may have been queued: nobody waited for the answer.
    Look(QueueId),
    /// It is to be tried now.
    Retry(EntryId),
    /// An operator removed it.
    Deleted { id: EntryId, why: alloc::string::String },
}

/// What the queue keeps in memory beside its runner.
#[derive(Debug, Default)]
pub(crate) struct Spool(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// A runner takes the news; without one they are not kept.
    attached: bool,
    news: VecDeque<News>,
    waker: Option<Waker>,
}

impl Spool {
    /// News are kept from now on; `false` if somebody else takes them.
    pub(super) fn attach(&self) -> bool {
        !core::mem::replace(&mut lock(&self.0).attached, true)
    }

    pub(super) fn detach(&self) {
        *lock(&self.0) = State::default();
    }

    pub(super) fn tell(&self, news: impl IntoIterator<Item = News>) {
        let mut state = lock(&self.0);
        if state.attached {
            state.news.extend(news);
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }

    pub(super) fn take(&self) -> Option<News> {
        lock(&self.0).news.pop_front()
    }

    /// Ready if there are news.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.news.is_empty() {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

/// A message that a batch queues.
#[derive(Debug)]
pub(crate) struct Accepted {
    id: QueueId,
    token: [u8; 16],
    pub(crate) uploaded: Uploaded,
    news: Vec<News>,
}

/// Messages that are being queued. If it is dropped before the outcome is known, the runner has to find out.
pub(crate) struct Watch<'s> {
    spool: &'s Spool,
    ids: Vec<QueueId>,
}

impl Watch<'_> {
    /// The outcome is known.
    pub(crate) fn settled(mut self) {
        self.ids.clear();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.spool.tell(self.ids.drain(..).map(News::Look));
    }
}

/// A change of a recipient that waits.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Its state.
    Persist { due: UnixTime, attempts: u32, notified: bool, failure: Option<Failure> },
    /// Something else is to be done for it, now.
    Become { target: Target, now: UnixTime, failure: Failure },
    /// It is done with.
    Remove,
}

/// A message read for a change.
struct Open {
    key: Bytes,
    value: Bytes,
    row: EnvelopeRow,
    changed: bool,
}

impl<E: Engine + Blobs> Core<E> {
    /// Adds a message to `batch`, with the recipients whose plans are done. `None` if that is nobody.
    pub(crate) fn queue(
        &self,
        outbound: &Outbound,
        done: impl Fn(usize) -> bool,
        token: [u8; 16],
        now: UnixTime,
        batch: &mut Batch,
    ) -> Option<Accepted> {
        let recipients: Vec<_> = outbound
            .recipients
            .iter()
            .filter(|(plan, _)| done(*plan))
            .map(|(_, recipient)| recipient)
            .collect();
        if recipients.is_empty() {
            return None;
        }
        // In the order of acceptance but for one second, and taken by nobody else.
        let [chance, _] = self.entropy.halves();
        let chance = chance.iter().take(4).fold(0, |number, octet| (number << 8) | u64::from(*octet));
        let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
        let id = QueueId::new((seconds << 30) | (chance >> 2));
        let uploaded = &outbound.uploaded;
        let row = EnvelopeRow {
            token,
            envelope: outbound.envelope.clone(),
            created: now,
            waiting: u32::try_from(recipients.len()).unwrap_or(u32::MAX),
            prefix: outbound.prefix.clone(),
            blob: uploaded.blob.clone(),
            size: uploaded.size,
            digest: uploaded.digest,
            line_ends: uploaded.line_ends,
            structure: uploaded.structure.clone(),
        };
        let key = key::envelope(id);
        batch.expect.push((key.clone(), None));
        batch.ops.push(Op::Put(key, row.seal()));
        batch.ops.push(Op::Add(key::references(&uploaded.blob), 1));
        batch.blobs.push(uploaded.blob.clone());
        let mut news = Vec::with_capacity(recipients.len());
        for (recipient, number) in recipients.into_iter().zip(0..) {
            let id = EntryId { message: id, recipient: number };
            let recipient = RecipientRow::new(recipient.clone(), now);
            let entry = recipient.entry(id, &row);
            batch.ops.push(Op::Put(key::recipient(id), recipient.seal()));
            batch.ops.push(scheduled(&entry));
            news.push(News::Load(entry));
        }
        Some(Accepted { id, token, uploaded: uploaded.clone(), news })
    }

    /// To be held while a batch that queues `accepted` is committed.
    pub(crate) fn watch(&self, accepted: &[Accepted]) -> Watch<'_> {
        Watch { spool: &self.spool, ids: accepted.iter().map(|accepted| accepted.id).collect() }
    }

    /// The message is queued.
    pub(crate) fn queued(&self, accepted: Accepted) {
        self.spool.tell(accepted.news);
    }

    /// Commits a batch that writes to no account; `false` if somebody else wrote first.
    pub(crate) async fn commit_queued(
        &self,
        batch: Batch,
        accepted: Option<&Accepted>,
    ) -> Result<bool, WriteError> {
        match (self.engine.commit(batch).await, accepted) {
            (Ok(()), _) => Ok(true),
            (Err(CommitError::Conflict), _) => Ok(false),
            (Err(CommitError::Unknown), Some(accepted)) => {
                for _ in 0..self.config.mail.commit_attempts.max(1) {
                    if let Ok(Some(outcome)) = self.resolve_queued(accepted).await {
                        return Ok(outcome);
                    }
                }
                Err(WriteError::Unknown)
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Whether a message was queued by a commit whose answer was lost. If not, it never will be: something
    /// stands where the commit expects nothing.
    async fn resolve_queued(&self, accepted: &Accepted) -> Result<Option<bool>, WriteError> {
        let key = key::envelope(accepted.id);
        if let Some(value) = self.engine.snapshot().await?.get(&key).await? {
            let row = open_envelope(&key, &value)?;
            return Ok(Some(row.is_some_and(|row| row.token == accepted.token)));
        }
        let batch = Batch {
            expect: Vec::from([(key.clone(), None)]),
            ops: Vec::from([Op::Put(key, Bytes::new())]),
            ..Batch::default()
        };
        Ok(self.engine.commit(batch).await.is_ok().then_some(false))
    }

    /// A message of the queue with its recipients.
    pub(super) async fn queued_rows<S: Snapshot>(
        &self,
        snapshot: &S,
        id: QueueId,
    ) -> Result<Option<(EnvelopeRow, BTreeMap<u32, RecipientRow>)>, ReadError> {
        let mut envelope = None;
        let mut recipients = BTreeMap::new();
        for (key, value) in rows(snapshot, key::queued(Some(id))).await? {
            match key::parse_queued(&key).ok_or_else(|| corrupt("queue", &key))? {
                (_, None) => envelope = open_envelope(&key, &value)?,
                (_, Some(number)) => {
                    recipients.insert(number, RecipientRow::open(&key, &value)?);
                }
            }
        }
        Ok(envelope.map(|envelope| (envelope, recipients)))
    }

    /// Adds changes of recipients to `batch`; those that are gone are passed over. Gives what is there.
    pub(super) async fn change_queued<S: Snapshot>(
        &self,
        snapshot: &S,
        changes: &BTreeMap<EntryId, Change>,
        batch: &mut Batch,
    ) -> Result<Vec<Entry>, ReadError> {
        let mut messages: BTreeMap<QueueId, Option<Open>> = BTreeMap::new();
        let mut entries = Vec::new();
        for (id, change) in changes {
            let message = match messages.entry(id.message) {
                btree_map::Entry::Occupied(known) => known.into_mut(),
                btree_map::Entry::Vacant(place) => place.insert(open(snapshot, id.message).await?),
            };
            let Some(message) = message else { continue };
            let key = key::recipient(*id);
            let Some(value) = snapshot.get(&key).await? else { continue };
            let mut row = RecipientRow::open(&key, &value)?;
            batch.expect.push((key.clone(), Some(value)));
            let old = key::schedule(row.due, &row.recipient.destination(), *id);
            match change {
                Change::Persist { due, attempts, notified, failure } => {
                    (row.due, row.attempts, row.notified) = (*due, *attempts, *notified);
                    // A report keeps its reason: an attempt may have failed while an operator asked for it.
                    if !matches!(row.recipient.target, Target::Report(_))
                        && let Some(failure) = failure
                    {
                        row.failure = Some(failure.clone());
                    }
                }
                Change::Become { target, now, failure } => {
                    row.recipient.target = *target;
                    (row.due, row.attempts, row.failure) = (*now, 0, Some(failure.clone()));
                }
                Change::Remove => {
                    message.row.waiting = message.row.waiting.saturating_sub(1);
                    message.changed = true;
                    batch.ops.extend([Op::Delete(old), Op::Delete(key)]);
                    continue;
                }
            }
            let entry = row.entry(*id, &message.row);
            batch.ops.extend([Op::Delete(old), Op::Put(key, row.seal()), scheduled(&entry)]);
            entries.push(entry);
        }
        for (id, message) in messages {
            let Some(Open { key, value, row, changed: true }) = message else { continue };
            batch.expect.push((key.clone(), Some(value)));
            if row.waiting > 0 {
                batch.ops.push(Op::Put(key, row.seal()));
                continue;
            }
            // As of a message that no mailbox has any more: the last reference frees the octets.
            let garbage = key::garbage(0, QUEUE, ModSeq::ZERO, MessageId::new(id.get()));
            batch.ops.extend([
                Op::Delete(key),
                Op::Add(key::references(&row.blob), -1),
                Op::Put(garbage, row.blob.as_bytes().clone()),
            ]);
        }
        Ok(entries)
    }

    /// Frees the octets of messages that left the queue. What fails is done by the next `maintain`.
    pub(super) async fn free_queued(&self) {
        let _ = self.collect(key::garbage_of(QUEUE), crate::mail::AT_ONCE).await;
    }

    /// Visits what waits, in the order of time.
    pub(super) async fn schedules<S: Snapshot>(
        &self,
        snapshot: &S,
        visit: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<(), ReadError> {
        let range = key::schedules();
        let mut result = Ok(());
        let mut each = |key: &[u8], value: &Bytes| match read_schedule(key, value) {
            Ok(entry) => {
                visit(entry);
                ControlFlow::Continue(())
            }
            Err(error) => {
                result = Err(error);
                ControlFlow::Break(())
            }
        };
        snapshot.scan(&range.start..&range.end, false, &mut each).await?;
        result
    }
}

/// A place that a late commit must not take is no envelope.
pub(super) fn open_envelope(key: &[u8], value: &Bytes) -> Result<Option<EnvelopeRow>, ReadError> {
    if value.is_empty() { Ok(None) } else { EnvelopeRow::open(key, value).map(Some) }
}

async fn open<S: Snapshot>(snapshot: &S, id: QueueId) -> Result<Option<Open>, ReadError> {
    let key = key::envelope(id);
    let Some(value) = snapshot.get(&key).await? else { return Ok(None) };
    let row = open_envelope(&key, &value)?;
    Ok(row.map(|row| Open { key, value, row, changed: false }))
}

fn scheduled(entry: &Entry) -> Op {
    Op::Put(key::schedule(entry.due, &entry.destination, entry.id), ScheduleRow::of(entry).seal())
}

fn read_schedule(key: &[u8], value: &Bytes) -> Result<Entry, ReadError> {
    let (due, destination, id) = key::parse_schedule(key).ok_or_else(|| corrupt("schedule", key))?;
    let row = ScheduleRow::open(key, value)?;
    let mut entry = Entry::new(id, destination.into(), row.share, row.null_sender, row.created);
    (entry.due, entry.attempts, entry.notified) = (due, row.attempts, row.notified);
    Ok(entry)
}

/// What an operator is shown.
pub(super) fn shown(id: QueueId, row: EnvelopeRow, recipients: BTreeMap<u32, RecipientRow>) -> QueuedMessage {
    QueuedMessage {
        id,
        size: row.size.saturating_add(row.prefix.len() as u64),
        envelope: row.envelope,
        created: row.created,
        recipients: recipients.into_iter().map(|(number, row)| row.into_public(number)).collect(),
    }
}
