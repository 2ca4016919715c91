//! The values of fields: names of servers, addresses, diagnostics, other fields, message ids. RFC 3464 §2.1.2,
//! §2.2.2, §2.3.1 and §2.3.6; RFC 6533 §3.
//!
//! Servers and their replies are the usual carriers of line ends that do not belong: no value here holds a control
//! character, so none can end a line or start a field.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt::{self, Write as _};

use mailwright_core::value::{Domain, ForwardPath, Mailbox};

use crate::types::xtext::{Unitext, embedded};
use crate::types::{OriginalRecipient, Reply, is_atom};

/// Why text makes no value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidValue {
    /// It holds a control character, or one beyond ASCII where there may be none.
    #[error("a character that may not stand there")]
    Character,
    /// It has not the form that it must have, or nothing is left of it.
    #[error("not of the form that it must have")]
    Form,
    /// It is longer than a line.
    #[error("longer than a line may be")]
    TooLong,
}

/// The most octets of a value that is not folded, so that its line stays within RFC 5322 §2.1.1.
const LINE: usize = 900;

/// The most octets without a space where lines are folded.
const WORD: usize = 512;

/// The name of a server, with its type: `dns` and a domain name as a rule (RFC 3464 §2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MtaName {
    kind: Box<str>,
    name: Box<str>,
}

impl MtaName {
    /// The type `dns`.
    ///
    /// # Errors
    /// If the domain is beyond ASCII: give its A-label form.
    pub fn dns(domain: &Domain) -> Result<Self, InvalidValue> {
        Self::new("dns", &domain.to_string())
    }

    /// A name of another type.
    ///
    /// # Errors
    /// If the type is no atom, or the name is empty, longer than a line, or not printable ASCII.
    pub fn new(kind: &str, name: &str) -> Result<Self, InvalidValue> {
        let name = checked(kind, name)?;
        if !name.is_ascii() {
            return Err(InvalidValue::Character);
        }
        Ok(Self { kind: kind.into(), name: name.into() })
    }

    /// The type, as it stands: its case does not matter.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for MtaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.kind, self.name)
    }
}

/// RFC 3464 §2.1.2: an atom for the type, and text on one line.
fn checked<'a>(kind: &str, text: &'a str) -> Result<&'a str, InvalidValue> {
    let text = text.trim_matches(' ');
    if !is_atom(kind) || text.is_empty() {
        return Err(InvalidValue::Form);
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidValue::Character);
    }
    if kind.len() + text.len() > LINE {
        return Err(InvalidValue::TooLong);
    }
    Ok(text)
}

/// The address of a recipient, with its type: `rfc822`, or `utf-8` beyond ASCII (RFC 3464 §2.3.1, RFC 6533 §3).
/// The address stands without encoding, in the case in which it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    kind: Box<str>,
    text: Box<str>,
}

impl Address {
    /// An address of a type.
    ///
    /// # Errors
    /// If the type is no atom, or the address is empty, longer than a line, has a control character, or is
    /// beyond ASCII and not of the type `utf-8`.
    pub fn new(kind: &str, text: &str) -> Result<Self, InvalidValue> {
        let text = checked(kind, text)?;
        if !text.is_ascii() && !is_utf8(kind) {
            return Err(InvalidValue::Character);
        }
        Ok(Self { kind: kind.into(), text: text.into() })
    }

    /// An address that is known to have no control character.
    fn from_text(text: String) -> Self {
        let kind = if text.is_ascii() { "rfc822" } else { "utf-8" };
        Self { kind: kind.into(), text: text.into() }
    }

    /// As it stands in a field: the address may be encoded by RFC 6533 §3, and of a wrong type.
    pub(super) fn read(kind: &str, text: &str) -> Result<Self, InvalidValue> {
        if is_utf8(kind) {
            return Self::new(kind, &decode(text));
        }
        Self::new(if text.is_ascii() { kind } else { "utf-8" }, text)
    }

    /// The type, as it stands: its case does not matter.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as one, if it is: reports of others hold all kinds of text.
    #[must_use]
    pub fn mailbox(&self) -> Option<Mailbox> {
        let bare = self.text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
        bare.unwrap_or(&self.text).parse().ok()
    }

