//! From line parts and literals to values. Nothing here recurses, whatever the nesting.

mod command;
mod cursor;
mod error;
mod fetch;
mod response;
mod search;

pub(crate) use self::command::contradiction;
pub use self::command::{AppendEvent, AppendReader, CommandInput, CommandLimits, LiteralUse, ParsedCommand};
pub use self::error::{CommandError, CommandErrorKind};
pub use self::response::{
    BodyItem, InvalidResponse, ParseResponseError, ParsedResponse, ResponseCollector, ResponseError,
    ResponseErrorKind, ResponseEvent, ResponseLimits, ResponseReader,
};
