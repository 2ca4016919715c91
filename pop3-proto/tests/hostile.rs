//! Whatever comes, in whatever order: no panic, no difference by fragmentation, silence at the end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::time::Duration;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{LayerError, Session as _, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::{self, Client};
use mailwright_pop3::parse::Entry;
use mailwright_pop3::sasl::{Answer, Credentials, MechanismName};
use mailwright_pop3::server::{Commit, Event, Opening, Server, Unavailable};
use mailwright_pop3::types::{Capabilities, Capability, MessageNumber, Password, UserName};
use proptest::prelude::*;
use support::{Host, clear_text, maildrop};

/// Lines that a client might send, good and bad.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "(STAT|LIST|UIDL|RSET|NOOP|CAPA|DELE 1|RETR 1|RETR 2|TOP 1 1|TOP 2 0|LIST 2|UIDL 1|RETR 007)(\r\n|\n)"
            .prop_map(String::into_bytes),
        1 => "(USER mrose|PASS tanstaaf|PASS x|AUTH PLAIN|AUTH LOGIN|\\*|=|AG1yb3NlAHRhbnN0YWFm|bXJvc2U=)\r\n"
            .prop_map(String::into_bytes),
        1 => "(RETR 0|DELE 99999999999999999999|TOP 1|LIST  1 |USER  a b |STLS|XYZZY|QUIT now|GET / HTTP/1.1)\r\n"
            .prop_map(String::into_bytes),
        1 => proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(0), Just(b' '), any::<u8>()], 0..12),
        1 => (1000usize..1100).prop_map(|length| [vec![b'x'; length], b"\r\n".to_vec()].concat()),
    ]
}

fn dialogue() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), proptest::collection::vec(line(), 0..30), any::<bool>()).prop_map(
        |(login, lines, quit)| {
            let mut dialogue = if login { b"USER mrose\r\nPASS tanstaaf\r\n".to_vec() } else { Vec::new() };
            dialogue.extend(lines.concat());
            if quit {
                dialogue.extend_from_slice(b"QUIT\r\n");
            }
            dialogue
        },
    )
}

/// Output, events and removed messages of a dialogue that comes in pieces.
fn outcome(dialogue: &[u8], pieces: &[usize], lenient: bool) -> (String, Vec<String>, Option<Vec<u32>>) {
    let mut config = clear_text();
    config.overlong_close = !lenient;
    config.limits.errors_before_login = if lenient { 1000 } else { 3 };
    let mut host = Host::new(config);
    let mut rest = dialogue;
    let mut pieces = pieces.iter().cycle();
    let mut said = host.take_output();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at((*pieces.next().unwrap()).clamp(1, rest.len()));
        said.push_str(&host.send(piece));
        rest = later;
    }
    said.push_str(&host.eof());
    (said, host.events, host.removed)
}

proptest! {
    #[test]
    fn the_cut_of_the_input_changes_nothing_at_the_server(
        dialogue in dialogue(),
        pieces in proptest::collection::vec(1usize..40, 1..10),
        lenient: bool,
    ) {
        let whole = outcome(&dialogue, &[usize::MAX], lenient);
        prop_assert_eq!(&outcome(&dialogue, &pieces, lenient), &whole);
        prop_assert_eq!(&outcome(&dialogue, &[1], lenient), &whole);
        // The end of the input is the end of the session, and nothing but QUIT removes anything.
        prop_assert!(whole.1.last().unwrap().starts_with("closed"));
        prop_assert_eq!(whole.2.is_some(), whole.1.iter().any(|event| event.starts_with("commit")));
    }

    #[test]
    fn each_line_has_its_reply(numbers in proptest::collection::vec(0u64..5, 1..40)) {
        let mut host = Host::logged_in(clear_text());
        let lines: String = numbers.iter().map(|number| format!("LIST {number}\r\n")).collect();
        prop_assert_eq!(host.send(lines.as_bytes()).lines().count(), numbers.len());
    }
}

