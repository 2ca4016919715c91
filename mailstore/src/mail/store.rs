//! [`Store`]: the mail logic over an engine.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::account::StoreAccount;
use super::commit::{Core, Lanes, Outcome, Request};
use super::config::StoreConfig;
use super::key;
use super::lane::Lane;
use super::pin::Pins;
use super::record::{Record as _, counter};
use super::row::{AccountRow, StoreRow};
use crate::account::{Columns, LeaseTable, WriteError};
use crate::engine::{Batch, Blobs, CommitError, Engine, Op, ReadError, Snapshot as _};
use crate::identifier::{AccountId, MailboxId};

/// Accounts, mailboxes and messages over an [`Engine`].
///
/// `Clone` gives another handle on the same store. A program has one store per engine: lanes, leases and
/// pins are its own.
pub struct Store<E> {
    pub(crate) core: Arc<Core<E>>,
    lanes: Arc<Lanes>,
}

impl<E> Clone for Store<E> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), lanes: Arc::clone(&self.lanes) }
    }
}

impl<E> fmt::Debug for Store<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// What an account holds and may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaUsage {
    /// Octets of its messages.
    pub octets: u64,
    /// Its messages.
    pub messages: u64,
    /// The most octets, if limited.
    pub octets_limit: Option<u64>,
    /// The most messages, if limited.
    pub messages_limit: Option<u64>,
}

impl QuotaUsage {
    /// Whether another message of `octets` fits.
    #[must_use]
    pub fn fits(&self, octets: u64) -> bool {
        self.octets_limit.is_none_or(|limit| self.octets.saturating_add(octets) <= limit)
            && self.messages_limit.is_none_or(|limit| self.messages < limit)
    }
}

impl<E: Engine + Blobs> Store<E> {
    /// Opens the store in `engine`, and makes it if there is none. `entropy` must be 32 octets that nobody
    /// can guess, new at each start: salts and names of commits are made from it.
    ///
    /// # Errors
    /// If the engine fails, or the store was written by a later version.
    pub async fn open(engine: E, config: StoreConfig, entropy: [u8; 32]) -> Result<Self, WriteError> {
        let core = Core {
            #[cfg(feature = "argon2")]
            directory_hashes: crate::directory::HashGate::new(&config.directory),
            engine,
            config,
            entropy: Entropy::new(entropy),
            #[cfg(feature = "queue")]
            spool: crate::queue::Spool::default(),
            pins: Pins::default(),
            leases: LeaseTable::new(),
            orphans: Mutex::new(Vec::new()),
            doubtful: Mutex::new(Vec::new()),
            uploaded: Mutex::new(BTreeSet::new()),
            columns: Mutex::new(HashMap::new()),
        };
        let key = key::store();
        let snapshot = core.engine.snapshot().await?;
        match snapshot.get(&key).await? {
            Some(value) => {
                StoreRow::open(&key, &value)?;
            }
            None => {
                let [id, _] = core.entropy.halves();
                let row = StoreRow { id, unclean_ends: 0 };
                let batch = Batch {
                    expect: Vec::from([(key.clone(), None)]),
                    ops: Vec::from([Op::Put(key, row.seal())]),
                    ..Batch::default()
                };
                match core.engine.commit(batch).await {
                    // Another process was faster: it is the same store.
                    Ok(()) | Err(CommitError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        drop(snapshot);
        Ok(Self { core: Arc::new(core), lanes: Arc::new(Lanes::default()) })
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &E {
        &self.core.engine
    }

    /// What was set when the store was opened.
    #[must_use]
    pub fn config(&self) -> &StoreConfig {
        &self.core.config
    }

    /// An account, as its owner sees it. That it exists is found out by using it.
    #[must_use]
    pub fn account(&self, id: AccountId) -> StoreAccount<E> {
        StoreAccount::new(self.clone(), id)
    }

    /// Sets what an account may hold; `None` = no limit. A limit below what it holds only stops growth.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn set_quota(
        &self,
        account: AccountId,
        octets: Option<u64>,
        messages: Option<u64>,
    ) -> Result<(), WriteError> {
        self.submit(account, Request::Quota { octets, messages }).await.map(drop)
    }

    /// What an account holds and may hold; `None` if there is no such account.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn quota(&self, account: AccountId) -> Result<Option<QuotaUsage>, ReadError> {
        let snapshot = self.core.engine.snapshot().await?;
        let key = key::account(account);
        let Some(value) = snapshot.get(&key).await? else { return Ok(None) };
        let row = AccountRow::open(&key, &value)?;
        let (storage, messages) = (key::quota_storage(account), key::quota_messages(account));
        let held = |value: i64| u64::try_from(value).unwrap_or(0);
        Ok(Some(QuotaUsage {
            octets: held(counter(&storage, snapshot.get(&storage).await?)?),
            messages: held(counter(&messages, snapshot.get(&messages).await?)?),
            octets_limit: row.storage_limit,
            messages_limit: row.message_limit,
        }))
    }

    /// Puts `request` into the lane of `account`.
    pub(crate) async fn submit(&self, account: AccountId, request: Request) -> Result<Outcome, WriteError> {
        let limits = &self.core.config.mail;
        let lane = self.lanes.get(account);
        lane.submit(request, limits.group_intents, limits.waiting_writers, |jobs| {
            Core::group(Arc::clone(&self.core), account, jobs)
        })
        .await
    }

    /// Runs `work` while no lane of `accounts` moves; they must ascend.
    pub(crate) async fn exclusively<T>(
        &self,
        accounts: &[AccountId],
        work: impl Future<Output = Result<T, WriteError>>,
    ) -> Result<T, WriteError> {
        let limits = &self.core.config.mail;
        let lanes: Vec<(AccountId, Arc<Lane<Request, Outcome>>)> =
            accounts.iter().map(|account| (*account, self.lanes.get(*account))).collect();
        let mut held = Vec::with_capacity(lanes.len());
        for (account, lane) in &lanes {
            let group = |jobs| Core::group(Arc::clone(&self.core), *account, jobs);
            held.push(lane.hold(limits.group_intents, limits.waiting_writers, group).await?);
        }
        work.await
    }
}

/// Numbers that nobody can guess, from a seed: HMAC-SHA-256 over a counter.
pub(crate) struct Entropy {
    seed: zeroize::Zeroizing<[u8; 32]>,
    used: AtomicU64,
}

impl Entropy {
    fn new(seed: [u8; 32]) -> Self {
        Self { seed: zeroize::Zeroizing::new(seed), used: AtomicU64::new(0) }
    }

    /// 32 octets that were not given before.
    pub(crate) fn next(&self) -> [u8; 32] {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        // A key of any length is fine for HMAC, so there is no other case.
        let Ok(mut mac) = <Hmac<Sha256> as hmac::digest::KeyInit>::new_from_slice(&*self.seed) else {
            return [0; 32];
        };
        mac.update(&number.to_be_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Two names of 128 bits.
    pub(crate) fn halves(&self) -> [[u8; 16]; 2] {
        let octets = self.next();
        let (mut one, mut other) = ([0; 16], [0; 16]);
        one.iter_mut().zip(octets.iter().take(16)).for_each(|(to, from)| *to = *from);
        other.iter_mut().zip(octets.iter().skip(16)).for_each(|(to, from)| *to = *from);
        [one, other]
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Columns that sessions share, as long as one of them lives.
pub(super) type ColumnCache = HashMap<(AccountId, MailboxId), Weak<Columns>>;
