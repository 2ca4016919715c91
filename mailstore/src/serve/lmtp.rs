//! The driver of LMTP sessions: final delivery for another server, with a reply for each recipient. RFC 2033.
//!
//! [`Service`] answers a session by its [protocol](mailwright_smtp::server::Protocol).

pub use super::receive::{Handler, Service};
