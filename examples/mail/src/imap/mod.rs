//! Reading and keeping mail by IMAP (RFC 9051, RFC 3501): what the commands share.

pub(crate) mod append;
pub(crate) mod fetch;
pub(crate) mod flag;
pub(crate) mod folders;
pub(crate) mod list;
mod login;
pub(crate) mod remove;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod sync;
pub(crate) mod transfer;
pub(crate) mod watch;

use core::fmt::Display;
use core::time::Duration;

use bytes::BytesMut;
use mailwright_core::io::blocking::Connection;
use mailwright_core::io::{RunError, Step};
use mailwright_core::session::Task;
use mailwright_core::value::Uid;
use mailwright_imap::client::tasks::{Logout, MailboxFacts, Search, Select};
use mailwright_imap::client::{Client, Config, Event};
use mailwright_imap::types::{
    Code, FetchAttribute, Mailbox, Messages, NumberSet, Response, Search as Keys, SearchKey, Section,
    StatusResponse,
};
use mailwright_imap::{TlsMode, mailbox_name};

use crate::arguments::{FolderArguments, ServerArguments};
use crate::connect::{self, Patient};
use crate::failure::Failure;
use crate::numbers::Numbers;
use crate::server_url::{Protocol, Security};
use crate::{output, password};

/// An account that is logged in to.
#[derive(Debug)]
pub(crate) struct Account {
    connection: Connection<Patient, Client>,
}

/// How a folder is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Nothing changes by looking at it.
    Read,
    Write,
}

impl Account {
    /// Connects and logs in.
    fn open(server: &ServerArguments) -> Result<Self, Failure> {
        if server.server.protocol != Protocol::Imap {
            return Err(Failure::usage("this needs a server of imap, imaps or imap+plain"));
        }
        if server.server.user.is_none() {
            return Err(Failure::usage("a mail account has a user: SCHEME://USER@HOST"));
        }
        let credentials = password::credentials(server)?;
        let mut config = Config::default();
        config.tls = match server.server.security {
            Security::StartTls => TlsMode::StartTls,
            Security::Implicit => TlsMode::Implicit,
            Security::Plain => TlsMode::Off,
        };
        // Whoever writes `+plain` wants just that.
        config.sasl.clear_text_without_tls = server.server.security == Security::Plain;
        // The socket knows how long nothing may move; the deadlines of the session go on top.
        let least = |timeout: &mut Duration| *timeout = (*timeout).max(server.patience());
        least(&mut config.timeouts.greeting);
        least(&mut config.timeouts.command);
        least(&mut config.timeouts.long_command);
        least(&mut config.timeouts.continuation);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(Failure::failed)?;
        let socket = connect::socket(server)?;
        let connection = connect::connection(server, socket, Client::new(config, seed))?;
        let mut account = Self { connection };
        if let Some(credentials) = credentials {
            login::log_in(&mut account, credentials, server.auth)?;
        }
        tracing::info!(secure = account.connection.session().is_secure(), "logged in");
        Ok(account)
    }

    /// The same, and opens the folder.
    fn open_folder(arguments: &FolderArguments, access: Access) -> Result<(Self, MailboxFacts), Failure> {
        let mut account = Self::open(arguments)?;
        let name = mailbox(&arguments.folder);
        let select = match access {
            Access::Read => Select::examine(name),
            Access::Write => Select::new(name),
        };
        let facts = account.run(select)?;
        Ok((account, facts))
    }

    /// Ends the session. Everything was confirmed before, so nothing is lost if that fails.
    fn close(mut self) {
        if let Err(error) = self.drive(Logout::new(), |_| Ok(())) {
            tracing::debug!(?error, "no farewell");
        }
        connect::finish(self.connection);
    }

    /// Runs a task for its end.
    fn run<T>(&mut self, task: T) -> Result<T::Output, Failure>
    where
        T: Task<Client>,
        T::Error: Display,
    {
        self.drive(task, |_| Ok(()))
    }

