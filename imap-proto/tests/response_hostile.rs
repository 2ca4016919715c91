//! Responses that are meant to hurt: memory stays bounded by what was sent, work is linear in it, nothing
//! recurses, and what follows is read.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use mailwright_imap::parse::{BodyItem, ResponseErrorKind, ResponseEvent, ResponseLimits, ResponseReader};
use mailwright_imap::types::{BodyStructure, Code, FetchItem, Response};
use mailwright_imap::value::Tolerance;
use mailwright_imap::wire::FramingError;
use proptest::prelude::*;
use reading::{is_unknown, items, read, strict};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test at a time, or they would count each other's memory.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Octets that were taken from the allocator and not given back.
fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

/// The most memory in use while `input` comes in pieces of 4 KiB and the events are dropped.
fn peak(input: &[u8], limits: &ResponseLimits) -> usize {
    let mut reader = ResponseReader::new(limits.clone());
    let mut buffer = BytesMut::new();
    let region = Region::new(ALLOCATOR);
    let mut most = 0;
    for piece in input.chunks(4096) {
        buffer.extend_from_slice(piece);
        while let Ok(Some(event)) = reader.next_event(&mut buffer) {
            most = most.max(held(&region));
            drop(event);
        }
        most = most.max(held(&region));
    }
    most
}

/// Runs `work` on a stack of 64 KiB.
fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(64 * 1024).spawn(work).unwrap().join().unwrap()
}

#[test]
fn nesting_of_any_depth_costs_no_stack_and_no_sibling() {
    let _alone = alone();
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
    ] {
        let input = format!("{line}\r\n* 2 EXISTS\r\n");
        let events = on_small_stack(move || read(input.as_bytes(), usize::MAX, &strict()));
        assert_eq!(events.0.last(), Some(&ResponseEvent::Response(Response::Exists(2))));
    }
}

