//! Intents, played on a draft. Each checks everything that can refuse it before it changes anything.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use bytes::Bytes;
use mailwright_core::value::{Flag, Keyword, ModSeq, Uid, UidSet, UidValidity, UnixTime};

use super::{Draft, LogKind, MailboxDraft, MessageDraft, Stop, set};
use crate::account::{Append, Applied, Copied, FlagChange, Flagged, Intent, Limit, Refusal};
use crate::engine::{Op, ReadError, Snapshot};
use crate::identifier::{AccountId, MailboxId, MessageId, ThreadId};
use crate::mail::flags::{self, DELETED, SEEN};
use crate::mail::key;
use crate::mail::record::Record as _;
use crate::mail::row::{ColdRow, ExtraRow, MailboxRow, MessageRow, VanishedRow};
use crate::mime::{Findings, Structure};

/// The flags of a message: bits, and indexes of the keywords that have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bits {
    inline: u32,
    extra: Vec<u16>,
}

impl Bits {
    fn insert(&mut self, other: &Self) {
        self.inline |= other.inline;
        self.extra.extend_from_slice(&other.extra);
        self.extra.sort_unstable();
        self.extra.dedup();
    }

    fn remove(&mut self, other: &Self) {
        self.inline &= !other.inline;
        self.extra.retain(|index| !other.extra.contains(index));
    }

    fn set_keyword(&mut self, index: usize) {
        match flags::keyword_bit(index) {
            Some(bit) => self.inline |= bit,
            None => self.insert(&Self { inline: 0, extra: u16::try_from(index).into_iter().collect() }),
        }
    }
}

/// What a message brings along into another mailbox.
struct Entry {
    flags: Vec<Flag>,
    cold: ColdRow,
}

