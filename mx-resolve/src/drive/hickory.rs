//! [`Hickory`]: a driver over hickory-resolver, for hosts that have it anyway.
//!
//! It sees through the resolver, so it knows less than a driver of packets. Without a trust anchor nothing is validated, and
//! every answer is [`Security::Unchecked`]; with one the library validates, and what a resolver says about that is not asked.
//! An absence behind an alias comes without the alias, which is asked for again.

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use bytes::Bytes;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::rr;

use super::Driver;
use crate::dns::{
    Answer, Failure, Message, Mx, Outcome, Question, Record, RecordData, RecordType, ResponseCode, Security,
    Srv, StartOfAuthority, Tlsa,
};
use crate::name::{DomainName, Target};

/// How a [`Hickory`] asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HickoryConfig {
    /// Resolvers, asked over UDP, and over TCP where UDP is not enough. Default: none, which fails.
    pub servers: Vec<SocketAddr>,
    /// Time for one try. Default: 3 s.
    pub timeout: Duration,
    /// How often a question is tried again. Default: 2.
    pub attempts: usize,
    /// Mix the case of names, so that answers are harder to forge. Default: no, since some resolvers do not keep it.
    pub mix_case: bool,
    /// A file of DNSKEY records of the root, to validate with. Default: none, nothing is validated.
    pub trust_anchor: Option<PathBuf>,
}

impl Default for HickoryConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(3),
            attempts: 2,
            mix_case: false,
            trust_anchor: None,
        }
    }
}

/// A driver over hickory-resolver. To be made and used inside a tokio runtime.
#[derive(Clone)]
pub struct Hickory {
    resolver: TokioResolver,
    start: tokio::time::Instant,
    aliases: usize,
    validates: bool,
}

/// The resolver could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no resolver: {0}")]
pub struct HickoryError(Arc<str>);

impl Hickory {
    /// A driver that asks as `config` says.
    ///
    /// # Errors
    /// If the library refuses the configuration, or the trust anchor cannot be read.
    pub fn new(config: &HickoryConfig) -> Result<Self, HickoryError> {
        let server = |address: &SocketAddr| {
            let mut connections = Vec::from([ConnectionConfig::udp(), ConnectionConfig::tcp()]);
            for connection in &mut connections {
                connection.port = address.port();
            }
            NameServerConfig::new(address.ip(), true, connections)
        };
        let servers =
            ResolverConfig::from_parts(None, Vec::new(), config.servers.iter().map(server).collect());
        let mut builder = TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.use_hosts_file = ResolveHosts::Never;
        options.preserve_intermediates = true;
        options.timeout = config.timeout;
        options.attempts = config.attempts;
        options.case_randomization = config.mix_case;
        options.edns0 = true;
        // What is remembered is remembered as plans, and with lifetimes that are known.
        options.cache_size = 0;
        if let Some(path) = &config.trust_anchor {
            let anchors = TrustAnchors::from_file(path)
                .map_err(|error| HickoryError(alloc::format!("{}: {error}", path.display()).into()))?;
            builder = builder.with_trust_anchor(Arc::new(anchors));
        }
        let resolver = builder.build().map_err(|error| HickoryError(error.to_string().into()))?;
        let validates = config.trust_anchor.is_some();
        Ok(Self { resolver, start: tokio::time::Instant::now(), aliases: 16, validates })
    }

    async fn message(&self, question: &Question) -> Result<Message, Failure> {
        let Ok(mut name) = rr::Name::from_ascii(question.name.as_str()) else {
            return Err(Failure::Malformed);
        };
        name.set_fqdn(true);
        match self.resolver.lookup(name, number(question.record_type)).await {
            Ok(lookup) => {
                let mut message = Message::new(ResponseCode::NoError);
                for found in lookup.answers() {
                    let Some(mut record) = record(found) else { continue };
                    record.security = self.security(found.proof)?;
                    message.answers.push(record);
                }
                let asked = number(question.record_type);
                if !lookup.answers().iter().any(|record| record.record_type() == asked) {
                    message.denial = self.denial(lookup.authorities(), message.code)?;
                }
                message.authority = lookup.authorities().iter().find_map(start_of_authority);
                Ok(message)
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                let mut message = absence(&none);
                message.denial =
                    self.denial(none.authorities.as_deref().unwrap_or_default(), message.code)?;
                Ok(message)
            }
            // The library could not prove the absence: it may be that nobody can (opt-out), or worse.
            Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => {
                let mut message = Message::new(u16::from(response.response_code).into());
                message.denial = self.security(proof)?.min(Security::Insecure);
                message.answers.extend(response.answers.iter().filter_map(record));
                message.authority = response.authorities.iter().find_map(start_of_authority);
                Ok(message)
            }
            Err(NetError::Dns(DnsError::ResponseCode(code))) => Ok(Message::new(u16::from(code).into())),
            Err(NetError::Dns(DnsError::DnssecBogus)) => Err(Failure::Bogus),
            Err(NetError::Timeout) => Err(Failure::Timeout),
            Err(NetError::Truncated) => Err(Failure::Truncated),
            Err(NetError::NoConnections | NetError::Io(_) | NetError::Busy) => Err(Failure::Unreachable),
            Err(_) => Err(Failure::Malformed),
        }
    }

