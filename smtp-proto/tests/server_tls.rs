//! STARTTLS and TLS from the start: the barrier behind the command, what is refused when, and what is
//! forgotten. Row T10; rules S-1, S-2; the gate of TLS; with a TLS client where octets matter.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Layer, LayerError, Session as _, Transport, Upgraded};
use mailwright_core::value::Instant;
use mailwright_smtp::server::{Config, Early, Event, Server, TlsMode};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
use support::{Host, codes, smtp, with_auth};

fn starttls() -> Config {
    let mut config = with_auth();
    config.tls = TlsMode::StartTls;
    config
}

const INJECTED: &str = "NOOP\r\nMAIL FROM:<evil@example.com>\r\nRSET\r\nQUIT\r\n";

#[test]
fn s1_what_stands_behind_starttls_is_never_executed_in_any_segmentation() {
    let wire = format!("STARTTLS\r\n{INJECTED}");
    let line = "STARTTLS\r\n".len();
    for first in 0..=wire.len() {
        for second in first..=wire.len() {
            let mut host = Host::ready(starttls());
            let said = host.send_cut(wire.as_bytes(), &[first, second]);
            assert_eq!(said, "220 2.0.0 Ready to start TLS\r\n", "{first} {second}");
            assert_eq!(host.server.wants().upgrade, Some(Layer::Tls));
            assert!(!host.server.wants().input);
            // Every octet is left for the handshake.
            assert_eq!(host.input, &wire[line..]);
            assert!(host.events.is_empty(), "{:?}", host.events);
        }
    }
}

#[test]
fn s1_the_other_policy_refuses_and_closes() {
    let mut config = starttls();
    config.early.start_tls = Early::Refuse;
    let mut host = Host::ready(config.clone());
    assert_eq!(codes(&host.send(format!("STARTTLS\r\n{INJECTED}"))), "554 5.5.1");
    assert!(host.closed());
    assert_eq!(host.events, ["closed Early"]);
    assert!(host.input.is_empty());
    let mut host = Host::ready(config);
    assert_eq!(host.codes("STARTTLS"), "220 2.0.0");
}

