//! The law of bounds with memory counted: floods make no session hold more than its limits say.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peers;

use std::alloc::System;

use mailwright_core::testing::laws::{self, Flood};
use mailwright_smtp::client::{self, Client};
use mailwright_smtp::server::{Protocol, Server};
use peers::{Answers, Commander, bounds, config};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

/// One test: the counters are those of the process.
#[test]
fn floods_make_no_session_hold_more_than_its_limits_say() {
    let region = Region::new(ALLOCATOR);
    let mut limits = bounds();
    limits.memory = 410 * 1024;
    for protocol in [Protocol::Smtp, Protocol::Lmtp] {
        let hello: &[u8] = if protocol == Protocol::Lmtp { b"LHLO a\r\n" } else { b"EHLO a\r\n" };
        let envelope: &[&[u8]] = &[hello, b"MAIL FROM:<>\r\n"];
        let content: &[&[u8]] = &[hello, b"MAIL FROM:<>\r\n", b"RCPT TO:<b@c>\r\n", b"DATA\r\n"];
        for (before, again) in [
            (&[][..], &b"x"[..]),
            (&[], b"NOOP\r\n"),
            (&[], b"XYZZY\r\n"),
            (envelope, b"RCPT TO:<b@c>\r\n"),
            (envelope, b"RCPT TO:<bob.with.a.long.name@a.domain.with.a.long.name.example.org>\r\n"),
            (content, b"text\r\n"),
            (content, b"x"),
            (content, b"."),
        ] {
            let make = || {
                let answers = Answers { forgetful: true, ..Answers::default() };
                (Server::new(config(protocol), [7; 32]), answers)
            };
            laws::bounded(make, Flood { before, again, octets: 500_000 }, limits, || held(&region)).unwrap();
        }
    }
    limits.memory = 500 * 1024;
    for again in [&b"250-x\r\n"[..], b"250 x\r\n", b"x", b"220-a long line of a greeting that never ends\r\n"]
    {
        for before in [&[][..], &[&b"220 x\r\n"[..]], &[&b"220 x\r\n"[..], b"250 x\r\n"]] {
            let make = || {
                let mut config = client::Config::new("client.example").unwrap();
                config.tls = client::TlsMode::None;
                (Client::new(config), Commander::default())
            };
            laws::bounded(make, Flood { before, again, octets: 500_000 }, limits, || held(&region)).unwrap();
        }
    }
}
