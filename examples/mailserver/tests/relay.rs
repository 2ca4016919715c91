//! Mail for other domains: two servers, one the smart host of the other.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use run::{Directory, Lines, Running, output};

/// The options of a server with one domain, an account that is named as its password, and services in plain text.
fn options(user: &str) -> Vec<String> {
    let mut options: Vec<String> = vec!["--allow-plaintext-auth".into(), "--user".into(), user.into()];
    for service in ["smtp", "submission", "imap", "lmtp"] {
        options.extend(["--listen".to_owned(), format!("{service}=127.0.0.1:0")]);
    }
    options
}

/// The server of `b.test`.
fn receiver(data: &Directory) -> Running {
    start(data, &options("bob@b.test:bob"), &[])
}

/// The server of `a.test`, which relays to `port` at loopback.
fn sender(data: &Directory, port: u16, retry: &str) -> Running {
    let host = format!("127.0.0.1:{port}");
    let more = ["--relay", &host, "--relay-allow-loopback", "--retry", retry];
    start(data, &options("alice@a.test:alice"), &more)
}

fn start(data: &Directory, options: &[String], more: &[&str]) -> Running {
    let arguments: Vec<&str> = options.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Running::start(data.path(), &arguments)
}

/// Hands over a message as alice and gives the replies to RCPT and to the message.
fn submit(server: &Running, mail: &str, rcpt: &str, subject: &str) -> [String; 2] {
    let mut session = Lines::new(server.connect("submission"));
    session.read();
    session.say("EHLO client.test");
    // NUL alice@a.test NUL alice
    assert!(session.say("AUTH PLAIN AGFsaWNlQGEudGVzdABhbGljZQ==").starts_with("235"));
    assert!(session.say(&format!("MAIL FROM:{mail}")).starts_with("250"));
    let to = session.say(&format!("RCPT TO:{rcpt}"));
    if !to.starts_with("250") {
        return [to, String::new()];
    }
    assert!(session.say("DATA").starts_with("354"));
    let end = session.say(&format!("From: alice@a.test\r\nSubject: {subject}\r\n\r\n..dots\r\n."));
    [to, end]
}

fn accepted(server: &Running, mail: &str, rcpt: &str, subject: &str) {
    let [to, end] = submit(server, mail, rcpt, subject);
    assert!(to.starts_with("250") && end.starts_with("250"), "{to} {end}");
}

/// A session with INBOX open.
fn inbox(server: &Running, user: &str) -> Lines {
    let mut session = Lines::new(server.connect("imap"));
    session.read();
    let name = user.split('@').next().unwrap();
    say(&mut session, &format!("LOGIN {user} {name}"));
    say(&mut session, "SELECT INBOX");
    session
}

fn say(session: &mut Lines, command: &str) -> Vec<String> {
    session.write(&format!("t {command}\r\n"));
    let mut said = Vec::new();
    loop {
        said.push(session.read().unwrap());
        if said.last().unwrap().starts_with("t ") {
            return said;
        }
    }
}

/// Waits in IDLE until there are so many messages.
fn wait_for(session: &mut Lines, messages: u32) {
    let number =
        |text: &str| text.split(|char: char| !char.is_ascii_digit()).find_map(|text| text.parse().ok());
    let status = say(session, "STATUS INBOX (MESSAGES)");
    let there: Option<u32> = status.iter().find_map(|line| number(line.strip_prefix("* STATUS INBOX ")?));
    if there.is_some_and(|there| there >= messages) {
        say(session, "NOOP");
        return;
    }
    session.write("t IDLE\r\n");
    loop {
        let line = session.read().unwrap();
        if line.ends_with(" EXISTS") && number(&line).is_some_and(|there: u32| there >= messages) {
            break;
        }
    }
    session.write("DONE\r\n");
    while !session.read().unwrap().starts_with("t ") {}
}

/// The octets of a message, as one text.
fn text(session: &mut Lines, number: u32) -> String {
    say(session, &format!("FETCH {number} BODY.PEEK[]")).join("\n")
}

