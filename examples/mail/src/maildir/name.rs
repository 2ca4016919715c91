//! Names of files: what a server calls a folder, and what we call a message, with its flags.

use core::fmt::Write as _;

use mailwright_core::value::{Flag, Uid, UidValidity};

/// Octets of the name of a folder above which its end is replaced.
const LONGEST: usize = 200;
/// What all names of ours end with, before the flags.
const OURS: &str = ".mailwright";

/// The directory of a folder, from the components of its name: `.Work.2024`, as Maildir++ has it. Only letters,
/// digits and a few harmless characters stay as they are, so that no server makes a path of its own.
pub(crate) fn directory(components: impl Iterator<Item = impl AsRef<[u8]>>) -> String {
    let mut name = String::new();
    for component in components {
        let component = component.as_ref();
        name.push('.');
        // Nothing else is a single percent sign.
        if component.is_empty() {
            name.push('%');
        }
        for &octet in component {
            if octet.is_ascii_alphanumeric() || b"-_+,&=@ ".contains(&octet) {
                name.push(char::from(octet));
            } else {
                let _ = write!(name, "%{octet:02X}");
            }
        }
    }
    if name.len() > LONGEST {
        let end = fingerprint(name.as_bytes());
        name.truncate(LONGEST);
        let _ = write!(name, "%{end:016x}");
    }
    name
}

/// Octets in printable ASCII, without spaces at the ends.
pub(crate) fn printable(octets: &[u8]) -> String {
    let mut text = String::new();
    for &octet in octets {
        if octet.is_ascii_graphic() && octet != b'%' {
            text.push(char::from(octet));
        } else {
            let _ = write!(text, "%{octet:02X}");
        }
    }
    text
}

/// The octets behind that.
pub(crate) fn octets(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        octets.extend_from_slice(before.as_bytes());
        let (digits, behind) = behind.split_at_checked(2)?;
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    octets.extend_from_slice(rest.as_bytes());
    Some(octets)
}

/// FNV-1a: the same for the same name, whatever version of anything is at work.
fn fingerprint(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

/// The name of a message with these flags: when it arrived, in seconds, its UID with UIDVALIDITY, and letters.
pub(crate) fn message(arrived: i64, uid_validity: UidValidity, uid: Uid, flags: &[Flag]) -> String {
    format!("{}.V{uid_validity}U{uid}{OURS}:2,{}", arrived.max(0), letters(flags))
}

/// The same with other flags.
pub(crate) fn with_flags(name: &str, flags: &[Flag]) -> String {
    let unique = name.split_once(':').map_or(name, |(unique, _)| unique);
    format!("{unique}:2,{}", letters(flags))
}

/// UIDVALIDITY and UID in a name; `None` if it is none of ours.
pub(crate) fn read(name: &str) -> Option<(UidValidity, Uid)> {
    let unique = name.split_once(':').map_or(name, |(unique, _)| unique);
    let (_, ids) = unique.strip_suffix(OURS)?.split_once(".V")?;
    let (uid_validity, uid) = ids.split_once('U')?;
    Some((uid_validity.parse().ok()?, uid.parse().ok()?))
}

/// Whether a file in `tmp` is one of ours.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.ends_with(OURS)
}

/// A name in `tmp`.
pub(crate) fn temporary(number: u64) -> String {
    format!("{}.{number}{OURS}", std::process::id())
}

/// Flags as letters, in order. Other keywords have none.
fn letters(flags: &[Flag]) -> String {
    let letter = |flag: &Flag| match flag {
        Flag::Draft => Some('D'),
        Flag::Flagged => Some('F'),
        Flag::Answered => Some('R'),
        Flag::Seen => Some('S'),
        Flag::Deleted => Some('T'),
        Flag::Keyword(keyword) => keyword.as_str().eq_ignore_ascii_case("$Forwarded").then_some('P'),
    };
    let mut letters: Vec<char> = flags.iter().filter_map(letter).collect();
    letters.sort_unstable();
    letters.dedup();
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &[u8]) -> String {
        directory(name.split(|octet| *octet == b'/'))
    }

    #[test]
    fn a_folder_is_one_harmless_directory() {
        for (name, expected) in [
            (&b"Work/2024"[..], ".Work.2024"),
            (b"a.b/c", ".a%2Eb.c"),
            (b"../../etc/passwd", ".%2E%2E.%2E%2E.etc.passwd"),
            (b"/etc//x", ".%.etc.%.x"),
            (b"%/\0\n\\", ".%25.%00%0A%5C"),
            (b"Entw&APw-rfe", ".Entw&APw-rfe"),
            (b"\xff", ".%FF"),
        ] {
            assert_eq!(named(name), expected);
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, other) = ([b'x'; 1000], [b'x'; 1001]);
        assert!(named(&one).len() < 255);
        assert_ne!(named(&one), named(&other));
    }

    #[test]
    fn what_is_printable_can_be_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert!(printable(&all).bytes().all(|octet| octet.is_ascii_graphic()));
        assert_eq!(octets(&printable(&all)), Some(all));
        assert_eq!(octets("%4"), None);
        assert_eq!(octets("%xy"), None);
    }

    #[test]
    fn a_message_is_known_by_its_name() {
        let (uid_validity, uid) = (UidValidity::new(7).unwrap(), Uid::new(12).unwrap());
        let flags = [Flag::Seen, Flag::Draft, Flag::new("$forwarded").unwrap(), Flag::new("other").unwrap()];
        let name = message(1_600_000_000, uid_validity, uid, &flags);
        assert_eq!(name, "1600000000.V7U12.mailwright:2,DPS");
        assert_eq!(read(&name), Some((uid_validity, uid)));
        let name = with_flags(&name, &[Flag::Flagged]);
        assert_eq!(name, "1600000000.V7U12.mailwright:2,F");
        assert_eq!(read(&name), Some((uid_validity, uid)));
        for other in ["x:2,S", "1.V7U0.mailwright:2,", "1.V7U12:2,", "1.V7U12.mailwright2", ".mailwright"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
