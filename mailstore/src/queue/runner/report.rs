//! Reports to senders: RFC 3461 §5.2 and §6, RFC 3464. One for each message and event, on all its recipients.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{ForwardPath, Mailbox, UnixTime};
use mailwright_smtp::dsn::{Action, Address, Letter, Original, Recipient as Reported, Report, Writer};
use mailwright_smtp::types::EnhancedCode;

use super::Runner;
use super::question::QueueEvent;
use super::save::Told;
use crate::account::{Upload as _, Uploaded, WriteError};
use crate::directory::Unresolved;
use crate::engine::{Blobs, Engine, ReadError};
use crate::queue::message::{Envelope, Outbound, Recipient, Target, status};
use crate::queue::operator::MessageReader;
use crate::queue::row::{EnvelopeRow, RecipientRow};
use crate::queue::schedule::later;
use crate::queue::{EntryId, QueueId};

/// Octets of a message that are read at a time.
const READ: u64 = 64 * 1024;

impl<E: Engine + Blobs, R> Runner<E, R> {
    /// The reports on what happened to recipients of a message, and what the host is told of them: the loss
    /// of one that no sender is told of among it.
    pub(super) async fn reports(
        &self,
        message: QueueId,
        envelope: &EnvelopeRow,
        told: &[(u32, RecipientRow, Told)],
        now: UnixTime,
    ) -> Result<(Vec<Outbound>, Vec<QueueEvent>), WriteError> {
        let mut by_action: BTreeMap<Action, Vec<&(u32, RecipientRow, Told)>> = BTreeMap::new();
        let mut events = Vec::new();
        let lost = |(number, row, what): &(u32, RecipientRow, Told)| {
            what.is_failure().then(|| QueueEvent::Lost {
                id: EntryId { message, recipient: *number },
                recipient: row.recipient.address.clone(),
                failure: row.failure.clone(),
            })
        };
        for one in told {
            let (_, row, what) = one;
            let is_report = matches!(row.recipient.target, Target::Report(_));
            match what.action(row.recipient.notify) {
                // A report that could not be made is none to report on.
                Some(action) if !is_report || matches!(what, Told::Asked(_)) => {
                    by_action.entry(action).or_default().push(one);
                }
                _ => events.extend(lost(one)),
            }
        }
        let mut reports = Vec::new();
        for (action, told) in by_action {
            let entropy = self.store.core.entropy.next();
            let sender = &envelope.envelope.sender;
            // RFC 3461 §5.2, RFC 5321 §4.5.5: never a report on mail with the null sender.
            let letter = Letter::new(sender, &self.config.host, now, entropy).zip(sender.mailbox());
            let recipients = match &letter {
                Some((_, sender)) => self.way_back(sender).await?,
                None => Vec::new(),
            };
            match letter {
                Some((letter, sender)) if !recipients.is_empty() => {
                    reports.push(self.report(envelope, action, &told, &letter, recipients).await?);
                    events.push(QueueEvent::Reported { message, action, to: sender.clone() });
                }
                _ => events.extend(told.into_iter().filter_map(lost)),
            }
        }
        Ok((reports, events))
    }

