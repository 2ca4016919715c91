//! STARTTLS and TLS from the start: the barrier behind the command, what is refused when, and what is forgotten;
//! with a TLS client where octets matter. RFC 9051 §6.2.1.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use host::{Answers, Host};
use mailwright_core::session::{Layer, LayerError, Session as _, Transport, Upgraded};
use mailwright_core::testing::Host as _;
use mailwright_core::value::Instant;
use mailwright_imap::server::{Config, Server, TlsMode};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};

fn start_tls() -> Config {
    let mut config = Config::default();
    config.tls = TlsMode::StartTls;
    config
}

const INJECTED: &str = "b LOGIN {4+}\r\nevil {4+}\r\nevil\r\nc NOOP\r\nd LOGOUT\r\n";

#[test]
fn what_stands_behind_starttls_is_never_executed_in_any_segmentation() {
    let wire = format!("a STARTTLS\r\n{INJECTED}");
    let line = "a STARTTLS\r\n".len();
    for first in 0..=wire.len() {
        for second in first..=wire.len() {
            let mut host = Host::with(start_tls());
            let said = host.say_cut(wire.as_bytes(), &[first, second]);
            assert_eq!(said, "a OK begin TLS\r\n", "{first} {second}");
            let wants = host.server.wants();
            assert!(wants.upgrade == Some(Layer::Tls) && !wants.input);
            assert_eq!(host.input, &wire[line..], "every octet is left for the handshake");
            assert!(host.events.is_empty(), "{:?}", host.events);
        }
    }
}

#[test]
fn everything_said_before_tls_is_forgotten() {
    let mut host = Host::with(start_tls());
    host.say("a XFOO\r\nb XFOO\r\n");
    assert_eq!(host.say("c STARTTLS\r\n"), "c OK begin TLS\r\n");
    assert_eq!(host.secure(), "", "there is no second greeting");
    assert!(host.events.contains(&"Secured".to_owned()));
    let said = host.say("d CAPABILITY\r\n");
    assert!(
        !said.contains("STARTTLS") && !said.contains("LOGINDISABLED") && said.contains("AUTH=PLAIN"),
        "{said}"
    );
    assert_eq!(host.say("e XFOO\r\nf XFOO\r\n").lines().count(), 2, "errors count anew");
    assert_eq!(host.say("g STARTTLS\r\n"), "g BAD no TLS here, or it is active\r\n");
    assert!(host.say("h LOGIN fred secret\r\n").starts_with("h OK [CAPABILITY "));
    assert_eq!(host.say("i STARTTLS\r\n"), "i BAD already logged in\r\n");
}

#[test]
fn failed_logins_count_across_tls() {
    let mut config = start_tls();
    config.clear_text_without_tls = true;
    config.limits.login_failures = 2;
    let mut host = Host::with(config);
    host.say("a LOGIN fred wrong\r\nb STARTTLS\r\n");
    host.secure();
    assert!(host.say("c LOGIN fred wrong\r\n").ends_with("* BYE too many failed logins\r\n"));
}

#[test]
fn before_tls_no_password_is_taken_nor_even_asked_for() {
    let mut host = Host::with(start_tls());
    let said = host.say("a CAPABILITY\r\n");
    assert!(said.contains(" STARTTLS LOGINDISABLED\r\n"), "{said}");
    assert_eq!(host.say("b LOGIN fred secret\r\n"), "b NO [PRIVACYREQUIRED] not without TLS\r\n");
    assert_eq!(host.say("c LOGIN {4}\r\n"), "c NO [PRIVACYREQUIRED] not without TLS\r\n");
    assert_eq!(
        host.say("d LOGIN fred {6+}\r\nsecret\r\ne NOOP\r\n"),
        "d NO [PRIVACYREQUIRED] not without TLS\r\ne OK done\r\n"
    );
    assert_eq!(
        host.say("f AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\n"),
        "f NO [PRIVACYREQUIRED] not without TLS\r\n"
    );
    assert!(!host.events.contains(&"Authenticate".to_owned()));
}

#[test]
fn starttls_is_refused_where_it_is_not_offered_or_has_arguments() {
    let mut host = Host::plain();
    assert_eq!(host.say("a STARTTLS\r\n"), "a BAD no TLS here, or it is active\r\n");
    let mut host = Host::with(start_tls());
    assert_eq!(host.say("a STARTTLS now\r\n"), "a BAD expected the end of the command\r\n");
    assert_eq!(host.say("b STARTTLS {3}\r\n"), "b BAD no literal belongs here\r\n");
    assert!(host.server.wants().upgrade.is_none());
}

#[test]
fn a_failed_handshake_ends_the_session_without_a_word() {
    let mut host = Host::with(start_tls());
    host.say("a STARTTLS\r\n");
    host.server.handle_upgrade(Upgraded::Failed(LayerError::Tls("no".into())), host.now);
    assert_eq!(host.say(""), "");
    assert!(host.closed.as_ref().unwrap().starts_with("Closed(Layer"));
}

#[test]
fn a_layer_that_nobody_asked_for_changes_nothing() {
    let mut host = Host::selected(1);
    assert_eq!(host.secure(), "");
    assert!(host.server.tls().is_none() && host.server.is_selected());
}

