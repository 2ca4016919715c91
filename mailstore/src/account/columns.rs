//! [`Columns`]: what is known about every message of a mailbox without reading any of them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::{Flag, Keyword, ModSeq, Uid, UidBlock, UnixTime};

use crate::identifier::{MessageId, ThreadId};
use crate::mail::flags;
use crate::mail::row::{ColdRows, HotRows};

/// A stretch of a mailbox: immutable, shared between versions of its columns that agree in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub(crate) hot: HotRows,
    pub(crate) cold: Arc<ColdRows>,
}

impl Block {
    /// The UIDs of the stretch.
    #[must_use]
    pub fn uids(&self) -> &UidBlock {
        &self.hot.uids
    }
}

/// The messages of a mailbox in one state, ascending by UID.
#[derive(Debug)]
pub struct Columns {
    blocks: Vec<Arc<Block>>,
    /// Messages before each block.
    starts: Vec<usize>,
    count: usize,
    keywords: Vec<Keyword>,
    extra_keywords: BTreeMap<Uid, Vec<u16>>,
    highest_mod_seq: ModSeq,
}

/// One message.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Row<'a> {
    /// Its UID.
    pub uid: Uid,
    /// Its last change.
    pub mod_seq: ModSeq,
    /// Octets.
    pub size: u64,
    /// Octets once each line end is CR LF and the last line has one: what POP3 announces.
    pub normalised_size: u64,
    /// When it was received.
    pub internal_date: UnixTime,
    /// Zone of that date, minutes east of UTC.
    pub zone: i16,
    /// When it came into this mailbox.
    pub saved: UnixTime,
    /// What it is.
    pub message: MessageId,
    /// The conversation that it belongs to.
    pub thread: ThreadId,
    bits: u32,
    columns: &'a Columns,
}

impl Row<'_> {
    /// Its flags, system flags first.
    pub fn flags(&self) -> impl Iterator<Item = Flag> + '_ {
        let system =
            flags::SYSTEM.iter().filter(|(bit, _)| self.bits & bit != 0).map(|(_, flag)| flag.clone());
        let inline = flags::inline_keywords(self.bits);
        let extra =
            self.columns.extra_keywords.get(&self.uid).into_iter().flatten().map(|at| usize::from(*at));
        let keywords = inline.chain(extra).filter_map(|at| self.columns.keywords.get(at));
        system.chain(keywords.cloned().map(Flag::Keyword))
    }

    /// Whether `flag` is set.
    #[must_use]
    pub fn has(&self, flag: &Flag) -> bool {
        match flags::system_bit(flag) {
            Some(bit) => self.bits & bit != 0,
            None => self.flags().any(|set| set == *flag),
        }
    }
}

impl Columns {
    pub(crate) fn new(
        blocks: Vec<Arc<Block>>,
        keywords: Vec<Keyword>,
        extra_keywords: BTreeMap<Uid, Vec<u16>>,
        highest_mod_seq: ModSeq,
    ) -> Self {
        let mut count = 0;
        let starts = blocks
            .iter()
            .map(|block| {
                let start = count;
                count += block.uids().len();
                start
            })
            .collect();
        Self { blocks, starts, count, keywords, extra_keywords, highest_mod_seq }
    }

    /// Number of messages.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// HIGHESTMODSEQ of the state that these columns show.
    #[must_use]
    pub const fn highest_mod_seq(&self) -> ModSeq {
        self.highest_mod_seq
    }

    /// The blocks, ascending. Blocks that two states share are the same allocation.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// The message at `index`, counted from 0; logarithmic in the number of blocks.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        let block = self.starts.partition_point(|start| *start <= index).checked_sub(1)?;
        self.at(block, index - self.starts.get(block)?)
    }

    /// The message with `uid`; logarithmic.
    #[must_use]
    pub fn find(&self, uid: Uid) -> Option<Row<'_>> {
        let block = self.blocks.partition_point(|block| block.uids().last() < uid);
        self.at(block, self.blocks.get(block)?.uids().search(uid).ok()?)
    }

    /// The messages, ascending.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        self.blocks.iter().enumerate().flat_map(move |(block, rows)| {
            (0..rows.uids().len()).filter_map(move |index| self.at(block, index))
        })
    }

    fn at(&self, block: usize, index: usize) -> Option<Row<'_>> {
        let block = self.blocks.get(block)?;
        let cold = block.cold.0.get(index)?;
        Some(Row {
            uid: block.hot.uids.get(index)?,
            mod_seq: *block.hot.mod_seqs.get(index)?,
            size: cold.size,
            normalised_size: cold.size + u64::from(cold.line_ends),
            internal_date: cold.internal_date,
            zone: cold.zone,
            saved: cold.saved,
            message: cold.message,
            thread: cold.thread,
            bits: *block.hot.flags.get(index)?,
            columns: self,
        })
    }
}
