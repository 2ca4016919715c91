//! [`Report`]: what a delivery status notification says. RFC 3464 §2.2 and §2.3.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use mailwright_core::value::UnixTime;

use super::value::{Address, Diagnostic, Field, InvalidValue, MessageId, MtaName, Text};
use crate::types::{EnhancedCode, EnvelopeId};

/// What was done about a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "RFC 3464 §2.3.3 has these and no others")]
pub enum Action {
    /// Delivered to the address that the sender gave.
    Delivered,
    /// Delivered, and forwarded from there to several addresses.
    Expanded,
    /// Passed on to where no report of success comes from.
    Relayed,
    /// Not delivered yet; it will be tried again.
    Delayed,
    /// Given up.
    Failed,
}

impl Action {
    /// The word of the field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Expanded => "expanded",
            Self::Relayed => "relayed",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = InvalidValue;

    /// The word, in any case.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let all = [Self::Delivered, Self::Expanded, Self::Relayed, Self::Delayed, Self::Failed];
        all.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(text)).ok_or(InvalidValue::Form)
    }
}

/// What a report says: of the message once, and of each recipient.
///
/// One report serves all recipients of one message that the same happened to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// ENVID of the message, if it had one.
    pub envelope_id: Option<EnvelopeId>,
    /// Absent only in a report that was read.
    reporting_mta: Option<MtaName>,
    /// Who turned a report of another system into this one (RFC 3464 §2.2.3).
    pub gateway: Option<MtaName>,
    /// Where the message came from.
    pub received_from: Option<MtaName>,
    /// When the message came.
    pub arrival: Option<UnixTime>,
    /// Other fields about the message. In a report that was read there may be fields with known names among them, of
    /// values that could not be read; those are not written.
    pub extensions: Vec<Field>,
    /// At least one.
    recipients: Vec<Recipient>,
    /// The Message-ID of the message.
    pub original_message_id: Option<MessageId>,
}

impl Report {
    /// A report of `reporting_mta` on one recipient.
    #[must_use]
    pub fn new(reporting_mta: MtaName, recipient: Recipient) -> Self {
        Self::read(Some(reporting_mta), [recipient].into())
    }

    /// A report with what the parser found; there is a recipient.
    pub(super) fn read(reporting_mta: Option<MtaName>, recipients: Vec<Recipient>) -> Self {
        Self {
            envelope_id: None,
            reporting_mta,
            gateway: None,
            received_from: None,
            arrival: None,
            extensions: Vec::new(),
            recipients,
            original_message_id: None,
        }
    }

    /// Adds a recipient.
    pub fn push(&mut self, recipient: Recipient) {
        self.recipients.push(recipient);
    }

    /// Who tried to deliver the message. Of a report that was read it may be missing.
    #[must_use]
    pub const fn reporting_mta(&self) -> Option<&MtaName> {
        self.reporting_mta.as_ref()
    }

    /// Every recipient; there is at least one.
    #[must_use]
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// The gravest action of all recipients: what the report is about.
    #[must_use]
    pub fn action(&self) -> Action {
        self.recipients.iter().map(|recipient| recipient.action).max().unwrap_or(Action::Failed)
    }
}

/// What a report says of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recipient {
    /// ORCPT, if it was given: the address as the sender knows it.
    pub original: Option<Address>,
    /// The address as it stood in the envelope; of a confidential forwarding the one that the sender gave
    /// (RFC 3461 §5.2.7.4).
    pub address: Address,
    action: Action,
    /// The status. 4.0.0 and 5.0.0 only where nothing better is known.
    pub status: EnhancedCode,
    pub(super) remote_mta: Option<MtaName>,
    pub(super) diagnostic: Option<Diagnostic>,
    /// Why, in words, where no server said so. It stands in the part for people only, so it is not read back.
    pub reason: Option<Text>,
    /// When delivery was tried last.
    pub last_attempt: Option<UnixTime>,
    /// What the log of the final server calls the message.
    pub final_log_id: Option<Text>,
    pub(super) will_retry_until: Option<UnixTime>,
    /// The address that the next server was given, where it differs (RFC 3461 §6.3 (j)).
    pub remote_recipient: Option<Address>,
    /// Other fields, as in [`Report::extensions`].
    pub extensions: Vec<Field>,
}

impl Recipient {
    /// What was done about the recipient `address`, and why.
    #[must_use]
    pub const fn new(address: Address, action: Action, status: EnhancedCode) -> Self {
        Self {
            original: None,
            address,
            action,
            status,
            remote_mta: None,
            diagnostic: None,
            reason: None,
            last_attempt: None,
            final_log_id: None,
            will_retry_until: None,
            remote_recipient: None,
            extensions: Vec::new(),
        }
    }

    /// What another server said. The two stand together (RFC 3461 §6.3 (h), (i)): without a remote server there is
    /// no diagnostic, and the other way round.
    #[must_use]
    pub fn with_remote(mut self, mta: MtaName, diagnostic: Diagnostic) -> Self {
        self.remote_mta = Some(mta);
        self.diagnostic = Some(diagnostic);
        self
    }

    /// Until when it will be tried again. Only a delayed recipient has that; for others nothing changes
    /// (RFC 3464 §2.3.9).
    #[must_use]
    pub fn with_retry_until(mut self, time: UnixTime) -> Self {
        if self.action == Action::Delayed {
            self.will_retry_until = Some(time);
        }
        self
    }

    /// What was done.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The server that was asked to take the message.
    #[must_use]
    pub const fn remote_mta(&self) -> Option<&MtaName> {
        self.remote_mta.as_ref()
    }

    /// What it said. In a report that was read there may be one without a remote server.
    #[must_use]
    pub const fn diagnostic(&self) -> Option<&Diagnostic> {
        self.diagnostic.as_ref()
    }

    /// Until when it will be tried again; only of a delayed recipient.
    #[must_use]
    pub const fn will_retry_until(&self) -> Option<UnixTime> {
        self.will_retry_until
    }
}