    /// The field value: in a report beyond ASCII as it is, else encoded.
    pub(super) fn field(&self, utf8: bool) -> impl fmt::Display + '_ {
        struct Value<'a>(&'a Address, bool);
        impl fmt::Display for Value<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}; ", self.0.kind)?;
                self.0.write(self.1, f)
            }
        }
        Value(self, utf8)
    }

    /// The address alone, for people.
    pub(super) fn plain(&self, utf8: bool) -> impl fmt::Display + '_ {
        struct Value<'a>(&'a Address, bool);
        impl fmt::Display for Value<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(self.1, f)
            }
        }
        Value(self, utf8)
    }

    fn write(&self, utf8: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_utf8(&self.kind) {
            return f.write_str(&self.text);
        }
        if !utf8 {
            return fmt::Display::fmt(&Unitext(&self.text), f);
        }
        // RFC 6533 §4.1: as it is; but what looks encoded would be decoded by a reader.
        let mut rest = &*self.text;
        while let Some(character) = rest.chars().next() {
            if embedded(rest).is_some() {
                f.write_str("\\x{5C}")?;
            } else {
                f.write_char(character)?;
            }
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
        Ok(())
    }
}

fn is_utf8(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("utf-8")
}

/// RFC 6533 §4.1: undoes the encoding wherever it is well-formed; everything else stays.
fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (character, length) = embedded(rest)
            .filter(|(character, _)| !character.is_control())
            .unwrap_or((character, character.len_utf8()));
        decoded.push(character);
        rest = rest.get(length..).unwrap_or_default();
    }
    decoded
}

impl From<&Mailbox> for Address {
    fn from(mailbox: &Mailbox) -> Self {
        Self::from_text(mailbox.to_string())
    }
}

impl From<&ForwardPath> for Address {
    fn from(path: &ForwardPath) -> Self {
        match path {
            ForwardPath::Mailbox(mailbox) => mailbox.into(),
            ForwardPath::Postmaster => Self::from_text("Postmaster".into()),
        }
    }
}

impl TryFrom<&OriginalRecipient> for Address {
    type Error = InvalidValue;

    /// Fails if nothing is left to show: the address was empty, or spaces.
    fn try_from(original: &OriginalRecipient) -> Result<Self, InvalidValue> {
        Self::new(original.address_type(), &original.decode())
    }
}

/// What a mail transport said, with its type: `smtp` as a rule (RFC 3464 §2.3.6). Always printable ASCII: controls
/// and octets beyond are written as `\xHH`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    kind: Box<str>,
    text: Box<str>,
}

impl Diagnostic {
    /// The most octets of the text; more is cut.
    pub const MAX_OCTETS: usize = 2048;

    /// A reply: code, enhanced code, and its lines joined by spaces.
    #[must_use]
    pub fn smtp(reply: &Reply) -> Self {
        let mut text = reply.code().to_string();
        if let Some(enhanced) = reply.enhanced() {
            // Writing into a string does not fail.
            let _ = write!(text, " {enhanced}");
        }
        for line in reply.lines() {
            if text.len() >= Self::MAX_OCTETS {
                break;
            }
            text.push(' ');
            escape(line, &mut text);
        }
        Self { kind: "smtp".into(), text: tidy(&text, Self::MAX_OCTETS).into() }
    }

    /// Text of another type.
    ///
    /// # Errors
    /// If the type is no atom, or nothing is left of the text.
    pub fn new(kind: &str, text: &[u8]) -> Result<Self, InvalidValue> {
        let mut escaped = String::new();
        escape(text, &mut escaped);
        let text = tidy(&escaped, Self::MAX_OCTETS);
        if !is_atom(kind) || kind.len() > WORD || text.is_empty() {
            return Err(InvalidValue::Form);
        }
        Ok(Self { kind: kind.into(), text: text.into() })
    }

    /// The type, as it stands: its case does not matter.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What was said: printable ASCII.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.kind, self.text)
    }
}

