//! Framing that several protocols share: [`LineFramer`] for commands and replies, [`DotDecoder`] and
//! [`DotEncoder`] for message content.

mod dot;
mod line;

pub use self::dot::{BareLineEnd, ContentReport, DotChunk, DotDecoder, DotEncoder, DotError, LineEndCounter};
pub use self::line::{Found, Framed, LineEnd, LineFramer};