    /// Where a report to a sender goes; nowhere if the sender is a user that does not exist.
    async fn way_back(&self, sender: &Mailbox) -> Result<Vec<Recipient>, WriteError> {
        let to = |address: Mailbox, target| {
            let mut recipient = Recipient::new(address);
            // RFC 3461 §6.1: a report on a report is not asked for.
            recipient.notify = Some(mailwright_smtp::types::Notify::NEVER);
            recipient.target = target;
            recipient
        };
        match self.directory.resolve(&ForwardPath::Mailbox(sender.clone())).await {
            Ok(resolved) => {
                let local = resolved.local.into_iter();
                let local = local.map(|target| to(target.address, Target::Account(target.account)));
                let external = resolved.external.into_iter().map(|address| to(address, Target::Remote));
                Ok(local.chain(external).collect())
            }
            Err(Unresolved::NotLocal) => Ok(Vec::from([to(sender.clone(), Target::Remote)])),
            Err(Unresolved::Read(error)) => Err(error.into()),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// One report as a message to be queued.
    async fn report(
        &self,
        row: &EnvelopeRow,
        action: Action,
        told: &[&(u32, RecipientRow, Told)],
        letter: &Letter,
        recipients: Vec<Recipient>,
    ) -> Result<Outbound, WriteError> {
        let mut all = told.iter().map(|(_, recipient, what)| self.reported(row, action, recipient, *what));
        let mut report = match all.next() {
            Some(first) => Report::new(self.config.reporting_mta.clone(), first),
            // There is a recipient, or there would be no action.
            None => return Err(WriteError::Busy),
        };
        all.for_each(|recipient| report.push(recipient));
        report.envelope_id.clone_from(&row.envelope.envelope_id);
        report.arrival = Some(row.created);
        let mut original = Original::default();
        original.ret = row.envelope.ret;
        original.size = Some(row.size.saturating_add(row.prefix.len() as u64));
        original.eight_bit = row.envelope.eight_bit;
        original.smtp_utf8 = row.envelope.smtp_utf8;
        original.require_tls = row.envelope.require_tls;
        let travels = letter.envelope(&report, &original);
        let mut envelope = Envelope::new(travels.sender);
        // RFC 8689 §5
        envelope.require_tls = travels.require_tls;
        envelope.smtp_utf8 = travels.smtp_utf8;
        envelope.eight_bit = travels.eight_bit;
        let uploaded = self.write(&report, letter, &original, row).await?;
        let mut outbound = Outbound::new(envelope, uploaded, Bytes::new());
        outbound.recipients = recipients.into_iter().map(|recipient| (0, recipient)).collect();
        Ok(outbound)
    }

    /// What a report says of one recipient.
    fn reported(&self, row: &EnvelopeRow, action: Action, recipient: &RecipientRow, what: Told) -> Reported {
        let known = &recipient.recipient;
        let failure = recipient.failure.as_ref();
        let status = what.status(failure.map(|failure| failure.status));
        let mut reported = Reported::new(Address::from(&known.address), action, status);
        reported.original = known.original.as_ref().and_then(|original| Address::try_from(original).ok());
        let succeeded = matches!(what, Told::Asked(action) if action != Action::Failed);
        if let Some(failure) = failure.filter(|_| !succeeded) {
            reported.last_attempt = Some(failure.at);
            reported.reason = Some(failure.reason.clone()).filter(|reason| !reason.as_str().is_empty());
            if let (Some(remote), Some(diagnostic)) = (&failure.remote, &failure.diagnostic) {
                reported = reported.with_remote(remote.clone(), diagnostic.clone());
            }
        }
        let lifetime = self.config.machine.schedule.lifetime();
        reported.with_retry_until(later(row.created, lifetime))
    }

    /// Stores a report.
    async fn write(
        &self,
        report: &Report,
        letter: &Letter,
        original: &Original,
        row: &EnvelopeRow,
    ) -> Result<Uploaded, WriteError> {
        let mut upload = self.store.upload(None).await?;
        let mut out = BytesMut::new();
        let mut writer = Writer::start(report, letter, original, &mut out);
        let content = MessageReader::new(alloc::sync::Arc::clone(&self.store.core), row);
        let mut at = 0;
        while writer.wants_original() {
            let chunk = match content.read(at..at + READ).await {
                Ok(chunk) => chunk,
                // What cannot be returned is not: the rest of the report matters more.
                Err(ReadError::Gone | ReadError::Corrupt { .. }) => Bytes::new(),
                Err(error) => return Err(error.into()),
            };
            if chunk.is_empty() {
                break;
            }
            at += chunk.len() as u64;
            writer.original(&chunk, &mut out);
            upload.write(out.split().freeze()).await?;
        }
        writer.finish(&mut out);
        upload.write(out.freeze()).await?;
        upload.finish().await
    }
}

impl Told {
    /// The status of a report; `known` is that of the last failure.
    fn status(self, known: Option<EnhancedCode>) -> EnhancedCode {
        match self {
            Self::Relayed => status(2, 1, 9),
            Self::Asked(Action::Delivered | Action::Expanded | Action::Relayed) => status(2, 1, 5),
            // RFC 3463 §3.5: X.4.7, delivery time expired.
            Self::Expired => status(4, 4, 7),
            Self::Delayed => known.filter(|known| known.class() == 4).unwrap_or(status(4, 4, 7)),
            Self::Failed | Self::Asked(_) => known.unwrap_or(status(5, 0, 0)),
        }
    }
}
