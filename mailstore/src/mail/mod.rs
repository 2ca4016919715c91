//! The mail logic, written once over the lower seam: UIDs and modification sequences, flags, counters,
//! quota, the change log, vanished UIDs, pins, and the lane in which the writes of an account are ordered.

#[cfg(feature = "std")]
pub(crate) mod account;
#[cfg(feature = "std")]
pub(crate) mod commit;
mod config;
#[cfg(feature = "std")]
mod deliver;
#[cfg(feature = "std")]
pub(crate) mod draft;
pub(crate) mod flags;
pub(crate) mod key;
#[cfg(feature = "std")]
mod lane;
#[cfg(feature = "std")]
mod maintain;
#[cfg(feature = "std")]
mod pin;
#[cfg(feature = "std")]
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod row;
#[cfg(feature = "std")]
pub(crate) mod store;
#[cfg(test)]
#[cfg(feature = "std")]
mod tests;
#[cfg(feature = "std")]
mod upload;

#[cfg(feature = "std")]
pub use self::account::StoreAccount;
pub use self::config::{MailLimits, StoreConfig};
#[cfg(feature = "std")]
pub use self::deliver::Delivery;
#[cfg(feature = "queue")]
pub(crate) use self::maintain::AT_ONCE;
#[cfg(feature = "std")]
pub use self::store::{QuotaUsage, Store};
#[cfg(feature = "std")]
pub use self::upload::StoreUpload;
