//! Making the index anew from the log. Since segments hold every batch, the log alone has all of it.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::io;

use super::LocalConfig;
use super::format::{Change, Record, records};
use super::index::{Index, State};
use super::open::{INDEX, LOCK, OpenError, make_index, name_index, read_format};
use super::recover::{Damage, Follow, apply};
use super::segments::Segments;
use super::storage::Storage;
use crate::engine::IoError;

const NEW: &str = "tmp/rebuilt";

/// Makes a new index and puts it in place of the old one.
pub(super) fn rebuild(storage: &Arc<dyn Storage>, config: &LocalConfig) -> Result<Vec<Damage>, OpenError> {
    let _lock = storage.lock(LOCK)?.ok_or(OpenError::InUse)?;
    let store = read_format(&**storage)?.ok_or(OpenError::NotAStore("there is no store"))?;
    storage.create_directory("tmp")?;
    match storage.remove(NEW) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => result?,
    }
    make_index(&**storage, NEW)?;
    let segments = Segments::new(Arc::clone(storage), store);
    let index = Index::open(storage.open(NEW)?, config.index_cache, false)?;
    let damages = replay(&segments, &index)?;
    if index.has_failed() {
        return Err(OpenError::Io(io::Error::other("the new index could not be written")));
    }
    drop(index);
    storage.open(NEW)?.sync()?;
    keep_old(&**storage)?;
    name_index(&**storage, NEW)?;
    Ok(damages)
}

/// Applies all groups of the log. Where it is damaged, goes on behind that place.
fn replay(segments: &Segments, index: &Index) -> Result<Vec<Damage>, OpenError> {
    let mut damages = Vec::new();
    let mut follow = Follow::new(segments)?;
    let mut state =
        index.state()?.ok_or_else(|| OpenError::Index(IoError::new("the new index has no state")))?;
    loop {
        while let Some((segment, group)) = follow.next()? {
            for record in records(&group.records, segment.seed, group.at).flatten() {
                state.opening = state.opening.max(newest(&record));
            }
            state.opening = state.opening.max(segment.incarnation);
            state = apply(index, state, &segment, &group)?;
        }
        let Some((segment, group)) = follow.find_later()? else { break };
        damages.push(follow.damage());
        follow.jump(&group, segment);
    }
    // The next opening takes the next number, and copies the last group: nobody may have closed.
    let state = State { is_closed: false, ..state };
    index.write(|edit| edit.set_state(state).map_err(OpenError::from))?;
    Ok(damages)
}

/// The latest opening that a record knows of: no name may be given again.
fn newest(record: &Record) -> u64 {
    let opening = |change: &Change| match change {
        Change::Large(name, _) | Change::Free(name) => name.opening,
        Change::Op(_) => 0,
    };
    match record {
        Record::Body { name, .. } => name.opening,
        Record::Batch(changes) => changes.iter().map(opening).max().unwrap_or(0),
    }
}

/// Gives the old index a name that is free.
fn keep_old(storage: &dyn Storage) -> Result<(), OpenError> {
    let names = storage.list("")?;
    if names.iter().any(|name| name == INDEX) {
        let free = (1_u32..).map(|number| format!("{INDEX}.{number}")).find(|name| !names.contains(name));
        storage.rename(INDEX, &free.unwrap_or_default())?;
    }
    Ok(())
}
