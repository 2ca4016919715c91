//! [`Extension`]: one line that a server announces in its reply to EHLO or LHLO, for both
//! sides. RFC 5321 §4.1.1.1 and the RFC of each extension.
//!
//! Nothing here decides what to announce or to use; that is the business of the two machines.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

/// The arguments behind an EHLO keyword: words of printable ASCII, separated by single spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Arguments(Bytes);

/// An argument, keyword or line that may not stand in a reply to EHLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an EHLO keyword is letters, digits and hyphens; its arguments are printable ASCII words")]
#[non_exhaustive]
pub struct InvalidExtension;

impl Arguments {
    /// Arguments from words.
    ///
    /// # Errors
    /// If a word is empty or has other octets than %d33–126 (RFC 5321 §4.1.1.1, ehlo-param).
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Result<Self, InvalidExtension> {
        let mut text = String::new();
        for word in words {
            let word = word.as_ref();
            if word.is_empty() || !word.bytes().all(|octet| octet.is_ascii_graphic()) {
                return Err(InvalidExtension);
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        Ok(Self(text.into()))
    }

    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0
            .split(|&octet| octet == b' ')
            .filter_map(|word| core::str::from_utf8(word).ok())
            .filter(|word| !word.is_empty())
    }

    /// Whether one of the words is `word` in any ASCII case.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|own| own.eq_ignore_ascii_case(word))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, word) in self.iter().enumerate() {
            if count > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}

/// A keyword that this crate does not know, or one that it knows with arguments that make no sense; as
/// it stood on the line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownExtension(Bytes);

impl UnknownExtension {
    /// An extension of the host's own.
    ///
    /// # Errors
    /// If `keyword` is not letters, digits and hyphens with no hyphen in front (RFC 5321 §4.1.1.1).
    pub fn new(keyword: &str, arguments: &Arguments) -> Result<Self, InvalidExtension> {
        if !is_keyword(keyword.as_bytes()) {
            return Err(InvalidExtension);
        }
        let mut line = Vec::from(keyword);
        if !arguments.is_empty() {
            line.push(b' ');
            line.extend_from_slice(&arguments.0);
        }
        Ok(Self(line.into()))
    }

