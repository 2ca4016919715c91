//! Octets to values: each parser reads one complete item, whose end the framer has found.

mod command;
mod parameters;
mod reply;

pub use self::command::{CommandError, CommandErrorKind, CommandLine, CommandOptions, ParsedCommand};
pub use self::reply::{
    ReplyLimits, ReplyLine, ReplyParseError, ReplyParseErrorKind, ReplyReader, reply_line,
};
