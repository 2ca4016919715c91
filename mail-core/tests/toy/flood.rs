//! A session that writes a lot and reads a lot, with no regard for its peer.

use bytes::BytesMut;
use mailwright_core::session::{Session, Transmit, Upgraded, Wants};
use mailwright_core::value::Instant;

/// Writes so many octets, reads so many, then closes. Its event is what it has read in the end.
#[derive(Debug)]
pub struct Flood {
    to_write: usize,
    to_read: usize,
    read: usize,
    transmit: Transmit,
    told: bool,
}

impl Flood {
    pub fn new(octets: usize) -> Self {
        Self { to_write: octets, to_read: octets, read: 0, transmit: Transmit::new(), told: false }
    }

    fn is_over(&self) -> bool {
        self.to_write == 0 && self.read >= self.to_read
    }
}

impl Session for Flood {
    type Event = usize;

    fn handle_input(&mut self, input: &mut BytesMut, _: Instant) {
        assert!(input.iter().all(|&octet| octet == b'f'));
        self.read += input.len();
        input.clear();
    }

    fn handle_eof(&mut self, _: Instant) {
        self.to_read = self.read;
        self.to_write = 0;
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn handle_upgrade(&mut self, _: Upgraded, _: Instant) {}

    fn poll_event(&mut self) -> Option<usize> {
        (self.is_over() && !core::mem::replace(&mut self.told, true)).then_some(self.read)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn transmit(&mut self) -> &mut Transmit {
        if self.transmit.is_empty() {
            let count = self.to_write.min(64 * 1024);
            self.to_write -= count;
            self.transmit.buffer().resize(count, b'f');
        }
        &mut self.transmit
    }

    fn wants(&self) -> Wants {
        if self.is_over() && self.told { Wants::CLOSE } else { Wants::INPUT }
    }
}
