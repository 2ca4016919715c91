//! [`Tags`]: the tags of a connection. RFC 9051 §2.2.1.
//!
//! They begin with letters by chance, so that nobody who has not seen a command can complete it.

use alloc::format;

use bytes::Bytes;
use mailwright_sasl::Seed;

use crate::types::Tag;

/// Letters and digits that are hard to mix up.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Octets before the number.
const PREFIX: usize = 6;

pub(super) struct Tags {
    prefix: [u8; PREFIX],
    next: u64,
}

impl Tags {
    pub(super) fn new(seed: &mut Seed) -> Self {
        let nonce = seed.nonce();
        let mut prefix = [b'A'; PREFIX];
        for (letter, octet) in prefix.iter_mut().zip(nonce.octets()) {
            *letter = ALPHABET.get(usize::from(octet % 32)).copied().unwrap_or(b'A');
        }
        Self { prefix, next: 1 }
    }

    /// The tag of a new command, and its number.
    pub(super) fn next(&mut self) -> (u64, Option<Tag>) {
        let number = self.next;
        self.next += 1;
        let text = format!("{}{number}", core::str::from_utf8(&self.prefix).unwrap_or_default());
        (number, Tag::new(Bytes::from(text)).ok())
    }

    /// The number of a tag that a server says.
    pub(super) fn number(&self, tag: &Tag) -> Option<u64> {
        let digits = tag.as_bytes().strip_prefix(&self.prefix)?;
        let canonical =
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
        let digits = core::str::from_utf8(digits).ok().filter(|_| canonical)?;
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_by_its_number_and_nothing_else() {
        let mut tags = Tags::new(&mut Seed::new([3; 32]));
        let (number, tag) = tags.next();
        let tag = tag.unwrap();
        assert_eq!((number, tags.number(&tag)), (1, Some(1)));
        for other in ["1", "A1", &format!("{tag}x"), &format!("x{tag}"), &tag.as_str().to_lowercase()] {
            assert_eq!(tags.number(&Tag::new(other.as_bytes().to_vec()).unwrap()), None, "{other}");
        }
        let padded = tag.as_str().replace('1', "01");
        let prefix_has_no_one = !tag.as_str().trim_end_matches('1').contains('1');
        assert!(prefix_has_no_one);
        assert_eq!(tags.number(&Tag::new(padded).unwrap()), None);
    }

    #[test]
    fn another_seed_has_other_tags() {
        let first = Tags::new(&mut Seed::new([1; 32])).next().1;
        assert_ne!(first, Tags::new(&mut Seed::new([2; 32])).next().1);
    }
}
