//! LIST and LSUB: [`ListCommand`], [`ListResponse`], [`ListAttribute`]. RFC 9051 §6.3.9, §7.3.1, RFC 5258, RFC 5819,
//! RFC 6154, RFC 8440.

use alloc::vec::Vec;

use bytes::Bytes;

use super::mailbox::Mailbox;
use super::metadata::MetadataEntry;
use super::status::StatusItem;
use super::string::OctetString;

/// The arguments of LIST and LSUB.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ListCommand {
    /// What mailboxes are chosen by beside their names (RFC 5258 §3.1); `None` in the basic form.
    pub selection: Option<Vec<ListSelection>>,
    /// The reference, as it came: usually empty.
    pub reference: OctetString,
    /// The patterns, as they came: `*` and `%` are wildcards. One in the basic form. A client may write them in
    /// UTF-8, whatever the server takes.
    pub patterns: Vec<OctetString>,
    /// RETURN: what is to be told of each mailbox (RFC 5258 §3.2); `None` in the basic form.
    pub returns: Option<Vec<ListReturn>>,
}

impl ListCommand {
    /// `reference` and `pattern`, in the basic form.
    #[must_use]
    pub fn new(reference: OctetString, pattern: OctetString) -> Self {
        Self { selection: None, reference, patterns: Vec::from([pattern]), returns: None }
    }

    /// Whether it is in the extended form: then an empty pattern has no meaning of its own (RFC 5258 §3).
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.selection.is_some() || self.patterns.len() != 1 || self.returns.is_some()
    }
}

/// By what LIST chooses mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListSelection {
    /// SUBSCRIBED: those that are subscribed, whether they exist or not.
    Subscribed,
    /// REMOTE: remote ones too.
    Remote,
    /// RECURSIVEMATCH: also those with children that fit.
    RecursiveMatch,
    /// SPECIAL-USE: those with a special use (RFC 6154 §5.2).
    SpecialUse,
}

impl ListSelection {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Subscribed, Self::Remote, Self::RecursiveMatch, Self::SpecialUse];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "SUBSCRIBED",
            Self::Remote => "REMOTE",
            Self::RecursiveMatch => "RECURSIVEMATCH",
            Self::SpecialUse => "SPECIAL-USE",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// What LIST tells of each mailbox beside its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListReturn {
    /// SUBSCRIBED: whether it is subscribed.
    Subscribed,
    /// CHILDREN: whether it has children.
    Children,
    /// SPECIAL-USE: what it is for (RFC 6154 §2).
    SpecialUse,
    /// STATUS: its status (RFC 5819 §2).
    Status(Vec<StatusItem>),
    /// MYRIGHTS: the user's rights (RFC 8440 §3).
    MyRights,
    /// METADATA: its annotations.
    Metadata(Vec<MetadataEntry>),
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
    /// Extended data (RFC 9051 §7.3.1, RFC 5258 §6).
    pub extended: Vec<ListData>,
}

impl ListResponse {
    /// A mailbox in a hierarchy with `/`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, attributes: Vec<ListAttribute>) -> Self {
        Self { attributes, separator: Some(b'/'), mailbox: mailbox.into(), extended: Vec::new() }
    }
}

/// Extended data of a mailbox in LIST.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ListData {
    /// CHILDINFO: by which selection options there are children that fit (RFC 5258 §3.5), as they came.
    ChildInfo(Vec<Bytes>),
    /// OLDNAME: the name before it was changed, or as the client wrote it (RFC 9051 §6.3.9.7).
    OldName(Mailbox),
    /// Any other, as it came.
    Unknown {
        /// The tag.
        tag: Bytes,
        /// The value as it stands on the wire.
        value: Bytes,
    },
    /// A value that cannot be read.
    Invalid {
        /// The tag.
        tag: Bytes,
        /// The value as it stands on the wire.
        value: Bytes,
    },
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
            /// Something that is no attribute, as it came.
            Invalid(Bytes),
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
                    Self::Other(name) | Self::Invalid(name) => name,
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
    /// `\NoAccess`: the user has lost the right to see it (RFC 5465 §3.1).
    NoAccess = "\\NoAccess",
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
    /// `\Important` (RFC 8457 §4).
    Important = "\\Important",
}
