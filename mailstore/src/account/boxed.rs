//! [`DynAccount`]: an [`Account`] without a type parameter, for hosts that serve accounts of several kinds.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::ops::{ControlFlow, Range};
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use mailwright_core::value::{MailboxName, ModSeq, UidSet};

use super::{
    Account, Applied, Body, Change, Columns, Lease, LeaseError, ListQuery, MailboxInfo, MessageMeta,
    OpenError, Opened, Since, TreeChange, TreeOutcome, Upload, Uploaded, Work, WriteError,
};
use crate::engine::ReadError;
use crate::identifier::MailboxId;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Visitor<'a, T> = &'a mut (dyn FnMut(&T) -> ControlFlow<()> + Send);

/// [`Account`] with boxed futures.
trait Erased: Send + Sync {
    fn open<'a>(&'a self, mailbox: &'a MailboxName) -> Boxed<'a, Result<Opened, OpenError>>;
    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
        visit: &'a mut (dyn FnMut(&MailboxInfo) + Send),
    ) -> Boxed<'a, Result<(), ReadError>>;
    fn subscriptions<'a>(
        &'a self,
        visit: &'a mut (dyn FnMut(&MailboxName) + Send),
    ) -> Boxed<'a, Result<(), ReadError>>;
    fn tree(&self, change: TreeChange) -> Boxed<'_, Result<TreeOutcome, WriteError>>;
    fn apply(&self, mailbox: MailboxId, work: Work) -> Boxed<'_, Result<Vec<Applied>, WriteError>>;
    fn meta<'a>(
        &'a self,
        columns: &'a Columns,
        uids: &'a UidSet,
        visit: Visitor<'a, MessageMeta>,
    ) -> Boxed<'a, Result<(), ReadError>>;
    fn body<'a>(&'a self, body: &'a Body, at: Range<u64>) -> Boxed<'a, Result<Bytes, ReadError>>;
    fn changes<'a>(
        &'a self,
        since: ModSeq,
        visit: Visitor<'a, Change>,
    ) -> Boxed<'a, Result<Since, ReadError>>;
    fn poll_changed(&self, context: &mut Context<'_>, seen: &mut u64) -> Poll<()>;
    fn upload(&self, size_hint: Option<u64>) -> Boxed<'_, Result<DynUpload, WriteError>>;
    fn lease(&self, mailbox: MailboxId) -> Boxed<'_, Result<Lease, LeaseError>>;
}

impl<A: Account<Upload: 'static>> Erased for A {
    fn open<'a>(&'a self, mailbox: &'a MailboxName) -> Boxed<'a, Result<Opened, OpenError>> {
        Box::pin(Account::open(self, mailbox))
    }

    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
        visit: &'a mut (dyn FnMut(&MailboxInfo) + Send),
    ) -> Boxed<'a, Result<(), ReadError>> {
        Box::pin(Account::list(self, query, visit))
    }

    fn subscriptions<'a>(
        &'a self,
        visit: &'a mut (dyn FnMut(&MailboxName) + Send),
    ) -> Boxed<'a, Result<(), ReadError>> {
        Box::pin(Account::subscriptions(self, visit))
    }

    fn tree(&self, change: TreeChange) -> Boxed<'_, Result<TreeOutcome, WriteError>> {
        Box::pin(Account::tree(self, change))
    }

    fn apply(&self, mailbox: MailboxId, work: Work) -> Boxed<'_, Result<Vec<Applied>, WriteError>> {
        Box::pin(Account::apply(self, mailbox, work))
    }

    fn meta<'a>(
        &'a self,
        columns: &'a Columns,
        uids: &'a UidSet,
        visit: Visitor<'a, MessageMeta>,
    ) -> Boxed<'a, Result<(), ReadError>> {
        Box::pin(Account::meta(self, columns, uids, visit))
    }

    fn body<'a>(&'a self, body: &'a Body, at: Range<u64>) -> Boxed<'a, Result<Bytes, ReadError>> {
        Box::pin(Account::body(self, body, at))
    }

    fn changes<'a>(
        &'a self,
        since: ModSeq,
        visit: Visitor<'a, Change>,
    ) -> Boxed<'a, Result<Since, ReadError>> {
        Box::pin(Account::changes(self, since, visit))
    }

    fn poll_changed(&self, context: &mut Context<'_>, seen: &mut u64) -> Poll<()> {
        Account::poll_changed(self, context, seen)
    }

    fn upload(&self, size_hint: Option<u64>) -> Boxed<'_, Result<DynUpload, WriteError>> {
        Box::pin(async move { Ok(DynUpload(Box::new(Account::upload(self, size_hint).await?))) })
    }

    fn lease(&self, mailbox: MailboxId) -> Boxed<'_, Result<Lease, LeaseError>> {
        Box::pin(Account::lease(self, mailbox))
    }
}

