//! [`Response`]: what a server says. RFC 9051 §7, RFC 3501 §7.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Flag, ModSeq, Uid, UidRange};

use super::access::{AclResponse, ListRightsResponse, QuotaResponse, Rights};
use super::capability::Capability;
use super::code::Code;
use super::date::DateTime;
use super::extended_search::ExtendedSearch;
use super::fetch::{Section, SectionPart};
use super::flag::OtherFlag;
use super::list::ListResponse;
use super::mailbox::Mailbox;
use super::metadata::MetadataResponse;
use super::object_id::ObjectId;
use super::status::StatusValue;
use super::string::OctetString;
use super::structure::{BodyStructure, Envelope};
use super::tag::Tag;
use super::thread::Threads;

/// A response.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Response {
    /// `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`: tagged, which completes a command, or untagged.
    Status {
        /// The tag of the command that is complete.
        tag: Option<Tag>,
        /// The status.
        status: StatusResponse,
    },
    /// `+`: the server waits for more of the command. The text may be a challenge in base64.
    Continue(Bytes),
    /// CAPABILITY.
    Capability(Vec<Capability>),
    /// LIST.
    List(ListResponse),
    /// LSUB (RFC 3501 §7.2.3).
    Lsub(ListResponse),
    /// NAMESPACE.
    Namespace(Namespaces),
    /// STATUS.
    MailboxStatus {
        /// Which mailbox.
        mailbox: Mailbox,
        /// What about it.
        values: Vec<StatusValue>,
    },
    /// SEARCH: message numbers or UIDs (RFC 3501 §7.2.5).
    Search {
        /// The numbers.
        numbers: Vec<u32>,
        /// The highest modification sequence of these messages (RFC 7162 §3.1.5).
        mod_seq: Option<ModSeq>,
    },
    /// SORT: message numbers or UIDs in order (RFC 5256 §4).
    Sort {
        /// The numbers.
        numbers: Vec<u32>,
        /// The highest modification sequence of these messages (RFC 7162 §3.1.5).
        mod_seq: Option<ModSeq>,
    },
    /// THREAD (RFC 5256 §4).
    Thread(Threads),
    /// ESEARCH (RFC 9051 §7.3.5).
    ExtendedSearch(ExtendedSearch),
    /// ENABLED: the extensions that are in force now (RFC 5161 §3.2).
    Enabled(Vec<Capability>),
    /// FLAGS: the flags that messages of the mailbox may have.
    Flags {
        /// The flags.
        flags: Vec<Flag>,
        /// What else stands among them.
        other: Vec<OtherFlag>,
    },
    /// EXISTS: messages in the mailbox.
    Exists(u32),
    /// RECENT: messages with `\Recent` (RFC 3501 §7.3.2).
    Recent(u32),
    /// EXPUNGE: the message with this number is gone, and those behind it move up.
    Expunge(u32),
    /// FETCH.
    Fetch {
        /// Which message, by number.
        number: u32,
        /// What about it.
        items: Vec<FetchItem>,
    },
    /// UIDFETCH: a FETCH that names its message by UID.
    UidFetch {
        /// Which message.
        uid: Uid,
        /// What about it.
        items: Vec<FetchItem>,
    },
    /// VANISHED: these messages are gone (RFC 7162 §3.2.10).
    Vanished {
        /// `(EARLIER)`: they were gone before, and message numbers do not change by this.
        earlier: bool,
        /// Their UIDs.
        uids: Vec<UidRange>,
    },
    /// METADATA (RFC 5464 §4.4).
    Metadata(MetadataResponse),
    /// QUOTA (RFC 9208 §4.2.1).
    Quota(QuotaResponse),
    /// QUOTAROOT: the quota roots of a mailbox (RFC 9208 §4.2.2).
    QuotaRoot {
        /// The mailbox.
        mailbox: Mailbox,
        /// Its quota roots.
        roots: Vec<OctetString>,
    },
    /// ACL (RFC 4314 §3.6).
    Acl(AclResponse),
    /// LISTRIGHTS (RFC 4314 §3.7).
    ListRights(ListRightsResponse),
    /// MYRIGHTS: the user's rights on a mailbox (RFC 4314 §3.8).
    MyRights {
        /// The mailbox.
        mailbox: Mailbox,
        /// The rights.
        rights: Rights,
    },
    /// XLIST: LIST with special uses, of servers before RFC 6154.
    Xlist(ListResponse),
    /// ID.
    Id(Vec<(OctetString, Option<OctetString>)>),
    /// A response of a kind that is not known, as it came.
    Unknown(Bytes),
}

/// A status with its code and text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StatusResponse {
    /// The status.
    pub kind: StatusKind,
    /// The code.
    pub code: Option<Code>,
    /// The text for people; octets as they came.
    pub text: Bytes,
}

impl StatusResponse {
    /// A status without code.
    #[must_use]
    pub const fn new(kind: StatusKind, text: &'static str) -> Self {
        Self { kind, code: None, text: Bytes::from_static(text.as_bytes()) }
    }

