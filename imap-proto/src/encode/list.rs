//! Writing LIST, LSUB and STATUS. RFC 9051 §6.3.9, §7.3.1, RFC 5258 §6, RFC 5819 §4.

use bytes::{BufMut as _, BytesMut};

use super::command::{EncodeError, put_argument, put_entries, some};
use super::{Literals, put_astring, put_string};
use crate::types::{
    ListCommand, ListData, ListResponse, ListReturn, ListSelection, OctetString, StatusItem, StatusValue,
};

/// The arguments of LIST, and of what is like its basic form.
pub(super) fn put_command(
    list: &ListCommand,
    extended: bool,
    literals: &mut Literals<'_>,
) -> Result<(), EncodeError> {
    if !extended && list.is_extended() {
        return Err(EncodeError::Contradiction("options of LIST in another command"));
    }
    some(&list.patterns)?;
    if let Some(selection) = &list.selection {
        // RFC 5258 §6: list-select-mod-opt never stands without a list-select-base-opt.
        if selection.contains(&ListSelection::RecursiveMatch)
            && !selection.contains(&ListSelection::Subscribed)
        {
            return Err(EncodeError::Contradiction("RECURSIVEMATCH without anything that it modifies"));
        }
        literals.put(" ");
        literals.put_list(selection, |option, literals| literals.put(option.as_str()));
    }
    put_argument(&list.reference, literals);
    // Wildcards need no quotes, but they do no harm.
    match list.patterns.as_slice() {
        [pattern] => put_argument(pattern, literals),
        patterns => {
            literals.put(" ");
            literals.put_list(patterns, |pattern: &OctetString, literals| {
                put_astring(pattern.as_bytes(), literals)
            });
        }
    }
    let Some(returns) = &list.returns else { return Ok(()) };
    literals.put(" RETURN (");
    for (index, option) in returns.iter().enumerate() {
        literals.put(if index > 0 { " " } else { "" });
        put_return(option, literals)?;
    }
    literals.put(")");
    Ok(())
}

fn put_return(option: &ListReturn, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    match option {
        ListReturn::Subscribed => literals.put("SUBSCRIBED"),
        ListReturn::Children => literals.put("CHILDREN"),
        ListReturn::SpecialUse => literals.put("SPECIAL-USE"),
        ListReturn::MyRights => literals.put("MYRIGHTS"),
        ListReturn::Status(items) => {
            literals.put("STATUS ");
            put_status_items(items, literals)?;
        }
        ListReturn::Metadata(entries) => {
            literals.put("METADATA ");
            put_entries(entries, literals)?;
        }
    }
    Ok(())
}

/// What STATUS asks for.
pub(super) fn put_status_items(items: &[StatusItem], literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    some(items)?;
    literals.put_list(items, |item, literals| literals.put(item.as_str()));
    Ok(())
}

/// What STATUS tells.
pub(super) fn put_status_value(value: &StatusValue, literals: &mut Literals<'_>) {
    match value {
        StatusValue::Number(item, value) => {
            literals.put(item.as_str());
            literals.put(" ");
            literals.put_number(*value);
        }
        StatusValue::MailboxId(id) => literals.put(&alloc::format!("MAILBOXID ({id})")),
        StatusValue::NoAppendLimit => literals.put("APPENDLIMIT NIL"),
        StatusValue::Unknown { name, value } | StatusValue::Invalid { name, value } => {
            literals.wire().put_slice(name);
            literals.put(" ");
            literals.wire().put_slice(value);
        }
    }
}

pub(super) fn put_separator(separator: Option<u8>, wire: &mut BytesMut) {
    match separator {
        Some(octet @ (b'"' | b'\\')) => wire.put_slice(&[b'"', b'\\', octet, b'"']),
        Some(octet) => wire.put_slice(&[b'"', octet, b'"']),
        None => wire.put_slice(b"NIL"),
    }
}

pub(super) fn put_response(start: &str, list: &ListResponse, literals: &mut Literals<'_>) {
    literals.put(start);
    literals.put_list(&list.attributes, |attribute, literals| {
        literals.wire().put_slice(attribute.as_bytes());
    });
    literals.wire().put_u8(b' ');
    put_separator(list.separator, literals.wire());
    literals.put_mailbox(&list.mailbox);
    if !list.extended.is_empty() {
        literals.put(" ");
        literals.put_list(&list.extended, put_data);
    }
}

/// RFC 5258 §6: `mbox-list-extended-item`.
fn put_data(data: &ListData, literals: &mut Literals<'_>) {
    match data {
        ListData::ChildInfo(options) => {
            literals.put("CHILDINFO ");
            literals.put_list(options, |option, literals| put_string(option, literals));
        }
        ListData::OldName(mailbox) => {
            literals.put("OLDNAME (");
            literals.put_name(mailbox);
            literals.put(")");
        }
        ListData::Unknown { tag, value } | ListData::Invalid { tag, value } => {
            put_astring(tag, literals);
            literals.put(" ");
            literals.wire().put_slice(value);
        }
    }
}
