//! What only the inside shows: groups, octets of the formats, and damage anywhere.

use alloc::vec;
use std::string::ToString as _;
use std::thread;

use super::format::{Change, GroupWriter, Record, SECTOR, Seed, records};
use super::*;
use crate::engine::{BlobWriter as _, block_on};

fn config() -> LocalConfig {
    LocalConfig { segment_octets: 8 * 1024, large_from: 100_000, ..LocalConfig::default() }
}

fn open(storage: &Simulated) -> Result<Local, OpenError> {
    Local::open_in(Arc::new(storage.clone()), config(), [7; 16])
}

fn put(engine: &Local, key: &str, value: &str) -> Result<(), CommitError> {
    let op = Op::Put(Bytes::copy_from_slice(key.as_bytes()), Bytes::copy_from_slice(value.as_bytes()));
    block_on(engine.commit(Batch { ops: vec![op], ..Batch::default() }))
}

fn body(octets: usize) -> Bytes {
    (0..octets).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn store_body(engine: &Local, key: &str, octets: usize) -> BlobId {
    block_on(async {
        let mut writer = engine.create(None).await.unwrap();
        writer.write(body(octets)).await.unwrap();
        let blob = writer.finish().await.unwrap();
        let ops = vec![Op::Put(Bytes::copy_from_slice(key.as_bytes()), blob.as_bytes().clone())];
        engine.commit(Batch { ops, blobs: vec![blob.clone()], ..Batch::default() }).await.unwrap();
        blob
    })
}

#[test]
fn all_who_wait_share_the_syncs_of_one_group() {
    let storage = Simulated::new(1);
    let engine = open(&storage).unwrap();
    put(&engine, "first", "v").unwrap();
    let before = storage.syncs();
    thread::scope(|scope| {
        let writer = lock(&engine.shared.writer);
        let engine = &engine;
        // The first leads, and cannot write yet; the others queue behind it.
        let spawn = |number: usize, then: &dyn Fn() -> bool| {
            scope.spawn(move || put(engine, &number.to_string(), "v").unwrap());
            while !then() {
                thread::yield_now();
            }
        };
        spawn(0, &|| engine.shared.has_leader());
        for number in 1..16 {
            spawn(number, &|| engine.shared.waiting() == number);
        }
        drop(writer);
    });
    assert_eq!(storage.syncs() - before, 4, "two groups, each synced in its segment and in the index");
    let snapshot = block_on(engine.snapshot()).unwrap();
    for number in 0..16 {
        assert!(block_on(snapshot.get(number.to_string().as_bytes())).unwrap().is_some());
    }
}

#[test]
fn records_are_read_back_at_their_own_place_only() {
    let seed = Seed::segment(&[1; 16], 2, 3);
    let name = BodyName { opening: 4, number: 5 };
    let changes = vec![
        Change::Op(Op::Put("k".into(), "v".into())),
        Change::Op(Op::Delete("k".into())),
        Change::Op(Op::DeleteRange("a".into(), "b".into())),
        Change::Op(Op::Add("q".into(), -7)),
        Change::Large(name, 9),
        Change::Free(name),
    ];
    let content = body(70_000);
    let mut group = GroupWriter::new(seed, SECTOR);
    group.body(name, 70_000, content.chunks(format::CHUNK));
    group.batch(changes.iter());
    let octets = group.finish(11);
    assert_eq!(octets.len() % 512, 0);
    let header = format::GroupHeader::read(&octets, seed, SECTOR).unwrap();
    assert_eq!((header.sequence, header.count), (11, 2));
    let length = usize::try_from(header.length).unwrap();
    let inside = Bytes::from(octets.clone()).slice(format::GROUP_HEADER..format::GROUP_HEADER + length);
    let read: Vec<Option<Record>> = records(&inside, seed, SECTOR).collect();
    assert!(matches!(&read[0], Some(Record::Body { name: found, size: 70_000, .. }) if *found == name));
    assert!(matches!(&read[1], Some(Record::Batch(found)) if *found == changes));
    assert_eq!(read.len(), 2);

    assert!(format::GroupHeader::read(&octets, seed, 2 * SECTOR).is_none(), "another offset");
    for other in [Seed::segment(&[2; 16], 2, 3), Seed::segment(&[1; 16], 3, 3), Seed::segment(&[1; 16], 2, 4)]
    {
        assert!(format::GroupHeader::read(&octets, other, SECTOR).is_none());
        assert!(records(&inside, other, SECTOR).all(|record| record.is_none()));
    }
}

#[test]
fn damaged_records_end_the_reading_without_harm() {
    let seed = Seed::segment(&[1; 16], 2, 3);
    let mut group = GroupWriter::new(seed, SECTOR);
    group.batch([Change::Op(Op::Put("key".into(), "value".into()))].iter());
    let octets = Bytes::from(group.finish(1));
    let header = format::GroupHeader::read(&octets, seed, SECTOR).unwrap();
    let length = usize::try_from(header.length).unwrap();
    let inside = octets.slice(format::GROUP_HEADER..format::GROUP_HEADER + length);
    assert!(records(&inside, seed, SECTOR).all(|record| record.is_some()));
    for at in 0..length {
        let mut damaged = inside.to_vec();
        damaged[at] = !damaged[at];
        assert!(records(&damaged.into(), seed, SECTOR).all(|record| record.is_none()), "{at}");
        assert!(records(&inside.slice(..at), seed, SECTOR).all(|record| record.is_none()), "cut at {at}");
    }
}

/// All files of a store with their lengths, but for the lock.
fn files(storage: &Simulated) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    let mut directories = vec![String::new()];
    while let Some(directory) = directories.pop() {
        for name in storage.list(&directory).unwrap() {
            let path = if directory.is_empty() { name } else { alloc::format!("{directory}/{name}") };
            match storage.open(&path) {
                Ok(file) if file.length().unwrap() > 0 => files.push((path, file.length().unwrap())),
                Ok(_) => {}
                Err(_) => directories.push(path),
            }
        }
    }
    files
}

