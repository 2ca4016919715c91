//! What a delivery by an SMTP client means to the queue: [`Attempted`] from the ends of the task
//! [`Deliver`](mailwright_smtp::client::Deliver).

use alloc::string::ToString as _;
use alloc::vec::Vec;

use mailwright_smtp::client::{DeliverError, Delivery, Outcome, Row};
use mailwright_smtp::dsn::MtaName;

use crate::queue::{Attempted, Said, status};

impl From<&Row> for Said {
    fn from(row: &Row) -> Self {
        match &row.outcome {
            Outcome::Accepted(reply) => Self::Accepted(reply.clone()),
            Outcome::Transient { reply, .. } => Self::Transient(reply.clone()),
            Outcome::Permanent { reply, .. } => Self::Permanent(reply.clone()),
            // What only servers with an extension may get, such as an address beyond ASCII (RFC 6531 §3.2).
            Outcome::NotTried(misuse) => Self::Impossible {
                status: row.status().unwrap_or(status(5, 0, 0)),
                reason: misuse.to_string(),
            },
            _ => Self::Unanswered,
        }
    }
}

impl Attempted {
    /// What the task [`Deliver`](mailwright_smtp::client::Deliver) of a client ended with.
    #[must_use]
    pub fn by_client(remote: Option<MtaName>, dsn: bool, delivery: &Delivery) -> Self {
        let said: Vec<Said> = delivery.rows.iter().map(Said::from).collect();
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
            // Another connection will do.
            DeliverError::Stale(_) | DeliverError::NoRecipients | DeliverError::SessionLimit => {
                return Self::Untried;
            }
            // Another host of the domain may be able to.
            DeliverError::RequireTls | DeliverError::NoTls => None,
            error => error.status(),
        };
        let Some(status) = status else {
            return Self::Unreachable { remote, reason: error.to_string() };
        };
        Self::Impossible { status, reason: error.to_string() }
    }
}
