//! [`Directory`]: reading and changing who exists.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
#[cfg(feature = "argon2")]
use mailwright_core::value::Secret;
use mailwright_core::value::{Domain, Mailbox, MailboxName, ModSeq, UnixTime};

use super::config::DirectoryConfig;
use super::name::{address_key, catch_all_key, domain_key, login_key};
use super::row::{AccountEntry, AddressRow, DomainRow, HeaderRow, LoginRow, kind};
use crate::account::{SpecialUse, WriteError};
use crate::engine::{Batch, Blobs, CommitError, Engine, Op, ReadError, Snapshot};
use crate::identifier::AccountId;
use crate::mail::commit::Core;
use crate::mail::draft::{Draft, Stop};
use crate::mail::key;
use crate::mail::read::rows;
use crate::mail::record::Record;
use crate::mail::store::Store;

/// The mailboxes that a new account has beside INBOX.
const MAILBOXES: [(&str, SpecialUse); 5] = [
    ("Drafts", SpecialUse::Drafts),
    ("Sent", SpecialUse::Sent),
    ("Junk", SpecialUse::Junk),
    ("Trash", SpecialUse::Trash),
    ("Archive", SpecialUse::Archive),
];

/// Domains, accounts, addresses and passwords of a [`Store`].
pub struct Directory<E> {
    store: Store<E>,
}

impl<E> Clone for Directory<E> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone() }
    }
}

impl<E> fmt::Debug for Directory<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

/// An account to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewAccount {
    /// Its main address, which is also a log-in name.
    pub address: Mailbox,
    /// More log-in names.
    pub logins: Vec<String>,
}

impl NewAccount {
    /// An account with this address.
    #[must_use]
    pub const fn new(address: Mailbox) -> Self {
        Self { address, logins: Vec::new() }
    }
}

/// An account as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountInfo {
    /// Its number.
    pub id: AccountId,
    /// Its main address.
    pub address: Mailbox,
    /// Whether it can neither log in nor receive.
    pub disabled: bool,
}

/// Why the directory was not changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The address or a log-in name is taken.
    #[error("{0} exists already")]
    Exists(String),
    /// The domain of the address is not local.
    #[error("{0} is in no local domain: add its domain first")]
    NotLocal(String),
    /// There is no such account.
    #[error("no account {0}")]
    NoSuchAccount(AccountId),
    /// An alias without targets, with more than allowed, or with one that names a file or a program.
    #[error("bad target of an alias: {0}")]
    Target(String),
    /// Nothing was written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<ReadError> for DirectoryError {
    fn from(error: ReadError) -> Self {
        Self::Write(error.into())
    }
}

/// Puts of one change, read from one snapshot.
struct Change<'s, S> {
    snapshot: &'s S,
    header: HeaderRow,
    batch: Batch,
}

impl<S: Snapshot> Change<'_, S> {
    async fn get<R: Record>(&self, kind: u8, name: &[u8]) -> Result<Option<R>, ReadError> {
        get(self.snapshot, kind, name).await
    }

    fn put(&mut self, kind: u8, name: &[u8], row: &impl Record) {
        self.batch.ops.push(Op::Put(key::directory(kind, name), row.seal()));
    }

    async fn require_local(&self, mailbox: &Mailbox) -> Result<(), DirectoryError> {
        let domain = domain_key(mailbox.domain());
        match self.get::<DomainRow>(kind::DOMAIN, domain.as_bytes()).await? {
            Some(_) => Ok(()),
            None => Err(DirectoryError::NotLocal(mailbox.to_string())),
        }
    }

    /// Gives `address` to `account`.
    async fn add_address(&mut self, address: &Mailbox, account: AccountId) -> Result<(), DirectoryError> {
        self.require_local(address).await?;
        let name = address_key(address);
        let mut row: AddressRow = self.get(kind::ADDRESS, name.as_bytes()).await?.unwrap_or_default();
        if row.account.is_some_and(|owner| owner != account) {
            return Err(DirectoryError::Exists(address.to_string()));
        }
        row.account = Some(account);
        self.put(kind::ADDRESS, name.as_bytes(), &row);
        Ok(())
    }

    async fn add_login(&mut self, name: &str, account: AccountId) -> Result<(), DirectoryError> {
        let key = login_key(name);
        if let Some(LoginRow(owner)) = self.get(kind::LOGIN, key.as_bytes()).await?
            && owner != account
        {
            return Err(DirectoryError::Exists(name.to_string()));
        }
        self.put(kind::LOGIN, key.as_bytes(), &LoginRow(account));
        Ok(())
    }
}

