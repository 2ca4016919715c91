//! The two encodings that parameters carry text in: xtext (RFC 3461 §4) and the 7-bit form of addresses beyond
//! ASCII, `\x{HEX}` (RFC 6533 §3).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// RFC 3461 §4: `+` and two upper-case hexadecimal digits, or %d33–126 without `+` and `=`. No control
/// character may come out.
pub(crate) fn decode_xtext(value: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(value.len());
    each_octet(value, |octet| decoded.push(octet))?;
    Some(decoded)
}

/// The octets that xtext carries, one after the other; `None` if it is none.
pub(crate) fn each_octet(value: &[u8], mut take: impl FnMut(u8)) -> Option<()> {
    let mut octets = value.iter();
    while let Some(&octet) = octets.next() {
        let octet = match octet {
            b'+' => hex_digit(octets.next())? << 4 | hex_digit(octets.next())?,
            b'=' => return None,
            other if other.is_ascii_graphic() => other,
            _ => return None,
        };
        if octet.is_ascii_control() {
            return None;
        }
        take(octet);
    }
    Some(())
}

fn hex_digit(octet: Option<&u8>) -> Option<u8> {
    match octet? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Text as xtext.
pub(crate) struct Xtext<'a>(pub(crate) &'a str);

impl fmt::Display for Xtext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|octet| match octet {
            b'+' | b'=' => write!(f, "+{octet:02X}"),
            octet if octet.is_ascii_graphic() => f.write_char(char::from(octet)),
            octet => write!(f, "+{octet:02X}"),
        })
    }
}

/// Why text is not the form of RFC 6533 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotUnitext;

/// RFC 6533 §3: `\x{HEX}`, 2 to 6 upper-case digits without leading zeros beyond the second, for `\`, `+`, `=`,
/// space and what is not ASCII; everything else as it is. No control character may come out.
pub(crate) fn decode_unitext(value: &str) -> Result<String, NotUnitext> {
    let mut decoded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        let (character, length) = match character {
            '\\' => embedded(rest).ok_or(NotUnitext)?,
            '+' | '=' | ' ' => return Err(NotUnitext),
            other => (other, other.len_utf8()),
        };
        if character.is_control() {
            return Err(NotUnitext);
        }
        decoded.push(character);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(decoded)
}

/// The `\x{HEX}` at the front of `text`, and its length.
pub(crate) fn embedded(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("\\x{")?;
    let digits = digits.get(..digits.find('}')?)?;
    let well_formed = matches!(digits.len(), 2..=6)
        && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'))
        && (digits.len() == 2 || !digits.starts_with('0'));
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| well_formed)?)?;
    let needed = !character.is_ascii() || character.is_ascii_control() || is_special(character);
    needed.then_some((character, digits.len() + 4))
}

fn is_special(character: char) -> bool {
    matches!(character, '\\' | '+' | '=' | ' ')
}

/// Text in the 7-bit form of RFC 6533 §3.
pub(crate) struct Unitext<'a>(pub(crate) &'a str);

impl fmt::Display for Unitext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            if is_special(character) || !character.is_ascii_graphic() {
                write!(f, "\\x{{{:02X}}}", u32::from(character))
            } else {
                f.write_char(character)
            }
        })
    }
}
