//! Responses that are meant to hurt: work is linear in what was sent, nothing
//! recurses, and what follows is read.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use mailwright_imap::parse::{ResponseEvent, ResponseLimits};
use mailwright_imap::types::{BodyStructure, Code, FetchItem, Response};
use mailwright_imap::value::Tolerance;
use proptest::prelude::*;
use reading::{is_unknown, items, read, strict};

/// Runs `work` on a stack of 64 KiB.
fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(64 * 1024).spawn(work).unwrap().join().unwrap()
}

#[test]
fn nesting_of_any_depth_costs_no_stack_and_no_sibling() {
    const DEEP: usize = 100_000;
    let open = "(".repeat(DEEP);
    let close = ")".repeat(DEEP);
    let leaf = "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1";
    let extension = format!("{leaf} NIL NIL NIL NIL {open}{close})");
    let enclosing =
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ";
    let enclosed = format!("{}{leaf}){}", enclosing.repeat(2000), " 1)".repeat(2000));
    for (name, value) in [
        ("BODYSTRUCTURE", format!("{open}{close}")),
        ("BODY", format!("{open}{leaf}){close}")),
        ("BODYSTRUCTURE", extension),
        ("BODYSTRUCTURE", enclosed),
        ("ENVELOPE", format!("{open}{close}")),
        ("FLAGS", format!("{open}{close}")),
        ("X-UNKNOWN", format!("{open}{close}")),
        ("MODSEQ", format!("{open}1{close}")),
        ("THREADID", format!("{open}x{close}")),
        ("X-GM-LABELS", format!("{open}x{close}")),
    ] {
        let input = format!("* 1 FETCH (UID 5 {name} {value} RFC822.SIZE 9)\r\n* 2 EXISTS\r\n");
        for tolerance in [Tolerance::Lenient, Tolerance::Strict] {
            let input = input.clone();
            let found = on_small_stack(move || {
                let mut limits = ResponseLimits::default();
                limits.tolerance = tolerance;
                let (found, _) = items(input.as_bytes(), &limits);
                let again = found.clone();
                assert_eq!(again, found);
                found
            });
            assert_eq!(found.len(), 3);
            assert_eq!(found[2], FetchItem::Rfc822Size(Some(9)));
            // Parentheses round an envelope are tolerated, and then nothing is in it.
            let empty = name == "ENVELOPE" && tolerance == Tolerance::Lenient;
            assert!(is_unknown(&found[1]) != empty, "{name}");
        }
    }
    for line in [
        format!("* NAMESPACE {open}"),
        format!("* NAMESPACE ((\"\" \"/\" {open}{close})) NIL NIL"),
        format!("* LIST () \"/\" x {open}{close}"),
        format!("* STATUS x (X {open}{close})"),
        format!("* ID {open}"),
        format!("* OK [BADCHARSET {open}"),
        format!("* X {open}"),
        format!("* LIST ({open}{close}) \"/\" x"),
        format!("* LIST () \"/\" x (CHILDINFO {open}{close})"),
        format!("* STATUS x (MESSAGES {open}{close})"),
        format!("* THREAD {open}1{close}"),
        format!("* THREAD {open}"),
        format!("* THREAD {}", "(1 ".repeat(DEEP)),
        format!("* ESEARCH {open}"),
        format!("* ESEARCH ALL {open}{close}"),
        format!("* ESEARCH PARTIAL {open}{close}"),
        format!("* ESEARCH X {open}{close}"),
        format!("* VANISHED {open}"),
        format!("* METADATA x {open}"),
        format!("* METADATA x (/a {open}{close})"),
        format!("* QUOTA x {open}{close}"),
        format!("* ACL x {open}{close} lr"),
        format!("* OK [BADEVENT {open}{close}] x"),
        format!("* OK [INPROGRESS {open}{close}] x"),
    ] {
        let input = format!("{line}\r\n* 2 EXISTS\r\n");
        let events = on_small_stack(move || read(input.as_bytes(), usize::MAX, &strict()));
        assert_eq!(events.0.last(), Some(&ResponseEvent::Response(Response::Exists(2))));
    }
}

#[test]
fn long_threads_cost_no_stack() {
    const LONG: usize = 100_000;
    let chain = format!("* THREAD ({}7)\r\n", "7 ".repeat(LONG));
    let nested = format!("* THREAD {}(7 8){}\r\n", "(7 (8)".repeat(89), ")".repeat(89));
    for (input, messages) in [(chain, LONG + 1), (nested, 180)] {
        on_small_stack(move || {
            let Response::Thread(threads) = Response::parse(input.as_bytes(), &strict()).unwrap().response
            else {
                panic!()
            };
            assert_eq!(threads.nodes().len(), messages);
            let again = threads.clone();
            assert_eq!(again, threads);
            assert!(format!("{again:?}").len() > messages);
            let mut wire = bytes::BytesMut::new();
            Response::Thread(again).encode(&mut wire, false);
            assert_eq!(&*wire, input.as_bytes());
        });
    }
}

