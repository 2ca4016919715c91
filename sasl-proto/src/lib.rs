#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod base64;
mod certificate;
mod channel;
mod client;
#[cfg(feature = "legacy-md5")]
mod cram_md5;
mod name;
mod prepare;
mod scram;
mod seed;
mod server;

pub use self::channel::Channel;
pub use self::client::{
    ChooseError, Client, ClientError, ClientMechanism, ClientPolicy, ClientStep, Credentials,
    CredentialsError, ServerError, Situation, choose,
};
pub use self::name::{MechanismName, NameError};
pub use self::prepare::{PrepareError, Strings, prepare};
pub use self::scram::{
    DecoyKey, DeriveJob, DerivedKeys, ScramHash, ScramKeys, ScramKeysError, prepare_password,
};
pub use self::seed::{Nonce, Seed};
pub use self::server::{
    Answer, Ask, BeginError, Identity, Offer, Offers, Reason, Server, ServerMechanism, ServerPolicy,
    ServerStep, StateError,
};

/// The most octets that a name, an authorization identity or a password may have here.
///
/// RFC 4616 §2 asks for 255 at least; a limit bounds what a look-up or a hash has to work on.
pub const FIELD_LIMIT: usize = 4096;
