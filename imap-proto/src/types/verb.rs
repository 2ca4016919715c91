//! [`Verb`]: the commands as data. RFC 9051 §6 (states), §5.5 (which may run at the same time).

/// The name of a command; UID forms have the name of the command behind UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// CAPABILITY.
    Capability,
    /// NOOP.
    Noop,
    /// LOGOUT.
    Logout,
    /// STARTTLS.
    StartTls,
    /// AUTHENTICATE.
    Authenticate,
    /// LOGIN.
    Login,
    /// SELECT.
    Select,
    /// EXAMINE.
    Examine,
    /// CREATE.
    Create,
    /// DELETE.
    Delete,
    /// RENAME.
    Rename,
    /// SUBSCRIBE.
    Subscribe,
    /// UNSUBSCRIBE.
    Unsubscribe,
    /// LIST.
    List,
    /// LSUB.
    Lsub,
    /// NAMESPACE.
    Namespace,
    /// STATUS.
    Status,
    /// APPEND.
    Append,
    /// IDLE.
    Idle,
    /// CHECK.
    Check,
    /// CLOSE.
    Close,
    /// UNSELECT.
    Unselect,
    /// EXPUNGE.
    Expunge,
    /// SEARCH.
    Search,
    /// FETCH.
    Fetch,
    /// STORE.
    Store,
    /// COPY.
    Copy,
    /// MOVE.
    Move,
    /// ID.
    Id,
    /// ENABLE.
    Enable,
    /// SORT.
    Sort,
    /// THREAD.
    Thread,
    /// ESEARCH.
    MultiSearch,
    /// CANCELUPDATE.
    CancelUpdate,
    /// REPLACE.
    Replace,
    /// NOTIFY.
    Notify,
    /// GETMETADATA.
    GetMetadata,
    /// SETMETADATA.
    SetMetadata,
    /// GETQUOTA.
    GetQuota,
    /// GETQUOTAROOT.
    GetQuotaRoot,
    /// SETQUOTA.
    SetQuota,
    /// SETACL.
    SetAcl,
    /// DELETEACL.
    DeleteAcl,
    /// GETACL.
    GetAcl,
    /// LISTRIGHTS.
    ListRights,
    /// MYRIGHTS.
    MyRights,
    /// COMPRESS.
    Compress,
    /// UNAUTHENTICATE.
    Unauthenticate,
    /// XLIST.
    Xlist,
}

/// In which states a command is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9051 §3 has these")]
pub enum States {
    /// In every state.
    Any,
    /// Only before authentication.
    NotAuthenticated,
    /// Only after it, with a mailbox selected or not.
    Authenticated,
    /// Only with a mailbox selected.
    Selected,
}

/// What is to be known about a command beside its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Entry {
    /// The command.
    pub verb: Verb,
    /// Its name.
    pub name: &'static str,
    /// When it is possible.
    pub states: States,
    /// Whether it names messages by their numbers, or is answered by numbers; the UID form only where a search
    /// has numbers among its keys.
    pub uses_numbers: bool,
    /// Whether a server may tell of expunged messages while it runs (RFC 9051 §7.5.1); the UID form always may.
    pub permits_expunge: bool,
    /// Whether it may change the flags of messages, so that the server tells them in FETCH.
    pub changes_flags: bool,
    /// Whether it may change which mailbox is selected.
    pub changes_selection: bool,
    /// Whether nothing else may run beside it, because it changes what the connection means.
    pub exclusive: bool,
    /// Whether it has a UID form.
    pub has_uid_form: bool,
}

/// A column of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Numbers,
    Expunge,
    Flags,
    Selection,
    Exclusive,
    UidForm,
}

const fn entry(verb: Verb, name: &'static str, states: States, does: &[Does]) -> Entry {
    let mut entry = Entry {
        verb,
        name,
        states,
        uses_numbers: false,
        permits_expunge: false,
        changes_flags: false,
        changes_selection: false,
        exclusive: false,
        has_uid_form: false,
    };
    let mut rest = does;
    while let [first, others @ ..] = rest {
        match first {
            Does::Numbers => entry.uses_numbers = true,
            Does::Expunge => entry.permits_expunge = true,
            Does::Flags => entry.changes_flags = true,
            Does::Selection => entry.changes_selection = true,
            Does::Exclusive => entry.exclusive = true,
            Does::UidForm => entry.has_uid_form = true,
        }
        rest = others;
    }
    entry
}

