//! Keys: atomic conditional batches, stable snapshots, counters, wake-ups.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Waker};
use std::thread;

use bytes::Bytes;

use super::Numbers;
use crate::engine::{Batch, CommitError, Engine, Op, Snapshot, block_on};
use crate::identifier::AccountId;

type Pairs = Vec<(Bytes, Bytes)>;

fn key(number: usize) -> Bytes {
    format!("k{number:05}").into()
}

fn put(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Op {
    Op::Put(key.into(), value.into())
}

fn commit(engine: &impl Engine, ops: Vec<Op>) -> Result<(), CommitError> {
    block_on(engine.commit(Batch { ops, ..Batch::default() }))
}

fn get(engine: &impl Engine, key: &[u8]) -> Option<Bytes> {
    block_on(async { engine.snapshot().await.unwrap().get(key).await.unwrap() })
}

/// At most `most` pairs of a range.
fn scan(snapshot: &impl Snapshot, start: &[u8], end: &[u8], reverse: bool, most: usize) -> Pairs {
    let mut pairs = Vec::new();
    block_on(snapshot.scan(start..end, reverse, &mut |key, value| {
        pairs.push((Bytes::copy_from_slice(key), value.clone()));
        if pairs.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }))
    .unwrap();
    pairs
}

fn all(engine: &impl Engine) -> Pairs {
    scan(&block_on(engine.snapshot()).unwrap(), b"", b"\xff", false, usize::MAX)
}

pub(super) fn puts_and_deletes_are_done_in_order(engine: &impl Engine) {
    assert_eq!(get(engine, b"k"), None, "an engine begins empty");
    let delete = Op::Delete("k".into());
    commit(engine, vec![put("k", "1"), delete.clone(), put("k", "2"), put("l", "3")]).unwrap();
    assert_eq!(get(engine, b"k").as_deref(), Some(b"2".as_slice()), "the last operation counts");
    commit(engine, vec![put("l", ""), delete.clone()]).unwrap();
    assert_eq!(get(engine, b"k"), None);
    assert_eq!(get(engine, b"l"), Some(Bytes::new()), "an empty value is a value");
    commit(engine, vec![delete]).unwrap();
    commit(engine, Vec::new()).unwrap();
}

pub(super) fn a_range_is_deleted_without_its_end(engine: &impl Engine) {
    commit(engine, (0..10).map(|number| put(key(number), "v")).collect()).unwrap();
    let range = |start, end| Op::DeleteRange(key(start), key(end));
    commit(engine, vec![range(3, 6), put(key(4), "new"), range(8, 8), range(9, 7)]).unwrap();
    let left: Vec<Bytes> = all(engine).into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, [0, 1, 2, 4, 6, 7, 8, 9].map(key));
}

pub(super) fn a_batch_whose_expectations_fail_does_nothing(engine: &impl Engine) {
    commit(engine, vec![put("a", "1")]).unwrap();
    let attempt = |expect: Vec<(Bytes, Option<Bytes>)>| {
        let ops = vec![put("a", "2"), put("b", "2"), Op::Add("Qx".into(), 1)];
        block_on(engine.commit(Batch { expect, ops, ..Batch::default() }))
    };
    let value = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    for expect in [
        vec![("a".into(), None)],
        vec![("a".into(), value("2"))],
        vec![("a".into(), value(""))],
        vec![("b".into(), value("1"))],
        vec![("a".into(), value("1")), ("b".into(), value(""))],
    ] {
        assert!(matches!(attempt(expect.clone()), Err(CommitError::Conflict)), "{expect:?}");
        assert_eq!(all(engine), [("a".into(), "1".into())], "a conflict changes nothing");
    }
    attempt(vec![("a".into(), value("1")), ("b".into(), None)]).unwrap();
    assert_eq!(get(engine, b"b"), value("2"));
}

