//! Bodies on their way: in memory until the group that shows them, or in a file of their own.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;
use std::io;

use bytes::{Bytes, BytesMut};

use super::Shared;
use super::body::{BodyName, Place};
use super::format::{self, BODY_HEADER, CHUNK, Seed};
use super::lock;
use super::storage::File;
use crate::engine::{BlobWriter, IoError, WriteFailed};
use crate::identifier::BlobId;

/// Octets of memory that uploads hold, counted until dropped.
#[derive(Debug)]
struct Reserved {
    shared: Arc<Shared>,
    octets: usize,
}

impl Reserved {
    /// `false` if the budget is used up.
    fn grow(&mut self, octets: usize) -> bool {
        let budget = self.shared.config.upload_memory;
        let grown = |used: usize| used.checked_add(octets).filter(|used| *used <= budget);
        let counter = &self.shared.staged_octets;
        let fits = counter.fetch_update(Ordering::AcqRel, Ordering::Acquire, grown).is_ok();
        if fits {
            self.octets += octets;
        }
        fits
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.shared.staged_octets.fetch_sub(self.octets, Ordering::AcqRel);
    }
}

/// A finished body in memory: chunks, all but the last full.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) chunks: Vec<Bytes>,
    pub(super) size: u64,
    octets: AtomicUsize,
    used: Arc<AtomicUsize>,
}

impl Held {
    pub(super) fn read(&self, range: Range<u64>) -> Bytes {
        let (from, to) = (range.start.min(self.size), range.end.min(self.size));
        let mut all = BytesMut::new();
        for (chunk, number) in self.chunks.iter().zip(0_u64..) {
            let begin = number.saturating_mul(CHUNK as u64);
            let within = |at: u64| {
                usize::try_from(at.saturating_sub(begin)).map_or(chunk.len(), |at| at.min(chunk.len()))
            };
            all.extend_from_slice(chunk.get(within(from)..within(to)).unwrap_or_default());
        }
        all.freeze()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.used.fetch_sub(self.octets.load(Ordering::Acquire), Ordering::AcqRel);
    }
}

/// A finished body that no group shows yet.
#[derive(Clone, Debug)]
pub(super) enum StagedBody {
    Memory(Arc<Held>),
    Large(u64),
}

impl StagedBody {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Memory(held) => held.size,
            Self::Large(size) => *size,
        }
    }
}

/// Bodies between `finish` and the index, and between `delete` and the index.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) bodies: HashMap<BodyName, StagedBody>,
    /// Deleted, but the index does not know yet.
    pub(super) freed: BTreeMap<BodyName, Place>,
}

/// A blob that is being written to a [`Local`](super::Local).
#[derive(Debug)]
pub struct LocalWriter {
    reserved: Reserved,
    name: BodyName,
    chunks: Vec<Bytes>,
    open: BytesMut,
    size: u64,
    file: Option<Spill>,
}

/// A body's own file while it is written.
#[derive(Debug)]
struct Spill {
    file: Arc<dyn File>,
    temporary: String,
    seed: Seed,
    end: u64,
    is_done: bool,
    shared: Arc<Shared>,
}

impl Drop for Spill {
    fn drop(&mut self) {
        if !self.is_done {
            // What cannot be removed now is removed at the next opening.
            let _ = self.shared.storage.remove(&self.temporary);
        }
    }
}

impl Spill {
    fn new(shared: &Arc<Shared>, name: BodyName) -> io::Result<Self> {
        let temporary = format!("tmp/{:016x}{:016x}", name.opening, name.number);
        let file = shared.storage.create(&temporary)?;
        let seed = Seed::large(&shared.store, name);
        let shared = Arc::clone(shared);
        Ok(Self { file, temporary, seed, end: BODY_HEADER as u64, is_done: false, shared })
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        let sum = self.seed.sum(self.end, chunk).to_be_bytes();
        self.file.write_at(chunk, self.end)?;
        let behind = self.end.saturating_add(chunk.len() as u64);
        self.file.write_at(&sum, behind)?;
        self.end = behind.saturating_add(sum.len() as u64);
        Ok(())
    }

    /// Makes the file durable under its name.
    fn finish(mut self, name: BodyName, size: u64) -> Result<(), WriteFailed> {
        let shared = Arc::clone(&self.shared);
        let header = format::body_header(self.seed, 0, name, size);
        self.file.write_at(&header, 0).map_err(|error| super::write_failed(&error))?;
        let directory = name.large_directory();
        if !lock(&shared.large_directories).contains(&directory) {
            let storage = &shared.storage;
            storage.create_directory("large").map_err(|error| super::write_failed(&error))?;
            storage.create_directory(&directory).map_err(|error| super::write_failed(&error))?;
            shared.synced(storage.sync_directory(""))?;
            shared.synced(storage.sync_directory("large"))?;
            lock(&shared.large_directories).insert(directory.clone());
        }
        shared.synced(self.file.sync())?;
        let target = name.large_file();
        shared.storage.rename(&self.temporary, &target).map_err(|error| super::write_failed(&error))?;
        self.is_done = true;
        shared.synced(shared.storage.sync_directory(&directory))
    }
}

