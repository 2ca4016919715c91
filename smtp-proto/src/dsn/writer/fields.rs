//! The fields of a report: RFC 3464 §2.2 and §2.3, RFC 6533 §4.1. Fields stand in the order of the grammar.

use core::fmt::{self, Write};

use bytes::BytesMut;

use crate::dsn::report::{Recipient, Report};
use crate::dsn::value::Field;

/// Columns that a folded line keeps to, if its words let it (RFC 5322 §2.1.1).
const COLUMNS: usize = 78;

pub(super) fn write(report: &Report, utf8: bool, out: &mut BytesMut) -> fmt::Result {
    if let Some(id) = &report.envelope_id {
        // RFC 3461 §6.3 (a): without xtext.
        write!(out, "Original-Envelope-Id: {}\r\n", id.decode())?;
    }
    if let Some(mta) = report.reporting_mta() {
        write!(out, "Reporting-MTA: {mta}\r\n")?;
    }
    if let Some(mta) = &report.gateway {
        write!(out, "DSN-Gateway: {mta}\r\n")?;
    }
    if let Some(mta) = &report.received_from {
        write!(out, "Received-From-MTA: {mta}\r\n")?;
    }
    if let Some(time) = report.arrival {
        write!(out, "Arrival-Date: {time}\r\n")?;
    }
    extensions(&report.extensions, utf8, out)?;
    report.recipients().iter().try_for_each(|recipient| {
        // RFC 3464 §2.3: each group is preceded by a blank line.
        out.write_str("\r\n")?;
        self::recipient(recipient, utf8, out)
    })
}

fn recipient(recipient: &Recipient, utf8: bool, out: &mut BytesMut) -> fmt::Result {
    if let Some(address) = &recipient.original {
        write!(out, "Original-Recipient: {}\r\n", address.field(utf8))?;
    }
    write!(out, "Final-Recipient: {}\r\n", recipient.address.field(utf8))?;
    write!(out, "Action: {}\r\nStatus: {}\r\n", recipient.action(), recipient.status)?;
    if let Some(mta) = recipient.remote_mta() {
        write!(out, "Remote-MTA: {mta}\r\n")?;
    }
    if let Some(diagnostic) = recipient.diagnostic() {
        let kind = diagnostic.kind();
        write!(out, "Diagnostic-Code: {kind};")?;
        folded(diagnostic.text(), "Diagnostic-Code: ;".len() + kind.len(), utf8, out)?;
    }
    if let Some(time) = recipient.last_attempt {
        write!(out, "Last-Attempt-Date: {time}\r\n")?;
    }
    if let Some(id) = &recipient.final_log_id {
        out.write_str("Final-Log-ID:")?;
        folded(id.as_str(), "Final-Log-ID:".len(), utf8, out)?;
    }
    if let Some(time) = recipient.will_retry_until() {
        write!(out, "Will-Retry-Until: {time}\r\n")?;
    }
    // RFC 3461 §6.3 (j)
    if let Some(address) = &recipient.remote_recipient {
        // It has no grammar but the example of RFC 3461 §10.7, which lacks the type.
        if address.kind() == "rfc822" && !address.as_str().contains(';') {
            write!(out, "SMTP-Remote-Recipient: {}\r\n", address.plain(utf8))?;
        } else {
            write!(out, "SMTP-Remote-Recipient: {}\r\n", address.field(utf8))?;
        }
    }
    extensions(&recipient.extensions, utf8, out)
}

fn extensions(fields: &[Field], utf8: bool, out: &mut BytesMut) -> fmt::Result {
    fields.iter().filter(|field| !field.is_named()).try_for_each(|field| {
        write!(out, "{}:", field.name())?;
        folded(field.value(), field.name().len() + 1, utf8, out)
    })
}

/// Words behind a space each, folded where the line gets long, and the line end. `column`: where the line stands.
/// In a report of ASCII a character beyond it is written as `\x{HEX}`.
pub(super) fn folded(text: &str, mut column: usize, utf8: bool, out: &mut BytesMut) -> fmt::Result {
    for word in text.split(' ') {
        let length = word.len() + 1;
        if column + length > COLUMNS && !word.is_empty() {
            out.write_str("\r\n")?;
            column = 0;
        }
        out.write_char(' ')?;
        column += length;
        if utf8 || word.is_ascii() {
            out.write_str(word)?;
            continue;
        }
        for character in word.chars() {
            if character.is_ascii() {
                out.write_char(character)?;
            } else {
                write!(out, "\\x{{{:02X}}}", u32::from(character))?;
            }
        }
    }
    out.write_str("\r\n")
}