#[test]
fn the_depth_that_is_read_is_a_limit() {
    let _alone = alone();
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
fn an_announced_size_allocates_nothing() {
    let _alone = alone();
    for input in [
        "* LIST () \"/\" {1000000}\r\n",
        "* 1 FETCH (BODY[] {9000000000}\r\n",
        "* 1 FETCH (ENVELOPE (NIL {60000000}\r\n",
    ] {
        assert!(peak(input.as_bytes(), &ResponseLimits::default()) < 8 * 1024, "{input}");
    }
}

#[test]
fn memory_is_bounded_by_what_was_sent() {
    let _alone = alone();
    let repeated =
        |start: &str, middle: &str, end: &str| [start, &middle.repeat(400_000 / middle.len()), end].concat();
    let fetch = |value: String| format!("* 1 FETCH (BODYSTRUCTURE {value})\r\n");
    for input in [
        fetch(repeated("(", "(\"A\")", " \"mixed\")")),
        fetch(repeated("(", "(NIL)", " \"mixed\")")),
        fetch(repeated("(\"a\" \"b\" (", "\"\" \"\" ", ") NIL NIL NIL 1)")),
        fetch(repeated("(\"a\" \"b\" NIL NIL NIL NIL 1 NIL NIL (", "\"\" ", "))")),
        fetch(repeated(
            "(",
            concat!(
                "(\"message\" \"rfc822\" NIL NIL NIL NIL 1 (NIL NIL ((NIL NIL NIL NIL)) ((NIL NIL NIL NIL)) ",
                "((NIL NIL NIL NIL)) ((NIL NIL NIL NIL)) ((NIL NIL NIL NIL)) ((NIL NIL NIL NIL)) NIL NIL) (\"a\") 1)",
            ),
            " \"mixed\")",
        )),
        fetch(repeated(
            "(",
            "(\"a\" \"b\" (\"\" \"\") NIL NIL NIL 1 NIL (\"x\" (\"\" \"\")) (\"\") NIL)",
            " \"mixed\")",
        )),
        repeated("* 1 FETCH (ENVELOPE (NIL NIL (", "()", ") NIL NIL NIL NIL NIL NIL NIL))\r\n"),
        repeated(
            "* 1 FETCH (ENVELOPE (NIL NIL (",
            "(NIL NIL NIL NIL)",
            ") NIL NIL NIL NIL NIL NIL NIL))\r\n",
        ),
        repeated("* 1 FETCH (FLAGS (", "a ", "))\r\n"),
        repeated("* 1 FETCH (FLAGS (", "\\x ", "))\r\n"),
        repeated("* 1 FETCH (", "a ", ")\r\n"),
        repeated("* CAPABILITY", " a", "\r\n"),
        repeated("* ID (", "\"\" \"\" ", ")\r\n"),
        repeated("* LIST (", "a ", ") NIL x\r\n"),
        repeated("* NAMESPACE (", "(\"\" NIL)", ") NIL NIL\r\n"),
        repeated("* STATUS x (", "SIZE 1 ", ")\r\n"),
        repeated("* OK [COPYUID 1 ", "1,", "1 1] x\r\n"),
        repeated("* OK [BADCHARSET (", "a ", ")] x\r\n"),
        repeated("* OK [PERMANENTFLAGS (", "a ", ")] x\r\n"),
        repeated("* SEARCH", " 1", "\r\n"),
        repeated("", "\r\n", ""),
        repeated("", "* 0 FETCH (UID 1)\r\n", ""),
        repeated("* 1 FETCH (ENVELOPE (", "{0}\r\n ", "))\r\n"),
        repeated("* X", " {01}\r\na", "\r\n"),
    ] {
        for limits in [ResponseLimits::default(), strict()] {
            let peak = peak(input.as_bytes(), &limits);
            // What is parsed: 64 KiB + 8 octets for each; what is not: it stays in a buffer that doubles.
            let most = 64 * 1024 + (8 + 4) * input.len();
            assert!(peak <= most, "{}…: {peak} for {}", &input[..40], input.len());
        }
    }
}

#[test]
fn large_honest_messages_are_read() {
    let _alone = alone();
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
fn what_is_above_the_limits_is_dropped_as_it_comes() {
    let _alone = alone();
    let literal = format!(" {{900000}}\r\n{}", "x".repeat(900_000));
    let discarded = format!(" {{9000000}}\r\n{}", "x".repeat(9_000_000));
    for input in [
        format!("* X{}\r\n* 2 EXISTS\r\n", literal.repeat(20)),
        format!("* X{}\r\n* 2 EXISTS\r\n", discarded.repeat(3)),
        format!("* X{}\r\n* 2 EXISTS\r\n", format!(" {} {{0}}\r\n", "y".repeat(1_000_000)).repeat(20)),
        format!("* 1 FETCH (UID 5 X ({}) Y 1)\r\n* 2 EXISTS\r\n", literal.repeat(20)),
        format!("* 1 FETCH (UID 5 X ({}) Y 1)\r\n* 2 EXISTS\r\n", discarded),
        format!("* 1 FETCH (UID 5 BODY[]{discarded} Y 1)\r\n* 2 EXISTS\r\n"),
        format!("* 0 FETCH (BODY[]{discarded} Y 1)\r\n* 2 EXISTS\r\n"),
    ] {
        let limits = ResponseLimits::default();
        // The buffer doubles, and is copied while it does.
        let most = 4 * (limits.buffered + limits.line);
        let peak = peak(input.as_bytes(), &limits);
        assert!(peak <= most, "{}…: {peak}", &input[..30]);
        let (events, end) = read(input.as_bytes(), 64 * 1024, &limits);
        assert_eq!(end, Ok(()));
        assert_eq!(events.last(), Some(&ResponseEvent::Response(Response::Exists(2))));
        if input.starts_with("* X") {
            assert!(matches!(&events[0], ResponseEvent::Invalid(invalid)
                if invalid.error.kind == ResponseErrorKind::TooLarge && invalid.raw.len() <= 1024));
        }
        if input.contains("(UID 5") {
            let (found, _) = items(input.as_bytes(), &limits);
            assert_eq!((found.len(), is_unknown(&found[2])), (3, true));
        }
    }
}

#[test]
fn a_line_without_end_is_fatal_at_its_limit() {
    let _alone = alone();
    for start in
        ["", "* ", "* OK ", "a1 NO ", "* 1 FETCH (UID 5 X \"", "* XSEARCH ", "+ ", "* OK [COPYUID 1 "]
    {
        let limits = ResponseLimits::default();
        let limit = if start.contains("COPYUID") { limits.buffered } else { limits.line };
        let input = [start.as_bytes(), &vec![b'1'; limit + 4096]].concat();
        assert_eq!(read(&input, 4096, &limits).1, Err(FramingError::Line), "{start}");
        assert!(peak(&input, &limits) <= 4 * limit, "{start}");
    }
}

#[test]
fn a_search_has_any_number_of_results() {
    let _alone = alone();
    let mut reader = ResponseReader::new(strict());
    let mut buffer = BytesMut::from("* SEARCH");
    let (mut count, mut most, mut done) = (0_u32, 0, false);
    let region = Region::new(ALLOCATOR);
    for first in (1..=1_000_000).step_by(100) {
        for number in first..first + 100 {
            buffer.extend_from_slice(format!(" {number}").as_bytes());
        }
        if first == 999_901 {
            buffer.extend_from_slice(b"\r\n");
        }
        while let Some(event) = reader.next_event(&mut buffer).unwrap() {
            match event {
                ResponseEvent::SearchNumber(number) => {
                    count += 1;
                    assert_eq!(number, count);
                }
                event => done = event == ResponseEvent::SearchEnd,
            }
        }
        most = most.max(held(&region));
    }
    assert!(done && count == 1_000_000);
    assert!(most < 16 * 1024, "{most}");
}

#[test]
fn a_body_is_streamed_whatever_its_size() {
    let _alone = alone();
    let mut reader = ResponseReader::new(strict());
    let mut buffer = BytesMut::from("* 1 FETCH (BODY[TEXT] {104857600}\r\n");
    let region = Region::new(ALLOCATOR);
    let (mut octets, mut most) = (0, 0);
    for _ in 0..1600 {
        buffer.extend_from_slice(&[b'x'; 65536]);
        while let Some(event) = reader.next_event(&mut buffer).unwrap() {
            if let ResponseEvent::BodyChunk(chunk) = event {
                octets += chunk.len();
            }
        }
        most = most.max(held(&region));
    }
    assert_eq!(octets, 104_857_600);
    assert!(most <= 2 * 65536, "{most}");
    // More than 32 bits is a size like any other.
    let (events, _) = read(b"* 1 FETCH (BODY[] {5000000000}\r\nx", 1, &strict());
    assert!(matches!(
        &events[1],
        ResponseEvent::BodyBegin { length: 5_000_000_000, item: BodyItem::Section { .. } }
    ));
}

#[test]
fn ranges_stay_ranges() {
    let _alone = alone();
    let input = b"* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n";
    assert!(peak(input, &strict()) < 8 * 1024);
    let parsed = Response::parse(input, &strict()).unwrap();
    let Response::Status { status, .. } = parsed.response else { panic!() };
    let code = status.code.unwrap();
    let pairs: Vec<(u32, u32)> =
        code.copied().unwrap().skip(7).take(2).map(|(from, to)| (from.get(), to.get())).collect();
    assert_eq!(pairs, [(8, 8), (9, 9)]);
    assert!(matches!(code, Code::CopyUid { source, .. } if source.len() == 1));
    let set = |ranges: usize| {
        let set: Vec<String> = (0..ranges).map(|index| (4_000_000_000 + 2 * index).to_string()).collect();
        let input = format!("a OK [COPYUID 1 {0} {0}] x\r\n", set.join(","));
        match Response::parse(input.as_bytes(), &strict()).unwrap().response {
            Response::Status { status, .. } => status.code.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(set(100_000), Code::CopyUid { source, .. } if source.len() == 100_000));
    assert!(matches!(set(100_001), Code::Invalid(_)));
}

#[test]
fn status_text_never_hides_the_next_response() {
    let _alone = alone();
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
    let _alone = alone();
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
    let _alone = alone();
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
        let _alone = alone();
        let limits = if tolerant { ResponseLimits::default() } else { strict() };
        prop_assert_eq!(read(&input, size, &limits), read(&input, usize::MAX, &limits));
    }

    #[test]
    fn a_begin_has_an_end_and_strict_mode_only_refuses(input in pieces()) {
        let _alone = alone();
        let (events, end) = read(&input, usize::MAX, &ResponseLimits::default());
        let (mut fetch, mut body, mut search) = (false, false, false);
        for event in &events {
            match event {
                ResponseEvent::FetchBegin { number } => {
                    prop_assert!(!fetch && !search && *number > 0);
                    fetch = true;
                }
                ResponseEvent::FetchEnd => { prop_assert!(fetch && !body); fetch = false; }
                ResponseEvent::FetchItem(_) => prop_assert!(fetch && !body),
                ResponseEvent::BodyBegin { .. } => { prop_assert!(fetch && !body); body = true; }
                ResponseEvent::BodyChunk(_) => prop_assert!(body),
                ResponseEvent::BodyEnd => { prop_assert!(body); body = false; }
                ResponseEvent::SearchBegin => { prop_assert!(!fetch && !search); search = true; }
                ResponseEvent::SearchNumber(_) => prop_assert!(search),
                ResponseEvent::SearchEnd => { prop_assert!(search); search = false; }
                ResponseEvent::Response(_) => prop_assert!(!fetch && !search),
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
