//! [`ResponseCode`]: the machine-readable part of a reply's text (RFC 2449 §8, RFC 3206, RFC 6856 §5).

use alloc::boxed::Box;
use core::fmt;

/// Why a command failed, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseCode {
    /// `LOGIN-DELAY`: the user has logged in too recently (RFC 2449 §8.1.1).
    LoginDelay,
    /// `IN-USE`: the credentials are good, the maildrop is locked by another session (RFC 2449 §8.1.2).
    InUse,
    /// `SYS/TEMP`: a failure of the system that will pass (RFC 3206 §4).
    SysTemp,
    /// `SYS/PERM`: a failure of the system that needs a person (RFC 3206 §4).
    SysPerm,
    /// `SYS` without a known detail (RFC 3206 §4).
    Sys,
    /// `AUTH`: the credentials are the problem (RFC 3206 §5).
    Auth,
    /// `UTF8`: the message needs UTF8 mode (RFC 6856 §5).
    Utf8,
    /// Any other code, as received.
    Unknown(RawCode),
}

/// A well-formed code that this crate does not know.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawCode(Box<[u8]>);

impl RawCode {
    /// The code without its brackets, as received. Visible ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RawCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for RawCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ResponseCode {
    /// The code that stands between the brackets, which the caller knows to be well formed.
    pub(crate) fn from_inner(inner: &[u8]) -> Self {
        let mut levels = inner.split(|&octet| octet == b'/');
        let first = levels.next().unwrap_or_default();
        let second = levels.next().unwrap_or_default();
        let is = |level: &[u8], name: &str| level.eq_ignore_ascii_case(name.as_bytes());
        // RFC 2449 §8: case-insensitive; unknown levels of detail are ignored.
        if is(first, "LOGIN-DELAY") {
            Self::LoginDelay
        } else if is(first, "IN-USE") {
            Self::InUse
        } else if is(first, "SYS") {
            if is(second, "TEMP") {
                Self::SysTemp
            } else if is(second, "PERM") {
                Self::SysPerm
            } else {
                Self::Sys
            }
        } else if is(first, "AUTH") {
            Self::Auth
        } else if is(first, "UTF8") {
            Self::Utf8
        } else {
            Self::Unknown(RawCode(inner.into()))
        }
    }

    /// The code as it stands between the brackets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::LoginDelay => b"LOGIN-DELAY",
            Self::InUse => b"IN-USE",
            Self::SysTemp => b"SYS/TEMP",
            Self::SysPerm => b"SYS/PERM",
            Self::Sys => b"SYS",
            Self::Auth => b"AUTH",
            Self::Utf8 => b"UTF8",
            Self::Unknown(raw) => raw.as_bytes(),
        }
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}
