//! Removing an account with all that it has.
//!
//! First it is disabled, so that nobody logs in and nothing is delivered; then its mailboxes go one by one, each
//! in a commit of its own; at last its rows and its names in one. Whatever stops in between leaves a disabled
//! account, and removing it again goes on.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{MailboxName, UidSet, UnixTime};

use super::admin::{DirectoryError, get};
use super::row::{AddressRow, HeaderRow, LoginRow, kind};
use crate::account::{Account as _, Intent, ListQuery, MailboxInfo, TreeChange, Work, WriteError};
use crate::engine::{Batch, Blobs, CommitError, Engine, Op, ReadError, Snapshot};
use crate::identifier::AccountId;
use crate::mail::key;
use crate::mail::read::rows;
use crate::mail::record::Record;
use crate::mail::store::Store;

impl<E: Engine + Blobs> Store<E> {
    /// Removes an account, its mailboxes and messages, its addresses and log-in names. Sessions that have one of
    /// its mailboxes open end; the octets of its messages are freed by [`maintain`](Self::maintain). Aliases that
    /// name it stay, and lead nowhere.
    ///
    /// # Errors
    /// If there is no such account, or the engine fails: then it is disabled, and may be removed again.
    pub async fn remove_account(&self, id: AccountId, now: UnixTime) -> Result<(), DirectoryError> {
        self.directory().set_disabled(id, true).await?;
        for _ in 0..self.config().mail.commit_attempts.max(1) {
            self.empty(id, now).await?;
            if self.exclusively(&[id], self.remove_rows(id)).await? {
                return Ok(());
            }
        }
        Err(WriteError::Busy.into())
    }

    /// Removes every mailbox but INBOX, and all messages.
    async fn empty(&self, id: AccountId, now: UnixTime) -> Result<(), WriteError> {
        let account = self.account(id);
        let mut mailboxes: Vec<MailboxInfo> = Vec::new();
        account.list(&ListQuery::All, &mut |info| mailboxes.push(info.clone())).await?;
        for mailbox in mailboxes {
            if mailbox.name == MailboxName::inbox() {
                let work = Work::new(Vec::from([Intent::Expunge(UidSet::all())]), now);
                account.apply(mailbox.id, work).await?;
            } else {
                account.tree(TreeChange::Delete { name: mailbox.name, now }).await?;
            }
        }
        Ok(())
    }

    /// Removes the account, if nothing came into it meanwhile.
    async fn remove_rows(&self, id: AccountId) -> Result<bool, WriteError> {
        let account = self.account(id);
        let snapshot = self.core.engine.snapshot().await?;
        let header = key::directory(kind::HEADER, &[]);
        let mut batch = Batch { wake: Vec::from([id]), ..Batch::default() };
        for key in [header.clone(), key::account(id)] {
            let value = snapshot.get(&key).await?;
            batch.expect.push((key, value));
        }
        let mut mailboxes: Vec<MailboxInfo> = Vec::new();
        account.list(&ListQuery::All, &mut |info| mailboxes.push(info.clone())).await?;
        if mailboxes.len() > 1 || mailboxes.iter().any(|mailbox| mailbox.exists > 0) {
            return Ok(false);
        }
        let of_mailboxes = mailboxes.iter().flat_map(|mailbox| key::rows_of_mailbox(id, mailbox.id));
        let ranges = of_mailboxes.chain(key::rows_of_account(id));
        batch.ops.extend(ranges.map(|range| Op::DeleteRange(range.start, range.end)));
        batch.ops.push(Op::Delete(key::account(id)));
        self.remove_names(&snapshot, id, &mut batch).await?;
        if let Some(mut row) = get::<HeaderRow>(&snapshot, kind::HEADER, &[]).await? {
            row.revision += 1;
            batch.ops.push(Op::Put(header, row.seal()));
        }
        match self.core.engine.commit(batch).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes away what the directory knows of the account.
    async fn remove_names(
        &self,
        snapshot: &impl Snapshot,
        id: AccountId,
        batch: &mut Batch,
    ) -> Result<(), ReadError> {
        for (key, LoginRow(owner)) in all::<LoginRow>(snapshot, kind::LOGIN).await? {
            if owner == id {
                batch.ops.push(Op::Delete(key));
            }
        }
        for (key, mut row) in all::<AddressRow>(snapshot, kind::ADDRESS).await? {
            if row.account == Some(id) {
                row.account = None;
                // Who is an alias too stays one.
                batch.ops.push(match row.targets.is_empty() {
                    true => Op::Delete(key),
                    false => Op::Put(key, row.seal()),
                });
            }
        }
        let number = id.get().to_be_bytes();
        batch.ops.push(Op::Delete(key::directory(kind::CREDENTIALS, &number)));
        batch.ops.push(Op::Delete(key::directory(kind::ACCOUNT, &number)));
        Ok(())
    }
}

async fn all<R: Record>(snapshot: &impl Snapshot, kind: u8) -> Result<Vec<(Bytes, R)>, ReadError> {
    let rows = rows(snapshot, key::below(key::directory(kind, &[]))).await?;
    rows.into_iter().map(|(key, value)| Ok((key.clone(), R::open(&key, &value)?))).collect()
}

#[cfg(test)]
mod tests {
    use core::ops::ControlFlow;

