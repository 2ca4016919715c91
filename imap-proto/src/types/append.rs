//! The arguments of APPEND and REPLACE: [`AppendCommand`], [`ReplaceCommand`]. RFC 9051 §6.3.12, RFC 3502, RFC 4469,
//! RFC 6855 §4, RFC 8508.

use alloc::vec::Vec;

use mailwright_core::value::Flag;

use super::date::DateTime;
use super::mailbox::Mailbox;
use super::number_set::NumberEnd;
use super::string::OctetString;

/// The arguments of APPEND up to its first message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AppendCommand {
    /// Where to.
    pub mailbox: Mailbox,
    /// The flags of the message.
    pub flags: Vec<Flag>,
    /// Its INTERNALDATE, if not now.
    pub date: Option<DateTime>,
    /// How the message comes.
    pub form: MessageForm,
}

impl AppendCommand {
    /// A message for `mailbox` without flags, dated now, in one literal.
    #[must_use]
    pub const fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, flags: Vec::new(), date: None, form: MessageForm::Literal }
    }
}

/// What stands before each further message of APPEND (RFC 3502).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AppendMessage {
    /// The flags of the message.
    pub flags: Vec<Flag>,
    /// Its INTERNALDATE, if not now.
    pub date: Option<DateTime>,
    /// How the message comes.
    pub form: MessageForm,
}

/// How a message comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageForm {
    /// `{n}`: one literal.
    #[default]
    Literal,
    /// `~{n}`: one literal that may hold NUL (RFC 3516 §4.4).
    Binary,
    /// `UTF8 (~{n})`: one literal with a header in UTF-8 (RFC 6855 §4).
    Utf8,
    /// `CATENATE (…)`: texts and URLs, one behind the other (RFC 4469 §3).
    Catenate,
}

/// A part of a message that is put together (RFC 4469 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4469 §5 has these two")]
pub enum CatenatePart {
    /// `TEXT`: a literal.
    Text,
    /// `URL`: octets that the server has.
    Url(OctetString),
}

/// The arguments of REPLACE and UID REPLACE up to the message (RFC 8508 §3).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReplaceCommand {
    /// Whether the message is named by its UID.
    pub uid: bool,
    /// The message that is replaced.
    pub message: NumberEnd,
    /// What takes its place.
    pub append: AppendCommand,
}

impl ReplaceCommand {
    /// Replaces `message` by what `append` says.
    #[must_use]
    pub const fn new(uid: bool, message: NumberEnd, append: AppendCommand) -> Self {
        Self { uid, message, append }
    }
}
