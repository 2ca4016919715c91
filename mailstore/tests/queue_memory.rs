//! What an entry of the queue machine costs, waiting or due.

#![cfg(feature = "queue")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use mailwright_core::value::UnixTime;
use mailwright_store::queue::{Connection, Entry, EntryId, Machine, MachineConfig, QueueId};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);

fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

#[test]
fn an_entry_takes_at_most_200_octets() {
    const ENTRIES: usize = 200_000;
    let region = Region::new(ALLOCATOR);
    let mut machine = Machine::new(MachineConfig::default(), 1);
    for number in 0..ENTRIES as u64 {
        let id = EntryId { message: QueueId::new(number), recipient: 0 };
        let destination = format!("d{}.test", number % 1000);
        machine.load(Entry::new(id, destination, number % 50, false, START), START);
    }
    let waiting = held(&region) / ENTRIES;
    assert!(waiting <= 200, "{waiting} octets an entry that waits");
    let mut running = Vec::new();
    while machine.running() < 100 {
        running.extend(machine.poll(START));
        while machine.poll_effect().is_some() {}
    }
    for attempt in running {
        machine.finished(attempt.id, Connection::Worked, &[], START);
    }
    for _ in 0..ENTRIES / 256 {
        machine.poll(START);
        while machine.poll_effect().is_some() {}
    }
    let due = held(&region) / ENTRIES;
    assert!(due <= 200, "{due} octets an entry that is due");
    assert_eq!(machine.len(), ENTRIES);
}
