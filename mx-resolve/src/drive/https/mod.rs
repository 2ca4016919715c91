//! [`Https`]: fetches files beside a driver that asks the DNS, over TLS 1.2 or later on tokio.
//!
//! The addresses come from that driver and pass the filter that those of mail hosts pass; no redirect is followed, so what a
//! domain publishes leads to no other place than its own. `http` reads and writes the messages.

mod http;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Driver;
use crate::address::AddressPolicy;
use crate::dns::{Answer, Failure, Outcome, Question, RecordType, Records};
use crate::fetch::{FetchFailure, Page, Response};
use crate::name::DomainName;
use crate::plan::{Pkix, PkixReason, Tls};
use crate::verify::PeerVerifier;

const PORT: u16 = 443;
/// Aliases in a row.
const ALIASES: usize = 10;
/// Addresses that are tried.
const ADDRESSES: usize = 4;

/// How an [`Https`] fetches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpsConfig {
    /// Whom to trust.
    pub roots: Arc<RootCertStore>,
    /// The cryptography.
    pub provider: Arc<CryptoProvider>,
    /// Which addresses may be connected to. Default: as for mail hosts.
    pub addresses: AddressPolicy,
    /// Time for a connection to one address. Default: 10 s.
    pub connect: Duration,
    /// Where to connect to for some hosts instead, whatever the address: for tests. Default: none.
    pub overrides: Vec<(DomainName, SocketAddr)>,
}

impl HttpsConfig {
    /// With these roots and this cryptography.
    #[must_use]
    pub fn new(roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Self {
        Self {
            roots,
            provider,
            addresses: AddressPolicy::default(),
            connect: Duration::from_secs(10),
            overrides: Vec::new(),
        }
    }
}

/// A driver with fetching added.
#[derive(Clone, Debug)]
pub struct Https<D> {
    driver: D,
    config: HttpsConfig,
}

impl<D: Driver> Https<D> {
    /// Adds fetching to `driver`.
    #[must_use]
    pub const fn new(driver: D, config: HttpsConfig) -> Self {
        Self { driver, config }
    }

    /// The driver below.
    #[must_use]
    pub const fn driver(&self) -> &D {
        &self.driver
    }

    async fn get(&self, page: &Page, limit: usize, time: Duration) -> Result<Response, FetchFailure> {
        let mut last = FetchFailure::NoAddress;
        for address in self.addresses(&page.host, time).await? {
            let connected = timeout(self.config.connect, TcpStream::connect(address)).await;
            match connected {
                Ok(Ok(stream)) => return self.exchange(stream, page, limit).await,
                _ => last = FetchFailure::Connection,
            }
        }
        Err(last)
    }

    /// Where to connect to.
    async fn addresses(&self, host: &DomainName, time: Duration) -> Result<Vec<SocketAddr>, FetchFailure> {
        if let Some((_, address)) = self.config.overrides.iter().find(|(name, _)| name == host) {
            return Ok(Vec::from([*address]));
        }
        if host.is_address() || host.special().is_some() {
            return Err(FetchFailure::NoAddress);
        }
        let (mut found, mut refused, mut failed) = (Vec::new(), None, None);
        let (v6, v4) =
            tokio::join!(self.ask_all(host, RecordType::Aaaa, time), self.ask_all(host, RecordType::A, time));
        for answer in [v6, v4] {
            let all: Vec<IpAddr> = match answer.outcome {
                Outcome::Records(Records::Aaaa(all)) => all.into_iter().map(IpAddr::V6).collect(),
                Outcome::Records(Records::A(all)) => all.into_iter().map(IpAddr::V4).collect(),
                Outcome::Failure(failure) => {
                    failed = failed.or(Some(failure));
                    continue;
                }
                _ => continue,
            };
            let first = found.len();
            for address in all {
                match self.config.addresses.refuses(address) {
                    None if found.len() < first + ADDRESSES / 2 => found.push(SocketAddr::new(address, PORT)),
                    None => {}
                    Some(reason) => refused = refused.or(Some(reason)),
                }
            }
        }
        match (found.is_empty(), refused, failed) {
            (false, _, _) => Ok(found),
            (true, Some(reason), _) => Err(FetchFailure::Refused(reason)),
            (true, None, Some(failure)) => Err(FetchFailure::Lookup(failure)),
            (true, None, None) => Err(FetchFailure::NoAddress),
        }
    }

