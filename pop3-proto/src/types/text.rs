//! [`ReplyText`], what a host lets its server say, and [`Text`], what a server said to a client.

use alloc::borrow::Cow;
use core::fmt;

use bytes::Bytes;

use super::{ValueError, check};

/// Text of a host for a reply of its server: printable ASCII, no `[` in front.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplyText(Cow<'static, str>);

impl ReplyText {
    /// The most octets. A first line has 512 (RFC 2449 §4); the rest is for status, code and line end.
    pub const MAX: usize = 400;

    /// A text; may be empty.
    ///
    /// # Errors
    /// If it is too long, holds an octet outside 0x20 to 0x7E, or begins with `[`, which only a typed
    /// response code may (RFC 2449 §6.4).
    pub fn new(text: impl Into<Cow<'static, str>>) -> Result<Self, ValueError> {
        let text = text.into();
        check(text.as_bytes(), Self::MAX, |octet| matches!(octet, 0x20..=0x7e))?;
        Self::utf8(text)
    }

    /// The same for any characters but controls: for who has asked for a language (RFC 6856 §3.2).
    pub(crate) fn utf8(text: Cow<'static, str>) -> Result<Self, ValueError> {
        if text.len() > Self::MAX {
            return Err(ValueError::TooLong { octets: text.len(), limit: Self::MAX });
        }
        let control = text.char_indices().find(|(_, character)| character.is_control());
        // RFC 2449 §6.4: only a code begins with a bracket.
        let wrong = control.map(|(offset, _)| offset).or(text.starts_with('[').then_some(0));
        match wrong.and_then(|offset| Some((offset, *text.as_bytes().get(offset)?))) {
            Some((offset, octet)) => Err(ValueError::Octet { octet, offset }),
            None => Ok(Self(text)),
        }
    }

    /// A text that is known to be valid.
    pub(crate) const fn constant(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that a server sent: any octets. `Display` and `Debug` escape controls, so it is safe to show.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(Bytes);

impl Text {
    pub(crate) const fn new(octets: Bytes) -> Self {
        Self(octets)
    }

    /// The octets as received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A copy that does not keep the input buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    write!(f, "{character}")?;
                }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_reply_text_cannot_end_the_line_or_pose_as_a_code() {
        assert!(ReplyText::new("POP3 server ready").is_ok());
        assert!(ReplyText::new("").is_ok());
        for text in ["a\rb", "a\nb", "a\0b", "a\u{e4}b"] {
            assert!(matches!(ReplyText::new(text), Err(ValueError::Octet { offset: 1, .. })), "{text:?}");
        }
        assert_eq!(ReplyText::new("[AUTH] no"), Err(ValueError::Octet { octet: b'[', offset: 0 }));
        assert!(ReplyText::new("x".repeat(401)).is_err());
    }

    #[test]
    fn received_text_is_shown_without_controls() {
        let text = Text::new(Bytes::from_static(b"gr\xc3\xbc\xc3\x9fe\x1b[1m\r\xff"));
        assert_eq!(text.to_string(), "grüße\\u{1b}[1m\\r\\xff");
    }
}
