//! The column blocks of a mailbox that a draft touches, loaded as they are needed.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use bytes::Bytes;
use mailwright_core::value::{ModSeq, Uid, UidBlock, UidSet};

use crate::engine::{Op, ReadError, Snapshot};
use crate::identifier::{AccountId, MailboxId};
use crate::mail::key;
use crate::mail::record::{Record as _, corrupt};
use crate::mail::row::{ColdRow, ColdRows, HotRows};

/// Ranges of a set beyond which everything between its ends is loaded in one go.
const SEPARATE_RANGES: usize = 16;

/// The blocks that were loaded or made, by the UID in their key.
#[derive(Default)]
pub(super) struct Blocks {
    loaded: BTreeMap<Uid, Block>,
    /// The last block is loaded, or there is none.
    tail: bool,
    /// All blocks are loaded.
    complete: bool,
}

/// One block. Its key never changes, also when its first message is removed.
pub(super) struct Block {
    pub(super) uids: Vec<Uid>,
    pub(super) flags: Vec<u32>,
    pub(super) mod_seqs: Vec<ModSeq>,
    /// Loaded when needed.
    pub(super) cold: Option<Vec<ColdRow>>,
    pub(super) hot_changed: bool,
    pub(super) cold_changed: bool,
    /// Messages were removed.
    pub(super) shrunk: bool,
    stored: bool,
}

impl Block {
    fn empty() -> Self {
        Self {
            uids: Vec::new(),
            flags: Vec::new(),
            mod_seqs: Vec::new(),
            cold: Some(Vec::new()),
            hot_changed: true,
            cold_changed: true,
            shrunk: false,
            stored: false,
        }
    }

    pub(super) fn push(&mut self, uid: Uid, flags: u32, mod_seq: ModSeq, cold: ColdRow) {
        self.uids.push(uid);
        self.flags.push(flags);
        self.mod_seqs.push(mod_seq);
        self.cold.get_or_insert_default().push(cold);
        self.hot_changed = true;
        self.cold_changed = true;
    }

    /// Removes the rows for which `keep` is false.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        fn filter<T>(column: &mut Vec<T>, keep: &[bool]) {
            let mut keep = keep.iter();
            column.retain(|_| keep.next().copied().unwrap_or(true));
        }
        filter(&mut self.uids, keep);
        filter(&mut self.flags, keep);
        filter(&mut self.mod_seqs, keep);
        if let Some(cold) = &mut self.cold {
            filter(cold, keep);
        }
        self.hot_changed = true;
        self.cold_changed = true;
        self.shrunk = true;
    }
}

impl Blocks {
    /// The blocks of a mailbox that is being made.
    pub(super) fn complete() -> Self {
        Self { loaded: BTreeMap::new(), tail: true, complete: true }
    }

    /// Loads the blocks in which `uids` may be; with the cold columns if `cold`.
    pub(super) async fn load<S: Snapshot>(
        &mut self,
        snapshot: &S,
        a: AccountId,
        m: MailboxId,
        uids: &UidSet,
        cold: bool,
    ) -> Result<(), ReadError> {
        let (Some(first), Some(last)) = (uids.first(), uids.last()) else { return Ok(()) };
        if !self.complete {
            if uids.ranges().len() > SEPARATE_RANGES {
                self.load_range(snapshot, a, m, first, last).await?;
            } else {
                for range in uids.ranges() {
                    self.load_range(snapshot, a, m, range.first(), range.last()).await?;
                }
            }
        }
        if cold {
            for (start, block) in &mut self.loaded {
                if block.cold.is_none() && block.uids.first().is_some_and(|first| *first <= last) {
                    block.cold = Some(read_cold(snapshot, a, m, *start, block.uids.len()).await?);
                }
            }
        }
        Ok(())
    }

    async fn load_range<S: Snapshot>(
        &mut self,
        snapshot: &S,
        a: AccountId,
        m: MailboxId,
        first: Uid,
        last: Uid,
    ) -> Result<(), ReadError> {
        // The block that begins at or before `first`, then those that begin within.
        let mut found = Vec::new();
        let before = key::hot_blocks(a, m, Uid::MIN, first);
        snapshot
            .scan(&before.start..&before.end, true, &mut |key, value| {
                found.push((Bytes::copy_from_slice(key), value.clone()));
                ControlFlow::Break(())
            })
            .await?;
        if let Some(behind) = first.next() {
            let within = key::hot_blocks(a, m, behind, last);
            snapshot
                .scan(&within.start..&within.end, false, &mut |key, value| {
                    found.push((Bytes::copy_from_slice(key), value.clone()));
                    ControlFlow::Continue(())
                })
                .await?;
        }
        found.iter().try_for_each(|(key, value)| self.insert(key, value))?;
        if last == Uid::MAX {
            self.tail = true;
            self.complete |= first == Uid::MIN;
        }
        Ok(())
    }

    fn insert(&mut self, key: &[u8], value: &Bytes) -> Result<(), ReadError> {
        let Some(start) = key::block_start(key) else { return Ok(()) };
        if let Entry::Vacant(vacant) = self.loaded.entry(start) {
            let hot = HotRows::open(key, value)?;
            vacant.insert(Block {
                uids: hot.uids.as_slice().to_vec(),
                flags: hot.flags,
                mod_seqs: hot.mod_seqs,
                cold: None,
                hot_changed: false,
                cold_changed: false,
                shrunk: false,
                stored: true,
            });
        }
        Ok(())
    }

