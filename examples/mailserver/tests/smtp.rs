//! What the server announces to SMTP, submission and LMTP, at work: each extension from EHLO to the mailbox.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use mailwright_core::io::blocking::Connection;
use mailwright_core::session::Transport;
use mailwright_smtp::client::{self, Client, Deliver, Login, MailOptions, Outcome, TlsMode};
use mailwright_smtp::server::{Config, Mail, Serve, Server};
use mailwright_smtp::types::Reply;
use run::{Directory, Lines, Running};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};

const USERS: [&str; 8] = [
    "--allow-plaintext-auth",
    "--user",
    "j\u{fc}rgen@b\u{fc}cher.test:juergen",
    "--user",
    "alice@a.test:alice",
    "--domain",
    "b.test",
    "--user",
];

fn start(data: &Directory, more: &[&str]) -> Running {
    let mut arguments = USERS.to_vec();
    arguments.push("bob@b.test:bob");
    for service in ["smtp", "submission", "imap", "lmtp"] {
        arguments.push("--listen");
        arguments.push(match service {
            "smtp" => "smtp=127.0.0.1:0",
            "submission" => "submission=127.0.0.1:0",
            "imap" => "imap=127.0.0.1:0",
            _ => "lmtp=127.0.0.1:0",
        });
    }
    arguments.extend(more);
    Running::start(data.path(), &arguments)
}

/// The lines of the reply to EHLO or LHLO, without the name.
fn announced(server: &Running, service: &str, hello: &str) -> Vec<String> {
    let mut session = Lines::new(server.connect(service));
    session.read();
    session.write(&format!("{hello} client.test\r\n"));
    let mut lines = Vec::new();
    loop {
        let line = session.read().unwrap();
        lines.push(line[4..].to_owned());
        if line.as_bytes()[3] == b' ' {
            lines.remove(0);
            return lines;
        }
    }
}

/// All of INBOX, as one text.
fn inbox(server: &Running, user: &str, password: &str) -> String {
    let mut session = Lines::new(server.connect("imap"));
    session.read();
    let mut text = String::new();
    // Literals: the name and the password may go beyond ASCII.
    session.write(&format!(
        "t LOGIN {{{}+}}\r\n{user} {{{}+}}\r\n{password}\r\n",
        user.len(),
        password.len()
    ));
    session.write("t ENABLE UTF8=ACCEPT\r\nt SELECT INBOX\r\nt FETCH 1:* BODY.PEEK[]\r\nu NOOP\r\n");
    loop {
        let line = session.read().unwrap();
        if line.starts_with("u ") {
            return text;
        }
        text.push_str(&line);
        text.push('\n');
    }
}

