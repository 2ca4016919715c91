//! Content on its way into the store, in constant memory.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;
use mailwright_smtp::server::Server;
use mailwright_smtp::trace::HopCounter;
use mailwright_smtp::types::Reply;

use super::{Handler, is_submission, replies};
use crate::account::Upload as _;
use crate::deliver::{HeaderFilter, HeaderRules};
use crate::engine::{Blobs, Engine};
use crate::mail::StoreUpload;
use crate::serve::Compute;

/// The most octets of From fields of a submitted message.
const MOST_FROM: usize = 16 * 1024;

/// The most octets of Delivered-To fields: more than any way has that is no loop.
const MOST_DELIVERED_TO: usize = 64 * 1024;

/// What became of the content so far.
pub(super) enum Content<E: Engine + Blobs> {
    None,
    Storing(alloc::boxed::Box<Storing<E>>),
    /// It cannot be stored, and is read to its end.
    Failed(Reply),
}

pub(super) struct Storing<E: Engine + Blobs> {
    pub(super) upload: StoreUpload<E>,
    pub(super) filter: HeaderFilter,
    pub(super) hops: HopCounter,
}

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    /// DATA: whether there is room for content.
    pub(super) async fn begin_content(&mut self, session: &Server) -> Reply {
        let Some(transaction) = &mut self.transaction else { return Reply::TRY_LATER };
        match self.service.store.upload(transaction.size).await {
            Ok(upload) => {
                let filter = HeaderFilter::new(rules(session));
                let storing = Storing { upload, filter, hops: HopCounter::new() };
                transaction.content = Content::Storing(alloc::boxed::Box::new(storing));
                Reply::START_CONTENT
            }
            Err(error) => replies::of_error(&error),
        }
    }

    pub(super) async fn store_content(&mut self, octets: Bytes) {
        let Some(transaction) = &mut self.transaction else { return };
        if let Content::Storing(storing) = &mut transaction.content
            && let Err(reply) = storing.feed(octets).await
        {
            transaction.content = Content::Failed(reply);
        }
    }

    /// Takes the content out of the transaction, complete.
    pub(super) async fn end_content(&mut self) -> Result<alloc::boxed::Box<Storing<E>>, Reply> {
        let Some(transaction) = &mut self.transaction else { return Err(Reply::TRY_LATER) };
        match mem::replace(&mut transaction.content, Content::None) {
            Content::Storing(mut storing) => {
                let mut kept = Vec::new();
                storing.filter.finish(&mut |octets| kept.push(octets));
                storing.write(kept).await?;
                Ok(storing)
            }
            Content::Failed(reply) => Err(reply),
            Content::None => Err(Reply::TRY_LATER),
        }
    }
}

impl<E: Engine + Blobs> Storing<E> {
    async fn feed(&mut self, octets: Bytes) -> Result<(), Reply> {
        self.hops.feed(&octets);
        let mut kept = Vec::new();
        self.filter.feed(octets, &mut |octets| kept.push(octets));
        self.write(kept).await
    }

    async fn write(&mut self, kept: Vec<Bytes>) -> Result<(), Reply> {
        for octets in kept {
            self.upload.write(octets).await.map_err(|error| replies::of_error(&error))?;
        }
        Ok(())
    }
}

/// Which fields go, and which are looked at.
fn rules(session: &Server) -> HeaderRules {
    let mut rules = HeaderRules::final_delivery();
    if is_submission(session) {
        rules.collect = Some(String::from("From"));
        rules.collect_limit = MOST_FROM;
    } else {
        // RFC 8601 §5: nobody but this host says what this host found out.
        rules.authserv_id = Some(String::from(session.config().name()));
        rules.collect = Some(String::from("Delivered-To"));
        rules.collect_limit = MOST_DELIVERED_TO;
    }
    rules
}
