//! DANE for SMTP (RFC 7672): which TLSA records can be used, and with the feature `dane-verify` whether a certificate chain
//! matches them. How records are found is part of a [`Resolution`](crate::Resolution).

mod usable;

pub use self::usable::{Usable, usable};