#[test]
fn what_is_announced_is_what_is_there() {
    let data = Directory::new();
    let server = start(&data, &[]);
    let limits = "LIMITS MAILMAX=1000 RCPTMAX=1000";
    let smtp =
        ["PIPELINING", "SIZE 36700160", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES", limits];
    assert_eq!(announced(&server, "smtp", "EHLO"), [&smtp[..], &["STARTTLS"]].concat());
    assert_eq!(announced(&server, "lmtp", "LHLO"), smtp);
    let submission = announced(&server, "submission", "EHLO");
    assert_eq!(submission[..7], smtp);
    assert!(submission.last().unwrap().starts_with("AUTH "), "{submission:?}");
    let relaying = Directory::new();
    let server = start(&relaying, &["--relay", "127.0.0.1:9", "--relay-allow-loopback"]);
    assert!(announced(&server, "smtp", "EHLO").contains(&"DSN".to_owned()));
}

/// That what a keyword stands for is there; what others of this file show is only named. `session` has said EHLO.
fn works(keyword: &str, session: &mut Lines, server: &Running) {
    let mut codes = |group: &str, count: usize| {
        session.write_octets(group.as_bytes());
        (0..count).map(|_| session.read().unwrap()).collect::<Vec<_>>()
    };
    let begins = |replies: &[String], expected: &[&str]| {
        assert_eq!(replies.len(), expected.len(), "{replies:?}");
        assert!(replies.iter().zip(expected).all(|(reply, code)| reply.starts_with(code)), "{replies:?}");
    };
    match keyword {
        "PIPELINING" => {
            let group =
                "MAIL FROM:<a@else.test>\r\nRCPT TO:<bob@b.test>\r\nRCPT TO:<nobody@b.test>\r\nDATA\r\n";
            begins(&codes(group, 4), &["250 2.1.0", "250 2.1.5", "550 5.1.1", "354 "]);
            begins(&codes("Subject: in a group\r\n\r\n.\r\nRSET\r\n", 2), &["250 2.0.0", "250 2.0.0"]);
            assert!(inbox(server, "bob@b.test", "bob").contains("Subject: in a group\n"));
        }
        "SIZE" => {
            begins(&codes("MAIL FROM:<a@else.test> SIZE=36700160\r\nRSET\r\n", 2), &["250", "250"]);
            begins(&codes("MAIL FROM:<a@else.test> SIZE=36700161\r\n", 1), &["552 5.3.4"]);
        }
        "8BITMIME" => {
            begins(
                &codes("MAIL FROM:<a@else.test> BODY=8BITMIME\r\nRCPT TO:<bob@b.test>\r\nDATA\r\n", 3),
                &["250", "250", "354"],
            );
            begins(&codes("Subject: 8 bit\r\n\r\nGr\u{fc}\u{df}e\r\n.\r\n", 1), &["250"]);
            assert!(inbox(server, "bob@b.test", "bob").contains("Gr\u{fc}\u{df}e\n"));
        }
        "ENHANCEDSTATUSCODES" => begins(&codes("NOOP\r\nFOO\r\n", 2), &["250 2.0.0", "500 5.5.2"]),
        "LIMITS" => {
            let many = format!("MAIL FROM:<a@else.test>\r\n{}", "RCPT TO:<bob@b.test>\r\n".repeat(1001));
            let replies = codes(&many, 1002);
            assert!(replies[..1001].iter().all(|reply| reply.starts_with("250")));
            begins(&replies[1001..], &["452 4.5.3"]);
            begins(&codes("RSET\r\n", 1), &["250"]);
            // Transactions that come to nothing count too. The session has had one for each keyword and more.
            let group = "MAIL FROM:<a@else.test>\r\nRCPT TO:<bob@b.test>\r\nBDAT 3 LAST\r\na\nb";
            let mut had = 0;
            loop {
                let reply = codes(group, 1).remove(0);
                if reply.starts_with("421 4.7.0") {
                    break;
                }
                had += 1;
                begins(&[reply], &["250 2.1.0"]);
                begins(&codes("", 2), &["250 2.1.5", "554 5.6.0"]);
            }
            assert!((990..1000).contains(&had), "{had} transactions");
        }
        // Tests of their own.
        "SMTPUTF8" | "CHUNKING" | "STARTTLS" | "AUTH" | "DSN" | "REQUIRETLS" => {}
        other => panic!("{other} is announced, and no test shows that it works"),
    }
}

#[test]
fn whatever_is_announced_works() {
    let data = Directory::new();
    let server = start(&data, &["--relay", "127.0.0.1:9", "--relay-allow-loopback"]);
    let announced = announced(&server, "smtp", "EHLO");
    let mut session = Lines::new(server.connect("smtp"));
    session.read();
    session.say("EHLO client.test");
    // LIMITS is announced behind those that need the session to go on.
    for line in &announced {
        works(line.split(' ').next().unwrap(), &mut session, &server);
    }
    assert!(announced.iter().any(|line| line.starts_with("LIMITS ")), "{announced:?}");
}

#[test]
fn what_no_queue_here_would_obey_is_neither_announced_nor_taken() {
    let data = Directory::new();
    let server = start(&data, &["--relay", "127.0.0.1:9", "--relay-allow-loopback"]);
    for (service, hello) in [("smtp", "EHLO"), ("lmtp", "LHLO")] {
        for keyword in ["BINARYMIME", "DELIVERBY", "FUTURERELEASE", "MT-PRIORITY", "RRVS", "MTRK"] {
            assert!(
                !announced(&server, service, hello).iter().any(|line| line.starts_with(keyword)),
                "{keyword}"
            );
        }
        let mut session = Lines::new(server.connect(service));
        session.read();
        session.say(&format!("{hello} client.test"));
        for parameter in ["BY=120;R", "HOLDFOR=60", "MT-PRIORITY=1", "MTRK=AAAA"] {
            let reply = session.say(&format!("MAIL FROM:<a@else.test> {parameter}"));
            assert!(reply.starts_with("555 5.5.4"), "{parameter}: {reply}");
        }
        assert!(session.say("MAIL FROM:<a@else.test> BODY=BINARYMIME").starts_with("501 5.5.4"));
        session.say("MAIL FROM:<a@else.test>");
        assert!(session.say("RCPT TO:<bob@b.test> RRVS=2014-04-03T23:01:00Z").starts_with("555 5.5.4"));
    }
}

#[test]
fn an_internationalised_message_comes_in_chunks_to_an_internationalised_mailbox() {
    let data = Directory::new();
    let server = start(&data, &[]);
    for (service, hello) in [("smtp", "EHLO"), ("lmtp", "LHLO")] {
        let mut session = Lines::new(server.connect(service));
        session.read();
        assert!(session.say(&format!("{hello} client.test")).starts_with("250 "));
        assert!(
            session
                .say("MAIL FROM:<\u{7528}\u{6237}@else.test> SMTPUTF8 BODY=8BITMIME")
                .starts_with("250 2.1.0")
        );
        // The domain in both its forms.
        assert!(session.say("RCPT TO:<j\u{fc}rgen@b\u{fc}cher.test>").starts_with("250 2.1.5"));
        assert!(session.say("RCPT TO:<j\u{fc}rgen@xn--bcher-kva.test>").starts_with("250 2.1.5"));
        assert!(session.say("RCPT TO:<hans@b\u{fc}cher.test>").starts_with("550 5.1.1"));
        let message = format!("Subject: Gr\u{fc}\u{df}e by {service}\r\n\r\n.\r\n.Hei\u{df}!\r\n");
        // Cut inside a character.
        let (front, rest) = message.as_bytes().split_at(12);
        let mut wire = format!("BDAT {}\r\n", front.len()).into_bytes();
        wire.extend_from_slice(front);
        wire.extend_from_slice(format!("BDAT {} LAST\r\n", rest.len()).as_bytes());
        wire.extend_from_slice(rest);
        session.write_octets(&wire);
        let replies = if service == "lmtp" { 3 } else { 2 };
        for _ in 0..replies {
            assert!(session.read().unwrap().starts_with("250 2.0.0"));
        }
    }
    let text = inbox(&server, "j\u{fc}rgen@b\u{fc}cher.test", "juergen");
    for service in ["smtp", "lmtp"] {
        assert!(
            text.contains(&format!("Subject: Gr\u{fc}\u{df}e by {service}\n\n.\n.Hei\u{df}!\n")),
            "{text}"
        );
    }
    assert!(
        text.contains(
            "Return-Path: <\u{7528}\u{6237}@else.test>\nDelivered-To: j\u{fc}rgen@b\u{fc}cher.test\n"
        ),
        "{text}"
    );
    assert!(text.contains(" with UTF8SMTP id ") && text.contains(" with UTF8LMTP id "), "{text}");
}

#[test]
fn without_smtputf8_an_address_beyond_ascii_is_refused() {
    let data = Directory::new();
    let server = start(&data, &[]);
    let mut session = Lines::new(server.connect("smtp"));
    session.read();
    session.say("EHLO client.test");
    assert!(session.say("MAIL FROM:<\u{7528}\u{6237}@else.test>").starts_with("550 5.6.7"));
    assert!(session.say("MAIL FROM:<a@else.test>").starts_with("250"));
    assert!(session.say("RCPT TO:<j\u{fc}rgen@b\u{fc}cher.test>").starts_with("553 5.6.7"));
    assert!(session.say("MAIL FROM:<a@else.test> BODY=BINARYMIME").starts_with("503"));
    session.say("RSET");
    assert!(session.say("MAIL FROM:<a@else.test> BODY=BINARYMIME").starts_with("501 5.5.4"), "not announced");
}

/// Somebody else's server, with what it was told.
fn elsewhere(messages: usize) -> (u16, JoinHandle<Vec<Mail>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let mut mails = Vec::new();
        while mails.len() < messages {
            let mut config = Config::new("else.test").unwrap();
            config.smtp_utf8 = true;
            let (stream, _) = listener.accept().unwrap();
            let session = Server::new(config, [1; 32]);
            let _ = Connection::new(stream, session).run(Serve::new(|mail: Mail| {
                mails.push(mail);
                Reply::MESSAGE_ACCEPTED
            }));
        }
        mails
    });
    (port, serving)
}

