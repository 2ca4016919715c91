//! Segment files: names, headers, and reading groups and bodies from them.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::collections::HashMap;
use std::io;
use std::sync::Mutex;

use bytes::Bytes;

use super::body::{self, BodyName, Place};
use super::format::{self, BODY_HEADER, GROUP_HEADER, GroupHeader, SECTOR, Seed};
use super::lock;
use super::storage::{File, Storage, read_exactly};

/// Segments that are kept open for reading.
const OPEN: usize = 64;

/// The file of a segment.
pub(super) fn file_name(segment: u32) -> String {
    format!("segment-00-{segment:08}")
}

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    /// The opening of the store that made it.
    pub(super) incarnation: u64,
    pub(super) file: Arc<dyn File>,
    pub(super) seed: Seed,
}

/// A group as it stands in a segment, with its checksum verified.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) header: GroupHeader,
    pub(super) at: u64,
    pub(super) records: Bytes,
}

impl Group {
    /// Where the next group of the segment begins.
    pub(super) fn next(&self) -> u64 {
        self.header.end(self.at).map_or(u64::MAX, format::padded)
    }
}

impl Segment {
    /// The group at `at`; `None` if there is none, or it is damaged.
    pub(super) fn group(&self, at: u64) -> io::Result<Option<Group>> {
        let Some(header) = read_exactly(&*self.file, at, GROUP_HEADER)? else { return Ok(None) };
        let Some(header) = GroupHeader::read(&header, self.seed, at) else { return Ok(None) };
        let start = at.saturating_add(GROUP_HEADER as u64);
        let fits = header.end(at).is_some_and(|end| self.file.length().is_ok_and(|length| end <= length));
        let Some(length) = usize::try_from(header.length).ok().filter(|_| fits) else { return Ok(None) };
        let Some(records) = read_exactly(&*self.file, start, length)? else { return Ok(None) };
        let is_sound = self.seed.sum(at, &records) == header.sum;
        Ok(is_sound.then(|| Group { header, at, records: records.into() }))
    }

    /// The first group at `from` or behind, on any boundary, with a sequence above `above`.
    pub(super) fn find_above(&self, from: u64, above: u64) -> io::Result<Option<Group>> {
        let length = self.file.length()?;
        let mut at = format::padded(from);
        let mut block = alloc::vec![0; 128 * 512];
        while at < length {
            let read = self.file.read_at(&mut block, at)?;
            for (sector, number) in block.get(..read).unwrap_or_default().chunks(512).zip(0_u64..) {
                let at = at.saturating_add(number * SECTOR);
                let is_above = |header: GroupHeader| header.sequence > above;
                if GroupHeader::read(sector, self.seed, at).is_some_and(is_above) {
                    if let Some(group) = self.group(at)? {
                        return Ok(Some(group));
                    }
                }
            }
            at = at.saturating_add(block.len() as u64);
        }
        Ok(None)
    }
}

/// All segments of a store.
#[derive(Debug)]
pub(super) struct Segments {
    storage: Arc<dyn Storage>,
    store: [u8; 16],
    open: Mutex<HashMap<u32, Arc<Segment>>>,
}

impl Segments {
    pub(super) fn new(storage: Arc<dyn Storage>, store: [u8; 16]) -> Self {
        Self { storage, store, open: Mutex::default() }
    }

    /// The numbers of all files, ascending.
    pub(super) fn numbers(&self) -> io::Result<Vec<u32>> {
        let names = self.storage.list("")?;
        let number = |name: &String| {
            let number = name.strip_prefix("segment-00-")?.parse().ok()?;
            (file_name(number) == *name).then_some(number)
        };
        let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Makes a segment and its name durable.
    pub(super) fn create(&self, number: u32, incarnation: u64) -> Result<Arc<Segment>, CreateError> {
        let name = file_name(number);
        let file = self.storage.create(&name).map_err(CreateError::Write)?;
        let header = format::segment_header(&self.store, number, incarnation);
        if let Err(error) = file.write_at(&header, 0) {
            // Its name is free again; a leftover would be in the way of the next try only.
            self.storage.remove(&name).map_err(CreateError::Sync)?;
            return Err(CreateError::Write(error));
        }
        file.sync().map_err(CreateError::Sync)?;
        self.storage.sync_directory("").map_err(CreateError::Sync)?;
        let seed = Seed::segment(&self.store, incarnation, number);
        let segment = Arc::new(Segment { number, incarnation, file, seed });
        lock(&self.open).insert(number, Arc::clone(&segment));
        Ok(segment)
    }

    /// A segment; `None` if there is no such file, or its header is damaged.
    pub(super) fn get(&self, number: u32) -> io::Result<Option<Arc<Segment>>> {
        if let Some(segment) = lock(&self.open).get(&number) {
            return Ok(Some(Arc::clone(segment)));
        }
        let file = match self.storage.open(&file_name(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let Some(header) = read_exactly(&*file, 0, 512)? else { return Ok(None) };
        let Some(incarnation) = format::read_segment_header(&header, &self.store, number) else {
            return Ok(None);
        };
        let seed = Seed::segment(&self.store, incarnation, number);
        let segment = Arc::new(Segment { number, incarnation, file, seed });
        let mut open = lock(&self.open);
        if open.len() >= OPEN {
            open.clear();
        }
        open.insert(number, Arc::clone(&segment));
        Ok(Some(segment))
    }

    /// Removes a file that holds no group which counts.
    pub(super) fn remove(&self, number: u32) -> io::Result<()> {
        lock(&self.open).remove(&number);
        self.storage.remove(&file_name(number))
    }

    /// What locates the chunks of a body; `None` if nothing sound stands where it should.
    fn locate(&self, name: BodyName, place: Place) -> io::Result<Option<Located>> {
        let (file, seed, at) = match place {
            Place::Segment { segment, at, .. } => {
                let Some(segment) = self.get(segment)? else { return Ok(None) };
                (Arc::clone(&segment.file), segment.seed, at)
            }
            Place::Large { .. } => {
                (self.storage.open(&name.large_file())?, Seed::large(&self.store, name), 0)
            }
        };
        let Some(header) = read_exactly(&*file, at, BODY_HEADER)? else { return Ok(None) };
        let is_it = format::read_body_header(&header, seed, at) == Some((name, place.size()));
        Ok(is_it.then(|| Located { file, seed, start: at.saturating_add(BODY_HEADER as u64) }))
    }

    /// Octets of a body; `None` if those are damaged.
    pub(super) fn read(&self, name: BodyName, place: Place, range: Range<u64>) -> io::Result<Option<Bytes>> {
        let Some(Located { file, seed, start }) = self.locate(name, place)? else { return Ok(None) };
        body::read_chunks(&*file, seed, start, place.size(), range)
    }

    /// What is wrong with a body; `full` also reads its octets.
    pub(super) fn verify(&self, name: BodyName, place: Place, full: bool) -> io::Result<Option<String>> {
        let located = match self.locate(name, place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some("its file is missing".to_string()));
            }
            located => located?,
        };
        let Some(Located { file, seed, start }) = located else {
            return Ok(Some("it does not stand where the index says".to_string()));
        };
        let is_sound = !full || body::verify_chunks(&*file, seed, start, place.size())?;
        Ok((!is_sound).then(|| "its octets are damaged".to_string()))
    }
}

struct Located {
    file: Arc<dyn File>,
    seed: Seed,
    start: u64,
}

/// Why a segment was not made.
#[derive(Debug)]
pub(super) enum CreateError {
    /// Nothing happened.
    Write(io::Error),
    /// Nothing is known about what is durable.
    Sync(io::Error),
}