#[test]
fn an_end_of_the_connection_in_the_handshake() {
    let mut host = Host::with(start_tls());
    host.say("a STARTTLS\r\n");
    assert_eq!(host.eof(), "");
    assert_eq!(host.closed.as_deref(), Some("Closed(EndOfInput)"));
}

#[test]
fn tls_from_the_start_greets_inside() {
    let mut config = start_tls();
    config.tls = TlsMode::Implicit;
    let mut host = Host::with(config);
    assert_eq!(host.server.wants().upgrade, Some(Layer::Tls));
    assert_eq!(host.say("a NOOP\r\n"), "", "nothing is said or read before");
    host.input.clear();
    let said = host.secure();
    assert!(
        said.starts_with("* OK [CAPABILITY ") && said.contains("AUTH=PLAIN") && !said.contains("STARTTLS")
    );
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

/// A server session with its layers, its host, and the wire to it.
struct Wire {
    server: Transport<Server>,
    answers: Answers,
    input: BytesMut,
}

impl Wire {
    fn new(config: Config, tls: Arc<ServerConfig>) -> Self {
        let server = Transport::tls_ready(Server::new(config, [3; 32]), tls);
        Self { server, answers: Answers::default(), input: BytesMut::new() }
    }

    /// Sends octets; those that come back.
    fn send(&mut self, octets: &[u8]) -> Vec<u8> {
        self.input.extend_from_slice(octets);
        let mut output = Vec::new();
        for _ in 0..4 {
            self.server.handle_input(&mut self.input, NOW);
            while let Some(event) = self.server.poll_event() {
                self.answers.handle(self.server.session_mut(), event);
            }
            while self.server.transmit().has_remaining() {
                let chunk = self.server.transmit().chunk().to_vec();
                self.server.transmit().advance(chunk.len());
                output.extend_from_slice(&chunk);
            }
        }
        output
    }

    fn ended_in_the_layer(&self) -> bool {
        self.answers.closed.as_ref().is_some_and(|closed| closed.starts_with("Closed(Layer"))
    }
}

/// Octets of the client for its TLS peer, in pieces of `size`; what is decrypted.
fn exchange(client: &mut ClientConnection, wire: &mut Wire, size: usize) -> String {
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
    String::from_utf8(plain).unwrap()
}

#[test]
fn plaintext_behind_starttls_fails_the_handshake_however_it_is_cut() {
    let (tls, _) = configurations();
    let octets = format!("a STARTTLS\r\n{INJECTED}");
    for cut in 0..=octets.len() {
        let mut wire = Wire::new(start_tls(), Arc::clone(&tls));
        let mut said = wire.send(&octets.as_bytes()[..cut]);
        said.extend(wire.send(&octets.as_bytes()[cut..]));
        let said_last = b"a OK begin TLS\r\n";
        let end = said.windows(said_last.len()).position(|window| window == said_last).unwrap();
        let behind = &said[end + said_last.len()..];
        // Behind the OK comes nothing but an alert of TLS.
        assert!(behind.is_empty() || behind[0] == 0x15, "{cut} {}", behind.escape_ascii());
        assert!(wire.ended_in_the_layer(), "{cut} {:?}", wire.answers.closed);
        assert_eq!(wire.answers.events, ["Closed"], "{cut}");
        assert!(wire.server.wants().close);
    }
}

#[test]
fn a_handshake_in_any_segmentation_then_a_session_in_tls() {
    let (tls, client_tls) = configurations();
    for size in [1, 2, 7, 100, 100_000] {
        let mut wire = Wire::new(start_tls(), Arc::clone(&tls));
        assert!(wire.send(b"a STARTTLS\r\n").ends_with(b"a OK begin TLS\r\n"));
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::clone(&client_tls), name).unwrap();
        exchange(&mut client, &mut wire, size);
        assert!(!client.is_handshaking());
        assert_eq!(wire.answers.events, ["Secured"]);
        client.writer().write_all(b"b CAPABILITY\r\nc LOGIN fred {6+}\r\nsecret\r\n").unwrap();
        let said = exchange(&mut client, &mut wire, size);
        assert!(!said.contains("STARTTLS") && said.contains("\r\nb OK done\r\nc OK [CAPABILITY "), "{said}");
        client.writer().write_all(b"d LOGOUT\r\n").unwrap();
        assert_eq!(exchange(&mut client, &mut wire, size), "* BYE logging out\r\nd OK done\r\n");
        assert_eq!(wire.answers.closed.as_deref(), Some("Closed(Logout)"));
    }
}

#[test]
fn tls_from_the_start_takes_no_plaintext() {
    let (tls, client_tls) = configurations();
    let mut config = start_tls();
    config.tls = TlsMode::Implicit;
    let mut wire = Wire::new(config.clone(), Arc::clone(&tls));
    let said = wire.send(b"a LOGIN fred secret\r\nb NOOP\r\n");
    assert!(said.is_empty() || said[0] == 0x15);
    assert!(wire.ended_in_the_layer());
    let mut wire = Wire::new(config, tls);
    let mut client = ClientConnection::new(client_tls, ServerName::try_from("localhost").unwrap()).unwrap();
    assert!(exchange(&mut client, &mut wire, 100_000).starts_with("* OK [CAPABILITY IMAP4rev1 "));
}
