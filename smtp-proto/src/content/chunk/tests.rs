//! Chunks against what the rules say octet by octet.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        3 => Just(b'\r'), 3 => Just(b'\n'), 2 => Just(b'.'), 2 => Just(b'a'), 1 => Just(0), 1 => Just(0xc3)
    ];
    proptest::collection::vec(octet, 0..60)
}

/// Content and report of a whole, piece by piece.
fn decoded(mut decoder: ChunkDecoder, content: &[u8], sizes: &[usize]) -> (Vec<u8>, ContentReport) {
    let mut out = Vec::new();
    for piece in cut(content, sizes) {
        out.extend_from_slice(&decoder.decode(BytesMut::from(piece)));
    }
    out.extend_from_slice(&decoder.finish());
    (out, *decoder.report())
}

fn cut<'a>(mut rest: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// Octet by octet, as the rules say it.
fn normalised(content: &[u8]) -> (Vec<u8>, u64, u64) {
    let (mut out, mut bare_cr, mut bare_lf) = (Vec::new(), 0, 0);
    for (at, &octet) in content.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| content[at]);
        match octet {
            b'\r' if content.get(at + 1) != Some(&b'\n') => {
                bare_cr += 1;
                out.extend_from_slice(b"\r\n");
            }
            b'\n' if before != Some(b'\r') => {
                bare_lf += 1;
                out.extend_from_slice(b"\r\n");
            }
            octet => out.push(octet),
        }
    }
    (out, bare_cr, bare_lf)
}

#[test]
fn binary_content_passes_as_it_is() {
    let content = b"\0\n\r.\r\n\xff\r";
    let (out, report) = decoded(ChunkDecoder::binary(), content, &[3]);
    assert_eq!(out, content);
    assert_eq!((report.octets, report.nul, report.eight_bit), (8, 1, true));
    assert!(!report.has_bare_line_end());
}

#[test]
fn a_line_end_may_be_cut_by_the_end_of_a_chunk() {
    let decoder = ChunkDecoder::new(BareLineEnd::Reject).measure_lines_above(0);
    let (out, report) = decoded(decoder, b"ab\r\ncd\r\n", &[3]);
    assert_eq!(out, b"ab\r\ncd\r\n");
    assert!(!report.has_bare_line_end());
    assert_eq!(report.longest_line, 4);
}

#[test]
fn behind_the_first_bare_line_end_nothing_is_given_out() {
    for (content, given) in
        [(&b"a\nb\r\n"[..], &b"a"[..]), (b"a\rb\r\n", b"a\r"), (b"a\r", b"a\r"), (b"\n", b"")]
    {
        for size in 1..6 {
            let (out, report) = decoded(ChunkDecoder::new(BareLineEnd::Reject), content, &[size]);
            assert_eq!(out, given, "{content:?} by {size}");
            assert!(report.has_bare_line_end());
        }
    }
}

#[test]
fn what_needs_no_change_is_a_view_of_the_input() {
    let input = BytesMut::from(&vec![b'x'; 1000][..]);
    let at = input.as_ptr();
    for mut decoder in [ChunkDecoder::binary(), ChunkDecoder::new(BareLineEnd::Normalise)] {
        let content = decoder.decode(input.clone());
        assert_eq!(content.len(), 1000);
    }
    assert_eq!(ChunkDecoder::new(BareLineEnd::Normalise).decode(input).as_ptr(), at);
}

fn encoded(
    content: &[u8],
    sizes: &[usize],
    chunks: &[usize],
    eight_bit: bool,
) -> Result<Vec<u8>, ContentError> {
    let mut encoder = ChunkEncoder::new(eight_bit);
    let mut wire = BytesMut::new();
    let all = cut(content, chunks);
    let count = all.len();
    for (index, chunk) in all.into_iter().enumerate() {
        let before = wire.len();
        for piece in cut(chunk, sizes) {
            let written = wire.len();
            if let Err(error) = encoder.encode(piece, &mut wire) {
                assert_eq!(wire.len(), written, "something was written");
                return Err(error);
            }
        }
        if index + 1 == count {
            encoder.finish()?;
        }
        encoder.end_chunk(&mut wire);
        assert_eq!(wire.len() - before, chunk.len(), "the chunk has another length");
    }
    encoder.finish()?;
    Ok(wire.to_vec())
}

/// The first fault, octet by octet. A bare CR is one where what follows it comes.
fn fault(content: &[u8], eight_bit: bool) -> Option<ContentError> {
    for (at, &octet) in content.iter().enumerate() {
        let offset = at as u64;
        let after_cr = at.checked_sub(1).is_some_and(|at| content[at] == b'\r');
        if after_cr && octet != b'\n' {
            return Some(ContentError::BareCarriageReturn { offset: offset - 1 });
        }
        if octet == b'\n' && !after_cr {
            return Some(ContentError::BareLineFeed { offset });
        }
        if !eight_bit && !octet.is_ascii() {
            return Some(ContentError::EightBit { offset });
        }
    }
    (content.last() == Some(&b'\r'))
        .then(|| ContentError::BareCarriageReturn { offset: content.len() as u64 - 1 })
}

proptest! {
    #[test]
    fn no_cut_changes_what_is_decoded(
        content in octets(),
        sizes in proptest::collection::vec(1usize..8, 1..5),
        policy in prop_oneof![Just(BareLineEnd::Reject), Just(BareLineEnd::Normalise), Just(BareLineEnd::Pass)],
    ) {
        let whole = decoded(ChunkDecoder::new(policy), &content, &[usize::MAX]);
        let pieces = decoded(ChunkDecoder::new(policy), &content, &sizes);
        prop_assert_eq!(&whole, &pieces);
        let (normal, bare_cr, bare_lf) = normalised(&content);
        prop_assert_eq!((whole.1.bare_cr, whole.1.bare_lf), (bare_cr, bare_lf));
        match policy {
            BareLineEnd::Pass => prop_assert_eq!(&whole.0, &content),
            BareLineEnd::Normalise => {
                prop_assert_eq!(whole.1.octets, normal.len() as u64);
                prop_assert_eq!(&whole.0, &normal);
            }
            BareLineEnd::Reject => prop_assert!(content.starts_with(&whole.0)),
        }
    }

    #[test]
    fn what_is_sent_in_chunks_is_the_content_or_its_first_fault(
        content in octets(),
        sizes in proptest::collection::vec(1usize..8, 1..5),
        chunks in proptest::collection::vec(1usize..20, 1..5),
        eight_bit: bool,
    ) {
        match (encoded(&content, &sizes, &chunks, eight_bit), fault(&content, eight_bit)) {
            (Ok(wire), None) => prop_assert_eq!(wire, content),
            (Err(error), Some(expected)) => prop_assert_eq!(error, expected),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