fn queue(data: &Directory, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let output = output(&[&["queue"][..], arguments, &["--data", data.path().to_str().unwrap()]].concat());
    let lines = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), lines.lines().map(str::to_owned).collect())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn mail_of_an_account_reaches_the_other_server_over_tls() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = receiver(&there);
    let sender = sender(&here, receiver.port("smtp"), "1s*");
    accepted(&sender, "<alice@a.test>", "<bob@b.test>", "hello");
    let mut session = inbox(&receiver, "bob@b.test");
    wait_for(&mut session, 1);
    let message = text(&mut session, 1);
    assert!(message.contains("Subject: hello\n\n.dots\n"), "{message}");
    assert!(message.contains("Return-Path: <alice@a.test>\nDelivered-To: bob@b.test\n"), "{message}");
    let trace: Vec<&str> = message.split("Received: ").skip(1).collect();
    assert!(trace[0].contains(" with ESMTPS") && trace[0].contains("mail.a.test"), "{message}");
    assert!(trace[1].contains(" with ESMTPA"), "{message}");
    // The receiver has the message a moment before the sender knows.
    let empty = || queue(&here, &["list"]) == (Some(0), vec![]);
    assert!((0..100).any(|_| empty()), "{:?}", queue(&here, &["list"]));
}

#[test]
fn only_accounts_relay_and_only_as_themselves() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = receiver(&there);
    let sender = sender(&here, receiver.port("smtp"), "1s*");
    let mut stranger = Lines::new(sender.connect("smtp"));
    stranger.read();
    stranger.say("EHLO else.test");
    stranger.say("MAIL FROM:<alice@a.test>");
    assert!(stranger.say("RCPT TO:<bob@b.test>").starts_with("550 5.7.1"));
    assert!(stranger.say("RCPT TO:<alice@a.test>").starts_with("250"));
    let mut liar = Lines::new(sender.connect("submission"));
    liar.read();
    liar.say("EHLO client.test");
    assert!(liar.say("AUTH PLAIN AGFsaWNlQGEudGVzdABhbGljZQ==").starts_with("235"));
    assert!(liar.say("MAIL FROM:<bob@b.test>").starts_with("550 5.7.1"));
}

#[test]
fn with_the_receiver_down_it_waits_and_arrives_later() {
    let (here, there) = (Directory::new(), Directory::new());
    let port = free_port();
    let sender = sender(&here, port, "1s*");
    accepted(&sender, "<alice@a.test>", "<bob@b.test>", "late");
    let (code, listed) = queue(&here, &["list"]);
    assert_eq!((code, listed.len()), (Some(0), 1));
    let columns: Vec<&str> = listed[0].split('\t').collect();
    assert_eq!((columns[1], columns[5]), ("<alice@a.test>", "bob@b.test"));
    let mut options = options("bob@b.test:bob");
    let smtp = options.iter().position(|option| option.starts_with("smtp=")).unwrap();
    options[smtp] = format!("smtp=127.0.0.1:{port}");
    let receiver = start(&there, &options, &[]);
    let mut session = inbox(&receiver, "bob@b.test");
    wait_for(&mut session, 1);
    assert!(text(&mut session, 1).contains("Subject: late"));
}

#[test]
fn an_unknown_recipient_comes_back_as_a_report() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = receiver(&there);
    let sender = sender(&here, receiver.port("smtp"), "1s*");
    accepted(&sender, "<alice@a.test> ENVID=id+2B1 RET=HDRS", "<nobody@b.test>", "lost");
    let mut session = inbox(&sender, "alice@a.test");
    wait_for(&mut session, 1);
    let report = text(&mut session, 1);
    for line in [
        "Return-Path: <>",
        "To: <alice@a.test>",
        "Auto-Submitted: auto-replied",
        "Content-Type: message/delivery-status",
        "Original-Envelope-Id: id+1",
        "Reporting-MTA: dns; mail.a.test",
        "Final-Recipient: rfc822; nobody@b.test",
        "Action: failed",
        "Status: 5.1.1",
        "Content-Type: text/rfc822-headers",
        "Subject: lost",
    ] {
        assert!(report.lines().any(|found| found.starts_with(line)), "{line} is not in\n{report}");
    }
    assert!(report.contains("Diagnostic-Code: smtp; 550 5.1.1"), "{report}");
    assert!(!report.contains(".dots"), "{report}");
}

