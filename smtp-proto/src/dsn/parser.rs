//! [`Report::parse`]: a report of anybody, read back. RFC 3464, RFC 6522, RFC 6533 §4.4.
//!
//! Tolerant: of order, case and folding, of bare LF as line end, of missing fields and parts, of transfer encodings,
//! of a report inside other multiparts. What cannot be read is kept as it stands. One pass, no recursion, and bounds
//! for everything that is copied.

mod date;
mod header;
mod parts;
mod status;

use alloc::borrow::Cow;

use self::header::Fields;
use super::decide::Returned;
use super::report::Report;
use super::value::MessageId;

/// Bounds for what a parser copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParserLimits {
    /// Octets of the header of the report, and of each of its parts. Default 102 400.
    pub header: usize,
    /// Octets of the fields of the report. Default 4 MiB.
    pub status: usize,
    /// Recipients. Default 1000.
    pub recipients: usize,
    /// Fields without meaning here. Default 10 000.
    pub extensions: usize,
    /// Multiparts in one another; deeper ones are not looked into. Default 8.
    pub depth: usize,
}

impl Default for ParserLimits {
    fn default() -> Self {
        Self { header: 102_400, status: 4 << 20, recipients: 1000, extensions: 10_000, depth: 8 }
    }
}

/// Why a message is no report, or none that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It has no part with the fields of a report.
    #[error("no delivery status notification")]
    NotAReport,
    /// The fields name no recipient, or not what became of one.
    #[error("a delivery status notification without recipients")]
    NoRecipients,
    /// A header or the fields are above their limit.
    #[error("the header or the fields of a report above their limit")]
    TooLarge,
    /// More recipients or fields than the limit.
    #[error("too many recipients or fields in a report")]
    TooMany,
    /// The transfer encoding of the fields cannot be undone.
    #[error("the transfer encoding of a report cannot be undone")]
    Encoding,
}

/// A report that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parsed<'a> {
    /// What it says. The Message-ID of the message is that of the part that is returned, or what In-Reply-To says.
    pub report: Report,
    /// What it returns of the message, and as what; the transfer encoding is undone.
    pub returned: Option<(Returned, Cow<'a, [u8]>)>,
}

impl Report {
    /// Reads a report with the default limits.
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn parse(message: &[u8]) -> Result<Parsed<'_>, ParseError> {
        Self::parse_with(message, &ParserLimits::default())
    }

    /// Reads a report.
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn parse_with<'a>(message: &'a [u8], limits: &ParserLimits) -> Result<Parsed<'a>, ParseError> {
        let found = parts::find(message, limits)?;
        let status = found.status.ok_or(ParseError::NotAReport)?.decode().ok_or(ParseError::Encoding)?;
        if status.len() > limits.status {
            return Err(ParseError::TooLarge);
        }
        let mut report = status::read(&status, limits)?;
        let returned = found.returned.and_then(|(returned, part)| Some((returned, part.decode()?)));
        let of_original = returned.as_ref().and_then(|(_, octets)| message_id(octets, limits, "Message-ID"));
        report.original_message_id = of_original.or_else(|| message_id(message, limits, "In-Reply-To"));
        Ok(Parsed { report, returned })
    }
}

/// The first id in the first field of this name.
fn message_id(message: &[u8], limits: &ParserLimits, name: &str) -> Option<MessageId> {
    let header = message.get(..limits.header).unwrap_or(message);
    let mut fields = Fields::new(header);
    let value = fields.find(|field| field.is(name))?.value();
    let start = value.find('<')?;
    let text = value.get(start..)?;
    MessageId::new(text.get(..=text.find('>')?)?).ok()
}
