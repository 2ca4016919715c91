//! By what SORT sorts: [`SortCriterion`]. RFC 5256 §3, RFC 5957, RFC 6203 §5.

/// By what is sorted, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 5256 §5 has no more")]
pub struct SortCriterion {
    /// REVERSE: the highest first.
    pub reverse: bool,
    /// By what.
    pub key: SortKey,
}

/// By what is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortKey {
    /// ARRIVAL: INTERNALDATE.
    Arrival,
    /// CC: the local part of the first address.
    Cc,
    /// DATE: the Date field.
    Date,
    /// FROM: the local part of the first address.
    From,
    /// SIZE: octets.
    Size,
    /// SUBJECT: without marks of answers.
    Subject,
    /// TO: the local part of the first address.
    To,
    /// DISPLAYFROM: the first address as it is shown (RFC 5957 §3).
    DisplayFrom,
    /// DISPLAYTO: the same of To.
    DisplayTo,
    /// RELEVANCY: how well it fits, the best first (RFC 6203 §5).
    Relevancy,
}

impl SortKey {
    /// Every key.
    pub const ALL: [Self; 10] = [
        Self::Arrival,
        Self::Cc,
        Self::Date,
        Self::From,
        Self::Size,
        Self::Subject,
        Self::To,
        Self::DisplayFrom,
        Self::DisplayTo,
        Self::Relevancy,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "ARRIVAL",
            Self::Cc => "CC",
            Self::Date => "DATE",
            Self::From => "FROM",
            Self::Size => "SIZE",
            Self::Subject => "SUBJECT",
            Self::To => "TO",
            Self::DisplayFrom => "DISPLAYFROM",
            Self::DisplayTo => "DISPLAYTO",
            Self::Relevancy => "RELEVANCY",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}
