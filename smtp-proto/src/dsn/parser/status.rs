//! The fields of a report: RFC 3464 §2.2 and §2.3. Each is known by its name, whichever group it stands in.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use mailwright_core::value::UnixTime;

use super::header::{Fields, RawField};
use super::{ParseError, ParserLimits, date};
use crate::dsn::report::{Action, Recipient, Report};
use crate::dsn::value::{Address, Diagnostic, Field, MtaName, Text};
use crate::types::{EnhancedCode, EnvelopeId, is_atom};

/// What is gathered before it is known whether there is a recipient.
#[derive(Debug, Default)]
struct Message {
    envelope_id: Option<EnvelopeId>,
    reporting_mta: Option<MtaName>,
    gateway: Option<MtaName>,
    received_from: Option<MtaName>,
    arrival: Option<UnixTime>,
    extensions: Vec<Field>,
}

/// A recipient that is being gathered.
#[derive(Debug, Default)]
struct Draft {
    original: Option<Address>,
    address: Option<Address>,
    action: Option<Action>,
    status: Option<EnhancedCode>,
    remote_mta: Option<MtaName>,
    diagnostic: Option<Diagnostic>,
    last_attempt: Option<UnixTime>,
    final_log_id: Option<Text>,
    will_retry_until: Option<UnixTime>,
    remote_recipient: Option<Address>,
    extensions: Vec<Field>,
}

pub(super) fn read(text: &[u8], limits: &ParserLimits) -> Result<Report, ParseError> {
    let mut message = Message::default();
    let mut recipients = Vec::new();
    let mut fields_left = limits.extensions;
    let mut rest = text;
    while !rest.is_empty() {
        let mut draft = Draft::default();
        let mut group = Fields::new(rest);
        for field in &mut group {
            // A second recipient without a blank line before it.
            let another =
                field.is("Final-Recipient") || field.is("Original-Recipient") && draft.original.is_some();
            if another && draft.address.is_some() {
                draft.finish(&mut message, &mut recipients, limits)?;
                draft = Draft::default();
            }
            let value = field.value();
            if message.take(&field, &value) || draft.take(&field, &value) {
                continue;
            }
            if let Ok(extension) = Field::read(field.name, &value) {
                fields_left = fields_left.checked_sub(1).ok_or(ParseError::TooMany)?;
                draft.extensions.push(extension);
            }
        }
        rest = group.rest();
        draft.finish(&mut message, &mut recipients, limits)?;
    }
    if recipients.is_empty() {
        return Err(ParseError::NoRecipients);
    }
    let mut report = Report::read(message.reporting_mta, recipients);
    report.envelope_id = message.envelope_id;
    report.gateway = message.gateway;
    report.received_from = message.received_from;
    report.arrival = message.arrival;
    report.extensions = message.extensions;
    Ok(report)
}

/// Fills an empty slot; `false` if it was filled before, or the value cannot be read.
fn fill<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    match value {
        Some(value) if slot.is_none() => {
            *slot = Some(value);
            true
        }
        _ => false,
    }
}

impl Message {
    /// Takes a field about the message.
    fn take(&mut self, field: &RawField<'_>, value: &str) -> bool {
        if field.is("Original-Envelope-Id") {
            fill(&mut self.envelope_id, EnvelopeId::new(value).ok())
        } else if field.is("Reporting-MTA") {
            fill(&mut self.reporting_mta, mta(value))
        } else if field.is("DSN-Gateway") {
            fill(&mut self.gateway, mta(value))
        } else if field.is("Received-From-MTA") {
            fill(&mut self.received_from, mta(value))
        } else if field.is("Arrival-Date") {
            fill(&mut self.arrival, date::parse(value))
        } else {
            false
        }
    }
}

