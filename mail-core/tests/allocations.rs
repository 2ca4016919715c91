//! What a transport without layers allocates: nothing.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod toy;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session, Transport};
use mailwright_core::value::Instant;

use crate::toy::Toy;

/// Allocations in one exchange with a session, after a first one that made room.
fn allocations_in_an_exchange(mut session: impl Session) -> u64 {
    let mut input = BytesMut::with_capacity(4096);
    let mut exchange = || {
        input.extend_from_slice(b"ECHO 1000\r\n");
        input.extend_from_slice(&[b'x'; 1000]);
        session.handle_timeout(Instant::ORIGIN);
        session.handle_input(&mut input, Instant::ORIGIN);
        while session.poll_event().is_some() {}
        let count = session.transmit().remaining();
        session.transmit().advance(count);
    };
    exchange();
    allocation_counter::measure(exchange).count_total
}

#[test]
fn a_plain_transport_allocates_nothing_itself() {
    let direct = allocations_in_an_exchange(Toy::server());
    assert_eq!(allocations_in_an_exchange(Transport::plain(Toy::server())), direct);
}
