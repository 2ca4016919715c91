//! [`Command`]: what a client asks. RFC 9051 §6, RFC 3501 §6.

use alloc::vec::Vec;

use mailwright_core::value::{Flag, ModSeq, Secret};

use super::access::{QuotaResource, Rights, RightsAction};
use super::append::{AppendCommand, ReplaceCommand};
use super::atom::Atom;
use super::capability::Capability;
use super::extended_search::{PartialRange, SearchReturn};
use super::fetch::FetchAttribute;
use super::list::ListCommand;
use super::mailbox::Mailbox;
use super::metadata::{GetMetadataCommand, SetMetadataCommand};
use super::notify::{MailboxFilter, NotifyCommand};
use super::number_set::{Messages, NumberSet};
use super::search::Search;
use super::select::{CreateCommand, SelectCommand};
use super::sort::SortCriterion;
use super::status::StatusItem;
use super::string::OctetString;
use super::tag::Tag;
use super::thread::ThreadAlgorithm;

/// A command without its tag. The message of APPEND is not part of it: it is streamed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// CAPABILITY (RFC 9051 §6.1.1).
    Capability,
    /// NOOP (RFC 9051 §6.1.2).
    Noop,
    /// LOGOUT (RFC 9051 §6.1.3).
    Logout,
    /// STARTTLS (RFC 9051 §6.2.1).
    StartTls,
    /// AUTHENTICATE (RFC 9051 §6.2.2; RFC 4959).
    Authenticate {
        /// The mechanism as it was written.
        mechanism: OctetString,
        /// The initial response in base64, `=` for an empty one.
        initial: Option<Secret>,
    },
    /// LOGIN (RFC 9051 §6.2.3).
    Login {
        /// The user.
        user: OctetString,
        /// The password.
        password: Secret,
    },
    /// SELECT (RFC 9051 §6.3.2).
    Select(SelectCommand),
    /// EXAMINE (RFC 9051 §6.3.3).
    Examine(SelectCommand),
    /// ENABLE (RFC 9051 §6.3.1; RFC 5161).
    Enable(Vec<Capability>),
    /// CREATE (RFC 9051 §6.3.4).
    Create(CreateCommand),
    /// DELETE (RFC 9051 §6.3.5).
    Delete(Mailbox),
    /// RENAME (RFC 9051 §6.3.6).
    Rename {
        /// The present name.
        from: Mailbox,
        /// The new name.
        to: Mailbox,
    },
    /// SUBSCRIBE (RFC 9051 §6.3.7).
    Subscribe(Mailbox),
    /// UNSUBSCRIBE (RFC 9051 §6.3.8).
    Unsubscribe(Mailbox),
    /// LIST (RFC 9051 §6.3.9).
    List(ListCommand),
    /// LSUB (RFC 3501 §6.3.9).
    Lsub(ListCommand),
    /// NAMESPACE (RFC 9051 §6.3.10; RFC 2342).
    Namespace,
    /// STATUS (RFC 9051 §6.3.11).
    Status {
        /// Which mailbox.
        mailbox: Mailbox,
        /// What about it.
        items: Vec<StatusItem>,
    },
    /// APPEND (RFC 9051 §6.3.12) up to its message.
    Append(AppendCommand),
    /// IDLE (RFC 9051 §6.3.13; RFC 2177).
    Idle,
    /// CHECK (RFC 3501 §6.4.1).
    Check,
    /// CLOSE (RFC 9051 §6.4.1).
    Close,
    /// UNSELECT (RFC 9051 §6.4.2; RFC 3691).
    Unselect,
    /// EXPUNGE (RFC 9051 §6.4.3), or UID EXPUNGE (RFC 4315 §2.1) of these UIDs.
    Expunge(Option<NumberSet>),
    /// SEARCH (RFC 9051 §6.4.4).
    Search(SearchCommand),
    /// FETCH (RFC 9051 §6.4.5).
    Fetch(FetchCommand),
    /// STORE (RFC 9051 §6.4.6).
    Store(StoreCommand),
    /// STORE of labels of Gmail.
    StoreLabels(StoreLabelsCommand),
    /// COPY (RFC 9051 §6.4.7).
    Copy {
        /// Which messages.
        messages: Messages,
        /// Where to.
        mailbox: Mailbox,
    },
    /// MOVE (RFC 9051 §6.4.8; RFC 6851).
    Move {
        /// Which messages.
        messages: Messages,
        /// Where to.
        mailbox: Mailbox,
    },
    /// ID (RFC 2971): fields and values, or nothing to say.
    Id(Vec<(OctetString, Option<OctetString>)>),
    /// SORT (RFC 5256 §3).
    Sort(SortCommand),
    /// THREAD (RFC 5256 §3).
    Thread(ThreadCommand),
    /// ESEARCH: a search of several mailboxes (RFC 7377 §2).
    MultiSearch(MultiSearchCommand),
    /// CANCELUPDATE: ends updates of the searches with these tags (RFC 5267 §4.3.5).
    CancelUpdate(Vec<Tag>),
    /// REPLACE (RFC 8508 §3) up to its message.
    Replace(ReplaceCommand),
    /// NOTIFY (RFC 5465 §3).
    Notify(NotifyCommand),
    /// GETMETADATA (RFC 5464 §4.2).
    GetMetadata(GetMetadataCommand),
    /// SETMETADATA (RFC 5464 §4.3).
    SetMetadata(SetMetadataCommand),
    /// GETQUOTA of a quota root (RFC 9208 §4.1.1).
    GetQuota(OctetString),
    /// GETQUOTAROOT (RFC 9208 §4.1.2).
    GetQuotaRoot(Mailbox),
    /// SETQUOTA (RFC 9208 §4.1.3).
    SetQuota {
        /// The quota root.
        root: OctetString,
        /// Resources and how much there is to be of them.
        limits: Vec<(QuotaResource, u64)>,
    },
    /// SETACL (RFC 4314 §3.1).
    SetAcl {
        /// The mailbox.
        mailbox: Mailbox,
        /// Whose rights.
        identifier: OctetString,
        /// What is done with the rights.
        action: RightsAction,
        /// Which rights.
        rights: Rights,
    },
    /// DELETEACL (RFC 4314 §3.2).
    DeleteAcl {
        /// The mailbox.
        mailbox: Mailbox,
        /// Whose rights.
        identifier: OctetString,
    },
    /// GETACL (RFC 4314 §3.3).
    GetAcl(Mailbox),
    /// LISTRIGHTS (RFC 4314 §3.4).
    ListRights {
        /// The mailbox.
        mailbox: Mailbox,
        /// Whose rights.
        identifier: OctetString,
    },
    /// MYRIGHTS (RFC 4314 §3.5).
    MyRights(Mailbox),
    /// COMPRESS with a mechanism, which is DEFLATE (RFC 4978 §3).
    Compress(Atom),
    /// UNAUTHENTICATE (RFC 8437 §3).
    Unauthenticate,
    /// XLIST: LIST with special uses, for servers before RFC 6154.
    Xlist(ListCommand),
}

