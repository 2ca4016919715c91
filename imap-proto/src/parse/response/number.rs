//! Numbers as servers write them: negative, with a fraction, with an exponent.

use mailwright_core::value::DeviationKind;

use super::tokens::{Failure, Tokens};

/// The digits at the front of `text` as a number, and how many they are; no number above 18 digits.
pub(super) fn digits(text: &[u8]) -> (u64, usize) {
    let (mut number, mut length) = match text.first_chunk() {
        Some(chunk) => eight_digits(u64::from_le_bytes(*chunk)),
        None => (0, 0),
    };
    if length % 8 == 0 {
        let behind = text.get(length..).unwrap_or_default();
        for octet in behind {
            let digit = octet.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            length += 1;
        }
    }
    (if length > 18 { 0 } else { number }, length)
}

/// The same of eight octets, the first of which is the lowest, at once.
const fn eight_digits(octets: u64) -> (u64, usize) {
    let digits = octets ^ 0x3030_3030_3030_3030;
    // The highest bit is set in each octet that is above 9.
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let length = others.trailing_zeros() / 8;
    if length == 0 {
        return (0, 0);
    }
    // With zeros in front, pairs of digits, then of pairs, then of those are put together.
    let digits = digits << (64 - 8 * length);
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let eight = (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff;
    (eight, length as usize)
}

/// A size or count; `None` if it makes no sense.
pub(super) fn size(tokens: &mut Tokens<'_>) -> Result<Option<u64>, Failure> {
    let start = tokens.mark();
    let at = tokens.at();
    if let Ok(number) = tokens.number()
        && matches!(tokens.peek(), None | Some(b' ' | b')'))
    {
        return Ok(Some(number));
    }
    tokens.rewind(start);
    if tokens.keyword(b"NIL") {
        tokens.deviate_at(DeviationKind::UnexpectedNil, at)?;
        return Ok(None);
    }
    let word = tokens.word();
    if !matches!(word.first(), Some(b'0'..=b'9' | b'-' | b'+' | b'.')) {
        tokens.rewind(start);
        return Err(Failure::Expected("a number"));
    }
    tokens.deviate_at(DeviationKind::NumberForm, at)?;
    Ok(decimal(word))
}

/// The integer that a decimal with fraction or exponent is, if it is one.
fn decimal(word: &[u8]) -> Option<u64> {
    let word = word.strip_prefix(b"+").unwrap_or(word);
    let split = word.iter().position(|octet| matches!(octet, b'e' | b'E'));
    let (mantissa, exponent) = match split {
        Some(at) => (word.get(..at)?, integer(word.get(at + 1..)?)?),
        None => (word, 0),
    };
    let point = mantissa.iter().position(|octet| *octet == b'.').unwrap_or(mantissa.len());
    let whole = mantissa.get(..point)?;
    let fraction = mantissa.get(point + 1..).unwrap_or_default();
    let digits = whole.iter().chain(fraction);
    if whole.len() + fraction.len() == 0 || !digits.clone().all(u8::is_ascii_digit) {
        return None;
    }
    // Digits that count; those behind must be zero.
    let count = i64::try_from(point).ok()?.checked_add(exponent)?;
    let count = usize::try_from(count.max(0)).ok()?;
    let mut value = 0_u64;
    for (index, digit) in digits.clone().enumerate() {
        if index < count {
            value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        } else if *digit != b'0' {
            return None;
        }
    }
    for _ in whole.len() + fraction.len()..count {
        if value == 0 {
            break;
        }
        value = value.checked_mul(10)?;
    }
    Some(value)
}

fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_i64, |value, octet| match octet {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(i64::from(octet - b'0')),
        _ => None,
    })?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_end_where_something_else_begins() {
        for (text, number) in [
            ("", (0, 0)),
            ("x1234567", (0, 0)),
            ("7", (7, 1)),
            ("1 ", (1, 1)),
            ("0012 3456789", (12, 4)),
            ("1234567)9", (1_234_567, 7)),
            ("12345678", (12_345_678, 8)),
            ("12345678 90", (12_345_678, 8)),
            ("123456789,1", (123_456_789, 9)),
            ("4294967295:", (4_294_967_295, 10)),
            ("999999999999999999", (999_999_999_999_999_999, 18)),
            ("1999999999999999999", (0, 19)),
            ("1\u{b9}345678", (1, 1)),
            ("12:/;<=>", (12, 2)),
        ] {
            assert_eq!(digits(text.as_bytes()), number, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn digits_are_read_as_the_slow_way_does(text in "[0-9]{0,12}[ -~]{0,9}") {
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            let number = if length > 18 { 0 } else { text[..length].parse().unwrap_or(0) };
            proptest::prop_assert_eq!(digits(text.as_bytes()), (number, length));
        }
    }

    #[test]
    fn a_decimal_is_its_integer_when_that_is_exact() {
        for (word, value) in [
            (&b"12.0"[..], Some(12)),
            (b"1.2E1", Some(12)),
            (b"1200e-2", Some(12)),
            (b"4294967296.000", Some(4_294_967_296)),
            (b"+7", Some(7)),
            (b"0e99999999", Some(0)),
            (b"1.5", None),
            (b"-1", None),
            (b"1e30", None),
            (b"1e99999999999999999999", None),
            (b".", None),
            (b"1e", None),
            (b"1.2.3", None),
        ] {
            assert_eq!(decimal(word), value, "{}", word.escape_ascii());
        }
    }
}
