//! [`StsPolicy`]: the file that a domain publishes over HTTPS (RFC 8461 §3.2), and which hosts match it (§4.1).

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::fields;
use crate::name::DomainName;

/// Seconds that a policy lives, at most: a year and six hours.
const LONGEST: u64 = 31_557_600;
/// Digits of a number of seconds, at most.
const DIGITS: usize = 10;

/// What becomes of mail that the policy is not kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8461 §3.2 has these and no others")]
pub enum Mode {
    /// It is not delivered.
    Enforce,
    /// It is delivered, and reported.
    Testing,
    /// There is no policy any more.
    None,
}

impl Mode {
    /// The word in the policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        [Self::Enforce, Self::Testing, Self::None].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// The name of a mail host, or all names that have one more label than a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MxPattern {
    wildcard: bool,
    domain: DomainName,
}

impl MxPattern {
    /// Reads `mx.example.org` or `*.example.org`, in A-labels.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (wildcard, domain) = match text.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, text),
        };
        // The grammar is that of a domain in SMTP, so no underscores and no dot at the end.
        if domain.bytes().any(|octet| octet == b'_') || domain.ends_with('.') {
            return None;
        }
        Some(Self { wildcard, domain: DomainName::from_ascii(domain).ok()? })
    }

    /// Whether the host has that name.
    #[must_use]
    pub fn matches(&self, host: &DomainName) -> bool {
        if !self.wildcard {
            return *host == self.domain;
        }
        // RFC 8461 §4.1: `*` stands for the whole leftmost label, and for one only.
        host.as_str().split_once('.').is_some_and(|(_, parent)| parent == self.domain.as_str())
    }
}

impl fmt::Display for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wildcard { "*." } else { "" }, self.domain)
    }
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StsPolicy {
    /// What becomes of mail that it is not kept for.
    pub mode: Mode,
    /// The mail hosts of the domain.
    pub mx: Vec<MxPattern>,
    /// How long it may be kept, whole seconds.
    pub max_age: Duration,
}

/// Why a file is no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// A line that is no field, by its number from 1.
    #[error("line {0} is no field")]
    Line(usize),
    /// `version` is missing, or not `STSv1`.
    #[error("no version, or an unknown one")]
    Version,
    /// `mode` is missing, or none of the three.
    #[error("no mode, or an unknown one")]
    Mode,
    /// `max_age` is missing, or not a number of one to ten digits.
    #[error("no max_age, or no number")]
    MaxAge,
    /// An `mx` that is no name in A-labels, by the number of its line.
    #[error("the mx in line {0} is no name in A-labels")]
    Mx(usize),
    /// No `mx`, and a mode other than `none`.
    #[error("no mx")]
    NoMx,
}

impl StsPolicy {
    /// A policy of parts.
    #[must_use]
    pub const fn new(mode: Mode, mx: Vec<MxPattern>, max_age: Duration) -> Self {
        Self { mode, mx, max_age }
    }

    /// Reads the file. Fields that are not known are ignored, and so are empty lines; of fields that stand there twice the
    /// first counts, but for `mx`. A `max_age` above 31,557,600 seconds counts as that.
    ///
    /// # Errors
    /// If it is against the grammar, or lacks what is required.
    pub fn parse(body: &[u8]) -> Result<Self, PolicyError> {
        let text = core::str::from_utf8(body).map_err(|_| PolicyError::Encoding)?;
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        for (number, line) in text.split('\n').enumerate() {
            let number = number + 1;
            let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches(fields::is_white_char);
            if line.is_empty() {
                continue;
            }
            let (name, value) = field(line).ok_or(PolicyError::Line(number))?;
            // RFC 8461 §3.2: of each field but `mx` the first counts, and unknown ones are ignored.
            match name {
                "version" => _ = version.get_or_insert(value),
                "mode" => _ = mode.get_or_insert(value),
                "max_age" => _ = max_age.get_or_insert(value),
                "mx" => mx.push(MxPattern::parse(value).ok_or(PolicyError::Mx(number))?),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err(PolicyError::Version);
        }
        let mode = mode.and_then(Mode::of).ok_or(PolicyError::Mode)?;
        let max_age = max_age.and_then(seconds).ok_or(PolicyError::MaxAge)?;
        if mx.is_empty() && mode != Mode::None {
            return Err(PolicyError::NoMx);
        }
        Ok(Self { mode, mx, max_age })
    }

    /// Whether the host is one of the mail hosts of the domain.
    #[must_use]
    pub fn matches(&self, host: &DomainName) -> bool {
        self.mx.iter().any(|pattern| pattern.matches(host))
    }
}

impl fmt::Display for StsPolicy {
    /// As a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version: STSv1\nmode: {}\n", self.mode.as_str())?;
        self.mx.iter().try_for_each(|mx| writeln!(f, "mx: {mx}"))?;
        writeln!(f, "max_age: {}", self.max_age.as_secs())
    }
}

/// A line without white space at its end: a name, a colon, white space perhaps, and a value of printable characters.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let value = value.trim_start_matches(fields::is_white_char);
    (fields::is_name(name) && !value.is_empty() && !value.bytes().any(|octet| octet.is_ascii_control()))
        .then_some((name, value))
}

