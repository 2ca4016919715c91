//! Tests of the framing of responses: how far a response goes, whatever stands in it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const LIMITS: FramingLimits =
    FramingLimits { line: 200, literal: 50, literals: 10, buffered: 400, discard: 100 };

/// Frames `input` in pieces of `size`; chunks of a literal and numbers as one.
fn frames(
    input: &[u8],
    size: usize,
    limits: &FramingLimits,
) -> (Vec<ResponseFrame>, Result<(), FramingError>, ResponseFramer) {
    let mut framer = ResponseFramer::new();
    let mut buffer = BytesMut::new();
    let mut frames: Vec<ResponseFrame> = Vec::new();
    for piece in input.chunks(size.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            let frame = match framer.next_frame(&mut buffer, limits) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => return (frames, Err(error), framer),
            };
            match (frames.last_mut(), frame) {
                (Some(ResponseFrame::Chunk(before)), ResponseFrame::Chunk(next))
                | (Some(ResponseFrame::Elements(before)), ResponseFrame::Elements(next)) => {
                    before.octets = [&*before.octets, &*next.octets].concat().into();
                }
                (_, frame) => frames.push(frame),
            }
        }
    }
    (frames, Ok(()), framer)
}

/// The frames of `input` in short.
fn short(input: &[u8]) -> Vec<String> {
    let text = |unit: &Unit| String::from_utf8_lossy(&unit.octets).into_owned();
    let (frames, end, _) = frames(input, usize::MAX, &LIMITS);
    assert_eq!(end, Ok(()), "{}", input.escape_ascii());
    let name = |frame: &ResponseFrame| match frame {
        ResponseFrame::Message(unit) => text(unit),
        ResponseFrame::Fetch(unit, head) => alloc::format!("{head}: {}", text(unit)),
        ResponseFrame::FetchBegin(_) => "(".into(),
        ResponseFrame::Item(unit) => alloc::format!("item{}", text(unit)),
        ResponseFrame::Body { name, .. } => alloc::format!("body{}", text(name)),
        ResponseFrame::Chunk(unit) => alloc::format!("={}", text(unit)),
        ResponseFrame::BodyEnd => ".".into(),
        ResponseFrame::FetchEnd(unit) => text(unit),
        ResponseFrame::ListBegin(kind, _) => alloc::format!("{kind:?}"),
        ResponseFrame::Elements(unit) => text(unit),
        ResponseFrame::ElementsEnd(_) => "|".into(),
        ResponseFrame::Value(unit) => alloc::format!("value{}", text(unit)),
        ResponseFrame::ListEnd(_) => "end".into(),
    };
    frames.iter().map(name).collect()
}

#[test]
fn text_announces_nothing() {
    for line in [
        "* OK x {20}",
        "* ok {20}",
        "a1 NO \"open {20}",
        "a1 BAD [ALERT] x {20}",
        "* BYE [XFOO {20}",
        "* PREAUTH [XFOO \"]\" ({20}",
        "+ {20}",
        "+ ready ({20}",
        "*  OK  [ALERT] {20}",
        "* NO [BADCHARSET (a)] {20}",
        "* NO [BADCHARSET (\"]\" b)] ({20}",
    ] {
        let input = alloc::format!("{line}\r\n* 1 EXISTS\r\n");
        assert_eq!(short(input.as_bytes()), [line, "* 1 EXISTS"]);
    }
}

#[test]
fn data_is_read_to_its_end_whatever_it_is() {
    for message in [
        "* XFOO {3}\r\na\r\n",
        "* XFOO ({3}\r\na\r\n {1}\r\nb)",
        "Server {3}\r\na\r\n",
        "* NO [BADCHARSET ({3}\r\n]\r\n {1}\r\n])] ({20}",
        "* NO [BADCHARSET {1}\r\nx {20}x]",
        "+x ({1}\r\n+",
        "a1 FOO {2}\r\n\r\n",
        "a{1 OK {2}\r\n\r\n",
        "* LIST \"{3}\" {003+}\r\n* 1",
        "* LIST ~{1}\r\n\0",
    ] {
        let input = alloc::format!("{message}\r\n* 1 EXISTS\r\n");
        assert_eq!(short(input.as_bytes()), [message, "* 1 EXISTS"], "{message:?}");
    }
}