macro_rules! verbs {
    ($($verb:ident $name:literal $states:ident [$($does:ident)*];)*) => {
        impl Verb {
            /// The table of commands, in the order of RFC 9051 §6.
            pub const TABLE: &'static [Entry] =
                &[$(entry(Self::$verb, $name, States::$states, &[$(Does::$does),*])),*];

            /// What is to be known about it.
            #[must_use]
            pub const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$verb => {
                        const { &entry(Self::$verb, $name, States::$states, &[$(Does::$does),*]) }
                    }),*
                }
            }
        }
    };
}

verbs! {
    Capability "CAPABILITY" Any [Expunge];
    Noop "NOOP" Any [Expunge];
    Logout "LOGOUT" Any [Expunge Selection Exclusive];
    StartTls "STARTTLS" NotAuthenticated [Expunge Exclusive];
    Authenticate "AUTHENTICATE" NotAuthenticated [Expunge Exclusive];
    Login "LOGIN" NotAuthenticated [Expunge Exclusive];
    Select "SELECT" Authenticated [Expunge Selection];
    Examine "EXAMINE" Authenticated [Expunge Selection];
    Create "CREATE" Authenticated [Expunge];
    Delete "DELETE" Authenticated [Expunge];
    Rename "RENAME" Authenticated [Expunge];
    Subscribe "SUBSCRIBE" Authenticated [Expunge];
    Unsubscribe "UNSUBSCRIBE" Authenticated [Expunge];
    List "LIST" Authenticated [Expunge];
    Lsub "LSUB" Authenticated [Expunge];
    Namespace "NAMESPACE" Authenticated [Expunge];
    Status "STATUS" Authenticated [Expunge];
    Append "APPEND" Authenticated [Expunge];
    Idle "IDLE" Authenticated [Expunge Exclusive];
    Check "CHECK" Selected [Expunge];
    Close "CLOSE" Selected [Expunge Selection];
    Unselect "UNSELECT" Selected [Expunge Selection];
    Expunge "EXPUNGE" Selected [Expunge UidForm];
    Search "SEARCH" Selected [Numbers UidForm];
    Fetch "FETCH" Selected [Numbers Flags UidForm];
    Store "STORE" Selected [Numbers Flags UidForm];
    Copy "COPY" Selected [Numbers Expunge UidForm];
    Move "MOVE" Selected [Numbers Expunge UidForm];
    Id "ID" Any [Expunge];
    Enable "ENABLE" Authenticated [Expunge Exclusive];
    Sort "SORT" Selected [Numbers UidForm];
    Thread "THREAD" Selected [Numbers UidForm];
    MultiSearch "ESEARCH" Authenticated [Expunge];
    CancelUpdate "CANCELUPDATE" Selected [Expunge];
    Replace "REPLACE" Selected [Numbers Expunge UidForm];
    Notify "NOTIFY" Authenticated [Expunge];
    GetMetadata "GETMETADATA" Authenticated [Expunge];
    SetMetadata "SETMETADATA" Authenticated [Expunge];
    GetQuota "GETQUOTA" Authenticated [Expunge];
    GetQuotaRoot "GETQUOTAROOT" Authenticated [Expunge];
    SetQuota "SETQUOTA" Authenticated [Expunge];
    SetAcl "SETACL" Authenticated [Expunge];
    DeleteAcl "DELETEACL" Authenticated [Expunge];
    GetAcl "GETACL" Authenticated [Expunge];
    ListRights "LISTRIGHTS" Authenticated [Expunge];
    MyRights "MYRIGHTS" Authenticated [Expunge];
    Compress "COMPRESS" Any [Expunge Exclusive];
    Unauthenticate "UNAUTHENTICATE" Authenticated [Selection Exclusive];
    Xlist "XLIST" Authenticated [Expunge];
}

impl Verb {
    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        let entry = Self::TABLE.iter().find(|entry| entry.name.as_bytes().eq_ignore_ascii_case(name));
        entry.map(|entry| entry.verb)
    }
}
