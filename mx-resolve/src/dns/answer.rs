//! [`Answer`]: what a response means for its question. Here are the rules about owner names and alias chains (RFC 1034
//! §3.6.2), absence and its lifetime (RFC 2308), and everything that counts as a failure.

use alloc::vec::Vec;

use super::message::{Message, Record, ResponseCode};
use super::question::{Question, RecordType};
use super::record::{RecordData, Records, Security};
use crate::name::{DomainName, Target};

/// What a question brought.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Records of the type, at least one.
    Records(Records),
    /// The name exists and has no such records: proven by an SOA record.
    NoData,
    /// The name does not exist: proven by an SOA record.
    NxDomain,
    /// The response ends at an alias; its target has to be asked for.
    Alias,
    /// There is no answer, for now.
    Failure(Failure),
}

/// Why a question brought nothing that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No response in time.
    #[error("timeout")]
    Timeout,
    /// No server could be reached.
    #[error("unreachable")]
    Unreachable,
    /// SERVFAIL.
    #[error("servfail")]
    ServFail,
    /// REFUSED.
    #[error("refused")]
    Refused,
    /// NOTIMP.
    #[error("notimp")]
    NotImp,
    /// FORMERR.
    #[error("formerr")]
    FormErr,
    /// Another response code.
    #[error("rcode-{0}")]
    Code(u16),
    /// A packet that cannot be read, or records of which none can.
    #[error("malformed")]
    Malformed,
    /// Truncated over TCP too.
    #[error("truncated")]
    Truncated,
    /// An absence without an SOA record.
    #[error("unproven")]
    Unproven,
    /// DNSSEC validation failed, or could not tell.
    #[error("bogus")]
    Bogus,
    /// Aliases that lead back to one another.
    #[error("alias-loop")]
    AliasLoop,
    /// More aliases in a row than the limit.
    #[error("alias-chain-too-long")]
    AliasLimit,
    /// More questions than the budget of the resolution.
    #[error("query-budget-spent")]
    Budget,
}

/// A link of an alias chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias {
    /// The alias.
    pub owner: DomainName,
    /// What it stands for.
    pub target: DomainName,
    /// How far DNSSEC vouches for the link.
    pub security: Security,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// What it brought.
    pub outcome: Outcome,
    /// How far DNSSEC vouches for the outcome, behind all aliases.
    pub security: Security,
    /// The chain from the name that was asked for to the canonical name, in order.
    pub aliases: Vec<Alias>,
    /// The name at the end of the chain: the one asked for, if it is no alias. `None` if the answer is a failure that
    /// has no name.
    pub canonical: Option<DomainName>,
    /// Seconds that all of it may be kept.
    pub ttl: u32,
    /// Records of the right owner and type that could not be read.
    pub malformed: usize,
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self {
            outcome: Outcome::Failure(failure),
            security: Security::Unchecked,
            aliases: Vec::new(),
            canonical: None,
            ttl: 0,
            malformed: 0,
        }
    }
}

