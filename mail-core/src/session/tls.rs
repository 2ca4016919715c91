//! The TLS layer of a [`Transport`](super::Transport): rustls as an engine in memory.

use alloc::string::ToString;
use alloc::sync::Arc;
use core::fmt;
use std::io::{BufRead as _, Write as _};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ProtocolVersion, ServerConfig, ServerConnection};

use super::{LayerError, TlsInfo, Transmit};

/// The host's TLS configuration, with whatever cryptography provider it chose.
#[derive(Clone)]
#[non_exhaustive]
pub enum TlsConfig {
    /// For the side that answers.
    Server(Arc<ServerConfig>),
    /// For the side that calls, with the name that the certificate must have.
    Client(Arc<ClientConfig>, ServerName<'static>),
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(_) => f.write_str("Server"),
            Self::Client(_, name) => f.debug_tuple("Client").field(name).finish(),
        }
    }
}

impl From<Arc<ServerConfig>> for TlsConfig {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self::Server(config)
    }
}

impl From<(Arc<ClientConfig>, ServerName<'static>)> for TlsConfig {
    fn from((config, name): (Arc<ClientConfig>, ServerName<'static>)) -> Self {
        Self::Client(config, name)
    }
}

/// A TLS connection between two buffers.
pub(super) struct Tls {
    connection: Connection,
    /// Whether the handshake is finished and was reported.
    established: bool,
    peer_has_closed: bool,
}

impl Tls {
    pub(super) fn new(config: &TlsConfig) -> Result<Self, LayerError> {
        let connection = match config {
            TlsConfig::Server(config) => ServerConnection::new(config.clone()).map(Connection::from),
            TlsConfig::Client(config, name) => {
                ClientConnection::new(config.clone(), name.clone()).map(Connection::from)
            }
        };
        let mut connection = connection.map_err(|error| LayerError::Tls(error.to_string()))?;
        // The transport has its own window; rustls would otherwise take only a part of a write.
        connection.set_buffer_limit(None);
        Ok(Self { connection, established: false, peer_has_closed: false })
    }

    pub(super) const fn is_established(&self) -> bool {
        self.established
    }

    /// The facts of the handshake, once, when it is finished.
    pub(super) fn establish(&mut self) -> Option<TlsInfo> {
        if self.established || self.connection.is_handshaking() {
            return None;
        }
        self.established = true;
        Some(self.info())
    }

    pub(super) const fn peer_has_closed(&self) -> bool {
        self.peer_has_closed
    }

    /// Decrypts `input` into `plain` until something came of it: a record of 16 KiB, or a few small ones.
    /// `true` if anything moved.
    pub(super) fn decrypt(&mut self, input: &mut BytesMut, plain: &mut BytesMut) -> Result<bool, LayerError> {
        let failed = |error: &dyn fmt::Display| LayerError::Tls(error.to_string());
        let mut moved = false;
        while !input.is_empty() {
            moved = true;
            if self.peer_has_closed {
                // RFC 8446 §6.1: what comes behind close_notify is ignored.
                input.clear();
                break;
            }
            let taken = self.connection.read_tls(&mut &input[..]).map_err(|error| failed(&error))?;
            input.advance(taken.min(input.len()));
            let state = self.connection.process_new_packets().map_err(|error| failed(&error))?;
            self.peer_has_closed = state.peer_has_closed();
            let mut waiting = state.plaintext_bytes_to_read();
            let came = waiting > 0;
            while waiting > 0 {
                let mut reader = self.connection.reader();
                let chunk = reader.fill_buf().map_err(|error| failed(&error))?;
                plain.extend_from_slice(chunk);
                let count = chunk.len();
                reader.consume(count);
                waiting = waiting.saturating_sub(count.max(1));
            }
            if came || !self.established && !self.connection.is_handshaking() {
                break;
            }
        }
        Ok(moved)
    }

    /// Encrypts `plain` into `wire`, after the handshake.
    pub(super) fn encrypt(&mut self, plain: &[u8], wire: &mut Transmit) {
        // Writing into memory without limit cannot fail.
        let _ = self.connection.writer().write_all(plain);
        self.flush(wire);
    }

    /// Moves finished records, alerts and handshake messages into `wire`.
    pub(super) fn flush(&mut self, wire: &mut Transmit) {
        let mut writer = wire.buffer().writer();
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut writer).unwrap_or(0) == 0 {
                break;
            }
        }
    }

    /// Says close_notify, unless that or a fatal alert was said before.
    pub(super) fn close(&mut self) {
        self.connection.send_close_notify();
    }

    /// The facts of a finished handshake.
    fn info(&self) -> TlsInfo {
        let connection = &self.connection;
        let version = connection.protocol_version();
        // RFC 9266 §4.2; §2 lets TLS 1.2 qualify only under conditions, so it is left out.
        let exporter = (version == Some(ProtocolVersion::TLSv1_3))
            .then(|| connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[])).ok())
            .flatten();
        TlsInfo {
            version: match version {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_string(),
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_string(),
                other => alloc::format!("{other:?}"),
            },
            cipher_suite: connection
                .negotiated_cipher_suite()
                .map(|suite| suite.suite().as_str().unwrap_or_default().to_string())
                .unwrap_or_default(),
            server_name: match connection {
                Connection::Server(server) => server.server_name().map(ToString::to_string),
                Connection::Client(_) => None,
            },
            peer_certificates: connection
                .peer_certificates()
                .unwrap_or_default()
                .iter()
                .map(|certificate| Bytes::copy_from_slice(certificate))
                .collect(),
            exporter,
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("established", &self.established).finish_non_exhaustive()
    }
}
