//! What a response of the library means: its proofs become [`Security`], and an answer stands as far as they carry it.
//!
//! The library holds every proof of absence in a response against the name that was asked for, though it may be about a name
//! behind an alias, or more than had to be proven. So its verdict counts for absences and wildcards at that name alone; a link
//! of a chain and records at its end stand by their own signatures (RFC 4035 §5.3), and where that is not enough the chain is
//! cut, and its next name asked for by itself.

use alloc::vec::Vec;

use bytes::Bytes;
use hickory_resolver::net::NoRecords;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::op::DnsResponse;
use hickory_resolver::proto::rr;
use hickory_resolver::proto::serialize::binary::BinDecodable as _;

use crate::dns::{
    Failure, Message, Mx, Question, Record, RecordData, RecordType, ResponseCode, Security, Srv,
    StartOfAuthority, Tlsa,
};
use crate::name::{DomainName, Target};

/// What one response says.
pub(super) struct Reading {
    pub(super) message: Message,
    /// The message ends at an alias of this name, which has to be asked for.
    pub(super) next: Option<DomainName>,
}

impl Reading {
    pub(super) const fn whole(message: Message) -> Self {
        Self { message, next: None }
    }
}

/// What the library thinks of the proofs of absence in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They prove what they have to about the name that was asked for.
    Proven,
    /// They may be good, but prove nothing.
    Insecure,
    Bogus,
}

impl Verdict {
    pub(super) const fn of(proof: Proof) -> Self {
        match proof {
            Proof::Secure => Self::Proven,
            Proof::Insecure => Self::Insecure,
            // RFC 7672 §2.1.1: what cannot be told is as good as what is wrong.
            Proof::Bogus | Proof::Indeterminate => Self::Bogus,
        }
    }
}

/// Reads a response; without a verdict nothing was validated.
pub(super) fn reading(
    question: &Question,
    response: &DnsResponse,
    verdict: Option<Verdict>,
) -> Result<Reading, Failure> {
    let mut message = Message::new(code(response.response_code));
    if !matches!(message.code, ResponseCode::NoError | ResponseCode::NxDomain) {
        return Ok(Reading::whole(message));
    }
    let Some(verdict) = verdict else {
        message.answers.extend(response.answers.iter().filter_map(record));
        message.authority = response.authorities.iter().find_map(start_of_authority);
        return Ok(Reading::whole(message));
    };
    let mut name = question.name.clone();
    for _ in 0..response.answers.len() {
        let asked = number(question.record_type);
        match records(&name, asked, response, verdict, name == question.name)? {
            Set::Stands(records) => {
                message.answers.extend(records);
                return Ok(Reading::whole(message));
            }
            Set::Falls if name == question.name => return Err(Failure::Bogus),
            Set::Falls => return Ok(Reading { message, next: Some(name) }),
            Set::None => {}
        }
        if question.record_type == RecordType::Cname {
            break;
        }
        let links = match records(&name, rr::RecordType::CNAME, response, verdict, name == question.name)? {
            Set::Stands(links) => links,
            Set::Falls if name == question.name => return Err(Failure::Bogus),
            Set::Falls => return Ok(Reading { message, next: Some(name) }),
            Set::None => break,
        };
        let target = links.iter().find_map(|link| match &link.data {
            RecordData::Cname(Target::Name(target)) => Some(target.clone()),
            _ => None,
        });
        message.answers.extend(links);
        // An alias of no name is for whoever reads the message.
        let Some(target) = target else { return Ok(Reading::whole(message)) };
        name = target;
    }
    if name != question.name {
        // The code and the proofs may be about any name of the chain.
        message.code = ResponseCode::NoError;
        return Ok(Reading { message, next: Some(name) });
    }
    message.denial = denial(verdict, &response.authorities, message.code)?;
    message.authority = response.authorities.iter().find_map(start_of_authority);
    Ok(Reading::whole(message))
}

