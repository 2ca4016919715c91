//! The DEFLATE layer of a [`Transport`](super::Transport): RFC 4978, raw DEFLATE (RFC 1951) both ways, and
//! its end (RFC 8437 §3).
//!
//! # Where the layer ends
//! The session that reads the last compressed line is the only one that knows that it is the last. So the
//! decompressor never runs ahead of it: it is given octets up to the next flush of the peer only, which
//! ends in four fixed octets, and the session reads what they became before more is inflated. Should the
//! four octets stand elsewhere by chance, that costs a turn and nothing else.
//!
//! # Memory
//! About 310 KiB for the compressor and 45 KiB for the decompressor (measured in `tests/memory.rs`), allocated when the layer is put in
//! place. A step inflates [`STEP`] octets at the most, however small its input.

use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf as _, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use memchr::memmem;

use super::LayerError;

/// A step of inflation ends when it has made so much.
const STEP: usize = 16 * 1024;
/// What the decompressor writes at once.
const PIECE: usize = 4 * 1024;
/// The end of a flush: length and complement of an empty stored block (RFC 1951 §3.2.4).
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// A compressor and a decompressor.
pub(super) struct Deflate {
    compress: Compress,
    decompress: Decompress,
    /// The octets that were inflated last.
    last: [u8; 4],
    /// Octets at the front of the input that may be inflated: up to the end of a flush, or all there were.
    segment: usize,
    /// Whether the decompressor may hold output that found no room.
    held: bool,
    /// Whether the peer finished its stream.
    finished: bool,
    /// Whether its stream is damaged behind what was inflated.
    damaged: bool,
}

impl Deflate {
    #[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            // RFC 4978 §4: window bits −8 to −15, which means no zlib header.
            compress: Compress::new(Compression::default(), false),
            decompress: Decompress::new(false),
            last: [0xff; 4],
            segment: 0,
            held: false,
            finished: false,
            damaged: false,
        })
    }

    /// Inflates a step: up to the next flush in `input`, and about [`STEP`] octets into `plain` at the most.
    /// `true` if anything moved.
    pub(super) fn inflate(&mut self, input: &mut BytesMut, plain: &mut BytesMut) -> Result<bool, LayerError> {
        if self.damaged {
            return Err(LayerError::Deflate);
        }
        if self.finished {
            return if input.is_empty() { Ok(false) } else { Err(LayerError::Deflate) };
        }
        if self.segment == 0 && !self.held {
            self.segment = self.next_segment(input);
        }
        let start = plain.len();
        let mut moved = false;
        let mut piece = [0; PIECE];
        while (self.segment > 0 || self.held) && plain.len() - start < STEP {
            let offered = input.get(..self.segment).unwrap_or_default();
            let (before_in, before_out) = (self.decompress.total_in(), self.decompress.total_out());
            let status = self.decompress.decompress(offered, &mut piece, FlushDecompress::None);
            let taken = usize::try_from(self.decompress.total_in() - before_in).unwrap_or(usize::MAX);
            let made = usize::try_from(self.decompress.total_out() - before_out).unwrap_or(usize::MAX);
            self.remember(offered.get(..taken).unwrap_or_default());
            input.advance(taken.min(input.len()));
            self.segment = self.segment.saturating_sub(taken);
            plain.extend_from_slice(piece.get(..made).unwrap_or_default());
            moved |= made > 0;
            let Ok(status) = status else {
                // What stands before the damage is read first, as if it had come alone.
                self.damaged = true;
                return if moved { Ok(true) } else { Err(LayerError::Deflate) };
            };
            self.held = made == PIECE;
            self.finished = status == Status::StreamEnd;
            moved |= taken > 0;
            if self.finished || taken == 0 && made == 0 {
                self.segment = 0;
                self.held = false;
            }
        }
        Ok(moved)
    }

    /// Reads the peer's stream to its end: the flush that is under way, or the final block. `true` if
    /// what is left of `input` stands behind it.
    pub(super) fn end(&mut self, input: &mut BytesMut) -> Result<bool, LayerError> {
        let mut behind = BytesMut::new();
        while !self.is_at_end() && self.inflate(input, &mut behind)? {
            if !behind.is_empty() {
                return Err(LayerError::Deflate);
            }
        }
        Ok(self.is_at_end())
    }

    /// Whether everything before a flush, and nothing behind it, was inflated.
    fn is_at_end(&self) -> bool {
        self.finished || self.last == FLUSH && self.segment == 0 && !self.held
    }

    /// How many octets of `input` there are up to the end of a flush, which may have begun before it.
    fn next_segment(&self, input: &[u8]) -> usize {
        let begun = (1..FLUSH.len()).rev().find(|&begun| {
            let (before, behind) = FLUSH.split_at(begun);
            self.last.ends_with(before) && input.starts_with(behind)
        });
        match begun {
            Some(begun) => FLUSH.len() - begun,
            None => memmem::find(input, &FLUSH).map_or(input.len(), |start| start + FLUSH.len()),
        }
    }

    fn remember(&mut self, taken: &[u8]) {
        for &octet in taken.iter().skip(taken.len().saturating_sub(FLUSH.len())) {
            let [_, second, third, fourth] = self.last;
            self.last = [second, third, fourth, octet];
        }
    }

    /// Deflates `plain` and flushes it, so that the peer can read all of it.
    pub(super) fn deflate(&mut self, plain: &[u8]) -> Vec<u8> {
        // What cannot be compressed grows by less than that, so one call is enough but for accidents.
        let mut wire = Vec::with_capacity(plain.len() + plain.len() / 8 + 64);
        let mut rest = plain;
        loop {
            let before = self.compress.total_in();
            wire.reserve(64);
            // A flush ends each batch: the peer could not read it to its end otherwise.
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
