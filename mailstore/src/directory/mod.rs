//! Who exists.
mod config;
#[cfg(feature = "std")]
mod gate;
pub use self::config::{DirectoryConfig, PasswordCost};
#[cfg(feature = "std")]
pub(crate) use self::gate::HashGate;
