//! Writing responses. RFC 9051 §7, RFC 3501 §7.
//!
//! What a server tells of itself is ASCII; strings that came from messages go as quoted strings where those
//! can hold them, else as literals. NUL never leaves in anything but a binary literal: in its place goes
//! 0x80, which no reader takes for an end.

use alloc::vec::Vec;
use core::borrow::Borrow as _;

use bytes::{BufMut as _, BytesMut};
use mailwright_core::value::UidRange;

use super::command::{put_flags, put_parenthesised};
use super::{Literals, put_astring, put_nstring, put_number, put_quoted, put_string};
use crate::types::{
    Address, BodyStructure, Code, Envelope, FetchItem, ListResponse, Namespace, Namespaces, Part, Piece,
    ReadyItem, Response, StatusKind, StatusResponse,
};

impl Response {
    /// Writes the response with its line end. `utf8`: mailbox names in UTF-8, where that was agreed on.
    pub fn encode(&self, into: &mut BytesMut, utf8: bool) {
        let mut literals = Literals::response(into);
        let literals = &mut literals;
        match self {
            Self::Status { tag, status } => {
                literals.wire().put_slice(tag.as_ref().map_or(b"*", |tag| tag.as_bytes()));
                literals.wire().put_u8(b' ');
                put_status(status, literals);
            }
            Self::Continue(text) => {
                literals.wire().put_slice(b"+ ");
                // RFC 9051 §7.6: an empty challenge is no text at all.
                if !text.is_empty() {
                    put_text(text, literals.wire());
                }
            }
            Self::Capability(names) => {
                literals.wire().put_slice(b"* CAPABILITY");
                for name in names {
                    literals.wire().put_u8(b' ');
                    literals.wire().put_slice(name.as_str().as_bytes());
                }
            }
            Self::List(list) => put_list(b"* LIST ", list, literals, utf8),
            Self::Lsub(list) => put_list(b"* LSUB ", list, literals, utf8),
            Self::Namespace(namespaces) => put_namespaces(namespaces, literals, utf8),
            Self::MailboxStatus { mailbox, values } => {
                literals.wire().put_slice(b"* STATUS ");
                put_astring(&mailbox.wire(utf8), literals);
                literals.wire().put_u8(b' ');
                put_parenthesised(values, literals, |(item, value), literals| {
                    literals.wire().put_slice(item.as_str().as_bytes());
                    literals.wire().put_u8(b' ');
                    put_number(*value, literals.wire());
                });
            }
            Self::Search(numbers) => {
                literals.wire().put_slice(b"* SEARCH");
                for number in numbers {
                    literals.wire().put_u8(b' ');
                    put_number(u64::from(*number), literals.wire());
                }
            }
            Self::Flags(flags) => {
                literals.wire().put_slice(b"* FLAGS ");
                put_flags(flags, literals);
            }
            Self::Exists(count) => put_count(*count, b" EXISTS", literals.wire()),
            Self::Recent(count) => put_count(*count, b" RECENT", literals.wire()),
            Self::Expunge(number) => put_count(*number, b" EXPUNGE", literals.wire()),
            Self::Fetch { number, items } => {
                put_count(*number, b" FETCH ", literals.wire());
                put_parenthesised(items, literals, put_fetch_item);
            }
            Self::Id(pairs) if pairs.is_empty() => literals.wire().put_slice(b"* ID NIL"),
            Self::Id(pairs) => {
                literals.wire().put_slice(b"* ID ");
                put_parenthesised(pairs, literals, |(field, value), literals| {
                    put_string(field.as_bytes(), literals);
                    literals.wire().put_u8(b' ');
                    put_nstring(value.as_ref().map(|value| value.as_bytes()), literals);
                });
            }
            Self::Unknown(line) => literals.wire().put_slice(line),
        }
        literals.wire().put_slice(b"\r\n");
    }
}

fn put_count(number: u32, what: &[u8], wire: &mut BytesMut) {
    wire.put_slice(b"* ");
    put_number(u64::from(number), wire);
    wire.put_slice(what);
}

