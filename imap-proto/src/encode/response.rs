//! Writing responses. RFC 9051 §7, RFC 3501 §7.
//!
//! What a server tells of itself is ASCII; strings that came from messages go as quoted strings where those
//! can hold them, else as literals. NUL never leaves in anything but a binary literal: in its place goes
//! 0x80, which no reader takes for an end.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::ModSeq;

use super::code::{put_code, put_ranges};
use super::command::{put_argument, put_flags, put_id, put_metadata_value};
use super::list::{put_response, put_separator, put_status_value};
use super::message::put_fetch_item;
use super::{Literals, put_astring, put_number, put_quoted, put_string};
use crate::types::{
    Capability, ExtendedSearch, MetadataData, Namespace, Namespaces, NumberSet, Response, SearchData,
    StatusKind, StatusResponse, ThreadNode, Threads,
};

impl Response {
    /// Writes the response with its line end. `utf8`: mailbox names and quoted strings in
    /// UTF-8, where that was agreed on.
    pub fn encode(&self, into: &mut BytesMut, utf8: bool) {
        let mut literals = Literals::response(into, utf8);
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
            Self::Capability(names) => put_names("* CAPABILITY", names, literals),
            Self::Enabled(names) => put_names("* ENABLED", names, literals),
            Self::List(list) => put_response("* LIST ", list, literals),
            Self::Lsub(list) => put_response("* LSUB ", list, literals),
            Self::Xlist(list) => put_response("* XLIST ", list, literals),
            Self::Namespace(namespaces) => put_namespaces(namespaces, literals),
            Self::MailboxStatus { mailbox, values } => {
                literals.put("* STATUS");
                literals.put_mailbox(mailbox);
                literals.put(" ");
                literals.put_list(values, put_status_value);
            }
            Self::Search { numbers, mod_seq } => put_numbers("* SEARCH", numbers, *mod_seq, literals),
            Self::Sort { numbers, mod_seq } => put_numbers("* SORT", numbers, *mod_seq, literals),
            Self::Thread(threads) => put_threads(threads, literals),
            Self::ExtendedSearch(search) => put_extended_search(search, literals),
            Self::Flags { flags, other } => {
                literals.put("* FLAGS ");
                put_flags(flags, None, other, literals);
            }
            Self::Exists(count) => put_count(*count, b" EXISTS", literals.wire()),
            Self::Recent(count) => put_count(*count, b" RECENT", literals.wire()),
            Self::Expunge(number) => put_count(*number, b" EXPUNGE", literals.wire()),
            Self::Fetch { number, items } => {
                put_count(*number, b" FETCH ", literals.wire());
                literals.put_list(items, put_fetch_item);
            }
            Self::UidFetch { uid, items } => {
                put_count(uid.get(), b" UIDFETCH ", literals.wire());
                literals.put_list(items, put_fetch_item);
            }
            Self::Vanished { earlier, uids } => {
                literals.put(if *earlier { "* VANISHED (EARLIER) " } else { "* VANISHED " });
                put_ranges(uids, literals.wire());
            }
            Self::Metadata(metadata) => {
                literals.put("* METADATA");
                literals.put_mailbox(&metadata.mailbox);
                literals.put(" ");
                put_metadata(&metadata.data, &metadata.invalid, literals);
            }
            Self::Quota(quota) => {
                literals.put("* QUOTA");
                put_argument(&quota.root, literals);
                literals.put(" (");
                literals.put_each(&quota.resources, |usage, literals| {
                    let (name, used, limit) = (usage.resource.as_str(), usage.usage, usage.limit);
                    literals.put(&alloc::format!("{name} {used} {limit}"));
                });
                put_raw(&quota.invalid, quota.resources.is_empty(), literals);
                literals.put(")");
            }
            Self::QuotaRoot { mailbox, roots } => {
                literals.put("* QUOTAROOT");
                literals.put_mailbox(mailbox);
                for root in roots {
                    put_argument(root, literals);
                }
            }
            Self::Acl(acl) => {
                literals.put("* ACL");
                literals.put_mailbox(&acl.mailbox);
                for (identifier, rights) in &acl.entries {
                    put_argument(identifier, literals);
                    literals.put(" ");
                    put_astring(rights.as_str().as_bytes(), literals);
                }
                put_raw(&acl.invalid, false, literals);
            }
            Self::ListRights(list) => {
                literals.put("* LISTRIGHTS");
                literals.put_mailbox(&list.mailbox);
                put_argument(&list.identifier, literals);
                for rights in core::iter::once(&list.required).chain(&list.optional) {
                    literals.put(" ");
                    put_astring(rights.as_str().as_bytes(), literals);
                }
            }
            Self::MyRights { mailbox, rights } => {
                literals.put("* MYRIGHTS");
                literals.put_mailbox(mailbox);
                literals.put(" ");
                put_astring(rights.as_str().as_bytes(), literals);
            }
            Self::Id(pairs) => {
                literals.put("* ID");
                put_id(pairs, literals);
            }
            Self::Unknown(line) => literals.wire().put_slice(line),
        }
        literals.wire().put_slice(b"\r\n");
    }
}