    use super::*;
    use crate::StoreConfig;
    use crate::account::{Append, Upload as _};
    use crate::directory::NewAccount;
    use crate::engine::{Memory, now};
    use mailwright_core::value::Mailbox;

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn mailbox(text: &str) -> Mailbox {
        text.parse().unwrap()
    }

    fn store() -> Store<Memory> {
        let store = now(Store::open(Memory::new(), StoreConfig::default(), [1; 32])).unwrap().unwrap();
        now(store.directory().add_domain(&"example.org".parse().unwrap())).unwrap().unwrap();
        store
    }

    fn account(store: &Store<Memory>, address: &str) -> AccountId {
        now(store.create_account(NewAccount::new(mailbox(address)), NOW)).unwrap().unwrap()
    }

    #[test]
    fn a_removed_account_leaves_nothing() {
        let store = store();
        let keys_of = |store: &Store<Memory>| {
            let mut keys = Vec::new();
            let snapshot = now(store.engine().snapshot()).unwrap().unwrap();
            now(snapshot.scan(&b""[..]..&[0xff_u8; 4][..], false, &mut |key, _| {
                keys.push(Bytes::copy_from_slice(key));
                ControlFlow::Continue(())
            }))
            .unwrap()
            .unwrap();
            keys
        };
        let other = account(&store, "other@example.org");
        let before = keys_of(&store);
        let id = account(&store, "alice@example.org");
        now(store.directory().add_address(id, &mailbox("a@example.org"))).unwrap().unwrap();
        for mailbox in ["INBOX", "Archive"] {
            let to = store.account(id);
            let opened = now(to.open(&MailboxName::new(mailbox).unwrap())).unwrap().unwrap();
            let mut upload = now(store.upload(None)).unwrap().unwrap();
            now(upload.write(Bytes::from_static(b"Subject: x\r\n\r\nx\r\n"))).unwrap().unwrap();
            let append = Intent::Append(Append::new(now(upload.finish()).unwrap().unwrap(), NOW));
            now(to.apply(opened.info.id, Work::new(Vec::from([append]), NOW))).unwrap().unwrap();
        }
        now(store.remove_account(id, NOW)).unwrap().unwrap();
        while now(store.maintain(UnixTime::from_seconds(NOW.as_seconds() + 1_000_000), 100)).unwrap().unwrap()
            > 0
        {}
        let left: Vec<Bytes> = keys_of(&store).into_iter().filter(|key| !before.contains(key)).collect();
        // Counters that stand at nothing.
        assert!(left.iter().all(|key| key[0] == b'Q'), "{left:?}");
        assert_eq!(store.engine().blob_count(), 0);
        assert_eq!(now(store.directory().find_account("alice@example.org")).unwrap().unwrap(), None);
        let accounts = now(store.directory().accounts()).unwrap().unwrap();
        assert_eq!(accounts.iter().map(|account| account.id).collect::<Vec<_>>(), [other]);
        let error = now(store.remove_account(id, NOW)).unwrap().unwrap_err();
        assert!(matches!(error, DirectoryError::NoSuchAccount(_)), "{error}");
        assert_ne!(account(&store, "alice@example.org"), id, "numbers are never used again");
    }

    #[test]
    fn an_address_that_is_an_alias_too_stays_one_without_its_account() {
        let store = store();
        let id = account(&store, "alice@example.org");
        let other = account(&store, "other@example.org");
        let targets = [mailbox("other@example.org")];
        now(store.directory().set_alias(&mailbox("alice@example.org"), &targets)).unwrap().unwrap();
        now(store.remove_account(id, NOW)).unwrap().unwrap();
        let resolved =
            now(store.directory().resolve(&"<alice@example.org>".parse().unwrap())).unwrap().unwrap();
        assert_eq!(resolved.local.iter().map(|target| target.account).collect::<Vec<_>>(), [other]);
    }
}
