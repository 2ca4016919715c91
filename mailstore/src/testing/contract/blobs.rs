//! Blobs: written once, read in any pieces, never mistaken for each other.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use bytes::Bytes;

use crate::engine::{BlobWriter as _, Blobs, ReadError, block_on};
use crate::identifier::BlobId;

fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn write(blobs: &impl Blobs, octets: &[u8], chunk: usize, hint: Option<u64>) -> BlobId {
    block_on(async {
        let mut writer = blobs.create(hint).await.unwrap();
        for chunk in octets.chunks(chunk) {
            writer.write(Bytes::copy_from_slice(chunk)).await.unwrap();
        }
        writer.finish().await.unwrap()
    })
}

/// Reads a range, however many octets the engine gives at a time.
fn read(blobs: &impl Blobs, id: &BlobId, start: usize, end: usize) -> Vec<u8> {
    let mut octets: Vec<u8> = Vec::new();
    loop {
        let at = (start + octets.len()) as u64..end as u64;
        let some = block_on(blobs.read(id, at)).unwrap();
        assert!(start + octets.len() + some.len() <= end.max(start), "no more than was asked for");
        if some.is_empty() {
            return octets;
        }
        octets.extend_from_slice(&some);
    }
}

fn list(blobs: &impl Blobs) -> BTreeMap<BlobId, u64> {
    let mut list = BTreeMap::new();
    block_on(blobs.list(&mut |id, size| assert!(list.insert(id.clone(), size).is_none()))).unwrap();
    list
}

pub(super) fn what_was_written_is_read_in_any_pieces<B: Blobs>(blobs: &B) {
    for length in [0, 1, 1000, 65_535, 65_536, 65_537, 200_000] {
        let octets = octets(length);
        for (chunk, hint) in [(1 << 20, None), (4096, Some(length as u64)), (70_001, Some(3))] {
            let id = write(blobs, &octets, chunk, hint);
            assert_eq!(read(blobs, &id, 0, length), octets, "{length} octets");
            assert_eq!(read(blobs, &id, 0, length + 1000), octets, "a range may go beyond the end");
            assert!(read(blobs, &id, length, length + 10).is_empty());
            assert!(read(blobs, &id, length + 5, length + 10).is_empty());
            let (start, end) = (length / 3, length * 2 / 3);
            assert_eq!(read(blobs, &id, start, end), octets[start..end]);
            assert!(read(blobs, &id, end, start.min(end)).is_empty());
        }
    }
}

pub(super) fn a_dropped_writer_leaves_nothing<B: Blobs>(blobs: &B) {
    let mut writer = block_on(blobs.create(None)).unwrap();
    block_on(writer.write(octets(100_000).into())).unwrap();
    drop(writer);
    drop(block_on(blobs.create(Some(1 << 20))).unwrap());
    assert!(list(blobs).is_empty());
}

pub(super) fn a_deleted_blob_is_gone_and_its_name_never_used_again<B: Blobs>(blobs: &B) {
    let kept = write(blobs, b"kept", 10, None);
    let mut names = BTreeSet::from([kept.clone()]);
    for _ in 0..10 {
        let id = write(blobs, b"gone", 10, None);
        assert!(names.insert(id.clone()), "a name is used once");
        block_on(blobs.delete(&id)).unwrap();
        assert!(matches!(block_on(blobs.read(&id, 0..4)), Err(ReadError::Gone)));
        block_on(blobs.delete(&id)).unwrap();
    }
    assert_eq!(read(blobs, &kept, 0, 4), b"kept");
}

pub(super) fn the_list_is_of_the_finished_ones<B: Blobs>(blobs: &B) {
    let mut open = block_on(blobs.create(None)).unwrap();
    block_on(open.write("open".into())).unwrap();
    let (one, other) = (write(blobs, b"1", 10, None), write(blobs, &octets(70_000), 1000, None));
    assert_eq!(list(blobs), BTreeMap::from([(one.clone(), 1), (other.clone(), 70_000)]));
    block_on(blobs.delete(&one)).unwrap();
    let last = block_on(open.finish()).unwrap();
    assert_eq!(list(blobs), BTreeMap::from([(other, 70_000), (last, 4)]));
}
