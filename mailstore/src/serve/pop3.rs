//! The driver of POP3 sessions: the maildrop is the INBOX of an account. RFC 1939, RFC 2449, RFC 6856.
//!
//! It holds what the session may not: the lease that keeps a second POP3 session out, the snapshot of the
//! mailbox with its pin, and the message that is being sent. IMAP is not locked out: messages that vanish
//! meanwhile are still readable by this session, since they are pinned.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use bytes::{Buf as _, Bytes};
use mailwright_core::value::{MailboxName, Uid, UidSet, UnixTime};
use mailwright_pop3::server::{
    Commit, Config, Deletions, Event, Expire, Intake, Maildrop, Opening, PerUser, RetrieveToken, Server,
    Severity, Unavailable, Utf8,
};
use mailwright_pop3::types::{MessageNumber, UniqueId};
use mailwright_sasl::Identity;

use super::{Compute, Logins};
use crate::account::{
    Account, Applied, Body, Columns, Intent, Lease, LeaseError, OpenError, Opened, Pinned, Work, WriteError,
};
use crate::engine::{Blobs, Engine, ReadError};
use crate::identifier::MailboxId;
use crate::mail::account::StoreAccount;
use crate::mail::store::Store;

/// Octets of a message that are read at a time.
const READ: u64 = 64 * 1024;

/// Answers POP3 sessions from a store. One for the program; `Clone` is cheap.
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

    /// Switches on what the store can answer, and tells clients that messages stay until they remove them.
    pub fn configure(&self, config: &mut Config) {
        config.utf8 = Utf8::MessagesAndNames;
        config.expire = Some(PerUser::same(Expire::Never));
    }

    /// What answers one session.
    #[must_use]
    pub fn handler(&self) -> Handler<E, C> {
        Handler { service: self.clone(), maildrop: None, sending: None }
    }
}

/// Answers one POP3 session.
pub struct Handler<E, C> {
    service: Service<E, C>,
    maildrop: Option<OpenMaildrop<StoreAccount<E>>>,
    sending: Option<Sending>,
}

impl<E, C> fmt::Debug for Handler<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("open", &self.maildrop.is_some()).finish_non_exhaustive()
    }
}

/// A maildrop that the session has open.
struct OpenMaildrop<A> {
    account: A,
    mailbox: MailboxId,
    snapshot: Arc<Snapshot>,
}

/// What the session sees, and what must live as long as it does.
struct Snapshot {
    columns: Arc<Columns>,
    uid_validity: u32,
    _pin: Pinned,
    _lease: Lease,
}

impl Snapshot {
    fn uid(&self, number: MessageNumber) -> Option<Uid> {
        self.columns.row(number.index()).map(|row| row.uid)
    }
}

impl Maildrop for Snapshot {
    fn len(&self) -> u32 {
        u32::try_from(self.columns.len()).unwrap_or(u32::MAX)
    }

    fn size(&self, number: MessageNumber) -> u64 {
        self.columns.row(number.index()).map_or(0, |row| row.normalised_size)
    }

    // RFC 1939 §7: unique in the maildrop for all time, which UIDVALIDITY and UID are together.
    fn id(&self, number: MessageNumber) -> UniqueId {
        let uid = self.uid(number).map_or(0, Uid::get);
        let id: String = format!("{}.{uid}", self.uid_validity);
        // At most 21 digits and a dot, so it fits.
        UniqueId::new(id.as_bytes()).unwrap_or(UniqueId::NONE)
    }

    // RFC 6856 §2.1: nothing beyond ASCII goes to who has not said UTF8. There are no surrogates: who deletes what
    // he has fetched would keep a poor copy.
    fn needs_utf8(&self, number: MessageNumber) -> bool {
        self.columns.row(number.index()).is_some_and(|row| row.utf8_header)
    }
}

