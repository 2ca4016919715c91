//! Arguments of commands: [`Argument`], [`SecretArgument`], and the names and passwords of a client
//! that become them, [`UserName`] and [`Password`].

use alloc::string::{String, ToString as _};
use core::fmt;

use mailwright_core::value::{Excerpt, Secret};

use super::{ValueError, check};

/// Octets of one line: no CR, no LF, no NUL, so they cannot end the command or start another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Argument<'a>(&'a [u8]);

impl<'a> Argument<'a> {
    /// The most octets: those of the longest line that a server reads by default.
    pub const MAX: usize = 12_288;

    /// An argument.
    ///
    /// # Errors
    /// If it is too long or holds CR, LF or NUL.
    pub fn new(octets: &'a [u8]) -> Result<Self, ValueError> {
        check(octets, Self::MAX, |octet| !matches!(octet, b'\r' | b'\n' | 0))?;
        Ok(Self(octets))
    }

    /// Part of a line that the parser has checked.
    pub(crate) const fn of_line(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Excerpt::new(self.0), f)
    }
}

/// An argument that is nobody's business: `Debug` shows nothing of it.
#[derive(Clone, Copy)]
pub struct SecretArgument<'a>(Argument<'a>);

impl<'a> SecretArgument<'a> {
    /// The argument, not to be shown.
    #[must_use]
    pub const fn new(argument: Argument<'a>) -> Self {
        Self(argument)
    }

    /// The octets.
    #[must_use]
    pub const fn expose(&self) -> &'a [u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for SecretArgument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretArgument(…)")
    }
}

/// A name for USER: not empty, no CR, LF or NUL, and no space unless wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(String);

impl UserName {
    /// The most octets: a command line has 255 with its keyword and line end (RFC 2449 §4).
    pub const MAX: usize = 248;

    /// A name without spaces.
    ///
    /// # Errors
    /// If it is empty, too long, or holds a space, CR, LF or NUL.
    pub fn new(name: &str) -> Result<Self, ValueError> {
        let name = Self::with_spaces(name)?;
        check(name.0.as_bytes(), Self::MAX, |octet| octet != b' ')?;
        Ok(name)
    }

    /// A name that may hold spaces, which some servers take for the start of another argument.
    ///
    /// # Errors
    /// If it is empty, too long, or holds CR, LF or NUL.
    pub fn with_spaces(name: &str) -> Result<Self, ValueError> {
        if name.is_empty() {
            return Err(ValueError::Empty);
        }
        check(name.as_bytes(), Self::MAX, |octet| !matches!(octet, b'\r' | b'\n' | 0))?;
        Ok(Self(name.to_string()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn argument(&self) -> Argument<'_> {
        Argument(self.0.as_bytes())
    }
}

/// A password for PASS: not empty, no CR, LF or NUL. Spaces count.
#[derive(Clone, Debug)]
pub struct Password(Secret);

impl Password {
    /// The most octets: a command line has 255 with its keyword and line end (RFC 2449 §4).
    pub const MAX: usize = 248;

    /// A password.
    ///
    /// # Errors
    /// If it is empty, too long, or holds CR, LF or NUL. Nothing of it is in the error.
    pub fn new(password: impl Into<Secret>) -> Result<Self, ValueError> {
        let password = password.into();
        if password.is_empty() {
            return Err(ValueError::Empty);
        }
        check(password.expose(), Self::MAX, |octet| !matches!(octet, b'\r' | b'\n' | 0))?;
        Ok(Self(password))
    }

    pub(crate) fn argument(&self) -> SecretArgument<'_> {
        SecretArgument(Argument(self.0.expose()))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn nothing_that_ends_a_line_becomes_an_argument() {
        for octet in [b'\r', b'\n', 0] {
            let text = [b'a', octet, b'b'];
            let error = ValueError::Octet { octet, offset: 1 };
            assert_eq!(Argument::new(&text).unwrap_err(), error);
            assert_eq!(UserName::with_spaces(core::str::from_utf8(&text).unwrap()).unwrap_err(), error);
            assert_eq!(Password::new(&text[..]).unwrap_err(), error);
        }
    }

    #[test]
    fn a_space_is_part_of_a_password_and_of_a_name_only_if_wanted() {
        assert!(Password::new(" x ").is_ok());
        assert_eq!(UserName::new("a b").unwrap_err(), ValueError::Octet { octet: b' ', offset: 1 });
        assert!(UserName::with_spaces("a b").is_ok());
    }

    #[test]
    fn debug_shows_no_password() {
        let password = Password::new("tanstaaf").unwrap();
        assert!(!format!("{password:?} {:?}", password.argument()).contains("tanstaaf"));
    }
}
