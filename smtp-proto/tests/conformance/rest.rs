//! Rules easily missed.

use mailwright_core::session::Session as _;
use mailwright_core::value::{Mailbox, UnixTime};
use mailwright_smtp::client::MailOptions;
use mailwright_smtp::server::{Protocol, TlsMode};
use mailwright_smtp::trace::{HopCounter, Received, With};
use mailwright_smtp::types::{DeliverBy, FutureRelease, HoldInterval, Reply, ReplyCode};

use crate::support::codes;
use crate::table::{Table, announced, client, fresh, with};

const BOB: &[&str] = &["bob@example.org"];

fn options(set: impl FnOnce(&mut MailOptions)) -> MailOptions {
    let mut options = MailOptions::default();
    set(&mut options);
    options
}

pub(crate) fn rows(table: &mut Table) {
    replies(table);
    content(table);
    ends(table);
    trace(table);
    promises(table);
}

fn replies(table: &mut Table) {
    table.row(
        "R-1",
        "Enhanced codes stand on every line of 2yz, 4yz and 5yz; never in the greeting, to EHLO, in 3yz",
    );
    let mut served = fresh();
    let said = served.host.send("EHLO a\r\n");
    table.case("EHLO a⏎", "none", if said.contains(" 2.") { "some" } else { "none" });
    table.server(&fresh, "HELO -\r\nEHLO\r\n", "501, 501");
    table.server(&|| fresh().open(BOB), "DATA\r\n", "354");
    let lines = Reply::multi_line(ReplyCode::MAILBOX_UNAVAILABLE, Reply::NO_SUCH_USER.enhanced(), ["a", "b"])
        .unwrap();
    let mut wire = bytes::BytesMut::new();
    lines.encode(&mut wire);
    table.case("550 5.1.1 of two lines", "550-5.1.1 a⏎550 5.1.1 b⏎", crate::table::shown(&wire));
    let misfit = Reply::new(ReplyCode::OK, Reply::NO_SUCH_USER.enhanced(), "x").is_err();
    table.case("250 with 5.1.1", "refused", if misfit { "refused" } else { "taken" });
    let mut served = with("VRFY is asked", |config| config.ask.verify = true).ready();
    table.case(
        "[VRFY is asked] a host that says 250 without a code",
        "250 2.0.0",
        codes(&served.host.send("VRFY a\r\n")),
    );

    table.row("R-2", "After HELO no extension is in force");
    let helo = || fresh().after("HELO a\r\n");
    for parameter in ["SIZE=1", "BODY=8BITMIME", "SMTPUTF8", "RET=FULL"] {
        table.server(&helo, format!("MAIL FROM:<a@b> {parameter}\r\n"), "555 5.5.4");
    }
    table.server(
        &helo,
        "BDAT 1\r\nxSTARTTLS\r\nAUTH PLAIN\r\nETRN a\r\n",
        "503 5.5.1, 503 5.5.1, 503 5.5.1, 503 5.5.1",
    );
    let mut served = fresh();
    table.case(
        "HELO a⏎",
        "1 line",
        format!("{} line", served.host.send("HELO a\r\n").matches("\r\n").count()),
    );

    table.row("R-3", "DATA, RSET and QUIT take no argument; NOOP any");
    table.server(
        &|| fresh().open(BOB),
        "RSET now\r\nQUIT now\r\nNOOP a b c\r\n",
        "501 5.5.4, 501 5.5.4, 250 2.0.0",
    );
}

