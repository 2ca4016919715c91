//! The JSON of responses: their type and a field for each value.

use bytes::{Bytes, BytesMut};
use mailwright_imap::types::{
    Address, BodyStructure, Capability, Code, Envelope, Extension, FetchItem, ListData, ListResponse,
    MetadataData, Namespace, Part, Response, Rights, SearchData, StatusKind, StatusResponse, StatusValue,
};
use mailwright_imap::value::ModSeq;
use serde_json::{Map, Value, json};

use super::arguments::id;
use super::values::{flags, list, mailbox, metadata, octets, other_flags, ranges, set, string};
use crate::json::text;

/// The type and the values.
pub(super) fn response(response: &Response) -> Value {
    let (name, values) = match response {
        Response::Status { tag, status } => {
            let mut shown = self::status(status);
            shown.insert("tag".to_owned(), json!(tag.as_ref().map(|tag| tag.as_str())));
            ("STATUS RESPONSE", shown.into())
        }
        Response::Continue(shown) => ("CONTINUE", json!({ "text": text(shown) })),
        Response::Capability(names) => ("CAPABILITY", json!({ "capabilities": capabilities(names) })),
        Response::Enabled(names) => ("ENABLED", json!({ "capabilities": capabilities(names) })),
        Response::List(shown) => ("LIST", listed(shown)),
        Response::Lsub(shown) => ("LSUB", listed(shown)),
        Response::Xlist(shown) => ("XLIST", listed(shown)),
        Response::Namespace(shown) => (
            "NAMESPACE",
            json!({
                "personal": list(&shown.personal, namespace),
                "other_users": list(&shown.other_users, namespace),
                "shared": list(&shown.shared, namespace),
                "invalid": raw(&shown.invalid),
            }),
        ),
        Response::MailboxStatus { mailbox: name, values } => {
            ("STATUS", json!({ "mailbox": mailbox(name), "values": named(values.iter().map(status_value)) }))
        }
        Response::Search { numbers, mod_seq } => ("SEARCH", found(numbers, *mod_seq)),
        Response::Sort { numbers, mod_seq } => ("SORT", found(numbers, *mod_seq)),
        Response::Thread(threads) => (
            "THREAD",
            json!({ "nodes": list(threads.nodes(), |node| {
                json!({ "number": node.number, "answers": node.answers })
            }) }),
        ),
        Response::ExtendedSearch(search) => (
            "ESEARCH",
            json!({
                "tag": search.tag.as_ref().map(|tag| tag.as_str()),
                "mailbox": search.mailbox.as_ref().map(mailbox),
                "uid_validity": search.uid_validity.map(|validity| validity.get()),
                "uid": search.uid,
                "data": list(&search.data, search_data),
            }),
        ),
        Response::Flags { flags: shown, other } => {
            ("FLAGS", json!({ "flags": flags(shown), "other": other_flags(other) }))
        }
        Response::Exists(number) => ("EXISTS", json!({ "number": number })),
        Response::Recent(number) => ("RECENT", json!({ "number": number })),
        Response::Expunge(number) => ("EXPUNGE", json!({ "number": number })),
        Response::Fetch { number, items } => {
            ("FETCH", json!({ "number": number, "items": list(items, fetch_item) }))
        }
        Response::UidFetch { uid, items } => {
            ("UIDFETCH", json!({ "uid": uid.get(), "items": list(items, fetch_item) }))
        }
        Response::Vanished { earlier, uids } => {
            ("VANISHED", json!({ "earlier": earlier, "uids": ranges(uids) }))
        }
        Response::Id(pairs) => ("ID", id(pairs)),
        Response::Unknown(octets) => ("UNKNOWN", json!({ "octets": text(octets) })),
        response => access(response),
    };
    let mut shown = Map::new();
    shown.insert("response".to_owned(), json!(name));
    if let Value::Object(values) = values {
        shown.extend(values);
    }
    shown.into()
}

