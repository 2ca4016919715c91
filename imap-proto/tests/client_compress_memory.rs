//! What a bomb in COMPRESS can make a client hold: nothing beyond its limits. One test, since others in the process
//! would be counted too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod deflated;
mod peer;

use std::alloc::System;

use deflated::{Deflater, Wire};
use flate2::FlushCompress;
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_imap::client::Event;
use peer::clear_text;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

const LINE: usize = 32 * 1024;
const NOW: Instant = Instant::ORIGIN;

fn wire() -> Wire {
    let mut config = clear_text();
    let limits = &mut config.limits;
    (limits.response.line, limits.response.literal, limits.response.buffered) = (LINE, LINE, LINE);
    limits.event_octets = LINE;
    Wire::compressed(config, "")
}

/// `again` as long as it takes to make so many octets, deflated.
fn bomb(before: &[u8], again: &[u8], octets: usize) -> Vec<u8> {
    let mut server = Deflater::new();
    let mut bomb = server.deflate(before, FlushCompress::None);
    let piece = again.repeat((64 * 1024 / again.len()).max(1));
    for _ in 0..octets / piece.len() {
        bomb.extend(server.deflate(&piece, FlushCompress::None));
    }
    bomb.extend(server.deflate(b"", FlushCompress::Sync));
    bomb
}

#[test]
fn no_bomb_makes_a_client_hold_more_than_its_limits() {
    const OCTETS: usize = 4 << 20;
    for (before, again) in [
        (&b"* OK "[..], &b"x"[..]),
        (b"", b"* 7 EXISTS\r\n"),
        (b"", b"\r\n"),
        (b"* 1 FETCH (BODY[] {99999999999}\r\n", b"x"),
        (b"* SEARCH", b" 7"),
        (b"* 1 FETCH (BODYSTRUCTURE ", b"("),
        (b"* LIST {99999999999}\r\n", b"x"),
    ] {
        let bomb = bomb(before, again, OCTETS);
        assert!(bomb.len() < OCTETS / 100, "{}", bomb.len());
        for takes in [false, true] {
            let mut wire = wire();
            wire.input.extend_from_slice(&bomb);
            let start = held();
            let mut most = 0;
            let mut octets: u64 = 0;
            // A host that takes no events, or takes all; the driver has all of the input at once.
            for _ in 0..if takes { 1_000_000 } else { 1000 } {
                let left = wire.input.len();
                wire.transport.handle_input(&mut wire.input, NOW);
                most = most.max(held().saturating_sub(start));
                let mut any = false;
                while let Some(event) = takes.then(|| wire.transport.poll_event()).flatten() {
                    any = true;
                    if let Event::BodyChunk(chunk) = event {
                        octets += chunk.len() as u64;
                    }
                }
                if !any && left == wire.input.len() {
                    break;
                }
            }
            // What waits for the host, what is being read, and the layer's buffers.
            assert!(most < 32 * LINE, "{}: {most}", before.escape_ascii());
            if takes && before.ends_with(b"(BODY[] {99999999999}\r\n") {
                assert_eq!(octets, OCTETS as u64, "and nothing is lost");
            }
        }
    }
}
