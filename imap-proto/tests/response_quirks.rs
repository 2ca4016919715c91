//! What servers send although the RFC does not allow it: read and reported by default, refused in strict
//! mode.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use mailwright_imap::parse::{ResponseEvent, ResponseLimits};
use mailwright_imap::types::{
    BodyStructure, Code, Envelope, FetchItem, ListResponse, Mailbox, OtherFlag, Response, StatusItem,
    StatusKind, StatusResponse,
};
use mailwright_imap::value::DeviationKind as Kind;
use mailwright_imap::value::Flag;
use reading::{is_refused, is_unknown, item, items, lenient, read, response, strict};

fn status(input: &[u8]) -> (StatusResponse, Vec<Kind>) {
    match response(input) {
        (Response::Status { status, .. }, kinds) => (status, kinds),
        (other, _) => panic!("{other:?}"),
    }
}

fn structure(value: &[u8]) -> (BodyStructure, Vec<Kind>) {
    match item("BODYSTRUCTURE", value, &ResponseLimits::default()) {
        (FetchItem::BodyStructure(structure), kinds) => (structure, kinds),
        (other, kinds) => panic!("{}: {other:?} {kinds:?}", value.escape_ascii()),
    }
}

fn envelope(value: &[u8]) -> (Envelope, Vec<Kind>) {
    match item("ENVELOPE", value, &ResponseLimits::default()) {
        (FetchItem::Envelope(envelope), kinds) => (*envelope, kinds),
        (other, kinds) => panic!("{}: {other:?} {kinds:?}", value.escape_ascii()),
    }
}

/// In strict mode the item is not read.
fn strict_refuses(name: &str, value: &[u8]) {
    assert!(is_unknown(&item(name, value, &strict()).0), "{}", value.escape_ascii());
}

#[test]
fn a_trailing_space_is_ignored_on_every_line_of_data() {
    for line in [
        "* STATUS INBOX (MESSAGES 0)",
        "* CAPABILITY IMAP4rev1",
        "* LIST () \"/\" INBOX",
        "* LSUB () NIL x",
        "* NAMESPACE NIL NIL NIL",
        "* FLAGS (\\Seen)",
        "* 3 EXISTS",
        "* 3 RECENT",
        "* 3 EXPUNGE",
        "* ID NIL",
    ] {
        let exact = response(format!("{line}\r\n").as_bytes());
        assert!(exact.1.is_empty(), "{line}");
        let input = format!("{line} \r\n");
        assert_eq!(response(input.as_bytes()), (exact.0, vec![Kind::TrailingSpace]), "{line}");
        assert!(
            is_refused(input.as_bytes(), &strict())
                && !is_refused(format!("{line}\r\n").as_bytes(), &strict())
        );
    }
    let fetch = b"* 1 FETCH (UID 5) \r\n";
    let (events, kinds) = lenient(fetch);
    assert_eq!((events.len(), kinds), (3, vec![Kind::TrailingSpace]));
    assert!(is_refused(fetch, &strict()));
}

#[test]
fn a_status_may_have_no_text() {
    for (input, has_code) in [
        ("* OK [HIGHESTMODSEQ 13632]\r\n", true),
        ("* OK\r\n", false),
        ("a1 OK\r\n", false),
        ("* BYE\r\n", false),
    ] {
        let (status, kinds) = status(input.as_bytes());
        assert_eq!(
            (status.code.is_some(), &*status.text, kinds),
            (has_code, &b""[..], vec![Kind::MissingText])
        );
        assert!(is_refused(input.as_bytes(), &strict()), "{input}");
    }
    assert_eq!(response(b"+\r\n"), (Response::Continue("".into()), vec![Kind::MissingText]));
    assert!(is_refused(b"+\r\n", &strict()));
    assert_eq!(response(b"+ \r\n"), (Response::Continue("".into()), vec![]));
    // RFC 9051 allows this, RFC 3501 does not.
    assert_eq!(status(b"* OK [ALERT] \r\n").1, []);
}

