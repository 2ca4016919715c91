//! Connections over blocking streams: conversations, floods, deadlines, the end, tasks.
#![cfg(all(feature = "std", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test may fail, and has threads"
)]

mod toy;

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

use mailwright_core::io::blocking::{Connection, Stream};
use mailwright_core::io::{RunError, Step};
use toy::flood::Flood;
use toy::tasks::{Echo, Pushed, Say};
use toy::{Event, Toy, lines};

fn serve<S: Stream>(mut server: Connection<S, Toy>) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    while let Some(event) = server.next_event()? {
        if event == Event::Asked {
            server.answer("answer");
        }
        events.push(event);
    }
    Ok(events)
}

fn rest<S: Stream>(mut connection: Connection<S, Toy>) -> io::Result<Vec<Event>> {
    core::iter::from_fn(|| connection.next_event().transpose()).collect()
}

fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

#[test]
fn a_conversation_over_tcp_ends_on_both_sides() {
    let (client, server) = sockets();
    let serving = thread::spawn(move || serve(Connection::new(server, Toy::server())).unwrap());
    let mut client = Connection::new(client, Toy::client());
    for line in ["one", "ASK", "QUIT"] {
        client.say(line);
    }
    let events = rest(client).unwrap();
    assert_eq!(lines(&events), ["+ hello", "+ one", "+ answer"]);
    assert_eq!(events.last(), Some(&Event::Closed(None)));
    let events = serving.join().unwrap();
    assert_eq!(events, [Event::Line("one".into()), Event::Asked, Event::Closed(None)]);
}

#[cfg(all(feature = "rustls", feature = "deflate"))]
#[test]
fn every_layer_comes_and_goes_over_tcp() {
    use mailwright_core::session::Transport;
    use toy::certificates::Certificates;

    let certificates = Certificates::new();
    let (client, server) = sockets();
    let transport = Transport::tls_ready(Toy::server(), certificates.server());
    let serving = thread::spawn(move || serve(Connection::over(server, transport)).unwrap());
    let transport = Transport::tls_ready(Toy::client(), certificates.client());
    let mut client = Connection::over(client, transport);
    client.run(Say("in the clear")).unwrap();
    for layer in ["STARTTLS", "COMPRESS", "PLAIN"] {
        client.say(layer);
        while matches!(client.next_event().unwrap().unwrap(), Event::Line(_)) {}
    }
    client.run(Say("inside")).unwrap();
    client.say("QUIT");
    assert_eq!(rest(client).unwrap(), [Event::Closed(None)]);
    let events = serving.join().unwrap();
    assert!(
        matches!(
            events[..],
            [
                Event::Line(_),
                Event::Secured(_),
                Event::Compressed,
                Event::Plain,
                Event::Line(_),
                Event::Closed(None)
            ]
        ),
        "{events:?}"
    );
}

fn flood<S: Stream + Send + 'static>(left: S, right: S) {
    const OCTETS: usize = 10_000_000;
    let run = |stream| {
        thread::spawn(move || {
            let mut connection = Connection::new(stream, Flood::new(OCTETS));
            (connection.next_event().unwrap(), connection.next_event().unwrap())
        })
    };
    for side in [run(left), run(right)] {
        assert_eq!(side.join().unwrap(), (Some(OCTETS), None));
    }
}

#[test]
fn two_peers_that_both_write_ten_megabytes_do_not_wait_for_each_other() {
    let (left, right) = sockets();
    flood(left, right);
    let (left, right) = UnixStream::pair().unwrap();
    flood(left, right);
    let (left, right) = sockets();
    let boxed: [Box<dyn Stream + Send>; 2] = [Box::new(left), Box::new(right)];
    let [left, right] = boxed;
    flood(left, right);
}

#[test]
fn a_task_streams_both_ways() {
    let (client, server) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || serve(Connection::new(server, Toy::server())).unwrap());
    let mut client = Connection::new(client, Toy::client());
    let mut echo = 0;
    let mut running = client.begin(Echo::new(vec![b'x'; 1_000_000]));
    while let Step::Item(octets) = running.step().unwrap() {
        echo += octets.len();
    }
    assert!(echo > 900_000);
    client.say("QUIT");
    rest(client).unwrap();
    serving.join().unwrap();
}

#[test]
fn a_host_pushes_content_into_a_task_that_asks_for_it() {
    let (client, server) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || serve(Connection::new(server, Toy::server())).unwrap());
    let mut client = Connection::new(client, Toy::client());
    let mut running = client.begin(Pushed::new(100_000));
    while let Step::Item(missing) = running.step().unwrap() {
        running.task().unwrap().push(vec![b'x'; missing.min(1000)].into());
    }
    assert!(running.task().is_none());
    assert!(matches!(running.step(), Err(RunError::Closed)));
    client.say("QUIT");
    rest(client).unwrap();
    serving.join().unwrap();
}

#[test]
fn a_deadline_fires() {
    let (mut peer, server) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || {
        serve(Connection::new(server, Toy::server().idle_after(Duration::from_millis(30)))).unwrap()
    });
    let mut said = String::new();
    peer.read_to_string(&mut said).unwrap();
    assert_eq!(said, "+ hello\r\n* timeout\r\n");
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(serving.join().unwrap(), [Event::TimedOut, Event::Closed(None)]);
}