    /// Runs a task and hands on its items.
    fn drive<T>(
        &mut self,
        task: T,
        item: impl FnMut(T::Item) -> Result<(), Failure>,
    ) -> Result<T::Output, Failure>
    where
        T: Task<Client>,
        T::Error: Display,
    {
        self.attempt(task, item)?.map_err(|error| self.connection.stream().explain(error))
    }

    /// The same with the error of the task, behind which the session may go on.
    fn attempt<T>(
        &mut self,
        task: T,
        mut item: impl FnMut(T::Item) -> Result<(), Failure>,
    ) -> Result<Result<T::Output, T::Error>, Failure>
    where
        T: Task<Client>,
        T::Error: Display,
    {
        let mut running = self.connection.begin(task);
        let result = loop {
            let step = running.step();
            while let Some(event) = running.queued_event() {
                note(event);
            }
            match step {
                Ok(Step::Item(one)) => item(one)?,
                Ok(Step::Done(output)) => break Ok(Ok(output)),
                Err(RunError::QueueFull) => {}
                Err(RunError::Task(error)) => break Ok(Err(error)),
                Err(error) => break Err(error.to_string()),
            }
        };
        result.map_err(|error| self.connection.stream().explain(error))
    }

    /// Those UIDs of the set that there are, in ascending order.
    fn existing(&mut self, uids: &Numbers) -> Result<Vec<Uid>, Failure> {
        let found = self.find(SearchKey::Uid(number_set(uids)?))?;
        // Whatever the server says, nothing happens to a message that is not meant.
        Ok(uids.of(found, |uid| uid.get()))
    }

    /// The UIDs of messages that fit one key, in ascending order.
    fn find(&mut self, key: SearchKey) -> Result<Vec<Uid>, Failure> {
        let keys = Keys::new([key]).map_err(Failure::failed)?;
        let found = self.run(Search::uids(keys))?;
        Ok(in_order(found))
    }
}

/// The UIDs that a search found, each once, in ascending order.
fn in_order(mut found: Vec<u32>) -> Vec<Uid> {
    found.sort_unstable();
    found.dedup();
    found.into_iter().filter_map(Uid::new).collect()
}

/// An event that nobody has asked for.
fn note(event: Event) {
    match event {
        Event::Response { response: Response::Status { status, .. }, .. } => alert(&status),
        Event::Deviation(deviation) => tracing::warn!(%deviation, "tolerated"),
        event => tracing::debug!(?event, "unasked"),
    }
}

/// RFC 9051 §7.1: the text of an alert must be shown.
fn alert(status: &StatusResponse) {
    if status.code == Some(Code::Alert) {
        output::complaint(&format!("the server says: {}", output::escaped(&status.text)));
    }
}

/// The folder of this name. What is against the rules for names is asked for all the same, in their encoding.
fn mailbox(name: &str) -> Mailbox {
    let mut wire = BytesMut::new();
    mailbox_name::encode(name, &mut wire);
    Mailbox::read(wire.freeze(), false)
}

/// The name of a folder as people read it.
fn folder_name(mailbox: &Mailbox) -> String {
    match mailbox {
        Mailbox::Name(name) => name.as_str().to_owned(),
        Mailbox::Other(wire) => mailbox_name::decode(wire).unwrap_or_else(|_| output::escaped(wire)),
    }
}

/// The set as IMAP has it.
fn number_set(uids: &Numbers) -> Result<NumberSet, Failure> {
    NumberSet::parse(uids.as_str().as_bytes(), usize::MAX).map_err(Failure::usage)
}

/// Exactly these UIDs, as few ranges; `None` if there are none.
fn messages(uids: &[Uid]) -> Option<Messages> {
    let set: mailwright_core::value::UidSet = uids.iter().copied().collect();
    let text = set.to_string();
    NumberSet::parse(text.as_bytes(), usize::MAX).ok().map(Messages::Uids)
}

/// All of a message, without setting `\Seen`.
fn whole() -> FetchAttribute {
    FetchAttribute::BodySection { peek: true, section: Section::whole(), partial: None }
}
