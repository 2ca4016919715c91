//! Numbers that identify messages of a mailbox and their changes: [`Uid`], [`UidValidity`], [`ModSeq`],
//! sets of UIDs ([`UidSet`]) and shared runs of them ([`UidBlock`]).
//!
//! RFC 3501 §2.3.1.1 (UID, UIDVALIDITY), RFC 7162 §3.1 (modification sequences), RFC 3501 §9
//! (`sequence-set`). Message numbers, and with them `*`, belong to a session's view, not here.

mod block;
mod set;
#[cfg(test)]
mod tests;

use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;

pub use self::block::UidBlock;
pub use self::set::{UidRange, UidSet, UidSetError};

/// The unique identifier of a message in its mailbox: 1 to 2^32 − 1, ascending in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Uid(NonZeroU32);

impl Uid {
    /// The lowest UID.
    pub const MIN: Self = Self(NonZeroU32::MIN);
    /// The highest UID.
    pub const MAX: Self = Self(NonZeroU32::MAX);

    /// `None` for zero, which is no UID.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        match NonZeroU32::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The next higher UID, `None` behind the last.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The next lower UID, `None` before the first.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        Self::new(self.get() - 1)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Uid {
    type Err = NumberError;

    /// Reads `nz-number` of RFC 3501 §9: digits only, no sign, no leading zero, 32 bits.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let value = number(text.as_bytes(), u64::from(u32::MAX))?;
        u32::try_from(value).ok().and_then(Self::new).ok_or(NumberError::Zero)
    }
}

/// Which generation of UIDs a mailbox is in: 1 to 2^32 − 1, higher for each later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UidValidity(NonZeroU32);

impl UidValidity {
    /// The lowest value.
    pub const MIN: Self = Self(NonZeroU32::MIN);
    /// The highest value.
    pub const MAX: Self = Self(NonZeroU32::MAX);

    /// `None` for zero.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        match NonZeroU32::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for UidValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for UidValidity {
    type Err = NumberError;

    /// Reads `nz-number` of RFC 3501 §9.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let value = number(text.as_bytes(), u64::from(u32::MAX))?;
        u32::try_from(value).ok().and_then(Self::new).ok_or(NumberError::Zero)
    }
}

/// A modification sequence: 63 bits (RFC 7162 §3.1). Zero is before every change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModSeq(u64);

impl ModSeq {
    /// Before every change.
    pub const ZERO: Self = Self(0);
    /// The highest value, 2^63 − 1.
    pub const MAX: Self = Self((1 << 63) - 1);

    /// `None` above 2^63 − 1.
    #[must_use]
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::MAX.0 { Some(Self(value)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The value `count` changes later, `None` if there is none.
    #[must_use]
    pub const fn checked_add(self, count: u64) -> Option<Self> {
        match self.0.checked_add(count) {
            Some(value) => Self::new(value),
            None => None,
        }
    }
}

impl fmt::Display for ModSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for ModSeq {
    type Err = NumberError;

    /// Reads `mod-sequence-valzer` of RFC 7162 §7: digits only; `0` is allowed, other leading zeros are not.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        match text {
            "0" => Ok(Self::ZERO),
            _ => number(text.as_bytes(), Self::MAX.0).map(Self),
        }
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for ModSeq {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <u64 as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(value).ok_or_else(|| serde::de::Error::custom(NumberError::TooLarge))
    }
}

/// Why text is not a UID, UIDVALIDITY or modification sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Nothing, or something that is no decimal digit.
    #[error("expected decimal digits only")]
    NotANumber,
    /// Zero, or a leading zero.
    #[error("zero and leading zeros are not allowed")]
    Zero,
    /// Does not fit.
    #[error("the number is too large")]
    TooLarge,
}

/// Digits without leading zero, at most `max`.
fn number(digits: &[u8], max: u64) -> Result<u64, NumberError> {
    if digits.is_empty() {
        return Err(NumberError::NotANumber);
    }
    let mut value = 0_u64;
    for (index, octet) in digits.iter().enumerate() {
        if !octet.is_ascii_digit() {
            return Err(NumberError::NotANumber);
        }
        if index == 0 && *octet == b'0' {
            return Err(NumberError::Zero);
        }
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(octet - b'0')))
            .filter(|value| *value <= max)
            .ok_or(NumberError::TooLarge)?;
    }
    Ok(value)
}
