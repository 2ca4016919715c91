//! `count [WORD…]`: a table of instructions, allocations and memory for each case whose name contains one of the words.
//!
//! It starts `allocations` and, under valgrind, `instructions`, which are built beside it; without valgrind there are no
//! instructions. A figure in bold has missed its target.

use std::io;
use std::path::Path;
use std::process::Command;

use mailwright_bench_cases::table::{self, Figures};
use mailwright_bench_cases::{callgrind, matching};

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let cases = matching(&words);
    let folder = std::env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default();
    let short = cases.iter().filter(|case| !case.long).count();
    let counted = callgrind::instructions(&folder.join("instructions"), &words, short)?;
    if counted.is_none() {
        eprintln!("no valgrind: instructions are not counted");
    }
    let mut counted = counted.unwrap_or_default().into_iter();
    let output = Command::new(folder.join("allocations")).args(&words).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(io::Error::other(format!("allocations: {}", String::from_utf8_lossy(&output.stderr))));
    }
    println!("| case | figures are for | instructions | allocations | most held | held behind it |");
    println!("|---|---|---|---|---|---|");
    for (case, row) in cases.iter().zip(text.lines()) {
        let mut figures = read(row).ok_or_else(|| io::Error::other(format!("not three numbers: {row}")))?;
        figures.instructions = if case.long { None } else { counted.next() };
        let (line, _) = table::line(case, &figures);
        println!("{line}");
    }
    Ok(())
}

fn read(row: &str) -> Option<Figures> {
    let mut numbers = row.split('\t');
    Some(Figures {
        instructions: None,
        allocations: numbers.next()?.parse().ok()?,
        peak: numbers.next()?.parse().ok()?,
        held: numbers.next()?.parse().ok()?,
    })
}
