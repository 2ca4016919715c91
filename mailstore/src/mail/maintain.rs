//! Freeing the octets of messages that no mailbox shows and no pin needs.
//!
//! A message without references has a `G` row from the commit that removed the last one. Freeing it takes
//! two commits: the first removes the message and leaves the name of its blob in the row, the second
//! removes the row once the blob is deleted. Whatever stops in between is done by the next call.

use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

use bytes::Bytes;
use mailwright_core::value::UnixTime;

use super::commit::Core;
use super::key;
use super::record::{Record as _, corrupt, counter};
use super::row::MessageRow;
use super::store::{Store, lock};
use crate::account::WriteError;
use crate::engine::{Batch, Blobs, CommitError, Engine, Op, Snapshot as _};
use crate::identifier::BlobId;

/// Messages that one commit frees at most when it removes some.
pub(crate) const AT_ONCE: usize = 256;

/// Rows that one call looks at for each that it may free: those of pinned messages are passed over.
const LOOKS: usize = 16;

/// Seconds after which a commit whose outcome is unknown is taken as not done if nothing shows its octets.
const SETTLED: u64 = 24 * 60 * 60;

impl<E: Engine + Blobs> Store<E> {
    /// Frees what is due, at most `limit` messages, and gives their number. A host calls it every few
    /// seconds, and again at once while it returns `limit`.
    ///
    /// # Errors
    /// If the engine fails; what is left is done by a later call.
    pub async fn maintain(&self, now: UnixTime, limit: usize) -> Result<usize, WriteError> {
        let now = u64::try_from(now.as_seconds()).unwrap_or(0);
        self.core.free_orphans().await?;
        self.core.settle(now).await?;
        self.core.collect(key::garbage_until(now), limit).await
    }
}

impl<E: Engine + Blobs> Core<E> {
    /// Deletes blobs that were finished and never shown.
    async fn free_orphans(&self) -> Result<(), WriteError> {
        loop {
            // It stays in the list until it is deleted.
            let Some(blob) = lock(&self.orphans).last().cloned() else { return Ok(()) };
            self.engine.delete(&blob).await?;
            lock(&self.orphans).retain(|orphan| *orphan != blob);
        }
    }

    /// Finds out about blobs of commits whose outcome was unknown.
    async fn settle(&self, now: u64) -> Result<(), WriteError> {
        let old: Vec<BlobId> = {
            let mut doubtful = lock(&self.doubtful);
            doubtful.iter_mut().for_each(|(_, seen)| *seen = Some(seen.unwrap_or(now)));
            let is_old = |seen: &Option<u64>| seen.is_some_and(|seen| now >= seen.saturating_add(SETTLED));
            doubtful.iter().filter(|(_, seen)| is_old(seen)).map(|(blob, _)| blob.clone()).collect()
        };
        for blob in old {
            if !self.is_uploaded(&blob) && self.references(&blob).await?.is_none() {
                self.engine.delete(&blob).await?;
            }
            lock(&self.doubtful).retain(|(doubtful, _)| *doubtful != blob);
        }
        Ok(())
    }

    /// The counter of messages that refer to `blob`, as it is stored; `None` if there never was one.
    async fn references(&self, blob: &BlobId) -> Result<Option<Bytes>, WriteError> {
        Ok(self.engine.snapshot().await?.get(&key::references(blob)).await?)
    }

    /// Whether an upload still holds `blob`.
    fn is_uploaded(&self, blob: &BlobId) -> bool {
        lock(&self.uploaded).contains(blob)
    }

    /// Frees up to `limit` of the messages that `due` names, but for those that are pinned.
    pub(crate) async fn collect(&self, due: Range<Bytes>, limit: usize) -> Result<usize, WriteError> {
        let mut free: Vec<(Bytes, Bytes)> = Vec::new();
        {
            let snapshot = self.engine.snapshot().await?;
            let mut looks = limit.saturating_mul(LOOKS);
            snapshot
                .scan(&due.start..&due.end, false, &mut |key, value| {
                    if free.len() >= limit || looks == 0 {
                        return ControlFlow::Break(());
                    }
                    looks -= 1;
                    let pinned =
                        key::parse_garbage(key).is_some_and(|(account, at, _)| self.pins.needs(account, at));
                    if !pinned {
                        free.push((Bytes::copy_from_slice(key), value.clone()));
                    }
                    ControlFlow::Continue(())
                })
                .await?;
        }
        let mut freed = 0;
        for (key, value) in free {
            freed += usize::from(self.free(&key, value).await?);
        }
        Ok(freed)
    }

    /// Frees one message; `false` if it has to wait or somebody else was faster.
    async fn free(&self, garbage: &Bytes, mut value: Bytes) -> Result<bool, WriteError> {
        let (account, _, message) = key::parse_garbage(garbage).ok_or_else(|| corrupt("garbage", garbage))?;
        if value.is_empty() {
            let key = key::message(account, message);
            let row = match self.engine.snapshot().await?.get(&key).await? {
                Some(value) => Some(MessageRow::open(&key, &value)?).filter(|row| row.references == 0),
                None => None,
            };
            let Some(row) = row else { return self.replace(garbage, value, Vec::new()).await };
            let blob = row.blob.as_bytes().clone();
            let ops = [
                Op::Put(garbage.clone(), blob.clone()),
                Op::Delete(key),
                Op::Add(key::references(&row.blob), -1),
            ];
            if !self.replace(garbage, value, ops.into()).await? {
                return Ok(false);
            }
            value = blob;
        }
        let blob = BlobId::new(value.clone()).ok_or_else(|| corrupt("garbage", garbage))?;
        // Looked at first: what is not held now never is again, and then only a message leads to the blob.
        let held = self.is_uploaded(&blob);
        let references = key::references(&blob);
        let found = self.references(&blob).await?;
        if counter(&references, found.clone())? > 0 {
            // Others show the same octets; the last of them frees them.
            return self.replace(garbage, value, Vec::new()).await;
        }
        if held {
            return Ok(false);
        }
        self.engine.delete(&blob).await?;
        let ops = found.map(|_| Op::Delete(references));
        self.replace(garbage, value, ops.into_iter().collect()).await
    }

    /// Does `ops` if the row `garbage` still holds `value`, and removes it unless they put it anew.
    async fn replace(&self, garbage: &Bytes, value: Bytes, mut ops: Vec<Op>) -> Result<bool, WriteError> {
        if !ops.iter().any(|op| matches!(op, Op::Put(key, _) if key == garbage)) {
            ops.push(Op::Delete(garbage.clone()));
        }
        let batch = Batch { expect: Vec::from([(garbage.clone(), Some(value))]), ops, ..Batch::default() };
        match self.engine.commit(batch).await {
            Ok(()) => Ok(true),
            // Another collector was faster.
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
