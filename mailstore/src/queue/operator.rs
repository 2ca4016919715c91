//! [`Queue`]: what an operator sees of the queue and does to it, and [`MessageReader`].

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{ControlFlow, Range};

use bytes::Bytes;
use mailwright_core::value::UnixTime;
use mailwright_smtp::dsn::Action;

use super::message::{Failure, PERMANENT, QueuedMessage, Target};
use super::row::{EnvelopeRow, RecipientRow};
use super::spool::{Change, News, open_envelope, shown};
use super::{EntryId, QueueId};
use crate::account::WriteError;
use crate::engine::{Batch, Blobs, CommitError, Engine, ReadError, Snapshot as _};
use crate::identifier::BlobId;
use crate::mail::commit::Core;
use crate::mail::key;
use crate::mail::record::{Record as _, corrupt};
use crate::mail::store::Store;

/// The queue of a [`Store`], for operators. A [`Runner`](super::Runner) of the same store is told of what is done
/// here.
pub struct Queue<E> {
    core: Arc<Core<E>>,
}

impl<E> Clone for Queue<E> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<E> fmt::Debug for Queue<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl<E: Engine + Blobs> Store<E> {
    /// The queue.
    #[must_use]
    pub fn queue(&self) -> Queue<E> {
        Queue { core: Arc::clone(&self.core) }
    }
}

/// How recipients are deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// Why: the sender reads it if it is told, else the log of the host.
    pub why: String,
    /// Whether the sender is told that the message failed.
    pub report: bool,
}

impl Deletion {
    /// A deletion of which the sender is not told.
    #[must_use]
    pub fn new(why: &str) -> Self {
        Self { why: why.into(), report: false }
    }
}

