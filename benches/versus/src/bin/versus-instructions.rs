//! `versus-instructions [WORD…]`: runs each contestant once, to be counted by callgrind.

use mailwright_bench_cases::{Case, callgrind};
use mailwright_bench_versus::matching;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let contests = matching(&words);
    callgrind::count(contests.iter().flat_map(|contest| &contest.contestants).map(Case::open));
}
