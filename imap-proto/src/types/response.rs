//! [`Response`]: what a server says. RFC 9051 §7, RFC 3501 §7.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Flag, Uid, UidRange, UidValidity};

use super::date::DateTime;
use super::fetch::Section;
use super::mailbox::Mailbox;
use super::status::StatusItem;
use super::string::OctetString;
use super::structure::{BodyStructure, Envelope};
use super::tag::Tag;

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
        values: Vec<(StatusItem, u64)>,
    },
    /// SEARCH: message numbers or UIDs (RFC 3501 §7.2.5).
    Search(Vec<u32>),
    /// FLAGS: the flags that messages of the mailbox may have.
    Flags(Vec<Flag>),
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

/// A response code: RFC 9051 §7.1, RFC 5530, RFC 4315 §3.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Code {
    /// ALERT: the text must be shown.
    Alert,
    /// ALREADYEXISTS.
    AlreadyExists,
    /// APPENDUID.
    AppendUid {
        /// UIDVALIDITY of the mailbox.
        uid_validity: UidValidity,
        /// The UIDs of the messages, in order.
        uids: Vec<UidRange>,
    },
    /// AUTHENTICATIONFAILED.
    AuthenticationFailed,
    /// AUTHORIZATIONFAILED.
    AuthorizationFailed,
    /// BADCHARSET, with the charsets that are supported.
    BadCharset(Vec<OctetString>),
    /// CANNOT.
    Cannot,
    /// CAPABILITY.
    Capability(Vec<Capability>),
    /// CLIENTBUG.
    ClientBug,
    /// CLOSED: what follows is about the mailbox that was selected (RFC 7162 §3.2.11).
    Closed,
    /// CONTACTADMIN.
    ContactAdmin,
    /// COPYUID: source and destination UIDs correspond in order.
    CopyUid {
        /// UIDVALIDITY of the destination.
        uid_validity: UidValidity,
        /// UIDs there.
        source: Vec<UidRange>,
        /// UIDs here.
        destination: Vec<UidRange>,
    },
    /// CORRUPTION.
    Corruption,
    /// EXPIRED.
    Expired,
    /// EXPUNGEISSUED.
    ExpungeIssued,
    /// INUSE.
    InUse,
    /// LIMIT.
    Limit,
    /// NONEXISTENT.
    NonExistent,
    /// NOPERM.
    NoPerm,
    /// OVERQUOTA.
    OverQuota,
    /// PARSE.
    Parse,
    /// PERMANENTFLAGS: flags that can be changed for good, and whether new keywords can be made (`\*`).
    PermanentFlags {
        /// The flags.
        flags: Vec<Flag>,
        /// Whether `\*` stands among them.
        new_keywords: bool,
    },
    /// PRIVACYREQUIRED.
    PrivacyRequired,
    /// READ-ONLY.
    ReadOnly,
    /// READ-WRITE.
    ReadWrite,
    /// SERVERBUG.
    ServerBug,
    /// TOOBIG (RFC 7889 §4).
    TooBig,
    /// TRYCREATE.
    TryCreate,
    /// UIDNEXT.
    UidNext(Uid),
    /// UIDNOTSTICKY (RFC 4315 §3).
    UidNotSticky,
    /// UIDVALIDITY.
    UidValidity(UidValidity),
    /// UNAVAILABLE.
    Unavailable,
    /// UNSEEN: the number of the first message without `\Seen` (RFC 3501 §7.1).
    Unseen(u32),
    /// A code that is not known, as it came, without brackets.
    Unknown(Bytes),
    /// A known code whose value cannot be read, as it came, without brackets.
    Invalid(Bytes),
}

impl Code {
    /// Of COPYUID: each UID there with its UID here, in order. RFC 4315 §3.
    ///
    /// The ranges are walked, never expanded.
    #[must_use]
    pub fn copied(&self) -> Option<impl Iterator<Item = (Uid, Uid)> + '_> {
        match self {
            Self::CopyUid { source, destination, .. } => Some(uids(source).zip(uids(destination))),
            _ => None,
        }
    }
}

/// The UIDs of ranges, in order.
fn uids(ranges: &[UidRange]) -> impl Iterator<Item = Uid> + '_ {
    ranges.iter().flat_map(|range| (range.first().get()..=range.last().get()).filter_map(Uid::new))
}

/// A name in CAPABILITY. Compared without regard to ASCII case.
#[derive(Clone, Debug, Eq)]
pub struct Capability(Bytes);