fn content(table: &mut Table) {
    table.row("R-4", "8-bit content is never sent to a server without 8BITMIME");
    table.call(
        announced(&[]),
        "MAIL with BODY=8BITMIME",
        |client| client.mail(&"<a@b>".parse().unwrap(), options(|it| it.eight_bit = true)),
        "NotAnnounced",
    );
    let asking = announced(&[])
        .says(|client| client.mail(&"<a@b>".parse().unwrap(), MailOptions::default()))
        .hears("250 ok\r\n")
        .says(|client| client.rcpt(&"<b@c>".parse().unwrap()))
        .hears("250 ok\r\n")
        .says(|client| client.data())
        .hears("354 go\r\n");
    table.call(
        asking,
        "gr\u{fc}n",
        |client| client.content("gr\u{fc}n".as_bytes()),
        "Content(EightBit { offset: 2 })",
    );

    table.row("R-5", "BINARYMIME travels by BDAT only, and only to a server that has it");
    let binary = || options(|it| it.binary = true);
    for extensions in [&["CHUNKING"][..], &["BINARYMIME"], &["8BITMIME"]] {
        table.call(
            announced(extensions),
            "MAIL with BODY=BINARYMIME",
            |client| client.mail(&"<a@b>".parse().unwrap(), binary()),
            "NotAnnounced",
        );
    }
    let asking = announced(&["CHUNKING", "BINARYMIME"])
        .says(|client| client.mail(&"<a@b>".parse().unwrap(), binary()))
        .hears("250 ok\r\n")
        .says(|client| client.rcpt(&"<b@c>".parse().unwrap()))
        .hears("250 ok\r\n");
    table.call(asking, "DATA", |client| client.data(), "WrongState");
    let server = || {
        with("BINARYMIME", |config| config.binary_mime = true)
            .ready()
            .after("MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<bob@b>\r\n")
    };
    table.server(&server, "DATA\r\n", "503 5.5.1");

    table.row("R-6", "Behind a chunk that failed the client says RSET before anything else");
    let failed = || {
        announced(&["CHUNKING"])
            .says(|client| client.mail(&"<a@b>".parse().unwrap(), MailOptions::default()))
            .hears("250 ok\r\n")
            .says(|client| client.rcpt(&"<b@c>".parse().unwrap()))
            .hears("250 ok\r\n")
            .says(|client| client.bdat(0, false))
            .hears("452 full\r\n")
    };
    table.call(
        failed(),
        "MAIL",
        |client| client.mail(&"<a@b>".parse().unwrap(), MailOptions::default()),
        "WrongState",
    );
    table.call(failed(), "BDAT", |client| client.bdat(0, true), "Misuse(WrongState)");
    table.call(failed(), "QUIT", |client| client.quit(), "WrongState");
    table.call(failed(), "RSET", |client| client.reset(), "RSET⏎");

    table.row("R-7", "SIZE without value, or with 0, is no known limit");
    for (line, expected) in [
        ("SIZE", "Some(None)"),
        ("SIZE 0", "Some(None)"),
        ("SIZE 10", "Some(Some(10))"),
        ("8BITMIME", "None"),
    ] {
        let asking = announced(&[line]);
        table.case(line, expected, format!("{:?}", asking.client.capabilities().size()));
    }
    table.call(
        announced(&["SIZE 10"]),
        "MAIL of 11 octets",
        |client| client.mail(&"<a@b>".parse().unwrap(), options(|it| it.size = Some(11))),
        "TooLarge",
    );

    table.row("R-8", "Replies go beyond ASCII only where the client said SMTPUTF8");
    utf8_replies(table);
}

fn utf8_replies(table: &mut Table) {
    use mailwright_smtp::server::Event;
    let served = || {
        with("SMTPUTF8; VRFY is asked", |config| (config.smtp_utf8, config.ask.verify) = (true, true)).ready()
    };
    for (mail, code, expected) in [
        ("MAIL FROM:<a@b> SMTPUTF8\r\n", ReplyCode::WILL_FORWARD, "251 2.0.0 <ü@b>⏎"),
        ("MAIL FROM:<a@b> SMTPUTF8\r\n", ReplyCode::USER_NOT_LOCAL, "551 5.0.0 <ü@b>⏎"),
        ("MAIL FROM:<a@b>\r\n", ReplyCode::WILL_FORWARD, "250 2.1.5 Recipient OK⏎"),
        ("MAIL FROM:<a@b>\r\n", ReplyCode::USER_NOT_LOCAL, "550 5.1.6 User not local⏎"),
    ] {
        let mut served = served().after(mail).undecided();
        served.host.send("RCPT TO:<bob@b>\r\n");
        let Some(Event::Recipient(it)) = served.host.open.pop() else { panic!() };
        served.host.server.answer(it.token, Reply::new(code, None, "<\u{fc}@b>").unwrap()).unwrap();
        served.host.run();
        let said = served.host.take_output();
        table.case(
            format!("({}) RCPT, answered {code} <ü@b>", mail.trim_end()),
            expected,
            crate::table::shown(said.as_bytes()),
        );
    }
    for (line, code, expected) in [
        ("VRFY u SMTPUTF8\r\n", ReplyCode::OK, "250 2.0.0 <ü@b>⏎"),
        ("VRFY u\r\n", ReplyCode::OK, "252 2.6.8 A reply beyond ASCII needs SMTPUTF8⏎"),
        ("VRFY u\r\n", ReplyCode::MAILBOX_UNAVAILABLE, "550 5.6.8 A reply beyond ASCII needs SMTPUTF8⏎"),
    ] {
        let mut served = served().undecided();
        served.host.send(line);
        let Some(Event::Verify(it)) = served.host.open.pop() else { panic!() };
        served.host.server.answer(it.token, Reply::new(code, None, "<\u{fc}@b>").unwrap()).unwrap();
        served.host.run();
        let said = served.host.take_output();
        table.case(
            format!("{}, answered {code} <ü@b>", line.trim_end()),
            expected,
            crate::table::shown(said.as_bytes()),
        );
    }
}

