//! The driver of SMTP sessions: a mail exchanger, and submission. RFC 5321, RFC 6409.
//!
//! [`Service`] answers a session by its [protocol](mailwright_smtp::server::Protocol). Between servers it takes
//! mail for local addresses. For submission it takes it from an account that sends under its own addresses:
//! the sender of MAIL and every address of the From field must belong to it. Neither relays, unless it is told to
//! queue what submitters send elsewhere, and what aliases forward.

pub use super::receive::{Handler, Service};
