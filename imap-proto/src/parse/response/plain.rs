//! The forms that nearly every response has, read in one look and without a copy: counts, and the items of FETCH that
//! are numbers or flags. RFC 9051 §7.4.1, §7.5.1, §7.5.2.
//!
//! Whatever stands here in any other form is `None`, and the whole grammar reads it. What is read here means what that
//! says: a test of the reader holds the two together.

use alloc::vec::Vec;

use mailwright_core::value::{Flag, ModSeq, Uid};

use super::number::digits;
use crate::types::{FetchItem, Response};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Exists,
    Recent,
    Expunge,
}

/// `* 23 EXISTS` and its like with the line end, and how many octets that is.
pub(super) fn count(input: &[u8]) -> Option<(Count, u32, usize)> {
    let (number, at) = number(input, 2)?;
    let number = u32::try_from(number).ok()?;
    let (count, length) = match input.get(at..)? {
        [b' ', b'E', b'X', b'I', b'S', b'T', b'S', b'\r', b'\n', ..] => (Count::Exists, 9),
        [b' ', b'R', b'E', b'C', b'E', b'N', b'T', b'\r', b'\n', ..] => (Count::Recent, 9),
        [b' ', b'E', b'X', b'P', b'U', b'N', b'G', b'E', b'\r', b'\n', ..] if number > 0 => {
            (Count::Expunge, 10)
        }
        _ => return None,
    };
    Some((count, number, at + length))
}

impl Count {
    pub(super) const fn response(self, number: u32) -> Response {
        match self {
            Self::Exists => Response::Exists(number),
            Self::Recent => Response::Recent(number),
            Self::Expunge => Response::Expunge(number),
        }
    }
}

/// The number in `* 23 FETCH (`, and how many octets that is.
pub(super) fn fetch(line: &[u8]) -> Option<(u32, usize)> {
    let (number, at) = number(line, 2)?;
    let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
    matches!(line.get(at..)?, [b' ', b'F', b'E', b'T', b'C', b'H', b' ', b'(', ..])
        .then_some((number, at + 8))
}

/// An item of FETCH.
#[derive(Debug)]
pub(super) enum Item {
    Uid(Uid),
    Flags(Vec<Flag>, bool),
    Size(u64),
    ModSeq(ModSeq),
}

impl From<Item> for FetchItem {
    fn from(item: Item) -> Self {
        match item {
            Item::Uid(uid) => Self::Uid(uid),
            Item::Flags(flags, recent) => Self::Flags { flags, recent, other: Vec::new() },
            Item::Size(size) => Self::Rfc822Size(Some(size)),
            Item::ModSeq(mod_seq) => Self::ModSeq(mod_seq),
        }
    }
}

/// An item of FETCH with the space before it, unless it is the first, and how many octets that is.
pub(super) fn item(line: &[u8], first: bool) -> Option<(Item, usize)> {
    let start = usize::from(!first);
    if !first && line.first() != Some(&b' ') {
        return None;
    }
    let (item, end) = match line.get(start..)? {
        [b'U', b'I', b'D', b' ', ..] => {
            let (number, end) = number(line, start + 4)?;
            (Item::Uid(Uid::new(u32::try_from(number).ok()?)?), end)
        }
        [b'F', b'L', b'A', b'G', b'S', b' ', b'(', ..] => flags(line, start + 7)?,
        [b'R', b'F', b'C', b'8', b'2', b'2', b'.', b'S', b'I', b'Z', b'E', b' ', ..] => {
            let (number, end) = number(line, start + 12)?;
            (Item::Size(number), end)
        }
        [b'M', b'O', b'D', b'S', b'E', b'Q', b' ', b'(', ..] => {
            let (number, end) = number(line, start + 8)?;
            if number == 0 || line.get(end) != Some(&b')') {
                return None;
            }
            (Item::ModSeq(ModSeq::new(number)?), end + 1)
        }
        _ => return None,
    };
    matches!(line.get(end), Some(b' ' | b')')).then_some((item, end))
}

/// Flags from `start` to their closing parenthesis, and the place behind it.
fn flags(line: &[u8], start: usize) -> Option<(Item, usize)> {
    if line.get(start) == Some(&b')') {
        return Some((Item::Flags(Vec::new(), false), start + 1));
    }
    // Few messages have more.
    let (mut flags, mut recent) = (Vec::with_capacity(4), false);
    let mut at = start;
    loop {
        let rest = line.get(at..)?;
        let (flag, length) = match rest {
            [b'\\', b'S', b'e', b'e', b'n', b' ' | b')', ..] => (Flag::Seen, 5),
            [b'\\', b'A', b'n', b's', b'w', b'e', b'r', b'e', b'd', b' ' | b')', ..] => (Flag::Answered, 9),
            [b'\\', b'R', b'e', b'c', b'e', b'n', b't', b' ' | b')', ..] => {
                recent = true;
                if rest.get(7) == Some(&b')') {
                    return Some((Item::Flags(flags, recent), at + 8));
                }
                at += 8;
                continue;
            }
            _ => {
                let length = rest.iter().position(|octet| matches!(octet, b' ' | b')'))?;
                (Flag::from_octets(rest.get(..length)?).ok()?, length)
            }
        };
        flags.push(flag);
        at += length + 1;
        if rest.get(length) == Some(&b')') {
            return Some((Item::Flags(flags, recent), at));
        }
    }
}

/// The number of 18 digits at most, which are less than 63 bits, that stands at `start`, and the place behind it.
fn number(text: &[u8], start: usize) -> Option<(u64, usize)> {
    let (number, length) = digits(text.get(start..)?);
    (1..=18).contains(&length).then_some((number, start + length))
}