/// Annotations, quotas and rights.
fn access(response: &Response) -> (&'static str, Value) {
    match response {
        Response::Metadata(shown) => {
            let mut values = match &shown.data {
                MetadataData::Values(values) => json!({ "values": metadata(values) }),
                MetadataData::Changed(entries) => {
                    json!({ "changed": list(entries, |entry| json!(entry.as_str())) })
                }
            };
            if let Some(object) = values.as_object_mut() {
                object.insert("mailbox".to_owned(), mailbox(&shown.mailbox));
                object.insert("invalid".to_owned(), raw(&shown.invalid));
            }
            ("METADATA", values)
        }
        Response::Quota(quota) => (
            "QUOTA",
            json!({
                "root": string(&quota.root),
                "resources": list(&quota.resources, |usage| json!({
                    "resource": usage.resource.as_str(), "usage": usage.usage, "limit": usage.limit,
                })),
                "invalid": raw(&quota.invalid),
            }),
        ),
        Response::QuotaRoot { mailbox: name, roots } => {
            ("QUOTAROOT", json!({ "mailbox": mailbox(name), "roots": list(roots, string) }))
        }
        Response::Acl(acl) => (
            "ACL",
            json!({
                "mailbox": mailbox(&acl.mailbox),
                "entries": list(&acl.entries, |(identifier, rights)| {
                    json!({ "identifier": string(identifier), "rights": rights.as_str() })
                }),
                "invalid": raw(&acl.invalid),
            }),
        ),
        Response::ListRights(shown) => (
            "LISTRIGHTS",
            json!({
                "mailbox": mailbox(&shown.mailbox),
                "identifier": string(&shown.identifier),
                "required": shown.required.as_str(),
                "optional": list(&shown.optional, |rights: &Rights| json!(rights.as_str())),
            }),
        ),
        Response::MyRights { mailbox: name, rights } => {
            ("MYRIGHTS", json!({ "mailbox": mailbox(name), "rights": rights.as_str() }))
        }
        // A response that this program is older than.
        response => ("OTHER", json!({ "debug": format!("{response:?}") })),
    }
}

fn raw(values: &[Bytes]) -> Value {
    list(values, |octets| text(octets))
}

fn capabilities(names: &[Capability]) -> Value {
    list(names, |name| json!(name.as_str()))
}

/// An object of names and values.
fn named(values: impl Iterator<Item = (String, Value)>) -> Value {
    values.collect::<Map<String, Value>>().into()
}

fn status(status: &StatusResponse) -> Map<String, Value> {
    let kind = match status.kind {
        StatusKind::Ok => "OK",
        StatusKind::No => "NO",
        StatusKind::Bad => "BAD",
        StatusKind::Bye => "BYE",
        StatusKind::PreAuth => "PREAUTH",
    };
    let mut shown = Map::new();
    shown.insert("status".to_owned(), json!(kind));
    shown.insert("code".to_owned(), status.code.as_ref().map_or(Value::Null, code));
    shown.insert("text".to_owned(), text(&status.text));
    shown
}

/// A code by its name and its value, as it is written.
fn code(code: &Code) -> Value {
    let mut wire = BytesMut::new();
    let status = StatusResponse::new(StatusKind::Ok, "x").with_code(code.clone());
    Response::Status { tag: None, status }.encode(&mut wire, true);
    let inside =
        wire.strip_prefix(b"* OK [").and_then(|rest| rest.strip_suffix(b"] x\r\n")).unwrap_or_default();
    let kind = match code {
        Code::Unknown(_) => "unknown",
        Code::Invalid(_) => "invalid",
        _ => "known",
    };
    let end = inside.iter().position(|octet| *octet == b' ').unwrap_or(inside.len());
    let (name, value) = inside.split_at(end);
    json!({ "kind": kind, "name": text(name), "value": text(value.strip_prefix(b" ").unwrap_or(value)) })
}

fn listed(shown: &ListResponse) -> Value {
    json!({
        "attributes": list(&shown.attributes, |attribute| text(attribute.as_bytes())),
        "separator": shown.separator.map(|octet| char::from(octet).to_string()),
        "mailbox": mailbox(&shown.mailbox),
        "extended": list(&shown.extended, |data| match data {
            ListData::ChildInfo(options) => json!({ "CHILDINFO": raw(options) }),
            ListData::OldName(name) => json!({ "OLDNAME": mailbox(name) }),
            ListData::Unknown { tag, value } => json!({ "tag": text(tag), "value": text(value) }),
            ListData::Invalid { tag, value } => json!({ "tag": text(tag), "invalid": text(value) }),
            data => json!({ "debug": format!("{data:?}") }),
        }),
    })
}

