//! Writing APPEND and REPLACE round their messages, which are streamed. RFC 9051 §9 (`append`), RFC 3502 §7,
//! RFC 4469 §5, RFC 6855 §4, RFC 8508 §5.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use mailwright_core::value::Flag;

use super::command::put_flags;
use super::{LiteralPolicy, Literals, put_quoted, split_at_pauses};
use crate::types::{
    AppendCommand, AppendMessage, CatenatePart, DateTime, MessageForm, NumberEnd, ReplaceCommand,
};

/// The announcement of a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announcing {
    /// Its octets, with the line end.
    pub octets: Bytes,
    /// Whether the content must wait for the server's consent.
    pub waits: bool,
}

impl MessageForm {
    /// The announcement of a literal of `length` octets of the message.
    #[must_use]
    pub fn announce(self, length: u64, policy: LiteralPolicy) -> Announcing {
        let mut wire = BytesMut::new();
        let mut literals = Literals::command(&mut wire, policy, false);
        literals.announce(length, matches!(self, Self::Binary | Self::Utf8));
        let waits = !literals.pauses().is_empty();
        Announcing { octets: wire.freeze(), waits }
    }

    /// What stands behind the last octet of the message.
    #[must_use]
    pub const fn end(self) -> &'static [u8] {
        match self {
            Self::Literal | Self::Binary => b"",
            Self::Utf8 | Self::Catenate => b")",
        }
    }
}

impl AppendMessage {
    /// Writes what stands between the message before and the announcement of this one; of one that is put
    /// together, up to its first part. Behind the last message comes the line end.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut wire = BytesMut::new();
        let mut literals = Literals::command(&mut wire, LiteralPolicy::All, false);
        put_message(&self.flags, self.date, self.form, &mut literals);
        wire.freeze()
    }
}

impl CatenatePart {
    /// Writes the part: a text up to its announcement, a URL with literals as Command::encode has them. `first`:
    /// whether it is the first of its message.
    #[must_use]
    pub fn encode(&self, first: bool, policy: LiteralPolicy) -> Vec<Bytes> {
        let mut wire = BytesMut::new();
        let mut literals = Literals::command(&mut wire, policy, false);
        literals.put(if first { "" } else { " " });
        match self {
            Self::Text => literals.put("TEXT "),
            Self::Url(url) => {
                literals.put("URL ");
                super::put_string(url.as_bytes(), &mut literals);
            }
        }
        let pauses = literals.pauses();
        split_at_pauses(wire, &pauses)
    }
}

pub(super) fn put_append(append: &AppendCommand, literals: &mut Literals<'_>) {
    literals.put_mailbox(&append.mailbox);
    put_message(&append.flags, append.date, append.form, literals);
}

pub(super) fn put_replace(replace: &ReplaceCommand, literals: &mut Literals<'_>) {
    match replace.message {
        NumberEnd::Number(number) => literals.put(&alloc::format!(" {number}")),
        NumberEnd::Largest => literals.put(" *"),
    }
    put_append(&replace.append, literals);
}

/// A space, and flags, date and form.
fn put_message(flags: &[Flag], date: Option<DateTime>, form: MessageForm, literals: &mut Literals<'_>) {
    literals.put(" ");
    if !flags.is_empty() {
        put_flags(flags, None, &[], literals);
        literals.put(" ");
    }
    if let Some(date) = date {
        put_quoted(&alloc::format!("{date}"), literals.wire());
        literals.put(" ");
    }
    literals.put(match form {
        MessageForm::Literal | MessageForm::Binary => "",
        MessageForm::Utf8 => "UTF8 (",
        MessageForm::Catenate => "CATENATE (",
    });
}
