//! [`prepare`]: SASLprep (RFC 4013), the one preparation of names and passwords.
//!
//! Setting a password and logging in must use the same function, or a hash of the one never equals the
//! other. ASCII, which is nearly everything, is returned as it is after one look at each octet.

mod tables;

use alloc::borrow::Cow;
use alloc::string::String;

use mailwright_core::value::Mailbox;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use self::tables::Range;

/// What a text is prepared for: RFC 3454 §7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "stringprep knows these two kinds of strings")]
pub enum Strings {
    /// What a peer presents, to be compared: characters that Unicode 3.2 did not have are allowed.
    Query,
    /// What is written into a database: such characters are refused, since later versions may
    /// normalise them differently.
    Stored,
}

/// Prepares `text` with SASLprep (RFC 4013).
///
/// ```
/// use mailwright_sasl::{Strings, prepare};
///
/// assert_eq!(prepare("I\u{ad}X", Strings::Query)?, "IX");
/// assert_eq!(prepare("\u{aa}", Strings::Query)?, "a");
/// assert!(prepare("\u{7}", Strings::Query).is_err());
/// # Ok::<(), mailwright_sasl::PrepareError>(())
/// ```
///
/// # Errors
/// If a character is prohibited, the directions are mixed, or nothing is left.
pub fn prepare(text: &str, strings: Strings) -> Result<Cow<'_, str>, PrepareError> {
    if text.is_empty() {
        return Err(PrepareError::Empty);
    }
    if text.bytes().all(|octet| matches!(octet, 0x20..=0x7e)) {
        return Ok(Cow::Borrowed(text));
    }
    // RFC 4013 §2.1 mapping, §2.2 normalisation form KC. Table B.1 comes first: what both tables hold
    // (ZERO WIDTH SPACE) is taken out, never made a space.
    let mapped = || {
        text.chars()
            .filter(|&character| !contains(tables::MAPPED_TO_NOTHING, character))
            .map(|character| if contains(tables::MAPPED_TO_SPACE, character) { ' ' } else { character })
    };
    // Counted first: a buffer that grows would leave copies of a password in freed memory.
    let length = mapped().nfkc().map(char::len_utf8).sum();
    let mut prepared = Zeroizing::new(String::with_capacity(length));
    prepared.extend(mapped().nfkc());
    if prepared.is_empty() {
        return Err(PrepareError::Empty);
    }
    // RFC 4013 §2.3 prohibited output; §2.5 unassigned code points.
    for character in prepared.chars() {
        if contains(tables::PROHIBITED, character) {
            return Err(PrepareError::Prohibited);
        }
        if strings == Strings::Stored && contains(tables::UNASSIGNED, character) {
            return Err(PrepareError::Unassigned);
        }
    }
    check_directions(&prepared)?;
    Ok(Cow::Owned(core::mem::take(&mut *prepared)))
}

/// Whether `text` may be the trace of ANONYMOUS: RFC 4505 §2, up to 255 characters without `@`, or an address;
/// by the profile of §3 in both cases.
pub(crate) fn is_trace(text: &str) -> bool {
    // RFC 4505 §3: tables C.2 to C.6, C.8 and C.9, which is what SASLprep prohibits without other spaces
    // (C.1.2) and what describes ideographs (C.7).
    let allowed = |character| {
        !contains(tables::PROHIBITED, character)
            || contains(tables::MAPPED_TO_SPACE, character)
            || matches!(character, '\u{2ff0}'..='\u{2ffb}')
    };
    let form = match text.rsplit_once('@') {
        None => (1..=255).contains(&text.chars().count()),
        Some(_) => text.parse::<Mailbox>().is_ok(),
    };
    form && text.chars().all(allowed) && check_directions(text).is_ok()
}

/// RFC 4013 §2.4, RFC 3454 §6: a text with a right-to-left character has no left-to-right one, and
/// begins and ends with a right-to-left one.
fn check_directions(text: &str) -> Result<(), PrepareError> {
    let right_to_left = |character| contains(tables::RIGHT_TO_LEFT, character);
    if !text.chars().any(right_to_left) {
        return Ok(());
    }
    let mixed = text.chars().any(|character| contains(tables::LEFT_TO_RIGHT, character));
    let framed =
        text.chars().next().is_some_and(right_to_left) && text.chars().next_back().is_some_and(right_to_left);
    if mixed || !framed { Err(PrepareError::Directions) } else { Ok(()) }
}

