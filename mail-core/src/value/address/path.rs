//! Paths: an address, or the words that stand for none, in angle brackets (RFC 5321 §4.1.2).

use core::fmt;
use core::ops::Range;
use core::str::FromStr;

use bytes::Bytes;

use super::text::Text;
use super::{AddressError, AddressErrorKind, AddressOptions, Mailbox, parse};
use crate::value::Deviation;

/// A path as read from the wire: what it names, and the source route that is to be ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParsedPath {
    /// What it names.
    pub path: Path,
    /// The route before it, for inspection only (RFC 5321 §4.1.2, appendix C).
    pub source_route: Option<SourceRoute>,
    /// Octets of the input that the path takes, with both angle brackets.
    pub length: usize,
    /// A tolerated departure, if there was one.
    pub deviation: Option<Deviation>,
}

impl ParsedPath {
    /// Reads the path at the front of `input`, which begins with `<`. What stands behind it is not looked at.
    ///
    /// Lengths are judged first, then form: a path above a limit is [`AddressErrorKind::TooLong`] whatever else is
    /// wrong with it.
    ///
    /// # Errors
    /// If there is no path.
    pub fn read(input: &[u8], options: &AddressOptions) -> Result<Self, AddressError> {
        parse::path(input, options)
    }

    /// As [`Self::read`], with parts that are views of `input`.
    ///
    /// # Errors
    /// If there is no path.
    pub fn read_shared(input: &Bytes, options: &AddressOptions) -> Result<Self, AddressError> {
        Self::read_within(input, 0..input.len(), options)
    }

    /// As [`Self::read_shared`], from a part of `input`. Lengths and offsets count from the start of the part.
    ///
    /// # Errors
    /// If there is no path.
    pub fn read_within(
        input: &Bytes,
        part: Range<usize>,
        options: &AddressOptions,
    ) -> Result<Self, AddressError> {
        parse::shared_path(input, part, options)
    }
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 §4.1.2 has these forms and no others")]
pub enum Path {
    /// `<>`
    Null,
    /// `<Postmaster>` without domain, in any case.
    Postmaster,
    /// `<local-part@domain>`
    Mailbox(Mailbox),
}

/// Where a message came from, and where reports on it go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 §4.1.1.2 has these forms and no others")]
pub enum ReversePath {
    /// `<>`: nowhere. Reports themselves are sent with it, so that none is answered by another.
    Null,
    /// An address.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// The address, unless it is null.
    #[must_use]
    pub const fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }

    /// A copy that does not keep the buffer alive that it was read from.
    #[must_use]
    pub fn detach(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Mailbox(mailbox) => Self::Mailbox(mailbox.detach()),
        }
    }
}

impl From<Mailbox> for ReversePath {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 §4.1.1.3 has these forms and no others")]
pub enum ForwardPath {
    /// `<Postmaster>`: the postmaster of the server itself (RFC 5321 §4.5.1).
    Postmaster,
    /// An address.
    Mailbox(Mailbox),
}

impl ForwardPath {
    /// The address, unless it is the server's own postmaster.
    #[must_use]
    pub const fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Postmaster => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }

    /// A copy that does not keep the buffer alive that it was read from.
    #[must_use]
    pub fn detach(&self) -> Self {
        match self {
            Self::Postmaster => Self::Postmaster,
            Self::Mailbox(mailbox) => Self::Mailbox(mailbox.detach()),
        }
    }
}

impl From<Mailbox> for ForwardPath {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

impl fmt::Display for ReversePath {
    /// The path in its angle brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

impl fmt::Display for ForwardPath {
    /// The path in its angle brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<Postmaster>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// Reads a path that is all of `text`.
fn whole(text: &str) -> Result<Path, AddressError> {
    let parsed = ParsedPath::read(text.as_bytes(), &AddressOptions::default())?;
    if parsed.length == text.len() {
        Ok(parsed.path)
    } else {
        Err(AddressError::new(AddressErrorKind::Syntax, parsed.length, text.as_bytes()))
    }
}

impl FromStr for ReversePath {
    type Err = AddressError;

    /// Reads a path with its angle brackets.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match whole(text)? {
            Path::Null => Ok(Self::Null),
            Path::Mailbox(mailbox) => Ok(Self::Mailbox(mailbox)),
            Path::Postmaster => Err(AddressError::new(AddressErrorKind::Mailbox, 1, text.as_bytes())),
        }
    }
}

impl FromStr for ForwardPath {
    type Err = AddressError;

    /// Reads a path with its angle brackets.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match whole(text)? {
            Path::Postmaster => Ok(Self::Postmaster),
            Path::Mailbox(mailbox) => Ok(Self::Mailbox(mailbox)),
            Path::Null => Err(AddressError::new(AddressErrorKind::Mailbox, 1, text.as_bytes())),
        }
    }
}

/// A source route, `@one.example,@two.example`, as it was received. Never obeyed, never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRoute(Text);

impl SourceRoute {
    /// For the parser, which has checked `octets`.
    pub(super) fn from_checked(octets: Bytes) -> Option<Self> {
        Text::new(octets).map(Self)
    }

    /// The route without its final colon.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The hosts in order.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(',').map(|host| host.trim_start_matches('@'))
    }
}
