//! [`Mailbox`]: a mailbox name as it came or goes. RFC 9051 §5.1, RFC 3501 §5.1.3.

use alloc::string::String;
use core::fmt;

use bytes::{Bytes, BytesMut};
use mailwright_core::value::MailboxName;

use crate::mailbox_name;

/// The name of a mailbox as a peer wrote it.
///
/// Most are a [`MailboxName`]. Others are kept octet for octet: a server treats them as the name of no
/// mailbox, unless it lists such a name itself; a client can use what a server listed in later commands.
#[derive(Clone, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name, or not")]
pub enum Mailbox {
    /// A valid name.
    Name(MailboxName),
    /// Anything else: not modified UTF-7 (or UTF-8 where that was agreed on), or against the rules for names.
    Other(Bytes),
}

impl Mailbox {
    /// Reads a name in modified UTF-7, or in UTF-8 where that was agreed on.
    #[must_use]
    pub fn read(wire: Bytes, utf8: bool) -> Self {
        // Most names are ASCII, and stand for themselves.
        let plain = wire.iter().all(|octet| matches!(octet, b' '..=b'~') && *octet != b'&');
        if plain && let Ok(text) = core::str::from_utf8(&wire) {
            return MailboxName::new(text).map_or(Self::Other(wire.clone()), Self::Name);
        }
        let text = if utf8 {
            core::str::from_utf8(&wire).ok().map(String::from)
        } else {
            mailbox_name::decode(&wire).ok()
        };
        match text.and_then(|text| MailboxName::new(&text).ok()) {
            Some(name) => Self::Name(name),
            None => Self::Other(wire),
        }
    }

    /// The octets as they travel.
    #[must_use]
    pub fn wire(&self, utf8: bool) -> Bytes {
        match self {
            Self::Name(name) if utf8 => Bytes::copy_from_slice(name.as_str().as_bytes()),
            Self::Name(name) => {
                let mut wire = BytesMut::new();
                mailbox_name::encode(name.as_str(), &mut wire);
                wire.freeze()
            }
            Self::Other(wire) => wire.clone(),
        }
    }

    /// The valid name.
    #[must_use]
    pub const fn name(&self) -> Option<&MailboxName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Other(_) => None,
        }
    }
}

impl From<MailboxName> for Mailbox {
    fn from(name: MailboxName) -> Self {
        Self::Name(name)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{:?}", name.as_str()),
            Self::Other(wire) => write!(f, "b\"{}\"", wire.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_the_form_that_was_agreed_on() {
        let name = |text: &str| Mailbox::Name(MailboxName::new(text).unwrap());
        assert_eq!(Mailbox::read("Entw&APw-rfe".into(), false), name("Entwürfe"));
        assert_eq!(Mailbox::read("Entwürfe".into(), true), name("Entwürfe"));
        assert_eq!(Mailbox::read("inbox".into(), false), name("INBOX"));
        assert_eq!(name("Entwürfe").wire(false), "Entw&APw-rfe");
        assert_eq!(name("a & b").wire(true), "a & b");
    }

    #[test]
    fn what_is_no_name_is_kept_octet_for_octet() {
        for wire in [&b"Entw\xfcrfe"[..], b"&AGE-", b"../x", b"a//b", b"", b"/a", b"a/", b"&AC8-x"] {
            let read = Mailbox::read(Bytes::from_static(wire), false);
            assert_eq!(read, Mailbox::Other(Bytes::from_static(wire)), "{}", wire.escape_ascii());
            assert_eq!(read.wire(false), wire);
        }
    }
}
