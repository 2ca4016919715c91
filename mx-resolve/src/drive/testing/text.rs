//! Reads the table of a [`Zone`].

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::str::FromStr;

use bytes::Bytes;

use super::Zone;
use crate::dns::{Failure, Mx, RecordData, RecordType, Security, Srv, StartOfAuthority, Tlsa};
use crate::name::Target;

/// A line that is neither a record nor a directive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the zone cannot be read: {text}")]
#[non_exhaustive]
pub struct ZoneError {
    /// Its number, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

pub(super) fn read(text: &str) -> Result<Zone, ZoneError> {
    let mut zone = Zone::default();
    for (number, whole) in text.lines().enumerate() {
        let line = without_comment(whole).trim();
        if line.is_empty() {
            continue;
        }
        if entry(&mut zone, line).is_none() {
            return Err(ZoneError { line: number + 1, text: whole.trim().to_string() });
        }
    }
    Ok(zone)
}

/// What stands before a semicolon that is in front, or behind white space and outside quotes.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut white) = (false, true);
    for (at, octet) in line.bytes().enumerate() {
        match octet {
            b'"' => quoted = !quoted,
            b';' if white && !quoted => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
        white = octet.is_ascii_whitespace();
    }
    line
}

fn entry(zone: &mut Zone, line: &str) -> Option<()> {
    let (name, rest) = line.split_once(char::is_whitespace)?;
    let node = zone.node_mut(&target(name)?);
    let words: Vec<&str> = rest.split_whitespace().collect();
    match *words.as_slice() {
        ["secure"] => node.security = Some(Security::Secure),
        ["insecure"] => node.security = Some(Security::Insecure),
        ["fail", failure] => node.fail.push((failure_of(failure)?, None)),
        ["fail", failure, record_type] => node.fail.push((failure_of(failure)?, Some(type_of(record_type)?))),
        ["soa", "none"] => node.soa = Some(None),
        ["soa", ttl, minimum] => {
            node.soa = Some(Some(StartOfAuthority::new(ttl.parse().ok()?, minimum.parse().ok()?)));
        }
        [ttl, record_type, ..] if ttl.parse::<u32>().is_ok() => {
            let data = rest.split_once(record_type)?.1.trim();
            node.records.push((ttl.parse().ok()?, record(type_of(record_type)?, data)?));
        }
        [record_type, ..] => {
            let data = rest.trim().strip_prefix(record_type)?.trim();
            node.records.push((300, record(type_of(record_type)?, data)?));
        }
        [] => return None,
    }
    Some(())
}

const TYPES: [RecordType; 7] = [
    RecordType::A,
    RecordType::Cname,
    RecordType::Mx,
    RecordType::Txt,
    RecordType::Aaaa,
    RecordType::Srv,
    RecordType::Tlsa,
];

fn type_of(word: &str) -> Option<RecordType> {
    TYPES.into_iter().find(|record_type| record_type.as_str() == word)
}

pub(super) fn type_numbered(number: u16) -> Option<RecordType> {
    TYPES.into_iter().find(|record_type| record_type.number() == number)
}

fn failure_of(word: &str) -> Option<Failure> {
    let all = [
        Failure::Timeout,
        Failure::Unreachable,
        Failure::ServFail,
        Failure::Refused,
        Failure::NotImp,
        Failure::FormErr,
        Failure::Malformed,
        Failure::Truncated,
        Failure::Unproven,
        Failure::Bogus,
    ];
    all.into_iter().find(|failure| failure.to_string() == word)
}

fn record(record_type: RecordType, data: &str) -> Option<RecordData> {
    if data == "malformed" {
        return Some(RecordData::Malformed(record_type));
    }
    let words: Vec<&str> = data.split_whitespace().collect();
    Some(match (record_type, words.as_slice()) {
        (RecordType::A, [address]) => RecordData::A(address.parse().ok()?),
        (RecordType::Aaaa, [address]) => RecordData::Aaaa(address.parse().ok()?),
        (RecordType::Cname, [name]) => RecordData::Cname(target(name)?),
        (RecordType::Mx, [preference, name]) => {
            RecordData::Mx(Mx { preference: preference.parse().ok()?, exchange: target(name)? })
        }
        (RecordType::Txt, _) => RecordData::Txt(strings(data)?),
        (RecordType::Srv, [priority, weight, port, name]) => RecordData::Srv(Srv {
            priority: priority.parse().ok()?,
            weight: weight.parse().ok()?,
            port: port.parse().ok()?,
            target: target(name)?,
        }),
        (RecordType::Tlsa, [usage, selector, matching, hex]) => RecordData::Tlsa(Tlsa {
            usage: usage.parse().ok()?,
            selector: selector.parse().ok()?,
            matching: matching.parse().ok()?,
            data: octets(hex)?,
        }),
        _ => return None,
    })
}

/// Whether data is of a type, readable or not.
pub(super) fn is_of(data: &RecordData, record_type: RecordType) -> bool {
    let found = match data {
        RecordData::A(_) => RecordType::A,
        RecordData::Cname(_) => RecordType::Cname,
        RecordData::Mx(_) => RecordType::Mx,
        RecordData::Txt(_) => RecordType::Txt,
        RecordData::Aaaa(_) => RecordType::Aaaa,
        RecordData::Srv(_) => RecordType::Srv,
        RecordData::Tlsa(_) => RecordType::Tlsa,
        RecordData::Malformed(record_type) => *record_type,
    };
    found == record_type
}

/// Strings in quotes, joined.
fn strings(data: &str) -> Option<Bytes> {
    let mut joined = String::new();
    let mut parts = data.split('"');
    while let Some(between) = parts.next() {
        if !between.trim().is_empty() {
            return None;
        }
        joined.push_str(parts.next().unwrap_or_default());
    }
    Some(joined.into_bytes().into())
}

fn octets(hex: &str) -> Option<Bytes> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<Vec<u8>>>()
        .map(Bytes::from)
}

/// A name in the presentation format of RFC 1035 §5.1.
fn target(text: &str) -> Option<Target> {
    if text == "." {
        return Some(Target::Root);
    }
    Some(Target::from_labels(labels(text)?.iter().map(Vec::as_slice)))
}

/// The labels of a name in that format.
pub(super) fn labels(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut labels = Vec::from([Vec::new()]);
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let octet = match octet {
            b'.' => {
                labels.push(Vec::new());
                continue;
            }
            b'\\' => match octets.next()? {
                first if first.is_ascii_digit() => {
                    let digits = [first, octets.next()?, octets.next()?];
                    u8::from_str(core::str::from_utf8(&digits).ok()?).ok()?
                }
                plain => plain,
            },
            plain => plain,
        };
        labels.last_mut()?.push(octet);
    }
    Some(labels)
}
