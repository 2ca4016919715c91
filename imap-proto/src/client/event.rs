//! What a client tells its host: [`Event`] and [`Closed`].

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::session::{LayerError, TlsInfo};
use mailwright_core::value::{Deviation, Excerpt, ModSeq, Uid, UidRange};
use mailwright_sasl::ClientError;

use super::Feature;
use crate::parse::{BodyItem, InvalidResponse};
use crate::types::{
    Command, ExtendedSearch, FetchItem, Response, SearchData, SearchElement, SearchList, StatusResponse,
    ThreadMember,
};
use crate::wire::FramingError;

/// Names a command; its events carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(super) u64);

/// What a client tells its host.
///
/// A server may say anything at any time, so data is never tied to a command for certain: `during` is the
/// oldest command in flight that such data answers, or else the oldest of all; a hint. Each command ends with
/// one [`Event::Completed`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The server has greeted: commands may be sent. With `PREAUTH` the log-in is made already.
    Greeting(StatusResponse),
    /// TLS is in force. Capabilities from before are forgotten.
    Secured(Box<TlsInfo>),
    /// DEFLATE is in force, after COMPRESS.
    Compressed,
    /// DEFLATE is gone, after UNAUTHENTICATE.
    Uncompressed,
    /// Any response that is complete in itself: what SELECT, LIST, STATUS and others answer, news of the
    /// mailbox, untagged statuses. Never a completion, and never what comes in pieces: FETCH, SEARCH, SORT, THREAD,
    /// VANISHED, ESEARCH, however long they are.
    Response {
        /// What the server said.
        response: Response,
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// A FETCH begins. [`Event::FetchItem`] and bodies follow in any order, then [`Event::FetchEnd`]; nothing
    /// else comes between.
    FetchBegin {
        /// Which message, by number.
        number: u32,
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// The same of a message that is named by its UID.
    UidFetchBegin {
        /// Which message, by UID.
        uid: Uid,
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// An item. Of bodies only those that are NIL.
    FetchItem(FetchItem),
    /// A body begins.
    BodyBegin {
        /// What of the message it is.
        item: BodyItem,
        /// Its octets, as they were announced.
        length: u64,
    },
    /// Octets of the body, never none.
    BodyChunk(Bytes),
    /// The body is complete.
    BodyEnd,
    /// The FETCH is complete.
    FetchEnd,
    /// A SEARCH begins. [`Event::SearchNumber`] follows for each number, then [`Event::SearchEnd`].
    SearchBegin {
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// The same of SORT: numbers come in the order that was asked for.
    SortBegin {
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// A number of it, or a UID.
    SearchNumber(u32),
    /// The highest modification sequence of its messages (RFC 7162 §3.1.5).
    SearchModSeq(ModSeq),
    /// The SEARCH or SORT is complete.
    SearchEnd,
    /// A THREAD begins. [`Event::ThreadMember`] follows for each message, then [`Event::ThreadEnd`].
    ThreadBegin {
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// A message of it, behind what it answers.
    ThreadMember(ThreadMember),
    /// The THREAD is complete.
    ThreadEnd,
    /// A VANISHED begins: messages are gone (RFC 7162 §3.2.10). [`Event::Vanished`] follows for each range of UIDs, then
    /// [`Event::VanishedEnd`].
    VanishedBegin {
        /// `(EARLIER)`: they were gone before, and message numbers do not change by this.
        earlier: bool,
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// UIDs of it.
    Vanished(UidRange),
    /// The VANISHED is complete.
    VanishedEnd,
    /// An ESEARCH begins: what it is about, without data (RFC 9051 §7.3.5). [`Event::SearchData`] and lists follow, then
    /// [`Event::ExtendedSearchEnd`]; a [`SearchCollector`](crate::types::SearchCollector) puts them together.
    ExtendedSearchBegin {
        /// What it is about.
        search: Box<ExtendedSearch>,
        /// What it may belong to.
        during: Option<CommandId>,
    },
    /// Something that it tells and that is complete in itself, or is unknown, or cannot be read. What cannot be read
    /// may be an element of the list that has begun, which goes on behind it.
    SearchData(SearchData),
    /// A list begins: [`Event::SearchElement`] follows for each of its elements.
    SearchList(SearchList),
    /// An element of it.
    SearchElement(SearchElement),
    /// The ESEARCH is complete.
    ExtendedSearchEnd,
    /// The server waits for a message of APPEND or REPLACE, or for a part of one: give it to
    /// [`Client::content`](super::Client::content).
    ContentWanted {
        /// Which command.
        id: CommandId,
        /// Octets of the message, or of the part.
        octets: u64,
    },
    /// The server is in IDLE and tells what changes, until [`Client::done`](super::Client::done).
    Idling {
        /// Which command.
        id: CommandId,
    },
    /// The client has cancelled an exchange; the server completes it with NO or BAD.
    Cancelled {
        /// Which command.
        id: CommandId,
        /// Why.
        error: ClientError,
    },
    /// The server refuses something that it announces, or answers it with nothing. Remembered for the connection:
    /// see [`Client::without_broken`](super::Client::without_broken). The command is complete right behind this.
    Broken {
        /// Which command.
        id: CommandId,
        /// What the server is taken not to have.
        feature: Feature,
        /// The command without it, for another try.
        retry: Option<Box<Command>>,
    },
    /// A command is complete: OK, NO or BAD.
    Completed {
        /// Which command.
        id: CommandId,
        /// How it ended.
        status: StatusResponse,
    },
    /// Something that cannot be read was skipped. Between the begin and the end of a response that comes in
    /// pieces: a part of that.
    Invalid(InvalidResponse),
    /// A departure from the RFC in the event that follows was tolerated.
    Deviation(Deviation),
    /// The last event.
    Closed(Closed),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// After LOGOUT.
    #[error("logged out")]
    Logout,
    /// The greeting was BYE.
    #[error("the server refused the connection: {}", .0.text.escape_ascii())]
    Refused(StatusResponse),
    /// The greeting was PREAUTH where TLS is wanted, which is then not possible any more. Whoever sent it may
    /// be an attacker.
    #[error("the server takes the log-in as made before TLS")]
    PreAuth,
    /// The server said BYE.
    #[error("the server ends the session: {}", .0.text.escape_ascii())]
    Bye(StatusResponse),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    EndOfInput,
    /// The server closed the connection inside a response.
    #[error("the connection ended inside a response, which is truncated")]
    Truncated,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// What must be a greeting is none.
    #[error("not a greeting: {0}")]
    BadGreeting(Excerpt),
    /// It is not known where the next response begins.
    #[error("{0}")]
    Framing(FramingError),
    /// A completion with a tag of no command that is in flight.
    #[error("a completion of a command that was not sent: {0}")]
    UnknownTag(Excerpt),
    /// OK to a command that was not written completely.
    #[error("the server completes a command before it has come")]
    Premature,
    /// A challenge behind the end of the exchange.
    #[error("a challenge in an exchange that was cancelled")]
    UnexpectedChallenge,
    /// Octets behind the agreement to TLS, which nobody can vouch for.
    #[error("plaintext behind the reply to STARTTLS")]
    EarlyOctets,
    /// TLS failed.
    #[error("{0}")]
    Layer(LayerError),
    /// The server claims success of an exchange that it has not completed.
    #[error("the server reports a login that it cannot have made: {0}")]
    NotProven(ClientError),
    /// The host ended the session.
    #[error("ended by the host")]
    Aborted,
}
