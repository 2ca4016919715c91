//! The encoder of DATA, on messages of every shape, in pieces of every size.

use alloc::vec::Vec;

use mailwright_core::wire::DotDecoder;
use proptest::prelude::*;

use super::*;

type Encoded = Result<(Vec<u8>, ContentEnd), ContentError>;

fn encode(content: &[u8], sizes: &[usize], policy: BarePolicy, eight_bit: bool) -> Encoded {
    let mut encoder = DataEncoder::new(policy, eight_bit);
    let mut wire = BytesMut::new();
    let mut rest = content;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
        let (now, later) = rest.split_at(size);
        encoder.encode(now, &mut wire)?;
        rest = later;
    }
    let end = encoder.finish(&mut wire)?;
    Ok((wire.to_vec(), end))
}

fn reject(content: &[u8]) -> Encoded {
    encode(content, &[usize::MAX], BarePolicy::Reject, true)
}

#[test]
fn b1_an_empty_body_is_one_terminator() {
    let (wire, end) = reject(b"").unwrap();
    assert_eq!(wire, b".\r\n");
    assert_eq!(end, ContentEnd { octets: 0, line_end_added: false });
}

#[test]
fn b2_a_body_that_looks_like_an_end_and_a_command_stays_a_body() {
    assert_eq!(reject(b".\r\nRSET\r\n").unwrap().0, b"..\r\nRSET\r\n.\r\n");
}

#[test]
fn b3_a_dot_behind_an_empty_line_is_stuffed() {
    assert_eq!(reject(b"a\r\n\r\n.\r\n").unwrap().0, b"a\r\n\r\n..\r\n.\r\n");
}

#[test]
fn b4_a_body_that_ends_in_a_line_end_gets_no_blank_line_and_another_one_gets_its_line_end() {
    assert_eq!(
        reject(b"a\r\n").unwrap(),
        (b"a\r\n.\r\n".to_vec(), ContentEnd { octets: 3, line_end_added: false })
    );
    assert_eq!(
        reject(b"a").unwrap(),
        (b"a\r\n.\r\n".to_vec(), ContentEnd { octets: 1, line_end_added: true })
    );
    assert_eq!(reject(b".").unwrap().0, b"..\r\n.\r\n");
}

#[test]
fn b5_a_bare_line_end_anywhere_is_an_error_that_writes_nothing_of_its_chunk() {
    let bodies: [&[u8]; 14] = [
        b"a\nb",
        b"a\rb",
        b"\n",
        b"\r",
        b"\n.\n",
        b"\r.\r",
        b"a\r\n.\r",
        b"a\r\n.\n",
        b"a\r\n\n.\r\n",
        b"a\r\n\r.\r\n",
        b"a\r\r\n",
        b"a\n\r\n.\r\n",
        b"a\r\n.\r\r\n",
        b"a.\r",
    ];
    for body in bodies {
        for size in 1..=body.len() {
            let error = encode(body, &[size], BarePolicy::Reject, true).unwrap_err();
            let (ContentError::BareCarriageReturn { offset } | ContentError::BareLineFeed { offset }) = error
            else {
                panic!("{error}")
            };
            assert!(
                matches!(body[usize::try_from(offset).unwrap()], b'\r' | b'\n'),
                "{}",
                body.escape_ascii()
            );
        }
        let mut wire = BytesMut::from("before");
        let mut encoder = DataEncoder::new(BarePolicy::Reject, true);
        let failed = encoder.encode(body, &mut wire).is_err();
        assert!(failed || encoder.finish(&mut wire).is_err());
        assert!(!wire.ends_with(b".\r\n") && (!failed || wire == "before"));
    }
}

#[test]
fn b5_a_bare_line_end_is_normalised_and_then_stuffed() {
    let normalise = |body: &[u8]| encode(body, &[usize::MAX], BarePolicy::Normalise, true).unwrap().0;
    assert_eq!(normalise(b"a\n.\nb\r.\rc"), b"a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n");
    assert_eq!(normalise(b"a\r\n.\n"), b"a\r\n..\r\n.\r\n");
    assert_eq!(normalise(b"\r"), b"\r\n.\r\n");
}

#[test]
fn eight_bit_octets_pass_only_where_they_were_agreed() {
    let body = "a\r\ngrün".as_bytes();
    assert!(reject(body).is_ok());
    for size in 1..=body.len() {
        let refused = encode(body, &[size], BarePolicy::Reject, false);
        assert_eq!(refused, Err(ContentError::EightBit { offset: 5 }));
    }
}

#[test]
fn of_two_faults_the_first_is_reported_however_the_content_is_cut() {
    for (body, expected) in [
        (&b"a\n\xff"[..], ContentError::BareLineFeed { offset: 1 }),
        (b"a\r\xff", ContentError::BareCarriageReturn { offset: 1 }),
        (b"\xff\n", ContentError::EightBit { offset: 0 }),
    ] {
        for size in 1..=body.len() {
            assert_eq!(encode(body, &[size], BarePolicy::Reject, false), Err(expected));
        }
    }
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let parts: Vec<&'static [u8]> =
        [&b"\r\n"[..], b".", b"\r", b"\n", b"a", b"\xff", b"\0", b".\r\n", b"QUIT\r\n"].to_vec();
    proptest::collection::vec(proptest::sample::select(parts), 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn b6_cutting_never_matters(body in bodies(), sizes in proptest::collection::vec(1usize..9, 1..8), eight_bit: bool) {
        for policy in [BarePolicy::Reject, BarePolicy::Normalise] {
            prop_assert_eq!(
                encode(&body, &sizes, policy, eight_bit),
                encode(&body, &[usize::MAX], policy, eight_bit)
            );
        }
    }

    #[test]
    fn undoing_the_transparency_gives_exactly_the_content_and_one_end(body in bodies()) {
        let Ok((wire, end)) = reject(&body) else { return Ok(()) };
        let mut input = BytesMut::from(&wire[..]);
        input.extend_from_slice(b"NOOP\r\n");
        let chunk = DotDecoder::new(BareLineEnd::Reject).decode(&mut input).unwrap();
        let mut expected = body;
        if end.line_end_added {
            expected.extend_from_slice(b"\r\n");
        }
        prop_assert!(chunk.end);
        prop_assert_eq!(chunk.content, expected);
        prop_assert_eq!(&input[..], &b"NOOP\r\n"[..]);
    }

    #[test]
    fn a_bare_line_end_never_reaches_the_wire(body in bodies()) {
        let wire = encode(&body, &[usize::MAX], BarePolicy::Normalise, true).unwrap().0;
        for (at, &octet) in wire.iter().enumerate() {
            match octet {
                b'\r' => prop_assert_eq!(wire.get(at + 1), Some(&b'\n')),
                b'\n' => prop_assert!(at > 0 && wire[at - 1] == b'\r'),
                _ => {}
            }
        }
    }
}
