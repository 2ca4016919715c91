//! From a URL to a connection: the socket, TLS below the session if the URL wants it, and patience.

use core::cell::Cell;
use core::fmt;
use core::time::Duration;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Instant;

use mailwright_core::io::blocking::{Connection, Stream};
use mailwright_core::session::{Session, Transport};
use rustls::pki_types::ServerName;

use crate::arguments::ServerArguments;
use crate::failure::{Failure, LoginFailure};
use crate::server_url::Security;
use crate::trust;

/// A socket to the server. Any of its addresses will do.
pub(crate) fn socket(arguments: &ServerArguments) -> Result<Patient, Failure> {
    let server = &arguments.server;
    let limit = arguments.patience();
    let name = format!("{}:{}", server.host, server.port);
    let mut last = None;
    let mut addresses = arguments.addresses.clone();
    if addresses.is_empty() {
        let found = (server.host.as_str(), server.port).to_socket_addrs();
        addresses.extend(found.map_err(|error| Failure::failed(format_args!("{name}: {error}")))?);
    }
    for address in addresses {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                // Commands are small and wait for their replies. What cannot be had is only slower.
                let _ = stream.set_nodelay(true);
                tracing::info!(%address, "connected");
                return Ok(Patient {
                    stream,
                    limit,
                    waited: Duration::ZERO,
                    gave_up: false,
                    endless: Cell::new(false),
                });
            }
            Err(error) => last = Some(error),
        }
    }
    let reason = last.map_or_else(|| "no address".to_owned(), |error| error.to_string());
    Err(Failure::failed(format_args!("{name}: {reason}")))
}

/// Puts a session on a socket, with TLS to be had unless the URL says `+plain`.
pub(crate) fn connection<P: Session>(
    arguments: &ServerArguments,
    socket: Patient,
    session: P,
) -> Result<Connection<Patient, P>, Failure> {
    let transport = match arguments.server.security {
        Security::Plain => Transport::plain(session),
        Security::StartTls | Security::Implicit => {
            let name = ServerName::try_from(arguments.server.host.clone())
                .map_err(|_| Failure::usage("the host is no name that a certificate could have"))?;
            Transport::tls_ready(session, (trust::configuration(arguments.ca.as_deref())?, name))
        }
    };
    Ok(Connection::over(socket, transport))
}

/// Ends a connection in order, once its session is over. Whatever happens now changes nothing.
pub(crate) fn finish<P: Session>(mut connection: Connection<Patient, P>) {
    while let Ok(Some(_)) = connection.next_event() {}
}

/// A socket on which waiting has an end: without any progress in either direction for so long, it fails.
///
/// Only the time spent waiting here counts, not that in which the program does something else.
#[derive(Debug)]
pub(crate) struct Patient {
    stream: TcpStream,
    limit: Duration,
    /// How long nothing has moved.
    waited: Duration,
    gave_up: bool,
    /// Whether waiting has no end for now.
    endless: Cell<bool>,
}

impl Patient {
    /// The socket.
    pub(crate) const fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Whether waiting has no end for now, because nothing is asked.
    pub(crate) fn wait_endlessly(&self, endless: bool) {
        self.endless.set(endless);
    }

    /// Why something failed on this socket: because of it, or for the reason that is given.
    pub(crate) fn explain(&self, reason: impl fmt::Display) -> Failure {
        if self.gave_up {
            Failure::failed(format_args!("no progress on the connection for {} s", self.limit.as_secs()))
        } else {
            Failure::failed(reason)
        }
    }

    /// The same of a log-in.
    pub(crate) fn explain_login(&self, reason: LoginFailure) -> Failure {
        match reason {
            LoginFailure::Refused(reason) => Failure::Refused(reason),
            LoginFailure::Other(reason) => self.explain(reason),
        }
    }

    fn attempt(
        &mut self,
        timeout: Option<Duration>,
        call: impl FnOnce(&mut TcpStream, Option<Duration>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.endless.get() {
            self.waited = Duration::ZERO;
            return call(&mut self.stream, timeout);
        }
        let left = self.limit.saturating_sub(self.waited);
        if left.is_zero() {
            self.gave_up = true;
            // Not of the kind TimedOut, which only says that one call was in vain.
            return Err(io::Error::other("no progress on the connection"));
        }
        let start = Instant::now();
        let result = call(&mut self.stream, Some(timeout.map_or(left, |timeout| timeout.min(left))));
        match &result {
            Ok(_) => self.waited = Duration::ZERO,
            Err(_) => self.waited = self.waited.saturating_add(start.elapsed()),
        }
        result
    }
}

impl Stream for Patient {
    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
        self.attempt(timeout, |stream, timeout| Stream::read(stream, buffer, timeout))
    }

    fn write(&mut self, octets: &[u8], timeout: Option<Duration>) -> io::Result<usize> {
        self.attempt(timeout, |stream, timeout| Stream::write(stream, octets, timeout))
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.stream.shutdown_write()
    }
}
