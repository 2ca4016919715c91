//! Law 5: same inputs and times, same outputs; an early `handle_timeout` changes nothing.

use alloc::vec::Vec;
use core::time::Duration;

use super::play::{random_cuts, same};
use super::{Broken, Law};
use crate::session::Session;
use crate::testing::{End, Host, Numbers};
use crate::value::Instant;

/// How often each schedule is played with other early calls.
const AGAIN: u64 = 4;
/// Steps of time between two pieces, in milliseconds: mostly short, sometimes past every deadline.
const STEPS: [u64; 6] = [0, 1, 40, 900, 20_000, 700_000];

/// Plays `stages` in random pieces at random times, twice the same way, then with the time told early and
/// often: outputs, events and deadlines must be the same.
///
/// # Errors
/// If the law is broken.
pub fn determinism<S: Session, H: Host<S>>(
    mut make: impl FnMut() -> (S, H),
    stages: &[&[u8]],
    seed: u64,
) -> Result<(), Broken> {
    let (first, deadlines) = timed(make(), stages, seed, None)?;
    for round in 0..=AGAIN {
        let early = (round > 0).then(|| Numbers::new(seed.wrapping_add(round)));
        let (again, found) = timed(make(), stages, seed, early)?;
        let when = || match round {
            0 => alloc::format!("played twice with the seed {seed}"),
            _ => alloc::format!("with the time told early, seed {seed}"),
        };
        same(Law::Determinism, &first, &again, when)?;
        if let Some(at) = deadlines.iter().zip(&found).position(|(one, other)| one != other) {
            let (one, other) = (deadlines.get(at), found.get(at));
            let how = alloc::format!("{}: deadline {at} was {one:?} and became {other:?}", when());
            return Err(Broken::new(Law::Determinism, how));
        }
    }
    Ok(())
}

type Timed<S, H> = (End<S, H>, Vec<Option<Instant>>);

/// Plays pieces at times, both by the seed; with `early`, the time is told in between.
fn timed<S: Session, H: Host<S>>(
    (session, host): (S, H),
    stages: &[&[u8]],
    seed: u64,
    mut early: Option<Numbers>,
) -> Result<Timed<S, H>, Broken> {
    let mut end = End::new(session, host);
    let mut numbers = Numbers::new(seed);
    let mut deadlines = Vec::new();
    end.turn()?;
    for (index, stage) in stages.iter().enumerate() {
        if index > 0 {
            end.upgrade()?;
        }
        let mut from = 0;
        for cut in random_cuts(&mut numbers, stage.len()) {
            let steps = if numbers.below(50) == 0 { &STEPS[..] } else { STEPS.get(..4).unwrap_or(&STEPS) };
            let step = numbers.choose(steps).copied().unwrap_or(0);
            let until = end.now + Duration::from_millis(step);
            pass(&mut end, until, early.as_mut())?;
            deadlines.push(end.session.poll_timeout());
            end.receive(stage.get(from..cut).unwrap_or_default())?;
            deadlines.push(end.session.poll_timeout());
            from = cut;
        }
    }
    let until = end.now + Duration::from_millis(1);
    pass(&mut end, until, early.as_mut())?;
    end.end()?;
    deadlines.push(end.session.poll_timeout());
    Ok((end, deadlines))
}

/// Lets time pass up to `until`, over every deadline on the way.
fn pass<S: Session, H: Host<S>>(
    end: &mut End<S, H>,
    until: Instant,
    mut early: Option<&mut Numbers>,
) -> Result<(), Broken> {
    loop {
        let deadline = end.session.poll_timeout().filter(|&deadline| deadline <= until);
        let next = deadline.unwrap_or(until).max(end.now);
        if let Some(numbers) = &mut early {
            for _ in 0..numbers.below(4) {
                let room = usize::try_from(next.as_millis() - end.now.as_millis()).unwrap_or(usize::MAX);
                let told = Instant::from_millis(end.now.as_millis() + numbers.below(room) as u64);
                end.session.handle_timeout(told);
            }
        }
        end.now = next;
        if deadline.is_none() {
            return Ok(());
        }
        end.session.handle_timeout(end.now);
        end.turn()?;
    }
}
