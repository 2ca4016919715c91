//! Commits: what a lane's group becomes, and how its outcome is found out.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::HashMap;
use std::sync::Mutex;

use mailwright_core::value::ModSeq;

use super::config::{MailLimits, StoreConfig};
use super::draft::{Draft, Stop, open_account};
use super::key;
use super::lane::{GroupFuture, Job, Lane};
use super::pin::Pins;
use super::record::Record as _;
use super::row::LogRow;
use super::store::{ColumnCache, Entropy, lock};
use crate::account::{
    Append, Applied, Intent, LeaseTable, Refusal, TreeChange, TreeOutcome, Uploaded, Work, WriteError,
};
#[cfg(feature = "argon2")]
use crate::directory::HashGate;
use crate::engine::{Batch, Blobs, CommitError, Durability, Engine, Op, ReadError, Snapshot};
use crate::identifier::{AccountId, BlobId, MailboxId};

/// What is shared by the handles of a store, but for the lanes.
pub(crate) struct Core<E> {
    pub(crate) engine: E,
    pub(crate) config: StoreConfig,
    pub(crate) entropy: Entropy,
    #[cfg(feature = "argon2")]
    pub(crate) directory_hashes: HashGate,
    #[cfg(feature = "queue")]
    pub(crate) spool: crate::queue::Spool,
    pub(super) pins: Pins,
    pub(super) leases: LeaseTable,
    /// Blobs that were finished and never shown, to be deleted by `maintain`.
    pub(super) orphans: Mutex<Vec<BlobId>>,
    /// Blobs of commits whose outcome is unknown, with the time when `maintain` first saw them.
    pub(super) doubtful: Mutex<Vec<(BlobId, Option<u64>)>>,
    /// Blobs that an upload still holds: another append may show them.
    pub(super) uploaded: Mutex<BTreeSet<BlobId>>,
    pub(super) columns: Mutex<ColumnCache>,
}

/// What goes through a lane.
pub(crate) enum Request {
    Work(MailboxId, Work),
    Tree(TreeChange),
    Quota { octets: Option<u64>, messages: Option<u64> },
}

/// What comes out.
pub(crate) enum Outcome {
    Applied(Vec<Applied>),
    Tree(TreeOutcome),
    Done,
    NoAccount,
}

/// The lanes of the accounts that are being written.
#[derive(Default)]
pub(super) struct Lanes(Mutex<HashMap<AccountId, Arc<Lane<Request, Outcome>>>>);

/// Lanes beyond which idle ones are dropped.
const IDLE_LANES: usize = 1024;

impl Lanes {
    pub(super) fn get(&self, account: AccountId) -> Arc<Lane<Request, Outcome>> {
        let mut lanes = lock(&self.0);
        if lanes.len() >= IDLE_LANES && !lanes.contains_key(&account) {
            // Only the table knows a lane that nobody waits for; with the table locked nobody can come.
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.is_idle());
        }
        Arc::clone(lanes.entry(account).or_insert_with(|| Arc::new(Lane::new())))
    }
}

/// How one attempt to commit ended.
pub(super) enum Attempt<T> {
    Done(T),
    /// Somebody else wrote: read again.
    Again,
}

impl<E: Engine + Blobs> Core<E> {
    /// The commit of `jobs`, all of one account.
    pub(super) fn group(
        core: Arc<Self>,
        account: AccountId,
        jobs: Vec<Job<Request, Outcome>>,
    ) -> GroupFuture {
        Box::pin(async move {
            let requests: Vec<&Request> = jobs.iter().map(|job| &job.request).collect();
            let outcomes = core.commit_group(account, &requests).await;
            let expunged = requests.iter().any(|request| match request {
                Request::Work(_, work) => work.frees(),
                Request::Tree(_) | Request::Quota { .. } => false,
            });
            match outcomes {
                Ok(outcomes) => {
                    for (job, outcome) in jobs.into_iter().zip(outcomes) {
                        job.finish(outcome);
                    }
                    if expunged {
                        // What fails here is done by the next `maintain`.
                        let due = key::garbage_of(account);
                        let _ = core.collect(due, super::maintain::AT_ONCE).await;
                    }
                }
                Err(error) => {
                    for job in jobs {
                        if matches!(error, WriteError::Unknown) {
                            core.doubt(job.request.uploads());
                        }
                        job.finish(Err(error.clone()));
                    }
                }
            }
        })
    }

    async fn commit_group(
        &self,
        account: AccountId,
        requests: &[&Request],
    ) -> Result<Vec<Result<Outcome, WriteError>>, WriteError> {
        for _ in 0..self.config.mail.commit_attempts.max(1) {
            match self.attempt_group(account, requests).await? {
                Attempt::Done(outcomes) => return Ok(outcomes),
                Attempt::Again => {}
            }
        }
        Err(WriteError::Busy)
    }

