//! From a draft to the part of a batch that makes it true.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use bytes::Bytes;
use mailwright_core::value::ModSeq;

use super::{Draft, Limit, Stop};
use crate::engine::{Batch, Op, ReadError, Snapshot};
use crate::mail::key;
use crate::mail::record::Record as _;
use crate::mail::row::{ExtraRow, LogRow};

/// Old records of a log that one commit removes at most, so that no commit is slow because a limit was lowered.
const PRUNED_AT_ONCE: usize = 64;

impl<S: Snapshot> Draft<'_, S> {
    /// Adds everything that changed to `batch`; `false` if nothing did. `token` names the commit.
    pub(crate) async fn finish(mut self, token: [u8; 16], batch: &mut Batch) -> Result<bool, Stop> {
        let (a, before) = (self.account, self.before);
        if !self.changed && self.mailboxes.values().flatten().all(|mailbox| !mailbox.changed) {
            return Ok(false);
        }
        if self.row.mod_seq == before {
            // Nothing that a client is told changed; the record of the log needs a number all the same.
            self.next_mod_seq()?;
        }
        let first = before.checked_add(1).ok_or(Limit::ModSeqs)?;

        let mailboxes = core::mem::take(&mut self.mailboxes);
        for (m, mailbox) in mailboxes {
            let Some(mut mailbox) = mailbox else { continue };
            mailbox.blocks.merge(self.snapshot, a, m, self.limits.rows_per_block).await?;
            mailbox.blocks.write(a, m, &mut self.ops);
            for uid in mailbox.extras_changed {
                let keywords = mailbox.extras.as_ref().and_then(|extras| extras.get(&uid));
                let key = key::extra(a, m, uid);
                self.ops.push(match keywords.filter(|keywords| !keywords.is_empty()) {
                    Some(keywords) => Op::Put(key, ExtraRow { keywords: keywords.clone() }.seal()),
                    None => Op::Delete(key),
                });
            }
            if mailbox.row.vanished_rows > self.limits.vanished_rows {
                let excess = mailbox.row.vanished_rows - self.limits.vanished_rows;
                let old = self.oldest(key::all_vanished(a, m), excess).await?;
                mailbox.row.vanished_rows -= old.len() as u64;
                if let Some(floor) = old.last().and_then(|key| key::last_mod_seq(key)) {
                    mailbox.row.vanished_floor = floor;
                }
                self.ops.extend(old.into_iter().map(Op::Delete));
            }
            if mailbox.changed {
                self.ops.push(Op::Put(key::mailbox(a, m), mailbox.row.seal()));
            }
        }
        for (g, message) in core::mem::take(&mut self.messages) {
            if message.changed {
                self.ops.push(Op::Put(key::message(a, g), message.row.seal()));
            }
        }
        let counters = [(key::quota_storage(a), self.more.0), (key::quota_messages(a), self.more.1)];
        let references = self.references.iter().map(|(blob, count)| (key::references(blob), *count));
        let added = counters.into_iter().chain(references).filter(|(_, amount)| *amount != 0);
        self.ops.extend(added.map(|(key, amount)| Op::Add(key, amount)));

        self.prune_log().await?;
        self.row.log_records += 1;
        let record = LogRow { token, last: self.row.mod_seq, entries: core::mem::take(&mut self.entries) };
        self.ops.push(Op::Put(key::log(a, first), record.seal()));
        self.ops.push(Op::Put(key::account(a), self.row.seal()));

        batch.expect.push((key::account(a), self.found));
        batch.ops.append(&mut self.ops);
        batch.blobs.append(&mut self.blobs);
        batch.wake.push(a);
        Ok(true)
    }

    async fn prune_log(&mut self) -> Result<(), ReadError> {
        let Some(excess) = (self.row.log_records + 1).checked_sub(self.limits.log_records) else {
            return Ok(());
        };
        let all = key::log_from(self.account, ModSeq::ZERO);
        let mut old: Vec<(Bytes, Bytes)> = Vec::new();
        let count = usize::try_from(excess).unwrap_or(usize::MAX).min(PRUNED_AT_ONCE);
        if count == 0 {
            return Ok(());
        }
        self.snapshot
            .scan(&all.start..&all.end, false, &mut |key, value| {
                old.push((Bytes::copy_from_slice(key), value.clone()));
                if old.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .await?;
        if let Some((key, value)) = old.last() {
            self.row.log_floor = LogRow::open(key, value)?.last;
        }
        self.row.log_records -= old.len() as u64;
        self.ops.extend(old.into_iter().map(|(key, _)| Op::Delete(key)));
        Ok(())
    }

    /// Up to `count` of the first keys of a range.
    async fn oldest(&self, range: core::ops::Range<Bytes>, count: u64) -> Result<Vec<Bytes>, ReadError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(PRUNED_AT_ONCE);
        let mut keys = Vec::new();
        self.snapshot
            .scan(&range.start..&range.end, false, &mut |key, _| {
                keys.push(Bytes::copy_from_slice(key));
                if keys.len() >= count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .await?;
        Ok(keys)
    }
}
