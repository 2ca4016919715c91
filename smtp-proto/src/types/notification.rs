//! What a client asks for with the extension DSN: RET and ENVID on MAIL, NOTIFY and ORCPT on RCPT. RFC 3461 §4,
//! RFC 6533 §3.
//!
//! Values keep the form in which they came, since a relay passes them on unchanged (RFC 3461 §5.2.1). What
//! follows from them for reports is in [`dsn`](crate::dsn).

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use bytes::Bytes;

use super::xtext::{Unitext, Xtext, decode_unitext, decode_xtext, each_octet};

/// Why a value is none of RET, ENVID, NOTIFY or ORCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNotification {
    /// Longer than 100 octets of ENVID, 500 of ORCPT, in the form of the wire.
    #[error("the value is too long: at most 100 octets of ENVID, 500 of ORCPT")]
    TooLong,
    /// A control character, or one that has no place in this value.
    #[error("the value holds a character that it may not hold")]
    Character,
    /// Not the form that it must have.
    #[error("the value has not the form that it must have")]
    Form,
}

/// RET: what of the message a report of failure returns (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 3461 §4.3 has these and no others")]
pub enum Return {
    /// The whole message.
    Full,
    /// Its header.
    Headers,
}

impl FromStr for Return {
    type Err = InvalidNotification;

    /// `FULL` or `HDRS`, in any case.
    fn from_str(text: &str) -> Result<Self, InvalidNotification> {
        if text.eq_ignore_ascii_case("FULL") {
            Ok(Self::Full)
        } else if text.eq_ignore_ascii_case("HDRS") {
            Ok(Self::Headers)
        } else {
            Err(InvalidNotification::Form)
        }
    }
}

impl fmt::Display for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        })
    }
}

/// NOTIFY: the events that a sender wants to hear of (RFC 3461 §4.1). That none was given is another thing than
/// any value: keep an `Option<Notify>`.
///
/// ```
/// use mailwright_smtp::types::Notify;
///
/// let notify: Notify = "failure,Delay".parse()?;
/// assert!(notify.failure() && notify.delay() && !notify.success());
/// assert_eq!(notify.to_string(), "FAILURE,DELAY");
/// assert!("NEVER,DELAY".parse::<Notify>().is_err());
/// # Ok::<(), mailwright_smtp::types::InvalidNotification>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Notify(u8);

impl Notify {
    /// Nothing at all.
    pub const NEVER: Self = Self(0);
    /// Delivery.
    pub const SUCCESS: Self = Self(1);
    /// Failure.
    pub const FAILURE: Self = Self(2);
    /// Delay.
    pub const DELAY: Self = Self(4);