#[test]
fn what_only_looks_like_an_announcement_is_none() {
    for line in [
        "* X x{5}",
        "* X {5} ",
        "* X {}",
        "* X {+}",
        "* X {-1}",
        "* X {5",
        "* X \"{5}\"",
        "* X \"x\"{5}",
        "* X {5+5}",
    ] {
        let input = alloc::format!("{line}\r\n* 1 EXISTS\r\n");
        assert_eq!(short(input.as_bytes()), [line, "* 1 EXISTS"]);
    }
}

#[test]
fn items_are_cut_where_they_end() {
    let input =
        b"* 1 FETCH (UID 5 FLAGS (\\Seen (x)) BODY[1]<0> {3}\r\na) ENVELOPE (\"(\" {2}\r\n)) x) X )+\r\n";
    let expected = ["(", "itemUID 5", "item FLAGS (\\Seen (x))", "body BODY[1]<0> ", "=a) ", "."];
    // The literal was one octet too long, so what follows is behind it.
    let (found, end, _) = frames(input, usize::MAX, &LIMITS);
    assert_eq!((found.len(), end), (expected.len() - 1, Err(FramingError::WrongCount)));
    let input =
        b"* 1 FETCH (UID 5 FLAGS (\\Seen (x)) BODY[1]<0> {3}\r\na)  ENVELOPE (\"(\" {2}\r\n)) x) X )+\r\n";
    assert_eq!(
        short(input),
        [&expected[..], &["item ENVELOPE (\"(\" {2}\r\n)) x)", "item X ", ")+"]].concat()
    );
}

#[test]
fn a_body_is_known_by_its_name_alone() {
    for name in
        ["BODY[]", "body[TEXT]<12>", "RFC822", "rfc822.text", "RFC822.HEADER", "BINARY[1.2]", "BODY[ODD"]
    {
        let input = alloc::format!("* 1 FETCH ({name} {{1}}\r\nx)\r\n");
        let body = alloc::format!("body{name} ");
        assert_eq!(short(input.as_bytes()), ["(", &body, "=x", ".", ")"]);
    }
    for name in ["BODY", "RFC822.SIZE", "BINARY.SIZE[1]", "X-BODY[]", "BODY[] ("] {
        let close = if name.ends_with('(') { ")" } else { "" };
        let input = alloc::format!("* 1 FETCH ({name} {{1}}\r\nx{close})\r\n");
        let item = alloc::format!("item{name} {{1}}\r\nx{close}");
        assert_eq!(short(input.as_bytes()), ["(", &item, ")"]);
    }
    let names = b"* 1 FETCH (BODY[HEADER.FIELDS (a]b {2}\r\n)] \"] \")] {1}\r\nx)\r\n";
    assert_eq!(short(names), ["(", "bodyBODY[HEADER.FIELDS (a]b {2}\r\n)] \"] \")] ", "=x", ".", ")"]);
}

#[test]
fn a_fetch_without_its_end_keeps_its_items() {
    assert_eq!(
        short(b"* 1 FETCH (Y {0}\r\n UID 5 X (1\r\n* 1 EXISTS\r\n"),
        ["(", "itemY {0}\r\n", "item UID 5", "item X (1", "", "* 1 EXISTS"]
    );
    assert_eq!(
        short(b"* 1 FETCH (Y {0}\r\n UID 5 X \"1)\r\n* 1 EXISTS\r\n"),
        ["(", "itemY {0}\r\n", "item UID 5", "item X \"1)", "", "* 1 EXISTS"]
    );
    assert_eq!(short(b"* 1 FETCH (\r\n"), ["11: * 1 FETCH ("]);
    assert_eq!(short(b"* 1 FETCH (Y {0}\r\n\r\n"), ["(", "itemY {0}\r\n", ""]);
    assert_eq!(short(b"* 1 FETCH () {2}\r\n\r\n x\r\n"), ["(", ") {2}\r\n\r\n x"]);
}

