//! [`Reply`]: the status line that answers a command (RFC 1939 §3).

use bytes::Bytes;

use super::{ReplyText, ResponseCode, Text};

/// The first word of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 1939 §3 has these two")]
pub enum Status {
    /// `+OK`
    Ok,
    /// `-ERR`
    Err,
}

/// A status line: status, code and text apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// Whether the command succeeded.
    pub status: Status,
    /// The code in brackets, if codes are to be expected.
    pub code: Option<ResponseCode>,
    /// The text behind status and code.
    pub text: Text,
}

impl Reply {
    /// `+OK`, for tools that answer without a session.
    #[must_use]
    pub fn ok(text: &ReplyText) -> Self {
        Self { status: Status::Ok, code: None, text: Self::text_of(text) }
    }

    /// `-ERR`, for tools that answer without a session.
    #[must_use]
    pub fn err(code: Option<ResponseCode>, text: &ReplyText) -> Self {
        Self { status: Status::Err, code, text: Self::text_of(text) }
    }

    fn text_of(text: &ReplyText) -> Text {
        Text::new(Bytes::copy_from_slice(text.as_str().as_bytes()))
    }

    /// Whether the command succeeded.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }
}