fn contains(table: &[Range], character: char) -> bool {
    let code = u32::from(character);
    table
        .binary_search_by(|&(first, last)| {
            if last < code {
                core::cmp::Ordering::Less
            } else if first > code {
                core::cmp::Ordering::Greater
            } else {
                core::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

/// Why a text cannot be prepared. Says nothing of the text: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// Nothing is left, or nothing was there.
    #[error("empty after preparation")]
    Empty,
    /// A control, private, non-character or other prohibited character: RFC 4013 §2.3.
    #[error("a character that SASLprep prohibits")]
    Prohibited,
    /// Left-to-right and right-to-left characters are mixed: RFC 4013 §2.4.
    #[error("mixed writing directions, which SASLprep prohibits")]
    Directions,
    /// A character that Unicode 3.2 did not have, in a stored string: RFC 4013 §2.5.
    #[error("a character that SASLprep does not allow in stored strings")]
    Unassigned,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> Result<String, PrepareError> {
        prepare(text, Strings::Query).map(|prepared| prepared.to_string())
    }

    #[test]
    fn the_examples_of_rfc_4013_hold() {
        assert_eq!(query("I\u{ad}X").as_deref(), Ok("IX"));
        assert_eq!(query("user").as_deref(), Ok("user"));
        assert_eq!(query("USER").as_deref(), Ok("USER"));
        assert_eq!(query("\u{aa}").as_deref(), Ok("a"));
        assert_eq!(query("\u{2168}").as_deref(), Ok("IX"));
        assert_eq!(query("\u{7}"), Err(PrepareError::Prohibited));
        assert_eq!(query("\u{627}1"), Err(PrepareError::Directions));
    }

    #[test]
    fn printable_ascii_is_not_copied() {
        let text: String = (' '..='~').collect();
        assert!(matches!(prepare(&text, Strings::Stored), Ok(Cow::Borrowed(same)) if same == text));
    }

    #[test]
    fn what_vanishes_is_empty() {
        assert_eq!(query(""), Err(PrepareError::Empty));
        assert_eq!(query("\u{ad}\u{200d}\u{feff}"), Err(PrepareError::Empty));
    }

    #[test]
    fn other_spaces_become_a_space_and_the_zero_width_one_nothing() {
        assert_eq!(query("a\u{a0}b\u{3000}c").as_deref(), Ok("a b c"));
        assert_eq!(query("a\u{200b}b").as_deref(), Ok("ab"));
    }

    #[test]
    fn characters_younger_than_unicode_3_2_are_for_queries_only() {
        assert_eq!(query("\u{1f600}").as_deref(), Ok("\u{1f600}"));
        assert_eq!(prepare("\u{1f600}", Strings::Stored), Err(PrepareError::Unassigned));
    }

    #[test]
    fn each_class_of_prohibited_characters_is_refused() {
        for text in [
            "\u{1680}x\u{80}",
            "\u{e000}",
            "\u{fdd0}",
            "\u{fffd}",
            "\u{2ff0}",
            "\u{200e}",
            "\u{e0001}",
            "\u{7f}",
        ] {
            assert_eq!(query(text), Err(PrepareError::Prohibited), "{text:?}");
        }
    }

    #[test]
    fn right_to_left_text_stands_alone() {
        assert!(query("\u{627}\u{628}").is_ok());
        assert!(query("\u{627}1\u{628}").is_ok());
        assert_eq!(query("\u{627}a\u{628}"), Err(PrepareError::Directions));
        assert_eq!(query("1\u{627}"), Err(PrepareError::Directions));
    }

    #[test]
    fn the_tables_are_sorted_and_disjoint() {
        for table in [
            tables::MAPPED_TO_SPACE,
            tables::MAPPED_TO_NOTHING,
            tables::PROHIBITED,
            tables::UNASSIGNED,
            tables::RIGHT_TO_LEFT,
            tables::LEFT_TO_RIGHT,
        ] {
            assert!(table.iter().all(|&(first, last)| first <= last));
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    proptest! {
        #[test]
        fn preparing_twice_changes_nothing_more(text in "\\PC{0,20}") {
            if let Ok(once) = query(&text) {
                prop_assert_eq!(query(&once), Ok(once));
            }
        }
    }
}
