//! [`Fetch`]: data of messages, as a stream. RFC 9051 §6.4.5.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{ModSeq, Uid};

use super::super::{Client, Event};
use super::{Batches, Step, TaskError};
use crate::parse::{BodyItem, InvalidResponse};
use crate::types::{Command, FetchAttribute, FetchCommand, FetchItem, Messages};

/// Fetches data of messages. Its items come as the server sends them; no body is held.
///
/// A server may tell new flags of any message meanwhile, which are items as well: look at the number, or the
/// UID, of each message.
#[derive(Debug)]
pub struct Fetch {
    messages: Messages,
    attributes: Vec<FetchAttribute>,
    changed_since: Option<ModSeq>,
    batches: Option<Batches>,
}

/// A piece of what a server tells of messages.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MessageData {
    /// What follows is of this message.
    Begin {
        /// Its number.
        number: u32,
    },
    /// The same of a message that is named by its UID, where UIDONLY is enabled.
    BeginUid {
        /// Its UID.
        uid: Uid,
    },
    /// An item; of bodies only those that are NIL.
    Item(FetchItem),
    /// A body begins.
    Body {
        /// What of the message it is.
        item: BodyItem,
        /// Its octets, as they were announced.
        length: u64,
    },
    /// Octets of the body.
    Chunk(Bytes),
    /// The body is complete.
    BodyEnd,
    /// Something of the message that cannot be read.
    Invalid(InvalidResponse),
    /// That was all of this message.
    End,
}

impl MessageData {
    /// The piece that an event is, or the event.
    #[expect(clippy::result_large_err, reason = "the event is handed on at once")]
    pub(super) fn of(event: Event) -> Result<Self, Event> {
        Ok(match event {
            Event::FetchBegin { number, .. } => Self::Begin { number },
            Event::UidFetchBegin { uid, .. } => Self::BeginUid { uid },
            Event::FetchItem(item) => Self::Item(item),
            Event::BodyBegin { item, length } => Self::Body { item, length },
            Event::BodyChunk(octets) => Self::Chunk(octets),
            Event::BodyEnd => Self::BodyEnd,
            Event::Invalid(invalid) => Self::Invalid(invalid),
            Event::FetchEnd => Self::End,
            event => return Err(event),
        })
    }
}

impl Fetch {
    /// These `attributes` of these `messages`.
    #[must_use]
    pub fn new(messages: Messages, attributes: impl IntoIterator<Item = FetchAttribute>) -> Self {
        Self { messages, attributes: attributes.into_iter().collect(), changed_since: None, batches: None }
    }

    /// Only of messages that have changed since then (RFC 7162 §3.1.4.1). What is gone [`Sync`](super::Sync) tells.
    #[must_use]
    pub const fn changed_since(mut self, mod_seq: ModSeq) -> Self {
        self.changed_since = Some(mod_seq);
        self
    }
}

impl Task<Client> for Fetch {
    type Item = MessageData;
    type Output = ();
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let most = client.config().limits.set_octets;
        let (attributes, since) = (&self.attributes, self.changed_since);
        let command = |messages| {
            let mut fetch = FetchCommand::new(messages, attributes.clone());
            fetch.changed_since = since;
            Command::Fetch(fetch)
        };
        let mut batches = Batches::new(&self.messages, most, command);
        batches.next(client)?;
        self.batches = Some(batches);
        Ok(())
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        let Some(batches) = &mut self.batches else { return Progress::NotMine(event) };
        match MessageData::of(event) {
            Ok(data) => Progress::Item(data),
            Err(Event::Completed { id, status }) if batches.is(id) => batches.completed(client, status, drop),
            // One for each message would fill the queue of the connection.
            Err(Event::Deviation(_)) => Progress::Continue,
            Err(Event::Closed(reason)) => Progress::Done(Err(TaskError::Closed(reason))),
            Err(event) => Progress::NotMine(event),
        }
    }
}
