//! [`Search`]: which messages fit. RFC 9051 §6.4.4, RFC 3501 §6.4.4.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Command, OctetString, Search as SearchKeys, SearchCommand, StatusKind, StatusResponse};

/// Searches the open mailbox: message numbers, or UIDs. In the order of the server.
///
/// Holds what it finds; how much that may be is its [`limit`](Self::limit).
#[derive(Debug)]
pub struct Search {
    uid: bool,
    charset: Option<OctetString>,
    search: SearchKeys,
    limit: usize,
    id: Option<CommandId>,
    found: Vec<u32>,
    too_many: bool,
}

impl Search {
    /// How many results are held at most, unless [`Self::limit`] says otherwise.
    pub const LIMIT: usize = 4_000_000;

    /// Message numbers.
    #[must_use]
    pub const fn numbers(search: SearchKeys) -> Self {
        let (uid, limit) = (false, Self::LIMIT);
        Self { uid, charset: None, search, limit, id: None, found: Vec::new(), too_many: false }
    }

    /// UIDs.
    #[must_use]
    pub const fn uids(search: SearchKeys) -> Self {
        let mut task = Self::numbers(search);
        task.uid = true;
        task
    }

    /// Says in which charset the strings of the search are. Without, they must be ASCII.
    #[must_use]
    pub fn charset(mut self, charset: OctetString) -> Self {
        self.charset = Some(charset);
        self
    }

    /// Results above which the search fails. Default 4 000 000, which is 16 MB.
    #[must_use]
    pub const fn limit(mut self, results: usize) -> Self {
        self.limit = results;
        self
    }

    fn result(&mut self, status: StatusResponse) -> Step<Self> {
        if self.too_many && status.kind == StatusKind::Ok {
            return Progress::Done(Err(TaskError::TooMany { limit: self.limit }));
        }
        let found = core::mem::take(&mut self.found);
        conclude(status, |_| found)
    }
}

impl Task<Client> for Search {
    type Item = core::convert::Infallible;
    type Output = Vec<u32>;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let (charset, search) = (self.charset.clone(), self.search.clone());
        let mut command = SearchCommand::new(self.uid, search);
        command.charset = charset;
        self.id = Some(client.command(Command::Search(command))?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::SearchBegin { .. } | Event::SearchModSeq(_) | Event::SearchEnd | Event::Deviation(_) => {
                Progress::Continue
            }
            Event::SearchNumber(number) => {
                if self.found.len() < self.limit {
                    self.found.push(number);
                } else {
                    self.too_many = true;
                }
                Progress::Continue
            }
            Event::Completed { id, status } if Some(id) == self.id => self.result(status),
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
