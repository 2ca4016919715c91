//! [`Command`]: what a client asks. RFC 9051 §6, RFC 3501 §6.

use alloc::vec::Vec;

use mailwright_core::value::{Flag, Secret};

use super::date::DateTime;
use super::fetch::FetchAttribute;
use super::mailbox::Mailbox;
use super::number_set::{Messages, NumberSet};
use super::search::Search;
use super::status::StatusItem;
use super::string::OctetString;

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
    Select(Mailbox),
    /// EXAMINE (RFC 9051 §6.3.3).
    Examine(Mailbox),
    /// CREATE (RFC 9051 §6.3.4). A separator at the end, which some clients write, is not part of the name.
    Create(Mailbox),
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
    Search {
        /// Whether UIDs are wanted: UID SEARCH.
        uid: bool,
        /// CHARSET as it was written.
        charset: Option<OctetString>,
        /// What is looked for.
        search: Search,
    },
    /// FETCH (RFC 9051 §6.4.5).
    Fetch {
        /// Of which messages.
        messages: Messages,
        /// What.
        attributes: Vec<FetchAttribute>,
    },
    /// STORE (RFC 9051 §6.4.6).
    Store {
        /// Which messages.
        messages: Messages,
        /// Whether flags are added, removed or replaced.
        action: StoreAction,
        /// Whether the new flags are not to be told.
        silent: bool,
        /// Which flags.
        flags: Vec<Flag>,
    },
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
}

/// The arguments of LIST and LSUB.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ListCommand {
    /// The reference, as it came: usually empty.
    pub reference: OctetString,
    /// The pattern, as it came: `*` and `%` are wildcards.
    pub pattern: OctetString,
}

impl ListCommand {
    /// `reference` and `pattern`.
    #[must_use]
    pub const fn new(reference: OctetString, pattern: OctetString) -> Self {
        Self { reference, pattern }
    }
}

/// The arguments of APPEND without the message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AppendCommand {
    /// Where to.
    pub mailbox: Mailbox,
    /// The flags of the message.
    pub flags: Vec<Flag>,
    /// Its INTERNALDATE, if not now.
    pub date: Option<DateTime>,
}

impl AppendCommand {
    /// A message for `mailbox` without flags, dated now.
    #[must_use]
    pub const fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, flags: Vec::new(), date: None }
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
