//! Why octets are no address.

use super::super::Excerpt;

/// Octets that are no address or path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset} of {excerpt}")]
#[non_exhaustive]
pub struct AddressError {
    /// What is wrong; it decides the reply code of a server.
    pub kind: AddressErrorKind,
    /// Octets from the start of the path or address to the first that does not fit.
    pub offset: usize,
    /// The beginning of the path or address.
    pub excerpt: Excerpt,
}

impl AddressError {
    pub(super) fn new(kind: AddressErrorKind, offset: usize, input: &[u8]) -> Self {
        Self { kind, offset, excerpt: Excerpt::new(input) }
    }
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AddressErrorKind {
    /// The end of the path cannot be found, or an octet stands where it never may: a syntax error of the
    /// whole command (RFC 5321 §4.1.2).
    #[error("syntax error")]
    Syntax,
    /// The path is complete but its mailbox is none: an empty label or local part, doubled dots, a hyphen
    /// at the end of a label, a label above 63 octets, no domain, a malformed address literal.
    #[error("invalid mailbox")]
    Mailbox,
    /// Above a length limit (RFC 5321 §4.5.3.1). Wins over errors of form.
    #[error("too long")]
    TooLong,
}
