//! [`StoreAccount`]: [`Account`] over a [`Store`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{ControlFlow, Range};
use core::task::{Context, Poll};

use bytes::Bytes;
use mailwright_core::value::{MailboxName, ModSeq, Uid, UidSet};

use super::commit::{Outcome, Request};
use super::key;
use super::read::{info, rows};
use super::record::{Record as _, corrupt};
use super::row::{AccountRow, LogEntry, LogKind, LogRow, MailboxRow, MessageRow, NameRow};
use super::store::Store;
use super::upload::StoreUpload;
use crate::account::{
    Account, Applied, Body, Change, ChangeKind, Columns, Lease, LeaseError, ListQuery, MailboxInfo,
    MessageMeta, OpenError, Opened, Pinned, Refusal, Since, TreeChange, TreeOutcome, Work, WriteError,
};
use crate::engine::{Blobs, Engine, ReadError, Snapshot};
use crate::identifier::{AccountId, MailboxId};

/// An account of a [`Store`], as its owner sees it.
pub struct StoreAccount<E> {
    store: Store<E>,
    id: AccountId,
}

impl<E> Clone for StoreAccount<E> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), id: self.id }
    }
}

impl<E> fmt::Debug for StoreAccount<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreAccount").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<E> StoreAccount<E> {
    pub(super) const fn new(store: Store<E>, id: AccountId) -> Self {
        Self { store, id }
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> AccountId {
        self.id
    }
}

impl<E: Engine + Blobs> StoreAccount<E> {
    async fn header<S: Snapshot>(&self, snapshot: &S) -> Result<Option<AccountRow>, ReadError> {
        let key = key::account(self.id);
        match snapshot.get(&key).await? {
            Some(value) => AccountRow::open(&key, &value).map(Some),
            None => Ok(None),
        }
    }

    async fn mailbox<S: Snapshot>(&self, snapshot: &S, m: MailboxId) -> Result<MailboxRow, ReadError> {
        let key = key::mailbox(self.id, m);
        let value = snapshot.get(&key).await?.ok_or_else(|| corrupt("name of a mailbox", &key))?;
        MailboxRow::open(&key, &value)
    }
}

impl<E: Engine + Blobs> Account for StoreAccount<E> {
    type Upload = StoreUpload<E>;

    async fn open(&self, mailbox: &MailboxName) -> Result<Opened, OpenError> {
        let core = &self.store.core;
        // Pinned before the snapshot is taken, so that nothing it shows is freed in between.
        let pin = core.pins.pin(self.id);
        let snapshot = core.engine.snapshot().await?;
        let header = self.header(&snapshot).await?.ok_or(OpenError::NoSuchMailbox)?;
        let key = key::name(self.id, mailbox);
        let value = snapshot.get(&key).await?.ok_or(OpenError::NoSuchMailbox)?;
        let NameRow(m) = NameRow::open(&key, &value)?;
        let row = self.mailbox(&snapshot, m).await?;
        let columns = core.columns(&snapshot, self.id, m, &row).await?;
        pin.told(header.mod_seq);
        Ok(Opened::new(info(self.id, m, row), columns, Pinned::new(pin)))
    }

    async fn list(
        &self,
        query: &ListQuery,
        visit: &mut (dyn FnMut(&MailboxInfo) + Send),
    ) -> Result<(), ReadError> {
        let snapshot = self.store.core.engine.snapshot().await?;
        let names = match query {
            ListQuery::All | ListQuery::Below(_) => rows(&snapshot, key::names(self.id)).await?,
            ListQuery::Exactly(name) => {
                let key = key::name(self.id, name);
                snapshot.get(&key).await?.into_iter().map(|value| (key.clone(), value)).collect()
            }
        };
        for (key, value) in names {
            let NameRow(m) = NameRow::open(&key, &value)?;
            let row = self.mailbox(&snapshot, m).await?;
            let wanted = match query {
                ListQuery::All | ListQuery::Exactly(_) => true,
                ListQuery::Below(name) => row.name.is_below(name),
            };
            if wanted {
                visit(&info(self.id, m, row));
            }
        }
        Ok(())
    }

    async fn subscriptions(&self, visit: &mut (dyn FnMut(&MailboxName) + Send)) -> Result<(), ReadError> {
        let snapshot = self.store.core.engine.snapshot().await?;
        for (key, _) in rows(&snapshot, key::subscriptions(self.id)).await? {
            visit(&key::mailbox_name(&key).ok_or_else(|| corrupt("subscription", &key))?);
        }
        Ok(())
    }

    async fn tree(&self, change: TreeChange) -> Result<TreeOutcome, WriteError> {
        match self.store.submit(self.id, Request::Tree(change)).await? {
            Outcome::Tree(outcome) => Ok(outcome),
            // There is no such account, so it may have no mailbox.
            Outcome::NoAccount | Outcome::Applied(_) | Outcome::Done => Ok(TreeOutcome::TooMany),
        }
    }

    async fn apply(&self, mailbox: MailboxId, work: Work) -> Result<Vec<Applied>, WriteError> {
        let count = work.intents.len();
        match self.store.submit(self.id, Request::Work(mailbox, work)).await? {
            Outcome::Applied(applied) => Ok(applied),
            Outcome::NoAccount | Outcome::Tree(_) | Outcome::Done => {
                Ok((0..count).map(|_| Applied::Refused(Refusal::NoSuchMailbox)).collect())
            }
        }
    }

