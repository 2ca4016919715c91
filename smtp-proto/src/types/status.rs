//! [`ReplyCode`] and [`EnhancedCode`]: the numbers of a reply, RFC 5321 §4.2, RFC 3463 and RFC 2034.
//!
//! What a code means for a transaction is the machine's business; here are only the values, their
//! ranges and their severity.

use core::fmt;
use core::str::FromStr;

/// How grave a reply is: the first digit of its code (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 §4.2.1 has these and no others")]
pub enum Severity {
    /// 2yz: done.
    Positive,
    /// 3yz: accepted so far, more is awaited.
    Intermediate,
    /// 4yz: refused now, may succeed later.
    Transient,
    /// 5yz: refused for good.
    Permanent,
}

/// A three-digit reply code: first digit 2–5, second 0–5 (RFC 5321 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u16", into = "u16"))]
pub struct ReplyCode(u16);

/// A number that is no reply code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no reply code: 200 to 559 with a second digit of 0 to 5 is one")]
pub struct InvalidReplyCode(u16);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl ReplyCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*
        }

        #[cfg(test)]
        const NAMED: &[u16] = &[$($code),*];
    };
}

// In numeric order: RFC 5321 §4.2.3, RFC 4954 §4 and §6, RFC 7504 §3 and §4.
codes! {
    /// 211: system status.
    STATUS = 211;
    /// 214: help text.
    HELP = 214;
    /// 220: service ready; also the agreement to STARTTLS.
    READY = 220;
    /// 221: closing.
    CLOSING = 221;
    /// 235: authenticated.
    AUTHENTICATED = 235;
    /// 250: done.
    OK = 250;
    /// 251: user not local, will forward.
    WILL_FORWARD = 251;
    /// 252: cannot verify, but will accept and try.
    CANNOT_VERIFY = 252;
    /// 334: challenge of an AUTH exchange.
    CHALLENGE = 334;
    /// 354: send the content.
    START_CONTENT = 354;
    /// 421: service not available, closing.
    UNAVAILABLE = 421;
    /// 432: a password transition is needed.
    PASSWORD_TRANSITION_NEEDED = 432;
    /// 450: mailbox busy or blocked for now.
    MAILBOX_BUSY = 450;
    /// 451: local error, try again.
    LOCAL_ERROR = 451;
    /// 452: insufficient storage, or too many recipients.
    INSUFFICIENT_STORAGE = 452;
    /// 454: temporary failure of authentication or TLS.
    TEMPORARY_AUTHENTICATION_FAILURE = 454;
    /// 455: unable to accommodate parameters.
    PARAMETERS_UNAVAILABLE = 455;
    /// 500: command not recognised, or its line malformed.
    SYNTAX_ERROR = 500;
    /// 501: syntax error in arguments.
    ARGUMENT_SYNTAX_ERROR = 501;
    /// 502: command not implemented.
    NOT_IMPLEMENTED = 502;
    /// 503: bad sequence of commands.
    BAD_SEQUENCE = 503;
    /// 504: argument not implemented.
    ARGUMENT_NOT_IMPLEMENTED = 504;
    /// 521: this host accepts no mail.
    NO_MAIL = 521;
    /// 530: authentication or encryption required.
    AUTHENTICATION_REQUIRED = 530;
    /// 534: mechanism too weak.
    MECHANISM_TOO_WEAK = 534;
    /// 535: credentials invalid.
    CREDENTIALS_INVALID = 535;
    /// 538: encryption required for this mechanism (historical).
    ENCRYPTION_REQUIRED = 538;
    /// 550: mailbox unavailable, or refused by policy.
    MAILBOX_UNAVAILABLE = 550;
    /// 551: user not local.
    USER_NOT_LOCAL = 551;
    /// 552: exceeded storage or size.
    EXCEEDED_STORAGE = 552;
    /// 553: mailbox name not allowed.
    MAILBOX_NAME_NOT_ALLOWED = 553;
    /// 554: transaction failed, or no service here.
    TRANSACTION_FAILED = 554;
    /// 555: parameters not recognised.
    PARAMETERS_NOT_RECOGNISED = 555;
    /// 556: the domain accepts no mail.
    DOMAIN_ACCEPTS_NO_MAIL = 556;
}

impl ReplyCode {
    /// The code with this number.
    ///
    /// # Errors
    /// Outside 200–559, or with a second digit above 5.
    pub const fn new(code: u16) -> Result<Self, InvalidReplyCode> {
        if code >= 200 && code < 560 && code / 10 % 10 <= 5 {
            Ok(Self(code))
        } else {
            Err(InvalidReplyCode(code))
        }
    }

    /// The code that three ASCII digits spell.
    #[must_use]
    pub(crate) fn from_digits(digits: [u8; 3]) -> Option<Self> {
        let [first, second, third] = digits;
        // RFC 5321 §4.2: Reply-code = %x32-35 %x30-35 %x30-39
        if matches!(first, b'2'..=b'5') && matches!(second, b'0'..=b'5') && third.is_ascii_digit() {
            let digit = |octet: u8| u16::from(octet - b'0');
            Some(Self(digit(first) * 100 + digit(second) * 10 + digit(third)))
        } else {
            None
        }
    }

    /// The number, 200–559.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The three digits as ASCII.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "each is one digit")]
    pub const fn digits(self) -> [u8; 3] {
        [b'0' + (self.0 / 100) as u8, b'0' + (self.0 / 10 % 10) as u8, b'0' + (self.0 % 10) as u8]
    }

