//! What became of a delivery: [`Delivery`], its [`Row`]s, and [`DeliverError`].

use alloc::vec::Vec;

use mailwright_core::value::{ForwardPath, Misuse};

use crate::client::{Awaited, Closed, Verdict};
use crate::content::ContentError;
use crate::types::{EnhancedCode, Reply};

/// What became of a message: a row for each recipient, in the order they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// One for each recipient.
    pub rows: Vec<Row>,
    /// Why the session ended on the way, if it did.
    pub closed: Option<Closed>,
    /// Whether the server announced DSN: then the requests of the sender went on to it, and reports on the
    /// recipients that it accepted are its business. Else [`Event::Relayed`](crate::dsn::Event::Relayed) says what is
    /// due.
    pub dsn: bool,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The recipient.
    pub recipient: ForwardPath,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of the message for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server is responsible for it now.
    Accepted(Reply),
    /// Refused now: try again later.
    Transient {
        /// The command whose reply it was: MAIL, RCPT, DATA, a chunk, or the content.
        at: Awaited,
        /// The reply.
        reply: Reply,
    },
    /// Refused for good: tell the sender.
    Permanent {
        /// The command whose reply it was: MAIL, RCPT, DATA, a chunk, or the content.
        at: Awaited,
        /// The reply.
        reply: Reply,
    },
    /// Not sent: the server lacks an extension that this address or its options need, or its line would be too long.
    NotTried(Misuse),
    /// Not sent: the server takes no more transactions or domains in this session (MAILMAX, RCPTDOMAINMAX, RFC 9422). Use
    /// another session.
    Postponed,
    /// The session ended before the server said what becomes of it; see [`Delivery::closed`]. Try again later; if the
    /// content was complete ([`Awaited::Message`]), the message may arrive twice then.
    Unanswered,
}

impl Delivery {
    /// Whether every recipient was accepted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.rows.iter().all(|row| row.outcome.is_accepted())
    }

    /// The rows that may succeed later.
    pub fn transient(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.outcome.is_transient())
    }

    /// The rows that will not.
    pub fn permanent(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.outcome.is_permanent())
    }
}

impl Row {
    /// Why it will never succeed, for a report: the server's enhanced code, or that of RFC 3463 for what was not tried.
    /// `None` if it was accepted or may succeed later, or if the server gave no code.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedCode> {
        let misuse = match &self.outcome {
            Outcome::Permanent { reply, .. } => return reply.enhanced(),
            Outcome::NotTried(misuse) => *misuse,
            _ => return None,
        };
        Some(if misuse == Misuse::TooLarge {
            // RFC 3463 §3.2: no address that can be written.
            EnhancedCode::constant(5, 1, 3)
        } else if self.recipient.mailbox().is_some_and(|mailbox| !mailbox.is_ascii()) {
            // RFC 6531 §3.5
            EnhancedCode::constant(5, 6, 7)
        } else {
            // RFC 3463 §3.4: the server is not capable of it.
            EnhancedCode::constant(5, 3, 3)
        })
    }
}

impl Outcome {
    /// Whether the server took it.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// Whether it may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::Postponed | Self::Unanswered)
    }

    /// Whether it will not succeed on this server.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent { .. } | Self::NotTried(_))
    }

    /// The server's reply.
    #[must_use]
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Accepted(reply) | Self::Transient { reply, .. } | Self::Permanent { reply, .. } => {
                Some(reply)
            }
            Self::NotTried(_) | Self::Postponed | Self::Unanswered => None,
        }
    }

    pub(super) fn by_severity(at: Awaited, reply: Reply) -> Self {
        if reply.is_positive() && at == Awaited::Message {
            Self::Accepted(reply)
        } else if reply.is_permanent() {
            Self::Permanent { at, reply }
        } else {
            Self::Transient { at, reply }
        }
    }

    /// The outcome of a refused RCPT.
    pub(super) fn by_verdict(verdict: Verdict, reply: Reply) -> Self {
        let at = Awaited::Rcpt;
        match verdict {
            Verdict::Permanent => Self::Permanent { at, reply },
            Verdict::Transient | Verdict::Accepted => Self::Transient { at, reply },
        }
    }
}

/// Why a message was not delivered to anybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliverError {
    /// The session takes no message now.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// Nobody to deliver to.
    #[error("a delivery needs a recipient")]
    NoRecipients,
    /// Larger than the server announces to take (RFC 1870 §6.1). Nothing was sent.
    #[error("the message has {size} octets, the server takes {limit}")]
    TooLarge {
        /// Octets of the message.
        size: u64,
        /// Octets that the server takes.
        limit: u64,
    },
    /// 8-bit content, and the server does not announce 8BITMIME (RFC 6152 §3). Nothing was sent: convert the
    /// message to quoted-printable or base64.
    #[error("the message has 8-bit content, and the server does not announce 8BITMIME: convert it")]
    EightBit,
    /// BODY=BINARYMIME, and the server does not announce BINARYMIME and CHUNKING (RFC 3030 §3). Nothing was sent: convert
    /// the message to quoted-printable or base64.
    #[error("the message is binary, and the server does not announce BINARYMIME: convert it")]
    Binary,
    /// REQUIRETLS, and the server does not announce it (RFC 8689 §4.2.1). Nothing was sent: try another host of the domain.
    #[error("the message requires TLS, and the server does not announce REQUIRETLS")]
    RequireTls,
    /// REQUIRETLS, and the session has no TLS (RFC 8689 §4.2.1). Nothing was sent: try another host of the domain.
    #[error("the message requires TLS, and the session has none")]
    NoTls,
    /// What was asked for beside cannot be asked of this server: a deadline behind which the message is returned, or its
    /// release in the future. Nothing was sent.
    #[error("the server does not announce what the message asks for")]
    Request,
    /// The server takes no further transaction in this session (MAILMAX, RFC 9422). Nothing was sent: use another one.
    #[error("the server takes no further message in this session")]
    SessionLimit,
    /// The sender or the header is beyond ASCII, and the server does not announce SMTPUTF8 (RFC 6531 §3.1).
    /// Nothing was sent.
    #[error("the message is internationalised, and the server does not announce SMTPUTF8")]
    SmtpUtf8,
    /// The content may not be sent. Of a message in memory nothing was sent; a streamed one was broken off,
    /// and the session is closed.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The reused connection had gone stale: nothing happened, deliver again on a new one.
    #[error("{0}")]
    Stale(Closed),
}

impl DeliverError {
    /// The enhanced code for a report, if the message can never go to such a server; `None` if it is to be tried again.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedCode> {
        let (subject, detail) = match self {
            // RFC 3463 §3.4
            Self::TooLarge { .. } => (3, 4),
            Self::Request => (3, 3),
            // RFC 3463 §3.7
            Self::EightBit | Self::Binary => (6, 3),
            Self::Content(_) => (6, 0),
            // RFC 6531 §3.5
            Self::SmtpUtf8 => (6, 7),
            // RFC 8689 §4.2.1
            Self::RequireTls => (7, 30),
            Self::NoTls => (7, 10),
            Self::Misuse(_) | Self::NoRecipients | Self::Stale(_) | Self::SessionLimit => return None,
        };
        Some(EnhancedCode::constant(5, subject, detail))
    }
}