#[test]
fn sets_and_lists_may_be_longer_than_a_line() {
    let many: String = (1..400_000).map(|number| format!("{},", 2 * number)).collect();
    for line in [
        format!("* ESEARCH (TAG \"a\") UID ALL {many}1 COUNT 5"),
        format!("* VANISHED (EARLIER) {many}1"),
        format!("* SORT {}1", many.replace(',', " ")),
        format!("* THREAD ({})", many.replace(',', ")(").trim_end_matches(")(")),
    ] {
        assert!(line.len() > 2 << 20);
        let input = format!("{line}\r\n* 2 EXISTS\r\n");
        let (events, end) = read(input.as_bytes(), 64 * 1024, &strict());
        assert_eq!(end, Ok(()));
        assert!(!events.iter().any(|event| matches!(event, ResponseEvent::Invalid(_))), "{}", &line[..20]);
        assert_eq!(events.last(), Some(&ResponseEvent::Response(Response::Exists(2))));
    }
}

#[test]
fn the_depth_that_is_read_is_a_limit() {
    let structure = |depth: usize| {
        let open = "(".repeat(depth);
        let close = " \"mixed\")".repeat(depth);
        let value = format!("{open}(\"a\" \"b\" NIL NIL NIL \"7bit\" 1){close}");
        let mut limits = strict();
        limits.nesting = 120;
        let (mut found, _) = items(format!("* 1 FETCH (BODY {value})\r\n").as_bytes(), &limits);
        found.pop()
    };
    assert!(
        matches!(structure(119), Some(FetchItem::Body(BodyStructure { parts, .. })) if parts.len() == 120)
    );
    assert!(is_unknown(&structure(120).unwrap()));
}

#[test]
fn large_honest_messages_are_read() {
    let part = "(\"image\" \"png\" (\"name\" \"a.png\") NIL NIL \"base64\" 123 NIL (\"attachment\" (\"filename\" \"a.png\")) NIL NIL)";
    let address = "(NIL NIL \"alice\" \"example.org\")";
    for (name, value) in [
        ("BODYSTRUCTURE", format!("({} \"mixed\")", part.repeat(5000))),
        ("ENVELOPE", format!("(NIL NIL NIL NIL NIL ({}) NIL NIL NIL NIL)", address.repeat(5000))),
    ] {
        let (found, kinds) = items(format!("* 1 FETCH ({name} {value})\r\n").as_bytes(), &strict());
        assert!(!is_unknown(&found[0]) && kinds.is_empty(), "{name}");
    }
}

#[test]
fn status_text_never_hides_the_next_response() {
    for line in
        ["* OK x {20}", "a1 NO [ALERT] {20+}", "* BYE {99999999999999999999}", "+ {5}", "* OK [XFOO {9}"]
    {
        for limits in [ResponseLimits::default(), strict()] {
            let (events, end) = read(format!("{line}\r\n* 2 EXISTS\r\n").as_bytes(), 1, &limits);
            assert_eq!(end, Ok(()), "{line}");
            assert_eq!(events.last(), Some(&ResponseEvent::Response(Response::Exists(2))), "{line}");
        }
    }
}

#[test]
fn a_lone_cr_or_nul_is_an_error_of_its_response_alone() {
    for line in [
        &b"* OK a\rb"[..],
        b"* OK a\0b",
        b"a1 OK \r",
        b"* X a\rb",
        b"* X a\0b",
        b"* CAPABILITY a\0b\r",
        b"* LIST () \"/\" a\rb",
        b"* LIST () \"/\" \"a\0b\"",
        b"* 3 EXISTS\r",
        b"* SEARCH 1\r2",
        b"+ a\0b",
    ] {
        let input = [line, b"\r\n* 2 EXISTS\r\n"].concat();
        for limits in [ResponseLimits::default(), strict()] {
            let (events, end) = read(&input, 1, &limits);
            assert_eq!(end, Ok(()));
            let invalid = |event: &ResponseEvent| matches!(event, ResponseEvent::Invalid(_));
            let dropped = line.starts_with(b"* CAPABILITY") && limits.tolerance == Tolerance::Lenient;
            assert!(events.iter().any(invalid) || dropped, "{}", line.escape_ascii());
            assert_eq!(events.last(), Some(&ResponseEvent::Response(Response::Exists(2))));
        }
    }
}

#[test]
fn a_tag_completes_nothing_unless_a_status_follows() {
    for line in [
        "a1",
        "a1 ",
        "a1 FOO x",
        "a1 BYE x",
        "a1 PREAUTH x",
        "a+1 OK x",
        "a\"1 OK x",
        "é OK x",
        "a1OK x",
        " a1 OK x",
    ] {
        let (events, end) = read(format!("{line}\r\n").as_bytes(), 1, &ResponseLimits::default());
        assert_eq!(end, Ok(()));
        assert!(matches!(&events[..], [ResponseEvent::Invalid(_)]), "{line}: {events:?}");
    }
}