impl Answer {
    /// What `message` means for `question`. At most `limit` aliases are followed.
    #[must_use]
    pub fn read(question: &Question, message: &Message, limit: usize) -> Self {
        if message.truncated {
            // RFC 7766 §5: what is truncated over UDP is asked again over TCP; a driver has done that.
            return Failure::Truncated.into();
        }
        let failure = match message.code {
            ResponseCode::NoError | ResponseCode::NxDomain => None,
            ResponseCode::FormErr => Some(Failure::FormErr),
            // RFC 8914 §4: from "indeterminate" and "bogus" to "NSEC missing" they are about DNSSEC.
            ResponseCode::ServFail if message.extended_error.is_some_and(|code| (5..=12).contains(&code)) => {
                Some(Failure::Bogus)
            }
            ResponseCode::ServFail => Some(Failure::ServFail),
            ResponseCode::NotImp => Some(Failure::NotImp),
            ResponseCode::Refused => Some(Failure::Refused),
            ResponseCode::Other(code) => Some(Failure::Code(code)),
        };
        if let Some(failure) = failure {
            return failure.into();
        }
        let mut chain = match Chain::follow(question, &message.answers, limit) {
            Ok(chain) => chain,
            Err(failure) => return failure.into(),
        };
        let mut records = Records::none(question.record_type);
        let (mut malformed, mut security) = (0, Security::Secure);
        // RFC 2181 §5.4: what stands in the message besides the answer is not the answer.
        for record in at(&message.answers, &chain.name) {
            match record.data {
                RecordData::Malformed(found) if found == question.record_type => malformed += 1,
                ref data => {
                    if records.add(data) {
                        chain.ttl = chain.ttl.min(lifetime(record.ttl));
                        security = security.min(record.security);
                    }
                }
            }
        }
        let outcome = match message.code {
            _ if records.is_empty() && malformed > 0 => Outcome::Failure(Failure::Malformed),
            // A name that has records and does not exist.
            ResponseCode::NxDomain if !records.is_empty() => Outcome::Failure(Failure::Malformed),
            _ if !records.is_empty() => Outcome::Records(records),
            code => {
                security = message.denial;
                match message.authority {
                    Some(soa) => {
                        // RFC 2308 §5: an absence lives as long as the SOA record, and no longer than its last field says.
                        chain.ttl = chain.ttl.min(lifetime(soa.ttl)).min(lifetime(soa.minimum));
                        // RFC 2308 §2.1: behind aliases the code is about the last name.
                        if code == ResponseCode::NxDomain { Outcome::NxDomain } else { Outcome::NoData }
                    }
                    // The server did not follow the chain to its end.
                    None if !chain.aliases.is_empty() && code == ResponseCode::NoError => Outcome::Alias,
                    // RFC 2308 §2.2: a denial without an SOA record may be a referral or an accident.
                    None => Outcome::Failure(Failure::Unproven),
                }
            }
        };
        // RFC 7672 §2.1.3: what stands behind an insecure alias is insecure, whatever it says.
        let security = chain.aliases.iter().fold(security, |so_far, alias| so_far.min(alias.security));
        Self {
            outcome,
            security,
            aliases: chain.aliases,
            canonical: Some(chain.name),
            ttl: chain.ttl,
            malformed,
        }
    }
}

struct Chain {
    name: DomainName,
    aliases: Vec<Alias>,
    ttl: u32,
}

impl Chain {
    fn follow(question: &Question, answers: &[Record], limit: usize) -> Result<Self, Failure> {
        let mut chain =
            Self { name: question.name.clone(), aliases: Vec::new(), ttl: lifetime(u32::MAX >> 1) };
        if question.record_type == RecordType::Cname {
            return Ok(chain);
        }
        loop {
            // A name with records of the type is the end of the chain.
            if at(answers, &chain.name).any(|record| is_of(&record.data, question.record_type)) {
                return Ok(chain);
            }
            let alias = at(answers, &chain.name).find_map(|record| match &record.data {
                RecordData::Cname(target) => Some((record, target)),
                _ => None,
            });
            let Some((record, target)) = alias else { return Ok(chain) };
            let Target::Name(target) = target else { return Err(Failure::Malformed) };
            // RFC 1034 §3.6.2: chains are followed, loops are an error.
            if *target == question.name || chain.aliases.iter().any(|link| link.target == *target) {
                return Err(Failure::AliasLoop);
            }
            if chain.aliases.len() >= limit {
                return Err(Failure::AliasLimit);
            }
            chain.ttl = chain.ttl.min(lifetime(record.ttl));
            let owner = core::mem::replace(&mut chain.name, target.clone());
            chain.aliases.push(Alias { owner, target: target.clone(), security: record.security });
        }
    }
}

fn at<'a>(answers: &'a [Record], name: &DomainName) -> impl Iterator<Item = &'a Record> {
    answers.iter().filter(move |record| record.owner == *name)
}

fn is_of(data: &RecordData, record_type: RecordType) -> bool {
    match data {
        RecordData::Malformed(found) => *found == record_type,
        data => Records::none(record_type).add(data),
    }
}

/// RFC 2181 §8: a lifetime with the top bit set is none.
const fn lifetime(ttl: u32) -> u32 {
    if ttl > i32::MAX as u32 { 0 } else { ttl }
}
