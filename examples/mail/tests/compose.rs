//! `mail compose`, and the reports that `mail send` asks for too, against servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_smtp::server::{Config, Protocol};

use self::support::mime::{Read, decoded};
use self::support::{Run, directory, file, mail, mail_with, raw, smtp};

/// Composes with these arguments behind the least that there must be, and writes the message out.
fn dry(more: &[&str]) -> Run {
    let least = ["compose", "--dry-run", "--server", "smtp://h.example", "--from", "alice@example.org"];
    mail(&[&least[..], more].concat())
}

/// The message of [`dry`].
fn message(more: &[&str]) -> Vec<u8> {
    let run = dry(more);
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout.into_bytes()
}

fn with_dsn() -> Config {
    let mut config = smtp::config();
    config.dsn = true;
    config
}

#[test]
fn a_text_goes_to_everybody_and_nobody_reads_who_is_in_bcc() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let run = mail_with(
        &[
            "compose",
            "--server",
            &url,
            "--from",
            "Alice Miller <alice@example.org>",
            "--to",
            "b@example.org",
            "--to",
            "nobody@example.org",
            "--cc",
            "\"Carol, C.\" <c@example.org>",
            "--cc",
            "b@example.org",
            "--bcc",
            "Dan <dan@example.org>",
            "--subject",
            "hi",
            "--text",
            "-",
        ],
        b".dot\n\nFrom here\r\nbye",
    );
    assert_eq!(
        run.stdout,
        "b@example.org 250 2.0.0 queued as 4Qx7\n\
         nobody@example.org 550 5.1.1 No such user here\n\
         c@example.org 250 2.0.0 queued as 4Qx7\n\
         dan@example.org 250 2.0.0 queued as 4Qx7\n",
        "{run:?}"
    );
    assert_eq!(run.code, Some(1));
    let seen = server.join().unwrap();
    assert_eq!(seen.senders, ["<alice@example.org>"]);
    assert_eq!(seen.accepted, ["<b@example.org>", "<c@example.org>", "<dan@example.org>"]);
    let octets = &seen.messages[0];
    let read = Read::new(octets);
    assert_eq!(read.types(), ["text/plain"]);
    assert_eq!(read.body(0), b".dot\r\n\r\nFrom here\r\nbye\r\n");
    let envelope = read.envelope();
    assert_eq!(envelope.subject.unwrap(), b"hi");
    assert_eq!(envelope.from[0].name.as_deref().unwrap(), b"Alice Miller");
    assert_eq!(envelope.to.len(), 2);
    assert_eq!(envelope.cc[0].name.as_deref().unwrap(), b"Carol, C.");
    let text = String::from_utf8_lossy(octets).to_lowercase();
    assert!(!text.contains("bcc") && !text.contains("dan"), "{text}");
}

#[test]
fn each_message_has_a_date_and_an_id_of_its_own() {
    let ids = [(); 2].map(|()| {
        let octets = message(&["--to", "b@example.org", "--subject", "x"]);
        let read = Read::new(&octets);
        let envelope = read.envelope();
        let date = String::from_utf8(envelope.date.unwrap()).unwrap();
        assert!(date.ends_with(" +0000"), "{date}");
        assert!(read.header(0).contains("\r\nMIME-Version: 1.0\r\n"), "{}", read.header(0));
        String::from_utf8(envelope.message_id.unwrap()).unwrap()
    });
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let random = id.strip_prefix('<').unwrap().strip_suffix("@example.org>").unwrap();
        assert!(random.len() == 32 && random.bytes().all(|octet| octet.is_ascii_hexdigit()), "{id}");
    }
}

#[test]
fn names_and_subjects_beyond_ascii_come_back_as_they_were() {
    let long = "Grüße, ".repeat(60) + "Ende";
    let word = "x".repeat(2000);
    for subject in ["Grüße aus Köln", "日本語の件名", "tail = ?_", &long, &word, ""] {
        let to = "Jürgen \u{1f600} Müller <b@example.org>";
        let octets = message(&["--to", to, "--subject", subject]);
        assert!(octets.is_ascii());
        let read = Read::new(&octets);
        assert!(read.header(0).lines().all(|line| line.len() <= 78), "{}", read.header(0));
        assert_eq!(decoded(&read.envelope().subject.unwrap_or_default()), subject);
        assert_eq!(decoded(read.envelope().to[0].name.as_deref().unwrap()), "Jürgen \u{1f600} Müller");
    }
}

