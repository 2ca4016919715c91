//! Attempts: from the moment that one is due to what became of it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;

use super::local::Rows;
use super::question::{Attempted, Job, QueueEvent, RouteQuestion, Routing, Said, Work};
use super::save::Told;
use super::{Runner, in_words};
use crate::engine::{Blobs, Engine, ReadError};
use crate::queue::EntryId;
use crate::queue::machine::{Attempt, AttemptId, Connection, Outcome};
use crate::queue::message::{Failure, status};
use crate::queue::operator::MessageReader;
use crate::queue::row::EnvelopeRow;

/// Octets of a message in which its header is looked for.
const HEADER: usize = 64 * 1024;

fn header_is_over(head: &[u8]) -> bool {
    head.starts_with(b"\r\n") || head.windows(4).any(|octets| octets == b"\r\n\r\n")
}

/// RFC 8689 §3: one field `TLS-Required: No`; more than one must not be, so they do not count.
fn tls_is_not_required(head: &[u8]) -> bool {
    let lines = head.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (mut found, mut says_no, mut in_field) = (0, false, false);
    for line in lines {
        match line.first() {
            None => break,
            Some(b' ' | b'\t') => {
                // A value that goes on in the next line.
                let more = line.trim_ascii();
                says_no = match (in_field, says_no) {
                    (true, false) => more.eq_ignore_ascii_case(b"no"),
                    (true, true) => more.is_empty(),
                    (false, says_no) => says_no,
                };
            }
            Some(_) => {
                let field =
                    line.iter().position(|octet| *octet == b':').and_then(|at| line.split_at_checked(at));
                in_field = field
                    .is_some_and(|(name, _)| name.trim_ascii_end().eq_ignore_ascii_case(b"tls-required"));
                if let Some((_, value)) = field.filter(|_| in_field) {
                    found += 1;
                    says_no = value.get(1..).unwrap_or_default().trim_ascii().eq_ignore_ascii_case(b"no");
                }
            }
        }
    }
    found == 1 && says_no
}

/// What became of one recipient, and why.
enum End {
    Delivered { failure: Failure, reply: mailwright_smtp::types::Reply, dsn: bool },
    Deferred(Failure, Option<UnixTime>),
    Failed(Failure),
}

impl<E: Engine + Blobs, R> Runner<E, R> {
    /// An attempt may start once its next one is durable.
    pub(super) async fn begin(&mut self, saved: bool, now: UnixTime) {
        let Some(attempt) = self.starting.clone() else { return };
        if !saved {
            self.starting = None;
            self.abandon(attempt.id, now);
            return;
        }
        if attempt.destination.is_empty() {
            self.deliver_here(&attempt, now).await;
            self.starting = None;
            return;
        }
        let rows = self.rows(attempt.message).await;
        self.starting = None;
        let Some((envelope, attempt)) = self.still_there(attempt, rows, now) else { return };
        let asked = envelope.envelope.require_tls;
        self.work.push_back(Work::Route(RouteQuestion {
            attempt: attempt.id,
            destination: Arc::clone(&attempt.destination),
            // RFC 8689 §5: a report is not discarded where the next host does not know REQUIRETLS.
            require_tls: asked && envelope.envelope.sender.mailbox().is_some(),
            // RFC 8689 §4.1: the header field counts only for messages without REQUIRETLS.
            tls_not_required: !asked && self.says_tls_not_required(&envelope).await,
        }));
        self.attempts.insert(attempt.id, attempt);
    }

    /// Whether the header of the message has the field that asks for policies about TLS to be passed over.
    async fn says_tls_not_required(&self, envelope: &EnvelopeRow) -> bool {
        let reader = MessageReader::new(Arc::clone(&self.store.core), envelope);
        let mut head = Vec::new();
        while head.len() < HEADER && !header_is_over(&head) {
            let at = head.len() as u64;
            match reader.read(at..at.saturating_add(HEADER as u64)).await {
                Ok(octets) if !octets.is_empty() => head.extend_from_slice(&octets),
                // What cannot be read is not sent either.
                _ => break,
            }
        }
        tls_is_not_required(&head)
    }