    async fn attempt_group(
        &self,
        account: AccountId,
        requests: &[&Request],
    ) -> Result<Attempt<Vec<Result<Outcome, WriteError>>>, WriteError> {
        let snapshot = self.engine.snapshot().await?;
        // Requests whose outcome does not depend on the commit: they failed, and left the draft dirty.
        let mut settled: Vec<Option<Result<Outcome, WriteError>>> = requests.iter().map(|_| None).collect();
        'plan: loop {
            let Some(mut draft) = Draft::load(&snapshot, &self.config.mail, account).await? else {
                return Ok(Attempt::Done(requests.iter().map(|_| Ok(Outcome::NoAccount)).collect()));
            };
            let before = draft.before();
            let mut outcomes = Vec::with_capacity(requests.len());
            for (request, settled) in requests.iter().zip(&mut settled) {
                if settled.is_some() {
                    outcomes.push(None);
                    continue;
                }
                match play(&mut draft, request).await {
                    Ok(outcome) => outcomes.push(Some(outcome)),
                    Err(outcome) => {
                        *settled = Some(outcome);
                        continue 'plan;
                    }
                }
            }
            let mut batch = Batch { durability: durability(requests), ..Batch::default() };
            let token = self.token();
            let changed = match draft.finish(token, &mut batch).await {
                Ok(changed) => changed,
                Err(Stop::Read(error)) => return Err(error.into()),
                Err(Stop::Refused(refusal)) => {
                    let refused = |request: &&Request| Ok(request.refused(&refusal));
                    return Ok(Attempt::Done(requests.iter().map(refused).collect()));
                }
            };
            drop(snapshot);
            if changed && !self.commit(batch, account, before, token).await? {
                return Ok(Attempt::Again);
            }
            let all = outcomes.into_iter().zip(settled).zip(requests).map(|((outcome, settled), request)| {
                if let Some(outcome) = outcome {
                    request.keep_appended(&outcome);
                    return Ok(outcome);
                }
                settled.unwrap_or(Err(WriteError::Unknown))
            });
            return Ok(Attempt::Done(all.collect()));
        }
    }

    /// Commits `batch`; `false` if somebody else wrote first. Resolves an unknown outcome by the log of
    /// `account`, whose last modification sequence was `before`.
    pub(crate) async fn commit(
        &self,
        batch: Batch,
        account: AccountId,
        before: ModSeq,
        token: [u8; 16],
    ) -> Result<bool, WriteError> {
        match self.engine.commit(batch).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict) => Ok(false),
            Err(CommitError::Unknown) => self.resolve(account, before, token).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the commit named `token` happened. If not, it never will when this returns.
    async fn resolve(&self, account: AccountId, before: ModSeq, token: [u8; 16]) -> Result<bool, WriteError> {
        for _ in 0..self.config.mail.commit_attempts.max(1) {
            if let Ok(Some(outcome)) = self.try_resolve(account, before, token).await {
                return Ok(outcome);
            }
        }
        Err(WriteError::Unknown)
    }

    async fn try_resolve(
        &self,
        account: AccountId,
        before: ModSeq,
        token: [u8; 16],
    ) -> Result<Option<bool>, WriteError> {
        let snapshot = self.engine.snapshot().await?;
        // The batch could only have become the commit behind `before`.
        let Some(next) = before.checked_add(1) else { return Ok(Some(false)) };
        let key = key::log(account, next);
        if let Some(value) = snapshot.get(&key).await? {
            return Ok(Some(LogRow::open(&key, &value)?.token == token));
        }
        // Not there yet: make sure that it never comes, since it expects the header as it was.
        let key = key::account(account);
        let found = snapshot.get(&key).await?;
        let Some(value) = &found else { return Ok(None) };
        let mut row = open_account(&snapshot, &key, value).await?;
        if row.mod_seq != before {
            // Its record was written and is pruned already: too late to tell.
            return Ok(None);
        }
        row.epoch += 1;
        let batch = Batch {
            ops: Vec::from([Op::Put(key.clone(), row.seal())]),
            expect: Vec::from([(key, found)]),
            ..Batch::default()
        };
        match self.engine.commit(batch).await {
            Ok(()) => Ok(Some(false)),
            Err(_) => Ok(None),
        }
    }

    /// The octets of `appends` may be visible: they are kept, and `maintain` finds out.
    pub(super) fn doubt<'a>(&self, appends: impl Iterator<Item = &'a Append>) {
        self.doubt_uploads(appends.map(|append| &append.uploaded));
    }

    /// The same for octets.
    pub(super) fn doubt_uploads<'a>(&self, uploads: impl Iterator<Item = &'a Uploaded>) {
        for uploaded in uploads {
            uploaded.keep();
            lock(&self.doubtful).push((uploaded.blob.clone(), None));
        }
    }

    /// A name for a commit.
    pub(crate) fn token(&self) -> [u8; 16] {
        let [token, _] = self.entropy.halves();
        token
    }

    pub(super) fn limits(&self) -> &MailLimits {
        &self.config.mail
    }
}