pub(super) fn seconds(digits: &str) -> Option<Duration> {
    if digits.len() > DIGITS || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(digits.parse::<u64>().ok()?.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString as _;

    use super::*;

    const GOOD: &str =
        "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n";

    fn error(text: &str) -> PolicyError {
        StsPolicy::parse(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn line_ends_order_and_white_space_do_not_matter() {
        let expected = StsPolicy::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(expected.to_string(), GOOD);
        for text in [
            GOOD.replace('\n', "\r\n"),
            GOOD.trim_end().into(),
            GOOD.replace(": ", ":"),
            GOOD.replace(": ", ": \t ").replace('\n', " \t\n"),
            format!("{GOOD}\n\r\n"),
            "max_age: 604800\nmx: MAIL.example.com\nmore: \u{e9} x\nmx: *.Example.net\nmode: enforce\nversion: STSv1".into(),
        ] {
            assert_eq!(StsPolicy::parse(text.as_bytes()).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn of_a_field_that_is_there_twice_the_first_counts() {
        let text = format!("{GOOD}version: STSv2\nmode: none\nmax_age: x\n");
        assert_eq!(StsPolicy::parse(text.as_bytes()), StsPolicy::parse(GOOD.as_bytes()));
        let text = format!("mode: none\n{GOOD}");
        assert_eq!(StsPolicy::parse(text.as_bytes()).unwrap().mode, Mode::None);
    }

    #[test]
    fn what_is_missing_or_wrong_says_so() {
        for (from, to, expected) in [
            ("version: STSv1", "version: STSv2", PolicyError::Version),
            ("version: STSv1", "Version: STSv1", PolicyError::Version),
            ("version: STSv1", "version: stsv1", PolicyError::Version),
            ("mode: enforce", "mode: Enforce", PolicyError::Mode),
            ("mode: enforce", "x: y", PolicyError::Mode),
            ("max_age: 604800", "max_age: 12345678901", PolicyError::MaxAge),
            ("max_age: 604800", "max_age: -1", PolicyError::MaxAge),
            ("max_age: 604800", "max_age: 1 2", PolicyError::MaxAge),
            ("max_age: 604800", "max_age:", PolicyError::Line(5)),
            ("max_age: 604800", "max_age 604800", PolicyError::Line(5)),
            ("max_age: 604800", " max_age: 604800", PolicyError::Line(5)),
            ("mx: mail", "mx: *.*.mail", PolicyError::Mx(3)),
            ("mx: mail", "mx: m*.mail", PolicyError::Mx(3)),
            ("mx: mail", "mx: .mail", PolicyError::Mx(3)),
            ("mx: mail", "mx: m\u{f8}x.mail", PolicyError::Mx(3)),
            ("mx: mail", "mx: m_x.mail", PolicyError::Mx(3)),
            ("mx: mail", "mx: a b.mail", PolicyError::Mx(3)),
            ("mail.example.com", "mail.example.com.", PolicyError::Mx(3)),
            ("mail.example.com", "*", PolicyError::Mx(3)),
            ("mode: enforce", "mode: enforce\nx: a\tb", PolicyError::Line(3)),
            ("mode: enforce", "mode: enforce\r\rx: y", PolicyError::Line(2)),
            ("mode: enforce", "mode: enforce\0", PolicyError::Line(2)),
            ("mode: enforce", "mode: enforce\n_x: y", PolicyError::Line(3)),
        ] {
            assert_eq!(error(&GOOD.replace(from, to)), expected, "{to:?}");
        }
        assert_eq!(error(""), PolicyError::Version);
        assert_eq!(error("version: STSv1\nmode: testing\nmax_age: 1"), PolicyError::NoMx);
        assert_eq!(StsPolicy::parse(b"\xff").unwrap_err(), PolicyError::Encoding);
        assert!(StsPolicy::parse(b"version: STSv1\nmode: none\nmax_age: 0").is_ok());
    }

    #[test]
    fn a_long_life_is_cut() {
        let age = |digits: &str| {
            let text = format!("version: STSv1\nmode: none\nmax_age: {digits}");
            StsPolicy::parse(text.as_bytes()).unwrap().max_age.as_secs()
        };
        assert_eq!([age("0"), age("0000000009"), age("31557600")], [0, 9, 31_557_600]);
        assert_eq!([age("31557601"), age("9999999999")], [31_557_600, 31_557_600]);
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let matches =
            |pattern: &str, host: &str| MxPattern::parse(pattern).unwrap().matches(&host.parse().unwrap());
        assert!(matches("*.example.com", "mail.example.com") && matches("*.EXAMPLE.com", "_x.example.com"));
        for host in ["example.com", "a.b.example.com", "mailexample.com", "com", "mail.example.com.net"] {
            assert!(!matches("*.example.com", host), "{host}");
        }
        assert!(
            matches("mail.example.com", "mail.example.com")
                && !matches("mail.example.com", "a.mail.example.com")
        );
    }
}
