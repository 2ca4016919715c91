//! Which messages there are, by SEARCH, or by FETCH where that is not to be relied on; and what that says of those that
//! are known.

use alloc::vec;

use mailwright_core::value::{Uid, UidRange, UidSet};

use super::ranges::{Asked, Todo};
use super::{Sync, SyncError, Waits};
use crate::client::Client;
use crate::types::{
    Command, FetchAttribute, FetchCommand, Messages, NumberEnd, NumberRange, Search, SearchCommand,
    SearchKey, SearchReturn, StatusKind, StatusResponse,
};

/// How often a list is asked for again that others have disturbed.
const ATTEMPTS: u32 = 3;

/// Whether a list has all messages.
enum Completeness {
    All,
    /// Nobody can tell.
    Disturbed,
    Short,
}

impl Sync {
    /// All UIDs are compared.
    pub(super) fn compare(&mut self, client: &mut Client) -> Result<(), SyncError> {
        self.compared = true;
        self.find(client, true)
    }

    /// Which messages are there, all or those behind the checkpoint?
    pub(super) fn find(&mut self, client: &mut Client, all: bool) -> Result<(), SyncError> {
        self.asked = Some(Asked::From(if all { Uid::MIN } else { self.below }));
        self.named.take();
        (self.arrived, self.ghosts_before) = (0, self.ghosts);
        self.search(client, all)
    }

    fn search(&mut self, client: &mut Client, all: bool) -> Result<(), SyncError> {
        let key = match &self.asked {
            Some(Asked::From(Uid::MIN)) | None => SearchKey::All,
            Some(asked) => asked.set().map_or(SearchKey::All, SearchKey::Uid),
        };
        let Ok(keys) = Search::new([key]) else { return self.list(client) };
        let mut search = SearchCommand::new(true, keys);
        if client.has("ESEARCH") || client.has("IMAP4rev2") {
            // RFC 4731 §3.1: ranges instead of single numbers.
            search.returns = Some(vec![SearchReturn::All]);
        }
        self.send(client, Command::Search(search), Waits::Found { all })
    }

    pub(super) fn found_number(&mut self, number: u32) -> Result<(), SyncError> {
        match (self.waits, Uid::new(number)) {
            (Waits::Found { .. }, Some(uid)) => self.gather(uid.into(), |sync| &mut sync.named),
            _ => Ok(()),
        }
    }

    /// A range of an ESEARCH.
    pub(super) fn found_range(&mut self, range: NumberRange) -> Result<(), SyncError> {
        let wanted = matches!(self.waits, Waits::Found { .. }) && self.listing.uid && self.listing.all;
        let uid = |end| match end {
            NumberEnd::Number(number) => Uid::new(number.get()),
            NumberEnd::Largest => None,
        };
        match (uid(range.from), uid(range.to)) {
            (Some(from), Some(to)) if wanted => self.gather(UidRange::new(from, to), |sync| &mut sync.named),
            _ => Ok(()),
        }
    }

    pub(super) fn found(
        &mut self,
        client: &mut Client,
        all: bool,
        status: &StatusResponse,
    ) -> Result<(), SyncError> {
        if status.kind != StatusKind::Ok {
            return self.list(client);
        }
        if self.goes_on(status) {
            return self.search(client, all);
        }
        let found = self.named.take().difference(&self.let_go());
        if !all {
            return self.go_through(client, &self.behind(&found));
        }
        match self.completeness(&found) {
            Completeness::All => self.settle(client, &found),
            Completeness::Disturbed => self.find(client, true),
            // The server has left something out.
            Completeness::Short => self.list(client),
        }
    }

    /// Which messages are there, by FETCH?
    fn list(&mut self, client: &mut Client) -> Result<(), SyncError> {
        self.compared = true;
        self.asked = Some(Asked::From(Uid::MIN));
        self.named.take();
        (self.arrived, self.ghosts_before) = (0, self.ghosts);
        self.fetch_list(client)
    }

    fn fetch_list(&mut self, client: &mut Client) -> Result<(), SyncError> {
        let Some(set) = self.asked.as_ref().and_then(Asked::set) else { return self.arrived(client) };
        let fetch = FetchCommand::new(Messages::Uids(set), vec![FetchAttribute::Uid]);
        self.send(client, Command::Fetch(fetch), Waits::Listed)
    }

    pub(super) fn listed(&mut self, client: &mut Client, status: StatusResponse) -> Result<(), SyncError> {
        if status.kind != StatusKind::Ok {
            return Err(SyncError::Refused(status));
        }
        if self.goes_on(&status) {
            return self.fetch_list(client);
        }
        let found = self.named.take().difference(&self.let_go());
        match self.completeness(&found) {
            Completeness::All => self.settle(client, &found),
            Completeness::Disturbed => self.list(client),
            Completeness::Short => {
                // Not a list of all: nobody knows what is gone. What is in it is there.
                self.has_gaps = true;
                self.go_through(client, &found.difference(&self.known_below()))
            }
        }
    }

    /// Whether what was found is all that there is.
    fn completeness(&mut self, found: &UidSet) -> Completeness {
        let undisturbed = self.ghosts == self.ghosts_before;
        let short = found.len() < u64::from(self.exists);
        if !short && undisturbed {
            return Completeness::All;
        }
        // Others have come or gone meanwhile, and may be in it or not.
        if (self.arrived > 0 || !undisturbed) && self.attempts < ATTEMPTS {
            self.attempts += 1;
            return Completeness::Disturbed;
        }
        Completeness::Short
    }

    /// These are the messages that there are.
    fn settle(&mut self, client: &mut Client, found: &UidSet) -> Result<(), SyncError> {
        let gone = self.picture.uids.difference(found);
        self.leave(&gone);
        self.expunges_settled = true;
        self.has_gaps = false;
        // What is known behind the checkpoint may have changed since.
        self.go_through(client, &found.difference(&self.known_below()))
    }

    /// Tells what was found.
    fn go_through(&mut self, client: &mut Client, found: &UidSet) -> Result<(), SyncError> {
        let unnamed = self.behind(&self.picture.uids).difference(found);
        self.unshown = self.unshown.union(&unnamed);
        self.todo = Todo::new(found);
        if !self.todo.is_empty() {
            return self.next_batch(client);
        }
        if self.compared {
            self.end();
            return Ok(());
        }
        self.arrived(client)
    }
}