#[test]
fn spaces_in_a_list_do_not_matter() {
    for (input, kind) in [
        (&b"* 1 FETCH (FLAGS (\\Seen $NotJunk ))\r\n"[..], Kind::TrailingSpace),
        (b"* 1 FETCH (FLAGS ( \\Seen $NotJunk))\r\n", Kind::ExtraSpace),
        (b"* 1 FETCH (FLAGS (\\Seen  $NotJunk))\r\n", Kind::ExtraSpace),
        (b"* 1 FETCH (FLAGS  (\\Seen $NotJunk))\r\n", Kind::ExtraSpace),
        (b"* 1 FETCH ( FLAGS (\\Seen $NotJunk))\r\n", Kind::ExtraSpace),
        (b"* 1 FETCH (FLAGS (\\Seen $NotJunk) )\r\n", Kind::TrailingSpace),
    ] {
        let (found, kinds) = items(input, &ResponseLimits::default());
        let flags = vec![Flag::Seen, Flag::new("$NotJunk").unwrap()];
        assert_eq!(
            found,
            [FetchItem::Flags { flags, recent: false, other: vec![] }],
            "{}",
            input.escape_ascii()
        );
        assert_eq!(kinds, [kind], "{}", input.escape_ascii());
        let (found, _) = items(input, &strict());
        assert!(is_refused(input, &strict()) || found.iter().any(is_unknown), "{}", input.escape_ascii());
    }
    let (found, kinds) = items(b"* 1 FETCH (UID 19436  RFC822.SIZE 2 )\r\n", &ResponseLimits::default());
    assert_eq!((found.len(), kinds), (2, vec![Kind::ExtraSpace, Kind::TrailingSpace]));
}

#[test]
fn spaces_behind_the_star_do_not_matter() {
    assert_eq!(response(b"*  1688 EXISTS\r\n"), (Response::Exists(1688), vec![Kind::ExtraSpace]));
    assert!(is_refused(b"*  1688 EXISTS\r\n", &strict()));
    for input in [&b"*  SEARCH 1\r\n"[..], b"*  1 FETCH (UID 1)\r\n"] {
        let (events, kinds) = lenient(input);
        assert_eq!((events.len(), kinds), (3, vec![Kind::ExtraSpace]), "{}", input.escape_ascii());
        assert!(is_refused(input, &strict()));
    }
    let text = status(b"*  OK  [ALERT] {20}\r\n");
    assert_eq!((text.0.code, &*text.0.text), (Some(Code::Alert), &b"{20}"[..]));
}

const LEAF: &str = "\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1";

#[test]
fn a_disposition_may_lack_its_parentheses_or_its_value() {
    let bare = format!("({LEAF} NIL \"inline\" NIL NIL)");
    let (found, kinds) = structure(bare.as_bytes());
    let extension = found.parts[0].extension.as_ref().unwrap();
    assert_eq!(extension.disposition, Some(("inline".into(), vec![])));
    assert_eq!(kinds, [Kind::MissingParentheses]);
    strict_refuses("BODYSTRUCTURE", bare.as_bytes());
    let none = format!("({LEAF} NIL (NIL NIL) NIL NIL)");
    let (found, kinds) = structure(none.as_bytes());
    assert_eq!(found.parts[0].extension.as_ref().unwrap().disposition, None);
    assert_eq!(kinds, [Kind::UnexpectedNil]);
    strict_refuses("BODYSTRUCTURE", none.as_bytes());
}

#[test]
fn a_multipart_may_have_no_parts() {
    for value in [
        &b"(\"ALTERNATIVE\" (\"BOUNDARY\" \"x\") NIL NIL)"[..],
        b"(\"ALTERNATIVE\" (\"BOUNDARY\" \"x\") NIL NIL NIL)",
        b"(\"ALTERNATIVE\" (\"BOUNDARY\" \"x\"))",
        b"(\"ALTERNATIVE\" NIL NIL NIL)",
        b"(\"ALTERNATIVE\" NIL)",
        b"(\"ALTERNATIVE\")",
    ] {
        let (found, kinds) = structure(value);
        let part = &found.parts[0];
        assert!(found.parts.len() == 1 && part.multipart && part.children == 0, "{}", value.escape_ascii());
        assert_eq!(part.subtype, "ALTERNATIVE");
        assert_eq!(kinds, [Kind::MissingFields], "{}", value.escape_ascii());
        strict_refuses("BODYSTRUCTURE", value);
        let inside = [b"((", LEAF.as_bytes(), b")", value, b"(", LEAF.as_bytes(), b") \"mixed\")"].concat();
        let (found, _) = structure(&inside);
        assert_eq!((found.parts.len(), found.parts[0].children), (4, 3));
    }
}

