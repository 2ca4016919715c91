//! [`List`]: number, size and id of every message.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{Deviation, Misuse};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, proceed};
use crate::parse::{Entry, EntryError};
use crate::types::{MessageNumber, Reply, UniqueId};

/// Lists the maildrop: LIST, and UIDL if the server has it, announced or not.
///
/// Holds what it returns, so its memory is bounded by
/// [`Limits::listing_lines`](super::super::Limits::listing_lines).
#[derive(Debug, Default)]
pub struct List {
    list: Option<CommandId>,
    uidl: Option<CommandId>,
    found: Listings,
    ids: Vec<(MessageNumber, UniqueId)>,
}

/// One message of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its number in this session.
    pub number: MessageNumber,
    /// Its size as the server says.
    pub octets: u64,
    /// Its id, if the server gives one.
    pub id: Option<UniqueId>,
}

/// What [`List`] has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listings {
    /// The messages, by number.
    pub messages: Vec<Listed>,
    /// The first lines that could not be read, [`List::MOST_ERRORS`] at most.
    pub errors: Vec<EntryError>,
    /// The first departures from the RFC that were tolerated, [`List::MOST_ERRORS`] at most.
    pub deviations: Vec<Deviation>,
    /// Why there are no ids, if the server refused UIDL.
    pub no_ids: Option<Reply>,
}

impl List {
    /// How many errors and how many deviations are kept.
    pub const MOST_ERRORS: usize = 100;

    /// A listing of all messages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn ask_ids(&mut self, client: &mut Client) -> Result<(), TaskError> {
        match client.uidl(None) {
            Ok(id) => self.uidl = Some(id),
            // Without PIPELINING it has to wait for the end of LIST.
            Err(Misuse::Busy) => {}
            Err(misuse) => return Err(misuse.into()),
        }
        Ok(())
    }

    fn listed(&mut self, entry: Result<Entry, EntryError>) {
        match entry {
            Ok(Entry::Size { number, octets }) => {
                self.found.messages.push(Listed { number, octets, id: None })
            }
            Ok(Entry::Id { number, id }) => self.ids.push((number, id)),
            // An id that is none is no use to remember a message by.
            Ok(Entry::RawId { .. } | Entry::Language { .. }) => {}
            Err(error) if self.found.errors.len() < Self::MOST_ERRORS => self.found.errors.push(error),
            Err(_) => {}
        }
    }

    /// Brings sizes and ids together: servers may list in any order, with gaps (RFC 1939 §7).
    fn result(&mut self) -> Listings {
        let mut found = core::mem::take(&mut self.found);
        let mut ids = core::mem::take(&mut self.ids);
        ids.sort_by_key(|&(number, _)| number);
        found.messages.sort_by_key(|message| message.number);
        found.messages.dedup_by_key(|message| message.number);
        for message in &mut found.messages {
            let place = ids.binary_search_by_key(&message.number, |&(number, _)| number);
            message.id = place.ok().and_then(|place| ids.get(place)).map(|&(_, id)| id);
        }
        found
    }
}

impl Task<Client> for List {
    type Item = core::convert::Infallible;
    type Output = Listings;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.list = Some(client.list(None)?);
        self.ask_ids(client)
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Listed { id, entry } if Some(id) == self.list || Some(id) == self.uidl => {
                self.listed(entry);
                Progress::Continue
            }
            Event::Reply { id, reply, .. } if Some(id) == self.list => {
                if reply.is_ok() {
                    Progress::Continue
                } else {
                    Progress::Done(Err(TaskError::Refused(reply)))
                }
            }
            Event::End { id, .. } if Some(id) == self.list => match self.uidl {
                Some(_) => Progress::Continue,
                None => proceed(self.ask_ids(client)),
            },
            Event::Reply { id, reply, .. } if Some(id) == self.uidl => {
                if reply.is_ok() {
                    return Progress::Continue;
                }
                self.found.no_ids = Some(reply);
                Progress::Done(Ok(self.result()))
            }
            Event::End { id, .. } if Some(id) == self.uidl => Progress::Done(Ok(self.result())),
            // A server that departs at all departs in every line; the queue for others is not for that.
            Event::Deviation(deviation) => {
                if self.found.deviations.len() < Self::MOST_ERRORS {
                    self.found.deviations.push(deviation);
                }
                Progress::Continue
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