impl LocalWriter {
    pub(super) fn new(shared: &Arc<Shared>, name: BodyName, size_hint: Option<u64>) -> io::Result<Self> {
        let is_large = size_hint.is_some_and(|size| size >= shared.config.large_from);
        let file = if is_large { Some(Spill::new(shared, name)?) } else { None };
        let reserved = Reserved { shared: Arc::clone(shared), octets: 0 };
        Ok(Self { reserved, name, chunks: Vec::new(), open: BytesMut::new(), size: 0, file })
    }

    fn push(&mut self, mut content: &[u8]) -> io::Result<()> {
        while !content.is_empty() {
            let (now, rest) = content.split_at(content.len().min(CHUNK - self.open.len()));
            self.open.extend_from_slice(now);
            content = rest;
            if self.open.len() == CHUNK {
                self.close_chunk()?;
            }
        }
        Ok(())
    }

    fn close_chunk(&mut self) -> io::Result<()> {
        let chunk = core::mem::take(&mut self.open);
        self.size = self.size.saturating_add(chunk.len() as u64);
        let is_large = self.size >= self.reserved.shared.config.large_from;
        if self.file.is_none() && (is_large || !self.reserved.grow(chunk.len())) {
            let mut file = Spill::new(&self.reserved.shared, self.name)?;
            for chunk in self.chunks.drain(..) {
                file.write(&chunk)?;
            }
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write(&chunk),
            None => {
                self.chunks.push(chunk.freeze());
                Ok(())
            }
        }
    }

    fn end(mut self) -> Result<BlobId, WriteFailed> {
        if !self.open.is_empty() {
            self.close_chunk().map_err(|error| super::write_failed(&error))?;
        }
        let Self { mut reserved, name, chunks, size, file, .. } = self;
        let shared = Arc::clone(&reserved.shared);
        let body = match file {
            Some(file) => {
                file.finish(name, size)?;
                StagedBody::Large(size)
            }
            None => {
                let octets = AtomicUsize::new(core::mem::take(&mut reserved.octets));
                let used = Arc::clone(&shared.staged_octets);
                StagedBody::Memory(Arc::new(Held { chunks, size, octets, used }))
            }
        };
        lock(&shared.staged).bodies.insert(name, body);
        name.blob().ok_or_else(|| WriteFailed::Io(IoError::new("no name for the body")))
    }
}

impl BlobWriter for LocalWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<(), WriteFailed> {
        self.reserved.shared.writable()?;
        self.push(&chunk).map_err(|error| super::write_failed(&error))
    }

    async fn finish(self) -> Result<BlobId, WriteFailed> {
        self.reserved.shared.writable()?;
        self.end()
    }
}

impl Shared {
    /// Octets of a body.
    pub(super) fn read_body(
        &self,
        name: BodyName,
        range: Range<u64>,
    ) -> Result<Bytes, crate::engine::ReadError> {
        use crate::engine::ReadError;
        let staged = {
            let staged = lock(&self.staged);
            if staged.freed.contains_key(&name) {
                return Err(ReadError::Gone);
            }
            staged.bodies.get(&name).cloned()
        };
        // A body leaves the staged ones only once the index has it.
        let place = match staged {
            Some(StagedBody::Memory(held)) => return Ok(held.read(range)),
            Some(StagedBody::Large(size)) => Place::Large { size },
            None => self.index.place(name)?.ok_or(ReadError::Gone)?,
        };
        match self.segments.read(name, place, range) {
            Ok(Some(octets)) => Ok(octets),
            Ok(None) => Err(damaged(name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // It may have been freed in between.
                Err(if self.index.place(name)?.is_none() { ReadError::Gone } else { damaged(name) })
            }
            Err(error) => Err(ReadError::Io(IoError::new(error))),
        }
    }

    /// Frees a body: at once if no group shows it, else with the next group.
    pub(super) fn free_body(&self, name: BodyName) -> Result<(), WriteFailed> {
        let staged = lock(&self.staged).bodies.remove(&name);
        match staged {
            Some(StagedBody::Memory(_)) => Ok(()),
            Some(StagedBody::Large(_)) => {
                self.storage.remove(&name.large_file()).map_err(|error| super::write_failed(&error))
            }
            None => {
                let place = self.index.place(name).map_err(|error| WriteFailed::Io(IoError::new(error)))?;
                if let Some(place) = place {
                    lock(&self.staged).freed.insert(name, place);
                }
                Ok(())
            }
        }
    }
}

fn damaged(name: BodyName) -> crate::engine::ReadError {
    let key = format!("{:016x}{:016x}", name.opening, name.number);
    crate::engine::ReadError::Corrupt { what: "body", key }
}