impl<S: Snapshot> Draft<'_, S> {
    /// Plays one intent on mailbox `m`.
    pub(crate) async fn play(
        &mut self,
        m: MailboxId,
        intent: &Intent,
        now: UnixTime,
    ) -> Result<Applied, Stop> {
        match intent {
            Intent::Append(append) => self.append(m, append, now).await,
            Intent::Expunge(uids) => self.expunge(m, uids).await,
            Intent::Copy { uids, to, remove } => self.copy(m, uids, *to, *remove, now).await,
            Intent::Flags { uids, change, unchanged_since } => {
                self.flag(m, uids, change, *unchanged_since).await
            }
        }
    }

    async fn append(&mut self, m: MailboxId, append: &Append, now: UnixTime) -> Result<Applied, Stop> {
        let uploaded = &append.uploaded;
        let prefix = append.prefix.len() as u64;
        let size = uploaded.size.saturating_add(prefix);
        if append.prefix.len() > self.limits.prefix_octets || uploaded.size > self.limits.message_octets {
            return Err(Limit::MessageSize.into());
        }
        let line_ends = u32::try_from(uploaded.line_ends).map_err(|_| Limit::MessageSize)?;
        let findings = Structure::findings_from_stored(&uploaded.structure).unwrap_or_default();
        let entry = Entry {
            flags: append.flags.clone(),
            cold: ColdRow {
                size,
                line_ends,
                // What delivery prepends is ASCII or UTF-8.
                utf8_header: findings.contains(Findings::UTF8_HEADER) || !append.prefix.is_ascii(),
                internal_date: append.internal_date,
                zone: append.zone,
                saved: now,
                message: MessageId::new(self.row.next_message),
                thread: ThreadId::new(self.row.next_thread),
            },
        };
        self.check_room(m, core::slice::from_ref(&entry)).await?;
        self.grow(size, 1).await?;
        let mod_seq = self.next_mod_seq()?;
        self.row.next_message += 1;
        self.row.next_thread += 1;
        let message = MessageRow {
            prefix: append.prefix.clone(),
            blob: uploaded.blob.clone(),
            blob_size: uploaded.size,
            digest: uploaded.digest,
            structure: uploaded.structure.clone(),
            references: 0,
        };
        self.blobs.push(uploaded.blob.clone());
        self.add_reference(&uploaded.blob, 1);
        self.messages.insert(entry.cold.message, MessageDraft { row: message, changed: true });
        let uids = self.add_entries(m, Vec::from([entry]), mod_seq).await?;
        let uid_validity = self.uid_validity(m).await?;
        let uid = uids.first().copied().ok_or(Refusal::NoSuchMailbox)?;
        self.log(m, mod_seq, LogKind::Added(uid.into()));
        Ok(Applied::Appended { uid_validity, uid, mod_seq })
    }

    async fn uid_validity(&mut self, m: MailboxId) -> Result<UidValidity, Stop> {
        Ok(self.mailbox(m).await?.ok_or(Refusal::NoSuchMailbox)?.row.uid_validity)
    }

    /// Checks that mailbox `m` exists and takes `entries`; changes nothing but keyword names.
    async fn check_room(&mut self, m: MailboxId, entries: &[Entry]) -> Result<(), Stop> {
        let limits = self.limits;
        let mailbox = self.mailbox(m).await?.ok_or(Refusal::NoSuchMailbox)?;
        let count = entries.len() as u64;
        if mailbox.row.uid_next.saturating_add(count) > u64::from(u32::MAX) + 1 {
            return Err(Limit::Uids.into());
        }
        if u64::from(mailbox.row.exists) + count > u64::from(limits.messages_per_mailbox) {
            return Err(Limit::Messages.into());
        }
        let named = entries.iter().flat_map(|entry| &entry.flags);
        check_keywords(&mailbox.row, named, limits.keywords_per_mailbox)
    }

    /// Adds `entries` to mailbox `m`, which has room for them; gives their UIDs in order.
    async fn add_entries(
        &mut self,
        m: MailboxId,
        entries: Vec<Entry>,
        mod_seq: ModSeq,
    ) -> Result<Vec<Uid>, Stop> {
        let (snapshot, a, rows_per_block) = (self.snapshot, self.account, self.limits.rows_per_block);
        for entry in &entries {
            let message = self.message(entry.cold.message).await?;
            message.row.references = message.row.references.saturating_add(1);
            message.changed = true;
        }
        let mailbox = self.mailbox(m).await?.ok_or(Refusal::NoSuchMailbox)?;
        mailbox.blocks.load_tail(snapshot, a, m).await?;
        let mut uids = Vec::with_capacity(entries.len());
        for entry in entries {
            let uid = mailbox.row.next_uid().ok_or(Limit::Uids)?;
            let bits = mailbox.register(&entry.flags);
            mailbox.row.uid_next += 1;
            mailbox.row.exists += 1;
            mailbox.row.octets += entry.cold.size;
            mailbox.count(bits.inline, entry.cold.size, true);
            if !bits.extra.is_empty() {
                mailbox.load_extras(snapshot, a, m).await?.insert(uid, bits.extra);
                mailbox.extras_changed.push(uid);
            }
            mailbox.blocks.tail(uid, rows_per_block).push(uid, bits.inline, mod_seq, entry.cold);
            uids.push(uid);
        }
        mailbox.row.highest_mod_seq = mod_seq;
        mailbox.changed = true;
        Ok(uids)
    }

    async fn expunge(&mut self, m: MailboxId, uids: &UidSet) -> Result<Applied, Stop> {
        let removed = self.entries(m, uids).await?;
        if removed.is_empty() {
            return Ok(Applied::Expunged { uids: UidSet::new(), mod_seq: None });
        }
        let mod_seq = self.next_mod_seq()?;
        let uids = self.remove(m, &removed, mod_seq).await?;
        Ok(Applied::Expunged { uids, mod_seq: Some(mod_seq) })
    }

    /// The messages of `uids` that are in mailbox `m`, ascending.
    async fn entries(&mut self, m: MailboxId, uids: &UidSet) -> Result<Vec<(Uid, Entry)>, Stop> {
        let (snapshot, a) = (self.snapshot, self.account);
        let mailbox = self.mailbox(m).await?.ok_or(Refusal::NoSuchMailbox)?;
        mailbox.blocks.load(snapshot, a, m, uids, true).await?;
        mailbox.load_extras(snapshot, a, m).await?;
        let mut entries = Vec::new();
        for block in mailbox.blocks.iter_mut() {
            let Some(cold) = &block.cold else { continue };
            for ((uid, bits), cold) in block.uids.iter().zip(&block.flags).zip(cold) {
                if uids.contains(*uid) {
                    let extra = mailbox.extras.as_ref().and_then(|extras| extras.get(uid));
                    let flags = names(&mailbox.row, *bits, extra.map_or(&[], Vec::as_slice));
                    entries.push((*uid, Entry { flags, cold: *cold }));
                }
            }
        }
        Ok(entries)
    }

    /// Removes messages that were found by [`Self::entries`].
    async fn remove(
        &mut self,
        m: MailboxId,
        entries: &[(Uid, Entry)],
        mod_seq: ModSeq,
    ) -> Result<UidSet, Stop> {
        let gone = set(entries.iter().map(|(uid, _)| *uid));
        let a = self.account;
        for (_, entry) in entries {
            self.shrink(entry.cold.size, 1);
            let message = self.message(entry.cold.message).await?;
            message.row.references = message.row.references.saturating_sub(1);
            message.changed = true;
            if message.row.references == 0 {
                // The octets go when no pin needs them: see `maintain`.
                let key = key::garbage(0, a, mod_seq, entry.cold.message);
                self.ops.push(Op::Put(key, Bytes::new()));
            }
        }
        let mailbox = self.mailbox(m).await?.ok_or(Refusal::NoSuchMailbox)?;
        let mut freed: Vec<(u32, u64)> = Vec::new();
        for block in mailbox.blocks.iter_mut() {
            let keep: Vec<bool> = block.uids.iter().map(|uid| !gone.contains(*uid)).collect();
            if keep.contains(&false) {
                let rows = block.flags.iter().zip(block.cold.iter().flatten()).zip(&keep);
                freed.extend(rows.filter(|(_, keep)| !**keep).map(|((bits, cold), _)| (*bits, cold.size)));
                block.retain(&keep);
            }
        }
        for (bits, size) in freed {
            mailbox.row.exists = mailbox.row.exists.saturating_sub(1);
            mailbox.row.octets = mailbox.row.octets.saturating_sub(size);
            mailbox.count(bits, size, false);
        }
        if let Some(extras) = &mut mailbox.extras {
            let removed = entries.iter().filter(|(uid, _)| extras.remove(uid).is_some());
            mailbox.extras_changed.extend(removed.map(|(uid, _)| *uid));
        }
        mailbox.row.highest_mod_seq = mod_seq;
        mailbox.row.vanished_rows += 1;
        mailbox.changed = true;
        let vanished = VanishedRow(gone.clone());
        self.ops.push(Op::Put(key::vanished(a, m, mod_seq), vanished.seal()));
        self.log(m, mod_seq, LogKind::Expunged(gone.clone()));
        Ok(gone)
    }

    async fn copy(
        &mut self,
        m: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        remove: bool,
        now: UnixTime,
    ) -> Result<Applied, Stop> {
        let source = self.entries(m, uids).await?;
        let uid_validity = self.uid_validity(to).await?;
        if source.is_empty() {
            return Ok(Applied::Copied(Copied::new(uid_validity, Vec::new(), None)));
        }
        let copies: Vec<Entry> = source
            .iter()
            .map(|(_, entry)| Entry {
                flags: entry.flags.clone(),
                cold: ColdRow { saved: now, ..entry.cold },
            })
            .collect();
        self.check_room(to, &copies).await?;
        let octets = copies.iter().map(|entry| entry.cold.size).sum();
        let count = copies.len() as u64;
        if remove {
            // A move inside one root never fails by quota: what comes goes at once.
            self.count_in(octets, count);
        } else {
            self.grow(octets, count).await?;
        }
        // RFC 8474 §5.1: a copy is the same message, so its row is shared.
        let mod_seq = self.next_mod_seq()?;
        let new = self.add_entries(to, copies, mod_seq).await?;
        self.log(to, mod_seq, LogKind::Added(set(new.iter().copied())));
        if remove {
            self.remove(m, &source, mod_seq).await?;
        }
        let pairs = source.iter().map(|(uid, _)| *uid).zip(new).collect();
        Ok(Applied::Copied(Copied::new(uid_validity, pairs, Some(mod_seq))))
    }

    async fn flag(
        &mut self,
        m: MailboxId,
        uids: &UidSet,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<Applied, Stop> {
        let (snapshot, a, limit) = (self.snapshot, self.account, self.limits.keywords_per_mailbox);
        let mod_seq = self.row.mod_seq.checked_add(1).ok_or(Limit::ModSeqs)?;
        let mailbox = self.mailbox(m).await?.ok_or(Refusal::NoSuchMailbox)?;
        let removes = matches!(change, FlagChange::Remove(_));
        if !removes {
            check_keywords(&mailbox.row, change.flags(), limit)?;
        }
        let replaces = matches!(change, FlagChange::Replace(_));
        let needs_sizes = replaces || change.flags().contains(&Flag::Deleted);
        mailbox.blocks.load(snapshot, a, m, uids, needs_sizes).await?;
        mailbox.load_extras(snapshot, a, m).await?;
        let wanted = if removes { mailbox.known(change.flags()) } else { mailbox.register(change.flags()) };
        let mut result = Flagged::default();
        let (mut changed, mut modified) = (Vec::new(), Vec::new());
        let mut counts: Vec<(u32, u32, u64)> = Vec::new();
        for block in mailbox.blocks.iter_mut() {
            let sizes = block.cold.as_deref().unwrap_or_default();
            let rows = block.uids.iter().zip(&mut block.flags).zip(&mut block.mod_seqs).enumerate();
            for (index, ((uid, bits), row_mod_seq)) in rows {
                if !uids.contains(*uid) {
                    continue;
                }
                if unchanged_since.is_some_and(|since| *row_mod_seq > since) {
                    modified.push(*uid);
                    continue;
                }
                let extra = mailbox.extras.as_ref().and_then(|extras| extras.get(uid));
                let before = Bits { inline: *bits, extra: extra.cloned().unwrap_or_default() };
                let mut after = before.clone();
                match change {
                    FlagChange::Add(_) => after.insert(&wanted),
                    FlagChange::Remove(_) => after.remove(&wanted),
                    FlagChange::Replace(_) => after = wanted.clone(),
                }
                if after == before {
                    continue;
                }
                counts.push((before.inline, after.inline, sizes.get(index).map_or(0, |cold| cold.size)));
                *bits = after.inline;
                *row_mod_seq = mod_seq;
                block.hot_changed = true;
                if after.extra != before.extra {
                    mailbox.extras_changed.push(*uid);
                    mailbox.extras.get_or_insert_default().insert(*uid, after.extra);
                }
                changed.push(*uid);
            }
        }
        for (before, after, size) in counts {
            mailbox.count(before, size, false);
            mailbox.count(after, size, true);
        }
        result.changed = set(changed);
        result.modified = set(modified);
        if !result.changed.is_empty() {
            mailbox.row.highest_mod_seq = mod_seq;
            mailbox.changed = true;
            self.next_mod_seq()?;
            self.log(m, mod_seq, LogKind::Flags(result.changed.clone()));
            result.mod_seq = Some(mod_seq);
        }
        Ok(Applied::Flagged(result))
    }
}

