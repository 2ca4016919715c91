//! Memory and work in numbers: what a peer can make a session hold, and what a command costs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use allocation_counter::measure;
use bytes::{Buf as _, Bytes, BytesMut};
use mailwright_core::session::{Session as _, Transmit};
use mailwright_core::testing::laws::{self, Flood};
use mailwright_core::value::Instant;
use mailwright_pop3::client::{self, Client};
use mailwright_pop3::server::{Event, Intake, Opening, RetrieveToken, Server};
use mailwright_pop3::types::{MessageNumber, UniqueId};
use support::clear_text;

const NOW: Instant = Instant::ORIGIN;
/// The default output limit.
const OUTPUT: usize = 16 * 1024;

fn drain(server: &mut Server) -> Vec<u8> {
    let octets = server.transmit().chunk().to_vec();
    server.transmit().advance(octets.len());
    octets
}

/// A server with an open maildrop of so many messages, and nothing to be written.
fn logged_in(messages: u32) -> Server {
    let list: Vec<(u64, UniqueId)> = MessageNumber::FIRST
        .up_to(messages)
        .map(|number| (1000, UniqueId::new(format!("1700000000.{number:059}").as_bytes()).unwrap()))
        .collect();
    let mut server = Server::new(clear_text(), [1; 32]);
    server.handle_input(&mut BytesMut::from("USER mrose\r\nPASS tanstaaf\r\n"), NOW);
    while let Some(event) = server.poll_event() {
        match event {
            Event::Authenticate { token, ask } => server.answer(token, ask.accept()).unwrap(),
            Event::Open { token, .. } => {
                server.answer(token, Opening::Opened(Arc::new(list.clone()))).unwrap();
            }
            event => panic!("{event:?}"),
        }
    }
    drain(&mut server);
    server
}

#[test]
fn a_listing_of_100_000_messages_is_held_16_kib_at_a_time_for_a_reader_that_stalls() {
    for keyword in ["UIDL", "LIST"] {
        let mut server = logged_in(100_000);
        let mut input = BytesMut::from(format!("{keyword}\r\nNOOP\r\n").as_str());
        let stalled = measure(|| {
            server.handle_input(&mut input, NOW);
            for _ in 0..100 {
                server.handle_timeout(NOW);
                assert!(server.poll_event().is_none());
                assert!(server.transmit().len() <= OUTPUT);
            }
        });
        // Nobody reads: nothing more is made, and nothing more is read.
        assert!(server.transmit().len() > OUTPUT / 2);
        assert!(!server.wants().input);
        assert_eq!(&input[..], b"NOOP\r\n");
        assert!(stalled.bytes_max <= OUTPUT as u64 + 1024, "{stalled:?}");

        // Then it reads, a little at a time.
        let (mut lines, mut octets, mut last) = (0, 0_u64, 0);
        let read = measure(|| {
            while lines < 100_002 {
                let transmit = server.transmit();
                let chunk = transmit.chunk();
                let piece = &chunk[..chunk.len().min(777)];
                lines += piece.iter().filter(|&&octet| octet == b'\n').count();
                let count = piece.len();
                octets += count as u64;
                transmit.advance(count);
                server.handle_timeout(NOW);
                last = last.max(server.transmit().len());
            }
        });
        assert!(last <= OUTPUT, "{last}");
        assert!(octets > 1_000_000);
        assert!(read.count_total < 200 && read.bytes_max <= OUTPUT as u64, "{read:?}");
        server.handle_input(&mut input, NOW);
        assert_eq!(drain(&mut server), b"+OK\r\n");
    }
}

fn retrieve(server: &mut Server, line: &str) -> RetrieveToken {
    server.handle_input(&mut BytesMut::from(line), NOW);
    let Some(Event::Retrieve { token, .. }) = server.poll_event() else { panic!() };
    token
}

/// Sends a message piece by piece to a reader that takes everything; what it was handed, octet for octet.
fn send(server: &mut Server, pieces: impl Iterator<Item = Bytes>, mut take: impl FnMut(&[u8])) -> usize {
    let token = retrieve(server, "RETR 1\r\n");
    let mut most = 0;
    let mut read = |server: &mut Server| {
        let transmit = server.transmit();
        most = most.max(transmit.len());
        let count = transmit.len();
        take(transmit.chunk());
        transmit.advance(count);
    };
    for piece in pieces {
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let Ok(Intake::Taken(taken)) = server.content(&token, rest) else { panic!() };
            rest = &rest[taken..];
            if taken == 0 || !rest.is_empty() {
                read(server);
                assert!(matches!(server.poll_event(), Some(Event::Room)));
            }
        }
    }
    server.finish(token).unwrap();
    read(server);
    most
}