#[test]
fn a_parameter_may_have_nil_for_a_value() {
    let value = b"(\"text\" \"plain\" (\"boundary\" NIL) NIL NIL \"7bit\" 5 1)";
    let (found, kinds) = structure(value);
    assert_eq!(found.parts[0].parameters, [("boundary".into(), "".into())]);
    assert_eq!(kinds, [Kind::UnexpectedNil]);
    strict_refuses("BODYSTRUCTURE", value);
}

#[test]
fn a_listed_name_without_quotes_goes_to_the_end_of_the_line() {
    for name in ["INBOX/Da\tOggetto", "Sent Items", "a(b", "50% off", "a \"b\" c"] {
        let input = format!("* LIST (\\HasNoChildren) \"/\" {name}\r\n");
        let Response::List(ListResponse { mailbox, .. }) = response(input.as_bytes()).0 else { panic!() };
        assert_eq!(mailbox, Mailbox::read(name.to_owned().into(), false));
        assert_eq!(response(input.as_bytes()).1[0], Kind::Unquoted, "{name}");
        assert!(is_refused(input.as_bytes(), &strict()), "{name}");
    }
}

#[test]
fn a_name_that_is_none_is_kept_and_reported() {
    for wire in ["&AGE-", "../x", "a//b", "Entw&APw"] {
        let Response::List(list) = response(format!("* LIST () NIL {wire}\r\n").as_bytes()).0 else {
            panic!()
        };
        assert_eq!(list.mailbox, Mailbox::Other(wire.to_owned().into()));
        for line in [format!("* LIST () NIL {wire}\r\n"), format!("* STATUS {wire} ()\r\n")] {
            assert_eq!(response(line.as_bytes()).1, [Kind::MailboxName], "{line}");
            assert!(!is_refused(line.as_bytes(), &strict()), "a server may have such a mailbox");
        }
    }
    assert_eq!(response(b"* LIST (\\Noselect) \"/\" \"\"\r\n").1, []);
}

#[test]
fn a_fetch_of_message_zero_is_ignored_with_its_literals() {
    let input = b"* 0 FETCH (UID 1 BODY[] {3}\r\nabc ENVELOPE (\"{2}\" {2}\r\n\r\n))\r\n* 1 EXISTS\r\n";
    let (events, kinds) = lenient(input);
    assert_eq!(events, [ResponseEvent::Response(Response::Exists(1))]);
    assert_eq!(kinds, [Kind::Ignored]);
    assert!(is_refused(input, &strict()));
}

#[test]
fn a_search_may_end_in_a_space() {
    let numbers = |input: &[u8]| {
        let (events, kinds) = lenient(input);
        assert_eq!(events.first(), Some(&ResponseEvent::SearchBegin));
        assert_eq!(events.last(), Some(&ResponseEvent::SearchEnd));
        let number = |event: &ResponseEvent| match event {
            ResponseEvent::SearchNumber(number) => Some(*number),
            _ => None,
        };
        (events.iter().filter_map(number).collect::<Vec<_>>(), kinds)
    };
    assert_eq!(numbers(b"* SEARCH 1 2 3\r\n"), (vec![1, 2, 3], vec![]));
    assert_eq!(numbers(b"* SEARCH 1 2 3 \r\n"), (vec![1, 2, 3], vec![Kind::TrailingSpace]));
    assert_eq!(numbers(b"* SEARCH \r\n"), (vec![], vec![Kind::TrailingSpace]));
    assert_eq!(
        numbers(b"* SEARCH  1  2\n"),
        (vec![1, 2], vec![Kind::ExtraSpace, Kind::ExtraSpace, Kind::BareLineFeed])
    );
    assert!(is_refused(b"* SEARCH 1 2 3 \r\n", &strict()));
    assert!(is_refused(b"* SEARCH 1  2\r\n", &strict()));
    assert!(!is_refused(b"* SEARCH\r\n", &strict()));
}