/// A row of the directory.
pub(super) async fn get<R: Record>(
    snapshot: &impl Snapshot,
    kind: u8,
    name: &[u8],
) -> Result<Option<R>, ReadError> {
    let key = key::directory(kind, name);
    match snapshot.get(&key).await? {
        Some(value) => R::open(&key, &value).map(Some),
        None => Ok(None),
    }
}

impl<E: Engine + Blobs> Store<E> {
    /// Who exists.
    #[must_use]
    pub fn directory(&self) -> Directory<E> {
        Directory { store: self.clone() }
    }

    /// Makes an account with INBOX, Drafts, Sent, Junk, Trash and Archive. It cannot log in before it has
    /// credentials.
    ///
    /// # Errors
    /// If its address or a log-in name is taken, its domain is not local, or the engine fails.
    pub async fn create_account(&self, new: NewAccount, now: UnixTime) -> Result<AccountId, DirectoryError> {
        let directory = self.directory();
        for _ in 0..self.config().mail.commit_attempts.max(1) {
            let snapshot = self.core.engine.snapshot().await?;
            let mut change = directory.begin(&snapshot).await?;
            let id = AccountId::new(change.header.next_account);
            change.header.next_account += 1;
            change.add_address(&new.address, id).await?;
            change.add_login(&new.address.to_string(), id).await?;
            for login in &new.logins {
                change.add_login(login, id).await?;
            }
            let entry = AccountEntry { address: new.address.to_string(), disabled: false };
            change.put(kind::ACCOUNT, &id.get().to_be_bytes(), &entry);
            let mut draft = Draft::create(&snapshot, &self.core.config.mail, id);
            add_mailboxes(&mut draft, now).await?;
            let token = self.core.token();
            draft.finish(token, &mut change.batch).await.map_err(stopped)?;
            let batch = change.end();
            if self.core.commit(batch, id, ModSeq::ZERO, token).await? {
                return Ok(id);
            }
        }
        Err(WriteError::Busy.into())
    }
}

async fn add_mailboxes<S: Snapshot>(draft: &mut Draft<'_, S>, now: UnixTime) -> Result<(), WriteError> {
    let inbox = MailboxName::inbox();
    draft.create_mailbox(&inbox, None, now).await.map_err(stopped)?;
    draft.subscribe(&inbox, true).await.map_err(stopped)?;
    for (name, special_use) in MAILBOXES {
        // The names are valid, as a test of the result shows.
        if let Ok(name) = MailboxName::new(name) {
            draft.create_mailbox(&name, Some(special_use), now).await.map_err(stopped)?;
            // Many clients show nothing else.
            draft.subscribe(&name, true).await.map_err(stopped)?;
        }
    }
    Ok(())
}

fn stopped(stop: Stop) -> WriteError {
    match stop {
        Stop::Read(error) => error.into(),
        Stop::Refused(_) => WriteError::Busy,
    }
}

impl<E: Engine + Blobs> Directory<E> {
    pub(super) fn core(&self) -> &Arc<Core<E>> {
        &self.store.core
    }

    pub(super) fn config(&self) -> &DirectoryConfig {
        &self.store.core.config.directory
    }