/// Status, code and text, without the tag and the line end.
fn put_status(status: &StatusResponse, literals: &mut Literals<'_>) {
    literals.wire().put_slice(match status.kind {
        StatusKind::Ok => b"OK ",
        StatusKind::No => b"NO ",
        StatusKind::Bad => b"BAD ",
        StatusKind::Bye => b"BYE ",
        StatusKind::PreAuth => b"PREAUTH ",
    });
    if let Some(code) = &status.code {
        literals.wire().put_u8(b'[');
        put_code(code, literals);
        literals.wire().put_slice(b"] ");
    }
    put_text(&status.text, literals.wire());
}

/// Text for people: what could end the line or be taken for a code goes out as `?`; no text is a hyphen,
/// since RFC 9051 §9 wants at least one character.
fn put_text(text: &[u8], wire: &mut BytesMut) {
    if text.is_empty() {
        return wire.put_u8(b'-');
    }
    for (index, octet) in text.iter().enumerate() {
        let harmful = octet.is_ascii_control() || (index == 0 && *octet == b'[');
        wire.put_u8(if harmful { b'?' } else { *octet });
    }
}

fn put_code(code: &Code, literals: &mut Literals<'_>) {
    let name: &[u8] = match code {
        Code::Alert => b"ALERT",
        Code::AlreadyExists => b"ALREADYEXISTS",
        Code::AppendUid { uid_validity, uids } => {
            literals.wire().put_slice(b"APPENDUID ");
            put_number(u64::from(uid_validity.get()), literals.wire());
            literals.wire().put_u8(b' ');
            return put_ranges(uids, literals.wire());
        }
        Code::AuthenticationFailed => b"AUTHENTICATIONFAILED",
        Code::AuthorizationFailed => b"AUTHORIZATIONFAILED",
        Code::BadCharset(charsets) => {
            literals.wire().put_slice(b"BADCHARSET");
            if !charsets.is_empty() {
                literals.wire().put_u8(b' ');
                put_parenthesised(charsets, literals, |charset, literals| {
                    let charset = charset.as_bytes();
                    // RFC 9051 §9: an atom there, unlike an astring, has no bracket, which would end the code.
                    if charset.contains(&b']') {
                        put_string(charset, literals);
                    } else {
                        put_astring(charset, literals);
                    }
                });
            }
            return;
        }
        Code::Cannot => b"CANNOT",
        Code::Capability(names) => {
            literals.wire().put_slice(b"CAPABILITY");
            for name in names {
                literals.wire().put_u8(b' ');
                literals.wire().put_slice(name.as_str().as_bytes());
            }
            return;
        }
        Code::ClientBug => b"CLIENTBUG",
        Code::Closed => b"CLOSED",
        Code::ContactAdmin => b"CONTACTADMIN",
        Code::CopyUid { uid_validity, source, destination } => {
            literals.wire().put_slice(b"COPYUID ");
            put_number(u64::from(uid_validity.get()), literals.wire());
            literals.wire().put_u8(b' ');
            put_ranges(source, literals.wire());
            literals.wire().put_u8(b' ');
            return put_ranges(destination, literals.wire());
        }
        Code::Corruption => b"CORRUPTION",
        Code::Expired => b"EXPIRED",
        Code::ExpungeIssued => b"EXPUNGEISSUED",
        Code::InUse => b"INUSE",
        Code::Limit => b"LIMIT",
        Code::NonExistent => b"NONEXISTENT",
        Code::NoPerm => b"NOPERM",
        Code::OverQuota => b"OVERQUOTA",
        Code::Parse => b"PARSE",
        Code::PermanentFlags { flags, new_keywords } => {
            literals.wire().put_slice(b"PERMANENTFLAGS ");
            put_flags(flags, literals);
            if *new_keywords {
                let wire = literals.wire();
                wire.truncate(wire.len() - 1);
                wire.put_slice(if flags.is_empty() { b"\\*)" } else { b" \\*)" });
            }
            return;
        }
        Code::PrivacyRequired => b"PRIVACYREQUIRED",
        Code::ReadOnly => b"READ-ONLY",
        Code::ReadWrite => b"READ-WRITE",
        Code::ServerBug => b"SERVERBUG",
        Code::TooBig => b"TOOBIG",
        Code::TryCreate => b"TRYCREATE",
        Code::UidNext(uid) => {
            literals.wire().put_slice(b"UIDNEXT ");
            return put_number(u64::from(uid.get()), literals.wire());
        }
        Code::UidNotSticky => b"UIDNOTSTICKY",
        Code::UidValidity(validity) => {
            literals.wire().put_slice(b"UIDVALIDITY ");
            return put_number(u64::from(validity.get()), literals.wire());
        }
        Code::Unavailable => b"UNAVAILABLE",
        Code::Unseen(number) => {
            literals.wire().put_slice(b"UNSEEN ");
            return put_number(u64::from(*number), literals.wire());
        }
        Code::Unknown(raw) | Code::Invalid(raw) => raw,
    };
    literals.wire().put_slice(name);
}