/// What can be read: nothing wrong, whatever is missing. `true` if nothing is.
fn read_all(engine: &Local, blobs: &[(BlobId, usize)]) -> bool {
    let mut is_whole = true;
    let snapshot = block_on(engine.snapshot()).unwrap();
    for (number, (blob, octets)) in blobs.iter().enumerate() {
        match block_on(snapshot.get(number.to_string().as_bytes())) {
            Ok(Some(value)) => assert_eq!(value, blob.as_bytes()),
            Ok(None) | Err(_) => is_whole = false,
        }
        match block_on(engine.read(blob, 0..u64::MAX)) {
            Ok(found) => assert!(found == body(*octets), "other octets"),
            Err(_) => is_whole = false,
        }
    }
    is_whole
}

#[test]
fn an_octet_damaged_anywhere_is_never_taken_for_content() {
    let storage = Simulated::new(2);
    let engine = open(&storage).unwrap();
    let sizes = [100, 3000, 70_000, 120_000, 0, 9000];
    let blobs: Vec<(BlobId, usize)> = sizes
        .iter()
        .enumerate()
        .map(|(number, octets)| (store_body(&engine, &number.to_string(), *octets), *octets))
        .collect();
    drop(engine);
    assert!(read_all(&open(&storage.cut()).unwrap(), &blobs));
    let mut unharmed = 0;
    for (file, length) in files(&storage) {
        let step = (length / 40).max(1);
        for at in (0..length).step_by(usize::try_from(step).unwrap()) {
            let copy = storage.cut();
            assert!(copy.damage(&file, at));
            match open(&copy) {
                Ok(engine) if read_all(&engine, &blobs) => unharmed += 1,
                Ok(engine) => {
                    let findings = engine.check(CheckDepth::Full).unwrap();
                    assert!(!findings.is_empty() || engine.damage().is_some(), "{file} {at}");
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    if file.starts_with("index") {
                        // The index is only what the log says.
                        assert_eq!(Local::rebuild(Arc::new(copy.clone()), &config()).unwrap(), []);
                        assert!(read_all(&open(&copy).unwrap(), &blobs), "{file} {at}");
                    }
                }
            }
        }
    }
    assert!(unharmed > 0, "padding and free pages hold nothing");
}

