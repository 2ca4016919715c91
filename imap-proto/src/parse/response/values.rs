//! Data: CAPABILITY, LIST, LSUB, NAMESPACE, STATUS, FLAGS, ID. RFC 9051 §7.2 to §7.4, RFC 3501 §7.2, RFC 2342,
//! RFC 2971.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::{DeviationKind, Flag};

use super::number;
use super::tokens::{Failure, Tokens};
use crate::types::{
    Capability, ListAttribute, ListResponse, Mailbox, Namespace, Namespaces, OctetString, Response,
    StatusItem,
};

/// Tags and values behind a listed name.
type Extended = Vec<(Bytes, Bytes)>;

/// The response that `name` begins; `None` if that is no name of one.
pub(super) fn data(tokens: &mut Tokens<'_>, name: &[u8]) -> Option<Result<Response, Failure>> {
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Some(match () {
        () if is(b"CAPABILITY") => capabilities(tokens).map(Response::Capability),
        () if is(b"LIST") => list(tokens).map(Response::List),
        () if is(b"LSUB") => list(tokens).map(Response::Lsub),
        () if is(b"NAMESPACE") => namespaces(tokens).map(Response::Namespace),
        () if is(b"STATUS") => mailbox_status(tokens),
        () if is(b"FLAGS") => tokens.space().and_then(|()| flags(tokens, |_| false)).map(Response::Flags),
        () if is(b"ID") => id(tokens).map(Response::Id),
        () => return None,
    })
}

/// Names, each behind a space.
pub(super) fn capabilities(tokens: &mut Tokens<'_>) -> Result<Vec<Capability>, Failure> {
    let mut names: Vec<Capability> = Vec::new();
    while tokens.peek().is_some() {
        tokens.space()?;
        let at = tokens.at();
        let name = tokens.run(|octet| octet != b' ');
        if name.is_empty() {
            break;
        }
        // `LITERAL +`, as some servers write it.
        if *name == *b"+"
            && let Some(last) = names.last_mut()
            && last.is("LITERAL")
        {
            tokens.deviate_at(DeviationKind::ExtraSpace, at - 1)?;
            let mut joined = BytesMut::from(last.as_str());
            joined.put_u8(b'+');
            if let Some(joined) = Capability::new(joined.freeze()) {
                *last = joined;
            }
            continue;
        }
        match Capability::new(name) {
            Some(name) => tokens.push(&mut names, name)?,
            None => tokens.deviate_at(DeviationKind::Ignored, at)?,
        }
    }
    Ok(names)
}

/// A list of flags. `other` is asked about those that cannot be set; those it does not know are left out.
pub(super) fn flags(
    tokens: &mut Tokens<'_>,
    mut other: impl FnMut(&[u8]) -> bool,
) -> Result<Vec<Flag>, Failure> {
    tokens.list("a list of flags", |tokens| {
        let at = tokens.at();
        let word = match tokens.string_if_any()? {
            Some(string) => {
                tokens.deviate_at(DeviationKind::Ignored, at)?;
                string
            }
            None => tokens.word(),
        };
        if word.is_empty() {
            return Err(Failure::Expected("a flag"));
        }
        if let Some(flag) = core::str::from_utf8(&word).ok().and_then(|text| Flag::new(text).ok()) {
            return Ok(Some(flag));
        }
        if !other(&word) {
            // RFC 9051 §9: flag-extension, which is allowed and means nothing to anybody.
            let extension = word
                .strip_prefix(b"\\")
                .is_some_and(|name| Capability::new(Bytes::copy_from_slice(name)).is_some());
            if extension {
                tokens.note(DeviationKind::Ignored, at);
            } else {
                tokens.deviate_at(DeviationKind::Ignored, at)?;
            }
        }
        Ok(None)
    })
}

/// RFC 9051 §7.3.1.
fn list(tokens: &mut Tokens<'_>) -> Result<ListResponse, Failure> {
    tokens.space()?;
    let attributes = tokens.list("a list of attributes", |tokens| {
        let at = tokens.at();
        let word = match tokens.string_if_any()? {
            Some(string) => {
                tokens.deviate_at(DeviationKind::Ignored, at)?;
                string
            }
            None => tokens.word(),
        };
        if word.is_empty() {
            return Err(Failure::Expected("an attribute"));
        }
        Ok(Some(ListAttribute::read(word)))
    })?;
    tokens.space()?;
    let separator = separator(tokens)?;
    tokens.space()?;
    let start = tokens.mark();
    let at = tokens.at();
    let (mailbox, extended) = match list_mailbox(tokens) {
        Ok(found) => found,
        // Without quotes, a name goes to the end of the line.
        Err(failure) => {
            tokens.rewind(start);
            let begins = tokens.peek().is_some_and(|octet| !matches!(octet, b'"' | b'{' | b'('));
            if !begins || tokens.rest().iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
                return Err(failure);
            }
            tokens.deviate(DeviationKind::Unquoted)?;
            let length = tokens.rest().trim_ascii_end().len();
            (tokens.take(length), Vec::new())
        }
    };
    Ok(ListResponse { attributes, separator, mailbox: mailbox_name(tokens, mailbox, at), extended })
}

