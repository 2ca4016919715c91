//! [`ResponseLimits`]: how much of a response is kept, and how much is forgiven.

use mailwright_core::value::Tolerance;

use crate::wire::FramingLimits;

/// What a client takes from a server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseLimits {
    /// Whether departures that real servers show are read. Default [`Tolerance::Lenient`].
    pub tolerance: Tolerance,
    /// Whether mailbox names are UTF-8 instead of modified UTF-7, and quoted strings may hold UTF-8.
    /// Default `false`.
    pub utf8: bool,
    /// Octets of a line. Elements of SEARCH, SORT, THREAD, VANISHED and ESEARCH, which are handed on as they come, do
    /// not count; a LIST and a status with a set are kept whole and may have as many as `buffered`. A longer one ends
    /// the connection. Default 1 MiB.
    pub line: usize,
    /// Octets of a literal that is no body. What has a longer one is not read. Default 1 MiB.
    pub literal: usize,
    /// Literals of one response, bodies not counted. Default 10 000.
    pub literals: usize,
    /// Octets of a response, or of an item of FETCH, that are kept until it is complete. Default 8 MiB.
    pub buffered: usize,
    /// Octets of a literal that is not read; a longer one ends the connection. Default 64 MiB.
    pub discard: u64,
    /// Open parentheses. Default 100.
    pub nesting: usize,
    /// Ranges of a set that is kept: in COPYUID, APPENDUID, MODIFIED. Default 100 000.
    pub set_ranges: usize,
}

impl Default for ResponseLimits {
    fn default() -> Self {
        Self {
            tolerance: Tolerance::Lenient,
            utf8: false,
            line: 1 << 20,
            literal: 1 << 20,
            literals: 10_000,
            buffered: 8 << 20,
            discard: 64 << 20,
            nesting: 100,
            set_ranges: 100_000,
        }
    }
}

impl ResponseLimits {
    pub(super) const fn framing(&self) -> FramingLimits {
        FramingLimits {
            line: self.line,
            literal: self.literal,
            literals: self.literals,
            buffered: self.buffered,
            discard: self.discard,
        }
    }
}
