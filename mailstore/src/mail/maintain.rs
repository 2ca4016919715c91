//! Freeing the octets of messages that no mailbox shows and no pin needs.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use bytes::Bytes;
use mailwright_core::value::UnixTime;

use super::commit::Core;
use super::key;
use super::record::{Record as _, corrupt, counter};
use super::row::MessageRow;
use super::store::{Store, lock};
use crate::account::WriteError;
use crate::engine::{Batch, Blobs, CommitError, Engine, Op, Snapshot as _};

/// Messages that one commit frees at most when it removes some.
pub(super) const AT_ONCE: usize = 256;

impl<E: Engine + Blobs> Store<E> {
    /// Frees what is due, at most `limit` messages, and gives their number. A host calls it every few
    /// seconds, and again at once while it returns `limit`.
    ///
    /// # Errors
    /// If the engine fails; what is left is done by a later call.
    pub async fn maintain(&self, now: UnixTime, limit: usize) -> Result<usize, WriteError> {
        let orphans = core::mem::take(&mut *lock(&self.core.orphans));
        for blob in orphans {
            self.core.engine.delete(&blob).await?;
        }
        let now = u64::try_from(now.as_seconds()).unwrap_or(0);
        self.core.collect(limit, now).await
    }
}

impl<E: Engine + Blobs> Core<E> {
    /// Frees up to `limit` messages that are due and not pinned.
    pub(super) async fn collect(&self, limit: usize, now: u64) -> Result<usize, WriteError> {
        let mut due: Vec<(Bytes, Bytes)> = Vec::new();
        {
            let snapshot = self.engine.snapshot().await?;
            let range = key::garbage_until(now);
            snapshot
                .scan(&range.start..&range.end, false, &mut |key, value| {
                    let pinned =
                        key::parse_garbage(key).is_some_and(|(account, at, _)| self.pins.needs(account, at));
                    if !pinned && due.len() < limit {
                        due.push((Bytes::copy_from_slice(key), value.clone()));
                    }
                    if due.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })
                .await?;
        }
        for (key, value) in &due {
            self.free(key, value).await?;
        }
        Ok(due.len())
    }

    async fn free(&self, garbage: &Bytes, value: &Bytes) -> Result<(), WriteError> {
        let (account, _, message) = key::parse_garbage(garbage).ok_or_else(|| corrupt("garbage", garbage))?;
        let key = key::message(account, message);
        let snapshot = self.engine.snapshot().await?;
        let row = match snapshot.get(&key).await? {
            Some(value) => Some(MessageRow::open(&key, &value)?),
            None => None,
        };
        drop(snapshot);
        let mut batch = Batch {
            expect: Vec::from([(garbage.clone(), Some(value.clone()))]),
            ops: Vec::from([Op::Delete(garbage.clone())]),
            ..Batch::default()
        };
        let row = row.filter(|row| row.references == 0);
        if let Some(row) = &row {
            batch.ops.push(Op::Delete(key));
            batch.ops.push(Op::Add(key::references(&row.blob), -1));
        }
        match self.engine.commit(batch).await {
            Ok(()) => {}
            // Another collector was faster.
            Err(CommitError::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let Some(row) = row else { return Ok(()) };
        // No message refers to the blob: none can again, since only a message leads to it.
        let references = key::references(&row.blob);
        let count = counter(&references, self.engine.snapshot().await?.get(&references).await?)?;
        if count <= 0 {
            self.engine.delete(&row.blob).await?;
            let batch = Batch { ops: Vec::from([Op::Delete(references)]), ..Batch::default() };
            self.engine.commit(batch).await?;
        }
        Ok(())
    }
}
