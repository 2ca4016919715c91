//! MTA-STS (RFC 8461): how a domain says that its mail hosts have TLS with certificates that can be relied on.
//!
//! [`StsRecord`] is the TXT record that tells of a policy, [`StsPolicy`] the policy, [`StsCache`] what is known of the
//! policies of domains, across restarts. How they are found and applied is part of a [`Resolution`](crate::Resolution).
//! The parsers can be used alone.
//!
//! ```
//! use mailwright_mx::sts::{Mode, StsPolicy, StsRecord};
//!
//! let record = StsRecord::parse(b"v=STSv1; id=20160831085700Z;")?;
//! assert_eq!(record.id(), "20160831085700Z");
//!
//! let policy = StsPolicy::parse(b"version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 604800\n")?;
//! assert_eq!(policy.mode, Mode::Enforce);
//! assert!(policy.matches(&"mx1.example.net".parse()?) && !policy.matches(&"example.net".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod policy;
mod record;

pub use self::cache::{CachedPolicy, FailedFetch, SnapshotError, StsCache, StsKnown, StsNews};
pub use self::policy::{Mode, MxPattern, PolicyError, StsPolicy};
pub use self::record::{StsRecord, StsRecordError};