pub(super) fn scans_go_both_ways_and_end_when_told(engine: &impl Engine) {
    commit(engine, (0..1000).map(|number| put(key(number), format!("{number}"))).collect()).unwrap();
    let snapshot = block_on(engine.snapshot()).unwrap();
    let pairs = |numbers: Vec<usize>| -> Pairs {
        numbers.into_iter().map(|number| (key(number), format!("{number}").into())).collect()
    };
    let (low, high) = (key(10), key(990));
    assert_eq!(scan(&snapshot, &low, &high, false, usize::MAX), pairs((10..990).collect()));
    assert_eq!(scan(&snapshot, &low, &high, true, usize::MAX), pairs((10..990).rev().collect()));
    assert_eq!(scan(&snapshot, &low, &high, false, 3), pairs(vec![10, 11, 12]));
    assert_eq!(scan(&snapshot, &low, &high, true, 2), pairs(vec![989, 988]));
    assert_eq!(scan(&snapshot, b"k00500x", b"k00502x", false, usize::MAX), pairs(vec![501, 502]));
    assert_eq!(scan(&snapshot, &high, &low, false, usize::MAX), [], "nothing lies in an inverted range");
    assert_eq!(scan(&snapshot, &low, &low, true, usize::MAX), []);
}

pub(super) fn a_snapshot_never_changes(engine: &impl Engine) {
    commit(engine, (0..300).map(|number| put(key(number), "old")).collect()).unwrap();
    commit(engine, vec![Op::Add("Qx".into(), 1)]).unwrap();
    let snapshot = block_on(engine.snapshot()).unwrap();
    let before = scan(&snapshot, b"", b"\xff", false, usize::MAX);
    let ops = vec![
        Op::DeleteRange(key(0), key(100)),
        put(key(150), "new"),
        put(key(999), "new"),
        Op::Delete(key(200)),
        Op::Add("Qx".into(), 5),
    ];
    commit(engine, ops).unwrap();
    assert_eq!(scan(&snapshot, b"", b"\xff", false, usize::MAX), before);
    assert_eq!(block_on(snapshot.get(&key(150))).unwrap().as_deref(), Some(b"old".as_slice()));
    assert_eq!(block_on(snapshot.get(&key(999))).unwrap(), None);
    drop(snapshot);
    assert_eq!(all(engine).len(), 301 - 100 + 1 - 1);
}

fn counter(engine: &impl Engine) -> Option<i64> {
    get(engine, b"Qx").map(|value| i64::from_be_bytes((&*value).try_into().unwrap()))
}

pub(super) fn counters_add_up(engine: &impl Engine) {
    let add = |amount| Op::Add("Qx".into(), amount);
    commit(engine, vec![add(5), add(-7)]).unwrap();
    assert_eq!(counter(engine), Some(-2));
    commit(engine, vec![add(300)]).unwrap();
    assert_eq!(counter(engine), Some(298));
    commit(engine, vec![Op::Delete("Qx".into())]).unwrap();
    assert_eq!(counter(engine), None);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| commit(engine, vec![add(1)]).unwrap()));
        }
    });
    assert_eq!(counter(engine), Some(200), "additions need no expectation");
}

pub(super) fn a_counter_that_overflows_fails_the_whole_batch(engine: &impl Engine) {
    commit(engine, vec![Op::Add("Qx".into(), i64::MAX)]).unwrap();
    let failed = commit(engine, vec![put("a", "1"), Op::Add("Qx".into(), 1)]);
    assert!(failed.is_err() && !matches!(failed, Err(CommitError::Unknown)));
    assert_eq!((counter(engine), get(engine, b"a")), (Some(i64::MAX), None));
}