impl MailboxDraft {
    /// Counts a message with these flags in or out.
    fn count(&mut self, bits: u32, size: u64, add: bool) {
        let step = |value: &mut u32| *value = if add { *value + 1 } else { value.saturating_sub(1) };
        if bits & SEEN == 0 {
            step(&mut self.row.unseen);
        }
        if bits & DELETED != 0 {
            step(&mut self.row.deleted);
            let octets = &mut self.row.deleted_octets;
            *octets = if add { octets.saturating_add(size) } else { octets.saturating_sub(size) };
        }
    }

    /// The bits of `flags`; keywords that are new get the next index.
    fn register(&mut self, flags: &[Flag]) -> Bits {
        for flag in flags {
            if let Flag::Keyword(keyword) = flag
                && !self.row.keywords.contains(keyword)
            {
                self.row.keywords.push(keyword.clone());
                self.changed = true;
            }
        }
        self.known(flags)
    }

    /// The bits of those of `flags` that the mailbox knows.
    fn known(&self, flags: &[Flag]) -> Bits {
        let mut bits = Bits::default();
        for flag in flags {
            match flag {
                Flag::Keyword(keyword) => {
                    if let Some(index) = self.row.keywords.iter().position(|known| known == keyword) {
                        bits.set_keyword(index);
                    }
                }
                system => bits.inline |= flags::system_bit(system).unwrap_or_default(),
            }
        }
        bits
    }

