//! STLS and TLS from the start through the TLS layer, and what an attacker in the middle can do before it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Progress, Session as _, Task, Transport};
use mailwright_core::value::Instant;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::tasks::LoginError;
use mailwright_pop3::client::{self, Client, Login};
use mailwright_pop3::sasl::{Answer, Ask, Credentials, MechanismName, Offers, ScramKeys};
use mailwright_pop3::server::{Config, Event, Opening, Server};
use mailwright_pop3::types::Capability;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

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

struct Joined {
    client: Transport<Client>,
    server: Transport<Server>,
    to_client: BytesMut,
    to_server: BytesMut,
    /// What went to the server, octet for octet.
    wire: Vec<u8>,
    /// Events of the server in words.
    events: Vec<String>,
}

fn joined(mode: TlsMode, server_mode: TlsMode) -> Joined {
    joined_with(mode, server_mode, Config::default())
}

fn joined_with(mode: TlsMode, server_mode: TlsMode, mut config: Config) -> Joined {
    let (server_tls, client_tls) = configurations();
    config.tls = server_mode;
    config.clear_text_without_tls = server_mode == TlsMode::Off;
    let mut client = client::Config::default();
    client.tls = mode;
    let name = ServerName::try_from("localhost").unwrap();
    Joined {
        client: Transport::tls_ready(Client::new(client, [1; 32]), (client_tls, name)),
        server: Transport::tls_ready(Server::new(config, [2; 32]), server_tls),
        to_client: BytesMut::new(),
        to_server: BytesMut::new(),
        wire: Vec::new(),
        events: Vec::new(),
    }
}

