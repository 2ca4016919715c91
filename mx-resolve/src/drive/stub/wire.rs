//! Packets: a question as octets, and a [`Message`] from octets (RFC 1035 §4, RFC 6891, RFC 4035 §3.2).
//!
//! Only what the machine asks for is read. Nothing is read beyond its bounds: compression pointers go backwards only, and
//! data that is shorter than its type needs, or longer, is malformed and not guessed at.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use crate::dns::{
    Message, Mx, Question, Record, RecordData, RecordType, ResponseCode, Security, Srv, StartOfAuthority,
    Tlsa,
};
use crate::name::{DomainName, Target};

/// Octets of a response over UDP that are asked for: what fits everywhere without fragments.
pub const PAYLOAD: u16 = 1232;

const HEADER: usize = 12;
const CLASS_IN: u16 = 1;
const OPT: u16 = 41;
const SOA: u16 = 6;
/// Octets of a name on the wire.
const NAME: usize = 255;

/// Why a packet is not the response that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Another id, another question, or no response at all: somebody else's, or forged.
    #[error("not a response to this question")]
    Foreign,
    /// The response cannot be read.
    #[error("the response cannot be read")]
    Malformed,
}

/// A question as octets, with the id and the case of letters that the response must repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    question: Question,
    id: u16,
    mixed: bool,
    packet: Vec<u8>,
    /// Where the question ends in the packet.
    end: usize,
}

impl Query {
    /// A query for `question`. `case` mixes the case of letters: one random bit for each, as far as they reach.
    ///
    /// It asks for recursion, for the AD bit and for DNSSEC records, so that a validating resolver says what it knows.
    #[must_use]
    pub fn new(question: &Question, id: u16, case: Option<&[u8]>) -> Self {
        let mut packet = Vec::with_capacity(64);
        packet.extend(id.to_be_bytes());
        // RFC 1035 §4.1.1: recursion desired. RFC 6840 §5.7: AD in a query asks for it in the response.
        packet.extend([0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1]);
        let mut letter = 0_usize;
        for label in question.name.labels() {
            packet.push(u8::try_from(label.len()).unwrap_or_default());
            packet.extend(label.bytes().map(|octet| {
                let bits = case.and_then(|case| case.get(letter / 8)).copied().unwrap_or_default();
                let upper = bits >> (letter % 8) & 1 == 1;
                letter += 1;
                if upper { octet.to_ascii_uppercase() } else { octet }
            }));
        }
        packet.push(0);
        packet.extend(question.record_type.number().to_be_bytes());
        packet.extend(CLASS_IN.to_be_bytes());
        let end = packet.len();
        // RFC 6891 §6.1.2: the root, OPT, the payload, no extended code, version 0. RFC 4035 §3.2.1: the DO bit.
        packet.push(0);
        packet.extend(OPT.to_be_bytes());
        packet.extend(PAYLOAD.to_be_bytes());
        packet.extend([0, 0, 0x80, 0, 0, 0]);
        Self { question: question.clone(), id, mixed: case.is_some(), packet, end }
    }

    /// The octets.
    #[must_use]
    pub fn packet(&self) -> &[u8] {
        &self.packet
    }

    /// Reads a packet that came back. `trusted`: the AD bit of whoever sent it is believed.
    ///
    /// # Errors
    /// If it is not the response, or cannot be read.
    pub fn read(&self, packet: &[u8], trusted: bool) -> Result<Message, WireError> {
        let header: &[u8; HEADER] = packet.first_chunk().ok_or(WireError::Foreign)?;
        let [id_high, id_low, flags, more, questions_high, questions_low, counts @ ..] = *header;
        // RFC 5452 §9.1: the id and the question must be those that were sent.
        let kind = flags & 0xf8;
        if u16::from_be_bytes([id_high, id_low]) != self.id || kind != 0x80 {
            return Err(WireError::Foreign);
        }
        let code = u16::from(more & 0x0f);
        let mut at = HEADER;
        match u16::from_be_bytes([questions_high, questions_low]) {
            1 if self.repeats(packet) => at = self.end,
            // A server that did not understand the question may leave it out.
            0 if matches!(code, 1 | 4) => {}
            _ => return Err(WireError::Foreign),
        }
        let authentic = match (trusted, more & 0x20 != 0) {
            (true, true) => Security::Secure,
            (true, false) => Security::Insecure,
            (false, _) => Security::Unchecked,
        };
        let mut message = Message::new(code.into());
        message.truncated = flags & 0x02 != 0;
        message.denial = authentic;
        if message.truncated {
            return Ok(message);
        }
        let [answers, authorities, additionals] =
            [[counts[0], counts[1]], [counts[2], counts[3]], [counts[4], counts[5]]].map(u16::from_be_bytes);
        for _ in 0..answers {
            let raw = Raw::read(packet, &mut at)?;
            let asked = &self.question.name;
            let Some(data) = raw.data(packet, asked) else { continue };
            if let Target::Name(owner) = name(packet, raw.owner, asked) {
                let mut record = Record::new(owner, raw.ttl, data);
                record.security = authentic;
                message.answers.push(record);
            }
        }
        for _ in 0..authorities {
            let raw = Raw::read(packet, &mut at)?;
            if raw.record_type == SOA && raw.class == CLASS_IN {
                message.authority = message.authority.or(raw.start_of_authority(packet));
            }
        }
        for _ in 0..additionals {
            let raw = Raw::read(packet, &mut at)?;
            if raw.record_type == OPT {
                // RFC 6891 §6.1.3: the upper eight bits of the code.
                let upper = u16::try_from(raw.ttl >> 24).unwrap_or_default();
                message.code = ResponseCode::from(upper << 4 | code);
                message.extended_error = extended_error(packet.get(raw.start..raw.end).unwrap_or_default());
            }
        }
        Ok(message)
    }

