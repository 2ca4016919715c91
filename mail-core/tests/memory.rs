//! What transports and connections allocate, in octets.
#![cfg(all(feature = "tokio", feature = "rustls", feature = "deflate"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test may fail"
)]

mod toy;

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::alloc::System;
use std::sync::{Mutex, MutexGuard};

use bytes::Buf as _;
use flate2::{Compress, Compression, FlushCompress};
use mailwright_core::io::tokio::Connection;
use mailwright_core::session::{Session, Transport};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::duplex;
use toy::certificates::Certificates;
use toy::tasks::Say;
use toy::{End, Event, Toy, output, run};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One measurement at a time: the counters are those of the process.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Octets that are held since the region began.
fn held(region: &Region<'_, System>) -> isize {
    let stats = region.change();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

/// All octets that were ever allocated since the region began, freed or not.
fn ever(region: &Region<'_, System>) -> usize {
    region.change().bytes_allocated
}

type Peer = End<Transport<Toy>>;

fn secured(certificates: &Certificates) -> (Peer, Peer) {
    let mut server = End::new(Transport::tls_ready(Toy::server(), certificates.server()));
    let mut client = End::new(Transport::tls_ready(Toy::client(), certificates.client()));
    client.session.session_mut().say("STARTTLS");
    run(&mut client, &mut server, &[]);
    (client, server)
}

fn compress(client: &mut Peer, server: &mut Peer) {
    client.session.session_mut().say("COMPRESS");
    run(client, server, &[]);
    assert_eq!(server.events.last(), Some(&Event::Compressed));
}

/// Polls so often at the most, then drops the future.
async fn at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

#[test]
fn a_bomb_is_inflated_only_as_far_as_the_session_takes_it() {
    let _alone = alone();
    let mut bomb = Vec::with_capacity(100_000);
    Compress::new(Compression::best(), false)
        .compress_vec(&[&b"ASK\r\n"[..], &vec![b'x'; 50_000_000]].concat(), &mut bomb, FlushCompress::Sync)
        .unwrap();
    assert!(bomb.len() < 60_000, "a thousand to one");
    let mut server = End::new(Transport::plain(Toy::server()));
    server.turn();
    server.deliver(b"COMPRESS\r\n", &[]);
    let _ = output(&mut server.session);
    server.input.reserve(bomb.len());
    server.events.reserve(10);
    let region = Region::new(ALLOCATOR);
    server.deliver(&bomb, &[]);
    assert_eq!(server.events.last(), Some(&Event::Asked));
    // 16 KiB and a piece of 4 KiB, in a buffer that grows by doubling.
    assert!(ever(&region) < 80 * 1024, "{}", ever(&region));
    // A session that reads on, and drops a line that is far too long, holds no more than such a line.
    server.session.session_mut().answer("now");
    let region = Region::new(ALLOCATOR);
    server.turn();
    assert!(server.input.is_empty());
    assert!(held(&region) < 2 * toy::LINE as isize, "{}", held(&region));
}

#[test]
fn a_session_that_takes_nothing_makes_the_layers_take_nothing() {
    let _alone = alone();
    let certificates = Certificates::new();
    for layers in 1..=2 {
        let (mut client, mut server) = secured(&certificates);
        if layers == 2 {
            compress(&mut client, &mut server);
        }
        client.session.session_mut().say("ASK");
        let mut wire = output(&mut client.session);
        // Noise, so that it stays large.
        let mut numbers = toy::Numbers::new(1);
        let noise: Vec<u8> = (0..1_000_000).map(|_| b'a' + numbers.below(26) as u8).collect();
        client.session.session_mut().say(core::str::from_utf8(&noise).unwrap());
        wire.extend(output(&mut client.session));
        server.events.reserve(10);
        let region = Region::new(ALLOCATOR);
        // As a driver does: it reads while the transport wants input.
        let mut taken = 0;
        for piece in wire.chunks(16 * 1024) {
            if !server.session.wants().input {
                break;
            }
            server.deliver(piece, &[]);
            taken += piece.len();
        }
        assert!(taken <= 32 * 1024, "{taken}");
        assert!(held(&region) < 100 * 1024, "{layers} layers hold {}", held(&region));
    }
}

#[test]
fn output_in_the_layers_is_bounded() {
    let _alone = alone();
    let certificates = Certificates::new();
    let (_, mut server) = secured(&certificates);
    let text = "x".repeat(5_000_000);
    server.session.session_mut().say(&text);
    drop(text);
    let region = Region::new(ALLOCATOR);
    let _ = server.session.transmit().remaining();
    // The window, its growth by doubling, and one write of rustls.
    assert!(held(&region) < 5 * Transport::<Toy>::WINDOW as isize, "{}", held(&region));
    while server.session.transmit().has_remaining() {
        let count = server.session.transmit().remaining();
        server.session.transmit().advance(count);
        assert!(held(&region) < 5 * Transport::<Toy>::WINDOW as isize, "{}", held(&region));
    }
}

#[test]
fn what_layers_cost() {
    let _alone = alone();
    let certificates = Certificates::new();
    let (server_config, client_config) = (certificates.server(), certificates.client());
    // The first connection fills caches of the configuration.
    let _ = secured(&certificates);
    let mut client = End::new(Transport::tls_ready(Toy::client(), client_config));
    let region = Region::new(ALLOCATOR);
    let mut server = End::new(Transport::tls_ready(Toy::server(), server_config));
    client.session.session_mut().say("STARTTLS");
    run(&mut client, &mut server, &[]);
    let both = held(&region);
    assert!(both < 64 * 1024, "two sides of TLS hold {both}");
    let region = Region::new(ALLOCATOR);
    compress(&mut client, &mut server);
    let deflate = held(&region) / 2;
    assert!(deflate < 400 * 1024, "DEFLATE holds {deflate}");
    let region = Region::new(ALLOCATOR);
    client.session.session_mut().say("PLAIN");
    run(&mut client, &mut server, &[]);
    assert!(held(&region) < -2 * 300 * 1024, "and gives it back: {}", held(&region));
    println!("TLS, both sides: {both}; DEFLATE, one side: {deflate}");
}

#[test]
fn an_idle_connection_holds_little() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (client, server) = duplex(64 * 1024);
        let region = Region::new(ALLOCATOR);
        let mut client = Connection::new(client, Toy::client());
        let mut server = Connection::new(server, Toy::server());
        for _ in 0..100 {
            let serving = async { while server.next_event().await.unwrap().is_some() {} };
            tokio::select! {
                line = client.run(Say("a line")) => assert_eq!(line.unwrap(), "+ a line"),
                () = serving => panic!("the server ended"),
            }
            while at_most(2, client.next_event()).await.is_some() {}
            while at_most(2, server.next_event()).await.is_some() {}
        }
        let both = held(&region);
        // Two output buffers of 512, two small queues of events in the toys, and the buffers of the pipe.
        assert!(both < 8 * 1024, "{both}");
        println!("two idle connections: {both}");
    });
}
