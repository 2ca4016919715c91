//! Tools that test any [`Session`]: the [`laws`] that all of them keep, a [`Pair`] of two of them joined in
//! memory, and [`Transcript`]s of dialogues. Everything is deterministic: what looks random comes from a
//! seed, time is a number.
//!
//! What a session asks and reports is its own, so a test brings a [`Host`] for it: a host answers, and puts
//! each event in words that can be compared. The same host serves laws, pairs and fuzzers.
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use mailwright_core::session::{Session, Transmit, Upgraded, Wants};
//! use mailwright_core::testing::{Host, Note, laws};
//! use mailwright_core::value::Instant;
//!
//! /// Counts octets until the end of its input.
//! #[derive(Default)]
//! struct Count { octets: usize, over: bool, told: bool, transmit: Transmit }
//!
//! impl Session for Count {
//!     type Event = usize;
//!     fn handle_input(&mut self, input: &mut BytesMut, _now: Instant) {
//!         self.octets += input.split().len();
//!     }
//!     fn handle_eof(&mut self, _now: Instant) { self.over = true }
//!     fn handle_timeout(&mut self, _now: Instant) {}
//!     fn handle_upgrade(&mut self, _upgraded: Upgraded, _now: Instant) {}
//!     fn poll_event(&mut self) -> Option<usize> {
//!         (self.over && !core::mem::replace(&mut self.told, true)).then_some(self.octets)
//!     }
//!     fn poll_timeout(&self) -> Option<Instant> { None }
//!     fn transmit(&mut self) -> &mut Transmit { &mut self.transmit }
//!     fn wants(&self) -> Wants { if self.over { Wants::CLOSE } else { Wants::INPUT } }
//! }
//!
//! struct Listener;
//!
//! impl Host<Count> for Listener {
//!     fn handle(&mut self, _session: &mut Count, octets: usize) -> Note {
//!         Note::Closed(format!("{octets} octets"))
//!     }
//! }
//!
//! laws::fragmentation(|| (Count::default(), Listener), &[b"how many octets?"], 1)?;
//! # Ok::<(), laws::Broken>(())
//! ```

mod citations;
mod conformance;
mod end;
pub mod laws;
mod numbers;
mod pair;
mod transcript;

use alloc::string::String;

use bytes::Bytes;

pub use self::citations::Citations;
pub use self::conformance::{Case, Cases, Page};
pub use self::end::End;
pub use self::numbers::Numbers;
pub use self::pair::{Pair, PairError};
pub use self::transcript::{Actor, Line, Mismatch, Side, Transcript};
use crate::session::{Session, Transport};

/// What a test does with the events of a session. The schedule of its answers must depend on nothing but
/// what it is told here.
pub trait Host<S: Session> {
    /// Takes an event and says what it was. A question is answered at once, or kept for [`Self::work`].
    fn handle(&mut self, session: &mut S, event: S::Event) -> Note;

    /// Answers one of the questions that were kept, or goes on with other work that waits, such as writing
    /// content; `pick` says which, by any rule. `false` if nothing waits, or nothing came of it.
    ///
    /// Called when the session takes no input, and at the end of the input; by a [`Pair`] at any time.
    fn work(&mut self, session: &mut S, pick: usize) -> bool {
        let _ = (session, pick);
        false
    }

    /// Makes a call that a host can make, right or wrong, chosen by `choice`: an answer of the wrong kind, a
    /// command in any state, an abort. Only [`laws::calls`] and [`laws::silence`] use it.
    fn meddle(&mut self, session: &mut S, choice: u8) {
        let _ = (session, choice);
    }
}

/// A host of a session is one of the session in its layers.
impl<P: Session, H: Host<P>> Host<Transport<P>> for H {
    fn handle(&mut self, transport: &mut Transport<P>, event: P::Event) -> Note {
        self.handle(transport.session_mut(), event)
    }

    fn work(&mut self, transport: &mut Transport<P>, pick: usize) -> bool {
        self.work(transport.session_mut(), pick)
    }

    fn meddle(&mut self, transport: &mut Transport<P>, choice: u8) {
        self.meddle(transport.session_mut(), choice);
    }
}

/// An event in words, so that two runs can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a law must handle each case")]
pub enum Note {
    /// It happened, and must happen again when the same is said.
    Event(String),
    /// A piece of content: neighbouring pieces are one.
    Content(Bytes),
    /// It depends on timing by nature, as reports about octets that came too early: not compared.
    Exempt,
    /// The last event of the session.
    Closed(String),
}

impl Note {
    /// A note of something that has no words but those of its `Debug`.
    #[must_use]
    pub fn debug(event: &impl core::fmt::Debug) -> Self {
        Self::Event(alloc::format!("{event:?}"))
    }
}
