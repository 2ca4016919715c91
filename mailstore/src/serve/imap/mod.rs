//! The driver of IMAP sessions: mailboxes and messages of an account. RFC 3501, RFC 9051.
//!
//! The session keeps the numbers and tells what changed; the driver hands it the header of the selected
//! mailbox, and its columns when a command needs them, turns its questions into calls of the store, and
//! streams bodies. What another session changes is seen at the next question, and in IDLE when
//! [`Handler::changed`] wakes the host:
//!
//! ```text
//! loop {
//!     select! {
//!         event = connection.next_event() => handler.handle(&mut connection, event, now).await,
//!         () = handler.changed() => handler.refresh(&mut connection).await,
//!     }
//! }
//! ```

mod append;
mod fetch;
mod mailboxes;
mod messages;
mod refusal;
mod search;
mod state;
mod text;

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::ops::ControlFlow;

use mailwright_core::value::{MailboxName, ModSeq, Uid, UidSet, UnixTime};
use mailwright_imap::server::{Event, Loaded, Opened, Refusal, Server};
use mailwright_imap::types::{Code, Mailbox};

use self::append::Appending;
use self::fetch::Sending;
use self::state::State;
use super::{Compute, Logins};
use crate::account::{
    Account as _, Change, ChangeKind, Columns, ListQuery, MailboxInfo, OpenError, Pinned, Since,
};
use crate::engine::{Blobs, Engine};
use crate::identifier::MailboxId;
use crate::mail::account::StoreAccount;
use crate::mail::store::Store;

/// Answers IMAP sessions from a store. One for the program; `Clone` is cheap.
pub struct Service<E, C> {
    store: Store<E>,
    logins: Logins<E, C>,
}

impl<E, C: Clone> Clone for Service<E, C> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), logins: self.logins.clone() }
    }
}

impl<E, C> fmt::Debug for Service<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl<E: Engine + Blobs, C: Compute> Service<E, C> {
    /// Serves the accounts of `store`; password hashes run on `compute`.
    #[must_use]
    pub fn new(store: Store<E>, compute: C) -> Self {
        let logins = Logins::new(&store, compute);
        Self { store, logins }
    }

    /// Sets what a session may take so that this service can store it.
    pub fn configure(&self, config: &mut mailwright_imap::server::Config) {
        config.limits.append = config.limits.append.min(self.store.config().mail.message_octets);
    }

    /// What answers one session.
    #[must_use]
    pub fn handler(&self) -> Handler<E, C> {
        Handler {
            service: self.clone(),
            account: None,
            selected: None,
            appending: None,
            sending: None,
            seen: 0,
        }
    }
}

/// Answers one IMAP session.
pub struct Handler<E: Engine + Blobs, C> {
    service: Service<E, C>,
    account: Option<StoreAccount<E>>,
    selected: Option<SelectedMailbox>,
    appending: Option<Appending<E>>,
    sending: Option<Sending>,
    /// What the account's changes were compared with last.
    seen: u64,
}

impl<E: Engine + Blobs, C> fmt::Debug for Handler<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("selected", &self.selected.is_some()).finish_non_exhaustive()
    }
}

/// The mailbox that the session has selected.
struct SelectedMailbox {
    id: MailboxId,
    name: MailboxName,
    /// Its latest change when it was opened.
    latest: ModSeq,
    /// The UID that the next message was to get then.
    uid_next: Option<Uid>,
    /// Its messages in the state that the session was handed last, once it has needed them.
    messages: Option<Messages>,
}

