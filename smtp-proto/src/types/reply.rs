//! [`Reply`]: what a server says to a command, for both sides. RFC 5321 §4.2, RFC 2034.
//!
//! One value serves both directions. A host builds replies from validated text, so that no CR, LF or
//! NUL can reach the wire through it; a client receives them as views of its input. Writing stands in
//! `encode`, reading in `parse::reply`.

use alloc::string::String;
use core::fmt;

use bytes::Bytes;

use super::status::{EnhancedCode, ReplyCode, Severity};

/// A reply: code, enhanced status code if it has one, and its lines of text.
///
/// Equal replies have the same codes and the same lines, whether built or received.
///
/// ```
/// use mailwright_smtp::types::{EnhancedCode, Reply, ReplyCode};
///
/// let queued = Reply::OK.with_text("queued as 4Qx7")?;
/// assert_eq!(queued.to_string(), "250 2.0.0 queued as 4Qx7");
/// let moved = Reply::new(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::new(5, 1, 6)?, "Moved away")?;
/// assert!(moved.is_permanent());
/// assert!(Reply::OK.with_text("250 OK\r\nDATA").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Reply {
    code: ReplyCode,
    enhanced: Option<EnhancedCode>,
    text: Text,
}

#[derive(Clone)]
enum Text {
    /// Validated text: lines separated by LF.
    Lines(Bytes),
    /// As received, with code and separator before each line, CR LF between lines, none behind the last.
    Received(Bytes),
}

/// Why text or codes make no [`Reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// A CR, LF, NUL or other control in the text. Give several lines as several lines.
    #[error(
        "control character in the reply text at offset {offset}: give several lines with Reply::multi_line"
    )]
    Control {
        /// Octets of the line before it.
        offset: usize,
    },
    /// The text is not UTF-8.
    #[error("the reply text is not UTF-8 at offset {offset}")]
    NotUtf8 {
        /// Octets of the line before it.
        offset: usize,
    },
    /// The class of the enhanced code is not the first digit of the code (RFC 2034 §4); a 3yz reply has none.
    #[error("the class of {enhanced} is not the first digit of {code}")]
    Class {
        /// The code.
        code: ReplyCode,
        /// The enhanced code that does not fit.
        enhanced: EnhancedCode,
    },
    /// More than [`Reply::MAX_LINES`] lines or [`Reply::MAX_OCTETS`] octets.
    #[error("the reply is longer than a peer has to accept: shorten it")]
    TooLong,
}

