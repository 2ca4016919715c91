//! TLS as a layer of a transport, in memory: upgrades, barriers, facts, failures, ends, bounds.
#![cfg(feature = "rustls")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

mod toy;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{LayerError, Session as _, TlsInfo, Transport, Upgraded};
use mailwright_core::value::Instant;
use toy::certificates::{Certificates, NAME};
use toy::{End, Event, Numbers, Role, Toy, events, lines, output, run};

const NOW: Instant = Instant::ORIGIN;

type Peer = End<Transport<Toy>>;

/// A server and a client; STARTTLS, unless from the start.
fn pair(certificates: &Certificates, implicit: bool) -> (Peer, Peer) {
    let toy = if implicit { Toy::implicit } else { Toy::new };
    let server = Transport::tls_ready(toy(Role::Server), certificates.server());
    let client = Transport::tls_ready(toy(Role::Client), certificates.client());
    (End::new(client), End::new(server))
}

/// The state behind STARTTLS.
fn secured(certificates: &Certificates) -> (Peer, Peer) {
    let (mut client, mut server) = pair(certificates, false);
    client.session.session_mut().say("STARTTLS");
    run(&mut client, &mut server, &[]);
    assert!(matches!(server.events[..], [Event::Secured(_)]));
    (client, server)
}

fn info(events: &[Event]) -> &TlsInfo {
    events.iter().find_map(|event| if let Event::Secured(info) = event { Some(info) } else { None }).unwrap()
}

fn failure(events: &[Event]) -> &LayerError {
    match events.last() {
        Some(Event::Closed(Some(error))) => error,
        other => panic!("no failure: {other:?}"),
    }
}

fn talk(certificates: &Certificates, implicit: bool, cuts: &[usize]) -> (Peer, Peer) {
    let (mut client, mut server) = pair(certificates, implicit);
    if !implicit {
        client.session.session_mut().say("one");
        client.session.session_mut().say("STARTTLS");
    }
    run(&mut client, &mut server, cuts);
    for line in ["two", "three", "QUIT"] {
        client.session.session_mut().say(line);
    }
    run(&mut client, &mut server, cuts);
    (client, server)
}

fn assert_talked(client: &Peer, server: &Peer, implicit: bool) {
    let (first, clear): (&[&str], usize) = if implicit { (&[], 0) } else { (&["one"], 1) };
    assert_eq!(lines(&server.events), [first, &["two", "three"]].concat());
    assert!(matches!(server.events[clear], Event::Secured(_)), "{:?}", server.events);
    assert_eq!(server.events.last(), Some(&Event::Closed(None)));
    let last = client.events.len() - 3;
    assert_eq!(lines(&client.events[last..]), ["+ two", "+ three"]);
    assert_eq!(client.events.last(), Some(&Event::Closed(None)));
}

#[test]
fn starttls_secures_what_follows() {
    let certificates = Certificates::new();
    let (client, server) = talk(&certificates, false, &[]);
    assert_talked(&client, &server, false);
}

#[test]
fn a_session_that_wants_tls_first_gets_it_from_the_first_octet() {
    let certificates = Certificates::new();
    let (mut client, mut server) = pair(&certificates, true);
    server.turn();
    assert!(output(&mut server.session).is_empty(), "the greeting waits for TLS");
    client.turn();
    // RFC 8446 §5.1: a handshake record.
    assert_eq!(client.session.transmit().chunk()[0], 0x16);
    let (client, server) = talk(&certificates, true, &[]);
    assert_talked(&client, &server, true);
    assert_eq!(lines(&client.events)[0], "+ hello");
}

#[test]
fn a_session_that_never_wants_tls_goes_without() {
    let certificates = Certificates::new();
    let (mut client, mut server) = pair(&certificates, false);
    client.session.session_mut().say("QUIT");
    run(&mut client, &mut server, &[]);
    assert_eq!(server.events, [Event::Closed(None)]);
    assert_eq!(client.events, [Event::Line("+ hello".into()), Event::Closed(None)]);
}

#[test]
fn any_cut_of_the_wire_gives_the_same_conversation() {
    let certificates = Certificates::new();
    for implicit in [false, true] {
        let (client, server) = talk(&certificates, implicit, &[]);
        let length = client.came().max(server.came());
        for cut in 1..length {
            let (client, server) = talk(&certificates, implicit, &[cut]);
            assert_talked(&client, &server, implicit);
        }
    }
}