#[test]
fn a_line_that_is_no_response_is_reported_and_costs_nothing_else() {
    let (events, _) = lenient(b"Server Unavailable. 15\r\n* 1 EXISTS\r\n");
    assert!(
        matches!(&events[0], ResponseEvent::Invalid(invalid) if *invalid.raw == *b"Server Unavailable. 15")
    );
    assert_eq!(events[1..], [ResponseEvent::Response(Response::Exists(1))]);
}

#[test]
fn literal_plus_may_be_two_words() {
    let (found, kinds) = response(b"* CAPABILITY IMAP4rev1 LITERAL + IMAPrev1 X X +\r\n");
    let Response::Capability(names) = found else { panic!() };
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["IMAP4rev1", "LITERAL+", "IMAPrev1", "X", "X", "+"]);
    assert_eq!(kinds, [Kind::ExtraSpace]);
    assert!(is_refused(b"* CAPABILITY LITERAL +\r\n", &strict()));
}

#[test]
fn a_literal_may_have_leading_zeros_or_a_plus() {
    for (literal, kind) in [("{003}", Kind::LeadingZero), ("{3+}", Kind::NonSynchronisingLiteral)] {
        let list = format!("* LIST () \"/\" {literal}\r\na b\r\n");
        let body = format!("* 1 FETCH (BODY[] {literal}\r\na b)\r\n");
        let Response::List(found) = response(list.as_bytes()).0 else { panic!() };
        assert_eq!(found.mailbox, Mailbox::read("a b".into(), false));
        for input in [list, body] {
            assert_eq!(lenient(input.as_bytes()).1, [kind]);
            assert!(is_refused(input.as_bytes(), &strict()));
        }
    }
}

#[test]
fn a_bare_line_feed_ends_a_line() {
    let input = b"* 1 EXISTS\n* 2 EXISTS\r\n* 1 FETCH (BODY[] {1}\nx)\r\n";
    let (events, kinds) = lenient(input);
    assert_eq!((events.len(), kinds), (7, vec![Kind::BareLineFeed; 2]));
    assert!(is_refused(b"* 1 EXISTS\n", &strict()));
}

#[test]
fn nul_before_a_line_is_skipped_and_in_a_body_reported() {
    assert_eq!(response(b"\0\0* 1 EXISTS\r\n"), (Response::Exists(1), vec![Kind::Nul]));
    assert!(is_refused(b"\0* 1 EXISTS\r\n", &strict()));
    let (found, kinds) = items(b"* 1 FETCH (BODY[] {3}\r\na\0b)\r\n", &ResponseLimits::default());
    assert_eq!(kinds, [Kind::Nul]);
    assert!(matches!(&found[0], FetchItem::BodySection { octets: Some(octets), .. } if **octets == *b"a\0b"));
    assert_eq!(items(b"* 1 FETCH (BINARY[1] ~{3}\r\na\0b)\r\n", &ResponseLimits::default()).1, []);
}

#[test]
fn address_lists_are_read_in_every_form() {
    let address = "(\"a\" NIL \"b\" \"c\")";
    for (list, count, kinds) in [
        (format!("({address} {address})"), 2, vec![Kind::ExtraSpace]),
        (format!("({address}NIL{address})"), 2, vec![Kind::UnexpectedNil]),
        (format!("(NIL {address})"), 1, vec![Kind::UnexpectedNil, Kind::ExtraSpace]),
        ("()".into(), 0, vec![Kind::MissingFields]),
        ("\"\"".into(), 0, vec![Kind::MissingParentheses]),
        ("((\"c\" NIL \"b\"))".into(), 1, vec![Kind::MissingFields]),
        ("((c NIL \"b\" \"d\"))".into(), 1, vec![Kind::Unquoted]),
        (format!("({address}{address})"), 2, vec![]),
    ] {
        let value = format!("(NIL \"s\" {list} NIL NIL NIL NIL NIL NIL \"<i>\")");
        let (found, found_kinds) = envelope(value.as_bytes());
        assert_eq!((found.from.len(), found_kinds), (count, kinds.clone()), "{list}");
        assert_eq!(found.message_id.as_deref(), Some(&b"<i>"[..]));
        if !kinds.is_empty() {
            strict_refuses("ENVELOPE", value.as_bytes());
        }
    }
}