/// Hands over a message as alice to `recipients`, who are elsewhere.
fn submit(server: &Running, recipients: &[&str], subject: &str) {
    let mut session = Lines::new(server.connect("submission"));
    session.read();
    session.say("EHLO client.test");
    // NUL alice@a.test NUL alice
    assert!(session.say("AUTH PLAIN AGFsaWNlQGEudGVzdABhbGljZQ==").starts_with("235"));
    assert!(session.say("MAIL FROM:<alice@a.test> SMTPUTF8 RET=HDRS").starts_with("250"));
    for recipient in recipients {
        assert!(
            session.say(&format!("RCPT TO:<{recipient}> NOTIFY=SUCCESS,FAILURE")).starts_with("250"),
            "{recipient}"
        );
    }
    assert!(session.say("DATA").starts_with("354"));
    assert!(
        session.say(&format!("From: alice@a.test\r\nSubject: {subject}\r\n\r\ntext\r\n.")).starts_with("250")
    );
}

#[test]
fn an_internationalised_message_is_relayed_where_it_can_be() {
    let data = Directory::new();
    let (port, serving) = elsewhere(1);
    let host = format!("127.0.0.1:{port}");
    let server = start(&data, &["--relay", &host, "--relay-allow-loopback", "--retry", "1s*"]);
    submit(&server, &["\u{7528}\u{6237}@else.test", "hans@else.test"], "Gr\u{fc}\u{df}e");
    let mails = serving.join().unwrap();
    assert!(mails[0].parameters.smtp_utf8());
    assert_eq!(mails[0].recipients[0].path.to_string(), "<\u{7528}\u{6237}@else.test>");
    let content = String::from_utf8(mails[0].content.clone()).unwrap();
    assert!(
        content.contains("Subject: Gr\u{fc}\u{df}e\r\n") && content.contains(" with UTF8SMTPA id "),
        "{content}"
    );
}

