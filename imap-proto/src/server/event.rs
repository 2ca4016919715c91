//! What a server tells and asks its host ([`Event`]), the answers, and [`Closed`].

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::session::{LayerError, TlsInfo};
use mailwright_core::value::{Deviation, Flag, Uid, UidRange, UidSet, UidValidity};
use mailwright_sasl::{Ask, Identity};

use super::question::{
    AppendToken, AppendedToken, AuthenticateToken, ChangeToken, CopyToken, ExpungeToken, FetchToken,
    ListToken, LoadToken, RefreshToken, SearchToken, SelectToken, StatusToken, StoreToken,
};
use crate::parse::CommandError;
use crate::types::{
    AppendCommand, Code, FetchAttribute, ListCommand, ListResponse, Mailbox, OctetString, Search, StatusItem,
    StoreAction,
};

/// What a server tells its host. Events with a token are questions: nothing goes on before the answer. All
/// others may be ignored.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// TLS is in force, after STARTTLS or from the start. What was said before is forgotten.
    Secured(Box<TlsInfo>),
    /// Are these credentials good? From LOGIN, or from a SASL exchange.
    Authenticate {
        /// To answer with a [`mailwright_sasl::Answer`].
        token: AuthenticateToken,
        /// The question.
        ask: Ask,
    },
    /// The client is logged in.
    Authenticated(Identity),
    /// A log-in failed, for a host that counts.
    LoginFailed {
        /// How many in this session.
        failures: u32,
    },
    /// SELECT or EXAMINE: open a mailbox. Whatever was open before is closed already.
    Select {
        /// To answer with the opened mailbox, or a [`Refusal`].
        token: SelectToken,
        /// Which.
        mailbox: Mailbox,
        /// Whether nothing is to be changed: EXAMINE.
        examine: bool,
    },
    /// The messages of a mailbox that was opened by its [summary](super::Contents::Summary) are needed now.
    Load {
        /// To answer with [`Loaded`](super::Loaded), or a [`Refusal`] of the command that needs them.
        token: LoadToken,
    },
    /// The mailbox is no longer selected: pins and leases can go.
    Deselected,
    /// NOOP, CHECK, and the start of IDLE: hand over the latest state of the selected mailbox, if it changed.
    Refresh {
        /// To answer with nothing.
        token: RefreshToken,
    },
    /// IDLE begins or ends: while it lasts, every [`Server::update`](super::Server::update) is told at once.
    Idle(bool),
    /// A change of the set of mailboxes.
    Change {
        /// To answer with success or a [`Refusal`].
        token: ChangeToken,
        /// What.
        change: MailboxChange,
    },
    /// LIST or LSUB: the mailboxes that match.
    List {
        /// To answer with the mailboxes, or a [`Refusal`].
        token: ListToken,
        /// Which.
        list: ListCommand,
        /// Whether subscribed names are meant: LSUB.
        subscribed: bool,
    },
    /// STATUS.
    Status {
        /// To answer with a value for each item, in order, or a [`Refusal`].
        token: StatusToken,
        /// Of which mailbox.
        mailbox: Mailbox,
        /// What.
        items: Vec<StatusItem>,
    },
    /// APPEND: shall the message come?
    Append {
        /// To answer with success, or a [`Refusal`]; [`Code::TryCreate`] if the mailbox could be made first.
        token: AppendToken,
        /// Where to, with which flags and date.
        append: AppendCommand,
        /// How many octets it will have.
        octets: u64,
    },
    /// The next octets of the message.
    Content(Bytes),
    /// The message is complete: store it.
    Appended {
        /// To answer with where it is, or a [`Refusal`].
        token: AppendedToken,
    },
    /// The message so far is void; drop it.
    Aborted,
    /// EXPUNGE, UID EXPUNGE, CLOSE: remove messages that have `\Deleted`. Then hand over the new state, and
    /// answer.
    Expunge {
        /// To answer with success or a [`Refusal`].
        token: ExpungeToken,
        /// Only these; `None` for all.
        uids: Option<UidSet>,
    },
    /// SEARCH. Message numbers and `\Recent` are translated already: only UIDs occur.
    Search {
        /// To answer with the UIDs that were found, or a [`Refusal`].
        token: SearchToken,
        /// CHARSET, if it was given: [`Code::BadCharset`] if it is not known.
        charset: Option<OctetString>,
        /// What is looked for.
        search: Search,
    },
    /// STORE. Hand over the new state, and answer.
    Store {
        /// To answer with success or a [`Refusal`].
        token: StoreToken,
        /// Of which messages.
        uids: UidSet,
        /// What happens to the flags.
        action: StoreAction,
        /// Which flags.
        flags: Vec<Flag>,
    },
    /// COPY or MOVE. After MOVE hand over the new state, and answer.
    Copy {
        /// To answer with [`Copied`] or a [`Refusal`].
        token: CopyToken,
        /// Which messages.
        uids: UidSet,
        /// Where to.
        mailbox: Mailbox,
        /// Whether they disappear here: MOVE.
        remove: bool,
    },
    /// FETCH of something that the session does not know itself, of one message. If `set_seen`, set `\Seen`
    /// and hand over the new state first. Then tell each attribute, in any order, by
    /// [`fetch_item`](super::Server::fetch_item) or [`begin_section`](super::Server::begin_section), and
    /// [`finish`](super::Server::finish).
    Fetch {
        /// To tell with.
        token: FetchToken,
        /// Of which message.
        uid: Uid,
        /// What.
        attributes: Vec<FetchAttribute>,
        /// Whether `\Seen` is to be set; it is not yet.
        set_seen: bool,
    },
    /// There is room for more content, after `content` had taken less than all.
    Room,
    /// ID: what the client says of itself.
    Id(Vec<(OctetString, Option<OctetString>)>),
    /// A command was refused because it was wrong.
    Rejected(CommandError),
    /// A departure from the RFC was tolerated.
    Deviation(Deviation),
    /// The last event.
    Closed(Closed),
}

