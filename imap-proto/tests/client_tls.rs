//! STARTTLS and TLS from the start as the client sees them, and what an attacker in the middle can do before.
//! RFC 9051 §6.2.1, §7.1.4.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;
mod peer;

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use host::Answers;
use mailwright_core::session::{Layer, Progress, Session as _, Task, Transport};
use mailwright_core::testing::Host as _;
use mailwright_core::value::{Instant, Misuse};
use mailwright_imap::client::tasks::{Login, LoginError};
use mailwright_imap::client::{Client, Closed, Event, SendError, TlsMode};
use mailwright_imap::server::{self, Server};
use mailwright_imap::types::Command;
use mailwright_sasl::{MechanismName, Offers};
use peer::commander::{SEED, tagged};
use peer::{Peer, credentials, login, tls};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

const NOW: Instant = Instant::ORIGIN;

fn closed(events: &[Event]) -> &Closed {
    match events.last() {
        Some(Event::Closed(reason)) => reason,
        last => panic!("{last:?}"),
    }
}

/// A client that was greeted and has asked for TLS.
fn asked() -> Peer {
    let mut peer = Peer::greeted(tls(TlsMode::StartTls), "STARTTLS AUTH=PLAIN");
    assert_eq!(peer.command(Command::StartTls).unwrap(), "$1 STARTTLS\r\n");
    peer
}

#[test]
fn nothing_secret_goes_before_tls_that_is_wanted() {
    let mut config = tls(TlsMode::StartTls);
    config.sasl.clear_text_without_tls = true;
    let mut peer = Peer::greeted(config, "AUTH=PLAIN ID");
    for command in [login(), Command::Id(Vec::new())] {
        assert_eq!(peer.client.command(command), Err(SendError::Misuse(Misuse::Plaintext)));
    }
    let exchange = peer.client.exchange(MechanismName::PLAIN, &credentials()).unwrap();
    assert_eq!(peer.client.authenticate(exchange), Err(SendError::Misuse(Misuse::Plaintext)));
    assert_eq!(peer.client.command(Command::StartTls), Err(SendError::Misuse(Misuse::NotAnnounced)));
    assert_eq!(peer.sent(), "");
}

#[test]
fn a_login_that_is_said_to_be_made_before_tls_is_not_believed() {
    let mut peer = Peer::new(tls(TlsMode::StartTls));
    let events = peer.says("* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n");
    assert_eq!(*closed(&events), Closed::PreAuth);
}

#[test]
fn what_is_said_before_tls_is_dropped() {
    let mut peer = asked();
    let events = peer.says("* 3 EXISTS\r\n* 1 FETCH (UID 7)\r\n* SEARCH 1\r\n* OK [ALERT] x\r\n* XYZZY\r\n");
    assert!(events.is_empty(), "{events:?}");
    assert!(matches!(
        &peer.says("* CAPABILITY IMAP4rev1 IDLE\r\n$1 OK go\r\n")[..],
        [Event::Completed { .. }]
    ));
    assert_eq!(peer.client.wants().upgrade, Some(Layer::Tls));
    assert!(peer.client.has("IDLE"));
    assert!(matches!(&peer.secure()[..], [Event::Secured(_)]));
    assert!(peer.client.is_secure() && peer.client.capabilities().is_none());
    assert_eq!(peer.client.command(Command::StartTls), Err(SendError::Misuse(Misuse::WrongState)));
    assert_eq!(peer.command(Command::Capability).unwrap(), "$1 CAPABILITY\r\n");
    assert_ne!(tagged("$"), tagged("#"), "the tags are others");
}

#[test]
fn octets_behind_the_agreement_end_the_session_however_they_are_cut() {
    for injected in ["x", "\r\n", "* OK x\r\n", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "$2 OK x\r\n"] {
        let mut peer = asked();
        let events = peer.says(&format!("$1 OK go\r\n{injected}"));
        assert_eq!(*closed(&events), Closed::EarlyOctets, "{injected}");
        let mut peer = asked();
        peer.says("$1 OK go\r\n");
        let events = peer.says(injected);
        assert_eq!(*closed(&events), Closed::EarlyOctets, "{injected}");
        assert!(!peer.client.is_secure());
    }
}

