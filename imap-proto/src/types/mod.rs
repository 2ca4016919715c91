//! Values of the protocol: what is parsed into them was checked, and what is made by hand is checked by the
//! constructor, so nothing else reaches the wire.

mod command;
mod date;
mod fetch;
mod mailbox;
mod number_set;
mod response;
mod search;
mod status;
mod string;
mod structure;
mod tag;
mod verb;

pub use self::command::{AppendCommand, Command, ListCommand, StoreAction};
pub use self::date::{DateError, DateTime, SearchDate};
pub use self::fetch::{FetchAttribute, Partial, Section, SectionPart, SectionText};
pub use self::mailbox::Mailbox;
pub use self::number_set::{Messages, NumberEnd, NumberRange, NumberSet, NumberSetError};
pub use self::response::{
    Capability, Code, FetchItem, ListAttribute, ListResponse, Namespace, Namespaces, Piece, ReadyItem,
    Response, StatusKind, StatusResponse,
};
pub use self::search::{Search, SearchError, SearchKey};
pub use self::status::StatusItem;
pub use self::string::{OctetString, OctetStringError};
pub use self::structure::{Address, BodyStructure, Envelope, Extension, Part};
pub use self::tag::{Tag, TagError};
pub use self::verb::{Entry, States, Verb};
