#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod account;
pub mod directory;
pub mod engine;
mod identifier;
mod mail;

pub use self::identifier::{AccountId, BlobId, MailboxId, MessageId, ThreadId};
#[cfg(feature = "std")]
pub use self::mail::{Delivery, QuotaUsage, Store, StoreAccount, StoreUpload};
pub use self::mail::{MailLimits, StoreConfig};
