//! Command lines: what is read, what is tolerated, what is refused.

use alloc::format;
use alloc::string::{String, ToString as _};

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

/// The command in words, or the error.
fn read(line: &str) -> String {
    read_octets(line.as_bytes())
}

fn read_octets(line: &[u8]) -> String {
    let parsed = match Command::parse(line) {
        Ok(parsed) => parsed,
        Err(error) => return format!("{error:?}"),
    };
    let mut text = match parsed.command {
        Command::User(name) => format!("user {}", name.as_bytes().escape_ascii()),
        Command::Pass(password) => format!("pass {}", password.expose().escape_ascii()),
        Command::Auth { mechanism, initial } => format!(
            "auth {} {:?}",
            mechanism.as_bytes().escape_ascii(),
            initial.map(|initial| initial.expose().escape_ascii().to_string())
        ),
        Command::Apop { name, digest } => {
            format!("apop {} {}", name.as_bytes().escape_ascii(), digest.as_bytes().escape_ascii())
        }
        Command::Lang(range) => format!("lang {:?}", range.map(|range| range.as_str())),
        Command::Top { number, lines } => format!("top {number} {lines}"),
        Command::Retr(number) => format!("retr {number}"),
        Command::Dele(number) => format!("dele {number}"),
        Command::List(number) => format!("list {:?}", number.map(MessageNumber::get)),
        Command::Uidl(number) => format!("uidl {:?}", number.map(MessageNumber::get)),
        command => format!("{command:?}").to_ascii_lowercase(),
    };
    for deviation in parsed.deviations {
        text.push_str(&format!(", {}@{}", deviation.kind, deviation.offset));
    }
    text
}

#[test]
fn each_command_is_read_in_any_case() {
    for (line, command) in [
        ("STAT", "stat"),
        ("list", "list None"),
        ("LIST 2", "list Some(2)"),
        ("Retr 1", "retr 1"),
        ("dELE 4294967295", "dele 4294967295"),
        ("NOOP", "noop"),
        ("RSET", "rset"),
        ("quit", "quit"),
        ("top 1 0", "top 1 0"),
        ("UIDL", "uidl None"),
        ("UIDL 7", "uidl Some(7)"),
        ("CAPA", "capa"),
        ("STLS", "stls"),
        ("USER frated", "user frated"),
        ("AUTH PLAIN", "auth PLAIN None"),
        ("AUTH PLAIN =", "auth PLAIN Some(\"=\")"),
        ("auth", "listmechanisms"),
        ("Apop mrose c4c9334bac560ecc979e58001b3e22fb", "apop mrose c4c9334bac560ecc979e58001b3e22fb"),
        ("utf8", "utf8"),
        ("LANG", "lang None"),
        ("lang *", "lang Some(\"*\")"),
        ("LANG de-CH", "lang Some(\"de-CH\")"),
    ] {
        assert_eq!(read(line), command, "{line}");
    }
}

#[test]
fn a_name_and_a_password_are_every_octet_behind_the_first_space() {
    assert_eq!(read("PASS correct horse "), "pass correct horse ");
    assert_eq!(read("PASS  x"), "pass  x");
    assert_eq!(read("PASS  "), "pass  ");
    assert_eq!(read("USER a b"), "user a b");
    assert_eq!(read_octets(b"USER \xff"), r"user \xff");
    for line in ["PASS", "PASS ", "USER", "USER "] {
        assert_eq!(read(line), "MissingArgument", "{line:?}");
    }
}

#[test]
fn extra_spaces_are_tolerated_and_reported_each() {
    assert_eq!(
        read("TOP  1   2 "),
        "top 1 2, extra white space@3, extra white space@6, trailing white space@10"
    );
    assert_eq!(read("STAT "), "stat, trailing white space@4");
    assert_eq!(
        read("AUTH  PLAIN  dGVzdA=="),
        "auth PLAIN Some(\"dGVzdA==\"), extra white space@4, extra white space@11"
    );
}

#[test]
fn leading_zeros_are_tolerated_and_reported() {
    assert_eq!(read("RETR 007"), "retr 7, leading zero@5");
    assert_eq!(read("RETR 00000000000000000001"), "retr 1, leading zero@5");
    assert_eq!(read("TOP 1 00"), "top 1 0, leading zero@6");
    assert_eq!(read("TOP 1 0"), "top 1 0");
}

