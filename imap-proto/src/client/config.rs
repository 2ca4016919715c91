//! [`Config`] of a client, with its [`Limits`] and [`Timeouts`]: plain data, defaults with their reasons.

use core::time::Duration;

use mailwright_sasl::ClientPolicy;

pub use crate::config::TlsMode;
use crate::parse::ResponseLimits;

/// How a client behaves. Share one among sessions (`Arc<Config>`).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// How TLS comes in. Default [`TlsMode::Off`]. With [`TlsMode::StartTls`] no credentials are sent before
    /// TLS, whatever else is allowed, and nothing that the server says before it is believed.
    pub tls: TlsMode,
    /// Which SASL mechanisms may be used, and how. Its `clear_text_without_tls` (default `false`) holds for
    /// LOGIN as well.
    pub sasl: ClientPolicy,
    /// Whether a SASL exchange begins in the AUTHENTICATE command.
    pub initial_response: InitialResponse,
    /// Limits.
    pub limits: Limits,
    /// Timeouts.
    pub timeouts: Timeouts,
}

/// Whether a SASL exchange begins in the AUTHENTICATE command (RFC 4959).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InitialResponse {
    /// If the server announces SASL-IR or IMAP4rev2, and has not refused it on this connection.
    #[default]
    Auto,
    /// Never: for servers that announce it and do not understand it.
    Never,
}

/// Bounds of what a server can make a client hold, and of what a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bounds of a response, and what is forgiven in it.
    pub response: ResponseLimits,
    /// Names of a CAPABILITY that are kept. Default 1000.
    pub capabilities: usize,
    /// Commands that are not complete. Default 64.
    pub in_flight: usize,
    /// Octets of output above which no command and no content is taken. Default 64 KiB.
    pub output: usize,
    /// Events that wait for the host above which no input is taken. Default 64.
    pub events: usize,
    /// Octets that were read since no event waited, above which no input is taken. Default 64 KiB. What is read from
    /// one octet takes up to about 16.
    pub event_octets: usize,
    /// Octets of the set of one command that a task sends; it sends several commands for a longer one.
    /// Default 900: servers are known that refuse commands above 1000 octets.
    pub set_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            response: ResponseLimits::default(),
            capabilities: 1000,
            in_flight: 64,
            output: 64 * 1024,
            events: 64,
            event_octets: 64 * 1024,
            set_octets: 900,
        }
    }
}

/// How long a client waits. None of these runs while the host leaves events lying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For the greeting, and for the handshake of TLS. Default 60 s.
    pub greeting: Duration,
    /// For the next response while commands are in flight. Default 5 minutes.
    pub command: Duration,
    /// The same while SEARCH, ESEARCH, SORT, THREAD, COPY, MOVE, APPEND or REPLACE is among them, which take long
    /// on large mailboxes. Default 30 minutes; content that leaves counts as a response.
    pub long_command: Duration,
    /// For the server's consent to a literal. Default 60 s.
    pub continuation: Duration,
    /// After which IDLE is ended and begun again, unnoticed by the host. Default 28 minutes; never above 29
    /// (RFC 2177 §3).
    pub idle_refresh: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(60),
            command: Duration::from_secs(5 * 60),
            long_command: Duration::from_secs(30 * 60),
            continuation: Duration::from_secs(60),
            idle_refresh: Duration::from_secs(28 * 60),
        }
    }
}

impl Timeouts {
    /// RFC 2177 §3: a client is advised to begin IDLE again at least every 29 minutes.
    pub const LONGEST_IDLE: Duration = Duration::from_secs(29 * 60);
    /// [`Self::after_lost_idle`] goes no lower.
    pub const SHORTEST_IDLE: Duration = Duration::from_secs(9 * 60);

    /// For the next connection, after one was lost without a word in IDLE
    /// ([`Closed::EndOfInput`](super::Closed::EndOfInput) or [`Closed::Timeout`](super::Closed::Timeout)):
    /// something on the way forgets silent connections sooner than IDLE is begun again.
    #[must_use]
    pub fn after_lost_idle(mut self) -> Self {
        let shorter = (self.idle_refresh / 2).max(Self::SHORTEST_IDLE);
        self.idle_refresh = self.idle_refresh.min(shorter);
        self
    }
}
