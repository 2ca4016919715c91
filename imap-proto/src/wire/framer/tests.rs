//! Tests of the framer.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Frames `input` in pieces; every literal up to 1000 octets is read, others are not.
fn frames(input: &[u8], size: usize, limit: usize) -> Vec<Frame> {
    let mut framer = Framer::new();
    let mut buffer = BytesMut::new();
    let mut frames: Vec<Frame> = Vec::new();
    for piece in input.chunks(size.max(1)) {
        buffer.extend_from_slice(piece);
        while let Some(frame) = framer.next_frame(&mut buffer, limit) {
            if let Frame::Part(Part { end: PartEnd::Literal(literal), .. }) = &frame
                && let Some(length) = literal.length.filter(|length| *length <= 1000)
            {
                framer.read_literal(length);
            }
            match (frames.last_mut(), frame) {
                (Some(Frame::Chunk(before)), Frame::Chunk(chunk)) => {
                    *before = [&**before, &*chunk].concat().into();
                }
                (_, frame) => frames.push(frame),
            }
        }
        assert!(buffer.len() < limit.max(1), "no more than the limit stays");
    }
    frames
}

fn part(frame: &Frame) -> &Part {
    let Frame::Part(part) = frame else { panic!("{frame:?}") };
    part
}

#[test]
fn octets_of_a_literal_are_never_lines() {
    let frames = frames(b"a X {9+}\r\nb\r\nc {5}\r {2+}\r\n\r\n\r\nd\r\n", 1, 100);
    assert!(matches!(&frames[1], Frame::Chunk(chunk) if **chunk == *b"b\r\nc {5}\r"));
    assert!(matches!(&frames[3], Frame::Part(part) if *part.octets == *b" "));
    assert!(matches!(&frames[4], Frame::Chunk(chunk) if **chunk == *b"\r\n"));
    assert_eq!(part(&frames[6]).end, PartEnd::Message);
    assert_eq!(*part(&frames[7]).octets, *b"d");
}

#[test]
fn an_overlong_part_is_still_read_for_what_it_announces() {
    let mut input = b"a X ".to_vec();
    input.extend(core::iter::repeat_n(b'x', 500));
    input.extend_from_slice(b" {4+}\r\nb\r\nc {999999999999999999999999+}\r\n");
    for size in [1, 7, 64, 1000] {
        let frames = frames(&input, size, 32);
        let first = part(&frames[0]);
        assert_eq!((first.fault, first.length), (Some(Fault::Overlong), 511));
        assert!(matches!(first.end, PartEnd::Literal(literal) if literal.length == Some(4)));
        assert!(matches!(&frames[1], Frame::Chunk(chunk) if **chunk == *b"b\r\nc"));
    }
}

#[test]
fn the_limit_counts_the_line_end() {
    let overlong = |limit| part(&frames(b"a NOOP\r\n", 1, limit)[0]).fault.is_some();
    assert!(!overlong(8) && overlong(7));
}

#[test]
fn a_bare_line_feed_is_reported_and_a_bare_cr_is_malformed() {
    let frames = frames(b"a NOOP\nb N\rOOP\r\nc \"\r\"\r\n", 3, 100);
    assert!(part(&frames[0]).bare_line_feed && *part(&frames[0]).octets == *b"a NOOP");
    assert_eq!(part(&frames[1]).fault, Some(Fault::Malformed));
    assert_eq!(part(&frames[2]).fault, Some(Fault::Malformed));
}

proptest! {
    #[test]
    fn how_the_input_is_cut_never_matters(
        input in proptest::collection::vec(
            prop_oneof![
                Just(b"a ".to_vec()), Just(b"{3+}\r\n".to_vec()), Just(b"{2}\r\n".to_vec()), Just(b"\r\n".to_vec()),
                Just(b"\n".to_vec()), Just(b"\r".to_vec()), Just(b"\"".to_vec()), Just(b"\\".to_vec()), Just(b"(".to_vec()),
                Just(b"~{1}\r\n".to_vec()), Just(b"{99999999999999999999+}\r\n".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..4),
            ],
            0..40,
        ),
        size in 1_usize..20,
        limit in 1_usize..40,
    ) {
        let input: Vec<u8> = input.concat();
        prop_assert_eq!(frames(&input, size, limit), frames(&input, 1, limit));
    }
}
