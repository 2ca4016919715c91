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
fn what_the_transcripts_say_passes() {
    // Also those that are younger than the seeds.
    for (name, seed, octets) in seeds::make().unwrap() {
        println!("{name}/{seed}");
        let target = TARGETS.iter().find(|target| target.name == name).unwrap();
        (target.run)(&octets);
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
