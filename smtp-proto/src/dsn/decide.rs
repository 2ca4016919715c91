//! Decisions, as functions of data: whether an event is reported, and what of the message is returned. RFC 3461
//! §4.1, §4.3 and §5.2.

use super::report::Action;
use crate::types::{Notify, Return};

/// What happened to a message for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 3461 §5.2 has these events and no others")]
pub enum Event {
    /// A next hop took it, with its final 2yz.
    Relayed {
        /// Whether it announced DSN, so that the sender's requests travelled on and it reports from now on.
        next_hop_has_dsn: bool,
    },
    /// It is in the recipient's mailbox, or a mailing list has it.
    Delivered,
    /// The recipient stands for several addresses, and the message goes on to them.
    Expanded,
    /// It is late, by the schedule of the queue.
    Delayed,
    /// It is given up.
    Failed,
}

impl Event {
    /// What is reported to the sender who gave this NOTIFY, or none; `None` if nothing is.
    ///
    /// For a null reverse-path nothing ever is, whatever this says: see
    /// [`Letter::new`](super::Letter::new). A failure that is not reported is the postmaster's to know.
    #[must_use]
    pub fn action(self, notify: Option<Notify>) -> Option<Action> {
        let success = notify.is_some_and(Notify::success);
        let (due, action) = match self {
            // RFC 3461 §5.2.1: the requests are passed on. §5.2.2 (b): here they end.
            Self::Relayed { next_hop_has_dsn } => (success && !next_hop_has_dsn, Action::Relayed),
            // RFC 3461 §5.2.3
            Self::Delivered => (success, Action::Delivered),
            // RFC 3461 §5.2.7.3 (c)
            Self::Expanded => (success, Action::Expanded),
            // RFC 3461 §5.2.5
            Self::Delayed => (notify.is_none_or(Notify::delay), Action::Delayed),
            // RFC 3461 §5.2.6
            Self::Failed => (notify.is_none_or(Notify::failure), Action::Failed),
        };
        due.then_some(action)
    }
}

/// What is known about the message that a report is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Original {
    /// RET, if it was given.
    pub ret: Option<Return>,
    /// Its size in octets; `None` if unknown, and then it is never returned whole.
    pub size: Option<u64>,
    /// Whether it has octets ≥ 0x80.
    pub eight_bit: bool,
    /// Whether it came with SMTPUTF8: the report takes the forms of RFC 6533 then.
    pub smtp_utf8: bool,
    /// Whether it came with REQUIRETLS: only its header is returned then (RFC 8689 §5).
    pub require_tls: bool,
}

/// What of the message a report returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6522 §3 has these and no others")]
pub enum Returned {
    /// All of it.
    Message,
    /// Its header.
    Headers,
}

impl Original {
    /// The size below which a message is returned whole: 1 MiB.
    pub const FULL_LIMIT: u64 = 1 << 20;

    /// What a report of this action returns: the whole message only for a failure, if RET=FULL asks for it,
    /// below [`Self::FULL_LIMIT`], and not of a message that requires TLS.
    #[must_use]
    pub fn returned(&self, action: Action) -> Returned {
        let small = self.size.is_some_and(|size| size < Self::FULL_LIMIT);
        // RFC 3461 §4.3, §6.2; RFC 8689 §5
        if action == Action::Failed && self.ret == Some(Return::Full) && small && !self.require_tls {
            Returned::Message
        } else {
            Returned::Headers
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFY: [Option<Notify>; 9] = [
        None,
        Some(Notify::NEVER),
        Some(Notify::SUCCESS),
        Some(Notify::FAILURE),
        Some(Notify::DELAY),
        Some(Notify::SUCCESS.and(Notify::FAILURE)),
        Some(Notify::SUCCESS.and(Notify::DELAY)),
        Some(Notify::FAILURE.and(Notify::DELAY)),
        Some(Notify::SUCCESS.and(Notify::FAILURE).and(Notify::DELAY)),
    ];

    /// Each column: absent, NEVER, S, F, D, SF, SD, FD, SFD.
    #[test]
    fn the_table_of_events_and_requests_is_as_rfc_3461_has_it() {
        let rows: [(Event, &str, Action); 6] = [
            (Event::Relayed { next_hop_has_dsn: true }, "---------", Action::Relayed),
            (Event::Relayed { next_hop_has_dsn: false }, "--x--xx-x", Action::Relayed),
            (Event::Delivered, "--x--xx-x", Action::Delivered),
            (Event::Expanded, "--x--xx-x", Action::Expanded),
            (Event::Delayed, "x---x-xxx", Action::Delayed),
            (Event::Failed, "x--x-x-xx", Action::Failed),
        ];
        for (event, row, action) in rows {
            for (notify, due) in NOTIFY.into_iter().zip(row.bytes()) {
                assert_eq!(event.action(notify), (due == b'x').then_some(action), "{event:?} {notify:?}");
            }
        }
    }

    #[test]
    fn the_whole_message_is_returned_only_of_a_small_failure_that_asks_for_it() {
        let full =
            Original { ret: Some(Return::Full), size: Some(Original::FULL_LIMIT - 1), ..Original::default() };
        assert_eq!(full.returned(Action::Failed), Returned::Message);
        for action in [Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded] {
            assert_eq!(full.returned(action), Returned::Headers, "{action}");
        }
        for other in [
            Original { ret: None, ..full },
            Original { ret: Some(Return::Headers), ..full },
            Original { size: None, ..full },
            Original { size: Some(Original::FULL_LIMIT), ..full },
            Original { require_tls: true, ..full },
        ] {
            assert_eq!(other.returned(Action::Failed), Returned::Headers, "{other:?}");
        }
    }
}
