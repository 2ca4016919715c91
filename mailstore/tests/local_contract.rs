//! The contract suite on the durable engine, and what is particular to it without loss of power.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![cfg(all(feature = "local", feature = "testing"))]

use core::sync::atomic::{AtomicU64, Ordering};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use mailwright_core::value::{MailboxName, UnixTime};
use mailwright_store::account::{Account as _, Append, Applied, Intent, Upload as _, Work};
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::local::{
    CheckDepth, Directory, Fault, Local, LocalConfig, OpenError, Simulated,
};
use mailwright_store::engine::{
    Batch, BlobWriter as _, Blobs as _, CommitError, Engine as _, Op, ReadError, Snapshot as _, block_on,
};
use mailwright_store::testing::contract;
use mailwright_store::{BlobId, Store, StoreConfig};

fn open(storage: &Simulated, config: &LocalConfig) -> Local {
    Local::open_in(Arc::new(storage.clone()), config.clone(), [7; 16]).unwrap()
}

/// Small files, so that there are many.
fn small() -> LocalConfig {
    let mut config = LocalConfig::default();
    config.segment_octets = 16 * 1024;
    config.large_from = 100_000;
    config.index_cache = 1024 * 1024;
    config
}

fn new() -> Local {
    open(&Simulated::new(1), &small())
}

fn put(engine: &Local, key: &str, value: &str) -> Result<(), CommitError> {
    let op = Op::Put(Bytes::copy_from_slice(key.as_bytes()), Bytes::copy_from_slice(value.as_bytes()));
    block_on(engine.commit(Batch { ops: vec![op], ..Batch::default() }))
}

fn get(engine: &Local, key: &str) -> Option<Bytes> {
    block_on(async { engine.snapshot().await.unwrap().get(key.as_bytes()).await.unwrap() })
}

/// A body of so many octets, shown by a batch.
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

fn body(octets: usize) -> Bytes {
    (0..octets).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn read(engine: &Local, blob: &BlobId) -> Result<Bytes, ReadError> {
    block_on(engine.read(blob, 0..u64::MAX))
}

/// A directory that is removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("local-contract-{}-{number}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_engine_keeps_the_contract() {
    contract::engine(new);
}

#[test]
fn an_account_of_a_store_on_it_keeps_the_contract() {
    contract::account(|| {
        block_on(async {
            let mut config = StoreConfig::default();
            config.mail.rows_per_block = 4;
            let store = Store::open(new(), config, [1; 32]).await.unwrap();
            store.directory().add_domain(&"example.org".parse().unwrap()).await.unwrap();
            let account = NewAccount::new("alice@example.org".parse().unwrap());
            let id = store.create_account(account, UnixTime::from_seconds(1_700_000_000)).await.unwrap();
            store.account(id)
        })
    });
}

#[test]
fn the_engine_in_a_directory_keeps_the_contract() {
    let directories = std::sync::Mutex::new(Vec::new());
    contract::engine(|| {
        let directory = Temporary::new();
        let engine = Local::open(&directory.0, small(), [7; 16]).unwrap();
        directories.lock().unwrap().push(directory);
        engine
    });
}

#[test]
fn what_was_committed_is_there_after_a_close_and_a_second_opening_is_refused() {
    let directory = Temporary::new();
    let engine = Local::open(&directory.0, small(), [7; 16]).unwrap();
    let blobs: Vec<BlobId> = [0, 1, 70_000, 300_000]
        .iter()
        .map(|octets| store_body(&engine, &octets.to_string(), *octets))
        .collect();
    assert!(matches!(Local::open(&directory.0, small(), [8; 16]), Err(OpenError::InUse)));
    engine.close().unwrap();
    assert!(put(&engine, "k", "v").is_err(), "it is closed");
    drop(engine);
    let engine = Local::open(&directory.0, small(), [8; 16]).unwrap();
    for (blob, octets) in blobs.iter().zip([0, 1, 70_000, 300_000]) {
        assert_eq!(read(&engine, blob).unwrap(), body(octets));
        assert_eq!(get(&engine, &octets.to_string()).unwrap(), *blob.as_bytes());
    }
    assert_eq!(engine.check(CheckDepth::Full).unwrap(), []);
    assert!(Directory::new(&directory.0).is_ok());
}

