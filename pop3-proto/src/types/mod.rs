//! The values of POP3, for both sides. What goes on the wire has a constructor that validates, so a
//! command or reply that would say something else cannot be expressed.

mod argument;
mod capability;
mod code;
mod command;
mod language;
mod number;
mod reply;
mod text;
mod unique_id;

pub use self::argument::{Argument, Password, SecretArgument, UserName};
pub use self::capability::{Capabilities, Capability};
pub use self::code::{RawCode, ResponseCode};
pub use self::command::Command;
pub use self::language::{LanguageRange, LanguageTag};
pub use self::number::MessageNumber;
pub use self::reply::{Reply, Status};
pub use self::text::{ReplyText, Text};
pub use self::unique_id::UniqueId;

/// Why a value cannot go on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Nothing there where something must be.
    #[error("must not be empty")]
    Empty,
    /// More octets than the protocol has room for.
    #[error("{octets} octets, of which {limit} are allowed")]
    TooLong {
        /// How many there are.
        octets: usize,
        /// How many there may be.
        limit: usize,
    },
    /// An octet that this value must not hold, for example one that would end the line.
    #[error("octet {octet:#04x} at offset {offset} is not allowed here")]
    Octet {
        /// The octet.
        octet: u8,
        /// Where it stands.
        offset: usize,
    },
}

/// Refuses the first octet of `octets` for which `allowed` is false.
pub(crate) fn check(octets: &[u8], limit: usize, allowed: impl Fn(u8) -> bool) -> Result<(), ValueError> {
    if octets.len() > limit {
        return Err(ValueError::TooLong { octets: octets.len(), limit });
    }
    match octets.iter().enumerate().find(|&(_, &octet)| !allowed(octet)) {
        Some((offset, &octet)) => Err(ValueError::Octet { octet, offset }),
        None => Ok(()),
    }
}