fn namespace(namespace: &Namespace) -> Value {
    json!({
        "prefix": mailbox(&namespace.prefix),
        "separator": namespace.separator.map(|octet| char::from(octet).to_string()),
        "extensions": list(&namespace.extensions, |(name, values)| json!({ "name": text(name), "values": raw(values) })),
    })
}

fn status_value(value: &StatusValue) -> (String, Value) {
    match value {
        StatusValue::Number(item, value) => (item.as_str().to_owned(), json!(value)),
        StatusValue::MailboxId(id) => ("MAILBOXID".to_owned(), json!(id.as_str())),
        StatusValue::NoAppendLimit => ("APPENDLIMIT".to_owned(), Value::Null),
        StatusValue::Unknown { name, value } => {
            (name.escape_ascii().to_string(), json!({ "unknown": text(value) }))
        }
        StatusValue::Invalid { name, value } => {
            (name.escape_ascii().to_string(), json!({ "invalid": text(value) }))
        }
        value => ("OTHER".to_owned(), json!(format!("{value:?}"))),
    }
}

fn found(numbers: &[u32], mod_seq: Option<ModSeq>) -> Value {
    json!({ "numbers": numbers, "mod_seq": mod_seq.map(ModSeq::get) })
}

fn search_data(data: &SearchData) -> Value {
    let changes = |changes: &[(u32, mailwright_imap::types::NumberSet)]| {
        list(changes, |(place, numbers)| json!({ "place": place, "numbers": set(numbers) }))
    };
    match data {
        SearchData::Min(number) => json!({ "MIN": number }),
        SearchData::Max(number) => json!({ "MAX": number }),
        SearchData::All(numbers) => json!({ "ALL": set(numbers) }),
        SearchData::Count(count) => json!({ "COUNT": count }),
        SearchData::ModSeq(mod_seq) => json!({ "MODSEQ": mod_seq.get() }),
        SearchData::Partial(range, found) => {
            json!({ "PARTIAL": { "range": range.to_string(), "numbers": found.as_ref().map(set) } })
        }
        SearchData::Relevancy(scores) => json!({ "RELEVANCY": scores }),
        SearchData::AddTo(added) => json!({ "ADDTO": changes(added) }),
        SearchData::RemoveFrom(removed) => json!({ "REMOVEFROM": changes(removed) }),
        SearchData::Unknown { name, value } => json!({ "name": text(name), "unknown": text(value) }),
        SearchData::Invalid { name, value } => json!({ "name": text(name), "invalid": text(value) }),
        data => json!({ "debug": format!("{data:?}") }),
    }
}

