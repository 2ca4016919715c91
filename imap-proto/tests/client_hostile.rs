//! What a hostile server can make a client hold: nothing beyond its limits, whatever it says. One test, since
//! other tests in the process would be counted too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use std::alloc::System;

use mailwright_core::testing::laws;
use mailwright_imap::client::Client;
use peer::clear_text;
use peer::commander::{Call, Commander, SEED, tagged};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What this process holds.
fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

const LINE: usize = 8 * 1024;
const EVENTS: usize = 8 * 1024;
const BUFFERED: usize = 16 * 1024;

fn client() -> (Client, Commander) {
    let mut config = clear_text();
    let limits = &mut config.limits;
    limits.response.line = LINE;
    limits.response.literal = LINE;
    limits.response.literals = 100;
    limits.response.buffered = BUFFERED;
    limits.response.discard = 1 << 20;
    limits.capabilities = 100;
    limits.event_octets = EVENTS;
    let calls = [Call::Select, Call::Fetch, Call::Search, Call::Noop];
    (Client::new(config, SEED), Commander::new(&calls))
}

#[test]
fn no_server_makes_a_client_hold_more_than_its_limits() {
    let greeting = b"* PREAUTH x\r\n".to_vec();
    let selected = tagged("$1 OK done\r\n");
    let open: [&[u8]; 2] = [&greeting, &selected];
    let mut bounds = laws::Bounds::default();
    bounds.output = 16 * 1024;
    bounds.unread = 2 * BUFFERED;
    // What is left of the input, the events that wait, and one that is being read.
    bounds.memory = 2 * BUFFERED + 16 * (EVENTS + BUFFERED);
    let list = format!("* LIST ({}) NIL x\r\n", "\\a ".repeat(1000));
    let capabilities = format!("* CAPABILITY {}\r\n", "A ".repeat(5000));
    let floods: [(&[&[u8]], &[u8]); 26] = [
        (&[], b"x"),
        (&[], b"\0"),
        (&[], b"* OK [CAPABILITY"),
        (&open, b"x"),
        (&open, b"\r\n"),
        (&open, b"+ \r\n"),
        (&open, b"* 1 EXISTS\r\n"),
        (&open, b"* OK x\r\n"),
        (&open, b"* OK [UNSEEN 0] \r\n"),
        (&open, b"* 1 FETCH (UID 1)\r\n"),
        (&open, b"* 1 FETCH (BODY[] {100}\r\n"),
        (&open, b"* 1 FETCH (BODY[] {99999999999}\r\n"),
        (&open, b"* 1 FETCH (("),
        (&open, b"(BODYSTRUCTURE ("),
        (&open, b"* 1 FETCH (BODYSTRUCTURE (((((((((((((("),
        (&open, b"\"\" "),
        (&open, b"{0}\r\n"),
        (&open, b"* LIST {9999}\r\n"),
        (&open, b"* SEARCH 1 2 3\r\n"),
        (&open, b" 4294967295"),
        (&open, b"* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n"),
        (&open, b"* XYZZY (a b c) {3}\r\nabc\r\n"),
        (&open, b"* FLAGS (a b c d e f g h)\r\n"),
        (&open, b"Server Unavailable. 15\r\n"),
        (&open, list.as_bytes()),
        (&open, capabilities.as_bytes()),
    ];
    for (before, again) in floods {
        let flood = laws::Flood { before, again, octets: 150_000 };
        if let Err(broken) = laws::bounded(client, flood, bounds, held) {
            panic!("{}: {broken}", again.escape_ascii());
        }
    }
    for (begin, again) in [
        (&b"* SEARCH"[..], &b" 7"[..]),
        (b"* THREAD ", b"(1 2)"),
        (b"* THREAD (1 ", b"("),
        (b"* VANISHED 1", b",2:3"),
        (b"* ESEARCH UID ALL 1", b",2:3"),
        (b"* ESEARCH (TAG \"", b"x"),
        (b"* ESEARCH ADDTO (1 ", b"2 3 "),
        (b"* ENABLED", b" ABCDEF"),
        (b"* NAMESPACE (", b"(\"\" \"/\")"),
        (b"* ID (", b"\"a\" NIL "),
        (b"* METADATA \"\" (", b"/a NIL "),
        (b"* QUOTA \"\" (", b"A 1 2 "),
        (b"* ACL INBOX", b" a lr"),
        (b"* OK [APPENDUID 1 1", b",3"),
        (b"* OK [BADCHARSET (", b"{1}\r\na "),
        (b"* LIST () NIL x (", b"\"A\" (\"b\") "),
    ] {
        let begun: [&[u8]; 3] = [&greeting, &selected, begin];
        let flood = laws::Flood { before: &begun, again, octets: 150_000 };
        if let Err(broken) = laws::bounded(client, flood, bounds, held) {
            panic!("{}{}: {broken}", begin.escape_ascii(), again.escape_ascii());
        }
    }
    // What ENABLE brings is kept, so not without end.
    let greeting = b"* PREAUTH [CAPABILITY IMAP4rev1 ENABLE] x\r\n".to_vec();
    let names: String = (0..1000).map(|number| format!(" X{number}")).collect();
    let enabled = format!("* ENABLED{names}\r\n");
    let flood = laws::Flood { before: &[&greeting], again: enabled.as_bytes(), octets: 150_000 };
    let enabling = || (client().0, Commander::new(&[Call::Enable]));
    laws::bounded(enabling, flood, bounds, held).unwrap();
}