    /// Loads the keywords without a bit, if the mailbox has any.
    async fn load_extras<S: Snapshot>(
        &mut self,
        snapshot: &S,
        a: AccountId,
        m: MailboxId,
    ) -> Result<&mut BTreeMap<Uid, Vec<u16>>, ReadError> {
        if self.extras.is_none() {
            let mut extras = BTreeMap::new();
            if self.row.keywords.len() > flags::INLINE {
                let all = key::extras(a, m);
                let mut failed = None;
                snapshot
                    .scan(&all.start..&all.end, false, &mut |key, value| match ExtraRow::open(key, value) {
                        Ok(row) => {
                            extras.extend(key::block_start(key).map(|uid| (uid, row.keywords)));
                            ControlFlow::Continue(())
                        }
                        Err(error) => {
                            failed = Some(error);
                            ControlFlow::Break(())
                        }
                    })
                    .await?;
                if let Some(error) = failed {
                    return Err(error);
                }
            }
            self.extras = Some(extras);
        }
        Ok(self.extras.get_or_insert_default())
    }
}

/// The flags that `bits` and the keywords `extra` mean.
fn names(row: &MailboxRow, bits: u32, extra: &[u16]) -> Vec<Flag> {
    let system = flags::SYSTEM.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, flag)| flag.clone());
    let indexes = flags::inline_keywords(bits).chain(extra.iter().map(|index| usize::from(*index)));
    let keywords = indexes.filter_map(|index| row.keywords.get(index).cloned()).map(Flag::Keyword);
    system.chain(keywords).collect()
}

/// Whether the keyword table has room for the new ones among `flags`.
fn check_keywords<'f>(
    row: &MailboxRow,
    flags: impl IntoIterator<Item = &'f Flag>,
    limit: usize,
) -> Result<(), Stop> {
    let mut new: Vec<&Keyword> = Vec::new();
    for flag in flags {
        if let Flag::Keyword(keyword) = flag
            && !row.keywords.contains(keyword)
            && !new.contains(&keyword)
        {
            new.push(keyword);
            if row.keywords.len() + new.len() > limit.min(usize::from(u16::MAX)) {
                return Err(Limit::Keywords.into());
            }
        }
    }
    Ok(())
}
