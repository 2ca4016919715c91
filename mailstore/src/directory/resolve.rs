//! From an address to where its mail goes: accounts, details, aliases, postmaster, catch-all.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use mailwright_core::value::{ForwardPath, Mailbox};

use super::admin::{Directory, get};
use super::name::{address_key, catch_all_key, domain_key, join, split_detail};
use super::row::{AccountEntry, AddressRow, DomainRow, HeaderRow, kind};
use crate::engine::{Blobs, Engine, ReadError, Snapshot};
use crate::identifier::AccountId;
use crate::mail::key;
use crate::mail::record::Record as _;

/// Where mail for an address goes. Never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// Accounts here.
    pub local: Vec<LocalTarget>,
    /// Addresses elsewhere.
    pub external: Vec<Mailbox>,
    /// An alias led back to itself; that way was cut.
    pub loops: bool,
}

/// An account that gets a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalTarget {
    /// Which.
    pub account: AccountId,
    /// The final address.
    pub address: Mailbox,
    /// What stood behind the delimiter in its local part, in its own case.
    pub detail: Option<String>,
}

/// Why mail for an address goes nowhere.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unresolved {
    /// Its domain is not local: mail for it would be relayed.
    #[error("not a local domain")]
    NotLocal,
    /// Nobody has it, or the account is disabled.
    #[error("no such user")]
    Unknown,
    /// It stands for an address that does not exist.
    #[error("the alias stands for {0}, which does not exist")]
    DeadTarget(Mailbox),
    /// It stands for nothing but itself.
    #[error("the alias leads to itself")]
    Loop,
    /// It stands for more addresses, or through more aliases, than allowed.
    #[error("the alias stands for too many addresses")]
    TooMany,
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// An address on the way.
struct Step {
    mailbox: Mailbox,
    /// The step that named it.
    from: Option<usize>,
    depth: usize,
    /// Its key once it was expanded.
    key: Option<String>,
}

/// What an address is by itself.
enum Meaning {
    /// An entry, and the detail that was cut off to find it.
    Entry(AddressRow, Option<String>, String),
    /// These, because nobody has the address.
    CatchAll(AddressRow, String),
    External,
    Unknown,
}

