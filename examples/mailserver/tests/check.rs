//! `mailserver check` on a store that was closed, on none, and on a damaged one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use run::{Directory, Lines, Running, output};

fn check(data: &Directory) -> (Option<i32>, String) {
    let output = output(&["check", "--full", "--data", data.path().to_str().unwrap()]);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn fill(data: &Directory) {
    let server = Running::start(data.path(), &["--listen", "lmtp=127.0.0.1:0"]);
    let mut session = Lines::new(server.connect("lmtp"));
    session.read();
    session.say("LHLO client.test");
    session.say("MAIL FROM:<>");
    session.say("RCPT TO:<bob@example.org>");
    session.say("DATA");
    assert!(session.say("Subject: needle\r\n\r\nhaystack\r\n.").starts_with("250"));
    server.signal("TERM");
    drop(session);
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn a_healthy_store_has_no_findings() {
    let data = Directory::new();
    fill(&data);
    assert_eq!(check(&data), (Some(0), String::new()));
}

#[test]
fn where_there_is_no_store_it_cannot_run() {
    let data = Directory::new();
    assert_eq!(check(&data), (Some(2), String::new()));
    fill(&data);
    let running = Running::start(data.path(), &["--listen", "lmtp=127.0.0.1:0"]);
    assert_eq!(check(&data).0, Some(2), "a server has it open");
    drop(running);
}

#[test]
fn a_damaged_body_is_found() {
    let data = Directory::new();
    fill(&data);
    let segments = std::fs::read_dir(data.path().join("store")).unwrap().map(|entry| entry.unwrap().path());
    let needle = b"haystack";
    let mut damaged = false;
    for path in segments.filter(|path| path.is_file()) {
        let mut octets = std::fs::read(&path).unwrap();
        if path.extension().is_none()
            && let Some(at) = octets.windows(needle.len()).position(|window| window == needle)
        {
            octets[at] ^= 1;
            std::fs::write(&path, octets).unwrap();
            damaged = true;
        }
    }
    assert!(damaged);
    let (status, findings) = check(&data);
    assert_eq!(status, Some(1), "{findings}");
    assert!(findings.starts_with("error: "), "{findings}");
}
