//! A line of CAPA, at the client: RFC 2449 §5 and §6.

use bytes::Bytes;
use mailwright_sasl::MechanismName;

use crate::types::Capability;

/// Reads a line of CAPA. Whatever is not understood is kept as it is.
pub(crate) fn capability(line: &Bytes) -> Capability {
    let mut words = line.split(|&octet| octet == b' ').filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default();
    // RFC 2449 §5: capability names are case-insensitive.
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if is("TOP") {
        Capability::Top
    } else if is("USER") {
        Capability::User
    } else if is("SASL") {
        Capability::Sasl(words.filter_map(|word| MechanismName::parse(word).ok()).collect())
    } else if is("RESP-CODES") {
        Capability::RespCodes
    } else if is("PIPELINING") {
        Capability::Pipelining
    } else if is("UIDL") {
        Capability::Uidl
    } else if is("STLS") {
        Capability::Stls
    } else if is("AUTH-RESP-CODE") {
        Capability::AuthRespCode
    } else if is("UTF8") {
        // RFC 6856 §2: the argument USER, or none.
        Capability::Utf8 { user: words.any(|word| word.eq_ignore_ascii_case(b"USER")) }
    } else if is("LANG") {
        Capability::Lang
    } else if is("IMPLEMENTATION") {
        Capability::Implementation(line.slice(("IMPLEMENTATION".len() + 1).min(line.len())..))
    } else if is("LOGIN-DELAY") {
        let value = words.next().and_then(number);
        let per_user = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"USER"));
        value.map_or_else(
            || Capability::Unknown(line.clone()),
            |seconds| Capability::LoginDelay { seconds, per_user },
        )
    } else if is("EXPIRE") {
        let word = words.next().unwrap_or_default();
        let days = number(word);
        let per_user = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"USER"));
        if days.is_some() || word.eq_ignore_ascii_case(b"NEVER") {
            Capability::Expire { days, per_user }
        } else {
            Capability::Unknown(line.clone())
        }
    } else {
        Capability::Unknown(line.clone())
    }
}

fn number(word: &[u8]) -> Option<u64> {
    match super::numeral(word) {
        Ok(([], numeral)) => numeral.value,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn read(line: &'static str) -> Capability {
        capability(&Bytes::from_static(line.as_bytes()))
    }

    #[test]
    fn the_example_of_rfc_2449_is_read() {
        assert_eq!(read("TOP"), Capability::Top);
        assert_eq!(read("user"), Capability::User);
        let cram = MechanismName::parse(b"CRAM-MD5").unwrap();
        let kerberos = MechanismName::parse(b"KERBEROS_V4").unwrap();
        assert_eq!(read("SASL CRAM-MD5 KERBEROS_V4"), Capability::Sasl(vec![cram, kerberos]));
        assert_eq!(read("LOGIN-DELAY 900"), Capability::LoginDelay { seconds: 900, per_user: false });
        assert_eq!(read("EXPIRE 60"), Capability::Expire { days: Some(60), per_user: false });
        assert_eq!(read("EXPIRE never"), Capability::Expire { days: None, per_user: false });
        assert_eq!(read("EXPIRE 30 USER"), Capability::Expire { days: Some(30), per_user: true });
        let shown = Bytes::from_static(b"Shlemazle-Plotz-v302");
        assert_eq!(read("IMPLEMENTATION Shlemazle-Plotz-v302"), Capability::Implementation(shown));
    }

    #[test]
    fn utf8_and_lang_of_rfc_6856_are_read() {
        assert_eq!(read("UTF8"), Capability::Utf8 { user: false });
        assert_eq!(read("utf8 user"), Capability::Utf8 { user: true });
        assert_eq!(read("UTF8 OTHER"), Capability::Utf8 { user: false });
        assert_eq!(read("LANG"), Capability::Lang);
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        for line in ["XYZZY 1 2", "EXPIRE soon", "LOGIN-DELAY", "", "LOGIN-DELAY -1"] {
            assert_eq!(read(line), Capability::Unknown(Bytes::from_static(line.as_bytes())));
        }
        assert_eq!(read("IMPLEMENTATION"), Capability::Implementation(Bytes::new()));
        assert_eq!(read("SASL"), Capability::Sasl(vec![]));
    }
}