fn ends(table: &mut Table) {
    table.row("R-9", "Deadlines stand still while the session itself holds the client back");
    let mut held = fresh().open(BOB).data();
    held.host.server.hold(true);
    table.case("(354, held back) and 600 s", "", held.waits(600));
    let undecided = fresh().open(&[]).undecided();
    let mut undecided = undecided;
    undecided.host.send("RCPT TO:<bob@b>\r\n");
    table.case("(RCPT, not answered) and 600 s", "", undecided.waits(600));

    table.row("R-10", "The last reply leaves before the end; a server that goes down says 421");
    let mut down = fresh().ready();
    down.host.server.shutdown();
    down.host.run();
    table.case("the server goes down", "421 4.3.2", codes(&down.host.take_output()));
    table.case("and the session", "true", down.host.server.wants().close.to_string());
    let mut verdict = fresh().open(BOB).data();
    verdict.host.undecided = true;
    verdict.host.send("x\r\n.\r\n");
    verdict.host.server.shutdown();
    verdict.host.run();
    table.case(
        "(the end of content, not answered) the server goes down",
        "",
        codes(&verdict.host.take_output()),
    );
    let event = verdict.host.open.pop().unwrap();
    verdict.host.answer(event);
    verdict.host.run();
    table.case("and the host answers", "250 2.0.0, 421 4.3.2", codes(&verdict.host.take_output()));

    table.row(
        "R-11",
        "A greeting or EHLO that is refused sends the client to the next host; 521 and 556 are for good",
    );
    for greeting in ["421 down", "450 busy", "521 no mail", "554 no service"] {
        // RFC 5321 §3.8: who says 421 closes by itself.
        let quit = if greeting.starts_with("421") { "" } else { "; C: QUIT⏎" };
        let expected = format!("closed: the server gives no service: {greeting}; try another host{quit}");
        table.client(client("", |_| {}), format!("{greeting}\r\n"), &expected);
    }
    let asking = client("", |_| {}).hears("220 s.example\r\n");
    table.client(asking, "554 no\r\n", "closed: the server refused EHLO: 554 no; try another host; C: QUIT⏎");
    let asking = announced(&[])
        .says(|client| client.mail(&"<a@b>".parse().unwrap(), MailOptions::default()))
        .hears("250 ok\r\n")
        .says(|client| client.rcpt(&"<b@c>".parse().unwrap()));
    table.client(asking, "556 no mail\r\n", "recipient 556 Permanent");
    let refusing = || with("521", |config| config.refuse_service(Reply::NO_MAIL).unwrap());
    table.server(&refusing, "EHLO a\r\nMAIL FROM:<>\r\nQUIT\r\n", "503, 503 5.5.1, 221 2.0.0 closed Quit");
}

