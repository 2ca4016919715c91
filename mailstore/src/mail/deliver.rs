//! One message to several accounts in one commit.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use mailwright_core::value::{ModSeq, UnixTime};

use super::commit::{Attempt, Core, Outcome, Request, keep_appended, play_work};
use super::draft::{Draft, INBOX, Stop};
use super::store::Store;
use crate::account::{Append, Applied, Intent, Refusal, Work, WriteError};
use crate::engine::{Batch, Blobs, Engine};
use crate::identifier::AccountId;

/// A copy of a message for the INBOX of one account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Copy {
    /// Whose.
    pub account: AccountId,
    /// What; several copies may share one upload.
    pub append: Append,
}

impl Copy {
    /// `append` for `account`.
    #[must_use]
    pub const fn new(account: AccountId, append: Append) -> Self {
        Self { account, append }
    }
}

impl<E: Engine + Blobs> Store<E> {
    /// Puts copies into the INBOXes of their accounts, all in one commit. A copy that is refused drops out
    /// with its result, the others are stored together. The results stand in the order of the copies.
    ///
    /// # Errors
    /// If nothing was stored, or nothing is known.
    pub async fn deliver(&self, copies: Vec<Copy>, now: UnixTime) -> Result<Vec<Applied>, WriteError> {
        let mut works: BTreeMap<AccountId, Work> = BTreeMap::new();
        let mut order = Vec::with_capacity(copies.len());
        for copy in copies {
            let work = works.entry(copy.account).or_insert_with(|| Work::new(Vec::new(), now));
            order.push((copy.account, work.intents.len()));
            work.intents.push(Intent::Append(copy.append));
        }
        if works.len() > self.core.limits().accounts_per_delivery {
            return Err(WriteError::Busy);
        }
        let results = match works.pop_first() {
            None => return Ok(Vec::new()),
            Some((account, work)) if works.is_empty() => {
                let applied = self.apply_to(account, work).await?;
                BTreeMap::from([(account, applied)])
            }
            Some((account, work)) => {
                works.insert(account, work);
                let accounts: Vec<AccountId> = works.keys().copied().collect();
                self.exclusively(&accounts, self.core.commit_works(&works)).await?
            }
        };
        let result = |(account, index): &(AccountId, usize)| {
            let applied = results.get(account).and_then(|applied| applied.get(*index)).cloned();
            applied.unwrap_or(Applied::Refused(Refusal::NoSuchMailbox))
        };
        Ok(order.iter().map(result).collect())
    }

    async fn apply_to(&self, account: AccountId, work: Work) -> Result<Vec<Applied>, WriteError> {
        match self.submit(account, Request::Work(INBOX, work)).await? {
            Outcome::Applied(applied) => Ok(applied),
            Outcome::NoAccount | Outcome::Tree(_) | Outcome::Done => Ok(Vec::new()),
        }
    }
}

type Results = BTreeMap<AccountId, Vec<Applied>>;

impl<E: Engine + Blobs> Core<E> {
    /// Commits the works of several accounts in one batch. Their lanes must be held.
    async fn commit_works(&self, works: &BTreeMap<AccountId, Work>) -> Result<Results, WriteError> {
        for _ in 0..self.limits().commit_attempts.max(1) {
            match self.attempt_works(works).await {
                Ok(Attempt::Done(results)) => {
                    for (account, applied) in &results {
                        if let Some(work) = works.get(account) {
                            keep_appended(work, applied);
                        }
                    }
                    return Ok(results);
                }
                Ok(Attempt::Again) => {}
                Err(error) => {
                    if matches!(error, WriteError::Unknown) {
                        for intent in works.values().flat_map(|work| &work.intents) {
                            if let Intent::Append(append) = intent {
                                append.uploaded.keep();
                            }
                        }
                    }
                    return Err(error);
                }
            }
        }
        Err(WriteError::Busy)
    }

    async fn attempt_works(&self, works: &BTreeMap<AccountId, Work>) -> Result<Attempt<Results>, WriteError> {
        let snapshot = self.engine.snapshot().await?;
        let token = self.token();
        let mut batch = Batch::default();
        let mut results = Results::new();
        let mut named: Option<(AccountId, ModSeq)> = None;
        for (account, work) in works {
            let refused = |refusal: &Refusal| -> Vec<Applied> {
                work.intents.iter().map(|_| Applied::Refused(refusal.clone())).collect()
            };
            let Some(mut draft) = Draft::load(&snapshot, self.limits(), *account).await? else {
                results.insert(*account, refused(&Refusal::NoSuchMailbox));
                continue;
            };
            let before = draft.mod_seq();
            let applied = match play_work(&mut draft, INBOX, work).await {
                Ok(applied) => applied,
                Err(Ok(refused)) => {
                    results.insert(*account, refused);
                    continue;
                }
                Err(Err(error)) => return Err(error.into()),
            };
            match draft.finish(token, &mut batch).await {
                Ok(changed) => {
                    if changed && named.is_none() {
                        named = Some((*account, before));
                    }
                    results.insert(*account, applied);
                }
                Err(Stop::Refused(refusal)) => {
                    results.insert(*account, refused(&refusal));
                }
                Err(Stop::Read(error)) => return Err(error.into()),
            }
        }
        drop(snapshot);
        let distinct: BTreeSet<_> = batch.blobs.drain(..).collect();
        batch.blobs.extend(distinct);
        let Some((account, before)) = named else { return Ok(Attempt::Done(results)) };
        // The same token stands in every log: one of them tells for all.
        if self.commit(batch, account, before, token).await? {
            Ok(Attempt::Done(results))
        } else {
            Ok(Attempt::Again)
        }
    }
}
