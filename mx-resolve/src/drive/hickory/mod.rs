//! [`Hickory`]: a driver over hickory-resolver, for hosts that have it anyway.
//!
//! Without a trust anchor nothing is validated, and every answer is
//! [`Security::Unchecked`](crate::dns::Security::Unchecked); with one the library validates, and what a resolver says about
//! that is not asked. `read` has what its responses mean.

mod read;

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverOpts};
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle as _, FirstAnswer as _, RetryDnsHandle};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::{DnsRequestOptions, DnsResponse, Query};
use hickory_resolver::proto::rr;
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};

use self::read::Reading;
use super::Driver;
use crate::dns::{Answer, Failure, Message, Question, ResponseCode};

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

type Servers = RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>;

/// The library below its cache, which keeps aliases and proofs to itself.
#[derive(Clone)]
enum Handle {
    Plain(Servers),
    Validating(DnssecDnsHandle<Servers>),
}

/// More aliases in a row than any limit of a resolution.
const ALIASES: usize = 64;

/// A driver over hickory-resolver. To be made and used inside a tokio runtime.
#[derive(Clone)]
pub struct Hickory {
    handle: Handle,
    options: DnsRequestOptions,
    start: tokio::time::Instant,
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
        let mut options = ResolverOpts::default();
        options.timeout = config.timeout;
        options.attempts = config.attempts;
        let failed = |error: NetError| HickoryError(error.to_string().into());
        let context = Arc::new(PoolContext::new(options, TlsConfig::new().map_err(failed)?));
        let servers = config.servers.iter().map(server);
        let pool = NameServerPool::from_config(servers, context, TokioRuntimeProvider::default());
        let servers = RetryDnsHandle::new(pool, config.attempts);
        let mut options = DnsRequestOptions::default();
        options.case_randomization = config.mix_case;
        let handle = match &config.trust_anchor {
            None => Handle::Plain(servers),
            Some(path) => {
                let anchors = TrustAnchors::from_file(path)
                    .map_err(|error| HickoryError(alloc::format!("{}: {error}", path.display()).into()))?;
                options.edns_set_dnssec_ok = true;
                Handle::Validating(DnssecDnsHandle::with_trust_anchor(servers, Arc::new(anchors)))
            }
        };
        Ok(Self { handle, options, start: tokio::time::Instant::now() })
    }

    async fn look_up(&self, query: Query) -> Result<DnsResponse, NetError> {
        match &self.handle {
            Handle::Plain(handle) => handle.lookup(query, self.options).first_answer().await,
            Handle::Validating(handle) => handle.lookup(query, self.options).first_answer().await,
        }
    }

    /// What one response says, and whether it ends at an alias whose target has to be asked for.
    async fn reading(&self, question: &Question) -> Result<Reading, Failure> {
        let Ok(mut name) = rr::Name::from_ascii(question.name.as_str()) else {
            return Err(Failure::Malformed);
        };
        name.set_fqdn(true);
        let validates = matches!(self.handle, Handle::Validating(_));
        let query = Query::query(name, read::number(question.record_type));
        match self.look_up(query).await {
            Ok(response) => read::reading(question, &response, validates.then_some(read::Verdict::Proven)),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => read::absence(&none, validates),
            // The library could not prove an absence, or that a wildcard was meant; it may be that nobody can (opt-out), that
            // nothing had to be proven, or worse.
            Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => {
                read::reading(question, &response, Some(read::Verdict::of(proof)))
            }
            Err(NetError::Dns(DnsError::ResponseCode(code))) => {
                Ok(Reading::whole(Message::new(ResponseCode::from(u16::from(code)))))
            }
            Err(NetError::Dns(DnsError::DnssecBogus)) => Err(Failure::Bogus),
            Err(NetError::Timeout) => Err(Failure::Timeout),
            Err(NetError::Truncated) => Err(Failure::Truncated),
            Err(NetError::NoConnections | NetError::Io(_) | NetError::Busy) => Err(Failure::Unreachable),
            Err(_) => Err(Failure::Malformed),
        }
    }

    /// Asks on until aliases end.
    async fn message(&self, question: &Question) -> Result<Message, Failure> {
        let mut links = Vec::new();
        let mut name = question.name.clone();
        loop {
            let asked = Question::new(name, question.record_type);
            let Reading { mut message, next } = self.reading(&asked).await?;
            links.append(&mut message.answers);
            let Some(next) = next else {
                message.answers = links;
                return Ok(message);
            };
            if links.iter().any(|link| link.owner == next) {
                return Err(Failure::AliasLoop);
            }
            if links.len() > ALIASES {
                return Err(Failure::AliasLimit);
            }
            name = next;
        }
    }

    async fn answer(&self, question: &Question) -> Answer {
        match self.message(question).await {
            Ok(message) => Answer::read(question, &message, ALIASES),
            Err(failure) => failure.into(),
        }
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
