//! A client behind COMPRESS, and the server's end of its connection by hand: octets of the wire as they are.

#![allow(dead_code, reason = "each test program uses some of it")]

use bytes::{Buf as _, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use mailwright_core::session::{Session as _, Transport};
use mailwright_core::value::Instant;
use mailwright_imap::client::{Client, Config, Event};
use mailwright_imap::types::{Atom, Command};

use crate::peer::commander::{SEED, tagged};

const NOW: Instant = Instant::ORIGIN;

pub(crate) fn compress() -> Command {
    Command::Compress(Atom::new("DEFLATE").unwrap())
}

/// A compressor of the server.
pub(crate) struct Deflater(Compress);

impl Deflater {
    pub(crate) fn new() -> Self {
        Self(Compress::new(Compression::default(), false))
    }

    /// Text with tags in place, so that the client can read all of it.
    pub(crate) fn says(&mut self, text: &str) -> Vec<u8> {
        self.deflate(&tagged(text), FlushCompress::Sync)
    }

    pub(crate) fn deflate(&mut self, octets: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut wire = Vec::with_capacity(octets.len() + (1 << 18));
        self.0.compress_vec(octets, &mut wire, flush).unwrap();
        assert!(wire.len() < wire.capacity());
        wire
    }
}

pub(crate) struct Wire {
    pub(crate) transport: Transport<Client>,
    pub(crate) input: BytesMut,
    inflater: Decompress,
}

impl Wire {
    /// A client that someone is logged in to, of a server with these capabilities.
    pub(crate) fn new(config: Config, capabilities: &str) -> Self {
        let transport = Transport::plain(Client::new(config, SEED));
        let mut wire = Self { transport, input: BytesMut::new(), inflater: Decompress::new(false) };
        wire.hears(format!("* PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] x\r\n").as_bytes());
        wire
    }

    /// The same behind COMPRESS; the next tag is `$2`.
    pub(crate) fn compressed(config: Config, capabilities: &str) -> Self {
        let mut wire = Self::new(config, &format!("COMPRESS=DEFLATE {capabilities}"));
        assert_eq!(wire.sends(compress()), tagged("$1 COMPRESS DEFLATE\r\n"));
        let events = wire.hears(&tagged("$1 OK go\r\n"));
        assert!(matches!(&events[..], [Event::Completed { .. }, Event::Compressed]), "{events:?}");
        wire
    }

    /// Octets come over the wire; what the host is told.
    pub(crate) fn hears(&mut self, octets: &[u8]) -> Vec<Event> {
        self.input.extend_from_slice(octets);
        let mut events = Vec::new();
        loop {
            let before = self.input.len();
            self.transport.handle_input(&mut self.input, NOW);
            let count = events.len();
            events.extend(core::iter::from_fn(|| self.transport.poll_event()));
            if before == self.input.len() && count == events.len() {
                return events;
            }
        }
    }

    /// A command; the octets that go over the wire.
    pub(crate) fn sends(&mut self, command: Command) -> Vec<u8> {
        self.transport.session_mut().command(command).unwrap();
        self.wrote()
    }

    pub(crate) fn wrote(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        // As a driver does: what an event made possible moves when the session is asked.
        self.transport.handle_input(&mut self.input, NOW);
        while self.transport.transmit().has_remaining() {
            let chunk = self.transport.transmit().chunk().to_vec();
            self.transport.transmit().advance(chunk.len());
            wire.extend_from_slice(&chunk);
        }
        wire
    }

    /// What the octets of the client say behind COMPRESS, all that went before told.
    pub(crate) fn inflate(&mut self, wire: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(1 << 16);
        self.inflater.decompress_vec(wire, &mut plain, FlushDecompress::None).unwrap();
        plain
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        self.transport.session_mut()
    }
}