#[test]
fn a_body_that_was_freed_is_gone_for_ever() {
    let storage = Simulated::new(2);
    let engine = open(&storage, &small());
    for octets in [10, 300_000] {
        let blob = store_body(&engine, "k", octets);
        block_on(engine.delete(&blob)).unwrap();
        assert!(matches!(read(&engine, &blob), Err(ReadError::Gone)));
        put(&engine, "other", "v").unwrap();
        assert!(matches!(read(&engine, &blob), Err(ReadError::Gone)));
    }
    let blob = store_body(&engine, "k", 10);
    block_on(engine.delete(&blob)).unwrap();
    drop(engine);
    let engine = open(&storage, &small());
    assert!(matches!(read(&engine, &blob), Err(ReadError::Gone)));
}

#[test]
fn nothing_is_acknowledged_after_a_failed_sync_and_reads_go_on() {
    // One sync is the group's, one the index's.
    for failing in 0..2 {
        let storage = Simulated::new(3);
        let engine = open(&storage, &small());
        put(&engine, "before", "v").unwrap();
        let blob = store_body(&engine, "body", 1000);
        storage.set_fault(Some(Fault::Sync(failing)));
        assert!(matches!(put(&engine, "doubtful", "v"), Err(CommitError::Unknown)), "{failing}");
        assert!(!storage.has_fault());
        let syncs = storage.syncs();
        assert!(matches!(put(&engine, "after", "v"), Err(CommitError::Poisoned)));
        assert!(block_on(engine.create(None)).is_err());
        assert_eq!(storage.syncs(), syncs, "nothing is synced again");
        assert_eq!(get(&engine, "before").unwrap(), "v");
        assert_eq!(read(&engine, &blob).unwrap(), body(1000));
        let after_cut = storage.cut();
        drop(engine);
        for storage in [storage, after_cut] {
            let engine = open(&storage, &small());
            assert_eq!(get(&engine, "before").unwrap(), "v");
            assert!(get(&engine, "after").is_none());
            assert_eq!(read(&engine, &blob).unwrap(), body(1000));
            put(&engine, "after", "v").unwrap();
        }
    }
}

#[test]
fn a_write_that_fails_is_undone() {
    for fault in [Fault::Write(0), Fault::Space(100)] {
        let storage = Simulated::new(4);
        let engine = open(&storage, &small());
        put(&engine, "before", "v").unwrap();
        storage.set_fault(Some(fault));
        match put(&engine, "failed", &"v".repeat(5000)) {
            Err(CommitError::Full) => assert_eq!(fault, Fault::Space(100)),
            Err(CommitError::Io(_)) => assert_eq!(fault, Fault::Write(0)),
            other => panic!("{other:?}"),
        }
        storage.set_fault(None);
        assert!(get(&engine, "failed").is_none());
        put(&engine, "after", "v").unwrap();
        drop(engine);
        let engine = open(&storage.cut(), &small());
        assert!(get(&engine, "failed").is_none());
        assert_eq!(get(&engine, "after").unwrap(), "v");
        assert_eq!(engine.check(CheckDepth::Full).unwrap(), []);
    }
}

#[test]
fn a_damaged_chunk_costs_its_own_message_only() {
    let storage = Simulated::new(5);
    let engine = open(&storage, &LocalConfig::default());
    let one = store_body(&engine, "one", 5000);
    let other = store_body(&engine, "other", 5000);
    assert_eq!(engine.check(CheckDepth::Full).unwrap(), []);
    assert!(storage.damage("segment-00-00000001", 512 + 2000));
    assert!(matches!(read(&engine, &one), Err(ReadError::Corrupt { what: "body", .. })));
    assert_eq!(read(&engine, &other).unwrap(), body(5000));
    assert_eq!(engine.check(CheckDepth::Quick).unwrap(), []);
    let findings = engine.check(CheckDepth::Full).unwrap();
    assert!(findings.iter().all(|finding| finding.to_string().lines().count() == 1));
    assert_eq!(findings.len(), 2, "the body, and its group in the log: {findings:?}");
}

