//! [`Credentials`]: what a client can prove itself with.

use alloc::string::{String, ToString as _};

use mailwright_core::value::Secret;

use crate::FIELD_LIMIT;
use crate::prepare::is_trace;

/// What a client can prove itself with. Validated: no mechanism can be made to send anything else.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// A name and its password.
    #[non_exhaustive]
    Password {
        /// The authentication identity.
        authcid: String,
        /// The identity to act as, if not the same.
        authzid: Option<String>,
        /// The password.
        password: Secret,
    },
    /// An OAuth bearer token.
    #[non_exhaustive]
    Token {
        /// The user for whom the token was given.
        user: String,
        /// The token.
        token: Secret,
        /// For which server it is, as OAUTHBEARER tells.
        host: Option<String>,
        /// For which port.
        port: Option<u16>,
    },
    /// What the layer below proves, a TLS client certificate for example.
    #[non_exhaustive]
    External {
        /// The identity to act as, if not the one that was proved.
        authzid: Option<String>,
    },
    /// None: a guest.
    #[non_exhaustive]
    Anonymous {
        /// What the server may write into its log; may be empty.
        trace: String,
    },
}

impl Credentials {
    /// A name and its password.
    ///
    /// # Errors
    /// If one of them is empty, longer than [`FIELD_LIMIT`], holds CR, LF or NUL, or if the password is
    /// not UTF-8.
    pub fn password(name: &str, password: impl Into<Secret>) -> Result<Self, CredentialsError> {
        let password = password.into();
        check(name)?;
        check(core::str::from_utf8(password.expose()).map_err(|_| CredentialsError::Utf8)?)?;
        Ok(Self::Password { authcid: name.to_string(), authzid: None, password })
    }

    /// A bearer token of `user`.
    ///
    /// # Errors
    /// If one of them is empty or longer than [`FIELD_LIMIT`], the user holds an ASCII control, or the token
    /// anything but visible ASCII.
    pub fn token(user: &str, token: impl Into<Secret>) -> Result<Self, CredentialsError> {
        let token = token.into();
        check(user)?;
        // The octet 1 separates the fields of both mechanisms.
        if let Some(offset) = user.bytes().position(|octet| octet.is_ascii_control()) {
            return Err(CredentialsError::Control { offset });
        }
        check(core::str::from_utf8(token.expose()).map_err(|_| CredentialsError::Utf8)?)?;
        match token.expose().iter().position(|octet| !octet.is_ascii_graphic()) {
            Some(offset) => Err(CredentialsError::Token { offset }),
            None => Ok(Self::Token { user: user.to_string(), token, host: None, port: None }),
        }
    }

    /// What the layer below proves.
    #[must_use]
    pub const fn external() -> Self {
        Self::External { authzid: None }
    }

    /// None. `trace` says who it is all the same: an address, up to 255 characters without `@`, or nothing.
    ///
    /// # Errors
    /// If it is not of one of these forms (RFC 4505 §2).
    pub fn anonymous(trace: &str) -> Result<Self, CredentialsError> {
        // RFC 4505 §2: message = [ email / token ].
        if trace.is_empty() || is_trace(trace) {
            Ok(Self::Anonymous { trace: trace.to_string() })
        } else {
            Err(CredentialsError::Trace)
        }
    }

    /// The same, acting as `authzid`. For a token: as the user `authzid`. A guest stays a guest.
    ///
    /// # Errors
    /// If it is empty, longer than [`FIELD_LIMIT`], or holds CR, LF or NUL (with a token, any ASCII control).
    pub fn acting_as(self, authzid: &str) -> Result<Self, CredentialsError> {
        check(authzid)?;
        match self {
            Self::Password { authcid, password, .. } => {
                Ok(Self::Password { authcid, authzid: Some(authzid.to_string()), password })
            }
            Self::Token { token, host, port, .. } => match Self::token(authzid, token)? {
                Self::Token { user, token, .. } => Ok(Self::Token { user, token, host, port }),
                other => Ok(other),
            },
            Self::External { .. } => Ok(Self::External { authzid: Some(authzid.to_string()) }),
            Self::Anonymous { trace } => Ok(Self::Anonymous { trace }),
        }
    }

    /// The same, if it is a token, for this server only: OAUTHBEARER tells the server, which refuses a token that
    /// was meant for another.
    ///
    /// # Errors
    /// If `host` is empty, longer than [`FIELD_LIMIT`], or anything but visible ASCII.
    pub fn for_server(self, host: &str, port: u16) -> Result<Self, CredentialsError> {
        check(host)?;
        if let Some(offset) = host.bytes().position(|octet| !octet.is_ascii_graphic()) {
            return Err(CredentialsError::Token { offset });
        }
        Ok(match self {
            Self::Token { user, token, .. } => {
                Self::Token { user, token, host: Some(host.to_string()), port: Some(port) }
            }
            other => other,
        })
    }
}

fn check(text: &str) -> Result<(), CredentialsError> {
    if text.is_empty() {
        return Err(CredentialsError::Empty);
    }
    if text.len() > FIELD_LIMIT {
        return Err(CredentialsError::TooLong);
    }
    match text.bytes().position(|octet| matches!(octet, 0 | b'\r' | b'\n')) {
        Some(offset) => Err(CredentialsError::Control { offset }),
        None => Ok(()),
    }
}

/// Why a text is no name or password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// Nothing there.
    #[error("a name or password must not be empty")]
    Empty,
    /// More than [`FIELD_LIMIT`] octets.
    #[error("a name or password has {FIELD_LIMIT} octets at most")]
    TooLong,
    /// CR, LF or NUL.
    #[error("a name or password must not hold CR, LF or NUL, as at offset {offset}")]
    Control {
        /// Where it stands.
        offset: usize,
    },
    /// A password or token that is not UTF-8.
    #[error("a password must be UTF-8")]
    Utf8,
    /// Anything but visible ASCII in a token or the name of its server.
    #[error("a token or server name is visible ASCII, unlike the octet at offset {offset}")]
    Token {
        /// Where it stands.
        offset: usize,
    },
    /// No trace of RFC 4505.
    #[error("a trace is an address, or up to 255 characters without `@` and control characters")]
    Trace,
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn what_would_split_a_message_is_refused_where_it_stands() {
        for octet in ['\0', '\r', '\n'] {
            let text = format!("a{octet}b");
            let error = CredentialsError::Control { offset: 1 };
            assert_eq!(Credentials::password(&text, "x").unwrap_err(), error);
            assert_eq!(Credentials::password("x", text.as_str()).unwrap_err(), error);
            assert_eq!(Credentials::password("x", "x").unwrap().acting_as(&text).unwrap_err(), error);
        }
    }

    #[test]
    fn empty_long_and_undecodable_ones_are_refused() {
        let long = "x".repeat(FIELD_LIMIT + 1);
        assert_eq!(Credentials::password("", "x").unwrap_err(), CredentialsError::Empty);
        assert_eq!(Credentials::password("x", "").unwrap_err(), CredentialsError::Empty);
        assert_eq!(Credentials::password(&long, "x").unwrap_err(), CredentialsError::TooLong);
        assert_eq!(Credentials::password("x", &b"\xff"[..]).unwrap_err(), CredentialsError::Utf8);
    }

    #[test]
    fn debug_shows_no_password() {
        let shown = format!("{:?}", Credentials::password("tim", "tanstaaf").unwrap());
        assert!(shown.contains("tim") && !shown.contains("tanstaaf"), "{shown}");
    }
}
