//! Allocations and memory of a run. A program that uses this has an allocator that counts, which costs time and
//! instructions: those are measured by programs that do not.

#![forbid(unsafe_code)]

use mailwright_bench_cases::Maker;
use mailwright_bench_cases::table::Figures;

/// What a run allocates and holds, after two runs that made room.
pub fn allocations(mut maker: Maker) -> Figures {
    maker()();
    maker()();
    let mut run = maker();
    let counted = allocation_counter::measure(&mut run);
    Figures {
        instructions: None,
        allocations: counted.count_total,
        peak: counted.bytes_max,
        held: counted.bytes_current,
    }
}