/// A name, perhaps with extended data, up to the end.
fn list_mailbox(tokens: &mut Tokens<'_>) -> Result<(Bytes, Extended), Failure> {
    let name = tokens.astring()?;
    let mut extended = Extended::new();
    if tokens.rest().trim_ascii_start().starts_with(b"(") {
        tokens.space()?;
        extended = tokens.list("extended data", |tokens| {
            let tag = tokens.astring()?;
            tokens.space()?;
            let from = tokens.at();
            tokens.skip_value()?;
            Ok(Some((tag, tokens.since(from))))
        })?;
    }
    tokens.end()?;
    Ok((name, extended))
}

/// A quoted character, or NIL.
fn separator(tokens: &mut Tokens<'_>) -> Result<Option<u8>, Failure> {
    let at = tokens.at();
    match tokens.nstring()?.as_deref() {
        None => Ok(None),
        Some([octet]) => Ok(Some(*octet)),
        Some([]) => {
            tokens.deviate_at(DeviationKind::MissingText, at)?;
            Ok(None)
        }
        Some(_) => Err(Failure::Expected("a separator")),
    }
}

/// The name that was read at `at`. Any octets can be one; those that are no valid name are reported.
fn mailbox_name(tokens: &mut Tokens<'_>, octets: Bytes, at: usize) -> Mailbox {
    let mailbox = Mailbox::read(octets, tokens.limits.utf8);
    if let Mailbox::Other(wire) = &mailbox
        && !wire.is_empty()
    {
        tokens.note(DeviationKind::MailboxName, at);
    }
    mailbox
}

/// RFC 2342 §5: three lists or NIL.
fn namespaces(tokens: &mut Tokens<'_>) -> Result<Namespaces, Failure> {
    let mut read = || {
        tokens.space()?;
        if tokens.keyword(b"NIL") {
            return Ok(Vec::new());
        }
        namespace_list(tokens)
    };
    Ok(Namespaces { personal: read()?, other_users: read()?, shared: read()? })
}

/// `((prefix separator extension…)(…))`, without spaces between.
fn namespace_list(tokens: &mut Tokens<'_>) -> Result<Vec<Namespace>, Failure> {
    tokens.expect(b'(', "a list of namespaces")?;
    let mut namespaces = Vec::new();
    loop {
        tokens.no_spaces()?;
        if tokens.skip(b')') {
            return Ok(namespaces);
        }
        tokens.expect(b'(', "a namespace")?;
        tokens.no_spaces()?;
        let prefix = tokens.astring()?;
        tokens.space()?;
        let separator = separator(tokens)?;
        while tokens.peek() == Some(b' ') {
            tokens.space()?;
            if tokens.peek() != Some(b')') {
                tokens.skip_value()?;
            }
        }
        tokens.expect(b')', "the end of a namespace")?;
        let prefix = Mailbox::read(prefix, tokens.limits.utf8);
        tokens.push(&mut namespaces, Namespace::new(prefix, separator))?;
    }
}

/// RFC 9051 §7.3.4.
fn mailbox_status(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    tokens.space()?;
    let at = tokens.at();
    let mailbox = tokens.astring()?;
    tokens.space()?;
    let values = tokens.list("a list of values", |tokens| {
        let at = tokens.at();
        let name = tokens.atom()?;
        tokens.space()?;
        let Some(item) = StatusItem::parse(&name) else {
            tokens.skip_value()?;
            return Ok(None);
        };
        let Some(value) = number::size(tokens)? else { return Ok(None) };
        if value == 0 && matches!(item, StatusItem::UidNext | StatusItem::UidValidity) {
            tokens.deviate_at(DeviationKind::UnexpectedZero, at)?;
            return Ok(None);
        }
        Ok(Some((item, value)))
    })?;
    Ok(Response::MailboxStatus { mailbox: mailbox_name(tokens, mailbox, at), values })
}

/// RFC 2971 §3.2: NIL, or fields and values. Some servers write something behind the parenthesis.
fn id(tokens: &mut Tokens<'_>) -> Result<Vec<(OctetString, Option<OctetString>)>, Failure> {
    let string = |octets| OctetString::new(octets).map_err(|_| Failure::Expected("a string without NUL"));
    tokens.space()?;
    if tokens.keyword(b"NIL") {
        return Ok(Vec::new());
    }
    let pairs = tokens.list("a list of fields and values", |tokens| {
        let field = string(tokens.string()?)?;
        tokens.space()?;
        let value = tokens.nstring()?.map(string).transpose()?;
        Ok(Some((field, value)))
    })?;
    let rest = tokens.rest().trim_ascii_start().len();
    if rest > 0 {
        tokens.deviate(DeviationKind::TrailingFields)?;
        let rest = tokens.rest().len();
        tokens.take(rest);
    }
    Ok(pairs)
}
