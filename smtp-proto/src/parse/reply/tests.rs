//! The reader of replies, on good and bad ones, in pieces of every size.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Feeds `wire` in pieces of the given sizes; the replies, then the error if there was one.
fn read(wire: &[u8], sizes: &[usize], limits: ReplyLimits) -> (Vec<Reply>, Option<ReplyParseError>, usize) {
    let mut reader = ReplyReader::new(limits);
    let mut buffer = BytesMut::new();
    let mut replies = Vec::new();
    let mut most = 0;
    let mut rest = wire;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
        let (now, later) = rest.split_at(size);
        buffer.extend_from_slice(now);
        rest = later;
        loop {
            match reader.next_reply(&mut buffer) {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(error) => return (replies, Some(error), most),
            }
        }
        most = most.max(buffer.len() + reader.taken.len());
    }
    (replies, None, most)
}

fn whole(wire: &[u8]) -> Result<Vec<Reply>, ReplyParseError> {
    let (replies, error, _) = read(wire, &[usize::MAX], ReplyLimits::default());
    error.map_or(Ok(replies), Err)
}

fn kind(wire: &[u8]) -> ReplyParseErrorKind {
    whole(wire).unwrap_err().kind
}

#[test]
fn one_line_replies_are_read() {
    let replies = whole(b"250 OK\r\n354\r\n421 \r\n559 x\ty\r\n").unwrap();
    let shown: Vec<_> = replies.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["250 OK", "354 ", "421 ", r"559 x\ty"]);
}

#[test]
fn a_reply_of_one_line_is_a_view_of_the_input() {
    let mut input = BytesMut::from("250 2.1.5 fine\r\n250 2.0.0 next\r\n");
    let start = input.as_ptr() as usize;
    let mut reader = ReplyReader::new(ReplyLimits::default());
    let reply = reader.next_reply(&mut input).unwrap().unwrap();
    assert_eq!(reply.lines().next().unwrap().as_ptr() as usize - start, 10);
}

#[test]
fn a_reply_of_several_lines_that_came_together_is_a_view_too() {
    let mut input = BytesMut::from("250-one\r\n250-two\r\n250 three\r\n");
    let start = input.as_ptr() as usize;
    let reply = ReplyReader::new(ReplyLimits::default()).next_reply(&mut input).unwrap().unwrap();
    assert!(reply.lines().eq([&b"one"[..], b"two", b"three"]));
    assert_eq!(reply.lines().next().unwrap().as_ptr() as usize - start, 4);
}

#[test]
fn lines_without_text_are_read() {
    let replies = whole(b"250-\r\n250-\r\n250\r\n").unwrap();
    assert_eq!(replies[0].lines().count(), 3);
}

#[test]
fn a_code_outside_200_to_559_is_refused() {
    for code in ["199", "000", "150", "600", "999", "260", "290", "25", "2", "2x0", "٢٥٠", "-250", " 250"]
    {
        assert_eq!(kind(format!("{code} x\r\n").as_bytes()), ReplyParseErrorKind::Code, "{code}");
    }
    assert_eq!(kind(b"\r\n"), ReplyParseErrorKind::Code);
}

#[test]
fn a_malformed_separator_is_refused() {
    for line in ["250_x", "250\tx", "250:", "2500", "250.1 x", "250\u{a0}"] {
        assert_eq!(kind(format!("{line}\r\n").as_bytes()), ReplyParseErrorKind::Separator, "{line}");
    }
}

#[test]
fn a_code_that_changes_is_refused_with_both() {
    let error = whole(b"250-a\r\n550 b\r\n").unwrap_err();
    assert_eq!(
        error.kind,
        ReplyParseErrorKind::CodeChanged { first: ReplyCode::OK, other: ReplyCode::MAILBOX_UNAVAILABLE }
    );
    assert_eq!((error.line, error.excerpt.as_bytes()), (2, &b"550 b"[..]));
}

#[test]
fn bare_line_ends_and_nul_are_refused_wherever_they_stand() {
    for (wire, expected) in [
        (&b"250 a\nb\r\n"[..], ReplyParseErrorKind::BareLineFeed),
        (b"250 OK\n", ReplyParseErrorKind::BareLineFeed),
        (b"\n", ReplyParseErrorKind::BareLineFeed),
        (b"250-a\r\n\n250 b\r\n", ReplyParseErrorKind::BareLineFeed),
        (b"250 a\rb\r\n", ReplyParseErrorKind::BareCarriageReturn),
        (b"250 a\r\r\n", ReplyParseErrorKind::BareCarriageReturn),
        (b"\r250 a\r\n", ReplyParseErrorKind::BareCarriageReturn),
        (b"250 a\0\r\n", ReplyParseErrorKind::Nul),
        (b"250\0a\r\n", ReplyParseErrorKind::Nul),
        (b"\0\0\0\0\r\n", ReplyParseErrorKind::Nul),
    ] {
        assert_eq!(kind(wire), expected, "{}", wire.escape_ascii());
        // RFC 5321 §2.3.8: the line itself is judged alike.
        let line = wire.strip_suffix(b"\r\n").unwrap_or(wire);
        assert!(
            expected == ReplyParseErrorKind::BareLineFeed || reply_line(line).unwrap_err().kind == expected
        );
    }
}

