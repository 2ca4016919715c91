//! What a session allocates once it has taken mail: nothing for the next message, by DATA or BDAT.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use allocation_counter::measure;
use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_smtp::server::{Config, Event, Server};
use mailwright_smtp::types::Reply;

/// A session, and a driver with one buffer for its input.
struct Peer {
    server: Server,
    input: BytesMut,
    accepted: usize,
}

impl Peer {
    fn new(config: Config) -> Self {
        let input = BytesMut::with_capacity(16_384);
        Self { server: Server::new(config, [1; 32]), input, accepted: 0 }
    }

    fn send(&mut self, octets: &[u8]) {
        self.input.extend_from_slice(octets);
        loop {
            let before = (self.input.len(), self.server.transmit().len());
            self.server.handle_input(&mut self.input, Instant::ORIGIN);
            while let Some(event) = self.server.poll_event() {
                match event {
                    Event::Sender(it) if self.server.config().ask.sender => {
                        self.server.answer(it.token, Reply::SENDER_OK).unwrap();
                    }
                    Event::Recipient(it) => self.server.answer(it.token, Reply::RECIPIENT_OK).unwrap(),
                    Event::Message(it) => {
                        self.accepted += 1;
                        self.server.answer(it.token, Reply::MESSAGE_ACCEPTED).unwrap();
                    }
                    _ => {}
                }
            }
            let written = self.server.transmit().len();
            self.server.transmit().advance(written);
            if before == (self.input.len(), 0) && written == 0 {
                break;
            }
        }
    }
}

#[test]
fn a_message_behind_others_allocates_nothing() {
    let envelope = "MAIL FROM:<alice@example.com> SIZE=4000\r\nRCPT TO:<bob@example.org>\r\n\
         RCPT TO:<carol@example.org>\r\nRCPT TO:<dave@example.org>\r\n";
    let lines = "a line of some text\r\n".repeat(190);
    let by_data = format!("{envelope}DATA\r\n{lines}.\r\n");
    let by_bdat =
        format!("{envelope}BDAT 19\r\n{}BDAT {} LAST\r\n{}", &lines[..19], lines.len() - 19, &lines[19..]);
    for asks_sender in [false, true] {
        let mut config = Config::new("mx.example.org").unwrap();
        config.ask.sender = asks_sender;
        let mut peer = Peer::new(config);
        peer.send(b"EHLO client.example.com\r\n");
        for message in [&by_data, &by_bdat] {
            (0..10).for_each(|_| peer.send(message.as_bytes()));
            let before = peer.accepted;
            let counted = measure(|| (0..100).for_each(|_| peer.send(message.as_bytes())));
            assert_eq!(peer.accepted, before + 100);
            assert_eq!(counted.count_total, 0, "allocations for 100 messages");
        }
    }
}
