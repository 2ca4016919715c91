//! Data: CAPABILITY, ENABLED, LIST, LSUB, NAMESPACE, STATUS, FLAGS, ID. RFC 9051 §7.2 to §7.4, RFC 3501 §7.2,
//! RFC 2342, RFC 2971, RFC 5258 §6.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::{DeviationKind, Flag};

use super::tokens::{Failure, Tokens};
use super::{access, metadata, number};
use crate::types::{
    Capability, ListAttribute, ListData, ListResponse, Mailbox, Namespace, Namespaces, ObjectId, OctetString,
    OtherFlag, Response, StatusItem, StatusValue,
};

/// The response that `name` begins; `None` if that is no name of one.
pub(super) fn data(tokens: &mut Tokens<'_>, name: &[u8]) -> Option<Result<Response, Failure>> {
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Some(match () {
        () if is(b"CAPABILITY") => capabilities(tokens).map(Response::Capability),
        () if is(b"LIST") => list(tokens).map(Response::List),
        () if is(b"LSUB") => list(tokens).map(Response::Lsub),
        () if is(b"NAMESPACE") => namespaces(tokens).map(Response::Namespace),
        () if is(b"STATUS") => mailbox_status(tokens),
        () if is(b"FLAGS") => {
            let flags = tokens.space().and_then(|()| flags(tokens, |_| false));
            flags.map(|(flags, other)| Response::Flags { flags, other })
        }
        () if is(b"ID") => id(tokens).map(Response::Id),
        () if is(b"XLIST") => list(tokens).map(Response::Xlist),
        () if is(b"ENABLED") => capabilities(tokens).map(Response::Enabled),
        () if is(b"METADATA") => metadata::metadata(tokens).map(Response::Metadata),
        () if is(b"QUOTA") => access::quota(tokens).map(Response::Quota),
        () if is(b"QUOTAROOT") => access::quota_root(tokens),
        () if is(b"ACL") => access::acl(tokens).map(Response::Acl),
        () if is(b"LISTRIGHTS") => access::list_rights(tokens).map(Response::ListRights),
        () if is(b"MYRIGHTS") => access::my_rights(tokens),
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
        if name == b"+"
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
        match Capability::new(tokens.keep(name)) {
            Some(name) => tokens.push(&mut names, name)?,
            None => tokens.deviate_at(DeviationKind::Ignored, at)?,
        }
    }
    Ok(names)
}

/// A list of flags, and what else stands among them; `special` is asked about that first.
pub(super) fn flags(
    tokens: &mut Tokens<'_>,
    mut special: impl FnMut(&[u8]) -> bool,
) -> Result<(Vec<Flag>, Vec<OtherFlag>), Failure> {
    let mut other = Vec::new();
    let flags = tokens.list("a list of flags", |tokens| {
        let at = tokens.at();
        if let Some(string) = tokens.string_if_any()? {
            tokens.deviate_at(DeviationKind::Ignored, at)?;
            return Ok(Flag::from_octets(&string).ok());
        }
        let word = tokens.word();
        if word.is_empty() {
            return Err(Failure::Expected("a flag"));
        }
        if let Ok(flag) = Flag::from_octets(word) {
            return Ok(Some(flag));
        }
        if special(word) {
            return Ok(None);
        }
        let flag = OtherFlag::new(tokens.keep(word));
        // RFC 9051 §9: flag-extension, which is allowed and means nothing to anybody.
        if !flag.as_ref().is_some_and(OtherFlag::is_extension) {
            tokens.deviate_at(DeviationKind::Ignored, at)?;
        }
        if let Some(flag) = flag {
            tokens.push(&mut other, flag)?;
        }
        Ok(None)
    })?;
    Ok((flags, other))
}

/// RFC 9051 §7.3.1.
fn list(tokens: &mut Tokens<'_>) -> Result<ListResponse, Failure> {
    tokens.space()?;
    let attributes = tokens.list_of(2, "a list of attributes", |tokens| attribute(tokens).map(Some))?;
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
            let name = tokens.take(length);
            (tokens.keep(name), Vec::new())
        }
    };
    Ok(ListResponse { attributes, separator, mailbox: mailbox_name(tokens, mailbox, at), extended })
}

