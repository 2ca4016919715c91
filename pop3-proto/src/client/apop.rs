//! APOP (RFC 1939 §7): a digest of the greeting's timestamp and the password, instead of the password.

use mailwright_core::value::{Misuse, Secret};
use mailwright_sasl::{PrepareError, Strings, prepare};

use super::authorization::LONGEST_COMMAND;
use super::config::Apop;
use super::{Client, CommandId, Kind};
use crate::apop::digest;
use crate::config::TlsMode;
use crate::types::{Argument, Command, Password, UserName};

/// Why APOP cannot be used; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApopError {
    /// The configuration does not allow it, here or at all.
    #[error("APOP is not allowed by the configuration")]
    NotAllowed,
    /// The greeting has no timestamp that is a msg-id.
    #[error("the server's greeting has no timestamp for APOP")]
    NoTimestamp,
    /// A space in the name, which would make two arguments of it.
    #[error("a name with a space cannot be used with APOP")]
    Name,
    /// Name or password cannot be prepared.
    #[error("name or password: {0}")]
    Preparation(#[from] PrepareError),
    /// Not now.
    #[error("{0}")]
    Misuse(#[from] Misuse),
}

impl Client {
    /// APOP: name and digest (RFC 1939 §7). Nothing falls back to it; a host that wants it says so in
    /// [`Config::apop`](super::Config::apop).
    ///
    /// # Errors
    /// If it is not allowed, the greeting has no timestamp, as [`Self::user`], or [`Misuse::TooLarge`] for a name
    /// that does not fit into the line.
    pub fn apop(&mut self, name: &UserName, password: &Password) -> Result<CommandId, ApopError> {
        // RFC 2595 §4: who asked for TLS gets it before anything that matters.
        let exposed = !self.secure && (self.config.apop != Apop::Always || self.config.tls != TlsMode::Off);
        if self.config.apop == Apop::Never || exposed {
            return Err(ApopError::NotAllowed);
        }
        self.check_utf8(name.as_str().as_bytes())?;
        self.check_utf8(password.argument().expose())?;
        let timestamp = self.timestamp.as_deref().ok_or(ApopError::NoTimestamp)?;
        // RFC 6856 §2.2: SASLprep, the name as a query, the password as a stored string.
        let name = prepare(name.as_str(), Strings::Query)?;
        if name.contains(' ') {
            return Err(ApopError::Name);
        }
        let password = core::str::from_utf8(password.argument().expose());
        let password = prepare(password.map_err(|_| PrepareError::Prohibited)?, Strings::Stored)?;
        let digest = digest(timestamp, Secret::from(password.into_owned()).expose());
        // RFC 2449 §4: a command has 255 octets at most.
        if "APOP ".len() + name.len() + 1 + digest.len() + 2 > LONGEST_COMMAND {
            return Err(Misuse::TooLarge.into());
        }
        let command =
            Command::Apop { name: Argument::of_line(name.as_bytes()), digest: Argument::of_line(&digest) };
        Ok(self.send(command, Kind::Pass)?)
    }

    /// Whether the greeting has a timestamp for APOP.
    #[must_use]
    pub const fn offers_apop(&self) -> bool {
        self.timestamp.is_some()
    }
}
