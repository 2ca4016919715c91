//! The decoder against an independent byte-at-a-time oracle of the automaton, and the encoder against the decoder.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::wire::LineEnd;

/// The automaton of the design, one octet at a time, with held octets as states: shares nothing with the decoder.
#[derive(Default)]
struct Oracle {
    /// Whether an LF alone ends a line.
    lf: bool,
    state: State,
    out: Vec<u8>,
    bare_cr: u64,
    bare_lf: u64,
    ended: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Bol,
    Mid,
    Cr,
    Dot,
    DotCr,
}

impl Oracle {
    fn emit(&mut self, octet: u8, policy: BareLineEnd) {
        if policy != BareLineEnd::Reject || self.bare_cr + self.bare_lf == 0 {
            self.out.push(octet);
        }
    }

    fn bare(&mut self, octet: u8, policy: BareLineEnd) {
        if octet == b'\r' {
            self.bare_cr += 1;
        } else {
            self.bare_lf += 1;
        }
        match policy {
            BareLineEnd::Reject => {}
            BareLineEnd::Normalise => self.out.extend_from_slice(b"\r\n"),
            BareLineEnd::Pass => self.out.push(octet),
        }
    }

    fn step(&mut self, octet: u8, policy: BareLineEnd) {
        use State::{Bol, Cr, Dot, DotCr, Mid};
        self.state = match (self.state, octet) {
            (Bol, b'.') => Dot,
            (Bol | Mid, b'\n') if self.lf => {
                self.emit(b'\n', policy);
                Bol
            }
            (Dot, b'\n') if self.lf => {
                self.ended = true;
                Bol
            }
            (Bol | Mid, b'\r') => Cr,
            (Bol | Mid | Dot, b'\n') => {
                self.bare(b'\n', policy);
                Mid
            }
            (Bol | Mid | Dot, octet) if !(self.state == Dot && octet == b'\r') => {
                self.emit(octet, policy);
                Mid
            }
            (Dot, _) => DotCr,
            (Cr, b'\n') => {
                self.emit(b'\r', policy);
                self.emit(b'\n', policy);
                Bol
            }
            (DotCr, b'\n') => {
                self.ended = true;
                Bol
            }
            (Cr | DotCr, octet) => {
                self.bare(b'\r', policy);
                if octet == b'\r' {
                    Cr
                } else {
                    self.emit(octet, policy);
                    Mid
                }
            }
            (Bol | Mid, _) => unreachable!("covered above"),
        };
    }
}

/// Decodes `input` cut into `sizes`; content, whether it ended, what is left behind the end, and the report.
fn decode(input: &[u8], sizes: &[usize], policy: BareLineEnd) -> (Vec<u8>, bool, Vec<u8>, ContentReport) {
    decode_by(DotDecoder::new(policy), input, sizes)
}

fn decode_by(
    mut decoder: DotDecoder,
    input: &[u8],
    sizes: &[usize],
) -> (Vec<u8>, bool, Vec<u8>, ContentReport) {
    let mut buffer = BytesMut::new();
    let mut out = Vec::new();
    let mut rest = input;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
        let (now, later) = rest.split_at(size);
        buffer.extend_from_slice(now);
        rest = later;
        while let Some(chunk) = decoder.decode(&mut buffer) {
            out.extend_from_slice(&chunk.content);
            if chunk.end {
                buffer.extend_from_slice(rest);
                return (out, true, buffer.to_vec(), *decoder.report());
            }
        }
        assert!(buffer.len() <= 2, "the decoder left {} octets", buffer.len());
    }
    (out, false, buffer.to_vec(), *decoder.report())
}

