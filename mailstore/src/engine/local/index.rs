//! The index: keys, where bodies lie, and which group was applied last, in one redb file.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf as _, BufMut as _, Bytes};
use redb::{
    Builder, Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _, Table, TableDefinition,
};

use super::backing::{Backing, Failed};
use super::body::{BodyName, Place};
use super::format::Change;
use super::storage::File;
use crate::engine::{CommitError, IoError, Op, ReadError};

type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;

const KEYS: Rows = TableDefinition::new("keys");
const BODIES: Rows = TableDefinition::new("bodies");
const STATE: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("state");

/// The one row of `STATE`.
const LOG: &str = "log";

/// Keys, at one moment.
pub(super) type KeysView = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// An error of the index.
#[derive(Debug, thiserror::Error)]
#[error("index: {0}")]
pub(super) struct IndexError(Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for IndexError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl From<IndexError> for ReadError {
    fn from(error: IndexError) -> Self {
        Self::Io(IoError::new(error))
    }
}

impl From<IndexError> for CommitError {
    fn from(error: IndexError) -> Self {
        Self::Io(IoError::new(error))
    }
}

/// What the index knows of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The group that was applied last; 0 = none.
    pub(super) sequence: u64,
    /// Where it is.
    pub(super) segment: u32,
    pub(super) at: u64,
    /// How often the store was opened.
    pub(super) opening: u64,
    /// Nobody writes: it was closed.
    pub(super) is_closed: bool,
}

impl State {
    fn write(self) -> Vec<u8> {
        let mut octets = Vec::new();
        octets.put_u64(self.sequence);
        octets.put_u32(self.segment);
        octets.put_u64(self.at);
        octets.put_u64(self.opening);
        octets.put_u8(self.is_closed.into());
        octets
    }

    fn read(mut from: &[u8]) -> Option<Self> {
        let state = Self {
            sequence: from.try_get_u64().ok()?,
            segment: from.try_get_u32().ok()?,
            at: from.try_get_u64().ok()?,
            opening: from.try_get_u64().ok()?,
            is_closed: from.try_get_u8().ok()? == 1,
        };
        from.is_empty().then_some(state)
    }
}

/// The open index.
pub(super) struct Index {
    database: Database,
    failed: Failed,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the index in `file`; makes an empty one in an empty file.
    pub(super) fn open(file: Arc<dyn File>, cache: usize, verify: bool) -> Result<Self, IndexError> {
        let failed = Failed::default();
        let backing = Backing::new(file, failed.clone());
        let mut builder = Builder::new();
        builder.set_cache_size(cache).set_check_integrity_on_open(verify);
        let database = builder.create_with_backend(backing)?;
        let index = Self { database, failed };
        if index.state()?.is_none() {
            index.write(|edit| edit.set_state(State::default()))?;
        }
        Ok(index)
    }

    /// Whether a write or sync failed, ever.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_set()
    }

    /// `None` for an index that was never used.
    pub(super) fn state(&self) -> Result<Option<State>, IndexError> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(STATE) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        let Some(value) = table.get(LOG)? else { return Ok(None) };
        State::read(value.value()).map(Some).ok_or_else(|| damaged("state of the log"))
    }

    /// All keys as they are now.
    pub(super) fn keys(&self) -> Result<KeysView, IndexError> {
        Ok(self.database.begin_read()?.open_table(KEYS)?)
    }

    /// Where a body lies.
    pub(super) fn place(&self, name: BodyName) -> Result<Option<Place>, IndexError> {
        let table = self.database.begin_read()?.open_table(BODIES)?;
        let Some(value) = table.get(name.octets().as_slice())? else { return Ok(None) };
        Place::read(value.value()).map(Some).ok_or_else(|| damaged("place of a body"))
    }

    /// Visits all bodies.
    pub(super) fn bodies(&self, mut visit: impl FnMut(BodyName, Place)) -> Result<(), IndexError> {
        let table = self.database.begin_read()?.open_table(BODIES)?;
        for row in table.iter()? {
            let (key, value) = row?;
            let name = BodyName::from_octets(key.value()).ok_or_else(|| damaged("name of a body"))?;
            visit(name, Place::read(value.value()).ok_or_else(|| damaged("place of a body"))?);
        }
        Ok(())
    }

    /// Runs `work` on all tables and makes its changes durable, or none of them if it fails.
    pub(super) fn write<T, E: From<IndexError>>(
        &self,
        work: impl FnOnce(&mut Edit<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let wrap = |error: redb::Error| E::from(IndexError(Box::new(error)));
        let transaction = self.database.begin_write().map_err(|error| wrap(error.into()))?;
        let result = {
            let mut edit = Edit {
                keys: transaction.open_table(KEYS).map_err(|error| wrap(error.into()))?,
                bodies: transaction.open_table(BODIES).map_err(|error| wrap(error.into()))?,
                state: transaction.open_table(STATE).map_err(|error| wrap(error.into()))?,
            };
            work(&mut edit)
        };
        match result {
            Ok(value) => {
                transaction.commit().map_err(|error| wrap(error.into()))?;
                Ok(value)
            }
            Err(error) => {
                transaction.abort().map_err(|error| wrap(error.into()))?;
                Err(error)
            }
        }
    }
}

