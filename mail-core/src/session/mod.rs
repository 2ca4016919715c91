//! The one shape that every protocol endpoint shares: [`Session`], what it hands to its driver
//! ([`Transmit`], [`Wants`]), the layers below it ([`Transport`]) and client work above it ([`Task`]).
//!
//! # The loop of a driver
//! A driver moves bytes and time; it knows nothing of the protocol. `io` has one for blocking
//! streams and one for tokio; both do this:
//!
//! 1. `poll_event` until it yields `None`, handing each event to the host;
//! 2. `handle_input` with the bytes not yet taken, even if nothing new came: an answer of the host may
//!    have opened the way for bytes that were left;
//! 3. write what `transmit` holds; read more only while `wants().input`; wait for the first of
//!    readable, writable and `poll_timeout`;
//! 4. when `wants().close` holds and `transmit` is empty, close the stream.

#[cfg(not(all(feature = "rustls", feature = "deflate")))]
mod absent;
#[cfg(feature = "deflate")]
mod deflate;
mod layer;
mod task;
#[cfg(feature = "rustls")]
mod tls;
mod transmit;
mod transport;

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

pub use self::task::{Progress, Task};
#[cfg(feature = "rustls")]
pub use self::tls::TlsConfig;
pub use self::transmit::Transmit;
pub use self::transport::Transport;
use crate::value::Instant;

/// One side of a protocol conversation: no I/O, no clock, no threads.
///
/// Drivers and tests use this trait; hosts use the inherent methods of the session type.
///
/// Every implementation keeps the seven laws that `testing::laws` checks: the result does not depend
/// on how the input is cut; with `wants().input`, input leads to progress; output, memory and undecided
/// work are bounded; nothing crosses an upgrade; the same inputs and times give the same outputs; after
/// the event `Closed` there is silence; nothing panics.
pub trait Session {
    /// What the session tells its host. Owned: strings and content are [`Bytes`] views of the input.
    /// The last one says why the session closed.
    type Event;

    /// Takes from the front of `input` what it can use now. What it leaves must be presented again,
    /// with more behind it.
    fn handle_input(&mut self, input: &mut BytesMut, now: Instant);

    /// The peer will send nothing more.
    fn handle_eof(&mut self, now: Instant);

    /// Tells the time. Early calls change nothing.
    fn handle_timeout(&mut self, now: Instant);

    /// The layer that the session asked for with [`Wants::upgrade`] is in place, or failed.
    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant);

    /// The next event, if any.
    #[must_use]
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When [`Self::handle_timeout`] must be called at the latest, if at all.
    #[must_use]
    fn poll_timeout(&self) -> Option<Instant>;

    /// Bytes for the peer, in order: write them and `advance`.
    fn transmit(&mut self) -> &mut Transmit;

    /// What the session waits for.
    #[must_use]
    fn wants(&self) -> Wants;
}

/// What a session waits for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wants {
    /// It takes input. While `false` it holds the peer back: do not read.
    pub input: bool,
    /// Questions to the host that are open.
    pub answers: usize,
    /// It takes no more input until this layer is in place (after `transmit` was written) and
    /// [`Session::handle_upgrade`] was called. Octets behind it in the buffer belong to the layer.
    pub upgrade: Option<Layer>,
    /// The conversation is over: write what `transmit` holds, then close.
    pub close: bool,
}

impl Wants {
    /// Waits for input only.
    pub const INPUT: Self = Self { input: true, answers: 0, upgrade: None, close: false };
    /// Over: flush and close.
    pub const CLOSE: Self = Self { input: false, answers: 0, upgrade: None, close: true };

    /// Waits for `answers` of the host, and takes `input` meanwhile or not.
    #[must_use]
    pub const fn answers(answers: usize, input: bool) -> Self {
        Self { input, answers, upgrade: None, close: false }
    }

    /// Waits for a layer.
    #[must_use]
    pub const fn upgrade(layer: Layer) -> Self {
        Self { input: false, answers: 0, upgrade: Some(layer), close: false }
    }
}

/// A layer between the socket and the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// TLS: STARTTLS, STLS, or from the first octet.
    Tls,
    /// Raw DEFLATE in both directions (RFC 4978).
    Deflate,
    /// Take DEFLATE away again (IMAP UNAUTHENTICATE, RFC 8437 §2).
    DeflateEnd,
}

/// News of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Upgraded {
    /// The TLS handshake is complete.
    Tls(TlsInfo),
    /// DEFLATE is in force.
    Deflate,
    /// DEFLATE is gone.
    DeflateEnd,
    /// A layer failed, in the handshake or later. The session ends; no octet of it is to be trusted.
    Failed(LayerError),
}

/// Facts about a TLS connection, for policy and channel binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// Protocol version, for example `TLSv1.3`.
    pub version: String,
    /// Cipher suite by its IANA name.
    pub cipher_suite: String,
    /// The name that the client asked for, as the server saw it.
    pub server_name: Option<String>,
    /// Certificates of the peer in DER, its own first; empty if it sent none.
    pub peer_certificates: Vec<Bytes>,
    /// Keying material for the channel binding `tls-exporter` (RFC 9266 §4.2): 32 octets, TLS 1.3 only.
    pub exporter: Option<[u8; 32]>,
}

/// Why a layer failed. What the peer sent is worthless; the connection must be closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The transport has no configuration for the layer, or the layer has no place there: TLS after DEFLATE,
    /// a layer twice, the end of one that is not there.
    #[error("the layer is not configured or has no place here")]
    NotConfigured,
    /// The handshake or a record failed; text from the TLS library.
    #[error("TLS: {0}")]
    Tls(String),
    /// The compressed stream is damaged.
    #[error("DEFLATE: damaged stream")]
    Deflate,
}
