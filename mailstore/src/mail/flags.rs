//! Flags as bits of the hot columns: five system flags, then the first 27 keywords of the mailbox.

use mailwright_core::value::Flag;

pub(crate) const SEEN: u32 = 1;
pub(crate) const DELETED: u32 = 8;

/// Bit of each system flag.
pub(crate) const SYSTEM: [(u32, Flag); 5] = [
    (SEEN, Flag::Seen),
    (2, Flag::Answered),
    (4, Flag::Flagged),
    (DELETED, Flag::Deleted),
    (16, Flag::Draft),
];

/// Keywords that have a bit.
pub(crate) const INLINE: usize = 27;

/// Bit of the first keyword.
const FIRST_KEYWORD: u32 = 5;

/// The bit of a system flag; `None` for a keyword.
pub(crate) fn system_bit(flag: &Flag) -> Option<u32> {
    SYSTEM.iter().find(|(_, system)| system == flag).map(|(bit, _)| *bit)
}

/// The bit of the keyword at `index` of the mailbox's table, if it has one.
pub(crate) fn keyword_bit(index: usize) -> Option<u32> {
    let index = u32::try_from(index).ok().filter(|_| index < INLINE)?;
    Some(1 << (FIRST_KEYWORD + index))
}

/// Indexes of the keywords whose bit is set.
pub(crate) fn inline_keywords(bits: u32) -> impl Iterator<Item = usize> {
    (0..INLINE).filter(move |index| keyword_bit(*index).is_some_and(|bit| bits & bit != 0))
}
