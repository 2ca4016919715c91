//! APPEND into the store.

use bytes::Bytes;
use mailwright_core::value::UnixTime;
use mailwright_imap::server::{Refusal, Stored};
use mailwright_imap::types::AppendCommand;

use super::{Handler, find, refusal};
use crate::account::{Account as _, Append, Applied, Intent, Upload as _, Work};
use crate::engine::{Blobs, Engine};
use crate::identifier::MailboxId;
use crate::mail::StoreUpload;
use crate::serve::Compute;

/// A message on its way into the store.
pub(super) struct Appending<E: Engine + Blobs> {
    mailbox: MailboxId,
    append: AppendCommand,
    upload: Result<StoreUpload<E>, Refusal>,
}

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    pub(super) async fn begin_append(&mut self, append: AppendCommand, octets: u64) -> Result<(), Refusal> {
        let name = append.mailbox.name().ok_or_else(refusal::no_such_mailbox)?;
        let account = self.account.as_ref().ok_or_else(refusal::no_account)?;
        let mailbox = find(account, name).await?.ok_or_else(refusal::create_it_first)?.id;
        let usage = self.service.store.quota(account.id()).await.map_err(|error| refusal::of_read(&error))?;
        if usage.is_some_and(|usage| !usage.fits(octets)) {
            return Err(Refusal::new(mailwright_imap::types::Code::OverQuota, "over quota"));
        }
        let upload = account.upload(Some(octets)).await.map_err(|error| refusal::of_write(&error))?;
        self.appending = Some(Appending { mailbox, append, upload: Ok(upload) });
        Ok(())
    }

    pub(super) async fn append_content(&mut self, octets: Bytes) {
        let Some(appending) = &mut self.appending else { return };
        if let Ok(upload) = &mut appending.upload
            && let Err(error) = upload.write(octets).await
        {
            // The rest is read to its end.
            appending.upload = Err(refusal::of_write(&error));
        }
    }

    pub(super) async fn end_append(&mut self, now: UnixTime) -> Result<Stored, Refusal> {
        let Appending { mailbox, append, upload } =
            self.appending.take().ok_or_else(|| Refusal::new(None, "no message"))?;
        let account = self.account.as_ref().ok_or_else(refusal::no_account)?;
        let uploaded = upload?.finish().await.map_err(|error| refusal::of_write(&error))?;
        let mut intent = Append::new(uploaded, append.date.map_or(now, |date| date.time));
        intent.zone = append.date.map_or(0, |date| date.zone);
        intent.flags = append.flags;
        let work = Work::new(alloc::vec![Intent::Append(intent)], now);
        let applied = account.apply(mailbox, work).await.map_err(|error| refusal::of_write(&error))?;
        match applied.into_iter().next() {
            Some(Applied::Appended { uid_validity, uid, .. }) => Ok(Some((uid_validity, uid))),
            Some(Applied::Refused(refusal)) => Err(refusal::of_refusal(&refusal)),
            _ => Ok(None),
        }
    }
}
