//! [`FetchNew`]: the messages that were not fetched before.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;
use mailwright_core::wire::ContentReport;

use super::super::{Client, CommandId, Event, Summary};
use super::{List, Listed, Listings, Step, TaskError, proceed};
use crate::types::{Reply, UniqueId};

/// Fetches every message whose id is not among those that are known: LIST, UIDL, and a RETR for each, as many at a
/// time as the server takes (RFC 1939 §7, RFC 2449 §6.6).
///
/// What a host has to do with it, so that no message is lost and none is kept twice:
///
/// 1. make each message durable when [`NewMessage::Complete`] says that it is whole, and remember its id if it stays
///    on the server;
/// 2. to remove it there, name it to [`Quit::deleting`](super::Quit::deleting) only then;
/// 3. believe only [`QuitOutcome::Committed`](super::super::QuitOutcome::Committed): after anything else the message
///    may be there again, so its id is still to be known.
///
/// A message without an id, or with one that another message has as well, cannot be known and is fetched each time.
/// If the server refuses UIDL, so ends the task: with [`TaskError::Refused`].
#[derive(Debug)]
pub struct FetchNew {
    known: BTreeSet<UniqueId>,
    /// While it is going on.
    list: Option<List>,
    found: Listings,
    /// To be asked for.
    wanted: VecDeque<Listed>,
    /// Asked for, in order.
    in_flight: VecDeque<(CommandId, Listed)>,
}

/// What [`FetchNew`] yields on the way. For each message [`Self::Begin`], its content, and [`Self::Complete`]; or
/// [`Self::Refused`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewMessage {
    /// A message begins.
    Begin(Listed),
    /// A piece of it.
    Content(Bytes),
    /// All of it was received. Not before this it is a message.
    Complete(Listed, ContentReport),
    /// The server did not send it; others follow.
    Refused(Listed, Reply),
}

impl FetchNew {
    /// RETRs in flight at most: enough to hide the way there and back, and little to take back.
    const WINDOW: usize = 8;

    /// Fetches what has no id among `known`.
    #[must_use]
    pub fn new(known: impl IntoIterator<Item = UniqueId>) -> Self {
        Self {
            known: known.into_iter().collect(),
            list: Some(List::new()),
            found: Listings::default(),
            wanted: VecDeque::new(),
            in_flight: VecDeque::new(),
        }
    }

    /// The listing is there.
    fn listed(&mut self, client: &mut Client, mut found: Listings) -> Step<Self> {
        self.list = None;
        if let Some(reply) = found.no_ids.take() {
            return Progress::Done(Err(TaskError::Refused(reply)));
        }
        found.forget_shared_ids();
        let is_known = |message: &&Listed| message.id.is_some_and(|id| self.known.contains(&id));
        self.wanted = found.messages.iter().filter(|message| !is_known(message)).copied().collect();
        self.found = found;
        self.go_on(client)
    }

    /// Asks for as many messages as the window takes.
    fn ask(&mut self, client: &mut Client) -> Result<(), TaskError> {
        while let Some(&message) = self.wanted.front().filter(|_| self.in_flight.len() < Self::WINDOW) {
            match client.retr(message.number) {
                Ok(id) => {
                    self.in_flight.push_back((id, message));
                    self.wanted.pop_front();
                }
                Err(Misuse::Busy) if !self.in_flight.is_empty() => break,
                Err(misuse) => return Err(misuse.into()),
            }
        }
        Ok(())
    }

    fn go_on(&mut self, client: &mut Client) -> Step<Self> {
        if self.wanted.is_empty() && self.in_flight.is_empty() {
            return Progress::Done(Ok(core::mem::take(&mut self.found)));
        }
        proceed(self.ask(client))
    }

    /// The message that is being received, if `id` is its command.
    fn current(&self, id: CommandId) -> Option<Listed> {
        self.in_flight.front().filter(|(own, _)| *own == id).map(|&(_, message)| message)
    }
}

impl Task<Client> for FetchNew {
    type Item = NewMessage;
    /// What was listed, known messages included; an id that two messages share is left out.
    type Output = Listings;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.list.as_mut().map_or(Ok(()), |list| list.start(client))
    }

    /// The reply to the last message was an item, so the end, and what there is to ask for next, come here.
    fn ready(&mut self, client: &mut Client) -> Step<Self> {
        if self.list.is_some() { Progress::Continue } else { self.go_on(client) }
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        if let Some(list) = &mut self.list {
            return match list.handle(client, event) {
                Progress::Done(Ok(found)) => self.listed(client, found),
                Progress::Done(Err(error)) => Progress::Done(Err(error)),
                Progress::NotMine(event) => Progress::NotMine(event),
                Progress::Continue | Progress::Item(_) => Progress::Continue,
            };
        }
        let current = match &event {
            Event::Content { id, .. } | Event::Reply { id, .. } | Event::End { id, .. } => self.current(*id),
            _ => None,
        };
        match (event, current) {
            (Event::Reply { reply, .. }, Some(message)) if reply.is_ok() => {
                Progress::Item(NewMessage::Begin(message))
            }
            (Event::Reply { reply, .. }, Some(message)) => {
                self.in_flight.pop_front();
                Progress::Item(NewMessage::Refused(message, reply))
            }
            (Event::Content { chunk, .. }, Some(_)) => Progress::Item(NewMessage::Content(chunk)),
            (Event::End { summary: Summary::Content(report), .. }, Some(message)) => {
                self.in_flight.pop_front();
                Progress::Item(NewMessage::Complete(message, report))
            }
            // The report counts what it was; the queue for others is not for a deviation of each message.
            (Event::Deviation(_), _) => Progress::Continue,
            (Event::Closed(reason), _) => Progress::Done(Err(TaskError::Closed(reason))),
            (event, _) => Progress::NotMine(event),
        }
    }
}

impl Listings {
    /// Leaves out ids that more than one message has (RFC 1939 §7: a server may give them to identical messages):
    /// nothing can be remembered by them.
    pub fn forget_shared_ids(&mut self) {
        let mut ids: Vec<UniqueId> = self.messages.iter().filter_map(|message| message.id).collect();
        ids.sort_unstable();
        let shared: BTreeSet<UniqueId> = ids
            .windows(2)
            .filter_map(|pair| match pair {
                [one, other] if one == other => Some(*one),
                _ => None,
            })
            .collect();
        for message in &mut self.messages {
            message.id = message.id.filter(|id| !shared.contains(id));
        }
    }
}
