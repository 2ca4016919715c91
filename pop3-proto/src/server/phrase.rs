//! [`Phrase`]: everything that a server says in words, and [`Language`], in which it may say them (RFC 6856 §3).

use alloc::borrow::Cow;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use core::fmt;

use bytes::{BufMut as _, BytesMut};

use crate::encode::put_decimal;
use crate::types::{LanguageTag, MessageNumber, ReplyText, ValueError};

/// What a server says in words behind `+OK` and `-ERR`, for a translation. Programs read the status, the code and the
/// numbers of STAT, LIST and UIDL, which are no part of it.
///
/// `Display` is the English that clients see before LANG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phrase {
    // ---- +OK
    /// To USER.
    SendPass,
    /// To STLS.
    BeginTls,
    /// To UTF8.
    Utf8Enabled,
    /// To CAPA: the list follows.
    Capabilities,
    /// To AUTH without argument: the list follows.
    Mechanisms,
    /// To LANG without argument: the list follows.
    Languages,
    /// To LANG, in the language that was chosen.
    LanguageChosen,
    /// To PASS, APOP, AUTH, RSET, LIST and UIDL: what is in the maildrop.
    Totals {
        /// How many messages.
        messages: u32,
        /// How many octets they have.
        octets: u64,
    },
    /// To RETR: the message follows.
    Message {
        /// Its octets.
        octets: u64,
    },
    /// To TOP: the lines follow.
    Top,
    /// To DELE.
    Deleted {
        /// Which message.
        number: MessageNumber,
    },
    /// To QUIT, if nothing is deleted.
    Goodbye,
    /// To QUIT: what was marked is removed.
    Removed,

    // ---- -ERR to what cannot be read
    /// The line is no command.
    UnknownCommand,
    /// A control character in the line.
    ControlCharacter,
    /// An argument is missing.
    MissingArgument,
    /// An argument too many.
    UnexpectedArgument,
    /// An argument that must be a number is none.
    NotANumber,
    /// An argument that must be base64 is none.
    NotBase64,
    /// The line is too long.
    LineTooLong,
    /// Before the login.
    LogInFirst,
    /// After the login.
    NotInTransaction,

    // ---- -ERR before the login
    /// To USER, PASS and AUTH: not in clear text.
    NotWithoutTls,
    /// To USER: it is switched off.
    UserSwitchedOff,
    /// To USER: the name has characters that are not to be had.
    BadName,
    /// To PASS: the password has characters that are not to be had.
    BadPassword,
    /// To AUTH.
    NoSuchMechanism,
    /// To AUTH: the mechanism has no initial response.
    NoInitialResponse,
    /// To AUTH and APOP: what the client sent is none of the mechanism.
    MalformedAuthentication,
    /// To AUTH: the client cancelled it.
    AuthenticationCancelled,
    /// To PASS, APOP and AUTH: wrong name or password, which of them nobody learns.
    AuthenticationFailed,
    /// To PASS, APOP and AUTH: the credentials cannot be checked now.
    CannotAuthenticate,
    /// To PASS, APOP and AUTH: the maildrop is open in another session.
    InUse,
    /// The last login was too short a time ago.
    TooSoon,
    /// The maildrop cannot be opened now.
    CannotOpenNow,
    /// The maildrop cannot be opened.
    CannotOpen,
    /// This user may not come by POP3.
    NoAccess,
    /// To STLS: TLS is in force.
    TlsActive,
    /// To STLS: not to be had.
    NoTls,
    /// To STLS: not behind UTF8.
    NoTlsBehindUtf8,
    /// To STLS: something stands behind it.
    EarlyOctets,
    /// To UTF8: not to be had.
    NoUtf8,

    // ---- -ERR after it
    /// There is no message of that number, or it is marked as deleted.
    NoSuchMessage,
    /// The message cannot be read now.
    CannotReadNow,
    /// The message is gone from the store.
    Gone,
    /// The message has UTF-8 in its header, and the client has not said UTF8.
    NeedsUtf8,
    /// To LANG: not to be had.
    NoSuchLanguage,
    /// To QUIT.
    NotRemoved,
}

