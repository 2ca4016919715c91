//! [`Certificate`]: what name checks and TLSA records need of an X.509 certificate. Chains, signatures and lifetimes are
//! judged elsewhere; here nothing but structure is read, without recursion and never beyond the octets that are there.

use alloc::vec::Vec;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const IDENTIFIER: u8 = 0x06;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
/// Strings that hold ASCII as it is: UTF8String, PrintableString, TeletexString, IA5String.
const STRINGS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

/// Parts of a certificate, as views.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate<'a> {
    /// The whole.
    pub octets: &'a [u8],
    /// The SubjectPublicKeyInfo, with its tag and length.
    pub public_key: &'a [u8],
    /// The content of the issuer's name.
    pub issuer: &'a [u8],
    /// The names of type DNS-ID, as they stand there.
    pub dns_names: Vec<&'a [u8]>,
    /// The last common name of the subject, as it stands there.
    pub common_name: Option<&'a [u8]>,
    /// It has extensions.
    pub has_extensions: bool,
    /// It may sign others.
    pub is_authority: bool,
    /// How many certificates may stand between it and the last.
    pub path_length: Option<usize>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` if its structure is another.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(octets);
        let mut whole = Reader(outer.take(SEQUENCE)?);
        if !outer.0.is_empty() {
            return None;
        }
        let mut body = Reader(whole.take(SEQUENCE)?);
        let mut found = Self { octets, ..Self::default() };
        body.optional(VERSION)?;
        body.take(INTEGER)?;
        body.take(SEQUENCE)?;
        found.issuer = body.take(SEQUENCE)?;
        body.take(SEQUENCE)?;
        found.common_name = common_name(body.take(SEQUENCE)?)?;
        found.public_key = body.whole(SEQUENCE)?;
        while let Some((tag, content)) = body.next()? {
            if tag == EXTENSIONS {
                found.has_extensions = true;
                found.extensions(content)?;
            }
        }
        Some(found)
    }

    fn extensions(&mut self, content: &'a [u8]) -> Option<()> {
        let mut all = Reader(Reader(content).take(SEQUENCE)?);
        while !all.0.is_empty() {
            let mut extension = Reader(all.take(SEQUENCE)?);
            let identifier = extension.take(IDENTIFIER)?;
            extension.optional(BOOLEAN)?;
            let value = extension.take(OCTETS)?;
            if identifier == ALTERNATIVE_NAME {
                let mut names = Reader(Reader(value).take(SEQUENCE)?);
                while let Some((tag, name)) = names.next()? {
                    if tag == DNS_NAME {
                        self.dns_names.push(name);
                    }
                }
            } else if identifier == BASIC_CONSTRAINTS {
                let mut constraints = Reader(Reader(value).take(SEQUENCE)?);
                self.is_authority = constraints.optional(BOOLEAN)?.is_some_and(|value| value == [0xff]);
                let length = constraints.optional(INTEGER)?;
                self.path_length = length.map(|digits| {
                    let add =
                        |sum: usize, digit: &u8| sum.saturating_mul(256).saturating_add((*digit).into());
                    digits.iter().fold(0, add)
                });
            }
        }
        Some(())
    }
}

/// The last common name of a name, if it has one.
fn common_name(name: &[u8]) -> Option<Option<&[u8]>> {
    let (mut parts, mut found) = (Reader(name), None);
    while !parts.0.is_empty() {
        let mut set = Reader(parts.take(SET)?);
        while !set.0.is_empty() {
            let mut pair = Reader(set.take(SEQUENCE)?);
            let identifier = pair.take(IDENTIFIER)?;
            let (tag, value) = pair.next()??;
            if identifier == COMMON_NAME && STRINGS.contains(&tag) {
                found = Some(value);
            }
        }
    }
    Some(found)
}

/// Elements of DER, one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next element: its tag, its content. The outer `None`: there is something that is no element.
    fn next(&mut self) -> Option<Option<(u8, &'a [u8])>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let (tag, content, rest) = element(self.0)?;
        self.0 = rest;
        Some(Some((tag, content)))
    }

    /// The content of the next element, which has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, rest) = element(self.0)?;
        self.0 = rest;
        (found == tag).then_some(content)
    }

    /// The next element with its tag and length.
    fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, _, rest) = element(self.0)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        (found == tag).then_some(whole)
    }

    /// The content of the next element, if it has this tag.
    fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.0.first() == Some(&tag) { self.take(tag).map(Some) } else { Some(None) }
    }
}

/// The first element: its tag, its content, and what stands behind it.
fn element(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = octets else { return None };
    let (length, rest) = match *first {
        short @ ..0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::PublicKeyData as _;

    use super::*;

    #[test]
    fn what_ends_early_is_no_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params =
            rcgen::CertificateParams::new(Vec::from(["a.example".into(), "*.b.example".into()])).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "c.example");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(3));
        let certificate = params.self_signed(&key).unwrap();
        let octets: &[u8] = certificate.der();
        let parsed = Certificate::parse(octets).unwrap();
        assert_eq!(parsed.dns_names, [&b"a.example"[..], b"*.b.example"]);
        assert_eq!(parsed.common_name, Some(&b"c.example"[..]));
        assert_eq!(parsed.public_key, key.subject_public_key_info());
        assert!(parsed.is_authority && parsed.has_extensions);
        assert_eq!(parsed.path_length, Some(3));
        for length in 0..octets.len() {
            assert_eq!(Certificate::parse(&octets[..length]), None, "{length}");
        }
        let mut longer = octets.to_vec();
        longer.push(0);
        assert_eq!(Certificate::parse(&longer), None);
        for at in 0..octets.len() {
            let mut other = octets.to_vec();
            other[at] ^= 0xff;
            let _ = Certificate::parse(&other);
        }
    }
}