#[test]
fn no_argument_smuggles_a_field_or_a_command() {
    let good = |from: &str, to: &str, subject: &str| {
        mail(&[
            "compose",
            "--dry-run",
            "--server",
            "smtp://h.example",
            "--from",
            from,
            "--to",
            to,
            "--subject",
            subject,
        ])
    };
    assert_eq!(good("a@example.org", "b@example.org", "x").code, Some(0));
    for (from, to, subject) in [
        ("a@example.org", "b@example.org", "x\r\nBcc: c@example.org"),
        ("a@example.org", "b@example.org", "x\nBcc: c@example.org"),
        ("a@example.org", "b@example.org", "x\r"),
        ("a@example.org", "b@example.org", "x\u{1b}[2J"),
        ("a@example.org", "b@example.org", "x\u{85}"),
        ("a@example.org", "b@example.org\r\nBcc: c@example.org", "x"),
        ("a@example.org", "B\r\nBcc: c@example.org <b@example.org>", "x"),
        ("a@example.org", "\"B\nC\" <b@example.org>", "x"),
        ("a@example.org", "b@example.org, c@example.org", "x"),
        ("a@example.org", "c@example.org, B <b@example.org>", "x"),
        ("a@example.org>\r\nRCPT TO:<c@example.org", "b@example.org", "x"),
        ("A\u{7f} <a@example.org>", "b@example.org", "x"),
        ("", "b@example.org", "x"),
    ] {
        let run = good(from, to, subject);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{from:?} {to:?} {subject:?}: {run:?}");
    }
}

#[test]
fn attachments_come_back_byte_for_byte() {
    let directory = directory("attachments");
    let all: Vec<u8> = (0..=255).collect();
    let files: [(&str, &[u8], &str); 9] = [
        ("all.bin", &all, "application/octet-stream"),
        ("empty.pdf", b"", "application/pdf"),
        ("lf.txt", b"one\ntwo\n\n", "text/plain"),
        ("crlf.txt", b"one \r\n.two\r\n\r\n", "text/plain"),
        ("no-end.csv", "a;\u{fc}\r\n=b".as_bytes(), "text/csv"),
        ("cr.txt", b"one\rtwo\r", "application/octet-stream"),
        ("dots.html", b".\r\n..\r\n.", "text/html"),
        ("Gr\u{fc}\u{df}e \"1\".JPG", b"\xff\xd8\r\n.\r\n", "image/jpeg"),
        ("line\nbreak.zip", b"PK", "application/zip"),
    ];
    let paths = files.map(|(name, octets, _)| file(&directory, name, octets));
    let text = file(&directory, "text", "Gr\u{fc}n\n".as_bytes());
    let html = file(&directory, "html", b"<p>hi</p>");
    let mut arguments = vec!["--to", "b@example.org", "--subject", "x", "--text", &text, "--html", &html];
    arguments.extend(paths.iter().flat_map(|path| ["--attach", path]));
    let octets = message(&arguments);
    assert!(octets.is_ascii());
    let read = Read::new(&octets);
    let mut expected = vec!["multipart/mixed", "multipart/alternative", "text/plain", "text/html"];
    expected.extend(files.map(|(_, _, media_type)| media_type));
    assert_eq!(read.types(), expected);
    assert_eq!(read.body(2), "Gr\u{fc}n\r\n".as_bytes());
    assert_eq!(read.body(3), b"<p>hi</p>\r\n");
    for (at, (name, octets, _)) in files.iter().enumerate() {
        assert_eq!(read.body(at + 4), *octets, "{name}");
    }
    assert!(read.header(4).contains("attachment; filename=\"all.bin\""), "{}", read.header(4));
    let header = read.header(11);
    assert!(header.contains("filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.JPG"), "{header}");
    assert!(read.header(12).contains("filename=\"line_break.zip\""), "{}", read.header(12));
}

