//! Rows of the queue: `O q` (envelope), `O q n` (recipient), `W due destination q n` (schedule).
//!
//! What is true of a recipient stands in `O q n`. `W` says it again in the order of time, so that starting reads
//! one small row for each.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes};
use mailwright_core::value::{ReversePath, UnixTime};
use mailwright_smtp::dsn::{Action, Diagnostic, MtaName, Text};
use mailwright_smtp::types::EnhancedCode;

use super::EntryId;
use super::machine::Entry;
use super::message::{Envelope, Failure, QueuedRecipient, Recipient, Target};
use crate::account::Uploaded;
use crate::identifier::{AccountId, BlobId};
use crate::mail::record::{Reader, Record, Write as _};

/// `O q`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EnvelopeRow {
    /// Names the commit that made it. One without recipients only keeps a late commit from being done.
    pub(super) token: [u8; 16],
    pub(super) envelope: Envelope,
    pub(super) created: UnixTime,
    /// Recipients that are left.
    pub(super) waiting: u32,
    pub(super) prefix: Bytes,
    pub(super) blob: BlobId,
    pub(super) size: u64,
    pub(super) digest: [u8; 32],
    pub(super) line_ends: u64,
    pub(super) structure: Bytes,
}

impl EnvelopeRow {
    /// The octets, for another copy.
    pub(super) fn uploaded(&self) -> Uploaded {
        Uploaded::new(self.blob.clone(), self.size, self.digest, self.line_ends, None)
            .with_structure(self.structure.clone())
    }
}

fn text<T: core::str::FromStr>(from: &mut Reader<'_>) -> Option<T> {
    from.text()?.parse().ok()
}

fn time(from: &mut Reader<'_>) -> Option<UnixTime> {
    from.i64().map(UnixTime::from_seconds)
}

fn bools<const N: usize>(from: &mut Reader<'_>) -> Option<[bool; N]> {
    let octet = from.u8()?;
    (u32::from(octet) < 1 << N).then(|| core::array::from_fn(|bit| octet & (1 << bit) != 0))
}

fn put_bools<const N: usize>(into: &mut Vec<u8>, bools: [bool; N]) {
    into.push(bools.iter().rev().fold(0, |octet, bit| (octet << 1) | u8::from(*bit)));
}

impl Record for EnvelopeRow {
    const WHAT: &'static str = "envelope";

    fn write(&self, into: &mut Vec<u8>) {
        let envelope = &self.envelope;
        into.extend_from_slice(&self.token);
        into.option(envelope.sender.mailbox(), |into, mailbox| into.octets(mailbox.to_string().as_bytes()));
        into.option(envelope.account, |into, account| into.put_u64(account.get()));
        into.option(envelope.ret, |into, ret| into.octets(ret.to_string().as_bytes()));
        into.option(envelope.envelope_id.as_ref(), |into, id| into.octets(id.as_str().as_bytes()));
        put_bools(into, [envelope.require_tls, envelope.smtp_utf8, envelope.eight_bit]);
        into.put_i64(self.created.as_seconds());
        into.put_u32(self.waiting);
        into.octets(&self.prefix);
        into.octets(self.blob.as_bytes());
        into.put_u64(self.size);
        into.extend_from_slice(&self.digest);
        into.put_u64(self.line_ends);
        into.octets(&self.structure);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let token = from.array()?;
        let sender = from.option(text)?.map_or(ReversePath::Null, ReversePath::Mailbox);
        let account = from.option(|from| from.u64().map(AccountId::new))?;
        let ret = from.option(text)?;
        let envelope_id = from.option(text)?;
        let [require_tls, smtp_utf8, eight_bit] = bools(from)?;
        Some(Self {
            token,
            envelope: Envelope { sender, account, ret, envelope_id, require_tls, smtp_utf8, eight_bit },
            created: time(from)?,
            waiting: from.u32()?,
            prefix: from.octets()?,
            blob: BlobId::new(from.octets()?)?,
            size: from.u64()?,
            digest: from.array()?,
            line_ends: from.u64()?,
            structure: from.octets()?,
        })
    }
}

/// `O q n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecipientRow {
    pub(super) recipient: Recipient,
    pub(super) due: UnixTime,
    pub(super) attempts: u32,
    pub(super) notified: bool,
    pub(super) failure: Option<Failure>,
}

impl RecipientRow {
    pub(super) const fn new(recipient: Recipient, now: UnixTime) -> Self {
        Self { recipient, due: now, attempts: 0, notified: false, failure: None }
    }