#[test]
fn a_message_of_16_mib_goes_through_16_kib() {
    let content = Bytes::from(b".\n".repeat(32 * 1024));
    let mut server = logged_in(1);
    let (mut most, mut sent) = (0, 0_u64);
    let memory = measure(|| {
        let pieces = core::iter::repeat_n(&content, 256).cloned();
        most = send(&mut server, pieces, |octets| sent += octets.len() as u64);
    });
    assert!(most <= OUTPUT, "{most}");
    // The buffer that the first line was in, rounded up.
    assert!(memory.bytes_max <= OUTPUT as u64 + 1024, "{memory:?}");
    // Each line of two octets became one of four: the dot doubled, the LF made CR LF.
    assert_eq!(sent, 16 * 1024 * 1024 * 2 + "+OK 1000 octets\r\n.\r\n".len() as u64);
}

#[test]
fn a_message_of_256_mib_goes_from_server_to_client_in_less_than_1_mib() {
    const PIECES: usize = 4096;
    const PIECE: usize = 64 * 1024;
    // Lines of 64 octets, some with a dot in front.
    let line = |at: usize| format!("{}{:061}\r\n", if at % 16 == 0 { "." } else { "x" }, at);
    let content = Bytes::from((0..PIECE / 64).map(line).collect::<String>());
    assert_eq!(content.len(), PIECE);
    let mut server = logged_in(1);
    let mut client = greeted_client();
    client.retr(MessageNumber::FIRST).unwrap();
    let (mut received, mut ends, mut input) = (0_usize, 0, BytesMut::new());
    let memory = measure(|| {
        send(&mut server, core::iter::repeat_n(&content, PIECES).cloned(), |octets| {
            input.extend_from_slice(octets);
            loop {
                client.handle_input(&mut input, NOW);
                let Some(event) = client.poll_event() else { break };
                match event {
                    client::Event::Content { chunk, .. } => {
                        let at = received % PIECE;
                        let same = chunk.len().min(PIECE - at);
                        assert!(
                            chunk[..same] == content[at..at + same]
                                && chunk[same..] == content[..chunk.len() - same]
                        );
                        received += chunk.len();
                    }
                    client::Event::End { .. } => ends += 1,
                    client::Event::Reply { .. } => {}
                    event => panic!("{event:?}"),
                }
            }
        });
    });
    assert_eq!((received, ends), (PIECES * PIECE, 1));
    assert!(memory.bytes_max < 1024 * 1024, "{memory:?}");
}

#[test]
fn content_waits_without_memory_for_a_reader_that_stalls() {
    let mut server = logged_in(1);
    let token = retrieve(&mut server, "RETR 1\r\n");
    let content = vec![b'x'; 100_000];
    let Ok(Intake::Taken(first)) = server.content(&token, &content) else { panic!() };
    assert!(first > 0 && first < OUTPUT);
    for _ in 0..1000 {
        let Ok(Intake::Taken(taken)) = server.content(&token, &content) else { panic!() };
        assert!(taken < OUTPUT);
        assert!(server.transmit().len() <= OUTPUT);
    }
    assert_eq!(server.content(&token, &content), Ok(Intake::Taken(0)));
    assert!(server.poll_event().is_none(), "there is no room to tell of");
}

#[test]
fn an_idle_session_is_small() {
    assert!(size_of::<Server>() <= 512, "{}", size_of::<Server>());
    assert!(size_of::<Client>() <= 512, "{}", size_of::<Client>());
    let mut server = logged_in(80_000);
    server.handle_input(&mut BytesMut::from("LIST\r\n"), NOW);
    while !drain(&mut server).is_empty() {
        server.handle_timeout(NOW);
    }
    let kept = measure(|| {
        server.handle_input(&mut BytesMut::from("DELE 80000\r\n"), NOW);
        drain(&mut server);
    });
    // One bit for each message, and what the output buffer keeps.
    let limit = 80_000 / 8 + Transmit::RETAINED;
    assert!(kept.bytes_current <= i64::try_from(limit).unwrap(), "{kept:?}");
}

#[test]
fn a_short_command_allocates_nothing() {
    let mut server = logged_in(10);
    let mut input = BytesMut::with_capacity(4096);
    let mut run = |server: &mut Server, lines: &[u8]| {
        input.extend_from_slice(lines);
        server.handle_input(&mut input, NOW);
        assert!(server.poll_event().is_none());
        let count = server.transmit().len();
        server.transmit().advance(count);
    };
    let lines = b"NOOP\r\nSTAT\r\nLIST 3\r\nUIDL 3\r\nDELE 3\r\nRSET\r\n";
    run(&mut server, lines);
    let made = measure(|| {
        for _ in 0..100 {
            run(&mut server, b"NOOP\r\nSTAT\r\nLIST 3\r\nUIDL 3\r\n");
        }
    });
    // The caller's buffer is made anew when its views have used it up.
    assert!(made.count_total <= 4, "{made:?}");
}

