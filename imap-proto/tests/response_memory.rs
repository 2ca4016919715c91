//! Memory of a reader of responses, counted: it stays bounded by what was sent.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use std::alloc::System;

use bytes::BytesMut;
use mailwright_imap::parse::{BodyItem, ResponseErrorKind, ResponseEvent, ResponseLimits, ResponseReader};
use mailwright_imap::types::{Code, Response};
use mailwright_imap::wire::FramingError;
use reading::{is_unknown, items, read, strict};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

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

/// One test: the counters are those of the process.
#[test]
fn memory_is_bounded() {
    an_announced_size_allocates_nothing();
    memory_is_bounded_by_what_was_sent();
    what_is_above_the_limits_is_dropped_as_it_comes();
    a_line_without_end_is_fatal_at_its_limit();
    a_search_has_any_number_of_results();
    a_body_is_streamed_whatever_its_size();
    ranges_stay_ranges();
}

fn an_announced_size_allocates_nothing() {
    for input in [
        "* LIST () \"/\" {1000000}\r\n",
        "* 1 FETCH (BODY[] {9000000000}\r\n",
        "* 1 FETCH (ENVELOPE (NIL {60000000}\r\n",
    ] {
        assert!(peak(input.as_bytes(), &ResponseLimits::default()) < 8 * 1024, "{input}");
    }
}

fn memory_is_bounded_by_what_was_sent() {
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
        repeated("* SORT", " 1", "\r\n"),
        repeated("* THREAD ", "(1)", "\r\n"),
        repeated("* THREAD (", "1 ", "1)\r\n"),
        repeated("* THREAD (1 ", "(1)", ")\r\n"),
        repeated("* VANISHED ", "1,", "1\r\n"),
        repeated("* ESEARCH ALL ", "1,", "1\r\n"),
        repeated("* ESEARCH", " MIN 1", "\r\n"),
        repeated("* ESEARCH", " x x", "\r\n"),
        repeated("* ESEARCH ADDTO (", "1 1 ", ")\r\n"),
        repeated("* ESEARCH RELEVANCY (", "1 ", ")\r\n"),
        repeated("* OK [MODIFIED ", "1,", "1] x\r\n"),
        repeated("* OK [BADEVENT (", "x ", ")] x\r\n"),
        repeated("* METADATA x (", "/a NIL ", ")\r\n"),
        repeated("* METADATA x (", "a NIL ", ")\r\n"),
        repeated("* METADATA x", " /a", "\r\n"),
        repeated("* QUOTA x (", "a 1 1 ", ")\r\n"),
        repeated("* QUOTA x (", "a a a ", ")\r\n"),
        repeated("* QUOTAROOT x", " a", "\r\n"),
        repeated("* ACL x", " a l", "\r\n"),
        repeated("* LISTRIGHTS x y", " l", "\r\n"),
        repeated("* LIST () NIL x (", "x 1 ", ")\r\n"),
        repeated("* LIST () NIL x (CHILDINFO (", "\"\" ", "))\r\n"),
        repeated("* NAMESPACE (", "(\"\" NIL \"x\" (\"\"))", ") NIL NIL\r\n"),
        repeated("* STATUS x (", "x 1 ", ")\r\n"),
        repeated("* ENABLED", " a", "\r\n"),
        repeated("* 1 FETCH (X-GM-LABELS (", "a ", "))\r\n"),
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

fn what_is_above_the_limits_is_dropped_as_it_comes() {
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

fn a_line_without_end_is_fatal_at_its_limit() {
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

fn a_search_has_any_number_of_results() {
    let one = |_: &ResponseEvent| true;
    let number = |event: &ResponseEvent| matches!(event, ResponseEvent::SearchNumber(_));
    let uids = |event: &ResponseEvent| matches!(event, ResponseEvent::Vanished(_));
    let member = |event: &ResponseEvent| matches!(event, ResponseEvent::ThreadMember(_));
    let element = |event: &ResponseEvent| matches!(event, ResponseEvent::SearchElement(_));
    any_number_of("* SEARCH", |at| format!(" {at}"), "", number, 1);
    any_number_of("* SORT", |at| format!(" {at}"), " (MODSEQ 9)", number, 1);
    any_number_of("* VANISHED (EARLIER) 1", |at| format!(",{at}:{}", at + 1), "", uids, 1);
    any_number_of("* THREAD ", |at| format!("({at} {at})"), "", member, 2);
    any_number_of("* THREAD (1", |at| format!(" {at}"), ")", member, 1);
    any_number_of("* THREAD (1 ", |at| format!("({at})"), ")", member, 1);
    any_number_of("* ESEARCH (TAG \"a\") UID ALL 1", |at| format!(",{at}"), " COUNT 5", element, 1);
    any_number_of("* ESEARCH PARTIAL (1:5 1", |at| format!(",{at}"), ")", element, 1);
    any_number_of("* ESEARCH RELEVANCY (1", |_| " 50".into(), ")", element, 1);
    any_number_of("* ESEARCH ADDTO (1 1", |at| format!(" {at} {at}"), ")", element, 2);
    any_number_of("* ESEARCH", |at| format!(" MIN {at}"), "", one, 1);
}

/// A million elements cost no more memory than one, and none is lost.
fn any_number_of(
    start: &str,
    element: impl Fn(u32) -> String,
    end: &str,
    is_element: impl Fn(&ResponseEvent) -> bool,
    each: u32,
) {
    const COUNT: u32 = 1_000_000;
    let mut reader = ResponseReader::new(strict());
    let mut buffer = BytesMut::from(start);
    let (mut count, mut most) = (0, 0);
    let region = Region::new(ALLOCATOR);
    for first in (1..=COUNT).step_by(100) {
        for number in first..first + 100 {
            buffer.extend_from_slice(element(number).as_bytes());
        }
        if first + 100 > COUNT {
            buffer.extend_from_slice(end.as_bytes());
            buffer.extend_from_slice(b"\r\n* 2 EXISTS\r\n");
        }
        while let Some(event) = reader.next_event(&mut buffer).unwrap() {
            assert!(!matches!(event, ResponseEvent::Invalid(_)), "{start}: {event:?}");
            count += u32::from(is_element(&event));
            if let ResponseEvent::SearchNumber(number) = event {
                assert_eq!(number, count, "{start}");
            }
        }
        most = most.max(held(&region));
    }
    assert!(reader.is_between_responses());
    // The first may stand in what it begins with; its begin and end, and the response behind, may be counted too.
    assert!((COUNT * each..=COUNT * each + 3).contains(&count), "{start}: {count}");
    assert!(most < 16 * 1024, "{start}: {most}");
}

fn a_body_is_streamed_whatever_its_size() {
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

fn ranges_stay_ranges() {
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