impl Joined {
    fn turn(&mut self) -> bool {
        self.server.handle_timeout(NOW);
        self.server.handle_input(&mut self.to_server, NOW);
        while let Some(event) = self.server.poll_event() {
            let words = match event {
                Event::Secured(info) => format!("secured {}", info.version),
                Event::Authenticate { token, ask } => {
                    let (words, answer) = match &ask {
                        // The password is the one that the client has.
                        Ask::ScramKeys { authcid, hash } => {
                            let keys = ScramKeys::derive(*hash, "tanstaaf", *b"0123456789abcdef", 4096);
                            (format!("keys {authcid} {hash}"), Answer::Keys(keys.ok()))
                        }
                        ask => (format!("authenticate {}", ask.authcid()), ask.accept()),
                    };
                    self.server.session_mut().answer(token, answer).unwrap();
                    words
                }
                Event::Open { token, .. } => {
                    self.server.session_mut().answer(token, Opening::Opened(support::maildrop(&[]))).unwrap();
                    "open".to_string()
                }
                Event::Closed(reason) => format!("closed {reason:?}"),
                event => format!("{event:?}"),
            };
            self.events.push(words);
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
        panic!("nothing moves any more: {:?}", self.events);
    }
}

fn login() -> Login {
    Login::new(Credentials::password("mrose", "tanstaaf").unwrap())
}

#[test]
fn scram_is_bound_to_the_tls_connection_of_both_sides() {
    let mut config = Config::default();
    config.offers =
        Offers::new([MechanismName::SCRAM_SHA_256_PLUS, MechanismName::SCRAM_SHA_256, MechanismName::PLAIN]);
    let mut joined = joined_with(TlsMode::StartTls, TlsMode::StartTls, config);
    let logged_in = joined.run(login()).unwrap();
    assert_eq!(logged_in.mechanism, Some(MechanismName::SCRAM_SHA_256_PLUS));
    assert_eq!(joined.events, ["secured TLSv1.3", "keys mrose SCRAM-SHA-256", "open"]);
    // A binding serves one exchange, so the mechanism is gone from the list that is read behind the login.
    let known = joined.client.session().capabilities().unwrap().mechanisms().unwrap();
    assert_eq!(known, [MechanismName::SCRAM_SHA_256, MechanismName::PLAIN]);
}

#[test]
fn a_login_by_stls_goes_through_tls_and_nothing_secret_before() {
    let mut joined = joined(TlsMode::StartTls, TlsMode::StartTls);
    joined.run(login()).unwrap();
    assert_eq!(joined.events, ["secured TLSv1.3", "authenticate mrose", "open"]);
    assert!(joined.client.session().is_secure() && joined.server.session().is_secure());
    assert!(!joined.client.session().capabilities().unwrap().has(&Capability::Stls));
    assert!(joined.wire.starts_with(b"CAPA\r\nSTLS\r\n\x16"), "{}", joined.wire.escape_ascii());
    assert!(!joined.wire.windows(4).any(|window| window == b"AUTH" || window == b"USER"));
}

#[test]
fn tls_from_the_start_has_no_plain_octet() {
    let mut joined = joined(TlsMode::Implicit, TlsMode::Implicit);
    joined.run(login()).unwrap();
    assert_eq!(joined.events, ["secured TLSv1.3", "authenticate mrose", "open"]);
    assert_eq!(joined.wire.first(), Some(&0x16));
}

#[test]
fn a_server_without_stls_gets_no_credentials() {
    let mut joined = joined(TlsMode::StartTls, TlsMode::Off);
    assert_eq!(joined.run(login()).unwrap_err(), LoginError::NoTls);
    assert_eq!(joined.wire, b"CAPA\r\n");
    assert!(joined.events.is_empty());
}

#[test]
fn commands_injected_behind_stls_are_never_executed_however_they_are_cut() {
    let injected = b"STLS\r\nUSER mallory\r\nPASS mallory\r\n";
    for cut in 1..injected.len() {
        let mut joined = joined(TlsMode::StartTls, TlsMode::StartTls);
        for piece in [&injected[..cut], &injected[cut..]] {
            joined.to_server.extend_from_slice(piece);
            joined.server.handle_input(&mut joined.to_server, NOW);
        }
        joined.turn();
        assert_eq!(joined.events.len(), 1, "{:?}", joined.events);
        assert!(joined.events[0].starts_with("closed Layer"), "{:?}", joined.events);
    }
}

#[test]
fn commands_injected_before_the_real_handshake_break_it() {
    let mut joined = joined(TlsMode::StartTls, TlsMode::StartTls);
    joined.client.session_mut();
    // The attacker sends STLS and a command; the client's handshake follows behind them.
    joined.to_server.extend_from_slice(b"STLS\r\nUSER mallory\r\n\x16\x03\x01");
    joined.turn();
    assert!(joined.events[0].starts_with("closed Layer"), "{:?}", joined.events);
}

#[test]
fn a_reply_injected_behind_the_agreement_ends_the_client() {
    let mut joined = joined(TlsMode::StartTls, TlsMode::StartTls);
    joined.to_client.extend_from_slice(b"+OK\r\n");
    joined.client.handle_input(&mut joined.to_client, NOW);
    joined.client.session_mut().stls().unwrap();
    joined.to_client.extend_from_slice(b"+OK go\r\n+OK forged reply\r\n");
    joined.client.handle_input(&mut joined.to_client, NOW);
    let last = core::iter::from_fn(|| joined.client.poll_event()).last();
    assert!(matches!(last, Some(client::Event::Closed(client::Closed::EarlyOctets))), "{last:?}");
    assert!(!joined.client.session().is_secure());
}

#[test]
fn a_reply_injected_later_breaks_the_handshake() {
    let mut joined = joined(TlsMode::StartTls, TlsMode::StartTls);
    joined.to_client.extend_from_slice(b"+OK\r\n");
    joined.client.handle_input(&mut joined.to_client, NOW);
    joined.client.session_mut().stls().unwrap();
    for piece in [&b"+OK go\r\n"[..], b"+OK forged reply\r\n"] {
        joined.to_client.extend_from_slice(piece);
        joined.client.handle_input(&mut joined.to_client, NOW);
    }
    let last = core::iter::from_fn(|| joined.client.poll_event()).last();
    assert!(matches!(last, Some(client::Event::Closed(client::Closed::Layer(_)))), "{last:?}");
}
