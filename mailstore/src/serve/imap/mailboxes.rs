//! CREATE, LIST, LSUB, STATUS. RFC 3501 §6.3, RFC 3348, RFC 6154.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use mailwright_core::value::{MailboxName, UnixTime};
use mailwright_imap::ListPattern;
use mailwright_imap::server::{Listed, MailboxChange, Refusal};
use mailwright_imap::types::{Code, ListAttribute, ListCommand, ListResponse, Mailbox, StatusItem};

use super::{Handler, find, refusal};
use crate::account::{Account as _, ListQuery, MailboxInfo, SpecialUse, TreeChange, TreeOutcome};
use crate::engine::{Blobs, Engine};
use crate::serve::Compute;

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    pub(super) async fn change(&self, change: MailboxChange, now: UnixTime) -> Result<(), Refusal> {
        let account = self.account.as_ref().ok_or_else(refusal::no_account)?;
        let name = |mailbox: Mailbox| match mailbox {
            Mailbox::Name(name) => Ok(name),
            Mailbox::Other(_) => Err(Refusal::new(Code::Cannot, "not a name for a mailbox")),
        };
        let existing = |mailbox: Mailbox| match mailbox {
            Mailbox::Name(name) => Ok(name),
            Mailbox::Other(_) => Err(refusal::no_such_mailbox()),
        };
        let change = match change {
            MailboxChange::Create(mailbox) => {
                TreeChange::Create { name: name(mailbox)?, special_use: None, now }
            }
            MailboxChange::Delete(mailbox) => TreeChange::Delete { name: existing(mailbox)?, now },
            MailboxChange::Rename { from, to } => {
                TreeChange::Rename { from: existing(from)?, to: name(to)?, now }
            }
            MailboxChange::Subscribe(mailbox) => {
                TreeChange::Subscribe { name: name(mailbox)?, subscribed: true }
            }
            MailboxChange::Unsubscribe(mailbox) => {
                TreeChange::Subscribe { name: existing(mailbox)?, subscribed: false }
            }
            _ => return Err(Refusal::new(Code::Cannot, "not offered")),
        };
        match account.tree(change).await.map_err(|error| refusal::of_write(&error))? {
            TreeOutcome::Created(_) | TreeOutcome::Done => Ok(()),
            TreeOutcome::AlreadyExists(_) => Err(Refusal::new(Code::AlreadyExists, "the mailbox exists")),
            TreeOutcome::NoSuchMailbox => Err(refusal::no_such_mailbox()),
            TreeOutcome::TooMany => Err(Refusal::new(Code::Limit, "too many mailboxes")),
            _ => Err(Refusal::new(Code::Cannot, "not with this mailbox")),
        }
    }

    pub(super) async fn list(&self, list: &ListCommand, subscribed: bool) -> Result<Listed, Refusal> {
        let account = self.account.as_ref().ok_or_else(refusal::no_account)?;
        let Some(pattern) = ListPattern::of(list) else { return Ok(Vec::new()) };
        // Every name, and whether something of that name exists.
        let mut names: BTreeMap<MailboxName, Option<MailboxInfo>> = BTreeMap::new();
        if subscribed {
            let mut visit = |name: &MailboxName| {
                names.insert(name.clone(), None);
            };
            account.subscriptions(&mut visit).await.map_err(|error| refusal::of_read(&error))?;
        } else {
            let mut visit = |info: &MailboxInfo| {
                names.insert(info.name.clone(), Some(info.clone()));
            };
            account.list(&ListQuery::All, &mut visit).await.map_err(|error| refusal::of_read(&error))?;
        }
        if !subscribed {
            // A parent that was deleted, or never made, shows where its children are.
            let parents = names.keys().flat_map(ancestors).collect::<Vec<_>>();
            parents.into_iter().for_each(|name| {
                names.entry(name).or_insert(None);
            });
        }
        let mut listed = Vec::new();
        for (name, info) in &names {
            if pattern.matches(name.as_str()) {
                let children = names.keys().any(|other| other.is_below(name));
                let attributes = if subscribed { Vec::new() } else { attributes(info.as_ref(), children) };
                listed.push(ListResponse::new(name.clone(), attributes));
            }
        }
        if subscribed {
            // RFC 3501 §6.3.9: with %, the parent of a subscribed name that is not subscribed itself.
            let parents: Vec<MailboxName> = names.keys().flat_map(ancestors).collect();
            for parent in parents {
                let known = names.contains_key(&parent)
                    || listed.iter().any(|other| other.mailbox.name() == Some(&parent));
                let deeper =
                    names.keys().any(|name| name.is_below(&parent) && !pattern.matches(name.as_str()));
                if !known && deeper && pattern.matches(parent.as_str()) {
                    listed.push(ListResponse::new(parent, Vec::from([ListAttribute::NoSelect])));
                }
            }
        }
        Ok(listed)
    }

    pub(super) async fn status(&self, mailbox: &Mailbox, items: &[StatusItem]) -> Result<Vec<u64>, Refusal> {
        let account = self.account.as_ref().ok_or_else(refusal::no_account)?;
        let name = mailbox.name().ok_or_else(refusal::no_such_mailbox)?;
        let info = find(account, name).await?.ok_or_else(refusal::no_such_mailbox)?;
        let value = |item: &StatusItem| match item {
            StatusItem::Messages => u64::from(info.exists),
            StatusItem::UidNext => info.uid_next.map_or(u64::from(u32::MAX), |uid| u64::from(uid.get())),
            StatusItem::UidValidity => u64::from(info.uid_validity.get()),
            StatusItem::Unseen => u64::from(info.unseen),
            StatusItem::Size => info.octets,
            StatusItem::Deleted => u64::from(info.deleted),
            // Recent to a session are messages that come while it has the mailbox open.
            _ => 0,
        };
        Ok(items.iter().map(value).collect())
    }
}

fn ancestors(name: &MailboxName) -> impl Iterator<Item = MailboxName> + use<> {
    core::iter::successors(name.parent(), MailboxName::parent)
}

fn attributes(info: Option<&MailboxInfo>, children: bool) -> Vec<ListAttribute> {
    let mut attributes = Vec::new();
    if info.is_none() {
        attributes.push(ListAttribute::NoSelect);
    }
    attributes.push(if children { ListAttribute::HasChildren } else { ListAttribute::HasNoChildren });
    let special_use = info.and_then(|info| info.special_use).map(|special_use| match special_use {
        SpecialUse::All => ListAttribute::All,
        SpecialUse::Archive => ListAttribute::Archive,
        SpecialUse::Drafts => ListAttribute::Drafts,
        SpecialUse::Flagged => ListAttribute::Flagged,
        SpecialUse::Junk => ListAttribute::Junk,
        SpecialUse::Sent => ListAttribute::Sent,
        SpecialUse::Trash => ListAttribute::Trash,
    });
    attributes.extend(special_use);
    attributes
}