#[test]
fn ten_mebibytes_without_line_end_leave_nothing() {
    let mut server = logged_in(1);
    let piece = vec![b'x'; 1460];
    let mut input = BytesMut::with_capacity(8192);
    let memory = measure(|| {
        for _ in 0..7200 {
            input.extend_from_slice(&piece);
            server.handle_input(&mut input, NOW);
            assert!(input.len() <= 1024);
        }
    });
    assert!(memory.bytes_max <= 16 * 1024, "{memory:?}");
    assert!(server.transmit().is_empty());
    input.extend_from_slice(b"\r\n");
    server.handle_input(&mut input, NOW);
    assert_eq!(drain(&mut server), b"-ERR line too long\r\n");
}

#[test]
fn a_flood_of_commands_is_taken_only_as_its_replies_are_read() {
    let mut server = logged_in(1);
    let mut input = BytesMut::from(&b"CAPA\r\n".repeat(10_000)[..]);
    let memory = measure(|| server.handle_input(&mut input, NOW));
    assert!(input.len() > 50_000, "{}", input.len());
    assert!(server.transmit().len() <= OUTPUT);
    assert!(!server.wants().input);
    assert!(memory.bytes_max <= 2 * OUTPUT as u64, "{memory:?}");
    let mut lists = 0;
    while !input.is_empty() || !server.transmit().is_empty() {
        lists += drain(&mut server).windows(5).filter(|window| window == b"\r\n.\r\n").count();
        server.handle_input(&mut input, NOW);
    }
    assert_eq!(lists, 10_000);
}

#[test]
fn a_flood_of_tolerated_commands_is_taken_only_as_its_events_are() {
    let mut server = logged_in(1);
    let mut input = BytesMut::from(&b"NOOP \n".repeat(10_000)[..]);
    server.handle_input(&mut input, NOW);
    drain(&mut server);
    assert!(input.len() > 50_000);
    assert!(!server.wants().input);
    let (mut events, mut replies) = (0, 0);
    while !input.is_empty() {
        while server.poll_event().is_some() {
            events += 1;
        }
        server.handle_input(&mut input, NOW);
        replies += drain(&mut server).len() / 5;
    }
    events += core::iter::from_fn(|| server.poll_event()).count();
    assert_eq!(events, 20_000);
    assert_eq!(replies + 16, 10_000, "the first sixteen were drained above");
}

fn greeted_client() -> Client {
    let mut client = Client::new(client::Config::default(), [1; 32]);
    client.handle_input(&mut BytesMut::from("+OK\r\n"), NOW);
    while client.poll_event().is_some() {}
    client
}

fn client_of(reply: &[u8]) -> Client {
    let mut client = greeted_client();
    client.uidl(None).unwrap();
    let count = client.transmit().len();
    client.transmit().advance(count);
    client.handle_input(&mut BytesMut::from(reply), NOW);
    client
}

#[test]
fn a_client_holds_no_listing() {
    let mut client = client_of(b"+OK\r\n");
    let mut input = BytesMut::with_capacity(16 * 1024);
    let (mut events, mut number) = (0, 0);
    let memory = measure(|| {
        while number < 100_000 {
            input.reserve(4096);
            for _ in 0..50 {
                number += 1;
                let line = format!("{number} 1700000000.{number:020}\r\n");
                input.extend_from_slice(line.as_bytes());
            }
            while !input.is_empty() {
                client.handle_input(&mut input, NOW);
                while client.poll_event().is_some() {
                    events += 1;
                }
            }
        }
    });
    assert_eq!(events, 100_001);
    assert!(memory.bytes_max <= 48 * 1024, "{memory:?}");
}

#[test]
fn a_client_holds_no_more_than_a_line_of_a_reply_without_end() {
    let mut client = client_of(b"+OK\r\n");
    let mut input = BytesMut::new();
    for _ in 0..1000 {
        input.extend_from_slice(&[b'1'; 1460]);
        client.handle_input(&mut input, NOW);
        assert!(input.len() <= 4096);
        while client.poll_event().is_some() {}
    }
}

#[test]
fn no_flood_makes_a_server_hold_more_than_its_limits_come_to() {
    let login: &[u8] = b"USER mrose\r\nPASS tanstaaf\r\n";
    let bounds = support::bounds();
    for before in [&[][..], &[login]] {
        for again in [
            &b"NOOP\r\n"[..],
            b"CAPA\r\n",
            b"LIST\r\n",
            b"RETR 1\r\n",
            b"NOOP \n",
            b"x",
            b"\n",
            b"AUTH PLAIN\r\n",
            b"\0\xff",
        ] {
            let flood = Flood { before, again, octets: 100_000 };
            let make = || (Server::new(clear_text(), [1; 32]), support::Memoryless::default());
            let memory = measure(|| laws::bounded(make, flood, bounds, || 0).unwrap());
            // The session, its output, and what the driver holds of the input.
            assert!(memory.bytes_max <= 4 * OUTPUT as u64, "{} {memory:?}", again.escape_ascii());
        }
    }
}
