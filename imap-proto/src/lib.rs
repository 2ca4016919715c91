#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod client;
#[cfg(feature = "codec")]
pub mod codec;
mod config;
mod encode;
pub mod mailbox_name;
pub mod parse;
mod pattern;
pub mod server;
pub mod types;
pub mod view;
pub mod wire;

#[cfg(feature = "std")]
pub use mailwright_core::io;
pub use mailwright_core::session;
#[cfg(feature = "testing")]
pub use mailwright_core::testing;
pub use mailwright_core::value;
pub use mailwright_sasl as sasl;

pub use self::client::Client;
pub use self::config::TlsMode;
pub use self::encode::{Announcing, EncodeError, LiteralPolicy};
pub use self::pattern::ListPattern;
