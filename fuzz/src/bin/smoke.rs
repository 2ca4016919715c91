//! Fuzzes without a fuzzer: mutates the seeds by a fixed rule, for some seconds each target.
//!
//! ```text
//! smoke [SECONDS [TARGET…]]     default: 1 second, all targets
//! ```
//! The first input that makes a target panic is written to `crashes/TARGET`, and the program ends with 1.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use mailwright_core::testing::Numbers;
use mailwright_fuzz::{TARGETS, Target, seeds};

/// The longest input.
const LONGEST: usize = 4096;
/// Octets that mean something in mail.
const SPECIAL: [u8; 12] = [0, b'\r', b'\n', b'.', b' ', b'<', b'>', b'-', b'+', b'=', 0x7f, 0xff];

fn main() -> io::Result<ExitCode> {
    let mut arguments = env::args().skip(1);
    let seconds: f64 = match arguments.next().map(|seconds| seconds.parse()) {
        None => 1.0,
        Some(Ok(seconds)) => seconds,
        Some(Err(error)) => return Err(io::Error::new(io::ErrorKind::InvalidInput, error)),
    };
    let names: Vec<String> = arguments.collect();
    for target in
        TARGETS.iter().filter(|target| names.is_empty() || names.iter().any(|name| name == target.name))
    {
        if let Some(input) = fuzz(target, Duration::from_secs_f64(seconds))? {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crashes");
            fs::create_dir_all(&folder)?;
            let path = folder.join(target.name);
            fs::write(&path, &input)?;
            println!("{}: failed; the input is in {}", target.name, path.display());
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a target for so long. The input at which it panicked, if it did.
fn fuzz(target: &Target, duration: Duration) -> io::Result<Option<Vec<u8>>> {
    let seeds: Vec<Vec<u8>> = seeds::of(target.name)?.into_iter().map(|(_, octets)| octets).collect();
    let mut numbers = Numbers::new(0);
    let start = Instant::now();
    let mut runs = 0_u64;
    while start.elapsed() < duration {
        let mut input = numbers.choose(&seeds).cloned().unwrap_or_default();
        for _ in 0..1 + numbers.below(8) {
            mutate(&mut input, &seeds, &mut numbers);
        }
        input.truncate(LONGEST);
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            return Ok(Some(input));
        }
        runs += 1;
    }
    println!("{}: {runs} runs", target.name);
    Ok(None)
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(input.len() + 1);
    let count = numbers.piece(input.len() - at);
    match numbers.below(8) {
        0 => input.insert(at, SPECIAL[numbers.below(SPECIAL.len())]),
        1 => input.splice(at..at, numbers.octets(4)).for_each(drop),
        2 => input.drain(at..at + count).for_each(drop),
        3 => {
            let piece = input[at..at + count].to_vec();
            let to = numbers.below(input.len() + 1);
            input.splice(to..to, piece).for_each(drop);
        }
        4 => {
            // A part of another seed.
            let Some(other) = numbers.choose(seeds) else { return };
            let from = numbers.below(other.len() + 1);
            let length = numbers.piece(other.len() - from);
            input.splice(at..at, other[from..from + length].iter().copied()).for_each(drop);
        }
        5 => {
            let special = SPECIAL[numbers.below(SPECIAL.len())];
            if let Some(octet) = input.get_mut(at) {
                *octet = special;
            }
        }
        _ => {
            let bit = numbers.below(8);
            if let Some(octet) = input.get_mut(at) {
                *octet ^= 1 << bit;
            }
        }
    }
}