/// An attribute. One that is a string is read; anything else is kept.
fn attribute(tokens: &mut Tokens<'_>) -> Result<ListAttribute, Failure> {
    let at = tokens.at();
    if tokens.peek() == Some(b'(') {
        tokens.note(DeviationKind::Ignored, at);
        return tokens.raw_value().map(ListAttribute::Invalid);
    }
    if let Some(string) = tokens.string_if_any()? {
        tokens.deviate_at(DeviationKind::Ignored, at)?;
        // Only a word means the same without its quotes.
        let word =
            |octet: &u8| octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'"' | b'{' | b'~');
        let fits = !string.is_empty() && string.iter().all(word);
        return Ok(match fits {
            true => ListAttribute::read(string),
            false => ListAttribute::Invalid(tokens.keep(tokens.since(at))),
        });
    }
    let word = tokens.word();
    if word.is_empty() {
        return Err(Failure::Expected("an attribute"));
    }
    Ok(ListAttribute::read(tokens.keep(word)))
}

/// A name, perhaps with extended data, up to the end.
fn list_mailbox(tokens: &mut Tokens<'_>) -> Result<(Bytes, Vec<ListData>), Failure> {
    let name = tokens.astring()?;
    let mut extended = Vec::new();
    if tokens.rest().trim_ascii_start().starts_with(b"(") {
        tokens.space()?;
        extended = tokens.list("extended data", |tokens| list_data(tokens).map(Some))?;
    }
    tokens.end()?;
    Ok((name, extended))
}

/// RFC 5258 §6: `mbox-list-extended-item`.
fn list_data(tokens: &mut Tokens<'_>) -> Result<ListData, Failure> {
    let tag = tokens.astring()?;
    tokens.space()?;
    let (mark, at) = (tokens.mark(), tokens.at());
    let known = match () {
        () if tag.eq_ignore_ascii_case(b"CHILDINFO") => {
            let options = tokens.list("a list of options", |tokens| tokens.string().map(Some));
            options.map(ListData::ChildInfo)
        }
        () if tag.eq_ignore_ascii_case(b"OLDNAME") => old_name(tokens).map(ListData::OldName),
        () => return Ok(ListData::Unknown { tag, value: tokens.raw_value()? }),
    };
    match known {
        Ok(data) if tokens.is_behind_value() => Ok(data),
        Err(failure @ Failure::NotTolerated(_)) => Err(failure),
        _ => {
            tokens.rewind(mark);
            tokens.note(DeviationKind::Ignored, at);
            Ok(ListData::Invalid { tag, value: tokens.raw_value()? })
        }
    }
}

/// RFC 5465 §8: the name in parentheses.
fn old_name(tokens: &mut Tokens<'_>) -> Result<Mailbox, Failure> {
    tokens.expect(b'(', "a name in parentheses")?;
    tokens.no_spaces()?;
    let at = tokens.at();
    let name = tokens.astring()?;
    let name = mailbox_name(tokens, name, at);
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of a name")?;
    Ok(name)
}

/// A mailbox name.
pub(super) fn mailbox(tokens: &mut Tokens<'_>) -> Result<Mailbox, Failure> {
    let at = tokens.at();
    let name = tokens.astring()?;
    Ok(mailbox_name(tokens, name, at))
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
    let mut namespaces = Namespaces::default();
    let Namespaces { personal, other_users, shared, invalid } = &mut namespaces;
    for list in [personal, other_users, shared] {
        tokens.space()?;
        if !tokens.keyword(b"NIL") {
            *list = namespace_list(tokens, invalid)?;
        }
    }
    Ok(namespaces)
}

