//! The client's TLS barrier through the TLS layer, and what an attacker in the middle can do before it.
//! Rules C-1, C-2: RFC 3207 §4, §4.2, §6.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session as _, Transport};
use mailwright_core::value::Instant;
use mailwright_sasl::{Credentials, Seed};
use mailwright_smtp::client::{Awaited, Client, Closed, Config, Event, TlsMode};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection};

const NOW: Instant = Instant::ORIGIN;
const OPENING: &str = "220 x\r\n250-x\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n";
const INJECTED: [&str; 6] = ["2", "\r", "\n", "\0", "250 evil\r\n", "250-x\r\n250 AUTH PLAIN\r\n235 in\r\n"];

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

/// A client session with its layers, and the wire to it.
struct Wire {
    client: Transport<Client>,
    input: BytesMut,
    events: Vec<Event>,
    /// What the client wrote, octet for octet.
    output: Vec<u8>,
}

impl Wire {
    fn new(mode: TlsMode, tls: &Arc<ClientConfig>) -> Self {
        Self::with_name(mode, tls, "localhost")
    }

    fn with_name(mode: TlsMode, tls: &Arc<ClientConfig>, name: &'static str) -> Self {
        let mut config = Config::new("client.example").unwrap();
        config.tls = mode;
        let layer = (Arc::clone(tls), ServerName::try_from(name).unwrap());
        Self {
            client: Transport::tls_ready(Client::new(config), layer),
            input: BytesMut::new(),
            events: Vec::new(),
            output: Vec::new(),
        }
    }

    /// The server writes octets; those that come back.
    fn send(&mut self, octets: &[u8]) -> Vec<u8> {
        self.input.extend_from_slice(octets);
        let start = self.output.len();
        for _ in 0..4 {
            self.client.handle_timeout(NOW);
            self.client.handle_input(&mut self.input, NOW);
            while let Some(event) = self.client.poll_event() {
                self.events.push(event);
            }
            while self.client.transmit().has_remaining() {
                let chunk = self.client.transmit().chunk().to_vec();
                self.client.transmit().advance(chunk.len());
                self.output.extend_from_slice(&chunk);
            }
        }
        self.output[start..].to_vec()
    }

    fn closed(&self) -> Option<&Closed> {
        self.events.iter().find_map(|event| match event {
            Event::Closed(closed) => Some(closed),
            _ => None,
        })
    }

    fn is_ready(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Ready))
    }

    fn wrote(&self, word: &str) -> bool {
        self.output.windows(word.len()).any(|window| window == word.as_bytes())
    }
}

/// Takes `octets` of the client to the TLS peer and its answers back, in pieces of `size`, until nobody has
/// more to say; what was decrypted.
fn exchange(server: &mut ServerConnection, wire: &mut Wire, mut octets: Vec<u8>, size: usize) -> String {
    let mut plain = Vec::new();
    loop {
        let mut rest = &octets[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut text = [0; 4096];
        while let Ok(count @ 1..) = server.reader().read(&mut text) {
            plain.extend_from_slice(&text[..count]);
        }
        let mut out = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut out).unwrap();
        }
        octets.clear();
        if out.is_empty() {
            return String::from_utf8(plain).unwrap();
        }
        for piece in out.chunks(size) {
            octets.extend(wire.send(piece));
        }
    }
}

#[test]
fn c1_octets_that_come_with_the_reply_to_starttls_are_an_error_before_the_handshake() {
    let (_, tls) = configurations();
    for mode in [TlsMode::Opportunistic, TlsMode::Required] {
        for behind in INJECTED {
            let octets = format!("{OPENING}220 go\r\n{behind}");
            let reply = octets.len() - behind.len();
            // However the rest is cut, the last octet of the reply and the first behind it come together.
            for cut in 0..reply {
                let mut wire = Wire::new(mode, &tls);
                wire.send(&octets.as_bytes()[..cut]);
                wire.send(&octets.as_bytes()[cut..]);
                assert!(matches!(wire.closed(), Some(Closed::Injected(_))), "{cut} {:?}", wire.events);
                assert_eq!(wire.output, b"EHLO client.example\r\nSTARTTLS\r\n", "{cut} {behind:?}");
                assert!(!wire.is_ready() && wire.client.wants().close);
            }
        }
    }
}

/// Octets that came behind the reply, perhaps so late that TLS took them, led to nothing.
fn leads_to_nothing(mut wire: Wire, behind: &str) {
    // An incomplete record waits for more of it.
    wire.client.handle_eof(NOW);
    wire.send(b"");
    let closed = wire.closed().unwrap();
    let before_or_in_tls =
        matches!(closed, Closed::Injected(_) | Closed::Layer(_) | Closed::Disconnected(Awaited::Handshake));
    assert!(before_or_in_tls, "{behind:?} {closed:?}");
    assert!(!wire.is_ready() && wire.client.session().capabilities().is_empty());
    assert!(wire.client.session().tls().is_none());
    assert!(wire.output.starts_with(b"EHLO client.example\r\nSTARTTLS\r\n"));
    let hello = wire.output.get(31..32).unwrap_or_default();
    assert!(hello.is_empty() || hello == [0x16], "nothing but a handshake follows");
}