fn fetch_item(item: &FetchItem) -> Value {
    match item {
        FetchItem::Body(structure) => json!({ "BODY": self::structure(structure) }),
        FetchItem::BodyStructure(structure) => json!({ "BODYSTRUCTURE": self::structure(structure) }),
        FetchItem::Envelope(envelope) => json!({ "ENVELOPE": self::envelope(envelope) }),
        FetchItem::Flags { flags: shown, recent, other } => {
            json!({ "FLAGS": flags(shown), "recent": recent, "other": other_flags(other) })
        }
        FetchItem::InternalDate(date) => json!({ "INTERNALDATE": date.to_string() }),
        FetchItem::SaveDate(date) => json!({ "SAVEDATE": date.map(|date| date.to_string()) }),
        FetchItem::Rfc822Size(size) => json!({ "RFC822.SIZE": size }),
        FetchItem::Uid(uid) => json!({ "UID": uid.get() }),
        FetchItem::ModSeq(mod_seq) => json!({ "MODSEQ": mod_seq.get() }),
        FetchItem::EmailId(id) => json!({ "EMAILID": id.as_str() }),
        FetchItem::ThreadId(id) => json!({ "THREADID": id.as_ref().map(|id| id.as_str()) }),
        FetchItem::Preview(shown) => json!({ "PREVIEW": octets(shown.as_ref()) }),
        FetchItem::GmailLabels(labels) => json!({ "X-GM-LABELS": raw(labels) }),
        FetchItem::GmailMessageId(id) => json!({ "X-GM-MSGID": id }),
        FetchItem::GmailThreadId(id) => json!({ "X-GM-THRID": id }),
        FetchItem::Rfc822(shown) => json!({ "RFC822": octets(shown.as_ref()) }),
        FetchItem::Rfc822Header(shown) => json!({ "RFC822.HEADER": octets(shown.as_ref()) }),
        FetchItem::Rfc822Text(shown) => json!({ "RFC822.TEXT": octets(shown.as_ref()) }),
        FetchItem::Unknown { name, value } => json!({ "name": text(name), "unknown": text(value) }),
        FetchItem::Invalid { name, value } => json!({ "name": text(name), "invalid": text(value) }),
        FetchItem::BodySection { octets: shown, .. } | FetchItem::Binary { octets: shown, .. } => {
            json!({ "name": section_name(item), "octets": octets(shown.as_ref()) })
        }
        FetchItem::BinarySize { size, .. } => json!({ "name": section_name(item), "size": size }),
        item => json!({ "debug": format!("{item:?}") }),
    }
}

/// The name of an item with its section and origin, as it is written.
fn section_name(item: &FetchItem) -> Value {
    let mut item = item.clone();
    match &mut item {
        FetchItem::BodySection { octets, .. } | FetchItem::Binary { octets, .. } => *octets = None,
        FetchItem::BinarySize { size, .. } => *size = None,
        _ => {}
    }
    let mut wire = BytesMut::new();
    Response::Fetch { number: 1, items: vec![item] }.encode(&mut wire, true);
    let inside =
        wire.strip_prefix(b"* 1 FETCH (").and_then(|rest| rest.strip_suffix(b")\r\n")).unwrap_or_default();
    let end = inside.iter().rposition(|octet| *octet == b' ').unwrap_or(inside.len());
    text(inside.get(..end).unwrap_or_default())
}

fn envelope(envelope: &Envelope) -> Value {
    json!({
        "date": octets(envelope.date.as_ref()),
        "subject": octets(envelope.subject.as_ref()),
        "from": list(&envelope.from, address),
        "sender": list(&envelope.sender, address),
        "reply_to": list(&envelope.reply_to, address),
        "to": list(&envelope.to, address),
        "cc": list(&envelope.cc, address),
        "bcc": list(&envelope.bcc, address),
        "in_reply_to": octets(envelope.in_reply_to.as_ref()),
        "message_id": octets(envelope.message_id.as_ref()),
    })
}

fn address(address: &Address) -> Value {
    json!({
        "name": octets(address.name.as_ref()),
        "route": octets(address.route.as_ref()),
        "mailbox": octets(address.mailbox.as_ref()),
        "host": octets(address.host.as_ref()),
    })
}

/// The parts, each before those in it.
fn structure(structure: &BodyStructure) -> Value {
    list(&structure.parts, part)
}

fn part(part: &Part) -> Value {
    json!({
        "children": part.children,
        "multipart": part.multipart,
        "media_type": text(&part.media_type),
        "subtype": text(&part.subtype),
        "parameters": parameters(&part.parameters),
        "id": octets(part.id.as_ref()),
        "description": octets(part.description.as_ref()),
        "encoding": text(&part.encoding),
        "octets": part.octets,
        "lines": part.lines,
        "envelope": part.envelope.as_deref().map(envelope),
        "extension": part.extension.as_deref().map(extension),
    })
}

fn extension(extension: &Extension) -> Value {
    json!({
        "md5": octets(extension.md5.as_ref()),
        "disposition": extension.disposition.as_ref().map(|(disposition, values)| {
            json!({ "disposition": text(disposition), "parameters": parameters(values) })
        }),
        "language": raw(&extension.language),
        "location": octets(extension.location.as_ref()),
    })
}

fn parameters(values: &[(Bytes, Bytes)]) -> Value {
    list(values, |(name, value)| json!({ "name": text(name), "value": text(value) }))
}
