//! Delivery: what happens to a message between its acceptance and its mailboxes.
//!
//! [`HeaderFilter`] removes the fields that only the final host may write; [`From`](originators) tells who a
//! message claims to be from. Both are pure, work on a stream in constant memory, and never touch anything
//! but the message's own header.

mod header;
mod originator;

pub use self::header::{HeaderFilter, HeaderRules};
pub use self::originator::{OriginatorError, originators};
