//! [`Transmit`]: the bytes that a session has for its peer.

use bytes::{Buf, BufMut, BytesMut};

/// Output of a session: a driver reads it as [`Buf`], the session appends.
///
/// Empty it holds no more than [`Transmit::RETAINED`] octets of memory, so an idle session is small
/// and a busy one does not allocate per command.
#[derive(Debug, Default)]
pub struct Transmit {
    buffer: BytesMut,
}

impl Transmit {
    /// Capacity that an empty buffer keeps.
    pub const RETAINED: usize = 512;

    /// No bytes, no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Octets that wait to be written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Appends `bytes`.
    pub fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The buffer itself, for encoders that write in place. Only append.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Moves everything out, for tests and layers.
    #[must_use]
    pub fn take(&mut self) -> BytesMut {
        core::mem::take(&mut self.buffer)
    }
}

impl Buf for Transmit {
    fn remaining(&self) -> usize {
        self.buffer.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.buffer
    }

    fn advance(&mut self, count: usize) {
        self.buffer.advance(count.min(self.buffer.len()));
        // Room before the front counts as well.
        if self.buffer.is_empty() && self.buffer.try_reclaim(Self::RETAINED + 1) {
            self.buffer = BytesMut::new();
        }
    }
}

impl core::fmt::Write for Transmit {
    /// Appends text; never fails.
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_past_the_end_empties_instead_of_panicking() {
        let mut transmit = Transmit::new();
        transmit.put(b"250 OK\r\n");
        transmit.advance(1000);
        assert!(transmit.is_empty());
    }

    #[test]
    fn an_empty_buffer_gives_large_memory_back() {
        let mut transmit = Transmit::new();
        transmit.put(&[0; 100_000]);
        transmit.advance(100_000);
        assert!(!transmit.buffer().try_reclaim(Transmit::RETAINED + 1));
    }
}
