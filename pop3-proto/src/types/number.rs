//! [`MessageNumber`]: which message of the snapshot, from 1 (RFC 1939 §5).

use core::fmt;
use core::num::NonZeroU32;

/// The number of a message in its maildrop: 1 is the first. Valid for one session only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MessageNumber(NonZeroU32);

impl MessageNumber {
    /// The first message.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The message `number`, or `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The numbers from this one to `last`, in order.
    pub fn up_to(self, last: u32) -> impl Iterator<Item = Self> + Clone {
        (self.get()..=last).filter_map(Self::new)
    }

    /// Its place in a list that starts at 0.
    #[must_use]
    pub const fn index(self) -> usize {
        // A `u32` minus one fits every `usize` that this crate builds for.
        (self.get() - 1) as usize
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn there_is_no_message_zero() {
        assert_eq!(MessageNumber::new(0), None);
        assert_eq!(MessageNumber::new(1), Some(MessageNumber::FIRST));
        assert_eq!(MessageNumber::FIRST.index(), 0);
    }

    #[test]
    fn counting_up_ends_at_the_last_even_if_it_is_the_largest() {
        let numbers = |first: u32, last| -> Vec<u32> {
            MessageNumber::new(first).unwrap().up_to(last).map(MessageNumber::get).collect()
        };
        assert_eq!(numbers(1, 3), [1, 2, 3]);
        assert_eq!(numbers(1, 0), []);
        assert_eq!(numbers(u32::MAX, u32::MAX), [u32::MAX]);
    }
}