#[test]
fn an_agreement_before_the_command_was_written_is_none() {
    let mut peer = asked();
    peer.client.transmit().put(b"x");
    let events = peer.says("$1 OK go\r\n");
    assert!(matches!(closed(&events), Closed::EarlyOctets | Closed::UnknownTag(_)));
}

#[test]
fn a_refusal_leaves_the_session_as_it_was() {
    let mut peer = asked();
    assert!(matches!(&peer.says("$1 NO not now\r\n")[..], [Event::Completed { .. }]));
    assert_eq!(peer.client.wants().upgrade, None);
    peer.command(Command::Noop).unwrap();
}

#[test]
fn tls_that_nobody_insists_on_has_the_same_barrier() {
    let begin = || {
        let mut peer = Peer::greeted(tls(TlsMode::Off), "STARTTLS AUTH=PLAIN");
        peer.command(Command::StartTls).unwrap();
        peer.says("$1 OK go\r\n");
        peer
    };
    let mut peer = begin();
    assert_eq!(*closed(&peer.says("* OK x\r\n")), Closed::EarlyOctets);
    let mut peer = begin();
    peer.secure();
    assert!(peer.client.is_secure() && peer.client.capabilities().is_none());
}

#[test]
fn tls_that_fails_ends_the_session() {
    let mut peer = asked();
    peer.says("$1 OK go\r\n");
    assert!(matches!(closed(&peer.fail_tls()), Closed::Layer(_)));
}

#[test]
fn tls_from_the_start_comes_before_the_greeting() {
    let mut peer = Peer::new(tls(TlsMode::Implicit));
    assert_eq!(peer.client.wants().upgrade, Some(Layer::Tls));
    assert!(peer.says("* OK x\r\n").is_empty(), "belongs to the layer");
    peer.input.clear();
    peer.secure();
    assert!(matches!(&peer.says("* OK [CAPABILITY IMAP4rev1] x\r\n")[..], [Event::Greeting(_)]));
    peer.command(login()).unwrap();
}

// ---- With TLS

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

struct Joined {
    client: Transport<Client>,
    server: Transport<Server>,
    answers: Answers,
    to_client: BytesMut,
    to_server: BytesMut,
    /// What went to the server, octet for octet.
    wire: Vec<u8>,
}

fn joined(mode: TlsMode, server_mode: TlsMode) -> Joined {
    joined_with(mode, server_mode, server::Config::default())
}

fn joined_with(mode: TlsMode, server_mode: TlsMode, mut config: server::Config) -> Joined {
    let (server_tls, client_tls) = configurations();
    config.tls = server_mode;
    config.clear_text_without_tls = server_mode == TlsMode::Off;
    let name = ServerName::try_from("localhost").unwrap();
    Joined {
        client: Transport::tls_ready(Client::new(tls(mode), SEED), (client_tls, name)),
        server: Transport::tls_ready(Server::new(config, [2; 32]), server_tls),
        answers: Answers::default(),
        to_client: BytesMut::new(),
        to_server: BytesMut::new(),
        wire: Vec::new(),
    }
}

impl Joined {
    fn turn(&mut self) -> bool {
        self.server.handle_timeout(NOW);
        self.server.handle_input(&mut self.to_server, NOW);
        while let Some(event) = self.server.poll_event() {
            self.answers.handle(self.server.session_mut(), event);
        }
        let mut moved = false;
        while self.server.transmit().has_remaining() {
            let chunk = self.server.transmit().chunk().to_vec();
            self.server.transmit().advance(chunk.len());
            self.to_client.extend_from_slice(&chunk);
            moved = true;
        }
        self.client.handle_timeout(NOW);
        self.client.handle_input(&mut self.to_client, NOW);
        while self.client.transmit().has_remaining() {
            let chunk = self.client.transmit().chunk().to_vec();
            self.client.transmit().advance(chunk.len());
            self.to_server.extend_from_slice(&chunk);
            self.wire.extend_from_slice(&chunk);
            moved = true;
        }
        moved
    }