/// The arguments of SEARCH.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SearchCommand {
    /// Whether UIDs are wanted: UID SEARCH.
    pub uid: bool,
    /// RETURN: what is wanted (RFC 9051 §6.4.4); `None` in the basic form. Nothing is the same as ALL.
    pub returns: Option<Vec<SearchReturn>>,
    /// CHARSET as it was written.
    pub charset: Option<OctetString>,
    /// What is looked for.
    pub search: Search,
}

impl SearchCommand {
    /// A search in the basic form.
    #[must_use]
    pub const fn new(uid: bool, search: Search) -> Self {
        Self { uid, returns: None, charset: None, search }
    }
}

/// The arguments of SORT.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SortCommand {
    /// Whether UIDs are wanted: UID SORT.
    pub uid: bool,
    /// RETURN: what is wanted (RFC 5267 §3); `None` in the basic form.
    pub returns: Option<Vec<SearchReturn>>,
    /// By what is sorted, the most important first; at least one.
    pub criteria: Vec<SortCriterion>,
    /// The charset of the search as it was written.
    pub charset: OctetString,
    /// What is looked for.
    pub search: Search,
}

impl SortCommand {
    /// What `search` finds, in order of `criteria`.
    #[must_use]
    pub const fn new(uid: bool, criteria: Vec<SortCriterion>, charset: OctetString, search: Search) -> Self {
        Self { uid, returns: None, criteria, charset, search }
    }
}

/// The arguments of THREAD.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ThreadCommand {
    /// Whether UIDs are wanted: UID THREAD.
    pub uid: bool,
    /// How messages are put into threads.
    pub algorithm: ThreadAlgorithm,
    /// The charset of the search as it was written.
    pub charset: OctetString,
    /// What is looked for.
    pub search: Search,
}