macro_rules! replies {
    ($($(#[$doc:meta])* $name:ident = $code:ident [$($number:literal),*], $text:literal;)*) => {
        impl Reply {
            $($(#[$doc])* pub const $name: Self = Self::constant(
                ReplyCode::$code,
                replies!(@enhanced $($number),*),
                $text,
            );)*
        }

        #[cfg(test)]
        fn constants() -> alloc::vec::Vec<Reply> {
            alloc::vec![$(Reply::$name),*]
        }
    };
    (@enhanced $class:literal, $subject:literal, $detail:literal) => {
        Some(EnhancedCode::constant($class, $subject, $detail))
    };
    (@enhanced) => { None };
}

// In numeric order.
replies! {
    /// 220 2.0.0: the agreement to STARTTLS (RFC 3207 §4).
    READY_FOR_TLS = READY [2, 0, 0], "Ready to start TLS";
    /// 221 2.0.0: the reply to QUIT.
    CLOSING = CLOSING [2, 0, 0], "Closing connection";
    /// 235 2.7.0: authenticated (RFC 4954 §6).
    AUTHENTICATED = AUTHENTICATED [2, 7, 0], "Authentication successful";
    /// 250 2.0.0: done.
    OK = OK [2, 0, 0], "OK";
    /// 250 2.1.0: to MAIL.
    SENDER_OK = OK [2, 1, 0], "Sender OK";
    /// 250 2.1.5: to RCPT.
    RECIPIENT_OK = OK [2, 1, 5], "Recipient OK";
    /// 250 2.0.0: the message is the server's responsibility now.
    MESSAGE_ACCEPTED = OK [2, 0, 0], "Message accepted";
    /// 250 2.0.0: to a chunk that is not the last (RFC 3030 §2).
    CHUNK_ACCEPTED = OK [2, 0, 0], "Chunk accepted";
    /// 252 2.0.0: to VRFY, without telling who exists.
    CANNOT_VERIFY = CANNOT_VERIFY [2, 0, 0], "Cannot verify, but will accept and try";
    /// 354: to DATA.
    START_CONTENT = START_CONTENT [], "Start mail input; end with <CRLF>.<CRLF>";
    /// 421 4.3.2: going down, or no capacity.
    SERVICE_UNAVAILABLE = UNAVAILABLE [4, 3, 2], "Service not available, closing connection";
    /// 421 4.4.2: a deadline passed.
    TIMED_OUT = UNAVAILABLE [4, 4, 2], "Timeout, closing connection";
    /// 421 4.7.0: the hard limit of errors.
    TOO_MANY_ERRORS = UNAVAILABLE [4, 7, 0], "Too many errors, closing connection";
    /// 421 4.7.0: the limit of transactions, or of commands that do nothing.
    TOO_MANY_COMMANDS = UNAVAILABLE [4, 7, 0], "Too many commands, closing connection";
    /// 450 4.2.1: this mailbox not now.
    MAILBOX_BUSY = MAILBOX_BUSY [4, 2, 1], "Mailbox temporarily unavailable";
    /// 451 4.3.0: not now.
    TRY_LATER = LOCAL_ERROR [4, 3, 0], "Temporary failure, try again later";
    /// 452 4.3.1: no room now.
    INSUFFICIENT_STORAGE = INSUFFICIENT_STORAGE [4, 3, 1], "Insufficient storage, try again later";
    /// 452 4.5.3: more recipients than the limit (RFC 5321 §4.5.3.1.10).
    TOO_MANY_RECIPIENTS = INSUFFICIENT_STORAGE [4, 5, 3], "Too many recipients";
    /// 454 4.7.0: TLS not now (RFC 3207 §4).
    TLS_UNAVAILABLE = TEMPORARY_AUTHENTICATION_FAILURE [4, 7, 0], "TLS not available due to temporary reason";
    /// 454 4.7.0: authentication not now (RFC 4954 §6).
    AUTHENTICATION_UNAVAILABLE = TEMPORARY_AUTHENTICATION_FAILURE [4, 7, 0], "Temporary authentication failure";
    /// 500 5.5.2: no such command, or a malformed line.
    COMMAND_NOT_RECOGNISED = SYNTAX_ERROR [5, 5, 2], "Command not recognized";
    /// 500 5.5.2: a line above the limit.
    LINE_TOO_LONG = SYNTAX_ERROR [5, 5, 2], "Line too long";
    /// 500 5.5.6: a line of an AUTH exchange above the limit (RFC 4954 §4).
    AUTHENTICATION_LINE_TOO_LONG = SYNTAX_ERROR [5, 5, 6], "Authentication exchange line too long";
    /// 501 5.1.3: a recipient that cannot be read.
    BAD_RECIPIENT_SYNTAX = ARGUMENT_SYNTAX_ERROR [5, 1, 3], "Bad recipient address syntax";
    /// 501 5.1.7: a sender that cannot be read.
    BAD_SENDER_SYNTAX = ARGUMENT_SYNTAX_ERROR [5, 1, 7], "Bad sender address syntax";
    /// 501 5.5.2: a malformed response in an AUTH exchange (RFC 4954 §4).
    BAD_AUTHENTICATION_RESPONSE = ARGUMENT_SYNTAX_ERROR [5, 5, 2], "Cannot decode response";
    /// 501 5.5.4: a malformed argument.
    BAD_ARGUMENT = ARGUMENT_SYNTAX_ERROR [5, 5, 4], "Syntax error in arguments";
    /// 501 5.7.0: the client cancelled AUTH (RFC 4954 §4).
    AUTHENTICATION_CANCELLED = ARGUMENT_SYNTAX_ERROR [5, 7, 0], "Authentication cancelled";
    /// 502 5.5.1: known, not offered.
    NOT_IMPLEMENTED = NOT_IMPLEMENTED [5, 5, 1], "Command not implemented";
    /// 503 5.5.1: not now in this session.
    BAD_SEQUENCE = BAD_SEQUENCE [5, 5, 1], "Bad sequence of commands";
    /// 504 5.5.4: unknown AUTH mechanism, or one that needs TLS first.
    MECHANISM_NOT_SUPPORTED = ARGUMENT_NOT_IMPLEMENTED [5, 5, 4], "Unrecognized authentication type";
    /// 521: this host never accepts mail; in place of the greeting (RFC 7504 §3).
    NO_MAIL = NO_MAIL [5, 3, 2], "This host does not accept mail";
    /// 530 5.7.0: AUTH first (RFC 4954 §6).
    AUTHENTICATION_REQUIRED = AUTHENTICATION_REQUIRED [5, 7, 0], "Authentication required";
    /// 530 5.7.0: STARTTLS first (RFC 3207 §4).
    TLS_REQUIRED = AUTHENTICATION_REQUIRED [5, 7, 0], "Must issue a STARTTLS command first";
    /// 530 5.7.10: REQUIRETLS without TLS (RFC 8689 §2).
    ENCRYPTION_NEEDED = AUTHENTICATION_REQUIRED [5, 7, 10], "Encryption needed for REQUIRETLS";
    /// 535 5.7.8: wrong credentials (RFC 4954 §6).
    CREDENTIALS_INVALID = CREDENTIALS_INVALID [5, 7, 8], "Authentication credentials invalid";
    /// 550 5.1.1: nobody of that name.
    NO_SUCH_USER = MAILBOX_UNAVAILABLE [5, 1, 1], "No such user here";
    /// 550 5.6.7: a sender beyond ASCII without SMTPUTF8 (RFC 6531 §3.5).
    SENDER_NOT_ASCII = MAILBOX_UNAVAILABLE [5, 6, 7], "Non-ASCII address needs SMTPUTF8";
    /// 550 5.7.1: refused by policy, relaying for example.
    REFUSED_BY_POLICY = MAILBOX_UNAVAILABLE [5, 7, 1], "Refused by policy";
    /// 550 5.7.27: the domain of the sender accepts no mail (RFC 7505 §4.2).
    SENDER_ACCEPTS_NO_MAIL = MAILBOX_UNAVAILABLE [5, 7, 27], "Sender address has null MX";
    /// 552 5.2.2: the mailbox is full for good.
    MAILBOX_FULL = EXCEEDED_STORAGE [5, 2, 2], "Mailbox full";
    /// 552 5.3.4: larger than the limit (RFC 1870 §6).
    MESSAGE_TOO_LARGE = EXCEEDED_STORAGE [5, 3, 4], "Message size exceeds limit";
    /// 553 5.1.3: a recipient whose mailbox is not valid.
    BAD_RECIPIENT_MAILBOX = MAILBOX_NAME_NOT_ALLOWED [5, 1, 3], "Mailbox name not allowed";
    /// 553 5.6.7: a recipient beyond ASCII without SMTPUTF8 (RFC 6531 §3.5).
    RECIPIENT_NOT_ASCII = MAILBOX_NAME_NOT_ALLOWED [5, 6, 7], "Non-ASCII address needs SMTPUTF8";
    /// 554 5.5.1: DATA without an accepted recipient.
    NO_VALID_RECIPIENTS = TRANSACTION_FAILED [5, 5, 1], "No valid recipients";
    /// 554 5.6.0: content with a bare CR, a bare LF, or what else policy refuses.
    BAD_CONTENT = TRANSACTION_FAILED [5, 6, 0], "Message content not acceptable";
    /// 554 5.6.1: 8-bit content without BODY=8BITMIME, where policy refuses it.
    EIGHT_BIT_CONTENT = TRANSACTION_FAILED [5, 6, 1], "8-bit content needs BODY=8BITMIME";
    /// 555 5.5.4: a parameter that was not announced.
    PARAMETER_NOT_RECOGNISED = PARAMETERS_NOT_RECOGNISED [5, 5, 4], "Parameter not recognized or not implemented";
    /// 556 5.1.10: the domain of the recipient accepts no mail (RFC 7504 §4, RFC 7505 §4.1).
    RECIPIENT_ACCEPTS_NO_MAIL = DOMAIN_ACCEPTS_NO_MAIL [5, 1, 10], "Recipient address has null MX";
}

impl Reply {
    /// The most lines of a reply that a host may build.
    pub const MAX_LINES: usize = 1000;
    /// The most octets of text of a reply that a host may build.
    pub const MAX_OCTETS: usize = 65_536;

    /// A reply of one line. Static text is not copied; a line too long for the wire is split when written.
    ///
    /// # Errors
    /// If the text has a control character or is not UTF-8, or if the class of `enhanced` is not the
    /// first digit of `code`.
    pub fn new(
        code: ReplyCode,
        enhanced: impl Into<Option<EnhancedCode>>,
        text: impl Into<Bytes>,
    ) -> Result<Self, ReplyError> {
        let text = text.into();
        check_line(&text)?;
        if text.len() > Self::MAX_OCTETS {
            return Err(ReplyError::TooLong);
        }
        let enhanced = check_class(code, enhanced.into())?;
        Ok(Self { code, enhanced, text: Text::Lines(text) })
    }

    /// A reply of several lines; of one empty line if there are none.
    ///
    /// # Errors
    /// As [`Reply::new`], or if there are more than [`Self::MAX_LINES`].
    pub fn multi_line<L: AsRef<str>>(
        code: ReplyCode,
        enhanced: impl Into<Option<EnhancedCode>>,
        lines: impl IntoIterator<Item = L>,
    ) -> Result<Self, ReplyError> {
        let enhanced = check_class(code, enhanced.into())?;
        let mut text = String::new();
        for (count, line) in lines.into_iter().enumerate() {
            let line = line.as_ref();
            check_line(line.as_bytes())?;
            if count >= Self::MAX_LINES || text.len() + line.len() > Self::MAX_OCTETS {
                return Err(ReplyError::TooLong);
            }
            if count > 0 {
                text.push('\n');
            }
            text.push_str(line);
        }
        Ok(Self { code, enhanced, text: Text::Lines(text.into()) })
    }

    /// A reply of the crate itself; a test checks that each is valid.
    pub(crate) const fn constant(
        code: ReplyCode,
        enhanced: Option<EnhancedCode>,
        text: &'static str,
    ) -> Self {
        Self { code, enhanced, text: Text::Lines(Bytes::from_static(text.as_bytes())) }
    }

    /// A reply of the peer: complete lines without the last CR LF, whose codes and separators were checked.
    pub(crate) fn received(code: ReplyCode, wire: Bytes) -> Self {
        // RFC 2034 §4: only 2yz, 4yz and 5yz have one, and its class is the first digit.
        let enhanced = wire
            .get(4..)
            .and_then(|text| {
                let line = text.get(..memchr::memchr(b'\r', text).unwrap_or(text.len()))?;
                EnhancedCode::parse_prefix(line)
            })
            .map(|(enhanced, _)| enhanced)
            .filter(|&enhanced| check_class(code, Some(enhanced)).is_ok());
        Self { code, enhanced, text: Text::Received(wire) }
    }

    /// The same codes with another text of one line.
    ///
    /// # Errors
    /// As [`Reply::new`].
    pub fn with_text(&self, text: impl Into<Bytes>) -> Result<Self, ReplyError> {
        Self::new(self.code, self.enhanced, text)
    }

    /// The same reply without enhanced code, for a greeting or a reply to EHLO, HELO or LHLO, where none
    /// may stand (RFC 2034 §4).
    #[must_use]
    pub fn without_enhanced(mut self) -> Self {
        if let (Text::Received(_), Some(_)) = (&self.text, self.enhanced) {
            let lines = self.lines().collect::<alloc::vec::Vec<_>>().join(&b'\n');
            self.text = Text::Lines(lines.into());
        }
        self.enhanced = None;
        self
    }

    /// The same with `?` for each character beyond ASCII.
    pub(crate) fn into_ascii(self) -> Self {
        if self.is_ascii() {
            return self;
        }
        let mut text = alloc::vec::Vec::new();
        for (count, line) in self.lines().enumerate() {
            if count > 0 {
                text.push(b'\n');
            }
            // Octets that continue a character are dropped, the one that starts it shows as one mark.
            let starts = line.iter().filter(|&&octet| octet & 0xC0 != 0x80);
            text.extend(starts.map(|&octet| if octet.is_ascii() { octet } else { b'?' }));
        }
        Self { code: self.code, enhanced: self.enhanced, text: Text::Lines(text.into()) }
    }

    /// The first line, of a reply of the crate itself.
    pub(crate) fn first_line(&self) -> Bytes {
        self.view(self.lines().next().unwrap_or_default())
    }

    /// With an enhanced code where one must stand: X.0.0 if the host gave none (RFC 2034 §4).
    pub(crate) fn complete(mut self) -> Self {
        if self.enhanced.is_none() && !self.is_intermediate() {
            let class = u8::try_from(self.code.get() / 100).unwrap_or(5);
            self.enhanced = Some(EnhancedCode::constant(class, 0, 0));
        }
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> ReplyCode {
        self.code
    }

    /// The enhanced status code. Of a received reply: the one at the start of its first line, if its
    /// class fits; otherwise such text is text.
    #[must_use]
    pub const fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// How grave it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// 2yz.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code.is_positive()
    }

    /// 3yz.
    #[must_use]
    pub const fn is_intermediate(&self) -> bool {
        self.code.is_intermediate()
    }

    /// 4yz: may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.code.is_transient()
    }

    /// 5yz: will not succeed.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.code.is_permanent()
    }

    /// The lines without code, separator and enhanced code; at least one. Octets of a peer are as they
    /// came: print them through `Display`, which escapes.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        let (text, received) = match &self.text {
            Text::Lines(text) => (text, false),
            Text::Received(wire) => (wire, true),
        };
        Lines { rest: Some(text), received, enhanced: self.enhanced }
    }

    /// Whether every octet of its text is ASCII. Others may be written only to a client that said
    /// SMTPUTF8 (RFC 6531 §3.7.4).
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        match &self.text {
            Text::Lines(text) | Text::Received(text) => text.is_ascii(),
        }
    }

    /// A copy that keeps no larger buffer alive: use it before storing a received reply.
    #[must_use]
    pub fn detach(&self) -> Self {
        let text = match &self.text {
            Text::Lines(text) => Text::Lines(Bytes::copy_from_slice(text)),
            Text::Received(wire) => Text::Received(Bytes::copy_from_slice(wire)),
        };
        Self { code: self.code, enhanced: self.enhanced, text }
    }

    /// A view of `part`, which must be a part of [`Self::lines`].
    pub(crate) fn view(&self, part: &[u8]) -> Bytes {
        let (Text::Lines(text) | Text::Received(text)) = &self.text;
        let offset = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        match offset.checked_add(part.len()) {
            Some(end) if end <= text.len() => text.slice(offset..end),
            _ => Bytes::copy_from_slice(part),
        }
    }
}

