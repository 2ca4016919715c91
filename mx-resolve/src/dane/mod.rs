//! DANE for SMTP (RFC 7672): which TLSA records can be used, and with the feature `dane-verify` the module `verify` says
//! whether a certificate chain matches them. How records are found is part of a [`Resolution`](crate::Resolution).

mod usable;

#[cfg(feature = "dane-verify")]
pub(crate) use self::usable::{END_ENTITY, FULL, SHA256, SHA512, TRUST_ANCHOR};
pub use self::usable::{Usable, usable};
