//! [`Append`]: adds messages to a mailbox, from memory or as a stream, in parts, or in place of others. RFC 9051 §6.3.12,
//! RFC 4315 §3, RFC 3502, RFC 4469, RFC 8508.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::{Buf as _, Bytes};
use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{Misuse, Uid, UidRange, UidValidity};

use super::super::{Client, Closed, CommandId, Content, ContentError, ContentPart, Event, SendError};
use super::Step;
use crate::types::{
    AppendCommand, AppendMessage, Code, MessageForm, OctetString, ReplaceCommand, Response, StatusKind,
    StatusResponse,
};

/// Adds a message to a mailbox, or several ([`Self::and`]).
///
/// A message in memory is checked before anything is sent. One that is streamed ([`Self::streamed`]) is asked
/// for by items: answer each [`WantContent`] with [`Self::push`]. What was announced must be pushed: there is
/// no other way out of the command but to [`abort`](Client::abort) the session.
#[derive(Debug)]
pub struct Append {
    what: What,
    content: Content,
    more: Vec<(AppendMessage, Content)>,
    /// Octets of all messages.
    octets: u64,
    /// What was pushed and not written.
    chunks: VecDeque<Bytes>,
    /// Octets that were pushed.
    pushed: u64,
    streams: bool,
    /// Whether an item asks already.
    asked: bool,
    /// Whether no message may have NUL, so that it is looked for before anything is sent.
    text: bool,
    id: Option<CommandId>,
    /// APPENDUID, which REPLACE tells before the old message is gone.
    told: Option<Code>,
}

/// The command.
#[derive(Clone, Debug)]
enum What {
    Append(AppendCommand),
    Replace(ReplaceCommand),
}

/// A part of a message that is put together by the server (RFC 4469 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4469 §5 has these two")]
pub enum AppendPart {
    /// These octets.
    Octets(Bytes),
    /// What the server has under this URL.
    Url(OctetString),
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
    /// UIDVALIDITY of the mailbox and the UID of the message, of the first if there are several, if the server says
    /// them.
    pub uid: Option<(UidValidity, Uid)>,
    /// The UIDs of all messages, in order.
    pub uids: Vec<UidRange>,
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
        Self::in_memory(What::Append(append), message.into())
    }

    /// A message in memory that takes the place of another, which is gone when this one is there (RFC 8508 §3).
    #[must_use]
    pub fn in_place_of(replace: ReplaceCommand, message: impl Into<Bytes>) -> Self {
        Self::in_memory(What::Replace(replace), message.into())
    }

    /// A message that the server puts together. Its form is [`MessageForm::Catenate`] (RFC 4469 §3).
    #[must_use]
    pub fn parts(mut append: AppendCommand, parts: impl IntoIterator<Item = AppendPart>) -> Self {
        append.form = MessageForm::Catenate;
        let mut task = Self::in_memory(What::Append(append), Bytes::new());
        let content = parts.into_iter().map(|part| match part {
            AppendPart::Url(url) => ContentPart::Url(url),
            AppendPart::Octets(octets) => {
                task.octets += octets.len() as u64;
                let part = ContentPart::Octets(octets.len() as u64);
                task.chunks.push_back(octets);
                part
            }
        });
        task.content = Content::Parts(content.collect());
        task.pushed = task.octets;
        task
    }

    fn in_memory(what: What, message: Bytes) -> Self {
        let mut task = Self::of(what, message.len() as u64);
        task.pushed = task.octets;
        task.chunks.push_back(message);
        task
    }

    const fn of(what: What, octets: u64) -> Self {
        let form = match &what {
            What::Append(append) => append.form,
            What::Replace(replace) => replace.append.form,
        };
        Self {
            what,
            content: Content::Octets(octets),
            more: Vec::new(),
            octets,
            chunks: VecDeque::new(),
            pushed: 0,
            streams: false,
            asked: false,
            text: !matches!(form, MessageForm::Binary),
            id: None,
            told: None,
        }
    }

    /// One more message in memory: all of them are added or none (RFC 3502). The server must announce MULTIAPPEND.
    #[must_use]
    pub fn and(mut self, message: AppendMessage, octets: impl Into<Bytes>) -> Self {
        let octets = octets.into();
        self.text &= message.form != MessageForm::Binary;
        self.more.push((message, Content::Octets(octets.len() as u64)));
        self.octets += octets.len() as u64;
        self.pushed += octets.len() as u64;
        self.chunks.push_back(octets);
        self
    }

    /// A message of exactly so many `octets`, which the task asks for.
    #[must_use]
    pub const fn streamed(append: AppendCommand, octets: u64) -> Self {
        let mut task = Self::of(What::Append(append), octets);
        task.streams = true;
        task
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
            // Each literal in its turn.
            let most = usize::try_from(client.content_wanted()).unwrap_or(usize::MAX);
            let taken = match chunk.get(..most).unwrap_or(chunk) {
                [] => 0,
                octets => client.content(octets)?,
            };
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
        let code = self.told.as_ref().or(status.code.as_ref());
        let (uid, uids) = match code {
            Some(Code::AppendUid { uid_validity, uids }) => {
                (uids.first().map(|range| (*uid_validity, range.first())), uids.clone())
            }
            _ => (None, Vec::new()),
        };
        Ok(Appended { uid, uids, status })
    }
}

impl Task<Client> for Append {
    type Item = WantContent;
    type Output = Appended;
    type Error = AppendError;

    fn start(&mut self, client: &mut Client) -> Result<(), AppendError> {
        for chunk in self.chunks.iter().filter(|_| self.text) {
            if let Some(offset) = memchr::memchr(0, chunk) {
                return Err(ContentError::Nul { offset }.into());
            }
        }
        let (content, more) = (self.content.clone(), self.more.clone());
        self.id = Some(match self.what.clone() {
            What::Append(append) => client.append_messages(append, content, more)?,
            What::Replace(replace) => client.replace(replace, content)?,
        });
        Ok(())
    }

    fn ready(&mut self, client: &mut Client) -> Step<Self> {
        if client.content_wanted() == 0 {
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
            Event::ContentWanted { id, .. } if Some(id) == self.id => self.ready(client),
            // RFC 8508 §4.3: before the old message is gone.
            Event::Response { response: Response::Status { status, .. }, .. }
                if matches!(status.code, Some(Code::AppendUid { .. }))
                    && matches!(self.what, What::Replace(_)) =>
            {
                self.told = status.code;
                Progress::Continue
            }
            Event::Completed { id, status } if Some(id) == self.id => Progress::Done(self.completed(status)),
            Event::Closed(reason) => Progress::Done(Err(AppendError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
