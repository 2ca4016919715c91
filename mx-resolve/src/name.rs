//! [`DomainName`]: the only form in which names are asked for, compared, cached and written: lower-case A-labels
//! without a trailing dot. [`Target`]: a name as a record gives it, which may be anything.
//!
//! Names are checked here before they reach a log, a certificate check or a URL (RFC 1035 §2.3.4 for the lengths,
//! RFC 5890 §2.3.2.1 for A-labels). Whether a name may be a mail host is asked of [`DomainName::special`].

use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt::{self, Write as _};
use core::str::FromStr;

/// Octets of a name in text form, without the trailing dot.
const NAME: usize = 253;
/// Octets of a label.
const LABEL: usize = 63;

/// A domain name: letters, digits, hyphens and underscores in labels, lower case, at most 253 octets, no trailing dot.
///
/// Underscores are allowed (`_mta-sts.example.org`, and hosts that have one); a label neither begins nor ends with a
/// hyphen. A clone shares the text.
///
/// ```
/// use mailwright_mx::DomainName;
///
/// let name: DomainName = "MX1.Example.org.".parse()?;
/// assert_eq!(name.as_str(), "mx1.example.org");
/// assert!("mx1 .example.org".parse::<DomainName>().is_err());
/// # Ok::<(), mailwright_mx::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Arc<str>);

/// Why a text is no [`DomainName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing, or two dots in a row, or a dot in front.
    #[error("a label is empty")]
    EmptyLabel,
    /// A label of more than 63 octets.
    #[error("a label has more than 63 octets")]
    LongLabel,
    /// More than 253 octets.
    #[error("the name has more than 253 octets")]
    LongName,
    /// A character other than a letter, digit, hyphen or underscore.
    #[error("a label holds a character other than a letter, a digit, a hyphen or an underscore")]
    Character,
    /// A label that begins or ends with a hyphen.
    #[error("a label begins or ends with a hyphen")]
    Hyphen,
    /// Not valid as an internationalised name.
    #[error("the name is not valid under IDNA")]
    Idna,
}

/// Why a name is not for mail on the public network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpecialUse {
    /// `localhost`, or a name under it.
    Localhost,
    /// `invalid`, or a name under it.
    Invalid,
    /// `onion`, or a name under it.
    Onion,
}

impl DomainName {
    /// Reads ASCII text, with or without a dot at its end, in any case.
    ///
    /// # Errors
    /// If it is no name, or not ASCII.
    pub fn from_ascii(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        // RFC 1035 §2.3.4: 255 octets on the wire are 253 in text.
        if text.len() > NAME {
            return Err(NameError::LongName);
        }
        for label in text.split('.') {
            check_label(label.as_bytes())?;
        }
        if text.bytes().any(|octet| octet.is_ascii_uppercase()) {
            return Ok(Self(text.to_ascii_lowercase().into()));
        }
        Ok(Self(text.into()))
    }

    /// Reads a name as a person writes it: A-labels or U-labels.
    ///
    /// # Errors
    /// If it is no valid internationalised name.
    #[cfg(feature = "idna")]
    pub fn from_unicode(text: &str) -> Result<Self, NameError> {
        // RFC 6531 §3.2: names are looked up in the form of A-labels, RFC 5890 §2.3.2.1.
        let ascii = idna::domain_to_ascii(text).map_err(|_| NameError::Idna)?;
        Self::from_ascii(&ascii)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels, leftmost first; at least one.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split('.')
    }

    /// Whether it has one label only.
    #[must_use]
    pub fn is_single_label(&self) -> bool {
        !self.0.contains('.')
    }

    /// Whether it is an IP address in text form, or would be taken for one: its last label is a number.
    ///
    /// ```
    /// # use mailwright_mx::DomainName;
    /// for text in ["192.0.2.1", "127.1", "2130706433", "0x7f.1", "1.0x7f"] {
    ///     assert!(text.parse::<DomainName>()?.is_address());
    /// }
    /// assert!(!"192.0.2.1.in-addr.arpa".parse::<DomainName>()?.is_address());
    /// # Ok::<(), mailwright_mx::NameError>(())
    /// ```
    #[must_use]
    pub fn is_address(&self) -> bool {
        let last = self.labels().next_back().unwrap_or_default();
        match last.strip_prefix("0x") {
            Some(digits) => digits.bytes().all(|octet| octet.is_ascii_hexdigit()),
            None => last.bytes().all(|octet| octet.is_ascii_digit()),
        }
    }

    /// The special use of the name, if it is one that mail never goes to.
    ///
    /// This is decided before anything is asked, so it does not matter what a resolver makes up for such names.
    #[must_use]
    pub fn special(&self) -> Option<SpecialUse> {
        // RFC 6761 §6.3, §6.4: names under `localhost` are this host, those under `invalid` do not exist.
        // RFC 7686 §2: names under `onion` are never looked up in the DNS.
        match self.labels().next_back() {
            Some("localhost") => Some(SpecialUse::Localhost),
            Some("invalid") => Some(SpecialUse::Invalid),
            Some("onion") => Some(SpecialUse::Onion),
            _ => None,
        }
    }
}

