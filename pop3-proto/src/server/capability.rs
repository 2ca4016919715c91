//! CAPA (RFC 2449 §5), and what changes what it says: UTF8 and LANG (RFC 6856).

use alloc::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use mailwright_sasl::MechanismName;

use super::config::{Expire, Utf8};
use super::{PerUser, Phrase, Server};
use crate::encode::put_decimal;
use crate::types::LanguageRange;

/// Octets of a line of output with its end.
const LONGEST_LINE: usize = 512;

impl Server {
    /// What the server can do, by configuration, state and TLS: RFC 2449 §5 and §6.
    pub(super) fn capa(&mut self) {
        let config = Arc::clone(&self.config);
        let clear_text = self.clear_text_allowed();
        let stls = self.offers_stls();
        let (expire, login_delay) = (self.announced_expire(), self.announced_login_delay());
        self.ok(Phrase::Capabilities);
        let mechanisms = config.offers.permitted(&self.channel);
        let wire = self.transmit.buffer();
        let before = wire.len();
        wire.put_slice(b"TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n");
        // RFC 2449 §6.2: USER only while it would be accepted. RFC 5034 §3: SASL stays after login.
        if config.user_pass && clear_text {
            wire.put_slice(b"USER\r\n");
        }
        let line = wire.len();
        for name in mechanisms {
            // RFC 2449 §4: a line has 512 octets; whoever offers more mechanisms has its last ones unsaid.
            if wire.len() - line + "SASL ".len() + MechanismName::MAX + 2 > LONGEST_LINE {
                break;
            }
            wire.put_slice(if wire.len() > line { b" " } else { b"SASL " });
            wire.put_slice(name.as_str().as_bytes());
        }
        if wire.len() > line {
            wire.put_slice(b"\r\n");
        }
        // RFC 2595 §4: STLS only while it would be accepted.
        if stls {
            wire.put_slice(b"STLS\r\n");
        }
        match config.utf8 {
            Utf8::Off => {}
            Utf8::Messages => wire.put_slice(b"UTF8\r\n"),
            // RFC 6856 §2.2: with USER, names and passwords in UTF-8 are accepted.
            Utf8::MessagesAndNames => wire.put_slice(b"UTF8 USER\r\n"),
        }
        if !config.languages.is_empty() {
            wire.put_slice(b"LANG\r\n");
        }
        if let Some(PerUser { value, differs }) = expire {
            match value {
                Expire::Days(days) => put_value(b"EXPIRE ", days, wire),
                Expire::Never => wire.put_slice(b"EXPIRE NEVER"),
            }
            end_value(differs, wire);
        }
        if let Some(PerUser { value, differs }) = login_delay {
            put_value(b"LOGIN-DELAY ", value, wire);
            end_value(differs, wire);
        }
        if let Some(implementation) = &config.implementation {
            wire.put_slice(b"IMPLEMENTATION ");
            wire.put_slice(implementation.as_str().as_bytes());
            wire.put_slice(b"\r\n");
        }
        wire.put_slice(b".\r\n");
        self.queued += (wire.len() - before) as u64;
    }

    /// RFC 2449 §6.7: before the login the smallest value of all users, with USER if they differ; behind it the
    /// user's own.
    fn announced_expire(&self) -> Option<PerUser<Expire>> {
        let general = self.config.expire?;
        Some(self.snapshot.as_ref().map_or(general, |snapshot| {
            let own = if general.differs { snapshot.maildrop.expire() } else { None };
            PerUser::same(own.unwrap_or(general.value))
        }))
    }

    /// RFC 2449 §6.5: before the login the largest value of all users, with USER if they differ; behind it the
    /// user's own.
    fn announced_login_delay(&self) -> Option<PerUser<u32>> {
        let general = self.config.login_delay?;
        Some(self.snapshot.as_ref().map_or(general, |snapshot| {
            let own = if general.differs { snapshot.maildrop.login_delay() } else { None };
            PerUser::same(own.unwrap_or(general.value))
        }))
    }

    /// RFC 6856 §2.1: messages may come with UTF-8 in their header from now on.
    pub(super) fn utf8(&mut self) {
        if self.config.utf8 == Utf8::Off {
            return self.err(None, Phrase::NoUtf8);
        }
        self.utf8 = true;
        self.ok(Phrase::Utf8Enabled);
    }

    /// RFC 6856 §3.2: lists the languages, or chooses one for everything that is said from now on. The language
    /// changes by nothing else (RFC 6856 §7).
    pub(super) fn lang(&mut self, range: Option<LanguageRange<'_>>) {
        let languages = &self.config.languages;
        let Some(range) = range.filter(|_| !languages.is_empty()) else {
            return if languages.is_empty() {
                self.err(None, Phrase::NoSuchLanguage);
            } else {
                self.list_languages();
            };
        };
        let Some(place) = range.choose(languages.iter().map(super::Language::tag)) else {
            return self.err(None, Phrase::NoSuchLanguage);
        };
        self.language = u16::try_from(place).ok();
        let config = Arc::clone(&self.config);
        let language = config.languages.get(place);
        self.write(|wire| {
            wire.put_slice(b"+OK ");
            wire.put_slice(language.map_or("", |language| language.tag().as_str()).as_bytes());
            wire.put_slice(b" ");
            Phrase::LanguageChosen.put_in(language, wire);
            wire.put_slice(b"\r\n");
        });
    }
}

fn put_value(name: &[u8], value: u32, wire: &mut BytesMut) {
    wire.put_slice(name);
    put_decimal(value.into(), wire);
}

fn end_value(differs: bool, wire: &mut BytesMut) {
    wire.put_slice(if differs { b" USER\r\n" } else { b"\r\n" });
}