fn encode(
    content: &[u8],
    sizes: &[usize],
    cr: BareLineEnd,
    lf: BareLineEnd,
) -> Result<(Vec<u8>, bool), DotError> {
    let mut encoder = DotEncoder::new(cr, lf);
    let mut wire = BytesMut::new();
    let mut rest = content;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
        let (now, later) = rest.split_at(size);
        encoder.encode(now, &mut wire)?;
        rest = later;
    }
    let added = encoder.finish(&mut wire)?;
    Ok((wire.to_vec(), added))
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        4 => Just(b'\r'), 4 => Just(b'\n'), 4 => Just(b'.'), 3 => Just(b'a'), 1 => Just(0u8), 1 => Just(0xe4u8)
    ];
    let part = prop_oneof![octet.prop_map(|octet| vec![octet]), Just(b"\r\n".to_vec())].boxed();
    // Lines long enough that blocks of them are taken at once, with something in between.
    let line = (0_usize..150).prop_map(|length| [&vec![b'a'; length][..], b"\r\n"].concat());
    let many = prop_oneof![12 => line, 1 => part.clone(), 1 => Just(b"\r\n.".to_vec())];
    let joined = |parts: Vec<Vec<u8>>| parts.concat();
    prop_oneof![
        9 => proptest::collection::vec(part, 0..60).prop_map(joined),
        1 => proptest::collection::vec(many, 0..40).prop_map(joined),
    ]
}