pub(super) fn of_commits_with_one_expectation_one_wins(engine: &impl Engine) {
    const THREADS: usize = 4;
    const EACH: usize = 50;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut done = 0;
                while done < EACH {
                    let found = get(engine, b"n");
                    let number: usize = found
                        .as_ref()
                        .map_or(0, |value| core::str::from_utf8(value).unwrap().parse().unwrap());
                    let batch = Batch {
                        expect: vec![("n".into(), found)],
                        ops: vec![put("n", format!("{}", number + 1))],
                        ..Batch::default()
                    };
                    match block_on(engine.commit(batch)) {
                        Ok(()) => {
                            done += 1;
                            let seen = get(engine, b"n").unwrap();
                            let seen: usize = core::str::from_utf8(&seen).unwrap().parse().unwrap();
                            assert!(seen > number, "what was acknowledged is in every later snapshot");
                        }
                        Err(CommitError::Conflict) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(get(engine, b"n"), Some(format!("{}", THREADS * EACH).into()));
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) fn wakes_are_levels_and_for_the_account_only(engine: &impl Engine) {
    let (one, other) = (AccountId::new(1), AccountId::new(2));
    let wake = |account| {
        let batch = Batch { ops: vec![put("w", "1")], wake: vec![account], ..Batch::default() };
        block_on(engine.commit(batch)).unwrap();
    };
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    let mut seen = 0;
    // It may be ready for no reason, but not for ever.
    let quiet = (0..1000).any(|_| engine.poll_wake(&mut context, one, &mut seen).is_pending());
    assert!(quiet, "nothing happened");
    wake(other);
    let before = count.0.load(Ordering::SeqCst);
    wake(one);
    assert!(count.0.load(Ordering::SeqCst) > before, "the waker is called");
    let mut late = 0;
    assert!(engine.poll_wake(&mut context, one, &mut seen).is_ready());
    assert!(engine.poll_wake(&mut context, one, &mut late).is_ready(), "each reader has a level of its own");
    let quiet = (0..1000).any(|_| engine.poll_wake(&mut context, one, &mut seen).is_pending());
    assert!(quiet, "what was seen is seen");
    wake(one);
    wake(one);
    assert!(engine.poll_wake(&mut context, one, &mut seen).is_ready(), "nothing is lost before the poll");
}

pub(super) fn values_of_a_mail_store_fit(engine: &impl Engine) {
    let limits = engine.limits();
    assert!(limits.key >= 1100, "a mailbox name of 1000 octets is part of a key");
    assert!(limits.value >= 128 * 1024, "a block of 1024 messages is a value");
    assert!(limits.batch >= 4 * 1024 * 1024, "a group is a batch");
    let (key, value) = (vec![b'k'; 1100], vec![7; 128 * 1024]);
    commit(engine, vec![put(key.clone(), value.clone())]).unwrap();
    assert_eq!(get(engine, &key), Some(value.into()));
}

/// Random batches against a map, with snapshots kept open over some of them.
pub(super) fn agrees_with_a_map(engine: &impl Engine, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut map: BTreeMap<Bytes, Bytes> = BTreeMap::new();
    let mut kept = Vec::new();
    for round in 0..60 {
        let mut after = map.clone();
        let mut batch = Batch::default();
        for _ in 0..numbers.below(3) {
            let key = key(numbers.below(20));
            // Every second expectation is wrong, unless it happens to be right.
            let value = if numbers.below(2) == 0 { map.get(&key).cloned() } else { Some("?".into()) };
            batch.expect.push((key, value));
        }
        for _ in 0..numbers.below(6) {
            let (one, other) = (key(numbers.below(20)), key(numbers.below(20)));
            batch.ops.push(match numbers.below(4) {
                0 => {
                    after.remove(&one);
                    Op::Delete(one)
                }
                1 => {
                    after.retain(|key, _| !(one <= *key && *key < other));
                    Op::DeleteRange(one, other)
                }
                _ => {
                    let value = Bytes::from(format!("{round}"));
                    after.insert(one.clone(), value.clone());
                    Op::Put(one, value)
                }
            });
        }
        let holds = batch.expect.iter().all(|(key, value)| map.get(key) == value.as_ref());
        match block_on(engine.commit(batch)) {
            Ok(()) if holds => map = after,
            Err(CommitError::Conflict) if !holds => {}
            result => panic!("seed {seed}: {result:?}, although the expectations hold: {holds}"),
        }
        let snapshot = block_on(engine.snapshot()).unwrap();
        kept.push((snapshot, map.clone()));
        if kept.len() > 5 {
            kept.remove(numbers.below(5));
        }
        for (snapshot, map) in &kept {
            let expected: Pairs = map.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            assert_eq!(scan(snapshot, b"", b"\xff", false, usize::MAX), expected, "seed {seed}");
            let (low, high) = (key(numbers.below(20)), key(numbers.below(20)));
            let within = |(key, _): &&(Bytes, Bytes)| low <= *key && *key < high;
            let backwards: Pairs = expected.iter().rev().filter(within).cloned().collect();
            assert_eq!(scan(snapshot, &low, &high, true, usize::MAX), backwards, "seed {seed}");
        }
    }
}
