//! Values of the protocol: replies, extensions, paths, parameters, commands. Constructors validate, so
//! that a value that exists is safe to write on the wire.

mod command;
mod extensions;
mod notification;
mod parameters;
mod reply;
mod status;
mod verb;
pub(crate) mod xtext;

pub use self::command::{ClientName, Command, InitialResponse};
pub use self::extensions::{
    AnnouncedLimits, Arguments, Capabilities, Extension, InvalidExtension, UnknownExtension,
};
pub(crate) use self::notification::is_atom;
pub use self::notification::{EnvelopeId, InvalidNotification, Notify, OriginalRecipient, Return};
pub use self::parameters::{Body, Parameter, Parameters};
pub use self::reply::{Lines, Reply, ReplyError};
pub use self::status::{EnhancedCode, InvalidEnhancedCode, InvalidReplyCode, ReplyCode, Severity};
pub use self::verb::{Verb, VerbEntry};
pub use crate::encode::InvalidArgument;
