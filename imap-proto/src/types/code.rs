//! [`Code`]: what a program can understand of a status. RFC 9051 §7.1, RFC 5530 and the extensions.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Flag, ModSeq, Uid, UidRange, UidValidity};

use super::capability::Capability;
use super::flag::OtherFlag;
use super::notify::NotifyEvent;
use super::number_set::NumberSet;
use super::object_id::ObjectId;
use super::string::OctetString;
use super::tag::Tag;

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
    /// BADEVENT, with the events that are supported (RFC 5465 §5).
    BadEvent(Vec<NotifyEvent>),
    /// BADURL: the URL that cannot be used (RFC 4469 §4.1).
    BadUrl(Bytes),
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
    /// COMPRESSIONACTIVE (RFC 4978 §3).
    CompressionActive,
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
    /// HASCHILDREN (RFC 9051 §7.1).
    HasChildren,
    /// HIGHESTMODSEQ: the modification sequence up to which everything was told (RFC 7162 §3.1.2.1).
    HighestModSeq(ModSeq),
    /// INPROGRESS: how far a command has come.
    InProgress {
        /// The tag of the command.
        tag: Option<Tag>,
        /// How much is done.
        done: Option<u32>,
        /// How much there is to do.
        goal: Option<u32>,
    },
    /// INUSE.
    InUse,
    /// LIMIT.
    Limit,
    /// MAILBOXID (RFC 8474 §4).
    MailboxId(ObjectId),
    /// MESSAGELIMIT: more messages than a command may touch, and the UID of the last that it did (RFC 9738 §3).
    MessageLimit {
        /// How many messages.
        limit: u32,
        /// The lowest UID that was treated.
        uid: Option<Uid>,
    },
    /// METADATA LONGENTRIES: octets of the largest value that was left out (RFC 5464 §4.2.1).
    MetadataLongEntries(u64),
    /// METADATA MAXSIZE: octets that a value has at most (RFC 5464 §4.3).
    MetadataMaxSize(u64),
    /// METADATA NOPRIVATE (RFC 5464 §4.3).
    MetadataNoPrivate,
    /// METADATA TOOMANY (RFC 5464 §4.3).
    MetadataTooMany,
    /// MODIFIED: messages that were not changed since others had (RFC 7162 §3.1.3).
    Modified(NumberSet),
    /// NOMODSEQ (RFC 7162 §3.1.2.2).
    NoModSeq,
    /// NOTIFICATIONOVERFLOW (RFC 5465 §5.8).
    NotificationOverflow,
    /// NOTSAVED (RFC 9051 §7.1).
    NotSaved,
    /// NOUPDATE: the tag of the search that is not kept up to date (RFC 5267 §4.3.1).
    NoUpdate(Tag),
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
        /// What else stands among them.
        other: Vec<OtherFlag>,
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
    /// UIDREQUIRED: message numbers cannot be used any more.
    UidRequired,
    /// UIDVALIDITY.
    UidValidity(UidValidity),
    /// UNAVAILABLE.
    Unavailable,
    /// UNKNOWN-CTE (RFC 3516 §4.3).
    UnknownCte,
    /// UNSEEN: the number of the first message without `\Seen` (RFC 3501 §7.1).
    Unseen(u32),
    /// USEATTR (RFC 6154 §3).
    UseAttr,
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
