//! Numbers as servers write them: negative, with a fraction, with an exponent.

use mailwright_core::value::DeviationKind;

use super::tokens::{Failure, Tokens};

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
