//! A response that is read as a whole: every kind but FETCH and SEARCH. RFC 9051 §9 (`response`).

use mailwright_core::value::DeviationKind;

use super::tokens::{Failure, Tokens};
use super::{status, values};
use crate::types::{Response, StatusKind, Tag};

/// Reads a response; `None` for an empty line.
pub(super) fn message(tokens: &mut Tokens<'_>) -> Result<Option<Response>, Failure> {
    if tokens.peek().is_none() {
        tokens.deviate(DeviationKind::Ignored)?;
        return Ok(None);
    }
    if tokens.skip(b'+') {
        return continuation(tokens).map(Some);
    }
    if tokens.skip(b'*') {
        return untagged(tokens).map(Some);
    }
    let tag = tokens.word();
    let tag = Tag::new(tokens.keep(tag)).map_err(|_| Failure::Expected("a tag"))?;
    tokens.space()?;
    let word = tokens.word();
    match status::kind(word) {
        // RFC 9051 §7.1: BYE and PREAUTH are always untagged.
        Some(kind @ (StatusKind::Ok | StatusKind::No | StatusKind::Bad)) => {
            let status = status::status(tokens, kind)?;
            Ok(Some(Response::Status { tag: Some(tag), status }))
        }
        _ => Err(Failure::Expected("OK, NO or BAD behind the tag")),
    }
}

/// RFC 9051 §7.6.
fn continuation(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    if tokens.peek().is_none() {
        tokens.deviate(DeviationKind::MissingText)?;
    } else {
        tokens.expect(b' ', "a space")?;
    }
    status::text(tokens).map(Response::Continue)
}

/// What stands behind `*`.
fn untagged(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    tokens.space()?;
    let start = tokens.mark();
    if tokens.peek().is_some_and(|octet| octet.is_ascii_digit())
        && let Some(response) = counted(tokens)?
    {
        tokens.end()?;
        return Ok(response);
    }
    tokens.rewind(start);
    let name = tokens.word();
    if let Some(kind) = status::kind(name) {
        let status = status::status(tokens, kind)?;
        return Ok(Response::Status { tag: None, status });
    }
    match values::data(tokens, name) {
        Some(response) => {
            let response = response?;
            tokens.end()?;
            Ok(response)
        }
        None => unknown(tokens),
    }
}

/// A number and what is counted or numbered; `None` if that is not known.
fn counted(tokens: &mut Tokens<'_>) -> Result<Option<Response>, Failure> {
    let number = tokens.number32()?;
    tokens.space()?;
    let name = tokens.word();
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Ok(match () {
        () if is(b"EXISTS") => Some(Response::Exists(number)),
        () if is(b"RECENT") => Some(Response::Recent(number)),
        () if is(b"EXPUNGE") && number > 0 => Some(Response::Expunge(number)),
        () if is(b"EXPUNGE") => return Err(Failure::Expected("a number above zero")),
        () if is(b"FETCH") || is(b"UIDFETCH") => return Err(Failure::Expected("a list of items")),
        () => None,
    })
}

/// A response of another kind, as it came.
fn unknown(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    tokens.take_rest();
    let line = tokens.since(0);
    // RFC 9051 §4: neither NUL nor a bare CR, except in literals.
    let harmful = memchr::memchr(b'\n', line).is_none() && memchr::memchr2(b'\r', 0, line).is_some();
    if harmful {
        Err(Failure::Expected("no NUL and no bare CR"))
    } else {
        Ok(Response::Unknown(tokens.keep(line)))
    }
}

/// The number of the message in the head of a FETCH, and whether it is a UID; 0 is for the caller to refuse.
pub(super) fn fetch_number(tokens: &mut Tokens<'_>) -> Result<(u32, bool), Failure> {
    tokens.expect(b'*', "*")?;
    tokens.space()?;
    let number = tokens.number32()?;
    tokens.space()?;
    let uid = tokens.word().eq_ignore_ascii_case(b"UIDFETCH");
    tokens.space()?;
    tokens.expect(b'(', "a list of items")?;
    Ok((number, uid))
}

/// What stands behind the items of a FETCH.
pub(super) fn fetch_end(tokens: &mut Tokens<'_>) -> Result<(), Failure> {
    tokens.no_spaces()?;
    tokens.expect(b')', "the closing parenthesis")?;
    if !tokens.rest().trim_ascii_start().is_empty() {
        tokens.deviate(DeviationKind::TrailingFields)?;
        return Ok(());
    }
    tokens.end()
}
