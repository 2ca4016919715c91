//! Whole handshakes with a verifier: what passes, what does not, and what it tells.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/certificates.rs"]
mod certificates;

use std::sync::Arc;

use certificates::{Party, authority, host, party, record};
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::verify::{Authenticated, PeerVerifier, VerifyError};
use mailwright_mx::{Config, DaneMode, Destination, Tls, UnixMillis};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConnection, RootCertStore, ServerConfig, ServerConnection};

/// What TLS has to be like for a.example.net, for these records.
fn tls(records: &str, change: impl FnOnce(&mut Config)) -> Tls {
    let zone = Zone::parse(&format!(
        "example.org secure\nexample.net secure\nexample.org MX 10 a.example.net\na.example.net A 192.0.2.1\n{records}"
    ))
    .unwrap();
    let policy = "version: STSv1\nmode: enforce\nmx: a.example.net\nmax_age: 1000";
    let zone = zone.with_policy("example.org", policy).with_policy("testing.example.org", policy);
    let mut config = Config::default();
    change(&mut config);
    let destination: Destination = "example.org".parse().unwrap();
    let plan =
        zone.resolve(&destination, &config.into(), 1, UnixMillis::from_seconds(1_800_000_000)).unwrap();
    plan.hosts()[0].tls.clone()
}

fn dane(record: &str) -> Tls {
    tls(&format!("_25._tcp.a.example.net TLSA {record}"), |config| config.dane = DaneMode::Opportunistic)
}

fn sts(mode: &str) -> Tls {
    let mut found = tls("_mta-sts.example.org TXT \"v=STSv1; id=a\"", |config| config.sts = true);
    if let Tls::Pkix(pkix) = &mut found {
        pkix.testing = mode == "testing";
    }
    found
}

/// Shakes hands with a server that has this identity, with each version of TLS. Whether that works, and what was found.
fn shake(tls: &Tls, root: &Party, server: &[&Party]) -> (bool, Option<Result<Authenticated, VerifyError>>) {
    let results: Vec<_> = [&rustls::version::TLS12, &rustls::version::TLS13]
        .into_iter()
        .map(|version| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut roots = RootCertStore::empty();
            roots.add(root.der.clone()).unwrap();
            let verifier = PeerVerifier::new(tls.clone(), roots.into(), Arc::clone(&provider));
            let client = verifier.client_config().unwrap();
            let chain = server.iter().map(|one| one.der.clone()).collect();
            let key = PrivateKeyDer::try_from(server[0].key.serialize_der()).unwrap();
            let config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap();
            let name = ServerName::try_from("a.example.net").unwrap();
            let mut client = ClientConnection::new(client.into(), name).unwrap();
            let mut server = ServerConnection::new(config.into()).unwrap();
            let mut worked = true;
            while worked && (client.is_handshaking() || server.is_handshaking()) {
                let mut wire = Vec::new();
                client.write_tls(&mut wire).unwrap();
                server.read_tls(&mut &wire[..]).unwrap();
                worked &= server.process_new_packets().is_ok();
                let mut wire = Vec::new();
                server.write_tls(&mut wire).unwrap();
                client.read_tls(&mut &wire[..]).unwrap();
                worked &= client.process_new_packets().is_ok();
            }
            (worked, verifier.outcome())
        })
        .collect();
    assert_eq!(results[0], results[1], "TLS 1.2 and TLS 1.3");
    results.into_iter().next().unwrap()
}

#[test]
fn each_requirement_lets_pass_what_it_should() {
    let (root, other) = (authority("root", None, None), authority("other", None, None));
    let good = host(&root, &["a.example.net"]);
    let misnamed = host(&root, &["b.example.net"]);
    let own = party(None, |_| {});
    let any = tls("", |_| {});
    let nobody = Some(Ok(Authenticated::Unauthenticated));
    assert_eq!(shake(&any, &other, &[&own]), (true, nobody.clone()));
    assert_eq!(shake(&dane(&record(0, 1, 1, &good).to_string()), &other, &[&own]), (true, nobody));

    let enforce = sts("enforce");
    assert_eq!(shake(&enforce, &root, &[&good]), (true, Some(Ok(Authenticated::Pkix))));
    assert_eq!(shake(&enforce, &root, &[&misnamed]), (false, Some(Err(VerifyError::Name))));
    assert_eq!(shake(&enforce, &other, &[&good, &root]), (false, Some(Err(VerifyError::NotTrusted))));
    let testing = sts("testing");
    assert_eq!(shake(&testing, &root, &[&misnamed]), (true, Some(Err(VerifyError::Name))));
    assert_eq!(shake(&testing, &other, &[&own]), (true, Some(Err(VerifyError::NotTrusted))));

    let key = record(3, 1, 1, &own);
    let found = Some(Ok(Authenticated::Dane(key.clone())));
    assert_eq!(shake(&dane(&key.to_string()), &other, &[&own]), (true, found));
    assert_eq!(shake(&dane(&key.to_string()), &root, &[&good]), (false, Some(Err(VerifyError::NoTlsa))));
    let anchor = record(2, 0, 1, &root);
    let found = Some(Ok(Authenticated::Dane(anchor.clone())));
    assert_eq!(shake(&dane(&anchor.to_string()), &other, &[&good, &root]), (true, found));
    assert_eq!(
        shake(&dane(&anchor.to_string()), &other, &[&misnamed, &root]),
        (false, Some(Err(VerifyError::Name)))
    );
}
