//! What a command has to be like where the server is now, which is never the host's concern: CHARSET of a search
//! (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 6855 §3), patterns of LIST (RFC 3501 §5.1.3).

use bytes::{Bytes, BytesMut};

use super::broken::is_utf8;
use super::{Client, Feature};
use crate::encode::EncodeError;
use crate::mailbox_name;
use crate::types::{Command, OctetString, Search, SearchKey};

impl Client {
    /// Gives a search the charset that its strings need where the server is now, and takes away one that it must
    /// not have.
    pub(super) fn fit_charset(&self, command: &mut Command) -> Result<(), EncodeError> {
        let (charset, search) = match command {
            Command::Search(command) => (&mut command.charset, &command.search),
            Command::MultiSearch(command) => (&mut command.charset, &command.search),
            _ => return Ok(()),
        };
        // RFC 6855 §3: no charset any more, since everything is UTF-8.
        if self.is_enabled("UTF8=ACCEPT") {
            return match charset.take() {
                Some(other) if !is_utf8(&other) && !other.as_bytes().eq_ignore_ascii_case(b"US-ASCII") => {
                    Err(EncodeError::Contradiction("a charset where UTF8=ACCEPT is enabled"))
                }
                _ => Ok(()),
            };
        }
        // RFC 3501 §6.4.4: US-ASCII is what a search is in else; RFC 9051 §6.4.4: UTF-8.
        let missing = charset.is_none() && !self.is_enabled("IMAP4rev2") && needs_utf8(search);
        if missing && !self.is_broken(Feature::CharsetUtf8) {
            *charset = OctetString::new(Bytes::from_static(b"UTF-8")).ok();
        }
        Ok(())
    }
}

impl Client {
    /// Writes patterns of LIST that have more than ASCII in UTF-7, unless UTF-8 was agreed on. What is ASCII may be in
    /// UTF-7 already.
    pub(super) fn fit_patterns(&self, command: &mut Command) {
        let (Command::List(list) | Command::Lsub(list) | Command::Xlist(list)) = command else { return };
        if self.reader.limits().utf8 {
            return;
        }
        for text in list.patterns.iter_mut().chain([&mut list.reference]) {
            if let Some(beyond) = text.as_str().filter(|text| !text.is_ascii()) {
                let mut wire = BytesMut::new();
                mailbox_name::encode(beyond, &mut wire);
                *text = OctetString::new(wire.freeze()).unwrap_or_default();
            }
        }
    }
}

/// Whether strings of a search have more than ASCII, in UTF-8.
fn needs_utf8(search: &Search) -> bool {
    let beyond = |string: &OctetString| string.as_str().is_some_and(|text| !text.is_ascii());
    search.keys().iter().flat_map(strings).flatten().any(beyond)
}

/// The strings of a key that a charset is for.
const fn strings(key: &SearchKey) -> [Option<&OctetString>; 2] {
    match key {
        SearchKey::Header(name, value) => [Some(name), Some(value)],
        SearchKey::Bcc(value)
        | SearchKey::Body(value)
        | SearchKey::Cc(value)
        | SearchKey::Filter(value)
        | SearchKey::From(value)
        | SearchKey::Subject(value)
        | SearchKey::Text(value)
        | SearchKey::To(value)
        | SearchKey::GmailLabels(value)
        | SearchKey::GmailRaw(value) => [Some(value), None],
        _ => [None, None],
    }
}
