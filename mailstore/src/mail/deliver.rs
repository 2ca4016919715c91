//! One message to several accounts in one commit.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use mailwright_core::value::{ModSeq, UnixTime};

use super::commit::{Attempt, Core, Outcome, Request};
use super::draft::{Draft, INBOX, Stop};
use super::store::Store;
use crate::account::{Append, Applied, Intent, Refusal, Uploaded, Work, WriteError};
use crate::engine::{Batch, Blobs, Engine};
use crate::identifier::AccountId;

/// Copies of a message, and who wants which of them.
///
/// Copies may share one upload. A plan, usually that of one recipient, is done whole or not at all; a copy
/// is stored if a plan that is done wants it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Delivery {
    /// What goes where: into the INBOX of each account.
    pub copies: Vec<(AccountId, Append)>,
    /// Indexes of copies; an index beyond the end is refused.
    pub plans: Vec<Vec<usize>>,
    /// Messages that are queued in the same commit, for the recipients whose plans are done.
    #[cfg(feature = "queue")]
    pub outbound: Vec<crate::queue::Outbound>,
    /// What else is done in the same commit, if every plan is.
    #[cfg(feature = "queue")]
    pub(crate) more: Batch,
}

impl Delivery {
    /// No copies.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a copy and gives its index.
    pub fn copy(&mut self, account: AccountId, append: Append) -> usize {
        self.copies.push((account, append));
        self.copies.len() - 1
    }
}

impl Delivery {
    /// Whether only copies are to be stored.
    fn is_local(&self) -> bool {
        #[cfg(feature = "queue")]
        let is_local = self.outbound.is_empty() && self.more.ops.is_empty();
        #[cfg(not(feature = "queue"))]
        let is_local = true;
        is_local
    }

    /// The octets that may become visible.
    fn uploads(&self) -> impl Iterator<Item = &Uploaded> {
        let copies = self.copies.iter().map(|(_, append)| &append.uploaded);
        #[cfg(feature = "queue")]
        let copies = copies.chain(self.outbound.iter().map(|outbound| &outbound.uploaded));
        copies
    }
}

/// What became of each plan.
type PlanResults = Vec<Result<(), Refusal>>;

impl<E: Engine + Blobs> Store<E> {
    /// Stores the copies of a message, everything in one commit. The results stand in the order of the
    /// plans: a refused plan drops out, the others are stored together.
    ///
    /// # Errors
    /// If nothing was stored, or nothing is known ([`WriteError::Unknown`]).
    pub async fn deliver(&self, delivery: &Delivery, now: UnixTime) -> Result<PlanResults, WriteError> {
        let accounts: BTreeSet<AccountId> = delivery.copies.iter().map(|(account, _)| *account).collect();
        if accounts.len() > self.core.limits().accounts_per_delivery {
            return Err(WriteError::Busy);
        }
        let count = delivery.copies.len();
        let wants_all = |plan: &Vec<usize>| {
            plan.iter().all(|copy| *copy < count) && (0..count).all(|copy| plan.contains(&copy))
        };
        let shared = !delivery.plans.is_empty() && delivery.plans.iter().all(wants_all);
        match accounts.first() {
            // The common case shares its commit with others for the same account.
            Some(account) if accounts.len() == 1 && shared && delivery.is_local() => {
                let intents = delivery.copies.iter().map(|(_, append)| Intent::Append(append.clone()));
                let work = Work::new(intents.collect(), now).all_or_nothing();
                let outcome = self.submit(*account, Request::Work(INBOX, work)).await?;
                let result = whole(outcome);
                Ok(delivery.plans.iter().map(|_| result.clone()).collect())
            }
            // A plan without copies is done; one that names a copy names none that there is.
            None if delivery.is_local() => Ok(delivery
                .plans
                .iter()
                .map(|plan| if plan.is_empty() { Ok(()) } else { Err(Refusal::NoSuchMailbox) })
                .collect()),
            _ => {
                let accounts: Vec<AccountId> = accounts.into_iter().collect();
                self.exclusively(&accounts, self.core.commit_delivery(delivery, now)).await
            }
        }
    }
}

/// A delivery whose outcome is not known yet. If it is dropped before it is, also because nobody waits any
/// more, the octets may be visible: they are kept, and `maintain` finds out.
struct Doubt<'d, E: Engine + Blobs> {
    core: &'d Core<E>,
    delivery: &'d Delivery,
}

impl<E: Engine + Blobs> Doubt<'_, E> {
    fn settled(self) {
        core::mem::forget(self);
    }
}

impl<E: Engine + Blobs> Drop for Doubt<'_, E> {
    fn drop(&mut self) {
        self.core.doubt_uploads(self.delivery.uploads());
    }
}