/// An absence.
pub(super) fn absence(none: &NoRecords, validates: bool) -> Result<Reading, Failure> {
    let mut message = Message::new(code(none.response_code));
    message.authority = none.soa.as_ref().map(|soa| StartOfAuthority::new(soa.ttl, soa.data.minimum));
    if validates {
        let authorities = none.authorities.as_deref().unwrap_or_default();
        message.denial = denial(Verdict::Proven, authorities, message.code)?;
    }
    Ok(Reading::whole(message))
}

/// Records of one name and type.
enum Set {
    None,
    Stands(Vec<Record>),
    /// Their signatures are good, but they come of a wildcard, and that nothing else is there is not proven.
    Falls,
}

fn records(
    name: &DomainName,
    record_type: rr::RecordType,
    response: &DnsResponse,
    verdict: Verdict,
    asked: bool,
) -> Result<Set, Failure> {
    let of_name = |found: &&rr::Record| target(&found.name).name() == Some(name);
    let found: Vec<&rr::Record> =
        response.answers.iter().filter(|found| found.record_type() == record_type).filter(of_name).collect();
    let Some(first) = found.first() else { return Ok(Set::None) };
    let mut security = Security::Secure;
    let mut signed = true;
    for found in &found {
        match found.proof {
            Proof::Secure => {}
            Proof::Insecure => security = Security::Insecure,
            Proof::Bogus | Proof::Indeterminate if redirected(found, response) => signed = false,
            Proof::Bogus | Proof::Indeterminate => return Err(Failure::Bogus),
        }
    }
    if signed && security == Security::Secure {
        let labels = signed_labels(first, response).ok_or(Failure::Bogus)?;
        // RFC 4035 §5.3.4: a wildcard stands only for names that are not there.
        if labels < first.name.num_labels() && !covered(&first.name, labels, &response.authorities) {
            match verdict {
                Verdict::Proven if asked => {}
                Verdict::Insecure if asked => security = Security::Insecure,
                _ => return Ok(Set::Falls),
            }
        }
    }
    let read = found.into_iter().filter_map(|found| {
        let mut record = record(found)?;
        record.security = security;
        Some(record)
    });
    Ok(Set::Stands(read.collect()))
}

/// The number of labels that the signature says the owner of these records has; less than it has if they come of a wildcard.
fn signed_labels(record: &rr::Record, response: &DnsResponse) -> Option<u8> {
    response.answers.iter().find_map(|found| match &found.data {
        rr::RData::DNSSEC(DNSSECRData::RRSIG(signature))
            if found.proof == Proof::Secure
                && found.name == record.name
                && signature.input().type_covered == record.record_type() =>
        {
            Some(signature.input().num_labels)
        }
        _ => None,
    })
}

/// RFC 6672 §5.3.1: an alias that comes of a DNAME record has no signature of its own; the record has.
fn redirected(alias: &rr::Record, response: &DnsResponse) -> bool {
    let rr::RData::CNAME(target) = &alias.data else { return false };
    response.answers.iter().any(|found| {
        let rr::RData::Unknown { code: rr::RecordType::DNAME, rdata } = &found.data else { return false };
        let Ok(replacement) = rr::Name::from_bytes(&rdata.anything) else { return false };
        let below = found.name.num_labels();
        found.proof == Proof::Secure
            && signed_labels(found, response) == Some(below)
            && found.name.zone_of(&alias.name)
            && alias.name.num_labels() > below
            && replaced(&alias.name, below, &replacement).as_ref() == Some(&target.0)
    })
}

/// A name with so many of its last labels replaced.
fn replaced(name: &rr::Name, last: u8, replacement: &rr::Name) -> Option<rr::Name> {
    let kept = usize::from(name.num_labels().checked_sub(last)?);
    rr::Name::from_labels(name.iter().take(kept).chain(replacement.iter())).ok()
}