impl Work {
    /// Whether octets may become free.
    fn frees(&self) -> bool {
        self.intents.iter().any(|intent| matches!(intent, Intent::Expunge(_)))
    }
}

impl Request {
    fn uploads(&self) -> impl Iterator<Item = &Append> {
        let intents = match self {
            Self::Work(_, work) => work.intents.as_slice(),
            Self::Tree(_) | Self::Quota { .. } => &[],
        };
        intents.iter().filter_map(|intent| match intent {
            Intent::Append(append) => Some(append),
            Intent::Expunge(_) | Intent::Copy { .. } | Intent::Flags { .. } => None,
        })
    }

    /// The octets of the appends that succeeded are visible.
    fn keep_appended(&self, outcome: &Outcome) {
        let (Self::Work(_, work), Outcome::Applied(applied)) = (self, outcome) else { return };
        for (intent, applied) in work.intents.iter().zip(applied) {
            if let (Intent::Append(append), Applied::Appended { .. }) = (intent, applied) {
                append.uploaded.keep();
            }
        }
    }

    fn refused(&self, refusal: &Refusal) -> Outcome {
        match self {
            Self::Work(_, work) => {
                Outcome::Applied(work.intents.iter().map(|_| Applied::Refused(refusal.clone())).collect())
            }
            Self::Tree(_) => Outcome::Tree(TreeOutcome::TooMany),
            Self::Quota { .. } => Outcome::NoAccount,
        }
    }
}

/// Plays one request. An error is its final outcome, and the draft must be made anew without it.
async fn play<S: Snapshot>(
    draft: &mut Draft<'_, S>,
    request: &Request,
) -> Result<Outcome, Result<Outcome, WriteError>> {
    match request {
        Request::Work(mailbox, work) => {
            play_work(draft, *mailbox, work).await.map(Outcome::Applied).map_err(|error| match error {
                Ok(applied) => Ok(Outcome::Applied(applied)),
                Err(error) => Err(error.into()),
            })
        }
        Request::Tree(change) => {
            let outcome = match change {
                TreeChange::Create { name, special_use, now } => {
                    draft.create_mailbox(name, *special_use, *now).await
                }
                TreeChange::Delete { name, now } => draft.delete_mailbox(name, *now).await,
                TreeChange::Rename { from, to, now } => draft.rename_mailbox(from, to, *now).await,
                TreeChange::Subscribe { name, subscribed } => draft.subscribe(name, *subscribed).await,
            };
            match outcome {
                Ok(outcome) => Ok(Outcome::Tree(outcome)),
                Err(Stop::Read(error)) => Err(Err(error.into())),
                Err(Stop::Refused(refusal)) => Err(Ok(request.refused(&refusal))),
            }
        }
        Request::Quota { octets, messages } => {
            draft.set_quota(*octets, *messages);
            Ok(Outcome::Done)
        }
    }
}

/// Plays the intents of one work. An error is its final outcome, and the draft must be made anew.
async fn play_work<S: Snapshot>(
    draft: &mut Draft<'_, S>,
    mailbox: MailboxId,
    work: &Work,
) -> Result<Vec<Applied>, Result<Vec<Applied>, ReadError>> {
    let mut applied = Vec::with_capacity(work.intents.len());
    for (index, intent) in work.intents.iter().enumerate() {
        match draft.play(mailbox, intent, work.now).await {
            Ok(result) => applied.push(result),
            Err(Stop::Read(error)) => return Err(Err(error)),
            Err(Stop::Refused(refusal)) if work.all_or_nothing => {
                let mut all: Vec<Applied> =
                    work.intents.iter().map(|_| Applied::Refused(Refusal::Aborted)).collect();
                if let Some(cause) = all.get_mut(index) {
                    *cause = Applied::Refused(refusal);
                }
                return Err(Ok(all));
            }
            Err(Stop::Refused(refusal)) => applied.push(Applied::Refused(refusal)),
        }
    }
    Ok(applied)
}

/// A group is as durable as the most demanding of its requests.
fn durability(requests: &[&Request]) -> Durability {
    let relaxed = |request: &&Request| matches!(request, Request::Work(_, work) if work.durability == Durability::Relaxed);
    if requests.iter().all(relaxed) { Durability::Relaxed } else { Durability::Synced }
}
