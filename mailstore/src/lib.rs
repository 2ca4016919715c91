#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![cfg_attr(
    not(feature = "std"),
    allow(dead_code, reason = "the store that writes what is defined here needs std")
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod account;
pub mod deliver;
pub mod directory;
pub mod engine;
mod identifier;
mod mail;
pub mod mime;
#[cfg(feature = "queue")]
pub mod queue;
#[cfg(any(feature = "smtp", feature = "lmtp", feature = "pop3", feature = "imap", feature = "queue"))]
pub mod serve;
#[cfg(any(feature = "testing", all(test, feature = "std")))]
pub mod testing;

pub use self::identifier::{AccountId, BlobId, MailboxId, MessageId, ThreadId};
#[cfg(feature = "std")]
pub use self::mail::{Delivery, QuotaUsage, Store, StoreAccount, StoreUpload};
pub use self::mail::{MailLimits, StoreConfig};
