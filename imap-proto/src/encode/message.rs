//! Writing the items of FETCH. RFC 9051 §7.5.2, §9 (`msg-att`), RFC 3516 §7, RFC 7162 §7, RFC 8474 §7, RFC 8514 §5,
//! RFC 8970 §6.

use bytes::BufMut as _;

use super::command::{is_backslash_word, put_flags};
use super::structure::{put_envelope, put_structure};
use super::{Literals, put_astring, put_nstring, put_number, put_octets, put_quoted, put_string};
use crate::types::{FetchItem, Piece, ReadyItem, put_part};

/// Name and value of an item.
pub(crate) fn put_fetch_item(item: &FetchItem, literals: &mut Literals<'_>) {
    match item {
        FetchItem::Body(structure) => {
            literals.wire().put_slice(b"BODY ");
            put_structure(structure, false, literals);
        }
        FetchItem::BodySection { section, origin, octets } => {
            literals.put("BODY");
            section.encode(literals);
            put_origin(*origin, literals);
            put_nstring(octets.as_deref(), literals);
        }
        FetchItem::Binary { part, origin, octets } => {
            literals.put("BINARY");
            put_part(part, literals.wire());
            put_origin(*origin, literals);
            match octets {
                Some(octets) => put_octets(octets, literals),
                None => literals.put("NIL"),
            }
        }
        FetchItem::BinarySize { part, size } => {
            literals.put("BINARY.SIZE");
            put_part(part, literals.wire());
            literals.put(" ");
            literals.put_number(size.unwrap_or(0));
        }
        FetchItem::BodyStructure(structure) => {
            literals.wire().put_slice(b"BODYSTRUCTURE ");
            put_structure(structure, true, literals);
        }
        FetchItem::EmailId(id) => literals.put(&alloc::format!("EMAILID ({id})")),
        FetchItem::Envelope(envelope) => {
            literals.wire().put_slice(b"ENVELOPE ");
            put_envelope(envelope, literals);
        }
        FetchItem::Flags { flags, recent, other } => {
            literals.put("FLAGS ");
            put_flags(flags, recent.then_some("\\Recent"), other, literals);
        }
        FetchItem::InternalDate(date) => {
            literals.wire().put_slice(b"INTERNALDATE ");
            put_quoted(&alloc::format!("{date}"), literals.wire());
        }
        FetchItem::ModSeq(mod_seq) => literals.put(&alloc::format!("MODSEQ ({mod_seq})")),
        FetchItem::Preview(text) => put_named(b"PREVIEW ", text.as_deref(), literals),
        FetchItem::Rfc822(octets) => put_named(b"RFC822 ", octets.as_deref(), literals),
        FetchItem::Rfc822Header(octets) => put_named(b"RFC822.HEADER ", octets.as_deref(), literals),
        FetchItem::Rfc822Size(size) => {
            literals.wire().put_slice(b"RFC822.SIZE ");
            put_number(size.unwrap_or(0), literals.wire());
        }
        FetchItem::Rfc822Text(octets) => put_named(b"RFC822.TEXT ", octets.as_deref(), literals),
        FetchItem::SaveDate(Some(date)) => literals.put(&alloc::format!("SAVEDATE \"{date}\"")),
        FetchItem::SaveDate(None) => literals.put("SAVEDATE NIL"),
        FetchItem::ThreadId(Some(id)) => literals.put(&alloc::format!("THREADID ({id})")),
        FetchItem::ThreadId(None) => literals.put("THREADID NIL"),
        FetchItem::Uid(uid) => {
            literals.put("UID ");
            literals.put_number(uid.get());
        }
        FetchItem::GmailLabels(labels) => {
            literals.put("X-GM-LABELS ");
            literals.put_list(labels, |label, literals| put_label(label, literals));
        }
        FetchItem::GmailMessageId(id) => literals.put(&alloc::format!("X-GM-MSGID {id}")),
        FetchItem::GmailThreadId(id) => literals.put(&alloc::format!("X-GM-THRID {id}")),
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
        FetchItem::Unknown { name, value } | FetchItem::Invalid { name, value } => {
            literals.wire().put_slice(name);
            literals.wire().put_u8(b' ');
            literals.wire().put_slice(value);
        }
    }
}

/// The first octet, if not all were asked for, and a space.
fn put_origin(origin: Option<u64>, literals: &mut Literals<'_>) {
    if let Some(origin) = origin {
        literals.put(&alloc::format!("<{origin}>"));
    }
    literals.put(" ");
}

/// A label of Gmail: with a backslash a word, else a string.
pub(super) fn put_label(label: &[u8], literals: &mut Literals<'_>) {
    if is_backslash_word(label) {
        literals.wire().put_slice(label);
    } else {
        put_astring(label, literals);
    }
}

fn put_named(name: &[u8], octets: Option<&[u8]>, literals: &mut Literals<'_>) {
    literals.wire().put_slice(name);
    put_nstring(octets, literals);
}
