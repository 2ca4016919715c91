//! [`Columns`]: what is known about every message of a mailbox without reading any of them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::{Flag, Keyword, ModSeq, Uid, UidBlock, UnixTime};

use crate::identifier::{MessageId, ThreadId};
use crate::mail::flags;
use crate::mail::row::{ColdRow, ColdRows, HotRows};

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
    /// Whether its header has UTF-8 beyond ASCII, so that only who has asked for it may read it as it is.
    pub utf8_header: bool,
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

/// A message, for [`Columns::of`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewRow {
    /// Its UID.
    pub uid: Uid,
    /// Its last change.
    pub mod_seq: ModSeq,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// Octets.
    pub size: u64,
    /// Octets that CR LF line ends would add.
    pub line_ends: u32,
    /// Whether its header has UTF-8 beyond ASCII.
    pub utf8_header: bool,
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
}

impl NewRow {
    /// A message of `size` octets in CR LF lines, without flags, that was received and saved at the epoch.
    #[must_use]
    pub const fn new(uid: Uid, mod_seq: ModSeq, size: u64, message: MessageId, thread: ThreadId) -> Self {
        let epoch = UnixTime::from_seconds(0);
        Self {
            uid,
            mod_seq,
            flags: Vec::new(),
            size,
            line_ends: 0,
            utf8_header: false,
            internal_date: epoch,
            zone: 0,
            saved: epoch,
            message,
            thread,
        }
    }
}

/// Messages per block of [`Columns::of`].
const ROWS_PER_BLOCK: usize = 1024;

impl Columns {
    /// The columns of `rows`, for implementations of [`Account`](super::Account); `None` if their UIDs do not
    /// ascend.
    #[must_use]
    pub fn of(rows: &[NewRow], highest_mod_seq: ModSeq) -> Option<Self> {
        let ascend = rows.is_sorted_by(|one, other| one.uid < other.uid);
        let mut keywords: Vec<Keyword> = Vec::new();
        let mut extra_keywords: BTreeMap<Uid, Vec<u16>> = BTreeMap::new();
        let mut blocks = Vec::new();
        for rows in rows.chunks(ROWS_PER_BLOCK).filter(|_| ascend) {
            let (mut bits, mut cold) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
            for row in rows {
                let mut inline = 0;
                for flag in &row.flags {
                    let Flag::Keyword(keyword) = flag else {
                        inline |= flags::system_bit(flag).unwrap_or_default();
                        continue;
                    };
                    let known = keywords.iter().position(|known| known == keyword);
                    let index = known.unwrap_or_else(|| {
                        keywords.push(keyword.clone());
                        keywords.len() - 1
                    });
                    match flags::keyword_bit(index) {
                        Some(bit) => inline |= bit,
                        None => extra_keywords.entry(row.uid).or_default().push(u16::try_from(index).ok()?),
                    }
                }
                bits.push(inline);
                cold.push(ColdRow {
                    size: row.size,
                    line_ends: row.line_ends,
                    utf8_header: row.utf8_header,
                    internal_date: row.internal_date,
                    zone: row.zone,
                    saved: row.saved,
                    message: row.message,
                    thread: row.thread,
                });
            }
            let uids = UidBlock::new(rows.iter().map(|row| row.uid).collect())?;
            let mod_seqs = rows.iter().map(|row| row.mod_seq).collect();
            let hot = HotRows { uids, flags: bits, mod_seqs };
            blocks.push(Arc::new(Block { hot, cold: Arc::new(ColdRows(cold)) }));
        }
        ascend.then(|| Self::new(blocks, keywords, extra_keywords, highest_mod_seq))
    }

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
            utf8_header: cold.utf8_header,
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
