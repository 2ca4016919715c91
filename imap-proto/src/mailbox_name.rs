//! Modified UTF-7: how mailbox names travel where UTF-8 was not agreed on. RFC 3501 §5.1.3.
//!
//! Decoding is strict, so that two spellings never mean one name: each text has exactly one encoding, and
//! nothing else is decoded. What a decoded text may hold as a name is
//! [`MailboxName`](mailwright_core::value::MailboxName)'s business.

use alloc::string::String;

use bytes::{BufMut as _, BytesMut};

/// Why octets are no modified UTF-7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not modified UTF-7 at offset {offset}: {problem}")]
#[non_exhaustive]
pub struct NameDecodeError {
    /// Octets before the problem.
    pub offset: usize,
    /// What is wrong.
    pub problem: NameProblem,
}

/// What is wrong with an encoded name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NameProblem {
    /// An octet that stands for itself nowhere: a control character, or one ≥ 0x7F.
    #[error("not printable ASCII")]
    NotPrintable,
    /// A character in a shift that is not of its alphabet, `A–Z a–z 0–9 + ,`.
    #[error("not in the alphabet of a shift")]
    Alphabet,
    /// A shift without `-` at its end.
    #[error("the shift is not closed")]
    Open,
    /// Bits that are left over are not zero, or a character is cut off.
    #[error("left-over bits")]
    Bits,
    /// Half a surrogate pair.
    #[error("half a surrogate pair")]
    Surrogate,
    /// A shift holds a character that must stand for itself.
    #[error("printable ASCII in a shift")]
    Printable,
    /// A shift follows another: they should be one.
    #[error("two shifts side by side")]
    Adjacent,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Writes `name` in modified UTF-7.
///
/// ```
/// let mut wire = bytes::BytesMut::new();
/// mailwright_imap::mailbox_name::encode("Entwürfe & mehr", &mut wire);
/// assert_eq!(wire, "Entw&APw-rfe &- mehr");
/// ```
pub fn encode(name: &str, into: &mut BytesMut) {
    // Bits that wait in a shift, and how many; `None` outside of one.
    let mut shift: Option<(u32, u32)> = None;
    for character in name.chars() {
        if matches!(character, ' '..='~') {
            close(&mut shift, into);
            into.put_u8(u8::try_from(character).unwrap_or(b'?'));
            if character == '&' {
                into.put_u8(b'-');
            }
            continue;
        }
        if shift.is_none() {
            into.put_u8(b'&');
        }
        let (mut bits, mut count) = shift.unwrap_or((0, 0));
        for unit in character.encode_utf16(&mut [0; 2]) {
            bits = (bits << 16) | u32::from(*unit);
            count += 16;
            while count >= 6 {
                count -= 6;
                put_sextet(bits >> count, into);
            }
            bits &= (1 << count) - 1;
        }
        shift = Some((bits, count));
    }
    close(&mut shift, into);
}

fn close(shift: &mut Option<(u32, u32)>, into: &mut BytesMut) {
    if let Some((bits, count)) = shift.take() {
        if count > 0 {
            put_sextet(bits << (6 - count), into);
        }
        into.put_u8(b'-');
    }
}

fn put_sextet(bits: u32, into: &mut BytesMut) {
    let index = usize::try_from(bits & 63).unwrap_or(0);
    into.put_u8(ALPHABET.get(index).copied().unwrap_or(b'A'));
}

/// Reads modified UTF-7.
///
/// # Errors
/// If there is anything that [`encode`] would have written otherwise.
///
/// ```
/// use mailwright_imap::mailbox_name::decode;
///
/// assert_eq!(decode(b"Entw&APw-rfe &- mehr").unwrap(), "Entwürfe & mehr");
/// assert!(decode(b"&AGE-").is_err(), "an `a` must stand for itself");
/// ```
pub fn decode(wire: &[u8]) -> Result<String, NameDecodeError> {
    let mut text = String::with_capacity(wire.len());
    let mut at = 0;
    let mut shift_ended_at = None;
    while let Some(&octet) = wire.get(at) {
        let wrong = |problem| NameDecodeError { offset: at, problem };
        match octet {
            b'&' => {
                let rest = wire.get(at + 1..).unwrap_or_default();
                if rest.first() == Some(&b'-') {
                    text.push('&');
                    at += 2;
                    continue;
                }
                if shift_ended_at == Some(at) {
                    return Err(wrong(NameProblem::Adjacent));
                }
                let length = memchr::memchr(b'-', rest).ok_or_else(|| wrong(NameProblem::Open))?;
                let shifted = rest.get(..length).unwrap_or_default();
                decode_shift(shifted, &mut text)
                    .map_err(|(offset, problem)| NameDecodeError { offset: at + 1 + offset, problem })?;
                at += length + 2;
                shift_ended_at = Some(at);
            }
            b' '..=b'~' => {
                text.push(char::from(octet));
                at += 1;
            }
            _ => return Err(wrong(NameProblem::NotPrintable)),
        }
    }
    Ok(text)
}