#[test]
fn any_two_cuts_around_the_agreement_give_the_same_conversation() {
    let certificates = Certificates::new();
    // "one", "STARTTLS", and the header of the first record; the same places cut what comes back.
    for first in 1..22 {
        for second in first + 1..23 {
            let (client, server) = talk(&certificates, false, &[first, second]);
            assert_talked(&client, &server, false);
        }
    }
}

#[test]
fn any_number_of_cuts_gives_the_same_conversation() {
    let certificates = Certificates::new();
    let mut numbers = Numbers::new(7);
    for round in 0..100 {
        let count = 2 + numbers.below(40);
        let mut cuts: Vec<usize> = (0..count).map(|_| 1 + numbers.below(2500)).collect();
        cuts.sort_unstable();
        let (client, server) = talk(&certificates, round % 2 == 0, &cuts);
        assert_talked(&client, &server, round % 2 == 0);
    }
    let every: Vec<usize> = (1..10_000).collect();
    let (client, server) = talk(&certificates, false, &every);
    assert_talked(&client, &server, false);
}

#[test]
fn plaintext_behind_starttls_never_reaches_the_session() {
    let certificates = Certificates::new();
    let attack = b"one\r\nSTARTTLS\r\nEVIL\r\nEVIL\r\n";
    for first in 1..attack.len() {
        for second in first..attack.len() {
            let (_, mut server) = pair(&certificates, false);
            server.turn();
            server.deliver(attack, &[first, second]);
            // Without more the handshake only waits; the end of the stream decides.
            server.session.handle_eof(NOW);
            server.events.extend(events(&mut server.session));
            assert_eq!(lines(&server.events), ["one"], "cut at {first} and {second}");
            assert!(matches!(failure(&server.events), LayerError::Tls(_)));
            assert!(server.session.wants().close);
        }
    }
}

#[test]
fn plaintext_behind_the_agreement_of_a_server_never_reaches_the_client() {
    let certificates = Certificates::new();
    let attack = b"+ hello\r\n+ STARTTLS\r\n+ EVIL\r\n";
    for first in 1..attack.len() {
        for second in first..attack.len() {
            let (mut client, _) = pair(&certificates, false);
            client.session.session_mut().say("STARTTLS");
            client.turn();
            client.deliver(attack, &[first, second]);
            client.session.handle_eof(NOW);
            client.events.extend(events(&mut client.session));
            assert_eq!(lines(&client.events), ["+ hello"], "cut at {first} and {second}");
            assert!(matches!(failure(&client.events), LayerError::Tls(_)));
        }
    }
}

#[test]
fn plaintext_that_cannot_be_a_record_is_refused_with_an_alert() {
    let certificates = Certificates::new();
    let (_, mut server) = pair(&certificates, false);
    server.turn();
    server.deliver(b"STARTTLS\r\nGET / HTTP/1.1\r\n\r\n", &[]);
    assert!(matches!(failure(&server.events), LayerError::Tls(_)));
    let said = output(&mut server.session);
    // RFC 8446 §5.1, §6: one record with a fatal alert, and no word of the session behind it.
    let alert = said.strip_prefix(b"+ hello\r\n+ STARTTLS\r\n".as_slice()).unwrap();
    assert_eq!((alert[0], alert[5], alert.len()), (0x15, 2, 7), "{alert:?}");
    assert!(server.session.wants().close);
    assert!(!server.session.wants().input);
}

#[test]
fn both_sides_learn_the_facts() {
    let certificates = Certificates::new();
    let (client, server) = secured(&certificates);
    let (client, server) = (info(&client.events), info(&server.events));
    for side in [client, server] {
        assert_eq!(side.version, "TLSv1.3");
        assert!(side.cipher_suite.starts_with("TLS13_"), "{}", side.cipher_suite);
    }
    assert_eq!(server.server_name.as_deref(), Some(NAME));
    assert_eq!(client.server_name, None);
    assert_eq!(client.peer_certificates.len(), 1);
    assert!(server.peer_certificates.is_empty());
    assert_eq!(client.exporter, server.exporter);
    assert!(client.exporter.is_some_and(|exporter| exporter != [0; 32]));
}

#[test]
fn each_connection_exports_its_own_key() {
    let certificates = Certificates::new();
    let (first, _) = secured(&certificates);
    let (second, _) = secured(&certificates);
    assert_ne!(info(&first.events).exporter, info(&second.events).exporter);
}

