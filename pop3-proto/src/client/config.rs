//! [`Config`] of a client, with its [`Limits`], [`Timeouts`] and [`Tolerance`]: plain data, defaults
//! with their reasons.

use core::time::Duration;

use mailwright_sasl::ClientPolicy;

use crate::config::TlsMode;

/// How a client behaves. Share one among sessions (`Arc<Config>`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How TLS comes in. Default [`TlsMode::Off`]. With [`TlsMode::StartTls`] no credentials are sent
    /// before TLS, whatever else is allowed.
    pub tls: TlsMode,
    /// Which SASL mechanisms may be used, and how. Its `clear_text_without_tls` (default `false`) holds
    /// for USER and PASS as well.
    pub sasl: ClientPolicy,
    /// Whether a SASL exchange begins in the AUTH command. Default [`InitialResponse::Auto`].
    pub initial_response: InitialResponse,
    /// The same for OAUTHBEARER and XOAUTH2. Default [`InitialResponse::Never`]: hosted services take tokens in two
    /// steps only.
    pub token_initial_response: InitialResponse,
    /// Whether [`Login`](super::Login) asks for UTF8 where the server has it, so that messages with UTF-8 in their
    /// header come as they are (RFC 6856 §2.1). Default `false`: the host must be ready for them.
    pub utf8: bool,
    /// Whether APOP may be used. Default [`Apop::Never`].
    #[cfg(feature = "legacy-md5")]
    pub apop: Apop,
    /// Whether PASS may be sent before the reply to USER is there. Default `false`: a password must not
    /// follow a refused name.
    pub pipeline_user_pass: bool,
    /// Most octets of one message. Default `None`: a host that streams needs no limit.
    pub content_limit: Option<u64>,
    /// Limits.
    pub limits: Limits,
    /// Timeouts.
    pub timeouts: Timeouts,
    /// What is forgiven.
    pub tolerance: Tolerance,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tls: TlsMode::Off,
            sasl: ClientPolicy::default(),
            initial_response: InitialResponse::Auto,
            token_initial_response: InitialResponse::Never,
            utf8: false,
            #[cfg(feature = "legacy-md5")]
            apop: Apop::Never,
            pipeline_user_pass: false,
            content_limit: None,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            tolerance: Tolerance::default(),
        }
    }
}

/// Whether APOP may be used (RFC 1939 §7). Whoever listens can try out passwords against what it shows, and who
/// stands between can choose what is shown.
#[cfg(feature = "legacy-md5")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Apop {
    /// No.
    #[default]
    Never,
    /// Inside TLS.
    WithTls,
    /// Inside TLS and without.
    Always,
}

/// Whether a SASL exchange begins in the AUTH command (RFC 5034 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InitialResponse {
    /// If the server announced SASL and the line stays within 255 octets.
    #[default]
    Auto,
    /// Never: always in two steps.
    Never,
}

/// Bounds of what a server can make a client hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a status line, and of a line of a listing, with its line end. Default 4096; RFC 2449 §4
    /// allows 512. Lines of content have no limit, since they are never held.
    pub reply_line: usize,
    /// Lines of CAPA. Default 100.
    pub capability_lines: usize,
    /// Lines of LIST and UIDL. Default 1 000 000.
    pub listing_lines: u64,
    /// Commands in flight, if the server announced PIPELINING. Default 100; one is the limit without.
    pub pipelined: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reply_line: 4096, capability_lines: 100, listing_lines: 1_000_000, pipelined: 100 }
    }
}

/// How long a client waits. None of them runs while the host leaves events lying.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeouts {
    /// For TLS from the start, and for the greeting. Default 60 s.
    pub greeting: Duration,
    /// For the reply to a command. Default 300 s: servers that open large maildrops are slow.
    pub reply: Duration,
    /// From one piece of a listing or of content to the next. Default 180 s.
    pub content: Duration,
    /// For the reply to QUIT, before which the server removes messages. Default 300 s.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(60),
            reply: Duration::from_secs(300),
            content: Duration::from_secs(180),
            quit: Duration::from_secs(300),
        }
    }
}

/// Departures from the RFCs that are accepted. All off by default but those that cannot hurt, which are
/// not listed here: they are always accepted. Each use is reported as an
/// [`Event::Deviation`](super::Event::Deviation), with its place in the line or the message.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tolerance {
    /// `+Ok` and `-Err` in any case.
    pub any_case_status: bool,
    /// `+OK` where the first, empty challenge of a SASL exchange is due.
    pub ok_as_challenge: bool,
    /// Response codes without RESP-CODES.
    pub lenient_codes: bool,
    /// A single dot at the start of a line of content is kept, for servers that do not double dots.
    pub keep_lone_dots: bool,
    /// If the greeting ends in a bare LF, the whole connection is read so: an LF alone ends replies, listings and
    /// messages. Up to STLS: what TLS protects is not read by what came before it.
    pub bare_line_feeds: bool,
    /// Ids of UIDL that are none by the RFC are handed out as they are
    /// ([`Entry::RawId`](crate::parse::Entry::RawId)) instead of as errors.
    pub lenient_ids: bool,
}
