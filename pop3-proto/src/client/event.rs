//! What a client tells its host: [`Event`], the values of replies, and [`Closed`].

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::session::{LayerError, TlsInfo};
use mailwright_core::value::{Deviation, Excerpt};
use mailwright_core::wire::ContentReport;
use mailwright_sasl::ClientError;

use crate::parse::{Entry, EntryError, ReplyError};
use crate::types::{Capabilities, Reply, Text};

/// Names a command; the events of its reply carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(super) u64);

/// What a client tells its host.
///
/// The reply to a command is one [`Event::Reply`]. If that is `+OK` to a command with more lines
/// ([`Value::Multiline`]), those follow as [`Event::Listed`] or [`Event::Content`], then [`Event::End`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The server has greeted: commands may be sent.
    Greeting(Reply),
    /// The status line that answers a command.
    Reply {
        /// Which command.
        id: CommandId,
        /// Status, code and text.
        reply: Reply,
        /// What the text means for this command.
        value: Value,
    },
    /// A line of LIST, UIDL or LANG. A bad one costs nothing but itself.
    Listed {
        /// Which command.
        id: CommandId,
        /// What it says.
        entry: Result<Entry, EntryError>,
    },
    /// A piece of a message, without the dots of the transfer.
    Content {
        /// Which command.
        id: CommandId,
        /// Octets of the message, never empty.
        chunk: Bytes,
    },
    /// A reply of several lines is complete.
    End {
        /// Which command.
        id: CommandId,
        /// What it amounted to.
        summary: Summary,
    },
    /// TLS is in force. Capabilities from before are forgotten: ask again.
    Secured(Box<TlsInfo>),
    /// A departure from the RFC was tolerated.
    Deviation(Deviation),
    /// The last event.
    Closed(Closed),
}

/// What a status line means for its command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing more than its status says.
    None,
    /// STAT.
    Stat {
        /// How many messages; a hint.
        messages: u32,
        /// How many octets; a hint.
        octets: u64,
    },
    /// LIST or UIDL of one message, or the language that LANG has chosen.
    Entry(Box<Entry>),
    /// `+OK`, but what should follow it does not.
    Unreadable(EntryError),
    /// More lines follow, until [`Event::End`].
    Multiline,
    /// An exchange that the client cancelled, which is why the server says `-ERR`.
    Cancelled(ClientError),
    /// An exchange that failed, and why the server says it did: the JSON of OAUTHBEARER and XOAUTH2.
    Explained(Text),
    /// QUIT.
    Quit(QuitOutcome),
}

/// What a reply of several lines amounted to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Summary {
    /// CAPA: what [`Client::capabilities`](super::Client::capabilities) says from now on.
    Capabilities(Capabilities),
    /// LIST, UIDL or LANG.
    Listing {
        /// Lines, bad ones included.
        lines: u64,
    },
    /// RETR or TOP.
    Content(ContentReport),
}

/// What became of the messages that were marked as deleted (RFC 1939 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "+OK, -ERR, or no reply")]
pub enum QuitOutcome {
    /// They are removed. Only now may a caller forget them.
    Committed,
    /// The server says that some may remain.
    Failed,
    /// Nobody knows: there was no reply.
    Unknown,
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// After QUIT, with or without its reply.
    #[error("quit, {}", match .0 {
        QuitOutcome::Committed => "marked messages removed",
        QuitOutcome::Failed => "marked messages may remain",
        QuitOutcome::Unknown => "without a reply",
    })]
    Quit(QuitOutcome),
    /// The greeting was `-ERR`.
    #[error("the server refused the connection: {}", .0.text)]
    Refused(Reply),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    EndOfInput,
    /// The server closed the connection inside a listing or a message, which is not complete.
    #[error("the connection ended inside a reply, which is truncated")]
    Truncated,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// A line that must be a status line and is none.
    #[error("{0}")]
    BadReply(ReplyError),
    /// Octets that answer no command.
    #[error("the server sent what nobody asked for: {0}")]
    Unexpected(Excerpt),
    /// A listing of more lines than the limit.
    #[error("a listing with too many lines")]
    TooManyLines,
    /// A message of more octets than the limit.
    #[error("a message with too many octets")]
    TooMuchContent,
    /// Octets behind the reply to STLS, which nobody can vouch for.
    #[error("plaintext behind the reply to STLS")]
    EarlyOctets,
    /// TLS failed.
    #[error("{0}")]
    Layer(LayerError),
    /// The server claims success of an exchange that it has not completed.
    #[error("the server reports a login that it cannot have made: {0}")]
    NotProven(ClientError),
    /// The host ended the session; nothing is deleted.
    #[error("ended by the host")]
    Aborted,
}
