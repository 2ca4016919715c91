//! What is queued of a message: its recipients elsewhere, and reports of success that are due at once. RFC 3461
//! §5.2 (what becomes of a sender's requests), RFC 8689 §4.1.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use mailwright_core::value::{ForwardPath, Mailbox};
use mailwright_smtp::dsn::Action;
use mailwright_smtp::server::Server;
use mailwright_smtp::trace::delivered_to;
use mailwright_smtp::types::{Notify, Reply};

use super::{Accepted, Handler, Transaction};
use crate::account::Uploaded;
use crate::engine::{Blobs, Engine};
use crate::identifier::AccountId;
use crate::mail::Delivery;
use crate::queue::{Envelope, Outbound, Recipient, Target};
use crate::serve::Compute;

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    /// Adds to `delivery` what is queued with it, for the accounts `put_off` too.
    pub(super) async fn relay(
        &self,
        session: &Server,
        transaction: &Transaction<E>,
        uploaded: &Uploaded,
        received: &str,
        put_off: &BTreeSet<AccountId>,
        mut delivery: Delivery,
    ) -> Result<Delivery, Reply> {
        if !self.service.relays {
            return Ok(delivery);
        }
        let each = delivery.plans.len() > 1;
        let reports = transaction.sender.mailbox().is_some();
        // With the address that forwards to them, if one does.
        let mut recipients: Vec<(Option<&Mailbox>, usize, Recipient)> = Vec::new();
        for (index, accepted) in transaction.recipients.iter().enumerate() {
            let plan = if each { index } else { 0 };
            for recipient in queued(accepted, reports, put_off) {
                // One reply speaks for all: then nobody needs a message twice.
                let same = |(_, _, known): &(_, usize, Recipient)| match (known.target, recipient.target) {
                    (Target::Remote, Target::Remote) => known.address == recipient.address,
                    (Target::Account(known), Target::Account(account)) => known == account,
                    _ => false,
                };
                if each || !recipients.iter().any(same) {
                    let forwarder = accepted
                        .path
                        .mailbox()
                        .filter(|path| recipient.target == Target::Remote && **path != recipient.address);
                    recipients.push((forwarder, plan, recipient));
                }
            }
        }
        if recipients.is_empty() {
            return Ok(delivery);
        }
        let mut envelope = Envelope::new(transaction.sender.clone());
        envelope.account = self.account(session).await?;
        let parameters = &transaction.parameters;
        envelope.ret = parameters.ret();
        envelope.envelope_id = parameters.envelope_id().cloned();
        envelope.require_tls = parameters.require_tls();
        envelope.smtp_utf8 = parameters.smtp_utf8();
        envelope.eight_bit = parameters.is_eight_bit() || envelope.smtp_utf8;
        // What was forwarded bears the address that did it, so that it is known if it comes back.
        while let Some(&(forwarder, ..)) = recipients.first() {
            let mut prefix = forwarder.map(delivered_to).unwrap_or_default();
            prefix.push_str(received);
            let mut outbound = Outbound::new(envelope.clone(), uploaded.clone(), prefix.into());
            let (alike, others) = recipients.into_iter().partition(|(other, ..)| *other == forwarder);
            recipients = others;
            let alike: Vec<_> = alike;
            outbound.recipients = alike.into_iter().map(|(_, plan, recipient)| (plan, recipient)).collect();
            delivery.outbound.push(outbound);
        }
        Ok(delivery)
    }
}

/// What is queued for one RCPT.
fn queued(accepted: &Accepted, reports: bool, put_off: &BTreeSet<AccountId>) -> Vec<Recipient> {
    let notify = accepted.parameters.notify();
    let original = accepted.parameters.original_recipient().cloned();
    let several = accepted.targets.len() + accepted.external.len() > 1;
    let waits = |address: &Mailbox, target| {
        let mut recipient = Recipient::new(address.clone());
        // RFC 3461 §5.2.7.2: one target gets the requests as they are. §5.2.7.3: with several, success is
        // reported here.
        recipient.notify = notify.map(|notify| if several { notify.without_success() } else { notify });
        recipient.original.clone_from(&original);
        recipient.target = target;
        recipient
    };
    let external = accepted.external.iter().map(|address| waits(address, Target::Remote));
    let local = accepted.targets.iter().filter(|target| put_off.contains(&target.account));
    let local = local.map(|target| waits(&target.address, Target::Account(target.account)));
    let mut queued: Vec<Recipient> = external.chain(local).collect();
    if reports && notify.is_some_and(Notify::success) && (several || queued.is_empty()) {
        // RFC 3461 §5.2.3, §5.2.7.3 (c): reported when it is done, which it is with the commit.
        let address: Option<&Mailbox> = match &accepted.path {
            ForwardPath::Mailbox(mailbox) => Some(mailbox),
            ForwardPath::Postmaster => accepted.targets.first().map(|target| &target.address),
        };
        let action = if several { Action::Expanded } else { Action::Delivered };
        queued.extend(address.map(|address| Recipient { notify, ..waits(address, Target::Report(action)) }));
    }
    queued
}