    /// Reads the header, which the change will expect and rewrite.
    async fn begin<'s, S: Snapshot>(&self, snapshot: &'s S) -> Result<Change<'s, S>, ReadError> {
        let key = key::directory(kind::HEADER, &[]);
        let found = snapshot.get(&key).await?;
        let header = match &found {
            Some(value) => HeaderRow::open(&key, value)?,
            None => HeaderRow {
                revision: 0,
                next_account: 1,
                decoy: self.core().entropy.next(),
                postmaster: None,
            },
        };
        let batch = Batch { expect: Vec::from([(key, found)]), ..Batch::default() };
        Ok(Change { snapshot, header, batch })
    }

    /// Commits `change`; `false` if somebody else changed the directory meanwhile.
    async fn commit(&self, batch: Batch) -> Result<bool, WriteError> {
        match self.core().engine.commit(batch).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a domain local.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn add_domain(&self, domain: &Domain) -> Result<(), DirectoryError> {
        for _ in 0..self.attempts() {
            let snapshot = self.core().engine.snapshot().await?;
            let mut change = self.begin(&snapshot).await?;
            let row = DomainRow { name: domain.to_string() };
            change.put(kind::DOMAIN, domain_key(domain).as_bytes(), &row);
            if self.commit(change.end()).await? {
                return Ok(());
            }
        }
        Err(WriteError::Busy.into())
    }

    /// Whether mail for `domain` is delivered here.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn is_local(&self, domain: &Domain) -> Result<bool, ReadError> {
        let snapshot = self.core().engine.snapshot().await?;
        let row: Option<DomainRow> = get(&snapshot, kind::DOMAIN, domain_key(domain).as_bytes()).await?;
        Ok(row.is_some())
    }

    /// The local domains, as they were given.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn domains(&self) -> Result<Vec<String>, ReadError> {
        let all = self.all::<DomainRow>(kind::DOMAIN).await?;
        Ok(all.into_iter().map(|(_, row)| row.name).collect())
    }

    /// Gives an account another address; mail for it comes to the account, and it may send from it.
    ///
    /// # Errors
    /// If the address is taken, or its domain is not local.
    pub async fn add_address(&self, account: AccountId, address: &Mailbox) -> Result<(), DirectoryError> {
        for _ in 0..self.attempts() {
            let snapshot = self.core().engine.snapshot().await?;
            let mut change = self.begin(&snapshot).await?;
            let entry: Option<AccountEntry> = change.get(kind::ACCOUNT, &account.get().to_be_bytes()).await?;
            entry.ok_or(DirectoryError::NoSuchAccount(account))?;
            change.add_address(address, account).await?;
            if self.commit(change.end()).await? {
                return Ok(());
            }
        }
        Err(WriteError::Busy.into())
    }

    /// Makes mail for `from` go to `targets` instead, local or not. An account whose address it is gets a
    /// copy only if `from` is among the targets. An address with a detail (`user+detail`) stays that of the
    /// account `user`, if there is one.
    ///
    /// # Errors
    /// If there is no target or too many, one names a file or a program, or `from` is not local.
    pub async fn set_alias(&self, from: &Mailbox, targets: &[Mailbox]) -> Result<(), DirectoryError> {
        let name = address_key(from);
        self.set_targets(from.domain(), name, from.to_string(), targets).await
    }

    /// Makes mail for everybody in `domain` who does not exist go to `targets`.
    ///
    /// # Errors
    /// As for [`Self::set_alias`].
    pub async fn set_catch_all(&self, domain: &Domain, targets: &[Mailbox]) -> Result<(), DirectoryError> {
        let name = catch_all_key(domain);
        self.set_targets(domain, name.clone(), name, targets).await
    }

    async fn set_targets(
        &self,
        domain: &Domain,
        name: String,
        shown: String,
        targets: &[Mailbox],
    ) -> Result<(), DirectoryError> {
        if targets.is_empty() || targets.len() > self.config().alias_targets {
            return Err(DirectoryError::Target(alloc::format!("{shown} has {} targets", targets.len())));
        }
        for target in targets {
            let local_part = target.local_part().as_str();
            if local_part.starts_with(['|', '/']) || local_part.starts_with(":include:") {
                return Err(DirectoryError::Target(target.to_string()));
            }
        }
        for _ in 0..self.attempts() {
            let snapshot = self.core().engine.snapshot().await?;
            let mut change = self.begin(&snapshot).await?;
            let domain = domain_key(domain);
            let local: Option<DomainRow> = change.get(kind::DOMAIN, domain.as_bytes()).await?;
            local.ok_or_else(|| DirectoryError::NotLocal(shown.clone()))?;
            let mut row: AddressRow = change.get(kind::ADDRESS, name.as_bytes()).await?.unwrap_or_default();
            row.targets = targets.iter().map(Mailbox::to_string).collect();
            change.put(kind::ADDRESS, name.as_bytes(), &row);
            if self.commit(change.end()).await? {
                return Ok(());
            }
        }
        Err(WriteError::Busy.into())
    }

    /// Sets where `postmaster` goes, bare or in any local domain, that has no entry of its own.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn set_postmaster(&self, address: &Mailbox) -> Result<(), DirectoryError> {
        for _ in 0..self.attempts() {
            let snapshot = self.core().engine.snapshot().await?;
            let mut change = self.begin(&snapshot).await?;
            change.header.postmaster = Some(address.to_string());
            if self.commit(change.end()).await? {
                return Ok(());
            }
        }
        Err(WriteError::Busy.into())
    }

    /// Makes an account unable to log in and to receive, or able again. To the outside it looks as if it
    /// did not exist.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn set_disabled(&self, account: AccountId, disabled: bool) -> Result<(), DirectoryError> {
        let name = account.get().to_be_bytes();
        for _ in 0..self.attempts() {
            let snapshot = self.core().engine.snapshot().await?;
            let mut change = self.begin(&snapshot).await?;
            let entry: Option<AccountEntry> = change.get(kind::ACCOUNT, &name).await?;
            let entry = entry.ok_or(DirectoryError::NoSuchAccount(account))?;
            change.put(kind::ACCOUNT, &name, &AccountEntry { disabled, ..entry });
            if self.commit(change.end()).await? {
                return Ok(());
            }
        }
        Err(WriteError::Busy.into())
    }

    /// The account that a log-in name means, disabled or not.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn find_account(&self, login: &str) -> Result<Option<AccountId>, ReadError> {
        let snapshot = self.core().engine.snapshot().await?;
        let row: Option<LoginRow> = get(&snapshot, kind::LOGIN, login_key(login).as_bytes()).await?;
        Ok(row.map(|LoginRow(account)| account))
    }

    /// What is known of an account.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn account(&self, id: AccountId) -> Result<Option<AccountInfo>, ReadError> {
        let snapshot = self.core().engine.snapshot().await?;
        let entry: Option<AccountEntry> = get(&snapshot, kind::ACCOUNT, &id.get().to_be_bytes()).await?;
        Ok(entry.and_then(|entry| info(id, &entry)))
    }

    /// Every account.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn accounts(&self) -> Result<Vec<AccountInfo>, ReadError> {
        let all = self.all::<AccountEntry>(kind::ACCOUNT).await?;
        let id = |key: &Bytes| Some(AccountId::new(u64::from_be_bytes(*key.last_chunk::<8>()?)));
        Ok(all.iter().filter_map(|(key, entry)| info(id(key)?, entry)).collect())
    }

    async fn all<R: Record>(&self, kind: u8) -> Result<Vec<(Bytes, R)>, ReadError> {
        let snapshot = self.core().engine.snapshot().await?;
        let rows = rows(&snapshot, key::below(key::directory(kind, &[]))).await?;
        rows.into_iter().map(|(key, value)| Ok((key.clone(), R::open(&key, &value)?))).collect()
    }

    fn attempts(&self) -> usize {
        self.store.core.config.mail.commit_attempts.max(1)
    }
}

