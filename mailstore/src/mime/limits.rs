//! [`Limits`] of the scanner, and the [`Findings`] that say which of them a message passed.

use core::fmt;
use core::ops::BitOrAssign;

/// What the scanner is willing to keep of one message. Past a limit it notes a [finding](Findings) and goes
/// on with less; it never fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Levels of the part tree, the message itself being one. A part at the last level is not entered.
    /// Default 100.
    pub depth: usize,
    /// Parts. The last one holds the rest of the message and is not looked into. Default 10 000.
    pub parts: usize,
    /// Fields of one header; later ones are ignored. Default 10 000.
    pub header_fields: usize,
    /// Octets of one header; a field that is not complete within them is ignored. Default 1 MiB.
    pub header_octets: usize,
    /// Parameters of one field; later ones are ignored. Default 1000.
    pub parameters: usize,
    /// Addresses of one field of an ENVELOPE; later ones are ignored. Default 10 000.
    pub addresses: usize,
    /// Message-ids of `References`; the earliest ones are ignored. Default 1000.
    pub references: usize,
    /// Octets of all wire forms together. Once they are used up, nothing more is entered and the next part is
    /// the last one. Default 4 MiB.
    pub structure_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 100,
            parts: 10_000,
            header_fields: 10_000,
            header_octets: 1 << 20,
            parameters: 1000,
            addresses: 10_000,
            references: 1000,
            structure_octets: 4 << 20,
        }
    }
}

/// What the scanner noticed: limits passed, lines it could not read, and what not every reader can. A set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Findings(u16);

impl Findings {
    /// More levels than [`Limits::depth`].
    pub const DEPTH: Self = Self(1);
    /// More parts than [`Limits::parts`].
    pub const PARTS: Self = Self(1 << 1);
    /// More fields than [`Limits::header_fields`].
    pub const HEADER_FIELDS: Self = Self(1 << 2);
    /// A header above [`Limits::header_octets`].
    pub const HEADER_OCTETS: Self = Self(1 << 3);
    /// More parameters than [`Limits::parameters`].
    pub const PARAMETERS: Self = Self(1 << 4);
    /// More addresses than [`Limits::addresses`].
    pub const ADDRESSES: Self = Self(1 << 5);
    /// More message-ids than [`Limits::references`].
    pub const REFERENCES: Self = Self(1 << 6);
    /// Wire forms above [`Limits::structure_octets`].
    pub const STRUCTURE_OCTETS: Self = Self(1 << 7);
    /// A header line without a colon or with an invalid name.
    pub const HEADER_LINE: Self = Self(1 << 8);
    /// A `Content-Type` that is not valid, or a multipart without a usable boundary.
    pub const CONTENT_TYPE: Self = Self(1 << 9);
    /// UTF-8 beyond ASCII in the header of the message, which only readers of RFC 6532 take.
    pub const UTF8_HEADER: Self = Self(1 << 10);

    const NAMES: [&'static str; 11] = [
        "DEPTH",
        "PARTS",
        "HEADER_FIELDS",
        "HEADER_OCTETS",
        "PARAMETERS",
        "ADDRESSES",
        "REFERENCES",
        "STRUCTURE_OCTETS",
        "HEADER_LINE",
        "CONTENT_TYPE",
        "UTF8_HEADER",
    ];

    /// Whether all of `other` was noticed.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing was noticed.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as a number, for the stored form.
    pub(super) const fn bits(self) -> u16 {
        self.0
    }

    /// The set of a number; `None` if it has bits without a meaning.
    pub(super) const fn from_bits(bits: u16) -> Option<Self> {
        if bits >> Self::NAMES.len() == 0 { Some(Self(bits)) } else { None }
    }
}

impl BitOrAssign for Findings {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().enumerate();
        f.debug_set()
            .entries(names.filter(|(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name))
            .finish()
    }
}