fn damaged(what: &'static str) -> IndexError {
    redb::Error::Corrupted(alloc::string::String::from(what)).into()
}

/// Changes that become durable together.
pub(super) struct Edit<'t> {
    keys: Table<'t, &'static [u8], &'static [u8]>,
    bodies: Table<'t, &'static [u8], &'static [u8]>,
    state: Table<'t, &'static str, &'static [u8]>,
}

impl Edit<'_> {
    pub(super) fn set_state(&mut self, state: State) -> Result<(), IndexError> {
        self.state.insert(LOG, state.write().as_slice())?;
        Ok(())
    }

    pub(super) fn set_place(&mut self, name: BodyName, place: Place) -> Result<(), IndexError> {
        self.bodies.insert(name.octets().as_slice(), place.write().as_slice())?;
        Ok(())
    }

    pub(super) fn has_body(&self, name: BodyName) -> Result<bool, IndexError> {
        Ok(self.bodies.get(name.octets().as_slice())?.is_some())
    }

    /// Whether `key` holds exactly `value`.
    pub(super) fn holds(&self, key: &[u8], value: Option<&Bytes>) -> Result<bool, IndexError> {
        Ok(match (self.keys.get(key)?, value) {
            (Some(found), Some(value)) => found.value() == value.as_ref(),
            (None, None) => true,
            _ => false,
        })
    }

    fn counter(&self, key: &[u8]) -> Result<Option<i64>, IndexError> {
        let Some(value) = self.keys.get(key)? else { return Ok(Some(0)) };
        Ok(value.value().try_into().ok().map(i64::from_be_bytes))
    }

    /// Whether every counter of `ops` stays in its range: nothing else can make them fail.
    pub(super) fn can_add(&self, ops: &[Op]) -> Result<bool, IndexError> {
        let mut sums: BTreeMap<&Bytes, i64> = BTreeMap::new();
        for op in ops {
            let Op::Add(key, amount) = op else { continue };
            let value = match sums.get(key) {
                Some(sum) => Some(*sum),
                None => self.counter(key)?,
            };
            let Some(sum) = value.and_then(|value| value.checked_add(*amount)) else { return Ok(false) };
            sums.insert(key, sum);
        }
        Ok(true)
    }

    pub(super) fn apply(&mut self, change: &Change) -> Result<(), IndexError> {
        match change {
            Change::Op(Op::Put(key, value)) => {
                self.keys.insert(key.as_ref(), value.as_ref())?;
            }
            Change::Op(Op::Delete(key)) => {
                self.keys.remove(key.as_ref())?;
            }
            Change::Op(Op::DeleteRange(start, end)) if start < end => {
                self.keys.retain_in::<&[u8], _>(start.as_ref()..end.as_ref(), |_, _| false)?;
            }
            Change::Op(Op::DeleteRange(..)) => {}
            Change::Op(Op::Add(key, amount)) => {
                let sum = self.counter(key)?.and_then(|value| value.checked_add(*amount));
                let sum = sum.ok_or_else(|| damaged("counter"))?;
                self.keys.insert(key.as_ref(), sum.to_be_bytes().as_slice())?;
            }
            Change::Large(name, size) => self.set_place(*name, Place::Large { size: *size })?,
            Change::Free(name) => {
                self.bodies.remove(name.octets().as_slice())?;
            }
        }
        Ok(())
    }
}
