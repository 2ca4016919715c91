//! What transports allocate, to the octet: by thread, so that nothing else counts.

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

#[cfg(feature = "rustls")]
#[test]
fn output_in_the_layers_is_given_back() {
    let certificates = toy::certificates::Certificates::new();
    let mut server = toy::End::new(Transport::tls_ready(Toy::server(), certificates.server()));
    let mut client = toy::End::new(Transport::tls_ready(Toy::client(), certificates.client()));
    client.session.session_mut().say("STARTTLS");
    toy::run(&mut client, &mut server, &[]);
    server.session.session_mut().say(&"x".repeat(5_000_000));
    let counted = allocation_counter::measure(|| {
        while server.session.transmit().has_remaining() {
            let count = server.session.transmit().remaining();
            server.session.transmit().advance(count);
        }
    });
    assert!(counted.count_total > 0, "the layers hold output");
    assert!(counted.bytes_current <= 0, "{}", counted.bytes_current);
}