    /// Whether the question section of `packet` is the one of the query, letter for letter if the case was mixed.
    fn repeats(&self, packet: &[u8]) -> bool {
        let (Some(sent), Some(back)) = (self.packet.get(HEADER..self.end), packet.get(HEADER..self.end))
        else {
            return false;
        };
        if self.mixed { sent == back } else { sent.eq_ignore_ascii_case(back) }
    }
}

/// A query for the NS records of the root, which every validating resolver can vouch for.
pub(super) fn probe(id: u16) -> Vec<u8> {
    let mut packet = Vec::from(id.to_be_bytes());
    packet.extend([0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1]);
    // The root, NS, class IN; then as for each query.
    packet.extend([0, 0, 2, 0, 1]);
    packet.push(0);
    packet.extend(OPT.to_be_bytes());
    packet.extend(PAYLOAD.to_be_bytes());
    packet.extend([0, 0, 0x80, 0, 0, 0]);
    packet
}

/// Whether a packet is the response to that query, without an error, and has the AD bit.
pub(super) fn probed(id: u16, packet: &[u8]) -> Option<bool> {
    let [high, low, flags, more, ..] = *packet else { return None };
    let response = u16::from_be_bytes([high, low]) == id && flags & 0xf8 == 0x80;
    response.then_some(more & 0x2f == 0x20)
}

/// RFC 8914 §2: the first extended error among the options.
fn extended_error(mut options: &[u8]) -> Option<u16> {
    const EXTENDED_ERROR: [u8; 2] = [0, 15];
    while let [code_high, code_low, length_high, length_low, rest @ ..] = options {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let (data, behind) = rest.split_at_checked(length)?;
        if [*code_high, *code_low] == EXTENDED_ERROR {
            return data.first_chunk().map(|code| u16::from_be_bytes(*code));
        }
        options = behind;
    }
    None
}

/// A record whose data is not looked at yet.
struct Raw {
    owner: usize,
    record_type: u16,
    class: u16,
    ttl: u32,
    start: usize,
    end: usize,
}

impl Raw {
    fn read(packet: &[u8], at: &mut usize) -> Result<Self, WireError> {
        let owner = *at;
        let start = name_end(packet, owner).ok_or(WireError::Malformed)?;
        let fixed: &[u8; 10] =
            packet.get(start..).and_then(<[u8]>::first_chunk).ok_or(WireError::Malformed)?;
        let [type_high, type_low, class_high, class_low, ttl @ .., length_high, length_low] = *fixed;
        let start = start + fixed.len();
        let end = start + usize::from(u16::from_be_bytes([length_high, length_low]));
        if end > packet.len() {
            return Err(WireError::Malformed);
        }
        *at = end;
        Ok(Self {
            owner,
            record_type: u16::from_be_bytes([type_high, type_low]),
            class: u16::from_be_bytes([class_high, class_low]),
            ttl: u32::from_be_bytes(ttl),
            start,
            end,
        })
    }

    /// The data, if it is of a type that is ever asked for.
    fn data(&self, packet: &[u8], asked: &DomainName) -> Option<RecordData> {
        if self.class != CLASS_IN {
            return None;
        }
        let record_type = match self.record_type {
            1 => RecordType::A,
            5 => RecordType::Cname,
            15 => RecordType::Mx,
            16 => RecordType::Txt,
            28 => RecordType::Aaaa,
            33 => RecordType::Srv,
            52 => RecordType::Tlsa,
            _ => return None,
        };
        let octets = packet.get(self.start..self.end)?;
        Some(self.typed(record_type, octets, packet, asked).unwrap_or(RecordData::Malformed(record_type)))
    }

