//! `mx` as it is run, against a DNS server in this process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use core::sync::atomic::{AtomicBool, Ordering};
use std::net::UdpSocket;
use std::process::Command;
use std::thread;

use mailwright_mx::drive::testing::Zone;
use serde_json::{Value, json};

/// A DNS server over UDP that answers from a zone while `run` runs, given its address.
fn with_zone<T>(zone: &str, run: impl FnOnce(&str) -> T) -> T {
    let zone = Zone::parse(zone).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = [0; 4096];
            while !done.load(Ordering::Acquire) {
                let (length, peer) = socket.recv_from(&mut buffer).unwrap();
                if let Some(response) = zone.respond(&buffer[..length], 1232) {
                    socket.send_to(&response, peer).unwrap();
                }
            }
        });
        let result = run(&address.to_string());
        done.store(true, Ordering::Release);
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"end", address).unwrap();
        result
    })
}

/// The exit code and standard output.
fn mx(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mx")).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// The same as JSON, from a zone.
fn object(zone: &str, arguments: &[&str]) -> (i32, Value) {
    with_zone(zone, |address| {
        let (code, text) = mx(&[arguments, &["--resolver", address, "--json"]].concat());
        assert_eq!(text.lines().count(), 1, "{text}");
        (code, serde_json::from_str(&text).unwrap())
    })
}

const ZONE: &str = "example.org MX 10 mx1.example.org\nexample.org MX 20 mx2.example.org\nexample.org MX 30 gone.example.org\n\
    mx1.example.org A 192.0.2.1\nmx1.example.org AAAA 2001:db8::1\nmx2.example.org A 192.0.2.1\nmx2.example.org A 192.0.2.2";

#[test]
fn a_plan_is_printed_with_both_drivers() {
    for driver in ["stub", "hickory"] {
        let (code, found) =
            object(ZONE, &["Example.ORG", "--driver", driver, "--port", "2525", "--seed", "1"]);
        let tls = json!({ "level": "opportunistic", "reason": "not-sought" });
        assert_eq!(
            found,
            json!({
                "domain": "example.org",
                "result": "plan",
                "kind": "mx",
                "expanded": "example.org",
                "expires": 300,
                "hosts": [
                    {
                        "name": "mx1.example.org", "preference": 10, "port": 2525,
                        "addresses": ["2001:db8::1", "192.0.2.1"], "reachable": true, "tls": tls,
                    },
                    {
                        "name": "mx2.example.org", "preference": 20, "port": 2525,
                        "addresses": ["192.0.2.2"], "reachable": true, "tls": tls,
                    },
                ],
                "skipped": [{ "name": "gone.example.org", "reason": "no-address" }],
                "queries": 7,
            })
        );
        assert_eq!(code, 0);
    }
}

#[test]
fn a_permanent_failure_ends_with_1() {
    let (code, found) = object("example.org MX 0 .", &["example.org"]);
    assert_eq!(code, 1);
    assert_eq!(
        found,
        json!({
            "domain": "example.org", "result": "permanent", "status": "5.1.10", "reply": 556, "reason": "null-mx",
            "expires": 300, "queries": 1,
        })
    );
    let (code, found) = object("", &["[192.0.2.999]"]);
    assert_eq!((code, &found["status"], &found["queries"]), (1, &json!("5.1.3"), &json!(0)));
}

#[test]
fn a_temporary_failure_ends_with_3() {
    let (code, found) = object("example.org fail servfail", &["example.org"]);
    assert_eq!(code, 3);
    assert_eq!(
        found,
        json!({
            "domain": "example.org", "result": "temporary", "status": "4.4.3", "reason": "lookup-failed",
            "diagnostics": ["example.org MX: servfail"], "queries": 1,
        })
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in
        [&[][..], &["example.org", "--nonsense"], &["example.org", "--resolver", "x"], &["a", "b"]]
    {
        assert_eq!(mx(arguments).0, 2, "{arguments:?}");
    }
    assert_eq!(mx(&["--help"]).0, 0);
    assert_eq!(mx(&["--version"]).0, 0);
}

#[test]
fn the_options_of_this_host_count() {
    let (code, found) = object(ZONE, &["example.org", "--self", "MX2.example.org"]);
    assert_eq!((code, found["hosts"].as_array().unwrap().len()), (0, 1));
    let (code, found) = object(ZONE, &["example.org", "--self-address", "192.0.2.1"]);
    assert_eq!((code, &found["status"]), (1, &json!("5.4.6")));
    let zone = "example.org A 127.0.0.1";
    assert_eq!(object(zone, &["example.org"]).0, 1);
    assert_eq!(
        object(zone, &["example.org", "--allow-loopback"]).1["hosts"][0]["addresses"],
        json!(["127.0.0.1"])
    );
}

#[test]
fn a_relay_is_looked_up_without_mx_records() {
    let (code, found) = object(ZONE, &["mx1.example.org:587", "--relay"]);
    assert_eq!((code, &found["kind"], &found["hosts"][0]["port"]), (0, &json!("relay"), &json!(587)));
    assert_eq!(found["queries"], json!(2));
}

#[test]
fn a_seed_fixes_the_order_and_others_have_others() {
    let zone: String = (0..6)
        .map(|host| {
            format!("example.org MX 10 mx{host}.example.org\nmx{host}.example.org A 192.0.2.{}\n", host + 1)
        })
        .collect();
    let order = |seed: &str| {
        let (_, found) = object(&zone, &["example.org", "--seed", seed]);
        let hosts = found["hosts"].as_array().unwrap();
        hosts.iter().map(|host| host["name"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(order("1"), order("1"));
    assert_ne!(order("1"), order("2"));
}

#[test]
fn names_from_the_dns_are_escaped() {
    let zone = r"example.org MX 10 a\027[2J\013\010b.example.org";
    with_zone(zone, |address| {
        for form in [&["--json"][..], &[]] {
            let (code, text) = mx(&[&["example.org", "--resolver", address], form].concat());
            assert_eq!(code, 1);
            assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
            assert!(
                text.contains(if form.is_empty() { r"a\027[2j\013\010b" } else { r"a\\027[2j\\013\\010b" }),
                "{text}"
            );
        }
    });
}

#[test]
fn u_labels_are_read() {
    let (code, found) = object("xn--bcher-kva.example A 192.0.2.1", &["bücher.example"]);
    assert_eq!(
        (code, &found["domain"], &found["kind"]),
        (0, &json!("xn--bcher-kva.example"), &json!("implicit-mx"))
    );
}