#[test]
fn elements_come_before_the_line_ends() {
    let (found, end, framer) = frames(b"* SEARCH 12 34 5", 1, &LIMITS);
    assert_eq!(end, Ok(()));
    assert!(matches!(&found[1], ResponseFrame::Elements(unit) if *unit.octets == *b" 12 34"), "{found:?}");
    assert!(!framer.is_between_responses());
    assert_eq!(short(b"* SEARCH 1 2\r\n"), ["Search", " 1 2", "end"]);
    assert_eq!(short(b"*  sort 1 (MODSEQ 5)\n"), ["Sort", " 1 (MODSEQ 5)", "end"]);
    assert_eq!(short(b"* THREAD (1)(2 {3\r\n"), ["Thread", " (1)(2", " {3"]);
    assert_eq!(short(b"* VANISHED 1:3,{3}\r\n"), ["Vanished", " 1:3", ",{3}"]);
    assert_eq!(short(b"* SEARCH {2}\r\n\r\n\r\n"), ["Search", " {2}\r\n\r\n"]);
    assert_eq!(short(b"* SEARCH 1 ({2}\r\n\r\n)\r\n"), ["Search", " 1 ", "({2}\r\n\r\n)"]);
    assert_eq!(short(b"* SEARCHES 1\r\n"), ["* SEARCHES 1"]);
}

/// The frames of an ESEARCH in which the second value and each other one behind it come by elements.
fn streamed(input: &[u8], size: usize) -> Vec<String> {
    let mut framer = ResponseFramer::new();
    let mut buffer = BytesMut::new();
    let mut found: Vec<String> = Vec::new();
    let mut values = 0;
    for piece in input.chunks(size) {
        buffer.extend_from_slice(piece);
        while let Some(frame) = framer.next_frame(&mut buffer, &LIMITS).unwrap() {
            let text = |unit: &Unit| String::from_utf8_lossy(&unit.octets).into_owned();
            match frame {
                ResponseFrame::Elements(unit) => match found.last_mut() {
                    Some(before) if before.starts_with('=') => before.push_str(&text(&unit)),
                    _ => found.push(alloc::format!("={}", text(&unit))),
                },
                ResponseFrame::ElementsEnd(_) => {
                    found.push("|".into());
                    values += 1;
                }
                ResponseFrame::Value(unit) => {
                    found.push(text(&unit));
                    values += 1;
                    if values % 2 == 1 {
                        let digit = !unit.octets.starts_with(b" L");
                        framer.stream_value(if digit { ValueStart::Digit } else { ValueStart::Parenthesis });
                    }
                }
                ResponseFrame::ListBegin(..) => {}
                ResponseFrame::ListEnd(_) => found.push("end".into()),
                other => found.push(alloc::format!("{other:?}")),
            }
        }
    }
    found
}

#[test]
fn values_come_by_elements_where_they_are_to() {
    for (line, expected) in [
        (" ALL 1:3,5 COUNT 7", &[" ALL", "= 1:3,5", "|", " COUNT", "= 7", "|", "end"][..]),
        (" A 1,\"x\" COUNT 7", &[" A", "= 1,\"x\"", "|", " COUNT", "= 7", "|", "end"]),
        (" A x,\"y z\" B (1)", &[" A", " x,\"y", " z\"", " B", " (1)", "end"]),
        (" A 1,2{3}", &[" A", "= 1,2{3}", "|", "end"]),
        (" A 1, {3}\r\na b B", &[" A", "= 1,", "|", " {3}\r\na b", " B", "end"]),
        (" L  (1:2 NIL) M (x)", &[" L", "=  (1:2 NIL)", "|", " M", " (x)", "end"]),
        (" L (1 {3}\r\n) ( 5) M (x)", &[" L", "= (1", " {3}\r\n) ( 5)", " M", " (x)", "end"]),
        (" L (1 \")\" 5) M (x)", &[" L", "= (1", " \")\" 5)", " M", " (x)", "end"]),
        (" L (1)) M", &[" L", "= (1)", "|", ")", " M", "end"]),
        (" L ((1)(2 ", &[" L", "= ((1)(2 ", "|", "end"]),
        (" A", &[" A", "end"]),
        (" A ", &[" A", " ", "end"]),
    ] {
        for size in [1, 2, 3, 7, 100] {
            let input = alloc::format!("* ESEARCH{line}\r\n");
            assert_eq!(streamed(input.as_bytes(), size), expected, "{line} by {size}");
        }
    }
}