fn policies() -> impl Strategy<Value = BareLineEnd> {
    prop_oneof![Just(BareLineEnd::Reject), Just(BareLineEnd::Normalise), Just(BareLineEnd::Pass)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_decoder_is_the_automaton(
        input in octets(),
        sizes in proptest::collection::vec(1usize..9, 1..8),
        policy in policies(),
        lf: bool,
    ) {
        let mut oracle = Oracle { lf, ..Oracle::default() };
        let mut consumed = 0;
        for &octet in &input {
            if oracle.ended {
                break;
            }
            oracle.step(octet, policy);
            consumed += 1;
        }
        for sizes in [&sizes[..], &[usize::MAX], &[1]] {
            let line_end = if lf { LineEnd::CrLfOrLf } else { LineEnd::CrLf };
            let decoder = DotDecoder::new(policy).lines_end_in(line_end);
            let (content, ended, left, report) = decode_by(decoder, &input, sizes);
            prop_assert_eq!(ended, oracle.ended);
            if ended {
                prop_assert_eq!(&content, &oracle.out);
                prop_assert_eq!(&left, &input[consumed..]);
                prop_assert_eq!((report.bare_cr, report.bare_lf), (oracle.bare_cr, oracle.bare_lf));
                if policy != BareLineEnd::Reject {
                    prop_assert_eq!(report.octets, content.len() as u64);
                }
            } else {
                prop_assert!(oracle.out.starts_with(&content) || policy == BareLineEnd::Reject);
            }
        }
    }

    #[test]
    fn the_report_does_not_depend_on_cuts(
        input in octets(),
        sizes in proptest::collection::vec(1usize..9, 1..8),
        limit in prop_oneof![Just(0_u64), 0_u64..300],
    ) {
        let mut terminated = input;
        terminated.extend_from_slice(b"\r\n.\r\n");
        let decoder = || DotDecoder::new(BareLineEnd::Pass).measure_lines_above(limit);
        let (_, _, _, whole) = decode_by(decoder(), &terminated, &[usize::MAX]);
        let (_, _, _, parts) = decode_by(decoder(), &terminated, &sizes);
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn decoding_what_was_encoded_yields_the_content(
        content in octets(),
        sizes in proptest::collection::vec(1usize..9, 1..8),
    ) {
        let (wire, added) = encode(&content, &sizes, BareLineEnd::Pass, BareLineEnd::Pass).unwrap();
        let (whole, _) = encode(&content, &[usize::MAX], BareLineEnd::Pass, BareLineEnd::Pass).unwrap();
        prop_assert_eq!(&wire, &whole);
        let (decoded, ended, left, _) = decode(&wire, &[usize::MAX], BareLineEnd::Pass);
        prop_assert!(ended && left.is_empty());
        let mut expected = content;
        if added {
            expected.extend_from_slice(b"\r\n");
        }
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn normalised_content_has_no_bare_line_end(content in octets(), sizes in proptest::collection::vec(1usize..9, 1..8)) {
        let (wire, _) = encode(&content, &sizes, BareLineEnd::Normalise, BareLineEnd::Normalise).unwrap();
        let (_, ended, left, report) = decode(&wire, &[usize::MAX], BareLineEnd::Reject);
        prop_assert!(ended && left.is_empty() && !report.has_bare_line_end());
    }

    #[test]
    fn rejected_content_never_gets_a_bare_control_on_the_wire(content in octets(), sizes in proptest::collection::vec(1usize..9, 1..8)) {
        let mut encoder = DotEncoder::new(BareLineEnd::Reject, BareLineEnd::Reject);
        let mut wire = BytesMut::new();
        let mut result = Ok(());
        let mut rest = &content[..];
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() && result.is_ok() {
            let (now, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            result = encoder.encode(now, &mut wire);
            rest = later;
        }
        if result.is_ok() {
            result = encoder.finish(&mut wire).map(drop);
        }
        let mut bare = None;
        for (at, &octet) in content.iter().enumerate() {
            let is_bare = match octet {
                b'\r' => content.get(at + 1) != Some(&b'\n'),
                b'\n' => at == 0 || content[at - 1] != b'\r',
                _ => false,
            };
            if is_bare {
                bare = Some((at as u64, octet));
                break;
            }
        }
        prop_assert_eq!(result, match bare {
            None => Ok(()),
            Some((offset, b'\r')) => Err(DotError::BareCarriageReturn { offset }),
            Some((offset, _)) => Err(DotError::BareLineFeed { offset }),
        });
        let text = wire.to_vec();
        for (at, &octet) in text.iter().enumerate() {
            if octet == b'\r' { prop_assert_eq!(text.get(at + 1), Some(&b'\n')); }
            if octet == b'\n' { prop_assert!(at > 0 && text[at - 1] == b'\r'); }
        }
    }

    #[test]
    fn the_counter_foretells_the_normalised_size(content in octets(), sizes in proptest::collection::vec(1usize..9, 1..8)) {
        let mut counter = LineEndCounter::default();
        let mut rest = &content[..];
        let mut cuts = sizes.iter().cycle();
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            counter.feed(now);
            rest = later;
        }
        let (wire, _) = encode(&content, &sizes, BareLineEnd::Pass, BareLineEnd::Normalise).unwrap();
        let (decoded, _, _, _) = decode(&wire, &[usize::MAX], BareLineEnd::Pass);
        prop_assert_eq!(counter.octets() + counter.added(), decoded.len() as u64);
    }
}

/// The end-of-data matrix E1–E8 of the design: input, policy Reject or not, content under Normalise, what is left.
#[test]
fn end_of_data_matrix() {
    const M: &str = "MAIL\r\n.\r\nNOOP\r\n";
    let rows: &[(&str, String, &str, &str, bool)] = &[
        ("E1", ".\r\n".into(), "", "", false),
        ("E2", "..x\r\n.\r\n".into(), ".x\r\n", "", false),
        ("E3", "a\r\n.x\r\n.\r\n".into(), "a\r\nx\r\n", "", false),
        ("E4", format!("a\n.\r\n{M}"), "a\r\n.\r\nMAIL\r\n", "NOOP\r\n", true),
        ("E5", format!("a\r\n.\n{M}"), "a\r\n\r\nMAIL\r\n", "NOOP\r\n", true),
        ("E6", format!("a\r.\r\n{M}"), "a\r\n.\r\nMAIL\r\n", "NOOP\r\n", true),
        ("E7", format!("a\r\n.\r\r\n{M}"), "a\r\n\r\n\r\nMAIL\r\n", "NOOP\r\n", true),
        ("E8", "a\r\n.\r\n.\r\nNOOP\r\n".into(), "a\r\n", ".\r\nNOOP\r\n", false),
    ];
    for (id, input, normalised, left, bare) in rows {
        for size in 1..input.len() + 1 {
            let (content, ended, behind, report) = decode(input.as_bytes(), &[size], BareLineEnd::Normalise);
            assert!(ended, "{id} by {size}");
            assert_eq!(String::from_utf8_lossy(&content), *normalised, "{id} by {size}");
            assert_eq!(String::from_utf8_lossy(&behind), *left, "{id} by {size}");
            assert_eq!(report.has_bare_line_end(), *bare, "{id} by {size}");
        }
    }
}

/// The client body matrix B1–B4 of the design; B5 and B6 are the properties above.
#[test]
fn client_body_matrix() {
    let rows = [
        ("B1", "", ".\r\n", false),
        ("B2", ".\r\nRSET\r\n", "..\r\nRSET\r\n.\r\n", false),
        ("B3", "a\r\n\r\n.\r\n", "a\r\n\r\n..\r\n.\r\n", false),
        ("B4", "a\r\n", "a\r\n.\r\n", false),
        ("B4, no line end", "a", "a\r\n.\r\n", true),
    ];
    for (id, content, expected, added) in rows {
        for size in 1..content.len().max(1) + 1 {
            let (wire, was_added) =
                encode(content.as_bytes(), &[size], BareLineEnd::Reject, BareLineEnd::Reject).unwrap();
            assert_eq!(String::from_utf8_lossy(&wire), expected, "{id} by {size}");
            assert_eq!(was_added, added, "{id} by {size}");
        }
    }
}

#[test]
fn clean_content_is_a_view_of_the_input() {
    let mut input = BytesMut::from("one\r\ntwo\r\n.\r\n");
    let start = input.as_ptr();
    let chunk = DotDecoder::new(BareLineEnd::Reject).decode(&mut input).unwrap();
    assert_eq!(chunk.content.as_ptr(), start);
}

#[test]
fn lone_dots_are_counted_and_kept_on_request() {
    let mut input = BytesMut::from(".x\r\n..y\r\n.\r\n");
    let mut decoder = DotDecoder::new(BareLineEnd::Pass).keep_lone_dots(true);
    assert_eq!(decoder.decode(&mut input).unwrap().content, ".x\r\n.y\r\n");
    assert_eq!(decoder.report().lone_dots, 1);
}

#[test]
fn the_longest_line_and_first_offsets_are_reported() {
    let decoder = DotDecoder::new(BareLineEnd::Pass).measure_lines_above(0);
    let (_, _, _, report) = decode_by(decoder, b"ab\r\n\0bcde\r\nx\ny\r\n.\r\n", &[3]);
    assert_eq!((report.longest_line, report.first_nul, report.nul), (7, 4, 1));
    assert_eq!((report.first_bare, report.bare_lf), (12, 1));
}

#[test]
fn a_line_is_measured_from_the_first_octet_above_the_limit() {
    let text = |length: usize| [&vec![b'a'; length - 2][..], b"\r\n"].concat();
    for (long, told) in [(999, 0), (1000, 0), (1001, 1001), (5000, 5000)] {
        let wire = [text(70).repeat(30), text(long), text(200).repeat(30), b".\r\n".to_vec()].concat();
        for size in [1, 100, usize::MAX] {
            let (_, _, _, report) = decode(&wire, &[size], BareLineEnd::Reject);
            assert_eq!(report.longest_line, told, "{long} by {size}");
        }
    }
}

#[test]
fn the_first_lone_dot_is_reported_where_it_stood() {
    for size in 1..12 {
        let (_, _, _, report) = decode(b"..a\r\n.b\r\n.c\r\n.\r\n", &[size], BareLineEnd::Pass);
        assert_eq!((report.lone_dots, report.first_lone_dot), (2, 5));
    }
}

#[test]
fn where_lf_ends_lines_it_ends_the_content() {
    let decoder = || DotDecoder::new(BareLineEnd::Reject).lines_end_in(LineEnd::CrLfOrLf);
    for size in 1..12 {
        let (content, ended, behind, report) = decode_by(decoder(), b"..a\nb\r\n\n.\n+OK\n", &[size]);
        assert_eq!(content, b".a\nb\r\n\n");
        assert!(ended && !report.has_bare_line_end());
        assert_eq!(behind, b"+OK\n");
    }
    let (content, ..) = decode_by(decoder(), b".\r\n", &[1]);
    assert!(content.is_empty());
}