/// A call on a server, by a host or driver that knows no order.
#[derive(Clone, Debug)]
enum Call {
    Input(Vec<u8>),
    Eof,
    Wait(u64),
    Upgrade(bool),
    Poll,
    Take(usize),
    Answer(u8),
    Content(usize),
    Finish,
    Abort,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => line().prop_map(Call::Input),
        1 => Just(Call::Eof),
        1 => (0u64..700).prop_map(Call::Wait),
        1 => any::<bool>().prop_map(Call::Upgrade),
        6 => Just(Call::Poll),
        3 => (0usize..2000).prop_map(Call::Take),
        6 => any::<u8>().prop_map(Call::Answer),
        4 => (0usize..40_000).prop_map(Call::Content),
        3 => Just(Call::Finish),
        1 => Just(Call::Abort),
    ]
}

proptest! {
    #[test]
    fn no_order_of_calls_panics_or_outgrows_the_limits_at_the_server(
        calls in proptest::collection::vec(call(), 0..80),
        mode in 0u8..3,
        login: bool,
    ) {
        let mut config = clear_text();
        config.tls = [TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][usize::from(mode)];
        let mut server = Server::new(config, [5; 32]);
        let (mut input, mut now) = (BytesMut::new(), Instant::ORIGIN);
        let (mut questions, mut spent) = (Vec::new(), Vec::new());
        let (mut opened, mut released, mut closed) = (0, 0, false);
        if login {
            input.extend_from_slice(b"USER mrose\r\nPASS tanstaaf\r\n");
        }
        for call in calls {
            match call {
                Call::Input(octets) => {
                    input.extend_from_slice(&octets);
                    server.handle_input(&mut input, now);
                }
                Call::Eof => server.handle_eof(now),
                Call::Wait(seconds) => {
                    now = now + Duration::from_secs(seconds);
                    server.handle_timeout(now);
                }
                Call::Upgrade(true) => server.handle_upgrade(Upgraded::Tls(TlsInfo::default()), now),
                Call::Upgrade(false) => server.handle_upgrade(Upgraded::Failed(LayerError::NotConfigured), now),
                Call::Poll => {
                    if let Some(event) = server.poll_event() {
                        prop_assert!(!closed, "an event after Closed: {:?}", event);
                        match event {
                            Event::Closed(_) => closed = true,
                            Event::Release => released += 1,
                            event => questions.push(event),
                        }
                    }
                }
                Call::Take(count) => server.transmit().advance(count),
                Call::Answer(choice) => match questions.pop() {
                    Some(Event::Authenticate { token, ask }) => {
                        let answer = [ask.accept(), Answer::No, Answer::TempFail][usize::from(choice % 3)].clone();
                        let _ = server.answer(token, answer);
                    }
                    Some(Event::Open { token, .. }) => {
                        let opening = [Opening::Opened(maildrop(&[b"a\n".to_vec(), b"b\r\n".to_vec()])), Opening::InUse];
                        let yes = choice % 4 != 0;
                        let done = server.answer(token, opening[usize::from(!yes)].clone()).is_ok();
                        opened += u32::from(yes && done);
                    }
                    Some(Event::Commit { token, .. }) => {
                        let _ = server.answer(token, Commit::All);
                    }
                    Some(Event::Retrieve { token, .. }) => spent.push(token),
                    _ => {}
                },
                Call::Content(length) => {
                    if let Some(token) = spent.last() {
                        let _ = server.content(token, &vec![b'\n'; length]);
                    }
                }
                Call::Finish => {
                    if let Some(token) = spent.pop() {
                        let _ = if now.as_millis() % 2 == 0 {
                            server.finish(token)
                        } else {
                            server.unavailable(token, Unavailable::Vanished)
                        };
                    }
                }
                Call::Abort => server.abort(),
            }
            prop_assert!(server.transmit().len() <= 16 * 1024);
            prop_assert!(server.wants().answers <= 1);
        }
        server.abort();
        // A removal that the host works on is waited for, but not by a host that aborts.
        while let Some(event) = server.poll_event() {
            released += u32::from(matches!(event, Event::Release));
        }
        prop_assert_eq!(opened, released);
        prop_assert!(server.wants().close);
    }

    #[test]
    fn no_octets_panic_or_outgrow_the_limits_at_the_client(
        replies in proptest::collection::vec(
            prop_oneof![
                3 => "(\\+OK( [0-9]{1,22} [0-9]{1,22})?|-ERR( \\[[A-Z/]{0,6}\\])? x|\\+ [A-Za-z=]{0,8}|1 2|\\.|\\.\\.|[0-9]{1,11}[ \t]+[!-~]{0,4})\r\n"
                    .prop_map(String::into_bytes),
                1 => proptest::collection::vec(
                    prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(0), any::<u8>()], 0..10),
            ],
            0..40,
        ),
        commands in proptest::collection::vec(0u8..15, 0..40),
        pieces in proptest::collection::vec(1usize..60, 1..5),
    ) {
        let run = |pieces: &[usize]| {
            let mut config = client::Config::default();
            config.sasl.clear_text_without_tls = true;
            let mut client = Client::new(config, [1; 32]);
            let mut input = BytesMut::from("+OK\r\n");
            let (mut sent, mut events) = (Vec::new(), Vec::new());
            client.handle_input(&mut input, Instant::ORIGIN);
            assert!(matches!(client.poll_event(), Some(client::Event::Greeting(_))));
            // All commands are in flight before the first reply: what answers which is the same then.
            for command in &commands {
                issue(&mut client, *command);
            }
            let wire = replies.concat();
            let (mut rest, mut pieces) = (&wire[..], pieces.iter().cycle());
            loop {
                client.handle_input(&mut input, Instant::ORIGIN);
                let mut quiet = true;
                while let Some(event) = client.poll_event() {
                    quiet = false;
                    // Neighbouring chunks are one; octets that came too early are cut by chance.
                    match (events.last_mut(), event) {
                        (Some(client::Event::Content { chunk, .. }), client::Event::Content { chunk: more, .. }) => {
                            *chunk = [&chunk[..], &more[..]].concat().into();
                        }
                        (_, client::Event::Closed(client::Closed::Unexpected(_))) => {}
                        (_, event) => events.push(event),
                    }
                }
                sent.extend_from_slice(client.transmit().chunk());
                let count = client.transmit().len();
                client.transmit().advance(count);
                if !quiet {
                    continue;
                }
                if rest.is_empty() {
                    break;
                }
                let (piece, later) = rest.split_at((*pieces.next().unwrap()).clamp(1, rest.len()));
                input.extend_from_slice(piece);
                rest = later;
                assert!(input.len() < 8192);
            }
            client.handle_eof(Instant::ORIGIN);
            events.extend(core::iter::from_fn(|| client.poll_event()));
            (sent, format!("{events:?}"))
        };
        let whole = run(&[1]);
        prop_assert_eq!(run(&pieces), whole);
    }
}

