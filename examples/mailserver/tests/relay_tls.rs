//! Mail to hosts whose domains say what TLS has to be like: by MX, with a DNS server and a policy host in this process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use core::net::SocketAddr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use mailwright_mx::drive::testing::Zone;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use run::{Directory, Lines, Running, output};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A DNS server for the zone, for as long as the tests run.
fn dns(zone: &str) -> SocketAddr {
    let zone = Zone::parse(zone).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            if let Some(response) = zone.respond(&buffer[..length], 4096) {
                socket.send_to(&response, peer).unwrap();
            }
        }
    });
    address
}

/// The policy host of b.test, and the file with the root that vouches for it.
fn policy_host(directory: &Directory, policy: &str) -> (SocketAddr, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let leaf =
        CertificateParams::new(vec!["mta-sts.b.test".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let file = directory.path().join("policy-root.pem");
    std::fs::write(&file, root.pem()).unwrap();
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
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{policy}",
        policy.len()
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut request = [0; 1024];
            if stream.read(&mut request).is_ok_and(|length| length > 0) {
                let _ = stream.write_all(response.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (address, file)
}

fn start(data: &Directory, user: &str, more: &[String]) -> Running {
    let mut arguments: Vec<&str> = vec!["--allow-plaintext-auth", "--user", user];
    for service in ["smtp=127.0.0.1:0", "submission=127.0.0.1:0", "imap=127.0.0.1:0"] {
        arguments.extend(["--listen", service]);
    }
    arguments.extend(more.iter().map(String::as_str));
    Running::start(data.path(), &arguments)
}

/// The server of a.test, which delivers by MX to this port.
fn sender(data: &Directory, zone: &str, port: u16, more: &[String]) -> Running {
    let mut arguments: Vec<String> =
        ["--relay", "mx", "--relay-allow-loopback", "--retry", "1s*"].map(str::to_owned).to_vec();
    arguments.extend(["--resolver".into(), dns(zone).to_string(), "--relay-port".into(), port.to_string()]);
    arguments.extend(more.iter().cloned());
    start(data, "alice@a.test:alice", &arguments)
}

fn submit(server: &Running, subject: &str) {
    submit_with(server, subject, "");
}

/// The same with another field in the header.
fn submit_with(server: &Running, subject: &str, field: &str) {
    let mut session = Lines::new(server.connect("submission"));
    session.read();
    session.say("EHLO client.test");
    assert!(session.say("AUTH PLAIN AGFsaWNlQGEudGVzdABhbGljZQ==").starts_with("235"));
    session.say("MAIL FROM:<alice@a.test>");
    assert!(session.say("RCPT TO:<bob@b.test>").starts_with("250"));
    assert!(session.say("DATA").starts_with("354"));
    assert!(
        session
            .say(&format!("From: alice@a.test\r\nSubject: {subject}\r\n{field}\r\nx\r\n."))
            .starts_with("250")
    );
}

/// Waits until the failure of the only message in the queue is known, and tells it.
fn failure(data: &Directory) -> String {
    let queue = |arguments: &[&str]| {
        let output =
            output(&[&["queue"][..], arguments, &["--data", data.path().to_str().unwrap()]].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    loop {
        let listed = queue(&["list"]);
        let name = listed.split('\t').next().unwrap();
        let shown = queue(&["show", name]);
        if let Some(line) = shown.lines().find(|line| line.contains("4.7.") || line.contains("4.4.")) {
            return line.to_owned();
        }
    }
}

/// Waits for so many messages in bob's INBOX, and gives the header of the last.
fn arrived(server: &Running, count: u32) -> String {
    let mut session = Lines::new(server.connect("imap"));
    session.read();
    let mut say = |command: &str| {
        session.write(&format!("t {command}\r\n"));
        let mut said = Vec::new();
        loop {
            said.push(session.read().unwrap());
            if said.last().unwrap().starts_with("t ") {
                return said.join("\n");
            }
        }
    };
    say("LOGIN bob@b.test bob");
    say("SELECT INBOX");
    loop {
        let header = say(&format!("FETCH {count} BODY.PEEK[HEADER]"));
        if header.contains("Subject: ") {
            return header;
        }
        say("NOOP");
    }
}

const ZONE: &str = "b.test MX 10 mail.b.test\nmail.b.test A 127.0.0.1";

fn enforce(record: &str) -> String {
    format!("{ZONE}\n_mta-sts.b.test TXT \"v=STSv1; id={record}\"")
}

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mail.b.test\nmax_age: 86400\n";

/// Two roots in one file: of the policy host, and of the receiver.
fn both_roots(policy_root: &PathBuf, receiver: &Directory) -> String {
    let all =
        [policy_root, &receiver.path().join("ca.pem")].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(policy_root, all.concat()).unwrap();
    policy_root.to_str().unwrap().to_owned()
}

fn options(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn a_policy_in_force_is_kept_across_a_restart_and_without_its_host() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = start(&there, "bob@b.test:bob", &[]);
    let (host, root) = policy_host(&here, POLICY);
    let roots = both_roots(&root, &there);
    let place = format!("mta-sts.b.test={host}");
    let port = receiver.port("smtp");
    let options = options(&["--relay-ca", &roots, "--sts-url-override", &place]);
    let sending = sender(&here, &enforce("a1"), port, &options);
    submit(&sending, "first");
    assert!(arrived(&receiver, 1).contains("with ESMTPS"));
    sending.signal("TERM");
    let (_, log) = sending.wait();
    let line = log.lines().find_map(|line| line.split_once("tlsrpt: ")).unwrap().1;
    let told: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(told["policy-type"], "sts");
    assert_eq!(told["policy-domain"], "b.test");
    assert_eq!(told["receiving-mx-hostname"], "mail.b.test");
    assert_eq!(told["successful-session-count"], 1);

    // The policy host and the record are gone, and so is whom to trust about the receiver: nothing goes out.
    let sending = sender(&here, ZONE, port, &[]);
    submit(&sending, "second");
    let failed = failure(&here);
    assert!(failed.contains("4.7.5"), "{failed}");
    sending.signal("TERM");
    let (_, log) = sending.wait();
    assert!(log.contains("\"result-type\":\"certificate-not-trusted\""), "{log}");
}

#[test]
fn a_host_that_fails_its_policy_gets_nothing_in_plaintext() {
    let (here, there) = (Directory::new(), Directory::new());
    // A host that has no TLS, and tells what it is told.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    let seen = thread::spawn(move || {
        let (stream, _) = plain.accept().unwrap();
        let mut write = stream.try_clone().unwrap();
        write.write_all(b"220 mail.b.test ESMTP\r\n").unwrap();
        let mut seen = Vec::new();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            write.write_all(if line == "QUIT" { b"221 bye\r\n" } else { b"250 ok\r\n" }).unwrap();
            seen.push(line);
        }
        seen
    });
    let (host, root) = policy_host(&here, POLICY);
    let roots = root.to_str().unwrap();
    let place = format!("mta-sts.b.test={host}");
    let options = options(&["--relay-ca", roots, "--sts-url-override", &place]);
    let sending = sender(&here, &enforce("a1"), port, &options);
    submit(&sending, "secret");
    let failed = failure(&here);
    assert!(failed.contains("4.7.5"), "{failed}");
    let seen = seen.join().unwrap();
    assert!(seen.iter().all(|line| !line.starts_with("MAIL")), "{seen:?}");
    sending.signal("TERM");
    let (_, log) = sending.wait();
    assert!(log.contains("\"result-type\":\"starttls-not-supported\""), "{log}");
    drop(there);
}

#[test]
fn a_message_may_say_that_tls_need_not_work() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = start(&there, "bob@b.test:bob", &[]);
    let (host, root) = policy_host(&here, POLICY);
    let place = format!("mta-sts.b.test={host}");
    // Nothing vouches for the receiver.
    let options = options(&["--relay-ca", root.to_str().unwrap(), "--sts-url-override", &place]);
    let sending = sender(&here, &enforce("a1"), receiver.port("smtp"), &options);
    submit_with(&sending, "whatever", "TLS-Required: No\r\n");
    assert!(arrived(&receiver, 1).contains("Subject: whatever"));
    submit(&sending, "careful");
    let failed = failure(&here);
    assert!(failed.contains("4.7.5"), "{failed}");
}

/// A session over TLS with a server of this program, by lines.
struct Secure(BufReader<StreamOwned<rustls::ClientConnection, std::net::TcpStream>>);

impl Secure {
    fn new(server: &Running, data: &Directory) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(data.path().join("ca.pem")).unwrap()).unwrap();
        let config =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let mut session = Self(BufReader::new(StreamOwned::new(connection, server.connect("submissions"))));
        session.read();
        session
    }

    /// The last line of a reply.
    fn read(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            if line.get(3..4) != Some("-") {
                return line;
            }
        }
    }

    fn say(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.read()
    }
}

