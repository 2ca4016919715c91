//! [`Config`]: what a server is and allows. Plain data, shared between sessions by `Arc`.

use alloc::string::{String, ToString as _};

use mailwright_core::value::{AddressError, AddressOptions, Domain, Misuse};
use mailwright_core::wire::BareLineEnd;
use mailwright_sasl::{Offers, ServerPolicy};

use super::limits::{Limits, Timeouts};
use crate::types::{AnnouncedLimits, Arguments, FutureRelease, Reply, ReplyCode, ReplyError};

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// SMTP between servers (RFC 5321).
    #[default]
    Smtp,
    /// LMTP: LHLO, and a reply for each recipient at the end (RFC 2033).
    Lmtp,
    /// Message submission: SMTP with authentication required (RFC 6409 §4.3).
    Submission,
}

/// Whether TLS is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsMode {
    /// No TLS.
    #[default]
    Off,
    /// STARTTLS (RFC 3207). The transport must be made for it.
    StartTls,
    /// TLS from the first octet, as on port 465 (RFC 8314 §3.3). The transport must be made for it.
    Implicit,
}

/// What happens to octets that come before their time. Whether they come so is a matter of timing, so
/// hardly anything depends on it by default: see [`EarlyPolicy`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a policy is one of these")]
pub enum Early {
    /// They are reported, and treated as what they are.
    #[default]
    Report,
    /// 554.
    Refuse,
}

/// What happens to octets that come before their time, by the place where they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EarlyPolicy {
    /// Before the greeting: [`Early::Refuse`] closes with 554. Default [`Early::Report`].
    pub greeting: Early,
    /// Behind a DATA that is refused. They are a message that would run as commands, so the default is
    /// [`Early::Refuse`]: 554 in place of the refusal, and the end.
    pub refused_data: Early,
    /// Content before the 354. [`Early::Refuse`] refuses the message at its end. Default [`Early::Report`].
    pub content: Early,
    /// Behind STARTTLS. By default they are the handshake's, which fails if they are no TLS; they are never
    /// read as commands. [`Early::Refuse`] says 554 instead of 220, and closes.
    pub start_tls: Early,
}

impl Default for EarlyPolicy {
    fn default() -> Self {
        Self {
            greeting: Early::Report,
            refused_data: Early::Refuse,
            content: Early::Report,
            start_tls: Early::Report,
        }
    }
}

/// What happens to content that has something which should not be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a policy is one of these")]
pub enum Unusual {
    /// It passes, and is reported.
    #[default]
    Accept,
    /// The message is refused at its end.
    Reject,
}

/// What content may be. Content with BODY=BINARYMIME may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentPolicy {
    /// A CR or LF that is no part of a CR LF. By default the message is refused with 554 at its end.
    pub bare_line_ends: BareLineEnd,
    /// NUL. Refused: 554 5.6.0.
    pub nul: Unusual,
    /// Octets ≥ 0x80 where neither BODY nor SMTPUTF8 says so. Refused: 554 5.6.1.
    pub undeclared_eight_bit: Unusual,
    /// Lines above [`Limits::text_line`]. Refused: 554 5.6.0.
    pub long_lines: Unusual,
    /// A header section above [`Limits::header_section`]. Refused: 554 5.6.0.
    pub long_header: Unusual,
}

/// What is forgiven in commands; each use is reported as a deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tolerance {
    /// A bare LF ends a command line. Default `false`: it opens the way to smuggled commands.
    pub bare_lf_command_end: bool,
    /// Spaces behind `FROM:` and `TO:`. Default `true`: common, and never ambiguous.
    pub space_after_colon: bool,
    /// Paths without angle brackets. Default `false`.
    pub missing_brackets: bool,
    /// Parameters that were not announced are passed over. Default `false`: 555.
    pub unknown_parameters: bool,
}

impl Tolerance {
    /// Nothing is forgiven but what RFC 5321 itself asks to: white space behind a line.
    pub const STRICT: Self = Self {
        bare_lf_command_end: false,
        space_after_colon: false,
        missing_brackets: false,
        unknown_parameters: false,
    };

    /// Everything is forgiven that cannot smuggle a command.
    pub const LENIENT: Self = Self {
        bare_lf_command_end: false,
        space_after_colon: true,
        missing_brackets: true,
        unknown_parameters: true,
    };
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            bare_lf_command_end: false,
            space_after_colon: true,
            missing_brackets: false,
            unknown_parameters: false,
        }
    }
}