/// Appends octets with everything but printable ASCII as `\xHH`; no more of them than a diagnostic takes.
fn escape(octets: &[u8], into: &mut String) {
    for &octet in octets.iter().take(Diagnostic::MAX_OCTETS) {
        if matches!(octet, b' '..=b'~') {
            into.push(char::from(octet));
        } else if octet == b'\t' {
            into.push(' ');
        } else {
            // Writing into a string does not fail.
            let _ = write!(into, "\\x{octet:02X}");
        }
    }
}

/// Text that can be folded: single spaces for white space and controls, no word above [`WORD`] octets, and
/// at most `limit` octets.
fn tidy(text: &str, limit: usize) -> String {
    let mut tidied = String::with_capacity(text.len().min(limit));
    let mut word = 0;
    let mut space = false;
    for character in text.chars() {
        if character.is_control() || character == ' ' {
            space = true;
            continue;
        }
        let length = character.len_utf8();
        let cut = word + length > WORD;
        let separator = usize::from((space || cut) && !tidied.is_empty());
        if tidied.len() + separator + length > limit {
            break;
        }
        if separator > 0 {
            tidied.push(' ');
        }
        if space || cut {
            word = 0;
        }
        space = false;
        tidied.push(character);
        word += length;
    }
    tidied
}

/// Text of one field: controls and runs of white space have become single spaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// The most octets; more is cut.
    pub const MAX_OCTETS: usize = 8192;

    /// Makes any text one that a field can hold.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(tidy(text, Self::MAX_OCTETS).into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A field that this crate gives no meaning, or whose value it could not read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    name: Box<str>,
    value: Text,
}

impl Field {
    /// The fields that have a place of their own in a report.
    const NAMED: [&str; 15] = [
        "Original-Envelope-Id",
        "Reporting-MTA",
        "DSN-Gateway",
        "Received-From-MTA",
        "Arrival-Date",
        "Original-Recipient",
        "Final-Recipient",
        "Action",
        "Status",
        "Remote-MTA",
        "Diagnostic-Code",
        "Last-Attempt-Date",
        "Final-Log-ID",
        "Will-Retry-Until",
        "SMTP-Remote-Recipient",
    ];

    /// A field; its value is made to fit as [`Text::new`] does it.
    ///
    /// # Errors
    /// If the name is not that of a header field (RFC 5322 §3.6.8), longer than 100 octets, or that of a field which
    /// has a place of its own in a report: another status, say, would contradict the first.
    pub fn new(name: &str, value: &str) -> Result<Self, InvalidValue> {
        let field = Self::read(name, value)?;
        if field.is_named() { Err(InvalidValue::Form) } else { Ok(field) }
    }

    /// A field that was read, whatever its name.
    pub(super) fn read(name: &str, value: &str) -> Result<Self, InvalidValue> {
        let fits = |octet: u8| octet.is_ascii_graphic() && octet != b':';
        if !(1..=100).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(InvalidValue::Form);
        }
        Ok(Self { name: name.into(), value: Text::new(value) })
    }

    /// Whether it is one that has a place of its own: a second one, or one that could not be read. It is kept for
    /// who looks at the report, and never written.
    pub(super) fn is_named(&self) -> bool {
        Self::NAMED.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    /// Its name, as it stands: its case does not matter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value, unfolded.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.as_str()
    }
}

/// A message id with its angle brackets (RFC 5322 §3.6.4): printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(Box<str>);

impl MessageId {
    /// Reads an id, with or without its angle brackets.
    ///
    /// # Errors
    /// If it is empty, longer than a line, or holds a space, an angle bracket, a control or what is not ASCII.
    pub fn new(text: &str) -> Result<Self, InvalidValue> {
        let bare = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        if bare.is_empty() {
            return Err(InvalidValue::Form);
        }
        if bare.len() > LINE {
            return Err(InvalidValue::TooLong);
        }
        if !bare.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>')) {
            return Err(InvalidValue::Character);
        }
        Ok(Self(format!("<{bare}>").into()))
    }

    /// The id with its angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
