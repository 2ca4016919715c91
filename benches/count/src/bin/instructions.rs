//! `instructions [WORD…]`: runs each case whose name contains one of the words and that is not too long for it, to be
//! counted by callgrind.

use mailwright_bench_cases::{Case, callgrind, matching};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    callgrind::count(matching(&words).iter().filter(|case| !case.long).map(Case::open));
}
