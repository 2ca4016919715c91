//! The index's file, as redb wants it.
//!
//! redb refuses even reads once an operation of its file failed. So a failed write or sync is not shown to
//! it: it is noted here, which poisons the engine, and what is written from then on is kept in memory, so
//! that reads go on with what was committed. Nothing is acknowledged any more, so that is at most what one
//! commit was about to write.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::sync::Mutex;

use redb::StorageBackend;

use super::lock;
use super::storage::File;

const PAGE: u64 = 4096;

/// Whether a write or sync of the index failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Failed(Arc<AtomicBool>);

impl Failed {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

#[derive(Debug)]
pub(super) struct Backing {
    file: Arc<dyn File>,
    failed: Failed,
    kept: Mutex<Kept>,
}

/// What was written after the first failure.
#[derive(Debug, Default)]
struct Kept {
    pages: BTreeMap<u64, Box<[u8]>>,
    length: Option<u64>,
}

impl Backing {
    pub(super) fn new(file: Arc<dyn File>, failed: Failed) -> Self {
        Self { file, failed, kept: Mutex::default() }
    }

    /// What the file itself holds; zeros behind its end.
    fn read_file(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        let read = self.file.read_at(into, at)?;
        if let Some(rest) = into.get_mut(read..) {
            rest.fill(0);
        }
        Ok(())
    }

    fn keep(&self, kept: &mut Kept, at: u64, mut octets: &[u8]) -> io::Result<()> {
        let mut at = at;
        while !octets.is_empty() {
            let (page, offset) = (at - at % PAGE, usize::try_from(at % PAGE).unwrap_or(0));
            let (now, rest) = octets.split_at(octets.len().min(4096 - offset));
            let content = match kept.pages.entry(page) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let mut content = alloc::vec![0; 4096].into_boxed_slice();
                    self.read_file(&mut content, page)?;
                    entry.insert(content)
                }
            };
            if let Some(place) = content.get_mut(offset..offset + now.len()) {
                place.copy_from_slice(now);
            }
            at = at.saturating_add(now.len() as u64);
            octets = rest;
        }
        Ok(())
    }
}

impl StorageBackend for Backing {
    fn len(&self) -> io::Result<u64> {
        lock(&self.kept).length.map_or_else(|| self.file.length(), Ok)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let kept = lock(&self.kept);
        if !self.failed.is_set() {
            drop(kept);
            let read = self.file.read_at(out, offset)?;
            return if read == out.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        self.read_file(out, offset)?;
        let end = offset.saturating_add(out.len() as u64);
        for (page, content) in kept.pages.range(offset.saturating_sub(PAGE - 1)..end) {
            let (from, to) = (offset.max(*page), end.min(page + PAGE));
            let within = |base: u64| {
                let start = usize::try_from(from.saturating_sub(base)).unwrap_or(usize::MAX);
                start..start.saturating_add(usize::try_from(to.saturating_sub(from)).unwrap_or(0))
            };
            if let (Some(place), Some(content)) = (out.get_mut(within(offset)), content.get(within(*page))) {
                place.copy_from_slice(content);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut kept = lock(&self.kept);
        if !self.failed.is_set() {
            if self.file.set_length(length).is_ok() {
                return Ok(());
            }
            self.failed.set();
        }
        kept.length = Some(length);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if !self.failed.is_set() && self.file.sync().is_err() {
            self.failed.set();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut kept = lock(&self.kept);
        if !self.failed.is_set() {
            if self.file.write_at(data, offset).is_ok() {
                return Ok(());
            }
            self.failed.set();
        }
        self.keep(&mut kept, offset, data)
    }
}
