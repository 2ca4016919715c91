//! Fetching files over TLS, from servers on loopback that behave, and that do not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/certificates.rs"]
mod certificates;

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use certificates::{Party, authority, host, party};
use mailwright_mx::drive::Driver as _;
use mailwright_mx::drive::https::{Https, HttpsConfig};
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::fetch::{FetchFailure, Page, Response};
use mailwright_mx::{Config, Destination, RefusedAddress, Resolver, UnixMillis};
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const HOST: &str = "mta-sts.example.org";
const POLICY: &str = "version: STSv1\nmode: enforce\nmx: a.example.net\nmax_age: 1000\n";

/// Serves these octets to each connection, then closes: TLS as well if `clean`. Nothing at all without octets.
async fn server(identity: &Party, response: Option<Vec<u8>>, clean: bool) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.der.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            match &response {
                Some(response) => {
                    tokio::spawn(serve(stream, Arc::clone(&config), response.clone(), clean));
                }
                None => silent.push(stream),
            }
        }
    });
    address
}

async fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, response: Vec<u8>, clean: bool) {
    use std::io::{Read as _, Write as _};

    let mut tls = ServerConnection::new(config).unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            return;
        }
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            tls.read_tls(&mut rest).unwrap();
            if tls.process_new_packets().is_err() {
                return;
            }
        }
        let mut plain = [0; 4096];
        while let Ok(length) = tls.reader().read(&mut plain) {
            if length == 0 {
                break;
            }
            request.extend_from_slice(&plain[..length]);
        }
        send(&mut stream, &mut tls).await;
    }
    assert!(request.starts_with(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.org\r\n"));
    for piece in response.chunks(1000) {
        tls.writer().write_all(piece).unwrap();
        send(&mut stream, &mut tls).await;
    }
    if clean {
        tls.send_close_notify();
        send(&mut stream, &mut tls).await;
    }
    let _ = stream.shutdown().await;
}

async fn send(stream: &mut TcpStream, tls: &mut ServerConnection) {
    while tls.wants_write() {
        let mut wire = Vec::new();
        tls.write_tls(&mut wire).unwrap();
        if stream.write_all(&wire).await.is_err() {
            return;
        }
    }
}

fn config(root: &Party, address: Option<SocketAddr>) -> HttpsConfig {
    let mut roots = RootCertStore::empty();
    roots.add(root.der.clone()).unwrap();
    let mut config = HttpsConfig::new(roots.into(), Arc::new(rustls::crypto::ring::default_provider()));
    config.overrides.extend(address.map(|address| (HOST.parse().unwrap(), address)));
    config
}

async fn fetch(config: HttpsConfig, zone: &str, time: Duration) -> Result<Response, FetchFailure> {
    let page = Page::new(HOST.parse().unwrap(), "/.well-known/mta-sts.txt");
    Https::new(Zone::parse(zone).unwrap(), config).fetch(&page, 1000, time).await
}

const LONG: Duration = Duration::from_secs(100);

async fn fetched(response: &str, clean: bool) -> Result<Response, FetchFailure> {
    let root = authority("root", None, None);
    let address = server(&host(&root, &[HOST]), Some(response.into()), clean).await;
    fetch(config(&root, Some(address)), "", LONG).await
}

#[tokio::test]
async fn a_file_comes_with_its_status_and_type() {
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{POLICY}",
        POLICY.len()
    );
    let expected = Response::new(200, Some("text/plain".into()), POLICY);
    assert_eq!(fetched(&response, true).await, Ok(expected.clone()));
    assert_eq!(fetched(&response, false).await, Ok(expected));
    let closed = "HTTP/1.1 301 Moved\r\nLocation: https://evil.example/\r\n\r\nx";
    assert_eq!(fetched(closed, true).await, Ok(Response::new(301, None, "x")), "and is not followed");
}

#[tokio::test]
async fn a_file_that_may_be_cut_is_none() {
    assert_eq!(fetched("HTTP/1.1 200 OK\r\n\r\nx", false).await, Err(FetchFailure::Http));
    assert_eq!(fetched("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", true).await, Err(FetchFailure::Http));
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(100_000));
    assert_eq!(fetched(&endless, true).await, Err(FetchFailure::TooLarge));
}