struct Messages {
    columns: Arc<Columns>,
    _pin: Pinned,
}

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    /// Answers `event` of `session`, if it is a question. `now` is the time for what is stored.
    pub async fn handle(&mut self, session: &mut Server, event: Event, now: UnixTime) {
        // A refused answer means that the session ended meanwhile; its last event says so.
        match event {
            Event::Authenticate { token, ask } => {
                let answer = self.service.logins.verify(&ask).await;
                let _ = session.answer(token, answer);
            }
            Event::Authenticated(identity) => {
                // Unknown here means: deleted or disabled in this very moment. Every command is refused then.
                let account = self.service.logins.account(&identity.authorization).await;
                self.account = account.ok().flatten().map(|id| self.service.store.account(id));
            }
            Event::Select { token, mailbox, examine } => {
                let opened = self.open(&mailbox, examine).await;
                let _ = session.answer(token, opened);
            }
            Event::Load { token } => match self.load().await {
                Some(loaded) => drop(session.answer(token, loaded)),
                None => session.shutdown(),
            },
            Event::Deselected => {
                self.selected = None;
                self.sending = None;
            }
            Event::Refresh { token } => {
                self.refresh(session).await;
                let _ = session.answer(token, ());
            }
            Event::Change { token, change } => {
                let outcome = self.change(change, now).await;
                let _ = session.answer(token, outcome);
            }
            Event::List { token, list, subscribed } => {
                let listed = self.list(&list, subscribed).await;
                self.refresh(session).await;
                let _ = session.answer(token, listed);
            }
            Event::Status { token, mailbox, items } => {
                let values = self.status(&mailbox, &items).await;
                self.refresh(session).await;
                let _ = session.answer(token, values);
            }
            Event::Append { token, append, octets } => {
                let begun = self.begin_append(append, octets).await;
                let _ = session.answer(token, begun);
            }
            Event::Content(octets) => self.append_content(octets).await,
            Event::Appended { token } => {
                let stored = self.end_append(now).await;
                self.refresh(session).await;
                let _ = session.answer(token, stored);
            }
            Event::Aborted => self.appending = None,
            Event::Expunge { token, uids } => {
                let outcome = self.expunge(uids.as_ref(), now).await;
                self.refresh(session).await;
                let _ = session.answer(token, outcome);
            }
            Event::Search { token, charset, search } => {
                self.refresh(session).await;
                let found = self.search(charset.as_ref(), &search).await;
                let _ = session.answer(token, found);
            }
            Event::Store { token, uids, action, flags } => {
                let outcome = self.store(uids, action, flags, now).await;
                self.refresh(session).await;
                let _ = session.answer(token, outcome);
            }
            Event::Copy { token, uids, mailbox, remove } => {
                let copied = self.copy(uids, &mailbox, remove, now).await;
                self.refresh(session).await;
                let _ = session.answer(token, copied);
            }
            Event::Fetch { token, uid, attributes, set_seen } => {
                self.begin_fetch(session, token, uid, attributes, set_seen, now).await;
            }
            Event::Room => self.send(session).await,
            Event::Closed(_) => {
                self.selected = None;
                self.sending = None;
                self.appending = None;
                self.account = None;
            }
            _ => {}
        }
    }

    /// Waits until the account changed since the session was told; for ever if nobody is logged in.
    /// Cancel-safe; then call [`Self::refresh`].
    pub async fn changed(&mut self) {
        let (account, seen) = (&self.account, &mut self.seen);
        match account {
            Some(account) if self.selected.is_some() => {
                poll_fn(|context| account.poll_changed(context, seen)).await;
            }
            _ => core::future::pending().await,
        }
    }

    /// Hands the session the latest state of its mailbox, if that changed.
    pub async fn refresh(&mut self, session: &mut Server) {
        let (Some(account), Some(selected)) = (&self.account, &mut self.selected) else { return };
        // What is loaded later is the latest state then.
        let Some(messages) = &mut selected.messages else { return };
        match account.open(&selected.name).await {
            Ok(opened) if opened.info.id == selected.id => {
                if opened.columns.highest_mod_seq() > messages.columns.highest_mod_seq() {
                    session.update(Arc::new(State::new(Arc::clone(&opened.columns), &opened.info)));
                }
                *messages = Messages { columns: opened.columns, _pin: opened.pin };
            }
            // It was deleted or renamed, perhaps with another one in its place: there is no way to tell
            // that to the client but to end (RFC 2180 §3).
            Ok(_) | Err(OpenError::NoSuchMailbox) => session.shutdown(),
            // What it knows stays true as far as it goes.
            Err(OpenError::Read(_)) => {}
        }
    }

    /// Opens a mailbox by its header: nothing is read that depends on how many messages there are.
    async fn open(&mut self, mailbox: &Mailbox, examine: bool) -> Result<Opened, Refusal> {
        let account = self.account.as_ref().ok_or_else(refusal::no_account)?;
        let name = mailbox.name().ok_or_else(refusal::no_such_mailbox)?;
        let info = find(account, name).await?.ok_or_else(refusal::no_such_mailbox)?;
        let (latest, uid_next) = (info.highest_mod_seq, info.uid_next);
        let new_keywords = info.keywords.len() < self.service.store.config().mail.keywords_per_mailbox;
        let mut lent = Opened::by_summary(info.exists, info.keywords, latest, info.uid_validity, uid_next);
        // What comes while the mailbox is open is recent to this session.
        lent.recent_from = uid_next;
        lent.read_only = examine;
        lent.new_keywords = new_keywords;
        self.selected =
            Some(SelectedMailbox { id: info.id, name: info.name, latest, uid_next, messages: None });
        Ok(lent)
    }

    /// Reads what there is to know of each message of the selected mailbox; `None` if it is gone, or if what
    /// changed since it was opened cannot be known any more.
    async fn load(&mut self) -> Option<Result<Loaded, Refusal>> {
        let (account, selected) = (self.account.as_ref()?, self.selected.as_mut()?);
        let opened = match account.open(&selected.name).await {
            Ok(opened) if opened.info.id == selected.id => opened,
            Ok(_) | Err(OpenError::NoSuchMailbox) => return None,
            Err(OpenError::Read(error)) => return Some(Err(refusal::of_read(&error))),
        };
        let now = opened.columns.highest_mod_seq();
        let mut expunged = UidSet::new();
        if now > selected.latest {
            let id = selected.id;
            let mut visit = |change: &Change| {
                if let ChangeKind::Expunged(uids) = &change.kind
                    && change.mailbox == id
                    && change.mod_seq <= now
                {
                    expunged.extend(uids.ranges().iter().copied());
                }
                ControlFlow::Continue(())
            };
            match account.changes(selected.latest, &mut visit).await {
                Ok(Since::Reached(_)) => {}
                Ok(Since::TooOld) => return None,
                Err(error) => return Some(Err(refusal::of_read(&error))),
            }
        }
        let told = state::earlier(&opened.columns, selected.uid_next, &expunged);
        let state = State::new(Arc::clone(&opened.columns), &opened.info);
        selected.messages = Some(Messages { columns: opened.columns, _pin: opened.pin });
        Some(Ok(Loaded::new(Arc::new(state), told)))
    }

    /// The account and the mailbox that is selected.
    fn here(&self) -> Result<(&StoreAccount<E>, &SelectedMailbox), Refusal> {
        match (&self.account, &self.selected) {
            (Some(account), Some(selected)) => Ok((account, selected)),
            _ => Err(Refusal::new(Code::NonExistent, "the mailbox is gone")),
        }
    }

    /// The account, and what is known of the messages of the selected mailbox.
    fn messages(&self) -> Result<(&StoreAccount<E>, &Columns), Refusal> {
        let (account, selected) = self.here()?;
        let messages = selected.messages.as_ref();
        messages.map(|messages| (account, &*messages.columns)).ok_or_else(refusal::no_such_mailbox)
    }
}

/// The header of the mailbox with a name.
async fn find<E: Engine + Blobs>(
    account: &StoreAccount<E>,
    name: &MailboxName,
) -> Result<Option<MailboxInfo>, Refusal> {
    let mut found = None;
    let mut visit = |info: &MailboxInfo| found = Some(info.clone());
    let listed = account.list(&ListQuery::Exactly(name.clone()), &mut visit).await;
    listed.map_err(|error| refusal::of_read(&error))?;
    Ok(found)
}
