//! `mx` with policies and TLSA records, against a DNS server and a policy host in this process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use core::net::SocketAddr;
use core::sync::atomic::{AtomicU32, Ordering};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use mailwright_mx::drive::testing::Zone;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// A DNS server for the zone, for as long as the tests run.
fn dns(zone: &str) -> String {
    let zone = Zone::parse(zone).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            if let Some(response) = zone.respond(&buffer[..length], 1232) {
                socket.send_to(&response, peer).unwrap();
            }
        }
    });
    address.to_string()
}

/// A directory that is removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mx-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A policy host of example.org, whose certificate is for `name`; its root is in the file.
fn policy_host(root_file: &str, name: &str, policy: &str) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.into()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(root_file, root.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let response = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{policy}");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            if stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {
                let _ = stream.write_all(response.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    address
}

/// What it prints as JSON.
fn object(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_mx")).args(arguments).arg("--json").output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

const ZONE: &str = "example.org MX 10 a.example.net\nexample.org MX 20 b.example.com\na.example.net A 192.0.2.1\n\
    b.example.com A 192.0.2.2";
const POLICY: &str = "version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 86400\n";

#[test]
fn a_policy_is_fetched_and_kept_from_one_run_to_the_next() {
    let directory = Directory::new();
    let (root, cache) = (directory.file("root.pem"), directory.file("cache"));
    let place = format!("mta-sts.example.org={}", policy_host(&root, "mta-sts.example.org", POLICY));
    let resolver = dns(&format!("{ZONE}\n_mta-sts.example.org TXT \"v=STSv1; id=a1\""));
    let fetched = object(&[
        "example.org",
        "--sts",
        "--resolver",
        &resolver,
        "--ca",
        &root,
        "--sts-url-override",
        &place,
        "--sts-cache",
        &cache,
        "--now",
        "1800000000",
    ]);
    assert_eq!(
        fetched["sts"],
        json!({ "state": "fetched", "mode": "enforce", "id": "a1", "findings": ["validation-failure"] })
    );
    assert_eq!(
        fetched["hosts"][0]["tls"],
        json!({ "level": "pkix", "testing": false, "reason": "sts", "names": ["a.example.net"] })
    );
    let second = &fetched["hosts"][1];
    assert_eq!((&second["reachable"], &second["reason"]), (&json!(false), &json!("not-in-sts-policy")));

    // Without record and host, while the policy lives.
    let resolver = dns(ZONE);
    let later = |now: &str| {
        object(&["example.org", "--sts", "--resolver", &resolver, "--sts-cache", &cache, "--now", now])
    };
    assert_eq!(later("1800086399")["sts"]["state"], "cached");
    assert_eq!(later("1800086399")["expires"], 1);
    assert_eq!(later("1800086500")["sts"], json!({ "state": "none" }));
}

#[test]
fn what_is_wrong_with_a_policy_is_a_finding() {
    let directory = Directory::new();
    let root = directory.file("root.pem");
    let resolver = dns(&format!("{ZONE}\n_mta-sts.example.org TXT \"v=STSv1; id=a1\""));
    for (name, policy, finding) in [
        ("mta-sts.example.org", "version: STSv1\n", "sts-policy-invalid"),
        ("example.org", POLICY, "sts-webpki-invalid"),
    ] {
        let place = format!("mta-sts.example.org={}", policy_host(&root, name, policy));
        let found = object(&[
            "example.org",
            "--sts",
            "--resolver",
            &resolver,
            "--ca",
            &root,
            "--sts-url-override",
            &place,
        ]);
        assert_eq!(found["sts"], json!({ "state": "none", "findings": [finding] }));
        assert_eq!(found["hosts"][0]["tls"]["level"], "opportunistic");
    }
}

#[test]
fn tlsa_records_count_where_the_resolver_vouches_for_the_hosts() {
    let record = format!("3 1 1 {}", "ab".repeat(32));
    let signed =
        format!("example.org secure\nexample.net secure\n{ZONE}\n_25._tcp.a.example.net TLSA {record}");
    let found = object(&["example.org", "--dane", "--resolver", &dns(&signed)]);
    let expected = json!({ "level": "dane", "names": ["a.example.net", "example.org"], "tlsa": [record] });
    assert_eq!(found["hosts"][0]["tls"], expected);
    assert_eq!(found["hosts"][1]["tls"], json!({ "level": "opportunistic", "reason": "insecure-host" }));
    let failing = format!("{signed}\n_25._tcp.a.example.net fail servfail");
    let found = object(&["example.org", "--dane", "--resolver", &dns(&failing)]);
    assert_eq!(
        found["skipped"],
        json!([{ "name": "a.example.net", "reason": "lookup-failed: TLSA: servfail" }])
    );
    assert_eq!(found["findings"][0]["result"], "dnssec-invalid");
}

#[test]
fn options_of_the_other_driver_are_wrong_usage() {
    for arguments in [
        &["--trust-anchor", "x"][..],
        &["--driver", "hickory", "--trust-ad"],
        &["--sts-url-override", "x"],
        &["--now", "soon"],
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_mx")).arg("example.org").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
