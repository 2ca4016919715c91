//! Law 6: after the last event nothing is said, told, wanted or waited for.

use core::time::Duration;

use bytes::BytesMut;

use super::play::{start, total};
use super::{Broken, Law};
use crate::session::{LayerError, Session, TlsInfo, Upgraded, Wants};
use crate::testing::{End, Host, Note};

/// About how many places of the input the session is ended at.
const PLACES: usize = 64;

/// Plays `stages` up to many places, ends the input there, and disturbs the session once it is closed: by more
/// input, by time, by layers, and by every call of the host ([`Host::meddle`]).
///
/// # Errors
/// If the law is broken.
pub fn silence<S: Session, H: Host<S>>(
    mut make: impl FnMut() -> (S, H),
    stages: &[&[u8]],
) -> Result<(), Broken> {
    let length = total(stages);
    let step = (length / PLACES).max(1);
    for place in (0..length).step_by(step).chain([length]) {
        let (session, host) = make();
        let mut end = End::new(session, host);
        start(&mut end, &front(stages, place), &[])?;
        end.end()?;
        while !end.session.wants().close && end.wait() {
            end.settle()?;
        }
        if end.session.wants().close {
            check(&mut end)?;
        }
    }
    Ok(())
}

/// The first `length` octets of the stages.
fn front<'a>(stages: &[&'a [u8]], length: usize) -> alloc::vec::Vec<&'a [u8]> {
    let mut left = length;
    let mut front = alloc::vec::Vec::new();
    for stage in stages {
        front.push(stage.get(..left).unwrap_or(stage));
        if left < stage.len() {
            break;
        }
        left -= stage.len();
    }
    front
}

fn check<S: Session, H: Host<S>>(end: &mut End<S, H>) -> Result<(), Broken> {
    let last = end.notes.iter().filter(|note| matches!(note, Note::Closed(_))).count();
    if last != 1 {
        return Err(Broken::new(Law::Silence, alloc::format!("{last} last events were told")));
    }
    quiet(end, "close")?;
    let now = end.now;
    end.session.handle_input(&mut BytesMut::from(&b"NOOP\r\n\r\n.\r\n+OK\r\n250 OK\r\n\0"[..]), now);
    quiet(end, "input")?;
    end.session.handle_eof(now);
    quiet(end, "the end of the input")?;
    end.session.handle_timeout(now + Duration::from_secs(1_000_000));
    quiet(end, "a timeout")?;
    for upgraded in [
        Upgraded::Tls(TlsInfo::default()),
        Upgraded::Deflate,
        Upgraded::DeflateEnd,
        Upgraded::Failed(LayerError::Deflate),
    ] {
        let what = alloc::format!("{upgraded:?}");
        end.session.handle_upgrade(upgraded, now);
        quiet(end, &what)?;
    }
    for choice in 0..=u8::MAX {
        end.host.meddle(&mut end.session, choice);
        quiet(end, "a call of the host")?;
    }
    Ok(())
}

fn quiet<S: Session, H: Host<S>>(end: &mut End<S, H>, what: &str) -> Result<(), Broken> {
    end.poll()?;
    let (output, wants) = (end.session.transmit().len(), end.session.wants());
    let deadline = end.session.poll_timeout();
    if output > 0 || wants != Wants::CLOSE || deadline.is_some() {
        let how =
            alloc::format!("behind {what} there are {output} octets of output, {wants:?}, {deadline:?}");
        return Err(Broken::new(Law::Silence, how));
    }
    Ok(())
}