impl ThreadCommand {
    /// What `search` finds, in threads.
    #[must_use]
    pub const fn new(uid: bool, algorithm: ThreadAlgorithm, charset: OctetString, search: Search) -> Self {
        Self { uid, algorithm, charset, search }
    }
}

/// The arguments of ESEARCH.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MultiSearchCommand {
    /// IN: in which mailboxes; none is the selected one.
    pub sources: Vec<MailboxFilter>,
    /// RETURN: what is wanted; `None` is ALL.
    pub returns: Option<Vec<SearchReturn>>,
    /// CHARSET as it was written.
    pub charset: Option<OctetString>,
    /// What is looked for.
    pub search: Search,
}

impl MultiSearchCommand {
    /// All that `search` finds in `sources`.
    #[must_use]
    pub const fn new(sources: Vec<MailboxFilter>, search: Search) -> Self {
        Self { sources, returns: None, charset: None, search }
    }
}

/// The arguments of FETCH.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FetchCommand {
    /// Of which messages.
    pub messages: Messages,
    /// What.
    pub attributes: Vec<FetchAttribute>,
    /// CHANGEDSINCE: only of messages that have changed since (RFC 7162 §3.1.4.1).
    pub changed_since: Option<ModSeq>,
    /// VANISHED: also which messages are gone since then (RFC 7162 §3.2.6).
    pub vanished: bool,
    /// PARTIAL: only of a part of the messages (RFC 9394 §3.3).
    pub partial: Option<PartialRange>,
}

impl FetchCommand {
    /// Fetches `attributes` of `messages`.
    #[must_use]
    pub const fn new(messages: Messages, attributes: Vec<FetchAttribute>) -> Self {
        Self { messages, attributes, changed_since: None, vanished: false, partial: None }
    }
}

/// The arguments of STORE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreCommand {
    /// Which messages.
    pub messages: Messages,
    /// UNCHANGEDSINCE: only those that have not changed since (RFC 7162 §3.1.3).
    pub unchanged_since: Option<ModSeq>,
    /// Whether flags are added, removed or replaced.
    pub action: StoreAction,
    /// Whether the new flags are not to be told.
    pub silent: bool,
    /// Which flags.
    pub flags: Vec<Flag>,
}

impl StoreCommand {
    /// Does `action` with `flags` to `messages`, and wants to be told.
    #[must_use]
    pub const fn new(messages: Messages, action: StoreAction, flags: Vec<Flag>) -> Self {
        Self { messages, unchanged_since: None, action, silent: false, flags }
    }
}

/// The arguments of STORE with X-GM-LABELS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreLabelsCommand {
    /// Which messages.
    pub messages: Messages,
    /// Whether labels are added, removed or replaced.
    pub action: StoreAction,
    /// Whether the new labels are not to be told.
    pub silent: bool,
    /// Which labels.
    pub labels: Vec<OctetString>,
}

impl StoreLabelsCommand {
    /// Does `action` with `labels` to `messages`, and wants to be told.
    #[must_use]
    pub const fn new(messages: Messages, action: StoreAction, labels: Vec<OctetString>) -> Self {
        Self { messages, action, silent: false, labels }
    }
}

/// What STORE does with the flags it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9051 §6.4.6 has these three")]
pub enum StoreAction {
    /// `FLAGS`: exactly these are set.
    Replace,
    /// `+FLAGS`: these are set too.
    Add,
    /// `-FLAGS`: these are no longer set.
    Remove,
}

impl StoreAction {
    /// Does it with `flags` to those that a message has; each of them is there once.
    ///
    /// ```
    /// use mailwright_imap::types::StoreAction;
    /// use mailwright_imap::value::Flag;
    ///
    /// let mut has = vec![Flag::Seen, Flag::Draft];
    /// StoreAction::Remove.apply(&[Flag::Draft], &mut has);
    /// StoreAction::Add.apply(&[Flag::Flagged, Flag::Seen], &mut has);
    /// assert_eq!(has, [Flag::Seen, Flag::Flagged]);
    /// ```
    pub fn apply(self, flags: &[Flag], has: &mut Vec<Flag>) {
        match self {
            Self::Remove => return has.retain(|flag| !flags.contains(flag)),
            Self::Replace => has.clear(),
            Self::Add => {}
        }
        for flag in flags {
            if !has.contains(flag) {
                has.push(flag.clone());
            }
        }
    }
}
