//! [`Verb`]: the commands as data. RFC 9051 §6 (states), §5.5 and imap pipelining rules.

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
    /// Whether a server may tell of expunged messages while it runs (RFC 9051 §7.5.1); the UID form always may.
    pub permits_expunge: bool,
    /// Whether nothing else may run beside it.
    pub exclusive: bool,
    /// Whether it has a UID form.
    pub has_uid_form: bool,
}

macro_rules! verbs {
    ($($verb:ident $name:literal $states:ident expunge: $expunge:literal exclusive: $exclusive:literal uid: $uid:literal;)*) => {
        impl Verb {
            /// The table of commands, in the order of RFC 9051 §6.
            pub const TABLE: &'static [Entry] = &[$(Entry {
                verb: Self::$verb,
                name: $name,
                states: States::$states,
                permits_expunge: $expunge,
                exclusive: $exclusive,
                has_uid_form: $uid,
            }),*];

            /// What is to be known about it.
            #[must_use]
            pub const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$verb => &Entry {
                        verb: Self::$verb,
                        name: $name,
                        states: States::$states,
                        permits_expunge: $expunge,
                        exclusive: $exclusive,
                        has_uid_form: $uid,
                    }),*
                }
            }
        }
    };
}

verbs! {
    Capability "CAPABILITY" Any expunge: true exclusive: false uid: false;
    Noop "NOOP" Any expunge: true exclusive: false uid: false;
    Logout "LOGOUT" Any expunge: true exclusive: true uid: false;
    StartTls "STARTTLS" NotAuthenticated expunge: true exclusive: true uid: false;
    Authenticate "AUTHENTICATE" NotAuthenticated expunge: true exclusive: true uid: false;
    Login "LOGIN" NotAuthenticated expunge: true exclusive: true uid: false;
    Select "SELECT" Authenticated expunge: true exclusive: true uid: false;
    Examine "EXAMINE" Authenticated expunge: true exclusive: true uid: false;
    Create "CREATE" Authenticated expunge: true exclusive: false uid: false;
    Delete "DELETE" Authenticated expunge: true exclusive: false uid: false;
    Rename "RENAME" Authenticated expunge: true exclusive: false uid: false;
    Subscribe "SUBSCRIBE" Authenticated expunge: true exclusive: false uid: false;
    Unsubscribe "UNSUBSCRIBE" Authenticated expunge: true exclusive: false uid: false;
    List "LIST" Authenticated expunge: true exclusive: false uid: false;
    Lsub "LSUB" Authenticated expunge: true exclusive: false uid: false;
    Namespace "NAMESPACE" Authenticated expunge: true exclusive: false uid: false;
    Status "STATUS" Authenticated expunge: true exclusive: false uid: false;
    Append "APPEND" Authenticated expunge: true exclusive: false uid: false;
    Idle "IDLE" Authenticated expunge: true exclusive: true uid: false;
    Check "CHECK" Selected expunge: true exclusive: false uid: false;
    Close "CLOSE" Selected expunge: true exclusive: true uid: false;
    Unselect "UNSELECT" Selected expunge: true exclusive: true uid: false;
    Expunge "EXPUNGE" Selected expunge: true exclusive: false uid: true;
    Search "SEARCH" Selected expunge: false exclusive: false uid: true;
    Fetch "FETCH" Selected expunge: false exclusive: false uid: true;
    Store "STORE" Selected expunge: false exclusive: false uid: true;
    Copy "COPY" Selected expunge: true exclusive: false uid: true;
    Move "MOVE" Selected expunge: true exclusive: false uid: true;
    Id "ID" Any expunge: true exclusive: false uid: false;
    Enable "ENABLE" Authenticated expunge: true exclusive: true uid: false;
    Sort "SORT" Selected expunge: false exclusive: false uid: true;
    Thread "THREAD" Selected expunge: false exclusive: false uid: true;
    MultiSearch "ESEARCH" Authenticated expunge: true exclusive: false uid: false;
    CancelUpdate "CANCELUPDATE" Selected expunge: true exclusive: false uid: false;
    Replace "REPLACE" Selected expunge: true exclusive: false uid: true;
    Notify "NOTIFY" Authenticated expunge: true exclusive: false uid: false;
    GetMetadata "GETMETADATA" Authenticated expunge: true exclusive: false uid: false;
    SetMetadata "SETMETADATA" Authenticated expunge: true exclusive: false uid: false;
    GetQuota "GETQUOTA" Authenticated expunge: true exclusive: false uid: false;
    GetQuotaRoot "GETQUOTAROOT" Authenticated expunge: true exclusive: false uid: false;
    SetQuota "SETQUOTA" Authenticated expunge: true exclusive: false uid: false;
    SetAcl "SETACL" Authenticated expunge: true exclusive: false uid: false;
    DeleteAcl "DELETEACL" Authenticated expunge: true exclusive: false uid: false;
    GetAcl "GETACL" Authenticated expunge: true exclusive: false uid: false;
    ListRights "LISTRIGHTS" Authenticated expunge: true exclusive: false uid: false;
    MyRights "MYRIGHTS" Authenticated expunge: true exclusive: false uid: false;
    Compress "COMPRESS" Any expunge: true exclusive: true uid: false;
    Unauthenticate "UNAUTHENTICATE" Authenticated expunge: false exclusive: true uid: false;
    Xlist "XLIST" Authenticated expunge: true exclusive: false uid: false;
}

impl Verb {
    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        let entry = Self::TABLE.iter().find(|entry| entry.name.as_bytes().eq_ignore_ascii_case(name));
        entry.map(|entry| entry.verb)
    }
}