#[test]
fn a_store_whose_log_is_damaged_is_only_read() {
    let storage = Simulated::new(6);
    let engine = open(&storage, &LocalConfig::default());
    let one = store_body(&engine, "one", 5000);
    drop(engine);
    let engine = open(&storage, &LocalConfig::default());
    let image = storage.cut();
    drop(engine);
    // The last group that was applied.
    assert!(image.damage("segment-00-00000001", 512 + 10));
    let engine = open(&image, &LocalConfig::default());
    assert!(engine.damage().is_some());
    assert!(matches!(put(&engine, "k", "v"), Err(CommitError::Io(_))));
    assert!(get(&engine, "one").is_some());
    assert_eq!(read(&engine, &one).unwrap(), body(5000));
    assert!(!engine.check(CheckDepth::Quick).unwrap().is_empty());
}

#[test]
fn modification_sequences_jump_once_after_an_unclean_end() {
    let storage = Simulated::new(9);
    let open_store = |storage: &Simulated| {
        block_on(Store::open(open(storage, &small()), StoreConfig::default(), [1; 32])).unwrap()
    };
    let store = open_store(&storage);
    block_on(store.directory().add_domain(&"example.org".parse().unwrap())).unwrap();
    let now = UnixTime::from_seconds(1_700_000_000);
    let new = NewAccount::new("alice@example.org".parse().unwrap());
    let id = block_on(store.create_account(new, now)).unwrap();
    let append = |store: &Store<Local>| {
        block_on(async {
            let account = store.account(id);
            let inbox = account.open(&MailboxName::inbox()).await.unwrap().info.id;
            let uploaded = store.upload(None).await.unwrap().finish().await.unwrap();
            let work = Work::new(vec![Intent::Append(Append::new(uploaded, now))], now);
            let applied = account.apply(inbox, work).await.unwrap();
            let Applied::Appended { mod_seq, .. } = &applied[0] else { panic!("{applied:?}") };
            mod_seq.get()
        })
    };
    let before = append(&store);
    let after_cut = storage.cut();
    drop(store);
    assert_eq!(append(&open_store(&storage)), before + 1, "it was closed");
    let store = open_store(&after_cut);
    assert_eq!(append(&store), before + (1 << 20) + 1);
    assert_eq!(append(&store), before + (1 << 20) + 2);
}

#[test]
fn a_lost_index_is_not_taken_for_an_empty_store() {
    let directory = Temporary::new();
    let engine = Local::open(&directory.0, small(), [7; 16]).unwrap();
    put(&engine, "k", "v").unwrap();
    drop(engine);
    std::fs::remove_file(directory.0.join("index-00.redb")).unwrap();
    assert!(matches!(Local::open(&directory.0, small(), [7; 16]), Err(OpenError::Index(_))));
    std::fs::remove_file(directory.0.join("FORMAT")).unwrap();
    assert!(matches!(Local::open(&directory.0, small(), [7; 16]), Err(OpenError::NotAStore(_))));
}

#[test]
fn commits_of_many_threads_are_all_there() {
    let engine = open(&Simulated::new(7), &LocalConfig::default());
    let start = std::sync::Barrier::new(16);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (engine, start) = (&engine, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..50 {
                    put(engine, &format!("{thread} {number}"), "v").unwrap();
                    assert!(
                        get(engine, &format!("{thread} {number}")).is_some(),
                        "acknowledged and not visible"
                    );
                }
            });
        }
    });
    for thread in 0..16 {
        for number in 0..50 {
            assert_eq!(get(&engine, &format!("{thread} {number}")).unwrap(), "v");
        }
    }
    assert_eq!(engine.check(CheckDepth::Full).unwrap(), []);
}

#[test]
fn a_large_body_is_spilled_when_the_memory_of_uploads_is_used_up() {
    let mut config = small();
    config.upload_memory = 0;
    let engine = open(&Simulated::new(8), &config);
    let blob = store_body(&engine, "k", 70_000);
    assert_eq!(read(&engine, &blob).unwrap(), body(70_000));
    assert_eq!(block_on(engine.read(&blob, 65_530..65_545)).unwrap(), body(70_000).slice(65_530..65_545));
    let mut seen = Vec::new();
    block_on(engine.list(&mut |blob, size| seen.push((blob.clone(), size)))).unwrap();
    assert_eq!(seen, [(blob, 70_000)]);
}
