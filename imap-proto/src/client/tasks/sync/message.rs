//! What one FETCH tells of a message.

use alloc::vec::Vec;

use mailwright_core::value::{Flag, ModSeq, Uid};

use crate::types::{DateTime, FetchItem};

/// What has come of a message.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) uid: Option<Uid>,
    pub(super) flags: Option<Vec<Flag>>,
    pub(super) size: Option<u64>,
    pub(super) internal_date: Option<DateTime>,
    pub(super) mod_seq: Option<ModSeq>,
    pub(super) body: Body,
}

/// How far its octets are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Body {
    #[default]
    None,
    /// They come, and are handed on.
    Streams,
    /// They come, and nobody wants them.
    Ignored,
    /// They were handed on.
    Complete,
}

impl Message {
    pub(super) fn learn(&mut self, item: FetchItem) {
        match item {
            FetchItem::Uid(uid) => self.uid = Some(uid),
            FetchItem::Flags { flags, .. } => self.flags = Some(flags),
            FetchItem::Rfc822Size(size) => self.size = size,
            FetchItem::InternalDate(date) => self.internal_date = Some(date),
            FetchItem::ModSeq(mod_seq) => self.mod_seq = Some(mod_seq),
            _ => {}
        }
    }
}