/// RFC 4315 §3: `uid-set`; one UID is never written as a range.
fn put_ranges(ranges: &[UidRange], wire: &mut BytesMut) {
    for (index, range) in ranges.iter().enumerate() {
        if index > 0 {
            wire.put_u8(b',');
        }
        put_number(u64::from(range.first().get()), wire);
        if range.first() != range.last() {
            wire.put_u8(b':');
            put_number(u64::from(range.last().get()), wire);
        }
    }
}

fn put_separator(separator: Option<u8>, wire: &mut BytesMut) {
    match separator {
        Some(octet @ (b'"' | b'\\')) => wire.put_slice(&[b'"', b'\\', octet, b'"']),
        Some(octet) => wire.put_slice(&[b'"', octet, b'"']),
        None => wire.put_slice(b"NIL"),
    }
}

fn put_list(start: &[u8], list: &ListResponse, literals: &mut Literals<'_>, utf8: bool) {
    literals.wire().put_slice(start);
    put_parenthesised(&list.attributes, literals, |attribute, literals| {
        literals.wire().put_slice(attribute.as_bytes());
    });
    literals.wire().put_u8(b' ');
    put_separator(list.separator, literals.wire());
    literals.wire().put_u8(b' ');
    put_astring(&list.mailbox.wire(utf8), literals);
    if !list.extended.is_empty() {
        literals.wire().put_u8(b' ');
        put_parenthesised(&list.extended, literals, |(tag, value), literals| {
            put_astring(tag, literals);
            literals.wire().put_u8(b' ');
            literals.wire().put_slice(value);
        });
    }
}

fn put_namespaces(namespaces: &Namespaces, literals: &mut Literals<'_>, utf8: bool) {
    literals.wire().put_slice(b"* NAMESPACE");
    for kind in [&namespaces.personal, &namespaces.other_users, &namespaces.shared] {
        literals.wire().put_u8(b' ');
        if kind.is_empty() {
            literals.wire().put_slice(b"NIL");
            continue;
        }
        literals.wire().put_u8(b'(');
        for Namespace { prefix, separator } in kind {
            literals.wire().put_u8(b'(');
            put_string(&prefix.wire(utf8), literals);
            literals.wire().put_u8(b' ');
            put_separator(*separator, literals.wire());
            literals.wire().put_u8(b')');
        }
        literals.wire().put_u8(b')');
    }
}