impl<S> Change<'_, S> {
    /// The batch, with the header raised.
    fn end(mut self) -> Batch {
        self.header.revision += 1;
        self.batch.ops.push(Op::Put(key::directory(kind::HEADER, &[]), self.header.seal()));
        self.batch
    }
}

fn info(id: AccountId, entry: &AccountEntry) -> Option<AccountInfo> {
    Some(AccountInfo { id, address: entry.address.parse().ok()?, disabled: entry.disabled })
}

#[cfg(feature = "argon2")]
impl<E: Engine + Blobs> Directory<E> {
    /// Prepares to hash a new password; run the job where it hurts nobody, then
    /// [`set_credentials`](Self::set_credentials).
    ///
    /// # Errors
    /// If no log-in could carry the password.
    pub fn password_job(&self, password: &Secret) -> Result<super::PasswordJob, super::PasswordError> {
        super::PasswordJob::new(password, self.config().password, self.core().entropy.next())
    }

    /// Sets what is kept of the password of an account: hash and SCRAM keys in one commit.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn set_credentials(
        &self,
        account: AccountId,
        credentials: super::Credentials,
    ) -> Result<(), DirectoryError> {
        let name = account.get().to_be_bytes();
        for _ in 0..self.attempts() {
            let snapshot = self.core().engine.snapshot().await?;
            let mut change = self.begin(&snapshot).await?;
            let entry: Option<AccountEntry> = change.get(kind::ACCOUNT, &name).await?;
            entry.ok_or(DirectoryError::NoSuchAccount(account))?;
            change.put(kind::CREDENTIALS, &name, &credentials.0);
            if self.commit(change.end()).await? {
                return Ok(());
            }
        }
        Err(WriteError::Busy.into())
    }

    /// The SCRAM keys for a log-in name and a hash function. For a name that nobody has, and for an account without
    /// keys of that kind, keys that no password fits and that never change.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn scram_keys(
        &self,
        login: &str,
        hash: mailwright_sasl::ScramHash,
    ) -> Result<mailwright_sasl::ScramKeys, ReadError> {
        let snapshot = self.core().engine.snapshot().await?;
        let name = login_key(login);
        let account: Option<LoginRow> = get(&snapshot, kind::LOGIN, name.as_bytes()).await?;
        let number = account.map_or(0, |LoginRow(account)| account.get()).to_be_bytes();
        let entry: Option<AccountEntry> = get(&snapshot, kind::ACCOUNT, &number).await?;
        let row: Option<super::row::CredentialsRow> = get(&snapshot, kind::CREDENTIALS, &number).await?;
        let keys = row.and_then(|row| row.scram(hash)).filter(|_| entry.is_some_and(|entry| !entry.disabled));
        let header: Option<HeaderRow> = get(&snapshot, kind::HEADER, &[]).await?;
        let secret = header.map_or([0; 32], |header| header.decoy);
        let iterations = self.config().password.scram_iterations;
        Ok(keys.unwrap_or_else(|| super::password::decoy_keys(secret, &name, hash, iterations)))
    }
}