#[test]
fn an_element_is_no_longer_than_a_line() {
    for start in ["* SEARCH ", "* THREAD (", "* VANISHED 1,", "* ESEARCH ALL ", "* ESEARCH "] {
        let element = |length| alloc::format!("{start}{}", "1".repeat(length));
        assert_eq!(frames(element(300).as_bytes(), 7, &LIMITS).1, Err(FramingError::Line), "{start}");
    }
    for (value, end) in [("x", "\r\n"), ("\"", "\r\n"), ("x", " 1\r\n"), ("(", ") 1\r\n")] {
        for length in 190..210 {
            let input = alloc::format!("* ESEARCH {value}{}{end}", "y".repeat(length));
            let whole = frames(input.as_bytes(), 1000, &LIMITS);
            let cut = frames(input.as_bytes(), 1, &LIMITS);
            assert_eq!((cut.0, cut.1), (whole.0, whole.1), "{value} {length}");
        }
    }
}

#[test]
fn a_literal_above_the_limits_costs_only_its_unit() {
    for literal in ["{51}", "{100}"] {
        let content = "x".repeat(literal[1..literal.len() - 1].parse().unwrap());
        let input = alloc::format!("* 1 FETCH (UID 5 X ({literal}\r\n{content} \"(\" {{1}}\r\ny) Z 1)\r\n");
        for size in [1, 9, 1000] {
            let (found, end, _) = frames(input.as_bytes(), size, &LIMITS);
            assert_eq!((found.len(), end), (5, Ok(())));
            assert!(matches!(&found[2], ResponseFrame::Item(unit) if unit.cut));
            assert!(matches!(&found[3], ResponseFrame::Item(unit) if *unit.octets == *b" Z 1" && !unit.cut));
        }
    }
    let many = alloc::format!("* X{}\r\n* 1 EXISTS\r\n", " {0}\r\n".repeat(11));
    let (found, end, _) = frames(many.as_bytes(), 3, &LIMITS);
    assert_eq!((found.len(), end), (2, Ok(())));
    assert!(matches!(&found[0], ResponseFrame::Message(unit) if unit.cut));
    assert!(matches!(&found[1], ResponseFrame::Message(unit) if !unit.cut && unit.offset == 0));
}

#[test]
fn a_body_has_any_length() {
    let (found, end, _) = frames(b"* 1 FETCH (BODY[] {9223372036854775807}\r\nabc", 1, &LIMITS);
    assert_eq!(end, Ok(()));
    assert!(matches!(found[1], ResponseFrame::Body { length: 0x7fff_ffff_ffff_ffff, .. }));
    assert!(matches!(&found[2], ResponseFrame::Chunk(unit) if *unit.octets == *b"abc"));
}

#[test]
fn only_what_has_no_known_end_is_fatal() {
    let long = "x".repeat(200);
    for (input, error) in [
        ("* 1 FETCH (BODY[] {9223372036854775808}\r\n", FramingError::Number),
        ("* X {99999999999999999999999}\r\n", FramingError::Number),
        ("* X {101}\r\n", FramingError::Literal { length: 101 }),
        ("* X {1}\r\nab\r\n", FramingError::WrongCount),
        ("* X \"open {1}\r\n", FramingError::Ambiguous),
        ("* 1 FETCH (X \"open {1}\r\n", FramingError::Ambiguous),
        (&alloc::format!("* {long}\r\n"), FramingError::Line),
        (&alloc::format!("* {long}"), FramingError::Line),
        (&alloc::format!("\"{long}"), FramingError::Line),
    ] {
        for size in [1, 64, 1000] {
            assert_eq!(frames(input.as_bytes(), size, &LIMITS).1, Err(error), "{input}");
        }
    }
}

#[test]
fn elements_of_sets_and_lists_do_not_count_as_a_line() {
    for (start, end) in [
        ("a OK [COPYUID 1 ", "1 1] x"),
        ("a OK [APPENDUID 1 ", "1] x"),
        ("a OK [MODIFIED ", "1] x"),
        ("* LIST (", ") NIL x"),
    ] {
        let line = |length| alloc::format!("{start}{}{end}\r\n", "1,".repeat(length));
        assert_eq!(frames(line(150).as_bytes(), 7, &LIMITS).1, Ok(()), "{start}");
        assert_eq!(frames(line(250).as_bytes(), 7, &LIMITS).1, Err(FramingError::Line), "{start}");
    }
    for start in ["a OK [UNSEEN ", "* ID ", "* STATUS x ", "* VANISHEDX ", "* LISTX "] {
        let line = alloc::format!("{start}{}\r\n", "1,".repeat(150));
        assert_eq!(frames(line.as_bytes(), 7, &LIMITS).1, Err(FramingError::Line), "{start}");
    }
}

