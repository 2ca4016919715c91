//! [`Hickory`]: a driver over hickory-resolver, for hosts that have it anyway.
//!
//! It sees through the resolver, so it knows less than a driver of packets: nothing is validated here, and every
//! answer is [`Security::Unchecked`](crate::dns::Security::Unchecked). An absence behind an alias comes without the alias, which is asked for again.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::rr;

use super::Driver;
use crate::dns::{
    Answer, Failure, Message, Mx, Outcome, Question, Record, RecordData, RecordType, ResponseCode, Srv,
    StartOfAuthority, Tlsa,
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
}

impl Default for HickoryConfig {
    fn default() -> Self {
        Self { servers: Vec::new(), timeout: Duration::from_secs(3), attempts: 2, mix_case: false }
    }
}

/// A driver over hickory-resolver. To be made and used inside a tokio runtime.
#[derive(Clone)]
pub struct Hickory {
    resolver: TokioResolver,
    start: tokio::time::Instant,
    aliases: usize,
}

/// The resolver could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no resolver: {0}")]
pub struct HickoryError(Arc<NetError>);

impl Hickory {
    /// A driver that asks as `config` says.
    ///
    /// # Errors
    /// If the library refuses the configuration.
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
        let resolver = builder.build().map_err(|error| HickoryError(Arc::new(error)))?;
        Ok(Self { resolver, start: tokio::time::Instant::now(), aliases: 16 })
    }

    async fn message(&self, question: &Question) -> Result<Message, Failure> {
        let Ok(mut name) = rr::Name::from_ascii(question.name.as_str()) else {
            return Err(Failure::Malformed);
        };
        name.set_fqdn(true);
        match self.resolver.lookup(name, number(question.record_type)).await {
            Ok(lookup) => {
                let mut message = Message::new(ResponseCode::NoError);
                message.answers.extend(lookup.answers().iter().filter_map(record));
                message.authority = lookup.authorities().iter().find_map(|record| match &record.data {
                    rr::RData::SOA(soa) => Some(StartOfAuthority::new(record.ttl, soa.minimum)),
                    _ => None,
                });
                Ok(message)
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => Ok(absence(&none)),
            Err(NetError::Dns(DnsError::ResponseCode(code))) => Ok(Message::new(u16::from(code).into())),
            Err(NetError::Dns(DnsError::DnssecBogus)) => Err(Failure::Bogus),
            Err(NetError::Timeout) => Err(Failure::Timeout),
            Err(NetError::Truncated) => Err(Failure::Truncated),
            Err(NetError::NoConnections | NetError::Io(_) | NetError::Busy) => Err(Failure::Unreachable),
            Err(_) => Err(Failure::Malformed),
        }
    }

    async fn answer(&self, question: &Question) -> Answer {
        let mut message = match self.message(question).await {
            Ok(message) => message,
            Err(failure) => return failure.into(),
        };
        let answer = Answer::read(question, &message, self.aliases);
        if answer.outcome != Outcome::NoData || question.record_type != RecordType::Mx {
            return answer;
        }
        // The library has followed the aliases and kept them to itself; the last name is the implicit MX.
        let mut name = question.name.clone();
        for _ in 0..=self.aliases {
            let alias = Question::new(name, RecordType::Cname);
            match self.message(&alias).await {
                Ok(link) => {
                    let Some((record, target)) = link.answers.iter().find_map(|record| match &record.data {
                        RecordData::Cname(Target::Name(target)) if record.owner == alias.name => {
                            Some((record, target.clone()))
                        }
                        _ => None,
                    }) else {
                        break;
                    };
                    message.answers.push(record.clone());
                    name = target;
                }
                Err(failure) => return failure.into(),
            }
        }
        Answer::read(question, &message, self.aliases)
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