    fn run<T: Task<Client>>(&mut self, mut task: T) -> Result<T::Output, T::Error> {
        task.start(self.client.session_mut())?;
        let mut still = 0;
        while still < 3 {
            while let Some(event) = self.client.poll_event() {
                if let Progress::Done(result) = task.handle(self.client.session_mut(), event) {
                    return result;
                }
            }
            still = if self.turn() { 0 } else { still + 1 };
        }
        panic!("nothing moves any more");
    }
}

#[test]
fn a_login_by_starttls_goes_through_tls_and_nothing_secret_before() {
    let mut joined = joined(TlsMode::StartTls, TlsMode::StartTls);
    joined.run(Login::new(credentials())).unwrap();
    let client = joined.client.session();
    assert!(client.is_secure() && joined.server.session().tls().is_some());
    assert!(client.capabilities().is_some() && !client.has("STARTTLS"));
    let expected = [tagged("$1 CAPABILITY\r\n$2 STARTTLS\r\n"), tagged("$1 STARTTLS\r\n")];
    assert!(
        expected.iter().any(|expected| joined.wire.starts_with(&[&expected[..], b"\x16"].concat())),
        "{}",
        joined.wire.escape_ascii()
    );
    assert!(!joined.wire.windows(5).any(|window| window == b"LOGIN" || window == b"PLAIN"));
}

#[test]
fn scram_is_bound_to_the_tls_connection_of_both_sides() {
    let mut config = server::Config::default();
    config.offers =
        Offers::new([MechanismName::SCRAM_SHA_256_PLUS, MechanismName::SCRAM_SHA_256, MechanismName::PLAIN]);
    let mut joined = joined_with(TlsMode::StartTls, TlsMode::StartTls, config);
    let logged_in = joined.run(Login::new(credentials())).unwrap();
    assert_eq!(logged_in.mechanism, Some(MechanismName::SCRAM_SHA_256_PLUS));
}

#[test]
fn tls_from_the_start_has_no_plain_octet() {
    let mut joined = joined(TlsMode::Implicit, TlsMode::Implicit);
    joined.run(Login::new(credentials())).unwrap();
    assert_eq!(joined.wire.first(), Some(&0x16));
}

#[test]
fn a_server_without_starttls_gets_no_credentials() {
    let mut joined = joined(TlsMode::StartTls, TlsMode::Off);
    assert_eq!(joined.run(Login::new(credentials())).unwrap_err(), LoginError::NoTls);
    assert!(!joined.wire.windows(5).any(|window| window == b"LOGIN" || window == b"PLAIN"));
}

#[test]
fn a_response_injected_behind_the_agreement_breaks_the_session_in_any_cut() {
    let wire = tagged("* OK [CAPABILITY IMAP4rev1 STARTTLS] x\r\n$1 OK go\r\n* OK forged\r\n");
    let greeting = tagged("* OK [CAPABILITY IMAP4rev1 STARTTLS] x\r\n").len();
    for cut in greeting..wire.len() {
        let mut joined = joined(TlsMode::StartTls, TlsMode::StartTls);
        joined.to_client.extend_from_slice(&wire[..greeting]);
        joined.client.handle_input(&mut joined.to_client, NOW);
        joined.client.session_mut().command(Command::StartTls).unwrap();
        let count = joined.client.transmit().remaining();
        joined.client.transmit().advance(count);
        for piece in [&wire[greeting..cut], &wire[cut..]] {
            joined.to_client.extend_from_slice(piece);
            for _ in 0..3 {
                joined.client.handle_input(&mut joined.to_client, NOW);
                let count = joined.client.transmit().remaining();
                joined.client.transmit().advance(count);
            }
        }
        let events: Vec<Event> = core::iter::from_fn(|| joined.client.poll_event()).collect();
        assert!(matches!(closed(&events), Closed::EarlyOctets | Closed::Layer(_)), "{cut}: {events:?}");
        assert!(!joined.client.session().is_secure());
    }
}
