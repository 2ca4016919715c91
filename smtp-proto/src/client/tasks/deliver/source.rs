//! Where the content of a delivery comes from: memory, or a host that is asked.

use alloc::collections::VecDeque;

use bytes::{Buf as _, Bytes};
use mailwright_core::wire::LineEndCounter;

use crate::content::{self, BarePolicy, ContentError};

/// A wish for content: answer it with [`Deliver::push`](super::Deliver::push), or
/// [`Deliver::finish`](super::Deliver::finish).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WantContent {
    /// Octets of the content that were taken so far. It is 0 once more when another transaction begins: start
    /// over then.
    pub offset: u64,
    /// Octets that can leave at once. Pushing more is possible, and only takes memory.
    pub room: usize,
}

/// Where content comes from.
#[derive(Debug)]
pub(super) enum Source {
    Memory { whole: Bytes, rest: Bytes },
    Streamed { size: Option<u64>, chunks: VecDeque<Bytes>, offset: u64, complete: bool },
}

/// What is known of the content before it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// `None`: not known.
    pub(super) eight_bit: Option<bool>,
    /// The header section has octets beyond ASCII.
    pub(super) utf8_header: bool,
    pub(super) size: Option<u64>,
}

impl Source {
    pub(super) fn memory(whole: Bytes) -> Self {
        Self::Memory { rest: whole.clone(), whole }
    }

    pub(super) const fn streamed() -> Self {
        Self::Streamed { size: None, chunks: VecDeque::new(), offset: 0, complete: false }
    }

    pub(super) fn declare_size(&mut self, octets: u64) {
        if let Self::Streamed { size, .. } = self {
            *size = Some(octets);
        }
    }

    /// Looks at content that is in memory.
    pub(super) fn inspect(&self, policy: BarePolicy) -> Result<Facts, ContentError> {
        match self {
            Self::Memory { whole, .. } => {
                content::check_line_ends(whole, policy)?;
                let eight_bit = !whole.is_ascii();
                let mut counter = LineEndCounter::default();
                counter.feed(whole);
                // RFC 1870 §5: the size counts octets with their line ends as CR LF, without transparency.
                let size = counter.octets().saturating_add(counter.added());
                let utf8_header = eight_bit && !header(whole).is_ascii();
                Ok(Facts { eight_bit: Some(eight_bit), utf8_header, size: Some(size) })
            }
            Self::Streamed { size, .. } => Ok(Facts { eight_bit: None, utf8_header: false, size: *size }),
        }
    }

    /// Back to the first octet, for another transaction.
    pub(super) fn rewind(&mut self) {
        match self {
            Self::Memory { whole, rest } => *rest = whole.clone(),
            Self::Streamed { chunks, offset, complete, .. } => {
                // What was pushed ahead of the first wish stays.
                if *offset > 0 || *complete && chunks.is_empty() {
                    chunks.clear();
                    *offset = 0;
                    *complete = false;
                }
            }
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        if let Self::Streamed { chunks, complete: false, .. } = self {
            if !chunk.is_empty() {
                chunks.push_back(chunk);
            }
        }
    }

    pub(super) fn finish(&mut self) {
        if let Self::Streamed { complete, .. } = self {
            *complete = true;
        }
    }

    /// The next octets to be sent, if any are there.
    pub(super) fn front(&self) -> Option<&[u8]> {
        match self {
            Self::Memory { rest, .. } => Some(&rest[..]).filter(|rest| !rest.is_empty()),
            Self::Streamed { chunks, .. } => chunks.front().map(|chunk| &chunk[..]),
        }
    }

    /// `taken` octets of [`Self::front`] were sent.
    pub(super) fn advance(&mut self, taken: usize) {
        match self {
            Self::Memory { rest, .. } => rest.advance(taken.min(rest.len())),
            Self::Streamed { chunks, offset, .. } => {
                if let Some(chunk) = chunks.front_mut() {
                    chunk.advance(taken.min(chunk.len()));
                    *offset += taken as u64;
                    if chunk.is_empty() {
                        chunks.pop_front();
                    }
                }
            }
        }
    }

    /// Whether nothing comes behind [`Self::front`].
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Memory { .. } => true,
            Self::Streamed { complete, .. } => *complete,
        }
    }

    /// What to ask of the host.
    pub(super) fn want(&self, room: usize) -> Option<WantContent> {
        match self {
            Self::Streamed { offset, .. } if room > 0 => Some(WantContent { offset: *offset, room }),
            _ => None,
        }
    }
}

/// The header section: what stands before the first empty line.
fn header(content: &[u8]) -> &[u8] {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\n', content.get(at..).unwrap_or_default()) {
        let line = content.get(at..at + found).unwrap_or_default();
        if line.is_empty() || line == b"\r" {
            return content.get(..at).unwrap_or_default();
        }
        at += found + 1;
    }
    content
}
