//! Writing envelopes and body structures. RFC 9051 §7.5.2, §9 (`envelope`, `body`).

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes};

use super::{Literals, put_nstring, put_number, put_string};
use crate::types::{Address, BodyStructure, Envelope, Part};

/// RFC 9051 §7.5.2: ENVELOPE.
pub(super) fn put_envelope(envelope: &Envelope, literals: &mut Literals<'_>) {
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
pub(super) fn put_structure(structure: &BodyStructure, extended: bool, literals: &mut Literals<'_>) {
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
            languages => literals.put_list(languages, |language, literals| put_string(language, literals)),
        }
        literals.wire().put_u8(b' ');
        put_nstring(extension.location.as_deref(), literals);
    }
    literals.wire().put_u8(b')');
}

fn put_parameters(parameters: &[(Bytes, Bytes)], literals: &mut Literals<'_>) {
    if parameters.is_empty() {
        return literals.wire().put_slice(b"NIL");
    }
    literals.put_list(parameters, |(name, value), literals| {
        put_string(name, literals);
        literals.wire().put_u8(b' ');
        put_string(value, literals);
    });
}
