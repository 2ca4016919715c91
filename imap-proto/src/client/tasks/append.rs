//! [`Append`]: adds a message to a mailbox, from memory or as a stream. RFC 9051 §6.3.12, RFC 4315 §3.

use alloc::collections::VecDeque;

use bytes::{Buf as _, Bytes};
use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{Misuse, Uid, UidValidity};

use super::super::{Client, Closed, CommandId, ContentError, Event, SendError};
use super::Step;
use crate::types::{AppendCommand, Code, StatusKind, StatusResponse};

/// Adds a message to a mailbox.
///
/// A message in memory is checked before anything is sent. One that is streamed ([`Self::streamed`]) is asked
/// for by items: answer each [`WantContent`] with [`Self::push`]. What was announced must be pushed: there is
/// no other way out of the command but to [`abort`](Client::abort) the session.
#[derive(Debug)]
pub struct Append {
    append: AppendCommand,
    octets: u64,
    /// What was pushed and not written.
    chunks: VecDeque<Bytes>,
    /// Octets that were pushed.
    pushed: u64,
    streams: bool,
    /// Whether an item asks already.
    asked: bool,
    /// Whether the server waits for the message.
    wanted: bool,
    id: Option<CommandId>,
}

/// A wish for content: answer it with [`Append::push`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WantContent {
    /// Octets of the message that were pushed so far.
    pub offset: u64,
    /// Octets that are still to come.
    pub left: u64,
}

/// A message is in the mailbox.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Appended {
    /// UIDVALIDITY of the mailbox and the UID of the message, if the server says them.
    pub uid: Option<(UidValidity, Uid)>,
    /// What the server said.
    pub status: StatusResponse,
}

/// Why a message was not added.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The command could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The content cannot be sent. If the message was streamed the session is closed, since nothing else ends
    /// the command without adding it.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The server said NO or BAD; with TRYCREATE the mailbox does not exist.
    #[error("the server refused the message: {}", .0.text.escape_ascii())]
    Refused(StatusResponse),
    /// The session is over.
    #[error("{0}")]
    Closed(Closed),
}

impl Append {
    /// A message in memory.
    #[must_use]
    pub fn new(append: AppendCommand, message: impl Into<Bytes>) -> Self {
        let message = message.into();
        let octets = message.len() as u64;
        let chunks = VecDeque::from([message]);
        let (asked, wanted) = (false, false);
        Self { append, octets, chunks, pushed: octets, streams: false, asked, wanted, id: None }
    }

    /// A message of exactly so many `octets`, which the task asks for.
    #[must_use]
    pub const fn streamed(append: AppendCommand, octets: u64) -> Self {
        let chunks = VecDeque::new();
        let (asked, wanted) = (false, false);
        Self { append, octets, chunks, pushed: 0, streams: true, asked, wanted, id: None }
    }

    /// Adds octets to the message.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if there are more than were announced; none is taken then.
    pub fn push(&mut self, octets: impl Into<Bytes>) -> Result<(), Misuse> {
        let octets = octets.into();
        let pushed = self.pushed.saturating_add(octets.len() as u64);
        if pushed > self.octets {
            return Err(Misuse::TooLarge);
        }
        self.pushed = pushed;
        if !octets.is_empty() {
            self.chunks.push_back(octets);
        }
        self.asked = false;
        Ok(())
    }

    /// Writes what there is and room for.
    fn write(&mut self, client: &mut Client) -> Result<(), ContentError> {
        while let Some(chunk) = self.chunks.front_mut() {
            if chunk.is_empty() {
                self.chunks.pop_front();
                continue;
            }
            let taken = client.content(chunk)?;
            if taken == 0 {
                break;
            }
            chunk.advance(taken);
        }
        Ok(())
    }

    fn completed(&self, status: StatusResponse) -> Result<Appended, AppendError> {
        if status.kind != StatusKind::Ok {
            return Err(AppendError::Refused(status));
        }
        let uid = match &status.code {
            Some(Code::AppendUid { uid_validity, uids }) => {
                uids.first().map(|range| (*uid_validity, range.first()))
            }
            _ => None,
        };
        Ok(Appended { uid, status })
    }
}

impl Task<Client> for Append {
    type Item = WantContent;
    type Output = Appended;
    type Error = AppendError;

    fn start(&mut self, client: &mut Client) -> Result<(), AppendError> {
        for chunk in &self.chunks {
            if let Some(offset) = memchr::memchr(0, chunk) {
                return Err(ContentError::Nul { offset }.into());
            }
        }
        self.id = Some(client.append(self.append.clone(), self.octets)?);
        Ok(())
    }

    fn ready(&mut self, client: &mut Client) -> Step<Self> {
        if !self.wanted || client.content_wanted() == 0 {
            return Progress::Continue;
        }
        if let Err(error) = self.write(client) {
            client.abort();
            return Progress::Done(Err(error.into()));
        }
        let left = self.octets - self.pushed;
        if !self.streams || !self.chunks.is_empty() || left == 0 || self.asked {
            return Progress::Continue;
        }
        self.asked = true;
        Progress::Item(WantContent { offset: self.pushed, left })
    }

    fn handle(&mut self, client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::ContentWanted { id, .. } if Some(id) == self.id => {
                self.wanted = true;
                self.ready(client)
            }
            Event::Completed { id, status } if Some(id) == self.id => Progress::Done(self.completed(status)),
            Event::Closed(reason) => Progress::Done(Err(AppendError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
