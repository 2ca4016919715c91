//! `versus-allocations [WORD…]`: for each contestant a line with its allocations, and the most octets that were held.

use mailwright_bench_count::allocations;
use mailwright_bench_versus::matching;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    for case in matching(&words).iter().flat_map(|contest| &contest.contestants) {
        let figures = allocations(case.open());
        println!("{}\t{}", figures.allocations, figures.peak);
    }
}