    pub(super) fn into_public(self, number: u32) -> QueuedRecipient {
        let Self { recipient, due, attempts, notified, failure } = self;
        QueuedRecipient { number, recipient, due, attempts, notified, failure }
    }

    /// What the machine is told.
    pub(super) fn entry(&self, id: EntryId, envelope: &EnvelopeRow) -> Entry {
        let null = envelope.envelope.sender.mailbox().is_none();
        let destination = self.recipient.destination();
        let mut entry = Entry::new(id, destination, envelope.envelope.share(), null, envelope.created);
        (entry.due, entry.attempts, entry.notified) = (self.due, self.attempts, self.notified);
        entry
    }
}

const ACTIONS: [Action; 5] =
    [Action::Delivered, Action::Expanded, Action::Relayed, Action::Delayed, Action::Failed];

impl Record for RecipientRow {
    const WHAT: &'static str = "recipient";

    fn write(&self, into: &mut Vec<u8>) {
        let Recipient { address, notify, original, target } = &self.recipient;
        into.octets(address.to_string().as_bytes());
        into.option(notify.as_ref(), |into, notify| into.octets(notify.to_string().as_bytes()));
        into.option(original.as_ref(), |into, original| into.octets(original.as_str().as_bytes()));
        match target {
            Target::Remote => into.push(0),
            Target::Account(account) => {
                into.push(1);
                into.put_u64(account.get());
            }
            Target::Report(action) => {
                into.push(2);
                into.octets(action.as_str().as_bytes());
            }
        }
        into.put_i64(self.due.as_seconds());
        into.put_u32(self.attempts);
        into.push(u8::from(self.notified));
        into.option(self.failure.as_ref(), |into, failure| {
            into.put_i64(failure.at.as_seconds());
            into.push(failure.status.class());
            into.put_u16(failure.status.subject());
            into.put_u16(failure.status.detail());
            into.option(failure.remote.as_ref(), |into, remote| {
                into.octets(remote.kind().as_bytes());
                into.octets(remote.name().as_bytes());
            });
            into.option(failure.diagnostic.as_ref(), |into, diagnostic| {
                into.octets(diagnostic.kind().as_bytes());
                into.octets(diagnostic.text().as_bytes());
            });
            into.octets(failure.reason.as_str().as_bytes());
        });
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let address = text(from)?;
        let notify = from.option(text)?;
        let original = from.option(text)?;
        let target = match from.u8()? {
            0 => Target::Remote,
            1 => Target::Account(AccountId::new(from.u64()?)),
            2 => {
                let word: String = from.text()?;
                Target::Report(ACTIONS.into_iter().find(|action| action.as_str() == word)?)
            }
            _ => return None,
        };
        let recipient = Recipient { address, notify, original, target };
        let (due, attempts) = (time(from)?, from.u32()?);
        let [notified] = bools(from)?;
        let failure = from.option(|from| {
            Some(Failure {
                at: time(from)?,
                status: EnhancedCode::new(from.u8()?, from.u16()?, from.u16()?).ok()?,
                remote: from.option(|from| MtaName::new(&from.text()?, &from.text()?).ok())?,
                diagnostic: from
                    .option(|from| Diagnostic::new(&from.text()?, from.text()?.as_bytes()).ok())?,
                reason: Text::new(&from.text()?),
            })
        })?;
        Some(Self { recipient, due, attempts, notified, failure })
    }
}

/// `W`, whose key has the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScheduleRow {
    pub(super) created: UnixTime,
    pub(super) attempts: u32,
    pub(super) notified: bool,
    pub(super) null_sender: bool,
    pub(super) share: u64,
}

impl ScheduleRow {
    pub(super) const fn of(entry: &Entry) -> Self {
        Self {
            created: entry.created,
            attempts: entry.attempts,
            notified: entry.notified,
            null_sender: entry.null_sender,
            share: entry.sender,
        }
    }
}

impl Record for ScheduleRow {
    const WHAT: &'static str = "schedule";

    fn write(&self, into: &mut Vec<u8>) {
        into.put_i64(self.created.as_seconds());
        into.put_u32(self.attempts);
        put_bools(into, [self.notified, self.null_sender]);
        into.put_u64(self.share);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (created, attempts) = (time(from)?, from.u32()?);
        let [notified, null_sender] = bools(from)?;
        Some(Self { created, attempts, notified, null_sender, share: from.u64()? })
    }
}
