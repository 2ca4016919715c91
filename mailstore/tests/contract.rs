//! The contract suite on everything that this crate ships.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![cfg(feature = "testing")]

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use mailwright_core::value::UnixTime;
use mailwright_store::account::DynAccount;
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::{Blobs, Engine, Memory, Offload, block_on};
use mailwright_store::testing::{Faulty, contract};
use mailwright_store::{Store, StoreAccount, StoreConfig};

/// Two threads that live as long as somebody may send them work.
#[allow(clippy::disallowed_methods, reason = "the threads that a host has for its engine")]
fn offload<E: Engine>(engine: E) -> Offload<E> {
    let (sender, receiver) = mpsc::channel();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..2 {
        let receiver = Arc::clone(&receiver);
        std::thread::spawn(move || {
            loop {
                let job = receiver.lock().unwrap().recv();
                let Ok(job) = job else { return };
                let job: Box<dyn FnOnce() + Send> = job;
                job();
            }
        });
    }
    Offload::new(engine, move |job| drop(sender.send(job)))
}

/// An account of a store whose blocks and groups are small, so that there are many.
fn account<E: Engine + Blobs>(engine: E) -> StoreAccount<E> {
    let mut config = StoreConfig::default();
    config.mail.rows_per_block = 4;
    block_on(async {
        let store = Store::open(engine, config, [1; 32]).await.unwrap();
        store.directory().add_domain(&"example.org".parse().unwrap()).await.unwrap();
        let new = NewAccount::new("alice@example.org".parse().unwrap());
        let id = store.create_account(new, UnixTime::from_seconds(1_700_000_000)).await.unwrap();
        store.account(id)
    })
}

fn slow(times: usize) -> Faulty<Memory> {
    let engine = Faulty::new(Memory::new());
    engine.pause(times);
    engine
}

#[test]
fn the_memory_engine_keeps_the_contract() {
    contract::engine(Memory::new);
}

#[test]
fn an_engine_on_other_threads_keeps_the_contract() {
    contract::engine(|| offload(Memory::new()));
}

#[test]
fn an_engine_that_takes_its_time_keeps_the_contract() {
    contract::engine(|| slow(2));
}

#[test]
fn an_account_of_a_store_keeps_the_contract() {
    contract::account(|| account(Memory::new()));
}

#[test]
fn an_account_without_a_type_keeps_the_contract() {
    contract::account(|| DynAccount::new(account(Memory::new())));
}

#[test]
fn an_account_over_other_threads_keeps_the_contract() {
    contract::account(|| account(offload(Memory::new())));
}

#[test]
fn an_account_over_an_engine_that_takes_its_time_keeps_the_contract() {
    contract::account(|| account(slow(1)));
}

#[test]
fn a_call_whose_job_is_dropped_fails() {
    use mailwright_store::engine::{Batch, CommitError};
    let engine = Offload::new(Memory::new(), drop);
    assert!(block_on(engine.snapshot()).is_err());
    assert!(matches!(block_on(engine.commit(Batch::default())), Err(CommitError::Io(_))), "never started");
}

/// Ways in which an engine may be broken.
#[derive(Clone, Copy, PartialEq)]
enum Defect {
    /// Commits do not look at what they expect.
    Blind,
    /// Scans go upwards only.
    OneWay,
    /// Snapshots are as of now.
    Unstable,
    /// Nobody is woken.
    Silent,
    /// Half of a batch is done.
    Half,
    /// Blobs that were deleted are there.
    Immortal,
}

mod broken {
    use core::ops::Range;
    use core::task::{Context, Poll};

    use bytes::Bytes;
    use mailwright_store::engine::{
        Batch, Blobs, CommitError, Engine, Limits, Memory, MemorySnapshot, MemoryWriter, ReadError, Snapshot,
        Visit, WriteFailed,
    };
    use mailwright_store::{AccountId, BlobId};

    use super::Defect;

    pub(super) struct Broken(pub(super) Memory, pub(super) Defect);
    pub(super) struct BrokenSnapshot(Memory, MemorySnapshot, Defect);

    impl Engine for Broken {
        type Snapshot = BrokenSnapshot;

        fn limits(&self) -> Limits {
            self.0.limits()
        }

        async fn snapshot(&self) -> Result<BrokenSnapshot, ReadError> {
            Ok(BrokenSnapshot(self.0.clone(), self.0.snapshot().await?, self.1))
        }

        async fn commit(&self, mut batch: Batch) -> Result<(), CommitError> {
            match self.1 {
                Defect::Blind => batch.expect.clear(),
                Defect::Half => batch.ops.truncate(batch.ops.len().div_ceil(2)),
                Defect::Silent => batch.wake.clear(),
                _ => {}
            }
            self.0.commit(batch).await
        }

        fn poll_wake(&self, context: &mut Context<'_>, account: AccountId, seen: &mut u64) -> Poll<()> {
            self.0.poll_wake(context, account, seen)
        }
    }

    impl Snapshot for BrokenSnapshot {
        async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
            match self.2 {
                Defect::Unstable => self.0.snapshot().await?.get(key).await,
                _ => self.1.get(key).await,
            }
        }

        async fn scan(&self, keys: Range<&[u8]>, reverse: bool, visit: Visit<'_>) -> Result<(), ReadError> {
            match self.2 {
                Defect::Unstable => self.0.snapshot().await?.scan(keys, reverse, visit).await,
                Defect::OneWay => self.1.scan(keys, false, visit).await,
                _ => self.1.scan(keys, reverse, visit).await,
            }
        }
    }

    impl Blobs for Broken {
        type Writer = MemoryWriter;

        async fn create(&self, size_hint: Option<u64>) -> Result<MemoryWriter, WriteFailed> {
            self.0.create(size_hint).await
        }

        async fn read(&self, id: &BlobId, at: Range<u64>) -> Result<Bytes, ReadError> {
            self.0.read(id, at).await
        }

        async fn delete(&self, id: &BlobId) -> Result<(), WriteFailed> {
            if self.1 == Defect::Immortal { Ok(()) } else { self.0.delete(id).await }
        }

        async fn list(&self, visit: &mut (dyn FnMut(&BlobId, u64) + Send)) -> Result<(), ReadError> {
            self.0.list(visit).await
        }
    }
}

/// What the suite says of a broken engine.
fn verdict(defect: Defect) -> bool {
    std::panic::catch_unwind(|| contract::engine(|| broken::Broken(Memory::new(), defect))).is_ok()
}

#[test]
fn broken_engines_do_not_keep_the_contract() {
    for defect in [Defect::OneWay, Defect::Unstable, Defect::Silent, Defect::Half, Defect::Immortal] {
        assert!(!verdict(defect));
    }
    assert!(!verdict(Defect::Blind));
}
