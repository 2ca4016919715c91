//! [`Command`]: what a client asks for, read and checked. RFC 5321 §4.1.1. Reading is in `parse::command`.

use alloc::boxed::Box;
use core::fmt;

use bytes::Bytes;
use mailwright_core::value::{AddressError, AddressOptions, Domain, ForwardPath, ReversePath, SourceRoute};

use super::parameters::Parameters;
use super::verb::Verb;

/// A command with its arguments. Values are views of the line; `detach` those that are kept for long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// EHLO.
    Ehlo(ClientName),
    /// HELO.
    Helo(ClientName),
    /// LHLO.
    Lhlo(ClientName),
    /// MAIL.
    Mail {
        /// Where reports go.
        path: ReversePath,
        /// The source route that stood before it, to be ignored.
        route: Option<SourceRoute>,
        /// Its parameters.
        parameters: Parameters,
    },
    /// RCPT.
    Rcpt {
        /// The recipient.
        path: ForwardPath,
        /// The source route that stood before it, to be ignored.
        route: Option<SourceRoute>,
        /// Its parameters.
        parameters: Parameters,
    },
    /// DATA.
    Data,
    /// BDAT.
    Bdat {
        /// Octets that follow the line.
        size: u64,
        /// Whether they are the last of the message.
        last: bool,
    },
    /// RSET.
    Rset,
    /// NOOP, whatever stands behind it.
    Noop,
    /// VRFY.
    Vrfy {
        /// What is asked for, as it stood: UTF-8 without controls, beyond ASCII only with `smtp_utf8`.
        query: Bytes,
        /// Whether SMTPUTF8 stood behind it (RFC 6531 §3.7.4.2): the reply may go beyond ASCII.
        smtp_utf8: bool,
    },
    /// EXPN.
    Expn {
        /// The list that is asked for, as it stood: UTF-8 without controls, beyond ASCII only with `smtp_utf8`.
        query: Bytes,
        /// Whether SMTPUTF8 stood behind it (RFC 6531 §3.7.4.2): the reply may go beyond ASCII.
        smtp_utf8: bool,
    },
    /// HELP with its argument as it stood.
    Help(Bytes),
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth {
        /// The name of the mechanism as it stood.
        mechanism: Bytes,
        /// The initial response as it stood, in base64 or `=`.
        initial: Option<InitialResponse>,
    },
    /// QUIT.
    Quit,
    /// A command that is recognised and not carried out, with its argument as it stood.
    Other(Verb, Bytes),
}

/// An initial response of AUTH in base64. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct InitialResponse(pub(crate) Bytes);

impl InitialResponse {
    /// The text as it stood. It may hold a password.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for InitialResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InitialResponse(…)")
    }
}

/// The name that a client gives itself in EHLO, HELO or LHLO: a domain name or an address literal
/// (RFC 5321 §4.1.1.1). It proves nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientName {
    domain: Domain,
    /// An address literal as it was given; of a name the domain has that.
    literal: Option<Box<str>>,
}

impl ClientName {
    /// Reads a name; it must be ASCII.
    ///
    /// # Errors
    /// If it is neither a domain name nor an address literal.
    pub fn parse(text: &[u8], options: &AddressOptions) -> Result<Self, AddressError> {
        let domain = Domain::parse(text, options)?;
        let literal = match domain {
            Domain::Name(_) => None,
            _ => core::str::from_utf8(text).ok().map(Box::from),
        };
        Ok(Self { domain, literal })
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match (&self.literal, &self.domain) {
            (Some(literal), _) => literal,
            (None, Domain::Name(name)) => name.as_str(),
            (None, _) => "",
        }
    }

    /// As a domain.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