#[test]
fn a_line_at_the_limit_passes_and_one_octet_more_does_not() {
    let line = |length: usize| format!("250 {}\r\n", "x".repeat(length - 6));
    for size in [1, 7, 4095, 4096, 4097, usize::MAX] {
        let (replies, error, _) = read(line(4096).as_bytes(), &[size], ReplyLimits::default());
        assert_eq!((replies.len(), error), (1, None));
        let (replies, error, most) = read(line(4097).as_bytes(), &[size], ReplyLimits::default());
        assert_eq!((replies.len(), error.unwrap().kind), (0, ReplyParseErrorKind::LineTooLong));
        assert!(size > 4096 || most <= 4096, "{most}");
    }
}

#[test]
fn the_number_of_lines_is_bounded() {
    let mut wire = "250-x\r\n".repeat(999);
    let fits = wire.clone() + "250 x\r\n";
    assert_eq!(whole(fits.as_bytes()).unwrap()[0].lines().count(), 1000);
    wire.push_str("250-x\r\n250 x\r\n");
    let error = whole(wire.as_bytes()).unwrap_err();
    assert_eq!((error.kind, error.line), (ReplyParseErrorKind::TooManyLines, 1001));
}

#[test]
fn endless_continuation_ends_at_the_limit_of_octets_with_bounded_memory() {
    let wire = format!("250-{}\r\n", "x".repeat(1000)).repeat(10_000);
    for size in [1, 512, 65_536] {
        let (replies, error, most) = read(wire.as_bytes(), &[size], ReplyLimits::default());
        assert!(replies.is_empty());
        let error = error.unwrap();
        assert_eq!((error.kind, error.line), (ReplyParseErrorKind::TooLong, 100));
        assert!(most <= 100_000 + 4096 + size, "{most}");
    }
}

#[test]
fn an_endless_line_ends_at_the_limit() {
    let (_, error, most) = read(&[b'2'; 1 << 20], &[1000], ReplyLimits::default());
    let error = error.unwrap();
    assert_eq!(error.kind, ReplyParseErrorKind::LineTooLong);
    assert_eq!(error.excerpt.as_bytes().len(), Excerpt::MAX);
    assert!(most < 4096, "{most}");
}

#[test]
fn octets_beyond_ascii_are_kept() {
    let replies = whole(b"550 caf\xe9\r\n550 caf\xc3\xa9\r\n").unwrap();
    assert!(replies[0].lines().eq([b"caf\xe9"]));
    assert_eq!(replies[1].to_string(), "550 café");
    assert!(!replies[0].is_ascii());
}

#[test]
fn an_error_shows_what_came_and_says_what_to_do() {
    let error = whole(b"HTTP/1.1 400 Bad Request\r\n").unwrap_err().to_string();
    assert!(
        error.contains("no valid reply code") && error.contains("HTTP/1.1 400") && error.contains("close"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn cutting_never_matters(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("250"), Just("550"), Just("-"), Just(" "), Just("\r\n"), Just("\r"), Just("\n"), Just("5.1.1"),
                Just("x"), Just("\0"), Just("250-a\r\n"), Just("250 b\r\n"), Just("xxxxxxxxxxxxxxxxxxxx"),
            ],
            0..40,
        ),
        sizes in proptest::collection::vec(1usize..20, 1..10),
    ) {
        let limits = ReplyLimits { line: 30, lines: 4, octets: 60 };
        let wire: String = parts.concat();
        let (replies, error, _) = read(wire.as_bytes(), &[usize::MAX], limits);
        let (cut_replies, cut_error, most) = read(wire.as_bytes(), &sizes, limits);
        prop_assert_eq!(replies, cut_replies);
        prop_assert_eq!(error, cut_error);
        prop_assert!(most <= 60 + 30);
    }

    #[test]
    fn what_is_written_is_read_again(
        code in 200u16..560,
        enhanced: bool,
        lines in proptest::collection::vec("[ -~ü\t]{0,80}", 1..8),
    ) {
        let Ok(code) = ReplyCode::new(code) else { return Ok(()) };
        let class = u8::try_from(code.get() / 100).unwrap();
        let enhanced = crate::types::EnhancedCode::new(class, 7, 31).ok().filter(|_| enhanced);
        // A line that starts like an enhanced code of the reply's class reads as one.
        let lines: Vec<String> = lines.into_iter().map(|line| format!("x{line}")).collect();
        let reply = Reply::multi_line(code, enhanced, &lines).unwrap();
        let mut wire = BytesMut::new();
        reply.encode(&mut wire);
        let mut reader = ReplyReader::new(ReplyLimits::default());
        prop_assert_eq!(reader.next_reply(&mut wire).unwrap(), Some(reply));
        prop_assert!(wire.is_empty() && reader.is_at_start());
    }

    #[test]
    fn no_octets_panic(wire in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = reply_line(&wire);
        for reply in whole(&wire).unwrap_or_default() {
            let _ = (reply.to_string(), reply.detach(), crate::types::Capabilities::from_reply(&reply));
        }
    }
}
