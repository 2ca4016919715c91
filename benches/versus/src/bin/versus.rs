//! `versus [WORD…]`: a table of times, instructions and allocations for each contest whose name contains one of the words.
//!
//! The contestants take turns, so that whatever else the machine does meets all of them. A time is the median of the
//! rounds, with the shortest and the longest; a rate is that of the median; how many times ours it is, is the median of
//! what it was in each round. Instructions and allocations are those of `versus-instructions`, under valgrind, and of
//! `versus-allocations`, which are built beside this.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mailwright_bench_cases::table::{digits, grouped};
use mailwright_bench_cases::{Case, Maker, Run, Work, callgrind};
use mailwright_bench_versus::matching;

/// Rounds.
const ROUNDS: usize = 41;

/// How long one contestant has in a round, about.
const TURN: Duration = Duration::from_millis(2);

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let contests = matching(&words);
    let all = contests.iter().map(|contest| contest.contestants.len()).sum();
    let folder = std::env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default();
    let counted = callgrind::instructions(&folder.join("versus-instructions"), &words, all)?;
    let mut counted = counted.map(Vec::into_iter);
    let output = Command::new(folder.join("versus-allocations")).args(&words).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut rows = text.lines();
    println!(
        "| what | who | median | shortest to longest | times ours | instructions | allocations | most held |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for contest in &contests {
        let rounds = race(&contest.contestants);
        for (at, (case, times)) in contest.contestants.iter().zip(&rounds).enumerate() {
            let ratio = median(times.iter().zip(&rounds[0]).map(|(theirs, ours)| theirs / ours));
            let instructions = counted.as_mut().and_then(Iterator::next);
            let mut row =
                rows.next().unwrap_or_default().split('\t').map(|number| number.parse().unwrap_or(0.0));
            let (allocations, peak) = (row.next().unwrap_or(0.0), row.next().unwrap_or(0.0));
            let (instructions_for, items) = match contest.work {
                Work::Items(items) => (items as f64, items as f64),
                Work::Octets(octets) => (octets as f64, 1.0),
            };
            let instructions = instructions.map(|instructions| instructions as f64 / instructions_for);
            let name = if at == 0 { contest.name.as_str() } else { "" };
            println!(
                "| {name} | {} | {} | {} | {} | {} | {} | {} |",
                case.name,
                shown(contest.work, median(times.iter().copied())),
                span(contest.work, times),
                if at == 0 {
                    String::new()
                } else {
                    format!("{} ×", grouped(ratio, if ratio < 10.0 { 2 } else { 0 }))
                },
                instructions.map_or("-".to_owned(), |number| grouped(number, digits(number))),
                grouped(allocations / items, digits(allocations / items)),
                grouped(peak, 0),
            );
        }
    }
    Ok(())
}

/// Nanoseconds of one run of each contestant, by rounds.
fn race(cases: &[Case]) -> Vec<Vec<f64>> {
    let mut makers: Vec<(Maker, usize)> = cases
        .iter()
        .map(|case| {
            let mut maker = case.open();
            time(&mut maker, 1);
            let once = time(&mut maker, 1).max(1.0);
            let runs = (TURN.as_nanos() as f64 / once).clamp(1.0, 4096.0);
            (maker, runs as usize)
        })
        .collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for _ in 0..ROUNDS {
        for ((maker, runs), times) in makers.iter_mut().zip(&mut times) {
            times.push(time(maker, *runs));
        }
    }
    times
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

/// Nanoseconds of one of so many runs. They are made ready one at a time, so that all of them meet a warm cache.
fn time(maker: &mut Maker, runs: usize) -> f64 {
    let mut sum = Duration::ZERO;
    for _ in 0..runs {
        let mut run: Run = maker();
        let start = Instant::now();
        run();
        sum += start.elapsed();
    }
    sum.as_nanos() as f64 / runs as f64
}

fn number(work: Work, nanoseconds: f64) -> f64 {
    match work {
        Work::Items(items) => nanoseconds / items as f64,
        Work::Octets(octets) => octets as f64 / nanoseconds,
    }
}

fn shown(work: Work, nanoseconds: f64) -> String {
    let number = number(work, nanoseconds);
    let unit = if matches!(work, Work::Items(_)) { "ns" } else { "GB/s" };
    format!("{} {unit}", grouped(number, digits(number)))
}

fn span(work: Work, times: &[f64]) -> String {
    let shortest = times.iter().copied().fold(f64::INFINITY, f64::min);
    let longest = times.iter().copied().fold(0.0, f64::max);
    [shortest, longest]
        .map(|time| number(work, time))
        .map(|number| grouped(number, digits(number)))
        .join(" to ")
}
