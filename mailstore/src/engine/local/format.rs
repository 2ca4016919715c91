//! What is in a segment: its header, groups, records, and their checksums.
//!
//! A segment is a header of 512 octets, then groups, each on a boundary of 512 octets, so that no octet that
//! was acknowledged shares a sector with a later write. A group is a header, then records: bodies and
//! batches. Every checksum is seeded with store, incarnation, segment and offset: the octets of a mail
//! never pass for a record, nor a record for one at another place. Integers are big-endian.

use alloc::vec::Vec;

use bytes::{Buf as _, BufMut as _, Bytes};
use crc32c::{crc32c, crc32c_append};

use super::body::BodyName;
use crate::engine::Op;

/// The version of all formats here.
pub(super) const VERSION: u8 = 1;

/// Where groups begin.
pub(super) const SECTOR: u64 = 512;

/// Octets of a body that one checksum covers.
pub(super) const CHUNK: usize = 64 * 1024;

const SEGMENT_MAGIC: &[u8; 8] = b"MwSegmnt";
const GROUP_MAGIC: &[u8; 4] = b"MwGr";

/// Octets of a segment's header that are used.
const SEGMENT_HEADER: usize = 8 + 1 + 16 + 4 + 4 + 8 + 4;

/// Octets of a group's header.
pub(super) const GROUP_HEADER: usize = 4 + 1 + 8 + 8 + 4 + 4 + 4;

/// The kinds of records. Kind 3 is kept for the state of an account.
const BODY: u8 = 1;
const BATCH: u8 = 2;

/// Octets in front of the chunks of a body.
pub(super) const BODY_HEADER: usize = 1 + BodyName::OCTETS + 8 + 4;

/// Octets in front of the changes of a batch.
const BATCH_HEADER: usize = 1 + 8 + 4;

/// What seeds the checksums of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed(u32);

impl Seed {
    pub(super) fn segment(store: &[u8; 16], incarnation: u64, segment: u32) -> Self {
        let seed = crc32c_append(crc32c(store), &incarnation.to_be_bytes());
        Self(crc32c_append(seed, &segment.to_be_bytes()))
    }

    pub(super) fn large(store: &[u8; 16], name: BodyName) -> Self {
        Self(crc32c_append(crc32c(store), &name.octets()))
    }

    /// The checksum of `octets` at offset `at`.
    pub(super) fn sum(self, at: u64, octets: &[u8]) -> u32 {
        crc32c_append(crc32c_append(self.0, &at.to_be_bytes()), octets)
    }
}

/// The first sector of a segment.
pub(super) fn segment_header(store: &[u8; 16], segment: u32, incarnation: u64) -> Vec<u8> {
    let mut header = Vec::from(SEGMENT_MAGIC.as_slice());
    header.push(VERSION);
    header.extend_from_slice(store);
    header.put_u32(0); // The shard.
    header.put_u32(segment);
    header.put_u64(incarnation);
    let sum = Seed::segment(store, incarnation, segment).sum(0, &header);
    header.put_u32(sum);
    pad(&mut header);
    header
}

/// The incarnation of segment `segment` of this store; `None` if this is not its header.
pub(super) fn read_segment_header(header: &[u8], store: &[u8; 16], segment: u32) -> Option<u64> {
    let fields = header.get(..SEGMENT_HEADER)?;
    let (fields, mut sum) = fields.split_at_checked(SEGMENT_HEADER - 4)?;
    let mut incarnation = fields.get(fields.len().checked_sub(8)?..)?;
    let incarnation = incarnation.try_get_u64().ok()?;
    let same = segment_header(store, segment, incarnation);
    let is_same = same.get(..fields.len())? == fields;
    let matches = sum.try_get_u32().ok()? == Seed::segment(store, incarnation, segment).sum(0, fields);
    (is_same && matches).then_some(incarnation)
}

/// Appends zeros up to the next sector.
fn pad(octets: &mut Vec<u8>) {
    octets.resize(octets.len().next_multiple_of(512), 0);
}

/// `octets` and what is needed to reach the next sector.
pub(super) fn padded(octets: u64) -> u64 {
    octets.checked_next_multiple_of(SECTOR).unwrap_or(u64::MAX)
}

/// A group's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupHeader {
    pub(super) sequence: u64,
    /// Octets of its records.
    pub(super) length: u64,
    pub(super) count: u32,
    /// Checksum of its records.
    pub(super) sum: u32,
}

