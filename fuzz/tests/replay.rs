//! Replays the seeds: what once failed must not fail again.

use mailwright_fuzz::{TARGETS, seeds};

#[test]
fn every_seed_of_every_target_passes() {
    for target in TARGETS {
        let seeds = seeds::of(target.name).unwrap();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for (path, octets) in seeds {
            println!("{}", path.display());
            (target.run)(&octets);
        }
    }
}

#[test]
fn the_seeds_are_those_that_the_transcripts_give() {
    for (target, name, octets) in seeds::make().unwrap() {
        let path = seeds::folder().join(target).join(&name);
        let found = std::fs::read(&path).unwrap_or_default();
        assert!(found == octets, "{}: run `cargo run --bin seeds` in fuzz/", path.display());
    }
}

#[test]
fn every_target_takes_nothing_and_noise() {
    let mut numbers = mailwright_core::testing::Numbers::new(3);
    for target in TARGETS {
        (target.run)(b"");
        for length in [1, 2, 30, 300] {
            (target.run)(&numbers.octets(length));
        }
    }
}