#[test]
fn a_message_that_requires_tls_goes_to_hosts_that_are_known_or_back() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = start(&there, "bob@b.test:bob", &options(&["--relay", "mx"]));
    let port = receiver.port("smtp");
    let authority = CertificateDer::from_pem_file(there.path().join("ca.pem")).unwrap();
    let hex: String = authority.iter().map(|octet| format!("{octet:02x}")).collect();
    let signed = format!(
        "b.test secure\n{ZONE}\n_{port}._tcp.mail.b.test TLSA 2 0 0 {hex}\n\
        c.test MX 10 mail.b.test"
    );
    let more = options(&["--listen", "submissions=127.0.0.1:0"]);
    let sending = sender(&here, &signed, port, &more);
    let send = |to: &str, subject: &str| {
        let mut session = Secure::new(&sending, &here);
        session.say("EHLO client.test");
        assert!(session.say("AUTH PLAIN AGFsaWNlQGEudGVzdABhbGljZQ==").starts_with("235"));
        assert!(session.say("MAIL FROM:<alice@a.test> REQUIRETLS").starts_with("250"));
        assert!(session.say(&format!("RCPT TO:<{to}>")).starts_with("250"));
        assert!(session.say("DATA").starts_with("354"));
        assert!(
            session
                .say(&format!("From: alice@a.test\r\nSubject: {subject}\r\n\r\nx\r\n."))
                .starts_with("250")
        );
    };
    send("bob@b.test", "known");
    assert!(arrived(&receiver, 1).contains("Subject: known"));
    // Nobody vouches for the MX records of c.test.
    send("carol@c.test", "unknown");
    let mut session = Lines::new(sending.connect("imap"));
    session.read();
    let mut say = |command: &str| {
        session.write(&format!("t {command}\r\n"));
        let mut said = Vec::new();
        loop {
            said.push(session.read().unwrap());
            if said.last().unwrap().starts_with("t ") {
                return said.join("\n");
            }
        }
    };
    say("LOGIN alice@a.test alice");
    say("SELECT INBOX");
    loop {
        let report = say("FETCH 1 BODY.PEEK[]");
        if report.contains("5.7.10") {
            break;
        }
        say("NOOP");
    }
}

