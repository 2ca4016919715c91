//! Who exists: domains, accounts, addresses, aliases, passwords.
//!
//! Rows of the same engine as the mail, so an account and its mailboxes are made in one commit.
//! RFC 5321 §4.5.1 (postmaster). Password hashes are jobs that a
//! host runs where it likes; no clock is read and no entropy is made here.

#[cfg(feature = "std")]
mod admin;
mod config;
#[cfg(all(feature = "std", feature = "argon2"))]
mod gate;
#[cfg(all(feature = "std", feature = "argon2"))]
mod login;
pub(crate) mod name;
#[cfg(feature = "argon2")]
mod password;
#[cfg(feature = "std")]
mod remove;
#[cfg(feature = "std")]
mod resolve;
#[cfg_attr(not(feature = "argon2"), allow(dead_code, reason = "has the rows of passwords too"))]
mod row;
#[cfg(test)]
#[cfg(feature = "std")]
mod tests;

#[cfg(feature = "std")]
pub use self::admin::{AccountInfo, Directory, DirectoryError, NewAccount};
pub use self::config::{DirectoryConfig, PasswordCost};
#[cfg(all(feature = "std", feature = "argon2"))]
pub(crate) use self::gate::HashGate;
#[cfg(all(feature = "std", feature = "argon2"))]
pub use self::login::{Login, LoginCheck, TooManyLogins};
#[cfg(feature = "argon2")]
pub use self::password::{Credentials, PasswordError, PasswordJob};
#[cfg(feature = "std")]
pub use self::resolve::{LocalTarget, Resolved, Unresolved};
