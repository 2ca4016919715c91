//! What the encoder writes, the reader reads, in pieces of any size; strict mode has nothing to complain about.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod generate;
mod reading;

use bytes::BytesMut;
use generate::response::response;
use mailwright_imap::parse::{ParseResponseError, ResponseLimits};
use mailwright_imap::types::{Code, OctetString, Response, StatusKind, StatusResponse};
use mailwright_imap::value::DeviationKind;
use proptest::prelude::*;
use reading::{read, strict};

fn check(response: &Response, utf8: bool) -> Result<(), TestCaseError> {
    let mut limits = strict();
    limits.utf8 = utf8;
    let mut wire = BytesMut::new();
    response.encode(&mut wire, utf8);
    let parsed = Response::parse(&wire, &limits);
    let parsed = parsed.map_err(|error| TestCaseError::fail(format!("{error}: {}", wire.escape_ascii())))?;
    prop_assert_eq!(&parsed.response, response, "{}", wire.escape_ascii());
    // Any octets can be a name.
    let names = parsed.deviations.iter().all(|deviation| deviation.kind == DeviationKind::MailboxName);
    prop_assert!(names, "{:?}", parsed.deviations);
    let whole = read(&wire, usize::MAX, &limits);
    prop_assert_eq!(read(&wire, 1, &limits), whole, "{}", wire.escape_ascii());
    let mut again = BytesMut::new();
    parsed.response.encode(&mut again, utf8);
    prop_assert_eq!(again, wire);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_response_is_read_as_it_was_written(response in response(false)) {
        check(&response, false)?;
    }

    #[test]
    fn a_response_with_names_in_utf8_is_read_as_it_was_written(response in response(true)) {
        check(&response, true)?;
    }

    #[test]
    fn what_is_cut_off_is_incomplete(response in response(false), at in any::<proptest::sample::Index>()) {
        let mut wire = BytesMut::new();
        response.encode(&mut wire, false);
        let cut = at.index(wire.len());
        prop_assert_eq!(
            Response::parse(&wire[..cut], &ResponseLimits::default()),
            Err(ParseResponseError::Incomplete)
        );
        wire.extend_from_slice(b"* 1 EXISTS\r\n");
        prop_assert_eq!(Response::parse(&wire, &ResponseLimits::default()), Err(ParseResponseError::Trailing));
    }
}

#[test]
fn a_bracket_in_a_charset_does_not_end_the_code() {
    let charsets = ["]", "a]b", "utf-8"].map(|name| OctetString::new(name).unwrap());
    let status = StatusResponse::new(StatusKind::No, "x").with_code(Code::BadCharset(charsets.to_vec()));
    check(&Response::Status { tag: None, status }, false).unwrap();
}
