//! Work of several commands, written once for every runtime. A connection runs a task
//! (`connection.run(Select::new(inbox))`), or steps through it for its items.
//!
//! A server speaks of the mailbox at any time (EXISTS, EXPUNGE, flags). What no task has asked for goes back
//! to the host as an event of its own.

mod append;
mod ask;
mod compress;
mod copy;
mod expunge;
mod fetch;
mod idle;
mod list;
mod login;
mod logout;
mod manage;
mod returning;
mod search;
mod select;
mod sort;
mod status;
mod store;
mod sync;

use alloc::collections::VecDeque;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;

pub use self::append::{Append, AppendError, AppendPart, Appended, WantContent};
pub use self::ask::{
    Acl, Enable, FoundMetadata, Id, IdFields, ListRights, Metadata, MyRights, Namespace, Quota,
};
pub use self::compress::{Compress, Unauthenticate};
pub use self::copy::{Copied, Copy, Move};
pub use self::expunge::{Expunge, Gone};
pub use self::fetch::{Fetch, MessageData};
pub use self::idle::{Idle, News};
pub use self::list::List;
pub use self::login::{LoggedIn, Login, LoginError};
pub use self::logout::Logout;
pub use self::manage::Manage;
pub use self::returning::Returning;
pub use self::search::Search;
pub use self::select::{MailboxFacts, Select, SinceKnown};
pub use self::sort::{Sort, Thread};
pub use self::status::Status;
pub use self::store::{Store, Stored};
pub use self::sync::{Change, Checkpoint, NewMessage, Picture, Sync, SyncError, Synced, Way};
use super::{Client, Closed, CommandId, SendError};
use crate::types::{Command, Messages, StatusKind, StatusResponse};

/// Why a task failed. The session can be used further, unless it is [`TaskError::Closed`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// A command could not be sent, for example because something else is in flight.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The server said NO or BAD.
    #[error("the server refused: {}", .0.text.escape_ascii())]
    Refused(StatusResponse),
    /// The server said NO or BAD to a part of a long set, after it had copied or moved the parts before, or to the removal
    /// of what it had copied.
    #[error("the server refused a part: {}", .status.text.escape_ascii())]
    Partly {
        /// What it said about the parts before.
        copied: Copied,
        /// What it said then.
        status: StatusResponse,
    },
    /// The server found more than the task holds.
    #[error("more results than the limit of {limit}")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The session is over.
    #[error("{0}")]
    Closed(Closed),
}

impl From<Misuse> for TaskError {
    fn from(misuse: Misuse) -> Self {
        Self::Send(misuse.into())
    }
}

/// A step of a task that may go on or end.
type Step<T> = Progress<T, Client>;

/// Ends a task with its error, or goes on.
fn proceed<T>(result: Result<(), <T as Task<Client>>::Error>) -> Step<T>
where
    T: Task<Client>,
{
    match result {
        Ok(()) => Progress::Continue,
        Err(error) => Progress::Done(Err(error)),
    }
}

/// Ends a task as its only, or last, command ended.
fn conclude<T, O>(status: StatusResponse, output: impl FnOnce(StatusResponse) -> O) -> Step<T>
where
    T: Task<Client, Output = O, Error = TaskError>,
{
    Progress::Done(match status.kind {
        StatusKind::Ok => Ok(output(status)),
        _ => Err(TaskError::Refused(status)),
    })
}

/// A command for messages, as several commands if its set is long.
#[derive(Debug)]
struct Batches {
    commands: VecDeque<Command>,
    /// The one that is in flight.
    id: Option<CommandId>,
    /// Whether one is complete.
    begun: bool,
}

impl Batches {
    /// `command` is made for each part of the set.
    fn new(messages: &Messages, most: usize, command: impl Fn(Messages) -> Command) -> Self {
        let mut set = messages.set().clone();
        set.sort();
        let part = |set| if messages.is_uid() { Messages::Uids(set) } else { Messages::Numbers(set) };
        Self {
            commands: set.split(most).into_iter().map(part).map(command).collect(),
            id: None,
            begun: false,
        }
    }

    /// Sends the next command, if there is one.
    fn next(&mut self, client: &mut Client) -> Result<bool, SendError> {
        self.id = None;
        let Some(command) = self.commands.front() else { return Ok(false) };
        self.id = Some(client.command(command.clone())?);
        self.commands.pop_front();
        Ok(true)
    }

    fn is(&self, id: CommandId) -> bool {
        self.id == Some(id)
    }

    /// Whether a part is done.
    const fn is_begun(&self) -> bool {
        self.begun
    }

    /// A command is complete: the next one is sent, or the task ends.
    fn completed<T, O>(
        &mut self,
        client: &mut Client,
        status: StatusResponse,
        output: impl FnOnce(StatusResponse) -> O,
    ) -> Step<T>
    where
        T: Task<Client, Output = O, Error = TaskError>,
    {
        if status.kind == StatusKind::Ok {
            self.begun = true;
            match self.next(client) {
                Ok(true) => return Progress::Continue,
                Ok(false) => {}
                Err(error) => return Progress::Done(Err(error.into())),
            }
        }
        conclude(status, output)
    }
}
