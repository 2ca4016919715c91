//! The DEFLATE layer of a [`Transport`](super::Transport): RFC 4978, raw DEFLATE (RFC 1951) both ways.

use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf as _, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::LayerError;

/// A compressor and a decompressor.
pub(super) struct Deflate {
    compress: Compress,
    decompress: Decompress,
    /// Whether the peer finished its stream, which RFC 4978 never does.
    ended: bool,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self {
            // RFC 4978 §3: no zlib header.
            compress: Compress::new(Compression::default(), false),
            decompress: Decompress::new(false),
            ended: false,
        }
    }

    /// Inflates from `input` into `plain` while that holds less than `window` octets, so that a small input
    /// cannot become large memory. `true` if anything moved.
    pub(super) fn inflate(
        &mut self,
        input: &mut BytesMut,
        plain: &mut BytesMut,
        window: usize,
    ) -> Result<bool, LayerError> {
        let mut moved = false;
        let mut piece = [0; 4096];
        // Without new input it goes on too: the decompressor may hold output that found no room.
        while plain.len() < window {
            if self.ended {
                return if input.is_empty() { Ok(moved) } else { Err(LayerError::Deflate) };
            }
            let (before_in, before_out) = (self.decompress.total_in(), self.decompress.total_out());
            let status = self.decompress.decompress(input, &mut piece, FlushDecompress::None);
            let taken = usize::try_from(self.decompress.total_in() - before_in).unwrap_or(usize::MAX);
            let made = usize::try_from(self.decompress.total_out() - before_out).unwrap_or(usize::MAX);
            input.advance(taken.min(input.len()));
            plain.extend_from_slice(piece.get(..made).unwrap_or_default());
            match status {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) => {}
                Err(_) => return Err(LayerError::Deflate),
            }
            if taken == 0 && made == 0 {
                break;
            }
            moved = true;
        }
        Ok(moved)
    }

    /// Deflates `plain` and flushes it, so that the peer can read all of it.
    pub(super) fn deflate(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut wire = Vec::with_capacity(plain.len() / 2 + 64);
        let mut rest = plain;
        loop {
            let before = self.compress.total_in();
            wire.reserve(256);
            // RFC 4978 §3: a flush ends each batch of output.
            let status = self.compress.compress_vec(rest, &mut wire, FlushCompress::Sync);
            let taken = usize::try_from(self.compress.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            // Room that is left shows that the flush is complete.
            if rest.is_empty() && wire.len() < wire.capacity() || status.is_err() {
                return wire;
            }
        }
    }
}

impl fmt::Debug for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflate")
            .field("received", &self.decompress.total_out())
            .field("sent", &self.compress.total_in())
            .finish_non_exhaustive()
    }
}
