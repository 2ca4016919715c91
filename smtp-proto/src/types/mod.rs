//! Values of the protocol: replies, extensions, paths, parameters, commands. Constructors validate, so
//! that a value that exists is safe to write on the wire.

mod capabilities;
mod command;
mod date_time;
mod extensions;
mod notification;
mod parameters;
mod reply;
mod request;
mod status;
mod tracking;
mod verb;
pub(crate) mod xtext;

pub use self::capabilities::{AnnouncedLimits, Capabilities, FutureRelease};
pub use self::command::{ClientName, Command, InitialResponse};
pub use self::date_time::{DateTime, InvalidRequest};
pub use self::extensions::{Arguments, Extension, InvalidExtension, UnknownExtension};
pub(crate) use self::notification::is_atom;
pub use self::notification::{EnvelopeId, InvalidNotification, Notify, OriginalRecipient, Return};
pub use self::parameters::{Body, Parameter, Parameters};
pub use self::reply::{Lines, Reply, ReplyError};
pub use self::request::{DeliverBy, DeliverByMode, Hold, HoldInterval, Priority, ValidSince};
pub use self::status::{EnhancedCode, InvalidEnhancedCode, InvalidReplyCode, ReplyCode, Severity};
pub use self::tracking::Tracking;
pub use self::verb::{Place, Verb, VerbEntry};
pub use crate::encode::InvalidArgument;