#[test]
fn an_envelope_may_lack_fields_and_have_extra_parentheses() {
    let full = envelope(b"(\"d\" \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)").0;
    for (value, kind) in [
        (&b"(\"d\" \"s\" NIL NIL)"[..], Kind::MissingFields),
        (b"(\"d\" \"s\" NIL NIL NIL NIL NIL NIL NIL)", Kind::MissingFields),
        (b"((\"d\" \"s\" NIL NIL NIL NIL NIL NIL NIL NIL))", Kind::ExtraParentheses),
        (b"(\"d\" \"s\" NIL NIL NIL NIL NIL NIL NIL NIL NIL)", Kind::TrailingFields),
    ] {
        assert_eq!(envelope(value), (full.clone(), vec![kind]), "{}", value.escape_ascii());
        strict_refuses("ENVELOPE", value);
    }
    assert_eq!(envelope(b"()"), (Envelope::default(), vec![Kind::MissingFields]));
}

#[test]
fn numbers_that_make_no_sense_are_unknown() {
    for (value, size) in [
        ("-1", None),
        ("4294967296", Some(4_294_967_296)),
        ("12.0", Some(12)),
        ("1.2E1", Some(12)),
        ("1.5", None),
        ("NIL", None),
        ("99999999999999999999999", None),
    ] {
        let (found, kinds) = item("RFC822.SIZE", value.as_bytes(), &ResponseLimits::default());
        assert_eq!(found, FetchItem::Rfc822Size(size), "{value}");
        assert_eq!(kinds.is_empty(), value == "4294967296");
        assert_eq!(is_unknown(&item("RFC822.SIZE", value.as_bytes(), &strict()).0), !kinds.is_empty());
    }
    let (found, kinds) = response(b"* STATUS x (MESSAGES -1 SIZE 1e3 UNSEEN 2)\r\n");
    let Response::MailboxStatus { values, .. } = found else { panic!("{found:?}") };
    assert_eq!(values, [(StatusItem::Size, 1000).into(), (StatusItem::Unseen, 2).into()]);
    assert_eq!(kinds, [Kind::NumberForm; 2]);
    let (found, kinds) = structure(b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" -1 -1)");
    assert_eq!((found.parts[0].octets, found.parts[0].lines), (None, None));
    assert_eq!(kinds, [Kind::NumberForm; 2]);
}

#[test]
fn zero_where_none_can_be_is_absent() {
    for code in ["UIDNEXT", "UIDVALIDITY", "UNSEEN"] {
        let input = format!("* OK [{code} 0] x\r\n");
        let (found, kinds) = status(input.as_bytes());
        assert_eq!((found.code, &*found.text, kinds), (None, &b"x"[..], vec![Kind::UnexpectedZero]));
    }
    let (found, kinds) = response(b"* STATUS x (UIDNEXT 0 UIDVALIDITY 0 UNSEEN 0)\r\n");
    let Response::MailboxStatus { values, .. } = found else { panic!() };
    assert_eq!((values, kinds), (vec![(StatusItem::Unseen, 0).into()], vec![Kind::UnexpectedZero; 2]));
    assert!(is_refused(b"* STATUS x (UIDNEXT 0)\r\n", &strict()));
}

