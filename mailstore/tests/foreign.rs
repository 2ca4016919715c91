//! An account over a schema that is not ours, vectors under one lock: it keeps the same contract.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![cfg(feature = "testing")]

use core::ops::{ControlFlow, Range};
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{Flag, MailboxName, ModSeq, Uid, UidSet, UidValidity};
use mailwright_core::wire::LineEndCounter;
use mailwright_store::account::{
    Account, Append, Applied, Body, Change, ChangeKind, Columns, Copied, DynAccount, FlagChange, Flagged,
    Intent, Lease, LeaseError, LeaseTable, ListQuery, MailboxInfo, MessageMeta, NewRow, OpenError, Opened,
    Pinned, Refusal, Since, TreeChange, TreeOutcome, Upload, Uploaded, Work, WriteError,
};
use mailwright_store::engine::ReadError;
use mailwright_store::testing::contract;
use mailwright_store::{AccountId, BlobId, MailboxId, MessageId, ThreadId};

#[derive(Clone, Default)]
struct Vectors(Arc<Mutex<State>>, LeaseTable);

#[derive(Clone, Default)]
struct State {
    mailboxes: Vec<Mailbox>,
    mod_seq: u64,
    log: Vec<Change>,
    /// Octets by the number of their message; never freed.
    octets: Vec<Bytes>,
    prefixes: BTreeMap<u64, Bytes>,
    wakers: Vec<Waker>,
}

#[derive(Clone)]
struct Mailbox {
    name: MailboxName,
    next: u32,
    highest: ModSeq,
    rows: Vec<NewRow>,
}

fn validity() -> UidValidity {
    UidValidity::new(1).unwrap()
}

impl Mailbox {
    fn info(&self, at: usize) -> MailboxInfo {
        let id = MailboxId::new(at as u64);
        let next = Uid::new(self.next);
        let mut info =
            MailboxInfo::new(id, format!("F{at}"), self.name.clone(), validity(), next, self.highest);
        let count =
            |flag: Flag| u32::try_from(self.rows.iter().filter(|row| row.flags.contains(&flag)).count());
        info.exists = u32::try_from(self.rows.len()).unwrap();
        info.unseen = info.exists - count(Flag::Seen).unwrap();
        info.deleted = count(Flag::Deleted).unwrap();
        info.octets = self.rows.iter().map(|row| row.size).sum();
        info
    }
}

impl State {
    fn find(&self, name: &MailboxName) -> Option<usize> {
        self.mailboxes.iter().position(|mailbox| mailbox.name == *name)
    }

    fn add(&mut self, at: usize, mut row: NewRow, mod_seq: ModSeq) -> Uid {
        let mailbox = &mut self.mailboxes[at];
        (row.uid, row.mod_seq) = (Uid::new(mailbox.next).unwrap(), mod_seq);
        mailbox.next += 1;
        mailbox.highest = mod_seq;
        let uid = row.uid;
        mailbox.rows.push(row);
        uid
    }

    fn log(&mut self, at: usize, mod_seq: ModSeq, kind: ChangeKind) {
        self.mailboxes[at].highest = mod_seq;
        self.log.push(Change::new(MailboxId::new(at as u64), mod_seq, kind));
        self.mod_seq = mod_seq.get();
    }

    fn append(&mut self, at: usize, append: &Append, mod_seq: ModSeq) -> Applied {
        let number = u64::from_be_bytes(append.uploaded.blob.as_bytes()[..].try_into().unwrap());
        let size = append.uploaded.size + append.prefix.len() as u64;
        self.prefixes.insert(number, append.prefix.clone());
        let mut row = NewRow::new(Uid::MIN, mod_seq, size, MessageId::new(number), ThreadId::new(number));
        row.flags = append.flags.clone();
        row.line_ends = u32::try_from(append.uploaded.line_ends).unwrap();
        (row.internal_date, row.zone, row.saved) = (append.internal_date, append.zone, append.internal_date);
        let uid = self.add(at, row, mod_seq);
        self.log(at, mod_seq, ChangeKind::Added(uid.into()));
        Applied::Appended { uid_validity: validity(), uid, mod_seq }
    }

    fn remove(&mut self, at: usize, uids: &UidSet, mod_seq: ModSeq) -> UidSet {
        let here = self.mailboxes[at].rows.iter().map(|row| row.uid).filter(|uid| uids.contains(*uid));
        let gone: UidSet = here.collect();
        if !gone.is_empty() {
            self.mailboxes[at].rows.retain(|row| !gone.contains(row.uid));
            self.log(at, mod_seq, ChangeKind::Expunged(gone.clone()));
        }
        gone
    }

