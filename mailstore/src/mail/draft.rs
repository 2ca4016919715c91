//! [`Draft`]: the next state of an account while a commit is planned.
//!
//! Intents are played one after another against a snapshot, with what they change kept here; [`Draft::finish`]
//! turns the result into one batch. A refused intent leaves no trace, so it costs its neighbours nothing.
//! UIDs and modification sequences are assigned here and nowhere else: whoever commits the batch shows the
//! message in the same moment (promise P3).

mod blocks;
mod change;
mod finish;
mod tree;

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{MailboxName, ModSeq, Uid, UidSet, UidValidity, UnixTime};

use self::blocks::Blocks;
use super::config::MailLimits;
use super::key;
use super::record::{Record as _, corrupt, counter};
use super::row::{AccountRow, LogEntry, LogKind, MailboxRow, MessageRow, NameRow, StoreRow};
use crate::account::{Limit, Refusal, SpecialUse, TreeOutcome};
use crate::engine::{Op, ReadError, Snapshot};
use crate::identifier::{AccountId, BlobId, MailboxId, MessageId};

/// INBOX of every account: made with it, never removed.
pub(crate) const INBOX: MailboxId = MailboxId::new(1);

/// A column that names a message without a row.
const DANGLING: &str = "reference to a message";

/// The next state of one account.
pub(crate) struct Draft<'s, S> {
    snapshot: &'s S,
    limits: &'s MailLimits,
    account: AccountId,
    row: AccountRow,
    /// The last modification sequence at the snapshot.
    before: ModSeq,
    /// The account header as it was read; `None` for an account that is being made.
    found: Option<Bytes>,
    /// Mailboxes that were asked for; `None` = there is none.
    mailboxes: BTreeMap<MailboxId, Option<MailboxDraft>>,
    messages: BTreeMap<MessageId, MessageDraft>,
    entries: Vec<LogEntry>,
    ops: Vec<Op>,
    blobs: Vec<BlobId>,
    /// Octets and messages that the account holds at the snapshot; read when needed.
    held: Option<(i64, i64)>,
    /// Octets and messages that the draft adds.
    more: (i64, i64),
    references: BTreeMap<BlobId, i64>,
    /// Names that mean something else than at the snapshot.
    names: BTreeMap<MailboxName, Option<MailboxId>>,
    /// Subscriptions that changed.
    subscriptions: BTreeMap<MailboxName, bool>,
    changed: bool,
}

/// A mailbox that an intent touched.
struct MailboxDraft {
    row: MailboxRow,
    blocks: Blocks,
    /// Keywords without a bit, by message; loaded when the mailbox has such keywords.
    extras: Option<BTreeMap<Uid, Vec<u16>>>,
    /// Messages whose extras are to be written.
    extras_changed: Vec<Uid>,
    changed: bool,
}

/// A message that an intent touched.
struct MessageDraft {
    row: MessageRow,
    changed: bool,
}

