//! The lowest layer: from octets to line parts and literals, in linear time and bounded memory.
//!
//! RFC 9051 §2.2, §4.3, RFC 7888. A message (a command or a response) is a line part, or several with a
//! literal between each and the next. Which literals are taken is the session's decision; a message that
//! is refused is still read to its real end, so that no octet of a literal is ever taken for a command.

mod framer;
mod response;
mod scan;

pub use self::framer::{Fault, Frame, Framer, Part, PartEnd};
pub use self::response::FramingError;
pub(crate) use self::response::{
    FramingLimits, ListKind, MOST_RAW, ResponseFrame, ResponseFramer, Split, Splitter, Unit, ValueStart,
};
pub use self::scan::Announcement;
