//! Playing an input to a session, cut as wished, and comparing two runs.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Broken, Law};
use crate::session::Session;
use crate::testing::{End, Host, Note, Numbers};

/// Plays `stages`, cut at `cuts` (places in all of them together, rising), to the end of the input.
pub(super) fn play<S: Session, H: Host<S>>(
    (session, host): (S, H),
    stages: &[&[u8]],
    cuts: &[usize],
    reader: Option<Numbers>,
) -> Result<End<S, H>, Broken> {
    let mut end = End::new(session, host);
    end.reader = reader;
    start(&mut end, stages, cuts)?;
    end.end()?;
    Ok(end)
}

/// Plays `stages` without saying that the input is over.
pub(super) fn start<S: Session, H: Host<S>>(
    end: &mut End<S, H>,
    stages: &[&[u8]],
    cuts: &[usize],
) -> Result<(), Broken> {
    end.turn()?;
    let mut came = 0;
    let mut cuts = cuts.iter().copied().peekable();
    for (index, stage) in stages.iter().enumerate() {
        if index > 0 {
            end.upgrade()?;
        }
        let mut rest = *stage;
        while !rest.is_empty() {
            while cuts.next_if(|&cut| cut <= came).is_some() {}
            let count = cuts.peek().map_or(rest.len(), |&cut| (cut - came).min(rest.len()));
            let (piece, behind) = rest.split_at(count);
            came += count;
            end.receive(piece)?;
            rest = behind;
        }
    }
    Ok(())
}

/// Where an octet ends, for each of `length`.
pub(super) fn each_octet(length: usize) -> Vec<usize> {
    (1..length).collect()
}

/// Random cuts of `length` octets.
pub(super) fn random_cuts(numbers: &mut Numbers, length: usize) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut at = 0;
    while at < length {
        at += numbers.piece(length - at);
        cuts.push(at);
    }
    cuts
}

pub(super) fn total(stages: &[&[u8]]) -> usize {
    stages.iter().map(|stage| stage.len()).sum()
}

/// What differs between two runs.
pub(super) fn difference<S, H>(expected: &End<S, H>, found: &End<S, H>) -> Option<String> {
    difference_of((&expected.output, &expected.notes), (&found.output, &found.notes))
}

/// What differs between two outputs, or two lists of notes.
pub(super) fn difference_of(expected: (&[u8], &[Note]), found: (&[u8], &[Note])) -> Option<String> {
    if expected.0 != found.0 {
        let same = expected.0.iter().zip(found.0).take_while(|(one, other)| one == other).count();
        let excerpt = |octets: &[u8]| {
            let start = same.saturating_sub(40);
            let rest = octets.get(start..).unwrap_or_default();
            alloc::format!("\"{}\"", rest.get(..120).unwrap_or(rest).escape_ascii())
        };
        let (expected, found) = (excerpt(expected.0), excerpt(found.0));
        return Some(alloc::format!("at octet {same} of the output {expected} became {found}"));
    }
    if expected.1 != found.1 {
        let same = expected.1.iter().zip(found.1).take_while(|(one, other)| one == other).count();
        let (expected, found) = (expected.1.get(same), found.1.get(same));
        return Some(alloc::format!("event {same} was {expected:?} and became {found:?}"));
    }
    None
}

/// What is compared, as an error of `law`.
pub(super) fn same<S, H>(
    law: Law,
    expected: &End<S, H>,
    found: &End<S, H>,
    when: impl FnOnce() -> String,
) -> Result<(), Broken> {
    match difference(expected, found) {
        None => Ok(()),
        Some(what) => Err(Broken::new(law, alloc::format!("{}: {what}", when()))),
    }
}
