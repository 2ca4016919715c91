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

/// A message in its thread, as it comes: behind what it answers, and behind everything that answers what stands
/// before it at the same depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 5256 §4 has no more")]
pub struct ThreadMember {
    /// Its number or UID; `None` for one that is not there, but is answered.
    pub number: Option<NonZeroU32>,
    /// How many messages stand above it; none above the first of a thread.
    pub depth: u32,
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

    /// Threads of messages as they come. What is not there is left out unless it holds several answers together that
    /// nothing else does; a depth that skips one is the next.
    #[must_use]
    pub fn from_members(members: impl IntoIterator<Item = ThreadMember>) -> Self {
        let mut nodes: Vec<ThreadNode> = Vec::new();
        // What each answers.
        let mut answered: Vec<Option<usize>> = Vec::new();
        let mut above: Vec<usize> = Vec::new();
        for ThreadMember { number, depth } in members {
            above.truncate(usize::try_from(depth).unwrap_or(usize::MAX));
            let parent = above.last().copied();
            if let Some(node) = parent.and_then(|parent| nodes.get_mut(parent)) {
                node.answers = node.answers.saturating_add(1);
            }
            above.push(nodes.len());
            answered.push(parent);
            nodes.push(ThreadNode { number, answers: 0 });
        }
        if nodes.iter().any(|node| node.number.is_none()) {
            leave_out(&mut nodes, &mut answered);
        }
        Self(nodes)
    }

    /// The messages with their depths, each before those that answer it.
    pub fn members(&self) -> impl Iterator<Item = ThreadMember> + '_ {
        // How many answers are still to come, from the first message of the thread on.
        let mut open: Vec<u32> = Vec::new();
        self.0.iter().map(move |node| {
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(missing) = open.last_mut() {
                *missing -= 1;
            }
            let depth = u32::try_from(open.len()).unwrap_or(u32::MAX);
            open.push(node.answers);
            ThreadMember { number: node.number, depth }
        })
    }

    /// The messages, each before those that answer it.
    #[must_use]
    pub fn nodes(&self) -> &[ThreadNode] {
        &self.0
    }
}

/// Leaves out what is not there and has no answers, or one, or is the only answer to another: its answers answer that.
fn leave_out(nodes: &mut Vec<ThreadNode>, answered: &mut [Option<usize>]) {
    let mut kept: Vec<bool> = nodes.iter().map(|_| true).collect();
    // From the last on, so that the answers of each are known before it.
    for (index, parent) in answered.iter().enumerate().rev() {
        let (Some(node), Some(keep)) = (nodes.get(index), kept.get_mut(index)) else { continue };
        *keep = node.number.is_some() || node.answers > 1;
        let answers = node.answers;
        if let Some(above) = parent.and_then(|parent| nodes.get_mut(parent))
            && !*keep
            && answers == 0
        {
            above.answers -= 1;
        }
    }
    for index in 0..answered.len() {
        let is_kept = |at: usize| kept.get(at).copied().unwrap_or(true);
        let parent = answered.get(index).copied().flatten();
        // Those before it were looked at: what they answer is kept.
        let above = match parent {
            Some(at) if !is_kept(at) => answered.get(at).copied().flatten(),
            other => other,
        };
        if let Some(slot) = answered.get_mut(index) {
            *slot = above;
        }
        let Some(node) = nodes.get(index).copied() else { continue };
        if node.number.is_none()
            && is_kept(index)
            && let Some(above) = above.and_then(|above| nodes.get_mut(above))
            && above.answers == 1
        {
            above.answers = node.answers;
            if let Some(keep) = kept.get_mut(index) {
                *keep = false;
            }
        }
    }
    let mut kept = kept.into_iter();
    nodes.retain(|_| kept.next().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    fn members(list: &[(u32, u32)]) -> Threads {
        Threads::from_members(
            list.iter()
                .map(|(number, depth)| ThreadMember { number: NonZeroU32::new(*number), depth: *depth }),
        )
    }

    #[test]
    fn what_is_not_there_is_kept_only_where_it_holds_answers_together() {
        let two = members(&[(0, 0), (3, 1), (5, 1)]);
        assert_eq!(two.nodes(), [node(0, 2), node(3, 0), node(5, 0)]);
        assert_eq!(members(&[(0, 0), (3, 1), (5, 2)]), members(&[(3, 0), (5, 1)]));
        assert_eq!(members(&[(1, 0), (0, 1), (2, 2), (3, 2)]), members(&[(1, 0), (2, 1), (3, 1)]));
        assert_eq!(members(&[(0, 0), (1, 0), (0, 1), (0, 2)]), members(&[(1, 0)]));
        assert_eq!(members(&[(1, 5), (2, 7)]), members(&[(1, 0), (2, 1)]));
    }

    proptest! {
        #[test]
        fn any_members_are_threads(list in proptest::collection::vec((0_u32..3, 0_u32..5), 0..30)) {
            let threads = members(&list);
            prop_assert_eq!(Threads::new(threads.nodes().iter().copied()), Ok(threads.clone()));
            prop_assert_eq!(Threads::from_members(threads.members()), threads.clone());
            let numbers = |list: &mut dyn Iterator<Item = u32>| list.filter(|number| *number > 0).collect::<Vec<_>>();
            prop_assert_eq!(
                numbers(&mut threads.members().map(|member| member.number.map_or(0, u32::from))),
                numbers(&mut list.iter().map(|(number, _)| *number))
            );
        }
    }
}