/// A message on its way to the client.
struct Sending {
    token: RetrieveToken,
    body: Body,
    /// Octets read so far.
    read: u64,
    /// What the session had no room for.
    rest: Bytes,
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
            Event::Open { token, identity, .. } => {
                let opening = match self.open(&identity).await {
                    Ok(maildrop) => {
                        let snapshot: Arc<Snapshot> = Arc::clone(&maildrop.snapshot);
                        self.maildrop = Some(maildrop);
                        Opening::Opened(snapshot)
                    }
                    Err(refusal) => refusal,
                };
                if session.answer(token, opening).is_err() {
                    self.maildrop = None;
                }
            }
            Event::Retrieve { token, number, .. } => match self.body(number).await {
                Ok(body) => {
                    self.sending = Some(Sending { token, body, read: 0, rest: Bytes::new() });
                    self.send(session).await;
                }
                Err(error) => {
                    let _ = session.unavailable(token, why(&error));
                }
            },
            Event::Room => self.send(session).await,
            Event::Commit { token, deleted } => {
                let outcome = self.commit(&deleted, now).await;
                let _ = session.answer(token, outcome);
            }
            Event::Release => self.maildrop = None,
            Event::Closed(_) => {
                self.sending = None;
                self.maildrop = None;
            }
            _ => {}
        }
    }

    /// RFC 1939 §4: locks the maildrop, then takes its snapshot.
    async fn open(&self, identity: &Identity) -> Result<OpenMaildrop<StoreAccount<E>>, Opening> {
        let temporary = Opening::Unavailable(Severity::Temporary);
        let id = match self.service.logins.account(&identity.authorization).await {
            Ok(Some(id)) => id,
            Ok(None) => return Err(Opening::Denied),
            Err(_) => return Err(temporary),
        };
        lock(self.service.store.account(id)).await
    }

    async fn body(&self, number: MessageNumber) -> Result<Body, ReadError> {
        let maildrop = self.maildrop.as_ref().ok_or(ReadError::Gone)?;
        let uid = maildrop.snapshot.uid(number).ok_or(ReadError::Gone)?;
        let mut body = None;
        let mut visit = |meta: &crate::account::MessageMeta| {
            body = Some(meta.body.clone());
            core::ops::ControlFlow::Break(())
        };
        maildrop.account.meta(&maildrop.snapshot.columns, &UidSet::from(uid), &mut visit).await?;
        body.ok_or(ReadError::Gone)
    }

    /// Sends until the session has no room, or the message is complete.
    async fn send(&mut self, session: &mut Server) {
        let Some(maildrop) = &self.maildrop else { return };
        let Some(mut sending) = self.sending.take() else { return };
        loop {
            if sending.rest.is_empty() {
                if sending.read == sending.body.size() {
                    let _ = session.finish(sending.token);
                    return;
                }
                let at = sending.read..sending.read.saturating_add(READ);
                match maildrop.account.body(&sending.body, at).await {
                    Ok(octets) => {
                        sending.read = sending.read.saturating_add(octets.len() as u64);
                        sending.rest = octets;
                    }
                    Err(error) => {
                        let _ = session.unavailable(sending.token, why(&error));
                        return;
                    }
                }
            }
            match session.content(&sending.token, &sending.rest) {
                Ok(Intake::Taken(count)) => {
                    sending.rest.advance(count.min(sending.rest.len()));
                    if !sending.rest.is_empty() {
                        // Until there is room.
                        self.sending = Some(sending);
                        return;
                    }
                }
                Ok(Intake::Enough) | Err(_) => return,
            }
        }
    }

    /// RFC 1939 §6: removes what is marked, all in one commit.
    async fn commit(&mut self, deleted: &Deletions, now: UnixTime) -> Commit {
        let Some(maildrop) = &self.maildrop else { return Commit::None(Severity::Temporary) };
        let uids: UidSet = deleted.iter().filter_map(|number| maildrop.snapshot.uid(number)).collect();
        let work = Work::new(alloc::vec![Intent::Expunge(uids)], now);
        match maildrop.account.apply(maildrop.mailbox, work).await {
            Ok(applied) if applied.iter().all(|applied| matches!(applied, Applied::Expunged { .. })) => {
                Commit::All
            }
            // The mailbox itself is gone, and its messages with it; somebody should know.
            Ok(_) => Commit::None(Severity::Permanent),
            // What an unknown outcome left behind, the next session shows.
            Err(WriteError::Poisoned) => Commit::None(Severity::Permanent),
            Err(_) => Commit::None(Severity::Temporary),
        }
    }
}

/// Takes the lease of the INBOX of `account`, then its snapshot.
async fn lock<A: Account>(account: A) -> Result<OpenMaildrop<A>, Opening> {
    let unavailable = |error: &OpenError| match error {
        OpenError::NoSuchMailbox => Opening::Denied,
        OpenError::Read(error) => Opening::Unavailable(severity(error)),
    };
    let inbox = MailboxName::inbox();
    let mailbox = account.open(&inbox).await.map_err(|error| unavailable(&error))?.info.id;
    let lease = match account.lease(mailbox).await {
        Ok(lease) => lease,
        Err(LeaseError::InUse(_)) => return Err(Opening::InUse),
        Err(LeaseError::Write(_)) => return Err(Opening::Unavailable(Severity::Temporary)),
    };
    // Only now: the session that had the lease before may just have removed messages.
    let Opened { info, columns, pin, .. } =
        account.open(&inbox).await.map_err(|error| unavailable(&error))?;
    let snapshot = Snapshot { columns, uid_validity: info.uid_validity.get(), _pin: pin, _lease: lease };
    Ok(OpenMaildrop { account, mailbox: info.id, snapshot: Arc::new(snapshot) })
}

const fn severity(error: &ReadError) -> Severity {
    match error {
        ReadError::Corrupt { .. } | ReadError::Newer { .. } => Severity::Permanent,
        _ => Severity::Temporary,
    }
}

const fn why(error: &ReadError) -> Unavailable {
    match severity(error) {
        Severity::Permanent => Unavailable::Vanished,
        Severity::Temporary if matches!(error, ReadError::Gone) => Unavailable::Vanished,
        Severity::Temporary => Unavailable::Temporary,
    }
}
