//! SCRAM: RFC 5802 with SHA-1, RFC 7677 with SHA-256, the same with SHA-512. What the two sides share:
//! hash functions, keys, the grammar of the messages. The exchanges are in `server::scram` and
//! `client::scram`, what they bind to in `channel`.

mod derive;
mod hash;
mod keys;
pub(crate) mod message;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod vectors;

pub use self::derive::{DeriveJob, DerivedKeys, prepare_password};
pub(crate) use self::hash::Output;
pub use self::hash::ScramHash;
pub use self::keys::{DecoyKey, ScramKeys, ScramKeysError};

/// The salt lengths that both sides take.
const SALT: core::ops::RangeInclusive<usize> = 8..=1024;
/// Fewest octets that each side has to add to the nonce.
const LEAST_NONCE: usize = 8;
