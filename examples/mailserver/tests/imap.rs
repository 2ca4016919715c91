//! IMAP from outside: two sessions, what POP3 and IMAP share, and what outlives the process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use run::{Directory, Lines, Running};

const PLAIN: [&str; 1] = ["--allow-plaintext-auth"];

/// Lines up to the one that completes the command.
fn say(session: &mut Lines, command: &str) -> Vec<String> {
    session.write(&format!("t {command}\r\n"));
    let mut lines = Vec::new();
    loop {
        let line = session.read().unwrap();
        let last = line.starts_with("t ");
        lines.push(line);
        if last {
            return lines;
        }
    }
}

fn log_in(server: &Running, user: &str) -> Lines {
    let mut session = Lines::new(server.connect("imap"));
    session.read();
    assert!(say(&mut session, &format!("LOGIN {user}@example.org demo"))[0].starts_with("t OK"));
    session
}

fn deliver(server: &Running, user: &str, text: &str) {
    let mut session = Lines::new(server.connect("lmtp"));
    session.read();
    session.say("LHLO client.test");
    session.say("MAIL FROM:<s@else.test>");
    session.say(&format!("RCPT TO:<{user}@example.org>"));
    session.say("DATA");
    assert!(session.say(&format!("Subject: {text}\r\n\r\n{text}\r\n.")).starts_with("250 2.0.0"));
}

#[test]
fn a_delivery_is_told_in_idle_at_once() {
    let data = Directory::new();
    let server = Running::start(data.path(), &PLAIN);
    let mut session = log_in(&server, "bob");
    say(&mut session, "SELECT INBOX");
    session.write("i IDLE\r\n");
    assert_eq!(session.read().unwrap(), "+ idling");
    deliver(&server, "bob", "news");
    assert_eq!(session.read().unwrap(), "* 1 EXISTS");
    session.write("DONE\r\n");
    while !session.read().unwrap().starts_with("i OK") {}
    assert!(say(&mut session, "FETCH 1 BODY.PEEK[TEXT]").iter().any(|line| line == "news"));
}

#[test]
fn the_name_of_login_may_come_with_the_command() {
    let data = Directory::new();
    let server = Running::start(data.path(), &PLAIN);
    for (service, command, prompt, end) in [
        ("imap", "t AUTHENTICATE LOGIN", "+ ", "t OK "),
        ("pop3", "AUTH LOGIN", "+ ", "+OK"),
        ("submission", "AUTH LOGIN", "334 ", "235 "),
    ] {
        let mut session = Lines::new(server.connect(service));
        session.read();
        if service == "submission" {
            session.say("EHLO client.test");
        }
        session.write(&format!("{command} Ym9iQGV4YW1wbGUub3Jn\r\n")); // bob@example.org
        let line = session.read().unwrap();
        assert!(line.starts_with(prompt), "{service}: {line}");
        session.write("ZGVtbw==\r\n"); // demo
        let line = session.read().unwrap();
        assert!(line.starts_with(end), "{service}: {line}");
    }
}

#[test]
fn pop3_removes_at_quit_and_imap_sees_it() {
    let data = Directory::new();
    let server = Running::start(data.path(), &PLAIN);
    (1..=3).for_each(|number| deliver(&server, "bob", &number.to_string()));
    let mut imap = log_in(&server, "bob");
    say(&mut imap, "SELECT INBOX");
    let mut pop3 = Lines::new(server.connect("pop3"));
    pop3.read();
    pop3.say("USER bob@example.org");
    assert!(pop3.say("PASS demo").starts_with("+OK"));
    pop3.say("DELE 2");
    assert_eq!(say(&mut imap, "NOOP"), ["t OK done"]);
    assert!(pop3.say("QUIT").starts_with("+OK"));
    assert_eq!(say(&mut imap, "NOOP"), ["* 2 EXPUNGE", "t OK done"]);
    say(&mut imap, "STORE 1 +FLAGS.SILENT \\Deleted");
    say(&mut imap, "EXPUNGE");
    let mut pop3 = Lines::new(server.connect("pop3"));
    pop3.read();
    pop3.say("USER bob@example.org");
    pop3.say("PASS demo");
    assert!(pop3.say("STAT").starts_with("+OK 1 "));
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let rounds = std::env::var("KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(8);
    let data = Directory::new();
    for round in 0_u32..rounds {
        let server = Running::start(data.path(), &PLAIN);
        let mut session = log_in(&server, "bob");
        let select = say(&mut session, "SELECT INBOX");
        assert!(select.contains(&format!("* {round} EXISTS")), "{round}: {select:?}");
        if round > 0 {
            let flags =
                say(&mut session, &format!("FETCH {round} (FLAGS BODY.PEEK[HEADER.FIELDS (Subject)])"));
            assert!(flags[0].contains("\\Flagged"), "{round}: {flags:?}");
            assert!(flags.contains(&format!("Subject: {}", round - 1)), "{round}: {flags:?}");
            let archive = say(&mut session, "STATUS Archive (MESSAGES)");
            assert_eq!(archive[0], format!("* STATUS Archive (MESSAGES {round})"));
        }
        if round.is_multiple_of(2) {
            deliver(&server, "bob", &round.to_string());
        } else {
            let content = format!("Subject: {round}\r\n\r\n");
            session.write(&format!("a APPEND INBOX {{{}+}}\r\n{content}\r\n", content.len()));
            while !session.read().unwrap().starts_with("a OK") {}
        }
        say(&mut session, "NOOP");
        say(&mut session, &format!("STORE {} +FLAGS (\\Flagged)", round + 1));
        let copied = say(&mut session, &format!("COPY {} Archive", round + 1));
        assert!(copied.last().unwrap().starts_with("t OK"), "{copied:?}");
        // Now, with nothing but the acknowledgement in between.
        server.signal("KILL");
        server.wait();
    }
}
