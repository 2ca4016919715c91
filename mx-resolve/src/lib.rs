//! From a mail domain to a delivery plan.
#![cfg_attr(all(feature = "testing", feature = "std"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod address;
mod cache;
mod config;
pub mod dane;
mod destination;
pub mod discovery;
pub mod dns;
#[cfg(feature = "std")]
pub mod drive;
mod error;
pub mod fetch;
mod fields;
mod machine;
mod message_tls;
mod name;
pub mod plan;
mod random;
#[cfg(feature = "std")]
mod resolver;
pub mod sts;
mod time;
pub mod tlsrpt;
#[cfg(feature = "dane-verify")]
pub mod verify;

pub use self::address::{AddressPolicy, RefusedAddress};
pub use self::cache::Cache;
pub use self::config::{Config, DaneMode, Limits};
pub use self::destination::{Destination, DestinationError, MailDomain, Relay, RelayHost};
pub use self::error::{Permanent, PermanentReason, RouteError, Status, Temporary, TemporaryReason};
pub use self::machine::{AnswerError, DnsRequest, Event, QueryId, Refresh, Refreshed, Request, Resolution};
pub use self::message_tls::MessageTls;
pub use self::name::{DomainName, MalformedName, NameError, SpecialUse, Target};
pub use self::plan::{Attempt, Host, Kind, Plan, Tls};
pub use self::random::SplitMix64;
#[cfg(feature = "std")]
pub use self::resolver::Resolver;
pub use self::time::UnixMillis;
