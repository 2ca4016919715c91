//! What is particular to the memory engine; what every engine must keep is in `testing`.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::*;
use crate::engine::{Op, now};

fn put(engine: &Memory, key: &'static str, value: &'static str) {
    let batch = Batch { ops: vec![Op::Put(key.into(), value.into())], ..Batch::default() };
    now(engine.commit(batch)).unwrap().unwrap();
}

#[test]
fn versions_that_no_snapshot_can_see_are_dropped() {
    let engine = Memory::new();
    put(&engine, "k", "0");
    let snapshot = now(engine.snapshot()).unwrap().unwrap();
    for _ in 0..100 {
        put(&engine, "k", "1");
    }
    drop(snapshot);
    put(&engine, "k", "2");
    now(engine.commit(Batch { ops: vec![Op::Delete("k".into())], ..Batch::default() })).unwrap().unwrap();
    assert_eq!(lock(&engine.shared.keys).kept(), (0, 0));
}

#[test]
fn the_visitor_of_a_scan_may_use_the_engine() {
    let engine = Memory::new();
    for key in ["a", "b", "c"] {
        put(&engine, key, "v");
    }
    let snapshot = now(engine.snapshot()).unwrap().unwrap();
    let mut seen = Vec::new();
    now(snapshot.scan(b"a".as_slice()..b"z".as_slice(), true, &mut |key, _| {
        seen.push(key.to_vec());
        put(&engine, "d", "v");
        ControlFlow::Continue(())
    }))
    .unwrap()
    .unwrap();
    assert_eq!(seen, [b"c", b"b", b"a"]);
}
