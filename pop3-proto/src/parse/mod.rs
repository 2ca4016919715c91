//! Parsers over one complete item: a line without its end. They borrow, and allocate only to report.
//!
//! The framer has decided where an item ends, so nothing here is ever incomplete. Commands are read by
//! [`Command::parse`](crate::types::Command::parse), everything else by the functions of this module.

mod capability;
mod command;
mod listing;
mod reply;

use nom::bytes::complete::take_while_m_n;
use nom::{IResult, Parser as _};

pub(crate) use self::capability::capability;
pub use self::command::{CommandError, Parsed};
pub use self::listing::{
    Entry, EntryError, EntryProblem, listing_id, listing_raw_id, listing_size, two_numbers,
};
pub use self::reply::{Accept, ReplyError, challenge, status_line};
use crate::types::MessageNumber;

/// What a nom parser here returns: the errors are made by the caller, who knows more.
type Step<'a, T> = IResult<&'a [u8], T, ()>;

/// 1 to 20 digits.
#[derive(Clone, Copy)]
struct Numeral {
    /// `None` if it does not fit.
    value: Option<u64>,
    /// Whether it has a zero in front that says nothing.
    leading_zero: bool,
}

impl Numeral {
    /// The message of this number. Never wraps, never saturates: 0 and what does not fit is no message.
    fn message(self) -> Option<MessageNumber> {
        self.value.and_then(|value| u32::try_from(value).ok()).and_then(MessageNumber::new)
    }
}

/// Reads digits, 20 at most; a 21st is left for the caller to stumble over.
fn numeral(input: &[u8]) -> Step<'_, Numeral> {
    let (rest, digits) = take_while_m_n(1, 20, |octet: u8| octet.is_ascii_digit()).parse(input)?;
    let digit = |digit: u8| u64::from(digit.wrapping_sub(b'0'));
    let value = if digits.len() < 20 {
        Some(digits.iter().fold(0_u64, |value, &next| value.wrapping_mul(10).wrapping_add(digit(next))))
    } else {
        // Only twenty digits can be too many for 64 bits.
        digits.iter().try_fold(0_u64, |value, &next| value.checked_mul(10)?.checked_add(digit(next)))
    };
    Ok((rest, Numeral { value, leading_zero: digits.len() > 1 && digits.first() == Some(&b'0') }))
}
