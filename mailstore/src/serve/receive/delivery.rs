//! The end of the content: the decision, the trace fields, the delivery, and the replies.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{ForwardPath, Mailbox, UnixTime};
use mailwright_smtp::server::{Server, Verdict};
use mailwright_smtp::trace::{Received, TransactionId, delivered_to, return_path};
use mailwright_smtp::types::Reply;

use super::content::Storing;
use super::{Accepted, Handler, Transaction, is_submission, replies};
use crate::account::{Append, Refusal, Upload as _, Uploaded};
use crate::deliver::originators;
use crate::directory::name::address_key;
use crate::engine::{Blobs, Engine};
use crate::identifier::AccountId;
use crate::mail::Delivery;
use crate::serve::Compute;

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    /// Stores the message, and says what became of it.
    pub(super) async fn deliver(&mut self, session: &Server, now: UnixTime) -> Verdict {
        let storing = match self.end_content().await {
            Ok(storing) => storing,
            Err(reply) => return reply.into(),
        };
        let Some(transaction) = self.transaction.take() else { return Reply::TRY_LATER.into() };
        // RFC 5321 §6.3
        if storing.hops.count() > self.service.hops || comes_back(session, &transaction, &storing) {
            return replies::looping().into();
        }
        if is_submission(session)
            && let Err(reply) = self.judge_originators(session, &storing).await
        {
            return reply.into();
        }
        let uploaded = match storing.upload.finish().await {
            Ok(uploaded) => uploaded,
            Err(error) => return replies::of_error(&error).into(),
        };
        let id = self.transaction_id();
        let received = self.received(session, &transaction, &id, now);
        let each = session.config().protocol == mailwright_smtp::server::Protocol::Lmtp;
        // Accounts without room, for which the message waits in the queue because others take it.
        let mut put_off = BTreeSet::new();
        let results = loop {
            let delivery = plan(&transaction, &uploaded, &received, each, &put_off, now);
            #[cfg(feature = "queue")]
            let delivery =
                match self.relay(session, &transaction, &uploaded, &received, &put_off, delivery).await {
                    Ok(delivery) => delivery,
                    Err(reply) => return reply.into(),
                };
            let results = match self.service.store.deliver(&delivery, now).await {
                Ok(results) => results,
                Err(error) => return replies::of_error(&error).into(),
            };
            match results.as_slice() {
                [Err(Refusal::OverQuota { root })] if !each && self.service.relays => {
                    // Again without that account, if somebody is left.
                    if !put_off.insert(*root) || !transaction.has_others(&put_off) {
                        break results;
                    }
                }
                _ => break results,
            }
        };
        let stored = Reply::MESSAGE_ACCEPTED.with_text(format!("Stored as {id}"));
        let stored = stored.unwrap_or(Reply::MESSAGE_ACCEPTED);
        let said: Vec<Reply> = results
            .iter()
            .map(|result| match result {
                Ok(()) => stored.clone(),
                Err(refusal) => replies::of_refusal(refusal),
            })
            .collect();
        if each { Verdict::Each(said) } else { said.into_iter().next().unwrap_or(Reply::TRY_LATER).into() }
    }

    /// Every address of the From fields must be the account's. A message without the field claims nothing.
    async fn judge_originators(&self, session: &Server, storing: &Storing<E>) -> Result<(), Reply> {
        let account = self.account(session).await?.ok_or(Reply::AUTHENTICATION_REQUIRED)?;
        for value in storing.filter.collected().ok_or_else(replies::originator_not_owned)? {
            for mailbox in originators(value).map_err(|_| replies::originator_not_owned())? {
                match self.service.directory.owns(account, &mailbox).await {
                    Ok(true) => {}
                    Ok(false) => return Err(replies::originator_not_owned()),
                    Err(_) => return Err(Reply::TRY_LATER),
                }
            }
        }
        Ok(())
    }

    /// A name for the transaction that was never used before.
    fn transaction_id(&self) -> String {
        let [octets, _] = self.service.store.core.entropy.halves();
        octets.iter().take(8).fold(String::new(), |id, octet| format!("{id}{octet:02x}"))
    }

    /// RFC 5321 §4.4: the Received field.
    fn received(&self, session: &Server, transaction: &Transaction<E>, id: &str, now: UnixTime) -> String {
        // The names were checked when the session was configured, so there always is a field.
        let mut with = session.with();
        // RFC 6531 §4.3
        with.utf8 = transaction.smtp_utf8;
        let Ok(mut received) = Received::new(session.config().name(), with, now) else {
            return String::new();
        };
        received.helo = session.client_name().map(|name| name.as_str());
        received.peer = self.peer;
        received.id = TransactionId::new(id).ok();
        if let [Accepted { path: ForwardPath::Mailbox(mailbox), .. }] = transaction.recipients.as_slice() {
            received.recipient = Some(mailbox);
        }
        format!("{received}")
    }
}

/// Whether the message was at one of its recipients before: whoever forwards or delivers says so in a Delivered-To
/// field. What is submitted has been nowhere.
fn comes_back<E: Engine + Blobs>(
    session: &Server,
    transaction: &Transaction<E>,
    storing: &Storing<E>,
) -> bool {
    if is_submission(session) {
        return false;
    }
    let Some(mut values) = storing.filter.collected() else { return true };
    values.any(|value| {
        let text = core::str::from_utf8(value).unwrap_or_default().trim();
        let Ok(before) = text.parse::<Mailbox>() else { return false };
        let before = address_key(&before);
        transaction.recipients.iter().any(|recipient| match &recipient.path {
            ForwardPath::Mailbox(mailbox) => address_key(mailbox) == before,
            ForwardPath::Postmaster => false,
        })
    })
}

/// What goes where. `each`: every recipient is stored by itself; else all or none.
fn plan<E: Engine + Blobs>(
    transaction: &Transaction<E>,
    uploaded: &Uploaded,
    received: &str,
    each: bool,
    put_off: &BTreeSet<AccountId>,
    now: UnixTime,
) -> Delivery {
    let mut delivery = Delivery::new();
    // An account gets one copy, however many recipients lead to it.
    let mut copies: BTreeMap<AccountId, usize> = BTreeMap::new();
    for recipient in &transaction.recipients {
        let mut plan = Vec::with_capacity(recipient.targets.len());
        for target in recipient.targets.iter().filter(|target| !put_off.contains(&target.account)) {
            let copy = *copies.entry(target.account).or_insert_with(|| {
                let mut append = Append::new(uploaded.clone(), now);
                append.prefix = trace(transaction, &target.address, received);
                delivery.copy(target.account, append)
            });
            if !plan.contains(&copy) {
                plan.push(copy);
            }
        }
        delivery.plans.push(plan);
    }
    if !each {
        delivery.plans = alloc::vec![(0..delivery.copies.len()).collect()];
    }
    delivery
}

/// The fields of final delivery, Return-Path first.
fn trace<E: Engine + Blobs>(transaction: &Transaction<E>, address: &Mailbox, received: &str) -> Bytes {
    let mut trace = return_path(&transaction.sender);
    trace.push_str(&delivered_to(address));
    trace.push_str(received);
    trace.into()
}