impl Draft {
    /// Takes a field about a recipient.
    fn take(&mut self, field: &RawField<'_>, value: &str) -> bool {
        if field.is("Original-Recipient") {
            fill(&mut self.original, address(value))
        } else if field.is("Final-Recipient") {
            fill(&mut self.address, address(value))
        } else if field.is("Action") {
            let word = value.split(|c: char| !c.is_ascii_alphabetic()).next();
            fill(&mut self.action, word.and_then(|word| word.parse().ok()))
        } else if field.is("Status") {
            // RFC 3464 §2.3.4: a comment may follow.
            let code = value.split(|c: char| !c.is_ascii_digit() && c != '.').next();
            fill(&mut self.status, code.and_then(|code| code.parse().ok()))
        } else if field.is("Remote-MTA") {
            fill(&mut self.remote_mta, mta(value))
        } else if field.is("Diagnostic-Code") {
            let (kind, text) = typed(value).unwrap_or(("unknown", value));
            fill(&mut self.diagnostic, Diagnostic::new(kind, text.as_bytes()).ok())
        } else if field.is("Last-Attempt-Date") {
            fill(&mut self.last_attempt, date::parse(value))
        } else if field.is("Final-Log-ID") {
            fill(&mut self.final_log_id, Some(Text::new(value)))
        } else if field.is("Will-Retry-Until") {
            fill(&mut self.will_retry_until, date::parse(value))
        } else if field.is("SMTP-Remote-Recipient") {
            fill(&mut self.remote_recipient, address(value))
        } else {
            false
        }
    }

    /// Makes a recipient of it, if it says whom it is about and what became of them; else its other fields are the
    /// message's.
    fn finish(
        mut self,
        message: &mut Message,
        recipients: &mut Vec<Recipient>,
        limits: &ParserLimits,
    ) -> Result<(), ParseError> {
        let outcome = match (self.action, self.status) {
            (Some(action), Some(status)) => Some((action, status)),
            (Some(action), None) => Some((action, EnhancedCode::constant(class(action), 0, 0))),
            (None, Some(status)) => Some((action(status), status)),
            (None, None) => None,
        };
        let address = self.address.or_else(|| self.original.clone());
        let (Some(address), Some((action, status))) = (address, outcome) else {
            message.extensions.append(&mut self.extensions);
            return Ok(());
        };
        if recipients.len() >= limits.recipients {
            return Err(ParseError::TooMany);
        }
        let mut recipient = Recipient::new(address, action, status);
        recipient.original = self.original;
        recipient.remote_mta = self.remote_mta;
        recipient.diagnostic = self.diagnostic;
        recipient.last_attempt = self.last_attempt;
        recipient.final_log_id = self.final_log_id;
        recipient.remote_recipient = self.remote_recipient;
        recipient.extensions = self.extensions;
        if let Some(time) = self.will_retry_until {
            recipient = recipient.with_retry_until(time);
            // RFC 3464 §2.3.9: where it has no meaning it is but a field.
            if recipient.will_retry_until().is_none() {
                let field = Field::read("Will-Retry-Until", &time.to_string());
                recipient.extensions.extend(field);
            }
        }
        recipients.push(recipient);
        Ok(())
    }
}

const fn class(action: Action) -> u8 {
    match action {
        Action::Failed => 5,
        Action::Delayed => 4,
        Action::Delivered | Action::Relayed | Action::Expanded => 2,
    }
}

const fn action(status: EnhancedCode) -> Action {
    match status.class() {
        2 => Action::Delivered,
        4 => Action::Delayed,
        _ => Action::Failed,
    }
}

/// RFC 3464 §2.1.2: the type, and what stands behind the semicolon.
fn typed(value: &str) -> Option<(&str, &str)> {
    let (kind, text) = value.split_once(';')?;
    let kind = kind.trim_matches(' ');
    is_atom(kind).then_some((kind, text.trim_matches(' ')))
}

fn mta(value: &str) -> Option<MtaName> {
    let (kind, name) = typed(value).unwrap_or(("unknown", value));
    MtaName::new(kind, name).ok()
}

fn address(value: &str) -> Option<Address> {
    let (kind, text) = typed(value).unwrap_or(("rfc822", value));
    Address::read(kind, text).ok()
}