impl Phrase {
    /// The words, where there are no numbers among them.
    const fn words(self) -> &'static str {
        match self {
            Self::SendPass => "send PASS",
            Self::BeginTls => "begin TLS",
            Self::Utf8Enabled => "UTF8 enabled",
            Self::Capabilities => "capability list follows",
            Self::Mechanisms => "mechanism list follows",
            Self::Languages => "language list follows",
            Self::LanguageChosen => "language chosen",
            Self::Totals { messages: 1, .. } => " message (",
            Self::Totals { .. } => " messages (",
            Self::Message { .. } => " octets",
            Self::Top => "top of message follows",
            Self::Deleted { .. } => "message ",
            Self::Goodbye => "goodbye",
            Self::Removed => "goodbye, marked messages removed",
            Self::UnknownCommand => "unknown command",
            Self::ControlCharacter => "control character in the line",
            Self::MissingArgument => "missing argument",
            Self::UnexpectedArgument => "unexpected argument",
            Self::NotANumber => "not a number",
            Self::NotBase64 => "not base64",
            Self::LineTooLong => "line too long",
            Self::LogInFirst => "log in first",
            Self::NotInTransaction => "not possible in the TRANSACTION state",
            Self::NotWithoutTls => "not without TLS: use STLS or a TLS port",
            Self::UserSwitchedOff => "USER is switched off, use AUTH",
            Self::BadName => "a character that names cannot have",
            Self::BadPassword => "a character that passwords cannot have",
            Self::NoSuchMechanism => "no such mechanism",
            Self::NoInitialResponse => "this mechanism has no initial response",
            Self::MalformedAuthentication => "malformed authentication message",
            Self::AuthenticationCancelled => "authentication cancelled",
            Self::AuthenticationFailed => "authentication failed",
            Self::CannotAuthenticate => "cannot check the credentials now, try again later",
            Self::InUse => "the maildrop is open in another session",
            Self::TooSoon => "too soon after the last login",
            Self::CannotOpenNow => "cannot open the maildrop now",
            Self::CannotOpen => "cannot open the maildrop",
            Self::NoAccess => "no access by POP3",
            Self::TlsActive => "TLS is active already",
            Self::NoTls => "no TLS here",
            Self::NoTlsBehindUtf8 => "not behind UTF8",
            Self::EarlyOctets => "octets behind STLS",
            Self::NoUtf8 => "no UTF8 here",
            Self::NoSuchMessage => "no such message",
            Self::CannotReadNow => "cannot read the message now",
            Self::Gone => "the message is gone",
            Self::NeedsUtf8 => "the message needs UTF8",
            Self::NoSuchLanguage => "no such language",
            Self::NotRemoved => "some deleted messages not removed",
        }
    }

    /// Appends it in English.
    fn put(self, wire: &mut BytesMut) {
        let words = self.words().as_bytes();
        match self {
            Self::Totals { messages, octets } => {
                put_decimal(messages.into(), wire);
                wire.put_slice(words);
                put_decimal(octets, wire);
                wire.put_slice(b" octets)");
            }
            Self::Message { octets } => {
                put_decimal(octets, wire);
                wire.put_slice(words);
            }
            Self::Deleted { number } => {
                wire.put_slice(words);
                put_decimal(number.get().into(), wire);
                wire.put_slice(b" deleted");
            }
            _ => wire.put_slice(words),
        }
    }

    /// Appends it in `language`, or in English if there is none or it has no words for it.
    pub(super) fn put_in(self, language: Option<&Language>, wire: &mut BytesMut) {
        match language.and_then(|language| language.say(self)) {
            Some(text) => wire.put_slice(text.as_str().as_bytes()),
            None => self.put(wire),
        }
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut wire = BytesMut::new();
        self.put(&mut wire);
        f.write_str(core::str::from_utf8(&wire).unwrap_or_default())
    }
}

/// Says a phrase in another language.
type Translate = dyn Fn(Phrase) -> Option<Cow<'static, str>> + Send + Sync;

/// A language in which a server speaks to clients that ask for it by LANG (RFC 6856 §3).
///
/// ```
/// use mailwright_pop3::server::{Config, Language, Phrase};
///
/// let german = Language::new("de".parse()?, "Deutsch")?.translated(|phrase| match phrase {
///     Phrase::NoSuchMessage => Some("Diese Nachricht gibt es nicht".into()),
///     Phrase::Deleted { number } => Some(format!("Nachricht {number} gelöscht").into()),
///     _ => None, // in English
/// });
/// let mut config = Config::default();
/// config.languages = vec![Language::new("en".parse()?, "English")?, german];
/// # Ok::<(), mailwright_pop3::types::ValueError>(())
/// ```
#[derive(Clone)]
pub struct Language {
    tag: LanguageTag,
    name: ReplyText,
    translate: Option<Arc<Translate>>,
}

impl Language {
    /// A language by its tag, with its own name for itself, which may be empty. Everything is said in English until
    /// [`Self::translated`].
    ///
    /// # Errors
    /// If the name is longer than [`ReplyText::MAX`] or has control characters.
    pub fn new(tag: LanguageTag, name: &str) -> Result<Self, ValueError> {
        Ok(Self { tag, name: ReplyText::utf8(Cow::Owned(name.to_string()))?, translate: None })
    }

    /// The same with its words. What `translate` gives no text for, or one that [`ReplyText`] would refuse for
    /// another reason than that it is not ASCII, is said in English.
    #[must_use]
    pub fn translated(
        mut self,
        translate: impl Fn(Phrase) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.translate = Some(Arc::new(translate));
        self
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(&self) -> &LanguageTag {
        &self.tag
    }

    /// Its name for itself.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    fn say(&self, phrase: Phrase) -> Option<ReplyText> {
        // RFC 2449 §6.4: no text begins with `[` but by a code, and none ends the line.
        ReplyText::utf8(self.translate.as_ref()?(phrase)?).ok()
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Language").field("tag", &self.tag).field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_with_numbers_have_them_in_place() {
        let number = MessageNumber::FIRST;
        assert_eq!(Phrase::Totals { messages: 1, octets: 5 }.to_string(), "1 message (5 octets)");
        assert_eq!(Phrase::Totals { messages: 0, octets: 0 }.to_string(), "0 messages (0 octets)");
        assert_eq!(Phrase::Message { octets: 120 }.to_string(), "120 octets");
        assert_eq!(Phrase::Deleted { number }.to_string(), "message 1 deleted");
        assert_eq!(Phrase::Goodbye.to_string(), "goodbye");
    }

    #[test]
    fn a_translation_that_cannot_be_said_is_said_in_english() {
        for text in ["a\r\nb", "[AUTH] no", "\u{7f}", "\u{85}"] {
            let language = Language::new("xx".parse().unwrap(), "").unwrap();
            let language = language.translated(move |_| Some(text.into()));
            let mut wire = BytesMut::new();
            Phrase::Goodbye.put_in(Some(&language), &mut wire);
            assert_eq!(wire, "goodbye", "{text:?}");
        }
    }

    #[test]
    fn a_language_has_a_name_of_one_line() {
        let tag = || "xx".parse().unwrap();
        assert_eq!(Language::new(tag(), "Español").unwrap().name(), "Español");
        assert!(Language::new(tag(), "a\nb").is_err());
    }
}