#[test]
fn s2_everything_is_forgotten_and_the_next_command_must_be_ehlo() {
    let mut host = Host::ready(starttls());
    host.send("MAIL FROM:<a@b>\r\nRSET\r\n");
    assert_eq!(host.codes("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
    assert_eq!(host.codes("STARTTLS"), "220 2.0.0");
    assert_eq!(host.secure(), "", "there is no second greeting");
    assert!(host.saw("secured"));
    assert!(host.server.client_name().is_none() && host.server.identity().is_none());
    assert!(!host.server.is_extended() && host.server.tls().is_some());
    for command in ["MAIL FROM:<a@b>", "RCPT TO:<a@b>", "DATA", "AUTH PLAIN", "STARTTLS"] {
        assert_eq!(host.codes(command), "503 5.5.1", "{command}");
    }
    assert_eq!(host.codes("NOOP"), "250 2.0.0");
    let said = host.send("EHLO client.example.com\r\n");
    assert!(!said.contains("STARTTLS") && said.contains("AUTH"), "{said}");
    assert_eq!(host.codes("STARTTLS"), "503 5.5.1", "T10: TLS is active");
    let with = host.server.with();
    assert!(with.tls && with.extended && !with.authenticated);
}

#[test]
fn s13_inside_tls_the_first_line_is_a_first_line_again() {
    for first in ["GET / HTTP/1.1\r\n", "\x16\x03\x01"] {
        let mut host = Host::ready(starttls());
        host.codes("STARTTLS");
        host.secure();
        assert_eq!(codes(&host.send(first)), "554 5.5.1", "{first:?}");
        assert!(host.closed());
    }
}

#[test]
fn t10_where_starttls_is_refused() {
    assert_eq!(Host::new(starttls()).codes("STARTTLS"), "503 5.5.1");
    assert_eq!(Host::ready(smtp()).codes("STARTTLS"), "502 5.5.1");
    assert_eq!(Host::open(starttls(), &[]).codes("STARTTLS"), "503 5.5.1");
    assert_eq!(Host::ready(starttls()).codes("STARTTLS foo"), "501 5.5.4", "S-2");
}

#[test]
fn t10_a_certificate_that_is_missing_is_454_and_the_session_goes_on_in_plaintext() {
    let mut host = Host::ready(starttls());
    host.server.set_tls_unavailable(true);
    assert_eq!(host.codes("STARTTLS"), "454 4.7.0");
    // Refused, there is no handshake: what stands behind is read as what it is, and reported.
    assert_eq!(codes(&host.send("STARTTLS\r\nNOOP\r\n")), "454 4.7.0, 250 2.0.0");
    assert!(host.saw("deviation command behind"));
    host.server.set_tls_unavailable(false);
    assert_eq!(host.codes("STARTTLS"), "220 2.0.0");
}

#[test]
fn starttls_cannot_be_tried_without_end() {
    let mut host = Host::ready(starttls());
    host.server.set_tls_unavailable(true);
    let tries = (0..200).take_while(|_| host.codes("STARTTLS") == "454 4.7.0").count();
    assert_eq!(tries, 99, "EHLO was the first of a hundred");
    assert!(host.closed());
}

#[test]
fn a_failed_handshake_ends_the_session_without_a_word() {
    let mut host = Host::ready(starttls());
    host.codes("STARTTLS");
    host.server.handle_upgrade(Upgraded::Failed(LayerError::Tls("no".into())), host.now);
    host.run();
    assert_eq!(host.take_output(), "");
    assert!(host.closed());
    assert!(host.events.last().unwrap().starts_with("closed Layer"));
}

#[test]
fn a_layer_that_nobody_asked_for_changes_nothing() {
    let mut host = Host::open(starttls(), &["a@b"]);
    assert_eq!(host.secure(), "");
    assert!(host.server.tls().is_none());
    assert_eq!(host.server.recipients(), 1);
}

#[test]
fn an_end_of_the_connection_in_the_handshake() {
    let mut host = Host::ready(starttls());
    host.codes("STARTTLS");
    assert_eq!(host.eof(), "");
    assert_eq!(host.events, ["closed Disconnected"]);
}

#[test]
fn tls_from_the_start_greets_inside() {
    let mut config = with_auth();
    config.tls = TlsMode::Implicit;
    let mut host = Host::new(config);
    assert_eq!(host.server.wants().upgrade, Some(Layer::Tls));
    assert_eq!(host.send("EHLO a\r\n"), "", "nothing is said or read before");
    host.input.clear();
    assert_eq!(host.secure(), "220 mx.example.org\r\n");
    let said = host.send("EHLO a\r\n");
    assert!(said.contains("AUTH") && !said.contains("STARTTLS"));
    assert_eq!(host.codes("STARTTLS"), "503 5.5.1");
}

// ---- With octets of TLS

const NOW: Instant = Instant::ORIGIN;

fn configurations() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let made = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

/// A server session with its layers, and the wire to it.
struct Wire {
    server: Transport<Server>,
    input: BytesMut,
    events: Vec<String>,
}

impl Wire {
    fn new(config: Config, tls: Arc<ServerConfig>) -> Self {
        let mut wire = Self {
            server: Transport::tls_ready(Server::new(config, [3; 32]), tls),
            input: BytesMut::new(),
            events: Vec::new(),
        };
        wire.send(b"");
        wire
    }

    /// Sends octets; those that come back.
    fn send(&mut self, octets: &[u8]) -> Vec<u8> {
        self.input.extend_from_slice(octets);
        let mut output = Vec::new();
        for _ in 0..4 {
            self.server.handle_input(&mut self.input, NOW);
            while let Some(event) = self.server.poll_event() {
                self.events.push(match event {
                    Event::Secured(info) => format!("secured {}", info.version),
                    Event::Closed(reason) => {
                        format!("closed {}", format!("{reason:?}").split('(').next().unwrap())
                    }
                    event => format!("{event:?}"),
                });
            }
            while self.server.transmit().has_remaining() {
                let chunk = self.server.transmit().chunk().to_vec();
                self.server.transmit().advance(chunk.len());
                output.extend_from_slice(&chunk);
            }
        }
        output
    }
}

/// Octets of the client for its TLS peer, in pieces of `size`; what is decrypted.
fn exchange(client: &mut ClientConnection, wire: &mut Wire, size: usize) -> Vec<u8> {
    let mut plain = Vec::new();
    while client.wants_write() {
        let mut out = Vec::new();
        client.write_tls(&mut out).unwrap();
        for piece in out.chunks(size) {
            let answer = wire.send(piece);
            let mut answer = &answer[..];
            while !answer.is_empty() {
                client.read_tls(&mut answer).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        let mut text = [0; 4096];
        if let Ok(count) = client.reader().read(&mut text) {
            plain.extend_from_slice(&text[..count]);
        }
    }
    plain
}

#[test]
fn s1_plaintext_behind_starttls_fails_the_handshake_however_it_is_cut() {
    let (tls, _) = configurations();
    let start = "EHLO a\r\nSTARTTLS\r\n";
    let octets = format!("{start}{INJECTED}");
    for cut in 0..=octets.len() {
        let mut wire = Wire::new(starttls(), Arc::clone(&tls));
        wire.events.clear();
        let mut said = wire.send(&octets.as_bytes()[..cut]);
        said.extend(wire.send(&octets.as_bytes()[cut..]));
        let end = said.windows(8).position(|window| window == b"to start").unwrap();
        let behind = &said[end + b"to start TLS\r\n".len()..];
        // Behind the 220 comes nothing but an alert of TLS.
        assert!(behind.is_empty() || behind[0] == 0x15, "{cut} {}", behind.escape_ascii());
        assert_eq!(wire.events.last().unwrap(), "closed Layer", "{cut}");
        assert!(!wire.events.iter().any(|event| event.contains("evil")), "{cut}");
        assert!(wire.server.wants().close);
    }
}

#[test]
fn s1_a_handshake_in_any_segmentation_then_a_session_in_tls() {
    let (tls, client_tls) = configurations();
    for size in [1, 2, 7, 100, 100_000] {
        let mut wire = Wire::new(starttls(), Arc::clone(&tls));
        assert!(wire.send(b"EHLO a\r\nSTARTTLS\r\n").ends_with(b"220 2.0.0 Ready to start TLS\r\n"));
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::clone(&client_tls), name).unwrap();
        exchange(&mut client, &mut wire, size);
        assert!(!client.is_handshaking());
        assert!(wire.events.contains(&"secured TLSv1.3".to_string()), "{:?}", wire.events);
        client.writer().write_all(b"MAIL FROM:<a@b>\r\nEHLO b\r\n").unwrap();
        let said = String::from_utf8(exchange(&mut client, &mut wire, size)).unwrap();
        assert_eq!(codes(&said), "503 5.5.1, 250");
        assert!(!said.contains("STARTTLS"));
        client.writer().write_all(b"QUIT\r\n").unwrap();
        assert_eq!(codes(&String::from_utf8(exchange(&mut client, &mut wire, size)).unwrap()), "221 2.0.0");
        assert_eq!(wire.events.last().unwrap(), "closed Quit");
    }
}

#[test]
fn tls_from_the_start_takes_no_plaintext() {
    let (tls, client_tls) = configurations();
    let mut config = starttls();
    config.tls = TlsMode::Implicit;
    let mut wire = Wire::new(config.clone(), Arc::clone(&tls));
    let said = wire.send(b"EHLO a\r\nQUIT\r\n");
    assert!(said.is_empty() || said[0] == 0x15);
    assert_eq!(wire.events, ["closed Layer"]);
    let mut wire = Wire::new(config, tls);
    let mut client = ClientConnection::new(client_tls, ServerName::try_from("localhost").unwrap()).unwrap();
    let greeting = exchange(&mut client, &mut wire, 100_000);
    assert_eq!(greeting, b"220 mx.example.org\r\n");
}