#[test]
fn a_deadline_fires_while_the_peer_reads_nothing() {
    let (peer, server) = UnixStream::pair().unwrap();
    let mut server = Connection::new(server, Toy::server().idle_after(Duration::from_millis(30)));
    // More than a socket holds.
    for _ in 0..10_000 {
        server.say(&"x".repeat(998));
    }
    assert_eq!(server.next_event().unwrap(), Some(Event::TimedOut));
    drop(peer);
    assert_eq!(rest(server).unwrap(), [Event::Closed(None)]);
}

#[test]
fn a_connection_that_waits_for_its_host_says_so() {
    let (mut peer, server) = UnixStream::pair().unwrap();
    let mut server = Connection::new(server, Toy::server());
    peer.write_all(b"ASK\r\nbehind\r\n").unwrap();
    assert_eq!(server.next_event().unwrap(), Some(Event::Asked));
    assert_eq!(server.next_event().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    server.answer("now");
    assert_eq!(server.next_event().unwrap(), Some(Event::Line("behind".into())));
}

#[test]
fn events_for_others_wait_for_their_turn() {
    let (client, server) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || serve(Connection::new(server, Toy::server())).unwrap());
    let mut client = Connection::new(client, Toy::client());
    client.say("other");
    assert_eq!(client.run(Say("mine")).unwrap(), "+ mine");
    client.say("QUIT");
    assert_eq!(lines(&rest(client).unwrap()), ["+ hello", "+ other"]);
    serving.join().unwrap();
}

#[test]
fn an_abort_says_nothing() {
    let (mut peer, server) = UnixStream::pair().unwrap();
    drop(Connection::new(server, Toy::server()).abort());
    let mut said = Vec::new();
    peer.read_to_end(&mut said).unwrap();
    assert!(said.is_empty());
}

#[test]
fn the_parts_of_a_connection_come_back() {
    let (mut peer, server) = UnixStream::pair().unwrap();
    let mut server = Connection::new(server, Toy::server());
    peer.write_all(b"ASK\r\nbehind").unwrap();
    assert_eq!(server.next_event().unwrap(), Some(Event::Asked));
    let (_stream, transport, input) = server.into_parts();
    assert_eq!(&input[..], b"behind");
    transport.into_session().answer("now");
}

/// A stream by script, and notes of what is done with it.
#[derive(Debug, Default)]
struct Script {
    /// What there is to read: octets, or `None` for time that runs out. Then the end.
    reads: VecDeque<Option<&'static [u8]>>,
    /// How much each write takes: octets, or `None` for time that runs out. Then everything.
    writes: VecDeque<Option<usize>>,
    /// Whether a flush waits for the next call.
    flushes_later: bool,
    calls: Vec<String>,
}

impl Stream for Script {
    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
        self.calls.push(if timeout == Some(Duration::ZERO) { "look".into() } else { "read".into() });
        match self.reads.pop_front() {
            Some(Some(octets)) => {
                buffer[..octets.len()].copy_from_slice(octets);
                Ok(octets.len())
            }
            Some(None) => Err(io::ErrorKind::WouldBlock.into()),
            None => Ok(0),
        }
    }

    fn write(&mut self, octets: &[u8], _: Option<Duration>) -> io::Result<usize> {
        match self.writes.pop_front() {
            Some(None) => {
                self.calls.push("full".into());
                Err(io::ErrorKind::TimedOut.into())
            }
            count => {
                let count = octets.len().min(count.flatten().unwrap_or(usize::MAX));
                self.calls.push(String::from_utf8_lossy(&octets[..count]).into_owned());
                Ok(count)
            }
        }
    }

    fn flush(&mut self, _: Option<Duration>) -> io::Result<()> {
        self.calls.push("flush".into());
        if core::mem::take(&mut self.flushes_later) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.calls.push("shutdown".into());
        Ok(())
    }
}

fn calls(mut script: Script) -> Vec<String> {
    let mut server = Connection::new(&mut script, Toy::server());
    while server.next_event().unwrap().is_some() {}
    script.calls
}

#[test]
fn the_stream_is_flushed_before_waiting_and_ends_in_order() {
    let script = Script { reads: [Some(&b"QUIT\r\n"[..])].into(), ..Script::default() };
    let expected = ["+ hello\r\n", "flush", "read", "+ QUIT\r\n", "flush", "shutdown", "read"];
    assert_eq!(calls(script), expected);
}

#[test]
fn a_flush_that_takes_time_is_called_again() {
    let script =
        Script { reads: [None, Some(&b"QUIT\r\n"[..])].into(), flushes_later: true, ..Script::default() };
    let expected =
        ["+ hello\r\n", "flush", "look", "flush", "read", "+ QUIT\r\n", "flush", "shutdown", "read"];
    assert_eq!(calls(script), expected);
}

#[test]
fn while_output_waits_input_is_looked_for_and_not_waited_for() {
    let script = Script {
        reads: [None, Some(&b"one\r\n"[..]), Some(b"QUIT\r\n")].into(),
        writes: [None, Some(2), None].into(),
        ..Script::default()
    };
    let expected = [
        "full",
        "look",
        "+ ",
        "look",
        "full",
        "look",
        "hello\r\n+ one\r\n+ QUIT\r\n",
        "flush",
        "shutdown",
        "read",
    ];
    assert_eq!(calls(script), expected);
}
