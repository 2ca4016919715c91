//! Law 1: for a fixed schedule of answers, any cut of the input gives the same output and the same events.

use super::play::{each_octet, play, random_cuts, same, total};
use super::{Broken, Law};
use crate::session::Session;
use crate::testing::{Host, Numbers};

/// Up to this length, every pair of cuts is tried.
const PAIRS: usize = 64;
/// Up to this length, every cut is tried.
const SINGLES: usize = 512;
/// Random ways to cut.
const RANDOM: usize = 16;

/// Plays `stages` at once, octet by octet, with every cut or every pair of cuts if it is short, and with
/// random cuts to a peer that reads slowly, and compares. Neighbouring content is one; a [`Note::Exempt`] is
/// not compared.
///
/// Nothing may stand behind an agreement about a layer: what becomes of that depends on whether it had
/// come; [`barrier`](super::barrier) is for it.
///
/// [`Note::Exempt`]: crate::testing::Note::Exempt
///
/// # Errors
/// If the law is broken.
pub fn fragmentation<S: Session, H: Host<S>>(
    mut make: impl FnMut() -> (S, H),
    stages: &[&[u8]],
    seed: u64,
) -> Result<(), Broken> {
    let whole = play(make(), stages, &[], None)?;
    let length = total(stages);
    let mut check = |cuts: &[usize], reader: Option<Numbers>| {
        let found = play(make(), stages, cuts, reader)?;
        same(Law::Fragmentation, &whole, &found, || match cuts {
            [] | [_] | [_, _] => alloc::format!("cut at {cuts:?}"),
            [.., last] if *last < cuts.len() + 2 => "octet by octet".into(),
            _ => alloc::format!("cut at {} places by the seed {seed}", cuts.len()),
        })
    };
    check(&each_octet(length), None)?;
    if length <= PAIRS {
        for first in 0..length {
            for second in first + 1..=length {
                check(&[first, second], None)?;
            }
        }
    } else if length <= SINGLES {
        for cut in 1..length {
            check(&[cut], None)?;
        }
    }
    let mut numbers = Numbers::new(seed);
    for _ in 0..RANDOM {
        let cuts = random_cuts(&mut numbers, length);
        check(&cuts, Some(numbers.clone()))?;
    }
    Ok(())
}
