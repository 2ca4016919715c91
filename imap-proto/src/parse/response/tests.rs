//! What is read in one look means what the whole grammar says.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The events of `input`, by the whole grammar alone or not.
fn events(
    input: &[u8],
    only_grammar: bool,
    tolerance: Tolerance,
) -> (Vec<ResponseEvent>, Option<FramingError>) {
    let limits = ResponseLimits { tolerance, ..ResponseLimits::default() };
    let mut reader = ResponseReader::new(limits);
    reader.only_grammar = only_grammar;
    let mut buffer = BytesMut::from(input);
    let mut found = Vec::new();
    loop {
        match reader.next_event(&mut buffer) {
            Ok(Some(event)) => found.push(event),
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(error)),
        }
    }
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[1-9][0-9]{0,5}",
        1 => select(vec!["0", "007", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
            "18446744073709551615", "18446744073709551616", "-1", "1.0", "", "x"]).prop_map(String::from),
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just(" "), 1 => Just("  "), 1 => Just("")]
}

fn flag() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["\\Seen", "\\answered", "\\Flagged", "\\Deleted", "\\DRAFT", "$Label1", "NonJunk", "+x",
            "$AKeywordThatIsLongerThanMostOfThem"]).prop_map(String::from),
        1 => select(vec!["\\Recent", "\\recent", "\\Xyz", "\\*", "\\", "\"x\"", "a]b", "()", "NIL", ""]).prop_map(String::from),
    ]
}

fn item() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        number(),
        vec((space(), flag()), 0..4).prop_map(|flags| {
            let flags: String = flags.iter().flat_map(|(space, flag)| [*space, flag]).collect();
            alloc::format!("({})", flags.trim_start_matches(' '))
        }),
        number().prop_map(|number| alloc::format!("({number})")),
        select(vec![
            "NIL",
            "\"a\\\"b\"",
            "\"a\"b c\"",
            "\"17-Jul-1996 02:44:25 -0700\"",
            "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)",
            "((\"a\" \"b\" NIL NIL NIL NIL 1)(\"text\" \"x\" (\"a\" \"b)\") NIL NIL \"8bit\" 9 1) \"mixed\")",
            "(NIL \"s(\" ((\"n\" NIL \"m\" \"h\")) NIL NIL NIL NIL NIL NIL \"<x>\")",
            "(NIL)",
            "\"",
            "(((",
            "))",
            "{3}",
        ])
        .prop_map(String::from),
    ];
    let name = select(vec![
        "UID",
        "uid",
        "FLAGS",
        "Flags",
        "RFC822.SIZE",
        "MODSEQ",
        "INTERNALDATE",
        "ENVELOPE",
        "BODYSTRUCTURE",
        "BODY",
        "BODY[]",
        "BODY[HEADER.FIELDS (a b)]<0>",
        "BINARY.SIZE[1]",
        "X-FOO",
        "X)",
        "BODY[1",
        "",
    ]);
    (name, space(), value).prop_map(|(name, space, value)| alloc::format!("{name}{space}{value}"))
}

fn line() -> impl Strategy<Value = String> {
    let data = select(vec!["EXISTS", "exists", "RECENT", "EXPUNGE", "EXPUNGED", "OK", "FETCH"]);
    let fetch = (
        space(),
        number(),
        space(),
        select(vec!["FETCH", "fetch", "UIDFETCH"]),
        space(),
        vec((space(), item()), 0..5),
    )
        .prop_map(|(before, number, between, name, behind, items)| {
            let items: String = items.iter().flat_map(|(space, item)| [*space, item]).collect();
            alloc::format!(
                "*{before}{number}{between}{name}{behind}({}",
                items.strip_prefix(' ').unwrap_or(&items)
            )
        });
    let end = select(vec![")", ")", ")", ")", "", " )", ") ", ")+", "))"]);
    prop_oneof![
        1 => (space(), number(), space(), data, select(vec!["", "", " "]))
            .prop_map(|(before, number, between, name, end)| alloc::format!("*{before}{number}{between}{name}{end}")),
        3 => (fetch, end).prop_map(|(fetch, end)| fetch + end),
        1 => vec((space(), number()), 0..5).prop_map(|numbers| {
            numbers.iter().fold("* SEARCH".into(), |line: String, (space, number)| line + space + number.as_str())
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_read_in_one_look_is_what_the_grammar_says(
        lines in vec((line(), select(vec!["\r\n", "\r\n", "\r\n", "\n", "\r"])), 1..3),
        strict: bool,
    ) {
        let input: String = lines.iter().flat_map(|(line, end)| [line.as_str(), end]).collect();
        let tolerance = if strict { Tolerance::Strict } else { Tolerance::Lenient };
        let plain = events(input.as_bytes(), false, tolerance);
        prop_assert_eq!(plain, events(input.as_bytes(), true, tolerance), "{}", input);
    }
}

#[test]
fn what_nearly_every_response_is_like_is_read_in_one_look() {
    let wire = "* 12345 FETCH (UID 4827313 FLAGS (\\Seen \\Answered $Label1) RFC822.SIZE 5 MODSEQ (7))";
    let head = wire.find('(').unwrap() + 1;
    assert_eq!(plain::fetch(wire.as_bytes()), Some((12345, head)));
    let mut rest = &wire.as_bytes()[head..];
    for index in 0..4 {
        let (_, length) = plain::item(rest, index == 0).unwrap();
        rest = &rest[length..];
    }
    assert_eq!(rest, b")");
    assert!(plain::count(b"* 0 EXISTS\r\n").is_some() && plain::count(b"* 0 EXPUNGE\r\n").is_none());
    // More must come, or not.
    for at in 0..b"* 18 EXISTS\r\n".len() {
        assert!(plain::count(&b"* 18 EXISTS\r\n"[..at]).is_none());
    }
}
