//! The JSON of values that several kinds share, and of a line.

use core::fmt::Write as _;

use mailwright_core::value::{Domain, Mailbox};
use serde_json::{Value, json};

/// An object on one line without any control character.
pub(crate) fn line(value: &Value) -> String {
    // JSON escapes only the controls below U+0020; the others can stand in strings alone, where this is
    // the same text.
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_control() {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

/// Octets as text if they are, else with escapes.
pub(crate) fn text(octets: &[u8]) -> Value {
    match core::str::from_utf8(octets) {
        Ok(text) => json!(text),
        Err(_) => json!({ "bytes": octets.escape_ascii().to_string() }),
    }
}

/// An address in its parts. The local part is without its quotes.
pub(crate) fn mailbox(mailbox: &Mailbox) -> Value {
    json!({ "local_part": mailbox.local_part().as_str(), "domain": domain(mailbox.domain()) })
}

/// A domain name or an address literal.
pub(crate) fn domain(domain: &Domain) -> Value {
    match domain {
        Domain::Name(name) => json!({ "name": name.as_str() }),
        Domain::V4(address) => json!({ "ipv4": address.to_string() }),
        Domain::V6(address) => json!({ "ipv6": address.to_string() }),
        Domain::General(literal) => json!({ "tag": literal.tag(), "content": literal.content() }),
    }
}

/// What stands for a password: how many octets it has.
pub(crate) fn hidden(octets: &[u8]) -> Value {
    json!({ "octets": octets.len() })
}