/// Which questions the host wants to decide. The others have a default answer; their events come all the
/// same, with tokens that are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Questions {
    /// EHLO, HELO, LHLO. Default `false`: accepted.
    pub hello: bool,
    /// MAIL. Default `false`: accepted.
    pub sender: bool,
    /// RCPT. Default `true`: a server that accepts every recipient is an open relay.
    pub recipient: bool,
    /// DATA. Default `false`: 354.
    pub data: bool,
    /// The end of the content. Default `true`: the reply makes the server responsible for the message.
    pub message: bool,
    /// VRFY. Default `false`: 252, which betrays nobody.
    pub verify: bool,
    /// EXPN, which is announced then. Default `false`: 502, which betrays nobody.
    pub expand: bool,
    /// HELP. Default `false`: 214.
    pub help: bool,
    /// ETRN, which is announced then (RFC 1985). Default `false`: 502.
    pub etrn: bool,
    /// ATRN, which is announced then (RFC 2645). Default `false`: 502.
    pub atrn: bool,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            hello: false,
            sender: false,
            recipient: true,
            data: false,
            message: true,
            verify: false,
            expand: false,
            help: false,
            etrn: false,
            atrn: false,
        }
    }
}

/// What the host's queue obeys beyond RFC 5321. Each is announced, and its parameter read, only where it is set here:
/// it is a promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Promises {
    /// DELIVERBY: BY of MAIL, with the least seconds of a message that is to be returned; 0 names none. Default
    /// `None` (RFC 2852 §4.1).
    pub deliver_by: Option<u32>,
    /// FUTURERELEASE: HOLDFOR and HOLDUNTIL of MAIL within these bounds; announced for submission only (RFC 4865
    /// §4.2). Default `None`.
    pub future_release: Option<FutureRelease>,
    /// MT-PRIORITY, with the name of the policy if there is one to tell (RFC 6710 §3). Default `None`.
    pub mt_priority: Option<Arguments>,
    /// RRVS of RCPT (RFC 7293). Default `false`.
    pub rrvs: bool,
    /// MTRK of MAIL, with ENVID and ORCPT: certifiers are kept, and go on where the next server knows them (RFC 3885 §3).
    /// Default `false`.
    pub message_tracking: bool,
}

/// What a server is and allows.
///
/// ```
/// use mailwright_smtp::server::{Config, Protocol, TlsMode};
///
/// let mut config = Config::new("mx.example.org")?;
/// config.protocol = Protocol::Lmtp;
/// config.limits.message = 10 << 20;
/// assert!(Config::new("mx.example.org\r\n250").is_err());
/// # Ok::<(), mailwright_smtp::server::InvalidName>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The server's name; private, since it was validated.
    name: String,
    greeting: Reply,
    /// What stands in place of the greeting.
    no_service: Option<Reply>,
    /// Default SMTP.
    pub protocol: Protocol,
    /// Default off.
    pub tls: TlsMode,
    /// Whether everything else waits for TLS: 530. Default `false`; never on a public MX (RFC 3207 §4).
    pub require_tls: bool,
    /// Whether everything else waits for AUTH: 530. Default `false`; submission requires it always.
    pub require_authentication: bool,
    /// Whether mechanisms that send the password in clear text are allowed without TLS. Default `false`.
    pub allow_plaintext_authentication: bool,
    /// The mechanisms of AUTH. Default none: AUTH is not implemented.
    pub offers: Offers,
    /// Bounds of an AUTH exchange.
    pub sasl: ServerPolicy,
    /// Whether PIPELINING is announced. Default `true`. LMTP must have it (RFC 2033 §5).
    pub pipelining: bool,
    /// Whether 8BITMIME is announced. Default `true`.
    pub eight_bit_mime: bool,
    /// Whether CHUNKING is announced: content may come by BDAT, and leads to the same events (RFC 3030 §2). Default
    /// `true`.
    pub chunking: bool,
    /// Whether BINARYMIME is announced, with CHUNKING: content of any octets, which must reach its recipients as it is
    /// (RFC 3030 §3). Default `false`.
    pub binary_mime: bool,
    /// Whether SMTPUTF8 is announced, and with it 8BITMIME: addresses and headers beyond ASCII, which must go only
    /// where the next server knows them too (RFC 6531 §3.1). Default `false`.
    pub smtp_utf8: bool,
    /// Whether REQUIRETLS is announced in TLS: a message with it may go on only as RFC 8689 §4.2.1 says. Default `false`.
    pub requiretls: bool,
    /// What the host's queue obeys.
    pub promises: Promises,
    /// Whether LIMITS names what [`Limits`] allows (RFC 9422 §4). Default `true`.
    pub announce_limits: bool,
    /// Whether DSN is announced, and RET, ENVID, NOTIFY and ORCPT are read. Default `false`: it is a promise that
    /// what becomes of a message is reported as RFC 3461 §5.2 says, and requests are passed on.
    pub dsn: bool,
    /// What the host decides.
    pub ask: Questions,
    /// Octets that come too early.
    pub early: EarlyPolicy,
    /// What content may be.
    pub content: ContentPolicy,
    /// What is forgiven in commands.
    pub tolerance: Tolerance,
    /// Lengths and characters of addresses.
    pub address: AddressOptions,
    /// Bounds.
    pub limits: Limits,
    /// Deadlines.
    pub timeouts: Timeouts,
}

