//! Keys: those of the RFCs, as text, of decoys; and the preparation of passwords.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::str::FromStr as _;

use super::*;
use crate::base64;
use crate::prepare::{PrepareError, Strings};

/// The keys of RFC 7677 §3 in both forms.
const POSTGRESQL: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
const DOVECOT: &str = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
/// Those of RFC 5802 §5.
const SHA_1: &str =
    "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=";

fn salt(text: &str) -> alloc::vec::Vec<u8> {
    base64::decode(text.as_bytes()).unwrap().expose().to_vec()
}

#[test]
fn the_keys_of_the_rfcs_are_derived() {
    let keys =
        ScramKeys::derive(ScramHash::Sha256, "pencil", salt("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096).unwrap();
    assert_eq!(keys.postgresql().to_string(), POSTGRESQL);
    let keys = ScramKeys::derive(ScramHash::Sha1, "pencil", salt("QSXCR+Q6sek8bf92"), 4096).unwrap();
    assert_eq!(keys.postgresql().to_string(), SHA_1);
}

#[test]
fn both_text_forms_are_read_and_written() {
    let keys = ScramKeys::from_str(POSTGRESQL).unwrap();
    assert_eq!(keys, ScramKeys::from_str(DOVECOT).unwrap());
    assert_eq!(keys.dovecot().to_string(), DOVECOT);
    assert_eq!(keys.postgresql().to_string(), POSTGRESQL);
    assert_eq!((keys.hash(), keys.iterations(), keys.salt().len()), (ScramHash::Sha256, 4096, 16));
    assert_ne!(keys, ScramKeys::from_str(SHA_1).unwrap());
}

#[test]
fn any_other_text_is_refused_with_its_reason() {
    let replaced = |from: &str, to: &str| POSTGRESQL.replacen(from, to, 1);
    for (text, error) in [
        (String::new(), ScramKeysError::Form),
        ("pencil".to_string(), ScramKeysError::Form),
        (format!("{DOVECOT},"), ScramKeysError::Form),
        (format!("{POSTGRESQL} "), ScramKeysError::Form),
        (DOVECOT.replacen('}', "", 1), ScramKeysError::Form),
        (replaced("==", ""), ScramKeysError::Form),
        (replaced("SHA-256", "SHA-3"), ScramKeysError::Hash),
        (replaced("SHA-256", "SHA-256-PLUS"), ScramKeysError::Hash),
        (replaced("SHA-256", "SHA-1"), ScramKeysError::Key),
        (replaced("4096", "0"), ScramKeysError::Iterations),
        (replaced("4096", "04096"), ScramKeysError::Iterations),
        (replaced("4096", "-1"), ScramKeysError::Iterations),
        (replaced("4096", "4294967296"), ScramKeysError::Iterations),
        (replaced("W22ZaJ0SNY7soEsUEjb6gQ==", "W22ZaJ0="), ScramKeysError::Salt),
        (replaced("W22ZaJ0SNY7soEsUEjb6gQ==", ""), ScramKeysError::Salt),
    ] {
        assert_eq!(ScramKeys::from_str(&text), Err(error), "{text}");
    }
}

#[test]
fn keys_of_the_wrong_size_are_none() {
    let new = |salt: usize, iterations, stored: usize, server: usize| {
        let (salt, stored, server) = (alloc::vec![1; salt], alloc::vec![2; stored], alloc::vec![3; server]);
        ScramKeys::new(ScramHash::Sha256, salt, iterations, &stored, &server).map(|_| ())
    };
    assert_eq!(new(8, 1, 32, 32), Ok(()));
    assert_eq!(new(1024, u32::MAX, 32, 32), Ok(()));
    assert_eq!(new(7, 1, 32, 32), Err(ScramKeysError::Salt));
    assert_eq!(new(1025, 1, 32, 32), Err(ScramKeysError::Salt));
    assert_eq!(new(16, 0, 32, 32), Err(ScramKeysError::Iterations));
    for (stored, server) in [(31, 32), (32, 33), (0, 32), (32, 65), (20, 20)] {
        assert_eq!(new(16, 1, stored, server), Err(ScramKeysError::Key));
    }
}

#[test]
fn a_decoy_looks_like_anybody_and_never_changes() {
    let key = DecoyKey::new([7; 32]);
    let keys = |name| key.keys(ScramHash::Sha256, name, 4096, 16);
    assert_eq!(keys("nobody"), keys("nobody"));
    assert_ne!(keys("nobody").salt(), keys("anybody").salt());
    assert_ne!(keys("nobody").salt(), key.keys(ScramHash::Sha1, "nobody", 4096, 16).salt());
    assert_ne!(
        keys("nobody").salt(),
        DecoyKey::new([8; 32]).keys(ScramHash::Sha256, "nobody", 4096, 16).salt()
    );
    assert_eq!((keys("nobody").salt().len(), keys("nobody").iterations()), (16, 4096));
    assert_eq!(key.keys(ScramHash::Sha1, "nobody", 0, 1024).salt().len(), 20);
}

#[test]
fn setting_and_logging_in_prepare_passwords_alike() {
    let salt = [1; 16];
    let derive = |password| ScramKeys::derive(ScramHash::Sha256, password, salt, 1);
    assert_eq!(derive("I\u{ad}X"), derive("IX"));
    // What SASLprep prohibits is used as it is, on both sides.
    assert!(derive("a\tb").is_ok());
    assert_eq!(prepare_password("a\tb", Strings::Query, true).as_deref(), Ok("a\tb"));
    assert_eq!(prepare_password("a\tb", Strings::Query, false), Err(PrepareError::Prohibited));
    // What Unicode 3.2 does not have cannot be set.
    assert_eq!(derive("\u{221}"), Err(ScramKeysError::Password(PrepareError::Unassigned)));
    assert_eq!(derive(""), Err(ScramKeysError::Password(PrepareError::Empty)));
    assert_eq!(derive("\u{ad}"), Err(ScramKeysError::Password(PrepareError::Empty)));
}

#[test]
fn nothing_secret_is_shown() {
    let keys = ScramKeys::from_str(POSTGRESQL).unwrap();
    let job = DeriveJob::new(ScramHash::Sha256, "pencil".into(), alloc::vec![1; 16], 1);
    let shown = format!("{keys:?} {job:?} {:?} {:?}", DecoyKey::new([7; 32]), job);
    for secret in ["pencil", "7, 7", "110, 93"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