/// RFC 5321 §4.2: textstring = 1*(%d09 / %d32-126); beyond ASCII only what RFC 6531 §3.7.4 allows, UTF-8
/// without controls.
fn check_line(line: &[u8]) -> Result<(), ReplyError> {
    let text =
        core::str::from_utf8(line).map_err(|error| ReplyError::NotUtf8 { offset: error.valid_up_to() })?;
    match text.char_indices().find(|&(_, character)| character.is_control() && character != '\t') {
        Some((offset, _)) => Err(ReplyError::Control { offset }),
        None => Ok(()),
    }
}

fn check_class(code: ReplyCode, enhanced: Option<EnhancedCode>) -> Result<Option<EnhancedCode>, ReplyError> {
    match enhanced {
        Some(enhanced) if u16::from(enhanced.class()) != code.get() / 100 => {
            Err(ReplyError::Class { code, enhanced })
        }
        other => Ok(other),
    }
}

/// The lines of a [`Reply`].
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: Option<&'a [u8]>,
    received: bool,
    enhanced: Option<EnhancedCode>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let line = match memchr::memchr(b'\n', rest) {
            Some(at) => {
                self.rest = rest.get(at + 1..);
                rest.get(..at)?
            }
            None => {
                self.rest = None;
                rest
            }
        };
        if !self.received {
            return Some(line);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = line.get(4..).unwrap_or_default();
        match EnhancedCode::parse_prefix(text) {
            Some((enhanced, text)) if self.enhanced == Some(enhanced) => Some(text),
            _ => Some(text),
        }
    }
}