impl GroupHeader {
    /// Reads the header at offset `at`; `None` if there is none.
    pub(super) fn read(octets: &[u8], seed: Seed, at: u64) -> Option<Self> {
        let fields = octets.get(..GROUP_HEADER)?;
        let (fields, mut sum) = fields.split_at_checked(GROUP_HEADER - 4)?;
        if sum.try_get_u32().ok()? != seed.sum(at, fields) {
            return None;
        }
        let mut rest = fields.strip_prefix(GROUP_MAGIC)?;
        if rest.try_get_u8().ok()? != VERSION {
            return None;
        }
        Some(Self {
            sequence: rest.try_get_u64().ok()?,
            length: rest.try_get_u64().ok()?,
            count: rest.try_get_u32().ok()?,
            sum: rest.try_get_u32().ok()?,
        })
    }

    fn write(&self, seed: Seed, at: u64) -> Vec<u8> {
        let mut octets = Vec::from(GROUP_MAGIC.as_slice());
        octets.push(VERSION);
        octets.put_u64(self.sequence);
        octets.put_u64(self.length);
        octets.put_u32(self.count);
        octets.put_u32(self.sum);
        let sum = seed.sum(at, &octets);
        octets.put_u32(sum);
        octets
    }

    /// The first octet behind the group that begins at `at`, without padding.
    pub(super) fn end(&self, at: u64) -> Option<u64> {
        at.checked_add(GROUP_HEADER as u64)?.checked_add(self.length)
    }
}

/// A change as it is recorded: that of a batch, or the end of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Op(Op),
    /// A body that has a file of its own is referred to from here on.
    Large(BodyName, u64),
    Free(BodyName),
}

/// A group that is being put together for one place.
#[derive(Debug)]
pub(super) struct GroupWriter {
    octets: Vec<u8>,
    seed: Seed,
    at: u64,
    count: u32,
}

impl GroupWriter {
    pub(super) fn new(seed: Seed, at: u64) -> Self {
        Self { octets: alloc::vec![0; GROUP_HEADER], seed, at, count: 0 }
    }

    fn position(&self) -> u64 {
        self.at.saturating_add(self.octets.len() as u64)
    }

    /// Adds a body, given as pieces; gives the offset of its record.
    pub(super) fn body<'a>(
        &mut self,
        name: BodyName,
        size: u64,
        chunks: impl Iterator<Item = &'a [u8]>,
    ) -> u64 {
        let start = self.position();
        let header = body_header(self.seed, start, name, size);
        self.octets.extend_from_slice(&header);
        for chunk in chunks {
            let sum = self.seed.sum(self.position(), chunk);
            self.octets.extend_from_slice(chunk);
            self.octets.put_u32(sum);
        }
        self.count += 1;
        start
    }

    /// Adds a batch.
    pub(super) fn batch<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) {
        let mut content = Vec::new();
        changes.for_each(|change| write_change(&mut content, change));
        let start = self.position();
        let mut header = Vec::from([BATCH]);
        header.put_u64(content.len() as u64);
        let sum = crc32c_append(self.seed.sum(start, &header), &content);
        header.put_u32(sum);
        self.octets.extend_from_slice(&header);
        self.octets.extend_from_slice(&content);
        self.count += 1;
    }

    /// The octets to write: header, records and padding.
    pub(super) fn finish(mut self, sequence: u64) -> Vec<u8> {
        let (_, records) = self.octets.split_at_checked(GROUP_HEADER).unwrap_or_default();
        let header = GroupHeader {
            sequence,
            length: records.len() as u64,
            count: self.count,
            sum: self.seed.sum(self.at, records),
        };
        let header = header.write(self.seed, self.at);
        if let Some(place) = self.octets.get_mut(..GROUP_HEADER) {
            place.copy_from_slice(&header);
        }
        pad(&mut self.octets);
        self.octets
    }
}

/// What stands in front of the chunks of a body.
pub(super) fn body_header(seed: Seed, at: u64, name: BodyName, size: u64) -> Vec<u8> {
    let mut header = Vec::from([BODY]);
    header.extend_from_slice(&name.octets());
    header.put_u64(size);
    let sum = seed.sum(at, &header);
    header.put_u32(sum);
    header
}

/// Name and size of the body whose header stands at `at`; `None` if none does.
pub(super) fn read_body_header(octets: &[u8], seed: Seed, at: u64) -> Option<(BodyName, u64)> {
    let fields = octets.get(..BODY_HEADER)?;
    let (fields, mut sum) = fields.split_at_checked(BODY_HEADER - 4)?;
    if sum.try_get_u32().ok()? != seed.sum(at, fields) {
        return None;
    }
    let mut rest = fields.strip_prefix(&[BODY])?;
    let name = BodyName::read(&mut rest)?;
    Some((name, rest.try_get_u64().ok()?))
}

/// Octets that the chunks of a body take with their checksums.
pub(super) fn chunked(size: u64) -> Option<u64> {
    size.checked_add(size.div_ceil(CHUNK as u64).checked_mul(4)?)
}