#[test]
fn a_rebuild_goes_on_behind_a_damaged_place() {
    let storage = Simulated::new(3);
    let engine = open(&storage).unwrap();
    for key in ["a", "b", "c"] {
        put(&engine, key, "v").unwrap();
    }
    drop(engine);
    // The second of three groups of one sector each.
    assert!(storage.damage("segment-00-00000001", 3 * 512 - 500));
    let damages = Local::rebuild(Arc::new(storage.clone()), &config()).unwrap();
    assert_eq!(damages, [Damage { segment: 1, offset: 1024, after: 1 }]);
    let engine = open(&storage).unwrap();
    assert_eq!(engine.damage(), None);
    let snapshot = block_on(engine.snapshot()).unwrap();
    let found = |key: &str| block_on(snapshot.get(key.as_bytes())).unwrap().is_some();
    assert_eq!([found("a"), found("b"), found("c")], [true, false, true]);
}

#[test]
fn a_later_format_is_refused() {
    let storage = Simulated::new(4);
    drop(open(&storage).unwrap());
    let file = storage.open("FORMAT").unwrap();
    file.write_at(b"mailwright store\nversion 9", 0).unwrap();
    assert!(matches!(open(&storage), Err(OpenError::Newer { found: 9, known: 1 })));
}

/// A storage whose files panic when they are told to.
#[derive(Debug)]
struct Panicking(Simulated, Arc<AtomicBool>);

#[derive(Debug)]
struct PanickingFile(Arc<dyn File>, Arc<AtomicBool>);

impl Panicking {
    fn wrap(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(PanickingFile(file, Arc::clone(&self.1)))
    }
}

impl Storage for Panicking {
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        Ok(self.wrap(self.0.create(name)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        Ok(self.wrap(self.0.open(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn create_directory(&self, name: &str) -> io::Result<()> {
        self.0.create_directory(name)
    }

    fn sync_directory(&self, name: &str) -> io::Result<()> {
        self.0.sync_directory(name)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.0.list(directory)
    }

    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Lock>>> {
        self.0.lock(name)
    }
}

impl File for PanickingFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.0.read_at(into, at)
    }

    fn write_at(&self, octets: &[u8], at: u64) -> io::Result<()> {
        self.0.write_at(octets, at)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        assert!(!self.1.load(Ordering::Acquire), "on purpose");
        self.0.sync()
    }
}

#[test]
fn nobody_waits_for_a_leader_that_panicked() {
    let (storage, panics) = (Simulated::new(5), Arc::new(AtomicBool::new(false)));
    let panicking = Panicking(storage.clone(), Arc::clone(&panics));
    let engine = Local::open_in(Arc::new(panicking), config(), [7; 16]).unwrap();
    put(&engine, "before", "v").unwrap();
    panics.store(true, Ordering::Release);
    thread::scope(|scope| {
        let writer = lock(&engine.shared.writer);
        let engine = &engine;
        let leader = scope.spawn(move || put(engine, "leader", "v"));
        while !engine.shared.has_leader() {
            thread::yield_now();
        }
        let follower = scope.spawn(move || put(engine, "follower", "v"));
        while engine.shared.waiting() < 1 {
            thread::yield_now();
        }
        drop(writer);
        assert!(leader.join().is_err());
        assert!(matches!(follower.join().unwrap(), Err(CommitError::Poisoned)));
    });
    panics.store(false, Ordering::Release);
    drop(engine);
    let engine = open(&storage).unwrap();
    assert!(block_on(block_on(engine.snapshot()).unwrap().get(b"before")).unwrap().is_some());
}
