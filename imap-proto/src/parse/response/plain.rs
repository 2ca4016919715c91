//! The forms that nearly every response has, read in one look and without a copy: counts, and the items of FETCH that
//! are numbers or flags. RFC 9051 §7.4.1, §7.5.1, §7.5.2.
//!
//! Whatever stands here in any other form is `None`, and the whole grammar reads it. What is read here means what that
//! says: a test of the reader holds the two together.

use alloc::vec::Vec;

use mailwright_core::value::{Flag, ModSeq, Uid};

use crate::types::{FetchItem, Response};

/// `* 23 EXISTS` and its like with the line end, and how many octets that is.
pub(super) fn count(input: &[u8]) -> Option<(Response, usize)> {
    let (number, behind) = number(input.strip_prefix(b"* ")?)?;
    let number = u32::try_from(number).ok()?;
    let (response, length) = match behind {
        [b' ', b'E', b'X', b'I', b'S', b'T', b'S', b'\r', b'\n', ..] => (Response::Exists(number), 9),
        [b' ', b'R', b'E', b'C', b'E', b'N', b'T', b'\r', b'\n', ..] => (Response::Recent(number), 9),
        [b' ', b'E', b'X', b'P', b'U', b'N', b'G', b'E', b'\r', b'\n', ..] if number > 0 => {
            (Response::Expunge(number), 10)
        }
        _ => return None,
    };
    Some((response, input.len() - behind.len() + length))
}

/// The number in `* 23 FETCH (`.
pub(super) fn fetch(head: &[u8]) -> Option<u32> {
    let (number, behind) = number(head.strip_prefix(b"* ")?)?;
    u32::try_from(number).ok().filter(|number| *number > 0 && behind == b" FETCH (")
}

/// An item of FETCH with the space before it, unless it is the first, and how many octets that is.
pub(super) fn item(line: &[u8], first: bool) -> Option<(FetchItem, usize)> {
    let start = if first { line } else { line.strip_prefix(b" ")? };
    let (item, behind) = match start {
        [b'U', b'I', b'D', b' ', value @ ..] => {
            let (number, behind) = number(value)?;
            (FetchItem::Uid(Uid::new(u32::try_from(number).ok()?)?), behind)
        }
        [b'F', b'L', b'A', b'G', b'S', b' ', b'(', value @ ..] => flags(value)?,
        [b'R', b'F', b'C', b'8', b'2', b'2', b'.', b'S', b'I', b'Z', b'E', b' ', value @ ..] => {
            let (number, behind) = number(value)?;
            (FetchItem::Rfc822Size(Some(number)), behind)
        }
        [b'M', b'O', b'D', b'S', b'E', b'Q', b' ', b'(', value @ ..] => {
            let (number, behind) = number(value)?;
            (FetchItem::ModSeq(ModSeq::new(number).filter(|_| number > 0)?), behind.strip_prefix(b")")?)
        }
        _ => return None,
    };
    matches!(behind, [b' ' | b')', ..]).then(|| (item, line.len() - behind.len()))
}

/// Flags up to their closing parenthesis, and what stands behind it.
fn flags(value: &[u8]) -> Option<(FetchItem, &[u8])> {
    let (mut flags, mut recent) = (Vec::new(), false);
    let mut rest = value;
    if let Some(behind) = rest.strip_prefix(b")") {
        return Some((FetchItem::Flags { flags, recent, other: Vec::new() }, behind));
    }
    loop {
        let end = rest.iter().position(|octet| matches!(octet, b' ' | b')'))?;
        let (flag, behind) = rest.split_at_checked(end)?;
        if flag == b"\\Recent" {
            recent = true;
        } else {
            flags.push(Flag::from_octets(flag).ok()?);
        }
        match behind {
            [b' ', behind @ ..] => rest = behind,
            [_, behind @ ..] => {
                return Some((FetchItem::Flags { flags, recent, other: Vec::new() }, behind));
            }
            [] => return None,
        }
    }
}

/// A number of 19 digits at most, which are 63 bits, and what stands behind it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    let mut length = 0;
    for octet in text {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        length += 1;
    }
    if length == 0 || length > 19 {
        return None;
    }
    Some((number, text.get(length..)?))
}
