//! Law 4: after an agreed upgrade the session takes nothing until the layer is in place.

use alloc::string::String;
use alloc::vec::Vec;

use super::play::{difference_of, each_octet, start};
use super::{Broken, Law};
use crate::session::Session;
use crate::testing::{End, Host};

/// Plays `agreement`, at whose end the session must want a layer; then the same with `injected` behind it,
/// together, octet by octet and with every single cut; then `after` under the layer. A session may close because
/// of what stands there; otherwise it leaves it alone, writes and tells the same as without it, and remembers
/// nothing of it under the layer.
///
/// # Errors
/// If the law is broken.
pub fn barrier<S: Session, H: Host<S>>(
    mut make: impl FnMut() -> (S, H),
    agreement: &[&[u8]],
    injected: &[u8],
    after: &[u8],
) -> Result<(), Broken> {
    let (session, host) = make();
    let mut clean = End::new(session, host);
    start(&mut clean, agreement, &[])?;
    if clean.session.wants().upgrade.is_none() {
        return Err(broken("no layer is wanted at the end of the agreement".into()));
    }
    let agreed = (clean.output.len(), clean.notes.len());
    finish(&mut clean, after)?;

    let mut stages: Vec<Vec<u8>> = agreement.iter().map(|stage| stage.to_vec()).collect();
    let Some(last) = stages.last_mut() else {
        return Err(broken("an agreement without octets has nothing behind it".into()));
    };
    last.extend_from_slice(injected);
    let stages: Vec<&[u8]> = stages.iter().map(Vec::as_slice).collect();
    let length = super::play::total(&stages);
    let mut ways: Vec<Vec<usize>> = alloc::vec![Vec::new(), each_octet(length)];
    ways.extend((1..length).map(|cut| alloc::vec![cut]));
    for cuts in ways {
        let (session, host) = make();
        let mut end = End::new(session, host);
        start(&mut end, &stages, &cuts)?;
        let wants = end.session.wants();
        if wants.close {
            closed(&clean, agreed, &end)?;
            continue;
        }
        if wants.upgrade.is_none() {
            return Err(broken("what stands behind the agreement leads on".into()));
        }
        if end.input != injected {
            let left = end.input.len();
            let how = alloc::format!("{left} octets are left of {} behind the agreement", injected.len());
            return Err(broken(how));
        }
        finish(&mut end, after)?;
        let expected = (&clean.output[..], &clean.notes[..]);
        if let Some(what) = difference_of(expected, (&end.output, &end.notes)) {
            return Err(broken(alloc::format!("what stood behind the agreement had an effect: {what}")));
        }
    }
    Ok(())
}

/// The layer comes, then `after`, then the end.
fn finish<S: Session, H: Host<S>>(end: &mut End<S, H>, after: &[u8]) -> Result<(), Broken> {
    end.upgrade()?;
    end.receive(after)?;
    end.end()
}

/// A session that closed must have told nothing else than before, but that it is over.
fn closed<S: Session, H: Host<S>>(
    clean: &End<S, H>,
    agreed: (usize, usize),
    end: &End<S, H>,
) -> Result<(), Broken> {
    let before = clean.notes.get(..agreed.1).unwrap_or_default();
    let told = end.notes.split_last().map_or(&[][..], |(_, told)| told);
    if !before.starts_with(told) {
        return Err(broken(alloc::format!("what stands behind the agreement is told: {told:?}")));
    }
    if !end.is_closed() {
        return Err(broken("the session closes without a last event".into()));
    }
    Ok(())
}

const fn broken(how: String) -> Broken {
    Broken::new(Law::Barrier, how)
}
