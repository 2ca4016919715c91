//! Values that several crates of the family share: addresses, mailbox identifiers, secrets, time, and
//! the vocabulary for what a peer (deviations) or a host (misuse) did wrong.
//!
//! Every constructor validates, so a value that exists is safe to write on the wire.

mod address;
mod deviation;
mod flag;
mod mailbox_name;
mod misuse;
mod secret;
mod time;
mod uid;

pub use self::address::{
    AddressError, AddressErrorKind, AddressOptions, Domain, DomainName, ForwardPath, GeneralLiteral,
    LocalPart, Mailbox, ParsedPath, Path, ReversePath, SourceRoute,
};
pub use self::deviation::{Deviation, DeviationKind, Excerpt, Tolerance};
pub use self::flag::{Flag, FlagError, Keyword};
pub use self::mailbox_name::{MailboxName, MailboxNameError};
pub use self::misuse::{Misuse, Refused};
pub use self::secret::Secret;
pub use self::time::{Instant, TimerTable, UnixTime};
pub use self::uid::{ModSeq, NumberError, Uid, UidBlock, UidRange, UidSet, UidSetError, UidValidity};
