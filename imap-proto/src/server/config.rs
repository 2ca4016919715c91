//! [`Config`] of a server, with its [`Limits`] and [`Timeouts`]: plain data, defaults with their reasons.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use mailwright_core::value::Tolerance;
use mailwright_sasl::{MechanismName, Offers, ServerPolicy};

pub use crate::config::TlsMode;
use crate::types::OctetString;

/// How a server behaves. Share one among all its sessions (`Arc<Config>`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The text of the greeting: printable ASCII; other characters go out as `?`. Default `IMAP server ready`.
    pub greeting: String,
    /// How TLS comes in. Default [`TlsMode::Off`].
    pub tls: TlsMode,
    /// Whether LOGIN and mechanisms that show the password may be used without TLS. Default `false`:
    /// LOGINDISABLED is announced instead.
    pub clear_text_without_tls: bool,
    /// Whether LOGIN may be used at all. Default `true`: old clients have nothing else.
    pub login: bool,
    /// The SASL mechanisms. Default PLAIN and LOGIN, which most clients have.
    pub offers: Offers,
    /// Limits of SASL exchanges.
    pub sasl: ServerPolicy,
    /// What ID says of the server (RFC 2971). Default nothing.
    pub id: Vec<(OctetString, Option<OctetString>)>,
    /// Whether departures that real clients show are read, and told as
    /// [`Event::Deviation`](super::Event::Deviation). Default [`Tolerance::Lenient`]; strict, their commands are answered
    /// with BAD.
    pub tolerance: Tolerance,
    /// Limits.
    pub limits: Limits,
    /// Timeouts.
    pub timeouts: Timeouts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            greeting: String::from("IMAP server ready"),
            tls: TlsMode::default(),
            clear_text_without_tls: false,
            login: true,
            offers: Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]),
            sasl: ServerPolicy::default(),
            id: Vec::new(),
            tolerance: Tolerance::Lenient,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// Bounds of what a client can make a session hold or do, before and after it has logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Before login.
    pub not_authenticated: CommandBounds,
    /// After login.
    pub authenticated: CommandBounds,
    /// Octets of AUTHENTICATE and of the lines of its exchange before login. Default 16 KiB.
    pub authenticate_line: usize,
    /// Octets of a message in APPEND. Default 35 MiB. Announced as APPENDLIMIT.
    pub append: u64,
    /// Failed or cancelled log-ins; the last of them closes the connection. Default 5.
    pub login_failures: u32,
}

/// Bounds of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandBounds {
    /// Octets of a line part with its line end.
    pub line: usize,
    /// Octets of one literal that is an argument.
    pub literal: u64,
    /// Such literals in one command.
    pub literals: usize,
    /// Octets of all parts and literals of one command.
    pub command: usize,
    /// Parentheses and operators that are open.
    pub nesting: usize,
    /// Ranges of a set.
    pub set_ranges: usize,
    /// Octets of a refused literal that are read and thrown away; a larger one ends the connection.
    pub discard: u64,
    /// Wrong commands one after the other; the last of them closes the connection.
    pub errors: u32,
    /// Octets of output that are held for a client that does not read.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            not_authenticated: CommandBounds {
                line: 8 * 1024,
                literal: 4 * 1024,
                literals: 16,
                command: 32 * 1024,
                nesting: 16,
                set_ranges: 64,
                discard: 64 * 1024,
                errors: 3,
                output: 64 * 1024,
            },
            authenticated: CommandBounds {
                // 15 000 UIDs in one line must pass.
                line: 256 * 1024,
                literal: 100 * 1024,
                literals: 1000,
                command: 1024 * 1024,
                nesting: 100,
                set_ranges: 100_000,
                discard: 64 * 1024 * 1024,
                errors: 20,
                output: 256 * 1024,
            },
            authenticate_line: 16 * 1024,
            append: 35 * 1024 * 1024,
            login_failures: 5,
        }
    }
}

/// How long a server waits. None of these runs while the session waits for its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the greeting to a good log-in, all in all. Default 180 s.
    pub login: Duration,
    /// Without a command after login, and in IDLE. Default 35 minutes; never below 30 (RFC 3501 §5.4).
    pub idle: Duration,
    /// Over which a command or literal must keep [`Self::minimum_rate`]. Default 5 minutes.
    pub rate_window: Duration,
    /// Octets a second of a command or literal that is being received. Default 500; 0 switches it off.
    pub minimum_rate: u64,
    /// Output that the client does not read at all. Default 5 minutes.
    pub stalled_output: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(180),
            idle: Duration::from_secs(35 * 60),
            rate_window: Duration::from_secs(300),
            minimum_rate: 500,
            stalled_output: Duration::from_secs(300),
        }
    }
}

impl Timeouts {
    /// RFC 3501 §5.4: an autologout timer must be of at least 30 minutes.
    pub const LEAST_IDLE: Duration = Duration::from_secs(30 * 60);
}
