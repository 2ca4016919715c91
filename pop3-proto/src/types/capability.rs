//! [`Capability`] and [`Capabilities`]: what a server announces in CAPA (RFC 2449 §5, §6).

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_sasl::MechanismName;

/// One line of CAPA. Names are read in any case; what is malformed is `Unknown`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// `TOP` (RFC 2449 §6.1).
    Top,
    /// `USER`: USER and PASS may be used now (RFC 2449 §6.2).
    User,
    /// `SASL` with the mechanisms that may be used now (RFC 2449 §6.3, RFC 5034 §3).
    Sasl(Vec<MechanismName>),
    /// `RESP-CODES`: texts begin with codes (RFC 2449 §6.4).
    RespCodes,
    /// `LOGIN-DELAY` with the seconds between logins (RFC 2449 §6.5).
    LoginDelay {
        /// Seconds.
        seconds: u64,
        /// Whether the value differs between users.
        per_user: bool,
    },
    /// `PIPELINING` (RFC 2449 §6.6).
    Pipelining,
    /// `EXPIRE` with the days that messages are kept, `None` for `NEVER` (RFC 2449 §6.7).
    Expire {
        /// Days.
        days: Option<u64>,
        /// Whether the value differs between users.
        per_user: bool,
    },
    /// `UIDL` (RFC 2449 §6.8).
    Uidl,
    /// `IMPLEMENTATION` with its text (RFC 2449 §6.9).
    Implementation(Bytes),
    /// `STLS` (RFC 2595 §4).
    Stls,
    /// `AUTH-RESP-CODE` (RFC 3206 §6).
    AuthRespCode,
    /// `UTF8`: UTF8 may be used, and messages may have UTF-8 in their header then (RFC 6856 §2).
    Utf8 {
        /// Whether names and passwords may be UTF-8 as well, before UTF8 and without (RFC 6856 §2.2).
        user: bool,
    },
    /// `LANG`: texts are to be had in several languages (RFC 6856 §3).
    Lang,
    /// Any other line, as received.
    Unknown(Bytes),
}

/// What a server announced, in its order. A host may add and remove entries for a server that it knows
/// better.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<Capability>);

impl Capabilities {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn push(&mut self, capability: Capability) {
        self.0.push(capability);
    }

    /// Keeps those for which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&Capability) -> bool) {
        self.0.retain(keep);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Capability> {
        self.0.iter()
    }

    /// Whether `capability` is announced, with the same arguments.
    #[must_use]
    pub fn has(&self, capability: &Capability) -> bool {
        self.0.contains(capability)
    }

    /// Whether names and passwords may be UTF-8 in USER, PASS and APOP (RFC 6856 §2.2).
    #[must_use]
    pub fn takes_utf8_names(&self) -> bool {
        self.has(&Capability::Utf8 { user: true })
    }

    /// Whether UTF8 may be used (RFC 6856 §2).
    #[must_use]
    pub fn has_utf8(&self) -> bool {
        self.0.iter().any(|capability| matches!(capability, Capability::Utf8 { .. }))
    }

    /// The SASL mechanisms, or `None` if SASL is not announced at all.
    #[must_use]
    pub fn mechanisms(&self) -> Option<&[MechanismName]> {
        self.0.iter().find_map(|capability| match capability {
            Capability::Sasl(names) => Some(names.as_slice()),
            _ => None,
        })
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().collect())
    }
}
