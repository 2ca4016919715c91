//! Law 3: output, memory and undecided work are bounded by the limits, for any input.

use alloc::string::String;

use super::{Broken, Law, play};
use crate::session::Session;
use crate::testing::{End, Host};

/// Octets that come at once: a segment of TCP.
const SEGMENT: usize = 1460;

/// What a session may come to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Octets in `transmit`.
    pub output: usize,
    /// Open questions.
    pub answers: usize,
    /// Octets of input that are left while more is wanted.
    pub unread: usize,
    /// Octets of memory, what is left of the input included.
    pub memory: usize,
}

impl Default for Bounds {
    /// No bounds.
    fn default() -> Self {
        Self { output: usize::MAX, answers: usize::MAX, unread: usize::MAX, memory: usize::MAX }
    }
}

impl Bounds {
    /// Looks at a session that left `input` octets.
    pub(super) fn check<S: Session>(&self, session: &mut S, input: usize) -> Result<(), Broken> {
        let wants = session.wants();
        let output = session.transmit().len();
        if output > self.output {
            return Err(broken(alloc::format!("{output} octets of output, {} are the limit", self.output)));
        }
        if wants.answers > self.answers {
            let count = wants.answers;
            return Err(broken(alloc::format!("{count} open questions, {} are the limit", self.answers)));
        }
        if wants.input && input > self.unread {
            return Err(broken(alloc::format!("{input} octets are left, {} are the limit", self.unread)));
        }
        Ok(())
    }
}

/// What a peer says without end.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "written out by each test")]
pub struct Flood<'a> {
    /// What is said before, with everybody served.
    pub before: &'a [&'a [u8]],
    /// What is said again and again.
    pub again: &'a [u8],
    /// Octets of it.
    pub octets: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Laggard {
    /// Nobody: everything is served.
    Nobody,
    /// The peer reads nothing.
    Peer,
    /// The host takes events and answers nothing.
    Answers,
    /// The host takes no events.
    Host,
}

/// Floods a session while everybody is served, while its peer does not read, while its host does not answer,
/// and while its host does not take events; it must then stop taking input before `bounds` are passed.
///
/// `held` counts the memory that the test's process holds now, as an instrumented allocator does; one that
/// does not count gives 0. It is asked before each session is made and after each segment.
///
/// # Errors
/// If the law is broken.
pub fn bounded<S: Session, H: Host<S>>(
    mut make: impl FnMut() -> (S, H),
    flood: Flood<'_>,
    bounds: Bounds,
    held: impl Fn() -> usize,
) -> Result<(), Broken> {
    for laggard in [Laggard::Nobody, Laggard::Peer, Laggard::Answers, Laggard::Host] {
        let before = held();
        let (session, host) = make();
        let mut end = End::new(session, host);
        end.records = false;
        play::start(&mut end, flood.before, &[])?;
        let mut segments = flood.again.iter().copied().cycle();
        let mut segment = [0; SEGMENT];
        let mut came = 0;
        while came < flood.octets && !end.session.wants().close {
            for octet in &mut segment {
                *octet = segments.next().unwrap_or_default();
            }
            let wanted = end.session.wants().input;
            end.input.extend_from_slice(&segment);
            came += segment.len();
            let taken = serve(&mut end, laggard)?;
            let wants = end.session.wants();
            if !wanted && taken && !wants.close && laggard != Laggard::Nobody {
                return Err(broken("input was taken and none was wanted".into()).when(laggard));
            }
            bounds.check(&mut end.session, end.input.len()).map_err(|broken| broken.when(laggard))?;
            let memory = held().saturating_sub(before);
            if memory > bounds.memory {
                let how = alloc::format!("{memory} octets of memory, {} are the limit", bounds.memory);
                return Err(broken(how).when(laggard));
            }
            if !wanted && !wants.input && !wants.close {
                // A driver reads no more: the flood is over.
                break;
            }
        }
        if laggard == Laggard::Nobody && came < flood.octets && !end.session.wants().close {
            return Err(broken("the session stops although everybody is served".into()));
        }
    }
    Ok(())
}

/// A turn in which somebody does nothing. `true` if input was taken.
fn serve<S: Session, H: Host<S>>(end: &mut End<S, H>, laggard: Laggard) -> Result<bool, Broken> {
    let before = end.input.len();
    match laggard {
        Laggard::Nobody => end.turn()?,
        Laggard::Peer => {
            // As often as anything moves, but without reading.
            while end.take_input() | end.poll()? {}
        }
        Laggard::Answers => {
            while end.take_input() | end.read() {
                while end.session.poll_event().is_some() {}
            }
        }
        Laggard::Host => while end.take_input() | end.read() {},
    }
    Ok(end.input.len() != before)
}

const fn broken(how: String) -> Broken {
    Broken::new(Law::Bounds, how)
}

impl Broken {
    fn when(mut self, laggard: Laggard) -> Self {
        self.how += match laggard {
            Laggard::Nobody => ", while everybody is served",
            Laggard::Peer => ", while the peer does not read",
            Laggard::Answers => ", while the host does not answer",
            Laggard::Host => ", while the host takes no events",
        };
        self
    }
}