    /// How grave it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self.0 / 100 {
            2 => Severity::Positive,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// 2yz.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        matches!(self.severity(), Severity::Positive)
    }

    /// 3yz.
    #[must_use]
    pub const fn is_intermediate(self) -> bool {
        matches!(self.severity(), Severity::Intermediate)
    }

    /// 4yz.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self.severity(), Severity::Transient)
    }

    /// 5yz.
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        matches!(self.severity(), Severity::Permanent)
    }
}

impl TryFrom<u16> for ReplyCode {
    type Error = InvalidReplyCode;

    fn try_from(code: u16) -> Result<Self, Self::Error> {
        Self::new(code)
    }
}

impl From<ReplyCode> for u16 {
    fn from(code: ReplyCode) -> Self {
        code.0
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An enhanced status code, `class.subject.detail` (RFC 3463 §2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

/// Numbers or text that are no enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no enhanced status code: class 2, 4 or 5, subject and detail 0 to 999, as in 5.7.1")]
#[non_exhaustive]
pub struct InvalidEnhancedCode;

impl EnhancedCode {
    /// The code `class.subject.detail`.
    ///
    /// # Errors
    /// If the class is not 2, 4 or 5, or another number is above 999.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Result<Self, InvalidEnhancedCode> {
        if matches!(class, 2 | 4 | 5) && subject <= 999 && detail <= 999 {
            Ok(Self { class, subject, detail })
        } else {
            Err(InvalidEnhancedCode)
        }
    }

    /// For constants of the crate, whose numbers a test checks.
    pub(crate) const fn constant(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Reads a code from the front of `text`; what follows is returned too. The code must be followed
    /// by a space, which is taken, or by the end.
    pub(crate) fn parse_prefix(text: &[u8]) -> Option<(Self, &[u8])> {
        // RFC 3463 §2: status-code = class "." subject "." detail, 1*3digit each behind the class
        let (&class, rest) = text.split_first()?;
        let rest = rest.strip_prefix(b".")?;
        let (subject, rest) = number(rest)?;
        let rest = rest.strip_prefix(b".")?;
        let (detail, rest) = number(rest)?;
        let code = Self::new(class.wrapping_sub(b'0'), subject, detail).ok()?;
        match rest.split_first() {
            None => Some((code, rest)),
            Some((b' ', rest)) => Some((code, rest)),
            Some(_) => None,
        }
    }

    /// 2, 4 or 5: the first digit of the reply that it stands in (RFC 2034 §4).
    #[must_use]
    pub const fn class(self) -> u8 {
        self.class
    }

    /// What it is about, for example 7 for security or policy.
    #[must_use]
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// The precise condition.
    #[must_use]
    pub const fn detail(self) -> u16 {
        self.detail
    }

    /// Whether it is `X.subject.detail` for any class.
    #[must_use]
    pub const fn is(self, subject: u16, detail: u16) -> bool {
        self.subject == subject && self.detail == detail
    }
}

/// One to three digits.
fn number(text: &[u8]) -> Option<(u16, &[u8])> {
    let length = text.iter().take(4).take_while(|octet| octet.is_ascii_digit()).count();
    if !(1..=3).contains(&length) {
        return None;
    }
    let (digits, rest) = text.split_at_checked(length)?;
    Some((digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0')), rest))
}

impl FromStr for EnhancedCode {
    type Err = InvalidEnhancedCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Self::parse_prefix(text.as_bytes()) {
            Some((code, [])) if !text.ends_with(' ') => Ok(code),
            _ => Err(InvalidEnhancedCode),
        }
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl fmt::Debug for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for EnhancedCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for EnhancedCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::string::String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn every_number_is_judged_by_its_digits() {
        for code in 0..=u16::MAX {
            let digits = code.to_string();
            let octets: Option<[u8; 3]> = digits.as_bytes().try_into().ok();
            let expected = octets.is_some_and(|octets| {
                (b'2'..=b'5').contains(&octets[0]) && (b'0'..=b'5').contains(&octets[1])
            });
            assert_eq!(ReplyCode::new(code).is_ok(), expected, "{code}");
            if let Some(octets) = octets {
                assert_eq!(ReplyCode::from_digits(octets), ReplyCode::new(code).ok());
                assert!(ReplyCode::new(code).map_or(true, |code| code.digits() == octets));
            }
        }
    }

    #[test]
    fn every_named_code_is_valid() {
        assert!(NAMED.iter().all(|&code| ReplyCode::new(code).is_ok()));
        assert!(NAMED.is_sorted());
    }

    #[test]
    fn severity_is_the_first_digit() {
        assert!(ReplyCode::OK.is_positive());
        assert!(ReplyCode::START_CONTENT.is_intermediate());
        assert!(ReplyCode::UNAVAILABLE.is_transient());
        assert!(ReplyCode::TRANSACTION_FAILED.is_permanent());
    }

    #[test]
    fn an_enhanced_code_has_one_to_three_digits_in_each_part() {
        for text in ["2.0.0", "5.7.1", "4.999.0", "5.1.999", "5.01.001"] {
            assert!(text.parse::<EnhancedCode>().is_ok(), "{text}");
        }
        for text in [
            "", "5", "5.7", "5.7.", "5..1", "3.0.0", "1.0.0", "5.1000.0", "5.0.0001", "5.7.1 ", "5.7.1x",
            "a.1.1",
        ] {
            assert!(text.parse::<EnhancedCode>().is_err(), "{text}");
        }
        assert!(EnhancedCode::new(5, 1000, 0).is_err());
    }
}
