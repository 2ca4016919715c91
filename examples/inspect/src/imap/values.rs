//! The JSON of what commands and responses share. What has a short form on the wire is shown in it.

use bytes::Bytes;
use mailwright_core::value::{Flag, UidRange};
use mailwright_imap::LiteralPolicy;
use mailwright_imap::types::{
    Command, FetchAttribute, FetchCommand, Mailbox, Messages, MetadataValue, NumberSet, OctetString,
    OtherFlag, Search, SearchCommand, SearchKey, Tag,
};
use serde_json::{Value, json};

use crate::json::text;

pub(super) fn string(string: &OctetString) -> Value {
    text(string.as_bytes())
}

pub(super) fn octets(octets: Option<&Bytes>) -> Value {
    octets.map_or(Value::Null, |octets| text(octets))
}

pub(super) fn list<'a, T: 'a>(values: impl IntoIterator<Item = &'a T>, show: impl Fn(&T) -> Value) -> Value {
    values.into_iter().map(show).collect()
}

/// A valid name as text, any other as it came.
pub(super) fn mailbox(mailbox: &Mailbox) -> Value {
    match mailbox {
        Mailbox::Name(name) => json!(name.as_str()),
        Mailbox::Other(octets) => json!({ "invalid": text(octets) }),
    }
}

pub(super) fn flags(flags: &[Flag]) -> Value {
    list(flags, |flag| json!(flag.as_str()))
}

pub(super) fn other_flags(flags: &[OtherFlag]) -> Value {
    list(flags, |flag| text(flag.as_bytes()))
}

pub(super) fn set(set: &NumberSet) -> Value {
    json!(set.to_string())
}

pub(super) fn ranges(ranges: &[UidRange]) -> Value {
    let texts: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    json!(texts.join(","))
}

pub(super) fn metadata(values: &[MetadataValue]) -> Value {
    list(values, |(entry, value)| json!({ "entry": entry.as_str(), "value": octets(value.as_ref()) }))
}

/// What a command looks like behind its name, if it can be written.
fn written(command: &Command, before: usize) -> Value {
    let tag = Tag::new("x").ok();
    let pieces = tag.and_then(|tag| command.encode(&tag, LiteralPolicy::All, true).ok());
    let wire = pieces.map(|pieces| pieces.concat()).unwrap_or_default();
    text(wire.get(before..).and_then(|rest| rest.strip_suffix(b"\r\n")).unwrap_or_default())
}

/// Attributes of FETCH.
pub(super) fn attributes(attributes: &[FetchAttribute]) -> Value {
    list(attributes, |attribute| {
        let messages = Messages::Numbers(NumberSet::saved());
        let shown = written(&Command::Fetch(FetchCommand::new(messages, vec![attribute.clone()])), 10);
        match shown.as_str().and_then(|shown| shown.strip_prefix('(')?.strip_suffix(')')) {
            Some(shown) => json!(shown),
            None => shown,
        }
    })
}

/// A search as a tree: operators have their operands in them.
pub(super) fn search(search: &Search) -> Value {
    // From behind, operands come before their operator.
    let mut values: Vec<Value> = Vec::new();
    for key in search.keys().iter().rev() {
        let operands = values.split_off(values.len().saturating_sub(key.operands()));
        let operands: Vec<Value> = operands.into_iter().rev().collect();
        values.push(match key {
            SearchKey::And(_) => json!({ "and": operands }),
            SearchKey::Or => json!({ "or": operands }),
            SearchKey::Not => json!({ "not": operands }),
            SearchKey::Fuzzy => json!({ "fuzzy": operands }),
            key => match Search::new([key.clone()]) {
                Ok(search) => written(&Command::Search(SearchCommand::new(false, search)), 9),
                Err(_) => Value::Null,
            },
        });
    }
    values.pop().unwrap_or(Value::Null)
}
