//! What the queue knows of a message: [`Envelope`], [`Recipient`], and what was said about it, [`Failure`].
//!
//! RFC 5321 §2.3.1 (envelope), RFC 3461 §4 (what a sender asks for), RFC 8689 §4.1 (REQUIRETLS).

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Mailbox, ReversePath, UnixTime};
use mailwright_smtp::dsn::{Action, Diagnostic, MtaName, Text};
use mailwright_smtp::types::{EnhancedCode, EnvelopeId, Notify, OriginalRecipient, Reply, Return};

use super::QueueId;
use crate::account::Uploaded;
use crate::directory::name::domain_key;
use crate::identifier::AccountId;

/// What all recipients of a message share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// To whom it goes back.
    pub sender: ReversePath,
    /// The account that submitted it.
    pub account: Option<AccountId>,
    /// RET.
    pub ret: Option<Return>,
    /// ENVID.
    pub envelope_id: Option<EnvelopeId>,
    /// It may only travel over verified TLS, and so may all that comes of it (RFC 8689).
    pub require_tls: bool,
    /// Its header, or an address, is beyond ASCII.
    pub smtp_utf8: bool,
    /// It may have octets ≥ 0x80.
    pub eight_bit: bool,
}

impl Envelope {
    /// An envelope of 7-bit mail of which nothing special was asked.
    #[must_use]
    pub const fn new(sender: ReversePath) -> Self {
        Self {
            sender,
            account: None,
            ret: None,
            envelope_id: None,
            require_tls: false,
            smtp_utf8: false,
            eight_bit: false,
        }
    }

    /// Whose share of connections the message counts against.
    pub(super) fn share(&self) -> u64 {
        match (self.account, self.sender.mailbox()) {
            (Some(account), _) => account.get(),
            // Told apart by chance; two that meet share a share.
            (None, Some(mailbox)) => {
                mailbox.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
                    (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
                })
            }
            (None, None) => u64::MAX,
        }
    }
}

/// One recipient of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recipient {
    /// The address.
    pub address: Mailbox,
    /// NOTIFY.
    pub notify: Option<Notify>,
    /// ORCPT.
    pub original: Option<OriginalRecipient>,
    /// What is to be done.
    pub target: Target,
}

impl Recipient {
    /// Somebody elsewhere, of whom nothing special was asked.
    #[must_use]
    pub const fn new(address: Mailbox) -> Self {
        Self { address, notify: None, original: None, target: Target::Remote }
    }

    /// Where it goes: the domain in the form in which domains are compared, or nothing for what is done here.
    pub(super) fn destination(&self) -> String {
        match self.target {
            Target::Remote => domain_key(self.address.domain()),
            Target::Account(_) | Target::Report(_) => String::new(),
        }
    }
}

/// What is to be done for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// The message goes to the domain of the address.
    Remote,
    /// The message goes to an account here.
    Account(AccountId),
    /// It is done; the sender is to be told.
    Report(Action),
}

/// A message to be queued, in the same commit as the local copies of its [`Delivery`](crate::Delivery).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outbound {
    /// Its envelope.
    pub envelope: Envelope,
    /// Its octets; copies may share them.
    pub uploaded: Uploaded,
    /// Octets to come before them: trace fields.
    pub prefix: Bytes,
    /// Its recipients, each with the index of the plan that it belongs to: if the plan is refused, so is it.
    pub recipients: Vec<(usize, Recipient)>,
}

impl Outbound {
    /// A message without recipients.
    #[must_use]
    pub const fn new(envelope: Envelope, uploaded: Uploaded, prefix: Bytes) -> Self {
        Self { envelope, uploaded, prefix, recipients: Vec::new() }
    }
}

/// Why an attempt did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// When.
    pub at: UnixTime,
    /// The status for reports (RFC 3463).
    pub status: EnhancedCode,
    /// The server that was asked.
    pub remote: Option<MtaName>,
    /// What it said.
    pub diagnostic: Option<Diagnostic>,
    /// In words, where no server said anything.
    pub reason: Text,
}

impl Failure {
    /// A failure of which no server said anything.
    #[must_use]
    pub fn new(at: UnixTime, status: EnhancedCode, reason: &str) -> Self {
        Self { at, status, remote: None, diagnostic: None, reason: Text::new(reason) }
    }

    /// What a server said.
    #[must_use]
    pub fn said(at: UnixTime, remote: Option<MtaName>, reply: &Reply) -> Self {
        let fallback = if reply.is_permanent() { PERMANENT } else { TRANSIENT };
        Self {
            at,
            // RFC 2034 §4: the class of both codes is the same, or the enhanced one means nothing.
            status: reply
                .enhanced()
                .filter(|enhanced| enhanced.class() == fallback.class())
                .unwrap_or(fallback),
            diagnostic: Some(Diagnostic::smtp(reply)),
            remote,
            reason: Text::new(""),
        }
    }
}

/// 4.0.0 and 5.0.0, where nothing better is known.
pub(super) const TRANSIENT: EnhancedCode = status(4, 0, 0);
pub(super) const PERMANENT: EnhancedCode = status(5, 0, 0);

/// A status that is known to be one.
#[expect(clippy::panic, reason = "const evaluation: a wrong status would not compile")]
pub(crate) const fn status(class: u8, subject: u16, detail: u16) -> EnhancedCode {
    match EnhancedCode::new(class, subject, detail) {
        Ok(status) => status,
        Err(_) => panic!(),
    }
}

/// A message in the queue, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedMessage {
    /// Its name.
    pub id: QueueId,
    /// Its envelope.
    pub envelope: Envelope,
    /// When it was accepted.
    pub created: UnixTime,
    /// Octets, with those that were prepended here.
    pub size: u64,
    /// Those who wait for it.
    pub recipients: Vec<QueuedRecipient>,
}

/// A recipient that waits for its message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedRecipient {
    /// Its number in the message.
    pub number: u32,
    /// Who.
    pub recipient: Recipient,
    /// The next attempt; while one is made, the one behind it.
    pub due: UnixTime,
    /// Attempts that were made.
    pub attempts: u32,
    /// Whether the sender was told that it is late.
    pub notified: bool,
    /// How the last attempt failed.
    pub failure: Option<Failure>,
}
