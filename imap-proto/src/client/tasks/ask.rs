//! Tasks of one command that ask something or change something, and end with what the server said to it: NAMESPACE,
//! ID, ENABLE, QUOTA, ACL, METADATA.

use alloc::vec::Vec;

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{
    AclResponse, Capability, Code, Command, GetMetadataCommand, ListRightsResponse, Mailbox,
    MetadataResponse, Namespaces, OctetString, QuotaResource, QuotaResponse, Response, Rights,
    StatusResponse,
};

/// A task that sends one command and gathers the responses that answer it.
macro_rules! asks {
    ($(#[$doc:meta])* $name:ident: $output:ty, $gather:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            command: Command,
            id: Option<CommandId>,
            found: $output,
        }

        impl $name {
            fn asking(command: Command) -> Self {
                Self { command, id: None, found: Default::default() }
            }
        }

        impl Task<Client> for $name {
            type Item = core::convert::Infallible;
            type Output = $output;
            type Error = TaskError;

            fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
                self.id = Some(client.command(self.command.clone())?);
                Ok(())
            }

            fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
                let gather: fn(&mut $output, Response) -> Option<Response> = $gather;
                match event {
                    Event::Response { response, during } => match gather(&mut self.found, response) {
                        None => Progress::Continue,
                        Some(response) => Progress::NotMine(Event::Response { response, during }),
                    },
                    Event::Completed { id, status } if Some(id) == self.id => {
                        let found = core::mem::take(&mut self.found);
                        conclude(status, |_| found)
                    }
                    Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
                    event => Progress::NotMine(event),
                }
            }
        }
    };
}

asks! {
    /// Asks which namespaces there are (RFC 9051 §6.3.10).
    Namespace: Option<Namespaces>, |found, response| match response {
        Response::Namespace(namespaces) => {
            *found = Some(namespaces);
            None
        }
        response => Some(response),
    }
}

impl Namespace {
    /// All of them.
    #[must_use]
    pub fn new() -> Self {
        Self::asking(Command::Namespace)
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

/// Fields of ID with their values.
pub type IdFields = Vec<(OctetString, Option<OctetString>)>;

asks! {
    /// Says who the client is, and learns who the server is (RFC 2971 §3.1). Some servers want it before SELECT.
    Id: Option<IdFields>, |found, response| match response {
        Response::Id(fields) => {
            *found = Some(fields);
            None
        }
        response => Some(response),
    }
}

impl Id {
    /// With these fields, such as `name` and `version`; none says nothing.
    #[must_use]
    pub fn new(fields: IdFields) -> Self {
        Self::asking(Command::Id(fields))
    }
}

asks! {
    /// Enables capabilities (RFC 5161 §3.1), before a mailbox is selected. Ends with those that were not in force
    /// before.
    Enable: Vec<Capability>, |found, response| match response {
        Response::Enabled(capabilities) => {
            found.extend(capabilities);
            None
        }
        response => Some(response),
    }
}

impl Enable {
    /// These. Names that the server does not know do no harm.
    #[must_use]
    pub fn new(capabilities: impl IntoIterator<Item = Capability>) -> Self {
        Self::asking(Command::Enable(capabilities.into_iter().collect()))
    }
}

asks! {
    /// Asks for quotas, or sets one (RFC 9208 §4.1.1). Ends with those that the server tells.
    Quota: Vec<QuotaResponse>, |found, response| match response {
        Response::Quota(quota) => {
            found.push(quota);
            None
        }
        // Which roots a mailbox has, their quotas say.
        Response::QuotaRoot { .. } => None,
        response => Some(response),
    }
}

impl Quota {
    /// That of a quota root.
    #[must_use]
    pub fn of_root(root: OctetString) -> Self {
        Self::asking(Command::GetQuota(root))
    }

    /// Those of all quota roots of a mailbox.
    #[must_use]
    pub fn of_mailbox(mailbox: impl Into<Mailbox>) -> Self {
        Self::asking(Command::GetQuotaRoot(mailbox.into()))
    }

    /// Gives a quota root these limits and no others.
    #[must_use]
    pub fn set(root: OctetString, limits: impl IntoIterator<Item = (QuotaResource, u64)>) -> Self {
        Self::asking(Command::SetQuota { root, limits: limits.into_iter().collect() })
    }
}

asks! {
    /// Asks who has which rights on a mailbox (RFC 4314 §3.3).
    Acl: Option<AclResponse>, |found, response| match response {
        Response::Acl(acl) => {
            *found = Some(acl);
            None
        }
        response => Some(response),
    }
}

impl Acl {
    /// Those on `mailbox`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>) -> Self {
        Self::asking(Command::GetAcl(mailbox.into()))
    }
}

asks! {
    /// Asks for the rights of the user on a mailbox (RFC 4314 §3.5).
    MyRights: Option<Rights>, |found, response| match response {
        Response::MyRights { rights, .. } => {
            *found = Some(rights);
            None
        }
        response => Some(response),
    }
}

impl MyRights {
    /// Those on `mailbox`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>) -> Self {
        Self::asking(Command::MyRights(mailbox.into()))
    }
}

asks! {
    /// Asks which rights somebody can be given on a mailbox (RFC 4314 §3.4).
    ListRights: Option<ListRightsResponse>, |found, response| match response {
        Response::ListRights(rights) => {
            *found = Some(rights);
            None
        }
        response => Some(response),
    }
}

impl ListRights {
    /// Those of `identifier` on `mailbox`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, identifier: OctetString) -> Self {
        Self::asking(Command::ListRights { mailbox: mailbox.into(), identifier })
    }
}

/// Asks for annotations of a mailbox, or of the server (RFC 5464 §4.2).
#[derive(Debug)]
pub struct Metadata {
    command: GetMetadataCommand,
    id: Option<CommandId>,
    found: Vec<MetadataResponse>,
}

/// Annotations.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FoundMetadata {
    /// What the server told, in as many responses as it liked.
    pub responses: Vec<MetadataResponse>,
    /// Octets of the largest value that was left out, since it is above the size that was asked for (RFC 5464
    /// §4.2.1).
    pub left_out: Option<u64>,
}

impl Metadata {
    /// What `command` asks for.
    #[must_use]
    pub const fn new(command: GetMetadataCommand) -> Self {
        Self { command, id: None, found: Vec::new() }
    }
}

impl Task<Client> for Metadata {
    type Item = core::convert::Infallible;
    type Output = FoundMetadata;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(Command::GetMetadata(self.command.clone()))?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::Response { response: Response::Metadata(found), during } if during == self.id => {
                self.found.push(found);
                Progress::Continue
            }
            Event::Completed { id, status } if Some(id) == self.id => {
                let responses = core::mem::take(&mut self.found);
                conclude(status, |status: StatusResponse| FoundMetadata {
                    responses,
                    left_out: match status.code {
                        Some(Code::MetadataLongEntries(octets)) => Some(octets),
                        _ => None,
                    },
                })
            }
            Event::Closed(reason) => Progress::Done(Err(TaskError::Closed(reason))),
            event => Progress::NotMine(event),
        }
    }
}
