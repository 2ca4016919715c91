//! Law 2: with `wants().input`, enough input leads to progress or to close; and nothing waits for nothing.

use super::play::{each_octet, total};
use super::{Broken, Law, play};
use crate::session::Session;
use crate::testing::{End, Host};

/// Plays `stages` octet by octet, then much of one octet after the other, then the end of the input, and
/// looks at what the session waits for. One that wants input may leave `unread` octets of it, the longest
/// item that it reads at once, and no more. One that wants none must wait for a layer, an answer or a
/// deadline, or be over. The end of the input leads to close.
///
/// # Errors
/// If the law is broken.
pub fn progress<S: Session, H: Host<S>>(
    mut make: impl FnMut() -> (S, H),
    stages: &[&[u8]],
    unread: usize,
) -> Result<(), Broken> {
    let cuts = each_octet(total(stages));
    for octet in [0, b'\n', b'\r', b' ', b'.', b'1', b'A', 0xff] {
        let (session, host) = make();
        let mut end = End::new(session, host);
        play::start(&mut end, stages, &cuts)?;
        check(&end, unread)?;
        let flood = [octet; 997];
        let mut came = 0;
        while came <= unread.saturating_mul(2) + flood.len() && end.session.wants().input {
            end.receive(&flood)?;
            came += flood.len();
            check(&end, unread)?;
        }
        if end.session.wants().upgrade.is_some() {
            end.input.clear();
        }
        end.end()?;
        if !end.session.wants().close {
            // What is left to wait for is time.
            while !end.session.wants().close && end.wait() {
                end.settle()?;
            }
        }
        if !end.session.wants().close {
            let wants = end.session.wants();
            return Err(broken(alloc::format!("the end of the input does not lead to close: {wants:?}")));
        }
        if !end.is_closed() {
            return Err(broken("the session closes without a last event".into()));
        }
    }
    Ok(())
}

fn check<S: Session, H: Host<S>>(end: &End<S, H>, unread: usize) -> Result<(), Broken> {
    let wants = end.session.wants();
    let left = end.input.len();
    if wants.input && left > unread {
        return Err(broken(alloc::format!("input is wanted, and {left} octets of it are left")));
    }
    let waits = wants.input || wants.close || wants.upgrade.is_some() || wants.answers > 0;
    if !waits && end.session.poll_timeout().is_none() {
        return Err(broken(alloc::format!("the session waits for nothing: {wants:?}")));
    }
    Ok(())
}

const fn broken(how: alloc::string::String) -> Broken {
    Broken::new(Law::Progress, how)
}
