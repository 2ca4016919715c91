//! Connections over tokio's streams: conversations, cancellation, deadlines, the end, tasks, memory.
#![cfg(all(feature = "tokio", feature = "rustls", feature = "deflate"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test may fail"
)]

mod toy;

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use bytes::Bytes;
use mailwright_core::io::tokio::Connection;
use mailwright_core::io::{RunError, Step};
use mailwright_core::session::Transport;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex,
};
use tokio::net::{TcpListener, TcpStream};
use toy::certificates::Certificates;
use toy::flood::Flood;
use toy::tasks::{Echo, Pushed, Say};
use toy::{Event, Numbers, Toy, lines};

type Client<S> = Connection<S, Toy>;

/// Serves until the end, answering each question.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut server: Connection<S, Toy>) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    while let Some(event) = server.next_event().await? {
        if event == Event::Asked {
            server.answer("answer");
        }
        events.push(event);
    }
    Ok(events)
}

async fn rest<S: AsyncRead + AsyncWrite + Unpin>(
    mut connection: Connection<S, Toy>,
) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    while let Some(event) = connection.next_event().await? {
        events.push(event);
    }
    Ok(events)
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
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

async fn layers(mut client: Client<impl AsyncRead + AsyncWrite + Unpin>) -> Vec<Event> {
    client.run(Say("in the clear")).await.unwrap();
    let mut events = Vec::new();
    for (line, layered) in [("STARTTLS", true), ("COMPRESS", true), ("PLAIN", true), ("ASK", false)] {
        client.say(line);
        loop {
            let event = client.next_event().await.unwrap().unwrap();
            let is_line = matches!(event, Event::Line(_));
            events.push(event);
            if is_line != layered {
                break;
            }
        }
    }
    client.say("QUIT");
    events.extend(rest(client).await.unwrap());
    events
}

fn assert_layers(client: &[Event], server: &[Event]) {
    for events in [client, server] {
        let kinds: Vec<_> = events.iter().filter(|event| !matches!(event, Event::Line(_))).collect();
        assert!(
            matches!(
                kinds[..],
                [Event::Secured(_), Event::Compressed, Event::Plain, Event::Closed(None)]
                    | [Event::Secured(_), Event::Compressed, Event::Plain, Event::Asked, Event::Closed(None)]
            ),
            "{kinds:?}"
        );
    }
    assert_eq!(lines(client), ["+ hello", "+ answer"]);
}

#[tokio::test]
async fn every_layer_comes_and_goes_over_tcp() {
    let certificates = Certificates::new();
    let (client, server) = sockets().await;
    let client = Connection::over(client, Transport::tls_ready(Toy::client(), certificates.client()));
    let server = Connection::over(server, Transport::tls_ready(Toy::server(), certificates.server()));
    let (client, server) = tokio::join!(layers(client), serve(server));
    assert_layers(&client, &server.unwrap());
}

#[tokio::test]
async fn every_layer_comes_and_goes_through_a_pipe_of_one_octet() {
    let certificates = Certificates::new();
    let (client, server) = duplex(1);
    let client = Connection::over(client, Transport::tls_ready(Toy::client(), certificates.client()));
    let server = Connection::over(server, Transport::tls_ready(Toy::server(), certificates.server()));
    let (client, server) = tokio::join!(layers(client), serve(server));
    assert_layers(&client, &server.unwrap());
}

#[tokio::test]
async fn a_dropped_future_loses_nothing() {
    let certificates = Certificates::new();
    let mut numbers = Numbers::new(11);
    for round in 0..40 {
        let (client, server) = duplex(1 + numbers.below(200));
        let mut client = Connection::over(client, Transport::tls_ready(Toy::client(), certificates.client()));
        let mut server = Connection::over(server, Transport::tls_ready(Toy::server(), certificates.server()));
        client.say("STARTTLS");
        let mut choices = Numbers::new(round);
        let serving = async {
            let mut events = Vec::new();
            loop {
                match at_most(choices.below(3), server.next_event()).await {
                    None => tokio::task::yield_now().await,
                    Some(Ok(Some(event))) => events.push(event),
                    Some(Ok(None)) => return events,
                    Some(Err(error)) => panic!("{error}"),
                }
            }
        };
        let asking = async {
            let mut secured = false;
            let mut events = Vec::new();
            loop {
                match at_most(numbers.below(3), client.next_event()).await {
                    None => tokio::task::yield_now().await,
                    Some(Ok(Some(Event::Secured(_)))) => {
                        secured = true;
                        for number in 0..50 {
                            client.say(&format!("line {number}"));
                        }
                        client.say("QUIT");
                    }
                    Some(Ok(Some(event))) => events.push(event),
                    Some(Ok(None)) => return (secured, events),
                    Some(Err(error)) => panic!("{error}"),
                }
            }
        };
        let ((secured, client), server) = tokio::join!(asking, serving);
        assert!(secured);
        let expected: Vec<String> = (0..50).map(|number| format!("line {number}")).collect();
        assert_eq!(lines(&server), expected);
        assert_eq!(lines(&client).len(), 51);
        assert_eq!((client.last(), server.last()), (Some(&Event::Closed(None)), Some(&Event::Closed(None))));
    }
}