/// Pieces of which responses, and what looks like them, are made.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            &b"* "[..],
            b"a1 ",
            b"+ ",
            b"OK ",
            b"NO ",
            b"BYE ",
            b"[BADCHARSET (",
            b"[COPYUID 1 1:2 3,4",
            b"] ",
            b"1 FETCH (",
            b"0 FETCH (",
            b"BODY[",
            b"HEADER.FIELDS (a ",
            b"]<0> ",
            b"UID 5 ",
            b"FLAGS (\\Seen ",
            b"ENVELOPE (NIL \"s\" ((NIL NIL \"a\" \"b\")) ",
            b"BODYSTRUCTURE ((\"text\" \"plain\" ",
            b"NIL ",
            b"\"7bit\" 5 1)",
            b"SEARCH ",
            b"* ESEARCH (TAG \"a\") UID ",
            b"ALL 1:3,",
            b"PARTIAL (1:5 ",
            b"ADDTO (1 2 ",
            b"* THREAD (1 ",
            b"* VANISHED ",
            b"(EARLIER) ",
            b"4,",
            b"5:6",
            b"12 ",
            b"{3}\r\n",
            b"~{1}\r\n",
            b"{2+}\r\n",
            b"{0}\r\n",
            b"abc",
            b"\r\n",
            b"\n",
            b"\r",
            b"\"",
            b"\\",
            b"(",
            b")",
            b" ",
            b"\0",
            b"LIST () \"/\" ",
            b"STATUS x (MESSAGES 1 ",
            b"CAPABILITY IMAP4rev1 ",
            b"NAMESPACE ((\"\" \"/\")) ",
            b"ID (\"a\" NIL ",
            b"\xe9",
            b"RFC822.SIZE -1 ",
        ])
        .prop_map(<[u8]>::to_vec),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn how_the_input_is_cut_never_matters(input in pieces(), size in 1_usize..20, tolerant in any::<bool>()) {
        let limits = if tolerant { ResponseLimits::default() } else { strict() };
        prop_assert_eq!(read(&input, size, &limits), read(&input, usize::MAX, &limits));
    }

    #[test]
    fn a_begin_has_an_end_and_strict_mode_only_refuses(input in pieces()) {
        let (events, end) = read(&input, usize::MAX, &ResponseLimits::default());
        let (mut open, mut body) = (None, false);
        for event in &events {
            use ResponseEvent as E;
            let begins = match event {
                E::FetchBegin { .. } => Some("fetch"),
                E::SearchBegin | E::SortBegin => Some("search"),
                E::ThreadBegin => Some("thread"),
                E::VanishedBegin { .. } => Some("vanished"),
                E::ExtendedSearchBegin(_) => Some("extended"),
                _ => None,
            };
            let within = match event {
                E::FetchItem(_) | E::BodyBegin { .. } | E::BodyChunk(_) | E::BodyEnd | E::FetchEnd => Some("fetch"),
                E::SearchNumber(_) | E::SearchModSeq(_) | E::SearchEnd => Some("search"),
                E::ThreadMember(_) | E::ThreadEnd => Some("thread"),
                E::Vanished(_) | E::VanishedEnd => Some("vanished"),
                E::SearchData(_) | E::SearchList(_) | E::SearchElement(_) | E::ExtendedSearchEnd => Some("extended"),
                E::Invalid(_) | E::Deviation(_) => open,
                _ => None,
            };
            match begins {
                Some(_) => { prop_assert_eq!(open, None); open = begins; }
                None => prop_assert_eq!(within, open, "{:?}", event),
            }
            match event {
                E::FetchBegin { number } => prop_assert!(*number > 0),
                E::BodyBegin { .. } => { prop_assert!(!body); body = true; }
                E::BodyEnd => { prop_assert!(body); body = false; }
                E::BodyChunk(_) => prop_assert!(body),
                E::FetchItem(_) => prop_assert!(!body),
                E::FetchEnd | E::SearchEnd | E::ThreadEnd | E::VanishedEnd | E::ExtendedSearchEnd => {
                    prop_assert!(!body);
                    open = None;
                }
                _ => {}
            }
        }
        let (strict_events, strict_end) = read(&input, usize::MAX, &strict());
        prop_assert_eq!(strict_end, end);
        // Whatever strict mode reads as a response, lenient mode reads alike.
        let responses = |events: Vec<ResponseEvent>| {
            let response = |event| match event {
                ResponseEvent::Response(response) => Some(response),
                _ => None,
            };
            events.into_iter().filter_map(response).collect::<Vec<_>>()
        };
        let (lenient, strict) = (responses(events), responses(strict_events));
        let mut rest = lenient.iter();
        for response in &strict {
            prop_assert!(rest.any(|found| same(found, response)), "{response:?}");
        }
    }
}

/// Equal, or different only in a code that strict mode does not read.
fn same(lenient: &Response, strict: &Response) -> bool {
    match (lenient, strict) {
        (Response::Status { status: one, .. }, Response::Status { status: other, .. }) => {
            one.text == other.text && (one.code == other.code || matches!(other.code, Some(Code::Invalid(_))))
        }
        (one, other) => one == other,
    }
}
