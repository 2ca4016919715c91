//! New messages, in batches, and the octets of those that the host wants.

use alloc::vec;
use core::num::NonZeroU32;

use mailwright_core::value::{Uid, UidRange, UidSet};

use super::ranges::{Asked, Todo};
use super::{Change, Sync, SyncError, Then, Waits, Way};
use crate::client::Client;
use crate::types::{
    Command, FetchAttribute, FetchCommand, Messages, PartialRange, Section, StatusKind, StatusResponse,
};

impl Sync {
    /// What is there behind the checkpoint?
    pub(super) fn arrivals(&mut self, client: &mut Client) -> Result<(), SyncError> {
        if self.suspicious {
            return self.compare(client);
        }
        let known = self.picture.uids.len();
        let below = self.known_below().len();
        let nothing_new = if self.is_exact() {
            // As many as are known are those that are known.
            u64::from(self.exists) == below
        } else {
            // UIDNEXT alone is not to be relied on: what it hides would not be looked for again.
            self.base.is_some()
                && self.base == self.facts.highest_mod_seq
                && self.facts.uid_next.is_some_and(|uid_next| uid_next <= self.below)
        };
        if self.exists == 0 || nothing_new && known == below {
            return self.arrived(client);
        }
        let expected = u64::from(self.exists).saturating_sub(below);
        if expected <= u64::from(self.batch) {
            self.asked = Some(Asked::From(self.below));
            self.arrived = 0;
            self.tell(client, Then::GoOn)
        } else if self.pages && client.has("PARTIAL") {
            self.asked = Some(Asked::From(self.below));
            self.arrived = 0;
            self.tell(client, Then::Page)
        } else {
            self.find(client, false)
        }
    }

    /// Tells the next batch of what was found.
    pub(super) fn next_batch(&mut self, client: &mut Client) -> Result<(), SyncError> {
        let batch = self.todo.batch(self.batch, client.config().limits.set_octets);
        self.asked = Some(Asked::Exactly(batch));
        self.tell(client, Then::GoOn)
    }

    fn tell(&mut self, client: &mut Client, then: Then) -> Result<(), SyncError> {
        let Some(set) = self.asked.as_ref().and_then(Asked::set) else { return self.arrived(client) };
        let mut attributes = vec![
            FetchAttribute::Uid,
            FetchAttribute::Flags,
            FetchAttribute::Rfc822Size,
            FetchAttribute::InternalDate,
        ];
        if self.way != Way::Uids {
            attributes.push(FetchAttribute::ModSeq);
        }
        let mut fetch = FetchCommand::new(Messages::Uids(set), attributes);
        if then == Then::Page {
            let to = NonZeroU32::new(self.batch).unwrap_or(NonZeroU32::MIN);
            // RFC 9394 §3.3
            fetch.partial = Some(PartialRange { from_end: false, from: NonZeroU32::MIN, to });
        }
        self.then = then;
        self.send(client, Command::Fetch(fetch), Waits::New)
    }

    /// A batch of new messages was told.
    pub(super) fn told(&mut self, client: &mut Client, status: &StatusResponse) -> Result<(), SyncError> {
        self.let_go();
        let ok = status.kind == StatusKind::Ok;
        if ok && self.goes_on(status) {
            // A page of which only a part has come is not followed by the next one.
            return self.tell(client, if self.then == Then::Page { Then::Find } else { self.then });
        }
        let rest = match &self.asked {
            Some(Asked::Exactly(asked)) => asked.difference(&self.shown),
            _ => UidSet::new(),
        };
        if !ok {
            match &self.asked {
                // The server says that of all of them. Perhaps it is about one.
                Some(Asked::Exactly(asked)) if asked.len() > 1 => self.todo.one_by_one(&rest),
                Some(Asked::From(_)) => {
                    self.pages &= self.then != Then::Page;
                    self.then = Then::Find;
                }
                _ => self.pass_over(&rest),
            }
        } else if let Some(Asked::From(from)) = self.asked
            && self.then == Then::GoOn
        {
            let known = self.picture.uids.intersection(&UidRange::new(from, Uid::MAX).into());
            self.pass_over(&known.difference(&self.shown));
        } else {
            self.pass_over(&rest);
        }
        self.bodies = Todo::new(&core::mem::take(&mut self.wanted));
        if self.bodies.is_empty() { self.batch_is_done(client) } else { self.next_bodies(client) }
    }

    /// The server has not told of these.
    fn pass_over(&mut self, uids: &UidSet) {
        let known = uids.intersection(&self.picture.uids);
        self.has_gaps |= known.len() < uids.len();
        self.unshown = self.unshown.union(&known);
    }

