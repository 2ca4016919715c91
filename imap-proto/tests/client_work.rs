//! Twice as much from the server is twice the work for the client: counted in allocations and in the octets that they
//! have, since whatever is looked at again and again is kept or copied. One test, since others in the process would be
//! counted too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use std::alloc::System;

use bytes::BytesMut;
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_imap::client::{Client, Event};
use mailwright_imap::types::{Command, SearchKey};
use peer::commander::{SEED, tagged};
use peer::{clear_text, fetch, mailbox, search, uids};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const NOW: Instant = Instant::ORIGIN;

/// What a client allocates for `input` that comes in pieces of `size`, and how many events there are.
fn work(input: &[u8], size: usize) -> (usize, usize, usize) {
    let mut client = Client::new(clear_text(), SEED);
    let mut buffer = BytesMut::from(&b"* PREAUTH x\r\n"[..]);
    client.handle_input(&mut buffer, NOW);
    client.command(Command::Select(mailbox("INBOX").into())).unwrap();
    drop(client.transmit().take());
    buffer.extend_from_slice(&tagged("$1 OK done\r\n"));
    client.handle_input(&mut buffer, NOW);
    // As many in flight as may be.
    for index in 0..60 {
        let command = if index % 2 == 0 { fetch(uids("1:*")) } else { search(true, SearchKey::All) };
        client.command(command).unwrap();
    }
    drop(client.transmit().take());
    while client.poll_event().is_some() {}
    let region = Region::new(ALLOCATOR);
    let mut events = 0;
    for piece in input.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            let left = buffer.len();
            client.handle_input(&mut buffer, NOW);
            let mut any = false;
            while let Some(event) = client.poll_event() {
                assert!(!matches!(event, Event::Closed(_)), "{event:?}");
                any = true;
                events += 1;
            }
            if !any && left == buffer.len() {
                break;
            }
        }
    }
    let change = region.change();
    (change.allocations + change.reallocations, change.bytes_allocated, events)
}

#[test]
fn twice_the_input_is_twice_the_work() {
    let inputs: [(&str, &str, &str); 14] = [
        ("", "* 7 EXISTS\r\n", ""),
        ("", "* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n", ""),
        ("", "* LIST (\\HasChildren) \"/\" {5}\r\na b c\r\n", ""),
        ("", "* OK [UNSEEN 7] x\r\n", ""),
        ("", "hello there\r\n", ""),
        ("", "\r\n", ""),
        ("* SEARCH", " 123456", "\r\n"),
        ("* ESEARCH UID ALL 1", ",2:3", "\r\n"),
        ("* VANISHED 1", ",2:3", "\r\n"),
        ("* THREAD ", "(1 2)", "\r\n"),
        ("* 1 FETCH (ENVELOPE (", "{1}\r\na ", "))\r\n"),
        ("* 1 FETCH (BODYSTRUCTURE ", "(", "\r\n"),
        ("* 1 FETCH (", "X-NEW {1}\r\na ", "UID 7)\r\n"),
        ("* FLAGS (", "a ", "b)\r\n"),
    ];
    for (start, middle, end) in inputs {
        for size in [1, 1460, 8192] {
            let of = |count: usize| work([start, &middle.repeat(count), end].concat().as_bytes(), size);
            let (once, twice) = (of(3000), of(6000));
            let what = format!("{start}{middle}, pieces of {size}: {once:?}, {twice:?}");
            // The constant is for buffers that grow by doubling.
            assert!(twice.0 * 10 <= once.0 * 23 + 200, "allocations, {what}");
            assert!(twice.1 * 10 <= once.1 * 23 + 600_000, "octets, {what}");
            assert!(twice.2 <= once.2 * 2 + 2, "events, {what}");
        }
    }
}
