//! The form that the TXT records of MTA-STS and TLSRPT share: a version, then fields behind semicolons (RFC 8461 §3.1, RFC
//! 8460 §3), and which of several records counts.

use alloc::vec::Vec;

use bytes::Bytes;

/// Characters of a field name, at most.
const NAME: usize = 32;

/// The record that counts. Of several, those without the version are of no concern; none, or more than one, is no record.
pub(crate) fn select<'a>(records: &'a [Bytes], version: &str) -> Option<&'a Bytes> {
    if let [one] = records {
        return Some(one);
    }
    // RFC 8461 §3.1: of several records those that do not begin with the version and a semicolon are discarded.
    // RFC 8460 §3: so it is here.
    let begins = |record: &&Bytes| {
        record.strip_prefix(version.as_bytes()).is_some_and(|rest| rest.first() == Some(&b';'))
    };
    let mut left = records.iter().filter(begins);
    left.next().filter(|_| left.next().is_none())
}

/// The fields of a record behind its version, names and values, in order; at least one.
///
/// Values are printable and hold neither white space nor semicolons; what else they may hold is up to the field.
pub(crate) fn fields<'a>(record: &'a [u8], version: &str) -> Option<Vec<(&'a str, &'a str)>> {
    let text = core::str::from_utf8(record).ok().filter(|text| text.is_ascii())?;
    let (before, mut rest) = text.strip_prefix(version)?.split_once(';')?;
    if !before.bytes().all(is_white) {
        return None;
    }
    let mut fields = Vec::new();
    loop {
        let (field, behind) = match rest.split_once(';') {
            Some((field, behind)) => (field, Some(behind)),
            None => (rest, None),
        };
        let begun = field.trim_start_matches(is_white_char);
        match behind {
            // The record ends with a delimiter.
            None if begun.is_empty() => break,
            None => {
                fields.push(pair(begun)?);
                break;
            }
            Some(behind) => {
                fields.push(pair(begun.trim_end_matches(is_white_char))?);
                rest = behind;
            }
        }
    }
    (!fields.is_empty()).then_some(fields)
}

/// `name=value`.
fn pair(field: &str) -> Option<(&str, &str)> {
    let (name, value) = field.split_once('=')?;
    (is_name(name) && !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_graphic()))
        .then_some((name, value))
}

/// Whether it is a name of a field: a letter or digit, and up to 31 letters, digits, `_`, `-` or `.`.
pub(crate) fn is_name(name: &str) -> bool {
    let more = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.');
    name.len() <= NAME
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(more)
}

pub(crate) const fn is_white(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

pub(crate) const fn is_white_char(character: char) -> bool {
    matches!(character, ' ' | '\t')
}
