//! The program from outside: a message in by submission and LMTP, out by POP3; what is refused; how it ends.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use std::sync::Arc;

use mailwright_core::io::blocking::Connection;
use mailwright_core::session::Transport;
use mailwright_core::value::{ForwardPath, Mailbox, ReversePath};
use mailwright_pop3::client as pop3;
use mailwright_sasl::{Credentials, MechanismName, Seed};
use mailwright_smtp::client as smtp;
use run::{Directory, Lines, Running, output};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

/// Trust in the CA that the server made.
fn trust(data: &Directory) -> (Arc<ClientConfig>, ServerName<'static>) {
    trust_by(data, rustls::DEFAULT_VERSIONS)
}

fn trust_by(
    data: &Directory,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (Arc<ClientConfig>, ServerName<'static>) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data.path().join("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    (Arc::new(config), "localhost".try_into().unwrap())
}

fn mailbox(address: &str) -> Mailbox {
    address.parse().unwrap()
}

/// Sends through `service` and gives the code for each recipient.
fn submit(
    server: &Running,
    data: &Directory,
    service: &str,
    (user, password): (&str, &str),
    from: &str,
    to: &[&str],
    content: &[u8],
) -> Vec<String> {
    let mut config = smtp::Config::new("client.test").unwrap();
    config.tls = if service == "submissions" { smtp::TlsMode::Implicit } else { smtp::TlsMode::Required };
    let transport = Transport::tls_ready(smtp::Client::new(config), trust(data));
    let mut connection = Connection::over(server.connect(service), transport);
    let credentials = Credentials::password(user, password).unwrap();
    connection.run(smtp::Login::with(credentials, Seed::new([1; 32]))).unwrap();
    let to = to.iter().map(|to| ForwardPath::Mailbox(mailbox(to)));
    let from = ReversePath::Mailbox(mailbox(from));
    let delivery = connection.run(smtp::Deliver::new(from, to, content.to_vec())).unwrap();
    delivery.rows.iter().map(|row| format!("{:?}", row.outcome)).collect()
}

/// Everything in the maildrop of `user`.
fn fetch(server: &Running, data: &Directory, service: &str, user: &str) -> Vec<Vec<u8>> {
    let mut config = pop3::Config::default();
    config.tls = if service == "pop3s" {
        mailwright_pop3::TlsMode::Implicit
    } else {
        mailwright_pop3::TlsMode::StartTls
    };
    let transport = Transport::tls_ready(pop3::Client::new(config, [2; 32]), trust(data));
    let mut connection = Connection::over(server.connect(service), transport);
    let logged_in = connection.run(pop3::Login::new(Credentials::password(user, "demo").unwrap())).unwrap();
    assert_eq!(logged_in.mechanism, Some(MechanismName::SCRAM_SHA_256_PLUS));
    let listing = connection.run(pop3::List::new()).unwrap();
    let mut messages = Vec::new();
    for message in &listing.messages {
        let mut content = Vec::new();
        let mut fetch = connection.begin(pop3::Fetch::new(message.number));
        while let mailwright_core::io::Step::Item(chunk) = fetch.step().unwrap() {
            content.extend_from_slice(&chunk);
        }
        messages.push(content);
    }
    connection.run(pop3::Quit::new()).unwrap();
    messages
}

#[test]
fn a_submitted_message_is_read_as_it_was_written() {
    let data = Directory::new();
    let server = Running::start(data.path(), &["--store", "memory"]);
    let content =
        b"From: alice@example.org\r\nSubject: a\r\n\r\n.\r\n\xc3\xa4 8-bit\r\n..\r\n.dot\r\nlast line\r\n";
    for service in ["submission", "submissions"] {
        let to = ["bob@example.org", "alice@example.org"];
        let alice = ("alice@example.org", "demo");
        let rows = submit(&server, &data, service, alice, "alice@example.org", &to, content);
        assert!(rows.iter().all(|row| row.contains("250")), "{rows:?}");
    }
    for service in ["pop3", "pop3s"] {
        let messages = fetch(&server, &data, service, "bob@example.org");
        assert_eq!(messages.len(), 2);
        for message in messages {
            assert!(
                message.starts_with(b"Return-Path: <alice@example.org>\r\nDelivered-To: bob@example.org\r\n")
            );
            assert!(message.ends_with(content));
        }
    }
}

#[test]
fn without_tls_1_3_a_client_binds_to_the_certificate() {
    let data = Directory::new();
    let server = Running::start(data.path(), &["--store", "memory"]);
    let mut config = pop3::Config::default();
    config.tls = mailwright_pop3::TlsMode::Implicit;
    let tls = trust_by(&data, &[&rustls::version::TLS12]);
    let transport = Transport::tls_ready(pop3::Client::new(config, [2; 32]), tls);
    let mut connection = Connection::over(server.connect("pop3s"), transport);
    let credentials = Credentials::password("bob@example.org", "demo").unwrap();
    let logged_in = connection.run(pop3::Login::new(credentials)).unwrap();
    assert_eq!(logged_in.mechanism, Some(MechanismName::SCRAM_SHA_256_PLUS));
}

/// Delivers to bob by LMTP.
fn deliver(server: &Running, content: &str) {
    let mut session = Lines::new(server.connect("lmtp"));
    session.read();
    session.say("LHLO client.test");
    session.say("MAIL FROM:<>");
    session.say("RCPT TO:<bob@example.org>");
    session.say("DATA");
    assert!(session.say(&format!("{content}\r\n.")).starts_with("250 2.0.0 "));
}

/// A POP3 session of bob in clear text, and what it said to the password.
fn pop3_session(server: &Running) -> (Lines, String) {
    let mut session = Lines::new(server.connect("pop3"));
    session.read();
    session.say("USER bob@example.org");
    let said = session.say("PASS demo");
    (session, said)
}

/// A session of bob, as soon as no other has the maildrop.
fn pop3_session_when_free(server: &Running) -> Lines {
    loop {
        let (session, said) = pop3_session(server);
        if said.starts_with("+OK") {
            return session;
        }
        assert!(said.starts_with("-ERR [IN-USE]"), "{said}");
    }
}

#[test]
fn one_pop3_session_at_a_time_and_one_that_breaks_off_removes_nothing() {
    let data = Directory::new();
    let server = Running::start(data.path(), &["--allow-plaintext-auth"]);
    deliver(&server, "Subject: one\r\n\r\n1");
    deliver(&server, "Subject: two\r\n\r\n2");
    let (mut first, said) = pop3_session(&server);
    assert!(said.starts_with("+OK 2 messages"), "{said}");
    assert!(pop3_session(&server).1.starts_with("-ERR [IN-USE]"));
    assert_eq!(first.say("DELE 1"), "+OK message 1 deleted");
    // Deliveries and IMAP go on beside it.
    deliver(&server, "Subject: three\r\n\r\n3");
    let mut imap = Lines::new(server.connect("imap"));
    imap.read();
    assert!(imap.say("a LOGIN bob@example.org demo").starts_with("a OK"));
    imap.write("b STATUS INBOX (MESSAGES)\r\n");
    assert_eq!(imap.read().unwrap(), "* STATUS INBOX (MESSAGES 3)");
    assert!(first.say("STAT").starts_with("+OK 1 "));
    drop(first);
    let mut second = pop3_session_when_free(&server);
    assert!(second.say("STAT").starts_with("+OK 3 "));
    second.say("DELE 2");
    assert_eq!(second.say("QUIT"), "+OK goodbye, marked messages removed");
    assert_eq!(second.read(), None);
    let mut third = pop3_session_when_free(&server);
    assert!(third.say("STAT").starts_with("+OK 2 "));
}

#[test]
fn a_message_with_utf8_in_its_header_goes_to_who_has_said_utf8() {
    let data = Directory::new();
    let server = Running::start(data.path(), &["--allow-plaintext-auth"]);
    deliver(&server, "Subject: gr\u{fc}n\r\n\r\nx");
    let (mut session, _) = pop3_session(&server);
    assert_eq!(session.say("RETR 1"), "-ERR [UTF8] the message needs UTF8");
    session.say("QUIT");
    let mut session = Lines::new(server.connect("pop3"));
    session.read();
    assert_eq!(session.say("UTF8"), "+OK UTF8 enabled");
    session.say("USER bob@example.org");
    session.say("PASS demo");
    assert!(session.say("RETR 1").starts_with("+OK "));
    let lines = core::iter::from_fn(|| session.read().filter(|line| line != "."));
    assert!(lines.collect::<Vec<_>>().contains(&"Subject: gr\u{fc}n".to_string()));
}

#[test]
fn without_log_in_mail_comes_in_for_local_users_only() {
    let data = Directory::new();
    let server = Running::start(data.path(), &[]);
    let mut session = Lines::new(server.connect("smtp"));
    assert!(session.read().unwrap().starts_with("220 mail.example.org "));
    session.say("EHLO client.test");
    assert_eq!(session.say("MAIL FROM:<someone@else.test>"), "250 2.1.0 Sender OK");
    assert_eq!(session.say("RCPT TO:<someone@else.test>"), "550 5.7.1 Relaying denied");
    assert_eq!(session.say("RCPT TO:<nobody@example.org>"), "550 5.1.1 No such user here");
    assert_eq!(session.say("RCPT TO:<bob@example.org>"), "250 2.1.5 Recipient OK");
    session.say("DATA");
    assert!(session.say("Subject: x\r\n\r\nhello\r\n.").starts_with("250 2.0.0 "));
    let mut session = Lines::new(server.connect("submission"));
    session.read();
    session.say("EHLO client.test");
    assert_eq!(session.say("MAIL FROM:<alice@example.org>"), "530 5.7.0 Authentication required");
    for mechanism in ["PLAIN AGEAYg==", "SCRAM-SHA-256", "SCRAM-SHA-1"] {
        let said = session.say(&format!("AUTH {mechanism}"));
        assert_eq!(said, "504 5.5.4 Unrecognized authentication type", "{mechanism}");
    }
    assert_eq!(fetch(&server, &data, "pop3s", "bob@example.org").len(), 1);
}

#[test]
fn an_account_cannot_send_as_another() {
    let data = Directory::new();
    let server = Running::start(data.path(), &[]);
    let alice = ("alice@example.org", "demo");
    let rows =
        submit(&server, &data, "submissions", alice, "bob@example.org", &["bob@example.org"], b"x\r\n");
    assert!(rows[0].contains("550"), "{rows:?}");
    let forged = b"From: bob@example.org\r\n\r\nx\r\n";
    let rows =
        submit(&server, &data, "submissions", alice, "alice@example.org", &["bob@example.org"], forged);
    assert!(rows[0].contains("550"), "{rows:?}");
    assert!(fetch(&server, &data, "pop3s", "bob@example.org").is_empty());
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let data = Directory::new();
    let server = Running::start(data.path(), &[]);
    let mut session = Lines::new(server.connect("lmtp"));
    session.read();
    session.say("LHLO client.test");
    session.say("MAIL FROM:<>");
    session.say("RCPT TO:<bob@example.org>");
    session.say("RCPT TO:<alice@example.org>");
    session.say("DATA");
    assert!(session.say("x\r\n.").starts_with("250 2.0.0 "));
    assert!(session.read().unwrap().starts_with("250 2.0.0 "));
}

#[test]
fn domains_users_aliases_and_the_size_limit_are_those_of_the_command_line() {
    let data = Directory::new();
    let config = data.path().join("server.toml");
    std::fs::write(
        &config,
        "domain = 'two.test'\nalias = ['info@one.test=u@one.test', '@two.test=u@one.test']\n",
    )
    .unwrap();
    let arguments = [
        "--config",
        config.to_str().unwrap(),
        "--user",
        "u@one.test:demo",
        "--max-size",
        "1000",
        "--allow-plaintext-auth",
    ];
    let server = Running::start(data.path(), &arguments);
    let mut session = Lines::new(server.connect("smtp"));
    session.read();
    session.write("EHLO client.test\r\n");
    let mut announced = Vec::new();
    while announced.last().is_none_or(|line: &String| line.starts_with("250-")) {
        announced.push(session.read().unwrap());
    }
    assert!(announced.iter().any(|line| line.ends_with("SIZE 1000")), "{announced:?}");
    assert_eq!(session.say("MAIL FROM:<> SIZE=1001").get(..9), Some("552 5.3.4"));
    session.say("MAIL FROM:<>");
    for (to, code) in [
        ("u@one.test", "250 2.1.5"),
        ("info@one.test", "250 2.1.5"),
        ("anybody@two.test", "250 2.1.5"),
        ("anybody@one.test", "550 5.1.1"),
        ("alice@example.org", "550 5.7.1"),
    ] {
        assert_eq!(session.say(&format!("RCPT TO:<{to}>")).get(..9), Some(code), "{to}");
    }
    let mut session = Lines::new(server.connect("pop3"));
    session.read();
    session.say("USER u@one.test");
    assert!(session.say("PASS demo").starts_with("+OK"));
}

#[test]
fn standard_output_holds_the_services_in_order_and_ready() {
    let data = Directory::new();
    let arguments = ["--listen", "pop3=127.0.0.1:0", "--listen", "smtp=127.0.0.1:0"];
    let server = Running::start(data.path(), &arguments);
    let [pop3, smtp, ready] = server.announced.as_slice() else { panic!("{:?}", server.announced) };
    assert!(pop3.starts_with("listening pop3 127.0.0.1:") && smtp.starts_with("listening smtp 127.0.0.1:"));
    assert_eq!(ready, "ready");
}

#[test]
fn signals_end_it_in_order() {
    for name in ["TERM", "INT"] {
        let data = Directory::new();
        let server = Running::start(data.path(), &[]);
        let mut smtp = Lines::new(server.connect("smtp"));
        smtp.read();
        let mut pop3 = Lines::new(server.connect("pop3"));
        pop3.read();
        server.signal(name);
        assert_eq!(smtp.read().unwrap().get(..9), Some("421 4.3.2"));
        assert_eq!(smtp.read(), None);
        assert_eq!(pop3.read(), None);
        drop((smtp, pop3));
        assert_eq!(server.wait().0, Some(0));
    }
}

#[test]
fn the_private_ca_survives_a_restart_and_its_key_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = Directory::new();
    let read = |name: &str| std::fs::read(data.path().join(name)).unwrap();
    let server = Running::start(data.path(), &[]);
    let ca = read("ca.pem");
    let mode = std::fs::metadata(data.path().join("ca-key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.signal("TERM");
    server.wait();
    let server = Running::start(data.path(), &[]);
    assert_eq!(read("ca.pem"), ca);
    assert!(fetch(&server, &data, "pop3s", "alice@example.org").is_empty());
}

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let data = Directory::new();
    let server = Running::start(data.path(), &[]);
    let second = output(&["--data", data.path().to_str().unwrap(), "--listen", "smtp=127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(second.stdout.is_empty());
    assert!(String::from_utf8(second.stderr).unwrap().contains("in use by another process"));
    drop(server);
    Running::start(data.path(), &[]);
}

#[test]
fn wrong_usage_is_exit_2_and_help_is_exit_0() {
    for arguments in
        [&["--no-such-option"][..], &["--listen", "gopher=127.0.0.1:70"], &["--config", "missing.toml"]]
    {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
    for arguments in ["--help", "--version"] {
        assert_eq!(output(&[arguments]).status.code(), Some(0));
    }
}

#[test]
fn passwords_appear_nowhere() {
    let data = Directory::new();
    let mut config = data.path().join("server.toml");
    let server = Running::start(data.path(), &["--user", "u@one.test:s3cret-pass", "--allow-plaintext-auth"]);
    let mut session = Lines::new(server.connect("pop3"));
    session.read();
    session.say("USER u@one.test");
    session.say("PASS s3cret-pass-wrong");
    session.say("PASS s3cret-pass");
    server.signal("TERM");
    drop(session);
    let (status, log) = server.wait();
    assert_eq!(status, Some(0));
    assert!(!log.contains("s3cret"), "{log}");
    std::fs::write(&config, "user = [['u@one.test:s3cret-pass']]\n").unwrap();
    let output = output(&["--config", config.as_mut_os_str().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("s3cret"));
}
