//! A session with a host, with TLS as its plan asks: nothing is sent to a host that fails it.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use mailwright_core::io::RunError;
use mailwright_core::io::tokio::Connection;
use mailwright_core::session::Transport;
use mailwright_mx::plan::Dial;
use mailwright_mx::tlsrpt::ResultType;
use mailwright_mx::verify::{PeerVerifier, VerifyError};
use mailwright_mx::{Plan, Tls};
use mailwright_smtp::client::{Client, Closed, Config, Login, LoginError, TlsMode};
use mailwright_smtp::dsn::MtaName;
use mailwright_store::queue::Attempted;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use super::{Ways, tlsrpt};

/// How long a host may take to accept a connection (mx.md advises so for servers that try others next).
const CONNECT: Duration = Duration::from_secs(30);

/// A host to try.
pub(super) struct Host<'a> {
    pub(super) name: Option<String>,
    pub(super) address: SocketAddr,
    pub(super) remote: Option<MtaName>,
    pub(super) tls: &'a Tls,
    pub(super) plan: &'a Plan,
    /// The name in SNI.
    server_name: Option<String>,
}

impl<'a> Host<'a> {
    pub(super) fn of(dial: &Dial<'a>, plan: &'a Plan) -> Self {
        let name = dial.host.name.as_ref().map(ToString::to_string);
        let literal = match dial.address {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        let domain = name.as_deref().unwrap_or(&literal).parse();
        let remote = domain.ok().and_then(|domain| MtaName::dns(&domain).ok());
        let server_name = dial.host.server_name().map(ToString::to_string);
        let address = SocketAddr::new(dial.address, dial.host.port);
        Self { name, address, remote, tls: &dial.host.tls, plan, server_name }
    }

    fn server_name(&self) -> ServerName<'static> {
        let name = self.server_name.clone().and_then(|name| ServerName::try_from(name).ok());
        name.unwrap_or_else(|| ServerName::from(self.address.ip()))
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// Why a host was left.
pub(super) enum SessionFailure {
    /// TLS is not as it has to be, or does not work.
    Tls(ResultType, String),
    Other(String),
}

impl SessionFailure {
    pub(super) fn attempted(self, host: &Host<'_>) -> Attempted {
        let remote = host.remote.clone();
        match self {
            Self::Tls(_, reason) => Attempted::TlsFailed { remote, reason },
            Self::Other(reason) => Attempted::Unreachable { remote, reason },
        }
    }
}

impl fmt::Display for SessionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(_, reason) => write!(f, "TLS: {reason}"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl Ways {
    /// A session that takes mail, with TLS as it has to be.
    pub(super) async fn session(
        &self,
        host: &Host<'_>,
    ) -> Result<Connection<TcpStream, Client>, SessionFailure> {
        // Nothing is insisted on under a policy in testing either, and everything is reported.
        let mode = if host.tls.lets_pass() { TlsMode::Opportunistic } else { TlsMode::Required };
        let result = self.greet(host, mode).await;
        match &result {
            Ok((connection, outcome)) => {
                let in_tls = connection.session().tls().is_some();
                let offered =
                    if in_tls { Ok(()) } else { Err((ResultType::StartTlsNotSupported, String::new())) };
                let verified = outcome.map_err(|error| (error.result_type(), error.to_string()));
                tlsrpt::session(host, offered.and(verified));
            }
            Err(SessionFailure::Tls(result, reason)) => tlsrpt::session(host, Err((*result, reason.clone()))),
            // Nobody knows what TLS would have been like.
            Err(SessionFailure::Other(_)) => {}
        }
        match result {
            // RFC 7435 §3: a host whose TLS does not work is as good as one without, where nothing says otherwise.
            Err(SessionFailure::Tls(_, reason)) if host.tls.lets_pass() => {
                tracing::info!(%host, %reason, "TLS failed, going on without");
                self.greet(host, TlsMode::None).await.map(|(connection, _)| connection)
            }
            result => result.map(|(connection, _)| connection),
        }
    }

    /// Connects and logs in; with the session comes what its certificate is worth.
    async fn greet(
        &self,
        host: &Host<'_>,
        mode: TlsMode,
    ) -> Result<(Connection<TcpStream, Client>, Result<(), VerifyError>), SessionFailure> {
        let failed = |error: &dyn fmt::Display| SessionFailure::Other(error.to_string());
        let stream = tokio::time::timeout(CONNECT, TcpStream::connect(host.address)).await;
        let stream = stream.map_err(|_| failed(&"no connection in time"))?.map_err(|error| failed(&error))?;
        // Commands are small and wait for their replies.
        let _ = stream.set_nodelay(true);
        let mut config = Config::new(&self.name).map_err(|error| failed(&error))?;
        config.tls = mode;
        let (roots, provider) = (Arc::clone(&self.roots), Arc::clone(&self.provider));
        let verifier = PeerVerifier::new(host.tls.clone(), roots, provider);
        let tls = verifier.client_config().map_err(|error| failed(&error))?;
        let transport = Transport::tls_ready(Client::new(config), (Arc::new(tls), host.server_name()));
        let mut connection = Connection::over(stream, transport);
        match connection.run(Login::new()).await {
            Ok(_) => Ok((
                connection,
                verifier
                    .outcome()
                    .unwrap_or(Ok(mailwright_mx::verify::Authenticated::Unauthenticated))
                    .map(drop),
            )),
            Err(RunError::Task(LoginError::Closed(closed))) => Err(match closed {
                Closed::TlsNotOffered | Closed::TlsRefused(_) => {
                    SessionFailure::Tls(ResultType::StartTlsNotSupported, closed.to_string())
                }
                Closed::Layer(error) => match verifier.outcome() {
                    Some(Err(error)) => SessionFailure::Tls(error.result_type(), error.to_string()),
                    _ => SessionFailure::Tls(ResultType::ValidationFailure, error.to_string()),
                },
                Closed::Injected(_) => SessionFailure::Tls(ResultType::ValidationFailure, closed.to_string()),
                other => SessionFailure::Other(other.to_string()),
            }),
            Err(error) => Err(failed(&error)),
        }
    }
}
