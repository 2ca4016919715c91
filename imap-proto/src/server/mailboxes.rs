//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, LIST, LSUB, NAMESPACE, STATUS. RFC 9051 §6.3.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::question::{ChangeToken, ListToken, StatusToken};
use super::{AskedWhat, Event, Listed, MailboxChange, Phase, Refusal, Server};
use crate::types::{
    ListAttribute, ListCommand, ListResponse, Mailbox, Namespace, Namespaces, OctetString, Response,
    StatusItem, StatusValue, Tag, Verb,
};

/// Mailboxes on their way to the client.
pub(super) struct Listing {
    tag: Tag,
    verb: Verb,
    mailboxes: alloc::vec::IntoIter<ListResponse>,
}

impl Server {
    pub(super) fn change(&mut self, tag: Tag, verb: Verb, change: MailboxChange) {
        self.ask_for(tag, verb, false, AskedWhat::Nothing, |ticket| Event::Change {
            token: ChangeToken(ticket),
            change,
        });
    }

    pub(super) fn changed(&mut self, outcome: Result<(), Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        match outcome {
            Ok(()) => self.complete(&asked.tag, asked.verb, false, None),
            Err(refusal) => self.refuse(&asked.tag, asked.verb, false, refusal),
        }
    }

    pub(super) fn list(&mut self, tag: Tag, list: ListCommand, subscribed: bool) {
        let verb = if subscribed { Verb::Lsub } else { Verb::List };
        let asks_root = |pattern: &OctetString| pattern.as_bytes().is_empty();
        if !subscribed && list.patterns.iter().all(asks_root) {
            // RFC 9051 §6.3.9: an empty pattern asks for the separator and the root of the reference.
            let root = Mailbox::Other(Bytes::new());
            self.respond(&Response::List(ListResponse::new(root, Vec::from([ListAttribute::NoSelect]))));
            return self.complete(&tag, verb, false, None);
        }
        self.ask_for(tag, verb, false, AskedWhat::Nothing, |ticket| Event::List {
            token: ListToken(ticket),
            list,
            subscribed,
        });
    }

    pub(super) fn listed(&mut self, outcome: Result<Listed, Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        match outcome {
            Ok(mailboxes) => {
                let mailboxes = mailboxes.into_iter();
                self.phase =
                    Phase::Listing(Box::new(Listing { tag: asked.tag, verb: asked.verb, mailboxes }));
            }
            Err(refusal) => self.refuse(&asked.tag, asked.verb, false, refusal),
        }
    }

    /// Tells the next mailboxes.
    pub(super) fn list_more(&mut self) {
        let Phase::Listing(mut listing) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        while self.may_write_ahead() {
            match (listing.mailboxes.next(), listing.verb) {
                (Some(mailbox), Verb::Lsub) => self.respond(&Response::Lsub(mailbox)),
                (Some(mailbox), _) => self.respond(&Response::List(mailbox)),
                (None, verb) => return self.complete(&listing.tag, verb, false, None),
            }
        }
        self.phase = Phase::Listing(listing);
    }

    pub(super) fn namespace(&mut self, tag: &Tag) {
        // One hierarchy, all of it the user's own.
        let mut namespaces = Namespaces::default();
        namespaces.personal.push(Namespace::new(Mailbox::Other(Bytes::new()), Some(b'/')));
        self.respond(&Response::Namespace(namespaces));
        self.complete(tag, Verb::Namespace, false, None);
    }

    pub(super) fn status(&mut self, tag: Tag, mailbox: Mailbox, items: Vec<StatusItem>) {
        let what = AskedWhat::Status { mailbox: mailbox.clone(), items: items.clone() };
        self.ask_for(tag, Verb::Status, false, what, |ticket| Event::Status {
            token: StatusToken(ticket),
            mailbox,
            items,
        });
    }

    pub(super) fn status_told(&mut self, outcome: Result<Vec<u64>, Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        match (outcome, asked.what) {
            (Ok(values), AskedWhat::Status { mailbox, items }) => {
                let values = items.into_iter().zip(values).map(StatusValue::from).collect();
                self.respond(&Response::MailboxStatus { mailbox, values });
                self.complete(&asked.tag, Verb::Status, false, None);
            }
            (Ok(_), _) => self.complete(&asked.tag, Verb::Status, false, None),
            (Err(refusal), _) => self.refuse(&asked.tag, Verb::Status, false, refusal),
        }
    }
}
