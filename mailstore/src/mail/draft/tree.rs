//! Changes of the set of mailboxes. RFC 9051 §6.3.5, §6.3.6, RFC 3501 §6.3.6.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{MailboxName, UidSet, UnixTime};

use super::{Draft, INBOX, LogKind, Stop};
use crate::account::{Intent, Limit, TreeOutcome};
use crate::engine::{Op, Snapshot};
use crate::identifier::MailboxId;
use crate::mail::key;
use crate::mail::read::rows;
use crate::mail::record::Record as _;
use crate::mail::row::{NameRow, SubscriptionRow};

impl<S: Snapshot> Draft<'_, S> {
    /// Removes a mailbox and its messages. Mailboxes below it stay.
    pub(crate) async fn delete_mailbox(
        &mut self,
        name: &MailboxName,
        now: UnixTime,
    ) -> Result<TreeOutcome, Stop> {
        let Some(id) = self.find(name).await? else { return Ok(TreeOutcome::NoSuchMailbox) };
        if id == INBOX {
            // RFC 9051 §6.3.5: it cannot be deleted.
            return Ok(TreeOutcome::NotPossible);
        }
        self.play(id, &Intent::Expunge(UidSet::all()), now).await?;
        let mod_seq = self.next_mod_seq()?;
        self.log(id, mod_seq, LogKind::Removed(name.as_str().to_string()));
        // Whatever was written for it in this draft goes with the rest.
        self.mailboxes.insert(id, None);
        for range in key::rows_of_mailbox(self.account, id) {
            self.ops.push(Op::DeleteRange(range.start, range.end));
        }
        self.ops.push(Op::Delete(key::mailbox(self.account, id)));
        self.set_name(name.clone(), None);
        self.row.mailboxes = self.row.mailboxes.saturating_sub(1);
        Ok(TreeOutcome::Done)
    }

    /// Gives a mailbox another name, and those below it with it. INBOX stays and gives its messages away.
    pub(crate) async fn rename_mailbox(
        &mut self,
        from: &MailboxName,
        to: &MailboxName,
        now: UnixTime,
    ) -> Result<TreeOutcome, Stop> {
        let Some(id) = self.find(from).await? else { return Ok(TreeOutcome::NoSuchMailbox) };
        if let Some(taken) = self.find(to).await? {
            return Ok(TreeOutcome::AlreadyExists(taken));
        }
        if to.is_below(from) {
            return Ok(TreeOutcome::NotPossible);
        }
        if id == INBOX {
            // RFC 9051 §6.3.6: the messages move, the mailboxes below it stay.
            let outcome = self.create_mailbox(to, None, now).await?;
            if let TreeOutcome::Created(created) = outcome {
                self.play(INBOX, &Intent::Copy { uids: UidSet::all(), to: created, remove: true }, now)
                    .await?;
            }
            return Ok(outcome);
        }
        let mut moved = Vec::from([(from.clone(), to.clone(), id)]);
        for (name, id) in self.names().await? {
            if name.is_below(from) {
                let rest = name.as_str().get(from.as_str().len()..).unwrap_or_default();
                // What is too long or too deep then cannot be moved.
                let Ok(new) = MailboxName::new(&[to.as_str(), rest].concat()) else {
                    return Ok(TreeOutcome::NotPossible);
                };
                if self.find(&new).await?.is_some() {
                    return Ok(TreeOutcome::NotPossible);
                }
                moved.push((name, new, id));
            }
        }
        if let Some(parent) = to.parent()
            && let TreeOutcome::TooMany = self.create_mailbox(&parent, None, now).await?
        {
            return Ok(TreeOutcome::TooMany);
        }
        for (old, new, id) in moved {
            let mod_seq = self.next_mod_seq()?;
            self.log(id, mod_seq, LogKind::Removed(old.as_str().to_string()));
            self.log(id, mod_seq, LogKind::Created(new.as_str().to_string()));
            self.set_name(old, None);
            self.set_name(new.clone(), Some(id));
            if let Some(mailbox) = self.mailbox(id).await? {
                mailbox.row.name = new;
                mailbox.changed = true;
            }
        }
        Ok(TreeOutcome::Done)
    }

    /// Subscribes to a name, which need not exist, or no longer.
    pub(crate) async fn subscribe(
        &mut self,
        name: &MailboxName,
        subscribed: bool,
    ) -> Result<TreeOutcome, Stop> {
        let key = key::subscription(self.account, name);
        let is = match self.subscriptions.get(name) {
            Some(is) => *is,
            None => self.snapshot.get(&key).await?.is_some(),
        };
        if is == subscribed {
            return Ok(TreeOutcome::Done);
        }
        if subscribed {
            let limit = self.limits.mailboxes_per_account;
            let held = rows(self.snapshot, key::subscriptions(self.account)).await?.len();
            if u32::try_from(held).unwrap_or(u32::MAX) >= limit {
                return Err(Limit::Mailboxes.into());
            }
        }
        self.subscriptions.insert(name.clone(), subscribed);
        self.ops.push(if subscribed { Op::Put(key, SubscriptionRow.seal()) } else { Op::Delete(key) });
        self.changed = true;
        Ok(TreeOutcome::Done)
    }

    /// Notes what a name means from now on.
    pub(super) fn set_name(&mut self, name: MailboxName, id: Option<MailboxId>) {
        let key: Bytes = key::name(self.account, &name);
        self.ops.push(match id {
            Some(id) => Op::Put(key, NameRow(id).seal()),
            None => Op::Delete(key),
        });
        self.names.insert(name, id);
        self.changed = true;
    }

    /// Every name and what it means now.
    async fn names(&self) -> Result<Vec<(MailboxName, MailboxId)>, Stop> {
        let mut names = alloc::collections::BTreeMap::new();
        for (key, value) in rows(self.snapshot, key::names(self.account)).await? {
            let name = key::mailbox_name(&key)
                .ok_or_else(|| crate::mail::record::corrupt("name of a mailbox", &key))?;
            names.insert(name, NameRow::open(&key, &value)?.0);
        }
        for (name, id) in &self.names {
            match id {
                Some(id) => names.insert(name.clone(), *id),
                None => names.remove(name),
            };
        }
        Ok(names.into_iter().collect())
    }
}
