//! [`Writer`]: a report as a message, octet by octet the same for the same values. RFC 6522 §3, RFC 3464 §2,
//! RFC 6533 §4.
//!
//! Head, explanation and status are written at once; the message that is returned passes through in pieces of any
//! size, and nothing of it is kept.

mod explanation;
mod fields;
mod original;

use core::fmt::{self, Write as _};

use bytes::BytesMut;

use self::original::Passage;
use super::decide::{Original, Returned};
use super::letter::Letter;
use super::report::{Action, Report};

/// Writes a report: [`Self::start`], then [`Self::original`] for each piece of the message, then [`Self::finish`].
#[derive(Debug)]
#[must_use]
pub struct Writer {
    boundary: alloc::string::String,
    passage: Passage,
}

impl Writer {
    /// Appends to `out` everything that stands before the message that is returned.
    pub fn start(report: &Report, letter: &Letter, original: &Original, out: &mut BytesMut) -> Self {
        let utf8 = letter.is_utf8(original);
        let eight_bit = utf8 || original.eight_bit;
        let returned = original.returned(report.action());
        // Writing into memory does not fail.
        let _ = head(report, letter, eight_bit, out);
        let boundary = &letter.boundary;
        let _ = write!(
            out,
            "--{boundary}\r\nContent-Description: Notification\r\n\
             Content-Type: text/plain; charset={}\r\nContent-Transfer-Encoding: {}\r\n\r\n",
            if utf8 { "utf-8" } else { "us-ascii" },
            encoding(utf8),
        );
        let _ = explanation::write(report, &letter.host, returned, utf8, out);
        let _ = write!(
            out,
            "\r\n--{boundary}\r\nContent-Description: Delivery report\r\n\
             Content-Type: message/{}delivery-status\r\nContent-Transfer-Encoding: {}\r\n\r\n",
            if utf8 { "global-" } else { "" },
            encoding(utf8),
        );
        let _ = fields::write(report, utf8, out);
        // RFC 6522 §3: the third part; RFC 6533 §4.2, §4.3.
        let (description, kind) = match (returned, utf8) {
            (Returned::Message, false) => ("Undelivered message", "message/rfc822"),
            (Returned::Message, true) => ("Undelivered message", "message/global"),
            (Returned::Headers, false) => ("Message header", "text/rfc822-headers"),
            (Returned::Headers, true) => ("Message header", "message/global-headers"),
        };
        let _ = write!(
            out,
            "\r\n--{boundary}\r\nContent-Description: {description}\r\n\
             Content-Type: {kind}\r\nContent-Transfer-Encoding: {}\r\n\r\n",
            encoding(eight_bit),
        );
        Self { boundary: boundary.clone(), passage: Passage::new(returned) }
    }

    /// Whether more of the message is of use. Once the header is complete, and only that is returned, it is not.
    #[must_use]
    pub const fn wants_original(&self) -> bool {
        self.passage.is_open()
    }

    /// Appends a piece of the message to `out`, as far as it is returned. A CR or LF that is no part of a CR LF
    /// becomes one, and a NUL a space: what a report holds must be able to leave.
    pub fn original(&mut self, chunk: &[u8], out: &mut BytesMut) {
        self.passage.write(chunk, out);
    }

    /// Appends the end.
    pub fn finish(mut self, out: &mut BytesMut) {
        self.passage.finish(out);
        // Writing into memory does not fail.
        let _ = write!(out, "\r\n--{}--\r\n", self.boundary);
    }
}

const fn encoding(eight_bit: bool) -> &'static str {
    if eight_bit { "8bit" } else { "7bit" }
}

/// The header of the report.
fn head(report: &Report, letter: &Letter, eight_bit: bool, out: &mut BytesMut) -> fmt::Result {
    // RFC 3464 §2: from an address that reaches a person.
    write!(out, "From: Mail Delivery System <postmaster@{}>\r\n", letter.host)?;
    write!(out, "To: <{}>\r\nSubject: {}\r\n", letter.to, subject(report.action()))?;
    write!(out, "Date: {}\r\nMessage-ID: {}\r\n", letter.date, letter.message_id())?;
    // RFC 3834 §3.1.6
    if let Some(id) = &report.original_message_id {
        write!(out, "In-Reply-To: {id}\r\nReferences: {id}\r\n")?;
    }
    // RFC 3834 §5.2
    out.write_str("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n")?;
    write!(
        out,
        "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{}\"\r\n",
        letter.boundary
    )?;
    // RFC 2045 §6.4: as wide as the widest part.
    write!(out, "Content-Transfer-Encoding: {}\r\n\r\n", encoding(eight_bit))
}

const fn subject(action: Action) -> &'static str {
    match action {
        Action::Failed => "Delivery failed: your message could not be delivered",
        Action::Delayed => "Delivery delayed: your message has not been delivered yet",
        Action::Delivered => "Delivered: your message has arrived",
        Action::Relayed => "Relayed: your message was passed on",
        Action::Expanded => "Expanded: your message was passed on to several addresses",
    }
}