#[test]
fn the_state_between_responses_is_known() {
    for (input, between) in [
        (&b""[..], true),
        (b"* 1 EXISTS\r\n", true),
        (b"\0\0", true),
        (b"* SEARCH 1\r\n", true),
        (b"* 1 FETCH (BODY[] {1}\r\nx)\r\n", true),
        (b"* 1 EXIS", false),
        (b"* SEARCH 1", false),
        (b"* 1 FETCH (BODY[] {1}\r\n", false),
        (b"* 1 FETCH (BODY[] {1}\r\nx)", false),
        (b"* X {0}\r\n", false),
    ] {
        let (_, _, framer) = frames(input, usize::MAX, &LIMITS);
        assert_eq!(framer.is_between_responses(), between, "{}", input.escape_ascii());
    }
}

/// Pieces of which responses, and what looks like them, are made.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            &b"* "[..],
            b"a ",
            b"+ ",
            b"OK ",
            b"NO [BADCHARSET (",
            b"] ",
            b"1 FETCH (",
            b"BODY[",
            b"]<0> ",
            b"UID 5 ",
            b"SEARCH ",
            b"* ESEARCH ALL 1",
            b"* VANISHED 1,",
            b"* THREAD (1",
            b"12 ",
            b"{3}\r\n",
            b"{60}\r\n",
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
            b"{99999999999999999999}\r\n",
        ])
        .prop_map(<[u8]>::to_vec),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn how_the_input_is_cut_never_matters(input in pieces(), size in 1_usize..20) {
        let (whole, end, _) = frames(&input, usize::MAX, &LIMITS);
        let (cut, cut_end, _) = frames(&input, size, &LIMITS);
        // What of a body or a SEARCH was there may be more when more came at once; then it is merged.
        prop_assert_eq!((cut, cut_end), (whole, end));
    }

    #[test]
    fn no_octet_is_lost(input in pieces()) {
        let (found, _, framer) = frames(&input, 5, &LIMITS);
        prop_assert!(framer.held <= input.len() && found.len() <= input.len() + 1);
        // Each octet is searched for a line end, read as a token, and perhaps once more in text.
        prop_assert!(framer.work <= 4 * input.len() + 64, "{} for {}", framer.work, input.len());
    }
}

#[test]
fn the_work_is_linear() {
    let limits = FramingLimits {
        line: 1 << 20,
        literal: 1 << 20,
        literals: 100_000,
        buffered: 8 << 20,
        discard: 1 << 20,
    };
    let inputs: [(&str, &str, &str); 11] = [
        ("* 1 FETCH (ENVELOPE (", "{1}\r\na ", "))\r\n"),
        ("* X ", "{0}\r\n ", "\r\n"),
        ("* SEARCH", " 123456", "\r\n"),
        ("* THREAD ", "(1 2)", "\r\n"),
        ("* VANISHED 1", ",2:3", "\r\n"),
        ("* VANISHED ", "1", "\r\n"),
        ("* ESEARCH", " ALL 1", "\r\n"),
        ("* ESEARCH ", "a", " 1\r\n"),
        ("* 1 FETCH (", "UID 5 ", "UID 5)\r\n"),
        ("* 1 FETCH (BODYSTRUCTURE ", "(", "\r\n"),
        ("* OK [BADCHARSET (", "{1}\r\n] ", ")] x\r\n"),
    ];
    for (start, middle, end) in inputs {
        for size in [1, 4096] {
            let work = |count| {
                let input = [start, &middle.repeat(count), end].concat();
                let (_, end, framer) = frames(input.as_bytes(), size, &limits);
                assert_eq!(end, Ok(()));
                framer.work
            };
            let (once, twice) = (work(2000), work(4000));
            assert!(twice * 10 <= once * 23, "{start}: {once}, {twice}");
        }
    }
}
