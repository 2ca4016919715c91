//! `--discover`: servers on loopback that records of a DNS server in this process lead to.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::net::UdpSocket;
use std::sync::Arc;
use std::thread;

use mailwright_mx::drive::testing::Zone;
use mailwright_pop3::TlsMode;

use self::support::pop3::{self, Deleting};
use self::support::{Run, directory, file, mail, tls_for};

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

fn list(zone: &str, ca: &str) -> Run {
    list_of("alice@example.org", zone, ca)
}

fn list_of(address: &str, zone: &str, ca: &str) -> Run {
    mail(&[
        "list",
        "--discover",
        address,
        "--resolver",
        &dns(zone),
        "--ca",
        ca,
        "--password-env",
        "MAIL_TEST_PASSWORD",
    ])
}

#[test]
fn the_server_of_an_address_is_found_and_logged_in_to_with_it() {
    let (ca, tls) = tls_for("mail.example.org");
    let ca = file(&directory("discover"), "ca.pem", ca.as_bytes());
    for (label, mode) in [("_pop3s", TlsMode::Implicit), ("_pop3", TlsMode::StartTls)] {
        let mut config = pop3::config();
        config.clear_text_without_tls = false;
        config.tls = mode;
        let maildrop = pop3::maildrop(&[b"Subject: found\r\n\r\n"]);
        let (port, server) = pop3::serve(config, Some(Arc::clone(&tls)), &maildrop, Deleting::Works, 1);
        let zone =
            format!("{label}._tcp.example.org SRV 0 0 {port} mail.example.org\nmail.example.org A 127.0.0.1");
        let run = list(&zone, &ca);
        assert_eq!((run.code, run.stdout.contains("found")), (Some(0), true), "{run:?}");
        server.join().unwrap();
    }
}

#[test]
fn who_is_refused_by_address_comes_in_by_name() {
    let (ca, tls) = tls_for("mail.example.org");
    let ca = file(&directory("discover-name"), "ca.pem", ca.as_bytes());
    for (address, code) in [("bob@example.org", 0), ("carol@example.org", 1)] {
        let mut config = pop3::config();
        config.tls = TlsMode::Implicit;
        let maildrop = pop3::maildrop(&[b"Subject: found\r\n\r\n"]);
        let (port, server) = pop3::serve(config, Some(Arc::clone(&tls)), &maildrop, Deleting::Works, 2);
        let zone =
            format!("_pop3s._tcp.example.org SRV 0 0 {port} mail.example.org\nmail.example.org A 127.0.0.1");
        let run = list_of(address, &zone, &ca);
        assert_eq!((run.code, run.stdout.contains("found")), (Some(code), code == 0), "{run:?}");
        let complaints = run.stderr.lines().filter(|line| line.starts_with("mail: ")).count();
        assert_eq!(complaints, usize::from(code != 0));
        server.join().unwrap();
    }
}

#[test]
fn what_is_not_found_or_not_proven_is_not_connected_to() {
    let (ca, _) = tls_for("mail.example.org");
    let ca = file(&directory("discover-not"), "ca.pem", ca.as_bytes());
    for (zone, reason) in [
        ("example.org TXT \"x\"", "nothing tells the servers of the domain"),
        ("_imaps._tcp.example.org SRV 0 0 9 mail.example.org", "no server that can be used was found"),
        (
            "_imaps._tcp.example.org SRV 0 0 9 mail.example.net\nmail.example.net A 127.0.0.1",
            "outside the domain",
        ),
        (
            "_imap._tcp.example.org SRV 0 0 0 .\n_pop3._tcp.example.org SRV 0 0 0 .\n_submission._tcp.example.org SRV 0 0 0 .",
            "has no such servers",
        ),
    ] {
        let run = list(zone, &ca);
        assert_eq!((run.code, run.stderr.contains(reason)), (Some(1), true), "{run:?}");
    }
}

#[test]
fn a_server_is_named_or_found_and_not_both() {
    for arguments in [
        &["list"][..],
        &["list", "--server", "imaps://a@h", "--discover", "a@example.org"],
        &["list", "--server", "imaps://a@h", "--resolver", "127.0.0.1:53"],
        &["list", "--discover", "nonsense"],
        &["list", "--discover", "a@[192.0.2.1]"],
    ] {
        assert_eq!(mail(arguments).code, Some(2), "{arguments:?}");
    }
}