/// A text that may not stand in a greeting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// Neither a domain name nor an address literal.
    #[error("not a domain name or an address literal in brackets: {0}")]
    Address(#[from] AddressError),
    /// Beyond ASCII: use the A-label.
    #[error("the server's name must be ASCII: use the A-label form")]
    NotAscii,
}

impl Config {
    /// Defaults, with the name that greeting and EHLO reply begin with: the server's fully qualified domain
    /// name, or its address as a literal (RFC 5321 §4.2).
    ///
    /// # Errors
    /// If the name is neither, or not ASCII.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let domain: Domain = name.parse()?;
        if !domain.is_ascii() {
            return Err(InvalidName::NotAscii);
        }
        let name = domain.to_string();
        // A domain has no character that a reply could not have.
        let greeting = Reply::new(ReplyCode::READY, None, name.clone());
        let greeting = greeting.unwrap_or_else(|_| Reply::OK.without_enhanced());
        Ok(Self {
            name,
            greeting,
            no_service: None,
            protocol: Protocol::default(),
            tls: TlsMode::default(),
            require_tls: false,
            require_authentication: false,
            allow_plaintext_authentication: false,
            offers: Offers::default(),
            sasl: ServerPolicy::default(),
            pipelining: true,
            eight_bit_mime: true,
            chunking: true,
            binary_mime: false,
            smtp_utf8: false,
            requiretls: false,
            promises: Promises::default(),
            announce_limits: true,
            dsn: false,
            ask: Questions::default(),
            early: EarlyPolicy::default(),
            content: ContentPolicy::default(),
            tolerance: Tolerance::default(),
            address: AddressOptions::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        })
    }

    /// The server's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a text behind the name in the greeting; `ESMTP` or `LMTP` is usual.
    ///
    /// # Errors
    /// If the text may not stand in a reply.
    pub fn set_greeting_text(&mut self, text: &str) -> Result<(), ReplyError> {
        self.greeting = Reply::new(ReplyCode::READY, None, alloc::format!("{} {text}", self.name))?;
        Ok(())
    }

    /// Refuses all service: `reply` stands in place of the greeting, and every command but QUIT is answered with 503
    /// (RFC 5321 §3.1). [`Reply::NO_MAIL`] says that this host never takes mail (RFC 7504 §3); after 421 the session
    /// closes at once.
    ///
    /// # Errors
    /// [`Misuse::WrongAnswer`] if the reply is not 4yz or 5yz.
    pub fn refuse_service(&mut self, reply: Reply) -> Result<(), Misuse> {
        if reply.is_positive() || reply.is_intermediate() {
            return Err(Misuse::WrongAnswer);
        }
        // RFC 2034 §4: no enhanced code in the greeting.
        self.no_service = Some(reply.without_enhanced());
        Ok(())
    }

    pub(super) const fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// What is said in place of the greeting.
    pub(super) const fn no_service(&self) -> Option<&Reply> {
        self.no_service.as_ref()
    }

    /// RFC 6531 §3.1: SMTPUTF8 comes with 8BITMIME. RFC 3030 §3: BINARYMIME is another value of its parameter.
    pub(super) const fn eight_bit_mime(&self) -> bool {
        self.eight_bit_mime || self.smtp_utf8 || self.binary_mime()
    }

    /// RFC 3030 §3: BINARYMIME comes with CHUNKING.
    pub(super) const fn binary_mime(&self) -> bool {
        self.binary_mime && self.chunking
    }

    /// RFC 4865 §4.2: only for submission.
    pub(super) fn future_release(&self) -> Option<&FutureRelease> {
        self.promises.future_release.as_ref().filter(|_| self.protocol == Protocol::Submission)
    }

    /// What LIMITS says.
    pub(super) fn announced_limits(&self) -> AnnouncedLimits {
        let mut announced = AnnouncedLimits::default();
        if self.announce_limits {
            announced.transactions = Some(u64::from(self.limits.transactions));
            announced.recipients = u64::try_from(self.limits.most_recipients()).ok();
            announced.recipient_domains = Some(self.limits.recipient_domains)
                .filter(|&most| most > 0)
                .and_then(|most| most.try_into().ok());
        }
        announced
    }

    pub(super) fn is_lmtp(&self) -> bool {
        self.protocol == Protocol::Lmtp
    }

    pub(super) fn requires_authentication(&self) -> bool {
        self.require_authentication || self.protocol == Protocol::Submission
    }
}