#[test]
fn tlsa_records_decide_whom_mail_goes_to() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = start(&there, "bob@b.test:bob", &[]);
    let authority = CertificateDer::from_pem_file(there.path().join("ca.pem")).unwrap();
    let hex: String = authority.iter().map(|octet| format!("{octet:02x}")).collect();
    let port = receiver.port("smtp");
    let signed = format!("b.test secure\n{ZONE}\n_{port}._tcp.mail.b.test TLSA ");
    let wrong = format!("{signed}3 1 1 {}", "ab".repeat(32));
    let sending = sender(&here, &wrong, port, &[]);
    submit(&sending, "one");
    let failed = failure(&here);
    assert!(failed.contains("4.7.5"), "{failed}");
    sending.signal("TERM");
    let (_, log) = sending.wait();
    assert!(
        log.contains("\"policy-type\":\"tlsa\"") && log.contains("\"result-type\":\"tlsa-invalid\""),
        "{log}"
    );

    let sending = sender(&here, &format!("{signed}2 0 0 {hex}"), port, &[]);
    assert!(arrived(&receiver, 1).contains("Subject: one"));
    drop(sending);

    // Whoever vouches for nothing gets mail as before.
    let (elsewhere, insecure) = (Directory::new(), wrong.replace("b.test secure", "b.test insecure"));
    let sending = sender(&elsewhere, &insecure, port, &[]);
    submit(&sending, "two");
    assert!(arrived(&receiver, 2).contains("Subject: two"));
    drop(sending);
}