    fn next_bodies(&mut self, client: &mut Client) -> Result<(), SyncError> {
        let batch = self.bodies.batch(self.batch, client.config().limits.set_octets);
        self.outstanding = batch;
        self.fetch_bodies(client)
    }

    fn fetch_bodies(&mut self, client: &mut Client) -> Result<(), SyncError> {
        let Some(set) = Asked::Exactly(self.outstanding.clone()).set() else {
            return self.after_bodies(client);
        };
        let whole = FetchAttribute::BodySection { peek: true, section: Section::whole(), partial: None };
        self.asked_bodies = self.outstanding.clone();
        let fetch = FetchCommand::new(Messages::Uids(set), vec![FetchAttribute::Uid, whole]);
        self.send(client, Command::Fetch(fetch), Waits::Bodies)
    }

    /// A command for bodies is complete.
    pub(super) fn came(&mut self, client: &mut Client, status: &StatusResponse) -> Result<(), SyncError> {
        let gone = self.let_go();
        let rest = core::mem::take(&mut self.outstanding).difference(&gone);
        let asked = core::mem::take(&mut self.asked_bodies);
        if status.kind == StatusKind::Ok {
            let stopped = super::changes::stopped_at(status);
            let left = stopped.and_then(|lowest| Asked::Exactly(asked).rest_below(lowest));
            if let Some(Asked::Exactly(left)) = left {
                let left = left.intersection(&rest);
                self.absent = self.absent.union(&rest.difference(&left));
                self.outstanding = left;
                return self.fetch_bodies(client);
            }
            self.absent = self.absent.union(&rest);
        } else if rest.len() > 1 {
            self.bodies.one_by_one(&rest);
        } else {
            self.absent = self.absent.union(&rest);
        }
        self.after_bodies(client)
    }

    /// Asks for the bodies that are left.
    fn after_bodies(&mut self, client: &mut Client) -> Result<(), SyncError> {
        if !self.bodies.is_empty() {
            return self.next_bodies(client);
        }
        // What is gone was told as such.
        let absent = core::mem::take(&mut self.absent).intersection(&self.fresh);
        self.out.extend(absent.iter().map(Change::Missing));
        self.has_gaps |= !absent.is_empty();
        self.missing = self.missing.union(&absent);
        self.batch_is_done(client)
    }

    fn batch_is_done(&mut self, client: &mut Client) -> Result<(), SyncError> {
        self.picture.uids = self.picture.uids.union(&core::mem::take(&mut self.fresh));
        let shown = core::mem::take(&mut self.shown);
        if self.then == Then::Find {
            // In which order the server has told what it did, nobody knows.
            return self.find(client, false);
        }
        let before = self.below;
        let highest = match &self.asked {
            Some(Asked::Exactly(asked)) => asked.last(),
            _ => shown.last(),
        };
        if let Some(highest) = highest {
            let next = highest.next().unwrap_or(highest);
            let left = self.todo.first().unwrap_or(Uid::MAX);
            self.below = self.below.max(next.min(left));
        }
        self.check_point();
        if !self.todo.is_empty() {
            self.next_batch(client)
        } else if self.then == Then::Page && shown.len() >= u64::from(self.batch) && self.below > before {
            self.asked = Some(Asked::From(self.below));
            self.tell(client, Then::Page)
        } else if self.compared {
            self.end();
            Ok(())
        } else {
            self.arrived(client)
        }
    }

    /// Whether the server has told itself what is gone.
    fn is_exact(&self) -> bool {
        self.way == Way::Qresync && self.expunges_settled
    }

    /// All new messages were told. Do the numbers fit?
    pub(super) fn arrived(&mut self, client: &mut Client) -> Result<(), SyncError> {
        let (known, exists) = (self.picture.uids.len(), u64::from(self.exists));
        let fits = if self.is_exact() {
            (known..=known + u64::from(self.arrived)).contains(&exists)
        } else {
            known == exists && self.ghosts == 0 && self.arrived == 0
        };
        if !fits && !self.compared {
            return self.compare(client);
        }
        self.expunges_settled |= fits;
        self.end();
        Ok(())
    }

    /// There is nothing more to tell.
    pub(super) fn end(&mut self) {
        // Everything that was there when the mailbox was opened is known.
        if let Some(uid_next) = self.facts.uid_next.filter(|_| self.expunges_settled) {
            self.below = self.below.max(uid_next);
        }
        self.finish();
    }

    /// UIDs of `set` that are still to be told.
    pub(super) fn behind(&self, set: &UidSet) -> UidSet {
        set.intersection(&UidRange::new(self.below, Uid::MAX).into())
    }
}