#[test]
fn eight_bit_octets_in_strings_are_kept_and_reported() {
    let value = b"(NIL \"caf\xe9\" NIL NIL NIL NIL NIL NIL NIL NIL)";
    let (found, kinds) = envelope(value);
    assert_eq!((found.subject.as_deref(), kinds), (Some(&b"caf\xe9"[..]), vec![Kind::EightBit]));
    strict_refuses("ENVELOPE", value);
    let mut agreed = strict();
    agreed.utf8 = true;
    strict_refuses("ENVELOPE", value);
    let utf8 = "(NIL \"café\" NIL NIL NIL NIL NIL NIL NIL NIL)";
    assert!(!is_unknown(&item("ENVELOPE", utf8.as_bytes(), &agreed).0));
    assert!(is_unknown(&item("ENVELOPE", value, &agreed).0));
}

#[test]
fn quotes_that_are_not_escaped_cost_only_their_item() {
    for value in [
        "(\"text\" \"plain\" NIL NIL \"the \"best\" one\" \"7bit\" 5 1)",
        "(\"text\" \"plain\" NIL NIL \"a \"(\" b\" \"7bit\" 5 1)",
        "(\"text\" \"plain\" NIL NIL \"a 5\" disk\" \"7bit\" 5 1)",
    ] {
        let (found, kinds) = item("BODYSTRUCTURE", value.as_bytes(), &ResponseLimits::default());
        assert_eq!(
            found,
            FetchItem::Invalid { name: "BODYSTRUCTURE".into(), value: value.to_owned().into() },
            "{value}"
        );
        assert_eq!(kinds, [Kind::Ignored]);
    }
}

#[test]
fn a_literal_of_wrong_length_ends_the_connection() {
    for input in [
        &b"* 1 FETCH (BODY[] {3}\r\nabcd)\r\n"[..],
        b"* 1 FETCH (ENVELOPE (NIL {3}\r\nabcd NIL NIL NIL NIL NIL NIL NIL NIL))\r\n",
        b"* LIST () \"/\" {3}\r\nabcd\r\n",
    ] {
        for size in [1, 7, 1000] {
            let (_, end) = read(input, size, &ResponseLimits::default());
            assert_eq!(end, Err(mailwright_imap::wire::FramingError::WrongCount));
        }
    }
}

#[test]
fn structures_are_read_in_every_form() {
    let nil = b"(NIL NIL NIL NIL NIL NIL 5)";
    let (found, kinds) = structure(nil);
    assert_eq!((found.parts[0].octets, kinds), (Some(5), vec![Kind::UnexpectedNil; 3]));
    let basic = b"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 5)";
    let (found, kinds) = structure(basic);
    assert_eq!((found.parts[0].envelope.is_none(), kinds), (true, vec![Kind::MissingFields]));
    let basic = b"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 5 NIL NIL NIL NIL)";
    assert!(structure(basic).0.parts[0].extension.is_some());
    strict_refuses("BODYSTRUCTURE", basic);
    let lines = b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5)";
    assert_eq!(structure(lines).1, [Kind::MissingFields]);
    for (language, count) in [("NIL", 0), ("\"de\"", 1), ("(\"de\" \"en\")", 2)] {
        let value = format!("({LEAF} NIL NIL {language})");
        let (found, kinds) = structure(value.as_bytes());
        assert_eq!(found.parts[0].extension.as_ref().unwrap().language.len(), count);
        assert!(kinds.is_empty());
    }
    let unknown = format!("({LEAF} NIL NIL NIL NIL 5 (\"x\" (1 (NIL))) \"y\")");
    assert!(structure(unknown.as_bytes()).1.is_empty());
    let spaced = format!("(({LEAF}) ({LEAF}) \"mixed\" )");
    assert_eq!(structure(spaced.as_bytes()).1, [Kind::ExtraSpace, Kind::TrailingSpace]);
}