    /// An attempt for those of its recipients that are in the queue: an operator may have removed some.
    pub(super) fn still_there(
        &mut self,
        mut attempt: Attempt,
        rows: Result<Option<Rows>, ReadError>,
        now: UnixTime,
    ) -> Option<(EnvelopeRow, Attempt)> {
        let (envelope, rows) = match rows {
            Ok(rows) => rows.map_or((None, BTreeMap::new()), |(envelope, rows)| (Some(envelope), rows)),
            Err(error) => {
                self.tell(QueueEvent::NotRead { message: attempt.message, error });
                self.abandon(attempt.id, now);
                return None;
            }
        };
        let (there, gone): (Vec<u32>, Vec<u32>) =
            attempt.recipients.iter().partition(|number| rows.contains_key(number));
        attempt.recipients = there;
        self.forget(attempt.id, &gone, now);
        match envelope {
            Some(envelope) if !attempt.recipients.is_empty() => Some((envelope, attempt)),
            _ => {
                self.machine.finished(attempt.id, Connection::Untried, &[], now);
                None
            }
        }
    }

    /// Recipients that are not in the queue any more are done with.
    fn forget(&mut self, attempt: AttemptId, gone: &[u32], now: UnixTime) {
        let outcomes: Vec<_> = gone.iter().map(|number| (*number, Outcome::Delivered)).collect();
        self.machine.decided(attempt, &outcomes, now);
    }

    pub(super) fn abandon(&mut self, attempt: AttemptId, now: UnixTime) {
        let message = self.attempts.remove(&attempt).map(|attempt| attempt.message);
        self.machine.abandoned(attempt, now);
        self.collect();
        message.into_iter().for_each(|message| self.release(message));
    }

    /// Answers [`Work::Route`].
    pub fn routed(&mut self, attempt: AttemptId, routing: Routing<R>, now: UnixTime) {
        let Some(started) = self.attempts.get(&attempt).cloned() else { return };
        match routing {
            Routing::Found(route) => self.found.push_back((attempt, route)),
            Routing::Temporary { not_before, status, reason } => {
                let failure = Failure::new(now, status, &in_words("No route", &reason));
                self.all(&started, Connection::Failed, &End::Deferred(failure, not_before), now);
            }
            Routing::Permanent { status, reason } => {
                let failure = Failure::new(now, status, &in_words("No route", &reason));
                self.all(&started, Connection::Untried, &End::Failed(failure), now);
            }
        }
    }

    /// Asks for the deliveries whose way was found.
    pub(super) async fn hand_over(&mut self, now: UnixTime) {
        while let Some((id, _)) = self.found.front() {
            let started = self.attempts.get(id).cloned();
            let rows = match &started {
                Some(started) => self.rows(started.message).await,
                None => Ok(None),
            };
            let (Some((id, route)), Some(started)) = (self.found.pop_front(), started) else { continue };
            let known = rows.as_ref().ok().and_then(Option::as_ref).map(|(_, rows)| rows.clone());
            let Some((envelope, started)) = self.still_there(started, rows, now) else {
                self.attempts.remove(&id);
                continue;
            };
            let mut known = known.unwrap_or_default();
            let recipients = started.recipients.iter().filter_map(|number| known.remove(number));
            self.work.push_back(Work::Deliver(Job {
                attempt: id,
                destination: Arc::clone(&started.destination),
                route,
                message: started.message,
                content: MessageReader::new(Arc::clone(&self.store.core), &envelope),
                envelope: envelope.envelope,
                recipients: recipients.map(|row| row.recipient).collect(),
            }));
            self.attempts.insert(id, started);
        }
    }

