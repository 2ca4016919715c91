//! Recovery: from the last applied group to the end of the log.
//!
//! First the end is found, without changing anything; a place without a valid group is a torn tail, unless
//! a group with a higher sequence stands behind it: then something that was acknowledged is damaged, and
//! nothing is written any more. Else the last group is written again into a new segment, since its own sync
//! may have failed while the cache still shows it; then the groups are applied. Whatever stops this, any
//! number of times, the next try comes to the same state.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::io;

use super::body::{BodyName, Place};
use super::commit::Writer;
use super::format::{self, GroupWriter, Record, SECTOR};
use super::index::{Index, State};
use super::open::OpenError;
use super::segments::{CreateError, Group, Segment, Segments, file_name};
use super::storage::Storage;

/// A place in the log where something that was acknowledged is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Number of the segment.
    pub segment: u32,
    /// Where a group should stand in it.
    pub offset: u64,
    /// The last group in front of it.
    pub after: u64,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, after } = self;
        write!(
            f,
            "{} is damaged at offset {offset}, after group {after}: rebuild the index",
            file_name(*segment)
        )
    }
}

/// Where the log ends.
pub(super) struct End {
    /// The segment of the last group and where it stands; `None` if there is none.
    pub(super) last: Option<(Arc<Segment>, u64)>,
    /// The last sequence.
    pub(super) sequence: u64,
    /// Where the next group would stand.
    pub(super) next: u64,
    pub(super) damage: Option<Damage>,
}

/// Follows the log, beginning at the group that `state` names, or at its start.
pub(super) struct Follow<'s> {
    segments: &'s Segments,
    numbers: Vec<u32>,
    current: Option<Arc<Segment>>,
    sequence: u64,
    next: u64,
}

impl<'s> Follow<'s> {
    pub(super) fn new(segments: &'s Segments) -> io::Result<Self> {
        Ok(Self { segments, numbers: segments.numbers()?, current: None, sequence: 0, next: 0 })
    }

    /// Goes to the group that `state` names and gives it; `None` if it is not there.
    fn start(&mut self, state: State) -> io::Result<Option<Group>> {
        let Some(segment) = self.segments.get(state.segment)? else { return Ok(None) };
        let Some(group) = segment.group(state.at)? else { return Ok(None) };
        if group.header.sequence != state.sequence {
            return Ok(None);
        }
        (self.sequence, self.next, self.current) = (state.sequence, group.next(), Some(segment));
        Ok(Some(group))
    }

    /// The next group: that behind the current one, or the first of a later segment. It has the next
    /// sequence, or that of the current one if it is a copy of it.
    pub(super) fn next(&mut self) -> io::Result<Option<(Arc<Segment>, Group)>> {
        if let Some(segment) = self.current.clone() {
            if let Some(group) = segment.group(self.next)? {
                if group.header.sequence == self.sequence + 1 {
                    (self.sequence, self.next) = (group.header.sequence, group.next());
                    return Ok(Some((segment, group)));
                }
            }
        }
        let above = self.current.as_ref().map_or(0, |segment| segment.number);
        for number in self.numbers.iter().copied().filter(|number| *number > above) {
            let Some(segment) = self.segments.get(number)? else { continue };
            let Some(group) = segment.group(SECTOR)? else { continue };
            let sequence = group.header.sequence;
            if sequence == self.sequence + 1 || (sequence == self.sequence && sequence > 0) {
                (self.sequence, self.next, self.current) =
                    (sequence, group.next(), Some(Arc::clone(&segment)));
                return Ok(Some((segment, group)));
            }
        }
        Ok(None)
    }

    /// A group with a higher sequence than the current one, in the rest of the log.
    pub(super) fn find_later(&self) -> io::Result<Option<(Arc<Segment>, Group)>> {
        let above = self.current.as_ref().map_or(0, |segment| segment.number);
        for number in self.numbers.iter().copied().filter(|number| *number >= above) {
            let Some(segment) = self.segments.get(number)? else { continue };
            let from = if number == above && self.current.is_some() { self.next } else { SECTOR };
            if let Some(group) = segment.find_above(from, self.sequence)? {
                return Ok(Some((segment, group)));
            }
        }
        Ok(None)
    }

    /// Makes a group that [`find_later`](Self::find_later) gave the next one.
    pub(super) fn jump(&mut self, group: &Group, segment: Arc<Segment>) {
        (self.sequence, self.next) = (group.header.sequence.saturating_sub(1), group.at);
        self.current = Some(segment);
    }

    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn damage(&self) -> Damage {
        let first = self.numbers.first().copied().unwrap_or(1);
        let segment = self.current.as_ref().map_or(first, |segment| segment.number);
        Damage { segment, offset: self.next.max(SECTOR), after: self.sequence }
    }
}

/// Finds the end of the log.
pub(super) fn find_end(segments: &Segments, state: State) -> io::Result<End> {
    let mut follow = Follow::new(segments)?;
    let mut last = None;
    if state.sequence > 0 {
        let Some(group) = follow.start(state)? else {
            let damage = Damage { segment: state.segment, offset: state.at, after: state.sequence - 1 };
            return Ok(End { last, sequence: state.sequence, next: state.at, damage: Some(damage) });
        };
        last = follow.current.clone().map(|segment| (segment, group.at));
    }
    while let Some((segment, group)) = follow.next()? {
        last = Some((segment, group.at));
    }
    let damage = follow.find_later()?.map(|_| follow.damage());
    Ok(End { last, sequence: follow.sequence, next: follow.next, damage })
}

