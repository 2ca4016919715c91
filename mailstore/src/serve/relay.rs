//! What a delivery by an SMTP client means to the queue: [`Attempted`] from the ends of the task
//! [`Deliver`](mailwright_smtp::client::Deliver).

use alloc::string::ToString as _;
use alloc::vec::Vec;

use mailwright_smtp::client::{DeliverError, Delivery, Outcome};
use mailwright_smtp::dsn::MtaName;

use crate::queue::{Attempted, Said, status};

impl From<&Outcome> for Said {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted(reply) => Self::Accepted(reply.clone()),
            Outcome::Transient { reply, .. } => Self::Transient(reply.clone()),
            Outcome::Permanent { reply, .. } => Self::Permanent(reply.clone()),
            // RFC 6531 §3.2: such an address is only for servers that know SMTPUTF8.
            Outcome::NotTried(misuse) => {
                Self::Impossible { status: status(5, 6, 7), reason: misuse.to_string() }
            }
            _ => Self::Unanswered,
        }
    }
}

impl Attempted {
    /// What the task [`Deliver`](mailwright_smtp::client::Deliver) of a client ended with.
    #[must_use]
    pub fn by_client(remote: Option<MtaName>, dsn: bool, delivery: &Delivery) -> Self {
        let said: Vec<Said> = delivery.rows.iter().map(|row| Said::from(&row.outcome)).collect();
        match &delivery.closed {
            Some(closed) if said.iter().all(|said| *said == Said::Unanswered) => {
                Self::Unreachable { remote, reason: closed.to_string() }
            }
            _ => Self::Answered { remote, dsn, said },
        }
    }

    /// What the task of a client failed with before the server had the message.
    #[must_use]
    pub fn by_client_error(remote: Option<MtaName>, error: &DeliverError) -> Self {
        let status = match error {
            DeliverError::TooLarge { .. } => status(5, 3, 4),
            DeliverError::EightBit => status(5, 6, 3),
            DeliverError::SmtpUtf8 => status(5, 6, 7),
            DeliverError::Content(_) => status(5, 6, 0),
            DeliverError::Stale(_) | DeliverError::NoRecipients => return Self::Untried,
            _ => return Self::Unreachable { remote, reason: error.to_string() },
        };
        Self::Impossible { status, reason: error.to_string() }
    }
}
