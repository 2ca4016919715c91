//! `mailserver user …`, with a server that runs and without.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use std::io::Write as _;
use std::process::Stdio;

use run::{Directory, Lines, Running, command, output};

const PLAIN: [&str; 7] = [
    "--listen",
    "imap=127.0.0.1:0",
    "--listen",
    "lmtp=127.0.0.1:0",
    "--allow-plaintext-auth",
    "--user",
    "a@x.test:one",
];

/// Exit code, standard output and error.
fn user(data: &Directory, arguments: &[&str]) -> (Option<i32>, String, String) {
    let data = data.path().to_str().unwrap();
    let output = output(&[&["user"][..], arguments, &["--data", data]].concat());
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn may_log_in(server: &Running, name: &str, password: &str) -> bool {
    let mut session = Lines::new(server.connect("imap"));
    session.read();
    session.write(&format!("t LOGIN {name} {password}\r\n"));
    session.read().unwrap().starts_with("t OK")
}

#[test]
fn a_running_server_takes_changes_at_once() {
    let data = Directory::new();
    let server = Running::start(data.path(), &PLAIN);
    assert_eq!(user(&data, &["add", "b@y.test:two"]), (Some(0), String::new(), String::new()));
    assert!(may_log_in(&server, "b@y.test", "two"));
    assert_eq!(user(&data, &["list"]).1, "a@x.test\nb@y.test\n");
    assert_eq!(user(&data, &["passwd", "b@y.test:three"]).0, Some(0));
    assert!(!may_log_in(&server, "b@y.test", "two") && may_log_in(&server, "b@y.test", "three"));
    assert_eq!(user(&data, &["del", "b@y.test"]).0, Some(0));
    assert!(!may_log_in(&server, "b@y.test", "three"));
    assert_eq!(user(&data, &["list"]).1, "a@x.test\n");
}

#[test]
fn without_a_server_the_store_is_changed() {
    let data = Directory::new();
    assert_eq!(user(&data, &["add", "b@y.test:two"]).0, Some(0));
    assert_eq!(user(&data, &["list"]).1, "b@y.test\n");
    let server = Running::start(data.path(), &PLAIN);
    assert!(may_log_in(&server, "b@y.test", "two"));
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
    assert!(!data.path().join("control").exists());
}

#[test]
fn a_session_of_a_removed_account_ends() {
    let data = Directory::new();
    let server = Running::start(data.path(), &PLAIN);
    let mut session = Lines::new(server.connect("imap"));
    session.read();
    session.write("t LOGIN a@x.test one\r\nt SELECT INBOX\r\nt NOOP\r\n");
    for _ in 0..3 {
        while !session.read().unwrap().starts_with("t OK") {}
    }
    assert_eq!(user(&data, &["del", "a@x.test"]).0, Some(0));
    session.write("t NOOP\r\n");
    let said = session.read().unwrap();
    assert!(said.starts_with("* BYE"), "{said}");
    let mut mail = Lines::new(server.connect("lmtp"));
    mail.read();
    mail.say("LHLO client.test");
    mail.say("MAIL FROM:<s@else.test>");
    assert!(mail.say("RCPT TO:<a@x.test>").starts_with("550 5.1.1"));
}

#[test]
fn what_cannot_be_done_is_exit_1() {
    let data = Directory::new();
    let server = Running::start(data.path(), &PLAIN);
    for (arguments, why) in [
        (&["add", "a@x.test:two"][..], "mailserver: a@x.test exists already\n"),
        (&["passwd", "b@x.test:two"], "mailserver: there is no account b@x.test\n"),
        (&["del", "b@x.test"], "mailserver: there is no account b@x.test\n"),
        (&["add", "c@[192.0.2.1]:secret"], "mailserver: an address literal is no domain\n"),
    ] {
        assert_eq!(user(&data, arguments), (Some(1), String::new(), why.to_owned()), "{arguments:?}");
    }
    assert_eq!(user(&data, &["add", "nobody:secret"]).0, Some(2));
    assert_eq!(user(&data, &["remove", "a@x.test"]).0, Some(2));
    drop(server);
}

#[test]
fn a_password_may_come_from_standard_input() {
    let data = Directory::new();
    let mut child = command();
    child.args(["user", "add", "b@y.test", "--data"]).arg(data.path()).stdin(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"t wo\nignored\n").unwrap();
    assert!(child.wait().unwrap().success());
    let server = Running::start(data.path(), &PLAIN);
    assert!(may_log_in(&server, "b@y.test", "\"t wo\""));
}

#[test]
fn the_socket_is_its_owners_and_takes_nothing_else() {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    let data = Directory::new();
    let server = Running::start(data.path(), &PLAIN);
    let path = data.path().join("control");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for request in
        [&b"{\"user\":{\"add\":{\"password\":\"geheim\"}}}\n"[..], b"\n", b"\xff\n", &[b'x'; 100_000]]
    {
        let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        // It may stop reading before the end.
        let _ = stream.write_all(request);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains("geheim") && !answer.contains("done"), "{answer}");
    }
    assert_eq!(user(&data, &["list"]).1, "a@x.test\n");
    server.signal("TERM");
    let (code, log) = server.wait();
    assert_eq!(code, Some(0));
    assert!(!log.contains("geheim"));
}