/// A change of the set of mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailboxChange {
    /// CREATE.
    Create(Mailbox),
    /// DELETE.
    Delete(Mailbox),
    /// RENAME.
    Rename {
        /// The present name.
        from: Mailbox,
        /// The new one.
        to: Mailbox,
    },
    /// SUBSCRIBE.
    Subscribe(Mailbox),
    /// UNSUBSCRIBE.
    Unsubscribe(Mailbox),
}

/// The host does not do it: NO.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// A code that tells programs why.
    pub code: Option<Code>,
    /// A text that tells people why.
    pub text: Cow<'static, str>,
}

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(code: impl Into<Option<Code>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}

/// Where a message was stored: APPENDUID (RFC 4315 §3). `None` where the user may not know.
pub type Stored = Option<(UidValidity, Uid)>;

/// What was copied or moved: COPYUID (RFC 4315 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// UIDVALIDITY of the destination.
    pub uid_validity: UidValidity,
    /// UIDs here.
    pub source: Vec<UidRange>,
    /// UIDs there, in the same order; empty if nothing was copied.
    pub destination: Vec<UidRange>,
}

impl Copied {
    /// Pairs of UIDs, here and there, in the order in which they were copied.
    #[must_use]
    pub fn new(uid_validity: UidValidity, pairs: impl IntoIterator<Item = (Uid, Uid)>) -> Self {
        let (mut source, mut destination) = (Vec::new(), Vec::new());
        for (from, to) in pairs {
            extend(&mut source, from);
            extend(&mut destination, to);
        }
        Self { uid_validity, source, destination }
    }
}

/// Adds a UID to ranges that keep their order.
fn extend(ranges: &mut Vec<UidRange>, uid: Uid) {
    match ranges.last_mut() {
        Some(range) if range.last().get().checked_add(1) == Some(uid.get()) => {
            *range = UidRange::new(range.first(), uid);
        }
        _ => ranges.push(UidRange::from(uid)),
    }
}

/// Mailboxes for [`Event::List`].
pub type Listed = Vec<ListResponse>;

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The client said LOGOUT.
    #[error("the client logged out")]
    Logout,
    /// The client closed the connection.
    #[error("the client closed the connection")]
    EndOfInput,
    /// No good log-in before the deadline.
    #[error("no login in time")]
    LoginDeadline,
    /// No command for too long.
    #[error("autologout")]
    Autologout,
    /// A command or literal came below the minimum rate.
    #[error("the client sends too slowly")]
    TooSlow,
    /// The client does not read what it asked for.
    #[error("the client does not read")]
    StalledOutput,
    /// Too many wrong commands.
    #[error("too many errors")]
    TooManyErrors,
    /// Too many failed log-ins.
    #[error("too many failed logins")]
    TooManyFailures,
    /// Where the next command begins cannot be known.
    #[error("literal and command cannot be told apart")]
    Ambiguous,
    /// A literal too large even to be thrown away.
    #[error("literal too large")]
    LiteralTooLarge,
    /// A line too long even to be thrown away.
    #[error("line too long")]
    LineTooLong,
    /// The client speaks HTTP.
    #[error("the client speaks HTTP")]
    Http,
    /// TLS failed.
    #[error("{0}")]
    Layer(LayerError),
    /// The host loaded other messages than it had said there are.
    #[error("the numbers of messages are wrong")]
    NumbersLost,
    /// The host could not tell the rest of a message.
    #[error("the rest of a message is unavailable")]
    ContentFailed,
    /// The host shut the session down.
    #[error("shut down by the host")]
    ShutDown,
    /// The host ended the session without a word.
    #[error("ended by the host")]
    Aborted,
}

/// What a session did with a chunk of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "how much is all there is to say")]
pub struct Taken(pub usize);
