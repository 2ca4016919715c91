//! Values of the protocol: replies, extensions, paths, parameters, commands. Constructors validate, so
//! that a value that exists is safe to write on the wire.

mod extensions;
mod reply;
mod status;

pub use self::extensions::{
    AnnouncedLimits, Arguments, Capabilities, Extension, InvalidExtension, UnknownExtension,
};
pub use self::reply::{Lines, Reply, ReplyError};
pub use self::status::{EnhancedCode, InvalidEnhancedCode, InvalidReplyCode, ReplyCode, Severity};