#[tokio::test]
async fn a_dropped_step_is_resumed() {
    let content = Bytes::from(Numbers::new(1).octets(20_000));
    let (client, server) = duplex(100);
    let mut client = Connection::new(client, Toy::client());
    let server = Connection::new(server, Toy::server());
    let mut numbers = Numbers::new(2);
    let asking = async {
        let mut running = client.begin(Echo::new(content.clone()));
        let mut echo = Vec::new();
        loop {
            match at_most(numbers.below(3), running.step()).await {
                None => tokio::task::yield_now().await,
                Some(Ok(Step::Item(octets))) => echo.extend_from_slice(&octets),
                Some(Ok(Step::Done(_))) => break,
                Some(Err(error)) => panic!("{error}"),
            }
        }
        assert!(content.starts_with(&echo) && echo.len() > 19_000);
        client.say("QUIT");
        rest(client).await.unwrap()
    };
    let (client, server) = tokio::join!(asking, serve(server));
    assert_eq!(
        client,
        [Event::Line("+ hello".into()), Event::Line("+ ECHO 20000".into()), Event::Closed(None)]
    );
    server.unwrap();
}

#[tokio::test]
async fn a_task_streams_both_ways_through_a_small_pipe() {
    let (client, server) = duplex(512);
    let mut client = Connection::new(client, Toy::client());
    let asking = async {
        let length = client.run(Echo::new(vec![b'x'; 100_000])).await.unwrap();
        assert_eq!(length, "all");
        client.say("QUIT");
        rest(client).await.unwrap();
    };
    let (server, ()) = tokio::join!(serve(Connection::new(server, Toy::server())), asking);
    server.unwrap();
}

#[tokio::test]
async fn a_host_pushes_content_into_a_task_that_asks_for_it() {
    let certificates = Certificates::new();
    let (client, server) = duplex(512);
    let mut client = Connection::over(client, Transport::tls_ready(Toy::client(), certificates.client()));
    let server = Connection::over(server, Transport::tls_ready(Toy::server(), certificates.server()));
    let asking = async {
        client.say("STARTTLS");
        while !matches!(client.next_event().await.unwrap(), Some(Event::Secured(_))) {}
        let mut running = client.begin(Pushed::new(100_000));
        let mut asked = 0;
        loop {
            match running.step().await.unwrap() {
                Step::Item(missing) => {
                    asked += 1;
                    running.task().unwrap().push(Bytes::from(vec![b'x'; missing.min(1000)]));
                }
                Step::Done(length) => {
                    assert_eq!((length, asked), (100_000, 100));
                    break;
                }
            }
        }
        assert!(running.task().is_none());
        assert!(matches!(running.step().await, Err(RunError::Closed)));
        client.say("QUIT");
        rest(client).await.unwrap();
    };
    let ((), server) = tokio::join!(asking, serve(server));
    server.unwrap();
}

#[tokio::test]
async fn a_task_that_fails_says_why() {
    let (client, _server) = duplex(512);
    let mut client = Connection::new(client, Toy::client());
    let failed = client.run(Pushed::new(0)).await;
    assert!(matches!(failed, Err(RunError::Task("nothing to send"))));
}

#[tokio::test]
async fn a_connection_that_ends_ends_the_task() {
    let (client, server) = duplex(512);
    let mut client = Connection::new(client, Toy::client());
    drop(server);
    assert!(matches!(client.run(Say("hello?")).await, Err(RunError::Closed | RunError::Io(_))));
    assert_eq!(client.next_event().await.unwrap(), Some(Event::Closed(None)), "it was not the task's");
    assert_eq!(client.next_event().await.unwrap(), None);
}

