//! Names of bodies, where they lie, and the chunks in which they are read.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use std::io;

use bytes::{Buf, BufMut as _, Bytes, BytesMut};

use super::format::{CHUNK, Seed};
use super::storage::{File, read_exactly};
use crate::identifier::BlobId;

/// The name of a body: the opening of the store that wrote it, and a number counted in it. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct BodyName {
    pub(super) opening: u64,
    pub(super) number: u64,
}

impl BodyName {
    /// Octets of a name.
    pub(super) const OCTETS: usize = 16;

    pub(super) fn octets(self) -> [u8; Self::OCTETS] {
        ((u128::from(self.opening) << 64) | u128::from(self.number)).to_be_bytes()
    }

    pub(super) fn read(from: &mut impl Buf) -> Option<Self> {
        Some(Self { opening: from.try_get_u64().ok()?, number: from.try_get_u64().ok()? })
    }

    pub(super) fn from_octets(mut octets: &[u8]) -> Option<Self> {
        let name = Self::read(&mut octets)?;
        octets.is_empty().then_some(name)
    }

    pub(super) fn from_blob(blob: &BlobId) -> Option<Self> {
        Self::from_octets(blob.as_bytes())
    }

    pub(super) fn blob(self) -> Option<BlobId> {
        BlobId::new(Bytes::copy_from_slice(&self.octets()))
    }

    /// The directory of its own file, if it has one.
    pub(super) fn large_directory(self) -> String {
        format!("large/{:02x}", self.number & 0xff)
    }

    /// Its own file, if it has one.
    pub(super) fn large_file(self) -> String {
        format!("{}/{:016x}{:016x}", self.large_directory(), self.opening, self.number)
    }

    /// The name behind a file in `large/XX`.
    pub(super) fn from_large_file(file: &str) -> Option<Self> {
        if file.len() != 32 || !file.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let value = u128::from_str_radix(file, 16).ok()?;
        Self::from_octets(&value.to_be_bytes())
    }
}

/// Where a body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a segment, with the offset of its record.
    Segment { segment: u32, at: u64, size: u64 },
    /// In its own file.
    Large { size: u64 },
}

impl Place {
    pub(super) fn size(self) -> u64 {
        match self {
            Self::Segment { size, .. } | Self::Large { size } => size,
        }
    }

    pub(super) fn write(self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(21);
        match self {
            Self::Segment { segment, at, size } => {
                octets.push(1);
                octets.put_u64(size);
                octets.put_u32(segment);
                octets.put_u64(at);
            }
            Self::Large { size } => {
                octets.push(2);
                octets.put_u64(size);
            }
        }
        octets
    }

    pub(super) fn read(mut from: &[u8]) -> Option<Self> {
        let kind = from.try_get_u8().ok()?;
        let size = from.try_get_u64().ok()?;
        let place = match kind {
            1 => Self::Segment { segment: from.try_get_u32().ok()?, at: from.try_get_u64().ok()?, size },
            2 => Self::Large { size },
            _ => return None,
        };
        from.is_empty().then_some(place)
    }
}

/// Reads octets `range` of a body whose chunks begin at `start`; `None` if a chunk that they lie in is damaged.
pub(super) fn read_chunks(
    file: &dyn File,
    seed: Seed,
    start: u64,
    size: u64,
    range: Range<u64>,
) -> io::Result<Option<Bytes>> {
    let (from, to) = (range.start.min(size), range.end.min(size));
    let Some(length) = to.checked_sub(from).filter(|length| *length > 0) else {
        return Ok(Some(Bytes::new()));
    };
    let chunk_size = CHUNK as u64;
    let mut octets = BytesMut::new();
    let first = from / chunk_size;
    for number in first..=(to - 1) / chunk_size {
        let begin = number.saturating_mul(chunk_size);
        let Ok(chunk_length) = usize::try_from(chunk_size.min(size.saturating_sub(begin))) else {
            return Ok(None);
        };
        let at = start.saturating_add(number.saturating_mul(chunk_size + 4));
        let Some(mut chunk) = read_exactly(file, at, chunk_length + 4)? else { return Ok(None) };
        let sum = chunk.split_off(chunk_length);
        if sum != seed.sum(at, &chunk).to_be_bytes() {
            return Ok(None);
        }
        let in_chunk = |position: u64| usize::try_from(position.saturating_sub(begin)).unwrap_or(usize::MAX);
        let wanted = in_chunk(from)..in_chunk(to).min(chunk_length);
        if first == (to - 1) / chunk_size {
            let chunk = Bytes::from(chunk);
            return Ok((wanted.end <= chunk.len()).then(|| chunk.slice(wanted)));
        }
        if octets.is_empty() {
            octets.reserve(usize::try_from(length).unwrap_or(0));
        }
        octets.extend_from_slice(chunk.get(wanted).unwrap_or_default());
    }
    Ok((octets.len() as u64 == length).then(|| octets.freeze()))
}

/// Whether all chunks of a body are sound.
pub(super) fn verify_chunks(file: &dyn File, seed: Seed, start: u64, size: u64) -> io::Result<bool> {
    let mut at = 0;
    while at < size {
        let end = at.saturating_add(CHUNK as u64).min(size);
        if read_chunks(file, seed, start, size, at..end)?.is_none() {
            return Ok(false);
        }
        at = end;
    }
    Ok(true)
}