    fn typed(
        &self,
        record_type: RecordType,
        octets: &[u8],
        packet: &[u8],
        asked: &DomainName,
    ) -> Option<RecordData> {
        Some(match record_type {
            RecordType::A => RecordData::A(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)),
            RecordType::Aaaa => RecordData::Aaaa(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
            RecordType::Cname => RecordData::Cname(self.last_name(packet, self.start, asked)?),
            RecordType::Mx => {
                let preference = u16::from_be_bytes(*octets.first_chunk()?);
                RecordData::Mx(Mx { preference, exchange: self.last_name(packet, self.start + 2, asked)? })
            }
            RecordType::Txt => RecordData::Txt(strings(octets)?),
            RecordType::Srv => {
                let [priority, weight, port] = [0, 2, 4].map(|at| octets.get(at..at + 2)?.try_into().ok());
                RecordData::Srv(Srv {
                    priority: u16::from_be_bytes(priority?),
                    weight: u16::from_be_bytes(weight?),
                    port: u16::from_be_bytes(port?),
                    target: self.last_name(packet, self.start + 6, asked)?,
                })
            }
            RecordType::Tlsa => {
                let ([usage, selector, matching], data) = octets.split_first_chunk()?;
                let data = Bytes::copy_from_slice(data);
                RecordData::Tlsa(Tlsa { usage: *usage, selector: *selector, matching: *matching, data })
            }
        })
    }

    /// A name that ends where the data does.
    fn last_name(&self, packet: &[u8], at: usize, asked: &DomainName) -> Option<Target> {
        (name_end(packet, at)? == self.end).then(|| name(packet, at, asked))
    }

    fn start_of_authority(&self, packet: &[u8]) -> Option<StartOfAuthority> {
        let at = name_end(packet, name_end(packet, self.start)?)?;
        let numbers: &[u8; 20] = packet.get(at..self.end)?.try_into().ok()?;
        let minimum = u32::from_be_bytes(*numbers.last_chunk()?);
        Some(StartOfAuthority::new(self.ttl, minimum))
    }
}

/// The labels of a name, from the first. What ends early is no name.
#[derive(Clone)]
struct Labels<'a> {
    packet: &'a [u8],
    at: usize,
    /// Where the labels being read began: a pointer has to lead before that.
    begin: usize,
    /// Where the name ends, if a pointer was followed.
    end: Option<usize>,
    length: usize,
    /// The empty label was reached.
    whole: bool,
}

impl<'a> Labels<'a> {
    const fn new(packet: &'a [u8], start: usize) -> Self {
        Self { packet, at: start, begin: start, end: None, length: 1, whole: false }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let first = *self.packet.get(self.at)?;
            match first >> 6 {
                0 if first == 0 => {
                    self.whole = true;
                    return None;
                }
                0 => {
                    let next = self.at + 1 + usize::from(first);
                    let label = self.packet.get(self.at + 1..next)?;
                    self.length += label.len() + 1;
                    self.at = next;
                    return (self.length <= NAME).then_some(label);
                }
                3 => {
                    // RFC 1035 §4.1.4: a pointer to a prior occurrence, so each leads further to the front.
                    let low = *self.packet.get(self.at + 1)?;
                    let pointer = usize::from(u16::from_be_bytes([first & 0x3f, low]));
                    if pointer >= self.begin {
                        return None;
                    }
                    self.end = self.end.or(Some(self.at + 2));
                    self.begin = pointer;
                    self.at = pointer;
                }
                _ => return None,
            }
        }
    }
}

/// Where a name ends, if it is one.
fn name_end(packet: &[u8], start: usize) -> Option<usize> {
    let mut labels = Labels::new(packet, start);
    while labels.next().is_some() {}
    labels.whole.then_some(labels.end.unwrap_or(labels.at + 1))
}

/// A name that has an end. Most are the one that was asked for, whose text is shared.
fn name(packet: &[u8], start: usize, asked: &DomainName) -> Target {
    let labels = Labels::new(packet, start);
    let mut known = asked.labels();
    let same = |label: &[u8]| known.next().is_some_and(|known| label.eq_ignore_ascii_case(known.as_bytes()));
    if labels.clone().all(same) && known.next().is_none() {
        return Target::Name(asked.clone());
    }
    Target::from_labels(labels)
}

/// Strings with their lengths, joined; at least one.
fn strings(mut octets: &[u8]) -> Option<Bytes> {
    let mut joined = Vec::with_capacity(octets.len());
    if octets.is_empty() {
        return None;
    }
    while let Some((&length, rest)) = octets.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(length))?;
        joined.extend_from_slice(string);
        octets = rest;
    }
    Some(joined.into())
}