#[test]
fn a_number_is_one_to_twenty_digits_and_nothing_else() {
    for line in ["RETR +1", "RETR -1", "RETR 1a", "RETR 0x1", "RETR \u{661}", "RETR 000000000000000000001"] {
        assert_eq!(read(line), "Number { offset: 5 }", "{line}");
    }
    for line in ["RETR", "RETR ", "RETR  ", "LIST ", "UIDL  ", "TOP", "TOP 1", "TOP 1 ", "DELE"] {
        assert_eq!(read(line), "MissingArgument", "{line:?}");
    }
    assert_eq!(read("TOP 1 -1"), "Number { offset: 6 }");
    assert_eq!(read("RETR 1 2"), "UnexpectedArgument { offset: 7 }");
    assert_eq!(read("LIST 1 2"), "UnexpectedArgument { offset: 7 }");
    assert_eq!(read("STAT 1"), "UnexpectedArgument { offset: 5 }");
}

#[test]
fn a_language_is_a_range_and_nothing_else() {
    for line in ["LANG en_US", "LANG \u{e4}", "LANG -", "LANG en;q", "LANG **"] {
        assert_eq!(read(line), "Language { offset: 5 }", "{line}");
    }
    for line in ["LANG ", "LANG  "] {
        assert_eq!(read(line), "MissingArgument", "{line:?}");
    }
    assert_eq!(read("LANG en de"), "UnexpectedArgument { offset: 8 }");
    assert_eq!(read("UTF8 USER"), "UnexpectedArgument { offset: 5 }");
}

#[test]
fn a_digest_is_one_argument_behind_a_name_without_spaces() {
    for line in ["APOP", "APOP mrose", "APOP mrose "] {
        assert_eq!(read(line), "MissingArgument", "{line:?}");
    }
    assert_eq!(read("APOP m rose x"), "UnexpectedArgument { offset: 12 }");
}

#[test]
fn a_number_that_no_message_has_never_wraps() {
    for number in [
        "0",
        "000",
        "4294967296",
        "4294967297",
        "18446744073709551616",
        "18446744073709551617",
        "99999999999999999999",
    ] {
        for keyword in ["RETR", "DELE", "LIST", "UIDL"] {
            assert_eq!(read(&format!("{keyword} {number}")), "NoSuchMessage", "{keyword} {number}");
        }
        assert_eq!(read(&format!("TOP {number} 1")), "NoSuchMessage", "TOP {number}");
    }
}

#[test]
fn a_count_of_lines_that_does_not_fit_means_all() {
    assert_eq!(read("TOP 1 99999999999999999999"), format!("top 1 {}", u64::MAX));
}

#[test]
fn control_characters_are_refused_where_they_stand() {
    for octet in (0..0x20).chain([0x7f]) {
        let error = format!("{:?}", CommandError::Control { octet, offset: 4 });
        for line in [[&b"NOOP"[..], &[octet]].concat(), [&b"PASS"[..], &[octet], b"x"].concat()] {
            assert_eq!(read_octets(&line), error);
        }
    }
}

#[test]
fn anything_else_is_no_command() {
    assert_eq!(read(""), "Empty");
    assert_eq!(read(" NOOP"), "Empty");
    for line in ["X", "NOO", "NOOPX", "RETR1", "GET / HTTP/1.1", "\u{e9}TAT", "UTF-8", "APO mrose x"] {
        assert!(read(line).starts_with("Unknown"), "{line}");
    }
}

#[test]
fn an_error_shows_no_secret_that_came_at_the_wrong_time() {
    for line in ["AHRpbQB0YW5zdGFhZnRhbnN0YWFm", "AHRpbQ==", "tanstaaftanstaaf"] {
        assert_eq!(read(line), "Unknown { keyword: \"\" }");
    }
    assert_eq!(read("STARTTLS"), "Unknown { keyword: \"STARTTLS\" }");
}

proptest! {
    #[test]
    fn no_octets_panic(line in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = Command::parse(&line);
    }

    #[test]
    fn a_command_that_is_read_writes_itself_again(line in "(USER|PASS|LIST|RETR|TOP|DELE|UIDL|STAT|AUTH|APOP|LANG|UTF8|QUIT)( [0-9a-z=]{1,4}){0,2}") {
        if let Ok(parsed) = Command::parse(line.as_bytes()) {
            let mut wire = BytesMut::new();
            parsed.command.encode(&mut wire);
            if parsed.deviations.is_empty() {
                let expected = format!("{}{}\r\n", line[..4].to_ascii_uppercase(), &line[4..]);
                prop_assert_eq!(&wire[..], expected.as_bytes());
            }
            let again = Command::parse(&wire[..wire.len() - 2]).unwrap();
            prop_assert!(again.deviations.is_empty());
        }
    }
}
