//! Reading: columns, shared block by block between all who look at a mailbox, and mailbox state.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

use bytes::Bytes;
use mailwright_core::value::{Uid, UidBlock};

use super::commit::Core;
use super::flags;
use super::key;
use super::record::{Record as _, corrupt};
use super::row::{ColdRows, ExtraRow, HotRows, MailboxRow};
use super::store::lock;
use crate::account::{Block, Columns, MailboxInfo};
use crate::engine::{Blobs, Engine, ReadError, Snapshot};
use crate::identifier::{AccountId, MailboxId, mailbox_object_id};

/// Cached mailboxes beyond which dead entries are swept.
const SWEEP: usize = 1024;

impl<E: Engine + Blobs> Core<E> {
    /// The columns of a mailbox in the state of `snapshot`, whose header is `row`.
    pub(super) async fn columns<S: Snapshot>(
        &self,
        snapshot: &S,
        a: AccountId,
        m: MailboxId,
        row: &MailboxRow,
    ) -> Result<Arc<Columns>, ReadError> {
        let known = lock(&self.columns).get(&(a, m)).and_then(alloc::sync::Weak::upgrade);
        if let Some(known) = &known
            && known.highest_mod_seq() == row.highest_mod_seq
        {
            return Ok(Arc::clone(known));
        }
        let columns = Arc::new(load(snapshot, a, m, row, known.as_deref()).await?);
        let mut cache = lock(&self.columns);
        if cache.len() >= SWEEP {
            cache.retain(|_, columns| columns.strong_count() > 0);
        }
        cache.insert((a, m), Arc::downgrade(&columns));
        Ok(columns)
    }
}

/// Loads columns; blocks that are as in `known` are taken from there.
async fn load<S: Snapshot>(
    snapshot: &S,
    a: AccountId,
    m: MailboxId,
    row: &MailboxRow,
    known: Option<&Columns>,
) -> Result<Columns, ReadError> {
    let shared: BTreeMap<Uid, &Arc<Block>> =
        known.into_iter().flat_map(Columns::blocks).map(|block| (block.uids().first(), block)).collect();
    let mut blocks = Vec::new();
    for (key, value) in rows(snapshot, key::hot_blocks(a, m, Uid::MIN, Uid::MAX)).await? {
        let hot = HotRows::open(&key, &value)?;
        let same = shared.get(&hot.uids.first()).filter(|block| block.hot.uids == hot.uids);
        let block = match same {
            Some(block) if block.hot == hot => Arc::clone(block),
            // The cold columns never change for the same messages.
            Some(block) => {
                let uids: UidBlock = block.hot.uids.clone();
                Arc::new(Block { hot: HotRows { uids, ..hot }, cold: Arc::clone(&block.cold) })
            }
            None => {
                let start = key::block_start(&key).ok_or_else(|| corrupt("hot columns", &key))?;
                let key = key::cold(a, m, start);
                let cold = ColdRows::open(&key, &snapshot.get(&key).await?.unwrap_or_default())?;
                if cold.0.len() != hot.uids.len() {
                    return Err(corrupt("cold columns that differ from the hot ones", &key));
                }
                Arc::new(Block { hot, cold: Arc::new(cold) })
            }
        };
        let ascends = blocks.last().is_none_or(|last: &Arc<Block>| last.uids().last() < block.uids().first());
        if !ascends {
            return Err(corrupt("order of column blocks", &key));
        }
        blocks.push(block);
    }
    let mut extra = BTreeMap::new();
    if row.keywords.len() > flags::INLINE {
        for (key, value) in rows(snapshot, key::extras(a, m)).await? {
            let uid = key::block_start(&key).ok_or_else(|| corrupt("message extras", &key))?;
            extra.insert(uid, ExtraRow::open(&key, &value)?.keywords);
        }
    }
    Ok(Columns::new(blocks, row.keywords.clone(), extra, row.highest_mod_seq))
}

/// All keys and values of a range.
pub(crate) async fn rows<S: Snapshot>(
    snapshot: &S,
    range: Range<Bytes>,
) -> Result<Vec<(Bytes, Bytes)>, ReadError> {
    let mut rows = Vec::new();
    snapshot
        .scan(&range.start..&range.end, false, &mut |key, value| {
            rows.push((Bytes::copy_from_slice(key), value.clone()));
            ControlFlow::Continue(())
        })
        .await?;
    Ok(rows)
}

/// What a mailbox header tells.
pub(super) fn info(a: AccountId, m: MailboxId, row: MailboxRow) -> MailboxInfo {
    MailboxInfo {
        id: m,
        object_id: mailbox_object_id(a, m),
        uid_validity: row.uid_validity,
        uid_next: row.next_uid(),
        highest_mod_seq: row.highest_mod_seq,
        exists: row.exists,
        unseen: row.unseen,
        deleted: row.deleted,
        octets: row.octets,
        deleted_octets: row.deleted_octets,
        keywords: row.keywords,
        special_use: row.special_use,
        name: row.name,
    }
}