    async fn meta(
        &self,
        columns: &Columns,
        uids: &UidSet,
        visit: &mut (dyn FnMut(&MessageMeta) -> ControlFlow<()> + Send),
    ) -> Result<(), ReadError> {
        let snapshot = self.store.core.engine.snapshot().await?;
        let wanted: Vec<Uid> = if uids.len() <= columns.len() as u64 {
            uids.iter().collect()
        } else {
            columns.rows().map(|row| row.uid).filter(|uid| uids.contains(*uid)).collect()
        };
        for row in wanted.into_iter().filter_map(|uid| columns.find(uid)) {
            let key = key::message(self.id, row.message);
            let value = snapshot.get(&key).await?.ok_or(ReadError::Gone)?;
            let message = MessageRow::open(&key, &value)?;
            let body = Body::new(message.prefix, message.blob, message.blob_size);
            let meta = MessageMeta::new(row.uid, row.message, row.thread, body, message.digest)
                .with_structure(message.structure);
            if visit(&meta).is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn body(&self, body: &Body, at: Range<u64>) -> Result<Bytes, ReadError> {
        let prefix = body.prefix.len() as u64;
        let end = at.end.min(body.size());
        if at.start >= end {
            return Ok(Bytes::new());
        }
        if at.start < prefix {
            let position = |octets: u64| usize::try_from(octets).unwrap_or(usize::MAX);
            return Ok(body.prefix.slice(position(at.start)..position(end.min(prefix))));
        }
        let octets = self.store.core.engine.read(&body.blob, at.start - prefix..end - prefix).await?;
        if octets.is_empty() {
            return Err(corrupt("length of a message", body.blob.as_bytes()));
        }
        Ok(octets)
    }

    async fn changes(
        &self,
        since: ModSeq,
        visit: &mut (dyn FnMut(&Change) -> ControlFlow<()> + Send),
    ) -> Result<Since, ReadError> {
        let snapshot = self.store.core.engine.snapshot().await?;
        let Some(header) = self.header(&snapshot).await? else { return Ok(Since::Reached(since)) };
        if since < header.log_floor {
            return Ok(Since::TooOld);
        }
        // A record stands under its lowest number, so `since` may lie inside one.
        let mut records = Vec::new();
        let before = key::log(self.id, ModSeq::ZERO)..key::log_from(self.id, since).start;
        snapshot
            .scan(&before.start..&before.end, true, &mut |key, value| {
                records.push((Bytes::copy_from_slice(key), value.clone()));
                ControlFlow::Break(())
            })
            .await?;
        records.extend(rows(&snapshot, key::log_from(self.id, since)).await?);
        for (key, value) in records {
            let mut entries = LogRow::open(&key, &value)?.entries.into_iter().peekable();
            while let Some(entry) = entries.next() {
                let at = entry.mod_seq;
                if at > since && visit(&change(entry, &key)?).is_break() {
                    // A move is two changes under one number: both are read again if only one was seen.
                    let whole = entries.peek().is_none_or(|next| next.mod_seq != at);
                    let reached = if whole { Some(at) } else { ModSeq::new(at.get() - 1) };
                    return Ok(Since::Reached(reached.unwrap_or(since)));
                }
            }
        }
        Ok(Since::Reached(header.mod_seq.max(since)))
    }

    fn poll_changed(&self, context: &mut Context<'_>, seen: &mut u64) -> Poll<()> {
        self.store.core.engine.poll_wake(context, self.id, seen)
    }

    async fn upload(&self, size_hint: Option<u64>) -> Result<StoreUpload<E>, WriteError> {
        self.store.upload(size_hint).await
    }

    async fn lease(&self, mailbox: MailboxId) -> Result<Lease, LeaseError> {
        Ok(self.store.core.leases.take(self.id, mailbox)?)
    }
}

impl<E: Engine + Blobs> Store<E> {
    /// Starts to store the octets of a message for one or several accounts. Nothing is visible before a
    /// delivery or an append with it; dropping it frees the octets.
    ///
    /// # Errors
    /// If the engine fails, or `size_hint` is above the limit.
    pub async fn upload(&self, size_hint: Option<u64>) -> Result<StoreUpload<E>, WriteError> {
        StoreUpload::start(alloc::sync::Arc::clone(&self.core), size_hint).await
    }
}

fn change(entry: LogEntry, key: &[u8]) -> Result<Change, ReadError> {
    let name = |name: String| MailboxName::new(&name).map_err(|_| corrupt("change log", key));
    let kind = match entry.kind {
        LogKind::Added(uids) => ChangeKind::Added(uids),
        LogKind::Flags(uids) => ChangeKind::Flags(uids),
        LogKind::Expunged(uids) => ChangeKind::Expunged(uids),
        LogKind::Created(text) => ChangeKind::Created(name(text)?),
        LogKind::Removed(text) => ChangeKind::Removed(name(text)?),
    };
    Ok(Change::new(entry.mailbox, entry.mod_seq, kind))
}