fn trace(table: &mut Table) {
    table.row("R-12", "Received says how: SMTP, ESMTP, LMTP with S and A, UTF8SMTP and UTF8LMTP; hops are counted in the header only");
    for (lmtp, extended, tls, authenticated, utf8, expected) in [
        (false, false, false, false, false, "SMTP"),
        (false, true, false, false, false, "ESMTP"),
        (false, true, true, false, false, "ESMTPS"),
        (false, true, false, true, false, "ESMTPA"),
        (false, true, true, true, false, "ESMTPSA"),
        (true, true, false, false, false, "LMTP"),
        (true, true, true, true, false, "LMTPSA"),
        (false, true, true, false, true, "UTF8SMTPS"),
        (true, true, false, true, true, "UTF8LMTPA"),
    ] {
        let mut with = With::default();
        (with.lmtp, with.extended, with.tls, with.authenticated, with.utf8) =
            (lmtp, extended, tls, authenticated, utf8);
        table.case(format!("{with:?}"), expected, with.to_string());
    }
    let served =
        with("SMTPUTF8", |config| config.smtp_utf8 = true).ready().after("MAIL FROM:<a@b> SMTPUTF8\r\n");
    table.case("(MAIL FROM:<a@b> SMTPUTF8) with", "UTF8SMTP", served.host.server.with().to_string());
    let bob: Mailbox = "bob@b".parse().unwrap();
    let mut received = Received::new("mx.example.org", With::default(), UnixTime::from_seconds(0)).unwrap();
    received.helo = Some("a\r\nb");
    received.recipient = Some(&bob);
    table.case("EHLO a⏎b in Received", "Received: from unknown⏎\\tby mx.example.org with ESMTP⏎\\tfor <bob@b>;⏎\\tThu, 1 Jan 1970 00:00:00 +0000⏎", crate::table::shown(received.to_string().as_bytes()));
    let mut hops = HopCounter::new();
    hops.feed(b"Received: a\r\nSubject: x\r\nreceived: b\r\n\r\nReceived: c\r\n");
    table.case("two Received fields, and one in the body", "2", hops.count().to_string());
}

fn promises(table: &mut Table) {
    table.row("R-13", "DELIVERBY, FUTURERELEASE and MT-PRIORITY are announced only where the host says that its queue obeys");
    let lines = |set: &dyn Fn(&mut mailwright_smtp::server::Config)| {
        let mut served = with("", |config| {
            config.announce_limits = false;
            set(config);
        });
        let said = served.host.send("EHLO a\r\n");
        let found: Vec<&str> = said
            .lines()
            .map(|line| &line[4..])
            .filter(|line| {
                ["DELIVERBY", "FUTURERELEASE", "MT-PRIORITY", "RRVS"]
                    .iter()
                    .any(|word| line.starts_with(word))
            })
            .collect();
        found.join(", ")
    };
    let release = FutureRelease {
        interval: HoldInterval::new(60).unwrap(),
        until: "2030-01-01T00:00:00Z".parse().unwrap(),
    };
    table.case("EHLO a⏎", "", lines(&|_| {}));
    let all = |config: &mut mailwright_smtp::server::Config| {
        config.promises.deliver_by = Some(60);
        config.promises.future_release = Some(release);
        config.promises.mt_priority = Some(mailwright_smtp::types::Arguments::default());
        config.promises.rrvs = true;
    };
    table.case("[promised] EHLO a⏎", "DELIVERBY 60, MT-PRIORITY, RRVS", lines(&all));
    table.case(
        "[promised, submission] EHLO a⏎",
        "DELIVERBY 60, FUTURERELEASE 60 2030-01-01T00:00:00Z, MT-PRIORITY, RRVS",
        lines(&|config| {
            all(config);
            config.protocol = Protocol::Submission;
        }),
    );
    let ready = || fresh().ready();
    table.server(
        &ready,
        "MAIL FROM:<> BY=60;R\r\nMAIL FROM:<> MT-PRIORITY=1\r\nMAIL FROM:<> HOLDFOR=1\r\n",
        "555 5.5.4, 555 5.5.4, 555 5.5.4",
    );
    let returned = || options(|it| it.deliver_by = Some("120;R".parse::<DeliverBy>().unwrap()));
    table.call(
        announced(&[]),
        "MAIL with BY=120;R",
        |client| client.mail(&"<a@b>".parse().unwrap(), returned()),
        "NotAnnounced",
    );
    table.call(
        announced(&["DELIVERBY"]),
        "MAIL with BY=120;R",
        |client| client.mail(&"<a@b>".parse().unwrap(), returned()),
        "MAIL FROM:<a@b> BY=120;R⏎",
    );

    table.row("R-14", "REQUIRETLS goes before what the header says of TLS: the host is told");
    let mut served = with("REQUIRETLS, TLS", |config| {
        (config.requiretls, config.tls, config.ask.sender) = (true, TlsMode::Implicit, true)
    });
    served.host.secure();
    served.host.undecided = true;
    served.host.send("EHLO a\r\nMAIL FROM:<a@b> REQUIRETLS\r\n");
    let told = match served.host.open.pop() {
        Some(mailwright_smtp::server::Event::Sender(sender)) => sender.parameters.require_tls().to_string(),
        other => format!("{other:?}"),
    };
    table.case("[REQUIRETLS, TLS] MAIL FROM:<a@b> REQUIRETLS⏎", "true", told);
}
