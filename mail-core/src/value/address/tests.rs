//! Rows A1–A14 of the address table, limits, and the identity of reading and writing.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn read(input: &str) -> Result<ParsedPath, AddressErrorKind> {
    ParsedPath::read(input.as_bytes(), &AddressOptions::default()).map_err(|error| error.kind)
}

fn mailbox(input: &str) -> Mailbox {
    match read(input).unwrap().path {
        Path::Mailbox(mailbox) => mailbox,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a1_the_null_path_is_a_value_of_its_own() {
    let parsed = read("<> SIZE=1").unwrap();
    assert_eq!((parsed.path, parsed.length), (Path::Null, 2));
}

#[test]
fn a3_postmaster_without_domain_is_a_value_of_its_own_in_any_case() {
    assert_eq!(read("<Postmaster>").unwrap().path, Path::Postmaster);
    assert_eq!(read("<pOSTMASTER> X").unwrap().length, 12);
    assert_eq!(read("<postmaster2>"), Err(AddressErrorKind::Mailbox));
    assert!(matches!(read("<postmaster@a>").unwrap().path, Path::Mailbox(_)));
}

#[test]
fn a4_a_source_route_is_kept_apart() {
    let parsed = read("<@a.example,@b:u@c>").unwrap();
    assert_eq!(parsed.path.clone(), Path::Mailbox("u@c".parse().unwrap()));
    let route = parsed.source_route.unwrap();
    assert_eq!(route.as_str(), "@a.example,@b");
    assert_eq!(route.hosts().collect::<vec::Vec<_>>(), ["a.example", "b"]);
    assert!(read("<@[IPv6:::1]:u@c>").unwrap().source_route.is_some());
    assert!(read("<@[x:a,b],@c:u@d>").unwrap().source_route.is_some());
    let bad = [
        "<@a,b:u@c>",
        "<@a,:u@c>",
        "<@a b:u@c>",
        "<@a,@:u@c>",
        "<@:u@c>",
        "<@a@b:u@c>",
        "<@a!b:u@c>",
        "<@a_b:u@c>",
    ];
    for input in bad {
        assert!(read(input).is_err(), "{input}");
    }
}

#[test]
fn a5_a_bracket_inside_quotes_does_not_end_the_path() {
    let parsed = read(r#"<"a>b"@c> SIZE=1"#).unwrap();
    assert_eq!(parsed.length, 9);
    assert_eq!(mailbox(r#"<"a>b"@c>"#).local_part().as_str(), "a>b");
}

#[test]
fn a6_quotes_that_are_not_needed_are_not_written() {
    assert_eq!(mailbox(r#"<"a.b"@c>"#), mailbox("<a.b@c>"));
    assert_eq!(mailbox(r#"<"\a\.\b"@c>"#).to_string(), "a.b@c");
    assert_eq!(mailbox(r#"<"a..b"@c>"#).to_string(), r#""a..b"@c"#);
    assert_eq!(mailbox(r#"<""@c>"#).to_string(), r#"""@c"#);
    assert_eq!(mailbox(r#"<"a\"\\ b"@c>"#).to_string(), r#""a\"\\ b"@c"#);
}

#[test]
fn a7_a_quoted_pair_takes_printable_octets_only() {
    for octet in ["\r", "\n", "\0", "\t", "\u{7f}"] {
        assert_eq!(read(&format!("<\"\\{octet}\"@c>")), Err(AddressErrorKind::Syntax), "{octet:?}");
        assert_eq!(read(&format!("<\"{octet}\"@c>")), Err(AddressErrorKind::Syntax), "{octet:?}");
    }
}

#[test]
fn nothing_stands_behind_a_domain() {
    for text in ["[192.0.2.1]x", "[192.0.2.1].example", "[IPv6:2001:db8::1]]", "[tag:content] "] {
        let error = text.parse::<Domain>().unwrap_err();
        let end = text.find(']').unwrap() + 1;
        assert_eq!((error.kind, error.offset), (AddressErrorKind::Syntax, end), "{text}");
    }
    for text in ["example.org ", "example.org>", "example.org@x"] {
        assert!(text.parse::<Domain>().is_err(), "{text}");
    }
}

#[test]
fn a8_address_literals_are_typed() {
    assert_eq!(*mailbox("<u@[127.0.0.1]>").domain(), Domain::V4([127, 0, 0, 1].into()));
    assert_eq!(*mailbox("<u@[127.000.00.1]>").domain(), Domain::V4([127, 0, 0, 1].into()));
    assert_eq!(mailbox("<u@[ipv6:2001:DB8::1]>").to_string(), "u@[IPv6:2001:db8::1]");
    assert_eq!(mailbox("<u@[IPv6:::ffff:192.0.2.1]>").to_string(), "u@[IPv6:::ffff:192.0.2.1]");
    let general = mailbox("<u@[x-tag:a>b]>");
    let Domain::General(literal) = general.domain() else { panic!("{general:?}") };
    assert_eq!((literal.tag(), literal.content()), ("x-tag", "a>b"));
    for input in [
        "[256.1.1.1]",
        "[1.2.3]",
        "[1.2.3.4.5]",
        "[]",
        "[IPv6:zz]",
        "[IPv6:]",
        "[tag]",
        "[tag:]",
        "[-:]",
        "[a-:b]",
    ] {
        assert_eq!(read(&format!("<u@{input}>")), Err(AddressErrorKind::Mailbox), "{input}");
    }
    for input in ["[a b:c]", "[a:b\\c]", "[1.2.3.4", "[1.2.3.4]x", "[a:b[c]"] {
        assert_eq!(read(&format!("<u@{input}>")), Err(AddressErrorKind::Syntax), "{input}");
    }
}

#[test]
fn a9_a_complete_path_with_an_invalid_mailbox_is_told_apart() {
    let label = "a".repeat(64);
    for input in [
        "u@",
        "u@a..b",
        "u@.a",
        "u@a.",
        "u@-a",
        "u@a-",
        "u@a.-b.c",
        ".u@c",
        "u.@c",
        "u..v@c",
        "@c",
        "u",
        &format!("u@{label}"),
    ] {
        assert_eq!(read(&format!("<{input}>")), Err(AddressErrorKind::Mailbox), "{input}");
    }
}

#[test]
fn a10_lengths_are_judged_as_received_and_before_form() {
    let local = "a".repeat(64);
    assert!(read(&format!("<{local}@c>")).is_ok());
    assert_eq!(read(&format!("<{local}a@c>")), Err(AddressErrorKind::TooLong));
    assert_eq!(read(&format!("<\"{}\"@c>", "a".repeat(63))), Err(AddressErrorKind::TooLong));
    assert_eq!(read(&format!("<{local}a@c..d>")), Err(AddressErrorKind::TooLong));
    let domain = "a.".repeat(126) + "aaa";
    assert_eq!(domain.len(), 255);
    assert_eq!(read(&format!("<u@{domain}>")), Err(AddressErrorKind::TooLong), "the path is above 256");
    let fits = "a.".repeat(126);
    assert!(read(&format!("<u@{}>", &fits[..fits.len() - 1])).is_ok());
    let mut options = AddressOptions::default();
    options.path_limit = 1000;
    options.local_part_limit = 500;
    let long = ParsedPath::read(format!("<{}@c>", "a".repeat(500)).as_bytes(), &options).unwrap();
    let Path::Mailbox(long) = long.path else { panic!() };
    assert!(!long.is_sendable(), "limits are never raised for what is written");
    assert!(mailbox("<u@c>").is_sendable());
}

#[test]
fn a11_invalid_characters_and_open_paths_are_syntax_errors() {
    for input in [
        "u@c",
        "<u@c",
        "<u v@c>",
        "<u@c d>",
        "<\"u@c>",
        "<\"u\"v@c>",
        "<u@v@c>",
        "<u(x)@c>",
        "<u@c_d>",
        "<u\r@c>",
        "<u@c\n>",
        "<u,v@c>",
        "<u@c\0>",
        "<<u@c>>",
        "<u@[1.2.3.4>",
        "",
        "<",
        "<u\u{85}@c>",
        "<u@c\u{3000}d>",
    ] {
        assert_eq!(read(input), Err(AddressErrorKind::Syntax), "{input:?}");
    }
    assert_eq!(
        ParsedPath::read(b"<u\xff@c>", &AddressOptions::default()).unwrap_err().kind,
        AddressErrorKind::Syntax
    );
    assert_eq!(ParsedPath::read(b"<u@c\xc3>", &AddressOptions::default()).unwrap_err().offset, 4);
}

#[test]
fn an_underscore_in_a_domain_is_a_tolerance_with_a_deviation() {
    let mut options = AddressOptions::default();
    options.underscore_in_domain = true;
    let parsed = ParsedPath::read(b"<u@a_b>", &options).unwrap();
    assert_eq!(parsed.deviation.unwrap().offset, 4);
}

#[test]
fn a12_domains_are_equal_but_for_ascii_case() {
    use core::hash::{BuildHasher as _, BuildHasherDefault};
    #[expect(deprecated, reason = "a fixed hasher is what the test needs")]
    type Fixed = BuildHasherDefault<core::hash::SipHasher>;
    let (one, other) = (mailbox("<u@EXAMPLE.org>"), mailbox("<u@example.ORG>"));
    assert_eq!(one, other);
    assert_eq!(Fixed::default().hash_one(&one), Fixed::default().hash_one(&other));
    assert_ne!(mailbox("<U@example.org>"), mailbox("<u@example.org>"));
    assert_ne!(mailbox("<u@xn--bcher-kva.example>"), mailbox("<u@bücher.example>"));
}

#[cfg(feature = "idna")]
#[test]
fn a12_normalised_forms_of_one_domain_are_equal() {
    let canonical = mailbox("<u@xn--bcher-kva.example>");
    assert_eq!(mailbox("<u@BÜCHER.example>").normalise().unwrap(), canonical);
    assert_eq!(canonical.normalise().unwrap(), canonical);
}

#[test]
fn utf8_is_read_and_seen() {
    let mailbox = mailbox("<jörg@bücher.example>");
    assert!(!mailbox.is_ascii());
    assert_eq!(mailbox.to_string(), "jörg@bücher.example");
}

#[test]
fn a_view_does_not_copy_and_detaches_on_request() {
    let input = Bytes::from_static(b"<alice@example.org>");
    let Path::Mailbox(mailbox) = ParsedPath::read_shared(&input, &AddressOptions::default()).unwrap().path
    else {
        panic!()
    };
    assert_eq!(mailbox.local_part().as_str().as_ptr(), input[1..].as_ptr());
    assert_ne!(mailbox.detach().local_part().as_str().as_ptr(), input[1..].as_ptr());
}

#[test]
fn a_local_part_from_a_host_cannot_hold_controls() {
    assert!(LocalPart::new("a\r\nb").is_err());
    assert!(LocalPart::new("a\0").is_err());
    assert!(LocalPart::new(&"\"".repeat(40)).is_err(), "82 octets once written");
    assert_eq!(LocalPart::new("a b").unwrap().to_string(), r#""a b""#);
}

fn path_like() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("<"),
        Just(">"),
        Just("@"),
        Just("\""),
        Just("\\"),
        Just("."),
        Just("a"),
        Just("b-c"),
        Just("["),
        Just("]"),
        Just("IPv6:"),
        Just("::1"),
        Just("1.2.3.4"),
        Just(":"),
        Just(","),
        Just(" "),
        Just("ü"),
        Just("\r"),
        Just("Postmaster"),
        Just("u@c"),
        Just("\"q q\"@d"),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_is_read_is_written_and_read_again_the_same(inner in path_like()) {
        let input = format!("<{inner}>");
        if let Ok(parsed) = ParsedPath::read(input.as_bytes(), &AddressOptions::default())
            && let Path::Mailbox(mailbox) = parsed.path
        {
            let written = mailbox.to_string();
            prop_assert!(written.bytes().all(|octet| octet >= 0x20));
            prop_assert_eq!(written.parse::<Mailbox>().unwrap(), mailbox.clone());
            prop_assert_eq!(format!("<{written}>").parse::<ForwardPath>().unwrap(), ForwardPath::Mailbox(mailbox));
        }
    }

    #[test]
    fn a_local_part_survives_quoting(text in "[ -~äöü]{1,30}") {
        if let Ok(local_part) = LocalPart::new(&text) {
            let written = local_part.to_string();
            prop_assert_eq!(&written.parse::<LocalPart>().unwrap(), &local_part);
            prop_assert_eq!(local_part.as_str(), text);
        }
    }

    #[test]
    fn no_octets_panic(input in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = ParsedPath::read(&input, &AddressOptions::default());
        let _ = Mailbox::parse(&input, &AddressOptions::default());
        let _ = Domain::parse(&input, &AddressOptions::default());
    }
}
