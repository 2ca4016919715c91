//! [`Config`] of a server, with its [`Limits`] and [`Timeouts`]: plain data, defaults with their reasons.

use alloc::vec::Vec;
use core::time::Duration;

use mailwright_sasl::{MechanismName, Offers, ServerPolicy};

use super::phrase::Language;
use crate::config::TlsMode;
use crate::types::ReplyText;

/// How a server behaves. Share one among all its sessions (`Arc<Config>`).
///
/// A session holds, at most and beside the snapshot, one unfinished line in its driver's buffer,
/// [`Limits::output`] octets of output and one bit for each message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The text of the greeting. Default `POP3 server ready`.
    pub greeting: ReplyText,
    /// How TLS comes in. Default [`TlsMode::Off`].
    pub tls: TlsMode,
    /// What becomes of octets that come behind STLS before the handshake. Default
    /// [`EarlyOctets::GiveToTls`]: then the outcome does not depend on how they were cut.
    pub early_octets: EarlyOctets,
    /// Whether USER, PASS and mechanisms that show the password may be used without TLS. Default `false`.
    pub clear_text_without_tls: bool,
    /// Whether USER and PASS may be used at all. Default `true`: old clients have nothing else.
    pub user_pass: bool,
    /// Whether APOP may be used (RFC 1939 §7). Default `false`: it rests on MD5, needs passwords that the host can
    /// read, and anybody who listens can try them out. The host is asked
    /// [`Ask::CramSecret`](mailwright_sasl::Ask::CramSecret). Its timestamp, in the greeting, ends in
    /// [`server_name`](ServerPolicy::server_name) of [`Self::sasl`], or `localhost`.
    #[cfg(feature = "legacy-md5")]
    pub apop: bool,
    /// The SASL mechanisms. Default PLAIN and LOGIN, which most clients have.
    pub offers: Offers,
    /// Whether AUTH without argument lists the mechanisms, as it was before CAPA. Default `false`: an error.
    pub bare_auth: bool,
    /// Limits of SASL exchanges.
    pub sasl: ServerPolicy,
    /// Whether clients may say UTF8, and send names and passwords in UTF-8 (RFC 6856 §2). Default [`Utf8::Off`].
    /// A host that switches it on tells by [`Maildrop::needs_utf8`](super::Maildrop::needs_utf8) which messages
    /// are for such clients only.
    pub utf8: Utf8,
    /// The languages of LANG, the preferred one first (RFC 6856 §3). Default none, and no LANG: English.
    pub languages: Vec<Language>,
    /// How long messages stay on the server (RFC 2449 §6.7). Default `None`: not announced.
    pub expire: Option<PerUser<Expire>>,
    /// Seconds that clients must leave between one login and the next (RFC 2449 §6.5); the host enforces it by
    /// [`Opening::LoginDelay`](super::Opening::LoginDelay). Default `None`: not announced.
    pub login_delay: Option<PerUser<u32>>,
    /// What IMPLEMENTATION says (RFC 2449 §6.9). Default `None`: not announced.
    pub implementation: Option<ReplyText>,
    /// Whether a bare LF is refused as the end of a command. Default `false`: it ends the command and is
    /// reported, since commands carry no content that it could split.
    pub strict_crlf: bool,
    /// Whether a command line above its limit closes the connection. Default `true`: no client sends one.
    pub overlong_close: bool,
    /// Limits.
    pub limits: Limits,
    /// Timeouts.
    pub timeouts: Timeouts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            greeting: ReplyText::constant("POP3 server ready"),
            tls: TlsMode::Off,
            early_octets: EarlyOctets::GiveToTls,
            clear_text_without_tls: false,
            user_pass: true,
            #[cfg(feature = "legacy-md5")]
            apop: false,
            offers: Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]),
            bare_auth: false,
            sasl: ServerPolicy::default(),
            utf8: Utf8::Off,
            languages: Vec::new(),
            expire: None,
            login_delay: None,
            implementation: None,
            strict_crlf: false,
            overlong_close: true,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// What of UTF-8 a server takes (RFC 6856 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Utf8 {
    /// Nothing: no UTF8, and names and passwords in ASCII.
    #[default]
    Off,
    /// UTF8; names and passwords in ASCII.
    Messages,
    /// UTF8, and names and passwords in UTF-8, prepared with SASLprep (RFC 6856 §2.2).
    MessagesAndNames,
}

/// How long messages stay on the server (RFC 2449 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a number of days, or no end")]
pub enum Expire {
    /// For so many days at least. With 0 the client may leave nothing there.
    Days(u32),
    /// Until the client removes them.
    Never,
}

/// A value that may be another for each user.
///
/// Before the login nobody knows which user comes. What is announced then is the value that is safe for all; after
/// it, what the [`Maildrop`](super::Maildrop) says is the user's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PerUser<T> {
    /// The value: if users differ, the smallest of EXPIRE, the largest of LOGIN-DELAY.
    pub value: T,
    /// Whether users differ.
    pub differs: bool,
}

impl<T> PerUser<T> {
    /// The same for all.
    #[must_use]
    pub const fn same(value: T) -> Self {
        Self { value, differs: false }
    }

    /// Users differ. `value`: the smallest of EXPIRE, the largest of LOGIN-DELAY.
    #[must_use]
    pub const fn differing(value: T) -> Self {
        Self { value, differs: true }
    }
}

/// What becomes of octets that a client sends behind STLS before it has seen `+OK`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "they are executed never, so these two are left")]
pub enum EarlyOctets {
    /// They belong to the handshake, which fails if they are not TLS.
    #[default]
    GiveToTls,
    /// `-ERR` instead of `+OK` if any are there already, and close.
    Refuse,
}

/// Bounds of what a client can make a session hold or do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a command line with its line end. Default 1024; never below 255 (RFC 2449 §4).
    pub command_line: usize,
    /// Octets of an AUTH command or a response in its exchange. Default 12 288: what the largest
    /// mechanisms need (RFC 5034 §4).
    pub auth_line: usize,
    /// Wrong commands before login; the last of them closes the connection. Default 3.
    pub errors_before_login: u32,
    /// The same after login. Default 20.
    pub errors_after_login: u32,
    /// Failed logins; the last of them closes the connection. Default 3.
    pub authentication_failures: u32,
    /// Messages that had vanished when they were asked for; the last of them closes the connection. Default 3.
    pub missing: u32,
    /// Octets of output held for a client that does not read. Default 16 KiB; never below 2 KiB.
    pub output: usize,
}

impl Limits {
    /// RFC 2449 §4: a command has up to 255 octets.
    pub const LEAST_COMMAND_LINE: usize = 255;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_line: 1024,
            auth_line: 12_288,
            errors_before_login: 3,
            errors_after_login: 20,
            authentication_failures: 3,
            missing: 3,
            output: 16 * 1024,
        }
    }
}

/// How long a server waits. None of them runs while the session waits for its host.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeouts {
    /// From one complete command to the next before login, and for the TLS handshake. Default 180 s.
    pub login: Duration,
    /// From one complete command to the next after login. Default 600 s, and never lower (RFC 1939 §3).
    pub autologout: Duration,
    /// Without an octet of output written. Default 600 s.
    pub stalled_output: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(180),
            autologout: Self::LEAST_AUTOLOGOUT,
            stalled_output: Duration::from_secs(600),
        }
    }
}

impl Timeouts {
    /// RFC 1939 §3: an autologout timer must be of at least ten minutes.
    pub const LEAST_AUTOLOGOUT: Duration = Duration::from_secs(600);
}
