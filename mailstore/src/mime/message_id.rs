//! [`MessageIdHash`]: what of message-ids threading needs.
//!
//! RFC 5322 §3.6.4 (`msg-id`), RFC 5256 §3 (which fields count, and that `<"a"@b>` and `<a@b>` are the same).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use super::lexer::{Lexer, is_space, unquote};

/// The hash of a message-id: the first 128 bits of the SHA-256 of its text without brackets, quotes, comments
/// and white space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageIdHash(pub(super) [u8; 16]);

impl MessageIdHash {
    /// The hash of the first message-id in `value`, which is an unfolded field value.
    #[must_use]
    pub fn first_in(value: &[u8]) -> Option<Self> {
        MessageIds(Lexer::new(value)).next()
    }

    /// Its octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The last `limit` message-ids of a value, and whether there were more.
pub(super) fn last_of(value: &[u8], limit: usize) -> (Vec<MessageIdHash>, bool) {
    let mut hashes = VecDeque::new();
    let mut more = false;
    for hash in MessageIds(Lexer::new(value)) {
        hashes.push_back(hash);
        if hashes.len() > limit {
            hashes.pop_front();
            more = true;
        }
    }
    (hashes.into(), more)
}

struct MessageIds<'a>(Lexer<'a>);

impl Iterator for MessageIds<'_> {
    type Item = MessageIdHash;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // RFC 5322 §4.5.4: in the obsolete form phrases may stand between them.
            self.0.skip_to(b'<');
            if !self.0.accept(b'<') {
                return None;
            }
            let mut hash = Sha256::new();
            let mut at = false;
            loop {
                match self.0.peek() {
                    // One that does not end, or in which another begins, is none.
                    None => return None,
                    Some(b'<') => break,
                    Some(b'>') => {
                        self.0.accept(b'>');
                        if !at {
                            break;
                        }
                        let digest: [u8; 32] = hash.finalize().into();
                        return digest.first_chunk().copied().map(MessageIdHash);
                    }
                    Some(b'"') => {
                        let (quoted, closed) = self.0.quoted();
                        hash.update(unquote(quoted, closed));
                    }
                    Some(b'(') => _ = self.0.comment(),
                    Some(octet) if is_space(octet) => _ = self.0.take_while(is_space),
                    Some(octet) => {
                        at |= octet == b'@';
                        hash.update(self.0.advance(1));
                    }
                }
            }
        }
    }
}
