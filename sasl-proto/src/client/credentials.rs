//! [`Credentials`]: what a client can prove itself with.

use alloc::string::{String, ToString as _};

use mailwright_core::value::Secret;

use crate::FIELD_LIMIT;

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

    /// The same, acting as `authzid`.
    ///
    /// # Errors
    /// If it is empty, longer than [`FIELD_LIMIT`], or holds CR, LF or NUL.
    pub fn acting_as(self, authzid: &str) -> Result<Self, CredentialsError> {
        check(authzid)?;
        match self {
            Self::Password { authcid, password, .. } => {
                Ok(Self::Password { authcid, authzid: Some(authzid.to_string()), password })
            }
        }
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
    /// A password that is not UTF-8.
    #[error("a password must be UTF-8")]
    Utf8,
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
