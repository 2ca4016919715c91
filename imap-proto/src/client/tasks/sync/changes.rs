//! What has changed of messages that are known: RFC 7162 §3.1.4.1, §3.2.6; without modification sequences all their
//! flags.

use alloc::vec;

use mailwright_core::value::Uid;

use super::ranges::Asked;
use super::{Scope, Sync, SyncError, Waits, Way};
use crate::client::Client;
use crate::types::{Code, Command, FetchAttribute, FetchCommand, Messages, StatusKind, StatusResponse};

impl Sync {
    pub(super) fn ask_changes(&mut self, client: &mut Client, scope: Scope) -> Result<(), SyncError> {
        self.asked = self.known_range(self.below);
        self.named.take();
        self.fetch_changes(client, scope)
    }

    fn fetch_changes(&mut self, client: &mut Client, scope: Scope) -> Result<(), SyncError> {
        let Some(set) = self.asked.as_ref().and_then(Asked::set) else { return self.arrivals(client) };
        let attributes = vec![FetchAttribute::Uid, FetchAttribute::Flags];
        let mut fetch = FetchCommand::new(Messages::Uids(set), attributes);
        if scope != Scope::AllFlags {
            fetch.changed_since = self.base;
            fetch.vanished = scope == Scope::SinceVanished;
        }
        self.send(client, Command::Fetch(fetch), Waits::Changed(scope))
    }

    pub(super) fn changed(
        &mut self,
        client: &mut Client,
        scope: Scope,
        status: StatusResponse,
    ) -> Result<(), SyncError> {
        if status.kind != StatusKind::Ok {
            if scope == Scope::AllFlags {
                return Err(SyncError::Refused(status));
            }
            // It announces what it does not understand.
            self.base = None;
            self.way = Way::Uids;
            return self.ask_changes(client, Scope::AllFlags);
        }
        if self.goes_on(&status) {
            return self.fetch_changes(client, scope);
        }
        self.flags_settled = true;
        self.expunges_settled |= scope == Scope::SinceVanished;
        self.let_go();
        if scope == Scope::AllFlags {
            let named = self.named.take();
            // The server has not named all that are known: some are gone.
            self.suspicious |= !self.known_below().difference(&named).is_empty();
        }
        self.check_point();
        self.arrivals(client)
    }

    /// Whether the server has stopped before the end, so that the rest is to be asked for.
    // RFC 9738 §3: it goes from the highest UID to the lowest, and says where it has stopped.
    pub(super) fn goes_on(&mut self, status: &StatusResponse) -> bool {
        let Some(lowest) = stopped_at(status) else { return false };
        match self.asked.as_ref().and_then(|asked| asked.rest_below(lowest)) {
            Some(rest) => {
                self.asked = Some(rest);
                true
            }
            None => false,
        }
    }
}

/// RFC 9738 §3: the lowest UID that was treated, if the limit of the server was reached.
pub(super) fn stopped_at(status: &StatusResponse) -> Option<Uid> {
    match &status.code {
        Some(Code::MessageLimit { uid, .. }) => *uid,
        _ => None,
    }
}