    const NAMED: [(Self, &'static str); 3] =
        [(Self::SUCCESS, "SUCCESS"), (Self::FAILURE, "FAILURE"), (Self::DELAY, "DELAY")];

    /// The events of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The same without SUCCESS: what an alias of several addresses passes on (RFC 3461 §5.2.7.3).
    #[must_use]
    pub const fn without_success(self) -> Self {
        Self(self.0 & !Self::SUCCESS.0)
    }

    /// NEVER.
    #[must_use]
    pub const fn is_never(self) -> bool {
        self.0 == 0
    }

    /// SUCCESS.
    #[must_use]
    pub const fn success(self) -> bool {
        self.0 & Self::SUCCESS.0 != 0
    }

    /// FAILURE.
    #[must_use]
    pub const fn failure(self) -> bool {
        self.0 & Self::FAILURE.0 != 0
    }

    /// DELAY.
    #[must_use]
    pub const fn delay(self) -> bool {
        self.0 & Self::DELAY.0 != 0
    }
}

impl FromStr for Notify {
    type Err = InvalidNotification;

    /// `NEVER`, or a list of `SUCCESS`, `FAILURE`, `DELAY` with commas; in any case.
    fn from_str(text: &str) -> Result<Self, InvalidNotification> {
        // RFC 3461 §4.1: NEVER appears by itself.
        if text.eq_ignore_ascii_case("NEVER") {
            return Ok(Self::NEVER);
        }
        text.split(',').try_fold(Self::NEVER, |all, word| {
            let named = Self::NAMED.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
            named.map(|&(event, _)| all.and(event)).ok_or(InvalidNotification::Form)
        })
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("NEVER");
        }
        let mut separator = "";
        for (event, name) in Self::NAMED {
            if self.0 & event.0 != 0 {
                write!(f, "{separator}{name}")?;
                separator = ",";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// ENVID: what a sender calls its transaction (RFC 3461 §4.4). `Display` is the form of the wire, xtext, as it
/// came; equal are values that say the same.
///
/// ```
/// use mailwright_smtp::types::EnvelopeId;
///
/// let id: EnvelopeId = "QQ314159+2B1".parse()?;
/// assert_eq!(id.decode(), "QQ314159+1");
/// assert_eq!(id, EnvelopeId::new("QQ314159+1")?);
/// assert!(EnvelopeId::new("a\r\nb").is_err());
/// # Ok::<(), mailwright_smtp::types::InvalidNotification>(())
/// ```
#[derive(Clone)]
pub struct EnvelopeId(Bytes);

impl EnvelopeId {
    /// The most octets of the form of the wire.
    pub const MAX_OCTETS: usize = 100;

    /// An id that says `text`: printable ASCII and spaces.
    ///
    /// # Errors
    /// If it is empty, too long once encoded, or holds another character.
    pub fn new(text: &str) -> Result<Self, InvalidNotification> {
        Self::parse(&Bytes::from(Xtext(text).to_string()))
    }

    /// Reads the form of the wire; the id is a view of it.
    pub(crate) fn parse(wire: &Bytes) -> Result<Self, InvalidNotification> {
        if wire.is_empty() {
            return Err(InvalidNotification::Form);
        }
        if wire.len() > Self::MAX_OCTETS {
            return Err(InvalidNotification::TooLong);
        }
        check_printable(wire)?;
        Ok(Self(wire.clone()))
    }

    /// The form of the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What it says: printable ASCII and spaces.
    #[must_use]
    pub fn decode(&self) -> String {
        printable_xtext(&self.0).unwrap_or_default()
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl PartialEq for EnvelopeId {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.decode() == other.decode()
    }
}

impl Eq for EnvelopeId {}

impl Hash for EnvelopeId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.decode().hash(state);
    }
}

/// RFC 3461 §4.2, §4.4: what xtext carries is printable ASCII and white space.
fn check_printable(wire: &[u8]) -> Result<(), InvalidNotification> {
    let mut is_ascii = true;
    each_octet(wire, |octet| is_ascii &= octet.is_ascii()).ok_or(InvalidNotification::Form)?;
    if is_ascii { Ok(()) } else { Err(InvalidNotification::Character) }
}

/// The same, with what it carries.
fn printable_xtext(wire: &[u8]) -> Result<String, InvalidNotification> {
    let decoded = decode_xtext(wire).ok_or(InvalidNotification::Form)?;
    let text = String::from_utf8(decoded).map_err(|_| InvalidNotification::Character)?;
    if text.is_ascii() { Ok(text) } else { Err(InvalidNotification::Character) }
}

/// ORCPT: the address that the sender gave for a recipient (RFC 3461 §4.2). `Display` is the form of the wire,
/// as it came: a relay may not change as much as its case.
///
/// ```
/// use mailwright_smtp::types::OriginalRecipient;
///
/// let original: OriginalRecipient = "rfc822;Bob+2Bnews@Example.org".parse()?;
/// assert_eq!((original.address_type(), &*original.decode()), ("rfc822", "Bob+news@Example.org"));
/// let original: OriginalRecipient = r"utf-8;b\x{FC}hler@example.org".parse()?;
/// assert_eq!(original.decode(), "bühler@example.org");
/// # Ok::<(), mailwright_smtp::types::InvalidNotification>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OriginalRecipient {
    wire: Bytes,
    /// Where the semicolon stands.
    semicolon: usize,
}

impl OriginalRecipient {
    /// The most octets of the form of the wire.
    pub const MAX_OCTETS: usize = 500;

    /// The address as a sender gives it: `rfc822`, or `utf-8` if it is not ASCII.
    ///
    /// # Errors
    /// If it holds a control character, or is too long once encoded.
    pub fn new(address: &str) -> Result<Self, InvalidNotification> {
        let wire = if address.is_ascii() {
            format!("rfc822;{}", Xtext(address))
        } else {
            format!("utf-8;{}", Unitext(address))
        };
        wire.parse()
    }

    /// Reads the form of the wire; the value is a view of it.
    pub(crate) fn parse(wire: &Bytes) -> Result<Self, InvalidNotification> {
        if wire.len() > Self::MAX_OCTETS {
            return Err(InvalidNotification::TooLong);
        }
        let semicolon = memchr::memchr(b';', wire).ok_or(InvalidNotification::Form)?;
        let value = Self { wire: wire.clone(), semicolon };
        let text = core::str::from_utf8(wire).map_err(|_| InvalidNotification::Character)?;
        if !is_atom(text.get(..semicolon).unwrap_or_default()) {
            return Err(InvalidNotification::Form);
        }
        if value.is_utf8() {
            value.decoded()?;
        } else {
            check_printable(wire.get(semicolon + 1..).unwrap_or_default())?;
        }
        Ok(value)
    }

    /// The type of the address: `rfc822`, `utf-8`, or another; its case does not matter.
    #[must_use]
    pub fn address_type(&self) -> &str {
        self.as_str().get(..self.semicolon).unwrap_or_default()
    }

    /// Whether the type is `utf-8` (RFC 6533 §3).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.address_type().eq_ignore_ascii_case("utf-8")
    }

    /// The form of the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.wire).unwrap_or_default()
    }

    /// The address without its encoding; it has no control characters, and need not be an address otherwise.
    #[must_use]
    pub fn decode(&self) -> String {
        self.decoded().unwrap_or_default()
    }

    /// RFC 3461 §4.2: xtext; RFC 6533 §3: of the type `utf-8` another encoding.
    fn decoded(&self) -> Result<String, InvalidNotification> {
        let address = self.as_str().get(self.semicolon + 1..).unwrap_or_default();
        if !self.is_utf8() {
            return printable_xtext(address.as_bytes());
        }
        match decode_unitext(address) {
            Ok(decoded) if !decoded.is_empty() => Ok(decoded),
            _ => Err(InvalidNotification::Form),
        }
    }

    /// The same in ASCII, for a server without SMTPUTF8 (RFC 6533 §3). It may be longer than
    /// [`Self::MAX_OCTETS`].
    #[must_use]
    pub fn to_ascii(&self) -> Self {
        if self.as_str().is_ascii() {
            return self.clone();
        }
        let wire = format!("{};{}", self.address_type(), Unitext(&self.decode()));
        Self { wire: wire.into(), semicolon: self.semicolon }
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self { wire: Bytes::copy_from_slice(&self.wire), semicolon: self.semicolon }
    }
}

/// The atom of RFC 822, which no special, space or control is part of.
pub(crate) fn is_atom(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|octet| octet.is_ascii_graphic() && !b"()<>@,;:\\\".[]".contains(&octet))
}

/// Reading and writing the form of the wire.
macro_rules! wire_text {
    ($($type:ident),*) => {$(
        impl FromStr for $type {
            type Err = InvalidNotification;

            fn from_str(text: &str) -> Result<Self, InvalidNotification> {
                Self::parse(&Bytes::copy_from_slice(text.as_bytes()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
    )*};
}

wire_text!(EnvelopeId, OriginalRecipient);

#[cfg(feature = "serde")]
macro_rules! serde_as_text {
    ($($type:ty),*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

#[cfg(feature = "serde")]
serde_as_text!(Return, Notify, EnvelopeId, OriginalRecipient);

#[cfg(test)]
mod tests;
