//! [`State`]: the columns of a mailbox as a session wants them.

use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::{Flag, ModSeq, Uid, UidBlock};
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