/// RFC 4035 §5.3.4: whether an NSEC record proves that a name does not exist, nor any nearer wildcard than the one with so many
/// labels behind the asterisk.
fn covered(name: &rr::Name, labels: u8, authorities: &[rr::Record]) -> bool {
    authorities.iter().any(|found| {
        let rr::RData::DNSSEC(DNSSECRData::NSEC(proof)) = &found.data else { return false };
        let (owner, next) = (&found.name, proof.next_domain_name());
        // RFC 6840 §4.1: one from above a delegation says nothing about names below it.
        let foreign = proof.is_ancestor_delegation() && owner.zone_of(name);
        let between = owner < name && (name < next || next <= owner && next.zone_of(name));
        let encloser = shared(name, owner).max(shared(name, next));
        found.proof == Proof::Secure && !foreign && between && encloser == usize::from(labels)
    })
}

/// How many labels two names share at their ends.
fn shared(one: &rr::Name, other: &rr::Name) -> usize {
    one.iter()
        .rev()
        .zip(other.iter().rev())
        .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
        .count()
}

/// How far the authority section vouches for an absence at the name that was asked for.
fn denial(verdict: Verdict, authorities: &[rr::Record], code: ResponseCode) -> Result<Security, Failure> {
    match verdict {
        Verdict::Bogus => return Err(Failure::Bogus),
        Verdict::Insecure => return Ok(Security::Insecure),
        Verdict::Proven => {}
    }
    let (mut denial, mut proofs, mut opt_out) = (Security::Secure, 0, false);
    for record in authorities {
        match &record.data {
            rr::RData::DNSSEC(DNSSECRData::NSEC(_)) => proofs += 1,
            rr::RData::DNSSEC(DNSSECRData::NSEC3(proof)) => {
                proofs += 1;
                opt_out |= proof.opt_out();
            }
            rr::RData::SOA(_) => {}
            // Where else to ask is no part of the proof.
            _ => continue,
        }
        denial = match Verdict::of(record.proof) {
            Verdict::Proven => denial,
            Verdict::Insecure => Security::Insecure,
            Verdict::Bogus => return Err(Failure::Bogus),
        };
    }
    // RFC 5155 §9.2: where opting out is allowed, only the record of the very name proves anything; it stands alone then.
    let proven = proofs > 0 && !(opt_out && (proofs > 1 || code == ResponseCode::NxDomain));
    Ok(if proven { denial } else { Security::Insecure })
}

pub(super) fn number(record_type: RecordType) -> rr::RecordType {
    rr::RecordType::from(record_type.number())
}

fn code(code: hickory_resolver::proto::op::ResponseCode) -> ResponseCode {
    ResponseCode::from(u16::from(code))
}

fn start_of_authority(record: &rr::Record) -> Option<StartOfAuthority> {
    match &record.data {
        rr::RData::SOA(soa) => Some(StartOfAuthority::new(record.ttl, soa.minimum)),
        _ => None,
    }
}

/// Names come back in the case of the question, which may be mixed; a [`DomainName`] has lower case.
fn target(name: &rr::Name) -> Target {
    Target::from_labels(name.iter())
}

fn record(record: &rr::Record) -> Option<Record> {
    let owner: DomainName = target(&record.name).name()?.clone();
    let data = match &record.data {
        rr::RData::A(address) => RecordData::A(address.0),
        rr::RData::AAAA(address) => RecordData::Aaaa(address.0),
        rr::RData::CNAME(name) => RecordData::Cname(target(&name.0)),
        rr::RData::MX(mx) => RecordData::Mx(Mx { preference: mx.preference, exchange: target(&mx.exchange) }),
        rr::RData::TXT(text) => RecordData::Txt(Bytes::from(text.txt_data.concat())),
        rr::RData::SRV(srv) => RecordData::Srv(Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: target(&srv.target),
        }),
        rr::RData::TLSA(tlsa) => RecordData::Tlsa(Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: Bytes::copy_from_slice(&tlsa.cert_data),
        }),
        _ => return None,
    };
    Some(Record::new(owner, record.ttl, data))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
