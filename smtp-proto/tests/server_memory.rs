//! What a session allocates, in octets, whatever the peer sends. Rules S-6 and 2.1.4 (one line in the memory
//! of one line), S-10 (undecided commands), the bound of [`Limits`](mailwright_smtp::server::Limits).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_wrap,
    reason = "a test may panic"
)]

use std::alloc::System;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_smtp::server::{Config, Event, Server};
use mailwright_smtp::types::Reply;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One measurement at a time: the counters are those of the process.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn held(region: &Region<'_, System>) -> isize {
    let stats = region.change();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

const NOW: Instant = Instant::ORIGIN;

fn config() -> Arc<Config> {
    Arc::new(Config::new("mx.example.org").unwrap())
}

/// A driver that reads at most 4 KiB at a time, and a host that answers at once and keeps nothing.
struct Peer {
    server: Server,
    input: BytesMut,
    said: u64,
}

impl Peer {
    fn new(config: Arc<Config>) -> Self {
        let mut peer = Self { server: Server::new(config, [1; 32]), input: BytesMut::new(), said: 0 };
        peer.turn();
        peer
    }

    fn turn(&mut self) {
        loop {
            let before = (self.input.len(), self.said);
            self.server.handle_input(&mut self.input, NOW);
            while let Some(event) = self.server.poll_event() {
                match event {
                    Event::Recipient(it) => self.server.answer(it.token, Reply::RECIPIENT_OK).unwrap(),
                    Event::Message(it) => self.server.answer(it.token, Reply::MESSAGE_ACCEPTED).unwrap(),
                    _ => {}
                }
            }
            let count = self.server.transmit().len();
            self.server.transmit().advance(count);
            self.said += count as u64;
            if before == (self.input.len(), self.said) {
                break;
            }
        }
        if self.input.is_empty() {
            self.input.clear();
        }
    }

    fn send(&mut self, octets: &[u8]) {
        for piece in octets.chunks(4096) {
            self.input.extend_from_slice(piece);
            self.turn();
        }
    }
}

/// The most that is held while pieces are sent again and again.
fn peak(peer: &mut Peer, region: &Region<'_, System>, piece: &[u8], times: usize) -> isize {
    let mut most = 0;
    for _ in 0..times {
        peer.send(piece);
        most = most.max(held(region));
    }
    most
}

#[test]
fn s6_a_line_without_end_is_held_in_the_memory_of_one_line() {
    let _alone = alone();
    let config = config();
    let piece = vec![b'a'; 4096];
    for front in [&b""[..], b"AUTH PLAIN ", b"RCPT TO:<", b"\0"] {
        let region = Region::new(ALLOCATOR);
        let mut peer = Peer::new(Arc::clone(&config));
        peer.send(b"EHLO a\r\n");
        peer.send(front);
        let most = peak(&mut peer, &region, &piece, 2560);
        assert!(most < 24 * 1024, "{most} octets for {}", front.escape_ascii());
        peer.send(b"\r\nNOOP\r\n");
        assert!(!peer.server.wants().close);
    }
}

#[test]
fn content_and_chunks_pass_without_being_collected() {
    let _alone = alone();
    let config = config();
    let line = [b'a'; 998];
    let lines = [&line[..], b"\r\n"].concat().repeat(4);
    for start in [&b"MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n"[..], b"BDAT 99999999\r\n"] {
        for piece in [&lines[..], &line, b"\r\n.", b"\n\r.\r\n.\r\r"] {
            let region = Region::new(ALLOCATOR);
            let mut peer = Peer::new(Arc::clone(&config));
            peer.send(b"EHLO a\r\n");
            peer.send(start);
            let most = peak(&mut peer, &region, piece, 2000);
            assert!(most < 24 * 1024, "{most} octets for {}", piece[..8.min(piece.len())].escape_ascii());
        }
    }
}

#[test]
fn undecided_recipients_and_events_that_nobody_takes_stay_below_the_bound() {
    let _alone = alone();
    let config = config();
    // The longest addresses that the 64 KiB allow for, and the shortest.
    for length in [1, 40, 64] {
        let local = "a".repeat(length);
        let domain =
            if length == 64 { format!("{}.{}.org", "b".repeat(60), "c".repeat(60)) } else { "b".into() };
        let line = format!("RCPT TO:<@x.example,@y.example:{local}@{domain}>\r\n");
        let region = Region::new(ALLOCATOR);
        let mut peer = Peer::new(Arc::clone(&config));
        peer.send(b"EHLO a\r\nMAIL FROM:<a@b>\r\n");
        let mut most = 0;
        let mut events = Vec::with_capacity(2000);
        let room = held(&region);
        for _ in 0..2000 {
            // A driver does not read on while the session takes no input.
            if !peer.server.wants().input {
                break;
            }
            peer.input.extend_from_slice(line.as_bytes());
            peer.server.handle_input(&mut peer.input, NOW);
            most = most.max(held(&region) - room);
        }
        assert!(peer.server.wants().answers > 200, "{}", peer.server.wants().answers);
        assert!(!peer.server.wants().input);
        events.extend(core::iter::from_fn(|| peer.server.poll_event()));
        assert!(most < 512 * 1024, "{most} octets for {length}");
    }
}

#[test]
fn errors_and_replies_that_nobody_reads_stay_below_the_bound() {
    let _alone = alone();
    let mut config = Config::new("mx.example.org").unwrap();
    (config.limits.soft_errors, config.limits.hard_errors, config.limits.idle_commands) =
        (u32::MAX, u32::MAX, u32::MAX);
    let config = Arc::new(config);
    for line in ["NOOP\r\n", "HELP\r\n", "RCPT TO:<\r\n", "EHLO a\r\n", "MAIL FROM:<a@b> FOO\r\n", "\x01\r\n"]
    {
        let region = Region::new(ALLOCATOR);
        let mut peer = Peer::new(Arc::clone(&config));
        peer.send(b"EHLO a\r\n");
        let mut most = 0;
        for _ in 0..20_000 {
            if !peer.server.wants().input {
                break;
            }
            peer.input.extend_from_slice(line.as_bytes());
            peer.server.handle_input(&mut peer.input, NOW);
            most = most.max(held(&region));
        }
        assert!(!peer.server.wants().input, "{line:?}");
        assert!(most < 512 * 1024, "{most} octets for {line:?}");
    }
}

/// What a session holds that has been told this.
fn idle(said: &[u8]) -> isize {
    let _alone = alone();
    let config = config();
    let mut peers = Vec::with_capacity(1000);
    let region = Region::new(ALLOCATOR);
    for _ in 0..1000 {
        let mut peer = Peer::new(Arc::clone(&config));
        peer.send(said);
        peer.input = BytesMut::new();
        peers.push(peer.server);
    }
    held(&region) / 1000 + size_of::<Server>() as isize
}

#[test]
fn an_idle_session_is_small() {
    let each = idle(b"EHLO client.example.com\r\nNOOP\r\n");
    assert!(each < 1024, "{each} octets, {} of them the session itself", size_of::<Server>());
}

#[test]
fn an_idle_session_that_has_taken_mail_keeps_room_for_more_and_is_small() {
    let group = [
        &b"EHLO client.example.com\r\nMAIL FROM:<alice@example.com>\r\n"[..],
        &b"RCPT TO:<bob@example.org>\r\n".repeat(100),
        b"DATA\r\n.\r\n",
    ];
    let each = idle(&group.concat());
    assert!(each < 3072, "{each} octets, {} of them the session itself", size_of::<Server>());
}

#[test]
fn a_message_after_others_costs_no_more_than_they_did() {
    let _alone = alone();
    let mut config = Config::new("mx.example.org").unwrap();
    config.limits.transactions = u32::MAX;
    let mut peer = Peer::new(Arc::new(config));
    peer.input.reserve(16_384);
    peer.send(b"EHLO a\r\n");
    let body = "a line of some text\r\n".repeat(190);
    let message = "MAIL FROM:<alice@example.com> SIZE=4000\r\nRCPT TO:<bob@example.org>\r\n\
         RCPT TO:<carol@example.org>\r\nRCPT TO:<dave@example.org>\r\nDATA\r\n";
    let mut send = || {
        peer.send(message.as_bytes());
        peer.send(body.as_bytes());
        peer.send(b".\r\n");
    };
    (0..10).for_each(|_| send());
    let region = Region::new(ALLOCATOR);
    (0..100).for_each(|_| send());
    let stats = region.change();
    assert!(stats.allocations <= 1000, "{} allocations for 100 messages", stats.allocations);
    // Something of this is the test harness's own.
    assert!(held(&region) < 4096, "{} octets stayed", held(&region));
}
