//! [`Config`]: what a client is and wants. Plain data, shared between sessions by `Arc`.

use alloc::string::{String, ToString as _};

use mailwright_core::value::{AddressError, Domain};
use mailwright_sasl::ClientPolicy;

use super::limits::{Limits, Timeouts};
use crate::content::BarePolicy;

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// SMTP, or message submission (RFC 5321, RFC 6409).
    #[default]
    Smtp,
    /// LMTP: LHLO, and a reply for each recipient at the end (RFC 2033).
    Lmtp,
}

/// Whether and how TLS is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsMode {
    /// Never.
    None,
    /// STARTTLS if the server announces it; in plaintext if it does not or refuses. Stops who only listens,
    /// not who interferes. A handshake that fails ends the session.
    Opportunistic,
    /// STARTTLS, and nothing without it.
    #[default]
    Required,
    /// TLS from the first octet, as on port 465 (RFC 8314 §3.3). The transport must be made for it.
    Implicit,
}

/// What a client is and wants.
///
/// ```
/// use mailwright_smtp::client::{Config, TlsMode};
///
/// let mut config = Config::new("client.example.org")?;
/// config.tls = TlsMode::Opportunistic;
/// assert!(Config::new("client.example.org\r\nMAIL").is_err());
/// # Ok::<(), mailwright_smtp::client::InvalidName>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name in EHLO; private, since it was validated.
    name: String,
    /// SMTP or LMTP. Default SMTP.
    pub protocol: Protocol,
    /// Default [`TlsMode::Required`]: what is weaker has to be asked for.
    pub tls: TlsMode,
    /// Whether HELO is tried also after EHLO was refused with 504 or 550, which say more than "not
    /// recognised" (RFC 5321 §3.2). Default `false`.
    pub hello_after_504_and_550: bool,
    /// Which mechanisms [`Client::authenticate`](super::Client::authenticate) takes; passwords in clear text
    /// without TLS only if this allows it. Default: not.
    pub sasl: ClientPolicy,
    /// Whether [`Deliver`](super::Deliver) sends content by BDAT where CHUNKING is announced. Default `true`. Content with
    /// BODY=BINARYMIME goes so anyhow, and content whose line ends are to be normalised by DATA.
    pub chunking: bool,
    /// What happens to a CR or LF in content that is not part of a CR LF. Default: the message is refused.
    pub bare_line_ends: BarePolicy,
    /// Bounds.
    pub limits: Limits,
    /// Deadlines.
    pub timeouts: Timeouts,
}

/// A text that may not stand in EHLO.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// Neither a domain name nor an address literal.
    #[error("not a domain name or an address literal in brackets: {0}")]
    Address(#[from] AddressError),
    /// Beyond ASCII: use the A-label (RFC 6531 §3.7.1).
    #[error("the name in EHLO must be ASCII: use the A-label form")]
    NotAscii,
}

impl Config {
    /// Defaults, with the name that EHLO says: the client's fully qualified domain name, or its address as
    /// a literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.4).
    ///
    /// # Errors
    /// If the name is neither, or not ASCII.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let domain: Domain = name.parse()?;
        if !domain.is_ascii() {
            return Err(InvalidName::NotAscii);
        }
        let mut sasl = ClientPolicy::default();
        sasl.max_challenges = 16;
        Ok(Self {
            name: domain.to_string(),
            protocol: Protocol::default(),
            tls: TlsMode::default(),
            hello_after_504_and_550: false,
            sasl,
            chunking: true,
            bare_line_ends: BarePolicy::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        })
    }

    /// The name that EHLO says.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
