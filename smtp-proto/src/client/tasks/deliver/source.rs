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
    /// Octets of the content that were pushed so far. It is 0 once more when another transaction begins: start
    /// over then.
    pub offset: u64,
    /// Octets that can leave at once, or that the next chunk of BDAT has room for. Pushing more is possible, and only takes
    /// memory.
    pub room: usize,
}

/// Where content comes from.
#[derive(Debug)]
pub(super) enum Source {
    Memory { whole: Bytes, rest: Bytes },
    Streamed { size: Option<u64>, chunks: VecDeque<Bytes>, at_hand: usize, offset: u64, complete: bool },
}

/// What is known of the content before it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// `None`: not known.
    pub(super) eight_bit: Option<bool>,
    /// The header section has octets beyond ASCII.
    pub(super) utf8_header: bool,
    /// Whether it is known to be sent as it is: no line end is to be normalised.
    pub(super) unchanged: bool,
    pub(super) size: Option<u64>,
}

impl Source {
    pub(super) fn memory(whole: Bytes) -> Self {
        Self::Memory { rest: whole.clone(), whole }
    }

    pub(super) const fn streamed() -> Self {
        Self::Streamed { size: None, chunks: VecDeque::new(), at_hand: 0, offset: 0, complete: false }
    }

    pub(super) fn declare_size(&mut self, octets: u64) {
        if let Self::Streamed { size, .. } = self {
            *size = Some(octets);
        }
    }

    /// Looks at content that is in memory. `binary`: it need not be lines.
    pub(super) fn inspect(&self, policy: BarePolicy, binary: bool) -> Result<Facts, ContentError> {
        let whole = match self {
            Self::Streamed { size, .. } => {
                let unchanged = policy == BarePolicy::Reject;
                return Ok(Facts { eight_bit: None, utf8_header: false, unchanged, size: *size });
            }
            Self::Memory { whole, .. } => whole,
        };
        let eight_bit = !whole.is_ascii();
        let utf8_header = eight_bit && !header(whole).is_ascii();
        let mut size = whole.len() as u64;
        let mut unchanged = true;
        if !binary {
            content::check_line_ends(whole, policy)?;
            let mut counter = LineEndCounter::default();
            counter.feed(whole);
            // RFC 1870 §5: the size counts octets with their line ends as CR LF, without transparency.
            size = counter.octets().saturating_add(counter.added());
            unchanged = content::check_line_ends(whole, BarePolicy::Reject).is_ok();
        }
        Ok(Facts { eight_bit: Some(eight_bit), utf8_header, unchanged, size: Some(size) })
    }

    /// Back to the first octet, for another transaction.
    pub(super) fn rewind(&mut self) {
        match self {
            Self::Memory { whole, rest } => *rest = whole.clone(),
            Self::Streamed { chunks, at_hand, offset, complete, .. } => {
                // What was pushed ahead of the first wish stays.
                if *offset > 0 || *complete && chunks.is_empty() {
                    chunks.clear();
                    *at_hand = 0;
                    *offset = 0;
                    *complete = false;
                }
            }
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        if let Self::Streamed { chunks, at_hand, complete: false, .. } = self {
            if !chunk.is_empty() {
                *at_hand += chunk.len();
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
            Self::Streamed { chunks, at_hand, offset, .. } => {
                if let Some(chunk) = chunks.front_mut() {
                    chunk.advance(taken.min(chunk.len()));
                    *at_hand = at_hand.saturating_sub(taken);
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

    /// The octets of the next chunk, and whether it is the last; `None` if more must be pushed first. `most`: what it may
    /// have; `binary`: it need not be lines.
    pub(super) fn next_chunk(&self, most: usize, binary: bool) -> Option<(usize, bool)> {
        match self {
            Self::Memory { rest, .. } => Some((rest.len().min(most), rest.len() <= most)),
            Self::Streamed { chunks, at_hand, complete, .. } => {
                if *complete {
                    return Some(((*at_hand).min(most), *at_hand <= most));
                }
                // Whether an LF follows is not known yet.
                let ends_in_cr = chunks.back().is_some_and(|chunk| chunk.last() == Some(&b'\r'));
                let known = at_hand.saturating_sub(usize::from(ends_in_cr && !binary));
                (known >= most).then_some((most, false))
            }
        }
    }

    /// Whether the host is asked for it.
    pub(super) const fn is_streamed(&self) -> bool {
        matches!(self, Self::Streamed { .. })
    }

    /// Octets that were pushed and not sent.
    pub(super) const fn at_hand(&self) -> usize {
        match self {
            Self::Memory { .. } => 0,
            Self::Streamed { at_hand, .. } => *at_hand,
        }
    }

    /// What to ask of the host.
    pub(super) fn want(&self, room: usize) -> Option<WantContent> {
        match self {
            Self::Streamed { offset, at_hand, .. } if room > 0 => {
                Some(WantContent { offset: offset.saturating_add(*at_hand as u64), room })
            }
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
