//! The reader of paths and addresses: one pass that finds where each part ends, then the checks of length
//! and form. RFC 5321 §4.1.2, §4.1.3, §4.5.3.1; RFC 6531 §3.3.

use core::net::{Ipv4Addr, Ipv6Addr};
use core::ops::Range;

use bytes::{Bytes, BytesMut};

use super::{
    AddressError, AddressErrorKind, AddressOptions, Domain, DomainName, GeneralLiteral, LocalPart, Mailbox,
    ParsedPath, Path, SourceRoute,
};
use crate::value::{Deviation, DeviationKind};

type Result<T> = core::result::Result<T, AddressError>;

/// Octets to read, and how to keep a part of them.
struct Input<'a> {
    octets: &'a [u8],
    /// What the octets are a part of, and where they begin in it, if parts of them can be views.
    shared: Option<(&'a Bytes, usize)>,
    options: &'a AddressOptions,
    /// Whether `>` ends the address; else the end of the input does.
    bracketed: bool,
}

pub(super) fn path(input: &[u8], options: &AddressOptions) -> Result<ParsedPath> {
    Input { octets: input, shared: None, options, bracketed: true }.path()
}

pub(super) fn shared_path(whole: &Bytes, part: Range<usize>, options: &AddressOptions) -> Result<ParsedPath> {
    let start = part.start;
    let octets = whole.get(part).unwrap_or_default();
    Input { octets, shared: Some((whole, start)), options, bracketed: true }.path()
}

pub(super) fn mailbox(input: &[u8], options: &AddressOptions) -> Result<Mailbox> {
    let input = Input { octets: input, shared: None, options, bracketed: false };
    let parts = input.delimit(0)?;
    // RFC 5321 §4.5.3.1.3: the path that would carry it has two octets more.
    input.check_lengths(&parts, input.octets.len() + 2)?;
    input.mailbox(&parts).map(|(mailbox, _)| mailbox)
}

pub(super) fn domain(input: &[u8], options: &AddressOptions) -> Result<Domain> {
    let input = Input { octets: input, shared: None, options, bracketed: false };
    let (range, behind) = input.delimit_domain(0)?;
    if behind != input.octets.len() {
        return input.syntax(behind);
    }
    if range.len() > options.domain_limit {
        return Err(input.error(AddressErrorKind::TooLong, options.domain_limit));
    }
    input.domain(range).map(|(domain, _)| domain)
}

pub(super) fn domain_name(input: &[u8], options: &AddressOptions) -> Result<DomainName> {
    match domain(input, options)? {
        Domain::Name(name) => Ok(name),
        _ => Err(AddressError::new(AddressErrorKind::Mailbox, 0, input)),
    }
}

pub(super) fn local_part(input: &[u8], options: &AddressOptions) -> Result<LocalPart> {
    let input = Input { octets: input, shared: None, options, bracketed: false };
    let (range, quoted) = input.delimit_local_part(0)?;
    if range.end != input.octets.len() {
        return Err(input.error(AddressErrorKind::Syntax, range.end));
    }
    if range.len() > options.local_part_limit {
        return Err(input.error(AddressErrorKind::TooLong, options.local_part_limit));
    }
    input.local_part(range, quoted)
}

/// Where the parts of an address are.
struct Parts {
    local_part: Range<usize>,
    quoted: bool,
    domain: Option<Range<usize>>,
    /// Behind the address, and behind its `>` if it has one.
    end: usize,
}