#[test]
fn tls_1_2_exports_no_key() {
    let certificates = Certificates::new();
    let (_, mut server) = pair(&certificates, true);
    let tls = certificates.client_with(&[&rustls::version::TLS12], NAME);
    let mut client = End::new(Transport::tls_ready(Toy::implicit(Role::Client), tls));
    run(&mut client, &mut server, &[]);
    let facts = info(&client.events);
    assert_eq!((facts.version.as_str(), facts.exporter), ("TLSv1.2", None));
    assert_eq!(lines(&client.events), ["+ hello"]);
}

#[test]
fn a_server_sees_the_certificate_of_a_client() {
    let certificates = Certificates::new();
    let (tls, certificate) = certificates.client_with_certificate();
    let mut client = End::new(Transport::tls_ready(Toy::implicit(Role::Client), tls));
    let mut server =
        End::new(Transport::tls_ready(Toy::implicit(Role::Server), certificates.asking_server()));
    run(&mut client, &mut server, &[]);
    assert_eq!(info(&server.events).peer_certificates, [certificate.as_ref()]);
}

#[test]
fn tls_without_configuration_fails_and_says_nothing_more() {
    let mut server = End::new(Transport::plain(Toy::server()));
    server.turn();
    server.deliver(b"STARTTLS\r\nEVIL\r\n", &[]);
    assert_eq!(server.events, [Event::Closed(Some(LayerError::NotConfigured))]);
    assert_eq!(output(&mut server.session), b"+ hello\r\n+ STARTTLS\r\n");
    assert!(server.session.wants().close);
    assert!(server.input.is_empty());
}

#[test]
fn a_certificate_of_another_name_fails_on_both_sides() {
    let certificates = Certificates::new();
    let (_, mut server) = pair(&certificates, false);
    let tls = certificates.client_with(rustls::ALL_VERSIONS, "other.example");
    let mut client = End::new(Transport::tls_ready(Toy::client(), tls));
    client.session.session_mut().say("STARTTLS");
    run(&mut client, &mut server, &[]);
    for side in [&client, &server] {
        assert!(matches!(failure(&side.events), LayerError::Tls(_)));
        assert!(side.session.wants().close);
    }
    let LayerError::Tls(text) = failure(&server.events) else { panic!() };
    assert!(text.contains("alert"), "the server hears of it: {text}");
}

#[test]
fn a_damaged_record_ends_the_connection_with_an_alert() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    client.session.session_mut().say("evil");
    let mut wire = output(&mut client.session);
    *wire.last_mut().unwrap() ^= 1;
    server.deliver(&wire, &[]);
    assert!(matches!(failure(&server.events), LayerError::Tls(_)));
    assert!(lines(&server.events).is_empty());
    // The alert, and nothing of the farewell that the session wrote.
    let said = output(&mut server.session);
    client.deliver(&said, &[]);
    assert!(matches!(failure(&client.events), LayerError::Tls(_)), "{:?}", client.events);
    assert_eq!(lines(&client.events), ["+ hello"]);
}

#[test]
fn after_a_failure_there_is_silence() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    server.deliver(b"\x17\x03\x03\x00\x05wrong", &[]);
    assert!(matches!(failure(&server.events), LayerError::Tls(_)));
    let _ = output(&mut server.session);
    client.session.session_mut().say("again");
    let more = output(&mut client.session);
    let told = server.events.len();
    server.deliver(&more, &[]);
    server.session.handle_eof(NOW);
    server.session.handle_timeout(NOW);
    assert_eq!((server.events.len(), events(&mut server.session).len()), (told, 0));
    assert!(output(&mut server.session).is_empty());
    assert!(server.input.is_empty());
}

#[test]
fn close_notify_is_the_end_of_the_input() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    client.session.session_mut().say("last");
    client.session.session_mut().leave();
    client.turn();
    let mut wire = output(&mut client.session);
    wire.extend_from_slice(b"what comes behind is nobody's");
    server.deliver(&wire, &[]);
    assert_eq!(lines(&server.events), ["last"]);
    assert_eq!(server.events.last(), Some(&Event::Closed(None)));
    assert!(server.input.is_empty());
}

#[test]
fn the_end_waits_until_the_session_has_come_to_it() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    for line in ["ASK", "behind"] {
        client.session.session_mut().say(line);
    }
    client.session.session_mut().leave();
    client.turn();
    let wire = output(&mut client.session);
    server.deliver(&wire, &[]);
    server.session.handle_eof(NOW);
    server.turn();
    assert_eq!(server.events.last(), Some(&Event::Asked));
    server.session.session_mut().answer("now");
    server.turn();
    assert_eq!(lines(&server.events), ["behind"]);
    assert_eq!(server.events.last(), Some(&Event::Closed(None)));
}