#[tokio::test]
async fn events_for_others_wait_and_are_bounded() {
    let (client, server) = duplex(512);
    let mut client = Connection::new(client, Toy::client());
    let asking = async {
        for _ in 0..200 {
            client.say("other");
        }
        let mut running = client.begin(Say("mine"));
        let mut others = 0;
        let mut full = 0;
        loop {
            match running.step().await {
                Ok(Step::Done(line)) => {
                    assert_eq!(line, "+ mine");
                    break;
                }
                Err(RunError::QueueFull) => {
                    full += 1;
                    // Once the half, once all of them.
                    let mut count = 0;
                    while count < 32 * full && running.queued_event().is_some() {
                        count += 1;
                    }
                    others += count;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(full >= 2);
        client.say("QUIT");
        assert_eq!(others + rest(client).await.unwrap().len(), 1 + 200 + 1);
    };
    let ((), server) = tokio::join!(asking, serve(Connection::new(server, Toy::server())));
    server.unwrap();
}

#[tokio::test]
async fn two_floods_pass_through_a_small_pipe() {
    let (left, right) = duplex(512);
    let mut left = Connection::new(left, Flood::new(1_000_000));
    let mut right = Connection::new(right, Flood::new(1_000_000));
    let both = async {
        tokio::join!(async { (left.next_event().await.unwrap(), left.next_event().await.unwrap()) }, async {
            (right.next_event().await.unwrap(), right.next_event().await.unwrap())
        })
    };
    assert_eq!(both.await, ((Some(1_000_000), None), (Some(1_000_000), None)));
}

// ---- Time

#[tokio::test(start_paused = true)]
async fn a_deadline_fires() {
    let (mut peer, server) = duplex(512);
    let server = Connection::new(server, Toy::server().idle_after(Duration::from_secs(300)));
    let mut said = String::new();
    let (events, _) = tokio::join!(serve(server), peer.read_to_string(&mut said));
    assert_eq!(events.unwrap(), [Event::TimedOut, Event::Closed(None)]);
    assert_eq!(said, "+ hello\r\n* timeout\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_moves_with_what_the_peer_says() {
    let (client, server) = duplex(512);
    let server = Connection::new(server, Toy::server().idle_after(Duration::from_secs(300)));
    let mut client = Connection::new(client, Toy::client());
    let asking = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(299)).await;
            client.run(Say("still here")).await.unwrap();
        }
        rest(client).await.unwrap()
    };
    let (client, server) = tokio::join!(asking, serve(server));
    let server = server.unwrap();
    assert_eq!(lines(&server).len(), 10);
    assert_eq!(server[10..], [Event::TimedOut, Event::Closed(None)]);
    assert_eq!(client.last(), Some(&Event::Closed(None)));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_fires_while_the_peer_reads_nothing() {
    let (_peer, server) = duplex(4);
    let server = Connection::new(server, Toy::server().idle_after(Duration::from_secs(300)));
    let mut server = server;
    assert_eq!(server.next_event().await.unwrap(), Some(Event::TimedOut));
    assert_eq!(server.next_event().await.unwrap(), Some(Event::Closed(None)));
    // Nobody takes the farewell: after a minute that is given up.
    assert_eq!(server.next_event().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(server.next_event().await.unwrap(), None);
}

// ---- The end

#[tokio::test(start_paused = true)]
async fn a_peer_that_stays_is_left_after_a_while() {
    let (mut peer, server) = duplex(512);
    peer.write_all(b"QUIT\r\n").await.unwrap();
    assert_eq!(serve(Connection::new(server, Toy::server())).await.unwrap(), [Event::Closed(None)]);
    let mut said = String::new();
    peer.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "+ hello\r\n+ QUIT\r\n");
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_still_sends_is_dropped_up_to_a_bound() {
    let (peer, server) = duplex(512);
    let (mut reader, mut writer) = tokio::io::split(peer);
    let writing = async {
        writer.write_all(b"QUIT\r\n").await.unwrap();
        let mut octets = 0;
        while writer.write_all(&[0; 100]).await.is_ok() {
            octets += 100;
        }
        octets
    };
    let serving = async {
        let events = serve(Connection::new(server, Toy::server())).await.unwrap();
        assert_eq!(events, [Event::Closed(None)]);
    };
    let mut said = String::new();
    let (octets, (), _) = tokio::join!(writing, serving, reader.read_to_string(&mut said));
    assert_eq!(said, "+ hello\r\n+ QUIT\r\n", "the farewell came whole");
    assert!((256 * 1024..260 * 1024).contains(&octets), "{octets}");
}

/// A stream that writes down what is done with it, and fails to write after so many octets.
#[derive(Debug)]
struct Recorder {
    stream: DuplexStream,
    calls: Vec<&'static str>,
    writes_left: usize,
}

impl Recorder {
    fn new(writes_left: usize) -> (Self, DuplexStream) {
        let (stream, peer) = duplex(4096);
        (Self { stream, calls: Vec::new(), writes_left }, peer)
    }

    fn note(&mut self, call: &'static str) {
        if self.calls.last() != Some(&call) {
            self.calls.push(call);
        }
    }
}

impl AsyncRead for Recorder {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.note("read");
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Recorder {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.note("write");
        if self.writes_left == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let octets = &octets[..octets.len().min(self.writes_left)];
        self.writes_left -= octets.len();
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.note("flush");
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.note("shutdown");
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[tokio::test]
async fn the_stream_is_flushed_before_waiting_and_ends_in_order() {
    let (stream, mut peer) = Recorder::new(usize::MAX);
    peer.write_all(b"QUIT\r\n").await.unwrap();
    let mut server = Connection::new(stream, Toy::server());
    assert_eq!(server.next_event().await.unwrap(), Some(Event::Closed(None)));
    peer.shutdown().await.unwrap();
    assert_eq!(server.next_event().await.unwrap(), None);
    let calls = server.stream().calls.join(" ");
    assert_eq!(calls, "write flush read write flush shutdown read");
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_input_to_be_read() {
    let (stream, mut peer) = Recorder::new(20);
    peer.write_all(b"first\r\nsecond\r\nthird\r\n").await.unwrap();
    let mut server = Connection::new(stream, Toy::server());
    let mut events = Vec::new();
    while let Some(event) = at_most(3, server.next_event()).await {
        events.push(event.unwrap().unwrap());
    }
    // By now the writing has failed.
    peer.write_all(b"fourth\r\n").await.unwrap();
    peer.shutdown().await.unwrap();
    let error = loop {
        match server.next_event().await {
            Ok(event) => events.push(event.unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!(lines(&events), ["first", "second", "third", "fourth"]);
    assert_eq!(events.last(), Some(&Event::Closed(None)));
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(server.next_event().await.unwrap(), None, "the error comes once");
}

#[tokio::test]
async fn a_peer_that_has_gone_before_the_last_word_is_no_error() {
    let (stream, mut peer) = Recorder::new("+ hello\r\n".len());
    peer.write_all(b"QUIT\r\n").await.unwrap();
    peer.shutdown().await.unwrap();
    let events = serve(Connection::new(stream, Toy::server())).await.unwrap();
    assert_eq!(events, [Event::Closed(None)]);
}

#[tokio::test]
async fn an_abort_says_nothing() {
    let (mut peer, server) = duplex(512);
    let server = Connection::new(server, Toy::server());
    drop(server.abort());
    let mut said = Vec::new();
    peer.read_to_end(&mut said).await.unwrap();
    assert!(said.is_empty());
}

// ---- Memory

#[tokio::test]
async fn an_idle_connection_holds_no_buffer() {
    let (client, server) = duplex(64 * 1024);
    let mut client = Connection::new(client, Toy::client());
    let mut server = Connection::new(server, Toy::server());
    let asking = async {
        client.run(Echo::new(vec![b'x'; 50_000])).await.unwrap();
        while at_most(2, client.next_event()).await.is_some() {}
    };
    let serving = async { while at_most(20, server.next_event()).await.is_some() {} };
    tokio::join!(asking, serving);
    for connection in [client, server] {
        let (_stream, mut transport, input) = connection.into_parts();
        assert_eq!((input.len(), input.capacity()), (0, 0));
        let transmit = transport.session_mut();
        let transmit = mailwright_core::session::Session::transmit(transmit);
        assert!(transmit.buffer().capacity() <= 512);
    }
}

#[test]
fn a_connection_is_small_and_can_move_between_threads() {
    fn is_send<T: Send + Sync + Unpin>() {}
    fn is_send_future<T: Send>(_: &T) {}
    is_send::<Connection<TcpStream, Toy>>();
    let stream = duplex(1).0;
    let mut connection = Connection::new(stream, Toy::client());
    is_send_future(&connection.next_event());
    is_send_future(&connection.run(Say("x")));
    let own = size_of::<Connection<(), Toy>>() - size_of::<Transport<Toy>>();
    assert!(own <= 160, "{own}");
    let layers = size_of::<Transport<Toy>>() - size_of::<Toy>();
    assert!(layers <= 1600, "{layers}");
}
