//! [`CommandError`]: why a command cannot be read.

use mailwright_core::value::{DeviationKind, Excerpt};

use crate::types::{Tag, Verb};

/// A command that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}, near {near}")]
#[non_exhaustive]
pub struct CommandError {
    /// Its tag, if that could be read: the reply is tagged with it, else untagged.
    pub tag: Option<Tag>,
    /// Its name, if that could be read.
    pub verb: Option<Verb>,
    /// What is wrong.
    pub kind: CommandErrorKind,
    /// Octets of its line parts and literals before the place.
    pub offset: u64,
    /// What stands there.
    pub near: Excerpt,
}

/// What is wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CommandErrorKind {
    /// There is no tag.
    #[error("no tag")]
    Tag,
    /// There is no such command.
    #[error("unknown command")]
    Unknown,
    /// Something else was expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// More than an argument list may have.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// Parentheses or operators are nested deeper than the limit.
    #[error("nested too deeply")]
    TooDeep,
    /// What is made of it would take more memory than its octets are worth.
    #[error("too large")]
    TooLarge,
    /// A departure from the RFC, where only what it allows is read.
    #[error("{0}, which is not tolerated")]
    NotTolerated(DeviationKind),
    /// Arguments that do not go together.
    #[error("{0}")]
    Contradiction(&'static str),
}