impl Input<'_> {
    fn error(&self, kind: AddressErrorKind, offset: usize) -> AddressError {
        AddressError::new(kind, offset, self.octets)
    }

    fn syntax<T>(&self, offset: usize) -> Result<T> {
        Err(self.error(AddressErrorKind::Syntax, offset))
    }

    fn get(&self, range: Range<usize>) -> &[u8] {
        self.octets.get(range).unwrap_or_default()
    }

    fn at(&self, offset: usize) -> Option<u8> {
        self.octets.get(offset).copied()
    }

    /// Keeps a part: as a view if possible.
    fn keep(&self, range: Range<usize>) -> Bytes {
        match self.shared {
            Some((whole, start)) if range.end <= self.octets.len() => {
                whole.slice(start + range.start..start + range.end)
            }
            _ => Bytes::copy_from_slice(self.get(range)),
        }
    }

    fn path(&self) -> Result<ParsedPath> {
        if self.at(0) != Some(b'<') {
            return self.syntax(0);
        }
        if self.at(1) == Some(b'>') {
            return Ok(ParsedPath { path: Path::Null, source_route: None, length: 2, deviation: None });
        }
        let route = self.delimit_route()?;
        let parts = self.delimit(route.as_ref().map_or(1, |route| route.end + 1))?;
        self.check_lengths(&parts, parts.end)?;
        // RFC 5321 §4.1.1.3: "Postmaster" without domain, in any case.
        if parts.domain.is_none()
            && route.is_none()
            && self.get(parts.local_part.clone()).eq_ignore_ascii_case(b"postmaster")
        {
            return Ok(ParsedPath {
                path: Path::Postmaster,
                source_route: None,
                length: parts.end,
                deviation: None,
            });
        }
        let (mailbox, deviation) = self.mailbox(&parts)?;
        let source_route = match route {
            Some(route) => self.route(route)?,
            None => None,
        };
        Ok(ParsedPath { path: Path::Mailbox(mailbox), source_route, length: parts.end, deviation })
    }

    /// RFC 5321 §4.1.2: `A-d-l ":"` in front of the mailbox. A path that begins with `@` and has no such colon has
    /// no route but an empty local part.
    fn delimit_route(&self) -> Result<Option<Range<usize>>> {
        if self.at(1) != Some(b'@') {
            return Ok(None);
        }
        let mut in_literal = false;
        for (offset, &octet) in self.octets.iter().enumerate().skip(1) {
            match octet {
                b'[' => in_literal = true,
                b']' => in_literal = false,
                b':' if !in_literal => return Ok(Some(1..offset)),
                b'>' if !in_literal => return Ok(None),
                0..=b' ' | 0x7f => return self.syntax(offset),
                _ => {}
            }
        }
        self.syntax(self.octets.len())
    }

    fn route(&self, range: Range<usize>) -> Result<Option<SourceRoute>> {
        // The colon behind the route ends it.
        let octets = self.get(0..range.end);
        let hosts = Input { octets, shared: None, options: self.options, bracketed: false };
        let mut start = range.start;
        loop {
            // RFC 5321 §4.1.2: A-d-l = At-domain *( "," At-domain )
            if hosts.at(start) != Some(b'@') {
                return self.syntax(start);
            }
            let end = hosts.end_of_host(start + 1)?;
            self.domain(start + 1..end)?;
            match hosts.at(end) {
                None => return Ok(SourceRoute::from_checked(self.keep(range))),
                Some(b',') => start = end + 1,
                Some(_) => return self.syntax(end),
            }
        }
    }

    /// Where the domain of a route ends: at a comma, or at the end.
    fn end_of_host(&self, start: usize) -> Result<usize> {
        let comma = self.octets.iter().skip(start).position(|&octet| octet == b',');
        if self.at(start) == Some(b'[') {
            return self.delimit_domain(start).map(|(_, end)| end);
        }
        let end = comma.map_or(self.octets.len(), |at| start + at);
        let host = Input { octets: self.get(0..end), shared: None, options: self.options, bracketed: false };
        host.delimit_domain(start).map(|(_, end)| end)
    }

    fn delimit(&self, start: usize) -> Result<Parts> {
        let (local_part, quoted) = self.delimit_local_part(start)?;
        let mut end = local_part.end;
        let mut domain = None;
        if self.at(end) == Some(b'@') {
            let (range, behind) = self.delimit_domain(end + 1)?;
            domain = Some(range);
            end = behind;
        }
        if self.bracketed {
            if self.at(end) != Some(b'>') {
                return self.syntax(end);
            }
            end += 1;
        } else if end != self.octets.len() {
            return self.syntax(end);
        }
        Ok(Parts { local_part, quoted, domain, end })
    }

    /// Ends before `@`, before `>`, or at the end of the input.
    fn delimit_local_part(&self, start: usize) -> Result<(Range<usize>, bool)> {
        if self.at(start) == Some(b'"') {
            let mut offset = start + 1;
            loop {
                match self.at(offset) {
                    // RFC 5321 §4.1.2: quoted-pairSMTP takes the next printable octet literally.
                    Some(b'\\') => match self.at(offset + 1) {
                        Some(b' '..=b'~' | 0x80..) => offset += 2,
                        _ => return self.syntax(offset + 1),
                    },
                    Some(b'"') => return Ok((start..offset + 1, true)),
                    Some(b' '..=b'~' | 0x80..) => offset += 1,
                    _ => return self.syntax(offset),
                }
            }
        }
        let offset = self.run(start, &DOT_STRING);
        match self.at(offset) {
            None | Some(b'@') => Ok((start..offset, false)),
            Some(b'>') if self.bracketed => Ok((start..offset, false)),
            Some(_) => self.syntax(offset),
        }
    }

    /// Where the octets of a class that stand from `start` on end.
    fn run(&self, start: usize, class: &[bool; 256]) -> usize {
        let rest = self.octets.get(start..).unwrap_or_default();
        let fits = |octet: &u8| class.get(usize::from(*octet)).copied().unwrap_or_default();
        start + rest.iter().position(|octet| !fits(octet)).unwrap_or(rest.len())
    }

    /// The domain from `start`, and what stands behind it.
    fn delimit_domain(&self, start: usize) -> Result<(Range<usize>, usize)> {
        let mut offset = start;
        if self.at(start) == Some(b'[') {
            loop {
                offset += 1;
                match self.at(offset) {
                    Some(b']') => return Ok((start..offset + 1, offset + 1)),
                    // RFC 5321 §4.1.3: dcontent is %d33-90 and %d94-126.
                    Some(33..=90 | 94..=126) => {}
                    _ => return self.syntax(offset),
                }
            }
        }
        loop {
            offset = self.run(offset, &DOMAIN);
            match self.at(offset) {
                None => break,
                Some(b'>') if self.bracketed => break,
                Some(b'_') if self.options.underscore_in_domain => offset += 1,
                Some(_) => return self.syntax(offset),
            }
        }
        Ok((start..offset, offset))
    }

    fn check_lengths(&self, parts: &Parts, path_length: usize) -> Result<()> {
        let domain = parts.domain.clone().unwrap_or(0..0);
        let offset = if parts.local_part.len() > self.options.local_part_limit {
            parts.local_part.start + self.options.local_part_limit
        } else if domain.len() > self.options.domain_limit {
            domain.start + self.options.domain_limit
        } else if path_length > self.options.path_limit {
            self.options.path_limit
        } else {
            return Ok(());
        };
        Err(self.error(AddressErrorKind::TooLong, offset))
    }

    fn mailbox(&self, parts: &Parts) -> Result<(Mailbox, Option<Deviation>)> {
        let local_part = self.local_part(parts.local_part.clone(), parts.quoted)?;
        let Some(domain) = parts.domain.clone() else {
            return Err(self.error(AddressErrorKind::Mailbox, parts.local_part.end));
        };
        let (domain, deviation) = self.domain(domain)?;
        Ok((Mailbox::new(local_part, domain), deviation))
    }

    fn local_part(&self, range: Range<usize>, quoted: bool) -> Result<LocalPart> {
        let start = range.start;
        let octets = self.get(range.clone());
        // RFC 6531 §3.3: what is not ASCII is UTF-8; controls of any kind never belong. Those of ASCII were refused
        // where the part was delimited.
        if !octets.is_ascii() {
            let text = match core::str::from_utf8(octets) {
                Ok(text) => text,
                Err(error) => return self.syntax(start + error.valid_up_to()),
            };
            if let Some((offset, _)) = text.char_indices().find(|(_, character)| character.is_control()) {
                return self.syntax(start + offset);
            }
        }
        let content = if quoted {
            let inner = start + 1..range.end - 1;
            if memchr::memchr(b'\\', octets).is_some() { self.unescape(inner) } else { self.keep(inner) }
        } else {
            if let Some(offset) = bad_dot(octets) {
                return Err(self.error(AddressErrorKind::Mailbox, start + offset));
            }
            self.keep(range)
        };
        LocalPart::from_checked(content).map_or_else(|| self.syntax(start), Ok)
    }

    fn unescape(&self, range: Range<usize>) -> Bytes {
        let mut content = BytesMut::with_capacity(range.len());
        let mut octets = self.get(range).iter();
        while let Some(&octet) = octets.next() {
            let literal = if octet == b'\\' { octets.next().copied() } else { Some(octet) };
            content.extend(literal);
        }
        content.freeze()
    }

    fn domain(&self, range: Range<usize>) -> Result<(Domain, Option<Deviation>)> {
        let octets = self.get(range.clone());
        if let Some(content) = octets.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
            let inner = range.start + 1..range.end - 1;
            return match self.literal(content, inner) {
                Some(domain) => Ok((domain, None)),
                None => Err(self.error(AddressErrorKind::Mailbox, range.start)),
            };
        }
        let is_ascii = octets.is_ascii();
        if !is_ascii {
            let text = match core::str::from_utf8(octets) {
                Ok(text) => text,
                Err(error) => return self.syntax(range.start + error.valid_up_to()),
            };
            let unfit = |(_, character): &(usize, char)| {
                character.is_control() || (!character.is_ascii() && character.is_whitespace())
            };
            if let Some((offset, _)) = text.char_indices().find(unfit) {
                return self.syntax(range.start + offset);
            }
        }
        if let Some(offset) = bad_label(octets, is_ascii) {
            return Err(self.error(AddressErrorKind::Mailbox, range.start + offset));
        }
        let underscore = if self.options.underscore_in_domain { memchr::memchr(b'_', octets) } else { None };
        let deviation = underscore
            .map(|at| Deviation::new(DeviationKind::UnderscoreInDomain, (range.start + at) as u64, octets));
        match DomainName::from_checked(self.keep(range.clone())) {
            Some(name) => Ok((Domain::Name(name), deviation)),
            None => self.syntax(range.start),
        }
    }

    /// RFC 5321 §4.1.3.
    fn literal(&self, content: &[u8], range: Range<usize>) -> Option<Domain> {
        let text = core::str::from_utf8(content).ok()?;
        let Some((tag, rest)) = text.split_once(':') else {
            return v4(text).map(Domain::V4);
        };
        if tag.eq_ignore_ascii_case("IPv6") {
            return rest.parse::<Ipv6Addr>().ok().map(Domain::V6);
        }
        let is_tag = !tag.is_empty()
            && tag.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !tag.ends_with('-');
        if !is_tag || rest.is_empty() {
            return None;
        }
        GeneralLiteral::from_checked(self.keep(range), tag.len()).map(Domain::General)
    }
}