    /// Loads the last block, so that messages can be appended.
    pub(super) async fn load_tail<S: Snapshot>(
        &mut self,
        snapshot: &S,
        a: AccountId,
        m: MailboxId,
    ) -> Result<(), ReadError> {
        if !self.tail {
            let mut found = None;
            let all = key::hot_blocks(a, m, Uid::MIN, Uid::MAX);
            snapshot
                .scan(&all.start..&all.end, true, &mut |key, value| {
                    found = Some((Bytes::copy_from_slice(key), value.clone()));
                    ControlFlow::Break(())
                })
                .await?;
            if let Some((key, value)) = found {
                self.insert(&key, &value)?;
            }
            self.tail = true;
        }
        if let Some((start, block)) = self.loaded.last_key_value()
            && block.cold.is_none()
        {
            let cold = read_cold(snapshot, a, m, *start, block.uids.len()).await?;
            if let Some(mut block) = self.loaded.last_entry() {
                block.get_mut().cold = Some(cold);
            }
        }
        Ok(())
    }

    /// The block to append the message `uid` to. Call [`Self::load_tail`] before.
    pub(super) fn tail(&mut self, uid: Uid, rows_per_block: usize) -> &mut Block {
        let key = match self.loaded.last_key_value() {
            Some((start, block)) if block.uids.len() < rows_per_block.max(4) => *start,
            _ => uid,
        };
        self.loaded.entry(key).or_insert_with(Block::empty)
    }

    /// The loaded blocks, ascending.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Block> {
        self.loaded.values_mut()
    }

    /// Joins blocks that became small with the one before them.
    pub(super) async fn merge<S: Snapshot>(
        &mut self,
        snapshot: &S,
        a: AccountId,
        m: MailboxId,
        rows_per_block: usize,
    ) -> Result<(), ReadError> {
        let small = rows_per_block.max(4) / 4;
        let starts: Vec<Uid> = self
            .loaded
            .iter()
            .filter(|(_, block)| block.shrunk && !block.uids.is_empty() && block.uids.len() < small)
            .map(|(start, _)| *start)
            .collect();
        for start in starts.into_iter().rev() {
            let Some((key, length)) = self.neighbour(snapshot, a, m, start).await? else { continue };
            let rows = self.loaded.get(&start).map_or(0, |block| block.uids.len());
            if length + rows > rows_per_block {
                continue;
            }
            for at in [key, start] {
                let missing = self.loaded.get(&at).filter(|block| block.cold.is_none());
                if let Some(length) = missing.map(|block| block.uids.len()) {
                    let cold = read_cold(snapshot, a, m, at, length).await?;
                    if let Some(block) = self.loaded.get_mut(&at) {
                        block.cold = Some(cold);
                    }
                }
            }
            let Some(block) = self.loaded.get_mut(&start) else { continue };
            let moved = core::mem::replace(block, Block { stored: block.stored, ..Block::empty() });
            if let Some(target) = self.loaded.get_mut(&key) {
                target.uids.extend(moved.uids);
                target.flags.extend(moved.flags);
                target.mod_seqs.extend(moved.mod_seqs);
                target.cold.get_or_insert_default().extend(moved.cold.unwrap_or_default());
                target.hot_changed = true;
                target.cold_changed = true;
            }
        }
        Ok(())
    }

    /// Key and length of the nearest block before `start` that is not empty.
    async fn neighbour<S: Snapshot>(
        &mut self,
        snapshot: &S,
        a: AccountId,
        m: MailboxId,
        mut start: Uid,
    ) -> Result<Option<(Uid, usize)>, ReadError> {
        while let Some(before) = start.previous() {
            self.load_range(snapshot, a, m, before, before).await?;
            match self.loaded.range(..start).next_back() {
                None => return Ok(None),
                Some((key, block)) if block.uids.is_empty() => start = *key,
                Some((key, block)) => return Ok(Some((*key, block.uids.len()))),
            }
        }
        Ok(None)
    }

    /// Writes what changed.
    pub(super) fn write(self, a: AccountId, m: MailboxId, ops: &mut Vec<Op>) {
        for (start, block) in self.loaded {
            let (hot, cold) = (key::hot(a, m, start), key::cold(a, m, start));
            match UidBlock::new(block.uids) {
                None if block.stored => ops.extend([Op::Delete(hot), Op::Delete(cold)]),
                None => {}
                Some(uids) => {
                    if block.hot_changed {
                        let rows = HotRows { uids, flags: block.flags, mod_seqs: block.mod_seqs };
                        ops.push(Op::Put(hot, rows.seal()));
                    }
                    if let Some(rows) = block.cold
                        && block.cold_changed
                    {
                        ops.push(Op::Put(cold, ColdRows(rows).seal()));
                    }
                }
            }
        }
    }
}

async fn read_cold<S: Snapshot>(
    snapshot: &S,
    a: AccountId,
    m: MailboxId,
    start: Uid,
    length: usize,
) -> Result<Vec<ColdRow>, ReadError> {
    let key = key::cold(a, m, start);
    let value = snapshot.get(&key).await?.unwrap_or_default();
    let rows = ColdRows::open(&key, &value)?.0;
    if rows.len() == length {
        Ok(rows)
    } else {
        // Hot and cold columns of a block are written together.
        Err(corrupt("cold columns that differ from the hot ones", &key))
    }
}
