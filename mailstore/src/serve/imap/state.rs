//! [`State`]: the columns of a mailbox as a session wants them.

use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::{Flag, ModSeq, Uid, UidBlock, UidSet};
use mailwright_imap::server::{MailboxState, MessageFacts};
use mailwright_imap::types::DateTime;

use crate::account::{Columns, MailboxInfo};

pub(super) struct State {
    columns: Arc<Columns>,
    keywords: Vec<Flag>,
}

impl State {
    pub(super) fn new(columns: Arc<Columns>, info: &MailboxInfo) -> Self {
        let keywords = info.keywords.iter().cloned().map(Flag::Keyword).collect();
        Self { columns, keywords }
    }
}

impl MailboxState for State {
    fn blocks(&self, each: &mut dyn FnMut(&UidBlock)) {
        self.columns.blocks().iter().for_each(|block| each(block.uids()));
    }

    fn message(&self, uid: Uid, flag: &mut dyn FnMut(&Flag)) -> Option<MessageFacts> {
        let row = self.columns.find(uid)?;
        row.flags().for_each(|set| flag(&set));
        let date = DateTime { time: row.internal_date, zone: row.zone };
        Some(MessageFacts::new(row.size, date))
    }

    fn latest(&self) -> ModSeq {
        self.columns.highest_mod_seq()
    }

    fn changed(&self, since: ModSeq, each: &mut dyn FnMut(Uid)) {
        self.columns.rows().filter(|row| row.mod_seq > since).for_each(|row| each(row.uid));
    }

    fn keywords(&self) -> Vec<Flag> {
        self.keywords.clone()
    }
}

/// UIDs in a block that has to be made because nothing can be shared.
const BLOCK: usize = 1024;

/// The UIDs that a mailbox had when the next one was `uid_next`: those of `columns` that are older, and what
/// was `expunged` since.
pub(super) fn earlier(columns: &Columns, uid_next: Option<Uid>, expunged: &UidSet) -> Vec<UidBlock> {
    let was_there = |uid: &Uid| uid_next.is_none_or(|next| *uid < next);
    if expunged.is_empty() {
        let blocks = columns.blocks().iter().map(|block| block.uids());
        return blocks
            .filter_map(|block| match was_there(&block.last()) {
                true => Some(block.clone()),
                false => UidBlock::new(block.as_slice().iter().copied().filter(was_there).collect()),
            })
            .collect();
    }
    let mut uids: Vec<Uid> =
        columns.rows().map(|row| row.uid).chain(expunged.iter()).filter(was_there).collect();
    uids.sort_unstable();
    uids.dedup();
    uids.chunks(BLOCK).filter_map(|uids| UidBlock::new(uids.to_vec())).collect()
}
