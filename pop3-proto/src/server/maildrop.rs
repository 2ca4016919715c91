//! [`Maildrop`], the snapshot that a host lends to a session, and what the session keeps beside it: one
//! bit for each deleted message, and two sums.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::config::Expire;
use crate::types::{MessageNumber, UniqueId};

/// The messages of a maildrop as they were when it was opened. Numbers are 1 to [`Self::len`]; nothing
/// may change while the session lives, whatever happens in the store (RFC 1939 §4).
///
/// A good place for the lock as well: the session drops its reference when it ends, also when the
/// connection just disappears.
pub trait Maildrop: Send + Sync {
    /// How many messages there are.
    fn len(&self) -> u32;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets that RETR sends for a message: each line end is CR LF and the last line has one. For
    /// content as it is stored, `LineEndCounter` of the core counts them (RFC 1939 §11). Asked of every
    /// message when the maildrop is opened, so have it at hand.
    fn size(&self, number: MessageNumber) -> u64;

    /// Its unique id: no other message of the snapshot has it, and the message keeps it in every session
    /// (RFC 1939 §7).
    fn id(&self, number: MessageNumber) -> UniqueId;

    /// Whether the message has UTF-8 in its header and is not to be had without UTF8: asked only if the client has
    /// not said it ([`Event::Open`](super::Event::Open) tells). LIST with its number, RETR and TOP are then refused
    /// with `[UTF8]` (RFC 6856 §5). Default `false`: a host that sends something else for it, of the size that
    /// [`Self::size`] says, has no such messages.
    fn needs_utf8(&self, number: MessageNumber) -> bool {
        let _ = number;
        false
    }

    /// How long messages of this user stay, if that is another time than [`Config::expire`](super::Config::expire)
    /// says. Asked only if users differ.
    fn expire(&self) -> Option<Expire> {
        None
    }

    /// Seconds that this user must leave between logins, if they are others than
    /// [`Config::login_delay`](super::Config::login_delay) says. Asked only if users differ.
    fn login_delay(&self) -> Option<u32> {
        None
    }
}

/// Size and id of each message, in order: enough for tests and small hosts. A number beyond the end has
/// size 0 and the id `none`.
impl Maildrop for Vec<(u64, UniqueId)> {
    fn len(&self) -> u32 {
        u32::try_from(Self::len(self)).unwrap_or(u32::MAX)
    }

    fn size(&self, number: MessageNumber) -> u64 {
        self.get(number.index()).map_or(0, |&(size, _)| size)
    }

    fn id(&self, number: MessageNumber) -> UniqueId {
        self.get(number.index()).map_or(UniqueId::NONE, |&(_, id)| id)
    }
}

/// Which messages are marked as deleted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Deletions {
    /// A bit for each message, from the lowest; as long as the highest bit needs, at most.
    words: Vec<u64>,
    count: u32,
}

impl Deletions {
    /// How many.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether `number` is one of them.
    #[must_use]
    pub fn contains(&self, number: MessageNumber) -> bool {
        let (word, bit) = Self::place(number);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Their numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = MessageNumber> + '_ {
        let last = u32::try_from(self.words.len().saturating_mul(64)).unwrap_or(u32::MAX);
        MessageNumber::FIRST.up_to(last).filter(|&number| self.contains(number))
    }

    const fn place(number: MessageNumber) -> (usize, u64) {
        (number.index() / 64, 1 << (number.index() % 64))
    }

    /// Marks `number`, which is not yet marked.
    fn insert(&mut self, number: MessageNumber, messages: u32) {
        let (word, bit) = Self::place(number);
        if self.words.is_empty() {
            // At its full size at once: one bit for each message, never more.
            let words = usize::try_from(messages.div_ceil(64)).unwrap_or(usize::MAX);
            self.words.reserve_exact(words);
            self.words.resize(words, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
            self.count += 1;
        }
    }
}

impl fmt::Debug for Deletions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(MessageNumber::get).take(20)).finish()
    }
}

/// An open maildrop: the snapshot and what the session has marked in it.
pub(super) struct Snapshot {
    pub(super) maildrop: Arc<dyn Maildrop>,
    pub(super) messages: u32,
    /// Octets of all messages, marked ones included.
    octets: u64,
    pub(super) deleted: Deletions,
    deleted_octets: u64,
}

impl Snapshot {
    pub(super) fn new(maildrop: Arc<dyn Maildrop>) -> Self {
        let messages = maildrop.len();
        let octets = MessageNumber::FIRST
            .up_to(messages)
            .fold(0_u64, |octets, number| octets.saturating_add(maildrop.size(number)));
        Self { maildrop, messages, octets, deleted: Deletions::default(), deleted_octets: 0 }
    }

    /// Whether `number` is a message that is not marked.
    pub(super) fn has(&self, number: MessageNumber) -> bool {
        number.get() <= self.messages && !self.deleted.contains(number)
    }

    /// Whether a message is only for clients that have said UTF8.
    pub(super) fn needs_utf8(&self, number: MessageNumber) -> bool {
        self.maildrop.needs_utf8(number)
    }

    pub(super) fn size(&self, number: MessageNumber) -> u64 {
        self.maildrop.size(number)
    }

    pub(super) fn id(&self, number: MessageNumber) -> UniqueId {
        self.maildrop.id(number)
    }

    /// Messages that are not marked.
    pub(super) const fn left(&self) -> u32 {
        self.messages - self.deleted.len()
    }

    /// Octets of the messages that are not marked.
    pub(super) const fn octets_left(&self) -> u64 {
        self.octets.saturating_sub(self.deleted_octets)
    }

    pub(super) fn delete(&mut self, number: MessageNumber) {
        self.deleted_octets = self.deleted_octets.saturating_add(self.size(number));
        self.deleted.insert(number, self.messages);
    }

    pub(super) fn restore(&mut self) {
        self.deleted = Deletions::default();
        self.deleted_octets = 0;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn number(number: u32) -> MessageNumber {
        MessageNumber::new(number).unwrap()
    }

    fn snapshot(sizes: &[u64]) -> Snapshot {
        Snapshot::new(Arc::new(sizes.iter().map(|&size| (size, UniqueId::NONE)).collect::<Vec<_>>()))
    }

    #[test]
    fn deleting_subtracts_and_restoring_gives_back() {
        let mut snapshot = snapshot(&[100, 20, 3]);
        assert_eq!((snapshot.left(), snapshot.octets_left()), (3, 123));
        snapshot.delete(number(2));
        assert_eq!((snapshot.left(), snapshot.octets_left()), (2, 103));
        assert!(snapshot.has(number(1)) && !snapshot.has(number(2)) && !snapshot.has(number(4)));
        snapshot.restore();
        assert_eq!((snapshot.left(), snapshot.octets_left()), (3, 123));
    }

    #[test]
    fn deletions_take_one_bit_for_each_message() {
        let mut snapshot = snapshot(&vec![1; 1000]);
        for deleted in [64, 1, 65, 1000] {
            snapshot.delete(number(deleted));
        }
        assert_eq!(snapshot.deleted.words.capacity(), 1000_usize.div_ceil(64));
        let deleted: Vec<_> = snapshot.deleted.iter().map(MessageNumber::get).collect();
        assert_eq!(deleted, [1, 64, 65, 1000]);
    }
}
