//! The laws of a [`Session`](crate::session::Session), as functions: each plays a session many times and
//! compares. `Err` says which law is broken, and how.
//!
//! | law | function |
//! |---|---|
//! | 1. How the input is cut never matters | [`fragmentation`] |
//! | 2. Where input is wanted, enough of it leads on; nothing waits for nothing | [`progress`] |
//! | 3. Output, memory and undecided work are bounded | [`bounded`] |
//! | 4. Nothing crosses an upgrade | [`barrier`] |
//! | 5. Same inputs and times, same outputs; being told the time early changes nothing | [`determinism`] |
//! | 6. After the last event there is silence | [`silence`] |
//! | 7. No order of calls and no octets panic | [`calls`] |
//!
//! All take a factory, which makes a session and a [`Host`](super::Host) for it, the same each time. Input is
//! given as *stages*: what the peer says under one layer after the other. When a stage is over and the session
//! wants a layer, it is put in place; most inputs have one stage. A session that wants a layer before
//! anything else has an empty first stage.

mod barrier;
mod bounded;
mod calls;
mod determinism;
mod fragmentation;
mod play;
mod progress;
mod silence;

use alloc::string::String;
use core::fmt;

pub use self::barrier::barrier;
pub use self::bounded::{Bounds, Flood, bounded};
pub use self::calls::calls;
pub use self::determinism::determinism;
pub use self::fragmentation::fragmentation;
pub use self::progress::progress;
pub use self::silence::silence;

/// A law of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the laws are these")]
pub enum Law {
    /// How the input is cut never matters.
    Fragmentation,
    /// Where input is wanted, enough of it leads on.
    Progress,
    /// Output, memory and undecided work are bounded.
    Bounds,
    /// Nothing crosses an upgrade.
    Barrier,
    /// Same inputs and times, same outputs.
    Determinism,
    /// After the last event there is silence.
    Silence,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fragmentation => "fragmentation",
            Self::Progress => "progress",
            Self::Bounds => "bounds",
            Self::Barrier => "the upgrade barrier",
            Self::Determinism => "determinism",
            Self::Silence => "silence",
        })
    }
}

/// A law that is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the law of {law} is broken: {how}")]
#[non_exhaustive]
pub struct Broken {
    /// Which.
    pub law: Law,
    /// By what.
    pub how: String,
}

impl Broken {
    pub(super) const fn new(law: Law, how: String) -> Self {
        Self { law, how }
    }
}
