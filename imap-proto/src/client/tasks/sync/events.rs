//! What the server says, whatever it was asked for, and what that means for the picture.

use mailwright_core::value::{Uid, UidRange, UidSet};

use super::message::{Body, Message};
use super::ranges::Gathered;
use super::{
    Change, Checkpoint, Listing, MailboxFacts, NewMessage, Scope, Sync, SyncError, Synced, Waits, Wish,
};
use crate::client::{Client, Event};
use crate::parse::BodyItem;
use crate::types::{Code, Response, SearchElement, SearchList, Section, StatusResponse};

impl Sync {
    /// Takes an event, or gives it back.
    pub(super) fn take(&mut self, client: &mut Client, event: Event) -> Result<Option<Event>, SyncError> {
        match event {
            Event::FetchBegin { .. } => self.message = Some(Message::default()),
            Event::UidFetchBegin { uid, .. } => {
                self.message = Some(Message { uid: Some(uid), ..Message::default() });
            }
            Event::FetchItem(item) => {
                if let Some(message) = &mut self.message {
                    message.learn(item);
                }
            }
            Event::BodyBegin { item, length } => self.body_begins(&item, length),
            Event::BodyChunk(octets) => {
                if self.message.as_ref().is_some_and(|message| message.body == Body::Streams) {
                    self.out.push_back(Change::BodyChunk(octets));
                }
            }
            Event::BodyEnd => {
                if let Some(message) = self.message.as_mut().filter(|message| message.body == Body::Streams) {
                    message.body = Body::Complete;
                }
            }
            Event::FetchEnd => self.fetched()?,
            Event::SearchNumber(number) => self.found_number(number)?,
            Event::SearchBegin { .. } | Event::SearchModSeq(_) | Event::SearchEnd => {}
            Event::VanishedBegin { earlier, .. } => self.earlier = earlier,
            Event::Vanished(range) => self.vanished(range, self.earlier)?,
            Event::ExtendedSearchBegin { search, .. } => {
                self.listing = Listing { uid: search.uid, all: false }
            }
            Event::SearchList(list) => self.listing.all = list == SearchList::All,
            Event::SearchElement(SearchElement::Range(range)) => self.found_range(range)?,
            Event::VanishedEnd
            | Event::SearchElement(_)
            | Event::SearchData(_)
            | Event::ExtendedSearchEnd => {}
            // One for each message would fill the queue of the connection.
            Event::Deviation(_) => {}
            Event::Invalid(_) if self.message.is_some() => {}
            Event::Response { response, during } => {
                return Ok(self.response(&response)?.then_some(Event::Response { response, during }));
            }
            Event::Completed { id, status } if Some(id) == self.id => {
                self.id = None;
                self.completed(client, status)?;
            }
            Event::Closed(reason) => return Err(SyncError::Closed(reason)),
            event => return Ok(Some(event)),
        }
        Ok(None)
    }

    /// A response that is complete in itself; `true` if it is for somebody else.
    fn response(&mut self, response: &Response) -> Result<bool, SyncError> {
        match response {
            Response::Expunge(_) => {
                self.exists = self.exists.saturating_sub(1);
                self.ghosts += 1;
            }
            Response::Enabled(_) if self.waits == Waits::Enabled => {}
            response if self.is_open() => return self.news(response),
            response if !self.facts.learn(response) => return Ok(true),
            // CLOSED: what left was in another mailbox.
            _ if self.facts == MailboxFacts::default() => drop(self.gone.take()),
            _ => {}
        }
        Ok(false)
    }

    /// News of the open mailbox, whose facts are those of when it was opened; `true` if it is for somebody else.
    fn news(&mut self, response: &Response) -> Result<bool, SyncError> {
        match response {
            Response::Exists(exists) => {
                self.arrived = self.arrived.saturating_add(exists.saturating_sub(self.exists));
                self.exists = *exists;
            }
            Response::Recent(_) | Response::Flags { .. } => {}
            Response::Status { status, .. } => match &status.code {
                Some(Code::UidValidity(now)) if Some(*now) != self.facts.uid_validity => {
                    return Err(SyncError::UidValidityChanged);
                }
                Some(Code::HighestModSeq(_) | Code::UidNext(_) | Code::UidValidity(_)) => {}
                _ => return Ok(true),
            },
            _ => return Ok(true),
        }
        Ok(false)
    }

    fn vanished(&mut self, range: UidRange, earlier: bool) -> Result<(), SyncError> {
        if !earlier {
            self.exists = self.exists.saturating_sub(range.count());
        }
        if self.is_selecting() && !self.is_confirmed() {
            // It may be about another mailbox, or another generation of UIDs.
            self.suspicious |= earlier;
            return Ok(());
        }
        self.gather(range, |sync| &mut sync.gone)
    }

    pub(super) fn gather(
        &mut self,
        range: UidRange,
        into: impl FnOnce(&mut Self) -> &mut Gathered,
    ) -> Result<(), SyncError> {
        let limit = self.limit;
        if into(self).add(range, limit) { Ok(()) } else { Err(SyncError::TooMany { limit }) }
    }

    const fn is_selecting(&self) -> bool {
        matches!(self.waits, Waits::Selected(_))
    }

    const fn is_open(&self) -> bool {
        !matches!(self.waits, Waits::Nothing | Waits::Enabled | Waits::Selected(_))
    }

    /// Whether the server has said that the UIDs mean what they meant.
    fn is_confirmed(&self) -> bool {
        let known = self.picture.checkpoint.map(|checkpoint| checkpoint.uid_validity);
        known.is_some() && known == self.facts.uid_validity
    }