    fn play(&mut self, at: usize, intent: &Intent) -> Applied {
        let mod_seq = ModSeq::new(self.mod_seq + 1).unwrap();
        if at >= self.mailboxes.len() {
            return Applied::Refused(Refusal::NoSuchMailbox);
        }
        match intent {
            Intent::Append(append) => self.append(at, append, mod_seq),
            Intent::Expunge(uids) => {
                let gone = self.remove(at, uids, mod_seq);
                let mod_seq = (!gone.is_empty()).then_some(mod_seq);
                Applied::Expunged { uids: gone, mod_seq }
            }
            Intent::Copy { uids, to, remove } => {
                let Some(to) = usize::try_from(to.get()).ok().filter(|to| *to < self.mailboxes.len()) else {
                    return Applied::Refused(Refusal::NoSuchMailbox);
                };
                let rows = self.mailboxes[at].rows.iter().filter(|row| uids.contains(row.uid));
                let rows: Vec<NewRow> = rows.cloned().collect();
                let pairs: Vec<_> =
                    rows.into_iter().map(|row| (row.uid, self.add(to, row, mod_seq))).collect();
                if pairs.is_empty() {
                    return Applied::Copied(Copied::new(validity(), pairs, None));
                }
                self.log(to, mod_seq, ChangeKind::Added(pairs.iter().map(|(_, to)| *to).collect()));
                if *remove {
                    self.remove(at, &pairs.iter().map(|(from, _)| *from).collect(), mod_seq);
                }
                Applied::Copied(Copied::new(validity(), pairs, Some(mod_seq)))
            }
            Intent::Flags { uids, change, unchanged_since } => {
                let mut result = Flagged::default();
                for row in self.mailboxes[at].rows.iter_mut().filter(|row| uids.contains(row.uid)) {
                    if unchanged_since.is_some_and(|since| row.mod_seq > since) {
                        result.modified.insert(row.uid);
                        continue;
                    }
                    let mut flags = row.flags.clone();
                    match change {
                        FlagChange::Add(more) => {
                            flags.extend(more.iter().filter(|flag| !row.flags.contains(flag)).cloned())
                        }
                        FlagChange::Remove(less) => flags.retain(|flag| !less.contains(flag)),
                        FlagChange::Replace(all) => flags.clone_from(all),
                    }
                    if flags != row.flags {
                        (row.flags, row.mod_seq) = (flags, mod_seq);
                        result.changed.insert(row.uid);
                    }
                }
                if !result.changed.is_empty() {
                    result.mod_seq = Some(mod_seq);
                    self.log(at, mod_seq, ChangeKind::Flags(result.changed.clone()));
                }
                Applied::Flagged(result)
            }
            other => panic!("{other:?}"),
        }
    }
}