fn issue(client: &mut Client, command: u8) {
    client.set_capabilities(Capabilities::from_iter([Capability::Pipelining]));
    let one = Some(MessageNumber::FIRST);
    let _ = match command {
        0 => client.capa(),
        1 => client.user(&UserName::new("tim").unwrap()),
        2 => client.pass(&Password::new("x").unwrap()),
        3 => client.stat(),
        4 => client.list(None),
        5 => client.list(one),
        6 => client.uidl(None),
        7 => client.uidl(one),
        8 => client.retr(MessageNumber::FIRST),
        9 => client.top(MessageNumber::FIRST, 1),
        10 => client.dele(MessageNumber::FIRST),
        11 => client.noop(),
        12 => client.rset(),
        13 => client.quit(),
        _ => {
            let credentials = Credentials::password("tim", "x").unwrap();
            let exchange = client.exchange(MechanismName::LOGIN, &credentials).unwrap();
            client.auth(exchange)
        }
    };
}

#[test]
fn a_listing_entry_is_never_a_message_that_was_not_named() {
    let mut numbers = Vec::new();
    for line in ["0 1", "4294967296 1", "4294967297 1", "18446744073709551617 1", "-1 1"] {
        if let Ok(Entry::Size { number, .. }) =
            mailwright_pop3::parse::listing_size(line.as_bytes(), &mut |_| {})
        {
            numbers.push(number);
        }
    }
    assert!(numbers.is_empty());
}