#[test]
fn a_large_attachment_arrives_byte_for_byte_and_no_bar_is_drawn_into_a_pipe() {
    let (port, server) = smtp::serve(smtp::config(), None);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let mut state = 1_u32;
    let octets: Vec<u8> = (0..5_000_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    let path = file(&directory("large"), "large.bin", &octets);
    let arguments = ["compose", "--server", &url, "--from", "a@example.org", "--to", "b@example.org"];
    let run = mail(&[&arguments[..], &["--subject", "large", "--attach", &path, "--json"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    let row: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(row["result"], "accepted");
    assert!(!run.stderr.contains("MiB") && !run.stderr.contains('\r'), "a bar in a pipe");
    let seen = server.join().unwrap();
    let read = Read::new(&seen.messages[0]);
    assert_eq!(read.types(), ["multipart/mixed", "application/octet-stream"]);
    assert!(read.body(1) == octets);
}

#[test]
fn a_text_that_is_none_and_a_file_that_is_not_there_end_it() {
    let directory = directory("wrong");
    let latin = file(&directory, "latin", b"gr\xfcn");
    let nul = file(&directory, "nul", b"a\0b");
    let absent = directory.join("absent").to_str().unwrap().to_owned();
    let folder = directory.to_str().unwrap();
    for (option, path) in [
        ("--text", &*latin),
        ("--html", &nul),
        ("--text", &absent),
        ("--attach", &absent),
        ("--attach", folder),
    ] {
        let run = dry(&["--to", "b@example.org", "--subject", "x", option, path]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{option} {path}: {run:?}");
        assert!(run.stderr.contains(path), "{run:?}");
    }
}

#[test]
fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let compose = |port: u16| {
        let url = format!("smtp+plain://127.0.0.1:{port}");
        let arguments = ["compose", "--server", &url, "--from", "a@example.org", "--subject", "x", "--to"];
        mail(&[&arguments[..], &["B <bj\u{f8}rn@example.org>"]].concat())
    };
    // A script answers each line, and the first line behind 354 is in the message: there it ends the session.
    let (port, server) = raw::serve(&[
        "220 mx\r\n",
        "250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
        "250 ok\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "421 enough\r\n",
    ]);
    assert_eq!(compose(port).code, Some(1));
    let lines = server.join().unwrap();
    assert!(lines[1].starts_with("MAIL FROM:<a@example.org>") && lines[1].contains("SMTPUTF8"), "{lines:?}");
    assert!(lines.contains(&"To: \"B\" <bj\u{f8}rn@example.org>".to_owned()), "{lines:?}");

    let (port, server) = smtp::serve(smtp::config(), None);
    let run = compose(port);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("does not announce SMTPUTF8"), "{run:?}");
    assert!(server.join().unwrap().senders.is_empty());
}

#[test]
fn the_server_is_told_which_reports_are_asked_for() {
    let (port, server) = smtp::serve(with_dsn(), None);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let run = mail(&[
        "compose",
        "--server",
        &url,
        "--from",
        "a@example.org",
        "--to",
        "b+c@example.org",
        "--bcc",
        "D <d@example.org>",
        "--subject",
        "x",
        "--dsn",
        "delay,failure",
        "--dsn-return",
        "headers",
        "--envelope-id",
        "order 7",
    ]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stderr.contains("does not announce DSN"), "{run:?}");
    let seen = server.join().unwrap().parameters;
    assert!(seen[0].contains("RET=HDRS ENVID=order+207"), "{seen:?}");
    assert_eq!(
        seen[1..],
        [
            "NOTIFY=FAILURE,DELAY ORCPT=rfc822;b+2Bc@example.org",
            "NOTIFY=FAILURE,DELAY ORCPT=rfc822;d@example.org"
        ]
    );
}

#[test]
fn a_message_as_it_is_asks_for_reports_as_well() {
    let (port, server) = smtp::serve(with_dsn(), None);
    let url = format!("smtp+plain://127.0.0.1:{port}");
    let arguments = ["send", "--server", &url, "--from", "a@example.org", "--to", "b@example.org"];
    let run = mail_with(&[&arguments[..], &["--dsn", "never", "-"]].concat(), b"Subject: x\r\n\r\n");
    assert_eq!(run.code, Some(0), "{run:?}");
    let seen = server.join().unwrap().parameters;
    assert!(!seen[0].contains("RET") && !seen[0].contains("ENVID"), "{seen:?}");
    assert_eq!(seen[1], "NOTIFY=NEVER ORCPT=rfc822;b@example.org");
}

#[test]
fn a_server_without_dsn_gets_the_message_and_the_sender_hears_of_it() {
    let mut config = smtp::config();
    config.protocol = Protocol::Lmtp;
    for (config, scheme) in [(smtp::config(), "smtp+plain"), (config, "lmtp+plain")] {
        let (port, server) = smtp::serve(config, None);
        let url = format!("{scheme}://127.0.0.1:{port}");
        let arguments = ["send", "--server", &url, "--from", "a@example.org", "--to", "b@example.org"];
        let run = mail_with(&[&arguments[..], &["--dsn", "success", "-"]].concat(), b"Subject: x\r\n\r\n");
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.stderr.contains("the server does not announce DSN"), "{run:?}");
        let seen = server.join().unwrap();
        assert_eq!((seen.parameters[1].as_str(), seen.messages.len()), ("", 1));
    }
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let wrong: [&[&str]; 9] = [
        &["--subject", "x"],
        &["--to", "b@example.org"],
        &["--to", "Postmaster", "--subject", "x"],
        &["--to", "b@example.org", "--subject", "x", "--dsn", "never,delay"],
        &["--to", "b@example.org", "--subject", "x", "--dsn", ""],
        &["--to", "b@example.org", "--subject", "x", "--dsn-return", "some"],
        &["--to", "b@example.org", "--subject", "x", "--envelope-id", "a\r\nb"],
        &["--to", "b@example.org", "--subject", "x", "--auth", "user"],
        &["--to", "b@example.org", "--subject", "x", "file"],
    ];
    for arguments in wrong {
        let run = dry(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}: {run:?}");
    }
}