#[test]
fn a_bad_code_costs_nothing_but_itself() {
    for code in [
        "COPYUID 701  ",
        "COPYUID 1 1:3 4:5",
        "COPYUID 1 1 x",
        "APPENDUID 0 1",
        "APPENDUID",
        "UIDNEXT",
        "UIDNEXT x",
        "UIDVALIDITY 4294967296",
        "PERMANENTFLAGS \\Seen",
        "CAPABILITY",
        "ALERT x",
        "BADCHARSET (a",
        "HIGHESTMODSEQ",
        "HIGHESTMODSEQ 9223372036854775808",
        "MODIFIED",
        "MODIFIED 1:*",
        "MODIFIED $",
        "NOMODSEQ 1",
        "MAILBOXID F22",
        "MAILBOXID ()",
        "METADATA",
        "METADATA MAXSIZE",
        "METADATA TOOMANY 1",
        "NOUPDATE",
        "BADEVENT",
        "BADEVENT MessageNew",
        "BADURL",
        "MESSAGELIMIT",
        "MESSAGELIMIT 1000 0",
        "INPROGRESS 5",
        "INPROGRESS (\"x\" 1)",
        "INPROGRESS (\"x\" 1 -1)",
        "USEATTR x",
    ] {
        let (found, kinds) = status(format!("a NO [{code}] text\r\n").as_bytes());
        assert_eq!(found.code, Some(Code::Invalid(code.to_owned().into())));
        assert_eq!(
            (found.kind, &*found.text, kinds.last()),
            (StatusKind::No, &b"text"[..], Some(&Kind::Ignored))
        );
    }
    for code in ["XFOO \"{5}\" (", "", "REFERRAL imap://x/", "METADATA XFOO", "\"a"] {
        let (found, kinds) = status(format!("* OK [{code}] text\r\n").as_bytes());
        assert_eq!((found.code, kinds), (Some(Code::Unknown(code.to_owned().into())), vec![]));
    }
    let (found, kinds) = status(b"* OK [COPYUID 1 2 3 x\r\n");
    assert_eq!((found.code, &*found.text), (None, &b"[COPYUID 1 2 3 x"[..]));
    assert_eq!(kinds, [Kind::MissingParentheses]);
    assert_eq!(status(b"* OK [READ-ONLY ]x\r\n").1, [Kind::TrailingSpace, Kind::MissingSpace]);
    let outside = response(b"* [COPYUID 1 2 3] done\r\n");
    assert_eq!(outside.0, Response::Unknown("* [COPYUID 1 2 3] done".into()));
}

fn shown(other: &[OtherFlag]) -> String {
    let words: Vec<_> = other.iter().map(|flag| String::from_utf8_lossy(flag.as_bytes())).collect();
    words.join(" ")
}

#[test]
fn flags_that_cannot_be_set_are_kept_apart() {
    let seen = |input: &[u8]| {
        let (found, kinds) = item("FLAGS", input, &ResponseLimits::default());
        let FetchItem::Flags { flags, other, .. } = found else { panic!("{found:?}") };
        (flags.len(), shown(&other), kinds)
    };
    assert_eq!(seen(b"(\\Seen $x +x NonJunk \\seen)"), (5, String::new(), vec![]));
    assert_eq!(seen(b"(\\Seen \\XFoo)"), (1, "\\XFoo".into(), vec![]));
    assert_eq!(
        seen(b"(\\\\X \\Seen \\* a]b \xe9)"),
        (1, "\\\\X \\* a]b \u{fffd}".into(), vec![Kind::Ignored; 4])
    );
    assert_eq!(seen(b"(\"quoted\" NIL)"), (2, String::new(), vec![Kind::Ignored]));
    let (found, kinds) = response(b"* FLAGS (\\Seen \\XFoo \\Recent \\*)\r\n");
    let Response::Flags { flags, other } = found else { panic!("{found:?}") };
    assert_eq!((flags, shown(&other)), (vec![Flag::Seen], "\\XFoo \\Recent \\*".into()));
    assert_eq!(kinds, [Kind::Ignored]);
    let (found, kinds) = status(b"* OK [PERMANENTFLAGS (\\Seen \\XFoo \\* \\\\)] x\r\n");
    let Some(Code::PermanentFlags { flags, new_keywords, other }) = found.code else { panic!("{found:?}") };
    assert_eq!((flags, new_keywords, shown(&other)), (vec![Flag::Seen], true, "\\XFoo \\\\".into()));
    assert_eq!(kinds, [Kind::Ignored]);
    let (found, kinds) = response(b"* LIST (\\HasNoChildren \\XFoo \\\\X +y) \"/\" x\r\n");
    let Response::List(list) = found else { panic!("{found:?}") };
    let attributes: Vec<&[u8]> = list.attributes.iter().map(|attribute| attribute.as_bytes()).collect();
    assert_eq!((attributes.len(), attributes[1], kinds), (4, &b"\\XFoo"[..], vec![]));
    strict_refuses("FLAGS", b"(\\*)");
    assert!(!is_unknown(&item("FLAGS", b"(\\XFoo)", &strict()).0), "RFC 9051 §9 allows it");
    let (found, kinds) = items(b"* 1 FETCH (FLAGS (\\Recent))\r\n", &strict());
    assert_eq!(
        (found, kinds),
        (vec![FetchItem::Flags { flags: vec![], recent: true, other: vec![] }], vec![])
    );
    let labels = item("X-GM-LABELS", b"(\"\\\\Sent\" \\Inbox NIL x)", &strict()).0;
    let expected = ["\\Sent", "\\Inbox", "NIL", "x"].map(Into::into).to_vec();
    assert_eq!(labels, FetchItem::GmailLabels(expected));
}

