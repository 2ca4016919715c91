//! Threads: [`ThreadAlgorithm`], and [`Threads`], which THREAD answers. RFC 5256 §3, §4.
//!
//! Threads are trees, kept flat: each message stands before those that answer it. So nothing recurses, however
//! long a discussion is, not even dropping it.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::atom::Atom;

/// How messages are put into threads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThreadAlgorithm {
    /// ORDEREDSUBJECT: by subject, then date.
    OrderedSubject,
    /// REFERENCES: by the fields that say what a message answers.
    References,
    /// Any other.
    Other(Atom),
}

impl ThreadAlgorithm {
    /// The algorithm with this name, in any case.
    #[must_use]
    pub fn read(name: Atom) -> Self {
        match () {
            () if name.is("ORDEREDSUBJECT") => Self::OrderedSubject,
            () if name.is("REFERENCES") => Self::References,
            () => Self::Other(name),
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::OrderedSubject => "ORDEREDSUBJECT",
            Self::References => "REFERENCES",
            Self::Other(name) => name.as_str(),
        }
    }
}

/// A message in its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 5256 §4 has no more")]
pub struct ThreadNode {
    /// Its number or UID; `None` for one that is not there, which two or more answer.
    pub number: Option<NonZeroU32>,
    /// How many answer it: they follow, each with those that answer them in turn.
    pub answers: u32,
}

/// The threads that THREAD found, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Threads(Vec<ThreadNode>);

/// The messages are no threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the messages are no complete threads: an answer is missing, or too few answer what is not there")]
#[non_exhaustive]
pub struct ThreadsError;

impl Threads {
    /// Threads of these messages, each before those that answer it.
    ///
    /// # Errors
    /// If an answer is missing, if fewer than two answer a message that is not there, or if it is itself the only
    /// answer to another.
    pub fn new(nodes: impl IntoIterator<Item = ThreadNode>) -> Result<Self, ThreadsError> {
        let nodes: Vec<ThreadNode> = nodes.into_iter().collect();
        // How many answers are still to come in the present thread.
        let mut missing = 0_u64;
        let mut before = 0;
        for node in &nodes {
            // What is not there holds several answers together, and is no answer alone.
            if node.number.is_none() && (node.answers < 2 || before == 1) {
                return Err(ThreadsError);
            }
            before = node.answers;
            missing = missing.saturating_sub(1).checked_add(node.answers.into()).ok_or(ThreadsError)?;
        }
        if missing == 0 { Ok(Self(nodes)) } else { Err(ThreadsError) }
    }

    /// The messages, each before those that answer it.
    #[must_use]
    pub fn nodes(&self) -> &[ThreadNode] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u32, answers: u32) -> ThreadNode {
        ThreadNode { number: NonZeroU32::new(number), answers }
    }

    #[test]
    fn threads_are_complete() {
        for nodes in [
            &[][..],
            &[node(2, 0)],
            &[node(3, 1), node(6, 2), node(4, 0), node(44, 0)],
            &[node(0, 2), node(3, 0), node(5, 0), node(1, 0)],
        ] {
            assert!(Threads::new(nodes.iter().copied()).is_ok(), "{nodes:?}");
        }
        for nodes in
            [&[node(2, 1)][..], &[node(0, 0)], &[node(0, 1), node(2, 0)], &[node(1, u32::MAX), node(1, 3)]]
        {
            assert_eq!(Threads::new(nodes.iter().copied()), Err(ThreadsError), "{nodes:?}");
        }
    }
}
