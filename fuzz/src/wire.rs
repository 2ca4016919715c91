//! Framing and transparency of the core, against oracles that look at all octets at once.

use bytes::BytesMut;
use mailwright_core::testing::Numbers;
use mailwright_core::wire::{
    BareLineEnd, ContentReport, DotDecoder, DotEncoder, Framed, LineEnd, LineEndCounter, LineFramer,
};

use crate::choice;

/// Hands `data` on in pieces by a seed; whole for the seed 0.
pub(crate) fn pieces(data: &[u8], seed: u8) -> Vec<&[u8]> {
    if seed == 0 {
        return vec![data];
    }
    let mut numbers = Numbers::new(u64::from(seed));
    let (mut rest, mut pieces) = (data, Vec::new());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(numbers.piece(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// Lines, cut in pieces, are those of the whole.
pub fn line_framer(data: &[u8]) {
    let (first, data) = choice(data);
    for limit in [2, 5, 12, 512] {
        let expected = lines(data, limit);
        for seed in [0, first, first.wrapping_add(1)] {
            let mut framer = LineFramer::new(LineEnd::CrLf);
            let mut input = BytesMut::new();
            let mut found = Vec::new();
            for piece in pieces(data, seed) {
                input.extend_from_slice(piece);
                while let Some(framed) = framer.next_line(&mut input, limit) {
                    found.push(framed);
                }
                assert!(input.len() <= limit, "{} octets are left of {limit}", input.len());
            }
            assert_eq!(found, expected, "limit {limit}, seed {seed}");
        }
    }
}

/// What the framer must find, by looking for each CR LF.
fn lines(data: &[u8], limit: usize) -> Vec<Framed> {
    let mut lines = Vec::new();
    let mut rest = data;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, behind) = rest.split_at(end + 2);
        lines.push(if line.len() <= limit {
            Framed::Line { line: line[..end].to_vec().into(), bare_lf: false }
        } else {
            Framed::Overlong { length: line.len() as u64 }
        });
        rest = behind;
    }
    lines
}

/// What is encoded is decoded to the same, ends where it ends, and never earlier; what is decoded does not
/// depend on how it is cut, and is what the oracle says.
pub fn dot_codec(data: &[u8]) {
    let (first, data) = choice(data);
    decoding(data, first);
    for policy in [BareLineEnd::Reject, BareLineEnd::Normalise, BareLineEnd::Pass] {
        let whole = encoded(data, policy, 0);
        assert_eq!(whole, encoded(data, policy, first), "{policy:?}");
        let Some(wire) = whole else { continue };
        let (content, end, report) = decoded(&wire, BareLineEnd::Pass, first);
        assert_eq!(end, Some(wire.len()), "the end is elsewhere");
        let mut expected = if policy == BareLineEnd::Normalise { normalised(data) } else { data.to_vec() };
        if policy == BareLineEnd::Reject || policy == BareLineEnd::Normalise {
            assert!(!report.has_bare_line_end(), "a bare line end is on the wire");
        }
        if !expected.is_empty() && !expected.ends_with(b"\r\n") {
            // A CR at the end becomes part of the line end that is added, or is followed by one.
            expected.extend_from_slice(b"\r\n");
        }
        assert_eq!(content.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{policy:?}");
    }
    let mut counter = LineEndCounter::default();
    for piece in pieces(data, first) {
        counter.feed(piece);
    }
    let mut whole = LineEndCounter::default();
    whole.feed(data);
    assert_eq!((counter.octets(), counter.added()), (whole.octets(), whole.added()));
    assert_eq!(whole.octets(), data.len() as u64);
}

fn encoded(data: &[u8], policy: BareLineEnd, seed: u8) -> Option<Vec<u8>> {
    let mut encoder = DotEncoder::new(policy, policy);
    let mut wire = BytesMut::new();
    for piece in pieces(data, seed) {
        encoder.encode(piece, &mut wire).ok()?;
    }
    encoder.finish(&mut wire).ok()?;
    Some(wire.to_vec())
}

/// Each bare CR and each bare LF becomes CR LF.
pub(crate) fn normalised(data: &[u8]) -> Vec<u8> {
    let mut normal = Vec::new();
    for (at, &octet) in data.iter().enumerate() {
        match octet {
            b'\r' if data.get(at + 1) != Some(&b'\n') => normal.extend_from_slice(b"\r\n"),
            b'\n' if at == 0 || data[at - 1] != b'\r' => normal.extend_from_slice(b"\r\n"),
            _ => normal.push(octet),
        }
    }
    normal
}

/// Content, place of the end, and what was seen.
pub(crate) fn decoded(wire: &[u8], policy: BareLineEnd, seed: u8) -> (Vec<u8>, Option<usize>, ContentReport) {
    decoded_by(DotDecoder::new(policy), wire, seed)
}

fn decoded_by(mut decoder: DotDecoder, wire: &[u8], seed: u8) -> (Vec<u8>, Option<usize>, ContentReport) {
    let mut input = BytesMut::new();
    let mut content = Vec::new();
    let mut came = 0;
    for piece in pieces(wire, seed) {
        input.extend_from_slice(piece);
        came += piece.len();
        while let Some(chunk) = decoder.decode(&mut input) {
            content.extend_from_slice(&chunk.content);
            if chunk.end {
                return (content, Some(came - input.len()), *decoder.report());
            }
        }
        assert!(input.len() <= 2, "{} octets are left", input.len());
    }
    (content, None, *decoder.report())
}

/// Decoding against an oracle that takes an octet at a time.
pub(crate) fn decoding(wire: &[u8], seed: u8) {
    let by_lf = || DotDecoder::new(BareLineEnd::Pass).lines_end_in(LineEnd::CrLfOrLf);
    let whole = decoded_by(by_lf(), wire, 0);
    assert_eq!(whole, decoded_by(by_lf(), wire, seed));
    let (expected, expected_end) = oracle(wire, true);
    assert_eq!(whole.1, expected_end);
    assert!(expected.starts_with(&whole.0));
    for policy in [BareLineEnd::Reject, BareLineEnd::Normalise, BareLineEnd::Pass] {
        let whole = decoded(wire, policy, 0);
        assert_eq!(whole, decoded(wire, policy, seed), "{policy:?}");
        let (content, end, report) = whole;
        let (mut expected, expected_end) = oracle(wire, false);
        assert_eq!(end, expected_end, "{policy:?}");
        let text = |octets: &[u8]| octets.escape_ascii().to_string();
        match policy {
            BareLineEnd::Pass if end.is_some() => assert_eq!(text(&content), text(&expected)),
            BareLineEnd::Pass => {
                // The last two octets may be the beginning of something.
                assert!(expected.starts_with(&content) && expected.len() - content.len() <= 2);
            }
            BareLineEnd::Normalise if end.is_some() => {
                assert_eq!(text(&content), text(&normalised(&expected)));
            }
            BareLineEnd::Reject => {
                let clean = !report.has_bare_line_end();
                if !clean {
                    expected = normalised(&expected);
                }
                assert!(expected.starts_with(&content) || !clean);
                assert!(!has_bare(&content), "a bare line end was given out");
            }
            BareLineEnd::Normalise => {}
        }
    }
}

fn has_bare(content: &[u8]) -> bool {
    content.iter().enumerate().any(|(at, &octet)| {
        octet == b'\n' && (at == 0 || content[at - 1] != b'\r')
            || octet == b'\r' && at + 1 < content.len() && content[at + 1] != b'\n'
    })
}

/// RFC 5321 §4.5.2 as it is written, an octet at a time; with `lf`, an LF alone ends lines as well.
fn oracle(wire: &[u8], lf: bool) -> (Vec<u8>, Option<usize>) {
    let mut content = Vec::new();
    let mut at_line_start = true;
    let mut at = 0;
    while at < wire.len() {
        if at_line_start && wire[at..].starts_with(b".\r\n") {
            return (content, Some(at + 3));
        }
        if lf && at_line_start && wire[at..].starts_with(b".\n") {
            return (content, Some(at + 2));
        }
        if at_line_start && wire[at] == b'.' {
            at += 1;
            if at == wire.len() {
                break;
            }
        }
        content.push(wire[at]);
        at_line_start = wire[at] == b'\n' && (lf || at > 0 && wire[at - 1] == b'\r');
        at += 1;
    }
    (content, None)
}
