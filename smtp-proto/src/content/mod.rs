//! Message transfer: how content is brought to the wire. RFC 5321 §4.1.1.4, §4.5.2.
//!
//! Decoding is `wire::DotDecoder` of the core, which the server uses as it is.

mod data;

pub(crate) use self::data::check_line_ends;
pub use self::data::{BarePolicy, ContentEnd, ContentError, DataEncoder};