/// Cuts what an unclean end left behind the last group.
pub(super) fn cut_tail(storage: &dyn Storage, segments: &Segments, end: &End) -> io::Result<()> {
    let last = end.last.as_ref().map(|(segment, _)| segment);
    if let Some(segment) = last {
        if segment.file.length()? > end.next {
            segment.file.set_length(end.next)?;
            segment.file.sync()?;
        }
    }
    let mut is_changed = false;
    for number in segments.numbers()? {
        if last.is_none_or(|segment| number > segment.number) {
            segments.remove(number)?;
            is_changed = true;
        }
    }
    if is_changed { storage.sync_directory("") } else { Ok(()) }
}

/// Writes the last group again, as the first of a new segment, and gives where it is now.
fn copy_last(
    segments: &Segments,
    end: &End,
    opening: u64,
) -> Result<Option<(Arc<Segment>, Group)>, OpenError> {
    let Some((old, at)) = &end.last else { return Ok(None) };
    let damaged = || OpenError::Damaged(Damage { segment: old.number, offset: *at, after: end.sequence });
    let group = old.group(*at)?.ok_or_else(damaged)?;
    let number = segments.numbers()?.last().copied().unwrap_or(0).checked_add(1).ok_or_else(damaged)?;
    let segment = segments.create(number, opening).map_err(|error| match error {
        CreateError::Write(error) | CreateError::Sync(error) => error,
    })?;
    let mut copy = GroupWriter::new(segment.seed, SECTOR);
    for record in format::records(&group.records, old.seed, group.at) {
        match record.ok_or_else(damaged)? {
            Record::Batch(changes) => copy.batch(changes.iter()),
            Record::Body { name, size, at } => {
                let chunks = format::chunks(&group.records, group.at, at, size).ok_or_else(damaged)?;
                copy.body(name, size, chunks.into_iter());
            }
        }
    }
    let octets = copy.finish(group.header.sequence);
    segment.file.write_at(&octets, SECTOR)?;
    segment.file.sync()?;
    let copied = segment.group(SECTOR)?.ok_or_else(damaged)?;
    Ok(Some((segment, copied)))
}

/// Applies a group to the index, once; a copy of the last one only moves its bodies.
pub(super) fn apply(
    index: &Index,
    state: State,
    segment: &Segment,
    group: &Group,
) -> Result<State, OpenError> {
    let damaged = || {
        let after = group.header.sequence.saturating_sub(1);
        OpenError::Damaged(Damage { segment: segment.number, offset: group.at, after })
    };
    let sequence = group.header.sequence;
    let is_new = sequence > state.sequence;
    let next = State { sequence, segment: segment.number, at: group.at, ..state };
    index.write(|edit| {
        for record in format::records(&group.records, segment.seed, group.at) {
            match record.ok_or_else(damaged)? {
                Record::Body { name, size, at } if is_new || edit.has_body(name)? => {
                    edit.set_place(name, Place::Segment { segment: segment.number, at, size })?;
                }
                Record::Batch(changes) if is_new => {
                    changes.iter().try_for_each(|change| edit.apply(change))?;
                }
                Record::Body { .. } | Record::Batch(_) => {}
            }
        }
        edit.set_state(next).map_err(OpenError::from)
    })?;
    Ok(next)
}

/// Brings the index to the end of the log and gives where writing goes on.
pub(super) fn recover(
    segments: &Segments,
    index: &Index,
    end: &End,
    found: State,
) -> Result<Writer, OpenError> {
    let mut state = State { opening: found.opening + 1, is_closed: false, ..found };
    // First the number of this opening: what is written under it must not be written under another.
    index.write(|edit| edit.set_state(state).map_err(OpenError::from))?;
    if found.is_closed && end.sequence == found.sequence {
        let segment = end.last.as_ref().map(|(segment, _)| Arc::clone(segment));
        return Ok(Writer { state, segment, end: end.next });
    }
    let Some((segment, copy)) = copy_last(segments, end, state.opening)? else {
        return Ok(Writer { state, segment: None, end: 0 });
    };
    let mut follow = Follow::new(segments)?;
    if found.sequence > 0 {
        follow.start(found)?;
    }
    while state.sequence + 1 < end.sequence {
        let Some((segment, group)) = follow.next()? else { return Err(OpenError::Damaged(follow.damage())) };
        state = apply(index, state, &segment, &group)?;
    }
    state = apply(index, state, &segment, &copy)?;
    Ok(Writer { state, end: copy.next(), segment: Some(segment) })
}

/// Removes the files of bodies that the index does not know, and what was being written.
pub(super) fn remove_leftovers(storage: &dyn Storage, index: &Index) -> Result<(), OpenError> {
    for name in storage.list("tmp")? {
        storage.remove(&alloc::format!("tmp/{name}"))?;
    }
    let directories = match storage.list("large") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        directories => directories?,
    };
    for directory in directories {
        let directory = alloc::format!("large/{directory}");
        for file in storage.list(&directory)? {
            let Some(name) = BodyName::from_large_file(&file) else { continue };
            if !matches!(index.place(name)?, Some(Place::Large { .. })) {
                storage.remove(&alloc::format!("{directory}/{file}"))?;
            }
        }
    }
    Ok(())
}

/// Whether the log holds a group.
pub(super) fn has_groups(segments: &Segments) -> io::Result<bool> {
    let follow = Follow::new(segments)?;
    Ok(follow.find_later()?.is_some())
}
