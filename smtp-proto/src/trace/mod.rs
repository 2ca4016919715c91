//! Trace header fields: `Received`, `Return-Path`, `Delivered-To`, and the count of hops.
//!
//! RFC 5321 §4.4 (trace information), RFC 3848 and RFC 6531 §4.3 (the words behind `with`). Fields are
//! built from validated values only, so no octet that a peer chose can end a line or start a field.
//! They are prepended to a message; what stands in it is never changed. Who prepends what, and when, is
//! the host's or the store's business.
//!
//! ```
//! use mailwright_core::value::UnixTime;
//! use mailwright_smtp::trace::{Received, TransactionId, With};
//!
//! let mut received = Received::new("mx.example.org", With::default(), UnixTime::from_seconds(0))?;
//! received.helo = Some("client.example.com");
//! received.peer = Some([192, 0, 2, 1].into());
//! received.id = Some(TransactionId::new("a7")?);
//! assert_eq!(
//!     received.to_string(),
//!     "Received: from client.example.com ([192.0.2.1])\r\n\
//!      \tby mx.example.org with ESMTP id a7;\r\n\
//!      \tThu, 1 Jan 1970 00:00:00 +0000\r\n"
//! );
//! # Ok::<(), mailwright_smtp::trace::TraceError>(())
//! ```

mod hops;
mod received;

use alloc::format;
use alloc::string::String;

use mailwright_core::value::{Mailbox, ReversePath};

pub use self::hops::HopCounter;
pub use self::received::{Received, TraceError, TransactionId, With};

/// The `Return-Path` field with its line end: the first line of a message at final delivery.
///
/// There is exactly one; remove others before (RFC 5321 §4.4).
#[must_use]
pub fn return_path(path: &ReversePath) -> String {
    match path {
        ReversePath::Null => String::from("Return-Path: <>\r\n"),
        ReversePath::Mailbox(mailbox) => format!("Return-Path: <{mailbox}>\r\n"),
    }
}

/// The `Delivered-To` field with its line end: the final address, for the detection of loops only.
#[must_use]
pub fn delivered_to(mailbox: &Mailbox) -> String {
    format!("Delivered-To: {mailbox}\r\n")
}
