//! [`StoreUpload`]: the octets of a message on their way into a blob, with its size and digest made on the way.

use alloc::sync::Arc;
use core::fmt;

use bytes::Bytes;
use mailwright_core::wire::LineEndCounter;
use sha2::{Digest as _, Sha256};

use super::commit::Core;
use super::store::lock;
use crate::account::{Staged, Upload, Uploaded, WriteError};
use crate::engine::{BlobWriter as _, Blobs, Engine, now};
use crate::identifier::BlobId;
use crate::mime::{self, Scanner};

/// A message that is being stored: memory does not depend on its size.
pub struct StoreUpload<E: Engine + Blobs> {
    core: Arc<Core<E>>,
    writer: E::Writer,
    digest: Sha256,
    counter: LineEndCounter,
    scanner: Scanner,
}

impl<E: Engine + Blobs> fmt::Debug for StoreUpload<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreUpload").field("octets", &self.counter.octets()).finish_non_exhaustive()
    }
}

impl<E: Engine + Blobs> StoreUpload<E> {
    pub(super) async fn start(core: Arc<Core<E>>, size_hint: Option<u64>) -> Result<Self, WriteError> {
        if size_hint.is_some_and(|size| size > core.limits().message_octets) {
            return Err(WriteError::TooLarge);
        }
        let writer = core.engine.create(size_hint).await?;
        let scanner = Scanner::new(mime::Limits::default());
        Ok(Self { core, writer, digest: Sha256::new(), counter: LineEndCounter::default(), scanner })
    }
}

/// Tells the store, until it is dropped, that an append may still show a blob.
struct HeldBlob<E: Engine + Blobs> {
    core: Arc<Core<E>>,
    blob: BlobId,
}

impl<E: Engine + Blobs> HeldBlob<E> {
    fn new(core: Arc<Core<E>>, blob: BlobId) -> Self {
        lock(&core.uploaded).insert(blob.clone());
        Self { core, blob }
    }

    /// At once where the engine can, else by `maintain`.
    fn delete(&self) {
        if !matches!(now(self.core.engine.delete(&self.blob)), Some(Ok(()))) {
            lock(&self.core.orphans).push(self.blob.clone());
        }
    }
}

impl<E: Engine + Blobs> Drop for HeldBlob<E> {
    fn drop(&mut self) {
        lock(&self.core.uploaded).remove(&self.blob);
    }
}

impl<E: Engine + Blobs> Upload for StoreUpload<E> {
    async fn write(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        if self.counter.octets().saturating_add(chunk.len() as u64) > self.core.limits().message_octets {
            return Err(WriteError::TooLarge);
        }
        self.digest.update(&chunk);
        self.counter.feed(&chunk);
        self.scanner.feed(&chunk);
        Ok(self.writer.write(chunk).await?)
    }

    async fn finish(self) -> Result<Uploaded, WriteError> {
        let Self { core, writer, digest, counter, scanner } = self;
        let blob = writer.finish().await?;
        let held = HeldBlob::new(core, blob.clone());
        let staged = Staged::new(move || held.delete());
        let digest = digest.finalize().into();
        let uploaded = Uploaded::new(blob, counter.octets(), digest, counter.added(), Some(staged));
        Ok(uploaded.with_structure(scanner.finish().to_stored()))
    }
}
