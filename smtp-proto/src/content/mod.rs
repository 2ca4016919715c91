//! Message transfer: how content is brought to the wire and read from it. RFC 5321 §4.1.1.4, §4.5.2; RFC 3030 §2.
//!
//! What came by DATA is decoded by `wire::DotDecoder` of the core, which the server uses as it is.

mod chunk;
mod data;

pub use self::chunk::{ChunkDecoder, ChunkEncoder};
pub(crate) use self::data::check_line_ends;
pub use self::data::{BarePolicy, ContentEnd, ContentError, DataEncoder};
