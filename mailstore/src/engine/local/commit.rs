//! Commits: those that wait become one group with one sync.
//!
//! Order: large files (synced when they were finished), group, sync, index, visible, wake, acknowledge.
//! Whoever comes first leads: it takes what waits, writes it, and hands out the results; who comes
//! meanwhile waits for the next group. No thread is needed.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};

use super::body::{BodyName, Place};
use super::format::{self, Change, GROUP_HEADER, GroupWriter, SECTOR};
use super::index::{Edit, IndexError, State};
use super::segments::{CreateError, Segment};
use super::staged::{Held, StagedBody};
use super::{Shared, lock};
use crate::engine::{Batch, CommitError, IoError, Op};

type Outcome = Result<(), CommitError>;

/// Where an outcome is left for who waits for it.
type Slot = Arc<Mutex<Option<Outcome>>>;

/// Batches that wait for a group.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    batches: VecDeque<(Batch, Slot)>,
    has_leader: bool,
}

/// Leads one group. Whatever ends it, also a panic below, nobody waits for it any longer.
struct Lead<'s> {
    shared: &'s Shared,
    slots: Vec<Slot>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        for slot in &self.slots {
            lock(slot).get_or_insert_with(|| {
                self.shared.poison();
                Err(CommitError::Unknown)
            });
        }
        lock(&self.shared.queue.waiting).has_leader = false;
        self.shared.queue.moved.notify_all();
    }
}

/// Where the next group goes.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) state: State,
    /// `None` before the first group.
    pub(super) segment: Option<Arc<Segment>>,
    pub(super) end: u64,
}

/// What a group consists of.
#[derive(Default)]
struct Draft {
    batches: Vec<Vec<Change>>,
    bodies: BTreeMap<BodyName, Arc<Held>>,
    staged: Vec<BodyName>,
    freed: Vec<(BodyName, Place)>,
    /// It stands in its segment, durably.
    is_written: bool,
}

/// Why a group was not written.
enum Stop {
    /// Nothing of it is there nor will be.
    Refused(CommitError),
    /// It may be there at the next opening.
    Poisoned,
}

impl From<IndexError> for Stop {
    fn from(error: IndexError) -> Self {
        Self::Refused(error.into())
    }
}

/// Octets of a batch.
fn size(batch: &Batch) -> usize {
    let op = |op: &Op| match op {
        Op::Put(one, other) | Op::DeleteRange(one, other) => one.len() + other.len(),
        Op::Delete(key) | Op::Add(key, _) => key.len() + 8,
    };
    batch.ops.iter().map(op).sum()
}

impl Shared {
    /// Puts `batch` into a group and waits for its outcome.
    pub(super) fn commit(&self, batch: Batch) -> Outcome {
        self.check_limits(&batch)?;
        let slot = Arc::new(Mutex::new(None));
        let mut line = lock(&self.queue.waiting);
        line.batches.push_back((batch, Arc::clone(&slot)));
        loop {
            if let Some(outcome) = lock(&slot).take() {
                return outcome;
            }
            if line.has_leader {
                line = self.queue.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            line.has_leader = true;
            let (batches, slots) = self.next_group(&mut line);
            drop(line);
            let mut lead = Lead { shared: self, slots };
            let outcomes = self.commit_group(&batches);
            for (slot, outcome) in lead.slots.drain(..).zip(outcomes) {
                *lock(&slot) = Some(outcome);
            }
            drop(lead);
            line = lock(&self.queue.waiting);
        }
    }

    /// Batches that wait for the group behind the one that is being written.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        lock(&self.queue.waiting).batches.len()
    }

    /// Whether a group is being written.
    #[cfg(test)]
    pub(super) fn has_leader(&self) -> bool {
        lock(&self.queue.waiting).has_leader
    }

    fn next_group(&self, line: &mut Line) -> (Vec<Batch>, Vec<Slot>) {
        let (mut batches, mut slots, mut octets) = (Vec::new(), Vec::new(), 0_usize);
        while let Some((batch, _)) = line.batches.front() {
            octets = octets.saturating_add(self.weight(batch));
            if octets > self.config.group_octets && !batches.is_empty() {
                break;
            }
            let Some((batch, slot)) = line.batches.pop_front() else { break };
            batches.push(batch);
            slots.push(slot);
        }
        (batches, slots)
    }

