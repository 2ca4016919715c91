//! DSN parameters: what is read, what is written, what is refused.

use alloc::string::ToString as _;

use proptest::prelude::*;

use super::*;

#[test]
fn never_stands_alone_and_words_in_any_case_and_order() {
    for (text, written) in [
        ("never", "NEVER"),
        ("Success", "SUCCESS"),
        ("DELAY,success", "SUCCESS,DELAY"),
        ("FAILURE,FAILURE", "FAILURE"),
        ("delay,failure,success", "SUCCESS,FAILURE,DELAY"),
    ] {
        assert_eq!(text.parse::<Notify>().unwrap().to_string(), written);
    }
    for text in ["", ",", "NEVER,NEVER", "FAILURE,NEVER", "SUCCESS,", ",DELAY", "SUCCESS, DELAY", "ALWAYS"] {
        assert!(text.parse::<Notify>().is_err(), "{text:?}");
    }
    assert!(Notify::SUCCESS.without_success().is_never());
}

#[test]
fn xtext_has_upper_case_digits_and_no_controls() {
    for good in ["a", "+2B", "a+20b", "!~", &"x".repeat(100)] {
        assert_eq!(good.parse::<EnvelopeId>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "+",
        "+2",
        "+2b",
        "+G0",
        "a=b",
        "a b",
        "+00",
        "+09",
        "+7F",
        "+80",
        "\u{FC}",
        &"x".repeat(101),
        "\r\n",
    ] {
        assert!(bad.parse::<EnvelopeId>().is_err(), "{bad:?}");
    }
}

#[test]
fn envelope_ids_are_equal_that_say_the_same() {
    let one: EnvelopeId = "+41".parse().unwrap();
    assert_eq!(one, EnvelopeId::new("A").unwrap());
    assert_ne!(one, EnvelopeId::new("a").unwrap());
    assert_eq!(one.detach().to_string(), "+41");
}

#[test]
fn an_original_recipient_has_a_type_and_the_encoding_of_it() {
    for (wire, decoded) in [
        ("rfc822;Bob@Example.COM", "Bob@Example.COM"),
        ("X400;c=US+3B+20p=X".replace('=', "+3D").as_str(), "c=US; p=X"),
        ("rfc822;", ""),
        ("rfc822;a;b", "a;b"),
        ("utf-8;\\x{5C}\\x{2B}\\x{3D}\\x{20}\\x{FC}\\x{1F600}", "\\+= \u{FC}\u{1F600}"),
        ("UTF-8;\u{FC}", "\u{FC}"),
    ] {
        let original: OriginalRecipient = wire.parse().unwrap();
        assert_eq!(original.decode(), decoded);
        assert_eq!(original.to_string(), wire);
    }
    for bad in [
        "",
        "rfc822",
        ";a",
        "a b;c",
        "rfc(822;a",
        "rfc822;a=b",
        "rfc822;+0A",
        "rfc822;+C3+BC",
        "rfc822;\u{FC}",
        "utf-8;",
        "utf-8;a+2B",
        "utf-8;a=b",
        "utf-8;a b",
        "utf-8;\\",
        "utf-8;\\x{FC",
        "utf-8;\\x{fc}",
        "utf-8;\\x{41}",
        "utf-8;\\x{0A}",
        "utf-8;\\x{85}",
        "utf-8;\\x{0FC}",
        "utf-8;\\x{D800}",
        "utf-8;\\x{110000}",
        "utf-8;\\x{2}",
        "utf-8;\\x{0000020}",
        "utf-8;\u{85}",
    ] {
        assert!(bad.parse::<OriginalRecipient>().is_err(), "{bad:?}");
    }
    assert!(alloc::format!("rfc822;{}", "x".repeat(493)).parse::<OriginalRecipient>().is_ok());
    assert!(alloc::format!("rfc822;{}", "x".repeat(494)).parse::<OriginalRecipient>().is_err());
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(text in "[ -~]{1,30}", address in "\\PC{1,30}") {
        prop_assert_eq!(EnvelopeId::new(&text).unwrap().decode(), &text[..]);
        if let Ok(original) = OriginalRecipient::new(&address) {
            prop_assert_eq!(original.decode(), &address[..]);
            prop_assert!(original.as_str().is_ascii());
            prop_assert_eq!(original.to_ascii(), original);
        }
    }

    #[test]
    fn any_text_is_a_value_that_writes_itself_or_none(text in "(utf-8;|rfc822;)?[a\\\\x{}0-9A-F+;= \u{FC}\r\n]{0,20}") {
        if let Ok(value) = text.parse::<OriginalRecipient>() {
            prop_assert_eq!(value.to_string(), &text[..]);
            prop_assert!(!value.decode().chars().any(char::is_control));
            prop_assert_eq!(value.to_ascii().to_string().parse::<OriginalRecipient>().unwrap().decode(), value.decode());
        }
        if let Ok(value) = text.parse::<EnvelopeId>() {
            prop_assert_eq!(value.to_string(), &text[..]);
            prop_assert!(!value.decode().chars().any(char::is_control));
        }
    }
}
