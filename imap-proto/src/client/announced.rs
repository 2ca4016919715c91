//! What a server must announce, or have enabled, before a command is sent to it. RFC 9051 §6.1.1, App. E.

use mailwright_core::value::Misuse;

use super::window::{returns, uses_numbers, uses_saved};
use super::{Client, SendError};
use crate::types::{
    Command, FetchCommand, ListCommand, ListReturn, ListSelection, MessageForm, SearchReturn, SelectCommand,
};

/// What includes most extensions that are older.
const REV2: &str = "IMAP4rev2";

impl Client {
    /// Whether the server announces what the command needs.
    pub(super) fn check_announced(&self, command: &Command) -> Result<(), SendError> {
        if uses_saved(command) {
            self.need(&["SEARCHRES", REV2])?;
        }
        // RFC 9586: no message numbers in either direction.
        if uses_numbers(command) && self.is_enabled("UIDONLY") {
            return Err(SendError::NumbersDisabled);
        }
        match command {
            Command::List(list) => self.check_list(list),
            Command::Select(select) | Command::Examine(select) => self.check_select(select),
            Command::Fetch(fetch) => self.check_fetch(fetch),
            Command::Store(store) if store.unchanged_since.is_some() => self.need(&["CONDSTORE", "QRESYNC"]),
            Command::Create(create) if create.special_use.is_some() => self.need(&["CREATE-SPECIAL-USE"]),
            Command::Search(_) | Command::Sort(_) | Command::MultiSearch(_) => self.check_returns(command),
            Command::Thread(thread) => self.need(&[&alloc::format!("THREAD={}", thread.algorithm.as_str())]),
            Command::Compress(mechanism) => self.need(&[&alloc::format!("COMPRESS={}", mechanism.as_str())]),
            command => self.need(names(command)),
        }
    }

    /// Whether one of the names is announced; nothing is needed if there are none.
    pub(super) fn need(&self, names: &[&str]) -> Result<(), SendError> {
        let announced = names.is_empty() || names.iter().any(|name| self.has(name));
        if announced { Ok(()) } else { Err(Misuse::NotAnnounced.into()) }
    }

    /// Whether a capability is enabled that must be.
    fn need_enabled(&self, name: &'static str) -> Result<(), SendError> {
        if self.is_enabled(name) { Ok(()) } else { Err(SendError::NotEnabled(name)) }
    }

    /// Whether messages may come in these forms.
    pub(super) fn check_message_forms(
        &self,
        forms: impl IntoIterator<Item = MessageForm>,
    ) -> Result<(), SendError> {
        for form in forms {
            match form {
                MessageForm::Literal => {}
                MessageForm::Binary => self.need(&["BINARY"])?,
                MessageForm::Utf8 => self.need(&["UTF8=ACCEPT", "UTF8=ONLY", "UTF8=ALL"])?,
                MessageForm::Catenate => self.need(&["CATENATE"])?,
            }
        }
        Ok(())
    }

    fn check_list(&self, list: &ListCommand) -> Result<(), SendError> {
        let (selection, returns) =
            (list.selection.as_deref().unwrap_or_default(), list.returns.as_deref().unwrap_or_default());
        // RFC 6154 §2: SPECIAL-USE brings its options with it.
        let special = selection.iter().all(|option| *option == ListSelection::SpecialUse)
            && returns.iter().all(|option| *option == ListReturn::SpecialUse)
            && list.patterns.len() == 1;
        if list.is_extended() && !(special && self.has("SPECIAL-USE")) {
            self.need(&["LIST-EXTENDED", REV2])?;
        }
        for option in returns {
            match option {
                ListReturn::Status(_) => self.need(&["LIST-STATUS", REV2])?,
                ListReturn::MyRights => self.need(&["LIST-MYRIGHTS"])?,
                ListReturn::Metadata(_) => self.need(&["LIST-METADATA"])?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check_select(&self, select: &SelectCommand) -> Result<(), SendError> {
        if select.condstore {
            self.need(&["CONDSTORE", "QRESYNC"])?;
        }
        if select.known.is_some() {
            self.need(&["QRESYNC"])?;
            // RFC 7162 §3.2.5: only after ENABLE QRESYNC.
            self.need_enabled("QRESYNC")?;
        }
        Ok(())
    }

    fn check_fetch(&self, fetch: &FetchCommand) -> Result<(), SendError> {
        if fetch.changed_since.is_some() {
            self.need(&["CONDSTORE", "QRESYNC"])?;
        }
        if fetch.vanished {
            // RFC 7162 §3.2.6: only after ENABLE QRESYNC.
            self.need_enabled("QRESYNC")?;
        }
        if fetch.partial.is_some() {
            self.need(&["PARTIAL"])?;
        }
        Ok(())
    }

    /// What a search returns, and the search itself.
    fn check_returns(&self, command: &Command) -> Result<(), SendError> {
        let extended = match command {
            Command::Sort(_) => {
                self.need(&["SORT"])?;
                &["ESORT", "CONTEXT=SORT"][..]
            }
            Command::MultiSearch(_) => {
                self.need(&["MULTISEARCH"])?;
                &[]
            }
            _ => &["ESEARCH", "SEARCHRES", "CONTEXT=SEARCH", REV2],
        };
        let Some(returns) = returns(command) else { return Ok(()) };
        self.need(extended)?;
        for option in returns {
            match option {
                SearchReturn::Save => self.need(&["SEARCHRES", REV2])?,
                SearchReturn::Context | SearchReturn::Update(_) => {
                    self.need(&["CONTEXT=SEARCH", "CONTEXT=SORT"])?;
                }
                SearchReturn::Partial(_) => self.need(&["PARTIAL", "CONTEXT=SEARCH", "CONTEXT=SORT"])?,
                SearchReturn::Relevancy => self.need(&["SEARCH=FUZZY"])?,
                SearchReturn::Min | SearchReturn::Max | SearchReturn::All | SearchReturn::Count => {}
            }
        }
        Ok(())
    }
}

/// One of which must be announced for a command, whatever its arguments; none for those that every server has.
const fn names(command: &Command) -> &'static [&'static str] {
    match command {
        Command::StartTls => &["STARTTLS"],
        Command::Enable(_) => &["ENABLE", REV2],
        Command::Idle => &["IDLE", REV2],
        Command::Namespace => &["NAMESPACE", REV2],
        Command::Unselect => &["UNSELECT", REV2],
        Command::Move { .. } => &["MOVE", REV2],
        Command::Expunge(Some(_)) => &["UIDPLUS", REV2],
        Command::Id(_) => &["ID"],
        Command::CancelUpdate(_) => &["CONTEXT=SEARCH", "CONTEXT=SORT"],
        Command::Notify(_) => &["NOTIFY"],
        Command::Replace(_) => &["REPLACE"],
        Command::GetMetadata(_) | Command::SetMetadata(_) => &["METADATA", "METADATA-SERVER"],
        Command::GetQuota(_) | Command::GetQuotaRoot(_) => &["QUOTA"],
        // RFC 9208 §4.1.3: QUOTASET; servers of RFC 2087 announce QUOTA alone.
        Command::SetQuota { .. } => &["QUOTASET", "QUOTA"],
        Command::SetAcl { .. }
        | Command::DeleteAcl { .. }
        | Command::GetAcl(_)
        | Command::ListRights { .. }
        | Command::MyRights(_) => &["ACL"],
        Command::Unauthenticate => &["UNAUTHENTICATE"],
        Command::Xlist(_) => &["XLIST"],
        Command::StoreLabels(_) => &["X-GM-EXT-1"],
        _ => &[],
    }
}
