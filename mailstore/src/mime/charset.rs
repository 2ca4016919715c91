//! The charsets whose octets can be turned into UTF-8 without tables of a size: ISO-8859-1, windows-1252.

use alloc::string::String;
use alloc::vec::Vec;

/// Windows-1252, 0x80–0x9F. The five octets without a meaning are C1 controls.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// `octets` in UTF-8, if they are in a charset known here; otherwise as they are.
pub(super) fn to_utf8(charset: &[u8], octets: Vec<u8>) -> Vec<u8> {
    let is = |names: &[&str]| names.iter().any(|name| charset.eq_ignore_ascii_case(name.as_bytes()));
    let windows = is(&["windows-1252", "cp1252"]);
    if octets.is_ascii() || !(windows || is(&["iso-8859-1", "latin1"])) {
        return octets;
    }
    let character = |octet: &u8| match octet {
        0x80..=0x9f if windows => {
            WINDOWS_1252.get(usize::from(*octet) - 0x80).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::from(*octet),
    };
    octets.iter().map(character).collect::<String>().into_bytes()
}
