//! `allocations [--check] [WORD…]`: for each case whose name contains one of the words a line with its allocations, the
//! most octets that were held, and those that stayed. With `--check` it says only which targets are missed for no known
//! reason, and ends with 1 if there are any.

use std::process::ExitCode;

use mailwright_bench_cases::{matching, table};
use mailwright_bench_count::allocations;

fn main() -> ExitCode {
    let (options, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let check = options.iter().any(|option| option == "--check");
    let mut code = ExitCode::SUCCESS;
    for case in matching(&words) {
        let figures = allocations(case.open());
        if !check {
            println!("{}\t{}\t{}", figures.allocations, figures.peak, figures.held);
            continue;
        }
        let (line, missed) = table::line(&case, &figures);
        if !missed.is_empty() && case.known.is_none() {
            println!("{line} missed: {}", missed.join(", "));
            code = ExitCode::FAILURE;
        }
    }
    code
}