/// A record of a group.
#[derive(Debug)]
pub(super) enum Record {
    /// A body, with the offset of its record in the file.
    Body {
        name: BodyName,
        size: u64,
        at: u64,
    },
    Batch(Vec<Change>),
}

/// The records of a group at `at`, whose records are `octets`. An item is `None` where a record is
/// damaged, which ends it.
pub(super) fn records(octets: &Bytes, seed: Seed, at: u64) -> impl Iterator<Item = Option<Record>> {
    let mut position = 0;
    let octets = octets.clone();
    let start = at.saturating_add(GROUP_HEADER as u64);
    core::iter::from_fn(move || {
        if position >= octets.len() {
            return None;
        }
        let rest = octets.slice(position..);
        let Some((record, length)) = record(&rest, seed, start.saturating_add(position as u64)) else {
            position = octets.len();
            return Some(None);
        };
        position = position.saturating_add(length);
        Some(Some(record))
    })
}

/// The record at the start of `octets`, and its length.
fn record(octets: &Bytes, seed: Seed, at: u64) -> Option<(Record, usize)> {
    match *octets.first()? {
        BODY => {
            let (name, size) = read_body_header(octets, seed, at)?;
            let length = usize::try_from(chunked(size)?).ok()?.checked_add(BODY_HEADER)?;
            (length <= octets.len()).then_some((Record::Body { name, size, at }, length))
        }
        BATCH => {
            let header = octets.get(..BATCH_HEADER)?;
            let (fields, mut sum) = header.split_at_checked(BATCH_HEADER - 4)?;
            let length = usize::try_from(fields.get(1..)?.try_get_u64().ok()?).ok()?;
            let end = BATCH_HEADER.checked_add(length)?;
            let content = (end <= octets.len()).then(|| octets.slice(BATCH_HEADER..end))?;
            if sum.try_get_u32().ok()? != crc32c_append(seed.sum(at, fields), &content) {
                return None;
            }
            Some((Record::Batch(read_changes(content)?), end))
        }
        _ => None,
    }
}

fn write_octets(into: &mut Vec<u8>, octets: &[u8]) {
    into.put_u64(octets.len() as u64);
    into.extend_from_slice(octets);
}

fn write_change(into: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Op(Op::Put(key, value)) => {
            into.push(1);
            write_octets(into, key);
            write_octets(into, value);
        }
        Change::Op(Op::Delete(key)) => {
            into.push(2);
            write_octets(into, key);
        }
        Change::Op(Op::DeleteRange(start, end)) => {
            into.push(3);
            write_octets(into, start);
            write_octets(into, end);
        }
        Change::Op(Op::Add(key, amount)) => {
            into.push(4);
            write_octets(into, key);
            into.put_i64(*amount);
        }
        Change::Large(name, size) => {
            into.push(5);
            into.extend_from_slice(&name.octets());
            into.put_u64(*size);
        }
        Change::Free(name) => {
            into.push(6);
            into.extend_from_slice(&name.octets());
        }
    }
}

fn read_octets(from: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(from.try_get_u64().ok()?).ok()?;
    (length <= from.len()).then(|| from.split_to(length))
}

fn read_name(from: &mut Bytes) -> Option<BodyName> {
    let mut octets = (from.len() >= BodyName::OCTETS).then(|| from.split_to(BodyName::OCTETS))?;
    BodyName::read(&mut octets)
}

fn read_changes(mut from: Bytes) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    while let Ok(kind) = from.try_get_u8() {
        changes.push(match kind {
            1 => Change::Op(Op::Put(read_octets(&mut from)?, read_octets(&mut from)?)),
            2 => Change::Op(Op::Delete(read_octets(&mut from)?)),
            3 => Change::Op(Op::DeleteRange(read_octets(&mut from)?, read_octets(&mut from)?)),
            4 => Change::Op(Op::Add(read_octets(&mut from)?, from.try_get_i64().ok()?)),
            5 => Change::Large(read_name(&mut from)?, from.try_get_u64().ok()?),
            6 => Change::Free(read_name(&mut from)?),
            _ => return None,
        });
    }
    Some(changes)
}

/// The chunks of the body whose record stands at offset `at` of the file, in the group at `group`.
pub(super) fn chunks(records: &Bytes, group: u64, at: u64, size: u64) -> Option<Vec<&[u8]>> {
    let start = at.checked_sub(group)?.checked_sub(GROUP_HEADER as u64)?.checked_add(BODY_HEADER as u64)?;
    let mut rest = records.get(usize::try_from(start).ok()?..)?;
    let mut left = usize::try_from(size).ok()?;
    let mut chunks = Vec::new();
    while left > 0 {
        let (chunk, behind) = rest.split_at_checked(left.min(CHUNK))?;
        left -= chunk.len();
        rest = behind.get(4..)?;
        chunks.push(chunk);
    }
    Some(chunks)
}