/// A refusal, or that what had to be read could not be.
pub(crate) enum Stop {
    Refused(Refusal),
    Read(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Limit> for Stop {
    fn from(limit: Limit) -> Self {
        Self::Refused(Refusal::Limit(limit))
    }
}

/// The account header in `value`, from which the next commit goes on.
pub(super) async fn open_account<S: Snapshot>(
    snapshot: &S,
    key: &Bytes,
    value: &Bytes,
) -> Result<AccountRow, ReadError> {
    let mut row = AccountRow::open(key, value)?;
    let key = key::store();
    if let Some(value) = snapshot.get(&key).await? {
        row.catch_up(&StoreRow::open(&key, &value)?);
    }
    Ok(row)
}

impl<'s, S: Snapshot> Draft<'s, S> {
    /// The account as the snapshot shows it; `None` if there is none.
    pub(crate) async fn load(
        snapshot: &'s S,
        limits: &'s MailLimits,
        account: AccountId,
    ) -> Result<Option<Self>, ReadError> {
        let key = key::account(account);
        let Some(found) = snapshot.get(&key).await? else { return Ok(None) };
        let row = open_account(snapshot, &key, &found).await?;
        Ok(Some(Self::new(snapshot, limits, account, row, Some(found))))
    }

    /// A new account.
    pub(crate) fn create(snapshot: &'s S, limits: &'s MailLimits, account: AccountId) -> Self {
        let row = AccountRow {
            next_mailbox: INBOX.get(),
            next_message: 1,
            next_thread: 1,
            ..AccountRow::default()
        };
        Self::new(snapshot, limits, account, row, None)
    }

    fn new(
        snapshot: &'s S,
        limits: &'s MailLimits,
        account: AccountId,
        row: AccountRow,
        found: Option<Bytes>,
    ) -> Self {
        Self {
            snapshot,
            limits,
            account,
            before: row.mod_seq,
            row,
            found,
            mailboxes: BTreeMap::new(),
            messages: BTreeMap::new(),
            entries: Vec::new(),
            ops: Vec::new(),
            blobs: Vec::new(),
            held: None,
            more: (0, 0),
            references: BTreeMap::new(),
            names: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            changed: false,
        }
    }

    /// The last modification sequence before this draft.
    pub(crate) const fn before(&self) -> ModSeq {
        self.before
    }

    /// Sets what the account may hold.
    pub(crate) fn set_quota(&mut self, storage: Option<u64>, messages: Option<u64>) {
        if (self.row.storage_limit, self.row.message_limit) != (storage, messages) {
            self.row.storage_limit = storage;
            self.row.message_limit = messages;
            self.changed = true;
        }
    }

    /// Makes a mailbox and the missing ones above it.
    pub(crate) async fn create_mailbox(
        &mut self,
        name: &MailboxName,
        special_use: Option<SpecialUse>,
        now: UnixTime,
    ) -> Result<TreeOutcome, Stop> {
        if let Some(id) = self.find(name).await? {
            return Ok(TreeOutcome::AlreadyExists(id));
        }
        if let Some(special_use) = special_use
            && self.is_taken(special_use).await?
        {
            return Ok(TreeOutcome::SpecialUseTaken);
        }
        // RFC 3501 §6.3.3: the superior names are made too. INBOX is always there.
        let mut missing = Vec::from([(name.clone(), special_use)]);
        let mut above = name.parent();
        while let Some(parent) = above {
            if self.find(&parent).await?.is_some() {
                break;
            }
            above = parent.parent();
            missing.push((parent, None));
        }
        let count = u32::try_from(missing.len()).unwrap_or(u32::MAX);
        if self.row.mailboxes.saturating_add(count) > self.limits.mailboxes_per_account {
            return Ok(TreeOutcome::TooMany);
        }
        let mut created = INBOX;
        while let Some((name, special_use)) = missing.pop() {
            created = self.add_mailbox(name, special_use, now)?;
        }
        Ok(TreeOutcome::Created(created))
    }

    fn add_mailbox(
        &mut self,
        name: MailboxName,
        special_use: Option<SpecialUse>,
        now: UnixTime,
    ) -> Result<MailboxId, Stop> {
        let mod_seq = self.next_mod_seq()?;
        let id = MailboxId::new(self.row.next_mailbox);
        // UIDVALIDITY: the time, but above every one that the account ever had.
        let seconds = u32::try_from(now.as_seconds().max(1)).unwrap_or(u32::MAX);
        let validity = seconds.max(self.row.uid_validity.checked_add(1).ok_or(Limit::Uids)?);
        let uid_validity = UidValidity::new(validity).ok_or(Limit::Uids)?;
        self.row.uid_validity = validity;
        self.row.next_mailbox += 1;
        self.row.mailboxes += 1;
        self.set_name(name.clone(), Some(id));
        self.entries.push(LogEntry {
            mailbox: id,
            mod_seq,
            kind: LogKind::Created(name.as_str().to_string()),
        });
        let row = MailboxRow {
            name,
            uid_validity,
            uid_next: 1,
            highest_mod_seq: mod_seq,
            exists: 0,
            unseen: 0,
            deleted: 0,
            octets: 0,
            deleted_octets: 0,
            recent_floor: 1,
            keywords: Vec::new(),
            special_use,
            vanished_floor: mod_seq,
            vanished_rows: 0,
        };
        let draft = MailboxDraft {
            row,
            blocks: Blocks::complete(),
            extras: None,
            extras_changed: Vec::new(),
            changed: true,
        };
        self.mailboxes.insert(id, Some(draft));
        self.changed = true;
        Ok(id)
    }

    /// The mailbox with this name, in the snapshot or made since.
    async fn find(&self, name: &MailboxName) -> Result<Option<MailboxId>, ReadError> {
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        let key = key::name(self.account, name);
        match self.snapshot.get(&key).await? {
            Some(value) => Ok(Some(NameRow::open(&key, &value)?.0)),
            None => Ok(None),
        }
    }

    async fn is_taken(&mut self, special_use: SpecialUse) -> Result<bool, ReadError> {
        for id in 1..self.row.next_mailbox {
            if let Some(mailbox) = self.mailbox(MailboxId::new(id)).await?
                && mailbox.row.special_use == Some(special_use)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The draft of a mailbox; `None` if there is none.
    async fn mailbox(&mut self, id: MailboxId) -> Result<Option<&mut MailboxDraft>, ReadError> {
        if !self.mailboxes.contains_key(&id) {
            let key = key::mailbox(self.account, id);
            let draft = match self.snapshot.get(&key).await? {
                None => None,
                Some(value) => Some(MailboxDraft {
                    row: MailboxRow::open(&key, &value)?,
                    blocks: Blocks::default(),
                    extras: None,
                    extras_changed: Vec::new(),
                    changed: false,
                }),
            };
            self.mailboxes.insert(id, draft);
        }
        Ok(self.mailboxes.get_mut(&id).and_then(Option::as_mut))
    }

    /// The draft of a message that a mailbox shows.
    async fn message(&mut self, id: MessageId) -> Result<&mut MessageDraft, ReadError> {
        if !self.messages.contains_key(&id) {
            let key = key::message(self.account, id);
            let value = self.snapshot.get(&key).await?.ok_or_else(|| corrupt(DANGLING, &key))?;
            self.messages.insert(id, MessageDraft { row: MessageRow::open(&key, &value)?, changed: false });
        }
        self.messages.get_mut(&id).ok_or_else(|| corrupt(DANGLING, &key::message(self.account, id)))
    }

    /// Takes the next modification sequence.
    fn next_mod_seq(&mut self) -> Result<ModSeq, Limit> {
        let next = self.row.mod_seq.checked_add(1).ok_or(Limit::ModSeqs)?;
        self.row.mod_seq = next;
        self.changed = true;
        Ok(next)
    }

    fn log(&mut self, mailbox: MailboxId, mod_seq: ModSeq, kind: LogKind) {
        self.entries.push(LogEntry { mailbox, mod_seq, kind });
    }

    /// Checks that `octets` in `messages` more messages may be held, and counts them.
    async fn grow(&mut self, octets: u64, messages: u64) -> Result<(), Stop> {
        let (held_octets, held_messages) = self.held().await?;
        let over = |limit: Option<u64>, held: i64, more: i64, growth: u64| {
            let then = held.saturating_add(more).saturating_add(signed(growth));
            growth > 0 && limit.is_some_and(|limit| then > signed(limit))
        };
        if over(self.row.storage_limit, held_octets, self.more.0, octets)
            || over(self.row.message_limit, held_messages, self.more.1, messages)
        {
            return Err(Refusal::OverQuota { root: self.account }.into());
        }
        self.count_in(octets, messages);
        Ok(())
    }

    /// Counts without a check.
    fn count_in(&mut self, octets: u64, messages: u64) {
        self.more.0 = self.more.0.saturating_add(signed(octets));
        self.more.1 = self.more.1.saturating_add(signed(messages));
    }

    /// Counts what is held no longer. Never fails by quota.
    fn shrink(&mut self, octets: u64, messages: u64) {
        self.more.0 = self.more.0.saturating_sub(signed(octets));
        self.more.1 = self.more.1.saturating_sub(signed(messages));
    }

    async fn held(&mut self) -> Result<(i64, i64), ReadError> {
        if let Some(held) = self.held {
            return Ok(held);
        }
        let (storage, messages) = (key::quota_storage(self.account), key::quota_messages(self.account));
        let held = (
            counter(&storage, self.snapshot.get(&storage).await?)?,
            counter(&messages, self.snapshot.get(&messages).await?)?,
        );
        self.held = Some(held);
        Ok(held)
    }

    /// Counts messages that refer to a blob.
    fn add_reference(&mut self, blob: &BlobId, count: i64) {
        *self.references.entry(blob.clone()).or_default() += count;
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// UIDs that were collected in ascending order.
fn set(uids: impl IntoIterator<Item = Uid>) -> UidSet {
    uids.into_iter().collect()
}
