//! What a [`Runner`](super::Runner) asks its host, what the host answers, and what it is told.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::{Mailbox, UnixTime};
use mailwright_smtp::dsn::{Action, MtaName};
use mailwright_smtp::types::{EnhancedCode, Reply};

use crate::account::WriteError;
use crate::engine::ReadError;
use crate::queue::machine::AttemptId;
use crate::queue::message::{Envelope, Failure, Recipient};
use crate::queue::operator::MessageReader;
use crate::queue::{EntryId, QueueId};

/// What a runner wants. `R` is how the host describes a way to a destination.
#[derive(Debug)]
#[non_exhaustive]
pub enum Work<E, R> {
    /// Find a way, and answer with [`Runner::routed`](super::Runner::routed).
    Route(RouteQuestion),
    /// Deliver, and answer with [`Runner::finished`](super::Runner::finished).
    Deliver(Job<E, R>),
    /// Something to be logged.
    Event(QueueEvent),
    /// Nothing until then, or until [`Runner::woken`](super::Runner::woken); `None`: only that, or an answer.
    Wait(Option<UnixTime>),
}

/// A destination that is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteQuestion {
    /// For the answer.
    pub attempt: AttemptId,
    /// A domain in the form in which domains are compared, or an address literal.
    pub destination: Arc<str>,
    /// Whether the message may only travel over verified TLS (RFC 8689 §4.2.1). A report, whose reverse-path is empty, is not
    /// to be lost for that (§5).
    pub require_tls: bool,
    /// Whether its header says `TLS-Required: No`: policies about TLS are followed, and need not work (RFC 8689 §4.2.2).
    pub tls_not_required: bool,
}

/// A way to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Routing<R> {
    /// It is this.
    Found(R),
    /// It is not known now.
    Temporary {
        /// When it may be known at the earliest.
        not_before: Option<UnixTime>,
        /// For the report, if it stays so: 4.4.3, 4.4.1 …
        status: EnhancedCode,
        /// In words.
        reason: String,
    },
    /// There is none: no such domain (5.1.2), a null MX (5.1.10), it leads back here (5.4.6).
    Permanent {
        /// For the report.
        status: EnhancedCode,
        /// In words.
        reason: String,
    },
}

/// One message to deliver to some recipients at one destination.
#[derive(Debug)]
#[non_exhaustive]
pub struct Job<E, R> {
    /// For the answer.
    pub attempt: AttemptId,
    /// Where.
    pub destination: Arc<str>,
    /// The way that the host found.
    pub route: R,
    /// Which message.
    pub message: QueueId,
    /// Its envelope.
    pub envelope: Envelope,
    /// To whom; the answer speaks of them in this order.
    pub recipients: Vec<Recipient>,
    /// Its octets.
    pub content: MessageReader<E>,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempted {
    /// A server answered.
    Answered {
        /// Its name.
        remote: Option<MtaName>,
        /// Whether it announced DSN, so that it reports from now on.
        dsn: bool,
        /// For each recipient of the job, in order; who is missing is tried again.
        said: Vec<Said>,
    },
    /// No server could be reached, or none kept to the protocol.
    Unreachable {
        /// The one that was tried last.
        remote: Option<MtaName>,
        /// In words.
        reason: String,
    },
    /// No server could be reached over TLS as it is required.
    TlsFailed {
        /// The one that was tried last.
        remote: Option<MtaName>,
        /// In words.
        reason: String,
    },
    /// No server there can take this message: it lacks what the message needs.
    Impossible {
        /// For the report: 5.6.7 (SMTPUTF8), 5.6.3 (8BITMIME), 5.7.30 (REQUIRETLS), 5.3.4 (SIZE) …
        status: EnhancedCode,
        /// In words.
        reason: String,
    },
    /// It was not tried, for a reason that lies here. It does not count, and comes again in a minute.
    Untried,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Said {
    /// The server is responsible now.
    Accepted(Reply),
    /// Not now.
    Transient(Reply),
    /// Never.
    Permanent(Reply),
    /// It was not asked: it cannot take this address.
    Impossible {
        /// For the report.
        status: EnhancedCode,
        /// In words.
        reason: String,
    },
    /// The session ended before it answered.
    Unanswered,
}

/// Something that a host logs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum QueueEvent {
    /// A server took the message for a recipient.
    Delivered {
        /// Which.
        id: EntryId,
        /// What it said; `None` for a mailbox here.
        reply: Option<Reply>,
    },
    /// A recipient is tried again.
    Deferred {
        /// Which.
        id: EntryId,
        /// Why.
        failure: Failure,
    },
    /// A recipient failed.
    Failed {
        /// Which.
        id: EntryId,
        /// Why; `None` if it was too late for a reason that is stored.
        failure: Option<Failure>,
    },
    /// A sender is told; the report is queued.
    Reported {
        /// About which message.
        message: QueueId,
        /// What was done.
        action: Action,
        /// To whom.
        to: Mailbox,
    },
    /// A recipient failed, and nobody is told: its sender is null, cannot be reached, or did not want to be told. The
    /// postmaster should know.
    Lost {
        /// Which.
        id: EntryId,
        /// Who.
        recipient: Mailbox,
        /// Why it failed.
        failure: Option<Failure>,
    },
    /// An operator removed a recipient.
    Deleted {
        /// Which.
        id: EntryId,
        /// Why.
        why: String,
    },
    /// The store could not be written: it is tried again.
    NotWritten(WriteError),
    /// A message could not be read.
    NotRead {
        /// Which.
        message: QueueId,
        /// Why.
        error: ReadError,
    },
}