/// Names, each behind a space.
fn put_names(start: &str, names: &[Capability], literals: &mut Literals<'_>) {
    literals.put(start);
    for name in names {
        literals.put(" ");
        literals.put(name.as_str());
    }
}

/// Numbers, each behind a space, and their modification sequence (RFC 7162 §7: `search-sort-mod-seq`).
fn put_numbers(start: &str, numbers: &[u32], mod_seq: Option<ModSeq>, literals: &mut Literals<'_>) {
    literals.put(start);
    for number in numbers {
        literals.put(" ");
        literals.put_number(*number);
    }
    if let Some(mod_seq) = mod_seq {
        literals.put(&alloc::format!(" (MODSEQ {mod_seq})"));
    }
}

/// What could not be read goes out as it came in.
fn put_raw(raw: &[Bytes], first: bool, literals: &mut Literals<'_>) {
    for (index, raw) in raw.iter().enumerate() {
        literals.put(if index == 0 && first { "" } else { " " });
        literals.wire().put_slice(raw);
    }
}

/// RFC 5464 §5: entries with values in parentheses, without them in a row.
fn put_metadata(data: &MetadataData, invalid: &[Bytes], literals: &mut Literals<'_>) {
    match data {
        MetadataData::Values(values) => {
            literals.put("(");
            literals.put_each(values, put_metadata_value);
            put_raw(invalid, values.is_empty(), literals);
            literals.put(")");
        }
        MetadataData::Changed(entries) => {
            literals.put_each(entries, |entry, literals| put_astring(entry.as_str().as_bytes(), literals));
            put_raw(invalid, entries.is_empty(), literals);
        }
    }
}

/// RFC 9051 §7.3.5, RFC 7377 §4: what it is about, then what is told.
fn put_extended_search(search: &ExtendedSearch, literals: &mut Literals<'_>) {
    literals.put("* ESEARCH");
    let mut before = " (";
    if let Some(tag) = &search.tag {
        literals.put(before);
        literals.put("TAG ");
        put_quoted(tag.as_str(), literals.wire());
        before = " ";
    }
    if let Some(mailbox) = &search.mailbox {
        literals.put(before);
        literals.put("MAILBOX");
        literals.put_mailbox(mailbox);
        before = " ";
    }
    if let Some(validity) = search.uid_validity {
        literals.put(before);
        literals.put(&alloc::format!("UIDVALIDITY {validity}"));
        before = " ";
    }
    literals.put(if before == " " { ")" } else { "" });
    literals.put(if search.uid { " UID" } else { "" });
    for data in &search.data {
        literals.put(" ");
        put_search_data(data, literals);
    }
}

