//! What a peer did that its RFC does not allow and that was read all the same.

use alloc::boxed::Box;
use core::fmt;

/// How much a parser forgives.
///
/// A run-time value, never a cargo feature. Sessions have a finer `Tolerance` of their own where a
/// protocol needs one switch per quirk; this is the common first step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tolerance {
    /// Only what the RFC allows.
    Strict,
    /// Harmless departures that real peers show are read and reported as a [`Deviation`].
    #[default]
    Lenient,
}

/// A tolerated departure from the RFC: what, where, and the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Deviation {
    /// Which departure.
    pub kind: DeviationKind,
    /// Octets from the start of the parsed item (a line, a message) to the departure.
    pub offset: u64,
    /// The bytes, bounded by [`Excerpt::MAX`].
    pub bytes: Excerpt,
}

impl Deviation {
    /// A report about `bytes` at `offset`.
    #[must_use]
    pub fn new(kind: DeviationKind, offset: u64, bytes: &[u8]) -> Self {
        Self { kind, offset, bytes: Excerpt::new(bytes) }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}: {}", self.kind, self.offset, self.bytes)
    }
}

/// Which departure was tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviationKind {
    /// A line that ended in a bare LF.
    BareLineFeed,
    /// A CR without LF behind it, in content.
    BareCarriageReturn,
    /// NUL in content.
    Nul,
    /// Octets ≥ 0x80 where only ASCII was agreed.
    EightBit,
    /// White space that the grammar does not have.
    ExtraSpace,
    /// White space before a line end.
    TrailingSpace,
    /// A path without angle brackets.
    MissingAngleBrackets,
    /// An underscore in a domain name.
    UnderscoreInDomain,
    /// A number with leading zeros.
    LeadingZero,
    /// A line above the limit of its RFC.
    LongLine,
    /// A header section above its limit.
    LongHeader,
    /// Octets that came before the peer was allowed to send them.
    EarlyInput,
    /// A command behind one that must be the last of its group (RFC 2920 §3.1).
    ImproperPipelining,
    /// A keyword in a case that the RFC does not allow.
    KeywordCase,
    /// Fields behind those that the grammar has.
    TrailingFields,
    /// A final line of content without line end.
    MissingLineEnd,
    /// A dot that a conforming peer would have doubled.
    UnstuffedDot,
    /// A syntax error in an optional part, which was ignored.
    Ignored,
    /// Nothing where the grammar has text.
    MissingText,
    /// Fewer fields than the grammar has.
    MissingFields,
    /// A string or list without the parentheses or brackets that belong round it.
    MissingParentheses,
    /// Parentheses that the grammar does not have.
    ExtraParentheses,
    /// No space where the grammar has one.
    MissingSpace,
    /// NIL where the grammar has a value.
    UnexpectedNil,
    /// A value that should be quoted and is not.
    Unquoted,
    /// A number in a form that the grammar does not have: negative, with a fraction, with an exponent.
    NumberForm,
    /// Zero where the grammar has a number above.
    UnexpectedZero,
    /// A literal in the form that only clients may use.
    NonSynchronisingLiteral,
    /// A mailbox name that is encoded wrongly, or against the rules for names.
    MailboxName,
    /// A response code that the peer had not announced.
    UnannouncedCode,
    /// A status where a challenge of an exchange was due.
    MissingChallenge,
    /// A unique id of a form that none may have.
    UniqueId,
}

impl fmt::Display for DeviationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareLineFeed => "bare LF",
            Self::BareCarriageReturn => "bare CR",
            Self::Nul => "NUL",
            Self::EightBit => "8-bit octets",
            Self::ExtraSpace => "extra white space",
            Self::TrailingSpace => "trailing white space",
            Self::MissingAngleBrackets => "missing angle brackets",
            Self::UnderscoreInDomain => "underscore in domain",
            Self::LeadingZero => "leading zero",
            Self::LongLine => "long line",
            Self::LongHeader => "long header section",
            Self::EarlyInput => "octets that came too early",
            Self::ImproperPipelining => "command behind the last of its group",
            Self::KeywordCase => "keyword in the wrong case",
            Self::TrailingFields => "trailing fields",
            Self::MissingLineEnd => "missing line end",
            Self::UnstuffedDot => "dot that was not doubled",
            Self::Ignored => "ignored syntax error",
            Self::MissingText => "missing text",
            Self::MissingFields => "missing fields",
            Self::MissingParentheses => "missing parentheses",
            Self::ExtraParentheses => "extra parentheses",
            Self::MissingSpace => "missing space",
            Self::UnexpectedNil => "unexpected NIL",
            Self::Unquoted => "value without quotes",
            Self::NumberForm => "number in an unusual form",
            Self::UnexpectedZero => "unexpected zero",
            Self::MailboxName => "not a valid mailbox name",
            Self::NonSynchronisingLiteral => "literal in the form of a client",
            Self::UnannouncedCode => "response code that was not announced",
            Self::MissingChallenge => "status where a challenge was due",
            Self::UniqueId => "not a valid unique id",
        })
    }
}

/// A bounded copy of offending bytes, for errors and reports.
///
/// Shows as an escaped ASCII string; controls never reach a terminal or a log raw.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Excerpt(Box<[u8]>);

impl Excerpt {
    /// The most octets that an excerpt keeps.
    pub const MAX: usize = 64;

    /// The first [`Self::MAX`] octets of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.get(..Self::MAX).unwrap_or(bytes).into())
    }

    /// The octets as received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn an_excerpt_is_bounded_and_escaped() {
        assert_eq!(Excerpt::new(&[b'a'; 1000]).as_bytes().len(), Excerpt::MAX);
        assert_eq!(Excerpt::new(b"a\r\n\x1b[1m\xff").to_string(), r#""a\r\n\x1b[1m\xff""#);
    }
}