#[test]
fn what_a_closing_session_said_goes_out_before_close_notify() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    server.session.session_mut().say("+ farewell");
    server.session.session_mut().leave();
    run(&mut client, &mut server, &[]);
    assert_eq!(lines(&client.events), ["+ hello", "+ farewell"]);
    assert_eq!(client.events.last(), Some(&Event::Closed(None)), "close_notify came");
}

#[test]
fn a_stream_that_ends_in_the_handshake_is_a_failure() {
    let certificates = Certificates::new();
    let (mut client, mut server) = pair(&certificates, true);
    client.turn();
    let hello = output(&mut client.session);
    server.deliver(&hello[..hello.len() - 1], &[]);
    server.session.handle_eof(NOW);
    server.events.extend(events(&mut server.session));
    assert!(matches!(failure(&server.events), LayerError::Tls(_)));
}

#[test]
fn a_session_that_gives_up_in_the_handshake_closes() {
    let certificates = Certificates::new();
    let (mut client, mut server) = pair(&certificates, true);
    client.turn();
    let hello = output(&mut client.session);
    server.deliver(&hello[..10], &[]);
    server.session.session_mut().say("* too slow");
    server.session.session_mut().leave();
    server.turn();
    assert!(server.session.wants().close);
    let said = output(&mut server.session);
    assert!(!said.windows(8).any(|part| part == b"too slow"), "nobody can read it");
    assert_eq!(said.first(), Some(&0x15));
}

#[test]
fn tls_inside_tls_is_refused() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    server.session.session_mut().say("+ STARTTLS");
    client.turn();
    run(&mut client, &mut server, &[]);
    assert_eq!(failure(&client.events), &LayerError::NotConfigured, "TLS is there already");
}

#[test]
fn nothing_is_decrypted_while_the_session_takes_nothing() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    client.session.session_mut().say("ASK");
    let ask = output(&mut client.session);
    server.deliver(&ask, &[]);
    assert!(!server.session.wants().input);
    for _ in 0..100 {
        client.session.session_mut().say(&"x".repeat(1000));
        let more = output(&mut client.session);
        server.deliver(&more, &[]);
    }
    // 1002 octets of text, and 22 of TLS around them.
    assert_eq!(server.input.len(), 100 * 1024);
    server.session.session_mut().answer("now");
    server.turn();
    while !server.input.is_empty() {
        let _ = output(&mut server.session);
        server.turn();
    }
    assert_eq!(lines(&server.events).len(), 100);
}

#[test]
fn output_is_encrypted_only_as_far_as_the_window_goes() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    let line = "x".repeat(998);
    for _ in 0..1000 {
        server.session.session_mut().say(&line);
    }
    let window = Transport::<Toy>::WINDOW;
    let mut wire = Vec::new();
    while !server.session.transmit().is_empty() {
        let waiting = server.session.transmit().len();
        assert!(waiting < 2 * window + 1024, "{waiting}");
        wire.extend_from_slice(&server.session.transmit().chunk()[..waiting.min(100)]);
        server.session.transmit().advance(waiting.min(100));
    }
    client.deliver(&wire, &[]);
    assert_eq!(lines(&client.events).len(), 1 + 1000);
}

#[test]
fn a_line_longer_than_the_window_arrives() {
    let certificates = Certificates::new();
    let (mut client, mut server) = secured(&certificates);
    let line = "x".repeat(60_000);
    client.session.session_mut().say(&line);
    let mut wire = output(&mut client.session);
    // More than that waits behind it.
    client.session.session_mut().say(&line);
    wire.extend(output(&mut client.session));
    server.deliver(&wire, &[]);
    let _ = output(&mut server.session);
    server.turn();
    assert_eq!(lines(&server.events), [&line, &line]);
}

#[test]
fn news_of_a_layer_elsewhere_goes_through() {
    let mut transport = Transport::plain(Toy::implicit(Role::Server));
    transport.handle_upgrade(Upgraded::Tls(TlsInfo::default()), NOW);
    assert_eq!(transport.poll_event(), Some(Event::Secured(TlsInfo::default())));
    assert_eq!(output(&mut transport), b"+ hello\r\n");
    let mut input = BytesMut::from("x\r\n");
    transport.handle_input(&mut input, NOW);
    assert_eq!(transport.into_session().poll_event(), Some(Event::Line("x".into())));
}
