//! Parsers over one complete item: a line without its end. They borrow, and allocate only to report.
//!
//! The framer has decided where an item ends, so nothing here is ever incomplete. Commands are read by
//! [`Command::parse`](crate::types::Command::parse), everything else by the functions of this module.

mod capability;
mod command;
mod listing;
mod reply;

use nom::IResult;

pub(crate) use self::capability::capability;
pub use self::command::{CommandError, Parsed};
pub use self::listing::{
    Entry, EntryError, EntryProblem, listing_id, listing_language, listing_raw_id, listing_size, two_numbers,
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
    let mut value = 0_u64;
    let mut length = 0;
    for octet in input.iter().take(19) {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // Nineteen digits fit.
        value = value.wrapping_mul(10).wrapping_add(digit.into());
        length += 1;
    }
    let mut value = Some(value);
    if let (19, Some(last)) = (length, input.get(19).filter(|octet| octet.is_ascii_digit())) {
        value =
            value.and_then(|value| value.checked_mul(10)?.checked_add(u64::from(last.wrapping_sub(b'0'))));
        length = 20;
    }
    match input.split_at_checked(length) {
        Some((digits, rest)) if length > 0 => {
            Ok((rest, Numeral { value, leading_zero: length > 1 && digits.first() == Some(&b'0') }))
        }
        _ => Err(nom::Err::Error(())),
    }
}