    /// What the proof of a record means.
    const fn security(&self, proof: Proof) -> Result<Security, Failure> {
        match proof {
            _ if !self.validates => Ok(Security::Unchecked),
            Proof::Secure => Ok(Security::Secure),
            Proof::Insecure => Ok(Security::Insecure),
            // RFC 7672 §2.1.1: what cannot be told is as good as what is wrong.
            Proof::Bogus | Proof::Indeterminate => Err(Failure::Bogus),
        }
    }

    /// How far the authority section vouches for an absence.
    fn denial(&self, authorities: &[rr::Record], code: ResponseCode) -> Result<Security, Failure> {
        if !self.validates {
            return Ok(Security::Unchecked);
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
            denial = denial.min(self.security(record.proof)?);
        }
        // RFC 5155 §9.2: where opting out is allowed, only the record of the very name proves anything; it stands alone then.
        let proven = proofs > 0 && !(opt_out && (proofs > 1 || code == ResponseCode::NxDomain));
        Ok(if proven { denial } else { denial.min(Security::Insecure) })
    }

    async fn answer(&self, question: &Question) -> Answer {
        let found = match self.message(question).await {
            Err(Failure::Bogus) if question.record_type != RecordType::Cname => self.by_links(question).await,
            found => found,
        };
        let mut message = match found {
            Ok(message) => message,
            Err(failure) => return failure.into(),
        };
        let answer = Answer::read(question, &message, self.aliases);
        let implicit = answer.outcome == Outcome::NoData && question.record_type == RecordType::Mx;
        if !implicit || !answer.aliases.is_empty() {
            return answer;
        }
        // The library has followed the aliases and kept them to itself; the last name is the implicit MX.
        let mut name = question.name.clone();
        for _ in 0..=self.aliases {
            match self.link(&name).await {
                Ok(Some((record, target))) => {
                    message.answers.push(record);
                    name = target;
                }
                Ok(None) => break,
                Err(failure) => return failure.into(),
            }
        }
        Answer::read(question, &message, self.aliases)
    }

    /// Asks for each name of a chain of aliases by itself. The library holds all proofs of absence in a response against the
    /// name that was asked for, also those about a name behind an alias, and takes the response for bogus then. Link by link
    /// it has to vouch for the same things. What is no alias stays bogus.
    async fn by_links(&self, question: &Question) -> Result<Message, Failure> {
        let mut links = Vec::new();
        let mut name = question.name.clone();
        while links.len() <= self.aliases {
            let (record, target) = self.link(&name).await?.ok_or(Failure::Bogus)?;
            links.push(record);
            if target == question.name {
                return Err(Failure::AliasLoop);
            }
            match self.message(&Question::new(target.clone(), question.record_type)).await {
                Ok(mut message) => {
                    links.append(&mut message.answers);
                    message.answers = links;
                    return Ok(message);
                }
                Err(Failure::Bogus) => name = target,
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::AliasLimit)
    }

    /// The alias at a name, and what it stands for.
    async fn link(&self, name: &DomainName) -> Result<Option<(Record, DomainName)>, Failure> {
        let message = self.message(&Question::new(name.clone(), RecordType::Cname)).await?;
        Ok(message.answers.into_iter().find_map(|record| match &record.data {
            RecordData::Cname(Target::Name(target)) if record.owner == *name => {
                let target = target.clone();
                Some((record, target))
            }
            _ => None,
        }))
    }
}

impl Driver for Hickory {
    async fn ask(&self, question: &Question, time: Duration) -> Answer {
        let answer = tokio::time::timeout(time, self.answer(question)).await;
        answer.unwrap_or(Failure::Timeout.into())
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl core::fmt::Debug for Hickory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hickory").finish_non_exhaustive()
    }
}

fn number(record_type: RecordType) -> rr::RecordType {
    rr::RecordType::from(record_type.number())
}

fn absence(none: &NoRecords) -> Message {
    let mut message = Message::new(u16::from(none.response_code).into());
    message.authority = none.soa.as_ref().map(|soa| StartOfAuthority::new(soa.ttl, soa.data.minimum));
    message
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
