//! EXPUNGE, STORE, COPY and MOVE.

use alloc::vec::Vec;

use mailwright_core::value::{Flag, UidSet, UnixTime};
use mailwright_imap::server::{Copied, Refusal};
use mailwright_imap::types::{Mailbox, StoreAction};

use super::{Handler, find, refusal};
use crate::account::{Account as _, Applied, FlagChange, Intent, Work};
use crate::engine::{Blobs, Engine};
use crate::serve::Compute;

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    /// Does one thing to the messages of the selected mailbox.
    async fn apply(&self, intent: Intent, now: UnixTime) -> Result<Applied, Refusal> {
        let (account, selected) = self.here()?;
        let work = Work::new(alloc::vec![intent], now);
        let applied = account.apply(selected.id, work).await.map_err(|error| refusal::of_write(&error))?;
        match applied.into_iter().next() {
            Some(Applied::Refused(refusal)) => Err(refusal::of_refusal(&refusal)),
            Some(applied) => Ok(applied),
            None => Err(Refusal::new(None, "not done")),
        }
    }

    pub(super) async fn expunge(&self, uids: Option<&UidSet>, now: UnixTime) -> Result<(), Refusal> {
        let (account, selected) = self.here()?;
        // What has \Deleted now, whoever set it, and whether the session was told or not.
        let opened = account.open(&selected.name).await.map_err(|_| refusal::no_such_mailbox())?;
        let wanted = opened.columns.rows().filter(|row| row.has(&Flag::Deleted));
        let gone: UidSet =
            wanted.map(|row| row.uid).filter(|uid| uids.is_none_or(|uids| uids.contains(*uid))).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.apply(Intent::Expunge(gone), now).await.map(drop)
    }

    pub(super) async fn store(
        &self,
        uids: UidSet,
        action: StoreAction,
        flags: Vec<Flag>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let change = match action {
            StoreAction::Replace => FlagChange::Replace(flags),
            StoreAction::Add => FlagChange::Add(flags),
            StoreAction::Remove => FlagChange::Remove(flags),
        };
        self.apply(Intent::Flags { uids, change, unchanged_since: None }, now).await.map(drop)
    }

    pub(super) async fn copy(
        &self,
        uids: UidSet,
        mailbox: &Mailbox,
        remove: bool,
        now: UnixTime,
    ) -> Result<Copied, Refusal> {
        let name = mailbox.name().ok_or_else(refusal::no_such_mailbox)?;
        let to = find(self.here()?.0, name).await?.ok_or_else(refusal::create_it_first)?.id;
        match self.apply(Intent::Copy { uids, to, remove }, now).await? {
            Applied::Copied(copied) => Ok(Copied::new(copied.uid_validity, copied.pairs)),
            _ => Err(Refusal::new(None, "not done")),
        }
    }
}