impl<E: Engine + Blobs> Queue<E> {
    /// Visits the messages in the order in which they were accepted.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn list(
        &self,
        visit: &mut (dyn FnMut(QueuedMessage) -> ControlFlow<()> + Send),
    ) -> Result<(), ReadError> {
        let snapshot = self.core.engine.snapshot().await?;
        let range = key::queued(None);
        let mut open: Option<(QueueId, EnvelopeRow, BTreeMap<u32, RecipientRow>)> = None;
        let mut result = Ok(());
        let mut stopped = false;
        let mut each = |key: &[u8], value: &Bytes| -> Result<ControlFlow<()>, ReadError> {
            match key::parse_queued(key).ok_or_else(|| corrupt("queue", key))? {
                (id, None) => {
                    let next = open_envelope(key, value)?.map(|row| (id, row, BTreeMap::new()));
                    if let Some((id, row, recipients)) = core::mem::replace(&mut open, next) {
                        return Ok(visit(shown(id, row, recipients)));
                    }
                }
                (_, Some(number)) => {
                    if let Some((_, _, recipients)) = &mut open {
                        recipients.insert(number, RecipientRow::open(key, value)?);
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        let mut scan = |key: &[u8], value: &Bytes| match each(key, value) {
            Ok(flow) => {
                stopped = flow.is_break();
                flow
            }
            Err(error) => {
                result = Err(error);
                ControlFlow::Break(())
            }
        };
        snapshot.scan(&range.start..&range.end, false, &mut scan).await?;
        result?;
        if let (false, Some((id, row, recipients))) = (stopped, open) {
            let _ = visit(shown(id, row, recipients));
        }
        Ok(())
    }

    /// One message; `None` if it is not in the queue.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn show(&self, id: QueueId) -> Result<Option<QueuedMessage>, ReadError> {
        let snapshot = self.core.engine.snapshot().await?;
        let rows = self.core.queued_rows(&snapshot, id).await?;
        Ok(rows.map(|(row, recipients)| shown(id, row, recipients)))
    }

    /// The octets of a message; `None` if it is not in the queue.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn message(&self, id: QueueId) -> Result<Option<MessageReader<E>>, ReadError> {
        let key = key::envelope(id);
        let Some(value) = self.core.engine.snapshot().await?.get(&key).await? else { return Ok(None) };
        let row = open_envelope(&key, &value)?;
        Ok(row.map(|row| MessageReader::new(Arc::clone(&self.core), &row)))
    }

    /// Has recipients of a message tried now: the one with this number, or all. Gives how many there are.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn retry(
        &self,
        id: QueueId,
        recipient: Option<u32>,
        now: UnixTime,
    ) -> Result<usize, WriteError> {
        let entries = self
            .change(id, recipient, |row| Change::Persist {
                due: now,
                attempts: row.attempts,
                notified: row.notified,
                failure: None,
            })
            .await?;
        self.core.spool.tell(entries.iter().map(|id| News::Retry(*id)));
        Ok(entries.len())
    }

    /// Removes recipients of a message: the one with this number, or all. Gives how many there were. What
    /// is on its way to a server at the moment may still arrive.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn delete(
        &self,
        id: QueueId,
        recipient: Option<u32>,
        deletion: &Deletion,
        now: UnixTime,
    ) -> Result<usize, WriteError> {
        let failure = Failure::new(now, PERMANENT, &deletion.why);
        let entries = self
            .change(id, recipient, |_| match deletion.report {
                false => Change::Remove,
                true => {
                    let target = Target::Report(Action::Failed);
                    Change::Become { target, now, failure: failure.clone() }
                }
            })
            .await?;
        let mut news: Vec<News> =
            entries.iter().map(|id| News::Deleted { id: *id, why: deletion.why.clone() }).collect();
        if deletion.report {
            let snapshot = self.core.engine.snapshot().await?;
            if let Some((row, recipients)) = self.core.queued_rows(&snapshot, id).await? {
                let loaded = entries.iter().filter_map(|id| {
                    recipients.get(&id.recipient).map(|recipient| News::Load(recipient.entry(*id, &row)))
                });
                news.extend(loaded);
            }
        } else {
            self.core.free_queued().await;
        }
        self.core.spool.tell(news);
        Ok(entries.len())
    }

    /// Changes recipients in one commit.
    async fn change(
        &self,
        id: QueueId,
        recipient: Option<u32>,
        change: impl Fn(&RecipientRow) -> Change,
    ) -> Result<Vec<EntryId>, WriteError> {
        for _ in 0..self.core.config.mail.commit_attempts.max(1) {
            let snapshot = self.core.engine.snapshot().await?;
            let Some((_, rows)) = self.core.queued_rows(&snapshot, id).await? else { return Ok(Vec::new()) };
            let changes: BTreeMap<EntryId, Change> = rows
                .iter()
                .filter(|(number, _)| recipient.is_none_or(|wanted| wanted == **number))
                .map(|(number, row)| (EntryId { message: id, recipient: *number }, change(row)))
                .collect();
            let mut batch = Batch::default();
            self.core.change_queued(&snapshot, &changes, &mut batch).await?;
            drop(snapshot);
            match self.core.engine.commit(batch).await {
                Ok(()) => return Ok(changes.into_keys().collect()),
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Busy)
    }
}

/// The octets of a message in the queue, read in pieces.
pub struct MessageReader<E> {
    core: Arc<Core<E>>,
    prefix: Bytes,
    blob: BlobId,
    size: u64,
}

impl<E> Clone for MessageReader<E> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            prefix: self.prefix.clone(),
            blob: self.blob.clone(),
            size: self.size,
        }
    }
}

impl<E> fmt::Debug for MessageReader<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<E: Engine + Blobs> MessageReader<E> {
    pub(super) fn new(core: Arc<Core<E>>, row: &EnvelopeRow) -> Self {
        let size = row.size.saturating_add(row.prefix.len() as u64);
        Self { core, prefix: row.prefix.clone(), blob: row.blob.clone(), size }
    }

    /// Octets.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Octets from `at.start`: at least one if there is one, at most as many as asked for.
    ///
    /// # Errors
    /// [`ReadError::Gone`] if the message has left the queue. Never other octets.
    pub async fn read(&self, at: Range<u64>) -> Result<Bytes, ReadError> {
        let prefix = self.prefix.len() as u64;
        let at = at.start..at.end.min(self.size);
        if at.start >= at.end {
            return Ok(Bytes::new());
        }
        if at.start < prefix {
            // The prefix is in memory, so its length fits.
            let place = |at: u64| usize::try_from(at.min(prefix)).unwrap_or(self.prefix.len());
            return Ok(self.prefix.slice(place(at.start)..place(at.end)));
        }
        self.core.engine.read(&self.blob, at.start - prefix..at.end - prefix).await
    }
}