/// Name and value of an item.
pub(crate) fn put_fetch_item(item: &FetchItem, literals: &mut Literals<'_>) {
    match item {
        FetchItem::Body(structure) => {
            literals.wire().put_slice(b"BODY ");
            put_structure(structure, false, literals);
        }
        FetchItem::BodySection { section, origin, octets } => {
            literals.wire().put_slice(b"BODY");
            section.encode(literals);
            if let Some(origin) = origin {
                literals.wire().put_u8(b'<');
                put_number(*origin, literals.wire());
                literals.wire().put_u8(b'>');
            }
            literals.wire().put_u8(b' ');
            put_nstring(octets.as_deref(), literals);
        }
        FetchItem::BodyStructure(structure) => {
            literals.wire().put_slice(b"BODYSTRUCTURE ");
            put_structure(structure, true, literals);
        }
        FetchItem::Envelope(envelope) => {
            literals.wire().put_slice(b"ENVELOPE ");
            put_envelope(envelope, literals);
        }
        FetchItem::Flags { flags, recent } => {
            literals.wire().put_slice(b"FLAGS ");
            put_flags(flags, literals);
            if *recent {
                let wire = literals.wire();
                wire.truncate(wire.len() - 1);
                wire.put_slice(if flags.is_empty() { b"\\Recent)" } else { b" \\Recent)" });
            }
        }
        FetchItem::InternalDate(date) => {
            literals.wire().put_slice(b"INTERNALDATE ");
            put_quoted(&alloc::format!("{date}"), literals.wire());
        }
        FetchItem::Rfc822(octets) => put_named(b"RFC822 ", octets.as_deref(), literals),
        FetchItem::Rfc822Header(octets) => put_named(b"RFC822.HEADER ", octets.as_deref(), literals),
        FetchItem::Rfc822Size(size) => {
            literals.wire().put_slice(b"RFC822.SIZE ");
            put_number(size.unwrap_or(0), literals.wire());
        }
        FetchItem::Rfc822Text(octets) => put_named(b"RFC822.TEXT ", octets.as_deref(), literals),
        FetchItem::Uid(uid) => {
            literals.wire().put_slice(b"UID ");
            put_number(u64::from(uid.get()), literals.wire());
        }
        FetchItem::Ready { item, pieces } => {
            literals.wire().put_slice(match item {
                ReadyItem::Envelope => b"ENVELOPE ",
                ReadyItem::Body => b"BODY ",
                ReadyItem::BodyStructure => b"BODYSTRUCTURE ",
            });
            for piece in pieces {
                match piece {
                    Piece::Wire(text) => literals.wire().put_slice(text),
                    Piece::String(octets) => put_string(octets, literals),
                }
            }
        }
        FetchItem::Unknown { name, value } => {
            literals.wire().put_slice(name);
            literals.wire().put_u8(b' ');
            literals.wire().put_slice(value);
        }
    }
}

fn put_named(name: &[u8], octets: Option<&[u8]>, literals: &mut Literals<'_>) {
    literals.wire().put_slice(name);
    put_nstring(octets, literals);
}

/// RFC 9051 §7.5.2: ENVELOPE.
pub(crate) fn put_envelope(envelope: &Envelope, literals: &mut Literals<'_>) {
    literals.wire().put_u8(b'(');
    put_nstring(envelope.date.as_deref(), literals);
    literals.wire().put_u8(b' ');
    put_nstring(envelope.subject.as_deref(), literals);
    let lists =
        [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc];
    for addresses in lists {
        literals.wire().put_u8(b' ');
        put_addresses(addresses, literals);
    }
    literals.wire().put_u8(b' ');
    put_nstring(envelope.in_reply_to.as_deref(), literals);
    literals.wire().put_u8(b' ');
    put_nstring(envelope.message_id.as_deref(), literals);
    literals.wire().put_u8(b')');
}

fn put_addresses(addresses: &[Address], literals: &mut Literals<'_>) {
    if addresses.is_empty() {
        return literals.wire().put_slice(b"NIL");
    }
    literals.wire().put_u8(b'(');
    for Address { name, route, mailbox, host } in addresses {
        for (index, field) in [name, route, mailbox, host].into_iter().enumerate() {
            literals.wire().put_u8(if index == 0 { b'(' } else { b' ' });
            put_nstring(field.as_deref(), literals);
        }
        literals.wire().put_u8(b')');
    }
    literals.wire().put_u8(b')');
}

/// RFC 9051 §7.5.2: BODY and BODYSTRUCTURE, with a stack of what is open instead of recursion.
fn put_structure(structure: &BodyStructure, extended: bool, literals: &mut Literals<'_>) {
    // Parts that are begun, with how many of theirs are to come.
    let mut open: Vec<(&Part, usize)> = Vec::new();
    for part in &structure.parts {
        put_part_start(part, literals);
        open.push((part, part.children));
        while let Some((part, left)) = open.last_mut() {
            if *left > 0 {
                *left -= 1;
                break;
            }
            put_part_end(part, extended, literals);
            open.pop();
        }
    }
}