/// Any [`Account`]. `Clone` gives another handle on the same one.
#[derive(Clone)]
pub struct DynAccount(Arc<dyn Erased>);

impl DynAccount {
    /// Hides the type of `account`.
    #[must_use]
    pub fn new<A: Account<Upload: 'static> + 'static>(account: A) -> Self {
        Self(Arc::new(account))
    }
}

impl fmt::Debug for DynAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynAccount")
    }
}

impl Account for DynAccount {
    type Upload = DynUpload;

    async fn open(&self, mailbox: &MailboxName) -> Result<Opened, OpenError> {
        self.0.open(mailbox).await
    }

    async fn list(
        &self,
        query: &ListQuery,
        visit: &mut (dyn FnMut(&MailboxInfo) + Send),
    ) -> Result<(), ReadError> {
        self.0.list(query, visit).await
    }

    async fn subscriptions(&self, visit: &mut (dyn FnMut(&MailboxName) + Send)) -> Result<(), ReadError> {
        self.0.subscriptions(visit).await
    }

    async fn tree(&self, change: TreeChange) -> Result<TreeOutcome, WriteError> {
        self.0.tree(change).await
    }

    async fn apply(&self, mailbox: MailboxId, work: Work) -> Result<Vec<Applied>, WriteError> {
        self.0.apply(mailbox, work).await
    }

    async fn meta(
        &self,
        columns: &Columns,
        uids: &UidSet,
        visit: &mut (dyn FnMut(&MessageMeta) -> ControlFlow<()> + Send),
    ) -> Result<(), ReadError> {
        self.0.meta(columns, uids, visit).await
    }

    async fn body(&self, body: &Body, at: Range<u64>) -> Result<Bytes, ReadError> {
        self.0.body(body, at).await
    }

    async fn changes(
        &self,
        since: ModSeq,
        visit: &mut (dyn FnMut(&Change) -> ControlFlow<()> + Send),
    ) -> Result<Since, ReadError> {
        self.0.changes(since, visit).await
    }

    fn poll_changed(&self, context: &mut Context<'_>, seen: &mut u64) -> Poll<()> {
        self.0.poll_changed(context, seen)
    }

    async fn upload(&self, size_hint: Option<u64>) -> Result<DynUpload, WriteError> {
        self.0.upload(size_hint).await
    }

    async fn lease(&self, mailbox: MailboxId) -> Result<Lease, LeaseError> {
        self.0.lease(mailbox).await
    }
}

/// [`Upload`] with boxed futures.
trait ErasedUpload: Send {
    fn write(&mut self, chunk: Bytes) -> Boxed<'_, Result<(), WriteError>>;
    fn finish(self: Box<Self>) -> Boxed<'static, Result<Uploaded, WriteError>>;
}

impl<U: Upload + 'static> ErasedUpload for U {
    fn write(&mut self, chunk: Bytes) -> Boxed<'_, Result<(), WriteError>> {
        Box::pin(Upload::write(self, chunk))
    }

    fn finish(self: Box<Self>) -> Boxed<'static, Result<Uploaded, WriteError>> {
        Box::pin(Upload::finish(*self))
    }
}

/// A message that is being stored in a [`DynAccount`].
pub struct DynUpload(Box<dyn ErasedUpload>);

impl fmt::Debug for DynUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynUpload")
    }
}

impl Upload for DynUpload {
    async fn write(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        self.0.write(chunk).await
    }

    async fn finish(self) -> Result<Uploaded, WriteError> {
        self.0.finish().await
    }
}