    /// The same with a code.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }
}

/// A status: RFC 9051 §7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9051 §7.1 has these")]
pub enum StatusKind {
    /// It went well, or information.
    Ok,
    /// It was not done.
    No,
    /// It was not understood.
    Bad,
    /// Untagged: the server closes the connection.
    Bye,
    /// Untagged, as a greeting: authentication is not needed.
    PreAuth,
}

/// The namespaces of a server: RFC 2342 §5.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Namespaces {
    /// The user's own.
    pub personal: Vec<Namespace>,
    /// Those of other users.
    pub other_users: Vec<Namespace>,
    /// Shared ones.
    pub shared: Vec<Namespace>,
    /// Namespaces that cannot be read, as they came.
    pub invalid: Vec<Bytes>,
}

/// A namespace.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Namespace {
    /// What its names begin with.
    pub prefix: Mailbox,
    /// Its hierarchy separator, if it has a hierarchy.
    pub separator: Option<u8>,
    /// Extensions (RFC 2342 §5): names and their values.
    pub extensions: Vec<(Bytes, Vec<Bytes>)>,
}

impl Namespace {
    /// A namespace without extensions.
    #[must_use]
    pub const fn new(prefix: Mailbox, separator: Option<u8>) -> Self {
        Self { prefix, separator, extensions: Vec::new() }
    }
}

/// Something about a message in FETCH. Octets of bodies are in memory here; a session streams them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FetchItem {
    /// BODY: the structure without extension data.
    Body(BodyStructure),
    /// `BODY[…]`.
    BodySection {
        /// Which part.
        section: Section,
        /// The first octet, if not all were asked for.
        origin: Option<u64>,
        /// The octets; `None` for NIL.
        octets: Option<Bytes>,
    },
    /// `BINARY[…]`: decoded octets (RFC 3516 §4.3).
    Binary {
        /// Which part.
        part: SectionPart,
        /// The first octet, if not all were asked for.
        origin: Option<u64>,
        /// The octets; `None` for NIL.
        octets: Option<Bytes>,
    },
    /// `BINARY.SIZE[…]`: how many octets there are when decoded; `None` if the number made no sense.
    BinarySize {
        /// Which part.
        part: SectionPart,
        /// Octets.
        size: Option<u64>,
    },
    /// BODYSTRUCTURE.
    BodyStructure(BodyStructure),
    /// EMAILID (RFC 8474 §5.1).
    EmailId(ObjectId),
    /// ENVELOPE.
    Envelope(Box<Envelope>),
    /// FLAGS.
    Flags {
        /// The flags.
        flags: Vec<Flag>,
        /// Whether `\Recent` stands among them.
        recent: bool,
        /// What else stands among them.
        other: Vec<OtherFlag>,
    },
    /// INTERNALDATE.
    InternalDate(DateTime),
    /// MODSEQ (RFC 7162 §3.1.4.2).
    ModSeq(ModSeq),
    /// PREVIEW: the beginning of the text; `None` if it is not at hand (RFC 8970 §3.2).
    Preview(Option<Bytes>),
    /// RFC822.
    Rfc822(Option<Bytes>),
    /// RFC822.HEADER.
    Rfc822Header(Option<Bytes>),
    /// RFC822.SIZE; `None` if it made no sense.
    Rfc822Size(Option<u64>),
    /// RFC822.TEXT.
    Rfc822Text(Option<Bytes>),
    /// SAVEDATE: when the message came into the mailbox, if that is known (RFC 8514 §4.2).
    SaveDate(Option<DateTime>),
    /// THREADID; `None` without threads (RFC 8474 §5.2).
    ThreadId(Option<ObjectId>),
    /// UID.
    Uid(Uid),
    /// X-GM-LABELS: labels of Gmail, as they came but for their quotes.
    GmailLabels(Vec<Bytes>),
    /// X-GM-MSGID.
    GmailMessageId(u64),
    /// X-GM-THRID.
    GmailThreadId(u64),
    /// ENVELOPE, BODY or BODYSTRUCTURE as a store keeps it: written, never read.
    Ready {
        /// Which.
        item: ReadyItem,
        /// Finished text and strings, in order.
        pieces: Vec<Piece>,
    },
    /// An item that is not known: its name, and what stood behind it.
    Unknown {
        /// The name.
        name: Bytes,
        /// The value as it came.
        value: Bytes,
    },
    /// An item that is known and cannot be read, or one without a name.
    Invalid {
        /// The name.
        name: Bytes,
        /// The value as it came.
        value: Bytes,
    },
}

/// An item that a store may keep ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "no other item can be made ahead")]
pub enum ReadyItem {
    /// ENVELOPE.
    Envelope,
    /// BODY.
    Body,
    /// BODYSTRUCTURE.
    BodyStructure,
}

/// A piece of a value that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "text and strings are all there is")]
pub enum Piece {
    /// Text as it goes over the wire. It is trusted: no line end may be in it.
    Wire(Bytes),
    /// A string, in whatever form can hold it; no NUL may be in it.
    String(Bytes),
}