fn decode_shift(shifted: &[u8], text: &mut String) -> Result<(), (usize, NameProblem)> {
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut high: Option<u16> = None;
    for (offset, octet) in shifted.iter().enumerate() {
        let sextet = memchr::memchr(*octet, ALPHABET).and_then(|index| u32::try_from(index).ok());
        bits = (bits << 6) | sextet.ok_or((offset, NameProblem::Alphabet))?;
        count += 6;
        if count < 16 {
            continue;
        }
        count -= 16;
        let unit = u16::try_from(bits >> count).unwrap_or(u16::MAX);
        bits &= (1 << count) - 1;
        let character = match (high.take(), unit) {
            (None, 0xd800..=0xdbff) => {
                high = Some(unit);
                continue;
            }
            (before, unit) => {
                let units = before.into_iter().chain([unit]);
                let mut decoded = char::decode_utf16(units);
                match (decoded.next(), decoded.next()) {
                    (Some(Ok(character)), None) => character,
                    _ => return Err((offset, NameProblem::Surrogate)),
                }
            }
        };
        if matches!(character, ' '..='~') {
            return Err((offset, NameProblem::Printable));
        }
        text.push(character);
    }
    if high.is_some() {
        return Err((shifted.len(), NameProblem::Surrogate));
    }
    // What is left is padding: less than a sextet, all zero, and not everything.
    if count >= 6 || bits != 0 || shifted.is_empty() {
        return Err((shifted.len(), NameProblem::Bits));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    fn encoded(name: &str) -> String {
        let mut wire = BytesMut::new();
        encode(name, &mut wire);
        String::from_utf8(wire.to_vec()).unwrap()
    }

    #[test]
    fn known_names_are_written_as_the_rfc_writes_them() {
        for (name, wire) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Jim & Joe", "Jim &- Joe"),
            ("&", "&-"),
            ("", ""),
            ("\u{1f600}", "&2D3eAA-"),
            ("é\u{e9}", "&AOkA6Q-"),
        ] {
            assert_eq!(encoded(name), wire);
            assert_eq!(decode(wire.as_bytes()).unwrap(), name);
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        use NameProblem::{Adjacent, Alphabet, Bits, NotPrintable, Open, Printable, Surrogate};
        for (wire, problem) in [
            (&b"&AGE-"[..], Printable),
            (b"&ACY-", Printable),
            (b"&Jjo", Open),
            (b"&", Open),
            (b"&Jjo!-", Alphabet),
            (b"&AP/-", Alphabet),
            (b"&AOk=-", Alphabet),
            (b"&AOkA-", Bits),
            (b"&AOl-", Bits),
            (b"&A-", Bits),
            (b"&AOkAA-", Bits),
            (b"&2D0-", Surrogate),
            (b"&3gA-", Surrogate),
            (b"&2D3YPQ-", Surrogate),
            (b"&AOk-&AOk-", Adjacent),
            (b"caf\xc3\xa9", NotPrintable),
            (b"a\x7f", NotPrintable),
            (b"a\0", NotPrintable),
        ] {
            assert_eq!(decode(wire).unwrap_err().problem, problem, "{}", wire.escape_ascii());
        }
        assert!(decode(b"&AOk-&-&AOk-").is_ok(), "an ampersand stands between");
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(name in "\\PC{0,40}|.{0,40}") {
            prop_assert_eq!(decode(encoded(&name).as_bytes()).unwrap(), name);
        }

        #[test]
        fn what_is_decoded_has_no_other_encoding(wire in "[ -~]{0,4}(&[A-Za-z0-9+,]{0,8}-?){0,3}") {
            if let Ok(name) = decode(wire.as_bytes()) {
                prop_assert_eq!(encoded(&name), wire.to_string());
            }
        }
    }
}