fn put_search_data(data: &SearchData, literals: &mut Literals<'_>) {
    match data {
        SearchData::Min(number) => literals.put(&alloc::format!("MIN {number}")),
        SearchData::Max(number) => literals.put(&alloc::format!("MAX {number}")),
        SearchData::Count(count) => literals.put(&alloc::format!("COUNT {count}")),
        SearchData::ModSeq(mod_seq) => literals.put(&alloc::format!("MODSEQ {mod_seq}")),
        SearchData::All(set) => {
            literals.put("ALL ");
            set.encode(literals.wire());
        }
        SearchData::Partial(range, found) => {
            literals.put(&alloc::format!("PARTIAL ({range} "));
            match found {
                Some(set) => set.encode(literals.wire()),
                None => literals.put("NIL"),
            }
            literals.put(")");
        }
        SearchData::Relevancy(scores) => {
            literals.put("RELEVANCY ");
            literals.put_list(scores, |score, literals| literals.put_number(*score));
        }
        SearchData::AddTo(changes) => put_changes("ADDTO ", changes, literals),
        SearchData::RemoveFrom(changes) => put_changes("REMOVEFROM ", changes, literals),
        SearchData::Unknown { name, value } | SearchData::Invalid { name, value } => {
            literals.wire().put_slice(name);
            literals.put(" ");
            literals.wire().put_slice(value);
        }
    }
}

/// Places and what came or went there.
fn put_changes(name: &str, changes: &[(u32, NumberSet)], literals: &mut Literals<'_>) {
    literals.put(name);
    literals.put_list(changes, |(place, set), literals| {
        literals.put_number(*place);
        literals.put(" ");
        set.encode(literals.wire());
    });
}

/// RFC 5256 §5: `thread-data`. A message is followed by its answer, or by several in parentheses.
fn put_threads(threads: &Threads, literals: &mut Literals<'_>) {
    literals.put("* THREAD");
    // Answers that are to come of the messages whose answers stand in parentheses.
    let mut open: Vec<u32> = Vec::new();
    // Whether the message begins a thread or one of several answers, and whether it is the first.
    let (mut begins, mut first) = (true, true);
    for ThreadNode { number, answers } in threads.nodes() {
        if begins {
            literals.put(if first { " (" } else { "(" });
            first = false;
        }
        if let Some(number) = number {
            literals.put_number(number.get());
        }
        match answers {
            0 => {
                literals.put(")");
                // What ends with this answer.
                while let Some(left) = open.last_mut() {
                    *left -= 1;
                    if *left > 0 {
                        break;
                    }
                    open.pop();
                    literals.put(")");
                }
                begins = true;
            }
            1 => {
                literals.put(" ");
                begins = false;
            }
            _ => {
                literals.put(if number.is_some() { " " } else { "" });
                open.push(*answers);
                begins = true;
            }
        }
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

fn put_namespaces(namespaces: &Namespaces, literals: &mut Literals<'_>) {
    literals.put("* NAMESPACE");
    for kind in [&namespaces.personal, &namespaces.other_users, &namespaces.shared] {
        if kind.is_empty() {
            literals.put(" NIL");
            continue;
        }
        literals.put(" (");
        for namespace in kind {
            put_namespace(namespace, literals);
        }
        literals.put(")");
    }
}

/// RFC 2342 §5.
fn put_namespace(namespace: &Namespace, literals: &mut Literals<'_>) {
    literals.put("(");
    put_string(&namespace.prefix.wire(literals.utf8), literals);
    literals.put(" ");
    put_separator(namespace.separator, literals.wire());
    for (name, values) in &namespace.extensions {
        literals.put(" ");
        put_string(name, literals);
        literals.put(" ");
        literals.put_list(values, |value, literals| put_string(value, literals));
    }
    literals.put(")");
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec;

    use mailwright_core::value::{Flag, Uid, UidRange, UidValidity};

    use super::*;
    use crate::types::{
        BodyStructure, Code, FetchItem, ListAttribute, ListResponse, Mailbox, Part, StatusItem, Tag,
    };

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
                    StatusResponse::new(StatusKind::Ok, "x").with_code(Code::PermanentFlags {
                        flags: vec![Flag::Seen],
                        new_keywords: true,
                        other: vec![],
                    }),
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
            (Response::Search { numbers: vec![2, 84, 882], mod_seq: None }, "* SEARCH 2 84 882"),
            (Response::Search { numbers: vec![], mod_seq: None }, "* SEARCH"),
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
                    values: vec![(StatusItem::Messages, 231).into(), (StatusItem::UidNext, 44292).into()],
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
                        FetchItem::Flags { flags: vec![], recent: true, other: vec![] },
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