/// What stands before the parts in a part.
fn put_part_start(part: &Part, literals: &mut Literals<'_>) {
    literals.wire().put_u8(b'(');
    if part.multipart {
        return;
    }
    put_string(&part.media_type, literals);
    literals.wire().put_u8(b' ');
    put_string(&part.subtype, literals);
    literals.wire().put_u8(b' ');
    put_parameters(&part.parameters, literals);
    for field in [&part.id, &part.description] {
        literals.wire().put_u8(b' ');
        put_nstring(field.as_deref(), literals);
    }
    literals.wire().put_u8(b' ');
    put_string(&part.encoding, literals);
    literals.wire().put_u8(b' ');
    put_number(part.octets.unwrap_or(0), literals.wire());
    if let Some(envelope) = &part.envelope {
        literals.wire().put_u8(b' ');
        put_envelope(envelope, literals);
        literals.wire().put_u8(b' ');
    }
}

/// What stands behind them.
fn put_part_end(part: &Part, extended: bool, literals: &mut Literals<'_>) {
    if part.multipart {
        if part.children == 0 {
            // The grammar has no multipart without parts; readers take an empty text.
            literals.wire().put_slice(b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)");
        }
        literals.wire().put_u8(b' ');
        put_string(&part.subtype, literals);
    } else if part.envelope.is_some() || part.media_type.eq_ignore_ascii_case(b"text") {
        literals.wire().put_u8(b' ');
        put_number(part.lines.unwrap_or(0), literals.wire());
    }
    if let (true, Some(extension)) = (extended, &part.extension) {
        literals.wire().put_u8(b' ');
        if part.multipart {
            put_parameters(&part.parameters, literals);
        } else {
            put_nstring(extension.md5.as_deref(), literals);
        }
        literals.wire().put_u8(b' ');
        match &extension.disposition {
            Some((disposition, parameters)) => {
                literals.wire().put_u8(b'(');
                put_string(disposition, literals);
                literals.wire().put_u8(b' ');
                put_parameters(parameters, literals);
                literals.wire().put_u8(b')');
            }
            None => literals.wire().put_slice(b"NIL"),
        }
        literals.wire().put_u8(b' ');
        match extension.language.as_slice() {
            [] => literals.wire().put_slice(b"NIL"),
            languages => put_parenthesised(languages, literals, |language, literals| {
                put_string(language.borrow(), literals);
            }),
        }
        literals.wire().put_u8(b' ');
        put_nstring(extension.location.as_deref(), literals);
    }
    literals.wire().put_u8(b')');
}