    /// Asks until the end of the aliases.
    async fn ask_all(&self, host: &DomainName, record_type: RecordType, time: Duration) -> Answer {
        let mut name = host.clone();
        for _ in 0..ALIASES {
            let answer = self.driver.ask(&Question::new(name, record_type), time).await;
            match (&answer.outcome, &answer.canonical) {
                (Outcome::Alias, Some(next)) => name = next.clone(),
                _ => return answer,
            }
        }
        Failure::AliasLimit.into()
    }

    async fn exchange(&self, stream: TcpStream, page: &Page, limit: usize) -> Result<Response, FetchFailure> {
        // RFC 8461 §3.3: the certificate has to be valid for the policy host, by a DNS-ID.
        let tls = Tls::Pkix(
            Pkix {
                names: Vec::from([page.host.clone()]),
                sni: page.host.clone(),
                testing: false,
                policy_id: None,
                reason: PkixReason::Sts,
            }
            .into(),
        );
        let (roots, provider) = (Arc::clone(&self.config.roots), Arc::clone(&self.config.provider));
        let verifier = PeerVerifier::new(tls, roots, provider);
        let config = verifier.client_config().map_err(|_| FetchFailure::Tls)?;
        let name = ServerName::try_from(alloc::string::String::from(page.host.as_str()))
            .map_err(|_| FetchFailure::Tls)?;
        let connection = ClientConnection::new(config.into(), name).map_err(|_| FetchFailure::Tls)?;
        let mut connection = Connection { stream, tls: connection };
        connection.fetch(page, limit).await.map_err(|failure| match verifier.outcome() {
            Some(Err(_)) => FetchFailure::Certificate,
            _ => failure,
        })
    }
}

/// TLS over a socket.
struct Connection {
    stream: TcpStream,
    tls: ClientConnection,
}

impl Connection {
    async fn fetch(&mut self, page: &Page, limit: usize) -> Result<Response, FetchFailure> {
        use std::io::{Read as _, Write as _};

        while self.tls.is_handshaking() {
            self.flush().await?;
            if self.tls.is_handshaking() && !self.fill().await? {
                return Err(FetchFailure::Tls);
            }
        }
        // Writing into memory does not fail.
        let _ = self.tls.writer().write_all(&http::request(page));
        let mut reader = http::Reader::new(limit);
        let mut plain = [0; 4096];
        loop {
            self.flush().await?;
            match self.tls.reader().read(&mut plain) {
                // RFC 8446 §6.1: the other side has said that this is the end.
                Ok(0) => return reader.finish(true),
                Ok(length) => {
                    if reader.take(plain.get(..length).unwrap_or_default())? {
                        self.tls.send_close_notify();
                        // It has been read, whatever becomes of the farewell.
                        let _ = self.flush().await;
                        return reader.finish(true);
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if !self.fill().await? {
                        return reader.finish(false);
                    }
                }
                Err(_) => return reader.finish(false),
            }
        }
    }

    /// Sends what TLS has to send.
    async fn flush(&mut self) -> Result<(), FetchFailure> {
        while self.tls.wants_write() {
            let mut wire = Vec::new();
            self.tls.write_tls(&mut wire).map_err(|_| FetchFailure::Tls)?;
            self.stream.write_all(&wire).await.map_err(|_| FetchFailure::Connection)?;
        }
        Ok(())
    }

    /// Takes what comes; whether anything does.
    async fn fill(&mut self) -> Result<bool, FetchFailure> {
        let mut wire = [0; 4096];
        let length = self.stream.read(&mut wire).await.map_err(|_| FetchFailure::Connection)?;
        let mut rest = wire.get(..length).unwrap_or_default();
        while !rest.is_empty() {
            self.tls.read_tls(&mut rest).map_err(|_| FetchFailure::Tls)?;
            if self.tls.process_new_packets().is_err() {
                // The alert may tell the other side why.
                let _ = self.flush().await;
                return Err(FetchFailure::Tls);
            }
        }
        Ok(length > 0)
    }
}

impl<D: Driver> Driver for Https<D> {
    async fn ask(&self, question: &Question, time: Duration) -> Answer {
        self.driver.ask(question, time).await
    }

    async fn fetch(&self, page: &Page, limit: usize, time: Duration) -> Result<Response, FetchFailure> {
        timeout(time, self.get(page, limit, time)).await.unwrap_or(Err(FetchFailure::Timeout))
    }

    fn elapsed(&self) -> Duration {
        self.driver.elapsed()
    }
}