#[test]
fn a_null_sender_gets_no_report() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = receiver(&there);
    let sender = sender(&here, receiver.port("smtp"), "1s*");
    accepted(&sender, "<>", "<nobody@b.test>", "lost");
    accepted(&sender, "<alice@a.test>", "<nobody@b.test>", "second");
    let mut session = inbox(&sender, "alice@a.test");
    wait_for(&mut session, 1);
    assert!(text(&mut session, 1).contains("Subject: second"));
    sender.signal("TERM");
    let (_, log) = sender.wait();
    assert!(log.contains("lost: nobody can be told"), "{log}");
}

#[test]
fn success_is_reported_on_request() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = receiver(&there);
    let sender = sender(&here, receiver.port("smtp"), "1s*");
    accepted(&sender, "<alice@a.test>", "<bob@b.test> NOTIFY=SUCCESS", "thanks");
    let mut session = inbox(&sender, "alice@a.test");
    wait_for(&mut session, 1);
    // The receiver does not report, so the last one that could does.
    let report = text(&mut session, 1);
    assert!(report.contains("Action: relayed\n"), "{report}");
}

#[test]
fn aliases_forward_to_other_domains() {
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = receiver(&there);
    let host = format!("127.0.0.1:{}", receiver.port("smtp"));
    let more = ["--relay", &host, "--relay-allow-loopback", "--alias", "team@a.test=alice@a.test,bob@b.test"];
    let sender = start(&here, &options("alice@a.test:alice"), &more);
    let mut stranger = Lines::new(sender.connect("smtp"));
    stranger.read();
    stranger.say("EHLO else.test");
    stranger.say("MAIL FROM:<s@else.test>");
    assert!(stranger.say("RCPT TO:<team@a.test>").starts_with("250"));
    stranger.say("DATA");
    assert!(stranger.say("Subject: all\r\n\r\nx\r\n.").starts_with("250"));
    for (server, user) in [(&sender, "alice@a.test"), (&receiver, "bob@b.test")] {
        let mut session = inbox(server, user);
        wait_for(&mut session, 1);
        let message = text(&mut session, 1);
        assert!(
            message.contains("Subject: all") && message.contains("Return-Path: <s@else.test>"),
            "{message}"
        );
    }
}