    /// The line as it came: any octets of a peer except NUL, CR and LF.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The keyword, if it is one.
    #[must_use]
    pub fn keyword(&self) -> Option<&str> {
        let keyword = self.0.split(|&octet| octet == b' ').next()?;
        if is_keyword(keyword) { core::str::from_utf8(keyword).ok() } else { None }
    }
}

fn is_keyword(keyword: &[u8]) -> bool {
    keyword.first().is_some_and(u8::is_ascii_alphanumeric)
        && keyword.iter().all(|&octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

/// One service extension as announced.
///
/// Extensions whose arguments have no meaning to this crate keep them as [`Arguments`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Extension {
    /// `EXPN` is implemented (RFC 5321 §3.5.2).
    Expn,
    /// `HELP` is implemented (RFC 5321 §4.1.1.8).
    Help,
    /// `VRFY` is implemented (RFC 5321 §3.5.2).
    Vrfy,
    /// `SIZE`, with the most octets of a message; `None` if no limit is known, which `0` also says (RFC 1870 §3).
    Size(Option<u64>),
    /// `ETRN` (RFC 1985).
    Etrn,
    /// `ENHANCEDSTATUSCODES` (RFC 2034).
    EnhancedStatusCodes,
    /// `ATRN` (RFC 2645).
    Atrn(Arguments),
    /// `DELIVERBY` with the least interval in seconds, if any (RFC 2852 §3).
    DeliverBy(Arguments),
    /// `PIPELINING` (RFC 2920).
    Pipelining,
    /// `CHUNKING`: BDAT (RFC 3030 §2).
    Chunking,
    /// `BINARYMIME` (RFC 3030 §3).
    BinaryMime,
    /// `STARTTLS` (RFC 3207).
    StartTls,
    /// `DSN` (RFC 3461).
    Dsn,
    /// `NO-SOLICITING` (RFC 3865).
    NoSoliciting(Arguments),
    /// `MTRK` (RFC 3885).
    Mtrk,
    /// `CONPERM` (RFC 4141).
    ConPerm,
    /// `CONNEG` (RFC 4141).
    ConNeg,
    /// `BURL` (RFC 4468).
    Burl(Arguments),
    /// `FUTURERELEASE` with the largest interval and date (RFC 4865 §3).
    FutureRelease(Arguments),
    /// `AUTH` with its mechanisms (RFC 4954 §3).
    Auth(Arguments),
    /// `8BITMIME` (RFC 6152).
    EightBitMime,
    /// `SMTPUTF8` (RFC 6531).
    SmtpUtf8,
    /// `MT-PRIORITY` with the profile, if named (RFC 6710).
    MtPriority(Arguments),
    /// `RRVS` (RFC 7293).
    Rrvs,
    /// `REQUIRETLS` (RFC 8689).
    RequireTls,
    /// `LIMITS` with its items `NAME=VALUE` (RFC 9422); see [`Capabilities::limits`](super::Capabilities::limits).
    Limits(Arguments),
    /// `XCLIENT` with its attributes.
    XClient(Arguments),
    /// `XFORWARD` with its attributes.
    XForward(Arguments),
    /// Anything else, kept as it stood.
    Unknown(UnknownExtension),
}

/// What follows a keyword.
enum Form {
    Plain(Extension),
    WithArguments(fn(Arguments) -> Extension),
}

/// The one table of keywords, in the order of [`Extension`]; SIZE and unknown ones are read apart.
static KEYWORDS: [(&str, Form); 27] = [
    ("EXPN", Form::Plain(Extension::Expn)),
    ("HELP", Form::Plain(Extension::Help)),
    ("VRFY", Form::Plain(Extension::Vrfy)),
    ("ETRN", Form::Plain(Extension::Etrn)),
    ("ENHANCEDSTATUSCODES", Form::Plain(Extension::EnhancedStatusCodes)),
    ("ATRN", Form::WithArguments(Extension::Atrn)),
    ("DELIVERBY", Form::WithArguments(Extension::DeliverBy)),
    ("PIPELINING", Form::Plain(Extension::Pipelining)),
    ("CHUNKING", Form::Plain(Extension::Chunking)),
    ("BINARYMIME", Form::Plain(Extension::BinaryMime)),
    ("STARTTLS", Form::Plain(Extension::StartTls)),
    ("DSN", Form::Plain(Extension::Dsn)),
    ("NO-SOLICITING", Form::WithArguments(Extension::NoSoliciting)),
    ("MTRK", Form::Plain(Extension::Mtrk)),
    ("CONPERM", Form::Plain(Extension::ConPerm)),
    ("CONNEG", Form::Plain(Extension::ConNeg)),
    ("BURL", Form::WithArguments(Extension::Burl)),
    ("FUTURERELEASE", Form::WithArguments(Extension::FutureRelease)),
    ("AUTH", Form::WithArguments(Extension::Auth)),
    ("8BITMIME", Form::Plain(Extension::EightBitMime)),
    ("SMTPUTF8", Form::Plain(Extension::SmtpUtf8)),
    ("MT-PRIORITY", Form::WithArguments(Extension::MtPriority)),
    ("RRVS", Form::Plain(Extension::Rrvs)),
    ("REQUIRETLS", Form::Plain(Extension::RequireTls)),
    ("LIMITS", Form::WithArguments(Extension::Limits)),
    ("XCLIENT", Form::WithArguments(Extension::XClient)),
    ("XFORWARD", Form::WithArguments(Extension::XForward)),
];

impl Extension {
    /// `AUTH` with these mechanism names.
    ///
    /// # Errors
    /// If a name is no word of printable ASCII.
    pub fn auth<W: AsRef<str>>(mechanisms: impl IntoIterator<Item = W>) -> Result<Self, InvalidExtension> {
        Arguments::new(mechanisms).map(Self::Auth)
    }

    /// Reads one line of a reply to EHLO. Never fails: what it does not know is [`Extension::Unknown`].
    #[must_use]
    pub fn parse(line: &Bytes) -> Self {
        let unknown = || Self::Unknown(UnknownExtension(line.clone()));
        let text = line.trim_ascii_end();
        let end = memchr::memchr(b' ', text).unwrap_or(text.len());
        let (Some(keyword), Some(rest)) = (text.get(..end), text.get(end..)) else { return unknown() };
        let start = end + (rest.len() - rest.trim_ascii_start().len());
        // RFC 5321 §4.1.1.1: ehlo-param = 1*(%d33-126)
        let rest = rest.trim_ascii_start();
        if !rest.iter().all(|&octet| octet.is_ascii_graphic() || octet == b' ') {
            return unknown();
        }
        let arguments = || Arguments(line.slice(start..start + rest.len()));
        if keyword.eq_ignore_ascii_case(b"SIZE") {
            return match size(rest) {
                Some(limit) => Self::Size(limit),
                None => unknown(),
            };
        }
        // Old servers write `AUTH=LOGIN`, which became part of no RFC.
        if let Some((name, first)) = keyword.split_at_checked(5) {
            if name.eq_ignore_ascii_case(b"AUTH=") && !first.is_empty() {
                return Self::Auth(Arguments(line.slice(5..start + rest.len())));
            }
        }
        // RFC 5321 §2.4: keywords are recognised in any case.
        match KEYWORDS.iter().find(|(name, _)| keyword.eq_ignore_ascii_case(name.as_bytes())) {
            Some((_, Form::Plain(extension))) => extension.clone(),
            Some((_, Form::WithArguments(make))) => make(arguments()),
            None => unknown(),
        }
    }

    /// The keyword as it is written; of an unknown one what stands before the first space.
    #[must_use]
    pub fn keyword(&self) -> &str {
        let same = |form: &Form| match form {
            Form::Plain(extension) => extension == self,
            Form::WithArguments(make) => {
                core::mem::discriminant(&make(Arguments::default())) == core::mem::discriminant(self)
            }
        };
        match self {
            Self::Size(_) => "SIZE",
            Self::Unknown(unknown) => unknown.keyword().unwrap_or_default(),
            _ => KEYWORDS.iter().find(|(_, form)| same(form)).map_or("", |(name, _)| name),
        }
    }

    fn arguments(&self) -> Option<&Arguments> {
        match self {
            Self::Atrn(arguments)
            | Self::DeliverBy(arguments)
            | Self::NoSoliciting(arguments)
            | Self::Burl(arguments)
            | Self::FutureRelease(arguments)
            | Self::Auth(arguments)
            | Self::MtPriority(arguments)
            | Self::Limits(arguments)
            | Self::XClient(arguments)
            | Self::XForward(arguments) => Some(arguments).filter(|arguments| !arguments.is_empty()),
            _ => None,
        }
    }
}

/// The value of SIZE; `None` if it is no number.
fn size(argument: &[u8]) -> Option<Option<u64>> {
    if argument.is_empty() {
        return Some(None);
    }
    let digits = argument.split(|&octet| octet == b' ').next()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // RFC 1870 §3: zero is no fixed limit. A number beyond 64 bits limits nothing that could be sent.
    let limit = digits
        .iter()
        .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    Some(limit.filter(|&limit| limit != 0))
}

impl fmt::Display for Extension {
    /// The line as it is written behind `250-`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => match core::str::from_utf8(&unknown.0) {
                Ok(text) if !text.chars().any(char::is_control) => f.write_str(text),
                _ => write!(f, "{}", unknown.0.escape_ascii()),
            },
            Self::Size(Some(limit)) => write!(f, "SIZE {limit}"),
            known => {
                f.write_str(known.keyword())?;
                match known.arguments() {
                    Some(arguments) => write!(f, " {arguments}"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    fn parse(line: &'static str) -> Extension {
        Extension::parse(&Bytes::from_static(line.as_bytes()))
    }

    #[test]
    fn every_keyword_reads_in_any_case_and_writes_itself() {
        for (name, _) in &KEYWORDS {
            let extension = Extension::parse(&Bytes::from(name.to_ascii_lowercase()));
            assert!(!matches!(extension, Extension::Unknown(_)), "{name}");
            assert_eq!(extension.keyword(), *name);
            assert_eq!(extension.to_string(), *name);
        }
    }

    #[test]
    fn size_without_value_or_zero_is_no_known_limit() {
        for line in ["SIZE", "size ", "SIZE 0", "SIZE 00", "SIZE 99999999999999999999999"] {
            assert_eq!(parse(line), Extension::Size(None), "{line}");
        }
        assert_eq!(parse("SIZE 0010 x"), Extension::Size(Some(10)));
        assert_eq!(parse("SIZE 18446744073709551615"), Extension::Size(Some(u64::MAX)));
        for line in ["SIZE -1", "SIZE +5", "SIZE 1k", "SIZE 0x10"] {
            assert!(matches!(parse(line), Extension::Unknown(_)), "{line}");
        }
    }

    #[test]
    fn what_is_not_known_stays_as_it_stood() {
        for line in ["X-FOO bar  baz", "-bad", "", "8BITMIME\u{7f}x", "AUTH \u{fc}", "STARTTLSX"] {
            let Extension::Unknown(unknown) = parse(line) else { panic!("{line}") };
            assert_eq!(unknown.as_bytes(), line.as_bytes());
        }
    }

    #[test]
    fn a_host_cannot_announce_what_would_break_the_line() {
        assert!(Extension::auth(["PLAIN\r\nX"]).is_err());
        assert!(Extension::auth(["A B"]).is_err());
        assert!(Extension::auth([""]).is_err());
        assert!(UnknownExtension::new("-X", &Arguments::default()).is_err());
        assert!(UnknownExtension::new("X Y", &Arguments::default()).is_err());
    }
}