impl PartialEq for Reply {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && self.enhanced == other.enhanced && self.lines().eq(other.lines())
    }
}

impl Eq for Reply {}

impl fmt::Display for Reply {
    /// `550 5.1.1 No such user here`, lines joined by ` / `; controls and what is not UTF-8 escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for (count, line) in self.lines().enumerate() {
            f.write_str(if count == 0 { " " } else { " / " })?;
            match core::str::from_utf8(line) {
                Ok(text) if !text.chars().any(char::is_control) => f.write_str(text)?,
                _ => write!(f, "{}", line.escape_ascii())?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use super::*;

    fn received(wire: &'static str) -> Reply {
        let digits = wire.as_bytes()[..3].try_into().unwrap();
        Reply::received(ReplyCode::from_digits(digits).unwrap(), Bytes::from_static(wire.as_bytes()))
    }

    #[test]
    fn every_constant_is_what_the_constructor_would_accept() {
        for reply in &constants() {
            let lines: Vec<_> = reply.lines().map(<[u8]>::to_vec).collect();
            assert_eq!(lines.len(), 1);
            assert_eq!(Reply::new(reply.code(), reply.enhanced(), lines[0].clone()).as_ref(), Ok(reply));
            // RFC 2034 §4
            assert_eq!(reply.enhanced().is_none(), reply.is_intermediate(), "{reply}");
            assert!(EnhancedCode::new(reply.enhanced().map_or(2, EnhancedCode::class), 0, 0).is_ok());
        }
    }

    #[test]
    fn controls_and_line_ends_make_no_reply() {
        for text in ["a\r\nb", "a\nb", "a\rb", "a\0", "\x1b[1m", "\x7f", "\u{85}"] {
            assert!(matches!(Reply::OK.with_text(text), Err(ReplyError::Control { .. })), "{text:?}");
            assert!(Reply::multi_line(ReplyCode::OK, None, [text]).is_err());
        }
        assert!(matches!(Reply::OK.with_text(&b"a\xff"[..]), Err(ReplyError::NotUtf8 { offset: 1 })));
        assert!(Reply::OK.with_text("tab\tand ü").is_ok());
    }

    #[test]
    fn the_class_of_the_enhanced_code_is_the_first_digit() {
        let enhanced = EnhancedCode::new(5, 1, 1).unwrap();
        for code in [ReplyCode::OK, ReplyCode::START_CONTENT, ReplyCode::MAILBOX_BUSY] {
            assert!(matches!(Reply::new(code, enhanced, "x"), Err(ReplyError::Class { .. })));
        }
    }

    #[test]
    fn a_received_reply_has_its_codes_and_lines_apart() {
        let reply = received("550-5.1.1 No such\r\n550-5.1.1 \r\n550-5.7.1 user\r\n550 5.1.1");
        assert_eq!(reply.enhanced().unwrap().to_string(), "5.1.1");
        assert!(reply.lines().eq([&b"No such"[..], b"", b"5.7.1 user", b""]));
    }

    #[test]
    fn a_reply_without_text_has_one_empty_line() {
        assert!(received("250").lines().eq([b""]));
        assert!(received("250 ").lines().eq([b""]));
    }

    #[test]
    fn an_enhanced_code_of_another_class_is_text() {
        let reply = received("250 5.1.1 strange");
        assert_eq!(reply.enhanced(), None);
        assert!(reply.lines().eq([b"5.1.1 strange"]));
    }

    #[test]
    fn built_and_received_replies_are_equal_by_their_lines() {
        assert_eq!(received("250 2.0.0 OK"), Reply::OK);
        let two = Reply::multi_line(ReplyCode::OK, None, ["a", "b"]).unwrap();
        assert_eq!(received("250-a\r\n250 b"), two);
        assert_ne!(received("250 a"), two);
    }

    #[test]
    fn without_enhanced_code_the_lines_stay() {
        let reply = received("554-5.7.1 no\r\n554 5.7.1 mail").without_enhanced();
        assert_eq!(reply.to_string(), "554 no / mail");
        assert_eq!(Reply::OK.without_enhanced().to_string(), "250 OK");
    }

    #[test]
    fn display_never_writes_a_control() {
        assert_eq!(received("550 a\x1b[2Jb").to_string(), r"550 a\x1b[2Jb");
        assert_eq!(received("550 gr\u{fc}n").to_string(), "550 grün");
    }

    #[test]
    fn detaching_keeps_the_value() {
        let reply = received("550-5.1.1 a\r\n550 5.1.1 b");
        assert_eq!(reply.detach(), reply);
    }
}
