//! Blobs of the memory engine: chunks of 64 KiB, so that a large message is never moved in memory.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::sync::Mutex;

use bytes::{Bytes, BytesMut};

use super::lock;
use crate::identifier::BlobId;

/// Octets of a full chunk.
const CHUNK: usize = 64 * 1024;

/// All finished blobs.
#[derive(Debug, Default)]
pub(super) struct Heap {
    next: u64,
    blobs: BTreeMap<u64, Arc<Blob>>,
    octets: u64,
}

impl Heap {
    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    pub(super) fn len(&self) -> usize {
        self.blobs.len()
    }

    pub(super) fn get(&self, id: &BlobId) -> Option<Arc<Blob>> {
        self.blobs.get(&number(id)?).cloned()
    }

    pub(super) fn contains(&self, id: &BlobId) -> bool {
        number(id).is_some_and(|number| self.blobs.contains_key(&number))
    }

    pub(super) fn remove(&mut self, id: &BlobId) {
        if let Some(blob) = number(id).and_then(|number| self.blobs.remove(&number)) {
            self.octets -= blob.size;
        }
    }

    pub(super) fn list(&self) -> Vec<(BlobId, u64)> {
        self.blobs.iter().filter_map(|(number, blob)| Some((id(*number)?, blob.size))).collect()
    }

    fn insert(&mut self, blob: Blob) -> u64 {
        let number = self.next;
        self.next += 1;
        self.octets += blob.size;
        self.blobs.insert(number, Arc::new(blob));
        number
    }
}

fn id(number: u64) -> Option<BlobId> {
    BlobId::new(Bytes::copy_from_slice(&number.to_be_bytes()))
}

fn number(id: &BlobId) -> Option<u64> {
    Some(u64::from_be_bytes(id.as_bytes().as_ref().try_into().ok()?))
}

/// Octets in chunks; all but the last hold [`CHUNK`] octets.
#[derive(Debug, Default)]
pub(super) struct Blob {
    chunks: Vec<Bytes>,
    size: u64,
}

impl Blob {
    /// Octets `at`, as a view where they lie in one chunk.
    pub(super) fn read(&self, at: Range<u64>) -> Bytes {
        let (start, end) = (position(at.start.min(self.size)), position(at.end.min(self.size)));
        let (first, offset) = (start / CHUNK, start % CHUNK);
        let length = end.saturating_sub(start);
        if length == 0 {
            return Bytes::new();
        }
        match self.chunks.get(first) {
            Some(chunk) if offset + length <= chunk.len() => chunk.slice(offset..offset + length),
            _ => {
                let mut octets = BytesMut::with_capacity(length);
                for chunk in self.chunks.iter().skip(first) {
                    let from = if octets.is_empty() { offset } else { 0 };
                    let rest = chunk.get(from..).unwrap_or_default();
                    octets.extend_from_slice(rest.get(..length - octets.len()).unwrap_or(rest));
                    if octets.len() == length {
                        break;
                    }
                }
                octets.freeze()
            }
        }
    }
}

/// An offset into memory.
fn position(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}

/// A blob that is being written to a [`Memory`](super::Memory).
#[derive(Debug)]
pub struct MemoryWriter {
    heap: Arc<Mutex<Heap>>,
    blob: Blob,
    open: BytesMut,
    hint: usize,
}

impl MemoryWriter {
    pub(super) fn new(heap: Arc<Mutex<Heap>>, size_hint: Option<u64>) -> Self {
        Self { heap, blob: Blob::default(), open: BytesMut::new(), hint: size_hint.map_or(0, position) }
    }

    pub(super) fn push(&mut self, mut content: &[u8]) {
        while !content.is_empty() {
            if self.open.is_empty() {
                self.open.reserve(self.hint.clamp(1024, CHUNK));
            }
            let (now, rest) = content.split_at(content.len().min(CHUNK - self.open.len()));
            self.open.extend_from_slice(now);
            content = rest;
            if self.open.len() == CHUNK {
                self.close_chunk();
            }
        }
    }

    fn close_chunk(&mut self) {
        // An exact copy where the buffer is larger than its content: blobs live long.
        let chunk = if self.open.capacity() > self.open.len() + self.open.len() / 8 {
            Bytes::copy_from_slice(&self.open)
        } else {
            core::mem::take(&mut self.open).freeze()
        };
        self.open = BytesMut::new();
        self.hint = self.hint.saturating_sub(chunk.len());
        self.blob.size += chunk.len() as u64;
        self.blob.chunks.push(chunk);
    }

    pub(super) fn end(mut self) -> Option<BlobId> {
        if !self.open.is_empty() {
            self.close_chunk();
        }
        id(lock(&self.heap).insert(self.blob))
    }
}