#[test]
fn the_queue_can_be_seen_retried_and_emptied() {
    let here = Directory::new();
    let sender = sender(&here, free_port(), "1h*");
    accepted(&sender, "<alice@a.test>", "<bob@b.test>", "one");
    accepted(&sender, "<alice@a.test>", "<carol@b.test>", "two");
    let listed = queue(&here, &["list"]).1;
    let name = |recipient: &str| {
        let line = listed.iter().find(|line| line.ends_with(&format!("\t{recipient}"))).unwrap();
        line.split('\t').next().unwrap().to_owned()
    };
    let names = [name("bob@b.test"), name("carol@b.test")];
    // Until the first attempt has failed.
    let failed = |name: &str| loop {
        let (_, shown) = queue(&here, &["show", name]);
        if shown.iter().any(|line| line.starts_with("failure\t4.4.1")) {
            break shown;
        }
    };
    let shown = failed(&names[0]);
    assert!(shown.contains(&"recipient\t0\tbob@b.test".to_owned()), "{shown:?}");
    assert_eq!(queue(&here, &["retry", &names[0]]), (Some(0), vec![]));
    assert_eq!(queue(&here, &["retry", "--all"]), (Some(0), vec![]));
    assert_eq!(queue(&here, &["delete", &names[0]]), (Some(0), vec![]));
    assert_eq!(
        queue(&here, &["delete", &names[1], "--why", "no longer wanted", "--report"]),
        (Some(0), vec![])
    );
    let mut session = inbox(&sender, "alice@a.test");
    wait_for(&mut session, 1);
    let report = text(&mut session, 1);
    assert!(report.contains("carol@b.test") && report.contains("no longer wanted"), "{report}");
    assert_eq!(queue(&here, &["show", &names[0]]).0, Some(1));
    assert_eq!(queue(&here, &["delete", "nonsense"]).0, Some(1));
    // It outlives the server, and can be seen without one.
    accepted(&sender, "<alice@a.test>", "<dave@b.test>", "three");
    sender.signal("TERM");
    assert_eq!(sender.wait().0, Some(0));
    let (_, listed) = queue(&here, &["list"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
}

#[test]
fn a_host_whose_tls_is_broken_gets_mail_without() {
    let here = Directory::new();
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let sender = sender(&here, host.local_addr().unwrap().port(), "1s*");
    accepted(&sender, "<alice@a.test>", "<bob@b.test>", "plain");
    let mut seen = Vec::new();
    for tls in [true, false] {
        let (stream, _) = host.accept().unwrap();
        seen.extend(broken_host(stream, tls));
    }
    assert!(seen.contains(&"STARTTLS".to_owned()) && seen.contains(&"Subject: plain".to_owned()), "{seen:?}");
}

/// A server that agrees to STARTTLS and speaks no TLS; without it, it takes everything. Gives what it was told.
fn broken_host(stream: TcpStream, tls: bool) -> Vec<String> {
    let mut write = stream.try_clone().unwrap();
    let mut seen = Vec::new();
    let mut content = false;
    write.write_all(b"220 b.test ESMTP\r\n").unwrap();
    for line in BufReader::new(stream).split(b'\n') {
        let Ok(line) = line else { break };
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let reply: &[u8] = match line.split(' ').next().unwrap() {
            "." => {
                content = false;
                b"250 ok\r\n"
            }
            _ if content => b"",
            "EHLO" if tls => b"250-b.test\r\n250 STARTTLS\r\n",
            "DATA" => {
                content = true;
                b"354 go on\r\n"
            }
            "STARTTLS" => b"220 go on\r\n",
            "QUIT" => b"221 bye\r\n",
            _ if !line.is_ascii() || line.contains('\u{16}') => break,
            _ => b"250 ok\r\n",
        };
        let over = line == "QUIT" || line == "STARTTLS";
        seen.push(line);
        write.write_all(reply).unwrap();
        if over {
            // No server hello will ever come.
            let _ = write.write_all(if tls { b"this is no TLS\r\n" } else { b"" });
            break;
        }
    }
    seen
}

/// At random moments, as far as the machine's own speed is random.
#[test]
fn what_was_accepted_is_delivered_though_the_relay_is_killed() {
    let rounds = std::env::var("KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(6);
    let (here, there) = (Directory::new(), Directory::new());
    let receiver = receiver(&there);
    let port = receiver.port("smtp");
    for round in 0_u64..rounds {
        let sender = sender(&here, port, "1s*");
        for number in 0..3 {
            accepted(
                &sender,
                "<alice@a.test>",
                "<bob@b.test>",
                &format!("round {round} number {number} end"),
            );
        }
        // The relay is somewhere between the first attempt and the last.
        for _ in 0..(round * 7919) % 50 {
            let _ = sender.connect("imap");
        }
        sender.signal("KILL");
        sender.wait();
    }
    let _sender = sender(&here, port, "1s*");
    let mut session = inbox(&receiver, "bob@b.test");
    let expected: Vec<String> = (0..rounds)
        .flat_map(|round| (0..3).map(move |number| format!("round {round} number {number} end")))
        .collect();
    loop {
        let count = say(&mut session, "SEARCH ALL")[0].split(' ').count() - 2;
        let subjects =
            say(&mut session, &format!("FETCH 1:{} BODY.PEEK[HEADER.FIELDS (Subject)]", count.max(1)));
        if expected.iter().all(|subject| subjects.contains(&format!("Subject: {subject}"))) {
            return;
        }
        wait_for(&mut session, u32::try_from(count).unwrap() + 1);
    }
}