    /// Octets that a batch and its bodies in memory add to a group.
    fn weight(&self, batch: &Batch) -> usize {
        let staged = lock(&self.staged);
        let body = |name| match staged.bodies.get(&name) {
            Some(StagedBody::Memory(held)) => usize::try_from(held.size).unwrap_or(usize::MAX),
            Some(StagedBody::Large(_)) | None => 0,
        };
        let bodies = batch.blobs.iter().filter_map(BodyName::from_blob).map(body);
        bodies.fold(size(batch), usize::saturating_add)
    }

    fn check_limits(&self, batch: &Batch) -> Outcome {
        let limits = super::LIMITS;
        let fits = |op: &Op| match op {
            Op::Put(key, value) => key.len() <= limits.key && value.len() <= limits.value,
            Op::DeleteRange(start, end) => start.len() <= limits.key && end.len() <= limits.key,
            Op::Delete(key) | Op::Add(key, _) => key.len() <= limits.key,
        };
        let is_within = size(batch) <= limits.batch && batch.ops.iter().all(fits);
        if is_within { Ok(()) } else { Err(CommitError::Io(IoError::new("the batch exceeds the limits"))) }
    }

    /// Commits `batches` as one group.
    fn commit_group(&self, batches: &[Batch]) -> Vec<Outcome> {
        let mut writer = lock(&self.writer);
        if let Err(error) = self.may_commit() {
            return batches.iter().map(|_| Err(error.clone())).collect();
        }
        let mut outcomes = Vec::new();
        let mut draft = Draft::default();
        let result = self.index.write(|edit| {
            for batch in batches {
                outcomes.push(self.prepare(edit, batch, &mut draft)?);
            }
            if outcomes.iter().all(Result::is_err) {
                return Err(Stop::Refused(CommitError::Conflict));
            }
            self.write_group(edit, &mut writer, &mut draft)
        });
        if self.index.has_failed() {
            self.poison();
        }
        let failed = match result {
            Ok(state) if !self.is_poisoned() => {
                writer.state = state;
                None
            }
            Err(Stop::Refused(error)) if !draft.is_written => Some(error),
            // The group may stand in its segment: then the next opening applies it.
            Ok(_) | Err(_) => {
                self.poison();
                Some(CommitError::Unknown)
            }
        };
        drop(writer);
        if let Some(failed) = failed {
            outcomes.resize(batches.len(), Ok(()));
            return outcomes.into_iter().map(|outcome| outcome.and(Err(failed.clone()))).collect();
        }
        self.settle(&draft);
        for (batch, _) in batches.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
            self.wakes.wake(&batch.wake);
        }
        outcomes
    }

    /// Applies `batch` to the index if it can be, and notes what its group must hold.
    fn prepare(&self, edit: &mut Edit<'_>, batch: &Batch, draft: &mut Draft) -> Result<Outcome, IndexError> {
        for (key, value) in &batch.expect {
            if !edit.holds(key, value.as_ref())? {
                return Ok(Err(CommitError::Conflict));
            }
        }
        if !edit.can_add(&batch.ops)? {
            return Ok(Err(CommitError::Io(IoError::new("a counter has 8 octets and stays in their range"))));
        }
        let mut changes = Vec::with_capacity(batch.ops.len());
        let mut bodies = Vec::new();
        for blob in &batch.blobs {
            let Some(name) = BodyName::from_blob(blob) else { return Ok(Err(no_such_body())) };
            let staged = lock(&self.staged).bodies.get(&name).cloned();
            match staged {
                Some(body) => bodies.push((name, body)),
                None if edit.has_body(name)? && !lock(&self.staged).freed.contains_key(&name) => {}
                None => return Ok(Err(no_such_body())),
            }
        }
        for (name, body) in bodies {
            let size = body.size();
            match body {
                StagedBody::Memory(held) => drop(draft.bodies.insert(name, held)),
                StagedBody::Large(_) => changes.push(Change::Large(name, size)),
            }
            draft.staged.push(name);
        }
        changes.extend(batch.ops.iter().cloned().map(Change::Op));
        for change in &changes {
            edit.apply(change)?;
        }
        draft.batches.push(changes);
        Ok(Ok(()))
    }

    /// Writes the group and syncs it, and notes in the index what it shows.
    fn write_group(
        &self,
        edit: &mut Edit<'_>,
        writer: &mut Writer,
        draft: &mut Draft,
    ) -> Result<State, Stop> {
        draft.freed = lock(&self.staged).freed.iter().map(|(name, place)| (*name, *place)).collect();
        let frees: Vec<Change> = draft.freed.iter().map(|(name, _)| Change::Free(*name)).collect();
        if !frees.is_empty() {
            frees.iter().try_for_each(|change| edit.apply(change))?;
            draft.batches.push(frees);
        }
        let bodies = draft.bodies.values().map(|held| held.size).sum();
        let segment = self.room(writer, bodies)?;
        let at = writer.end;
        let mut group = GroupWriter::new(segment.seed, at);
        for (name, held) in &draft.bodies {
            let record = group.body(*name, held.size, held.chunks.iter().map(AsRef::as_ref));
            edit.set_place(*name, Place::Segment { segment: segment.number, at: record, size: held.size })?;
        }
        draft.batches.iter().for_each(|changes| group.batch(changes.iter()));
        let state =
            State { sequence: writer.state.sequence + 1, segment: segment.number, at, ..writer.state };
        edit.set_state(state)?;
        let octets = group.finish(state.sequence);
        if let Err(error) = segment.file.write_at(&octets, at) {
            // What was written in part must never count: the next group takes its place.
            let undone = segment.file.set_length(at).and_then(|()| segment.file.sync());
            return Err(if undone.is_ok() { Stop::Refused(refused(error)) } else { Stop::Poisoned });
        }
        segment.file.sync().map_err(|_| Stop::Poisoned)?;
        draft.is_written = true;
        writer.end = at.saturating_add(octets.len() as u64);
        Ok(state)
    }

    /// The segment for the next group, with about `octets` to come.
    fn room(&self, writer: &mut Writer, octets: u64) -> Result<Arc<Segment>, Stop> {
        let end = writer.end.saturating_add(octets).saturating_add(GROUP_HEADER as u64);
        match &writer.segment {
            Some(segment) if end <= self.config.segment_octets || writer.end == SECTOR => {
                Ok(Arc::clone(segment))
            }
            current => {
                let last = current.as_ref().map_or(0, |segment| segment.number);
                let number = last.checked_add(1).ok_or_else(|| {
                    Stop::Refused(CommitError::Io(IoError::new("no number is left for a segment")))
                })?;
                let segment =
                    self.segments.create(number, writer.state.opening).map_err(|error| match error {
                        CreateError::Write(error) => Stop::Refused(refused(error)),
                        CreateError::Sync(_) => Stop::Poisoned,
                    })?;
                writer.segment = Some(Arc::clone(&segment));
                writer.end = format::padded(SECTOR);
                Ok(segment)
            }
        }
    }

    /// The group is visible: what was only kept for it goes.
    fn settle(&self, draft: &Draft) {
        {
            let mut staged = lock(&self.staged);
            draft.staged.iter().for_each(|name| drop(staged.bodies.remove(name)));
        }
        for (name, place) in &draft.freed {
            lock(&self.staged).freed.remove(name);
            if matches!(place, Place::Large { .. }) {
                // What remains goes at the next opening.
                let _ = self.storage.remove(&name.large_file());
            }
        }
    }

    /// Tells the index that nobody writes any more.
    pub(super) fn close(&self) -> Outcome {
        self.may_commit()?;
        if !lock(&self.staged).freed.is_empty() {
            self.commit(Batch::default())?;
        }
        let mut writer = lock(&self.writer);
        self.may_commit()?;
        let state = State { is_closed: true, ..writer.state };
        self.index.write(|edit| edit.set_state(state)).map_err(|error: IndexError| {
            self.poison();
            CommitError::from(error)
        })?;
        writer.state = state;
        self.is_closed.store(true, Ordering::Release);
        Ok(())
    }
}

fn no_such_body() -> CommitError {
    CommitError::Io(IoError::new("the batch names a blob that does not exist"))
}

fn refused(error: io::Error) -> CommitError {
    if super::storage::is_full(&error) { CommitError::Full } else { CommitError::Io(IoError::new(error)) }
}