/// RFC 5321 §4.1.3: four numbers of one to three digits, leading zeros included.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut numbers = text.split('.').map(|number| {
        let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|octet| octet.is_ascii_digit());
        if is_number { number.parse::<u8>().ok() } else { None }
    });
    let address = [numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then(|| address.into())
}

/// RFC 5322 §3.2.3 atext, RFC 6531 §3.3 UTF-8.
const fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || octet >= 0x80
        || matches!(
            octet,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

/// A table of which octets belong to a class.
macro_rules! class {
    ($octet:ident: $belongs:expr) => {{
        let mut class = [false; 256];
        let mut $octet = 0_u8;
        loop {
            class[$octet as usize] = $belongs;
            if $octet == u8::MAX {
                break class;
            }
            $octet += 1;
        }
    }};
}

/// The octets of a local part without quotes.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
static DOT_STRING: [bool; 256] = class!(octet: is_atext(octet) || octet == b'.');

/// The octets of a domain name, with those beyond ASCII.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
static DOMAIN: [bool; 256] =
    class!(octet: octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | 0x80..));

/// Where a label begins that is none; 0 for an empty text.
fn bad_label(octets: &[u8], is_ascii: bool) -> Option<usize> {
    // Most domains are too short for a label that is too long, and then one look at the neighbours will do.
    let at_an_end = |octet: Option<&u8>| matches!(octet, None | Some(b'.' | b'-'));
    let torn = |pair: &[u8]| matches!(pair, [b'.', b'.' | b'-'] | [b'-', b'.']);
    if octets.len() <= 63
        && !at_an_end(octets.first())
        && !at_an_end(octets.last())
        && !octets.windows(2).any(torn)
    {
        return None;
    }
    let mut offset = 0;
    for label in octets.split(|octet| *octet == b'.') {
        // RFC 5321 §4.1.2: a sub-domain begins and ends with a letter or digit; RFC 1035 §2.3.4: 63 octets at most. The
        // A-label of a U-label is longer than its characters are many.
        let length = if is_ascii { label.len() } else { characters(label) };
        if !(1..=63).contains(&length) || label.first() == Some(&b'-') || label.last() == Some(&b'-') {
            return Some(offset);
        }
        offset += label.len() + 1;
    }
    None
}

/// Where a dot stands that has no atom on one of its sides, or 0 for an empty text.
fn bad_dot(octets: &[u8]) -> Option<usize> {
    if !octets.contains(&b'.') && !octets.is_empty() {
        return None;
    }
    let mut offset = 0;
    for atom in octets.split(|octet| *octet == b'.') {
        if atom.is_empty() {
            return Some(offset);
        }
        offset += atom.len() + 1;
    }
    None
}

/// How many characters UTF-8 has: octets that do not continue one.
fn characters(octets: &[u8]) -> usize {
    octets.iter().filter(|octet| !matches!(octet, 0x80..=0xbf)).count()
}

/// Whether `text` can stand without quotes (RFC 5321 §4.1.2 Dot-string).
pub(super) fn is_dot_string(text: &str) -> bool {
    bad_dot(text.as_bytes()).is_none() && text.bytes().all(|octet| is_atext(octet) || octet == b'.')
}
