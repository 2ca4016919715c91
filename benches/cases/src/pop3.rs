//! POP3: command lines, short commands of a session, listings of 100 000 messages, messages in both directions.

use std::hint::black_box;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_core::wire::{Framed, LineEnd, LineFramer};
use mailwright_pop3::client::{self, Client};
use mailwright_pop3::server::{Config, Event, Intake, Maildrop, Opening, Server};
use mailwright_pop3::types::{Command, MessageNumber, UniqueId};

use crate::content::{Body, buffer, in_reads};
use crate::{Case, Work};

/// Command lines, by name.
pub const COMMANDS: [(&str, &str); 8] = [
    ("NOOP", "NOOP\r\n"),
    ("STAT", "STAT\r\n"),
    ("LIST", "LIST 3\r\n"),
    ("RETR", "RETR 17\r\n"),
    ("DELE", "DELE 123\r\n"),
    ("TOP", "TOP 1 10\r\n"),
    ("UIDL", "UIDL 99\r\n"),
    ("USER", "USER mrose\r\n"),
];

/// So many of a command come in one buffer.
pub const BATCH: usize = 100;

/// Messages in a large maildrop.
pub const MESSAGES: u32 = 100_000;

/// Octets that may wait to be sent, and the small buffer that this one grew out of.
const OUTPUT: u64 = 16 * 1024 + 64;

const NOW: Instant = Instant::ORIGIN;

/// Cuts lines off and reads them as commands.
#[must_use]
pub fn command(name: &str, line: &'static str) -> Case {
    Case::fresh(
        format!("pop3 command: {name}"),
        Work::Items(BATCH as u64),
        || (),
        move |()| buffer(line.repeat(BATCH).as_bytes(), 0),
        |input| {
            let mut framer = LineFramer::new(LineEnd::CrLf);
            while let Some(Framed::Line { line, .. }) = framer.next_line(input, 255) {
                let Ok(parsed) = Command::parse(&line) else { unreachable!("a good command") };
                black_box(parsed);
            }
            assert!(input.is_empty());
        },
    )
    .target(|target| target.nanoseconds = Some(20.0))
}

/// A maildrop of so many messages.
fn maildrop(messages: u32) -> Arc<dyn Maildrop> {
    let list: Vec<(u64, UniqueId)> = MessageNumber::FIRST
        .up_to(messages)
        .map(|number| {
            let id = format!("1700000000.{number}");
            (1000 + u64::from(number.get()), UniqueId::new(id.as_bytes()).unwrap_or(UniqueId::NONE))
        })
        .collect();
    Arc::new(list)
}

fn config() -> Arc<Config> {
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    Arc::new(config)
}

/// A server session with an open maildrop, behind its reply.
fn logged_in(config: &Arc<Config>, messages: &Arc<dyn Maildrop>) -> Server {
    let mut server = Server::new(Arc::clone(config), [1; 32]);
    server.handle_input(&mut BytesMut::from("USER mrose\r\nPASS tanstaaf\r\n"), NOW);
    while let Some(event) = server.poll_event() {
        match event {
            Event::Authenticate { token, ask } => assert!(server.answer(token, ask.accept()).is_ok()),
            Event::Open { token, .. } => {
                assert!(server.answer(token, Opening::Opened(Arc::clone(messages))).is_ok());
            }
            event => unreachable!("{event:?}"),
        }
    }
    drain(&mut server);
    server
}

/// Takes what is to be sent, until there is no more.
fn drain(server: &mut Server) -> usize {
    let mut octets = 0;
    loop {
        let transmit = server.transmit();
        let count = black_box(transmit.chunk()).len();
        if count == 0 {
            return octets;
        }
        transmit.advance(count);
        octets += count;
        server.handle_timeout(NOW);
    }
}

/// A session does one short command after the other.
fn short(line: &'static str) -> Case {
    Case::steady(
        format!("pop3 session: {}", line.trim_end()),
        Work::Items(BATCH as u64),
        || (logged_in(&config(), &maildrop(1000)), BytesMut::with_capacity(4096)),
        move |(server, input)| {
            for _ in 0..BATCH {
                input.extend_from_slice(line.as_bytes());
                server.handle_input(input, NOW);
                assert!(server.poll_event().is_none());
                let count = server.transmit().remaining();
                server.transmit().advance(black_box(count));
            }
        },
    )
    .target(|target| {
        target.instructions = Some(300.0);
        target.allocations = Some(0.0);
    })
}

/// A session lists a large maildrop.
fn listing(keyword: &'static str, milliseconds: f64) -> Case {
    Case::steady(
        format!("pop3 session: {keyword} of 100 000"),
        Work::Items(MESSAGES.into()),
        || (logged_in(&config(), &maildrop(MESSAGES)), BytesMut::with_capacity(4096)),
        move |(server, input)| {
            input.extend_from_slice(keyword.as_bytes());
            input.extend_from_slice(b"\r\n");
            server.handle_input(input, NOW);
            assert!(drain(server) > 1_000_000);
        },
    )
    .target(|target| {
        target.nanoseconds = Some(milliseconds * 10.0);
        target.peak = Some(OUTPUT);
    })
}

