//! [`Zone::respond`]: a DNS server without a socket, for drivers and programs that speak packets.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::{Zone, text};
use crate::dns::{
    Failure, Message, Question, Record, RecordData, RecordType, ResponseCode, Security, StartOfAuthority,
};
use crate::name::Target;

const HEADER: usize = 12;
const SERVFAIL: u8 = 2;

impl Zone {
    /// The response to a query, or none: the zone is silent about it, or it is no query. A response of more than `limit`
    /// octets is cut to its question, with TC set; for TCP the limit is 65535.
    ///
    /// ```
    /// # use mailwright_mx::drive::testing::Zone;
    /// let zone = Zone::parse("example.org A 192.0.2.1")?;
    /// let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01";
    /// let response = zone.respond(query, 512).unwrap();
    /// assert!(response.starts_with(b"\x12\x34") && response.ends_with(&[192, 0, 2, 1]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn respond(&self, query: &[u8], limit: usize) -> Option<Vec<u8>> {
        let (labels, end) = question_name(query)?;
        let section = query.get(HEADER..end + 4)?;
        let [type_high, type_low, ..] = *query.get(end..)? else { return None };
        let number = u16::from_be_bytes([type_high, type_low]);
        let message = match (Target::from_labels(labels), text::type_numbered(number)) {
            (Target::Name(name), Some(record_type)) => {
                match self.message(&Question::new(name, record_type)) {
                    Ok(message) => message,
                    Err(failure) => failed(failure)?,
                }
            }
            _ => Message::new(ResponseCode::NotImp),
        };
        let mut response = head(query, &message, section);
        if !message.truncated {
            message.answers.iter().for_each(|one| record(&mut response, one));
            if let Some(soa) = message.authority {
                start_of_authority(&mut response, soa);
            }
        }
        if response.len() > limit {
            let mut cut = Message::new(message.code);
            cut.truncated = true;
            response = head(query, &cut, section);
        }
        Some(response)
    }
}

/// What a failure looks like from outside.
fn failed(failure: Failure) -> Option<Message> {
    let code = match failure {
        Failure::Timeout => return None,
        Failure::FormErr => ResponseCode::FormErr,
        Failure::NotImp => ResponseCode::NotImp,
        Failure::Refused => ResponseCode::Refused,
        Failure::Truncated | Failure::Unproven | Failure::Malformed => ResponseCode::NoError,
        _ => ResponseCode::ServFail,
    };
    let mut message = Message::new(code);
    message.truncated = failure == Failure::Truncated;
    Some(message)
}

/// The labels of the name in the question, and where it ends.
fn question_name(query: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        match length {
            0 => return Some((labels, at)),
            1..=63 => labels.push(query.get(at..at + length)?),
            _ => return None,
        }
        at += length;
    }
}

fn head(query: &[u8], message: &Message, section: &[u8]) -> Vec<u8> {
    let code = match message.code {
        ResponseCode::NoError => 0,
        ResponseCode::FormErr => 1,
        ResponseCode::NxDomain => 3,
        ResponseCode::NotImp => 4,
        ResponseCode::Refused => 5,
        _ => SERVFAIL,
    };
    let secure = match message.answers.as_slice() {
        [] => message.denial == Security::Secure,
        answers => answers.iter().all(|record| record.security == Security::Secure),
    };
    let mut head = Vec::from(query.get(..2).unwrap_or_default());
    head.push(0x81 | if message.truncated { 0x02 } else { 0 });
    head.push(0x80 | code | if secure { 0x20 } else { 0 });
    let count = if message.truncated { 0 } else { u16::try_from(message.answers.len()).unwrap_or(u16::MAX) };
    let authorities = u8::from(message.authority.is_some() && !message.truncated);
    head.extend([0, 1]);
    head.extend(count.to_be_bytes());
    head.extend([0, authorities, 0, 0]);
    head.extend(section);
    head
}

fn record(response: &mut Vec<u8>, record: &Record) {
    name(response, &Target::Name(record.owner.clone()));
    let (record_type, data) = match &record.data {
        RecordData::A(address) => (RecordType::A, Vec::from(address.octets())),
        RecordData::Aaaa(address) => (RecordType::Aaaa, Vec::from(address.octets())),
        RecordData::Cname(target) => (RecordType::Cname, written(target)),
        RecordData::Mx(mx) => {
            let mut data = Vec::from(mx.preference.to_be_bytes());
            data.extend(written(&mx.exchange));
            (RecordType::Mx, data)
        }
        RecordData::Txt(text) => {
            let mut data = Vec::new();
            for string in text.chunks(255) {
                data.push(u8::try_from(string.len()).unwrap_or_default());
                data.extend(string);
            }
            (RecordType::Txt, data)
        }
        RecordData::Srv(srv) => {
            let mut data = Vec::new();
            for number in [srv.priority, srv.weight, srv.port] {
                data.extend(number.to_be_bytes());
            }
            data.extend(written(&srv.target));
            (RecordType::Srv, data)
        }
        RecordData::Tlsa(tlsa) => {
            let mut data = Vec::from([tlsa.usage, tlsa.selector, tlsa.matching]);
            data.extend(&tlsa.data);
            (RecordType::Tlsa, data)
        }
        // One octet is too short for each type, or promises more than there is.
        RecordData::Malformed(record_type) => (*record_type, Vec::from([0xff])),
    };
    fixed(response, record_type.number(), record.ttl, &data);
}

fn start_of_authority(response: &mut Vec<u8>, soa: StartOfAuthority) {
    const SOA: u16 = 6;
    response.push(0);
    let mut data = Vec::from([0, 0]);
    for number in [1, 3600, 600, 86_400, soa.minimum] {
        data.extend(u32::to_be_bytes(number));
    }
    fixed(response, SOA, soa.ttl, &data);
}

fn fixed(response: &mut Vec<u8>, number: u16, ttl: u32, data: &[u8]) {
    response.extend(number.to_be_bytes());
    response.extend([0, 1]);
    response.extend(ttl.to_be_bytes());
    response.extend(u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
    response.extend(data);
}

fn written(target: &Target) -> Vec<u8> {
    let mut octets = Vec::new();
    name(&mut octets, target);
    octets
}

/// A name without compression. Labels that are too long are cut, or nobody could send them.
fn name(response: &mut Vec<u8>, target: &Target) {
    let labels = match target {
        Target::Root => Vec::new(),
        target => text::labels(&target.to_string()).unwrap_or_default(),
    };
    for label in labels {
        let label = label.get(..label.len().min(63)).unwrap_or_default();
        response.push(u8::try_from(label.len()).unwrap_or_default());
        response.extend(label);
    }
    response.push(0);
}