fn check_label(label: &[u8]) -> Result<(), NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    if label.len() > LABEL {
        return Err(NameError::LongLabel);
    }
    if !label.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')) {
        return Err(NameError::Character);
    }
    if label.first() == Some(&b'-') || label.last() == Some(&b'-') {
        return Err(NameError::Hyphen);
    }
    Ok(())
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DomainName {
    type Err = NameError;

    /// With the feature `idna` U-labels are read too.
    fn from_str(text: &str) -> Result<Self, NameError> {
        #[cfg(feature = "idna")]
        if !text.is_ascii() {
            return Self::from_unicode(text);
        }
        Self::from_ascii(text)
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for DomainName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// A name as a record gives it: the target of an MX or CNAME record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name is the root, or good, or it is not")]
pub enum Target {
    /// `.`
    Root,
    /// A name that can be used.
    Name(DomainName),
    /// Something else: octets that are no host name.
    Malformed(MalformedName),
}

/// A name from the DNS that is no [`DomainName`], in the presentation format of RFC 1035 §5.1: dots inside labels and
/// everything that is not printable are escaped, so it is safe to print.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MalformedName(Arc<str>);

impl MalformedName {
    /// The escaped text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MalformedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Target {
    /// A name from its labels, without the empty one at the end.
    ///
    /// ```
    /// use mailwright_mx::Target;
    ///
    /// assert_eq!(Target::from_labels([]), Target::Root);
    /// assert_eq!(Target::from_labels([&b"MX1"[..], b"example"]).to_string(), "mx1.example");
    /// assert_eq!(Target::from_labels([&b"a.b\r\n"[..], b"example"]).to_string(), r"a\.b\013\010.example");
    /// ```
    #[must_use]
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut text = String::with_capacity(64);
        let mut good = true;
        for label in labels {
            if !text.is_empty() {
                text.push('.');
            }
            if check_label(label).is_ok() {
                text.extend(label.iter().map(|octet| char::from(octet.to_ascii_lowercase())));
                continue;
            }
            good = false;
            for &octet in label {
                match octet {
                    // RFC 1035 §5.1: `\X` for a character that has a meaning, `\DDD` for any octet.
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        text.push('\\');
                        text.push(char::from(octet));
                    }
                    0x21..=0x7e => text.push(char::from(octet.to_ascii_lowercase())),
                    _ => {
                        let _ = write!(text, "\\{octet:03}");
                    }
                }
            }
            if label.is_empty() {
                text.push_str("\\000");
            }
        }
        if text.is_empty() {
            Self::Root
        } else if good && text.len() <= NAME {
            Self::Name(DomainName(text.into()))
        } else {
            Self::Malformed(MalformedName(text.into()))
        }
    }

    /// The name, if it can be used.
    #[must_use]
    pub const fn name(&self) -> Option<&DomainName> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

impl From<DomainName> for Target {
    fn from(name: DomainName) -> Self {
        Self::Name(name)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("."),
            Self::Name(name) => fmt::Display::fmt(name, f),
            Self::Malformed(name) => fmt::Display::fmt(name, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn lengths_are_those_of_the_dns() {
        let label = "a".repeat(63);
        let longest = [&label[..], &label, &label, &label[..61]].join(".");
        assert_eq!(longest.len(), 253);
        assert_eq!(DomainName::from_ascii(&longest).unwrap().as_str(), longest);
        assert_eq!(DomainName::from_ascii(&alloc::format!("{longest}a")), Err(NameError::LongName));
        assert_eq!(DomainName::from_ascii(&"a".repeat(64)), Err(NameError::LongLabel));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (text, error) in [
            ("", NameError::EmptyLabel),
            (".", NameError::EmptyLabel),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            ("a b", NameError::Character),
            ("a\0b", NameError::Character),
            ("a\r\nb", NameError::Character),
            ("*.a", NameError::Character),
            ("-a.b", NameError::Hyphen),
            ("a-.b", NameError::Hyphen),
        ] {
            assert_eq!(DomainName::from_ascii(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn underscores_and_case_are_accepted() {
        assert_eq!("_MTA-STS.Ex_Ample.ORG".parse::<DomainName>().unwrap().as_str(), "_mta-sts.ex_ample.org");
    }

    #[test]
    fn a_malformed_name_is_safe_to_print() {
        let octets: alloc::vec::Vec<u8> = (0..=255).collect();
        let target = Target::from_labels(octets.chunks(60));
        let text = target.to_string();
        assert!(matches!(target, Target::Malformed(_)));
        assert!(text.bytes().all(|octet| octet.is_ascii_graphic()), "{text}");
    }

    #[test]
    fn a_dot_inside_a_label_is_not_a_separator() {
        assert!(matches!(Target::from_labels([&b"mx.example"[..], b"org"]), Target::Malformed(_)));
    }

    #[cfg(feature = "idna")]
    #[test]
    fn u_labels_become_a_labels() {
        assert_eq!("Bücher.example".parse::<DomainName>().unwrap().as_str(), "xn--bcher-kva.example");
        assert_eq!("bücher。example".parse::<DomainName>().unwrap().as_str(), "xn--bcher-kva.example");
        assert!("a\u{ad}\u{200d}.é\u{300}\u{2260}".parse::<DomainName>().is_err());
    }

    #[cfg(not(feature = "idna"))]
    #[test]
    fn without_tables_u_labels_are_refused() {
        assert_eq!("bücher.example".parse::<DomainName>(), Err(NameError::Character));
    }
}