#[test]
fn garbage_behind_the_end_is_ignored() {
    let (_, kinds) = response(b"* ID (\"name\" \"x\")+\r\n");
    assert_eq!(kinds, [Kind::TrailingFields]);
    assert!(is_refused(b"* ID (\"name\" \"x\")+\r\n", &strict()));
    let (events, kinds) = lenient(b"* 1 FETCH (UID 5)+\r\n");
    assert_eq!((events.len(), kinds), (3, vec![Kind::TrailingFields]));
    assert!(is_refused(b"* 1 FETCH (UID 5)+\r\n", &strict()));
}

#[test]
fn one_bad_item_never_costs_its_siblings() {
    for (name, value) in [
        ("UID", "0"),
        ("UID", "x"),
        ("UID", "(1 2)"),
        ("INTERNALDATE", "\"yesterday\""),
        ("INTERNALDATE", "NIL"),
        ("ENVELOPE", "NIL"),
        ("ENVELOPE", "((((1))))"),
        ("BODYSTRUCTURE", "NIL"),
        ("BODY", "(1)"),
        ("FLAGS", "\\Seen"),
        ("MODSEQ", "5"),
        ("MODSEQ", "(9223372036854775808)"),
        ("MODSEQ", "NIL"),
        ("EMAILID", "M6d99"),
        ("EMAILID", "(a.b)"),
        ("EMAILID", "NIL"),
        ("THREADID", "()"),
        ("SAVEDATE", "\"tomorrow\""),
        ("PREVIEW", "(x)"),
        ("BINARY.SIZE[1.x]", "5"),
        ("BINARY.SIZE[1]<0>", "5"),
        ("X-GM-LABELS", "x"),
        ("X-GM-MSGID", "-1"),
    ] {
        let (found, kinds) = item(name, value.as_bytes(), &ResponseLimits::default());
        let FetchItem::Invalid { name: found, value: raw } = found else { panic!("{name} {value}") };
        assert_eq!((found, raw), (name.to_owned().into(), value.to_owned().into()));
        assert_eq!(kinds.last(), Some(&Kind::Ignored));
    }
    for (name, value) in [("XFOO", "(1 (2 \"3)\") {3})"), ("BODY[1", "x")] {
        let (found, kinds) = item(name, value.as_bytes(), &ResponseLimits::default());
        let FetchItem::Unknown { name: found, value: raw } = found else { panic!("{name} {value}") };
        assert_eq!((found, raw, kinds), (name.to_owned().into(), value.to_owned().into(), vec![]));
    }
}

#[test]
fn an_empty_line_is_ignored() {
    assert_eq!(lenient(b"\r\n"), (vec![], vec![Kind::Ignored]));
    assert!(is_refused(b"\r\n", &strict()));
}
