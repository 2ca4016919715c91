//! Values of the protocol: what is parsed into them was checked, and what is made by hand is checked by the
//! constructor, so nothing else reaches the wire.

mod access;
mod append;
mod atom;
mod capability;
mod code;
mod command;
mod date;
mod extended_search;
mod fetch;
mod flag;
mod list;
mod mailbox;
mod metadata;
mod notify;
mod number_set;
mod object_id;
mod response;
mod search;
mod select;
mod sort;
mod status;
mod string;
mod structure;
mod tag;
mod thread;
mod verb;

pub use self::access::{
    AclResponse, ListRightsResponse, QuotaResource, QuotaResponse, QuotaUsage, Rights, RightsAction,
    RightsError,
};
pub use self::append::{AppendCommand, AppendMessage, CatenatePart, MessageForm, ReplaceCommand};
pub use self::atom::Atom;
pub use self::capability::Capability;
pub use self::code::Code;
pub use self::command::{
    Command, FetchCommand, MultiSearchCommand, SearchCommand, SortCommand, StoreAction, StoreCommand,
    StoreLabelsCommand, ThreadCommand,
};
pub use self::date::{DateError, DateTime, SearchDate};
pub use self::extended_search::{
    ExtendedSearch, PartialRange, SearchCollector, SearchData, SearchElement, SearchList, SearchReturn,
};
pub(crate) use self::fetch::put_part;
pub use self::fetch::{FetchAttribute, Partial, Section, SectionPart, SectionText};
pub use self::flag::OtherFlag;
pub use self::list::{ListAttribute, ListCommand, ListData, ListResponse, ListReturn, ListSelection};
pub use self::mailbox::Mailbox;
pub use self::metadata::{
    GetMetadataCommand, MetadataData, MetadataDepth, MetadataEntry, MetadataEntryError, MetadataResponse,
    MetadataValue, SetMetadataCommand,
};
pub use self::notify::{EventGroup, MailboxFilter, NotifyCommand, NotifyEvent};
pub use self::number_set::{Messages, NumberEnd, NumberRange, NumberSet, NumberSetError};
pub use self::object_id::{ObjectId, ObjectIdError};
pub use self::response::{
    FetchItem, Namespace, Namespaces, Piece, ReadyItem, Response, StatusKind, StatusResponse,
};
pub use self::search::{ModSeqEntry, Search, SearchError, SearchKey};
pub use self::select::{CreateCommand, KnownMailbox, SelectCommand};
pub use self::sort::{SortCriterion, SortKey};
pub use self::status::{StatusItem, StatusValue};
pub use self::string::{OctetString, OctetStringError};
pub use self::structure::{Address, BodyStructure, Envelope, Extension, Part};
pub use self::tag::{Tag, TagError};
pub use self::thread::{ThreadAlgorithm, ThreadMember, ThreadNode, Threads, ThreadsError};
pub use self::verb::{Entry, States, Verb};
