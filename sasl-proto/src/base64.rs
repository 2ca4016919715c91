//! Strict base64, as the SASL profiles of the mail protocols want it (RFC 4648 §3.3, §3.5, §4).
//!
//! One text has one meaning: only the alphabet, a length that is a multiple of four, `=` only at the
//! end, unused bits zero, no white space. Decoded octets are a [`Secret`], since they are passwords
//! more often than not. The marks `=` (an empty initial response) and `*` (cancel) are no base64 and
//! belong to the protocol crates.

use alloc::vec::Vec;

use bytes::{BufMut as _, BytesMut};
use mailwright_core::value::Secret;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// How many octets [`encode`] appends for `octets` octets.
#[must_use]
pub const fn encoded_len(octets: usize) -> usize {
    octets.div_ceil(3).saturating_mul(4)
}

/// Appends the base64 of `octets` to `into`, with padding and without line ends.
pub fn encode(octets: &[u8], into: &mut BytesMut) {
    into.reserve(encoded_len(octets.len()));
    for group in octets.chunks(3) {
        let (first, second, third) = match *group {
            [first, second, third] => (first, second, third),
            [first, second] => (first, second, 0),
            [first] => (first, 0, 0),
            _ => continue,
        };
        let bits = u32::from(first) << 16 | u32::from(second) << 8 | u32::from(third);
        let characters = [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)];
        for (at, character) in characters.into_iter().enumerate() {
            into.put_u8(if at > group.len() { b'=' } else { character });
        }
    }
}

/// The letter for the lowest six bits.
fn letter(bits: u32) -> u8 {
    usize::try_from(bits & 63).ok().and_then(|index| ALPHABET.get(index)).copied().unwrap_or(b'=')
}

/// Decodes `text`, which is all of one base64 item; empty text is no octets.
///
/// The result is made at its full size before the first octet is written, so no copy of a secret stays
/// behind in freed memory.
///
/// # Errors
/// At the first departure from canonical base64, see the [module](self).
pub fn decode(text: &[u8]) -> Result<Secret, Base64Error> {
    if text.len() % 4 != 0 {
        // An octet outside the alphabet says more than the length does.
        if let Some(offset) = text.iter().position(|&octet| octet != b'=' && value(octet).is_none()) {
            return Err(Base64Error::Octet { offset });
        }
        return Err(Base64Error::Length { octets: text.len() });
    }
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    let result = decode_groups(text, &mut octets);
    // Taken over first, so that what was decoded before an error is overwritten as well.
    let secret = Secret::new(octets);
    result.map(|()| secret)
}

fn decode_groups(text: &[u8], octets: &mut Vec<u8>) -> Result<(), Base64Error> {
    for (index, group) in text.chunks(4).enumerate() {
        let start = index * 4;
        let last = start + 4 == text.len();
        let padding = match *group {
            [_, _, b'=', b'='] if last => 2,
            [_, _, _, b'='] if last => 1,
            _ => 0,
        };
        let mut bits = 0;
        for (at, &octet) in group.iter().enumerate() {
            let six = if at < 4 - padding {
                match value(octet) {
                    Some(six) => six,
                    None if octet == b'=' => return Err(Base64Error::Padding { offset: start + at }),
                    None => return Err(Base64Error::Octet { offset: start + at }),
                }
            } else {
                0
            };
            bits = bits << 6 | u32::from(six);
        }
        let [_, first, second, third] = bits.to_be_bytes();
        match padding {
            0 => octets.extend_from_slice(&[first, second, third]),
            1 if third == 0 => octets.extend_from_slice(&[first, second]),
            2 if second == 0 && third == 0 => octets.push(first),
            // RFC 4648 §3.5: bits that pad must be zero, or one value would have several texts.
            _ => return Err(Base64Error::UnusedBits { offset: start + 3 - padding }),
        }
    }
    Ok(())
}

/// The six bits that a letter stands for.
const fn value(octet: u8) -> Option<u8> {
    match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Why a text is no canonical base64. Says where, never what: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Base64Error {
    /// The length is no multiple of four.
    #[error("base64 of {octets} characters, which is no multiple of four")]
    Length {
        /// How many characters there are.
        octets: usize,
    },
    /// A character outside the alphabet, white space included.
    #[error("no base64 character at offset {offset}")]
    Octet {
        /// Where it stands.
        offset: usize,
    },
    /// `=` before the end, or more than two.
    #[error("misplaced `=` in base64 at offset {offset}")]
    Padding {
        /// Where it stands.
        offset: usize,
    },
    /// The last character has bits that no octet uses, and they are not zero.
    #[error("base64 with unused bits that are not zero at offset {offset}")]
    UnusedBits {
        /// Where the character stands.
        offset: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(octets: &[u8]) -> BytesMut {
        let mut text = BytesMut::new();
        encode(octets, &mut text);
        text
    }

    fn decoded(text: &[u8]) -> Result<Vec<u8>, Base64Error> {
        decode(text).map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn the_vectors_of_rfc_4648_go_both_ways() {
        let vectors: [(&[u8], &[u8]); 7] = [
            (b"", b""),
            (b"f", b"Zg=="),
            (b"fo", b"Zm8="),
            (b"foo", b"Zm9v"),
            (b"foob", b"Zm9vYg=="),
            (b"fooba", b"Zm9vYmE="),
            (b"foobar", b"Zm9vYmFy"),
        ];
        for (octets, text) in vectors {
            assert_eq!(encoded(octets), text);
            assert_eq!(decoded(text).as_deref(), Ok(octets));
        }
    }

    #[test]
    fn whatever_is_not_canonical_is_refused_where_it_stands() {
        for (text, error) in [
            ("Zg", Base64Error::Length { octets: 2 }),
            ("Zg=", Base64Error::Length { octets: 3 }),
            ("=", Base64Error::Length { octets: 1 }),
            ("*", Base64Error::Octet { offset: 0 }),
            ("Zm9 ", Base64Error::Octet { offset: 3 }),
            ("Zm9v ", Base64Error::Octet { offset: 4 }),
            ("Zm-_", Base64Error::Octet { offset: 2 }),
            ("Zm\u{e9}9", Base64Error::Octet { offset: 2 }),
            ("Zg==Zg==", Base64Error::Padding { offset: 2 }),
            ("Z===", Base64Error::Padding { offset: 1 }),
            ("====", Base64Error::Padding { offset: 0 }),
            ("Zg=v", Base64Error::Padding { offset: 2 }),
            ("Zh==", Base64Error::UnusedBits { offset: 1 }),
            ("Zm9=", Base64Error::UnusedBits { offset: 2 }),
        ] {
            assert_eq!(decoded(text.as_bytes()), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = encoded(&octets);
            prop_assert_eq!(text.len(), encoded_len(octets.len()));
            prop_assert_eq!(decoded(&text), Ok(octets));
        }

        #[test]
        fn what_decodes_is_what_encodes(text in "[A-Za-z0-9+/=]{0,12}") {
            if let Ok(octets) = decoded(text.as_bytes()) {
                prop_assert_eq!(encoded(&octets), text.as_bytes());
            }
        }
    }
}
