//! [`Copy`] and [`Move`]: RFC 9051 §6.4.7, §6.4.8, RFC 6851, with the new UIDs of RFC 4315 §3.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{Flag, Uid, UidValidity};

use super::super::{Client, Event};
use super::{Batches, Gone, Step, TaskError};
use crate::types::{
    Code, Command, Mailbox, Messages, Response, StatusKind, StatusResponse, StoreAction, StoreCommand,
};

/// Copies messages to another mailbox.
#[derive(Debug)]
pub struct Copy {
    messages: Messages,
    mailbox: Mailbox,
    batches: Option<Batches>,
    copied: Copied,
}

/// Moves messages to another mailbox. Its items are those that left this one.
///
/// Where the server has no MOVE and UIDs are given, they are copied, marked as deleted, and removed by UID EXPUNGE, which
/// takes no others. Without UIDPLUS either, nothing is sent.
#[derive(Debug)]
pub struct Move {
    copy: Copy,
    /// Whether the server has no MOVE.
    in_steps: bool,
    removal: Option<Removal>,
}

/// What follows the copies where there is no MOVE.
#[derive(Debug)]
struct Removal {
    copied: Copied,
    /// Whether they are marked.
    marked: bool,
    batches: Batches,
}

/// What a server says about copies: nothing, unless it has UIDPLUS.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Copied {
    /// COPYUID codes, in the order in which they came.
    pub codes: Vec<Code>,
}

impl Copied {
    /// UIDVALIDITY of the destination.
    #[must_use]
    pub fn uid_validity(&self) -> Option<UidValidity> {
        self.codes.iter().find_map(|code| match code {
            Code::CopyUid { uid_validity, .. } => Some(*uid_validity),
            _ => None,
        })
    }

    /// UIDs here with those of the copies.
    pub fn uids(&self) -> impl Iterator<Item = (Uid, Uid)> + '_ {
        self.codes.iter().filter_map(Code::copied).flatten()
    }
}

impl Copy {
    /// Copies `messages` to `mailbox`.
    #[must_use]
    pub fn new(messages: Messages, mailbox: impl Into<Mailbox>) -> Self {
        Self { messages, mailbox: mailbox.into(), batches: None, copied: Copied::default() }
    }

    fn send(&mut self, client: &mut Client, moves: bool) -> Result<(), TaskError> {
        // Between two commands numbers may change, UIDs do not.
        let most = if self.messages.is_uid() { client.config().limits.set_octets } else { usize::MAX };
        let to = &self.mailbox;
        let command = |messages| match moves {
            true => Command::Move { messages, mailbox: to.clone() },
            false => Command::Copy { messages, mailbox: to.clone() },
        };
        let mut batches = Batches::new(&self.messages, most, command);
        batches.next(client)?;
        self.batches = Some(batches);
        Ok(())
    }

    fn event<T>(&mut self, client: &mut Client, event: Event) -> Step<T>
    where
        T: Task<Client, Output = Copied, Error = TaskError>,
    {
        let Some(batches) = &mut self.batches else { return Progress::NotMine(event) };
        match event {
            Event::Completed { id, status } if batches.is(id) => {
                let ok = status.kind == StatusKind::Ok;
                if !ok && batches.is_begun() {
                    let copied = core::mem::take(&mut self.copied);
                    return Progress::Done(Err(TaskError::Partly { copied, status }));
                }
                if let Some(code @ Code::CopyUid { .. }) = &status.code {
                    self.copied.codes.push(code.clone());
                }
                let copied = &mut self.copied;
                batches.completed(client, status, |_| core::mem::take(copied))
            }
            // RFC 9051 §6.4.8: a MOVE says COPYUID before the first message leaves.
            Event::Response { response: Response::Status { status, .. }, .. }
                if matches!(status.code, Some(Code::CopyUid { .. })) =>
            {
                self.copied.codes.extend(status.code);
                Progress::Continue
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}

impl Move {
    /// Moves `messages` to `mailbox`.
    #[must_use]
    pub fn new(messages: Messages, mailbox: impl Into<Mailbox>) -> Self {
        Self { copy: Copy::new(messages, mailbox), in_steps: false, removal: None }
    }

    /// The messages are copied: they are marked, or removed.
    // RFC 6851 §3.3: what MOVE does, in steps.
    fn remove(&mut self, client: &mut Client, copied: Copied, marked: bool) -> Step<Self> {
        let most = client.config().limits.set_octets;
        let mut batches = Batches::new(&self.copy.messages, most, |messages| {
            if marked {
                return Command::Expunge(Some(messages.set().clone()));
            }
            let mut store = StoreCommand::new(messages, StoreAction::Add, Vec::from([Flag::Deleted]));
            store.silent = true;
            Command::Store(store)
        });
        match batches.next(client) {
            Ok(_) => {
                self.removal = Some(Removal { copied, marked, batches });
                Progress::Continue
            }
            Err(error) => Progress::Done(Err(error.into())),
        }
    }

    /// A command of the removal is complete.
    fn removed(&mut self, client: &mut Client, mut removal: Removal, status: StatusResponse) -> Step<Self> {
        if status.kind != StatusKind::Ok {
            return Progress::Done(Err(TaskError::Partly { copied: removal.copied, status }));
        }
        match removal.batches.next(client) {
            Ok(true) => {
                self.removal = Some(removal);
                Progress::Continue
            }
            Ok(false) if !removal.marked => self.remove(client, removal.copied, true),
            Ok(false) => Progress::Done(Ok(removal.copied)),
            Err(error) => Progress::Done(Err(error.into())),
        }
    }
}

impl Task<Client> for Copy {
    type Item = core::convert::Infallible;
    type Output = Copied;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.send(client, false)
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        self.event(client, event)
    }
}

impl Task<Client> for Move {
    type Item = Gone;
    type Output = Copied;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let has = |name| client.has_or_rev2(name);
        self.in_steps = !has("MOVE") && has("UIDPLUS") && self.copy.messages.is_uid();
        self.copy.send(client, !self.in_steps)
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Response { response: Response::Expunge(number), .. } => {
                Progress::Item(Gone::Number(number))
            }
            Event::Vanished(range) => Progress::Item(Gone::Uids(range)),
            Event::VanishedBegin { .. } | Event::VanishedEnd => Progress::Continue,
            Event::Completed { id, status }
                if self.removal.as_ref().is_some_and(|removal| removal.batches.is(id)) =>
            {
                match self.removal.take() {
                    Some(removal) => self.removed(client, removal, status),
                    None => Progress::Continue,
                }
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event if self.removal.is_some() => Progress::NotMine(event),
            event => match self.copy.event(client, event) {
                Progress::Done(Ok(copied)) if self.in_steps => self.remove(client, copied, false),
                step => step,
            },
        }
    }
}