/// What a server says to a listing of a large maildrop.
#[must_use]
pub fn listed(ids: bool) -> Vec<u8> {
    let mut text = b"+OK\r\n".to_vec();
    for number in 1..=MESSAGES {
        let line = if ids {
            format!("{number} 1700000000.{number}\r\n")
        } else {
            format!("{number} {}\r\n", 1000 + number)
        };
        text.extend_from_slice(line.as_bytes());
    }
    text.extend_from_slice(b".\r\n");
    text
}

/// A client session, behind the greeting.
fn greeted() -> Client {
    let mut config = client::Config::default();
    config.sasl.clear_text_without_tls = true;
    let mut client = Client::new(config, [1; 32]);
    client.handle_input(&mut BytesMut::from("+OK\r\n"), NOW);
    while client.poll_event().is_some() {}
    client
}

/// Hands what was read to a client, and counts its events.
fn events(client: &mut Client, source: &mut BytesMut) -> (u64, u64) {
    let (mut events, mut octets) = (0, 0);
    in_reads(source, 16_384, |input| {
        loop {
            let before = input.len();
            client.handle_input(input, NOW);
            let mut any = false;
            while let Some(event) = client.poll_event() {
                any = true;
                events += 1;
                if let client::Event::Content { chunk, .. } = &event {
                    octets += chunk.len() as u64;
                }
                black_box(event);
            }
            if !any && before == input.len() {
                break;
            }
        }
    });
    (events, octets)
}

/// A client reads a listing of a large maildrop, in reads of 16 KiB.
#[must_use]
pub fn read_listing(ids: bool) -> Case {
    Case::fresh(
        format!("pop3 client: {} of 100 000", if ids { "UIDL" } else { "LIST" }),
        Work::Items(MESSAGES.into()),
        move || listed(ids),
        move |text| {
            let mut client = greeted();
            assert!(if ids { client.uidl(None) } else { client.list(None) }.is_ok());
            (client, buffer(text, 0))
        },
        |(client, source)| assert_eq!(events(client, source).0, u64::from(MESSAGES) + 2),
    )
    .target(|target| target.nanoseconds = Some(30.0))
}

/// A session sends a message.
fn retrieve(body: Body, octets: usize) -> Case {
    let content = body.content(octets).len() as u64;
    let least = if body == Body::Dots { 0.5 } else { 5.0 };
    Case::steady(
        format!("pop3 session: RETR of {} MiB, {}", octets >> 20, body.name()),
        Work::Octets(content),
        move || (logged_in(&config(), &maildrop(1)), BytesMut::with_capacity(4096), body.content(octets)),
        |(server, input, content)| {
            input.extend_from_slice(b"RETR 1\r\n");
            server.handle_input(input, NOW);
            let Some(Event::Retrieve { token, .. }) = server.poll_event() else { unreachable!("RETR") };
            let mut rest = &content[..];
            while !rest.is_empty() {
                match server.content(&token, rest) {
                    Ok(Intake::Taken(count)) => rest = &rest[count..],
                    other => unreachable!("{other:?}"),
                }
                let count = server.transmit().remaining();
                server.transmit().advance(black_box(count));
                while server.poll_event().is_some() {}
            }
            assert!(server.finish(token).is_ok());
            drain(server);
        },
    )
    .target(|target| {
        target.rate = Some(least);
        target.peak = Some(OUTPUT);
    })
}

/// A client reads a message, in reads of 16 KiB.
#[must_use]
pub fn read_message(body: Body) -> Case {
    const OCTETS: usize = 4 << 20;
    let content = body.content(OCTETS).len() as u64;
    let least = if body == Body::Dots { 0.5 } else { 10.0 };
    Case::fresh(
        format!("pop3 client: RETR of 4 MiB, {}", body.name()),
        Work::Octets(content),
        move || Bytes::from([b"+OK\r\n", &body.wire(OCTETS)[..]].concat()),
        move |text| {
            let mut client = greeted();
            assert!(client.retr(MessageNumber::FIRST).is_ok());
            (client, buffer(text, 0), content)
        },
        |(client, source, content)| assert_eq!(events(client, source).1, *content),
    )
    .target(|target| target.rate = Some(least))
}

/// Sessions with an open maildrop that all share, waiting for a command.
fn idle() -> Case {
    const SESSIONS: usize = 1000;
    Case::fresh(
        "pop3 session: idle",
        Work::Items(SESSIONS as u64),
        || (config(), maildrop(100)),
        |(config, messages)| (Arc::clone(config), Arc::clone(messages), Vec::with_capacity(SESSIONS)),
        |(config, messages, sessions)| {
            for _ in 0..SESSIONS {
                sessions.push(Box::new(logged_in(config, messages)));
            }
        },
    )
    .target(|target| target.held = Some(512.0 + 100.0 / 8.0))
    .known("the buffer of what is sent keeps some room beside the 504 octets of the session")
    .long()
}

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = COMMANDS.iter().map(|(name, line)| command(name, line)).collect();
    cases.extend(["NOOP\r\n", "STAT\r\n", "LIST 3\r\n", "UIDL 3\r\n"].map(short));
    cases.push(listing("LIST", 2.0));
    cases.push(listing("UIDL", 4.0));
    cases.extend([false, true].map(read_listing));
    cases.extend([Body::Text, Body::Dots].map(|body| retrieve(body, 4 << 20)));
    cases.push(retrieve(Body::Text, 64 << 20).long());
    cases.extend([Body::Text, Body::Dots].map(read_message));
    cases.push(idle());
    cases
}