fn put_parameters(parameters: &[(bytes::Bytes, bytes::Bytes)], literals: &mut Literals<'_>) {
    if parameters.is_empty() {
        return literals.wire().put_slice(b"NIL");
    }
    put_parenthesised(parameters, literals, |(name, value), literals| {
        put_string(name, literals);
        literals.wire().put_u8(b' ');
        put_string(value, literals);
    });
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec;

    use mailwright_core::value::{Flag, Uid, UidValidity};

    use super::*;
    use crate::types::{ListAttribute, Mailbox, StatusItem, Tag};

    fn wire(response: &Response) -> String {
        let mut wire = BytesMut::new();
        response.encode(&mut wire, false);
        String::from_utf8(wire.to_vec()).unwrap()
    }

    #[test]
    fn responses_are_written_as_the_rfc_writes_them() {
        let status = |tag: Option<&'static str>, status| Response::Status {
            tag: tag.map(|tag| Tag::new(tag).unwrap()),
            status,
        };
        let range = |first, last| UidRange::new(Uid::new(first).unwrap(), Uid::new(last).unwrap());
        let validity = UidValidity::new(38505).unwrap();
        for (response, text) in [
            (status(Some("a1"), StatusResponse::new(StatusKind::Ok, "done")), "a1 OK done"),
            (
                status(
                    None,
                    StatusResponse::new(StatusKind::Ok, "x")
                        .with_code(Code::PermanentFlags { flags: vec![Flag::Seen], new_keywords: true }),
                ),
                "* OK [PERMANENTFLAGS (\\Seen \\*)] x",
            ),
            (
                status(
                    Some("a"),
                    StatusResponse::new(StatusKind::Ok, "x").with_code(Code::CopyUid {
                        uid_validity: validity,
                        source: vec![range(304, 304), range(319, 320)],
                        destination: vec![range(3956, 3958)],
                    }),
                ),
                "a OK [COPYUID 38505 304,319:320 3956:3958] x",
            ),
            (status(None, StatusResponse::new(StatusKind::Bye, "")), "* BYE -"),
            (status(None, StatusResponse::new(StatusKind::No, "[x] a\r\nb")), "* NO ?x] a??b"),
            (Response::Exists(23), "* 23 EXISTS"),
            (Response::Search(vec![2, 84, 882]), "* SEARCH 2 84 882"),
            (Response::Search(vec![]), "* SEARCH"),
            (
                Response::List(ListResponse::new(
                    Mailbox::read("a b".into(), false),
                    vec![ListAttribute::HasChildren, ListAttribute::Sent],
                )),
                "* LIST (\\HasChildren \\Sent) \"/\" \"a b\"",
            ),
            (
                Response::MailboxStatus {
                    mailbox: Mailbox::read("x".into(), false),
                    values: vec![(StatusItem::Messages, 231), (StatusItem::UidNext, 44292)],
                },
                "* STATUS x (MESSAGES 231 UIDNEXT 44292)",
            ),
            (
                Response::Namespace(Namespaces {
                    personal: vec![Namespace::new(Mailbox::Other("".into()), Some(b'/'))],
                    ..Namespaces::default()
                }),
                "* NAMESPACE ((\"\" \"/\")) NIL NIL",
            ),
            (
                Response::Fetch {
                    number: 2,
                    items: vec![
                        FetchItem::Uid(Uid::new(7).unwrap()),
                        FetchItem::Flags { flags: vec![], recent: true },
                        FetchItem::Rfc822Size(Some(9)),
                    ],
                },
                "* 2 FETCH (UID 7 FLAGS (\\Recent) RFC822.SIZE 9)",
            ),
            (
                Response::Fetch {
                    number: 1,
                    items: vec![FetchItem::BodySection {
                        section: crate::types::Section::whole(),
                        origin: Some(0),
                        octets: Some("a\r\n".into()),
                    }],
                },
                "* 1 FETCH (BODY[]<0> {3}\r\na\r\n)",
            ),
        ] {
            assert_eq!(wire(&response), alloc::format!("{text}\r\n"));
        }
    }

    #[test]
    fn structures_are_nested_by_parentheses() {
        let text = Part {
            media_type: "text".into(),
            subtype: "plain".into(),
            encoding: "7bit".into(),
            octets: Some(5),
            lines: Some(1),
            ..Part::default()
        };
        let enclosed = Part {
            children: 1,
            media_type: "message".into(),
            subtype: "rfc822".into(),
            encoding: "7bit".into(),
            octets: Some(9),
            lines: Some(3),
            envelope: Some(alloc::boxed::Box::default()),
            ..Part::default()
        };
        let multipart = Part {
            children: 2,
            multipart: true,
            media_type: "multipart".into(),
            subtype: "mixed".into(),
            ..Part::default()
        };
        let structure = BodyStructure { parts: vec![multipart, text.clone(), enclosed, text] };
        let leaf = "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)";
        let nils = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";
        assert_eq!(
            wire(&Response::Fetch { number: 1, items: vec![FetchItem::Body(structure)] }),
            alloc::format!(
                "* 1 FETCH (BODY ({leaf}(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 {nils} {leaf} 3) \"mixed\"))\r\n"
            )
        );
    }

    #[test]
    fn a_deep_structure_needs_no_stack() {
        let multipart = Part { children: 1, multipart: true, subtype: "x".into(), ..Part::default() };
        let mut parts = vec![multipart; 100_000];
        parts.push(Part { media_type: "a".into(), subtype: "b".into(), ..Part::default() });
        let text =
            wire(&Response::Fetch { number: 1, items: vec![FetchItem::Body(BodyStructure { parts })] });
        assert_eq!(text.matches('(').count(), text.matches(')').count());
    }
}