#[test]
fn c1_octets_behind_the_reply_to_starttls_are_an_error_in_every_segmentation() {
    let (_, tls) = configurations();
    for behind in INJECTED {
        let octets = format!("{OPENING}220 go\r\n{behind}");
        let octets = octets.as_bytes();
        for first in 0..=octets.len() {
            for second in first..=octets.len() {
                let mut wire = Wire::new(TlsMode::Required, &tls);
                wire.send(&octets[..first]);
                wire.send(&octets[first..second]);
                wire.send(&octets[second..]);
                leads_to_nothing(wire, behind);
            }
        }
        let mut wire = Wire::new(TlsMode::Required, &tls);
        for octet in octets {
            wire.send(&[*octet]);
        }
        leads_to_nothing(wire, behind);
    }
}

#[test]
fn c1_after_a_handshake_in_any_segmentation_ehlo_is_said_again_and_only_that_counts() {
    let (server_tls, tls) = configurations();
    for size in [1, 2, 7, 100, 100_000] {
        let mut wire = Wire::new(TlsMode::Required, &tls);
        let mut server = ServerConnection::new(Arc::clone(&server_tls)).unwrap();
        let hello = wire.send(format!("{OPENING}220 go\r\n").as_bytes());
        let hello = hello.strip_prefix(b"EHLO client.example\r\nSTARTTLS\r\n").unwrap().to_vec();
        assert_eq!(exchange(&mut server, &mut wire, hello, size), "EHLO client.example\r\n");
        assert!(!server.is_handshaking() && !wire.is_ready());
        assert!(wire.client.session().capabilities().is_empty());
        server.writer().write_all(b"250-x\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n").unwrap();
        assert_eq!(exchange(&mut server, &mut wire, Vec::new(), size), "", "STARTTLS is not asked for twice");
        assert!(wire.is_ready() && wire.client.session().tls().is_some());
        assert!(wire.client.session().capabilities().has_mechanism("LOGIN"));
        assert!(!wire.client.session().capabilities().has_mechanism("PLAIN"));
        let credentials = Credentials::password("alice", "tanstaaf").unwrap();
        wire.client.session_mut().authenticate(&credentials, Seed::new([1; 32]).nonce()).unwrap();
        let octets = wire.send(b"");
        assert!(exchange(&mut server, &mut wire, octets, size).starts_with("AUTH LOGIN"));
        assert!(!wire.wrote("AUTH"), "in TLS only");
    }
}

#[test]
fn c1_a_certificate_for_another_name_ends_the_session_in_every_mode() {
    let (server_tls, tls) = configurations();
    for mode in [TlsMode::Opportunistic, TlsMode::Required] {
        let mut wire = Wire::with_name(mode, &tls, "other.example");
        let mut server = ServerConnection::new(Arc::clone(&server_tls)).unwrap();
        let hello = wire.send(format!("{OPENING}220 go\r\n").as_bytes());
        let mut hello = hello.strip_prefix(b"EHLO client.example\r\nSTARTTLS\r\n").unwrap();
        server.read_tls(&mut hello).unwrap();
        server.process_new_packets().unwrap();
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        wire.send(&flight);
        assert!(matches!(wire.closed(), Some(Closed::Layer(_))), "{:?}", wire.events);
        assert!(!wire.is_ready());
    }
}

#[test]
fn c2_required_tls_that_is_stripped_or_refused_fails_closed() {
    let (_, tls) = configurations();
    let mut wire = Wire::new(TlsMode::Required, &tls);
    wire.send(b"220 x\r\n250-x\r\n250 AUTH PLAIN\r\n");
    assert_eq!(wire.closed(), Some(&Closed::TlsNotOffered));
    assert_eq!(wire.output, b"EHLO client.example\r\nQUIT\r\n");
    for refusal in ["454 4.7.0 not now\r\n", "502 5.5.1 no\r\n"] {
        let mut wire = Wire::new(TlsMode::Required, &tls);
        wire.send(format!("{OPENING}{refusal}").as_bytes());
        assert!(matches!(wire.closed(), Some(Closed::TlsRefused(_))));
        assert_eq!(wire.output, b"EHLO client.example\r\nSTARTTLS\r\nQUIT\r\n");
    }
}

#[test]
fn c2_implicit_tls_says_nothing_in_plaintext_and_reads_the_greeting_inside() {
    let (server_tls, tls) = configurations();
    let mut wire = Wire::new(TlsMode::Implicit, &tls);
    let mut server = ServerConnection::new(server_tls).unwrap();
    let hello = wire.send(b"");
    assert_eq!(hello[0], 0x16);
    assert_eq!(exchange(&mut server, &mut wire, hello, 100_000), "");
    server.writer().write_all(b"220 x\r\n").unwrap();
    assert_eq!(exchange(&mut server, &mut wire, Vec::new(), 3), "EHLO client.example\r\n");
    let mut wire = Wire::new(TlsMode::Implicit, &tls);
    wire.send(OPENING.as_bytes());
    assert!(matches!(wire.closed(), Some(Closed::Layer(_))), "a greeting outside is no greeting");
    assert!(!wire.wrote("EHLO"));
}