impl<E: Engine + Blobs> Directory<E> {
    /// Where mail for `path` goes.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub async fn resolve(&self, path: &ForwardPath) -> Result<Resolved, Unresolved> {
        let snapshot = self.core().engine.snapshot().await?;
        match path {
            ForwardPath::Mailbox(mailbox) => {
                let resolved = self.expand(&snapshot, mailbox, true).await;
                let postmaster = mailbox.local_part().as_str().eq_ignore_ascii_case("postmaster");
                match resolved {
                    Err(Unresolved::NotLocal | Unresolved::Read(_)) | Ok(_) => resolved,
                    Err(_) if postmaster => self.first_account(&snapshot).await,
                    Err(_) => resolved,
                }
            }
            // RFC 5321 §4.5.1: <Postmaster> without a domain is always accepted.
            ForwardPath::Postmaster => match self.postmaster(&snapshot).await? {
                Some(postmaster) => match self.expand(&snapshot, &postmaster, true).await {
                    Err(Unresolved::Read(error)) => Err(error.into()),
                    Err(_) => self.first_account(&snapshot).await,
                    resolved => resolved,
                },
                None => self.first_account(&snapshot).await,
            },
        }
    }

    /// RFC 5321 §4.5.1: mail for a postmaster whose entry leads nowhere still has to reach somebody.
    async fn first_account<S: Snapshot>(&self, snapshot: &S) -> Result<Resolved, Unresolved> {
        let (account, address) = first_account(snapshot).await?.ok_or(Unresolved::Unknown)?;
        let target = LocalTarget { account, address, detail: None };
        Ok(Resolved { local: Vec::from([target]), ..Resolved::default() })
    }

    /// Whether `account` may send from `mailbox`: it is its address, with a detail or without, or mail for it
    /// comes to the account other than through a catch-all.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn owns(&self, account: AccountId, mailbox: &Mailbox) -> Result<bool, ReadError> {
        let snapshot = self.core().engine.snapshot().await?;
        // An alias may send the mail for the account's own address elsewhere; it stays the account's.
        if let Meaning::Entry(row, ..) = self.meaning(&snapshot, mailbox, false).await?
            && row.account == Some(account)
        {
            return self.is_enabled(&snapshot, account).await;
        }
        match self.expand(&snapshot, mailbox, false).await {
            Ok(resolved) => Ok(resolved.local.iter().any(|target| target.account == account)),
            Err(Unresolved::Read(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    async fn expand<S: Snapshot>(
        &self,
        snapshot: &S,
        mailbox: &Mailbox,
        catch_all: bool,
    ) -> Result<Resolved, Unresolved> {
        let config = self.config();
        let mut result = Resolved::default();
        let mut steps = Vec::from([Step { mailbox: mailbox.clone(), from: None, depth: 0, key: None }]);
        let mut waiting = VecDeque::from([0]);
        // Keys of addresses that were expanded, with the step that did it.
        let mut expanded: BTreeMap<String, usize> = BTreeMap::new();
        while let Some(index) = waiting.pop_front() {
            let Some(Step { mailbox, from, depth, .. }) = steps.get(index) else { continue };
            let (mailbox, from, depth) = (mailbox.clone(), *from, *depth);
            let (row, detail, key) = match self.meaning(snapshot, &mailbox, catch_all).await? {
                Meaning::External if from.is_none() => return Err(Unresolved::NotLocal),
                Meaning::External => {
                    if !result.external.contains(&mailbox) {
                        result.external.push(mailbox);
                    }
                    continue;
                }
                Meaning::Unknown if from.is_none() => return Err(Unresolved::Unknown),
                Meaning::Unknown => return Err(Unresolved::DeadTarget(mailbox)),
                Meaning::Entry(row, detail, key) => (row, detail, key),
                Meaning::CatchAll(row, key) => (row, None, key),
            };
            let back = ancestor(&steps, index, &key);
            if row.targets.is_empty() || (back && row.account.is_some()) {
                // An account, or an address among its own targets: a local copy.
                let Some(account) = row.account else { continue };
                if !self.is_enabled(snapshot, account).await? {
                    match from {
                        None => return Err(Unresolved::Unknown),
                        Some(_) => return Err(Unresolved::DeadTarget(mailbox)),
                    }
                }
                let target = LocalTarget { account, address: mailbox, detail };
                let same = |other: &LocalTarget| (other.account, &other.detail) == (account, &target.detail);
                if !result.local.iter().any(same) {
                    result.local.push(target);
                }
            } else if back {
                result.loops = true;
            } else if expanded.insert(key.clone(), index).is_none() {
                if depth >= config.alias_depth || steps.len() + row.targets.len() > config.alias_targets + 1 {
                    return Err(Unresolved::TooMany);
                }
                if let Some(step) = steps.get_mut(index) {
                    step.key = Some(key);
                }
                for target in row.targets {
                    let mailbox = target
                        .parse()
                        .map_err(|_| crate::mail::record::corrupt("target of an alias", target.as_bytes()))?;
                    waiting.push_back(steps.len());
                    steps.push(Step { mailbox, from: Some(index), depth: depth + 1, key: None });
                }
            }
        }
        if result.local.is_empty() && result.external.is_empty() {
            return Err(Unresolved::Loop);
        }
        Ok(result)
    }

    /// What `mailbox` is: an account's address, one with a detail, an alias, one with a detail, postmaster,
    /// catch-all.
    async fn meaning<S: Snapshot>(
        &self,
        snapshot: &S,
        mailbox: &Mailbox,
        catch_all: bool,
    ) -> Result<Meaning, ReadError> {
        let domain = mailbox.domain();
        let local: Option<DomainRow> = get(snapshot, kind::DOMAIN, domain_key(domain).as_bytes()).await?;
        if local.is_none() {
            return Ok(Meaning::External);
        }
        let local_part = mailbox.local_part().as_str();
        let exact = address_key(mailbox);
        let whole = entry(snapshot, &exact).await?;
        let detailed = match split_detail(local_part, self.config().detail_delimiter) {
            Some((user, detail)) if whole.as_ref().is_none_or(|row| row.account.is_none()) => {
                let key = join(user, domain);
                entry(snapshot, &key).await?.map(|row| (row, detail, key))
            }
            _ => None,
        };
        match (whole, detailed) {
            (Some(row), None) => return Ok(Meaning::Entry(row, None, exact)),
            // What an alias says does not take away what belongs to an account.
            (Some(row), Some((user, ..))) if user.account.is_none() => {
                return Ok(Meaning::Entry(row, None, exact));
            }
            (_, Some((row, detail, key))) => return Ok(Meaning::Entry(row, Some(detail.to_owned()), key)),
            (None, None) => {}
        }
        // RFC 5321 §4.5.1: postmaster at every local domain, in any case.
        if local_part.eq_ignore_ascii_case("postmaster")
            && let Some(postmaster) = self.postmaster(snapshot).await?
        {
            let row = AddressRow { account: None, targets: Vec::from([postmaster.to_string()]) };
            return Ok(Meaning::Entry(row, None, exact));
        }
        let key = catch_all_key(domain);
        if catch_all && let Some(row) = entry(snapshot, &key).await? {
            return Ok(Meaning::CatchAll(row, key));
        }
        Ok(Meaning::Unknown)
    }

    /// The configured postmaster, else the first account.
    async fn postmaster<S: Snapshot>(&self, snapshot: &S) -> Result<Option<Mailbox>, ReadError> {
        let header: Option<HeaderRow> = get(snapshot, kind::HEADER, &[]).await?;
        if let Some(address) = header.and_then(|header| header.postmaster) {
            return Ok(address.parse().ok());
        }
        Ok(first_account(snapshot).await?.map(|(_, address)| address))
    }

    async fn is_enabled<S: Snapshot>(&self, snapshot: &S, account: AccountId) -> Result<bool, ReadError> {
        let entry: Option<AccountEntry> = get(snapshot, kind::ACCOUNT, &account.get().to_be_bytes()).await?;
        Ok(entry.is_some_and(|entry| !entry.disabled))
    }
}

async fn entry<S: Snapshot>(snapshot: &S, key: &str) -> Result<Option<AddressRow>, ReadError> {
    get(snapshot, kind::ADDRESS, key.as_bytes()).await
}

/// The first account that is not disabled, and its address.
async fn first_account<S: Snapshot>(snapshot: &S) -> Result<Option<(AccountId, Mailbox)>, ReadError> {
    let range = key::below(key::directory(kind::ACCOUNT, &[]));
    let mut found = Ok(None);
    snapshot
        .scan(&range.start..&range.end, false, &mut |key, value| {
            let account = key.last_chunk::<8>().map(|id| AccountId::new(u64::from_be_bytes(*id)));
            let entry = AccountEntry::open(key, value);
            found = entry.map(|entry| {
                let address = entry.address.parse().ok().filter(|_| !entry.disabled);
                account.zip(address)
            });
            if matches!(found, Ok(None)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await?;
    found
}

/// Whether a step on the way to `index` expanded `key`.
fn ancestor(steps: &[Step], index: usize, key: &str) -> bool {
    let mut at = steps.get(index).and_then(|step| step.from);
    while let Some(step) = at.and_then(|at| steps.get(at)) {
        if step.key.as_deref() == Some(key) {
            return true;
        }
        at = step.from;
    }
    false
}