impl Vectors {
    fn new() -> Self {
        let account = Self::default();
        let inbox = Mailbox { name: MailboxName::inbox(), next: 1, highest: ModSeq::ZERO, rows: Vec::new() };
        account.lock().mailboxes.push(inbox);
        account
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

struct Buffer(Vectors, BytesMut, LineEndCounter);

impl Upload for Buffer {
    async fn write(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        self.1.extend_from_slice(&chunk);
        self.2.feed(&chunk);
        Ok(())
    }

    async fn finish(self) -> Result<Uploaded, WriteError> {
        let mut state = self.0.lock();
        let number = state.octets.len() as u64;
        state.octets.push(self.1.freeze());
        let blob = BlobId::new(Bytes::copy_from_slice(&number.to_be_bytes())).unwrap();
        Ok(Uploaded::new(blob, self.2.octets(), [0; 32], self.2.added(), None))
    }
}

impl Account for Vectors {
    type Upload = Buffer;

    async fn open(&self, mailbox: &MailboxName) -> Result<Opened, OpenError> {
        let state = self.lock();
        let at = state.find(mailbox).ok_or(OpenError::NoSuchMailbox)?;
        let mailbox = &state.mailboxes[at];
        let columns = Columns::of(&mailbox.rows, mailbox.highest).unwrap();
        Ok(Opened::new(mailbox.info(at), Arc::new(columns), Pinned::new(())))
    }

    async fn list(
        &self,
        query: &ListQuery,
        visit: &mut (dyn FnMut(&MailboxInfo) + Send),
    ) -> Result<(), ReadError> {
        let mut infos: Vec<MailboxInfo> =
            self.lock().mailboxes.iter().enumerate().map(|(at, mailbox)| mailbox.info(at)).collect();
        infos.sort_by_key(|info| info.name.as_str().to_string());
        let wanted = |info: &&MailboxInfo| match query {
            ListQuery::Exactly(name) => info.name == *name,
            ListQuery::Below(name) => info.name.is_below(name),
            _ => true,
        };
        infos.iter().filter(wanted).for_each(visit);
        Ok(())
    }

    async fn tree(&self, change: TreeChange) -> Result<TreeOutcome, WriteError> {
        let TreeChange::Create { name, .. } = change else { panic!("{change:?}") };
        let mut state = self.lock();
        if let Some(at) = state.find(&name) {
            return Ok(TreeOutcome::AlreadyExists(MailboxId::new(at as u64)));
        }
        let mut names = vec![name.clone()];
        names.extend(core::iter::successors(name.parent(), MailboxName::parent));
        for name in names.into_iter().rev() {
            if state.find(&name).is_none() {
                state.mailboxes.push(Mailbox { name, next: 1, highest: ModSeq::ZERO, rows: Vec::new() });
            }
        }
        Ok(TreeOutcome::Created(MailboxId::new(state.mailboxes.len() as u64 - 1)))
    }

    async fn apply(&self, mailbox: MailboxId, work: Work) -> Result<Vec<Applied>, WriteError> {
        let at = usize::try_from(mailbox.get()).unwrap();
        let mut state = self.lock();
        let before = state.clone();
        let mut applied: Vec<Applied> = work.intents.iter().map(|intent| state.play(at, intent)).collect();
        let refused = applied.iter().position(|applied| matches!(applied, Applied::Refused(_)));
        if let Some(cause) = refused.filter(|_| work.all_or_nothing) {
            *state = before;
            for (index, applied) in applied.iter_mut().enumerate().filter(|(index, _)| *index != cause) {
                *applied = Applied::Refused(Refusal::Aborted);
                assert_ne!(index, cause);
            }
        }
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Ok(applied)
    }

    async fn meta(
        &self,
        columns: &Columns,
        uids: &UidSet,
        visit: &mut (dyn FnMut(&MessageMeta) -> ControlFlow<()> + Send),
    ) -> Result<(), ReadError> {
        for row in columns.rows().filter(|row| uids.contains(row.uid)) {
            let number = row.message.get();
            let blob = BlobId::new(Bytes::copy_from_slice(&number.to_be_bytes())).unwrap();
            let prefix = self.lock().prefixes[&number].clone();
            let body = Body::new(prefix.clone(), blob, row.size - prefix.len() as u64);
            if visit(&MessageMeta::new(row.uid, row.message, row.thread, body, [0; 32])).is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn body(&self, body: &Body, at: Range<u64>) -> Result<Bytes, ReadError> {
        let number = u64::from_be_bytes(body.blob.as_bytes()[..].try_into().unwrap());
        let whole = [&body.prefix[..], &self.lock().octets[usize::try_from(number).unwrap()]].concat();
        let place = |octets: u64| usize::try_from(octets).unwrap().min(whole.len());
        Ok(Bytes::copy_from_slice(&whole[place(at.start)..place(at.end)]))
    }

    async fn changes(
        &self,
        since: ModSeq,
        visit: &mut (dyn FnMut(&Change) -> ControlFlow<()> + Send),
    ) -> Result<Since, ReadError> {
        let state = self.lock().clone();
        let (log, last) = (state.log, state.mod_seq);
        let mut log = log.iter().filter(|change| change.mod_seq > since).peekable();
        while let Some(change) = log.next() {
            if visit(change).is_break() {
                let half = log.peek().is_some_and(|next| next.mod_seq == change.mod_seq);
                return Ok(Since::Reached(ModSeq::new(change.mod_seq.get() - u64::from(half)).unwrap()));
            }
        }
        Ok(Since::Reached(ModSeq::new(last).unwrap()))
    }

    fn poll_changed(&self, context: &mut Context<'_>, seen: &mut u64) -> Poll<()> {
        let mut state = self.lock();
        if state.mod_seq > *seen {
            *seen = state.mod_seq;
            return Poll::Ready(());
        }
        state.wakers.push(context.waker().clone());
        Poll::Pending
    }

    async fn upload(&self, _size_hint: Option<u64>) -> Result<Buffer, WriteError> {
        Ok(Buffer(self.clone(), BytesMut::new(), LineEndCounter::default()))
    }

    async fn lease(&self, mailbox: MailboxId) -> Result<Lease, LeaseError> {
        Ok(self.1.take(AccountId::new(1), mailbox)?)
    }
}

#[test]
fn an_account_over_vectors_keeps_the_contract() {
    contract::account(Vectors::new);
}

#[test]
fn it_does_so_in_a_box() {
    contract::account(|| DynAccount::new(Vectors::new()));
}

#[test]
fn columns_of_rows_that_do_not_ascend_are_refused() {
    let row = |uid| NewRow::new(Uid::new(uid).unwrap(), ModSeq::ZERO, 1, MessageId::new(1), ThreadId::new(1));
    assert!(Columns::of(&[row(2), row(1)], ModSeq::ZERO).is_none());
    assert!(Columns::of(&[row(2), row(2)], ModSeq::ZERO).is_none());
    let many: Vec<NewRow> = (1..3000).map(row).collect();
    assert_eq!(Columns::of(&many, ModSeq::ZERO).unwrap().len(), 2999);
}