#[test]
fn an_internationalised_message_comes_back_where_it_cannot_be_relayed() {
    let data = Directory::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let session = Server::new(Config::new("else.test").unwrap(), [1; 32]);
            let _ =
                Connection::new(stream.unwrap(), session).run(Serve::new(|_: Mail| Reply::MESSAGE_ACCEPTED));
        }
    });
    let host = format!("127.0.0.1:{other}");
    let server = start(&data, &["--relay", &host, "--relay-allow-loopback", "--retry", "1s*"]);
    submit(&server, &["hans@else.test"], "Gr\u{fc}\u{df}e");
    let report =
        (0..500).map(|_| inbox(&server, "alice@a.test", "alice")).find(|text| text.contains("Status: "));
    let report = report.unwrap();
    assert!(report.contains("Action: failed\nStatus: 5.6.7\n"), "{report}");
}

// ---- REQUIRETLS

fn tls_session(server: &Running, data: &Directory) -> Connection<TcpStream, Client> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(data.path().join("ca.pem")).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = client::Config::new("client.test").unwrap();
    client.tls = TlsMode::Required;
    let name = ServerName::try_from("localhost").unwrap();
    let transport = Transport::tls_ready(Client::new(client), (Arc::new(config), name));
    let mut connection = Connection::over(server.connect("smtp"), transport);
    connection.run(Login::new()).unwrap();
    connection
}

#[test]
fn requiretls_is_for_tls_only() {
    let data = Directory::new();
    let server = start(&data, &["--relay", "127.0.0.1:9", "--relay-allow-loopback"]);
    let mut session = Lines::new(server.connect("smtp"));
    session.read();
    session.say("EHLO client.test");
    assert!(session.say("MAIL FROM:<a@else.test> REQUIRETLS").starts_with("530 5.7.10"));
    let mut connection = tls_session(&server, &data);
    assert!(connection.session().capabilities().require_tls());
    let mut options = MailOptions::default();
    options.require_tls = true;
    let deliver = Deliver::new(
        "<a@else.test>".parse().unwrap(),
        ["<bob@b.test>".parse().unwrap(), "<bob@else.test>".parse().unwrap()],
        &b"Subject: secret\r\n\r\n"[..],
    );
    let rows = connection.run(deliver.options(options)).unwrap().rows;
    assert!(rows[0].outcome.is_accepted(), "{rows:?}");
    assert!(matches!(&rows[1].outcome, Outcome::Permanent { .. }), "{rows:?}");
    assert!(inbox(&server, "bob@b.test", "bob").contains("Subject: secret"));
}