    /// Answers [`Work::Deliver`]. What it says is durable once [`Self::poll`] says to wait.
    pub fn finished(&mut self, attempt: AttemptId, attempted: Attempted, now: UnixTime) {
        let Some(started) = self.attempts.get(&attempt).cloned() else { return };
        match attempted {
            Attempted::Answered { remote, dsn, said } => {
                let connection = match said.iter().all(|said| *said == Said::Unanswered) {
                    true => Connection::Failed,
                    false => Connection::Worked,
                };
                let gone =
                    |at| Failure::new(at, status(4, 4, 2), "The connection ended before an answer came");
                let ends = started.recipients.iter().zip(said).map(|(number, said)| {
                    let end = match said {
                        Said::Accepted(reply) => {
                            End::Delivered { failure: Failure::said(now, remote.clone(), &reply), reply, dsn }
                        }
                        Said::Transient(reply) => {
                            End::Deferred(Failure::said(now, remote.clone(), &reply), None)
                        }
                        Said::Permanent(reply) => End::Failed(Failure::said(now, remote.clone(), &reply)),
                        Said::Impossible { status, reason } => {
                            End::Failed(Failure::new(now, status, &reason))
                        }
                        Said::Unanswered => End::Deferred(gone(now), None),
                    };
                    (*number, end)
                });
                let ends: BTreeMap<u32, End> = ends.collect();
                if connection == Connection::Failed {
                    self.remember(&started.destination, gone(now));
                }
                self.end(&started, connection, ends, now);
            }
            Attempted::Unreachable { remote, reason } => {
                let mut failure = Failure::new(now, status(4, 4, 1), &in_words("No connection", &reason));
                failure.remote = remote;
                self.all(&started, Connection::Failed, &End::Deferred(failure, None), now);
            }
            Attempted::TlsFailed { remote, reason } => {
                let mut failure =
                    Failure::new(now, status(4, 7, 5), &in_words("No secure connection", &reason));
                failure.remote = remote;
                self.all(&started, Connection::Failed, &End::Deferred(failure, None), now);
            }
            Attempted::Impossible { status, reason } => {
                let failure = Failure::new(now, status, &reason);
                self.all(&started, Connection::Worked, &End::Failed(failure), now);
            }
            Attempted::Untried => {
                self.abandon(attempt, now);
            }
        }
    }

    /// The same became of all recipients.
    fn all(&mut self, attempt: &Attempt, connection: Connection, end: &End, now: UnixTime) {
        let each = || match end {
            End::Deferred(failure, not_before) => End::Deferred(failure.clone(), *not_before),
            End::Failed(failure) => End::Failed(failure.clone()),
            End::Delivered { failure, reply, dsn } => {
                End::Delivered { failure: failure.clone(), reply: reply.clone(), dsn: *dsn }
            }
        };
        if let (Connection::Failed, End::Deferred(failure, _)) = (connection, end) {
            self.remember(&attempt.destination, failure.clone());
        }
        let ends = attempt.recipients.iter().map(|number| (*number, each())).collect();
        self.end(attempt, connection, ends, now);
    }

    fn end(&mut self, attempt: &Attempt, connection: Connection, ends: BTreeMap<u32, End>, now: UnixTime) {
        self.attempts.remove(&attempt.id);
        if connection == Connection::Worked {
            self.failures.remove(&attempt.destination);
        }
        let mut outcomes = Vec::with_capacity(ends.len());
        for (number, end) in ends {
            let id = EntryId { message: attempt.message, recipient: number };
            let (outcome, failure) = match end {
                End::Delivered { failure, reply, dsn } => {
                    if !dsn {
                        self.unsaved(id).told(number, Told::Relayed);
                    }
                    self.tell(QueueEvent::Delivered { id, reply: Some(reply) });
                    (Outcome::Delivered, failure)
                }
                End::Deferred(failure, not_before) => {
                    self.tell(QueueEvent::Deferred { id, failure: failure.clone() });
                    (Outcome::Deferred(not_before), failure)
                }
                End::Failed(failure) => (Outcome::Failed, failure),
            };
            self.unsaved(id).failed(number, failure);
            outcomes.push((number, outcome));
        }
        self.machine.finished(attempt.id, connection, &outcomes, now);
        self.collect();
        self.release(attempt.message);
    }
}

#[cfg(test)]
mod tests {
    use super::{header_is_over, tls_is_not_required};

    #[test]
    fn one_field_in_the_header_counts() {
        for (head, expected) in [
            ("TLS-Required: No\r\n\r\n", true),
            ("A: b\r\ntls-required :no \r\nC: d\r\n\r\nx", true),
            ("TLS-Required:\r\n No\r\n\r\n", true),
            ("TLS-Required: Yes\r\n\r\n", false),
            ("TLS-Required: No\r\n way\r\n\r\n", false),
            ("TLS-Required: No\r\nTLS-Required: No\r\n\r\n", false),
            ("A: b\r\n TLS-Required: No\r\n\r\n", false),
            ("A: b\r\n\r\nTLS-Required: No\r\n", false),
            ("X-TLS-Required: No\r\n\r\n", false),
            ("", false),
        ] {
            assert_eq!(tls_is_not_required(head.as_bytes()), expected, "{head:?}");
        }
        assert!(header_is_over(b"A: b\r\n\r\n") && header_is_over(b"\r\n") && !header_is_over(b"A: b\r\n"));
    }
}
