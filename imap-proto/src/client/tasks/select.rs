//! [`Select`]: opens a mailbox and gathers what the server says about it. RFC 9051 §6.3.2, §6.3.3.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{Flag, Uid, UidValidity};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{Code, Command, Mailbox, Response, SelectCommand, StatusKind, StatusResponse};

/// Opens a mailbox: SELECT, or EXAMINE to change nothing in it.
#[derive(Debug)]
pub struct Select {
    mailbox: Mailbox,
    examine: bool,
    id: Option<CommandId>,
    facts: MailboxFacts,
}

/// What a server says about a mailbox that it opens. What it did not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailboxFacts {
    /// How many messages there are.
    pub exists: Option<u32>,
    /// How many of them have `\Recent`.
    pub recent: Option<u32>,
    /// Flags that messages may have.
    pub flags: Vec<Flag>,
    /// Those that can be changed for good; `None`: all of them.
    pub permanent_flags: Option<Vec<Flag>>,
    /// Whether new keywords can be made.
    pub new_keywords: bool,
    /// With another value, UIDs from before are worth nothing.
    pub uid_validity: Option<UidValidity>,
    /// The UID that the next message gets at least.
    pub uid_next: Option<Uid>,
    /// Whether UIDs do not outlive the session (RFC 4315 §3).
    pub uids_not_sticky: bool,
    /// Whether nothing can be changed.
    pub read_only: bool,
}

impl Select {
    /// SELECT.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>) -> Self {
        Self { mailbox: mailbox.into(), examine: false, id: None, facts: MailboxFacts::default() }
    }

    /// EXAMINE.
    #[must_use]
    pub fn examine(mailbox: impl Into<Mailbox>) -> Self {
        Self { examine: true, ..Self::new(mailbox) }
    }

    /// `false` if it is not about the mailbox.
    fn code(&mut self, code: &Code) -> bool {
        let facts = &mut self.facts;
        match code {
            // RFC 7162 §3.2.11: what came before was about the mailbox that was open.
            Code::Closed => *facts = MailboxFacts::default(),
            Code::PermanentFlags { flags, new_keywords, .. } => {
                facts.permanent_flags = Some(flags.clone());
                facts.new_keywords = *new_keywords;
            }
            Code::UidValidity(value) => facts.uid_validity = Some(*value),
            Code::UidNext(uid) => facts.uid_next = Some(*uid),
            Code::UidNotSticky => facts.uids_not_sticky = true,
            Code::ReadOnly => facts.read_only = true,
            Code::ReadWrite => facts.read_only = false,
            Code::Unseen(_) => {}
            _ => return false,
        }
        true
    }

    /// `false` if it is not about the mailbox.
    fn fact(&mut self, response: &Response) -> bool {
        match response {
            Response::Exists(number) => self.facts.exists = Some(*number),
            Response::Recent(number) => self.facts.recent = Some(*number),
            Response::Flags { flags, .. } => self.facts.flags.clone_from(flags),
            Response::Status {
                status: StatusResponse { kind: StatusKind::Ok, code: Some(code), .. },
                ..
            } => {
                return self.code(code);
            }
            _ => return false,
        }
        true
    }
}

impl Task<Client> for Select {
    type Item = core::convert::Infallible;
    type Output = MailboxFacts;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let mailbox = self.mailbox.clone();
        let mailbox = SelectCommand::new(mailbox);
        let command = if self.examine { Command::Examine(mailbox) } else { Command::Select(mailbox) };
        self.facts.read_only = self.examine;
        self.id = Some(client.command(command)?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Response { response, .. } if self.fact(&response) => Progress::Continue,
            Event::Completed { id, status } if Some(id) == self.id => {
                if let Some(code) = &status.code {
                    self.code(code);
                }
                let facts = core::mem::take(&mut self.facts);
                conclude(status, |_| facts)
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