    fn completed(&mut self, client: &mut Client, status: StatusResponse) -> Result<(), SyncError> {
        match self.waits {
            Waits::Nothing => Ok(()),
            Waits::Enabled => self.select(client),
            Waits::Selected(wish) => self.selected(client, wish, status),
            Waits::Changed(scope) => self.changed(client, scope, status),
            Waits::Found { all } => self.found(client, all, &status),
            Waits::Listed => self.listed(client, status),
            Waits::New => self.told(client, &status),
            Waits::Bodies => self.came(client, &status),
        }
    }

    /// A FETCH is complete.
    fn fetched(&mut self) -> Result<(), SyncError> {
        let Some(message) = self.message.take() else { return Ok(()) };
        self.body_ends(&message);
        let Some(uid) = message.uid else { return Ok(()) };
        if self.is_selecting() && !self.is_confirmed() {
            self.suspicious |= matches!(self.waits, Waits::Selected(Wish::Changes));
            return Ok(());
        }
        let answers = match self.waits {
            Waits::New => self.asked.as_ref().is_some_and(|asked| asked.has(uid)),
            Waits::Listed | Waits::Changed(Scope::AllFlags) => {
                self.gather(uid.into(), |sync| &mut sync.named)?;
                false
            }
            _ => false,
        };
        if answers {
            self.shown.insert(uid);
            if self.shown.ranges().len() > self.limit {
                return Err(SyncError::TooMany { limit: self.limit });
            }
        }
        if self.picture.uids.contains(uid) || self.fresh.contains(uid) {
            self.known_message(uid, message, answers);
        } else if answers {
            if message.flags.is_none() {
                // They may be older than anything that the server would tell as a change.
                (self.lacking, self.base) = (true, None);
                // Before it is told: a run that is cut off here must not rely on modification sequences either.
                self.check_point();
            }
            self.fresh.insert(uid);
            let Message { flags, size, internal_date, mod_seq, .. } = message;
            self.out.push_back(Change::New(NewMessage { uid, flags, size, internal_date, mod_seq }));
        }
        Ok(())
    }

    /// Something about a message that the host has.
    fn known_message(&mut self, uid: Uid, message: Message, answers: bool) {
        let Some(flags) = message.flags else {
            self.lacking |= answers || matches!(self.waits, Waits::Selected(_) | Waits::Changed(_));
            return;
        };
        // From now on the server tells what changes; what was known before is of no use any more.
        let before = self.picture.flags.remove(&uid);
        let same = before.is_some_and(|before| {
            before.len() == flags.len() && flags.iter().all(|flag| before.contains(flag))
        });
        if !same && !self.missing.contains(uid) {
            self.out.push_back(Change::Flags { uid, flags, mod_seq: message.mod_seq });
        }
    }

    /// What the server said is gone leaves the picture.
    pub(super) fn let_go(&mut self) -> UidSet {
        let gone = self.gone.take();
        if gone.is_empty() {
            return gone;
        }
        let leaving = self.picture.uids.union(&self.fresh).intersection(&gone);
        self.fresh = self.fresh.difference(&gone);
        self.wanted = self.wanted.difference(&gone);
        self.leave(&leaving);
        gone
    }

    pub(super) fn leave(&mut self, leaving: &UidSet) {
        self.picture.uids = self.picture.uids.difference(leaving);
        self.out.extend(leaving.ranges().iter().copied().map(Change::Expunged));
    }

    /// Tells how far the picture is true, if it is further than before.
    pub(super) fn check_point(&mut self) -> Option<Checkpoint> {
        let unshown = self.unshown.intersection(&self.picture.uids);
        let settled = self.flags_settled && self.expunges_settled && !self.lacking && unshown.is_empty();
        let checkpoint = Checkpoint {
            uid_validity: self.facts.uid_validity?,
            uid_next: self.below,
            mod_seq: if settled { self.facts.highest_mod_seq } else { self.base },
            has_gaps: self.has_gaps,
        };
        if self.told.replace(checkpoint) != Some(checkpoint) {
            self.out.push_back(Change::Checkpoint(checkpoint));
        }
        Some(checkpoint)
    }

    pub(super) fn finish(&mut self) {
        let shown = self.picture.uids.len() + u64::from(self.arrived);
        let unlisted = u64::from(self.exists).saturating_sub(shown);
        self.lacking |= unlisted > 0;
        self.has_gaps |= unlisted > 0;
        self.end = Some(match self.check_point() {
            Some(checkpoint) => Ok(Synced { checkpoint, way: self.way, exists: self.exists, unlisted }),
            None => Err(SyncError::NoUidValidity),
        });
    }

    fn body_begins(&mut self, item: &BodyItem, length: u64) {
        let Some(message) = &mut self.message else { return };
        let whole =
            matches!(item, BodyItem::Section { section, origin: None } if *section == Section::whole());
        let wanted = self.waits == Waits::Bodies
            && whole
            && message.body == Body::None
            && message.uid.is_none_or(|uid| self.outstanding.contains(uid));
        if wanted {
            message.body = Body::Streams;
            self.out.push_back(Change::BodyBegin { uid: message.uid, length });
        } else if message.body == Body::None {
            message.body = Body::Ignored;
        }
    }

    fn body_ends(&mut self, message: &Message) {
        if matches!(message.body, Body::None | Body::Ignored) {
            return;
        }
        let complete = message.body == Body::Complete;
        let uid = message.uid.filter(|uid| complete && self.outstanding.contains(*uid));
        if let Some(uid) = uid {
            self.outstanding.remove(uid);
        }
        self.out.push_back(Change::BodyEnd { uid });
    }
}