impl Capability {
    /// A name; `None` if it is not an atom.
    #[must_use]
    pub fn new(name: impl Into<Bytes>) -> Option<Self> {
        let name = name.into();
        let fits = |octet: &u8| crate::encode::is_atom_octet(*octet);
        (!name.is_empty() && name.iter().all(fits)).then_some(Self(name))
    }

    /// The name as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether it is `name`, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl PartialEq for Capability {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

/// A mailbox in LIST or LSUB.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListResponse {
    /// Its attributes.
    pub attributes: Vec<ListAttribute>,
    /// The hierarchy separator, if there is a hierarchy.
    pub separator: Option<u8>,
    /// Its name.
    pub mailbox: Mailbox,
    /// Extended data (RFC 9051 §7.3.1, RFC 5258 §6), such as OLDNAME: tags, and values as they stand on the wire.
    pub extended: Vec<(Bytes, Bytes)>,
}

impl ListResponse {
    /// A mailbox in a hierarchy with `/`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, attributes: Vec<ListAttribute>) -> Self {
        Self { attributes, separator: Some(b'/'), mailbox: mailbox.into(), extended: Vec::new() }
    }
}

macro_rules! list_attributes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// An attribute of a mailbox in LIST: RFC 9051 §7.3.1, RFC 6154 §2.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ListAttribute {
            $($(#[$doc])* $name,)*
            /// Any other, as it came.
            Other(Bytes),
        }

        impl ListAttribute {
            /// The attribute with this name, in any case.
            #[must_use]
            pub fn read(name: Bytes) -> Self {
                $(if name.eq_ignore_ascii_case($text.as_bytes()) {
                    return Self::$name;
                })*
                Self::Other(name)
            }

            /// Its octets on the wire.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                match self {
                    $(Self::$name => $text.as_bytes(),)*
                    Self::Other(name) => name,
                }
            }
        }
    };
}

list_attributes! {
    /// `\Noinferiors`: can have no children.
    NoInferiors = "\\Noinferiors",
    /// `\Noselect`: cannot be selected.
    NoSelect = "\\Noselect",
    /// `\Marked`: perhaps of interest.
    Marked = "\\Marked",
    /// `\Unmarked`: nothing new.
    Unmarked = "\\Unmarked",
    /// `\HasChildren`.
    HasChildren = "\\HasChildren",
    /// `\HasNoChildren`.
    HasNoChildren = "\\HasNoChildren",
    /// `\NonExistent`: only its children exist.
    NonExistent = "\\NonExistent",
    /// `\Subscribed`.
    Subscribed = "\\Subscribed",
    /// `\Remote`.
    Remote = "\\Remote",
    /// `\All`.
    All = "\\All",
    /// `\Archive`.
    Archive = "\\Archive",
    /// `\Drafts`.
    Drafts = "\\Drafts",
    /// `\Flagged`.
    Flagged = "\\Flagged",
    /// `\Junk`.
    Junk = "\\Junk",
    /// `\Sent`.
    Sent = "\\Sent",
    /// `\Trash`.
    Trash = "\\Trash",
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
}

/// A namespace.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Namespace {
    /// What its names begin with.
    pub prefix: Mailbox,
    /// Its hierarchy separator, if it has a hierarchy.
    pub separator: Option<u8>,
}

impl Namespace {
    /// A namespace.
    #[must_use]
    pub const fn new(prefix: Mailbox, separator: Option<u8>) -> Self {
        Self { prefix, separator }
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
    /// BODYSTRUCTURE.
    BodyStructure(BodyStructure),
    /// ENVELOPE.
    Envelope(Envelope),
    /// FLAGS.
    Flags {
        /// The flags.
        flags: Vec<Flag>,
        /// Whether `\Recent` stands among them.
        recent: bool,
    },
    /// INTERNALDATE.
    InternalDate(DateTime),
    /// RFC822.
    Rfc822(Option<Bytes>),
    /// RFC822.HEADER.
    Rfc822Header(Option<Bytes>),
    /// RFC822.SIZE; `None` if it made no sense.
    Rfc822Size(Option<u64>),
    /// RFC822.TEXT.
    Rfc822Text(Option<Bytes>),
    /// UID.
    Uid(Uid),
    /// ENVELOPE, BODY or BODYSTRUCTURE as a store keeps it: written, never read.
    Ready {
        /// Which.
        item: ReadyItem,
        /// Finished text and strings, in order.
        pieces: Vec<Piece>,
    },
    /// An item that is not known, or one that cannot be read: its name, and what stood behind it.
    Unknown {
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