#[tokio::test]
async fn a_certificate_has_to_be_valid_for_the_host() {
    let (root, other) = (authority("root", None, None), authority("other", None, None));
    let good = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let over = party(Some(&root), |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName(HOST.try_into().unwrap())];
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let common = party(Some(&root), |params| params.distinguished_name.push(rcgen::DnType::CommonName, HOST));
    for (identity, works) in [
        (host(&root, &[HOST]), true),
        (host(&root, &["*.example.org"]), true),
        (host(&root, &["example.org"]), false),
        (host(&other, &[HOST]), false),
        (over, false),
        (common, false),
    ] {
        let address = server(&identity, Some(good.into()), true).await;
        let result = fetch(config(&root, Some(address)), "", LONG).await;
        let expected = if works { Ok(Response::new(200, None, "")) } else { Err(FetchFailure::Certificate) };
        assert_eq!(result, expected);
    }
}

#[tokio::test]
async fn addresses_that_point_inwards_are_not_connected_to() {
    let root = authority("root", None, None);
    let result = |zone: &'static str| fetch(config(&root, None), zone, LONG);
    let refused = Err(FetchFailure::Refused(RefusedAddress::Loopback));
    assert_eq!(result("mta-sts.example.org A 127.0.0.1").await, refused);
    let alias = "mta-sts.example.org CNAME a.example\na.example AAAA ::ffff:127.0.0.1";
    assert_eq!(result(alias).await, refused);
    assert_eq!(result("mta-sts.example.org TXT \"x\"").await, Err(FetchFailure::NoAddress));
    let failed = result("mta-sts.example.org fail servfail").await;
    assert_eq!(failed, Err(FetchFailure::Lookup(mailwright_mx::dns::Failure::ServFail)));
}

/// An address where nobody listens.
async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn silence_ends_in_time() {
    let root = authority("root", None, None);
    let address = server(&host(&root, &[HOST]), None, true).await;
    let result = fetch(config(&root, Some(address)), "", Duration::from_millis(30)).await;
    assert_eq!(result, Err(FetchFailure::Timeout));
    assert_eq!(fetch(config(&root, Some(closed().await)), "", LONG).await, Err(FetchFailure::Connection));
}

#[tokio::test]
async fn what_speaks_no_tls_is_left() {
    let root = authority("root", None, None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    assert_eq!(fetch(config(&root, Some(address)), "", LONG).await, Err(FetchFailure::Tls));
}

#[tokio::test]
async fn a_resolver_fetches_and_keeps_and_refreshes_policies() {
    let root = authority("root", None, None);
    let response = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{POLICY}");
    let address = server(&host(&root, &[HOST]), Some(response.into()), true).await;
    let zone = "example.org MX 10 a.example.net\na.example.net A 192.0.2.1\n_mta-sts.example.org TXT \"v=STSv1; id=n1\"";
    let resolver = |address| {
        let mut settings = Config::default();
        settings.sts = true;
        Resolver::new(Https::new(Zone::parse(zone).unwrap(), config(&root, Some(address))), settings, 1)
    };
    let now = UnixMillis::from_seconds(1_800_000_000);
    let destination: Destination = "example.org".parse().unwrap();
    let first = resolver(address);
    let plan = first.resolve(&destination, now).await.unwrap();
    assert_eq!(plan.hosts()[0].tls.level(), "pkix");
    let kept = first.changed_policies().unwrap();
    assert_eq!(first.changed_policies(), None);

    // After a restart, without the server.
    let second = resolver(closed().await);
    assert_eq!(second.restore_policies(&kept), Ok(1));
    let plan = second.resolve(&destination, now + Duration::from_secs(500)).await.unwrap();
    let sts = plan.report().sts.clone().unwrap();
    assert_eq!((plan.hosts()[0].tls.level(), sts.state.as_str()), ("pkix", "cached"));

    assert_eq!(first.refresh_policy(now).await, None, "not due yet");
    let later = now + Duration::from_secs(600);
    let (domain, refreshed) = first.refresh_policy(later).await.unwrap();
    assert_eq!((domain.as_str(), refreshed.diagnostics.len()), ("example.org", 0));
    assert!(first.changed_policies().is_some_and(|again| again != kept));
    let (_, failed) = second.refresh_policy(later).await.unwrap();
    assert_eq!(failed.diagnostics[0].to_string(), "sts-policy-fetch-error: no connection");
    assert_eq!(second.refresh_policy(later).await, None, "not at once again");
    let plan = second.resolve(&destination, later).await.unwrap();
    assert_eq!(plan.hosts()[0].tls.level(), "pkix", "and what is known stays");
}