/// `((prefix separator extension…)(…))`, without spaces between.
fn namespace_list(tokens: &mut Tokens<'_>, invalid: &mut Vec<Bytes>) -> Result<Vec<Namespace>, Failure> {
    let mut namespaces = Vec::new();
    if tokens.peek() != Some(b'(') {
        tokens.note(DeviationKind::Ignored, tokens.at());
        let raw = tokens.raw_value()?;
        tokens.push(invalid, raw)?;
        return Ok(namespaces);
    }
    tokens.skip(b'(');
    loop {
        tokens.no_spaces()?;
        if tokens.skip(b')') {
            return Ok(namespaces);
        }
        let (mark, at) = (tokens.mark(), tokens.at());
        match namespace(tokens) {
            Ok(namespace) => tokens.push(&mut namespaces, namespace)?,
            Err(failure @ Failure::NotTolerated(_)) => return Err(failure),
            Err(_) => {
                tokens.rewind(mark);
                tokens.note(DeviationKind::Ignored, at);
                let raw = tokens.raw_value()?;
                tokens.push(invalid, raw)?;
            }
        }
    }
}

fn namespace(tokens: &mut Tokens<'_>) -> Result<Namespace, Failure> {
    tokens.expect(b'(', "a namespace")?;
    tokens.no_spaces()?;
    let prefix = tokens.astring()?;
    tokens.space()?;
    let separator = separator(tokens)?;
    let mut namespace = Namespace::new(Mailbox::read(prefix, tokens.limits.utf8), separator);
    while tokens.peek() == Some(b' ') {
        tokens.space()?;
        if tokens.peek() != Some(b')') {
            let name = tokens.string()?;
            tokens.space()?;
            let values = tokens.list("a list of values", |tokens| tokens.string().map(Some))?;
            tokens.push(&mut namespace.extensions, (name, values))?;
        }
    }
    tokens.expect(b')', "the end of a namespace")?;
    Ok(namespace)
}

/// RFC 9051 §7.3.4.
fn mailbox_status(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    tokens.space()?;
    let mailbox = mailbox(tokens)?;
    tokens.space()?;
    let values = tokens.list("a list of values", |tokens| {
        let name = tokens.atom()?;
        tokens.space()?;
        let Some(item) = StatusItem::parse(name) else {
            let name = tokens.keep(name);
            return Ok(Some(StatusValue::Unknown { name, value: tokens.raw_value()? }));
        };
        let (mark, at) = (tokens.mark(), tokens.at());
        match status_value(tokens, item) {
            Ok(value) if tokens.is_behind_value() => Ok(value),
            Err(failure @ Failure::NotTolerated(_)) => Err(failure),
            _ => {
                tokens.rewind(mark);
                tokens.note(DeviationKind::Ignored, at);
                let name = tokens.keep(name);
                Ok(Some(StatusValue::Invalid { name, value: tokens.raw_value()? }))
            }
        }
    })?;
    Ok(Response::MailboxStatus { mailbox, values })
}

/// The value of a known item; `None` if it says nothing.
fn status_value(tokens: &mut Tokens<'_>, item: StatusItem) -> Result<Option<StatusValue>, Failure> {
    let at = tokens.at();
    if item == StatusItem::MailboxId {
        return object_id(tokens).map(|id| Some(StatusValue::MailboxId(id)));
    }
    // RFC 7889 §3: NIL is no limit.
    if item == StatusItem::AppendLimit && tokens.keyword(b"NIL") {
        return Ok(Some(StatusValue::NoAppendLimit));
    }
    let Some(value) = number::size(tokens)? else { return Ok(None) };
    if value == 0 && matches!(item, StatusItem::UidNext | StatusItem::UidValidity) {
        tokens.deviate_at(DeviationKind::UnexpectedZero, at)?;
        return Ok(None);
    }
    Ok(Some(StatusValue::Number(item, value)))
}

/// RFC 8474 §7: an identifier in parentheses.
pub(super) fn object_id(tokens: &mut Tokens<'_>) -> Result<ObjectId, Failure> {
    tokens.expect(b'(', "an identifier in parentheses")?;
    tokens.no_spaces()?;
    let word = tokens.word();
    let id = ObjectId::new(tokens.keep(word)).map_err(|_| Failure::Expected("an object identifier"))?;
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of an identifier")?;
    Ok(id)
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
        tokens.take_rest();
    }
    Ok(pairs)
}
