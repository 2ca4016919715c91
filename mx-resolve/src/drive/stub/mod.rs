//! [`Stub`]: a driver that asks named resolvers over UDP, and over TCP where UDP is not enough, on tokio.
//!
//! Each try has a socket, a port and an id of its own, and takes nothing that does not come from the resolver or does not
//! repeat the question (RFC 5452 §9). It validates nothing: it asks for the AD bit, and believes it of a resolver on
//! loopback, or of one that it is told to trust. `wire` reads and writes the packets.

pub mod wire;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

use self::wire::{Query, WireError};
use super::Driver;
use crate::dns::{Answer, Failure, Message, Question, ResponseCode};

/// More aliases in a row than any limit of a resolution.
const ALIASES: usize = 64;

/// How a [`Stub`] asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StubConfig {
    /// Resolvers, tried one after the other. Default: none, which fails.
    pub servers: Vec<SocketAddr>,
    /// Time for one try. Default: 3 s.
    pub timeout: Duration,
    /// Tries for a question; as many as there are servers, at least. Default: 3.
    pub tries: usize,
    /// Believe the AD bit of resolvers that are not on loopback: the path to them is safe. Default: no.
    pub trust_ad: bool,
    /// Mix the case of names, so that answers are harder to forge. Default: no, since some resolvers do not keep it.
    pub mix_case: bool,
}

impl Default for StubConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(3),
            tries: 3,
            trust_ad: false,
            mix_case: false,
        }
    }
}

/// A driver that asks named resolvers.
#[derive(Clone, Debug)]
pub struct Stub {
    config: StubConfig,
    start: Instant,
}

impl Stub {
    /// A driver that asks as `config` says. To be made and used inside a tokio runtime.
    #[must_use]
    pub fn new(config: StubConfig) -> Self {
        Self { config, start: Instant::now() }
    }

    /// Whether the AD bit of some resolver is seen and believed: without it there is no DANE, so a host that wants DANE says so
    /// to its operator when it starts. Asks each resolver for the NS records of the root.
    pub async fn probe(&self) -> bool {
        for server in &self.config.servers {
            if !self.trusts(*server) {
                continue;
            }
            let probed = timeout(self.config.timeout, probe(*server)).await;
            if probed.is_ok_and(|seen| seen == Some(true)) {
                return true;
            }
        }
        false
    }

    const fn trusts(&self, server: SocketAddr) -> bool {
        // RFC 6698 §4.1, RFC 7672 §2.1.1: AD is worth something where nobody can change it on the way.
        self.config.trust_ad || server.ip().is_loopback()
    }

    async fn answer(&self, question: &Question) -> Answer {
        let mut last = Failure::Unreachable;
        let tries = self.config.tries.max(self.config.servers.len());
        for (number, server) in self.config.servers.iter().cycle().take(tries).enumerate() {
            let tried = timeout(self.config.timeout, self.try_server(*server, question)).await;
            match tried.unwrap_or(Err(Failure::Timeout)) {
                Ok(message) => {
                    let good = matches!(message.code, ResponseCode::NoError | ResponseCode::NxDomain);
                    if good || number + 1 >= self.config.servers.len() {
                        return Answer::read(question, &message, ALIASES);
                    }
                    // Another server may be in better health.
                }
                Err(failure) => last = failure,
            }
        }
        last.into()
    }

    async fn try_server(&self, server: SocketAddr, question: &Question) -> Result<Message, Failure> {
        let trusted = self.trusts(server);
        let message = over_udp(server, &self.query(question)?, trusted).await?;
        if !message.truncated {
            return Ok(message);
        }
        // RFC 7766 §5: what is truncated is asked again over TCP.
        over_tcp(server, &self.query(question)?, trusted).await
    }

    /// A query with a random id.
    fn query(&self, question: &Question) -> Result<Query, Failure> {
        let mut random = [0; 34];
        getrandom::fill(&mut random).map_err(|_| Failure::Unreachable)?;
        let [high, low, case @ ..] = random;
        let case = self.config.mix_case.then_some(&case[..]);
        Ok(Query::new(question, u16::from_be_bytes([high, low]), case))
    }
}

async fn probe(server: SocketAddr) -> Option<bool> {
    let mut random = [0; 2];
    getrandom::fill(&mut random).ok()?;
    let id = u16::from_be_bytes(random);
    let socket = socket(server).await.ok()?;
    socket.send(&wire::probe(id)).await.ok()?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await.ok()?;
        if let Some(seen) = wire::probed(id, buffer.get(..length).unwrap_or_default()) {
            return Some(seen);
        }
    }
}

/// RFC 5452 §9.2: a port of its own for each; a connected socket hears from nobody else.
async fn socket(server: SocketAddr) -> Result<UdpSocket, Failure> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(|_| Failure::Unreachable)?;
    socket.connect(server).await.map_err(|_| Failure::Unreachable)?;
    Ok(socket)
}

async fn over_udp(server: SocketAddr, query: &Query, trusted: bool) -> Result<Message, Failure> {
    let socket = socket(server).await?;
    socket.send(query.packet()).await.map_err(|_| Failure::Unreachable)?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(|_| Failure::Unreachable)?;
        match query.read(buffer.get(..length).unwrap_or_default(), trusted) {
            Ok(message) => return Ok(message),
            // Whoever sent it; the response may still come.
            Err(WireError::Foreign) => {}
            Err(WireError::Malformed) => return Err(Failure::Malformed),
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &Query, trusted: bool) -> Result<Message, Failure> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        // RFC 7766 §8: the length and the packet in one write.
        let mut framed = Vec::with_capacity(query.packet().len() + 2);
        framed.extend(u16::try_from(query.packet().len()).unwrap_or_default().to_be_bytes());
        framed.extend(query.packet());
        stream.write_all(&framed).await?;
        let length = stream.read_u16().await?;
        let mut packet = alloc::vec![0; usize::from(length)];
        stream.read_exact(&mut packet).await?;
        Ok::<_, std::io::Error>(packet)
    };
    let packet = exchange.await.map_err(|_| Failure::Unreachable)?;
    query.read(&packet, trusted).map_err(|_| Failure::Malformed)
}

impl Driver for Stub {
    async fn ask(&self, question: &Question, time: Duration) -> Answer {
        timeout(time, self.answer(question)).await.unwrap_or(Failure::Timeout.into())
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
