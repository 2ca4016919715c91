//! [`Select`]: opens a mailbox and gathers what the server says about it. RFC 9051 §6.3.2, §6.3.3, RFC 7162 §3.1.8,
//! §3.2.5.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{Flag, ModSeq, Uid, UidRange, UidValidity};

use super::super::{Client, CommandId, Event};
use super::{MessageData, Step, TaskError, conclude};
use crate::types::{
    Code, Command, KnownMailbox, Mailbox, ObjectId, Response, SelectCommand, StatusKind, StatusResponse,
};

/// Opens a mailbox: SELECT, or EXAMINE to change nothing in it.
///
/// Its items are what has changed since [`Self::known`]; without that there are none. [`Sync`](super::Sync) opens a
/// mailbox and does all that is needed to know it.
#[derive(Debug)]
pub struct Select {
    select: SelectCommand,
    examine: bool,
    /// Of the VANISHED that comes.
    earlier: bool,
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
    /// The modification sequence up to which everything was told (RFC 7162 §3.1.2.1). `None` also where the mailbox
    /// keeps none.
    pub highest_mod_seq: Option<ModSeq>,
    /// What names the mailbox whatever it is called (RFC 8474 §4).
    pub mailbox_id: Option<ObjectId>,
}

/// Something that has changed since the client knew the mailbox (RFC 7162 §3.2.5.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SinceKnown {
    /// Messages are gone. Nothing says that they were known.
    Vanished(UidRange),
    /// A piece of what the server tells of a message: new flags.
    Message(MessageData),
}

impl MailboxFacts {
    /// Learns from a response; `false` if it is not about the mailbox.
    pub(super) fn learn(&mut self, response: &Response) -> bool {
        match response {
            Response::Exists(number) => self.exists = Some(*number),
            Response::Recent(number) => self.recent = Some(*number),
            Response::Flags { flags, .. } => self.flags.clone_from(flags),
            Response::Status {
                status: StatusResponse { kind: StatusKind::Ok, code: Some(code), .. },
                ..
            } => {
                return self.learn_code(code);
            }
            _ => return false,
        }
        true
    }

    /// The same of a code.
    pub(super) fn learn_code(&mut self, code: &Code) -> bool {
        match code {
            // RFC 7162 §3.2.11: what came before was about the mailbox that was open.
            Code::Closed => *self = Self::default(),
            Code::PermanentFlags { flags, new_keywords, .. } => {
                self.permanent_flags = Some(flags.clone());
                self.new_keywords = *new_keywords;
            }
            Code::UidValidity(value) => self.uid_validity = Some(*value),
            Code::UidNext(uid) => self.uid_next = Some(*uid),
            Code::UidNotSticky => self.uids_not_sticky = true,
            Code::ReadOnly => self.read_only = true,
            Code::ReadWrite => self.read_only = false,
            Code::HighestModSeq(mod_seq) => {
                self.highest_mod_seq = Some(*mod_seq).filter(|mod_seq| *mod_seq > ModSeq::ZERO);
            }
            Code::NoModSeq => self.highest_mod_seq = None,
            Code::MailboxId(id) => self.mailbox_id = Some(id.clone()),
            Code::Unseen(_) => {}
            _ => return false,
        }
        true
    }
}

impl Select {
    /// SELECT.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>) -> Self {
        let (examine, facts) = (false, MailboxFacts::default());
        Self { select: SelectCommand::new(mailbox), examine, earlier: false, id: None, facts }
    }

    /// EXAMINE.
    #[must_use]
    pub fn examine(mailbox: impl Into<Mailbox>) -> Self {
        Self { examine: true, ..Self::new(mailbox) }
    }

    /// Wants modification sequences from now on (RFC 7162 §3.1.8). The server must announce CONDSTORE.
    #[must_use]
    pub const fn condstore(mut self) -> Self {
        self.select.condstore = true;
        self
    }

    /// Wants to be told what has changed since the client knew the mailbox (RFC 7162 §3.2.5). QRESYNC must be
    /// enabled.
    #[must_use]
    pub fn known(mut self, known: KnownMailbox) -> Self {
        self.select.known = Some(known);
        self
    }
}

impl Task<Client> for Select {
    type Item = SinceKnown;
    type Output = MailboxFacts;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        let select = self.select.clone();
        let command = if self.examine { Command::Examine(select) } else { Command::Select(select) };
        self.facts.read_only = self.examine;
        self.id = Some(client.command(command)?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        let event = match MessageData::of(event) {
            Ok(data) => return Progress::Item(SinceKnown::Message(data)),
            Err(event) => event,
        };
        match event {
            Event::VanishedBegin { earlier, .. } => {
                self.earlier = earlier;
                Progress::Continue
            }
            // Without EARLIER they left the mailbox that was open before.
            Event::Vanished(range) if self.earlier => Progress::Item(SinceKnown::Vanished(range)),
            Event::Vanished(_) | Event::VanishedEnd => Progress::Continue,
            Event::Response { response, .. } if self.facts.learn(&response) => Progress::Continue,
            Event::Completed { id, status } if Some(id) == self.id => {
                if let Some(code) = &status.code {
                    self.facts.learn_code(code);
                }
                let facts = core::mem::take(&mut self.facts);
                conclude(status, |_| facts)
            }
            // One for each message would fill the queue of the connection.
            Event::Deviation(_) => Progress::Continue,
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
