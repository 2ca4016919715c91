//! AUTH by SCRAM between both sides: bound to the channel where there is TLS, and free of clear text where not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Layer, Progress, Session, Task as _, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_sasl::{Answer, Ask, Credentials, MechanismName, Offers, ScramKeys, Seed};
use mailwright_smtp::client::{self, AuthenticationFailure, Client, Login, LoginError};
use mailwright_smtp::server::{self, Event, Server};
use mailwright_smtp::types::ReplyCode;

const NOW: Instant = Instant::ORIGIN;

fn written(session: &mut impl Session) -> Vec<u8> {
    let transmit = session.transmit();
    let octets = transmit.copy_to_bytes(transmit.remaining());
    octets.to_vec()
}

/// Gives a session the TLS that it asks for, with this keying material.
fn secure(session: &mut impl Session, exporter: u8) {
    if session.wants().upgrade == Some(Layer::Tls) {
        let mut info = TlsInfo::default();
        info.exporter = Some([exporter; 32]);
        session.handle_upgrade(Upgraded::Tls(info), NOW);
    }
}

/// A login over a connection that the client sees as `exporters.0` and the server as `exporters.1`; without, there
/// is no TLS. The server's password is `tanstaaf`. What came of it, and what the client wrote.
fn login(exporters: Option<(u8, u8)>, password: &str) -> (Result<(), LoginError>, String) {
    let mut config = server::Config::new("mx.example").unwrap();
    config.protocol = server::Protocol::Submission;
    config.tls = if exporters.is_some() { server::TlsMode::Implicit } else { server::TlsMode::Off };
    config.offers =
        Offers::new([MechanismName::SCRAM_SHA_256_PLUS, MechanismName::SCRAM_SHA_256, MechanismName::PLAIN]);
    let mut server = Server::starting_at(config, [2; 32], NOW);
    let mut config = client::Config::new("client.example").unwrap();
    config.tls = if exporters.is_some() { client::TlsMode::Implicit } else { client::TlsMode::None };
    let mut client = Client::new(config);
    let credentials = Credentials::password("tim", password).unwrap();
    let mut task = Login::with(credentials, Seed::new([1; 32]));
    task.start(&mut client).unwrap();
    let (mut to_server, mut to_client, mut wire) = (BytesMut::new(), BytesMut::new(), Vec::new());
    for _ in 0..40 {
        let (client_exporter, server_exporter) = exporters.unwrap_or_default();
        secure(&mut server, server_exporter);
        secure(&mut client, client_exporter);
        server.handle_timeout(NOW);
        server.handle_input(&mut to_server, NOW);
        while let Some(event) = server.poll_event() {
            if let Event::Authenticate(it) = event {
                let Ask::ScramKeys { authcid, hash } = &it.ask else { panic!("{:?}", it.ask) };
                assert_eq!(authcid, "tim");
                let keys = ScramKeys::derive(*hash, "tanstaaf", *b"0123456789abcdef", 4096).unwrap();
                server.answer(it.token, Answer::Keys(Some(keys))).unwrap();
            }
        }
        to_client.extend_from_slice(&written(&mut server));
        client.handle_timeout(NOW);
        client.handle_input(&mut to_client, NOW);
        while let Some(event) = client.poll_event() {
            if let Progress::Done(result) = task.handle(&mut client, event) {
                return (result.map(drop), String::from_utf8(wire).unwrap());
            }
        }
        let octets = written(&mut client);
        wire.extend_from_slice(&octets);
        to_server.extend_from_slice(&octets);
    }
    panic!("nothing comes of it: {}", wire.escape_ascii());
}

#[test]
fn over_tls_the_exchange_is_bound_to_it() {
    let (result, wire) = login(Some((7, 7)), "tanstaaf");
    result.unwrap();
    assert!(wire.contains("AUTH SCRAM-SHA-256-PLUS "), "{wire}");
}

#[test]
fn without_tls_scram_is_there_and_plain_is_not() {
    let (result, wire) = login(None, "tanstaaf");
    result.unwrap();
    assert!(wire.contains("AUTH SCRAM-SHA-256 "), "{wire}");
}

#[test]
fn a_wrong_password_and_two_channels_are_refused_and_nothing_weaker_follows() {
    for (exporters, password) in [(Some((7, 7)), "wrong"), (Some((7, 8)), "tanstaaf"), (None, "wrong")] {
        let (result, wire) = login(exporters, password);
        let Err(LoginError::Refused(AuthenticationFailure::Refused { reply, .. })) = result else {
            panic!("{result:?}")
        };
        assert_eq!(reply.code(), ReplyCode::CREDENTIALS_INVALID, "{wire}");
        assert_eq!(wire.matches("AUTH ").count(), 1, "{wire}");
    }
}
