//! What a server tells and asks its host ([`Event`]), the answers, and [`Closed`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use mailwright_core::session::{LayerError, TlsInfo};
use mailwright_core::value::Deviation;
use mailwright_sasl::{Ask, Identity};

use super::maildrop::{Deletions, Maildrop};
use super::question::{AuthenticateToken, CommitToken, OpenToken, RetrieveToken};
use crate::parse::CommandError;
use crate::types::MessageNumber;

/// What a server tells its host. Events with a token are questions: nothing goes on before
/// [`Server::answer`](super::Server::answer). All others may be ignored.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// TLS is in force, after STLS or from the start. What was said before is forgotten.
    Secured(Box<TlsInfo>),
    /// Are these credentials good? From USER and PASS, or from a SASL exchange.
    Authenticate {
        /// To answer with.
        token: AuthenticateToken,
        /// The question.
        ask: Ask,
    },
    /// The credentials are good: lock the maildrop and take its snapshot (RFC 1939 §4).
    Open {
        /// To answer with.
        token: OpenToken,
        /// Whose maildrop: that of `identity.authorization`.
        identity: Identity,
        /// Whether the client has said UTF8 (RFC 6856 §2.1), so that messages may have UTF-8 in their header.
        utf8: bool,
    },
    /// Send a message: [`content`](super::Server::content) until all is taken, then
    /// [`finish`](super::Server::finish).
    Retrieve {
        /// To send with.
        token: RetrieveToken,
        /// Which message.
        number: MessageNumber,
        /// How much of it will be sent.
        part: Part,
    },
    /// There is room for more content, after `content` had taken less than all.
    Room,
    /// The client has said QUIT: remove these messages (RFC 1939 §6). Not asked if none is marked.
    Commit {
        /// To answer with.
        token: CommitToken,
        /// Which messages.
        deleted: Deletions,
    },
    /// The maildrop is no longer needed: unlock it. Exactly once for each [`Opening::Opened`] that was
    /// accepted, whatever ended the session.
    Release,
    /// A login failed, for a host that counts.
    LoginFailed {
        /// How many in this session.
        failures: u32,
    },
    /// A command was refused because it was wrong.
    Rejected(CommandError),
    /// A departure from the RFC was tolerated.
    Deviation(Deviation),
    /// The last event.
    Closed(Closed),
}

/// How much of a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RETR and TOP")]
pub enum Part {
    /// All of it.
    Whole,
    /// Its header and this many lines of its body. The session does the counting; a host may use it to
    /// read less.
    Top(u64),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The client said QUIT.
    #[error("the client quit")]
    Quit,
    /// The client closed the connection.
    #[error("the client closed the connection")]
    EndOfInput,
    /// No complete command before the login deadline.
    #[error("no login in time")]
    LoginDeadline,
    /// No complete command for too long after login.
    #[error("autologout")]
    Autologout,
    /// The client does not read what it asked for.
    #[error("the client does not read")]
    StalledOutput,
    /// Too many wrong commands.
    #[error("too many errors")]
    TooManyErrors,
    /// Too many failed logins.
    #[error("too many failed logins")]
    TooManyFailures,
    /// Too many messages that had vanished from the store.
    #[error("too many messages have vanished")]
    TooManyMissing,
    /// A line above the limit.
    #[error("overlong line")]
    Overlong,
    /// The client speaks HTTP.
    #[error("the client speaks HTTP")]
    Http,
    /// Octets behind STLS, under [`EarlyOctets::Refuse`](super::EarlyOctets::Refuse).
    #[error("octets behind STLS")]
    EarlyOctets,
    /// TLS failed.
    #[error("{0}")]
    Layer(LayerError),
    /// The host could not send the rest of a message.
    #[error("the rest of a message is unavailable")]
    ContentFailed,
    /// The host ended the session.
    #[error("ended by the host")]
    Aborted,
}

/// The answer to [`Event::Open`]. No code that depends on the account is given before this.
#[derive(Clone)]
#[non_exhaustive]
pub enum Opening {
    /// Locked; here is the snapshot.
    Opened(Arc<dyn Maildrop>),
    /// Another session has the lock: `[IN-USE]`.
    InUse,
    /// The user has logged in too recently: `[LOGIN-DELAY]`.
    LoginDelay,
    /// The maildrop cannot be opened: `[SYS/TEMP]` or `[SYS/PERM]`.
    Unavailable(Severity),
    /// This user has no access by POP3: `[AUTH]`.
    Denied,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened(_) => "Opened(…)",
            Self::InUse => "InUse",
            Self::LoginDelay => "LoginDelay",
            Self::Unavailable(Severity::Temporary) => "Unavailable(Temporary)",
            Self::Unavailable(Severity::Permanent) => "Unavailable(Permanent)",
            Self::Denied => "Denied",
        })
    }
}

/// The answer to [`Event::Commit`]: what the store has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "all, some or none")]
pub enum Commit {
    /// Every marked message is gone for good; those that were gone already count as removed.
    All,
    /// Some are gone.
    Some(Severity),
    /// None is gone.
    None(Severity),
}

/// Whether it is worth trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 3206 §4 has these two")]
pub enum Severity {
    /// Yes: `[SYS/TEMP]`.
    Temporary,
    /// Not before a person has looked at it: `[SYS/PERM]`.
    Permanent,
}

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unavailable {
    /// It is gone from the store: `[SYS/PERM]`.
    Vanished,
    /// It cannot be read now: `[SYS/TEMP]`.
    Temporary,
}

/// What a session did with a chunk of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "more, or no more")]
pub enum Intake {
    /// It took this many octets. If that is less than all, wait for [`Event::Room`] and go on behind them.
    Taken(usize),
    /// The client has all it asked for: read no further. The reply is complete and the token spent.
    Enough,
}