/// The result of work that was done whole or not at all.
fn whole(outcome: Outcome) -> Result<(), Refusal> {
    let Outcome::Applied(applied) = outcome else { return Err(Refusal::NoSuchMailbox) };
    let mut refusals = applied.into_iter().filter_map(|applied| match applied {
        Applied::Refused(refusal) => Some(refusal),
        _ => None,
    });
    // The cause, not those who were taken along.
    match refusals.find(|refusal| *refusal != Refusal::Aborted) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

impl<E: Engine + Blobs> Core<E> {
    /// Commits a delivery. The lanes of its accounts must be held.
    async fn commit_delivery(&self, delivery: &Delivery, now: UnixTime) -> Result<PlanResults, WriteError> {
        let doubt = Doubt { core: self, delivery };
        for _ in 0..self.limits().commit_attempts.max(1) {
            match self.attempt_delivery(delivery, now).await {
                Ok(Attempt::Again) => {}
                Ok(Attempt::Done((results, stored))) => {
                    doubt.settled();
                    let kept = stored.iter().filter_map(|copy| delivery.copies.get(*copy));
                    kept.for_each(|(_, append)| append.uploaded.keep());
                    return Ok(results);
                }
                Err(WriteError::Unknown) => return Err(WriteError::Unknown),
                Err(error) => {
                    doubt.settled();
                    return Err(error);
                }
            }
        }
        doubt.settled();
        Err(WriteError::Busy)
    }

    async fn attempt_delivery(
        &self,
        delivery: &Delivery,
        now: UnixTime,
    ) -> Result<Attempt<(PlanResults, BTreeSet<usize>)>, WriteError> {
        let snapshot = self.engine.snapshot().await?;
        let token = self.token();
        let mut results: PlanResults = delivery.plans.iter().map(|_| Ok(())).collect();
        loop {
            // The copies that a plan wants which is not refused so far.
            let open = delivery.plans.iter().zip(&results).filter(|(_, result)| result.is_ok());
            let wanted: BTreeSet<usize> = open.flat_map(|(plan, _)| plan).copied().collect();
            let mut refused: BTreeMap<usize, Refusal> = BTreeMap::new();
            let mut drafts = BTreeMap::new();
            for copy in &wanted {
                let Some((account, append)) = delivery.copies.get(*copy) else {
                    refused.insert(*copy, Refusal::NoSuchMailbox);
                    continue;
                };
                if !drafts.contains_key(account) {
                    drafts.insert(*account, Draft::load(&snapshot, self.limits(), *account).await?);
                }
                let refusal = match drafts.get_mut(account) {
                    Some(Some(draft)) => {
                        match draft.play(INBOX, &Intent::Append(append.clone()), now).await {
                            Ok(_) => continue,
                            Err(Stop::Read(error)) => return Err(error.into()),
                            Err(Stop::Refused(refusal)) => refusal,
                        }
                    }
                    _ => Refusal::NoSuchMailbox,
                };
                refused.insert(*copy, refusal);
            }
            for (plan, result) in delivery.plans.iter().zip(&mut results).filter(|(_, result)| result.is_ok())
            {
                if let Some(refusal) = plan.iter().find_map(|copy| refused.get(copy)) {
                    *result = Err(refusal.clone());
                }
            }
            let open = delivery.plans.iter().zip(&results).filter(|(_, result)| result.is_ok());
            let stored: BTreeSet<usize> = open.flat_map(|(plan, _)| plan).copied().collect();
            if wanted.iter().any(|copy| !stored.contains(copy) && !refused.contains_key(copy)) {
                // A copy was planned that nobody wants any more: plan without it.
                continue;
            }
            let mut batch = Batch::default();
            let mut named: Option<(AccountId, ModSeq)> = None;
            for (account, draft) in drafts.into_iter().filter_map(|(account, draft)| Some((account, draft?)))
            {
                let before = draft.before();
                let changed = match draft.finish(token, &mut batch).await {
                    Ok(changed) => changed,
                    Err(Stop::Read(error)) => return Err(error.into()),
                    Err(Stop::Refused(_)) => return Err(WriteError::Busy),
                };
                if changed && named.is_none() {
                    named = Some((account, before));
                }
            }
            drop(snapshot);
            #[cfg(feature = "queue")]
            let accepted = self.add_queued(delivery, &results, token, now, &mut batch);
            let distinct: BTreeSet<_> = batch.blobs.drain(..).collect();
            batch.blobs.extend(distinct);
            #[cfg(feature = "queue")]
            let watch = self.watch(&accepted);
            let done = match named {
                // The same token stands in every log: one of them tells for all.
                Some((account, before)) => self.commit(batch, account, before, token).await,
                #[cfg(feature = "queue")]
                None if !batch.ops.is_empty() => self.commit_queued(batch, accepted.first()).await,
                None => Ok(true),
            };
            #[cfg(feature = "queue")]
            if !matches!(done, Err(WriteError::Unknown)) {
                watch.settled();
            }
            if !done? {
                return Ok(Attempt::Again);
            }
            #[cfg(feature = "queue")]
            for accepted in accepted {
                accepted.uploaded.keep();
                self.queued(accepted);
            }
            return Ok(Attempt::Done((results, stored)));
        }
    }

    /// Adds what is queued, and what is done with all plans.
    #[cfg(feature = "queue")]
    fn add_queued(
        &self,
        delivery: &Delivery,
        results: &PlanResults,
        token: [u8; 16],
        now: UnixTime,
        batch: &mut Batch,
    ) -> Vec<crate::queue::Accepted> {
        if results.iter().all(Result::is_ok) {
            batch.expect.extend(delivery.more.expect.iter().cloned());
            batch.ops.extend(delivery.more.ops.iter().cloned());
        }
        let done = |plan: usize| results.get(plan).is_some_and(Result::is_ok);
        let each = |outbound| self.queue(outbound, done, token, now, batch);
        delivery.outbound.iter().filter_map(each).collect()
    }
}
